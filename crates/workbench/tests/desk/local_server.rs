//! The local server, the place of keys and the backup, as the window switches them.

use std::net::TcpListener;

use http::Method;
use serde_json::{Value, json};

use crate::fixture::Fixture;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn status(address: &str, path: &str, token: &str) -> Option<u16> {
    let request = reqwest::Client::new().get(format!("{address}{path}")).bearer_auth(token);
    request.send().await.ok().map(|answer| answer.status().as_u16())
}

async fn change(desk: &Fixture, body: Value) -> Value {
    desk.call(Method::PATCH, "/workbench/server", body).await.ok()
}

#[tokio::test]
async fn it_is_off_until_the_person_turns_it_on_and_serves_agents_only() {
    let desk = Fixture::new().await;
    let shown = desk.get("/workbench/server").await.ok();
    assert_eq!(
        (&shown["on"], &shown["can_change"], &shown["port"]),
        (&json!(false), &json!(true), &json!(8283))
    );
    assert_eq!(shown["base_url"], Value::Null);

    let port = free_port();
    let shown = change(&desk, json!({"on": true, "port": port})).await;
    let address = shown["base_url"].as_str().unwrap().to_owned();
    assert_eq!(address, format!("http://127.0.0.1:{port}"));
    assert!(!shown.to_string().contains("\"token\":"));
    let shared = desk.post("/workbench/server/token", json!({})).await.ok();
    let token = shared["token"].as_str().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = shared["token_file"].as_str().unwrap();
        assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(status(&address, "/v1/agents/", "wrong-token").await, Some(401));
    assert_eq!(status(&address, "/v1/agents/", token).await, Some(200));
    assert_eq!(status(&address, "/workbench/approvals", token).await, Some(404), "the desk is the person's");

    let mut events = desk.desk.events().subscribe().unwrap();
    let client = reqwest::Client::new();
    let made = client
        .post(format!("{address}/v1/agents/"))
        .bearer_auth(token)
        .header("content-type", "application/json")
        .body(json!({"name": "Mercury", "model": "rehearsal/rehearsal"}).to_string());
    assert!(made.send().await.unwrap().status().is_success());
    let told = events.recv().await.unwrap();
    assert_eq!(told, loci_workbench::Event::AgentChanged { agent_id: None }, "the window hears of it");

    let fresh = desk.post("/workbench/server/token/rotate", json!({})).await.ok();
    let fresh = fresh["token"].as_str().unwrap();
    assert_eq!(status(&address, "/v1/agents/", token).await, Some(401), "the old token is void at once");
    assert_eq!(status(&address, "/v1/agents/", fresh).await, Some(200));

    let desk = desk.restarted().await;
    assert_eq!(desk.get("/workbench/server").await.ok()["on"], false);
    desk.desk.resume_local_server().await;
    assert_eq!(status(&address, "/v1/agents/", fresh).await, Some(200), "as it was left");
    assert_eq!(change(&desk, json!({"on": false})).await["on"], false);
    assert_eq!(status(&address, "/v1/agents/", fresh).await, None);
    desk.desk.resume_local_server().await;
    assert_eq!(desk.get("/workbench/server").await.ok()["on"], false, "off stays off");
}

#[tokio::test]
async fn a_taken_port_is_said_and_changes_nothing() {
    let desk = Fixture::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text =
        desk.call(Method::PATCH, "/workbench/server", json!({"on": true, "port": port})).await.refusal(409);
    assert!(text.contains("taken by another program"), "{text}");
    assert_eq!(desk.get("/workbench/server").await.ok()["on"], false);
    desk.call(Method::PATCH, "/workbench/server", json!({"port": 0})).await.refusal(422);

    let fine = free_port();
    change(&desk, json!({"on": true, "port": fine})).await;
    desk.call(Method::PATCH, "/workbench/server", json!({"port": port})).await.refusal(409);
    let shown = desk.get("/workbench/server").await.ok();
    assert_eq!((&shown["on"], &shown["port"]), (&json!(true), &json!(fine)), "it goes on where it was");
}

#[tokio::test]
async fn under_loci_serve_it_is_shown_and_changed_elsewhere() {
    let desk = Fixture::new().await;
    let address = "127.0.0.1:1234".parse().unwrap();
    desk.desk.is_served(loci_workbench::Serving { address, token_file: None });
    let shown = desk.get("/workbench/server").await.ok();
    assert_eq!(
        (&shown["can_change"], &shown["on"], &shown["port"]),
        (&json!(false), &json!(true), &json!(1234))
    );
    desk.call(Method::PATCH, "/workbench/server", json!({"on": false})).await.refusal(409);
    desk.post("/workbench/server/token", json!({})).await.refusal(409);
    desk.post("/workbench/server/token/rotate", json!({})).await.refusal(409);
}

#[tokio::test]
async fn a_copy_of_the_data_is_made_and_never_written_over_anything() {
    let desk = Fixture::new().await;
    desk.post("/v1/agents/", json!({"name": "Mercury", "model": "rehearsal/rehearsal"})).await.ok();
    let copied = desk.post("/workbench/backup", json!({})).await.ok();
    let file = copied["file"].as_str().unwrap();
    assert!(copied["bytes"].as_u64().unwrap() > 0);
    let copy = rusqlite::Connection::open(file).unwrap();
    let agents: i64 = copy.query_row("SELECT count(*) FROM agents", [], |row| row.get(0)).unwrap();
    assert_eq!(agents, 1);
    desk.post("/workbench/backup", json!({"file": file})).await.refusal(409);
    desk.post("/workbench/backup", json!({"file": "relative.db"})).await.refusal(400);
    desk.post("/workbench/backup", json!({"file": "/nowhere/at/all.db"})).await.refusal(400);
    let data = desk.get("/workbench/data").await.ok();
    assert!(data["bytes"].as_u64().unwrap() > 0 && file.starts_with(data["backup_dir"].as_str().unwrap()));
}

#[tokio::test]
async fn where_keys_are_kept_cannot_be_changed_when_the_command_line_says_it() {
    let desk = Fixture::new().await;
    assert_eq!(desk.get("/workbench/secrets").await.ok()["store"], "memory");
    let text = desk.post("/workbench/secrets", json!({"store": "file"})).await.refusal(409);
    assert!(text.contains("chosen when Loci was started"), "{text}");
    desk.post("/workbench/secrets", json!({"store": "paper"})).await.refusal(422);
}
