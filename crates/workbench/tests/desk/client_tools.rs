//! Which folder an agent may use.

use http::Method;
use loci_api::ids::AgentId;
use serde_json::{Value, json};

use crate::fixture::Fixture;

#[tokio::test]
async fn a_folder_is_chosen_per_agent_and_taken_away() {
    let desk = Fixture::new().await;
    let (one, two) = (AgentId::new(), AgentId::new());
    let of =
        async |agent: &AgentId| desk.get(&format!("/workbench/client-tools?agent_id={agent}")).await.ok();
    assert_eq!(of(&one).await["folder"], Value::Null);
    assert_eq!(of(&one).await["tools"][0]["name"], "read_file");

    let notes = desk.notes();
    let choose = async |agent: &AgentId, folder: Value| {
        desk.call(Method::PUT, "/workbench/client-tools/folder", json!({"agent_id": agent, "folder": folder}))
            .await
    };
    let chosen = choose(&one, json!(format!("{}/./", notes.display()))).await.ok();
    assert_eq!(chosen["folder"], json!(notes));
    assert_eq!(of(&one).await["folder"], json!(notes));
    assert_eq!(of(&two).await["folder"], Value::Null, "another agent's folder is its own");

    for (folder, wanted) in [("notes", "whole path"), ("/nowhere/at/all", "no folder"), ("/", "whole disk")] {
        let problem = choose(&one, json!(folder)).await.refusal(400);
        assert!(problem.contains(wanted), "{problem}");
    }
    assert_eq!(of(&one).await["folder"], json!(notes), "a refused choice changes nothing");
    assert_eq!(choose(&one, Value::Null).await.ok()["folder"], Value::Null);
    assert_eq!(of(&one).await["folder"], Value::Null);
}

#[tokio::test]
async fn an_agent_is_named_properly() {
    let desk = Fixture::new().await;
    desk.get("/workbench/client-tools?agent_id=agent-1").await.refusal(422);
    desk.call(Method::PUT, "/workbench/client-tools/folder", json!({"agent_id": "../x", "folder": null}))
        .await
        .refusal(422);
}
