//! Agents of another server: their calls wait there, and are decided and run here.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
    response::{IntoResponse, Response},
};
use http::Method;
use loci_api::{message::ToolStatus, time::Timestamp};
use loci_store::table::client_call::{self, CallState, ClientCall};
use loci_workbench::Event;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, broadcast};
use tower::ServiceExt;

use crate::{fixture::Fixture, scene::Scene};

const READ: &str = r#"call read_file with {"path": "plan.md"}"#;

/// What stands between this desk and the other server.
#[derive(Clone)]
struct Front {
    router: Router,
    way: Arc<Way>,
}

#[derive(Default)]
struct Way {
    /// Part of the paths that get no answer but 502; empty: of none.
    broken: std::sync::Mutex<&'static str>,
    /// Requests for messages that came so far.
    looks: AtomicUsize,
    /// Where there is one, each request for messages takes one permit for good.
    gate: std::sync::Mutex<Option<Arc<Semaphore>>>,
}

impl Front {
    /// Before the agents of `there`, at an address of its own.
    async fn of(there: &Fixture) -> (Arc<Way>, String) {
        let way = Arc::<Way>::default();
        let front = Self { router: loci_workbench::served(there.desk.clone()), way: way.clone() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(move |request: Request<Body>| front.clone().pass(request));
        tokio::spawn(axum::serve(listener, router).into_future());
        (way, format!("http://{address}"))
    }

    async fn pass(self, request: Request<Body>) -> Response {
        let path = request.uri().path().to_owned();
        if request.method() == Method::GET && path.ends_with("/messages") {
            self.way.looks.fetch_add(1, Ordering::SeqCst);
            let gate = self.way.gate.lock().unwrap().clone();
            if let Some(gate) = gate {
                gate.acquire().await.unwrap().forget();
            }
        }
        let broken = *self.way.broken.lock().unwrap();
        if !broken.is_empty() && path.contains(broken) {
            return (StatusCode::BAD_GATEWAY, "nobody there").into_response();
        }
        self.router.oneshot(request).await.unwrap()
    }
}

impl Way {
    fn break_at(&self, part: &'static str) {
        *self.broken.lock().unwrap() = part;
    }
}

/// Uses the server at `url` from this desk. The connection's id.
async fn use_server(here: &Fixture, url: &str) -> String {
    let made = here.post("/workbench/connections", json!({"name": "Home", "base_url": url})).await.ok();
    let connection = made["id"].as_str().unwrap().to_owned();
    here.post(&format!("/workbench/connections/{connection}/select"), json!({})).await.ok();
    connection
}

/// Until something begins to wait.
async fn waits(events: &mut broadcast::Receiver<Event>) {
    loop {
        let heard = tokio::time::timeout(std::time::Duration::from_secs(20), events.recv()).await;
        if matches!(heard.expect("an event").unwrap(), Event::ApprovalWaiting { .. }) {
            break;
        }
    }
}

/// An agent of another server, whose call of `text` waits for this desk. Its `memory_insert` asks first.
async fn waiting_there(text: &str) -> (Scene, Arc<Way>, Fixture) {
    let there = Fixture::new().await;
    let (way, url) = Front::of(&there).await;
    let here = Fixture::new().await;
    use_server(&here, &url).await;
    let scene = Scene::on(here).await;
    let path = format!("/v1/agents/{}/tools/approval/memory_insert", scene.agent);
    scene.desk.call(Method::PATCH, &path, json!({"requires_approval": true})).await.ok();
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    scene.say(text).await.ok();
    waits(&mut events).await;
    (scene, way, there)
}

fn decided_by(log: &[Value]) -> Vec<&str> {
    let decided = log.iter().filter(|entry| entry["event"] == "decided");
    decided.map(|entry| entry["decided_by"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_server_that_cannot_be_asked_for_a_moment_loses_no_request() {
    let (scene, way, _there) = waiting_there(READ).await;
    let request = scene.request().await;
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    way.break_at("/v1/");
    scene.desk.desk.watch_approvals().await;
    assert_eq!(scene.waiting().await, json!([]), "nothing is known of it now");
    assert!(events.try_recv().is_err(), "it was not told to be answered");
    let call = &request["calls"][0];
    let allow = json!([{"tool_call_id": call["tool_call_id"], "decision": "allow"}]);
    let refused = scene.answer(&request, allow).await.refusal(503);
    assert!(refused.contains("Try again"), "{refused}");

    // It is still one that began here: rules decide about it.
    way.break_at("");
    assert_eq!(scene.request().await["found"], false);
    scene.rule("allow read_file everywhere").await;
    scene.settled().await;
    assert!(scene.returned().await.to_string().contains("HERON-42"));
    assert_eq!(decided_by(&scene.audit().await), ["rule"]);
}

#[tokio::test]
async fn a_rule_that_is_revoked_before_its_answer_begins_answers_nothing() {
    let there = Fixture::new().await;
    let (way, url) = Front::of(&there).await;
    let here = Fixture::new().await;
    use_server(&here, &url).await;
    let scene = Scene::on(here).await;
    let rule = scene.rule("allow read_file everywhere").await;
    // Two looks find that it waits and that the rule decides; the last one before the answer is held up.
    let gate = Arc::new(Semaphore::new(2));
    *way.gate.lock().unwrap() = Some(gate.clone());
    scene.say(READ).await.ok();
    while way.looks.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    let revoke = format!("/workbench/rules/{}", rule["id"].as_str().unwrap());
    scene.desk.call(Method::DELETE, &revoke, json!({})).await.ok();
    gate.add_permits(1_000_000);
    let request = scene.request().await;
    let deny = json!([{"tool_call_id": request["calls"][0]["tool_call_id"], "decision": "deny"}]);
    loop {
        let answered = scene.answer(&request, deny.clone()).await;
        // The automatic answer has not given up yet.
        if answered.status != StatusCode::CONFLICT || !answered.text.contains("being answered") {
            answered.frames();
            break;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(decided_by(&scene.audit().await), ["person"]);
}

#[tokio::test]
async fn a_call_a_server_was_to_run_and_said_nothing_of_is_never_run_again_unasked() {
    let (scene, way, _there) =
        waiting_there(r#"call memory_insert with {"label": "human", "new_string": "Likes tea."}"#).await;
    let request = scene.request().await;
    let call = &request["calls"][0];
    let edited = json!([{
        "tool_call_id": call["tool_call_id"],
        "decision": "allow",
        "arguments": {"label": "human", "new_string": "Likes coffee."},
    }]);
    way.break_at("/run");
    scene.answer(&request, edited.clone()).await.refusal(503);
    way.break_at("");
    let call = scene.request().await["calls"][0].clone();
    assert_eq!(call["outcome"]["state"], "unknown", "{call}");
    let refused = scene.answer(&request, edited).await;
    refused.refusal(409);
    assert_eq!(refused.json()["detail"]["code"], "CALL_OUTCOME_UNKNOWN");
    let report = json!([{"tool_call_id": call["tool_call_id"], "decision": "report"}]);
    scene.answer(&request, report).await.frames();
    assert!(scene.returned().await.to_string().contains("Nobody knows"));
}

#[tokio::test]
async fn what_could_not_be_asked_about_at_first_is_found_later() {
    let theirs = Scene::on(Fixture::new().await).await;
    theirs.say(READ).await.ok();
    let (way, url) = Front::of(&theirs.desk).await;
    let here = Fixture::new().await;
    let mut events = here.desk.events().subscribe().unwrap();
    way.break_at("/messages");
    let connection = use_server(&here, &url).await;
    while way.looks.load(Ordering::SeqCst) < 1 {
        tokio::task::yield_now().await;
    }
    way.break_at("");
    // The first look may go on for a moment, and whoever looks meanwhile leaves it at that.
    let select = format!("/workbench/connections/{connection}/select");
    while events.try_recv().is_ok_and(|event| !matches!(event, Event::ApprovalWaiting { .. }))
        || here.get("/workbench/approvals").await.ok() == json!([])
    {
        here.post(&select, json!({})).await.ok();
        tokio::task::yield_now().await;
    }
    assert_eq!(here.get("/workbench/approvals").await.ok()[0]["found"], true);
}

#[tokio::test]
async fn what_ran_here_before_a_restart_is_delivered_there_afterwards() {
    let there = Fixture::new().await;
    let here = Fixture::new().await;
    let connection = use_server(&here, &there.serve().await).await;
    let mut scene = Scene::on(here).await;
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    scene.say(READ).await.ok();
    waits(&mut events).await;
    let request = scene.request().await;
    let call = ClientCall {
        connection,
        message_id: request["id"].as_str().unwrap().parse().unwrap(),
        tool_call_id: request["calls"][0]["tool_call_id"].as_str().unwrap().to_owned(),
        agent_id: scene.agent.parse().unwrap(),
        conversation_id: None,
        tool: "read_file".to_owned(),
        hash: request["calls"][0]["hash"].as_str().unwrap().to_owned(),
        arguments: None,
        state: CallState::Started,
        status: None,
        result: None,
        confinement: None,
        started_at: Timestamp::now(),
        finished_at: None,
    };
    let store = scene.desk.desk.app().store().clone();
    let ran = move |tx: &loci_store::Transaction<'_>| {
        client_call::start(tx, &call)?;
        client_call::finish(tx, &call, ToolStatus::Success, "It was read.", None, Timestamp::now())
    };
    store.write(ran).await.unwrap();
    drop(store);
    // The row says that this desk decided about the request, so it need not be asked for anew.
    let desk = std::mem::replace(&mut scene.desk, Fixture::new().await);
    scene.desk = desk.restarted().await;
    let path = format!("/v1/agents/{}/messages?limit=20", scene.agent);
    while !scene.desk.get(&path).await.text.contains("It was read.") {
        tokio::task::yield_now().await;
    }
    assert_eq!(decided_by(&scene.audit().await), ["loci"]);
}

#[tokio::test]
async fn an_agent_of_another_server_uses_this_machine_and_waits_for_this_person() {
    let there = Fixture::new().await;
    let here = Fixture::new().await;
    let connection = use_server(&here, &there.serve().await).await;
    let scene = Scene::on(here).await;
    let mut events = scene.desk.desk.events().subscribe().unwrap();
    scene.say(READ).await.ok();
    waits(&mut events).await;
    let request = scene.request().await;
    assert_eq!((&request["connection"], &request["agent_name"]), (&json!(connection), &json!("Mercury")));
    let call = &request["calls"][0];
    assert!(call["preview"]["message"].as_str().unwrap().contains("plan.md"), "{call}");
    let decisions =
        json!([{"tool_call_id": call["tool_call_id"], "decision": "allow", "hash": call["hash"]}]);
    scene.answer(&request, decisions).await.frames();
    assert!(scene.returned().await.to_string().contains("HERON-42"));
    assert_eq!(scene.waiting().await, json!([]));
    assert_eq!(scene.audit().await[0]["connection"], json!(connection));

    // A rule for an agent is one for that server's agent, whatever another server calls its own.
    let elsewhere = json!({
        "effect": "deny",
        "scope": {"type": "agent", "agent_id": scene.agent},
        "matches": {"type": "tool", "tool": "read_file"},
    });
    scene.desk.post("/workbench/rules", elsewhere).await.ok();
    scene.say(READ).await.ok();
    waits(&mut events).await;
    assert_eq!(scene.request().await["calls"][0]["verdict"]["effect"], "ask");
}

#[tokio::test]
async fn what_waited_on_another_server_before_is_found_and_only_a_person_answers_it() {
    let there = Fixture::new().await;
    let theirs = Scene::on(there).await;
    theirs.say(READ).await.ok();
    let url = theirs.desk.serve().await;
    let here = Fixture::new().await;
    here.post("/workbench/rules", json!({"text": "allow read_file everywhere"})).await.ok();
    here.post("/workbench/rules", json!({"text": "deny write_file everywhere"})).await.ok();
    here.call(Method::PATCH, "/workbench/settings", json!({"expire_unattended_hours": 0.0005})).await.ok();
    let mut events = here.desk.events().subscribe().unwrap();
    let made = here.post("/workbench/connections", json!({"name": "Home", "base_url": url})).await.ok();
    let connection = made["id"].as_str().unwrap().to_owned();
    assert_eq!(here.get("/workbench/approvals").await.ok(), json!([]), "it is not in use");
    here.post(&format!("/workbench/connections/{connection}/select"), json!({})).await.ok();
    waits(&mut events).await;
    let found = here.get("/workbench/approvals").await.ok()[0].clone();
    assert_eq!((&found["found"], &found["connection"]), (&json!(true), &json!(connection)));
    assert_eq!((&found["expires_at"], &found["answering"]), (&Value::Null, &json!(false)));
    let call = &found["calls"][0];
    assert_eq!(call["verdict"]["effect"], "ask", "no rule decides: {call}");
    // Nothing was sent there, and what rules and time would do is not done.
    here.desk.watch_approvals().await;
    assert_eq!(theirs.waiting().await[0]["id"], found["id"]);
    assert!(here.get("/workbench/audit?event=decided").await.ok().as_array().unwrap().is_empty());

    let deny = json!({
        "agent_id": found["agent_id"], "conversation_id": null,
        "decisions": [{"tool_call_id": call["tool_call_id"], "decision": "deny", "reason": "Not from here."}],
    });
    here.post(&format!("/workbench/approvals/{}/answer", found["id"].as_str().unwrap()), deny).await.frames();
    assert_eq!(theirs.waiting().await, json!([]));
    assert!(theirs.returned().await.to_string().contains("Not from here."));
    assert_eq!(here.get("/workbench/approvals").await.ok(), json!([]));
}
