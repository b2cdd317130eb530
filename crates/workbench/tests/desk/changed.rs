//! A call that is asked about again shows what became of it: of its tool, of its arguments.

use http::Method;
use serde_json::{Value, json};

use crate::scene::Scene;

fn source(doubled: &str) -> String {
    format!(
        "def double(a: int) -> int:\n    \"\"\"Doubles.\n\n    Args:\n        a: A number.\n    \"\"\"\n    return {doubled}\n"
    )
}

/// The parts of the first waiting call that changed, by what they are.
fn parts(call: &Value) -> Vec<(&str, &str)> {
    let parts = call["changed"]["parts"].as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().map(|part| (part["what"].as_str().unwrap(), part["diff"].as_str().unwrap())).collect()
}

async fn call_of(scene: &Scene) -> Value {
    scene.request().await["calls"][0].clone()
}

#[tokio::test]
async fn a_tool_that_changes_while_its_call_waits_is_shown_with_the_difference() {
    let scene = Scene::new().await;
    let own = scene.desk.post("/workbench/own-tools", json!({"source_code": source("2 * a")})).await.ok();
    let offer = json!({"agent_id": scene.agent, "tool": "double", "offered": true});
    scene.desk.call(Method::PUT, "/workbench/client-tools/offered", offer).await.ok();
    scene.say(r#"call double with {"a": 21}"#).await.ok();
    let first = scene.request().await;
    assert_eq!(first["calls"][0]["changed"], Value::Null, "{first}");

    let path = format!("/workbench/own-tools/{}", own["id"].as_str().unwrap());
    scene.desk.call(Method::PATCH, &path, json!({"source_code": source("3 * a")})).await.ok();
    let allow = |call: &Value| json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "hash": call["hash"]}]);
    let refused = scene.answer(&first, allow(&first["calls"][0])).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "CALL_CHANGED");

    // It stays until it is decided about, however often it is shown.
    for _ in 0..2 {
        let call = call_of(&scene).await;
        assert_eq!(call["changed"]["since"], "shown", "{call}");
        let [(what, diff)] = parts(&call)[..] else { panic!("{call}") };
        assert_eq!(what, "source");
        assert!(diff.contains("-    return 2 * a") && diff.contains("+    return 3 * a"), "{diff}");
    }
    let second = scene.request().await;
    scene.answer(&second, allow(&second["calls"][0])).await.frames();
    assert_eq!(scene.waiting().await, json!([]));
}

#[tokio::test]
async fn a_server_tool_that_changed_since_it_was_allowed_asks_with_the_difference() {
    let scene = Scene::new().await;
    let tool = scene.desk.post("/v1/tools/", json!({"source_code": source("2 * a")})).await.ok();
    let id = tool["id"].as_str().unwrap();
    let attach = format!("/v1/agents/{}/tools/attach/{id}", scene.agent);
    scene.desk.call(Method::PATCH, &attach, json!({})).await.ok();
    let path = format!("/v1/agents/{}/tools/approval/double", scene.agent);
    scene.desk.call(Method::PATCH, &path, json!({"requires_approval": true})).await.ok();
    scene.say(r#"call double with {"a": 1}"#).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0];
    assert_eq!(call["changed"], Value::Null);
    // It runs confined to its folder and without a network.
    assert_eq!(call["dangerous"], false);
    let remember = json!({"scope": "agent", "what": "tool"});
    let allow = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "remember": remember}]);
    scene.answer(&request, allow).await.frames();
    scene.say(r#"call double with {"a": 2}"#).await.ok();
    scene.settled().await;
    let decided = scene.audit().await.into_iter().rfind(|entry| entry["event"] == "decided");
    assert_eq!(decided.expect("a decision")["decided_by"], "rule");

    let body =
        json!({"source_code": source("3 * a"), "pip_requirements": [{"name": "numpy", "version": "2"}]});
    scene.desk.call(Method::PATCH, &format!("/v1/tools/{id}"), body).await.ok();
    let grants = format!("/workbench/tools/{id}/settings");
    scene.desk.call(Method::PUT, &grants, json!({"network": true})).await.ok();
    scene.say(r#"call double with {"a": 3}"#).await.ok();
    let call = call_of(&scene).await;
    assert_eq!(call["dangerous"], true, "it may send now");
    assert_eq!(call["verdict"]["effect"], "ask", "{call}");
    assert!(call["verdict"]["because"]["message"].as_str().unwrap().contains("changed"), "{call}");
    let changed = &call["changed"];
    assert_eq!((&changed["since"], &changed["decided_by"]), (&json!("allowed"), &json!("rule")), "{changed}");
    assert!(changed["at"].is_string());
    let [(packages, added), (source, diff)] = parts(&call)[..] else { panic!("{call}") };
    assert_eq!((packages, source), ("packages", "source"));
    assert!(added.contains("+numpy 2") && diff.contains("+    return 3 * a"), "{call}");
}

#[tokio::test]
async fn other_arguments_than_those_allowed_are_shown_against_them() {
    let scene = Scene::new().await;
    scene.say(r#"call read_file with {"path": "plan.md"}"#).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0]["tool_call_id"];
    let remember = json!({"scope": "everywhere", "what": "call"});
    let allow = json!([{"tool_call_id": call, "decision": "allow", "remember": remember}]);
    scene.answer(&request, allow).await.frames();
    scene.say(r#"call read_file with {"path": "other.md"}"#).await.ok();
    let call = call_of(&scene).await;
    let [(what, diff)] = parts(&call)[..] else { panic!("{call}") };
    assert_eq!((what, &call["changed"]["since"]), ("arguments", &json!("allowed")));
    assert!(diff.contains("plan.md") && diff.contains("other.md"), "{diff}");

    // Another tool of the same machine has nothing to be compared with.
    let deny = json!([{"tool_call_id": call["tool_call_id"], "decision": "deny"}]);
    let request = scene.request().await;
    scene.answer(&request, deny).await.frames();
    scene.say(r#"call write_file with {"path": "plan.md", "content": "x"}"#).await.ok();
    assert_eq!(call_of(&scene).await["changed"], Value::Null);
}
