//! What a decision is bound to: SHA-256 of connection, agent, the tool as it is, and the arguments in one
//! canonical form. A decision about one thing is never used for another.

use loci_api::{
    chat::ToolSpec,
    ids::AgentId,
    resource::{Tool, ToolType},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client_tools::{Place, Tool as ClientTool, written};

/// What a tool is, beyond its name.
pub(super) enum Identity<'a> {
    /// Runs on this machine, in these folders.
    Client { tool: &'a ClientTool, spec: &'a ToolSpec, place: &'a Place },
    /// Runs where the agent runs.
    Server(&'a Tool),
    /// Nobody here can run it: offered by another client, or gone.
    Unknown,
}

impl Identity<'_> {
    fn text(&self) -> String {
        match self {
            Self::Client { tool, spec, place } => {
                canonical(&json!({"client": spec, "identity": tool.identity(), "folders": place.text()}))
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

/// The member of [`Identity::content`] that says whether it is the same tool still.
pub(super) const IDENTITY: &str = "identity";

impl Identity<'_> {
    /// The same for people, part by part, so that a difference can be shown.
    pub(super) fn content(&self) -> Value {
        let mut content = match self {
            Self::Client { tool, spec, place } => {
                let mut content = tool.content();
                content["runs"] = json!("on this machine");
                content["description"] = json!(spec.description);
                content["parameters"] = spec.parameters.clone();
                content["folders"] = json!(place.text());
                content
            }
            Self::Server(tool) => {
                let schema = |key| tool.json_schema.as_ref().and_then(|schema| schema.get(key)).cloned();
                let packages = tool.pip_requirements.iter().chain(&tool.npm_requirements).flatten();
                json!({
                    "runs": "on the agent's server",
                    "description": schema("description"),
                    "parameters": schema("parameters"),
                    "language": tool.source_type,
                    "source": tool.source_code,
                    "packages": written(packages),
                })
            }
            Self::Unknown => json!({}),
        };
        content[IDENTITY] = json!(self.lasting());
        content
    }
}

impl Identity<'_> {
    /// What rules remember of a tool: it changes when the tool becomes another one, not with the folder it is used
    /// in or with the words a newer Loci has for its own tools.
    pub(super) fn lasting(&self) -> String {
        match self {
            Self::Client { tool, .. } => tool.identity(),
            Self::Unknown => "unknown".to_owned(),
            Self::Server(tool) if comes_with_the_server(tool.tool_type) => {
                format!("server:{}:{}", tool.tool_type.as_str(), tool.name.as_deref().unwrap_or_default())
            }
            Self::Server(_) => hashed(&["server", &self.text()]),
        }
    }
}

/// Whether a tool is the server's own: then its wording may change with the server, and it remains what it is.
pub(super) fn comes_with_the_server(kind: ToolType) -> bool {
    match kind {
        ToolType::LettaCore
        | ToolType::LettaMemoryCore
        | ToolType::LettaMultiAgentCore
        | ToolType::LettaSleeptimeCore
        | ToolType::LettaVoiceSleeptimeCore
        | ToolType::LettaBuiltin
        | ToolType::LettaFilesCore => true,
        ToolType::Custom
        | ToolType::ExternalLangchain
        | ToolType::ExternalComposio
        | ToolType::ExternalMcp => false,
    }
}

/// The same for the same call of the same tool, whichever agent makes it.
pub(super) fn fingerprint(name: &str, tool: &Identity<'_>, arguments: &str) -> String {
    hashed(&["call", name, &tool.text(), &canonical_arguments(arguments)])
}

/// Lower-case hexadecimal. `arguments` is JSON text; text that is not JSON counts as it stands.
pub(super) fn bind(
    connection: &str,
    agent: &AgentId,
    name: &str,
    tool: &Identity<'_>,
    arguments: &str,
) -> String {
    hashed(&[connection, agent.as_str(), name, &tool.text(), &canonical_arguments(arguments)])
}

fn canonical_arguments(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => canonical(&value),
        Err(_) => format!("text:{arguments}"),
    }
}

fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
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

    use loci_store::table::work_folder::WorkFolder;

    fn spec(description: &str) -> ToolSpec {
        ToolSpec { name: "t".to_owned(), description: description.to_owned(), parameters: json!({}) }
    }

    fn place(path: &str, read_only: bool) -> Place {
        Place::new(vec![WorkFolder { path: path.to_owned(), read_only }])
    }

    #[test]
    fn only_what_matters_changes_the_hash() {
        let (agent, other) = (AgentId::new(), AgentId::new());
        let (old, new) = (spec("old"), spec("new"));
        let tool = crate::client_tools::tool_for_tests("read_file");
        let (a, b, marked) = (place("/a", false), place("/b", false), place("/a", true));
        let client = |spec, place| Identity::Client { tool: &tool, spec, place };
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
            ("mark", bind("local", &agent, "t", &client(&old, &marked), arguments)),
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
