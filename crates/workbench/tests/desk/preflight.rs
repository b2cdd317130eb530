//! Trying out a model: a good one, one that cannot call tools, one whose context is cut, one that is not there.

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

fn last_text(request: &Value) -> String {
    request["messages"].as_array().unwrap().last().unwrap()["content"].to_string()
}

/// A model that does everything asked of it, and reads the last `window` characters only.
fn able(window: usize) -> impl Fn(&Value) -> Option<Reply> + Send + Sync + 'static {
    move |request| {
        let text = last_text(request);
        let weather = |city: &str| ("get_weather".to_owned(), json!({"city": city}));
        let tools = request["tools"].as_array().map_or(0, Vec::len);
        Some(if text.contains("three codes") {
            let seen: String =
                text.chars().rev().take(window).collect::<Vec<_>>().into_iter().rev().collect();
            let codes: Vec<&str> = seen
                .split("code number ")
                .skip(1)
                .filter_map(|rest| rest.split(" is ").nth(1)?.split('.').next())
                .collect();
            Reply::text(codes.join(" "))
        } else if text.contains("in Lima?") {
            Reply::calls([weather("Berlin"), weather("Lima")])
        } else if text.contains("Place an order") {
            Reply::call(
                "place_order",
                json!({
                    "customer": {"name": "Mira", "city": "Lima"},
                    "items": [{"article": "cup", "count": 2}, {"article": "pot", "count": 1}],
                }),
            )
        } else if tools > 0 {
            Reply::calls([weather("Berlin")])
        } else if text.contains("colour") {
            Reply::text("Red.")
        } else if text.contains("locker") {
            Reply::text("4711")
        } else {
            Reply::text("heron 1 2 3 4 5 6 7 8 9 10")
        })
    }
}

/// Begins a trial and waits for its end.
async fn tried(desk: &Fixture, body: Value) -> Value {
    let begun = desk.post("/workbench/preflight", body).await.ok();
    let path = format!("/workbench/preflight/{}", begun["id"].as_str().unwrap());
    for _ in 0..1_500 {
        let card = desk.get(&path).await.ok();
        if card["status"] != "running" {
            return card;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never ended: {}", desk.get(&path).await.text);
}

fn of<'a>(card: &'a Value, name: &str) -> &'a Value {
    card["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()
}

#[tokio::test]
async fn an_able_model_passes_and_its_card_is_kept() {
    let model = FakeModel::start().await.unwrap();
    model.respond_with(able(usize::MAX));
    let desk = desk_of(&model).await;
    assert_eq!(desk.get("/workbench/preflight").await.ok(), json!([]));
    let wanted = "/workbench/preflight/estimate?model=openai/gpt-4.1&context_tokens=4096";
    let estimate = desk.get(wanted).await.ok();
    assert_eq!((&estimate["is_local"], model.requests().len()), (&json!(false), 0), "nothing was asked");
    assert_eq!(estimate["cost_usd"], Value::Null, "no price is made up");
    let card = tried(&desk, json!({"model": "openai/gpt-4.1", "context_tokens": 4096})).await;
    assert_eq!(estimate["calls"], model.requests().len(), "as many as were made");
    assert_eq!(card["is_current"], true);
    let verdicts: Vec<_> = card["checks"].as_array().unwrap().iter().map(|check| &check["verdict"]).collect();
    assert_eq!(verdicts, vec!["pass"; 11], "{card}");
    assert_eq!((&card["status"], &card["fits_agents"]), (&json!("finished"), &json!(true)));
    assert!(card["effective_context_tokens"].as_u64().unwrap() >= 4096, "{card}");
    assert!(card["tokens_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(of(&card, "tool_call")["evidence"]["tool_calls"][0]["name"], "get_weather");
    assert_eq!(desk.get("/workbench/preflight?model=openai/gpt-4.1").await.ok()[0], card);
    let kinds = desk.get("/workbench/usage?group_by=kind").await.ok();
    assert_eq!(kinds["groups"][0]["key"], "preflight", "what it used is written down");
    let path = format!("/workbench/preflight/{}", card["id"].as_str().unwrap());
    desk.call(Method::DELETE, &path, Value::Null).await.ok();
    desk.get(&path).await.refusal(404);
}

#[tokio::test]
async fn a_model_that_cannot_call_tools_or_loses_the_beginning_is_found_out() {
    let model = FakeModel::start().await.unwrap();
    let good = able(20_000);
    model.respond_with(move |request| {
        if request["tools"].as_array().is_some_and(|tools| !tools.is_empty()) {
            return Some(Reply::text("{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Berlin\"}}"));
        }
        if last_text(request).contains("colour") {
            return Some(Reply::failure(400, "images are not supported"));
        }
        good(request)
    });
    let desk = desk_of(&model).await;
    let card = tried(&desk, json!({"model": "openai/gpt-4.1", "context_tokens": 16384})).await;
    assert_eq!(card["fits_agents"], false);
    let call = of(&card, "tool_call");
    assert_eq!(call["verdict"], "fail");
    assert!(call["detail"].as_str().unwrap().contains("into its text"), "{call}");
    assert!(call["remedy"].as_str().unwrap().contains("--jinja"), "{call}");
    assert_eq!(
        (&call["finding"], &call["advice"]),
        (&json!("writes_call_as_text"), &json!("read_calls")),
        "programs with words of their own go by these"
    );
    assert_eq!(of(&card, "image")["verdict"], "warn");
    let context = of(&card, "context_length");
    assert_ne!(context["verdict"], "pass", "{context}");
    assert!(context["detail"].as_str().unwrap().contains("cut without a word"), "{context}");
    assert!(context["remedy"].as_str().unwrap().contains("context window to"), "{context}");
    let effective = card["effective_context_tokens"].as_u64().unwrap();
    assert!((4_000..8_192).contains(&effective), "{effective}");
}

#[tokio::test]
async fn a_model_that_is_not_there_is_asked_once() {
    let model = FakeModel::start().await.unwrap();
    model.default_reply(Reply::failure(401, "invalid key"));
    let desk = desk_of(&model).await;
    let card = tried(&desk, json!({"model": "openai/gpt-4.1"})).await;
    assert_eq!(card["checks"][0]["verdict"], "fail");
    assert!(
        card["checks"].as_array().unwrap()[1..].iter().all(|check| check["verdict"] == "skipped"),
        "{card}"
    );
    assert_eq!((model.requests().len(), &card["fits_agents"]), (1, &json!(false)));
    desk.get("/workbench/preflight/estimate?model=nobody/x").await.refusal(404);
    desk.get("/workbench/preflight/estimate?model=rehearsal/rehearsal").await.refusal(422);
    for (body, status) in [
        (json!({"model": "nobody/x"}), 404),
        (json!({"model": "rehearsal/rehearsal"}), 422),
        (json!({"model": "openai/gpt-4.1", "context_tokens": 1}), 422),
        (json!({"model": "openai/gpt-4.1", "checks": ["colour"]}), 422),
    ] {
        desk.post("/workbench/preflight", body.clone()).await.refusal(status);
    }
}

#[tokio::test]
async fn a_card_no_longer_holds_when_its_provider_has_moved() {
    let (old, new) = (FakeModel::start().await.unwrap(), FakeModel::start().await.unwrap());
    old.respond_with(able(usize::MAX));
    let desk = Fixture::with(Vec::new()).await;
    let added = json!({"name": "mine", "provider_type": "custom", "base_url": old.base_url_openai()});
    let provider = desk.post("/workbench/providers", added).await.ok();
    desk.desk.app().models().list().await;
    let card = tried(&desk, json!({"model": "mine/gpt-4.1", "context_tokens": 1024})).await;
    assert_eq!((&card["is_current"], &card["fits_agents"]), (&json!(true), &json!(true)), "{card}");
    let path = format!("/workbench/providers/{}", provider["id"].as_str().unwrap());
    desk.call(Method::PATCH, &path, json!({"base_url": new.base_url_openai()})).await.ok();
    let cards = desk.get("/workbench/preflight").await.ok();
    assert_eq!((&cards[0]["id"], &cards[0]["is_current"]), (&card["id"], &json!(false)));
}

#[tokio::test]
async fn a_trial_is_cancelled_and_keeps_what_it_found() {
    let model = FakeModel::start().await.unwrap();
    model.default_reply(Reply { hold: true, ..Reply::text("heron") });
    let desk = desk_of(&model).await;
    let begun = desk.post("/workbench/preflight", json!({"model": "openai/gpt-4.1"})).await.ok();
    let again = desk.post("/workbench/preflight", json!({"model": "openai/gpt-4.1"})).await.ok();
    assert_eq!(begun["id"], again["id"], "one trial of a model at a time");
    let path = format!("/workbench/preflight/{}", begun["id"].as_str().unwrap());
    desk.call(Method::DELETE, &path, Value::Null).await.refusal(409);
    desk.post(&format!("{path}/cancel"), Value::Null).await.ok();
    for _ in 0..500 {
        if desk.get(&path).await.ok()["status"] == "cancelled" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{}", desk.get(&path).await.text);
}
