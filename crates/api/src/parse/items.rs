//! Reads one item of `messages`: a message, an approval, or tool returns.

use serde_json::{Map, Value};

use super::{
    MAX_OTID_CHARS, content,
    fields::{Fields, invalid, object},
    fresh_otid, not_empty,
};
use crate::{
    error::ApiError,
    message::{Approval, ReturnContent, Role, ToolReturn, ToolStatus},
    request::{InputMessage, SingleApproval},
};

enum Kind {
    Message,
    Approval,
    ToolReturn,
}

/// The item, and whether the client gave it an otid.
pub fn item(value: &Value, place: &str) -> Result<(InputMessage, bool), ApiError> {
    let item = object(value, place)?;
    let fields = Fields::new(item, place);
    let given = fields.text("otid")?.filter(|otid| !otid.is_empty());
    if given.as_ref().is_some_and(|otid| otid.chars().count() > MAX_OTID_CHARS) {
        return Err(invalid(&format!("{place}.otid"), &format!("longer than {MAX_OTID_CHARS} characters")));
    }
    let named = given.is_some();
    let otid = given.unwrap_or_else(fresh_otid);
    let group_id = fields.text("group_id")?;
    let message = match kind(item, place)? {
        Kind::Message => InputMessage::Message {
            role: role(&fields, place)?,
            name: fields.text("name")?,
            sender_id: fields.text("sender_id")?,
            group_id,
            otid,
            content: not_empty(content::parts(fields.required("content")?, &format!("{place}.content"))?)?,
        },
        Kind::Approval => {
            let mut approvals = Vec::new();
            for (at, answer) in fields.list("approvals")?.into_iter().flatten().enumerate() {
                approvals.push(approval(answer, &format!("{place}.approvals[{at}]"))?);
            }
            let single = if fields.get("approve").is_some() {
                Some(SingleApproval {
                    approve: fields.required_flag("approve")?,
                    approval_request_id: fields.text("approval_request_id")?,
                    reason: fields.text("reason")?,
                })
            } else {
                // Checked even where they mean nothing.
                fields.text("approval_request_id")?;
                fields.text("reason")?;
                None
            };
            InputMessage::Approval { approvals, single, group_id, otid }
        }
        Kind::ToolReturn => {
            let place = format!("{place}.tool_returns");
            let Value::Array(items) = fields.required("tool_returns")? else {
                return Err(invalid(&place, "Input should be a list"));
            };
            let mut approvals = Vec::with_capacity(items.len());
            for (at, result) in items.iter().enumerate() {
                approvals.push(Approval::Tool(tool_return(result, &format!("{place}[{at}]"))?));
            }
            InputMessage::Approval { approvals, single: None, group_id, otid }
        }
    };
    Ok((message, named))
}

/// `type`, or what the other keys say; tool returns are never inferred.
fn kind(item: &Map<String, Value>, place: &str) -> Result<Kind, ApiError> {
    match item.get("type") {
        None if item.contains_key("approval_request_id") || item.contains_key("approve") => {
            Ok(Kind::Approval)
        }
        None | Some(Value::Null) => Ok(Kind::Message),
        Some(Value::String(text)) => match text.as_str() {
            "message" => Ok(Kind::Message),
            "approval" => Ok(Kind::Approval),
            "tool_return" => Ok(Kind::ToolReturn),
            other => {
                let other: String = other.chars().take(40).collect();
                Err(invalid(
                    &format!("{place}.type"),
                    &format!("'{other}' is not 'message', 'approval' or 'tool_return'"),
                ))
            }
        },
        Some(_) => Err(invalid(&format!("{place}.type"), "Input should be a string")),
    }
}

fn role(fields: &Fields<'_>, place: &str) -> Result<Role, ApiError> {
    match fields.required_text("role")?.as_str() {
        "user" => Ok(Role::User),
        "system" => Ok(Role::System),
        "assistant" => Ok(Role::Assistant),
        _ => Err(invalid(&format!("{place}.role"), "Input should be 'user', 'system' or 'assistant'")),
    }
}

fn approval(value: &Value, place: &str) -> Result<Approval, ApiError> {
    let item = object(value, place)?;
    let fields = Fields::new(item, place);
    let kind = match fields.text("type")?.as_deref() {
        Some("approval") => "approval",
        Some("tool") => "tool",
        Some(_) => {
            return Err(invalid(&format!("{place}.type"), "Input should be 'approval' or 'tool'"));
        }
        None if item.contains_key("tool_return") => "tool",
        None => "approval",
    };
    if kind == "tool" {
        return Ok(Approval::Tool(tool_return(value, place)?));
    }
    Ok(Approval::Approval {
        tool_call_id: call_id(&fields, place)?,
        approve: fields.required_flag("approve")?,
        reason: fields.text("reason")?,
    })
}

fn call_id(fields: &Fields<'_>, place: &str) -> Result<String, ApiError> {
    let id = fields.required_text("tool_call_id")?;
    if id.chars().count() > MAX_OTID_CHARS {
        return Err(invalid(
            &format!("{place}.tool_call_id"),
            &format!("longer than {MAX_OTID_CHARS} characters"),
        ));
    }
    Ok(id)
}

/// A client's return. Its `time` is left empty: it belongs to the moment of acceptance.
fn tool_return(value: &Value, place: &str) -> Result<ToolReturn, ApiError> {
    let item = object(value, place)?;
    let fields = Fields::new(item, place);
    if fields.text("type")?.is_some_and(|kind| kind != "tool") {
        return Err(invalid(&format!("{place}.type"), "Input should be 'tool'"));
    }
    let content = match fields.required("tool_return")? {
        Value::String(text) => ReturnContent::Value(Value::String(text.clone())),
        Value::Array(items) => {
            ReturnContent::Parts(content::return_parts(items, &format!("{place}.tool_return"))?)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return Err(invalid(
                &format!("{place}.tool_return"),
                "Input should be a string or a list of content parts",
            ));
        }
    };
    let status = match fields.required_text("status")?.as_str() {
        "success" => ToolStatus::Success,
        "error" => ToolStatus::Error,
        _ => return Err(invalid(&format!("{place}.status"), "Input should be 'success' or 'error'")),
    };
    Ok(ToolReturn {
        tool_call_id: call_id(&fields, place)?,
        status,
        content,
        stdout: fields.texts("stdout")?,
        stderr: fields.texts("stderr")?,
        time: String::new(),
    })
}
