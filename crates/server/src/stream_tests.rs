#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::{
    ids::AgentId,
    message::{ContentPart, ReturnContent, ToolCall, ToolReturn, ToolStatus},
};
use serde_json::Value;

use super::*;

fn run_id() -> RunId {
    "run-123e4567-e89b-42d3-8456-426614174000".parse().unwrap()
}

fn message(role: Role) -> Message {
    Message {
        content: vec![ContentPart::text("hello")],
        run_id: Some(run_id()),
        ..Message::new(
            "message-123e4567-e89b-42d3-8456-426614174000".parse().unwrap(),
            AgentId::new(),
            role,
            Timestamp(0),
        )
    }
}

fn json(frame: &Frame) -> Value {
    let text = std::str::from_utf8(&frame.text).unwrap();
    let text = text.strip_prefix("event: error\n").unwrap_or(text);
    serde_json::from_str(text.strip_prefix("data: ").unwrap().strip_suffix("\n\n").unwrap()).unwrap()
}

fn delta(index: u8, delta: Delta) -> TurnEvent {
    TurnEvent::Delta { message_id: message(Role::Assistant).id, step_id: StepId::new(), index, delta }
}

#[test]
fn a_numbered_stream_counts_every_event_and_shows_it_on_messages() {
    let mode = Mode { numbered: true, pings: true, ..Mode::default() };
    let mut renderer = Renderer::new(run_id(), mode);
    let mut frames = renderer.open();
    let mut calls = message(Role::Assistant);
    calls.tool_calls =
        vec![ToolCall { id: "c".to_owned(), name: "roll".to_owned(), arguments: "{}".to_owned() }];
    frames.extend(renderer.event(&TurnEvent::Message { message: calls, streamed: true }));
    frames.extend(renderer.close(StopReason::EndTurn, &UsageStatistics::none(), None));
    assert_eq!(frames.iter().map(|frame| frame.seq).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    let ping = json(&frames[0]);
    assert_eq!((&ping["message_type"], &ping["seq_id"]), (&json!("ping"), &json!(1)));
    assert_eq!(ping["run_id"], run_id().as_str());
    assert!(Frame::is_ping(&frames[0].text));
    assert_eq!(json(&frames[1])["message_type"], "assistant_message");
    assert_eq!(json(&frames[1])["seq_id"], 2);
    assert_eq!(json(&frames[2])["message_type"], "tool_call_message");
    assert_eq!(json(&frames[3]), json!({"message_type": "stop_reason", "stop_reason": "end_turn"}));
    assert_eq!(json(&frames[4])["message_type"], "usage_statistics");
    assert_eq!(json(&frames[4]).get("seq_id"), None);
    assert_eq!(frames[5].text.as_ref(), b"data: [DONE]\n\n");
}

#[test]
fn pieces_carry_only_what_is_new() {
    let mut renderer = Renderer::new(run_id(), Mode { tokens: true, ..Mode::default() });
    let call = |name: Option<&str>, arguments: Option<&str>, gated| Delta::ToolCall {
        tool_call_id: "c".to_owned(),
        name: name.map(str::to_owned),
        arguments: arguments.map(str::to_owned),
        gated,
    };
    let mut one = |event: &TurnEvent| {
        let frames = renderer.event(event);
        assert_eq!(frames.len(), 1);
        json(&frames[0])
    };
    let text = one(&delta(1, Delta::Text("hel".to_owned())));
    assert_eq!((&text["content"], &text["seq_id"]), (&json!("hel"), &Value::Null));
    assert_eq!(text["otid"], "123e4567-e89b-42d3-8456-426614174001");
    let named = one(&delta(2, call(Some("roll"), None, false)));
    assert_eq!(named["tool_calls"], json!({"name": "roll", "tool_call_id": "c"}));
    assert_eq!(named["tool_call"], named["tool_calls"]);
    let more = one(&delta(2, call(None, Some("{\"a\""), false)));
    assert_eq!(more["tool_calls"], json!({"arguments": "{\"a\"", "tool_call_id": "c"}));
    let gated = one(&delta(2, call(None, Some("{}"), true)));
    assert_eq!(gated["message_type"], "approval_request_message");
    assert_eq!(gated["tool_calls"], json!({"name": null, "arguments": "{}", "tool_call_id": "c"}));
    assert_eq!(gated["otid"], gated["id"]);
    let thought = one(&delta(0, Delta::Reasoning { text: "hm".to_owned(), signature: None }));
    assert_eq!((&thought["reasoning"], &thought["signature"]), (&json!("hm"), &Value::Null));
    let whole = TurnEvent::Message { message: message(Role::Assistant), streamed: true };
    assert_eq!(renderer.event(&whole), []);
    let unstreamed = TurnEvent::Message { message: message(Role::Assistant), streamed: false };
    assert_eq!(renderer.event(&unstreamed).len(), 1);
}

#[test]
fn what_the_client_returned_is_not_sent_back_in_pieces_mode() {
    let result = |id: &str| ToolReturn {
        tool_call_id: id.to_owned(),
        status: ToolStatus::Success,
        content: ReturnContent::Value(json!("x")),
        stdout: Vec::new(),
        stderr: Vec::new(),
        time: String::new(),
    };
    let mut both = message(Role::Tool);
    both.tool_returns = vec![result("mine"), result("yours")];
    let mut mine = message(Role::Tool);
    mine.tool_returns = vec![result("mine")];
    let client_returns = HashSet::from(["mine".to_owned()]);
    let tell = |tokens, message: &Message| {
        let mode = Mode { tokens, client_returns: client_returns.clone(), ..Mode::default() };
        let event = TurnEvent::Message { message: message.clone(), streamed: false };
        Renderer::new(run_id(), mode).event(&event).iter().map(json).collect::<Vec<_>>()
    };
    assert_eq!(tell(true, &mine), Vec::<Value>::new());
    let rest = tell(true, &both);
    assert_eq!(rest[0]["tool_returns"].as_array().unwrap().len(), 1);
    assert_eq!(rest[0]["tool_call_id"], "yours");
    assert_eq!(tell(false, &both)[0]["tool_returns"].as_array().unwrap().len(), 2);
}

#[test]
fn an_error_is_named_and_followed_by_the_end() {
    let mut renderer = Renderer::new(run_id(), Mode::default());
    let error = TurnError {
        error_type: "llm_error".to_owned(),
        message: "broken".to_owned(),
        detail: Some("why".to_owned()),
        chat: None,
    };
    let frames = renderer.close(StopReason::LlmApiError, &UsageStatistics::none(), Some(&error));
    assert_eq!(json(&frames[0])["stop_reason"], "llm_api_error");
    assert!(frames[1].text.starts_with(b"event: error\ndata: {"));
    assert_eq!(
        json(&frames[1]),
        json!({"message_type": "error_message", "run_id": run_id(), "error_type": "llm_error",
               "message": "broken", "detail": "why", "seq_id": null})
    );
    assert_eq!(frames[2].text.as_ref(), b"data: [DONE]\n\n");
}

#[test]
fn the_filter_keeps_the_end() {
    let view = View { types: Some(vec![MessageType::AssistantMessage]), summaries: false };
    let mut renderer = Renderer::new(run_id(), Mode { tokens: true, view, ..Mode::default() });
    let thought = delta(0, Delta::Reasoning { text: "hm".to_owned(), signature: None });
    assert_eq!(renderer.event(&thought), []);
    assert_eq!(renderer.event(&delta(1, Delta::Text("x".to_owned()))).len(), 1);
    assert_eq!(renderer.close(StopReason::EndTurn, &UsageStatistics::none(), None).len(), 3);
}

#[test]
fn text_that_looks_like_a_ping_is_none() {
    let mut sneaky = message(Role::Assistant);
    sneaky.content = vec![ContentPart::text(r#"{"message_type":"ping"}"#)];
    let mut renderer = Renderer::new(run_id(), Mode::default());
    let frames = renderer.event(&TurnEvent::Message { message: sneaky, streamed: false });
    assert!(!Frame::is_ping(&frames[0].text));
}
