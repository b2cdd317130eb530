//! Blocks over the API, alone and as an agent's memory.

mod support;

use serde_json::{Value, json};
use support::{Backend, each, text};

const BLOCK_KEYS: [&str; 19] = [
    "id",
    "value",
    "limit",
    "label",
    "description",
    "read_only",
    "metadata",
    "hidden",
    "tags",
    "project_id",
    "template_name",
    "is_template",
    "template_id",
    "base_template_id",
    "deployment_id",
    "entity_id",
    "preserve_on_migration",
    "created_by_id",
    "last_updated_by_id",
];

#[tokio::test]
async fn a_block_is_created_shown_changed_and_deleted() {
    let server = Backend::start().await;
    let block =
        server.post("/v1/blocks/", json!({"label": "notes/today", "value": "a\u{0}b", "tags": ["t"]})).await;
    let keys: Vec<&str> = block.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, BLOCK_KEYS);
    assert_eq!((block["limit"].as_i64(), &block["read_only"]), (Some(100_000), &json!(false)));
    assert_eq!(block["value"], "a\u{0}b", "NUL is text like any other");
    let path = format!("/v1/blocks/{}", text(&block, "id"));
    assert_eq!(server.get(&path).await, block);

    let changed =
        server.patch(&path, json!({"value": "longer than its limit", "limit": 3, "label": null})).await;
    assert_eq!(changed["value"], "longer than its limit", "the API may exceed the limit");
    assert_eq!((changed["limit"].as_i64(), text(&changed, "label")), (Some(3), "notes/today"));
    assert_eq!(changed["tags"], json!(["t"]));

    assert_eq!(server.call("DELETE", &path, None).await, (http::StatusCode::OK, Value::Null));
    for method in ["GET", "DELETE"] {
        let (status, answer) = server.call(method, &path, None).await;
        assert_eq!(status, 404);
        assert_eq!(answer["detail"], format!("Block with id '{}' not found", text(&block, "id")));
    }
}

#[tokio::test]
async fn malformed_blocks_are_refused() {
    let server = Backend::start().await;
    for body in [
        json!({}),
        json!({"label": "x"}),
        json!({"value": "x"}),
        json!({"label": "", "value": ""}),
        json!({"label": "a b", "value": ""}),
        json!({"label": "ä", "value": ""}),
        json!({"label": 1, "value": ""}),
        json!({"label": "x", "value": 1}),
        json!({"label": "x", "value": "", "limit": "many"}),
        json!({"label": "x", "value": "", "limit": -5}),
        json!({"label": "x", "value": "", "limit": 1.5}),
        json!({"label": "x", "value": "", "tags": "t"}),
        json!({"label": "x", "value": "", "tags": [""]}),
        json!({"label": "x", "value": "", "metadata": []}),
        json!({"label": "x", "value": "", "read_only": "yes"}),
        json!([]),
        json!(null),
    ] {
        let (status, answer) = server.call("POST", "/v1/blocks/", Some(body.clone())).await;
        assert_eq!(status, 422, "{body}: {answer}");
        assert!(text(&answer, "detail").contains("body"), "{body}: {answer}");
    }
    assert_eq!(server.get("/v1/blocks/count").await, json!(0));
}

#[tokio::test]
async fn lists_are_ascending_and_filtered() {
    let server = Backend::start().await;
    let mut ids = Vec::new();
    for (label, value, hidden) in
        [("a", "apple", false), ("b", "100%", false), ("c", "cherry", true), ("d", "apple pie", false)]
    {
        let block = server
            .post("/v1/blocks/", json!({"label": label, "value": value, "hidden": hidden, "tags": [label]}))
            .await;
        ids.push(text(&block, "id").to_owned());
    }
    for (query, labels) in [
        ("", vec!["a", "b", "d"]),
        ("?order=desc", vec!["d", "b", "a"]),
        ("?limit=1", vec!["a"]),
        (&format!("?after={}", ids[0]), vec!["b", "d"]),
        ("?label=b", vec!["b"]),
        ("?value_search=APPLE", vec!["a", "d"]),
        ("?value_search=0%25", vec!["b"]),
        ("?tags=a&tags=d", vec!["a", "d"]),
        ("?tags=a&tags=d&match_all_tags=true", vec![]),
        ("?connected_to_agents_count_gt=0", vec![]),
        ("?connected_to_agents_count_eq=0&connected_to_agents_count_eq=3", vec!["a", "b", "d"]),
    ] {
        assert_eq!(each(&server.get(&format!("/v1/blocks/{query}")).await, "label"), labels, "{query}");
    }
    assert_eq!(server.get("/v1/blocks/count?label=a").await, json!(1));
}

#[tokio::test]
async fn an_agents_blocks_go_by_label() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let base = format!("/v1/agents/{id}/core-memory/blocks");
    let human = server.get(&format!("{base}/human")).await;
    assert_eq!(human["value"], "Name: Chad");
    let changed = server.patch(&format!("{base}/human"), json!({"value": "Name: Sarah"})).await;
    assert_eq!(changed["id"], human["id"]);
    assert_eq!(server.get(&format!("/v1/blocks/{}", text(&human, "id"))).await["value"], "Name: Sarah");

    let (status, answer) = server.call("GET", &format!("{base}/nothing"), None).await;
    assert_eq!(status, 404);
    assert_eq!(answer["detail"], format!("No block with label 'nothing' found for agent '{id}'"));

    let listed = server.get(&base).await;
    let mut sorted = each(&listed, "id");
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(each(&listed, "id"), sorted, "by id, descending");
    assert_eq!(server.get(&format!("{base}?limit=1")).await.as_array().map(Vec::len), Some(1));
    let memory = server.get(&format!("/v1/agents/{id}/core-memory")).await;
    assert_eq!(each(&memory["blocks"], "label"), ["human", "persona"]);
}

#[tokio::test]
async fn blocks_are_shared_attached_and_detached() {
    let server = Backend::start().await;
    let (one, two) = (server.agent(json!({})).await, server.agent(json!({"memory_blocks": []})).await);
    let (one, two) = (text(&one, "id"), text(&two, "id"));
    let shared = server.post("/v1/blocks/", json!({"label": "team", "value": "v1"})).await;
    let block = text(&shared, "id");
    for agent in [one, two, one] {
        let path = format!("/v1/agents/{agent}/core-memory/blocks/attach/{block}");
        let (status, state) = server.call("PATCH", &path, None).await;
        assert_eq!(status, 200);
        assert!(each(&state["blocks"], "label").contains(&"team"), "the agent, also to an SDK");
    }
    let users = server.get(&format!("/v1/blocks/{block}/agents?order=asc")).await;
    assert_eq!(each(&users, "id"), [one, two]);
    assert_eq!(users[0]["blocks"], json!([]), "relationships only on request");

    // Another block of the same label cannot join it, nor take its label.
    let rival = server.post("/v1/blocks/", json!({"label": "team", "value": ""})).await;
    let path = format!("/v1/agents/{one}/core-memory/blocks/attach/{}", text(&rival, "id"));
    let (status, answer) = server.call("PATCH", &path, None).await;
    assert_eq!(status, 409, "{answer}");
    assert!(!answer.to_string().to_lowercase().contains("sql") && text(&answer, "detail").contains("'team'"));
    let (status, _) =
        server.call("PATCH", &format!("/v1/blocks/{block}"), Some(json!({"label": "human"}))).await;
    assert_eq!(status, 409);
    let (status, _) = server
        .call("PATCH", &format!("/v1/agents/{one}"), Some(json!({"block_ids": [block, rival["id"]]})))
        .await;
    assert_eq!(status, 409);

    let path = format!("/v1/agents/{two}/core-memory/blocks/detach/{block}");
    let (status, state) = server.call("PATCH", &path, None).await;
    assert_eq!((status.as_u16(), &state["blocks"]), (200, &json!([])));
    let (status, answer) = server.call("PATCH", &path, None).await;
    assert_eq!(status, 404, "{answer}");

    server.patch(&format!("/v1/blocks/{block}"), json!({"value": "v2"})).await;
    let prompt = server.post(&format!("/v1/agents/{one}/recompile"), json!({})).await;
    assert!(prompt.as_str().is_some_and(|prompt| prompt.contains("v2")));
    assert_eq!(server.call("DELETE", &format!("/v1/blocks/{block}"), None).await.0, 200);
    let left = server.get(&format!("/v1/agents/{one}?include=agent.blocks")).await;
    assert_eq!(each(&left["blocks"], "label"), ["human", "persona"]);
}

#[tokio::test]
async fn every_change_keeps_a_version() {
    let server = Backend::start().await;
    let block = server.post("/v1/blocks/", json!({"label": "x", "value": "one"})).await;
    let path = format!("/v1/blocks/{}", text(&block, "id"));
    server.patch(&path, json!({"value": "two"})).await;
    server.patch(&path, json!({"description": "about"})).await;
    let id = text(&block, "id").parse().expect("an id");
    let versions = server
        .app
        .store()
        .read(move |conn| loci_store::table::block_version::list(conn, &id, None, 10))
        .await
        .expect("versions");
    let values: Vec<&str> = versions.iter().map(|version| version.value.as_str()).collect();
    assert_eq!(values, ["two", "two", "one"]);
    assert!(versions.iter().all(|version| version.change.actor == loci_store::table::block::Actor::Api));
}
