//! From a call that waits to its answer. The model is the rehearsal: it does what it is told.

use http::Method;
use loci_api::{message::ToolStatus, time::Timestamp};
use loci_store::table::client_call::{self, CallState, ClientCall};
use loci_workbench::Event;
use serde_json::{Value, json};

use crate::{fixture::Fixture, scene::Scene};

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
    assert!(call["preview"]["message"].as_str().unwrap().ends_with("notes/plan.md (22 bytes)"), "{call}");
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
            (json!("started"), json!("started"), json!("loci")),
            (json!("finished"), json!("success"), json!("loci")),
        ]
    );
    assert_eq!(log[0]["hash"], call["hash"]);
    assert!(log[2]["confinement"].as_str().unwrap().contains("notes"));

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
    assert!(call["preview"]["message"].as_str().unwrap().contains("outside"), "{call}");
    let decisions = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow"}]);
    scene.answer(&request, decisions).await.frames();
    let returned = scene.returned().await;
    assert_eq!(returned["status"], "error");
    assert!(returned.to_string().contains("outside the opened folder"), "{returned}");
    assert_eq!(scene.audit().await[2]["outcome"], "error");
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
    assert!(request["calls"][0]["problem"]["message"].as_str().unwrap().contains("No folder"));
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
    assert!(request["calls"][0]["problem"]["message"].as_str().unwrap().contains("Another program"));
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
    scene.answer(&request, json!([{"tool_call_id": id, "decision": "allow"}])).await.frames();
    assert_eq!(scene.waiting().await, json!([]));
    assert_eq!(scene.audit().await[0]["kind"], "server");
}

#[tokio::test]
async fn a_server_tool_with_changed_arguments_runs_there_with_them() {
    let scene = Scene::new().await;
    let block = json!({"label": "human", "value": "Name: Timber."});
    let block = scene.desk.post("/v1/blocks/", block).await.ok();
    let path =
        format!("/v1/agents/{}/core-memory/blocks/attach/{}", scene.agent, block["id"].as_str().unwrap());
    scene.desk.call(Method::PATCH, &path, json!({})).await;
    let path = format!("/v1/agents/{}/tools/approval/memory_insert", scene.agent);
    scene.desk.call(Method::PATCH, &path, json!({"requires_approval": true})).await.ok();
    scene.say(r#"call memory_insert with {"label": "human", "new_string": "Likes tea."}"#).await.ok();
    let request = scene.request().await;
    let edited = json!([{
        "tool_call_id": request["calls"][0]["tool_call_id"],
        "decision": "allow",
        "arguments": {"label": "human", "new_string": "Likes coffee."},
    }]);
    scene.answer(&request, edited).await.frames();
    let path = format!("/v1/agents/{}/core-memory/blocks/human", scene.agent);
    let value = scene.desk.get(&path).await.ok()["value"].as_str().unwrap().to_owned();
    assert!(value.contains("coffee") && !value.contains("tea"), "{value}");
    let returned = scene.returned().await["tool_return"].as_str().unwrap().to_owned();
    assert!(returned.contains("The person changed the arguments"), "{returned}");
    let log = scene.audit().await;
    assert!(log[0]["original_arguments"].as_str().unwrap().contains("tea"), "{log:?}");
}

/// As after a crash in the middle of a call: it was noted as begun, and nothing more.
async fn cut_off(scene: &mut Scene, request: &Value) {
    let call = ClientCall {
        connection: "local".to_owned(),
        message_id: request["id"].as_str().unwrap().parse().unwrap(),
        tool_call_id: request["calls"][0]["tool_call_id"].as_str().unwrap().to_owned(),
        agent_id: scene.agent.parse().unwrap(),
        conversation_id: None,
        tool: "write_file".to_owned(),
        hash: request["calls"][0]["hash"].as_str().unwrap().to_owned(),
        arguments: Some("{}".to_owned()),
        state: CallState::Started,
        status: None,
        result: None,
        confinement: None,
        started_at: Timestamp::now(),
        finished_at: None,
    };
    scene.desk.desk.app().store().write(move |tx| client_call::start(tx, &call)).await.unwrap();
    let desk = std::mem::replace(&mut scene.desk, Fixture::new().await);
    scene.desk = desk.restarted().await;
}

const WRITE: &str = r#"call write_file with {"path": "new.md", "content": "x"}"#;

#[tokio::test]
async fn a_call_cut_off_by_a_crash_is_never_run_again_unasked() {
    let mut scene = Scene::new().await;
    let written = scene.desk.notes().join("new.md");
    scene.say(WRITE).await.ok();
    let request = scene.request().await;
    cut_off(&mut scene, &request).await;
    // Not even a rule runs it again.
    scene.rule("allow write_file everywhere").await;
    let request = scene.request().await;
    let call = &request["calls"][0];
    assert_eq!(call["outcome"]["state"], "unknown");
    assert_eq!(call["verdict"]["effect"], "ask");
    let allow = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow"}]);
    let refused = scene.answer(&request, allow).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "CALL_OUTCOME_UNKNOWN");
    assert!(!written.exists());
    let report = json!([{"tool_call_id": call["tool_call_id"], "decision": "report"}]);
    scene.answer(&request, report).await.frames();
    let returned = scene.returned().await;
    assert!(returned.to_string().contains("Nobody knows"), "{returned}");
    assert!(!written.exists());
    let outcomes: Vec<_> = scene.audit().await.iter().map(|entry| entry["outcome"].clone()).collect();
    assert_eq!(outcomes, ["unknown", "created", "report"]);
}

#[tokio::test]
async fn a_person_may_run_it_once_more() {
    let mut scene = Scene::new().await;
    let written = scene.desk.notes().join("new.md");
    scene.say(WRITE).await.ok();
    let request = scene.request().await;
    cut_off(&mut scene, &request).await;
    let call = request["calls"][0]["tool_call_id"].clone();
    let again = json!([{"tool_call_id": call, "decision": "allow", "run_again": true}]);
    scene.answer(&request, again).await.frames();
    assert_eq!(std::fs::read_to_string(written).unwrap(), "x");
    assert_eq!(scene.waiting().await, json!([]));
}

#[tokio::test]
async fn what_ended_before_a_crash_is_delivered_and_not_run_again() {
    let mut scene = Scene::new().await;
    let written = scene.desk.notes().join("new.md");
    scene.say(WRITE).await.ok();
    let request = scene.request().await;
    let id = request["id"].as_str().unwrap().parse().unwrap();
    cut_off(&mut scene, &request).await;
    let store = scene.desk.desk.app().store().clone();
    store
        .write(move |tx| {
            let begun = client_call::list_for_request(tx, "local", &id)?.remove(0);
            client_call::finish(tx, &begun, ToolStatus::Success, "It was written.", None, Timestamp::now())
        })
        .await
        .unwrap();
    drop(store);
    let deny = json!([{"tool_call_id": request["calls"][0]["tool_call_id"], "decision": "deny"}]);
    let refused = scene.answer(&request, deny).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "CALL_ALREADY_RAN");
    scene.desk.desk.watch_approvals().await;
    scene.settled().await;
    assert_eq!(scene.returned().await["tool_return"], "It was written.");
    assert!(!written.exists(), "it was not run");
}

#[tokio::test]
async fn a_question_of_the_agent_is_answered_by_the_person() {
    let scene = Scene::new().await;
    let offer = json!({"agent_id": scene.agent, "tool": "ask_user", "offered": true});
    scene.desk.call(Method::PUT, "/workbench/client-tools/offered", offer).await.ok();
    scene.rule("allow ask_user everywhere").await;
    scene.say(r#"call ask_user with {"question": "Red or blue?", "choices": ["red"]}"#).await.ok();
    let request = scene.request().await;
    let call = &request["calls"][0];
    assert_eq!(call["detail"]["question"], "Red or blue?");
    assert_eq!(call["verdict"]["effect"], "ask", "no rule can answer");
    let allow = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow"}]);
    assert!(scene.answer(&request, allow).await.refusal(400).contains("answer"));
    let blue = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "answer": "blue"}]);
    scene.answer(&request, blue).await.frames();
    assert_eq!(scene.returned().await["tool_return"], "blue");
}

#[tokio::test]
async fn what_nobody_answers_is_denied_and_never_allowed() {
    let scene = Scene::new().await;
    let settings = json!({"expire_unattended_hours": 0.0005});
    scene.desk.call(Method::PATCH, "/workbench/settings", settings).await.ok();
    scene.say(WRITE).await.ok();
    assert!(scene.request().await["expires_at"].is_string());
    let desk = scene.desk.desk.clone();
    desk.begin().await;
    scene.settled().await;
    let returned = scene.returned().await;
    assert!(returned.to_string().contains("Nobody was there"), "{returned}");
    assert_eq!(scene.audit().await[0]["decided_by"], "expiry");
    assert!(!scene.desk.notes().join("new.md").exists());
}

#[tokio::test]
async fn a_rule_that_denies_by_now_stops_the_next_call_of_a_set() {
    let scene = Scene::new().await;
    let (go, written) = (scene.desk.notes().join("go"), scene.desk.notes().join("new.md"));
    scene.desk.call(Method::PATCH, "/workbench/settings", json!({"confine_commands": false})).await.ok();
    let offer = json!({"agent_id": scene.agent, "tool": "run_command", "offered": true});
    scene.desk.call(Method::PUT, "/workbench/client-tools/offered", offer).await.ok();
    let path = format!("/v1/agents/{}", scene.agent);
    scene.desk.call(Method::PATCH, &path, json!({"parallel_tool_calls": true})).await.ok();
    let both =
        format!(r#"call run_command with {{"command": "until [ -e go ]; do sleep 0.02; done"}} and {WRITE}"#);
    scene.say(&both).await.ok();
    let request = scene.request().await;
    let allow = |call: &Value| json!({"tool_call_id": call["tool_call_id"], "decision": "allow"});
    let allow: Vec<Value> = request["calls"].as_array().unwrap().iter().map(allow).collect();
    assert_eq!(allow.len(), 2, "{request}");
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    let watching = async {
        while !matches!(events.recv().await.unwrap(), Event::ClientCallChanged { .. }) {}
        scene.rule("deny write_file everywhere").await;
        std::fs::write(&go, "").unwrap();
    };
    let (answered, ()) = tokio::join!(scene.answer(&request, json!(allow)), watching);
    answered.frames();
    assert!(!written.exists(), "it was denied before it began");
    let returned = scene.returned().await.to_string();
    assert!(returned.contains("A rule of the person denies this call"), "{returned}");
}
