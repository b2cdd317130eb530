//! The history of a block: who changed it, edits over what was seen, the way back.

use http::Method;
use serde_json::{Value, json};

use crate::fixture::Fixture;

async fn block(desk: &Fixture) -> String {
    let made = desk.post("/v1/blocks/", json!({"label": "human", "value": "one"})).await.ok();
    made["id"].as_str().unwrap().to_owned()
}

fn summary(versions: &Value) -> Vec<(i64, String, String)> {
    let text = |version: &Value, key: &str| version[key].as_str().unwrap().to_owned();
    versions
        .as_array()
        .unwrap()
        .iter()
        .map(|version| (version["version"].as_i64().unwrap(), text(version, "value"), text(version, "actor")))
        .collect()
}

#[tokio::test]
async fn every_version_says_who_and_any_can_be_restored() {
    let desk = Fixture::new().await;
    let id = block(&desk).await;
    let path = format!("/workbench/blocks/{id}");
    let edited = desk.call(Method::PATCH, &path, json!({"value": "two", "base_value": "one"})).await.ok();
    assert_eq!((edited["version"].as_i64(), edited["block"]["value"].as_str()), (Some(2), Some("two")));
    desk.call(Method::PATCH, &format!("/v1/blocks/{id}"), json!({"value": "three"})).await.ok();
    let restored = desk.post(&format!("{path}/restore"), json!({"version": 1, "base_version": 3})).await.ok();
    assert_eq!(restored["block"]["value"], "one");
    let versions = desk.get(&format!("{path}/versions")).await.ok();
    let expected = [(4, "one", "person"), (3, "three", "api"), (2, "two", "person"), (1, "one", "api")];
    let expected = expected.map(|(version, value, actor)| (version, value.to_owned(), actor.to_owned()));
    assert_eq!(summary(&versions), expected);
    let page = desk.get(&format!("{path}/versions?before=3&limit=1")).await.ok();
    assert_eq!(summary(&page), expected[2..3]);
}

#[tokio::test]
async fn an_edit_over_something_else_changes_nothing() {
    let desk = Fixture::new().await;
    let id = block(&desk).await;
    let path = format!("/workbench/blocks/{id}");
    let words =
        desk.call(Method::PATCH, &path, json!({"value": "x", "base_value": "zero"})).await.refusal(409);
    assert!(words.contains("changed since"), "{words}");
    desk.call(Method::PATCH, &path, json!({"value": "x", "base_version": 9})).await.refusal(409);
    desk.post(&format!("{path}/restore"), json!({"version": 1, "base_version": 9})).await.refusal(409);
    desk.post(&format!("{path}/restore"), json!({"version": 7, "base_version": 1})).await.refusal(404);
    desk.call(Method::PATCH, &path, json!({"value": "x", "colour": 1})).await.refusal(422);
    desk.call(Method::PATCH, &path, json!({"limit": -1})).await.refusal(422);
    desk.get("/workbench/blocks/block-00000000-0000-4000-8000-000000000000/versions").await.refusal(404);
    desk.get("/workbench/blocks/nonsense/versions").await.refusal(422);
    assert_eq!(desk.get(&format!("/v1/blocks/{id}")).await.ok()["value"], "one");
}

#[tokio::test]
async fn what_an_agent_changed_names_it_and_its_tool() {
    let desk = Fixture::new().await;
    let agent = json!({
        "name": "Mercury",
        "model": "rehearsal/rehearsal",
        "include_base_tools": true,
        "memory_blocks": [{"label": "human", "value": ""}],
    });
    let agent = desk.post("/v1/agents/", agent).await.ok();
    let messages = format!("/v1/agents/{}/messages", agent["id"].as_str().unwrap());
    desk.post(&messages, json!({"input": "remember that I like herons", "streaming": false})).await.ok();
    let block = agent["blocks"][0]["id"].as_str().unwrap();
    let versions = desk.get(&format!("/workbench/blocks/{block}/versions")).await.ok();
    assert_eq!((&versions[0]["actor"], &versions[0]["actor_name"]), (&json!("tool"), &json!("Mercury")));
    assert!(versions[0]["tool_name"].as_str().unwrap().starts_with("memory"), "{versions}");
}
