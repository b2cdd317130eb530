//! Small makers of test values.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::{
    ids::{AgentId, BlockId, MessageId, StepId},
    message::{Approval, ContentPart, Message, Role, ToolCall, ToolReturn, ToolStatus},
    resource::Block,
    rules::ToolRule,
    time::Timestamp,
};
use serde_json::{Value, json};

/// A block with this label and value; its id follows from the label.
pub(crate) fn block(label: &str, value: &str) -> Block {
    Block::new(BlockId::from_trusted(format!("block-{label}")), label, value)
}

/// A rule as the API would send it.
pub(crate) fn rule(tool: &str, rest: Value) -> ToolRule {
    let mut object = rest;
    object["tool_name"] = json!(tool);
    serde_json::from_value(object).unwrap()
}

/// An empty row; all rows of the tests belong to one step.
pub(crate) fn message(role: Role) -> Message {
    Message {
        step_id: Some(StepId::from_trusted("step-1".into())),
        ..Message::new(MessageId::new(), AgentId::from_trusted("agent-1".into()), role, Timestamp(0))
    }
}

pub(crate) fn user(text: &str) -> Message {
    Message { content: vec![ContentPart::text(text)], step_id: None, ..message(Role::User) }
}

/// A call without arguments whose tool is named like its id, digits left out.
pub(crate) fn call(id: &str) -> ToolCall {
    ToolCall {
        id: id.to_owned(),
        name: id.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(),
        arguments: "{}".to_owned(),
    }
}

pub(crate) fn assistant(text: &str, calls: &[&str]) -> Message {
    let content = if text.is_empty() { Vec::new() } else { vec![ContentPart::text(text)] };
    Message { content, tool_calls: calls.iter().map(|id| call(id)).collect(), ..message(Role::Assistant) }
}

pub(crate) fn request(calls: &[&str]) -> Message {
    Message { tool_calls: calls.iter().map(|id| call(id)).collect(), ..message(Role::Approval) }
}

pub(crate) fn decision(id: &str, approve: bool) -> Approval {
    Approval::Approval { tool_call_id: id.to_owned(), approve, reason: None }
}

pub(crate) fn returned(id: &str, text: &str) -> ToolReturn {
    ToolReturn {
        tool_call_id: id.to_owned(),
        status: ToolStatus::Success,
        content: loci_api::message::ReturnContent::Value(Value::String(text.to_owned())),
        stdout: Vec::new(),
        stderr: Vec::new(),
        time: "now".to_owned(),
    }
}

/// A response that allows each call.
pub(crate) fn response(calls: &[&str]) -> Message {
    Message { approvals: calls.iter().map(|id| decision(id, true)).collect(), ..message(Role::Approval) }
}

pub(crate) fn tool(calls: &[&str]) -> Message {
    Message { tool_returns: calls.iter().map(|id| returned(id, "ok")).collect(), ..message(Role::Tool) }
}
