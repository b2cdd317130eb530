#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::{
    ids::AgentId,
    message::{Approval, ImageSource, ReturnContent, ToolReturn},
    time::Timestamp,
};

const ID: &str = "message-123e4567-e89b-42d3-8456-426614174000";

fn row(role: Role) -> Message {
    Message::new(ID.parse().unwrap(), AgentId::new(), role, Timestamp(1_763_665_442_761_437))
}

fn call(id: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "roll".to_owned(), arguments: "{\"sides\": 6}".to_owned() }
}

fn result(id: &str, text: &str) -> ToolReturn {
    ToolReturn {
        tool_call_id: id.to_owned(),
        status: ToolStatus::Success,
        content: ReturnContent::Value(json!(text)),
        stdout: vec!["rolling\n".to_owned()],
        stderr: Vec::new(),
        time: "2025-11-20 07:04:02 PM UTC+0000".to_owned(),
    }
}

fn shown(message: &Message, view: &View) -> Value {
    serde_json::to_value(expand(message, view)).unwrap()
}

fn common(kind: &str, otid: &str) -> serde_json::Map<String, Value> {
    json!({
        "id": ID, "date": "2025-11-20T19:04:02+00:00", "name": null, "message_type": kind, "otid": otid,
        "sender_id": null, "step_id": null, "is_err": null, "seq_id": null, "run_id": null,
    })
    .as_object()
    .cloned()
    .unwrap()
}

fn with(mut base: serde_json::Map<String, Value>, own: Value) -> Value {
    base.extend(own.as_object().cloned().unwrap());
    Value::Object(base)
}

#[test]
fn an_answer_with_reasoning_and_calls_becomes_three_messages_with_one_id() {
    let mut message = row(Role::Assistant);
    message.content = vec![
        ContentPart::Reasoning { reasoning: "hm".to_owned(), signature: Some("sig".to_owned()) },
        ContentPart::text("I will "),
        ContentPart::text("roll."),
    ];
    message.tool_calls = vec![call("a"), call("b")];
    let entry = |id: &str| json!({"tool_call_id": id, "name": "roll", "arguments": "{\"sides\": 6}"});
    assert_eq!(
        shown(&message, &View::default()),
        json!([
            with(
                common("reasoning_message", "123e4567-e89b-42d3-8456-426614174000"),
                json!({"source": "reasoner_model", "reasoning": "hm", "signature": "sig"})
            ),
            with(
                common("assistant_message", "123e4567-e89b-42d3-8456-426614174001"),
                json!({"content": "I will roll."})
            ),
            with(
                common("tool_call_message", "123e4567-e89b-42d3-8456-426614174002"),
                json!({"tool_call": entry("a"), "tool_calls": [entry("a"), entry("b")]})
            ),
        ])
    );
}

#[test]
fn an_approval_request_carries_its_own_id_as_otid() {
    let mut message = row(Role::Approval);
    message.content = vec![ContentPart::text("May I?")];
    message.tool_calls = vec![call("a")];
    let all = shown(&message, &View::default());
    assert_eq!(all[0]["message_type"], "assistant_message");
    assert_eq!(all[1]["message_type"], "approval_request_message");
    assert_eq!(all[1]["otid"], ID);
    assert_eq!(all[1]["tool_calls"].as_array().unwrap().len(), 1);
}

#[test]
fn returns_repeat_the_first_in_the_older_keys() {
    let mut message = row(Role::Tool);
    message.name = Some("roll".to_owned());
    message.tool_returns = vec![result("a", "rolled 6"), result("b", "rolled 1")];
    message.is_err = true;
    let all = shown(&message, &View::default());
    let one = |id: &str, text: &str| {
        json!({"type": "tool", "tool_return": text, "status": "success", "tool_call_id": id,
               "stdout": ["rolling\n"], "stderr": []})
    };
    assert_eq!(all[0]["tool_returns"], json!([one("a", "rolled 6"), one("b", "rolled 1")]));
    assert_eq!(all[0]["tool_return"], "rolled 6");
    assert_eq!(all[0]["tool_call_id"], "a");
    assert_eq!(all[0]["name"], "roll");
    assert_eq!(all[0]["is_err"], true);
}

#[test]
fn an_approval_response_shows_decisions_and_returns() {
    let mut message = row(Role::Approval);
    message.approvals = vec![
        Approval::Approval { tool_call_id: "a".to_owned(), approve: false, reason: Some("no".to_owned()) },
        Approval::Tool(result("b", "done")),
    ];
    let all = shown(&message, &View::default());
    assert_eq!(all[0]["message_type"], "approval_response_message");
    assert_eq!(all[0]["approve"], false);
    assert_eq!(all[0]["approval_request_id"], "a");
    assert_eq!(all[0]["reason"], "no");
    assert_eq!(all[0]["approvals"][0]["type"], "approval");
    assert_eq!(all[0]["approvals"][1]["type"], "tool");
    assert_eq!(all[0]["approvals"][1]["tool_return"], "done");
}

#[test]
fn a_user_message_keeps_its_otid_and_its_parts() {
    let mut message = row(Role::User);
    message.otid = Some("mine".to_owned());
    message.content = vec![ContentPart::text("hi")];
    assert_eq!(shown(&message, &View::default())[0]["content"], "hi");
    assert_eq!(shown(&message, &View::default())[0]["otid"], "mine");
    message.content.push(ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
    });
    assert_eq!(
        shown(&message, &View::default())[0]["content"],
        json!([{"type": "text", "text": "hi"},
               {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}])
    );
}

#[test]
fn a_summary_is_a_user_message_unless_asked_for() {
    let mut message = row(Role::Summary);
    message.content = vec![ContentPart::text("what was")];
    let asked = View { types: Some(vec![MessageType::SummaryMessage]), summaries: false };
    let included = View { types: None, summaries: true };
    assert_eq!(shown(&message, &View::default())[0]["message_type"], "user_message");
    assert_eq!(shown(&message, &included)[0]["message_type"], "summary_message");
    assert_eq!(shown(&message, &asked)[0]["summary"], "what was");
    let other = View { types: Some(vec![MessageType::AssistantMessage]), summaries: false };
    assert_eq!(shown(&message, &other), json!([]));
}

#[test]
fn filtering_does_not_move_otids() {
    let mut message = row(Role::Assistant);
    message.content = vec![ContentPart::RedactedReasoning { data: "xx".to_owned() }, ContentPart::text("hi")];
    let view = View { types: Some(vec![MessageType::AssistantMessage]), summaries: false };
    let all = shown(&message, &view);
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(all[0]["otid"], "123e4567-e89b-42d3-8456-426614174001");
}

#[test]
fn every_kind_is_found_by_its_name() {
    for kind in MessageType::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert!("ping".parse::<MessageType>().is_err());
}
