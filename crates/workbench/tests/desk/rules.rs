//! Rules: made, tried, tested, used and revoked over HTTP.

use http::Method;
use loci_store::table::approval_rule::{self, RuleEffect, RuleRow};
use serde_json::{Value, json};

use crate::scene::Scene;

const READ: &str = r#"call read_file with {"path": "plan.md"}"#;

fn decided(log: &[Value]) -> Vec<(&str, &str)> {
    log.iter()
        .filter(|entry| entry["event"] == "decided")
        .map(|entry| (entry["outcome"].as_str().unwrap(), entry["decided_by"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_rule_answers_by_itself_and_is_named_in_the_log() {
    let scene = Scene::new().await;
    let rule = scene.rule("allow read_file(*.md) for agent Mercury").await;
    assert_eq!(rule["text"], "allow read_file(*.md) for agent Mercury");
    assert!(rule["sentence"].as_str().unwrap().contains("run without asking"), "{rule}");
    scene.say(READ).await.ok();
    scene.settled().await;
    assert!(scene.returned().await["tool_return"].as_str().unwrap().contains("HERON-42"));
    let log = scene.audit().await;
    assert_eq!(decided(&log), [("allow", "rule")]);
    let entry = log.iter().find(|entry| entry["event"] == "decided").unwrap();
    assert_eq!(entry["rule_id"], rule["id"]);
    let rules = scene.desk.get("/workbench/rules").await.ok();
    assert_eq!(rules[0]["uses"], 1);

    let path = format!("/workbench/rules/{}", rule["id"].as_str().unwrap());
    let revoked = scene.desk.call(Method::DELETE, &path, json!({})).await.ok();
    assert!(revoked["revoked_at"].is_string());
    assert_eq!(scene.desk.get("/workbench/rules").await.ok(), json!([]));
    assert_eq!(scene.desk.get("/workbench/rules?revoked=true").await.ok()[0]["id"], rule["id"]);
    scene.say(READ).await.ok();
    assert_eq!(scene.request().await["calls"][0]["verdict"]["effect"], "ask");
    scene.desk.call(Method::DELETE, "/workbench/rules/rule-1", json!({})).await.refusal(404);
}

#[tokio::test]
async fn a_denying_rule_tells_the_agent_and_cannot_be_overruled() {
    let scene = Scene::new().await;
    scene.rule("allow read_file everywhere").await;
    let rule = scene.rule("deny read_file(plan.*) everywhere").await;
    scene.say(READ).await.ok();
    scene.settled().await;
    let returned = scene.returned().await;
    assert!(returned.to_string().contains("A rule of the person denies"), "{returned}");
    assert!(!returned.to_string().contains("HERON"));
    assert_eq!(decided(&scene.audit().await), [("deny", "rule")]);

    // Nor does another set of arguments get past it.
    scene.say(r#"call write_file with {"path": "x.md", "content": "x"}"#).await.ok();
    scene.rule("deny write_file(secret*) everywhere").await;
    let request = scene.request().await;
    let edited = json!([{
        "tool_call_id": request["calls"][0]["tool_call_id"],
        "decision": "allow",
        "arguments": {"path": "secret.md", "content": "x"},
    }]);
    let refused = scene.answer(&request, edited).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "RULE_DENIES");
    let _used = rule;
}

#[tokio::test]
async fn an_answer_can_be_remembered_and_decides_what_waits() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0];
    assert_eq!(call["suggestions"][0]["text"], "plan.md");
    assert_eq!((&call["read_only"], &call["dangerous"]), (&json!(true), &json!(false)));
    let wish = json!({"scope": "agent", "what": "pattern", "pattern": "*.md"});
    // First one sentence and a rehearsal.
    let tried = json!({
        "remember": wish, "effect": "allow", "message_id": request["id"], "tool_call_id": call["tool_call_id"],
    });
    let tried = scene.desk.post("/workbench/rules/rehearse", tried).await.ok();
    assert_eq!((&tried["of"], &tried["matched"]), (&json!(0), &json!(0)));
    assert!(tried["sentence"].as_str().unwrap().contains("for Mercury"), "{tried}");
    // Its parts, for a window that says it in another language.
    assert_eq!((&tried["effect"], &tried["agent_name"]), (&json!("allow"), &json!("Mercury")));
    assert_eq!((&tried["scope"]["type"], &tried["matches"]["type"]), (&json!("agent"), &json!("pattern")));
    let allow = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "remember": wish}]);
    scene.answer(&request, allow).await.frames();
    let rules = scene.desk.get("/workbench/rules").await.ok();
    assert_eq!(rules[0]["text"], "allow read_file(*.md) for agent Mercury");
    scene.say(READ).await.ok();
    scene.settled().await;
    assert_eq!(decided(&scene.audit().await), [("allow", "person"), ("allow", "rule")]);

    let text = json!({"text": "deny read_file(**) for agent Mercury", "last": 10});
    let tried = scene.desk.post("/workbench/rules/rehearse", text).await.ok();
    assert_eq!((&tried["of"], &tried["matched"]), (&json!(2), &json!(2)));
    assert_eq!(tried["calls"][0]["now"]["effect"], "deny");
    assert_eq!(tried["calls"][0]["decided_by"], "rule");
    assert_eq!(scene.desk.get("/workbench/rules").await.ok().as_array().unwrap().len(), 1, "only tried");
}

#[tokio::test]
async fn a_rule_for_this_run_ends_with_it() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0]["tool_call_id"];
    let remember = json!({"scope": "run", "what": "tool"});
    let allow = json!([{"tool_call_id": call, "decision": "allow", "remember": remember}]);
    scene.answer(&request, allow).await.frames();
    scene.say(READ).await.ok();
    let again = scene.request().await;
    assert_eq!(again["calls"][0]["verdict"]["effect"], "ask", "another message of the person");
}

#[tokio::test]
async fn a_new_rule_decides_what_waits_already() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    scene.request().await;
    scene.rule("allow read-only tools of this machine everywhere").await;
    scene.settled().await;
    assert!(scene.returned().await.to_string().contains("HERON-42"));
}

#[tokio::test]
async fn rules_are_read_tested_and_refused() {
    let scene = Scene::new().await;
    let parsed =
        scene.desk.post("/workbench/rules/parse", json!({"text": " deny  * everywhere "})).await.ok();
    assert_eq!(parsed["text"], "deny * everywhere");
    for (body, status, wanted) in [
        (json!({"text": "permit x"}), 400, "begins with allow"),
        (json!({"text": "allow * everywhere"}), 400, "names one tool"),
        (json!({"text": "allow x for agent Nobody"}), 400, "no agent"),
        (json!({"text": "allow x(\\"}), 400, "not closed"),
        (json!({}), 422, "Give a rule's text"),
        (json!({"text": "allow x everywhere", "effect": "allow"}), 422, "Give a rule's text"),
        (
            json!({"effect": "allow", "scope": {"type": "moon"}, "matches": {"type": "tool", "tool": "x"}}),
            422,
            "moon",
        ),
        (
            json!({"effect": "allow", "scope": {"type": "everywhere"}, "matches": {"type": "tool", "tool": " "}}),
            400,
            "names a tool",
        ),
    ] {
        let problem = scene.desk.post("/workbench/rules", body.clone()).await.refusal(status);
        assert!(problem.contains(wanted), "{body}: {problem}");
    }
    let at = scene.desk.post("/workbench/rules/parse", json!({"text": "allow x sometimes"})).await;
    assert_eq!(at.json()["detail"]["at"], 8);

    scene.rule("allow write_file(drafts/**) for agent Mercury").await;
    let test = async |path: &str| {
        let call = json!({"tool": "write_file", "arguments": {"path": path}, "agent_id": scene.agent});
        scene.desk.post("/workbench/rules/test", call).await.ok()["effect"].clone()
    };
    assert_eq!(test("drafts/deep/x.md").await, "allow");
    assert_eq!(test("./drafts/x.md").await, "allow");
    assert_eq!(test("drafts/../x.md").await, "ask");
    assert_eq!(test("x.md").await, "ask");
    let odd = json!({"tool": "write_file", "arguments": "[1]"});
    assert!(scene.desk.post("/workbench/rules/test", odd).await.refusal(422).contains("JSON object"));
}

#[tokio::test]
async fn a_rule_for_an_own_tool_does_not_hold_for_what_it_becomes() {
    let scene = Scene::new().await;
    let source = |doubled: &str| {
        format!(
            "def double(a: int) -> int:\n    \"\"\"Doubles.\n\n    Args:\n        a: A number.\n    \"\"\"\n    return {doubled}\n"
        )
    };
    let own = scene.desk.post("/workbench/own-tools", json!({"source_code": source("2 * a")})).await.ok();
    let rule = scene.rule("allow double everywhere").await;
    assert!(rule["matches"]["identity"].as_str().unwrap().starts_with("own:"), "{rule}");
    let test = async || {
        let call = json!({"tool": "double", "arguments": "{\"a\": 1}"});
        scene.desk.post("/workbench/rules/test", call).await.ok()
    };
    assert_eq!(test().await["effect"], "allow");
    let path = format!("/workbench/own-tools/{}", own["id"].as_str().unwrap());
    scene.desk.call(Method::PATCH, &path, json!({"source_code": source("3 * a")})).await.ok();
    let verdict = test().await;
    assert_eq!(verdict["effect"], "ask");
    assert!(verdict["because"]["message"].as_str().unwrap().contains("changed"), "{verdict}");
}

#[tokio::test]
async fn the_log_is_paged_and_filtered() {
    let scene = Scene::new().await;
    let rule = scene.rule("allow read_file everywhere").await;
    scene.say(READ).await.ok();
    scene.settled().await;
    let log = async |query: &str| scene.desk.get(&format!("/workbench/audit?{query}")).await.ok();
    let count = |page: &Value| page.as_array().unwrap().len();
    let all = log("").await;
    assert_eq!(count(&all), 4, "{all}");
    assert_eq!(log("order=desc&limit=1").await[0]["outcome"], "success");
    assert_eq!(count(&log("after=1&limit=2").await), 2);
    assert_eq!(count(&log("before=3").await), 2);
    assert_eq!(count(&log(&format!("rule_id={}", rule["id"].as_str().unwrap())).await), 2);
    assert_eq!(count(&log("event=decided&decided_by=rule&tool=read_file").await), 1);
    assert_eq!(count(&log(&format!("agent_id={}", scene.agent)).await), 3);
    assert_eq!(count(&log("since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z").await), 0);
    for bad in ["limit=0", "limit=501", "order=up", "colour=red", "agent_id=x", "since=yesterday"] {
        scene.desk.get(&format!("/workbench/audit?{bad}")).await.refusal(422);
    }
    let whole = scene.desk.get("/workbench/audit?format=jsonl&event=decided").await;
    assert_eq!(whole.text.lines().count(), 1);
    assert!(!whole.text.contains("facts"));
}

#[tokio::test]
async fn a_remembered_rule_keeps_to_the_bounds_of_rules() {
    let scene = Scene::new().await;
    // So long a file is not carried about with the rule, which holds for it all the same.
    let write = format!(r#"call write_file with {{"path": "long.md", "content": "{}"}}"#, "x".repeat(30_000));
    scene.say(&write).await.ok();
    let request = scene.request().await;
    let remember = json!({"scope": "everywhere", "what": "call"});
    let call = &request["calls"][0]["tool_call_id"];
    scene
        .answer(&request, json!([{"tool_call_id": call, "decision": "allow", "remember": remember}]))
        .await
        .frames();
    let rules = scene.desk.get("/workbench/rules").await;
    assert!(rules.text.len() < 5_000, "{}", rules.text.len());
    scene.say(&write).await.ok();
    scene.settled().await;
    assert_eq!(decided(&scene.audit().await), [("allow", "person"), ("allow", "rule")]);

    let store = scene.desk.desk.app().store().clone();
    let full = |tx: &loci_store::Transaction<'_>| {
        let one = approval_rule::list(tx, false)?.remove(0);
        (1..2_000).try_for_each(|number| {
            approval_rule::insert(
                tx,
                &RuleRow { id: format!("rule-{number}"), effect: RuleEffect::Deny, ..one.clone() },
            )
        })
    };
    store.write(full).await.unwrap();
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0]["tool_call_id"];
    let allow = json!([{"tool_call_id": call, "decision": "allow", "remember": remember}]);
    let refused = scene.answer(&request, allow).await.refusal(409);
    assert!(refused.contains("Revoke some first"), "{refused}");
    assert_eq!(scene.request().await["id"], request["id"], "nothing was decided, and nothing ran");
    assert_eq!(decided(&scene.audit().await).len(), 2);
}
