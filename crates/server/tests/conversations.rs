//! Conversations over the API, as resources.

mod support;

use serde_json::{Value, json};
use support::{Backend, each, text};

const KEYS: [&str; 12] = [
    "agent_id",
    "created_at",
    "created_by_id",
    "id",
    "in_context_message_ids",
    "isolated_block_ids",
    "last_message_at",
    "last_updated_by_id",
    "model",
    "model_settings",
    "summary",
    "updated_at",
];

#[tokio::test]
async fn a_conversation_has_a_system_message_of_its_own() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let made = server.post(&format!("/v1/conversations/?agent_id={id}"), json!({"summary": "Trip"})).await;
    let mut keys: Vec<&str> = made.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, KEYS);
    assert_eq!((text(&made, "agent_id"), text(&made, "summary")), (id, "Trip"));
    assert_eq!(made["in_context_message_ids"].as_array().map(Vec::len), Some(1));
    assert_ne!(made["in_context_message_ids"], agent["message_ids"]);
    let path = format!("/v1/conversations/{}", text(&made, "id"));
    assert_eq!(server.get(&path).await, made);
    let prompt = server.post(&format!("{path}/recompile?dry_run=true"), json!({})).await;
    assert!(
        prompt.as_str().is_some_and(|text| text.contains(made["id"].as_str().unwrap_or("?"))),
        "{prompt}"
    );

    let changed = server.patch(&path, json!({"summary": "Journey", "description": "by train"})).await;
    assert_eq!((text(&changed, "summary"), text(&changed, "description")), ("Journey", "by train"));
    assert_eq!(server.call("DELETE", &path, None).await, (http::StatusCode::OK, Value::Null));
    for method in ["GET", "DELETE"] {
        assert_eq!(server.call(method, &path, None).await.0, 404, "{method}");
    }
    assert_eq!(server.get(&format!("/v1/conversations/?agent_id={id}")).await, json!([]));
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let unknown = "agent-123e4567-e89b-42d3-8456-426614174000";
    for (query, body, status) in [
        (String::new(), None, 422),
        ("?agent_id=x".to_owned(), None, 422),
        (format!("?agent_id={unknown}"), None, 404),
        (format!("?agent_id={id}"), Some(json!({"summary": 1})), 422),
        (format!("?agent_id={id}"), Some(json!({"model": "nowhere/x"})), 404),
        (format!("?agent_id={id}"), Some(json!({"model": "x"})), 400),
        (format!("?agent_id={id}"), Some(json!({"isolated_block_labels": ["none"]})), 400),
        (format!("?agent_id={id}"), None, 200),
    ] {
        let (given, answer) = server.call("POST", &format!("/v1/conversations/{query}"), body.clone()).await;
        assert_eq!(given, status, "{query} {body:?}: {answer}");
    }
    assert_eq!(server.get("/v1/conversations/").await.as_array().map(Vec::len), Some(1), "nothing half made");
    for (id, status) in
        [("default", 422), ("conv-1", 422), ("conv-123e4567-e89b-42d3-8456-426614174000", 404)]
    {
        assert_eq!(server.call("GET", &format!("/v1/conversations/{id}"), None).await.0, status, "{id}");
    }
}

#[tokio::test]
async fn a_conversation_may_have_copies_of_blocks_and_a_model_of_its_own() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let id = text(&agent, "id");
    let body = json!({"isolated_block_labels": ["human"], "model": "anthropic/claude-sonnet-4-5"});
    let made = server.post(&format!("/v1/conversations/?agent_id={id}"), body).await;
    assert_eq!(made["isolated_block_ids"].as_array().map(Vec::len), Some(1));
    assert_eq!(made["model"], "anthropic/claude-sonnet-4-5");
    assert_eq!(made["model_settings"]["provider_type"], "anthropic");
    let copy = format!("/v1/blocks/{}", made["isolated_block_ids"][0].as_str().expect("an id"));
    assert_eq!(server.get(&copy).await["value"], "Name: Chad");
    server.patch(&copy, json!({"value": "Name: Stranger"})).await;
    let shared = server.get(&format!("/v1/agents/{id}/core-memory/blocks/human")).await;
    assert_eq!(shared["value"], "Name: Chad", "the agent's own block stays");
    let path = format!("/v1/conversations/{}/recompile", text(&made, "id"));
    let prompt = server.post(&path, json!({})).await;
    assert!(
        prompt.as_str().is_some_and(|text| text.contains("Stranger") && !text.contains("Chad")),
        "{prompt}"
    );
    let prompt = server.post("/v1/conversations/default/recompile", json!({"agent_id": id})).await;
    assert!(
        prompt.as_str().is_some_and(|text| text.contains("Chad") && !text.contains("Stranger")),
        "{prompt}"
    );
}

#[tokio::test]
async fn lists_page_in_either_order() {
    let server = Backend::start().await;
    let agent = server.agent(json!({})).await;
    let base = format!("/v1/conversations/?agent_id={}", text(&agent, "id"));
    let mut ids = Vec::new();
    for title in ["one", "two", "three"] {
        let made = server.post(&base, json!({"summary": title})).await;
        ids.push(text(&made, "id").to_owned());
    }
    for (query, titles) in [
        (String::new(), vec!["three", "two", "one"]),
        ("&order=asc".to_owned(), vec!["one", "two", "three"]),
        ("&limit=2".to_owned(), vec!["three", "two"]),
        (format!("&after={}", ids[1]), vec!["one"]),
        ("&summary_search=T".to_owned(), vec!["three", "two"]),
        ("&order_by=last_run_completion&limit=20".to_owned(), vec!["three", "two", "one"]),
    ] {
        assert_eq!(each(&server.get(&format!("{base}{query}")).await, "summary"), titles, "{query}");
    }
    for bad in ["&order_by=size", "&limit=-1", "&order=up"] {
        assert_eq!(server.call("GET", &format!("{base}{bad}"), None).await.0, 422, "{bad}");
    }
}
