//! What other windows hear.

use http::Method;
use loci_workbench::Event;
use serde_json::json;

use crate::fixture::Fixture;

#[tokio::test]
async fn changes_are_told_to_all_who_listen() {
    let desk = Fixture::new().await;
    let mut events = desk.desk.events().subscribe().unwrap();
    desk.call(Method::PATCH, "/workbench/settings", json!({"theme": "dark"})).await.ok();
    assert_eq!(events.recv().await.unwrap(), Event::SettingsChanged);
    desk.post("/workbench/providers", json!({"provider_type": "openai"})).await.ok();
    assert_eq!(events.recv().await.unwrap(), Event::ProviderChanged);
    desk.post("/v1/agents/", json!({"name": "Mercury", "model": "rehearsal/rehearsal"})).await.ok();
    assert_eq!(events.recv().await.unwrap(), Event::AgentChanged { agent_id: None });
}

#[tokio::test]
async fn a_stopping_desk_ends_its_streams() {
    let desk = Fixture::new().await;
    let listening = desk.get("/workbench/events");
    tokio::pin!(listening);
    assert!(futures::poll!(&mut listening).is_pending());
    desk.desk.close();
    let got = listening.await;
    assert!(got.status.is_success());
    desk.get("/workbench/events").await.refusal(503);
}
