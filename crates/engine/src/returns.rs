//! Tool returns on their way to the history: made uniform, cut once, and the sentences for calls that did not run.

use std::borrow::Cow;

use loci_api::{
    message::{ContentPart, ReturnContent, ToolReturn, ToolStatus},
    time::Timestamp,
};
use serde_json::Value;

use crate::ports::{ToolOutcome, tool_return};

/// Begins the return of a call that the rules or the list of tools do not allow.
pub const CONSTRAINT: &str = "[ToolConstraintError]";
/// Begins the return of a call a person denied.
pub const DENIED: &str = "Error: request to call tool denied.";
/// Begins the return of a call whose arguments could not be read.
pub(crate) const UNREADABLE: &str = "Error: the arguments were not valid JSON";
/// Begins the return of a call that was not run because the run was cancelled.
pub(crate) const NOT_RUN: &str = "Error: the run was cancelled before this call ran";
const CUT_SHORT: &str = "Error: the run was cancelled while this call was running; it may have had effects";
const LOST: &str = "Error: Loci stopped before this call returned; whether it had effects is not known";

/// Tools that bound their own returns, so that no second cut is made.
const BOUND_THEMSELVES: [&str; 3] =
    ["conversation_search", "conversation_search_date", "archival_memory_search"];

/// Packs an outcome: null is `None`, objects stay objects, everything else is text, cut at `limit` characters.
#[must_use]
pub fn pack(
    call_id: &str,
    tool: &str,
    outcome: ToolOutcome,
    limit: usize,
    now: Timestamp,
    zone: &str,
) -> ToolReturn {
    let value = uniform(outcome.value);
    let value = if BOUND_THEMSELVES.contains(&tool) { value } else { cut(value, limit) };
    tool_return(call_id, ToolOutcome { value, ..outcome }, now.for_model(zone))
}

fn uniform(value: Value) -> Value {
    match value {
        Value::Null => Value::String("None".to_owned()),
        Value::String(_) | Value::Object(_) => value,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => Value::String(value.to_string()),
    }
}

fn cut(value: Value, limit: usize) -> Value {
    let text = match &value {
        Value::String(text) => std::borrow::Cow::Borrowed(text.as_str()),
        other => std::borrow::Cow::Owned(other.to_string()),
    };
    // Bytes are at least characters, so short texts need no counting.
    if text.len() <= limit {
        return value;
    }
    let total = text.chars().count();
    if total <= limit {
        return value;
    }
    let kept: String = text.chars().take(limit).collect();
    Value::String(format!("{kept}... [return cut: {total} characters, {limit} allowed]"))
}

/// Characters of one tool return that are shown to a model with this window (tokens).
#[must_use]
pub fn request_cap(context_window: u32) -> usize {
    // A fifth of the window, four characters to a token.
    usize::try_from(u64::from(context_window) * 4 / 5).unwrap_or(usize::MAX).max(5_000)
}

/// `text` cut to `cap` characters, with the count of what is missing.
#[must_use]
pub fn clip(text: &str, cap: usize) -> String {
    if text.len() <= cap {
        return text.to_owned();
    }
    let total = text.chars().count();
    if total <= cap {
        return text.to_owned();
    }
    let kept: String = text.chars().take(cap).collect();
    format!("{kept}... [truncated {} chars]", total - cap)
}

/// A return with its message clipped to `cap` characters; status, time and images stay.
#[must_use]
pub fn clipped(result: &ToolReturn, cap: usize) -> Cow<'_, ToolReturn> {
    // No character takes less than a byte.
    if matches!(&result.content, ReturnContent::Value(Value::String(text)) if text.len() <= cap) {
        return Cow::Borrowed(result);
    }
    let content = match &result.content {
        ReturnContent::Value(Value::String(text)) => ReturnContent::Value(Value::String(clip(text, cap))),
        ReturnContent::Value(_) => {
            let text = result.text();
            let short = clip(&text, cap);
            if short.len() == text.len() {
                return Cow::Borrowed(result);
            }
            ReturnContent::Value(Value::String(short))
        }
        ReturnContent::Parts(parts) => ReturnContent::Parts(
            parts
                .iter()
                .map(|part| match part {
                    ContentPart::Text { text, signature } => {
                        ContentPart::Text { text: clip(text, cap), signature: signature.clone() }
                    }
                    ContentPart::Image { .. }
                    | ContentPart::Reasoning { .. }
                    | ContentPart::RedactedReasoning { .. } => part.clone(),
                })
                .collect(),
        ),
    };
    Cow::Owned(ToolReturn { content, ..result.clone() })
}

/// The return of a call that was not run, or not to its end.
pub(crate) fn refusal(call_id: &str, message: impl Into<String>, now: Timestamp, zone: &str) -> ToolReturn {
    tool_return(call_id, ToolOutcome::error(message), now.for_model(zone))
}

/// The sentence of a denial; it is part of the API.
#[must_use]
pub fn denial(reason: Option<&str>) -> String {
    format!("{DENIED} User reason: {}", reason.unwrap_or("None"))
}

/// The sentence for a call of a tool that may not be called now.
pub(crate) fn constraint(name: &str, valid: &[&str]) -> String {
    format!(
        "{CONSTRAINT} Cannot call {name}, valid tools include: {}. Your tool rules may allow others later in the turn.",
        list(valid.iter().copied())
    )
}

pub(crate) fn unreadable(why: &str, raw: &str, cut_off: bool) -> String {
    let start: String = raw.chars().take(200).collect();
    let more = if cut_off { " Your answer reached the output limit before they were complete." } else { "" };
    format!(
        "{UNREADABLE}: {why}. The tool was not run.{more} Call it again with one JSON object. They began: {start}"
    )
}

pub(crate) fn not_found(name: &str) -> String {
    format!("Error: Tool not found: {name} is not one of this agent's tools on the server.")
}

pub(crate) fn cancelled(call_id: &str, started: bool, now: Timestamp, zone: &str) -> ToolReturn {
    refusal(call_id, if started { CUT_SHORT } else { NOT_RUN }, now, zone)
}

pub(crate) fn lost(call_id: &str, now: Timestamp, zone: &str) -> ToolReturn {
    refusal(call_id, LOST, now, zone)
}

/// Whether a stored return says that its tool did something or was decided upon: refused calls do not count for
/// the tool rules.
pub(crate) fn counts(result: &ToolReturn) -> bool {
    let ReturnContent::Value(Value::String(text)) = &result.content else { return true };
    result.status == ToolStatus::Success
        || !(text.starts_with(CONSTRAINT) || text.starts_with(UNREADABLE) || text.starts_with(NOT_RUN))
}

pub(crate) fn was_denied(result: &ToolReturn) -> bool {
    result.status == ToolStatus::Error
        && matches!(&result.content, ReturnContent::Value(Value::String(text)) if text.starts_with(DENIED))
}

/// A list as the API writes it inside sentences: `['a', 'b']`. Clients parse this form.
pub(crate) fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> =
        items.map(|item| format!("'{}'", item.replace('\\', "\\\\").replace('\'', "\\'"))).collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn packed(tool: &str, value: Value, limit: usize) -> Value {
        let outcome = ToolOutcome { status: ToolStatus::Success, value, stdout: vec![], stderr: vec![] };
        match pack("c", tool, outcome, limit, Timestamp(0), "UTC").content {
            ReturnContent::Value(value) => value,
            ReturnContent::Parts(_) => Value::Null,
        }
    }

    #[test]
    fn outcomes_become_text_or_objects_and_are_cut_once() {
        for (value, limit, expected) in [
            (json!(null), 9, json!("None")),
            (json!("text"), 4, json!("text")),
            (json!(true), 9, json!("true")),
            (json!([1, 2]), 9, json!("[1,2]")),
            (json!({"a": 1}), 7, json!({"a": 1})),
            (json!({"a": 1}), 3, json!("{\"a... [return cut: 7 characters, 3 allowed]")),
            (json!("äöüß"), 4, json!("äöüß")),
            (json!("äöüßx"), 4, json!("äöüß... [return cut: 5 characters, 4 allowed]")),
        ] {
            assert_eq!(packed("any", value, limit), expected);
        }
        assert_eq!(packed("conversation_search", json!("long enough"), 4), json!("long enough"));
    }

    #[test]
    fn the_cap_follows_the_window() {
        assert_eq!(request_cap(4_096), 5_000);
        assert_eq!(request_cap(128_000), 102_400);
        assert_eq!(clip("abcdef", 4), "abcd... [truncated 2 chars]");
    }

    #[test]
    fn lists_look_as_clients_expect() {
        assert_eq!(list(["a", "b"].into_iter()), "['a', 'b']");
        assert_eq!(list([].into_iter()), "[]");
        assert_eq!(list(["it's"].into_iter()), r"['it\'s']");
    }
}
