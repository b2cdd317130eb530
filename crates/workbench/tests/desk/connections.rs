//! Connections: kept, checked, selected, removed; and which requests go where.

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::fixture::Fixture;

const KEY: &str = "sk-of-the-other-server-0123456789";

async fn add(desk: &Fixture, base_url: &str) -> String {
    let body = json!({"name": "Home", "base_url": base_url, "key": KEY});
    let made = desk.post("/workbench/connections", body).await.ok();
    made["id"].as_str().unwrap().to_owned()
}

async fn names(desk: &Fixture) -> Vec<String> {
    let agents = desk.get("/v1/agents/").await.ok();
    agents.as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap().to_owned()).collect()
}

fn agent(name: &str) -> Value {
    json!({"name": name, "model": "rehearsal/rehearsal"})
}

#[tokio::test]
async fn this_machine_is_always_there() {
    let desk = Fixture::new().await;
    let all = desk.get("/workbench/connections").await.ok();
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(all[0]["id"], "local");
    assert_eq!(all[0]["selected"], true);
    assert_eq!(all[0]["lacks"], json!([]));
    desk.call(Method::DELETE, "/workbench/connections/local", json!({})).await.refusal(409);
    desk.call(Method::PATCH, "/workbench/connections/local", json!({"name": "x"})).await.refusal(409);
    assert_eq!(desk.get("/workbench/status").await.ok()["connection"], "local");
}

#[tokio::test]
async fn a_server_is_kept_selected_and_used_and_its_key_never_shown() {
    let (here, there) = (Fixture::new().await, Fixture::new().await);
    here.post("/v1/agents/", agent("Mercury")).await.ok();
    there.post("/v1/agents/", agent("Venus")).await.ok();
    let id = add(&here, &format!("{}/v1/", there.serve().await)).await;

    let checked = here.post(&format!("/workbench/connections/{id}/check"), json!({})).await.ok();
    assert_eq!(checked["health"]["ok"], true, "{checked}");
    assert_eq!(checked["health"]["version"], "0.16.8");
    assert_eq!(checked["lacks_known"], true);
    let lacks: Vec<_> =
        checked["lacks"].as_array().unwrap().iter().map(|lack| lack["feature"].as_str().unwrap()).collect();
    assert!(lacks.contains(&"block_history") && !lacks.contains(&"client_tools"), "{lacks:?}");

    assert_eq!(names(&here).await, ["Mercury"], "adding and checking select nothing");
    let mut events = here.desk.events().subscribe().unwrap();
    here.post(&format!("/workbench/connections/{id}/select"), json!({})).await.ok();
    assert_eq!(events.recv().await.unwrap(), loci_workbench::Event::ConnectionChanged);
    assert_eq!(events.recv().await.unwrap(), loci_workbench::Event::AllChanged);
    assert_eq!(names(&here).await, ["Venus"]);
    assert_eq!(here.get("/workbench/status").await.ok()["connection"], id.as_str());

    let here = here.restarted().await;
    let all = here.get("/workbench/connections").await;
    assert!(!all.text.contains(KEY), "{}", all.text);
    let all = all.ok();
    assert_eq!(all[1]["selected"], true);
    assert_eq!(all[1]["has_key"], true);
    let problem = all[1]["problem"]["message"].as_str().unwrap();
    assert!(problem.contains("earlier session"), "the test's keys are kept in memory: {problem}");
    assert!(here.get("/v1/agents/").await.refusal(503).contains("Enter it again"));
    here.call(Method::PATCH, &format!("/workbench/connections/{id}"), json!({"key": KEY})).await.ok();
    assert_eq!(names(&here).await, ["Venus"]);

    here.call(Method::DELETE, &format!("/workbench/connections/{id}"), json!({})).await.ok();
    assert_eq!(names(&here).await, ["Mercury"], "removing the one in use goes back to this machine");
    here.post(&format!("/workbench/connections/{id}/select"), json!({})).await.refusal(404);
}

#[tokio::test]
async fn a_page_may_name_the_connection_it_shows_and_programs_get_this_machine() {
    let (here, there) = (Fixture::new().await, Fixture::new().await);
    here.post("/v1/agents/", agent("Mercury")).await.ok();
    there.post("/v1/agents/", agent("Venus")).await.ok();
    let id = add(&here, &there.serve().await).await;
    here.post(&format!("/workbench/connections/{id}/select"), json!({})).await.ok();

    let named = |router: axum::Router, connection: Option<&str>| {
        let mut request = Request::get("/v1/agents/");
        if let Some(connection) = connection {
            request = request.header("x-loci-connection", connection);
        }
        let request = request.body(Body::empty()).unwrap();
        async move {
            let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
            let by = response.headers().get("x-loci-answered-by").map(|id| id.to_str().unwrap().to_owned());
            let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
            let body: Value = serde_json::from_slice(&bytes).unwrap();
            (body[0]["name"].as_str().unwrap_or("none").to_owned(), by)
        }
    };
    let window = || loci_workbench::router(here.desk.clone());
    let served = || loci_workbench::served(here.desk.clone());
    let programs = || loci_workbench::programs(here.desk.clone());
    let (venus, mercury) = (("Venus".to_owned(), Some(id.clone())), ("Mercury".to_owned(), None));
    for (what, router, connection, wanted) in [
        ("window", window(), None, &venus),
        ("window, local", window(), Some("local"), &mercury),
        ("browser", served(), Some("selected"), &venus),
        ("browser, by id", served(), Some(id.as_str()), &venus),
        ("program", served(), None, &mercury),
        ("program of the window", programs(), Some("selected"), &mercury),
    ] {
        assert_eq!(&named(router, connection).await, wanted, "{what}");
    }
    assert_eq!(named(window(), Some("connection-gone")).await.0, "none");

    let desk = Request::get("/workbench/status").body(Body::empty()).unwrap();
    let refused = tower::ServiceExt::oneshot(programs(), desk).await.unwrap();
    assert_eq!(refused.status(), 404, "programs have nothing of the desk");
}

#[tokio::test]
async fn what_cannot_be_a_connection_is_refused_with_the_reason() {
    let desk = Fixture::new().await;
    let folder = tempfile::tempdir().unwrap();
    let not_a_certificate = folder.path().join("notes.txt");
    std::fs::write(&not_a_certificate, "hello").unwrap();
    let file = not_a_certificate.to_str().unwrap();
    for (body, status, part) in [
        (json!({"base_url": "nonsense"}), 422, "not an address"),
        (json!({"base_url": "file:///etc/passwd"}), 422, "begins with http"),
        (json!({"base_url": "http://a:b@example.org"}), 422, "own field"),
        (json!({"base_url": "http://example.org", "key": "two words"}), 422, "Copy it again"),
        (json!({"base_url": "https://example.org", "ca_file": "relative.pem"}), 422, "whole path"),
        (json!({"base_url": "https://example.org", "ca_file": "/nowhere/x.pem"}), 422, "cannot be read"),
        (json!({"base_url": "https://example.org", "ca_file": file}), 422, "holds no certificate"),
        (json!({"base_url": "https://example.org", "name": "a\nb"}), 422, "one line"),
        (json!({"base_url": "https://example.org", "nonsense": 1}), 422, "nonsense"),
        (json!({}), 422, "base_url"),
    ] {
        let text = desk.post("/workbench/connections", body.clone()).await.refusal(status);
        assert!(text.contains(part), "{body}: {text}");
    }
    let id = add(&desk, "https://one.example").await;
    desk.post("/workbench/connections", json!({"name": "Home", "base_url": "https://b.example"}))
        .await
        .refusal(409);
    let path = format!("/workbench/connections/{id}");
    let text = desk.call(Method::PATCH, &path, json!({"base_url": "https://two.example"})).await.refusal(409);
    assert!(text.contains("was given for https://one.example"), "a key does not wander: {text}");
    let moved = json!({"base_url": "http://two.example", "key": ""});
    let moved = desk.call(Method::PATCH, &path, moved).await.ok();
    assert_eq!(moved["has_key"], false);
    assert!(moved["warning"]["message"].as_str().unwrap().contains("http://"));
    desk.call(Method::PATCH, "/workbench/connections/none", json!({})).await.refusal(404);
    desk.post("/workbench/connections/none/check", json!({})).await.refusal(404);
}

#[tokio::test]
async fn a_server_can_be_tried_before_it_is_kept() {
    let (desk, other) = (Fixture::new().await, Fixture::new().await);
    let address = other.serve().await;
    let tried = desk.post("/workbench/connections/try", json!({"base_url": address})).await.ok();
    assert_eq!((&tried["ok"], &tried["version"]), (&json!(true), &json!("0.16.8")));
    let tried = desk.post("/workbench/connections/try", json!({"base_url": "http://127.0.0.1:9"})).await.ok();
    assert_eq!(tried["ok"], false);
    assert_eq!(tried["code"], "CONNECTION_UNREACHABLE");
    assert_eq!(desk.get("/workbench/connections").await.ok().as_array().unwrap().len(), 1);
}
