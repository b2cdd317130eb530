//! The 26 tools every server has: what a model is told about each, and who may have which.
//!
//! The behaviour of memory and message tools lives in the engine and the server, which own what those tools
//! touch; the ones that need nothing but the outside world run from here, see [`run`].

mod core;
mod files;
mod memory;
mod multi_agent;
mod sleeptime;
mod voice;

pub mod fetch_webpage;
pub mod run_code;
pub mod web_search;

use std::{collections::BTreeMap, sync::LazyLock};

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use crate::sandbox::{RunResult, Sandbox};

/// A tool that comes with the server.
#[derive(Debug, Clone)]
pub struct Builtin {
    pub name: &'static str,
    pub tool_type: ToolType,
    pub description: &'static str,
    /// `{name, description, parameters}`, as a tool's `json_schema`.
    pub json_schema: Map<String, Value>,
    /// May run beside other calls of the same step.
    pub parallel: bool,
    pub tags: Vec<String>,
}

/// What a group file says about one tool.
struct Spec {
    name: &'static str,
    tool_type: ToolType,
    parallel: bool,
    description: &'static str,
    required: &'static [&'static str],
    properties: Value,
}

/// The built-in tools allowed to run beside other calls.
pub const PARALLEL: &[&str] = &[
    "conversation_search",
    "archival_memory_search",
    "run_code",
    "web_search",
    "fetch_webpage",
    "grep_files",
    "semantic_search_files",
];

static BUILTINS: LazyLock<Vec<Builtin>> = LazyLock::new(|| {
    [
        core::specs(),
        memory::specs(),
        sleeptime::specs(),
        multi_agent::specs(),
        voice::specs(),
        vec![run_code::spec(), run_code::with_tools_spec(), web_search::spec(), fetch_webpage::spec()],
        files::specs(),
    ]
    .into_iter()
    .flatten()
    .map(Builtin::from)
    .collect()
});

/// All built-in tools, grouped by type, always in the same order.
#[must_use]
pub fn builtins() -> &'static [Builtin] {
    &BUILTINS
}

/// The built-in tool of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|tool| tool.name == name)
}

/// What a new agent of this type gets unless it asks otherwise, by name.
///
/// An agent with a sleep-time companion leaves memory edits to it and searches instead.
#[must_use]
pub fn default_tools(agent_type: &str, enable_sleeptime: bool) -> &'static [&'static str] {
    match (agent_type, enable_sleeptime) {
        ("sleeptime_agent", _) => {
            &["memory_replace", "memory_insert", "memory_rethink", "memory_finish_edits"]
        }
        ("react_agent" | "workflow_agent", _) => &[],
        ("voice_convo_agent", _) => &["send_message", "search_memory"],
        ("voice_sleeptime_agent", _) => {
            &["store_memories", "rethink_user_memory", "finish_rethinking_memory"]
        }
        ("letta_v1_agent", true) => &["conversation_search", "archival_memory_search"],
        (_, true) => &["send_message", "conversation_search", "archival_memory_search"],
        ("letta_v1_agent", false) => &["conversation_search", "memory_replace", "memory_insert"],
        ("memgpt_v2_agent", false) => {
            &["send_message", "conversation_search", "memory_replace", "memory_insert"]
        }
        (_, false) => &[
            "send_message",
            "conversation_search",
            "core_memory_append",
            "core_memory_replace",
            "memory",
            "memory_apply_patch",
        ],
    }
}

/// The tools `include_multi_agent_tools` adds, by name.
#[must_use]
pub fn multi_agent() -> &'static [&'static str] {
    multi_agent::NAMES
}

/// Runs a built-in that lives in this crate; `None` for every other name.
///
/// `env` is the agent's variables: keys of search services, and `LETTA_AGENT_ID`, whose work folder code runs in.
/// A failing tool is a result with status `error`, never a panic.
pub async fn run(
    name: &str,
    arguments: &Map<String, Value>,
    env: &BTreeMap<String, String>,
    sandbox: &Sandbox,
) -> Option<RunResult> {
    match name {
        "run_code" => Some(run_code::run(arguments, env, sandbox).await),
        "web_search" => Some(web_search::run(arguments, env, sandbox.egress()).await),
        "fetch_webpage" => Some(fetch_webpage::run(arguments, sandbox.egress()).await),
        _ => None,
    }
}

impl From<Spec> for Builtin {
    fn from(spec: Spec) -> Self {
        let parameters = json!({"type": "object", "properties": spec.properties, "required": spec.required});
        let mut json_schema = Map::new();
        json_schema.insert("name".to_owned(), json!(spec.name));
        json_schema.insert("description".to_owned(), json!(spec.description));
        json_schema.insert("parameters".to_owned(), parameters);
        Self {
            name: spec.name,
            tool_type: spec.tool_type,
            description: spec.description,
            json_schema,
            parallel: spec.parallel,
            tags: vec![spec.tool_type.as_str().to_owned()],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// name → required then optional parameters, as the contract lists them.
    const CONTRACT: &[(&str, &str, &[&str], &[&str])] = &[
        ("letta_core", "send_message", &["message"], &[]),
        ("letta_core", "conversation_search", &[], &["query", "roles", "limit", "start_date", "end_date"]),
        ("letta_core", "archival_memory_insert", &["content"], &["tags"]),
        (
            "letta_core",
            "archival_memory_search",
            &["query"],
            &["tags", "tag_match_mode", "top_k", "start_datetime", "end_datetime"],
        ),
        ("letta_memory_core", "core_memory_append", &["label", "content"], &[]),
        ("letta_memory_core", "core_memory_replace", &["label", "old_content", "new_content"], &[]),
        (
            "letta_memory_core",
            "memory",
            &["command"],
            &[
                "path",
                "file_text",
                "description",
                "old_string",
                "new_string",
                "insert_line",
                "insert_text",
                "old_path",
                "new_path",
            ],
        ),
        ("letta_memory_core", "memory_apply_patch", &["label", "patch"], &[]),
        ("letta_sleeptime_core", "memory_replace", &["label", "old_string", "new_string"], &[]),
        ("letta_sleeptime_core", "memory_insert", &["label", "new_string"], &["insert_line"]),
        ("letta_sleeptime_core", "memory_rethink", &["label", "new_memory"], &[]),
        ("letta_sleeptime_core", "memory_finish_edits", &[], &[]),
        (
            "letta_multi_agent_core",
            "send_message_to_agent_and_wait_for_reply",
            &["message", "other_agent_id"],
            &[],
        ),
        (
            "letta_multi_agent_core",
            "send_message_to_agents_matching_tags",
            &["message", "match_all", "match_some"],
            &[],
        ),
        ("letta_multi_agent_core", "send_message_to_agent_async", &["message", "other_agent_id"], &[]),
        (
            "letta_voice_sleeptime_core",
            "search_memory",
            &[],
            &["convo_keyword_queries", "start_minutes_ago", "end_minutes_ago"],
        ),
        ("letta_voice_sleeptime_core", "store_memories", &["chunks"], &[]),
        ("letta_voice_sleeptime_core", "rethink_user_memory", &["new_memory"], &[]),
        ("letta_voice_sleeptime_core", "finish_rethinking_memory", &[], &[]),
        ("letta_builtin", "run_code", &["code", "language"], &[]),
        ("letta_builtin", "run_code_with_tools", &["code"], &[]),
        (
            "letta_builtin",
            "web_search",
            &["query"],
            &[
                "num_results",
                "category",
                "include_text",
                "include_domains",
                "exclude_domains",
                "start_published_date",
                "end_published_date",
                "user_location",
            ],
        ),
        ("letta_builtin", "fetch_webpage", &["url"], &[]),
        ("letta_files_core", "open_files", &["file_requests"], &["close_all_others"]),
        ("letta_files_core", "grep_files", &["pattern"], &["include", "context_lines", "offset"]),
        ("letta_files_core", "semantic_search_files", &["query"], &["limit"]),
    ];

    #[test]
    fn every_tool_has_the_name_type_and_parameters_of_the_contract() {
        assert_eq!(builtins().len(), 26);
        for (tool, (tool_type, name, required, optional)) in builtins().iter().zip(CONTRACT) {
            assert_eq!(tool.name, *name);
            assert_eq!(tool.tool_type.as_str(), *tool_type, "{name}");
            let parameters = &tool.json_schema["parameters"];
            let names: Vec<&str> =
                parameters["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
            let wanted: Vec<&str> = required.iter().chain(*optional).copied().collect();
            assert_eq!(names, wanted, "{name}");
            assert_eq!(parameters["required"], json!(required), "{name}");
            assert_eq!(tool.json_schema["name"], json!(name));
        }
    }

    #[test]
    fn every_parameter_tells_the_model_its_type_and_meaning() {
        for tool in builtins() {
            assert!(tool.description.len() > 20, "{}", tool.name);
            assert_eq!(tool.json_schema["description"], json!(tool.description));
            for (name, property) in
                tool.json_schema["parameters"]["properties"].as_object().expect("an object")
            {
                assert!(property["type"].is_string(), "{}.{name}", tool.name);
                assert!(
                    property["description"].as_str().is_some_and(|text| text.len() > 10),
                    "{}.{name}",
                    tool.name
                );
                if property["type"] == "array" {
                    assert!(property["items"]["type"].is_string(), "{}.{name}", tool.name);
                }
            }
        }
    }

    #[test]
    fn the_parallel_ones_are_those_of_the_list() {
        let flagged: BTreeSet<&str> =
            builtins().iter().filter(|tool| tool.parallel).map(|tool| tool.name).collect();
        assert_eq!(flagged, PARALLEL.iter().copied().collect());
    }

    #[test]
    fn every_default_exists() {
        for agent_type in [
            "letta_v1_agent",
            "memgpt_agent",
            "memgpt_v2_agent",
            "react_agent",
            "workflow_agent",
            "sleeptime_agent",
            "voice_convo_agent",
            "voice_sleeptime_agent",
            "split_thread_agent",
        ] {
            for sleeptime in [false, true] {
                for name in default_tools(agent_type, sleeptime) {
                    assert!(find(name).is_some(), "{name}");
                }
            }
        }
        assert_eq!(
            default_tools("letta_v1_agent", false),
            ["conversation_search", "memory_replace", "memory_insert"]
        );
        for name in multi_agent() {
            assert!(find(name).is_some(), "{name}");
        }
    }
}
