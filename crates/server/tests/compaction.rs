//! Making a context shorter: when, by whom, what stays, and what is said when it cannot be done.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, client_tool, kinds, types};
use loci_testkit::reply::{Reply, ReplyUsage};
use serde_json::{Value, json};
use support::{each, text};

/// What the summariser is asked begins so.
fn is_summary_request(body: &Value) -> bool {
    body["messages"].as_array().unwrap().last().unwrap()["content"].to_string().contains("<transcript>")
}

fn used(tokens: u64, reply: Reply) -> Reply {
    let usage = ReplyUsage { prompt_tokens: tokens, completion_tokens: 0, ..ReplyUsage::default() };
    Reply { usage: Some(usage), ..reply }
}

/// The model answers every message; the summariser says what it is told.
fn answers_with(chat: &Chat, summary: Reply) {
    chat.model.respond_with(move |body| is_summary_request(body).then(|| summary.clone()));
    chat.model.default_reply(Reply::text("Fine."));
}

async fn small() -> Chat {
    Chat::with(json!({"context_window_limit": 8_000, "include_base_tools": false,
        "compaction_settings": {"model": "openai/summariser"}}))
    .await
}

async fn talk(chat: &Chat, times: usize) {
    for number in 0..times {
        chat.say(&format!("message {number} about tea")).await;
    }
}

async fn in_context(chat: &Chat) -> Vec<String> {
    let agent = chat.server.get(&format!("/v1/agents/{}", chat.agent)).await;
    agent["message_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// The request the model got last that was not for a summary.
fn last_request(chat: &Chat) -> Value {
    let requests = chat.model.requests();
    requests.into_iter().rev().map(|request| request.body).find(|body| !is_summary_request(body)).unwrap()
}

fn summary_requests(chat: &Chat) -> Vec<Value> {
    let requests = chat.model.requests();
    requests.into_iter().map(|request| request.body).filter(is_summary_request).collect()
}

#[tokio::test]
async fn a_context_that_is_nearly_full_is_summarised_behind_the_turn_and_nothing_is_lost() {
    let chat = small().await;
    answers_with(&chat, Reply::text("They talked about tea."));
    talk(&chat, 9).await;
    assert_eq!(in_context(&chat).await.len(), 19);
    chat.model.script([used(7_300, Reply::text("Nearly full."))]);
    let answer = chat.say("the last one").await;
    assert_eq!(
        types(answer["messages"].as_array().unwrap()),
        ["assistant_message"],
        "not part of the answer"
    );
    assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");

    let asked = summary_requests(&chat);
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["model"], "summariser");
    assert!(asked[0].to_string().contains("[user] message 0 about tea"));

    let context = in_context(&chat).await;
    assert_eq!(context.len(), 15, "the newest of them stay");
    let history = chat.history().await;
    assert_eq!(history.len(), 1 + 20 + 1, "all messages and the summary");
    let summary = history.iter().find(|message| message["id"] == json!(context[1])).unwrap();
    assert_eq!(summary["message_type"], "user_message");
    assert!(text(summary, "content").contains("They talked about tea."));
    assert_eq!(context[0], text(&history[0], "id"), "message 0 keeps its id");

    let path = format!("{}?include_return_message_types=summary_message", chat.messages_path());
    let shown = chat.server.get(&path).await;
    assert_eq!(shown[0]["summary"], "They talked about tea.");
    let stats = &shown[0]["compaction_stats"];
    assert_eq!(stats["trigger"], "context_check");
    assert_eq!((&stats["context_window"], &stats["messages_count_before"]), (&json!(8_000), &json!(21)));
    assert_eq!(stats["messages_count_after"], json!(context.len()));
    assert!(stats["context_tokens_before"].as_u64().unwrap() >= 7_300);

    chat.say("and now?").await;
    let sent = last_request(&chat);
    let sent_messages = sent["messages"].as_array().unwrap();
    assert_eq!(sent_messages.len(), context.len() + 1);
    assert!(sent_messages[1]["content"].to_string().contains("They talked about tea."));
    assert!(!sent.to_string().contains("message 0 about tea"));
    assert!(sent_messages[0]["content"].to_string().contains(" earlier messages are kept in recall memory"));
    assert_eq!(summary_requests(&chat).len(), 1, "once is enough");

    let chat = chat.restart().await;
    assert_eq!(in_context(&chat).await.len(), context.len() + 2);
}

#[tokio::test]
async fn who_asks_for_it_is_told_while_it_streams() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    talk(&chat, 3).await;
    let full = || used(7_300, Reply::text("Full."));
    for tokens in [false, true] {
        chat.model.script([full()]);
        let body = json!({"input": "go", "stream_tokens": tokens, "include_compaction_messages": true});
        let events = chat.stream_agent(body).await.all().await;
        let told: Vec<&str> = kinds(&events).into_iter().filter(|kind| *kind != "ping").collect();
        let wanted = [
            "assistant_message",
            "event_message",
            "summary_message",
            "stop_reason",
            "usage_statistics",
            "[DONE]",
        ];
        assert_eq!(told, wanted);
        let event = events.iter().find(|event| event.kind() == "event_message").unwrap();
        assert_eq!(event.data["event_type"], "compaction");
        assert_eq!(event.data["event_data"]["trigger"], "context_check");
        assert_eq!(event.data["event_data"]["context_window"], 8_000);
        assert!(event.data["event_data"]["context_token_estimate"].as_u64().unwrap() >= 7_300);
        let summary = events.iter().find(|event| event.kind() == "summary_message").unwrap();
        assert_eq!(summary.data["summary"], "Tea.");
        assert_eq!(in_context(&chat).await[1], text(&summary.data, "id"));
        talk(&chat, 2).await;
    }
    chat.model.script([full()]);
    let events = chat.stream_agent(json!({"input": "go"})).await.all().await;
    let told: Vec<&str> = kinds(&events).into_iter().filter(|kind| *kind != "ping").collect();
    assert_eq!(told, ["assistant_message", "stop_reason", "usage_statistics", "[DONE]"], "nobody asked");
    assert_eq!(summary_requests(&chat).len(), 3);
}

fn overflow() -> Reply {
    Reply::failure(400, "This model's maximum context length is 8000 tokens, your messages have 9000.")
}

#[tokio::test]
async fn a_model_that_finds_the_context_too_long_is_asked_again_with_a_shorter_one() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    talk(&chat, 6).await;
    chat.model.script([overflow(), Reply::text("Now it fits.")]);
    let answer = chat.say("does it fit?").await;
    assert_eq!(answer["messages"][0]["content"], "Now it fits.");
    assert_eq!(summary_requests(&chat).len(), 1);
    let sent = last_request(&chat);
    let last = sent["messages"].as_array().unwrap().last().unwrap();
    assert!(last["content"].to_string().contains("does it fit?"), "the question stays");
    let run = text(&answer["messages"][0], "run_id");
    let steps = chat.server.get(&format!("/v1/runs/{run}/steps")).await;
    assert_eq!(each(&steps, "status"), ["success"], "within one step");
}

#[tokio::test]
async fn where_no_summary_comes_nothing_changes_and_the_reason_is_said() {
    let chat = small().await;
    answers_with(&chat, Reply::failure(401, "no such key"));
    talk(&chat, 6).await;
    let before = in_context(&chat).await;
    // Nearly full: the turn is done all the same.
    chat.model.script([used(7_300, Reply::text("Done."))]);
    let answer = chat.say("still there?").await;
    assert_eq!(answer["messages"][0]["content"], "Done.");
    assert_eq!(summary_requests(&chat).len(), 2, "the summariser, then the agent's own model");
    // Too full: the model's error, and why no room could be made.
    chat.model.script([overflow()]);
    let (status, error) = chat.refused(json!({"input": "too much"})).await;
    assert_eq!(status, 400, "{error}");
    let message = text(&error["error"], "message");
    assert!(message.contains("Summarising the older messages failed"), "{message}");
    let after = in_context(&chat).await;
    assert_eq!(after[..before.len()], before, "no message left the context");
    assert_eq!(after.len(), before.len() + 3);
    // It goes on when the summariser is back.
    answers_with(&chat, Reply::text("Tea."));
    chat.model.script([overflow(), Reply::text("At last.")]);
    assert_eq!(chat.say("again").await["messages"][0]["content"], "At last.");
}

#[tokio::test]
async fn every_mode_makes_room_in_its_own_way() {
    for (mode, by_agent, keeps) in [
        ("sliding_window", false, true),
        ("all", false, false),
        ("self_compact_sliding_window", true, true),
        ("self_compact_all", true, false),
    ] {
        let chat = Chat::with(json!({"context_window_limit": 8_000,
            "compaction_settings": {"model": "openai/summariser", "mode": mode, "prompt": "Sum it up."}}))
        .await;
        chat.model.default_reply(Reply::text("Fine."));
        talk(&chat, 6).await;
        chat.model.script([Reply::text("The gist.")]);
        let path = format!("/v1/agents/{}/summarize", chat.agent);
        let done = chat.server.post(&path, json!({})).await;
        assert_eq!(
            (&done["summary"], &done["num_messages_before"]),
            (&json!("The gist."), &json!(13)),
            "{mode}"
        );
        let context = in_context(&chat).await;
        assert_eq!(done["num_messages_after"], json!(context.len()), "{mode}");
        assert_eq!(context.len() > 2, keeps, "{mode}");
        let asked = chat.model.requests().pop().unwrap().body;
        assert_eq!(is_summary_request(&asked), !by_agent, "{mode}");
        assert_eq!(asked["model"] == "summariser", !by_agent, "{mode}");
        assert!(asked.to_string().contains("Sum it up."), "{mode}");
        if by_agent {
            let usual = &chat.model.requests()[0].body;
            assert_eq!(
                asked["messages"][0], usual["messages"][0],
                "the same prefix, for the provider's cache"
            );
            assert_eq!(asked["tools"], usual["tools"]);
        }
    }
}

#[tokio::test]
async fn the_route_answers_for_this_time_only_and_refuses_what_helps_nobody() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    let path = format!("/v1/agents/{}/summarize", chat.agent);
    let nothing = chat.server.post(&path, json!({})).await;
    assert_eq!(nothing, json!({"summary": "", "num_messages_before": 1, "num_messages_after": 1}));
    talk(&chat, 5).await;
    let settings = json!({"compaction_settings": {"mode": "all"}});
    let done = chat.server.post(&path, settings.clone()).await;
    assert_eq!(done, json!({"summary": "Tea.", "num_messages_before": 11, "num_messages_after": 2}));
    let again = chat.server.post(&path, settings.clone()).await;
    assert_eq!(again, json!({"summary": "Tea.", "num_messages_before": 2, "num_messages_after": 2}));
    let agent = chat.server.get(&format!("/v1/agents/{}", chat.agent)).await;
    assert_eq!(agent["compaction_settings"]["mode"], "sliding_window", "only for this time");
    for (body, status, words) in [
        (json!({"compaction_settings": {"mode": "half"}}), 422, "compaction_settings.mode"),
        (json!({"compaction_settings": {"sliding_window_percentage": 3}}), 422, "from 0 to 1"),
        (json!({"compaction_settings": 1}), 422, "compaction_settings"),
    ] {
        let (got, answer) = chat.server.call("POST", &path, Some(body)).await;
        assert_eq!(got.as_u16(), status, "{answer}");
        assert!(answer["detail"].to_string().contains(words), "{answer}");
    }
    let unknown = "/v1/agents/agent-00000000-0000-4000-8000-000000000009/summarize";
    assert_eq!(chat.server.call("POST", unknown, None).await.0, 404);
    // The model's own error, and everything as before.
    talk(&chat, 3).await;
    answers_with(&chat, Reply::failure(429, "slow down"));
    let (status, error) = chat.server.call("POST", &path, Some(json!({}))).await;
    assert_eq!(status, 429, "{error}");
    assert!(text(&error["error"], "message").contains("Summarising the older messages failed"), "{error}");
    assert_eq!(in_context(&chat).await.len(), 8);
}

#[tokio::test]
async fn a_conversation_is_compacted_by_itself() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    talk(&chat, 2).await;
    let conversation = chat.conversation().await;
    let messages = format!("/v1/conversations/{conversation}/messages");
    for _ in 0..4 {
        chat.server.post(&messages, json!({"input": "hello", "streaming": false})).await;
    }
    let done = chat.server.post(&format!("/v1/conversations/{conversation}/compact"), json!(null)).await;
    assert_eq!(done["num_messages_before"], 9);
    let shown = chat.server.get(&format!("/v1/conversations/{conversation}")).await;
    assert_eq!(done["num_messages_after"], json!(shown["in_context_message_ids"].as_array().unwrap().len()));
    assert_eq!(in_context(&chat).await.len(), 5, "the default thread is another one");
    let all = chat.server.get(&format!("{messages}?limit=100")).await;
    assert_eq!(all.as_array().unwrap().len(), 10);
    let body = json!({"agent_id": chat.agent, "compaction_settings": {"mode": "all"}});
    let done = chat.server.post("/v1/conversations/default/compact", body).await;
    assert_eq!((&done["num_messages_before"], &done["num_messages_after"]), (&json!(5), &json!(2)));
}

#[tokio::test]
async fn what_waits_for_an_answer_stays_and_can_be_answered() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    talk(&chat, 4).await;
    chat.model.script([Reply::call("look", json!({"q": "cup"}))]);
    let tools = json!([client_tool("look")]);
    let asked = chat.send(json!({"input": "look", "client_tools": tools})).await;
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval");
    let path = format!("/v1/agents/{}/summarize", chat.agent);
    let done = chat.server.post(&path, json!({"compaction_settings": {"mode": "all"}})).await;
    assert_eq!(done["num_messages_after"], 3, "system, summary, request");
    let call = text(&asked["messages"][0]["tool_call"], "tool_call_id");
    let answer = json!({"messages": [{"type": "tool_return", "tool_returns": [
        {"type": "tool", "tool_call_id": call, "tool_return": "a blue cup", "status": "success"}]}],
        "client_tools": tools});
    chat.model.script([Reply::text("It is blue.")]);
    let answer = chat.send(answer).await;
    assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
    assert!(last_request(&chat).to_string().contains("a blue cup"));
}

#[tokio::test]
async fn a_run_under_way_is_not_disturbed() {
    let chat = small().await;
    answers_with(&chat, Reply::text("Tea."));
    talk(&chat, 4).await;
    chat.model.script([Reply { hold: true, ..Reply::text("Slow.") }]);
    let mut stream = chat.stream_agent(json!({"input": "slowly"})).await;
    stream.until("ping").await;
    let path = format!("/v1/agents/{}/summarize", chat.agent);
    let (status, error) = chat.server.call("POST", &path, Some(json!({}))).await;
    assert_eq!(status, 409, "{error}");
    chat.model.release();
    stream.all().await;
    chat.server.post(&path, json!({})).await;
}

#[tokio::test]
async fn a_system_prompt_that_fills_the_window_is_named_as_the_cause() {
    let chat = Chat::with(json!({"context_window_limit": 1_000, "system": "x".repeat(5_000),
        "include_base_tools": false}))
    .await;
    let (status, error) = chat.refused(json!({"input": "hi"})).await;
    assert_eq!(status, 400, "{error}");
    assert_eq!(error["error"]["type"], "context_window_overflow_in_system_prompt");
    assert!(chat.model.requests().is_empty());
}
