//! What a watcher sees: order, pieces, ids, errors, and that watching changes nothing.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, joined, kinds, types};
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::{each, text};

#[tokio::test]
async fn whole_messages_come_step_by_step() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.script([
        Reply {
            text: Some("Let me note that.".to_owned()),
            ..Reply::call("core_memory_append", json!({"label": "human", "content": "x"}))
        },
        Reply::text("Noted."),
    ]);
    let events = chat.stream_agent(json!({"input": "x"})).await.all().await;
    assert_eq!(
        kinds(&events),
        [
            "ping",
            "assistant_message",
            "tool_call_message",
            "tool_return_message",
            "assistant_message",
            "stop_reason",
            "usage_statistics",
            "[DONE]"
        ]
    );
    assert!(text(&events[0].data, "id").starts_with("ping-"));
    assert!(text(&events[0].data, "run_id").starts_with("run-"));
    assert!(events[2].data["tool_calls"].is_array());
    assert_eq!(events[1].data["seq_id"], Value::Null);
    assert_eq!(events[5].data, json!({"message_type": "stop_reason", "stop_reason": "end_turn"}));
    assert_eq!(events[6].data["step_count"], 2);
    let history = chat.history().await;
    for event in &events[1..5] {
        let stored = history
            .iter()
            .find(|message| message["otid"] == event.data["otid"])
            .unwrap_or_else(|| panic!("{event:?} is stored"));
        assert_eq!(stored, &event.data);
    }
}

#[tokio::test]
async fn pieces_join_to_what_is_stored() {
    let chat =
        Chat::with(json!({"tools": ["core_memory_append"], "model": "anthropic/claude-sonnet-4-5"})).await;
    chat.model.script([
        Reply {
            reasoning: Some("I should write it down.".to_owned()),
            signature: Some("proof".to_owned()),
            text: Some("Let me note that.".to_owned()),
            ..Reply::call("core_memory_append", json!({"label": "human", "content": "x"}))
        },
        Reply::text("It is noted now."),
    ]);
    let body = json!({"input": "x", "stream_tokens": true});
    let events = chat.stream_agent(body).await.all().await;
    assert!(events.len() > 12, "{:?}", kinds(&events));
    let history = chat.history().await;
    for stored in history.iter().filter(|message| message["step_id"].is_string()) {
        let kind = text(stored, "message_type");
        let pieces: Vec<_> =
            events.iter().filter(|event| event.data["otid"] == stored["otid"]).cloned().collect();
        assert!(!pieces.is_empty(), "{stored}");
        assert!(pieces.iter().all(|piece| piece.kind() == kind && piece.data["id"] == stored["id"]));
        match kind {
            "assistant_message" => assert_eq!(json!(joined(&pieces, kind, "content")), stored["content"]),
            "reasoning_message" => assert_eq!(json!(joined(&pieces, kind, "reasoning")), stored["reasoning"]),
            "tool_call_message" => {
                assert!(pieces[0].data["tool_calls"].is_object(), "a piece is one object");
                let arguments: String = pieces
                    .iter()
                    .filter_map(|piece| piece.data["tool_calls"]["arguments"].as_str())
                    .collect();
                let parse = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
                assert_eq!(parse(&arguments), parse(text(&stored["tool_calls"][0], "arguments")));
            }
            "tool_return_message" => assert_eq!(&pieces[0].data, stored),
            other => panic!("{other}"),
        }
    }
    let all = kinds(&events);
    assert_eq!(all[all.len() - 3..], ["stop_reason", "usage_statistics", "[DONE]"]);
}

#[tokio::test]
async fn a_stream_without_pings_has_none_and_a_filter_filters() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply { reasoning: Some("hm".to_owned()), ..Reply::text("hi") });
    let body =
        json!({"input": "x", "include_pings": false, "include_return_message_types": ["assistant_message"]});
    let events = chat.stream_agent(body).await.all().await;
    assert_eq!(kinds(&events), ["assistant_message", "stop_reason", "usage_statistics", "[DONE]"]);
    let events =
        chat.stream(&format!("{}/stream", chat.messages_path()), json!({"input": "x"})).await.all().await;
    assert_eq!(events[0].kind(), "ping");
}

#[tokio::test]
async fn a_failure_is_an_event_and_the_run_says_the_same() {
    let chat = Chat::start().await;
    chat.model.script([Reply::failure(401, "bad key")]);
    let events = chat.stream_agent(json!({"input": "x", "stream_tokens": true})).await.all().await;
    assert_eq!(kinds(&events), ["ping", "stop_reason", "error_message", "[DONE]"]);
    assert_eq!(events[1].data["stop_reason"], "llm_api_error");
    assert_eq!(events[2].name.as_deref(), Some("error"));
    assert_eq!(events[2].data["error_type"], "llm_authentication");
    let run_id = text(&events[0].data, "run_id");
    assert_eq!(events[2].data["run_id"], run_id);
    let run = chat.server.get(&format!("/v1/runs/{run_id}")).await;
    assert_eq!(run["status"], "failed");
    assert_eq!(run["metadata"]["error"]["error_type"], "llm_authentication");
}

#[tokio::test]
async fn an_answer_cut_half_way_is_an_error_and_its_beginning_is_kept_aside() {
    let chat = Chat::start().await;
    chat.model.script([
        Reply {
            cut_after_bytes: Some(900),
            ..Reply::text("one two three four five six seven eight nine ten")
        },
        Reply::text("whole"),
    ]);
    let events = chat.stream_agent(json!({"input": "count", "stream_tokens": true})).await.all().await;
    let all = kinds(&events);
    assert_eq!(all[all.len() - 3..], ["stop_reason", "error_message", "[DONE]"]);
    assert_eq!(events[events.len() - 2].data["error_type"], "stream_incomplete");
    assert_eq!(types(&chat.history().await), ["system_message", "user_message"]);
    let with_failed = chat.server.get(&format!("{}?include_err=true", chat.messages_path())).await;
    if all.contains(&"assistant_message") {
        assert_eq!(each(&with_failed, "message_type").last(), Some(&"assistant_message"));
        let kept = with_failed.as_array().unwrap().last().unwrap();
        assert_eq!(kept["is_err"], true);
        assert_eq!(kept["content"], joined(&events, "assistant_message", "content"));
    }
    assert_eq!(chat.say("again").await["messages"][0]["content"], "whole");
    assert!(!chat.model.requests()[1].body["messages"].to_string().contains("one two"));
}

#[tokio::test]
async fn nobody_watching_stops_nothing() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("said to nobody") }]);
    let mut stream = chat.stream_agent(json!({"input": "x", "stream_tokens": true})).await;
    let ping = stream.next().await.expect("a first event");
    drop(stream);
    chat.model.release();
    // The next request waits for the run to end.
    chat.model.default_reply(Reply::text("next"));
    chat.say("y").await;
    let history = chat.history().await;
    assert_eq!(history[2]["content"], "said to nobody");
    let run = chat.server.get(&format!("/v1/runs/{}", text(&ping.data, "run_id"))).await;
    assert_eq!(run["status"], "completed");
}

#[tokio::test]
async fn a_busy_conversation_says_who_is_at_work() {
    let chat = Chat::start().await;
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    chat.model.script([Reply { hold: true, ..Reply::text("first") }]);
    chat.model.default_reply(Reply::text("second"));
    let mut stream = chat.stream(&path, json!({"input": "x"})).await;
    let run_id = text(&stream.next().await.expect("a ping").data, "run_id").to_owned();
    let request = http::Request::builder()
        .method("POST")
        .uri(&path)
        .body(axum::body::Body::from(json!({"input": "y"}).to_string()))
        .unwrap();
    let response = chat.server.raw(request).await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["x-should-retry"], "false");
    let (status, body) = support::read(response).await;
    assert_eq!(status, 409);
    assert_eq!(
        body["detail"],
        format!(
            "CONFLICT: Cannot send a new message: Another request (run_id={run_id}) is currently being processed for \
             this conversation. Please wait for it to complete."
        )
    );
    assert_eq!(body["run_id"], run_id.as_str());
    // Another thread of the same agent is free.
    assert_eq!(chat.say("z").await["messages"][0]["content"], "second");
    chat.model.release();
    let events = stream.all().await;
    assert_eq!(events.last().map(chat::Event::kind), Some("[DONE]"));
    // Whoever has heard of the end can send at once.
    let events = chat.stream(&path, json!({"input": "y"})).await.all().await;
    assert_eq!(joined(&events, "assistant_message", "content"), "second");
}

#[tokio::test]
async fn the_agents_own_route_streams_after_waiting() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("first") }]);
    chat.model.default_reply(Reply::text("second"));
    let first = chat.stream_agent(json!({"input": "x"})).await;
    let mut second = chat.stream_agent(json!({"input": "y"})).await;
    let ping = second.next().await.expect("a ping while it waits");
    let waiting = chat.server.get(&format!("/v1/runs/{}", text(&ping.data, "run_id"))).await;
    assert_eq!(waiting["status"], "created");
    chat.model.release();
    assert_eq!(joined(&first.all().await, "assistant_message", "content"), "first");
    assert_eq!(joined(&second.all().await, "assistant_message", "content"), "second");
}
