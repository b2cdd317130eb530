//! What Loci's panels need of a server, and which of it a server lacks: read from the API document it publishes.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something a panel needs, by the name the interface knows it by, and the operation that provides it.
struct Feature {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    /// What cannot be done without it.
    says: &'static str,
}

const fn feature(
    name: &'static str,
    method: &'static str,
    path: &'static str,
    says: &'static str,
) -> Feature {
    Feature { name, method, path, says }
}

const FEATURES: [Feature; 15] = [
    feature("conversations", "post", "/v1/conversations/", "several conversations with one agent"),
    feature("conversation_fork", "post", "/v1/conversations/{}/fork", "branching a conversation"),
    feature("context", "get", "/v1/agents/{}/context", "showing what the model is sent"),
    feature("message_search", "post", "/v1/messages/search", "searching all messages"),
    feature(
        "compaction",
        "post",
        "/v1/conversations/{}/compact",
        "summarising a conversation when one wants it",
    ),
    feature("runs", "get", "/v1/runs/", "the list of runs"),
    feature("run_steps", "get", "/v1/runs/{}/steps", "the steps of a run"),
    feature("step_trace", "get", "/v1/steps/{}/trace", "the raw requests and responses of steps"),
    feature("run_cancel", "post", "/v1/agents/{}/messages/cancel", "stopping a run"),
    feature("run_resume", "post", "/v1/runs/{}/stream", "resuming a stream"),
    feature("archival", "get", "/v1/agents/{}/archival-memory", "archival memory"),
    feature("archives", "get", "/v1/archives/", "archives"),
    feature("tool_run", "post", "/v1/tools/run", "trying a tool out"),
    feature(
        "tool_schema",
        "post",
        "/v1/tools/generate-schema",
        "deriving a tool's schema while it is written",
    ),
    feature("providers", "get", "/v1/providers/", "setting up its model providers from here"),
];

/// What this program keeps for its own agents only.
const HERE_ONLY: [(&str, &str); 3] = [
    (
        "block_history",
        "Earlier versions of memory blocks are kept by Loci for the agents of this machine only.",
    ),
    ("tool_history", "Earlier versions of tools are kept by Loci for this machine only."),
    (
        "backup",
        "A backup is made of the data of this machine. Ask whoever runs the other server for its own.",
    ),
];

/// One thing a connection cannot do, with the reason for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lack {
    pub feature: String,
    pub reason: String,
}

/// What no server elsewhere offers.
pub(super) fn of_every_remote() -> Vec<Lack> {
    HERE_ONLY
        .iter()
        .map(|(name, reason)| Lack { feature: (*name).into(), reason: (*reason).into() })
        .collect()
}

/// What the server `name` lacks by its own API document; `None` if that is no such document.
pub(super) fn lacking(document: &Value, name: &str) -> Option<Vec<Lack>> {
    let offered: HashSet<(String, String)> = document
        .get("paths")?
        .as_object()?
        .iter()
        .filter_map(|(path, operations)| Some((plain(path), operations.as_object()?)))
        .flat_map(|(path, operations)| operations.keys().map(move |method| (method.clone(), path.clone())))
        .collect();
    if offered.is_empty() {
        return None;
    }
    let mut lacks: Vec<Lack> = FEATURES
        .iter()
        .filter(|feature| !offered.contains(&(feature.method.to_owned(), plain(feature.path))))
        .map(|feature| Lack {
            feature: feature.name.to_owned(),
            reason: format!("{name} does not offer {}.", feature.says),
        })
        .collect();
    if !takes_client_tools(document).unwrap_or(true) {
        lacks.push(Lack {
            feature: "client_tools".to_owned(),
            reason: format!("{name} does not let agents use tools of this machine."),
        });
    }
    Some(lacks)
}

/// Whether a message may bring tools along; `None` if the document does not say what a message may bring.
fn takes_client_tools(document: &Value) -> Option<bool> {
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    let requests =
        schemas.values().filter_map(|schema| schema.get("properties")?.as_object()).filter(|properties| {
            properties.contains_key("messages") && properties.contains_key("include_return_message_types")
        });
    let takes: Vec<bool> = requests.map(|properties| properties.contains_key("client_tools")).collect();
    (!takes.is_empty()).then(|| takes.contains(&true))
}

/// `/v1/agents/{agent_id}/` → `/v1/agents/{}`.
fn plain(path: &str) -> String {
    let parts = path.trim_end_matches('/').split('/');
    parts.map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        let mut paths = serde_json::Map::new();
        for feature in &FEATURES {
            let path = feature.path.replace("{}", "{some_id}");
            let operations = paths.entry(path).or_insert_with(|| json!({}));
            operations[feature.method] = json!({});
        }
        let schemas = json!({"schemas": {"LettaRequest": {"properties": {
            "messages": {}, "include_return_message_types": {}, "client_tools": {},
        }}}});
        let mut document = json!({"paths": paths, "components": schemas});
        assert_eq!(lacking(&document, "Home"), Some(Vec::new()));

        document["paths"].as_object_mut().expect("above").remove("/v1/conversations/{some_id}/fork");
        let request = document.pointer_mut("/components/schemas/LettaRequest/properties").expect("above");
        request.as_object_mut().expect("an object").remove("client_tools");
        let lacks = lacking(&document, "Home").expect("a document");
        let names: Vec<_> = lacks.iter().map(|lack| lack.feature.as_str()).collect();
        assert_eq!(names, ["conversation_fork", "client_tools"]);
        assert_eq!(lacks[0].reason, "Home does not offer branching a conversation.");
    }

    #[test]
    fn a_document_that_is_none_says_nothing() {
        for odd in [json!(null), json!({}), json!({"paths": []}), json!({"paths": {}}), json!("x")] {
            assert_eq!(lacking(&odd, "Home"), None, "{odd}");
        }
    }
}
