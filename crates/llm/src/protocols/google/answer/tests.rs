#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::protocols::{Protocol, decode};

#[test]
fn an_answer_is_put_together_again_for_the_trace() {
    let (_, answer) = decode(
        Protocol::Google,
        &[
            r#"{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"b"}]}}],"modelVersion":"m","responseId":"r"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"c","thoughtSignature":"s"}]}}]}"#,
            r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
        ],
    )
    .unwrap();
    assert_eq!(
        answer["candidates"][0]["content"]["parts"],
        json!([
            {"text": "a", "thought": true},
            {"text": "bc", "thoughtSignature": "s"},
            {"functionCall": {"name": "f", "args": {}}},
        ])
    );
    assert_eq!((&answer["modelVersion"], &answer["responseId"]), (&json!("m"), &json!("r")));
}

#[test]
fn a_list_of_pieces_is_read_like_a_stream() {
    let mut decoder = Protocol::Google.decoder(false);
    let mut events = Vec::new();
    let list = json!([
        {"candidates": [{"content": {"parts": [{"text": "a"}]}}]},
        {"candidates": [{"finishReason": "STOP"}]},
    ]);
    decoder.whole(list, &mut events).unwrap();
    decoder.end(&mut events).unwrap();
    assert_eq!(events, [ChatEvent::Text("a".to_owned()), ChatEvent::Finish(FinishReason::Stop)]);
}

#[test]
fn ids_are_our_own_and_keep_the_providers() {
    let (first, second) = (own_id(Some("x_1")), own_id(Some("x_1")));
    assert_ne!(first, second);
    assert_eq!(super::super::provider_id(&first), Some("x_1"));
    assert_eq!(super::super::provider_id(&own_id(None)), None);
    for foreign in ["call_1", "gc_", "gc_short_x", "toolu_01"] {
        assert_eq!(super::super::provider_id(foreign), None, "{foreign}");
    }
}

#[test]
fn what_cannot_be_used_is_an_error() {
    let read = |frames: &[&str]| decode(Protocol::Google, frames).map(|(events, _)| events);
    assert_eq!(read(&[]), Err(Fault::Incomplete));
    for corrupt in ["{", "7", r#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]}"#] {
        assert!(matches!(read(&[corrupt]), Err(Fault::Corrupt(_))), "{corrupt}");
    }
    assert!(matches!(read(&[r#"{"error":{"code":503}}"#]), Err(Fault::Said(_))));
    for odd in [r#"{"candidates":[7]}"#, r#"{"candidates":["x"]}"#, r#"{"candidates":[{"content":7}]}"#] {
        assert_eq!(read(&[odd]), Err(Fault::Incomplete), "{odd}");
    }
}
