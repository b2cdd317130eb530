//! Deleted agents: out of sight on every route, back with everything, or gone for good.

use http::Method;
use loci_workbench::Event;
use serde_json::{Value, json};

use crate::fixture::Fixture;

const NOWHERE: &str = "agent-00000000-0000-4000-8000-000000000000";

async fn agent(desk: &Fixture) -> Value {
    let wish = json!({
        "name": "Mercury",
        "model": "rehearsal/rehearsal",
        "include_base_tools": true,
        "memory_blocks": [{"label": "human", "value": "Likes herons"}],
        "secrets": {"KEY": "swordfish"},
        "tags": ["bird"],
    });
    desk.post("/v1/agents/", wish).await.ok()
}

#[tokio::test]
async fn a_deleted_agent_is_out_of_sight_and_comes_back_whole() {
    let desk = Fixture::new().await;
    let made = agent(&desk).await;
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/agents/{id}");
    desk.post(&format!("{path}/messages"), json!({"input": "hello heron", "streaming": false})).await.ok();
    let talk = desk.post(&format!("/v1/conversations/?agent_id={id}"), json!({"summary": "talk"})).await.ok();
    let reads = [
        path.clone(),
        format!("{path}/messages?order=asc&limit=100"),
        format!("{path}/core-memory/blocks"),
        format!("{path}/tools"),
        format!("/v1/conversations/{}", talk["id"].as_str().unwrap()),
    ];
    let mut before = Vec::new();
    for read in &reads {
        before.push(desk.get(read).await.ok());
    }
    desk.call(Method::DELETE, &path, Value::Null).await.ok();
    for read in &reads {
        desk.get(read).await.refusal(404);
    }
    desk.call(Method::DELETE, &path, Value::Null).await.refusal(404);
    for list in ["/v1/agents/", "/v1/runs/", "/v1/steps/", "/v1/tags/"] {
        assert_eq!(desk.get(list).await.ok(), json!([]), "{list}");
    }
    assert_eq!(desk.get("/v1/agents/count").await.ok(), json!(0));
    let kept = desk.get("/workbench/deleted-agents").await.ok();
    assert_eq!(
        (&kept[0]["id"], &kept[0]["name"], kept.as_array().unwrap().len()),
        (&made["id"], &json!("Mercury"), 1)
    );
    assert!(kept[0]["deleted_at"].as_str().unwrap() < kept[0]["kept_until"].as_str().unwrap());
    assert!(!kept.to_string().contains("swordfish"));

    let mut events = desk.desk.events().subscribe().unwrap();
    let restore = format!("/workbench/deleted-agents/{id}/restore");
    assert_eq!(desk.post(&restore, Value::Null).await.status, 204);
    assert_eq!(events.recv().await.unwrap(), Event::AgentChanged { agent_id: Some(id.to_owned()) });
    for (read, before) in reads.iter().zip(before) {
        assert_eq!(desk.get(read).await.ok(), before, "{read}");
    }
    assert_eq!(desk.get("/workbench/deleted-agents").await.ok(), json!([]));
    desk.post(&restore, Value::Null).await.refusal(404);
    desk.post(&format!("{path}/messages"), json!({"input": "again", "streaming": false})).await.ok();
}

#[tokio::test]
async fn one_that_is_let_go_does_not_come_back() {
    let desk = Fixture::new().await;
    let made = agent(&desk).await;
    let id = made["id"].as_str().unwrap();
    let kept = format!("/workbench/deleted-agents/{id}");
    let words = desk.call(Method::DELETE, &kept, Value::Null).await.refusal(404);
    assert!(words.contains("30 days"), "{words}");
    desk.get(&format!("/v1/agents/{id}")).await.ok();
    desk.call(Method::DELETE, &format!("/v1/agents/{id}"), Value::Null).await.ok();
    assert_eq!(desk.call(Method::DELETE, &kept, Value::Null).await.status, 204);
    desk.post(&format!("{kept}/restore"), Value::Null).await.refusal(404);
    assert_eq!(desk.get("/workbench/deleted-agents").await.ok(), json!([]));
    desk.post(&format!("/workbench/deleted-agents/{NOWHERE}/restore"), Value::Null).await.refusal(404);
    desk.post("/workbench/deleted-agents/nonsense/restore", Value::Null).await.refusal(422);
}
