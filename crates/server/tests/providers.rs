//! `/v1/providers`: added, changed, tried and removed; keys go in and never come out.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use loci_testkit::model::FakeModel;
use serde_json::{Value, json};
use support::{Backend, each, provider, text};

const KEY: &str = "sk-very-secret-0123456789";

fn body(name: &str, base_url: &str) -> Value {
    json!({"name": name, "provider_type": "openai", "api_key": KEY, "base_url": base_url})
}

#[tokio::test]
async fn a_provider_is_added_changed_and_removed_without_showing_its_key() {
    let model = FakeModel::start().await.unwrap();
    let backend = Backend::with(Vec::new()).await;
    let added = backend.post("/v1/providers/", body("mine", &model.base_url_openai())).await;
    assert!(text(&added, "id").starts_with("provider-"));
    assert_eq!((&added["provider_category"], &added["api_key"]), (&json!("byok"), &Value::Null));
    assert!(!added.to_string().contains(KEY));
    assert!(backend.app.models().resolve("mine/x").is_ok(), "its models can be used at once");

    let path = format!("/v1/providers/{}", text(&added, "id"));
    assert_eq!(backend.get(&path).await["name"], "mine");
    assert_eq!(each(&backend.get("/v1/providers/?name=mine").await, "name"), ["mine"]);
    assert_eq!(backend.get("/v1/providers/?provider_type=anthropic").await, json!([]));

    let checked = backend.post(&format!("{path}/check"), json!({})).await;
    assert!(text(&checked, "message").contains("valid"), "{checked}");
    let refreshed = backend.patch(&format!("{path}/refresh"), json!({})).await;
    assert!(refreshed["last_synced"].is_string(), "{refreshed}");

    let changed =
        backend.patch(&path, json!({"api_key": "sk-another", "base_url": "http://127.0.0.1:9/v1"})).await;
    assert_eq!(changed["base_url"], "http://127.0.0.1:9/v1");
    let (status, problem) = backend.call("POST", &format!("{path}/check"), None).await;
    assert_eq!(status, 502, "{problem}");
    assert!(problem["error"]["message"].as_str().unwrap().contains("mine"), "{problem}");

    let (status, _) = backend.call("DELETE", &path, None).await;
    assert_eq!(status, 200);
    let (status, gone) = backend.call("DELETE", &path, None).await;
    assert_eq!((status.as_u16(), text(&gone, "detail").contains("not found")), (404, true));
    assert!(backend.app.models().resolve("mine/x").is_err());
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_a_reason() {
    let backend = Backend::with(vec![provider("openai")]).await;
    for (given, status, part) in [
        (body("openai", "http://127.0.0.1:9/v1"), 400, "openai"),
        (body(" ", "http://127.0.0.1:9/v1"), 422, "name"),
        (body("a/b", "http://127.0.0.1:9/v1"), 422, "a/b"),
        (body("x", "ftp://127.0.0.1"), 422, "http://"),
        (
            json!({"name": "x", "provider_type": "nonsense", "api_key": "k", "base_url": "http://x"}),
            422,
            "nonsense",
        ),
        (json!({"name": "x", "provider_type": "openai"}), 422, "api_key"),
        (json!({"name": "x", "provider_type": "openai", "api_key": "k", "colour": "red"}), 422, "colour"),
        (
            json!({"name": "x", "provider_type": "openai", "api_key": "k", "access_key": "a"}),
            422,
            "access_key",
        ),
    ] {
        let (got, problem) = backend.call("POST", "/v1/providers/", Some(given.clone())).await;
        assert_eq!(got, status, "{given}: {problem}");
        assert!(text(&problem, "detail").contains(part), "{given}: {problem}");
    }
    assert_eq!(backend.get("/v1/providers/").await, json!([]), "those of the environment are not listed");
    backend.post("/v1/providers/", body("x", "http://127.0.0.1:9/v1")).await;
    let (status, _) = backend.call("POST", "/v1/providers/", Some(body("x", "http://127.0.0.1:9/v1"))).await;
    assert_eq!(status, 409);
    let (status, _) = backend.call("GET", "/v1/providers/provider-x", None).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_key_is_tried_before_it_is_kept() {
    let model = FakeModel::start().await.unwrap();
    let backend = Backend::with(Vec::new()).await;
    let tried = json!({"provider_type": "openai", "api_key": KEY, "base_url": model.base_url_openai()});
    let answer = backend.post("/v1/providers/check", tried).await;
    assert!(text(&answer, "message").contains("valid"), "{answer}");
    assert_eq!(backend.get("/v1/providers/").await, json!([]));
    let nobody = json!({"provider_type": "openai", "api_key": KEY, "base_url": "http://127.0.0.1:9/v1"});
    let (status, problem) = backend.call("POST", "/v1/providers/check", Some(nobody)).await;
    assert_eq!(status, 502);
    assert!(!problem.to_string().contains(KEY), "{problem}");
}
