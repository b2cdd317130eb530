//! What is accepted when, by tables.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::message::ToolStatus;

use super::*;
use crate::testing::{assistant, decision, message, request, response, returned, tool, user};

fn scope() -> InputScope {
    InputScope {
        agent_id: AgentId::from_trusted("agent-1".into()),
        conversation_id: None,
        run_id: RunId::from_trusted("run-1".into()),
        now: Timestamp(0),
        timezone: "UTC".into(),
        context_window: 8_192,
    }
}

fn try_accept(items: &[InputMessage], context: &[Message]) -> Result<Accepted, Refusal> {
    accept(items, context, None, &scope(), MessageId::new)
}

fn says(text: &str) -> InputMessage {
    InputMessage::Message {
        role: Role::User,
        content: vec![ContentPart::text(text)],
        name: None,
        sender_id: None,
        group_id: None,
        otid: format!("otid-{text}"),
    }
}

fn answers(approvals: Vec<Approval>) -> InputMessage {
    InputMessage::Approval { approvals, single: None, group_id: None, otid: "otid-a".into() }
}

fn older(approve: bool, id: Option<&str>) -> InputMessage {
    InputMessage::Approval {
        approvals: Vec::new(),
        single: Some(SingleApproval {
            approve,
            approval_request_id: id.map(str::to_owned),
            reason: Some("r".into()),
        }),
        group_id: None,
        otid: "otid-s".into(),
    }
}

fn pending(ids: &[&str]) -> Vec<Message> {
    vec![message(Role::System), user("go"), request(ids)]
}

#[test]
fn ordinary_messages_become_rows() {
    let accepted = try_accept(&[says("one"), says("two")], &[message(Role::System)]).unwrap();
    assert_eq!(accepted.kind, AcceptedKind::Messages);
    let seen: Vec<_> =
        accepted.messages.iter().map(|row| (row.role, row.text(), row.otid.clone().unwrap())).collect();
    assert_eq!(
        seen,
        [(Role::User, "one".into(), "otid-one".into()), (Role::User, "two".into(), "otid-two".into())]
    );
    assert_eq!(accepted.messages[0].run_id.as_ref().unwrap().as_str(), "run-1");
}

#[test]
fn a_complete_answer_is_accepted_and_followed_up() {
    let accepted = try_accept(
        &[answers(vec![decision("b", false), decision("a", true)]), says("and")],
        &pending(&["a", "b"]),
    )
    .unwrap();
    assert_eq!(accepted.kind, AcceptedKind::Approval);
    assert_eq!(accepted.messages.len(), 1);
    assert_eq!(accepted.messages[0].approvals.len(), 2);
    assert_eq!(accepted.follow_ups.len(), 1);
}

#[test]
fn refusals_have_the_texts_clients_match() {
    let context = pending(&["a", "b"]);
    let id = context[2].id.clone();
    let nothing = [message(Role::System), user("hi"), assistant("hello", &[])];
    let expect = |items: &[InputMessage], context: &[Message], text: &str| {
        assert_eq!(try_accept(items, context).unwrap_err().to_string(), text);
    };
    assert_eq!(try_accept(&[says("x")], &context), Err(Refusal::PendingApproval { request_id: id.clone() }));
    expect(
        &[says("x")],
        &context,
        "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. Please approve or deny the pending request before continuing.",
    );
    for (given, received) in [
        (vec![decision("x", true)], "['x']"),
        (vec![decision("a", true)], "['a']"),
        (vec![decision("a", true), decision("b", true), decision("c", true)], "['a', 'b', 'c']"),
        (vec![decision("a", true), decision("a", false)], "['a', 'a']"),
        (vec![decision("a", true), decision("a", true), decision("b", true)], "['a', 'a', 'b']"),
    ] {
        expect(
            &[answers(given)],
            &context,
            &format!("Invalid tool call IDs. Expected '['a', 'b']', but received '{received}'."),
        );
    }
    expect(
        &[older(true, Some(id.as_str()))],
        &context,
        &format!("Invalid tool call IDs. Expected '['a', 'b']', but received '['{id}']'."),
    );
    let empty = "Invalid approval response. Approval response message does not contain any approvals.";
    expect(&[answers(vec![])], &context, empty);
    expect(&[answers(vec![])], &nothing, empty);
    let none = "Cannot process approval response: No tool call is currently awaiting approval. Please send a regular message to interact with the agent.";
    expect(&[answers(vec![decision("a", true)])], &nothing, none);
    expect(&[older(true, Some("message-x"))], &nothing, none);
    expect(&[says("x"), answers(vec![decision("a", true)])], &nothing, none);
}

#[test]
fn the_older_form_allows_and_denies() {
    let context = pending(&["a"]);
    let id = context[2].id.to_string();
    for (approve, given) in
        [(true, Some(id.as_str())), (false, Some(id.as_str())), (false, Some("a")), (true, None)]
    {
        let accepted = try_accept(&[older(approve, given)], &context).unwrap();
        let expected = Approval::Approval { tool_call_id: "a".into(), approve, reason: Some("r".into()) };
        assert_eq!(accepted.messages[0].approvals, [expected]);
    }
    assert!(matches!(
        try_accept(&[older(true, Some("b"))], &context),
        Err(Refusal::InvalidToolCallIds { .. })
    ));
}

#[test]
fn a_repeated_answer_goes_on_without_running_again() {
    let mut context = pending(&["a"]);
    context.extend([response(&["a"]), tool(&["a"]), assistant("done", &[])]);
    let again = answers(vec![decision("a", true)]);
    let accepted = try_accept(std::slice::from_ref(&again), &context).unwrap();
    assert_eq!(accepted.kind, AcceptedKind::AlreadyAnswered);
    assert_eq!(accepted.messages[0].text(), KEEP_ALIVE);
    let accepted = try_accept(&[again.clone(), says("more")], &context).unwrap();
    assert_eq!(accepted.messages.len(), 1);
    assert_eq!(accepted.messages[0].text(), "more");
    let request_id = context[2].id.to_string();
    assert!(try_accept(&[older(true, Some(&request_id))], &context).is_ok());
    for _ in 0..LOOK_BACK {
        context.push(user("later"));
    }
    assert_eq!(try_accept(std::slice::from_ref(&again), &context), Err(Refusal::NothingPending));
    let compacted = [message(Role::System), message(Role::Summary)];
    assert!(accept(&[again], &compacted, Some(&tool(&["a"])), &scope(), MessageId::new).is_ok());
}

#[test]
fn a_repeated_answer_to_a_mixed_request_is_recognised() {
    let mut context = vec![message(Role::System), assistant("", &["free"]), request(&["gated"])];
    context.extend([response(&["gated"]), tool(&["gated", "free"])]);
    assert!(try_accept(&[answers(vec![decision("gated", true)])], &context).is_ok());
    assert_eq!(try_accept(&[answers(vec![decision("free", true)])], &context), Err(Refusal::NothingPending));
}

#[test]
fn client_returns_are_bounded_and_dated() {
    let accepted =
        try_accept(&[answers(vec![Approval::Tool(returned("a", &"x".repeat(7_000)))])], &pending(&["a"]))
            .unwrap();
    let Approval::Tool(result) = &accepted.messages[0].approvals[0] else { panic!("a return") };
    assert!(result.text().ends_with("... [truncated 447 chars]"), "{}", result.text().len());
    assert_eq!(result.time, "1970-01-01 12:00:00 AM UTC+0000");
}

#[test]
fn calls_a_crash_left_open_are_closed_first() {
    let context = [message(Role::System), user("go"), assistant("", &["a1", "b1"])];
    let accepted = try_accept(&[says("still there?")], &context).unwrap();
    assert_eq!(accepted.messages.iter().map(|row| row.role).collect::<Vec<_>>(), [Role::Tool, Role::User]);
    let ids: Vec<_> =
        accepted.messages[0].tool_returns.iter().map(|result| result.tool_call_id.as_str()).collect();
    assert_eq!(ids, ["a1", "b1"]);
    assert!(accepted.messages[0].tool_returns.iter().all(|result| result.status == ToolStatus::Error));

    let mut answered = pending(&["a"]);
    let mut reply = response(&[]);
    reply.approvals = vec![Approval::Tool(returned("a", "the code is 7"))];
    answered.push(reply);
    let accepted =
        try_accept(&[answers(vec![Approval::Tool(returned("a", "the code is 7"))])], &answered).unwrap();
    assert_eq!(accepted.kind, AcceptedKind::AlreadyAnswered);
    assert_eq!(accepted.messages[0].tool_returns[0].text(), "the code is 7");
}

#[test]
fn cancelling_denies_everything_that_waits() {
    let context = [message(Role::System), assistant("", &["free"]), request(&["gated"])];
    let rows = crate::pending::cancel(&context, &scope(), MessageId::new);
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].approvals.len(), 1);
    let ids: Vec<_> = rows[1].tool_returns.iter().map(|result| result.tool_call_id.as_str()).collect();
    assert_eq!(ids, ["gated", "free"]);
    assert!(crate::pending::cancel(&[user("hi")], &scope(), MessageId::new).is_empty());
}
