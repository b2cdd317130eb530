//! What is kept of a long conversation, and what it costs.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::Chat;
use loci_testkit::reply::Reply;
use serde_json::json;
use support::text;

#[tokio::test]
async fn every_request_of_a_long_conversation_can_be_seen_and_none_is_kept_twice() {
    let chat =
        Chat::with(json!({"tools": ["core_memory_append"], "system": "Be kind. ".repeat(5_000)})).await;
    let mut steps = Vec::new();
    for number in 0..60 {
        if number % 20 == 10 {
            // The system prompt changes with the block: everything behind it stays the same.
            chat.model
                .script([Reply::call("core_memory_append", json!({"label": "human", "content": "more"}))]);
        }
        chat.model.script([Reply::text(format!("answer {number}"))]);
        let answer = chat.say(&format!("question {number}")).await;
        for message in answer["messages"].as_array().unwrap() {
            let step = text(message, "step_id").to_owned();
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    // Traces are written behind the answers.
    let chat = chat.restart().await;
    let sent = chat.model.requests();
    assert_eq!((sent.len(), steps.len()), (63, 63));
    let mut bodies = 0;
    for (step, sent) in steps.iter().zip(&sent) {
        let trace = chat.server.get(&format!("/v1/steps/{step}/trace")).await;
        assert_eq!(trace["request_json"], sent.body);
        bodies += sent.body.to_string().len();
    }
    // A copy has no write-ahead log beside it.
    let copy = chat.server.folder.path().join("copy.db");
    chat.server.app.store().backup(&copy).await.unwrap();
    let size = std::fs::metadata(&copy).unwrap().len();
    assert!(bodies > 2_500_000, "{bodies}");
    assert!(size < 1_500_000, "{size} bytes for requests of {bodies}");
}
