#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::protocols::{Protocol, decode};

#[test]
fn an_answer_is_put_together_again_for_the_trace() {
    let frames = [
        r#"{"type":"response.created","response":{"id":"resp_1","status":"in_progress","output":[]}}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"item_id":"m","delta":"half"}"#,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","id":"fc","call_id":"c","name":"f"}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"item_id":"fc","delta":"{"}"#,
    ];
    let mut decoder = Protocol::OpenAiResponses.decoder(false);
    for frame in frames {
        decoder.frame(frame, &mut Vec::new()).unwrap();
    }
    let answer = decoder.answer();
    assert_eq!(answer["id"], "resp_1");
    assert_eq!(answer["output"][0]["content"][0]["text"], "half");
    assert_eq!(answer["output"][1]["arguments"], "{");
    assert_eq!(decoder.end(&mut Vec::new()), Err(Fault::Incomplete));
}

#[test]
fn what_cannot_be_used_is_an_error() {
    let read = |frames: &[&str]| decode(Protocol::OpenAiResponses, frames).map(|(events, _)| events);
    assert_eq!(read(&[]), Err(Fault::Incomplete));
    assert_eq!(
        read(&[r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#]),
        Err(Fault::Empty)
    );
    for corrupt in [
        "{",
        "7",
        r#"{"type":"response.function_call_arguments.delta","output_index":3,"delta":"x"}"#,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call"}}"#,
    ] {
        assert!(matches!(read(&[corrupt]), Err(Fault::Corrupt(_))), "{corrupt}");
    }
    for said in [
        r#"{"type":"error","error":{"message":"x"}}"#,
        r#"{"type":"error","message":"x"}"#,
        r#"{"type":"response.failed","response":{}}"#,
        r#"{"error":{"message":"x"}}"#,
    ] {
        assert!(matches!(read(&[said]), Err(Fault::Said(_))), "{said}");
    }
}
