//! What of a waiting call is not what it was: since the person looked at it, or since the tool was last allowed.

use std::collections::BTreeSet;

use loci_api::{message::ToolCall, time::Timestamp};
use loci_store::table::approved_tool::ApprovedTool;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{binding::IDENTITY, masked::masked_text, request::Request};
use crate::client_tools::diff::{Difference, difference};

/// What became of a call, for the dialog that asks about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Changed {
    since: Since,
    /// When it was the other way, where that is known.
    at: Option<Timestamp>,
    /// Who had allowed it: `person` or `rule`; None when it was only shown.
    decided_by: Option<String>,
    rule_id: Option<String>,
    /// Never empty.
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Since {
    /// This request was shown for the first time.
    Shown,
    /// A call of the tool was allowed for the last time.
    Allowed,
}

/// One thing that is another one now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Part {
    /// `runs` (where), `description`, `parameters`, `language`, `source`, `packages`, `network`, `folders` or
    /// `arguments`.
    what: String,
    #[serde(flatten)]
    difference: Difference,
}

/// A call as it was when it was shown.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    content: Value,
    /// JSON text.
    arguments: String,
    at: Timestamp,
}

impl Snapshot {
    pub(super) fn of(request: &Request, call: &ToolCall) -> Self {
        Self { content: request.content(call), arguments: call.arguments.clone(), at: Timestamp::now() }
    }
}

/// What changed of a call that is asked about. `shown` is how it was when it was first shown.
pub(super) fn changed(request: &Request, call: &ToolCall, shown: Option<&Snapshot>) -> Option<Changed> {
    let now = request.content(call);
    if let Some(shown) = shown {
        let mut parts = parts(&shown.content, &now);
        parts.extend(part("arguments", &pretty(&shown.arguments), &pretty(&call.arguments)));
        if !parts.is_empty() {
            let (since, at) = (Since::Shown, Some(shown.at));
            return Some(Changed { since, at, decided_by: None, rule_id: None, parts });
        }
    }
    let tool = request.allowed(call).and_then(|allowed| since_allowed(allowed, &now));
    tool.or_else(|| other_arguments(request, call))
}

/// A tool that is another one than it was when somebody allowed it. That a newer Loci or server describes its own
/// tools in other words, or that another folder is open, makes it no other tool.
fn since_allowed(allowed: &ApprovedTool, now: &Value) -> Option<Changed> {
    if allowed.content.get(IDENTITY) == now.get(IDENTITY) {
        return None;
    }
    let parts = parts(&allowed.content, now);
    (!parts.is_empty()).then(|| Changed {
        since: Since::Allowed,
        at: Some(allowed.at),
        decided_by: Some(allowed.decided_by.clone()),
        rule_id: allowed.rule_id.clone(),
        parts,
    })
}

/// A rule allows this tool with exactly other arguments. Secrets are masked in both.
fn other_arguments(request: &Request, call: &ToolCall) -> Option<Changed> {
    let (rule_id, before) = request.allowed_exactly(call)?;
    let difference = part("arguments", &pretty(&before), &pretty(&masked_text(&call.arguments)))?;
    Some(Changed {
        since: Since::Allowed,
        at: request.allowed(call).map(|allowed| allowed.at),
        decided_by: Some("rule".to_owned()),
        rule_id: Some(rule_id),
        parts: vec![difference],
    })
}

fn parts(before: &Value, now: &Value) -> Vec<Part> {
    let nothing = Map::new();
    let (before, now) = (before.as_object().unwrap_or(&nothing), now.as_object().unwrap_or(&nothing));
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).filter(|name| *name != IDENTITY).collect();
    let text = |from: &Map<String, Value>, name: &str| from.get(name).map(lines).unwrap_or_default();
    names.into_iter().filter_map(|name| part(name, &text(before, name), &text(now, name))).collect()
}

fn part(what: &str, before: &str, now: &str) -> Option<Part> {
    (before != now).then(|| Part { what: what.to_owned(), difference: difference(before, now) })
}

/// A value as lines people compare.
fn lines(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(lines).collect::<Vec<_>>().join("\n"),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Object(_) => format!("{value:#}"),
    }
}

/// JSON text in the form that differs only where the JSON does; other text as it stands.
fn pretty(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => format!("{value:#}"),
        Err(_) => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use loci_api::ids::AgentId;
    use serde_json::json;

    use super::*;

    fn allowed(content: Value) -> ApprovedTool {
        ApprovedTool {
            connection: "local".to_owned(),
            agent_id: AgentId::new(),
            tool: "t".to_owned(),
            content,
            decided_by: "person".to_owned(),
            rule_id: None,
            at: Timestamp(1),
        }
    }

    #[test]
    fn every_part_that_differs_is_told_with_its_lines() {
        let before = json!({
            IDENTITY: "a", "source": "def t():\n    return 1\n", "packages": ["x==1"], "network": false,
            "parameters": {"type": "object"},
        });
        let now = json!({
            IDENTITY: "b", "source": "def t():\n    return 2\n", "packages": [], "network": true,
            "parameters": {"type": "object"},
        });
        let changed = since_allowed(&allowed(before), &now).unwrap();
        let told: Vec<_> = changed.parts.iter().map(|part| part.what.as_str()).collect();
        assert_eq!(told, ["network", "packages", "source"]);
        let source = json!(changed.parts[2]);
        assert_eq!((&source["added"], &source["removed"]), (&json!(1), &json!(1)));
        let diff = source["diff"].as_str().unwrap();
        assert!(diff.contains("-    return 1") && diff.contains("+    return 2"), "{diff}");
    }

    #[test]
    fn the_same_tool_in_other_words_or_another_folder_is_the_same_tool() {
        let before = json!({IDENTITY: "a", "description": "Old words.", "folders": ["/a"]});
        let now = json!({IDENTITY: "a", "description": "New words.", "folders": ["/b"]});
        assert_eq!(since_allowed(&allowed(before.clone()), &now), None);
        // What was shown a moment ago is compared whole.
        let told: Vec<_> = parts(&before, &now).into_iter().map(|part| part.what).collect();
        assert_eq!(told, ["description", "folders"]);
    }

    #[test]
    fn spelling_of_the_same_arguments_is_no_difference() {
        assert_eq!(pretty(r#"{"a":1}"#), pretty(r#" { "a" : 1 } "#));
        assert_eq!(pretty("{not json"), "{not json");
    }
}
