//! Agents over the API: creation, what is shown, change, deletion.

mod support;

use serde_json::{Value, json};
use support::{Backend, each, provider, text};

const STATE_KEYS: [&str; 45] = [
    "created_by_id",
    "last_updated_by_id",
    "created_at",
    "updated_at",
    "id",
    "name",
    "tool_rules",
    "message_ids",
    "system",
    "agent_type",
    "llm_config",
    "embedding_config",
    "model",
    "embedding",
    "model_settings",
    "compaction_settings",
    "response_format",
    "description",
    "metadata",
    "memory",
    "blocks",
    "tools",
    "sources",
    "tags",
    "tool_exec_environment_variables",
    "secrets",
    "project_id",
    "template_id",
    "base_template_id",
    "deployment_id",
    "entity_id",
    "identity_ids",
    "identities",
    "pending_approval",
    "message_buffer_autoclear",
    "enable_sleeptime",
    "multi_agent_group",
    "managed_group",
    "last_run_completion",
    "last_run_duration_ms",
    "last_stop_reason",
    "timezone",
    "max_files_open",
    "per_file_view_window_char_limit",
    "hidden",
];

#[tokio::test]
async fn the_seeds_agent_has_what_the_contract_gives_it() {
    let server = Backend::start().await;
    let agent = server.agent(json!({"tools": ["web_search", "run_code"]})).await;
    let mut keys: Vec<&str> = agent.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut wanted = STATE_KEYS.to_vec();
    keys.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(keys, wanted);

    assert_eq!(
        each(&agent["tools"], "name"),
        ["conversation_search", "memory_replace", "memory_insert", "web_search", "run_code"]
    );
    assert_eq!(each(&agent["memory"]["blocks"], "label"), ["human", "persona"]);
    assert_eq!(agent["blocks"], agent["memory"]["blocks"]);
    assert!(agent["blocks"][0]["description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(agent["tool_rules"], json!([]));
    assert_eq!(agent["agent_type"], "letta_v1_agent");
    assert_eq!(agent["timezone"], "UTC");
    assert_eq!(agent["llm_config"]["model"], "gpt-4.1");
    assert_eq!(agent["llm_config"]["handle"], "openai/gpt-4.1");
    assert_eq!(agent["llm_config"]["context_window"], 128_000);
    assert_eq!(agent["model_settings"]["provider_type"], "openai");
    assert_eq!(
        agent["model_settings"]["parallel_tool_calls"], false,
        "one call at a time unless asked otherwise"
    );
    assert_eq!(agent["embedding"], "openai/text-embedding-3-small");
    assert_eq!(agent["embedding_config"]["embedding_dim"], 1536);
    assert_eq!(agent["compaction_settings"]["mode"], "sliding_window");
    assert_eq!(agent["message_ids"].as_array().map(Vec::len), Some(1));
    assert!(text(&agent, "created_at").ends_with('Z'));
    assert!(!text(&agent, "name").is_empty());
}

#[tokio::test]
async fn relationships_are_shown_to_sdks_on_request_and_to_others_always() {
    let server = Backend::start().await;
    let agent = server.agent(json!({"tags": ["a", "b", "a"], "secrets": {"KEY": "hush"}})).await;
    let id = text(&agent, "id");
    assert_eq!(agent["tags"], json!(["a", "b"]));
    assert_eq!(agent["secrets"][0]["key"], "KEY");
    assert!(!agent.to_string().contains("hush"), "a secret is never shown");

    let bare = server.get(&format!("/v1/agents/{id}")).await;
    for list in ["blocks", "tools", "tags", "secrets", "sources", "identities"] {
        assert_eq!(bare[list], json!([]), "{list}");
    }
    assert_eq!(bare["memory"]["blocks"], json!([]));

    let path = format!("/v1/agents/{id}?include=agent.tools&include=agent.tags");
    let some = server.get(&path).await;
    assert_eq!(some["tags"], json!(["a", "b"]));
    assert_eq!(some["tools"].as_array().map(Vec::len), Some(3));
    assert_eq!(some["blocks"], json!([]));

    let (_, all) = server.call_as_curl("GET", &format!("/v1/agents/{id}"), None).await;
    assert_eq!(each(&all["blocks"], "label"), ["human", "persona"]);
    assert_eq!(all["tags"], json!(["a", "b"]));

    let (status, error) = server.call("GET", &format!("/v1/agents/{id}?include=agent.nothing"), None).await;
    assert_eq!(status, 422);
    assert!(text(&error, "detail").contains("agent.nothing"));
}

#[tokio::test]
async fn what_cannot_be_created_says_why() {
    let server = Backend::start().await;
    let unknown_tool = "tool-123e4567-e89b-42d3-8456-426614174000";
    let unknown_block = "block-123e4567-e89b-42d3-8456-426614174000";
    let model = "openai/gpt-4.1";
    for (body, status, part) in [
        (json!({}), 400, "model"),
        (json!({"model": "gpt-4.1"}), 400, "provider/model"),
        (json!({"model": "nowhere/x"}), 404, "NOT_FOUND: Handle nowhere/x not found, must be one of ["),
        (json!({"model": model, "embedding": "small"}), 400, "embedding"),
        (json!({"model": model, "tools": ["x", "y"]}), 400, "Tools not found by name: {'x', 'y'}"),
        (json!({"model": model, "tool_ids": [unknown_tool]}), 404, unknown_tool),
        (json!({"model": model, "tool_ids": ["tool-1"]}), 422, "tool_ids"),
        (json!({"model": model, "block_ids": [unknown_block]}), 404, "Block with id"),
        (json!({"model": model, "name": "a/b"}), 422, "name"),
        (json!({"model": model, "name": 7}), 422, "body.name"),
        (json!({"model": model, "agent_type": "robot"}), 422, "agent_type"),
        (
            json!({"model": model, "memory_blocks": [{"label": "a b", "value": ""}]}),
            422,
            "memory_blocks[0].label",
        ),
        (json!({"model": model, "memory_blocks": [{"label": "a"}]}), 422, "value"),
        (json!({"model": model, "tool_rules": [{"type": "exit_loop"}]}), 422, "tool_name"),
        (json!({"model": model, "tool_rules": [{"type": "fly", "tool_name": "x"}]}), 422, "tool_rules"),
        (json!({"model": model, "model_settings": {"provider_type": "nobody"}}), 422, "provider_type"),
        (json!({"model": model, "model_settings": {"temperature": "hot"}}), 422, "temperature"),
        (
            json!({"model": model, "initial_message_sequence": [{"role": "tool", "content": "x"}]}),
            422,
            "role",
        ),
        (
            json!({"model": model, "identity_ids": ["identity-123e4567-e89b-42d3-8456-426614174000"]}),
            404,
            "refers",
        ),
        (json!([1]), 422, "body"),
        (json!("agent"), 422, "body"),
    ] {
        let (given, answer) = server.call("POST", "/v1/agents/", Some(body.clone())).await;
        assert_eq!(given, status, "{body}: {answer}");
        assert!(text(&answer, "detail").contains(part), "{body}: {answer}");
    }
    assert_eq!(server.get("/v1/agents/count").await, json!(0), "nothing is left of what failed");
    assert_eq!(server.get("/v1/blocks/").await, json!([]));
}

#[tokio::test]
async fn without_a_key_the_answer_says_what_to_do() {
    let server = Backend::with(Vec::new()).await;
    let (status, answer) = server.call("POST", "/v1/agents/", Some(json!({"model": "openai/gpt-4.1"}))).await;
    assert_eq!(status, 404);
    assert!(text(&answer, "detail").contains("OPENAI_API_KEY"), "{answer}");
    assert!(text(&answer, "detail").contains("'rehearsal/rehearsal'"), "{answer}");
    let agent = server.agent(json!({"model": "rehearsal/rehearsal"})).await;
    assert_eq!(agent["model"], "rehearsal/rehearsal");
    assert_eq!(agent["embedding"], "openai/text-embedding-3-small", "kept for the day there is an embedder");
}

#[tokio::test]
async fn creation_takes_every_form_clients_send() {
    let server = Backend::start().await;
    let letta_code = server
        .agent(json!({
            "system": null, "include_base_tools": false, "include_base_tool_rules": false,
            "initial_message_sequence": [], "parallel_tool_calls": true, "unknown": {"deep": [1]},
            "compaction_settings": {"model": "letta/auto"}, "tags": ["role:subagent"], "context_window_limit": 90_000,
            "memory_blocks": [{"label": "persona", "value": null}, {"label": "persona", "value": "second"}],
        }))
        .await;
    assert_eq!(letta_code["tools"], json!([]));
    assert_eq!(letta_code["hidden"], true);
    assert_eq!(letta_code["compaction_settings"]["model"], "letta/auto");
    assert_eq!(letta_code["llm_config"]["context_window"], 90_000);
    assert_eq!(letta_code["model_settings"]["parallel_tool_calls"], true);
    assert_eq!(each(&letta_code["blocks"], "value"), ["second"]);
    assert!(text(&letta_code, "system").len() > 200, "Loci's own prompt");
    assert_eq!(server.get("/v1/agents/").await, json!([]), "helpers are not listed");

    let old_form = server
        .post(
            "/v1/agents/",
            json!({
                "llm_config": {"model": "gpt-4o-mini", "model_endpoint_type": "openai", "context_window": 64_000,
                    "max_tokens": 777},
                "embedding_config": {"embedding_endpoint_type": "openai", "embedding_model": "m", "embedding_dim": 8},
            }),
        )
        .await;
    assert_eq!(old_form["model"], "openai/gpt-4o-mini");
    assert_eq!(old_form["llm_config"]["context_window"], 64_000);
    assert_eq!(old_form["model_settings"]["max_output_tokens"], 777);
    assert_eq!(old_form["embedding"], "openai/m");
    assert_eq!(old_form["embedding_config"]["embedding_dim"], 8);
    assert_eq!(old_form["blocks"], json!([]), "no blocks unless asked for");

    let claude = server
        .agent(json!({"model": "anthropic/claude-sonnet-4-5",
            "model_settings": {"provider_type": "anthropic", "thinking": {"type": "disabled"}}}))
        .await;
    assert_eq!(claude["model_settings"]["thinking"], json!({"type": "disabled", "budget_tokens": 1024}));
    assert_eq!(claude["model_settings"]["max_output_tokens"], 4096);
    assert_eq!(claude["llm_config"]["model_endpoint_type"], "anthropic");

    let talking = server
        .agent(json!({"initial_message_sequence": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": [{"type": "text", "text": "Hi"}]},
        ]}))
        .await;
    assert_eq!(talking["message_ids"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn a_tool_that_asks_first_gets_its_rule_however_it_is_attached() {
    let server = Backend::start().await;
    let source = "def wipe(path: str) -> str:\n    \"\"\"Wipes.\n\n    Args:\n        path (str): Where.\n    \"\"\"\n    return path\n";
    let schema =
        json!({"name": "wipe", "description": "Wipes.", "parameters": {"type": "object", "properties": {}}});
    let tool = server
        .post(
            "/v1/tools/",
            json!({"source_code": source, "json_schema": schema, "default_requires_approval": true}),
        )
        .await;
    let tool_id = text(&tool, "id");
    let rule = json!([{"tool_name": "wipe", "type": "requires_approval", "prompt_template": null}]);

    let created = server.agent(json!({"tools": ["wipe"]})).await;
    assert_eq!(created["tool_rules"], rule);

    let attached = server.agent(json!({})).await;
    let id = text(&attached, "id");
    let path = format!("/v1/agents/{id}/tools/attach/{tool_id}");
    assert_eq!(server.call("PATCH", &path, None).await.1, Value::Null, "null to an SDK");
    let (_, again) = server.call_as_curl("PATCH", &path, None).await;
    assert_eq!(again["tool_rules"], rule, "the agent to others, and no second rule");

    let patched = server.agent(json!({})).await;
    let path = format!("/v1/agents/{}", text(&patched, "id"));
    let patched = server.patch(&path, json!({"tool_ids": [tool_id]})).await;
    assert_eq!(patched["tool_rules"], rule);
    // Taking the rule away is a decision that a later change of tools respects.
    let relaxed = server.patch(&path, json!({"tool_rules": []})).await;
    assert_eq!(relaxed["tool_rules"], json!([]));
    let kept = server.patch(&path, json!({"tool_ids": [tool_id]})).await;
    assert_eq!(kept["tool_rules"], json!([]));
}

#[tokio::test]
async fn approval_is_set_in_the_body_or_the_query() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let base = format!("/v1/agents/{id}/tools/approval/memory_insert");
    for (query, body, on) in [
        ("", Some(json!({"requires_approval": true})), true),
        ("?requires_approval=false", None, false),
        ("", Some(json!({"body_requires_approval": true})), true),
        ("?requires_approval=true", None, true),
        ("", Some(json!({"requires_approval": false})), false),
    ] {
        let (status, answer) = server.call("PATCH", &format!("{base}{query}"), body.clone()).await;
        assert_eq!((status.as_u16(), &answer), (200, &Value::Null), "{body:?}{query}");
        let rules = server.get(&format!("/v1/agents/{id}")).await["tool_rules"].clone();
        assert_eq!(rules.as_array().map(|rules| !rules.is_empty()), Some(on), "{body:?}{query}");
    }
    for (query, body) in [
        ("", None),
        ("", Some(json!({"requires_approval": true, "more": 1}))),
        ("?requires_approval=maybe", None),
    ] {
        let (status, answer) = server.call("PATCH", &format!("{base}{query}"), body.clone()).await;
        assert_eq!(status, 422, "{body:?}{query}: {answer}");
    }
    let (status, _) = server
        .call("PATCH", &format!("/v1/agents/{id}/tools/approval/nothing?requires_approval=true"), None)
        .await;
    assert_eq!(status, 200, "an unknown name is fine");
}

#[tokio::test]
async fn a_change_replaces_what_is_given_and_nothing_else() {
    let server = Backend::start().await;
    let agent = server.agent(json!({"description": "first", "metadata": {"a": 1}, "tags": ["x"]})).await;
    let path = format!("/v1/agents/{}", text(&agent, "id"));

    let same = server.patch(&path, json!({"name": null, "description": null, "unknown": 1})).await;
    for field in [
        "name",
        "description",
        "metadata",
        "model_settings",
        "llm_config",
        "tags",
        "tools",
        "compaction_settings",
    ] {
        assert_eq!(same[field], agent[field], "{field}");
    }

    let renamed =
        server.patch(&path, json!({"name": "Ada", "description": "second", "tags": ["y", "z"]})).await;
    assert_eq!((text(&renamed, "name"), text(&renamed, "description")), ("Ada", "second"));
    assert_eq!(renamed["tags"], json!(["y", "z"]));
    assert!(text(&renamed, "updated_at") >= text(&agent, "updated_at"));

    let merged = server.patch(&path, json!({"compaction_settings": {"clip_chars": 7}})).await;
    assert_eq!(merged["compaction_settings"]["clip_chars"], 7);
    assert_eq!(merged["compaction_settings"]["mode"], "sliding_window");

    let capped = server.patch(&path, json!({"max_tokens": 99})).await;
    assert_eq!(capped["model_settings"]["max_output_tokens"], 99);
    assert_eq!(capped["model_settings"]["temperature"], agent["model_settings"]["temperature"]);
    assert_eq!(capped["llm_config"]["max_tokens"], 99);

    let switched = server.patch(&path, json!({"model": "openai/gpt-4o-mini"})).await;
    assert_eq!(switched["model"], "openai/gpt-4o-mini");
    assert_eq!(switched["llm_config"]["model"], "gpt-4o-mini");
    assert_ne!(switched["model_settings"]["max_output_tokens"], 99, "settings are derived anew");

    let secrets = server.patch(&path, json!({"secrets": {"A": "1", "B": "2"}})).await;
    assert_eq!(each(&secrets["secrets"], "key"), ["A", "B"]);
    let fewer = server.patch(&path, json!({"secrets": {"B": "3"}})).await;
    assert_eq!(each(&fewer["secrets"], "key"), ["B"]);

    for (body, status) in [
        (json!({"model": "nowhere/x"}), 404),
        (json!({"model": "x"}), 400),
        (json!({"name": ""}), 422),
        (json!({"tool_ids": ["tool-123e4567-e89b-42d3-8456-426614174000"]}), 404),
        (json!({"block_ids": ["block-123e4567-e89b-42d3-8456-426614174000"]}), 404),
        (json!({"message_ids": []}), 422),
        (json!({"message_ids": ["message-123e4567-e89b-42d3-8456-426614174000"]}), 404),
        (json!({"timezone": "Mars"}), 422),
    ] {
        let (given, answer) = server.call("PATCH", &path, Some(body.clone())).await;
        assert_eq!(given, status, "{body}: {answer}");
    }
    assert_eq!(server.get(&path).await["model"], "openai/gpt-4o-mini", "a refused change changes nothing");
}

#[tokio::test]
async fn unknown_and_deleted_agents_are_404() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id").to_owned();
    let path = format!("/v1/agents/{id}");
    let (status, answer) = server.call("DELETE", &path, None).await;
    assert_eq!(status, 200);
    assert_eq!(answer, json!({"message": format!("Agent id={id} successfully deleted")}));
    for (method, path, body) in [
        ("GET", path.clone(), None),
        ("DELETE", path.clone(), None),
        ("PATCH", path.clone(), Some(json!({"name": "x"}))),
        ("GET", format!("{path}/tools"), None),
        ("GET", format!("{path}/core-memory/blocks"), None),
        ("GET", format!("{path}/core-memory/blocks/human"), None),
        ("PATCH", format!("{path}/reset-messages"), Some(json!({}))),
        ("POST", format!("{path}/recompile"), None),
        ("POST", format!("{path}/tools/memory_insert/run"), Some(json!({"args": {}}))),
    ] {
        let (status, answer) = server.call(method, &path, body).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
        assert_eq!(answer["detail"], format!("Agent with ID {id} not found"), "{method} {path}");
    }
    assert_eq!(server.get("/v1/blocks/").await.as_array().map(Vec::len), Some(2), "its blocks stay");
    for bad in ["agent-1", "x", "agent-123E4567-e89b-42d3-8456-426614174000"] {
        assert_eq!(server.call("GET", &format!("/v1/agents/{bad}"), None).await.0, 422, "{bad}");
    }
}

#[tokio::test]
async fn lists_page_filter_and_order() {
    let server = Backend::start().await;
    let mut ids = Vec::new();
    for (name, tags) in
        [("Ann", vec!["red"]), ("Bob", vec!["red", "blue"]), ("Cy", vec!["blue"]), ("Dee", vec![])]
    {
        let agent = server.agent(json!({"name": name, "tags": tags})).await;
        ids.push(text(&agent, "id").to_owned());
    }
    for (query, names) in [
        ("", vec!["Dee", "Cy", "Bob", "Ann"]),
        ("?order=asc", vec!["Ann", "Bob", "Cy", "Dee"]),
        ("?ascending=true", vec!["Ann", "Bob", "Cy", "Dee"]),
        ("?limit=2", vec!["Dee", "Cy"]),
        (&format!("?limit=2&after={}", ids[2]), vec!["Bob", "Ann"]),
        (&format!("?before={}", ids[1]), vec!["Dee", "Cy"]),
        (&format!("?order=asc&after={}&limit=1", ids[0]), vec!["Bob"]),
        ("?after=agent-nonsense", vec!["Dee", "Cy", "Bob", "Ann"]),
        ("?name=Cy", vec!["Cy"]),
        ("?query_text=B", vec!["Bob"]),
        ("?tags=red", vec!["Bob", "Ann"]),
        ("?tags=red&tags=blue", vec!["Cy", "Bob", "Ann"]),
        ("?tags=red&tags=blue&match_all_tags=true", vec!["Bob"]),
        ("?name=Nobody", vec![]),
        ("?surprise=1", vec!["Dee", "Cy", "Bob", "Ann"]),
    ] {
        let list = server.get(&format!("/v1/agents/{query}")).await;
        assert_eq!(each(&list, "name"), names, "{query}");
    }
    assert_eq!(server.get("/v1/agents/count?tags=blue").await, json!(2));
    for bad in [
        "?limit=-1",
        "?limit=0",
        "?limit=x",
        "?limit=99999",
        "?order=up",
        "?match_all_tags=2x",
        "?order_by=size",
    ] {
        let (status, answer) = server.call("GET", &format!("/v1/agents/{bad}"), None).await;
        assert_eq!(status, 422, "{bad}: {answer}");
        assert!(answer["detail"].is_string() && answer["trace_id"] == "", "{bad}: {answer}");
    }
}

#[tokio::test]
async fn the_system_message_follows_memory_and_keeps_its_id() {
    let server = Backend::start().await;
    let agent = server.agent(json!({"system": "You are Ada."})).await;
    let id = text(&agent, "id");
    let first = agent["message_ids"][0].clone();
    let prompt = server.post(&format!("/v1/agents/{id}/recompile?dry_run=true"), json!({})).await;
    let prompt = prompt.as_str().expect("text");
    assert!(prompt.starts_with("You are Ada.\n\n<memory_blocks>\n"), "{prompt}");
    assert!(prompt.contains("Name: Chad") && prompt.contains(&format!("AGENT_ID: {id}")), "{prompt}");

    server.patch(&format!("/v1/agents/{id}/core-memory/blocks/human"), json!({"value": "Name: Sarah"})).await;
    server.patch(&format!("/v1/agents/{id}"), json!({"system": "You are Eve."})).await;
    let after = server
        .patch(&format!("/v1/agents/{id}/reset-messages"), json!({"add_default_initial_messages": false}))
        .await;
    assert_eq!(after["message_ids"], json!([first]));
    let stored = stored_system(&server, id).await;
    assert!(stored.starts_with("You are Eve.") && stored.contains("Name: Sarah"), "{stored}");

    let (status, _) = server.call("PATCH", &format!("/v1/agents/{id}/reset-messages"), None).await;
    assert_eq!(status, 422, "the body is required");
}

async fn stored_system(server: &Backend, id: &str) -> String {
    let thread = loci_store::Thread::new(id.parse().expect("an id"), None);
    let first = server.app.store().read(move |conn| loci_store::table::context::first(conn, &thread)).await;
    first.expect("read").expect("a system message").text()
}

#[tokio::test]
async fn a_restart_keeps_agents_and_shuts_a_second_server_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = || loci_server::Options::new(folder.path());
    let app = loci_server::open(options(), vec![provider("openai")]).await.expect("opens");
    let second = loci_server::open(options(), Vec::new()).await;
    assert!(second.is_err_and(|error| format!("{error:#}").contains("in use")));
    app.shutdown().await;
    drop(app);
    loci_server::open(options(), Vec::new()).await.expect("opens again");
}

#[tokio::test]
async fn the_context_window_is_shown_part_by_part() {
    let server = Backend::start().await;
    let opening = json!([{"role": "user", "content": "x".repeat(400)}]);
    let agent = server.agent(json!({"initial_message_sequence": opening, "system": "Be kind."})).await;
    let id = text(&agent, "id");
    let shown = server.get(&format!("/v1/agents/{id}/context")).await;
    assert_eq!(shown["context_window_size_max"], 128_000);
    assert_eq!((&shown["num_messages"], &shown["num_recall_memory"]), (&json!(2), &json!(2)));
    assert_eq!(shown["num_tokens_messages"], 100);
    assert_eq!(text(&shown, "system_prompt"), "Be kind.");
    assert!(text(&shown, "core_memory").starts_with("<memory_blocks>"));
    assert!(text(&shown, "core_memory").contains("Name: Chad"));
    assert!(text(&shown, "external_memory_summary").contains("AGENT_ID"));
    assert_eq!(shown["functions_definitions"].as_array().map(Vec::len), Some(3));
    assert_eq!(shown["messages"][1]["role"], "user");
    let made = server.post(&format!("/v1/conversations/?agent_id={id}"), json!({})).await;
    let of_it = server.get(&format!("/v1/agents/{id}/context?conversation_id={}", text(&made, "id"))).await;
    assert_eq!(of_it["num_messages"], 1);
    let other = server.agent(json!({})).await;
    let path = format!("/v1/agents/{}/context?conversation_id={}", text(&other, "id"), text(&made, "id"));
    assert_eq!(server.call("GET", &path, None).await.0, 404, "another agent's conversation");
}
