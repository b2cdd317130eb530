//! From a call that waits to its answer. The model is the rehearsal: it does what it is told.

use http::Method;
use loci_workbench::Event;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Got};

/// An agent and a folder it may read.
struct Scene {
    desk: Fixture,
    agent: String,
}

impl Scene {
    async fn new() -> Self {
        let desk = Fixture::new().await;
        let agent =
            desk.post("/v1/agents/", json!({"name": "Mercury", "model": "rehearsal/rehearsal"})).await.ok();
        let agent = agent["id"].as_str().unwrap().to_owned();
        let notes = desk.notes();
        let folder = json!({"agent_id": agent, "folder": notes});
        desk.call(Method::PUT, "/workbench/client-tools/folder", folder).await.ok();
        Self { desk, agent }
    }

    /// Says something that makes the agent call tools, which the window offers with it.
    async fn say(&self, text: &str) -> Got {
        let path = format!("/workbench/client-tools?agent_id={}", self.agent);
        let tools = self.desk.get(&path).await.ok()["tools"].clone();
        let message = json!({"messages": [{"role": "user", "content": text}], "client_tools": tools});
        self.desk.post(&format!("/v1/agents/{}/messages", self.agent), message).await
    }

    async fn waiting(&self) -> Value {
        self.desk.get("/workbench/approvals").await.ok()
    }

    /// The first request that waits.
    async fn request(&self) -> Value {
        self.waiting().await[0].clone()
    }

    async fn answer(&self, request: &Value, decisions: Value) -> Got {
        let path = format!("/workbench/approvals/{}/answer", request["id"].as_str().unwrap());
        let body = json!({
            "agent_id": request["agent_id"], "conversation_id": request["conversation_id"], "decisions": decisions,
        });
        self.desk.post(&path, body).await
    }

    async fn audit(&self) -> Vec<Value> {
        let log = self.desk.get("/workbench/audit?format=jsonl").await;
        log.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Text of the newest tool return.
    async fn returned(&self) -> Value {
        let path = format!("/v1/agents/{}/messages?limit=20", self.agent);
        let messages = self.desk.get(&path).await.ok();
        let returned =
            messages.as_array().unwrap().iter().rfind(|m| m["message_type"] == "tool_return_message");
        returned.unwrap_or_else(|| panic!("no return in {messages}")).clone()
    }
}

const READ: &str = r#"call read_file with {"path": "plan.md"}"#;

#[tokio::test]
async fn an_allowed_call_runs_here_and_the_agent_goes_on() {
    let scene = Scene::new().await;
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0];
    assert_eq!(request["agent_name"], "Mercury");
    assert_eq!((&call["name"], &call["kind"]), (&json!("read_file"), &json!("client")));
    assert!(call["preview"].as_str().unwrap().ends_with("notes/plan.md (22 bytes)"), "{call}");
    assert_eq!(call["problem"], Value::Null);

    let decisions =
        json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "hash": call["hash"]}]);
    let stream = scene.answer(&request, decisions.clone()).await;
    let frames = stream.frames();
    assert!(frames.iter().any(|frame| frame["stop_reason"] == "end_turn"), "{}", stream.text);
    let returned = scene.returned().await;
    assert_eq!(returned["status"], "success");
    assert!(returned["tool_return"].as_str().unwrap().contains("HERON-42"), "{returned}");
    assert_eq!(scene.waiting().await, json!([]));
    scene.answer(&request, decisions).await.refusal(409);

    let log = scene.audit().await;
    let events_of =
        |entry: &Value| (entry["event"].clone(), entry["outcome"].clone(), entry["decided_by"].clone());
    let told: Vec<_> = log.iter().map(events_of).collect();
    assert_eq!(
        told,
        [
            (json!("decided"), json!("allow"), json!("person")),
            (json!("finished"), json!("success"), json!("person")),
        ]
    );
    assert_eq!(log[0]["hash"], call["hash"]);
    assert!(log[1]["confinement"].as_str().unwrap().contains("notes"));

    let mut heard = Vec::new();
    while let Ok(event) = events.try_recv() {
        heard.push(event);
    }
    assert!(heard.iter().any(|event| matches!(event, Event::ApprovalResolved { .. })), "{heard:?}");
}

#[tokio::test]
async fn a_denial_tells_the_agent_why() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0]["tool_call_id"].clone();
    let decisions = json!([{"tool_call_id": call, "decision": "deny", "reason": "Not today."}]);
    scene.answer(&request, decisions).await.frames();
    let returned = scene.returned().await;
    assert_eq!(returned["status"], "error");
    assert!(returned.to_string().contains("Not today."), "{returned}");
    assert!(!returned.to_string().contains("HERON"));
    let log = scene.audit().await;
    assert_eq!((&log[0]["outcome"], &log[0]["reason"]), (&json!("deny"), &json!("Not today.")));
    assert_eq!(log.len(), 1, "what did not run did not finish");
}

#[tokio::test]
async fn changed_arguments_are_what_runs_and_what_the_agent_is_told() {
    let scene = Scene::new().await;
    scene.say(r#"call read_file with {"path": "other.md"}"#).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0]["tool_call_id"].clone();
    let edited = json!([{"tool_call_id": call, "decision": "allow", "arguments": "{\"path\": \"plan.md\"}"}]);
    scene.answer(&request, edited).await.frames();
    let returned = scene.returned().await["tool_return"].as_str().unwrap().to_owned();
    assert!(returned.contains("The person changed the arguments"), "{returned}");
    assert!(returned.contains("plan.md") && returned.contains("HERON-42"), "{returned}");
    let log = scene.audit().await;
    assert!(log[0]["arguments"].as_str().unwrap().contains("plan.md"));
    assert!(log[0]["original_arguments"].as_str().unwrap().contains("other.md"));
}

#[tokio::test]
async fn a_failing_tool_is_an_answer_too() {
    let scene = Scene::new().await;
    scene.say(r#"call read_file with {"path": "../../../etc/passwd"}"#).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0].clone();
    assert!(call["preview"].as_str().unwrap().contains("outside"), "{call}");
    let decisions = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow"}]);
    scene.answer(&request, decisions).await.frames();
    let returned = scene.returned().await;
    assert_eq!(returned["status"], "error");
    assert!(returned.to_string().contains("outside the opened folder"), "{returned}");
    assert_eq!(scene.audit().await[1]["outcome"], "error");
}

#[tokio::test]
async fn an_incomplete_or_odd_answer_changes_nothing() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0]["tool_call_id"].clone();
    let allow = json!({"tool_call_id": call, "decision": "allow"});
    for (decisions, status, wanted) in [
        (json!([]), 400, "every call"),
        (json!([allow, allow]), 400, "twice"),
        (json!([allow, {"tool_call_id": "x", "decision": "deny"}]), 400, "every call"),
        (json!([{"tool_call_id": call, "decision": "maybe"}]), 422, "maybe"),
        (json!([{"tool_call_id": call, "decision": "allow", "arguments": "{"}]), 400, "not a JSON object"),
        (json!([{"tool_call_id": call, "decision": "allow", "arguments": [1]}]), 400, "JSON object"),
        (json!([{"tool_call_id": call, "decision": "deny", "arguments": {}}]), 400, "no arguments"),
        (json!([{"tool_call_id": call, "decision": "deny", "reason": "x".repeat(20_000)}]), 400, "longer"),
        (
            json!([{"tool_call_id": call, "decision": "allow", "hash": "0".repeat(64)}]),
            409,
            "not what it was",
        ),
    ] {
        let problem = scene.answer(&request, decisions.clone()).await.refusal(status);
        assert!(problem.contains(wanted), "{decisions}: {problem}");
    }
    let mut other = request.clone();
    other["agent_id"] = json!(loci_api::ids::AgentId::new());
    scene.answer(&other, json!([allow])).await.refusal(400);
    other["id"] = json!(loci_api::ids::MessageId::new());
    scene.answer(&other, json!([allow])).await.refusal(409);
    other["id"] = json!("message-1");
    scene.answer(&other, json!([allow])).await.refusal(422);
    assert_eq!(scene.waiting().await.as_array().unwrap().len(), 1, "it still waits");
    assert!(scene.audit().await.is_empty(), "nothing was decided");
}

#[tokio::test]
async fn a_decision_about_one_folder_is_not_used_for_another() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0]["tool_call_id"].clone();
    let elsewhere = scene.desk.notes().join("deeper");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("plan.md"), "other").unwrap();
    let folder = json!({"agent_id": scene.agent, "folder": elsewhere});
    scene.desk.call(Method::PUT, "/workbench/client-tools/folder", folder).await.ok();
    let allow = json!([{"tool_call_id": call, "decision": "allow"}]);
    let refused = scene.answer(&request, allow.clone()).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "CALL_CHANGED");
    // Shown again as it is now, it may be decided about.
    scene.waiting().await;
    scene.answer(&request, allow).await.frames();
    assert!(scene.returned().await["tool_return"].as_str().unwrap().contains("other"));
}

#[tokio::test]
async fn without_a_folder_or_for_another_program_s_tool_only_denying_is_possible() {
    let scene = Scene::new().await;
    scene.say(READ).await.ok();
    let path = "/workbench/client-tools/folder";
    scene.desk.call(Method::PUT, path, json!({"agent_id": scene.agent, "folder": null})).await.ok();
    let request = scene.request().await;
    assert!(request["calls"][0]["problem"].as_str().unwrap().contains("No folder"));
    let call = request["calls"][0]["tool_call_id"].clone();
    let refused =
        scene.answer(&request, json!([{"tool_call_id": call, "decision": "allow"}])).await.refusal(400);
    assert!(refused.contains("Choose a folder"), "{refused}");
    scene.answer(&request, json!([{"tool_call_id": call, "decision": "deny"}])).await.frames();

    let theirs = json!({
        "messages": [{"role": "user", "content": "call open_door with {}"}],
        "client_tools": [{"name": "open_door", "description": "Opens the door."}],
    });
    scene.desk.post(&format!("/v1/agents/{}/messages", scene.agent), theirs).await.ok();
    let request = scene.request().await;
    assert!(request["calls"][0]["problem"].as_str().unwrap().contains("Another program"));
    let call = request["calls"][0]["tool_call_id"].clone();
    scene.answer(&request, json!([{"tool_call_id": call, "decision": "allow"}])).await.refusal(400);
    scene.answer(&request, json!([{"tool_call_id": call, "decision": "deny"}])).await.frames();
    assert_eq!(scene.waiting().await, json!([]));
}

#[tokio::test]
async fn a_request_outlives_the_program_and_may_be_answered_by_anybody() {
    let mut scene = Scene::new().await;
    scene.say(READ).await.ok();
    let before = scene.request().await;
    scene.desk = scene.desk.restarted().await;
    let request = scene.request().await;
    assert_eq!(request, before);
    // A script answers over the ordinary route; the inbox sees it resolve.
    let call = request["calls"][0]["tool_call_id"].clone();
    let theirs = json!({"messages": [{"type": "approval", "approvals": [
        {"type": "tool", "tool_call_id": call, "tool_return": "said the script", "status": "success"},
    ]}]});
    scene.desk.post(&format!("/v1/agents/{}/messages", scene.agent), theirs).await.ok();
    assert_eq!(scene.waiting().await, json!([]));
    let allow = json!([{"tool_call_id": call, "decision": "allow"}]);
    let problem = scene.answer(&request, allow).await.refusal(409);
    assert!(problem.contains("elsewhere"), "{problem}");
}

#[tokio::test]
async fn a_server_tool_behind_approval_is_decided_here_and_runs_there() {
    let scene = Scene::new().await;
    let path = format!("/v1/agents/{}/tools/approval/memory_insert", scene.agent);
    scene.desk.call(Method::PATCH, &path, json!({"requires_approval": true})).await.ok();
    let attach = format!("/v1/agents/{}/core-memory/blocks", scene.agent);
    scene.desk.get(&attach).await.ok();
    scene.say(r#"call memory_insert with {"label": "human", "new_string": "Likes tea."}"#).await.ok();
    let request = scene.request().await;
    let call = request["calls"][0].clone();
    assert_eq!((&call["kind"], &call["preview"]), (&json!("server"), &Value::Null));
    let id = call["tool_call_id"].clone();
    let edited = json!([{"tool_call_id": id, "decision": "allow", "arguments": {}}]);
    let problem = scene.answer(&request, edited).await.refusal(400);
    assert!(problem.contains("cannot be changed"), "{problem}");
    scene.answer(&request, json!([{"tool_call_id": id, "decision": "allow"}])).await.frames();
    assert_eq!(scene.waiting().await, json!([]));
    assert_eq!(scene.audit().await[0]["kind"], "server");
}
