//! Tools over the API.

mod support;

use serde_json::{Value, json};
use support::{Backend, each, text};

const TOOL_KEYS: [&str; 18] = [
    "id",
    "tool_type",
    "description",
    "source_type",
    "name",
    "tags",
    "source_code",
    "json_schema",
    "args_json_schema",
    "return_char_limit",
    "pip_requirements",
    "npm_requirements",
    "default_requires_approval",
    "enable_parallel_execution",
    "created_by_id",
    "last_updated_by_id",
    "metadata_",
    "project_id",
];

const ROLL: &str = "\
def roll(sides: int = 6) -> str:
    \"\"\"Rolls a die.

    Args:
        sides (int): How many sides it has.
    \"\"\"
    return str(sides)
";

fn named(name: &str) -> String {
    ROLL.replace("roll", name)
}

#[tokio::test]
async fn a_tool_is_made_from_its_source() {
    let server = Backend::start().await;
    let tool = server.post("/v1/tools/", json!({"source_code": ROLL, "tags": ["game"]})).await;
    let keys: Vec<&str> = tool.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, TOOL_KEYS);
    assert_eq!(
        (text(&tool, "name"), text(&tool, "tool_type"), text(&tool, "source_type")),
        ("roll", "custom", "python")
    );
    assert_eq!(tool["description"], "Rolls a die.");
    assert_eq!(tool["return_char_limit"], 50_000);
    assert_eq!(tool["json_schema"]["parameters"]["properties"]["sides"]["type"], "integer");
    assert_eq!(tool["json_schema"]["parameters"]["required"], json!([]));
    assert!(tool["metadata_"]["tool_hash"].is_string());
    assert_eq!(server.get(&format!("/v1/tools/{}", text(&tool, "id"))).await, tool);

    // The same name is the same tool: the id stays, what is not said goes back to its default, tags stay.
    let longer = ROLL.replace("Rolls a die.", "Rolls many dice.");
    let (status, again) = server
        .call(
            "PUT",
            "/v1/tools/",
            Some(json!({"source_code": longer, "return_char_limit": 100, "default_requires_approval": true})),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(again["id"], tool["id"]);
    assert_eq!((&again["tags"], &again["return_char_limit"]), (&json!(["game"]), &json!(100)));
    assert_eq!(again["description"], "Rolls many dice.");
    let third = server.post("/v1/tools/", json!({"source_code": ROLL})).await;
    assert_eq!(
        (&third["return_char_limit"], &third["default_requires_approval"]),
        (&json!(50_000), &Value::Null)
    );
}

#[tokio::test]
async fn what_cannot_be_a_tool_says_why() {
    let server = Backend::start().await;
    let schema = |name: Value| json!({"name": name, "description": "", "parameters": {"type": "object"}});
    for (body, status, part) in [
        (json!({}), 422, "source_code"),
        (json!({"source_code": ROLL, "name": "roll"}), 422, "unknown field"),
        (json!({"source_code": ROLL, "return_char_limit": 0}), 422, "return_char_limit"),
        (json!({"source_code": ROLL, "return_char_limit": 1_000_001}), 422, "return_char_limit"),
        (json!({"source_code": ROLL, "pip_requirements": [{"name": ""}]}), 422, "pip_requirements"),
        (json!({"source_code": ROLL, "pip_requirements": [{"name": "--evil"}]}), 422, "pip_requirements"),
        (json!({"source_code": ROLL, "source_type": "cobol"}), 400, "Unknown tool source type"),
        (json!({"source_code": ""}), 400, "Failed to derive json schema: Schema generation failed"),
        (json!({"source_code": "x = 1"}), 400, "Schema generation failed"),
        (json!({"source_code": "def f(:\n"}), 400, "Schema generation failed"),
        (json!({"source_code": "def f(a):\n    return a"}), 400, "Schema generation failed"),
        (
            json!({"source_code": ROLL, "json_schema": schema(json!("other"))}),
            400,
            "no function named 'other'",
        ),
        (json!({"source_code": ROLL, "json_schema": schema(json!(7))}), 422, "json_schema.name"),
        (json!({"source_code": ROLL, "json_schema": {"name": "roll", "parameters": [1]}}), 422, "parameters"),
        (json!({"source_code": named("memory_insert")}), 400, "built-in"),
        (json!({"source_code": named(&"n".repeat(65))}), 400, "64"),
    ] {
        let (given, answer) = server.call("POST", "/v1/tools/", Some(body.clone())).await;
        assert_eq!(given, status, "{body}: {answer}");
        assert!(text(&answer, "detail").contains(part), "{body}: {answer}");
    }
    assert_eq!(server.get("/v1/tools/count?exclude_letta_tools=true").await, json!(0));
}

#[tokio::test]
async fn a_change_keeps_what_is_not_given() {
    let server = Backend::start().await;
    let tool =
        server.post("/v1/tools/", json!({"source_code": ROLL, "enable_parallel_execution": true})).await;
    server.post("/v1/tools/", json!({"source_code": named("deal")})).await;
    let path = format!("/v1/tools/{}", text(&tool, "id"));

    let changed = server.patch(&path, json!({"return_char_limit": 9, "name": "ignored", "unknown": 1})).await;
    assert_eq!((&changed["return_char_limit"], text(&changed, "name")), (&json!(9), "roll"));
    assert_eq!(changed["enable_parallel_execution"], true, "not reset by silence");

    let source = "def roll(luck: int) -> str:\n    \"\"\"Roll again.\n\n    Args:\n        luck: how much\n    \"\"\"\n";
    let changed = server.patch(&path, json!({"source_code": source})).await;
    assert_eq!((text(&changed, "source_code"), &changed["return_char_limit"]), (source, &json!(9)));
    assert_eq!(
        changed["json_schema"]["parameters"]["required"],
        json!(["luck"]),
        "new source brings its schema"
    );
    assert_ne!(changed["metadata_"]["tool_hash"], tool["metadata_"]["tool_hash"]);

    let schema = |name: &str| json!({"name": name, "description": "d", "parameters": {"type": "object", "properties": {}}});
    for (body, status, part) in [
        (json!({"source_code": "def other(): pass"}), 400, "no docstring"),
        (json!({"json_schema": schema("deal")}), 400, "Tool with name 'deal' already exists"),
        (json!({"json_schema": schema("memory_insert")}), 400, "built-in"),
        (json!({"return_char_limit": -1}), 422, "return_char_limit"),
        (json!({"source_type": "cobol"}), 400, "Unknown tool source type"),
        (json!({"tags": 3}), 422, "tags"),
    ] {
        let (given, answer) = server.call("PATCH", &path, Some(body.clone())).await;
        assert_eq!(given, status, "{body}: {answer}");
        assert!(text(&answer, "detail").contains(part), "{body}: {answer}");
    }
    let renamed = server
        .patch(
            &path,
            json!({"source_code": "async def throw():\n    pass\n", "json_schema": schema("throw")}),
        )
        .await;
    assert_eq!((text(&renamed, "name"), &renamed["id"]), ("throw", &tool["id"]));
}

#[tokio::test]
async fn built_in_tools_come_back() {
    let server = Backend::start().await;
    let base = server.post("/v1/tools/add-base-tools", json!({})).await;
    assert_eq!(base.as_array().map(Vec::len), Some(26));
    let search = server.get("/v1/tools/?name=web_search&limit=10").await;
    let path = format!("/v1/tools/{}", text(&search[0], "id"));
    let asks = server.patch(&path, json!({"default_requires_approval": true, "return_char_limit": 77})).await;
    assert_eq!(asks["default_requires_approval"], true);
    let (status, _) =
        server.call("PATCH", &path, Some(json!({"source_code": "def web_search(): pass"}))).await;
    assert_eq!(status, 400);
    let kept = server.get("/v1/tools/?name=web_search").await;
    assert_eq!(
        (&kept[0]["default_requires_approval"], &kept[0]["return_char_limit"]),
        (&json!(true), &json!(77))
    );

    assert_eq!(server.call("DELETE", &path, None).await, (http::StatusCode::OK, Value::Null));
    let (status, answer) = server.call("DELETE", &path, None).await;
    assert_eq!(status, 404, "{answer}");
    assert_eq!(server.get("/v1/tools/count").await, json!(25));
    assert_eq!(each(&server.get("/v1/tools/?name=web_search").await, "name"), ["web_search"]);
}

#[tokio::test]
async fn lists_are_filtered() {
    let server = Backend::start().await;
    server.post("/v1/tools/", json!({"source_code": ROLL})).await;
    for (query, count) in [
        ("?limit=100", 27),
        ("", 27),
        ("?return_only_letta_tools=true", 26),
        ("?tool_types=custom", 1),
        ("?tool_types=custom,letta_builtin", 5),
        ("?tool_types=custom&tool_types=letta_builtin", 5),
        ("?tool_types=custom&return_only_letta_tools=true", 0),
        ("?exclude_tool_types=letta_core,letta_files_core", 20),
        ("?search=ROL", 1),
        ("?names=roll&names=web_search", 2),
        ("?name=roll", 1),
        ("?name=rol", 0),
    ] {
        let tools = server.get(&format!("/v1/tools/{query}")).await;
        assert_eq!(tools.as_array().map(Vec::len), Some(count), "{query}");
    }
    for (query, status) in
        [("?tool_types=nothing", 400), ("?tool_ids=tool-1", 422), ("?return_only_letta_tools=perhaps", 422)]
    {
        assert_eq!(server.call("GET", &format!("/v1/tools/{query}"), None).await.0, status, "{query}");
    }
    for (id, status) in [("tool-123e4567-e89b-42d3-8456-426614174000", 404), ("tool-1", 422)] {
        assert_eq!(server.call("GET", &format!("/v1/tools/{id}"), None).await.0, status, "{id}");
    }
}

#[tokio::test]
async fn an_agents_tools_are_listed_ten_at_a_time() {
    let server = Backend::start().await;
    let names: Vec<&str> = loci_tools::builtin::builtins().iter().map(|tool| tool.name).collect();
    let agent = server.agent(json!({"tools": names})).await;
    let base = format!("/v1/agents/{}/tools", text(&agent, "id"));
    let first = server.get(&base).await;
    assert_eq!(first.as_array().map(Vec::len), Some(10));
    let second = server.get(&format!("{base}?limit=100&after={}", text(&first[9], "id"))).await;
    assert_eq!(second.as_array().map(Vec::len), Some(16));
    let detach = format!("/v1/agents/{}/tools/detach/{}", text(&agent, "id"), text(&first[0], "id"));
    for _ in 0..2 {
        assert_eq!(server.call("PATCH", &detach, None).await, (http::StatusCode::OK, Value::Null));
    }
    assert_eq!(server.get(&format!("{base}?limit=100")).await.as_array().map(Vec::len), Some(25));
    let unknown =
        format!("/v1/agents/{}/tools/attach/tool-123e4567-e89b-42d3-8456-426614174000", text(&agent, "id"));
    assert_eq!(server.call("PATCH", &unknown, None).await.0, 404);
}

#[tokio::test]
async fn a_schema_can_be_asked_for_without_making_a_tool() {
    let server = Backend::start().await;
    let schema = server.post("/v1/tools/generate-schema", json!({"code": ROLL})).await;
    assert_eq!((text(&schema, "name"), text(&schema, "description")), ("roll", "Rolls a die."));
    let typescript = "/** Adds. */\nexport function add(a: number, b?: number): number { return a; }";
    let schema = server
        .post("/v1/tools/generate-schema", json!({"code": typescript, "source_type": "typescript"}))
        .await;
    assert_eq!(text(&schema, "name"), "add");
    assert_eq!(schema["parameters"]["required"], json!(["a"]));
    let (status, _) = server.call("POST", "/v1/tools/generate-schema", Some(json!({"code": "def"}))).await;
    assert_eq!(status, 400);
    assert_eq!(server.get("/v1/tools/count?exclude_letta_tools=true").await, json!(0));
}

#[tokio::test]
async fn a_tool_that_is_not_attached_cannot_be_run() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let path = format!("/v1/agents/{}/tools/roll/run", text(&agent, "id"));
    let (status, answer) = server.call("POST", &path, Some(json!({"args": {}}))).await;
    assert_eq!(status, 404, "{answer}");
    for body in [json!({"args": []}), json!({"args": "x"}), json!([])] {
        assert_eq!(server.call("POST", &path, Some(body)).await.0, 422);
    }
    for body in [json!({}), json!({"source_code": "x"}), json!({"source_code": ROLL, "args": {}, "more": 1})]
    {
        assert_eq!(server.call("POST", "/v1/tools/run", Some(body)).await.0, 422);
    }
}

#[tokio::test]
async fn an_agents_tool_can_be_run_by_hand() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let args = json!({"args": {"label": "human", "new_string": "Likes tea.", "insert_line": -1}});
    let result = server.post(&format!("/v1/agents/{id}/tools/memory_insert/run"), args).await;
    let keys: Vec<&str> = result.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        ["status", "func_return", "agent_state", "stdout", "stderr", "sandbox_config_fingerprint"]
    );
    assert_eq!(result["status"], "success", "{result}");
    let block = server.get(&format!("/v1/agents/{id}/core-memory/blocks/human")).await;
    assert!(text(&block, "value").contains("Likes tea."), "{block}");

    let result = server.post(&format!("/v1/agents/{id}/tools/memory_insert/run"), json!({})).await;
    assert_eq!(result["status"], "error", "a failing tool is an answer: {result}");
    let query = json!({"args": {"query": "tea"}});
    let found = server.post(&format!("/v1/agents/{id}/tools/conversation_search/run"), query).await;
    assert_eq!(found["status"], "success", "{found}");
}
