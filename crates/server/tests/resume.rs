//! Background runs: numbered, resumed, replayed, and what is left of them after a restart.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, Event, joined, kinds};
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::text;

fn background(words: &str, otid: &str) -> Value {
    json!({"messages": [{"role": "user", "content": words, "otid": otid}],
           "stream_tokens": true, "background": true})
}

fn numbers(events: &[Event]) -> Vec<i64> {
    events.iter().filter_map(|event| event.data["seq_id"].as_i64()).collect()
}

/// Events without the pings that only say that the connection lives.
fn numbered(events: &[Event]) -> Vec<Event> {
    events.iter().filter(|event| event.kind() != "ping" || event.data["seq_id"].is_i64()).cloned().collect()
}

#[tokio::test]
async fn a_background_stream_is_numbered_and_resumes_where_it_was_left() {
    let chat = Chat::start().await;
    let path = format!("/v1/conversations/{}/messages", chat.conversation().await);
    chat.model.script([Reply::text("one two three four five")]);
    let all = chat.stream(&path, background("count", "o1")).await.all().await;
    let shown = numbers(&all);
    assert_eq!(shown, (1..=i64::try_from(shown.len()).unwrap()).collect::<Vec<_>>(), "ping is 1, no gaps");
    assert_eq!(all[0].kind(), "ping");
    let run_id = text(&all[0].data, "run_id");
    let resume = format!("/v1/runs/{run_id}/stream");
    for after in [0, 1, 3, shown.len() as i64] {
        let rest = chat.stream(&resume, json!({"starting_after": after})).await.all().await;
        assert_eq!(rest, all[usize::try_from(after).unwrap()..], "after {after}");
    }
    let rest = chat.stream(&resume, json!({"starting_after": 1000})).await.all().await;
    assert!(rest.is_empty());
    let quiet = chat.stream(&resume, json!({"include_pings": false})).await.all().await;
    assert_eq!(quiet, all[1..]);
}

#[tokio::test]
async fn a_lost_connection_is_picked_up_while_the_run_goes_on() {
    let chat = Chat::start().await;
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    chat.model.script([Reply { hold: true, ..Reply::text("slow and steady wins") }]);
    let mut first = chat.stream(&path, background("go", "o1")).await;
    let ping = first.next().await.expect("a ping");
    assert_eq!(ping.data["seq_id"], 1);
    drop(first);

    let by_otid = json!({"otid": "o1", "starting_after": 0, "batch_size": 1000});
    let mut second = chat.stream(&format!("/v1/conversations/{conversation}/stream"), by_otid).await;
    assert_eq!(second.next().await.expect("the same ping"), ping);
    let any = chat.stream(&format!("/v1/conversations/{conversation}/stream"), json!({})).await;
    // Sent again, as after a dropped request: the same run.
    let again = chat.stream(&path, background("go", "o1")).await;
    chat.model.release();
    let rest = second.all().await;
    assert_eq!(joined(&rest, "assistant_message", "content"), "slow and steady wins");
    for other in [any.all().await, again.all().await] {
        assert_eq!(numbered(&other)[0], ping);
        assert_eq!(numbered(&other)[1..], numbered(&rest));
    }
    let replayed = chat.stream(&path, background("go", "o1")).await.all().await;
    assert_eq!(replayed[1..], numbered(&rest), "also when it is over");
    assert_eq!(chat.model.requests().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_resumed_says_why() {
    let chat = Chat::start().await;
    let conversation = chat.conversation().await;
    chat.model.default_reply(Reply::text("ok"));
    let answer = chat.say("x").await;
    let run_id = text(&answer["messages"][0], "run_id");
    let detail = |body: Value| text(&body, "detail").to_owned();
    let (status, body) = chat.server.call("POST", &format!("/v1/runs/{run_id}/stream"), None).await;
    assert_eq!(status, 400);
    assert_eq!(
        detail(body),
        "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved."
    );
    let unknown = "run-00000000-0000-4000-8000-000000000009";
    let (status, _) = chat.server.call("POST", &format!("/v1/runs/{unknown}/stream"), Some(json!({}))).await;
    assert_eq!(status, 404);
    let (status, _) = chat.server.call("POST", "/v1/runs/nonsense/stream", None).await;
    assert_eq!(status, 400);
    let path = format!("/v1/conversations/{conversation}/stream");
    let (status, body) = chat.server.call("POST", &path, Some(json!({"otid": "nobody"}))).await;
    assert_eq!((status.as_u16(), detail(body)), (404, "No run found for otid=nobody".to_owned()));
    let (status, body) = chat.server.call("POST", &path, None).await;
    assert_eq!(
        (status.as_u16(), detail(body)),
        (400, "No active runs found for this conversation.".to_owned())
    );
}

#[tokio::test]
async fn after_a_restart_a_finished_stream_is_whole() {
    let chat = Chat::start().await;
    let path = format!("/v1/conversations/{}/messages", chat.conversation().await);
    chat.model.script([Reply::text("kept for later")]);
    let all = chat.stream(&path, background("x", "o1")).await.all().await;
    let run_id = text(&all[0].data, "run_id").to_owned();
    let chat = chat.restart().await;
    let again = chat.stream(&format!("/v1/runs/{run_id}/stream"), json!({})).await.all().await;
    assert_eq!(again, all);
    let repeated = chat.stream(&path, background("x", "o1")).await.all().await;
    assert_eq!(repeated, all);
}

#[tokio::test]
async fn a_run_cut_off_by_a_stop_ends_in_an_error_and_the_agent_goes_on() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    let path = format!("/v1/conversations/{}/messages", chat.conversation().await);
    chat.model.script([
        Reply::call("core_memory_append", json!({"label": "human", "content": "x"})),
        Reply { hold: true, ..Reply::text("never heard") },
    ]);
    let mut stream = chat.stream(&path, background("x", "o1")).await;
    let run_id = text(&stream.next().await.expect("a ping").data, "run_id").to_owned();
    let seen = stream.until("tool_return_message").await;
    // What a killed process leaves behind: the database as it is at this moment.
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("loci.db");
    chat.server.app.store().backup(&copy).await.unwrap();
    let Chat { model, agent, .. } = chat;
    let chat = Chat::reopen(folder, model, agent).await;
    let run = chat.server.get(&format!("/v1/runs/{run_id}")).await;
    assert_eq!(run["status"], "failed");
    let events = chat.stream(&format!("/v1/runs/{run_id}/stream"), json!({})).await.all().await;
    let all = kinds(&events);
    assert_eq!(all[0], "ping");
    assert!(events.contains(&seen), "what a client has seen is still there");
    assert_eq!(all[all.len() - 3..], ["stop_reason", "error_message", "[DONE]"]);
    let shown = numbers(&events);
    assert!(shown.windows(2).all(|pair| pair[0] < pair[1]), "{shown:?}");
    chat.model.default_reply(Reply::text("here again"));
    let answer = chat.server.post(&path, json!({"input": "y", "streaming": false})).await;
    assert_eq!(answer["messages"][0]["content"], "here again");
}
