//! Vectors of passages: made in the background by the chosen embedder, anew when it changes, and missed by nobody
//! when it does not answer.

use std::time::Duration;

use http::Method;
use loci_llm::ProviderConfig;
use loci_testkit::{model::FakeModel, reply::Reply};
use serde_json::{Value, json};

use crate::fixture::Fixture;

async fn desk_of(model: &FakeModel) -> Fixture {
    let url = model.base_url_openai();
    let environment = ProviderConfig::from_env(&|name| match name {
        "OPENAI_API_KEY" => Some("sk-of-the-environment".to_owned()),
        "OPENAI_BASE_URL" => Some(url.clone()),
        _ => None,
    })
    .unwrap();
    Fixture::with(environment).await
}

/// Waits until the first archive is as wanted.
async fn until(desk: &Fixture, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..1_000 {
        let shown = desk.get("/workbench/embedding").await.ok()[0].clone();
        if wanted(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never as wanted: {}", desk.get("/workbench/embedding").await.text);
}

async fn search(desk: &Fixture, query: &str) -> Value {
    desk.post("/v1/passages/search", json!({"query": query})).await.ok()
}

#[tokio::test]
async fn vectors_follow_the_chosen_embedder_and_full_text_never_stops() {
    let model = FakeModel::start().await.unwrap();
    let desk = desk_of(&model).await;
    let archive = desk.post("/v1/archives/", json!({"name": "Notes"})).await.ok();
    let path = format!("/v1/archives/{}/passages", archive["id"].as_str().unwrap());
    for text in ["Mira prefers green tea", "The heron stands in the water"] {
        desk.post(&path, json!({"text": text})).await.ok();
    }
    let shown = &desk.get("/workbench/embedding").await.ok()[0];
    assert_eq!((&shown["handle"], &shown["passages"]), (&Value::Null, &json!(2)));
    assert_eq!(search(&desk, "heron").await[0]["metadata"]["vector_rank"], Value::Null);
    assert_eq!(model.embeddings().len(), 0, "nobody was asked unasked");

    let choice = json!({"handle": "openai/text-embedding-3-small"});
    desk.call(Method::PUT, "/workbench/embedding", choice).await.ok();
    until(&desk, |shown| shown["embedded"] == 2).await;
    let found = search(&desk, "The heron stands in the water").await;
    assert_eq!(found[0]["metadata"], json!({"fts_rank": 1, "vector_rank": 1}), "{found}");
    let asked: Vec<_> = model.embeddings().iter().map(|request| request.body["model"].clone()).collect();
    assert!(asked.iter().all(|name| name == "text-embedding-3-small"), "{asked:?}");

    let choice = json!({"archive_id": archive["id"], "handle": "openai/text-embedding-3-large"});
    desk.call(Method::PUT, "/workbench/embedding", choice).await.ok();
    until(&desk, |shown| shown["embedded"] == 2 && shown["handle"] == "openai/text-embedding-3-large").await;
    assert_eq!(model.embeddings().last().unwrap().body["model"], "text-embedding-3-large");
    desk.call(Method::PUT, "/workbench/embedding", json!({"handle": null})).await.ok();
    assert_eq!(search(&desk, "heron").await.as_array().unwrap().len(), 1);
    desk.call(Method::PUT, "/workbench/embedding", json!({"handle": "nonsense"})).await.refusal(400);
}

#[tokio::test]
async fn an_embedder_that_does_not_answer_is_named_and_asked_again() {
    let model = FakeModel::start().await.unwrap();
    model.fail_embeddings((0..20).map(|_| Reply::failure(401, "invalid key")));
    let desk = desk_of(&model).await;
    let body = json!({"name": "Notes", "embedding": "openai/text-embedding-3-small"});
    let archive = desk.post("/v1/archives/", body).await.ok();
    let path = format!("/v1/archives/{}/passages", archive["id"].as_str().unwrap());
    desk.post(&path, json!({"text": "The heron stands in the water"})).await.ok();
    let shown = until(&desk, |shown| !shown["problem"].is_null()).await;
    assert_eq!((&shown["embedded"], &shown["passages"]), (&json!(0), &json!(1)));
    assert!(shown["problem"]["message"].as_str().unwrap().contains("openai"), "{shown}");
    let found = search(&desk, "heron").await;
    assert_eq!(found[0]["passage"]["text"], "The heron stands in the water", "found by its words");
    while model.embeddings().len() < 20 && desk.get("/workbench/embedding").await.ok()[0]["embedded"] == 0 {
        desk.post("/workbench/embedding/retry", Value::Null).await.ok();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    desk.post("/workbench/embedding/retry", Value::Null).await.ok();
    let shown = until(&desk, |shown| shown["embedded"] == 1).await;
    assert_eq!(shown["problem"], Value::Null);
}
