//! What a decision is bound to: SHA-256 of connection, agent, the tool as it is, and the arguments in one
//! canonical form. A decision about one thing is never used for another.

use loci_api::{chat::ToolSpec, ids::AgentId, resource::Tool};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client_tools::Folder;

/// What a tool is, beyond its name.
pub(super) enum Identity<'a> {
    /// Runs on this machine, in this folder.
    Client { spec: &'a ToolSpec, folder: Option<&'a Folder> },
    /// Runs where the agent runs.
    Server(&'a Tool),
    /// Nobody here can run it: offered by another client, or gone.
    Unknown,
}

impl Identity<'_> {
    fn text(&self) -> String {
        match self {
            Self::Client { spec, folder } => {
                canonical(&json!({"client": spec, "folder": folder.map(Folder::text)}))
            }
            Self::Server(tool) => canonical(&json!({
                "server": tool.id,
                "source_type": tool.source_type,
                "source": tool.source_code,
                "schema": tool.json_schema,
                "pip": tool.pip_requirements,
                "npm": tool.npm_requirements,
            })),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// Lower-case hexadecimal. `arguments` is JSON text; text that is not JSON counts as it stands.
pub(super) fn bind(
    connection: &str,
    agent: &AgentId,
    name: &str,
    tool: &Identity<'_>,
    arguments: &str,
) -> String {
    let arguments = match serde_json::from_str::<Value>(arguments) {
        Ok(value) => canonical(&value),
        Err(_) => format!("text:{arguments}"),
    };
    let mut hash = Sha256::new();
    for part in [connection, agent.as_str(), name, &tool.text(), &arguments] {
        // The length first, so that no two different lists of parts run together to the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON with sorted keys and no spaces.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            let members: Vec<_> =
                keys.into_iter().map(|(key, value)| format!("{}:{}", json!(key), canonical(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(description: &str) -> ToolSpec {
        ToolSpec { name: "t".to_owned(), description: description.to_owned(), parameters: json!({}) }
    }

    #[test]
    fn only_what_matters_changes_the_hash() {
        let (agent, other) = (AgentId::new(), AgentId::new());
        let (old, new) = (spec("old"), spec("new"));
        let (a, b) = (Folder::stored("/a".to_owned()), Folder::stored("/b".to_owned()));
        let client = |spec, folder| Identity::Client { spec, folder: Some(folder) };
        let base = bind("local", &agent, "t", &client(&old, &a), r#"{"x":1,"y":[{"b":2,"a":1}]}"#);
        assert_eq!(base.len(), 64);
        let same = bind("local", &agent, "t", &client(&old, &a), r#" { "y": [ {"a":1, "b":2} ], "x": 1 } "#);
        assert_eq!(base, same, "spelling of the same JSON");
        let arguments = r#"{"x":1,"y":[{"b":2,"a":1}]}"#;
        for (what, hash) in [
            ("connection", bind("remote", &agent, "t", &client(&old, &a), arguments)),
            ("agent", bind("local", &other, "t", &client(&old, &a), arguments)),
            ("name", bind("local", &agent, "u", &client(&old, &a), arguments)),
            ("tool", bind("local", &agent, "t", &client(&new, &a), arguments)),
            ("folder", bind("local", &agent, "t", &client(&old, &b), arguments)),
            ("unknown", bind("local", &agent, "t", &Identity::Unknown, arguments)),
            ("value", bind("local", &agent, "t", &client(&old, &a), r#"{"x":2,"y":[{"b":2,"a":1}]}"#)),
            ("order of a list", bind("local", &agent, "t", &client(&old, &a), r#"{"x":1,"y":[2]}"#)),
            ("not JSON", bind("local", &agent, "t", &client(&old, &a), "{x")),
        ] {
            assert_ne!(base, hash, "{what}");
        }
    }

    #[test]
    fn parts_do_not_run_together() {
        let agent = AgentId::new();
        let one = bind("ab", &agent, "c", &Identity::Unknown, "{}");
        let two = bind("a", &agent, "bc", &Identity::Unknown, "{}");
        assert_ne!(one, two);
    }
}
