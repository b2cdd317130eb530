//! Requests from histories good and bad.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::ids::StepId;
use proptest::prelude::*;

use super::*;
use crate::testing::{assistant, message, request, response, tool, user};

fn roles(messages: &[ChatMessage]) -> Vec<String> {
    messages
        .iter()
        .map(|message| match message {
            ChatMessage::System { text } => format!("system {text}"),
            ChatMessage::User { content } => format!("user {}", text(content)),
            ChatMessage::Assistant { content, tool_calls } => {
                let ids: Vec<&str> = tool_calls.iter().map(|call| call.id.as_str()).collect();
                format!("assistant {}[{}]", text(content), ids.join(" "))
            }
            ChatMessage::Tool { returns } => {
                let ids: Vec<&str> = returns.iter().map(|result| result.tool_call_id.as_str()).collect();
                format!("tool [{}]", ids.join(" "))
            }
        })
        .collect()
}

fn text(content: &[ContentPart]) -> String {
    content
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

fn check(history: &[Message], expected: &[&str]) {
    assert_eq!(roles(&conversation(history, 5_000)), expected);
}

#[test]
fn whole_turns_go_as_they_are() {
    check(
        &[user("hi"), assistant("", &["c1", "c2"]), tool(&["c2", "c1"]), assistant("done", &[])],
        &["user hi", "assistant [c1 c2]", "tool [c1 c2]", "assistant done[]"],
    );
}

#[test]
fn what_has_no_counterpart_is_left_out() {
    check(
        &[user("hi"), assistant("so", &["c1", "c2"]), tool(&["c2", "c9"])],
        &["user hi", "assistant so[c2]", "tool [c2]"],
    );
    check(&[user("hi"), assistant("", &["c1"])], &["user hi"]);
    check(&[user("hi"), request(&["c1"])], &["user hi"]);
    check(&[tool(&["c1"]), user("hi")], &["user hi"]);
    let mut failed = assistant("half", &[]);
    failed.is_err = true;
    check(&[user("hi"), failed], &["user hi"]);
}

#[test]
fn repeated_ids_belong_to_the_nearest_answer() {
    check(
        &[assistant("", &["c1"]), tool(&["c1"]), assistant("", &["c1", "c1"]), tool(&["c1", "c1"])],
        &["assistant [c1]", "tool [c1]", "assistant [c1]", "tool [c1]"],
    );
}

#[test]
fn an_answered_request_reads_as_one_answer_of_the_model() {
    check(
        &[
            user("go"),
            assistant("both", &["free"]),
            request(&["gated"]),
            response(&["gated"]),
            tool(&["gated", "free"]),
        ],
        &["user go", "assistant both[free gated]", "tool [free gated]"],
    );
    let mut other = request(&["gated"]);
    other.step_id = Some(StepId::from_trusted("step-other".into()));
    check(
        &[assistant("earlier", &[]), other, response(&["gated"]), tool(&["gated"])],
        &["assistant earlier[]", "assistant [gated]", "tool [gated]"],
    );
}

#[test]
fn returns_move_up_to_their_calls() {
    check(&[assistant("", &["c1"]), user("hm"), tool(&["c1"])], &["assistant [c1]", "tool [c1]", "user hm"]);
}

#[test]
fn unreadable_arguments_are_sent_as_none() {
    let mut broken = assistant("", &["c1"]);
    broken.tool_calls[0].arguments = "{\"a\": ".into();
    let messages = conversation(&[broken, tool(&["c1"])], 5_000);
    let ChatMessage::Assistant { tool_calls, .. } = &messages[0] else { panic!("{messages:?}") };
    assert_eq!(tool_calls[0].arguments, "{}");
}

#[test]
fn a_long_return_is_clipped_inside_its_envelope() {
    let mut long = tool(&["c1"]);
    long.tool_returns[0].content = ReturnContent::Value("x".repeat(6_000).into());
    let messages = conversation(&[assistant("", &["c1"]), long], 5_000);
    let ChatMessage::Tool { returns } = &messages[1] else { panic!("{messages:?}") };
    let envelope: serde_json::Value = serde_json::from_str(&text(&returns[0].content)).unwrap();
    assert_eq!(envelope["status"], "OK");
    assert!(envelope["message"].as_str().unwrap().ends_with("x... [truncated 1000 chars]"));
}

#[test]
fn the_system_prompt_takes_skills_or_gives_way() {
    let options = ChatOptions::default();
    let mut system = message(Role::System);
    system.content = vec![ContentPart::text("base")];
    let context = [system, user("hi")];
    let skills = [ClientSkill { name: "pdf".into(), description: None, location: None }];
    let input = RequestInput {
        model: "p/m",
        options: &options,
        context: &context,
        override_system: None,
        skills: &skills,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: false,
        context_window: 8_192,
        stream: true,
    };
    let built = build(input.clone());
    assert!(roles(&built.messages)[0].starts_with("system base\n\n<available_skills>"));
    let built = build(RequestInput { override_system: Some("other"), ..input });
    assert_eq!(roles(&built.messages), ["system other", "user hi"]);
}

fn any_message() -> impl Strategy<Value = Message> {
    let ids = || proptest::collection::vec(prop_oneof![Just("c1"), Just("c2"), Just("c3")], 0..3);
    prop_oneof![
        Just(user("hi")),
        (ids(), any::<bool>()).prop_map(|(ids, failed)| {
            let mut message = assistant("", &ids);
            message.is_err = failed;
            message
        }),
        ids().prop_map(|ids| request(&ids)),
        ids().prop_map(|ids| response(&ids)),
        ids().prop_map(|ids| tool(&ids)),
        Just(message(Role::Summary)),
    ]
}

proptest! {
    #[test]
    fn every_call_has_exactly_one_return_behind_it(history in proptest::collection::vec(any_message(), 0..12)) {
        let messages = conversation(&history, 5_000);
        let mut waiting: Vec<String> = Vec::new();
        for message in &messages {
            match message {
                ChatMessage::Tool { returns } => {
                    let got: Vec<String> = returns.iter().map(|result| result.tool_call_id.clone()).collect();
                    prop_assert_eq!(&got, &waiting);
                    waiting.clear();
                }
                ChatMessage::Assistant { content, tool_calls } => {
                    prop_assert!(waiting.is_empty());
                    prop_assert!(!tool_calls.is_empty() || !content.is_empty());
                    waiting = tool_calls.iter().map(|call| call.id.clone()).collect();
                }
                ChatMessage::System { .. } | ChatMessage::User { .. } => prop_assert!(waiting.is_empty()),
            }
        }
        prop_assert!(waiting.is_empty());
    }
}
