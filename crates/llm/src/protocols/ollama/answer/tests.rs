#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::protocols::Protocol;

fn read(as_call: bool, lines: &[&str]) -> Result<Vec<ChatEvent>, Fault> {
    let mut decoder = Protocol::Ollama.decoder(as_call);
    let mut events = Vec::new();
    for line in lines {
        decoder.frame(line, &mut events)?;
    }
    decoder.end(&mut events)?;
    Ok(events)
}

const DONE: &str = r#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#;

#[test]
fn a_forced_call_is_read_from_the_text() {
    let line = r#"{"message":{"content":"{\"name\":\"f\",\"arguments\":{\"x\":1}}"}}"#;
    let events = read(true, &[line, DONE]).unwrap();
    assert!(matches!(&events[0], ChatEvent::ToolCallStarted { index: 0, name, .. } if name == "f"));
    assert_eq!(events[1], ChatEvent::ToolCallArguments { index: 0, delta: "{\"x\":1}".to_owned() });
    assert_eq!(events[2], ChatEvent::Finish(FinishReason::ToolCalls));
    // The runtime may have made a call of it itself.
    let own = r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}}]}}"#;
    assert_eq!(read(true, &[own, DONE]).unwrap().len(), 3);
    for text in ["I would rather not", "{\\\"name\\\":", "{}"] {
        let line = format!(r#"{{"message":{{"content":"{text}"}}}}"#);
        assert!(matches!(read(true, &[&line, DONE]), Err(Fault::Said(_))), "{text}");
    }
    assert_eq!(read(true, &[DONE]), Err(Fault::Empty));
}

#[test]
fn what_cannot_be_used_is_an_error() {
    assert_eq!(read(false, &[]), Err(Fault::Incomplete));
    assert_eq!(read(false, &[r#"{"message":{"content":"a"},"done":false}"#]), Err(Fault::Incomplete));
    for corrupt in ["{", "7", "[]", r#"{"message":{"tool_calls":[{"function":{}}]}}"#] {
        assert!(matches!(read(false, &[corrupt]), Err(Fault::Corrupt(_))), "{corrupt}");
    }
    assert!(matches!(read(false, &[r#"{"error":"x"}"#]), Err(Fault::Said(_))));
}
