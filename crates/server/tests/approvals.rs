//! Calls that wait: for a person's decision, or for the client that runs them.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, client_tool, kinds, types};
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::{each, text};

const WAITING: &str = "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. \
                       Please approve or deny the pending request before continuing.";
const NOTHING: &str = "Cannot process approval response: No tool call is currently awaiting approval. Please send \
                       a regular message to interact with the agent.";

/// An agent whose `core_memory_append` asks first.
async fn cautious() -> Chat {
    Chat::with(json!({
        "tools": ["core_memory_append", "core_memory_replace"],
        "tool_rules": [{"type": "requires_approval", "tool_name": "core_memory_append"}],
    }))
    .await
}

fn append(id_text: &str) -> Reply {
    Reply::call("core_memory_append", json!({"label": "human", "content": id_text}))
}

fn call_id(request: &Value) -> &str {
    text(&request["tool_calls"][0], "tool_call_id")
}

fn last(answer: &Value) -> &Value {
    answer["messages"].as_array().and_then(|all| all.last()).expect("a message")
}

fn decide(id: &str, approve: bool) -> Value {
    json!({"messages": [{"type": "approval", "approvals":
        [{"type": "approval", "tool_call_id": id, "approve": approve, "reason": "because"}]}]})
}

fn returned(id: &str, what: &str) -> Value {
    json!({"messages": [{"type": "approval", "approvals":
        [{"type": "tool", "tool_call_id": id, "tool_return": what, "status": "success"}]}]})
}

async fn value_of_human(chat: &Chat) -> String {
    let block = chat.server.get(&format!("/v1/agents/{}/core-memory/blocks/human", chat.agent)).await;
    text(&block, "value").to_owned()
}

#[tokio::test]
async fn a_gated_call_waits_and_runs_when_approved() {
    let chat = cautious().await;
    chat.model.script([append("x"), Reply::text("Done.")]);
    let asked = chat.say("remember x").await;
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval");
    let request = last(&asked).clone();
    assert_eq!(request["message_type"], "approval_request_message");
    assert_eq!(request["otid"], request["id"]);
    assert_eq!(value_of_human(&chat).await, "Name: Chad");
    let run = chat.server.get(&format!("/v1/runs/{}", text(&request, "run_id"))).await;
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("requires_approval")));
    let agent = chat.server.get(&format!("/v1/agents/{}?include=agent.pending_approval", chat.agent)).await;
    assert_eq!(agent["pending_approval"]["id"], request["id"]);

    let chat = chat.restart().await;
    let answer = chat.send(decide(call_id(&request), true)).await;
    assert_eq!(types(answer["messages"].as_array().unwrap()), ["tool_return_message", "assistant_message"]);
    assert_eq!(answer["messages"][0]["step_id"], request["step_id"]);
    assert_ne!(answer["messages"][0]["run_id"], request["run_id"], "the answer makes a new run");
    assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
    assert_eq!(value_of_human(&chat).await, "Name: Chad\nx");
    assert_eq!(
        types(&chat.history().await),
        [
            "system_message",
            "user_message",
            "approval_request_message",
            "approval_response_message",
            "tool_return_message",
            "assistant_message"
        ]
    );
}

#[tokio::test]
async fn a_denied_call_does_not_run_and_the_model_hears_why() {
    let chat = cautious().await;
    chat.model.script([append("x"), Reply::text("As you wish.")]);
    let asked = chat.say("remember x").await;
    let answer = chat.send(decide(call_id(last(&asked)), false)).await;
    assert_eq!(answer["messages"][0]["status"], "error");
    assert_eq!(
        answer["messages"][0]["tool_return"],
        "Error: request to call tool denied. User reason: because"
    );
    assert_eq!(last(&answer)["content"], "As you wish.");
    assert!(chat.model.requests()[1].body.to_string().contains("request to call tool denied"));
    assert_eq!(value_of_human(&chat).await, "Name: Chad");
}

#[tokio::test]
async fn the_older_single_form_approves_and_denies() {
    for (approve, value) in [(true, "Name: Chad\nx"), (false, "Name: Chad")] {
        let chat = cautious().await;
        chat.model.script([append("x"), Reply::text("ok")]);
        let asked = chat.say("remember x").await;
        let answer = chat
            .send(json!({"messages": [{"approve": approve, "approval_request_id": last(&asked)["id"]}]}))
            .await;
        assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
        assert_eq!(value_of_human(&chat).await, value);
    }
}

#[tokio::test]
async fn what_does_not_answer_the_question_is_refused_in_the_published_words() {
    let chat = cautious().await;
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    let (status, body) = chat.refused(decide("nothing", true)).await;
    assert_eq!((status, &body), (400, &json!({"detail": NOTHING})));

    chat.model.script([append("x"), append("y")]);
    let asked = chat.say("remember x").await;
    let in_conversation = chat.server.post(&path, json!({"input": "y", "streaming": false})).await;
    let id = call_id(last(&asked)).to_owned();
    let request_id = last(&asked)["id"].clone();

    let (status, body) = chat.refused(json!({"input": "hello?"})).await;
    assert_eq!(status, 409);
    assert_eq!(
        body,
        json!({"detail": {"code": "PENDING_APPROVAL", "message": WAITING, "pending_request_id": request_id}})
    );
    let (status, body) =
        chat.server.call("POST", &path, Some(json!({"input": "?", "streaming": false}))).await;
    assert_eq!((status.as_u16(), body), (409, json!({"detail": WAITING})));

    let wrong = format!("Invalid tool call IDs. Expected '['{id}']', but received '['wrong']'.");
    assert_eq!(chat.refused(decide("wrong", true)).await, (400, json!({"detail": wrong})));
    let empty = "Invalid approval response. Approval response message does not contain any approvals.";
    for body in [json!({"type": "approval", "approvals": []}), json!({"type": "approval"})] {
        assert_eq!(chat.refused(json!({"messages": [body]})).await, (400, json!({"detail": empty})));
    }

    // The same over a stream: the refusal is in it.
    for (body, words) in [(json!({"input": "hello?"}), WAITING), (decide("wrong", true), wrong.as_str())] {
        let events = chat.stream_agent(body).await.all().await;
        assert_eq!(kinds(&events), ["ping", "stop_reason", "error_message", "[DONE]"]);
        assert_eq!(events[1].data["stop_reason"], "error");
        assert_eq!(events[2].name.as_deref(), Some("error"));
        assert_eq!(events[2].data["error_type"], "internal_error");
        assert_eq!(events[2].data["detail"], words);
        let run = chat.server.get(&format!("/v1/runs/{}", text(&events[0].data, "run_id"))).await;
        assert_eq!(run["status"], "failed");
        assert_eq!(run["metadata"]["error"]["detail"], words);
    }
    let stored = types(&chat.history().await).len();
    assert_eq!(stored, 6, "nothing refused was stored");
    assert_eq!(in_conversation["stop_reason"]["stop_reason"], "requires_approval");
}

#[tokio::test]
async fn an_answer_given_twice_is_taken_once() {
    let chat = cautious().await;
    chat.model.script([append("x"), Reply::text("Done."), Reply::text("Still done.")]);
    let asked = chat.say("remember x").await;
    let answer = decide(call_id(last(&asked)), true);
    chat.send(answer.clone()).await;
    let again = chat.send(answer).await;
    assert_eq!(last(&again)["content"], "Still done.");
    assert_eq!(value_of_human(&chat).await, "Name: Chad\nx");
    let alert =
        chat.history().await.into_iter().rev().find(|message| message["message_type"] == "user_message");
    assert!(text(&alert.unwrap(), "content").starts_with("<system-alert>Automated keep-alive ping."));
}

#[tokio::test]
async fn a_client_runs_its_own_tool_and_the_agent_remembers_the_result() {
    let chat = Chat::start().await;
    chat.model.script([
        Reply::call("get_code", json!({"q": "hi"})),
        Reply::text("I have it."),
        Reply::text("It is 4711."),
    ]);
    let tools = json!([client_tool("get_code")]);
    let asked = chat.send(json!({"input": "Fetch the code.", "client_tools": tools})).await;
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval");
    let offered = chat.model.requests()[0].body["tools"].to_string();
    assert!(offered.contains("get_code"), "{offered}");
    let request = last(&asked).clone();
    assert_eq!(request["tool_call"]["name"], "get_code");

    let chat = chat.restart().await;
    let answer = chat.send(returned(call_id(&request), "4711")).await;
    assert_eq!(types(answer["messages"].as_array().unwrap()), ["tool_return_message", "assistant_message"]);
    assert_eq!(answer["messages"][0]["tool_return"], "4711");
    assert_eq!(answer["messages"][0]["name"], Value::Null);
    let said = chat.say("What was it?").await;
    assert_eq!(last(&said)["content"], "It is 4711.");
    assert!(chat.model.requests()[2].body["messages"].to_string().contains("4711"));
}

#[tokio::test]
async fn the_same_in_pieces_over_a_conversation() {
    let chat = Chat::start().await;
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    chat.model.script([Reply::call("get_code", json!({"q": "hi"})), Reply::text("Got it.")]);
    let body = json!({"input": "Fetch.", "client_tools": [client_tool("get_code")], "stream_tokens": true});
    let events = chat.stream(&path, body).await.all().await;
    let pieces: Vec<&Value> = events
        .iter()
        .filter(|event| event.kind() == "approval_request_message")
        .map(|event| &event.data)
        .collect();
    assert!(!pieces.is_empty());
    let name: Vec<&str> = pieces.iter().filter_map(|piece| piece["tool_calls"]["name"].as_str()).collect();
    assert_eq!(name, ["get_code"]);
    let arguments: String =
        pieces.iter().filter_map(|piece| piece["tool_calls"]["arguments"].as_str()).collect();
    assert_eq!(serde_json::from_str::<Value>(&arguments).unwrap(), json!({"q": "hi"}));
    let stop = events.iter().find(|event| event.kind() == "stop_reason").unwrap();
    assert_eq!(stop.data["stop_reason"], "requires_approval");
    let list = chat.server.get(&path).await;
    assert_eq!(list[0]["message_type"], "approval_request_message");
    assert_eq!(list[0]["id"], pieces[0]["id"], "what was streamed is what is stored");

    let mut answer = returned(call_id(&list[0]), "4711");
    answer["stream_tokens"] = json!(true);
    let events = chat.stream(&path, answer).await.all().await;
    assert!(!kinds(&events).contains(&"tool_return_message"), "the client's own return is not sent back");
    assert_eq!(chat::joined(&events, "assistant_message", "content"), "Got it.");
}

#[tokio::test]
async fn a_client_tool_hides_a_server_tool_of_its_name() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.script([append("x"), Reply::text("ok")]);
    let mut tool = client_tool("core_memory_append");
    tool["description"] = json!("The client's own");
    let asked = chat.send(json!({"input": "go", "client_tools": [tool]})).await;
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval");
    let offered = chat.model.requests()[0].body["tools"].clone();
    let same: Vec<&Value> = offered
        .as_array()
        .unwrap()
        .iter()
        .filter(|tool| tool["function"]["name"] == "core_memory_append")
        .collect();
    assert_eq!(same.len(), 1);
    assert_eq!(same[0]["function"]["description"], "The client's own");
    chat.send(returned(call_id(last(&asked)), "by the client")).await;
    assert_eq!(value_of_human(&chat).await, "Name: Chad");
}

#[tokio::test]
async fn parallel_calls_some_gated_wait_together() {
    let chat = Chat::with(json!({
        "tools": ["core_memory_append", "core_memory_replace"],
        "tool_rules": [{"type": "requires_approval", "tool_name": "core_memory_append"}],
        "parallel_tool_calls": true,
    }))
    .await;
    chat.model.script([
        Reply::calls([
            ("core_memory_append", json!({"label": "human", "content": "x"})),
            ("core_memory_replace", json!({"label": "human", "old_content": "Chad", "new_content": "Ada"})),
        ]),
        Reply::text("Both."),
    ]);
    let asked = chat.say("do both").await;
    assert_eq!(
        types(asked["messages"].as_array().unwrap()),
        ["tool_call_message", "approval_request_message"]
    );
    assert_eq!(value_of_human(&chat).await, "Name: Chad", "nothing ran yet");
    let request = last(&asked);
    let answer = chat.send(decide(call_id(request), true)).await;
    let returns = &answer["messages"][0];
    assert_eq!(returns["message_type"], "tool_return_message");
    let ids = each(&returns["tool_returns"], "tool_call_id");
    let ungated = text(&asked["messages"][0]["tool_calls"][0], "tool_call_id");
    assert_eq!(ids, [call_id(request), ungated], "approved first, then what had not needed it");
    let value = value_of_human(&chat).await;
    assert_eq!(value, "Name: Ada\nx");
}

#[tokio::test]
async fn a_message_may_follow_an_approval() {
    let chat = cautious().await;
    chat.model.script([append("x"), Reply::text("And hello.")]);
    let asked = chat.say("remember x").await;
    let mut body = decide(call_id(last(&asked)), true);
    body["messages"].as_array_mut().unwrap().push(json!({"role": "user", "content": "by the way, hello"}));
    let answer = chat.send(body).await;
    assert_eq!(last(&answer)["content"], "And hello.");
    let sent = chat.model.requests()[1].body["messages"].to_string();
    assert!(sent.contains("by the way, hello"));
    let history = chat.history().await;
    let kinds = types(&history);
    assert_eq!(kinds[kinds.len() - 3..], ["tool_return_message", "user_message", "assistant_message"]);
}

#[tokio::test]
async fn cancelling_while_it_waits_denies_and_frees_the_agent() {
    let chat = cautious().await;
    let conversation = chat.conversation().await;
    chat.model.script([append("x"), append("y")]);
    chat.model.default_reply(Reply::text("Free again."));
    let asked = chat.say("remember x").await;
    let path = format!("/v1/conversations/{conversation}/messages");
    chat.server.post(&path, json!({"input": "y", "streaming": false})).await;

    let outcome = chat.server.post(&format!("{}/cancel", chat.messages_path()), json!({})).await;
    let run_id = text(last(&asked), "run_id");
    assert_eq!(outcome, json!({run_id: "cancelled"}));
    let history = chat.server.get(&format!("{}?conversation_id=default", chat.messages_path())).await;
    let kinds = each(&history, "message_type");
    assert_eq!(kinds[kinds.len() - 2..], ["approval_response_message", "tool_return_message"]);
    let response = &history[history.as_array().unwrap().len() - 2];
    assert_eq!(response["approve"], false);
    assert_eq!(response["reason"], "The user cancelled the request, so the tool call was denied.");
    assert_eq!(chat.server.get(&format!("/v1/runs/{run_id}")).await["stop_reason"], "cancelled");
    assert_eq!(last(&chat.say("hello").await)["content"], "Free again.");

    let (status, outcome) =
        chat.server.call("POST", &format!("/v1/conversations/{conversation}/cancel"), None).await;
    assert_eq!(status, 200, "{outcome}");
    let answer = chat.server.post(&path, json!({"input": "hello", "streaming": false})).await;
    assert_eq!(last(&answer)["content"], "Free again.");
}
