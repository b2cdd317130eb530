//! Agents that write to agents: how long one waits for the other.

mod chat;
mod support;

use std::time::Duration;

use chat::Chat;
use loci_server::confined::Limits;
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::text;

const ASK: &str = "send_message_to_agent_and_wait_for_reply";

#[tokio::test]
async fn an_agent_that_gives_no_answer_in_time_is_stopped_and_the_one_who_asked_goes_on() {
    let limits = Limits { timeout: Duration::from_millis(200), ..Limits::default() };
    let chat = Chat::within(limits, json!({"name": "First", "include_multi_agent_tools": true})).await;
    let second = chat.server.agent(json!({"name": "Second"})).await;
    let second = text(&second, "id").to_owned();
    let asked = second.clone();
    chat.model.respond_with(move |body: &Value| {
        let messages = body["messages"].to_string();
        Some(match () {
            () if messages.contains("It waits: what you say") => {
                Reply { hold: true, ..Reply::text("Too late.") }
            }
            () if messages.contains("gave no answer") => Reply::text("Nobody knows."),
            () => Reply::call(ASK, json!({"message": "The time?", "other_agent_id": asked})),
        })
    });
    let done = chat.say("Ask Second for the time.").await;
    let messages = done["messages"].as_array().expect("messages");
    let returned = messages.iter().find(|message| message["message_type"] == "tool_return_message");
    let returned = returned.expect("a return");
    assert_eq!(returned["status"], "error");
    let told = text(returned, "tool_return");
    assert!(told.contains("Second gave no answer within 0.2 s and was stopped"), "{told}");
    assert_eq!(messages.last().expect("an answer")["content"], "Nobody knows.");

    // What nobody waits for any more is over, and says so.
    let runs = loop {
        let runs = chat.server.get(&format!("/v1/runs/?agent_id={second}")).await;
        if runs[0]["status"] != "running" && runs[0]["status"] != "created" {
            break runs;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(runs[0]["status"], "cancelled", "{runs}");
    chat.model.release();
}
