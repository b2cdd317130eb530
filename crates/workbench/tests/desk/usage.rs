//! What models used, and the budgets that stop an agent and let it go on.

use http::Method;
use loci_llm::ProviderConfig;
use loci_testkit::{
    model::FakeModel,
    reply::{Reply, ReplyUsage},
};
use serde_json::{Value, json};

use crate::fixture::Fixture;

async fn started() -> (Fixture, FakeModel, String) {
    let model = FakeModel::start().await.unwrap();
    // As OpenRouter lists it: dollars per token.
    let listed = json!({"id": "gpt-4.1", "pricing": {"prompt": "0.000002", "completion": "0.000008"}});
    model.list_models(200, json!({"data": [listed, {"id": "free-of-price"}]}));
    let url = model.base_url_openai();
    let environment = ProviderConfig::from_env(&|name| match name {
        "OPENROUTER_API_KEY" => Some("sk-of-the-environment".to_owned()),
        "OPENROUTER_BASE_URL" => Some(url.clone()),
        _ => None,
    })
    .unwrap();
    let desk = Fixture::with(environment).await;
    desk.desk.app().models().list().await;
    let agent =
        desk.post("/v1/agents/", json!({"model": "openrouter/gpt-4.1", "name": "Spender"})).await.ok();
    let id = agent["id"].as_str().unwrap().to_owned();
    (desk, model, id)
}

fn reply(prompt: u64, completion: u64) -> Reply {
    Reply {
        usage: Some(ReplyUsage {
            prompt_tokens: prompt,
            completion_tokens: completion,
            ..ReplyUsage::default()
        }),
        ..Reply::text("Yes.")
    }
}

async fn send(desk: &Fixture, agent: &str) -> crate::fixture::Got {
    let body = json!({"messages": [{"role": "user", "content": "hello"}]});
    desk.post(&format!("/v1/agents/{agent}/messages"), body).await
}

#[tokio::test]
async fn calls_are_counted_priced_and_grouped() {
    let (desk, model, agent) = started().await;
    model.script([reply(10_000, 1_000), reply(1_000, 0)]);
    send(&desk, &agent).await.ok();
    send(&desk, &agent).await.ok();
    let by_agent = desk.get("/workbench/usage?group_by=agent").await.ok();
    let group = &by_agent["groups"][0];
    assert_eq!((&group["key"], &group["name"]), (&json!(agent), &json!("Spender")));
    assert_eq!((&group["calls"], &group["prompt_tokens"]), (&json!(2), &json!(11_000)));
    assert_eq!(group["tokens_estimated"], false);
    assert_eq!((&group["cost_usd"], &group["cost_is_partial"]), (&json!(0.03), &json!(false)));
    assert_eq!(by_agent["total"]["total_tokens"], 12_000);
    for (by, groups) in [("day", 1), ("model", 1), ("run", 2), ("step", 2), ("conversation", 1), ("kind", 1)]
    {
        let shown = desk.get(&format!("/workbench/usage?group_by={by}&timezone=Europe/Berlin")).await.ok();
        assert_eq!(shown["groups"].as_array().unwrap().len(), groups, "{by}: {shown}");
        assert_eq!(shown["total"]["cost_usd"], by_agent["total"]["cost_usd"], "{by}");
    }
    let by_message = desk.get("/workbench/usage?group_by=message").await.ok();
    let costs: Vec<_> = by_message["groups"].as_array().unwrap().iter().map(|one| &one["cost_usd"]).collect();
    assert_eq!(costs, [&json!(0.028), &json!(0.002)], "what was said, with what answering it cost");
    let dearest = &by_message["groups"][0];
    assert_eq!((&dearest["name"], &dearest["agent_name"]), (&json!("hello"), &json!("Spender")));
    let by_conversation = desk.get("/workbench/usage?group_by=conversation").await.ok();
    assert_eq!(by_conversation["groups"][0]["agent_name"], "Spender", "the main one is the agent's");
    let later = desk.get("/workbench/usage?from=2100-01-01T00:00:00Z").await.ok();
    assert_eq!((&later["total"]["calls"], &later["groups"]), (&json!(0), &json!([])));
    desk.get("/workbench/usage?timezone=Nowhere").await.refusal(422);
    model.script([reply(10, 1)]);
    desk.post(&format!("/v1/agents/{agent}/generate"), json!({"prompt": "a title, please"})).await.ok();
    let by_kind = desk.get("/workbench/usage?group_by=kind").await.ok();
    assert_eq!(
        (&by_kind["groups"][1]["key"], &by_kind["groups"][1]["total_tokens"]),
        (&json!("other"), &json!(11))
    );
    desk.call(Method::DELETE, &format!("/v1/agents/{agent}"), Value::Null).await.ok();
    assert_eq!(
        desk.get("/workbench/usage?group_by=kind").await.ok(),
        by_kind,
        "deleting an agent gives nothing back"
    );
}

#[tokio::test]
async fn what_a_trial_would_cost_is_said_beforehand() {
    let (desk, model, _agent) = started().await;
    let estimate = desk.get("/workbench/preflight/estimate?model=openrouter/gpt-4.1").await.ok();
    // Texts of 2, 4, 8 and 16 thousand tokens, and ten short questions.
    assert_eq!((&estimate["calls"], &estimate["prompt_tokens"]), (&json!(14), &json!(34_720)), "{estimate}");
    let (cost, most) =
        (estimate["cost_usd"].as_f64().unwrap(), estimate["cost_at_most_usd"].as_f64().unwrap());
    assert!((cost - 0.07888).abs() < 1e-9, "{estimate}");
    assert!((most - (0.06944 + 14.0 * 4096.0 * 8e-6)).abs() < 1e-9, "{estimate}");
    assert_eq!(model.requests().len(), 0, "nobody was asked");
}

#[tokio::test]
async fn where_no_price_is_known_no_cost_is_made_up() {
    let (desk, model, agent) = started().await;
    model.script([reply(1_000, 0), reply(1_000, 0)]);
    let path = format!("/v1/agents/{agent}");
    desk.call(Method::PATCH, &path, json!({"model": "openrouter/free-of-price"})).await.ok();
    send(&desk, &agent).await.ok();
    let total = &desk.get("/workbench/usage").await.ok()["total"];
    assert_eq!((&total["cost_usd"], &total["cost_is_partial"]), (&Value::Null, &json!(true)));
    desk.call(Method::PATCH, &path, json!({"model": "openrouter/gpt-4.1"})).await.ok();
    send(&desk, &agent).await.ok();
    let total = &desk.get("/workbench/usage").await.ok()["total"];
    assert_eq!((&total["cost_usd"], &total["cost_is_partial"]), (&json!(0.002), &json!(true)));
}

#[tokio::test]
async fn a_call_whose_provider_says_nothing_is_estimated_and_marked() {
    let (desk, model, agent) = started().await;
    model.script([reply(0, 0)]);
    send(&desk, &agent).await.ok();
    let total = &desk.get("/workbench/usage").await.ok()["total"];
    assert_eq!((&total["calls"], &total["tokens_estimated"]), (&json!(1), &json!(true)));
    assert!(total["prompt_tokens"].as_i64().unwrap() > 50, "{total}");
}

#[tokio::test]
async fn a_budget_warns_stops_cleanly_and_lets_go_on_when_raised() {
    let (desk, model, agent) = started().await;
    model.default_reply(reply(900, 0));
    let budget = desk
        .post("/workbench/budgets", json!({"agent_id": agent, "period": "day", "limit_tokens": 1000}))
        .await
        .ok();
    assert_eq!((&budget["standing"], &budget["spent_tokens"]), (&json!("ok"), &json!(0)));
    assert_eq!(budget["cost_is_partial"], false);
    send(&desk, &agent).await.ok();
    let standing = || async { desk.get("/workbench/budgets").await.ok()[0]["standing"].clone() };
    assert_eq!(standing().await, "warning");
    send(&desk, &agent).await.ok();
    assert_eq!(standing().await, "stopped");

    let refused = send(&desk, &agent).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let said = refused.json();
    assert!(
        said["error"]["message"].as_str().unwrap().contains("is used up (1800 of 1000 tokens)"),
        "{said}"
    );
    assert_eq!(said["error"]["type"], "budget_exceeded", "no provider is to blame");
    let runs = desk.get(&format!("/v1/runs/?agent_id={agent}&limit=1")).await.ok();
    assert_eq!(
        (&runs[0]["status"], &runs[0]["stop_reason"]),
        (&json!("failed"), &json!("insufficient_credits"))
    );
    assert_eq!(model.requests().len(), 2, "the model was not asked");

    let path = format!("/workbench/budgets/{}", budget["id"].as_str().unwrap());
    let none = desk.call(Method::PATCH, &path, json!({"limit_tokens": null})).await.refusal(422);
    assert!(none.contains("limit_usd or limit_tokens"), "{none}");
    let other = json!({"limit_tokens": null, "limit_usd": 5});
    let changed = desk.call(Method::PATCH, &path, other).await.ok();
    assert_eq!((&changed["limit_tokens"], &changed["limit_usd"]), (&Value::Null, &json!(5.0)));
    let changed = desk.call(Method::PATCH, &path, json!({"warn_percent": 50})).await.ok();
    assert_eq!(changed["limit_usd"], 5.0, "what is left out stays");
    desk.call(Method::PATCH, &path, json!({"limit_tokens": 100_000, "limit_usd": null})).await.ok();
    let answered = send(&desk, &agent).await.ok();
    assert!(answered.to_string().contains("Yes."), "{answered}");

    // In the middle of a turn: what was done stays, and the thread goes on afterwards.
    desk.call(Method::PATCH, &path, json!({"limit_tokens": 3_000})).await.ok();
    model.script([Reply {
        usage: Some(ReplyUsage { prompt_tokens: 900, ..ReplyUsage::default() }),
        ..Reply::call("conversation_search", json!({"query": "x"}))
    }]);
    let stopped = send(&desk, &agent).await;
    assert_eq!(stopped.status, 402, "{}", stopped.text);
    desk.call(Method::PATCH, &path, json!({"limit_tokens": 100_000})).await.ok();
    assert!(send(&desk, &agent).await.ok().to_string().contains("Yes."));
    desk.call(Method::DELETE, &path, Value::Null).await.ok();
    assert_eq!(desk.get("/workbench/budgets").await.ok(), json!([]));
}

#[tokio::test]
async fn a_budget_that_means_nothing_is_refused() {
    let (desk, _model, agent) = started().await;
    for (body, part) in [
        (json!({"period": "day"}), "limit_usd"),
        (json!({"period": "year", "limit_usd": 1}), "year"),
        (json!({"period": "day", "limit_usd": -1}), "limit_usd"),
        (json!({"period": "day", "limit_tokens": -1}), "limit_tokens"),
        (json!({"period": "day", "limit_usd": 1, "warn_percent": 0}), "warn_percent"),
        (json!({"period": "day", "limit_usd": 1, "agent_id": "x"}), "agent"),
        (json!({"period": "day", "limit_usd": 1, "colour": 1}), "colour"),
    ] {
        let problem = desk.post("/workbench/budgets", body.clone()).await.refusal(422);
        assert!(problem.contains(part), "{body}: {problem}");
    }
    let nobody = "agent-00000000-0000-4000-8000-000000000000";
    desk.post("/workbench/budgets", json!({"period": "day", "limit_usd": 1, "agent_id": nobody}))
        .await
        .refusal(404);
    let all = desk.post("/workbench/budgets", json!({"period": "month", "limit_usd": 0.0})).await.ok();
    assert_eq!((&all["standing"], &all["agent_id"]), (&json!("stopped"), &Value::Null));
    assert_eq!(send(&desk, &agent).await.status, 402);
    let asked = desk.post(&format!("/v1/agents/{agent}/generate"), json!({"prompt": "x"})).await;
    assert_eq!(asked.status, 402, "{}", asked.text);
}
