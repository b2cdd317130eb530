#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::chat::ChatEvent as E;
use serde_json::json;

use super::*;
use crate::protocols::{Protocol, decode};

fn read(frames: &[&str]) -> Result<Vec<ChatEvent>, Fault> {
    decode(Protocol::OpenAiChat, frames).map(|(events, _)| events)
}

fn started(index: usize, id: &str, name: &str) -> ChatEvent {
    E::ToolCallStarted { index, id: id.to_owned(), name: name.to_owned() }
}

fn arguments(index: usize, delta: &str) -> ChatEvent {
    E::ToolCallArguments { index, delta: delta.to_owned() }
}

#[test]
fn an_ordinary_answer_becomes_events_and_is_put_together_again() {
    let (events, answer) = decode(
        Protocol::OpenAiChat,
        &[
            r#"{"id":"c1","model":"gpt-4.1","created":7,"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"x\""}}]}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            r#"{"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"id":"c1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":2}}}"#,
            "[DONE]",
        ],
    )
    .unwrap();
    let usage = Usage {
        prompt_tokens: 10,
        completion_tokens: 4,
        total_tokens: 14,
        cached_input_tokens: Some(6),
        cache_write_tokens: None,
        hour_cache_write_tokens: None,
        reasoning_tokens: Some(2),
    };
    assert_eq!(
        events,
        [
            E::Reasoning("hm".to_owned()),
            E::Text("Hi".to_owned()),
            started(0, "a", "f"),
            arguments(0, "{\"x\""),
            started(1, "b", "g"),
            arguments(1, "{}"),
            arguments(0, ":1}"),
            E::Usage(usage),
            E::Finish(FinishReason::ToolCalls),
        ]
    );
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], "Hi");
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"x\":1}");
    assert_eq!((&answer["created"], &choice["finish_reason"]), (&json!(7), &json!("tool_calls")));
}

/// What other servers do, one oddity each.
#[test]
fn oddities_of_other_servers_are_understood() {
    let stop = E::Finish(FinishReason::Stop);
    let calls = E::Finish(FinishReason::ToolCalls);
    let text = |text: &str| E::Text(text.to_owned());
    let cases: Vec<(&str, Vec<&str>, Vec<ChatEvent>)> = vec![
        (
            "no usage, no [DONE]",
            vec![r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}]}"#],
            vec![text("a"), stop.clone()],
        ),
        (
            "[DONE] without a reason",
            vec![r#"{"choices":[{"delta":{"content":"a"}}]}"#, "[DONE]"],
            vec![text("a"), stop.clone()],
        ),
        (
            "empty tool_calls and reason",
            vec![
                r#"{"choices":[{"delta":{"content":"a","tool_calls":[]},"finish_reason":""}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":null},"finish_reason":"eos"}]}"#,
            ],
            vec![text("a"), stop.clone()],
        ),
        (
            "whole message in one chunk",
            vec![
                r#"{"choices":[{"message":{"content":"a","tool_calls":[{"id":"i","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
            ],
            vec![text("a"), started(0, "i", "f"), arguments(0, "{}"), calls.clone()],
        ),
        (
            "integer id, arguments as an object",
            vec![
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":7,"function":{"name":"f","arguments":{"x":1}}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            vec![started(0, "7", "f"), arguments(0, "{\"x\":1}"), calls.clone()],
        ),
        (
            "no index, pieces without id",
            vec![
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"i","function":{"name":"f","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            vec![started(0, "i", "f"), arguments(0, "{"), arguments(0, "}"), calls.clone()],
        ),
        (
            "parallel calls all at index 0",
            vec![
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{}"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"j","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
            ],
            vec![
                started(0, "i", "f"),
                arguments(0, "{}"),
                started(1, "j", "f"),
                arguments(1, "{}"),
                calls.clone(),
            ],
        ),
        (
            "id and name repeated in every piece",
            vec![
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"i","function":{"name":"f","arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            vec![started(0, "i", "f"), arguments(0, "{"), arguments(0, "}"), calls.clone()],
        ),
        (
            "the name after the id",
            vec![
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"i","function":{"arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"}"}}]},"finish_reason":"tool_calls"}]}"#,
            ],
            vec![started(0, "i", "f"), arguments(0, "{}"), calls.clone()],
        ),
        (
            "content in parts, thinking among them",
            vec![
                r#"{"choices":[{"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"t"}]},{"type":"text","text":"a"}]},"finish_reason":"stop"}]}"#,
            ],
            vec![E::Reasoning("t".to_owned()), text("a"), stop.clone()],
        ),
        (
            "the same thought under two names",
            vec![
                r#"{"choices":[{"delta":{"reasoning":"t","reasoning_content":"t"}}]}"#,
                r#"{"choices":[{"delta":{"reasoning":"u"},"finish_reason":"stop"}]}"#,
            ],
            vec![E::Reasoning("t".to_owned()), E::Reasoning("u".to_owned()), stop.clone()],
        ),
        (
            "a refusal is text",
            vec![r#"{"choices":[{"delta":{"refusal":"no"},"finish_reason":"stop"}]}"#],
            vec![text("no"), stop.clone()],
        ),
        (
            "an explicit null error and another choice",
            vec![
                r#"{"error":null,"choices":[{"index":1,"delta":{"content":"x"}},{"index":0,"delta":{"content":"a"},"finish_reason":"length"}]}"#,
            ],
            vec![text("a"), E::Finish(FinishReason::Length)],
        ),
        (
            "a reason nobody knows",
            vec![r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"tired"}]}"#],
            vec![text("a"), E::Finish(FinishReason::Other("tired".to_owned()))],
        ),
        (
            "an empty answer that ends properly",
            vec![r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#],
            vec![stop],
        ),
    ];
    for (name, frames, expected) in cases {
        assert_eq!(read(&frames), Ok(expected), "{name}");
    }
}

#[test]
fn calls_without_an_id_get_one() {
    let events = read(&[
        r#"{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":"{}"}},{"function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#,
    ])
    .unwrap();
    let ids: Vec<_> = events
        .iter()
        .filter_map(|event| if let E::ToolCallStarted { id, .. } = event { Some(id.clone()) } else { None })
        .collect();
    assert_eq!(ids.len(), 2);
    assert!(ids[0] != ids[1] && ids.iter().all(|id| id.starts_with("call_") && id.len() <= 40), "{ids:?}");
}

#[test]
fn what_cannot_be_used_is_an_error() {
    assert_eq!(read(&[]), Err(Fault::Incomplete));
    assert_eq!(read(&[r#"{"choices":[{"delta":{"content":"a"}}]}"#]), Err(Fault::Incomplete));
    assert_eq!(read(&["[DONE]"]), Err(Fault::Empty));
    for corrupt in ["{", "7", "[]", "null", r#"{"choices":7}"#, r#"{"choices":[{"delta":"x"}]}"#, "\u{1}"] {
        assert!(matches!(read(&[corrupt]), Err(Fault::Corrupt(_))), "{corrupt}: {:?}", read(&[corrupt]));
    }
    for said in [r#"{"error":{"message":"x"}}"#, r#"{"error":"x"}"#, r#"{"object":"error","message":"x"}"#] {
        assert!(matches!(read(&[said]), Err(Fault::Said(_))), "{said}");
    }
    let failed = r#"{"choices":[{"delta":{"content":"a"},"finish_reason":"error"}]}"#;
    assert!(matches!(read(&[failed]), Err(Fault::Said(_))));
}
