#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::chat::ChatEvent as E;

use super::*;
use crate::protocols::{Protocol, decode};

const START: &str = r#"{"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","content":[],"model":"claude","stop_reason":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":20,"cache_read_input_tokens":100,"output_tokens":1}}}"#;
/// As little as a server may begin with.
const BEGIN: &str = r#"{"type":"message_start","message":{}}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

fn read(frames: &[&str]) -> Result<Vec<ChatEvent>, Fault> {
    decode(Protocol::Anthropic, frames).map(|(events, _)| events)
}

#[test]
fn an_ordinary_answer_becomes_events_and_is_put_together_again() {
    let (events, answer) = decode(
        Protocol::Anthropic,
        &[
            START,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm "}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"so"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Ab+/"}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"cd=="}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"sealed=="}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Hi"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
            r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
            r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"x\": 1}"}}"#,
            r#"{"type":"content_block_stop","index":3}"#,
            r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"t2","name":"g","input":{}}}"#,
            r#"{"type":"content_block_stop","index":4}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":40}}"#,
            STOP,
        ],
    )
    .unwrap();
    let usage = Usage {
        prompt_tokens: 125,
        completion_tokens: 40,
        total_tokens: 165,
        cached_input_tokens: Some(100),
        cache_write_tokens: Some(20),
        hour_cache_write_tokens: None,
        reasoning_tokens: None,
    };
    let started =
        |index, id: &str, name: &str| E::ToolCallStarted { index, id: id.to_owned(), name: name.to_owned() };
    let arguments = |index, delta: &str| E::ToolCallArguments { index, delta: delta.to_owned() };
    assert_eq!(
        events,
        [
            E::Reasoning("hm ".to_owned()),
            E::Reasoning("so".to_owned()),
            E::ReasoningSignature("Ab+/cd==".to_owned()),
            E::RedactedReasoning("sealed==".to_owned()),
            E::Text("Hi".to_owned()),
            started(0, "t1", "f"),
            arguments(0, "{\"x\": 1}"),
            started(1, "t2", "g"),
            arguments(1, "{}"),
            E::Usage(usage),
            E::Finish(FinishReason::ToolCalls),
        ]
    );
    assert_eq!(
        answer["content"][0],
        json!({"type": "thinking", "thinking": "hm so", "signature": "Ab+/cd=="})
    );
    assert_eq!(answer["content"][3]["input"], json!({"x": 1}));
    assert_eq!(answer["usage"]["output_tokens"], 40);
    assert_eq!(answer["stop_reason"], "tool_use");
}

#[test]
fn oddities_are_understood() {
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#;
    let said = E::Text("a".to_owned());
    for (name, frames, expected) in [
        (
            "text in the opening, no usage, no reason",
            vec![text, STOP],
            vec![said.clone(), E::Finish(FinishReason::Stop)],
        ),
        (
            "kinds of a later version",
            vec![
                r#"{"type":"novelty","x":1}"#,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"server_thing","x":[1]}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"novel_delta","x":1}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"pause_turn"},"usage":null}"#,
                STOP,
            ],
            vec![E::Finish(FinishReason::Other("pause_turn".to_owned()))],
        ),
        (
            "a whole input in the opening",
            vec![
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"f","input":{"x":1}}}"#,
                r#"{"type":"content_block_stop","index":0}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#,
                STOP,
            ],
            vec![
                E::ToolCallStarted { index: 0, id: "t".to_owned(), name: "f".to_owned() },
                E::ToolCallArguments { index: 0, delta: "{\"x\":1}".to_owned() },
                E::Finish(FinishReason::ToolCalls),
            ],
        ),
        (
            "a thought that is not shown",
            vec![
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":"s"}}"#,
                r#"{"type":"content_block_stop","index":0}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"}}"#,
                STOP,
            ],
            vec![
                E::Reasoning(String::new()),
                E::ReasoningSignature("s".to_owned()),
                E::Finish(FinishReason::Length),
            ],
        ),
    ] {
        let frames: Vec<_> = std::iter::once(BEGIN).chain(frames).collect();
        assert_eq!(read(&frames), Ok(expected), "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_an_error() {
    let text = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}"#;
    let reason = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    assert_eq!(read(&[]), Err(Fault::Incomplete));
    assert_eq!(read(&[START, text]), Err(Fault::Incomplete));
    assert_eq!(read(&[START, text, reason]), Err(Fault::Incomplete));
    assert_eq!(read(&[START, STOP]), Err(Fault::Empty));
    for corrupt in [
        "{",
        "7",
        "[1]",
        "\"x\"",
        r#"{"type":"content_block_start"}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"x"}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"x"}}"#,
    ] {
        assert!(matches!(read(&[corrupt]), Err(Fault::Corrupt(_))), "{corrupt}: {:?}", read(&[corrupt]));
        let begun = read(&[BEGIN, corrupt]);
        assert!(matches!(begun, Err(Fault::Corrupt(_))), "{corrupt}: {begun:?}");
    }
    assert!(matches!(read(&[text]), Err(Fault::Corrupt(_))));
    assert!(matches!(Answer::default().bare("content_block_delta"), Err(Fault::Corrupt(_))));
    // Shapes that mean nothing are passed over, and never panic.
    for odd in [
        r#"{"type":"content_block_start","index":0,"content_block":"x"}"#,
        r#"{"type":"message_start","message":7}"#,
        r#"{"type":"message_delta","delta":7,"usage":[]}"#,
        r#"{"type":7}"#,
        "{}",
    ] {
        assert_eq!(read(&[BEGIN, odd]), Err(Fault::Incomplete), "{odd}");
    }
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"busy"}}"#;
    assert!(matches!(read(&[START, error]), Err(Fault::Said(_))));
}
