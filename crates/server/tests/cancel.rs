//! Stopping what goes on, and what is kept of it.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, joined, kinds, types};
use loci_testkit::reply::Reply;
use serde_json::json;
use support::{each, text};

#[tokio::test]
async fn a_cancelled_answer_keeps_the_question_and_what_was_said() {
    let chat = Chat::start().await;
    chat.model.script([Reply {
        chunk_delay_ms: 30,
        ..Reply::text("one two three four five six seven eight nine")
    }]);
    chat.model.default_reply(Reply::text("next"));
    let mut stream = chat.stream_agent(json!({"input": "count", "stream_tokens": true})).await;
    let run_id = text(&stream.next().await.expect("a ping").data, "run_id").to_owned();
    let first = stream.until("assistant_message").await;
    let outcome =
        chat.server.post(&format!("{}/cancel", chat.messages_path()), json!({"run_ids": [run_id]})).await;
    assert_eq!(outcome, json!({run_id.as_str(): "cancelled"}));
    let mut events = vec![first];
    events.extend(stream.all().await);
    let all = kinds(&events);
    assert_eq!(all[all.len() - 3..], ["stop_reason", "usage_statistics", "[DONE]"]);
    assert_eq!(events[events.len() - 3].data["stop_reason"], "cancelled");
    let run = chat.server.get(&format!("/v1/runs/{run_id}")).await;
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("cancelled"), &json!("cancelled")));

    assert_eq!(types(&chat.history().await), ["system_message", "user_message"]);
    let with_failed = chat.server.get(&format!("{}?include_err=true", chat.messages_path())).await;
    let kept = with_failed.as_array().unwrap().last().unwrap();
    assert_eq!((&kept["message_type"], &kept["is_err"]), (&json!("assistant_message"), &json!(true)));
    assert_eq!(kept["content"], joined(&events, "assistant_message", "content"));
    assert_eq!(chat.say("go on").await["messages"][0]["content"], "next");
}

#[tokio::test]
async fn a_request_that_waits_for_an_answer_in_one_piece_is_told() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("never") }]);
    let waiting = chat.say("x");
    let cancelling = async {
        // The run must be there to be cancelled.
        loop {
            let runs = chat.server.get(&format!("/v1/runs/?agent_id={}&active=true", chat.agent)).await;
            if !runs.as_array().unwrap().is_empty() && !chat.model.requests().is_empty() {
                break;
            }
            tokio::task::yield_now().await;
        }
        chat.server.post(&format!("{}/cancel", chat.messages_path()), json!({})).await
    };
    let (answer, outcome) = tokio::join!(waiting, cancelling);
    assert_eq!(answer["stop_reason"]["stop_reason"], "cancelled");
    assert_eq!(outcome.as_object().unwrap().values().collect::<Vec<_>>(), ["cancelled"]);
}

#[tokio::test]
async fn one_that_waits_its_turn_is_cancelled_without_having_run() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("first") }]);
    let first = chat.stream_agent(json!({"input": "x"})).await;
    let mut second = chat.stream_agent(json!({"input": "y"})).await;
    let run_id = text(&second.next().await.expect("a ping").data, "run_id").to_owned();
    let path = format!("{}/cancel", chat.messages_path());
    assert_eq!(
        chat.server.post(&path, json!({"run_ids": [run_id]})).await,
        json!({run_id.as_str(): "cancelled"})
    );
    assert_eq!(kinds(&second.all().await), ["stop_reason", "usage_statistics", "[DONE]"]);
    chat.model.release();
    assert_eq!(joined(&first.all().await, "assistant_message", "content"), "first");
    assert!(!chat.history().await.iter().any(|message| message["content"] == "y"));
}

#[tokio::test]
async fn with_nothing_to_cancel_one_is_told() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply::text("ok"));
    let conversation = chat.conversation().await;
    let (status, body) = chat.server.call("POST", &format!("{}/cancel", chat.messages_path()), None).await;
    assert_eq!(status, 409);
    assert!(text(&body, "detail").contains("No active runs to cancel"), "{body}");
    let path = format!("/v1/conversations/{conversation}/cancel");
    let (status, body) = chat.server.call("POST", &path, None).await;
    assert_eq!(status, 409);
    assert_eq!(body["detail"], format!("CONFLICT: No active runs to cancel for conversation {conversation}"));
    let answer = chat.say("x").await;
    let done = text(&answer["messages"][0], "run_id");
    let unknown = "run-00000000-0000-4000-8000-000000000009";
    let outcome = chat
        .server
        .post(&format!("{}/cancel", chat.messages_path()), json!({"run_ids": [done, unknown]}))
        .await;
    assert_eq!(outcome, json!({done: "failed", unknown: "failed"}));
    let (status, _) = chat
        .server
        .call("POST", &format!("{}/cancel", chat.messages_path()), Some(json!({"run_ids": ["x"]})))
        .await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn shutting_down_ends_every_run_and_takes_no_more() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("never") }]);
    let stream = chat.stream_agent(json!({"input": "x"})).await;
    chat.server.app.shutdown().await;
    let events = stream.all().await;
    assert_eq!(events.last().map(chat::Event::kind), Some("[DONE]"));
    let (status, _) = chat.refused(json!({"input": "y"})).await;
    assert_eq!(status, 503);
    let runs = chat.server.get(&format!("/v1/runs/?agent_id={}", chat.agent)).await;
    assert_eq!(each(&runs, "status"), ["cancelled"]);
}
