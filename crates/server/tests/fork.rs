//! Conversations that go on from another one.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, client_tool, types};
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::{each, text};

async fn fork(chat: &Chat, of: &str, query: &str) -> String {
    let path = format!("/v1/conversations/{of}/fork?agent_id={}{query}", chat.agent);
    text(&chat.server.post(&path, json!(null)).await, "id").to_owned()
}

async fn history(chat: &Chat, conversation: &str) -> Vec<Value> {
    let path = format!("/v1/conversations/{conversation}/messages?order=asc&limit=1000");
    chat.server.get(&path).await.as_array().unwrap().clone()
}

/// Of the default thread alone.
async fn own_history(chat: &Chat) -> Vec<Value> {
    let path = format!("{}?conversation_id=default&order=asc&limit=1000", chat.messages_path());
    chat.server.get(&path).await.as_array().unwrap().clone()
}

fn words(messages: &[Value]) -> Vec<&str> {
    messages[1..].iter().map(|message| message["content"].as_str().unwrap_or("-")).collect()
}

#[tokio::test]
async fn a_fork_holds_what_the_source_does_and_goes_its_own_way() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("a1"), Reply::text("a2")]);
    chat.say("q1").await;
    chat.say("q2").await;
    let made = fork(&chat, "default", "").await;
    let copied = history(&chat, &made).await;
    assert_eq!(types(&copied)[0], "system_message");
    assert_eq!(words(&copied), ["q1", "a1", "q2", "a2"]);
    assert!(text(&copied[0], "content").contains(&made), "a system prompt of its own");
    let own = chat.server.get(&format!("{}?conversation_id=default", chat.messages_path())).await;
    let ids = each(&own, "id");
    assert!(copied.iter().all(|message| !ids.contains(&text(message, "id"))), "copies");

    chat.model.script([Reply::text("a3")]);
    let messages = format!("/v1/conversations/{made}/messages");
    chat.server.post(&messages, json!({"input": "q3", "streaming": false})).await;
    let sent = chat.model.requests().pop().unwrap().body;
    assert_eq!(sent["messages"].as_array().unwrap().len(), 6, "the model reads all of it");
    let own = chat.server.get(&format!("{}?conversation_id=default", chat.messages_path())).await;
    assert_eq!(own.as_array().unwrap().len(), 5, "the source does not");
    assert_eq!(words(&history(&chat, &made).await), ["q1", "a1", "q2", "a2", "q3", "a3"]);
    let found = chat.server.post("/v1/messages/search", json!({"query": "q1"})).await;
    assert_eq!(found.as_array().unwrap().len(), 1, "found once");
    assert_eq!(found[0]["conversation_id"], Value::Null, "where it was said");
    // A fork of the fork, and the source deleted.
    let second = fork(&chat, &made, "").await;
    chat.server.call("DELETE", &format!("/v1/conversations/{made}"), None).await;
    assert_eq!(words(&history(&chat, &second).await).len(), 6);
}

#[tokio::test]
async fn a_fork_can_begin_in_the_past_also_before_a_summary() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply::text("fine"));
    for number in 0..4 {
        chat.say(&format!("q{number}")).await;
    }
    let said = own_history(&chat).await;
    let until = text(&said[4], "id").to_owned();
    let made = fork(&chat, "default", &format!("&message_id={until}")).await;
    assert_eq!(words(&history(&chat, &made).await), ["q0", "fine", "q1", "fine"]);

    chat.model.script([Reply::text("The gist.")]);
    let all = json!({"compaction_settings": {"mode": "all"}});
    chat.server.post(&format!("/v1/agents/{}/summarize", chat.agent), all).await;
    chat.say("q4").await;
    let in_view = |conversation: &Value| conversation["in_context_message_ids"].as_array().unwrap().len();
    // Older than the summary: all that was said until then is in view again.
    let old = fork(&chat, "default", &format!("&message_id={until}")).await;
    assert_eq!(words(&history(&chat, &old).await), ["q0", "fine", "q1", "fine"]);
    assert_eq!(in_view(&chat.server.get(&format!("/v1/conversations/{old}")).await), 5);
    // Newer: the summary comes along.
    let said = own_history(&chat).await;
    let last = text(said.last().unwrap(), "id");
    let new = fork(&chat, "default", &format!("&message_id={last}")).await;
    let shown = chat.server.get(&format!("/v1/conversations/{new}")).await;
    let first = shown["in_context_message_ids"][1].as_str().unwrap();
    let summary = chat.server.get(&format!("/v1/messages/{first}")).await;
    assert!(text(&summary[0], "content").contains("The gist."), "{summary}");
    assert_eq!(history(&chat, &new).await.len(), said.len());

    let unknown = "message-00000000-0000-4000-8000-000000000009";
    let path = format!("/v1/conversations/default/fork?agent_id={}&message_id=", chat.agent);
    assert_eq!(chat.server.call("POST", &format!("{path}{unknown}"), None).await.0, 404);
    assert_eq!(chat.server.call("POST", &format!("{path}nonsense"), None).await.0, 422);
    assert_eq!(chat.server.call("POST", "/v1/conversations/default/fork", None).await.0, 422);
}

#[tokio::test]
async fn what_waits_for_an_answer_waits_in_one_place() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("hello"), Reply::call("look", json!({}))]);
    chat.say("hi").await;
    chat.send(json!({"input": "look", "client_tools": [client_tool("look")]})).await;
    let made = fork(&chat, "default", "").await;
    assert_eq!(words(&history(&chat, &made).await), ["hi", "hello", "look"]);
    chat.model.script([Reply::text("Nothing waits here.")]);
    let messages = format!("/v1/conversations/{made}/messages");
    let answer = chat.server.post(&messages, json!({"input": "so?", "streaming": false})).await;
    assert_eq!(answer["messages"][0]["content"], "Nothing waits here.");
    let (status, _) = chat.refused(json!({"input": "so?"})).await;
    assert_eq!(status, 409, "the source still waits");
}
