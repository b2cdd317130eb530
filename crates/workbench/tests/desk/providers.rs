//! Model endpoints and keys: keys go in and never come out.

use http::Method;
use loci_llm::ProviderConfig;
use serde_json::json;

use crate::fixture::Fixture;

const KEY: &str = "sk-very-secret-0123456789";

fn environment() -> Vec<ProviderConfig> {
    ProviderConfig::from_env(&|name| match name {
        "OPENAI_API_KEY" => Some("sk-of-the-environment".to_owned()),
        "OPENAI_BASE_URL" => Some("http://127.0.0.1:9/v1".to_owned()),
        _ => None,
    })
    .unwrap()
}

#[tokio::test]
async fn a_provider_comes_goes_and_keeps_its_key_to_itself() {
    let desk = Fixture::new().await;
    let added = desk
        .post(
            "/workbench/providers",
            json!({"name": "desk", "provider_type": "openai", "base_url": "http://127.0.0.1:9/v1", "api_key": KEY}),
        )
        .await;
    assert!(!added.text.contains(KEY));
    let added = added.ok();
    assert_eq!(
        (&added["name"], &added["has_key"], &added["category"]),
        (&json!("desk"), &json!(true), &json!("byok"))
    );
    assert!(desk.desk.app().models().resolve("desk/some-model").is_ok(), "the models know it at once");

    let id = added["id"].as_str().unwrap();
    let path = format!("/workbench/providers/{id}");
    let changed = desk.call(Method::PATCH, &path, json!({"base_url": "http://127.0.0.1:10/v1"})).await.ok();
    assert_eq!((&changed["base_url"], &changed["has_key"]), (&json!("http://127.0.0.1:10/v1"), &json!(true)));
    let changed = desk.call(Method::PATCH, &path, json!({"api_key": ""})).await.ok();
    assert_eq!(changed["has_key"], false);

    for file in std::fs::read_dir(desk.desk.app().options().data_dir.clone()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{}", path.display());
        }
    }
    desk.call(Method::DELETE, &path, json!(null)).await.ok();
    assert_eq!(desk.get("/workbench/providers").await.ok(), json!([]));
    assert!(desk.desk.app().models().resolve("desk/some-model").is_err());
    desk.call(Method::DELETE, &path, json!(null)).await.refusal(404);
}

#[tokio::test]
async fn what_cannot_work_is_refused_with_a_reason() {
    let desk = Fixture::new().await;
    for (body, wanted) in [
        (json!({"provider_type": "nonsense", "base_url": "http://x"}), "nonsense"),
        (json!({"provider_type": "custom"}), "needs a base URL"),
        (json!({"provider_type": "openai", "base_url": "ftp://x"}), "http://"),
        (json!({"provider_type": "openai", "base_url": "http://a:b@x"}), "user name"),
        (json!({"provider_type": "openai", "name": "a/b"}), "a/b"),
        (json!({"provider_type": "openai", "name": "rehearsal"}), "rehearsal"),
        (json!({"provider_type": "openai", "api_key": "schl\u{fc}ssel"}), "key"),
        (json!({"provider_type": "openai", "apikey": "x"}), "apikey"),
        (json!({}), "provider_type"),
    ] {
        let problem = desk.post("/workbench/providers", body.clone()).await.refusal(422);
        assert!(problem.contains(wanted), "{body}: {problem}");
    }
    assert_eq!(desk.get("/workbench/providers").await.ok(), json!([]));
    desk.post("/workbench/providers", json!({"provider_type": "openai"})).await.ok();
    let problem = desk.post("/workbench/providers", json!({"provider_type": "openai"})).await.refusal(409);
    assert!(problem.contains("openai already"), "{problem}");
}

#[tokio::test]
async fn one_added_by_hand_takes_the_place_of_the_environment_s() {
    let desk = Fixture::with(environment()).await;
    let listed = desk.get("/workbench/providers").await.ok();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!((&listed[0]["category"], &listed[0]["editable"]), (&json!("base"), &json!(false)));
    assert!(!listed.to_string().contains("sk-of-the-environment"));
    let id = listed[0]["id"].as_str().unwrap();
    let path = format!("/workbench/providers/{id}");
    desk.call(Method::DELETE, &path, json!(null)).await.refusal(409);
    desk.call(Method::PATCH, &path, json!({"api_key": "x"})).await.refusal(409);

    let mine = json!({"provider_type": "openai", "base_url": "http://127.0.0.1:11/v1"});
    let added = desk.post("/workbench/providers", mine).await.ok();
    let listed = desk.get("/workbench/providers").await.ok();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["id"], added["id"]);
    let endpoint = || desk.desk.app().models().resolve("openai/m").unwrap().endpoint;
    assert_eq!(endpoint().as_deref(), Some("http://127.0.0.1:11/v1"));

    let path = format!("/workbench/providers/{}", added["id"].as_str().unwrap());
    desk.call(Method::DELETE, &path, json!(null)).await.ok();
    assert_eq!(endpoint().as_deref(), Some("http://127.0.0.1:9/v1"));
    assert_eq!(desk.get("/workbench/providers").await.ok()[0]["category"], "base");
}

#[tokio::test]
async fn a_test_that_fails_is_an_answer() {
    let desk = Fixture::with(environment()).await;
    let tested = desk.post("/workbench/providers/environment-openai/test", json!(null)).await.ok();
    assert_eq!(tested["ok"], false);
    assert!(!tested["said"]["message"].as_str().unwrap().is_empty());
    assert!(!tested.to_string().contains("sk-of-the-environment"));
    desk.post("/workbench/providers/environment-x/test", json!(null)).await.refusal(404);
    desk.post("/workbench/providers/provider-x/test", json!(null)).await.refusal(404);
}

#[tokio::test]
async fn added_providers_are_there_after_a_restart() {
    let desk = Fixture::new().await;
    desk.post(
        "/workbench/providers",
        json!({"name": "desk", "provider_type": "vllm", "base_url": "http://127.0.0.1:9/v1"}),
    )
    .await
    .ok();
    let desk = desk.restarted().await;
    assert_eq!(desk.get("/workbench/providers").await.ok()[0]["name"], "desk");
    assert!(desk.desk.app().models().resolve("desk/m").is_ok());
}

#[tokio::test]
async fn the_catalogue_says_what_each_kind_needs() {
    let desk = Fixture::new().await;
    let kinds = desk.get("/workbench/providers/kinds").await.ok();
    let of = |name: &str| {
        kinds.as_array().unwrap().iter().find(|kind| kind["provider_type"] == name).unwrap().clone()
    };
    assert_eq!((&of("openai")["key_required"], &of("openai")["is_local"]), (&json!(true), &json!(false)));
    assert_eq!((&of("ollama")["key_required"], &of("ollama")["is_local"]), (&json!(false), &json!(true)));
    assert!(of("azure")["base_url_example"].is_string());
    let body = json!({"provider_type": "bedrock", "region": "eu-central-1", "api_key": "k-0123456"});
    let added = desk.post("/workbench/providers", body).await.ok();
    assert!(added["base_url"].as_str().unwrap().contains("eu-central-1"), "{added}");
}

#[tokio::test]
async fn one_that_cannot_be_reached_says_so_and_extra_headers_keep_their_values() {
    let desk = Fixture::new().await;
    let body = json!({
        "name": "desk", "provider_type": "vllm", "base_url": "http://127.0.0.1:9/v1",
        "headers": {"X-Team": "of-nobody-else"},
    });
    let tried = desk.post("/workbench/providers/try", body.clone()).await.ok();
    assert_eq!(tried["ok"], false);
    assert!(tried["said"]["message"].as_str().unwrap().contains("desk"), "{tried}");
    assert_eq!(desk.get("/workbench/providers").await.ok(), json!([]), "trying keeps nothing");

    desk.post("/workbench/providers", body).await.ok();
    // Waits until its list came or did not.
    desk.desk.app().models().list().await;
    let listed = desk.get("/workbench/providers").await.ok();
    assert_eq!((&listed[0]["reachable"], &listed[0]["headers"]), (&json!(false), &json!(["X-Team"])));
    assert!(!listed[0]["problem"]["message"].as_str().unwrap().is_empty());
    assert!(!listed.to_string().contains("of-nobody-else"));
}
