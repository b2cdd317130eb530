//! Pausing for a person or the client, and going on with the answer.
#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::testing::returned;
use loci_api::message::Approval;

fn with_client(mut turn: Turn, name: &str) -> Turn {
    turn.client_tools.push(spec(name));
    turn
}

fn approval_events(world: &World) -> Vec<(MessageId, u8, String, bool)> {
    let deltas = world.deltas().into_iter().filter_map(|(id, index, delta)| match delta {
        Delta::ToolCall { tool_call_id, name: Some(_), gated, .. } => Some((id, index, tool_call_id, gated)),
        _ => None,
    });
    deltas.collect()
}

#[tokio::test]
async fn only_gated_calls_make_one_request_with_the_answers_id() {
    for parallel in [true, false] {
        let mut script = calls(&[("c1", "ask", r#"{ "q": 1 }"#)]);
        script.insert(0, Ok(ChatEvent::Text("may I?".into())));
        let turn = Turn { parallel_tool_calls: parallel, ..with_client(turn(&["a"], vec![]), "ask") };
        let (world, outcome) = run(turn, vec![script]).await;
        assert_eq!(outcome.stop_reason, RequiresApproval);
        let history = world.history();
        assert_eq!(world.roles(), [Role::Approval]);
        assert_eq!(history[0].text(), "may I?");
        assert_eq!(history[0].tool_calls[0].arguments, r#"{ "q": 1 }"#, "the model's own words");
        assert_eq!(approval_events(&world), [(history[0].id.clone(), 1, "c1".into(), true)]);
        assert_eq!(world.steps(), [(StepStatus::Success, Some(RequiresApproval))]);
        assert!(world.ran.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn mixed_calls_make_two_rows_and_stream_under_their_ids() {
    let rules = vec![rule("danger", json!({"type": "requires_approval"}))];
    for order in [["free", "danger"], ["danger", "free"]] {
        let list = order.map(|name| (name, name, "{}"));
        let mut script = calls(&list);
        script.insert(0, Ok(ChatEvent::Reasoning("hm".into())));
        let (world, outcome) = run(turn(&["free", "danger"], rules.clone()), vec![script]).await;
        assert_eq!(outcome.stop_reason, RequiresApproval);
        let history = world.history();
        assert_eq!(world.roles(), [Role::Assistant, Role::Approval]);
        assert_eq!(history[1].id, history[0].id.predecessor());
        assert_eq!(
            (history[0].tool_calls[0].name.as_str(), history[1].tool_calls[0].name.as_str()),
            ("free", "danger")
        );
        assert!(history[1].content.is_empty());
        assert_eq!(history[0].step_id, history[1].step_id);
        assert_eq!(
            approval_events(&world),
            [
                (history[0].id.clone(), 1, "free".into(), false),
                (history[1].id.clone(), 0, "danger".into(), true)
            ]
        );
        assert!(world.ran.lock().unwrap().is_empty(), "nothing runs while something waits");
        assert!(world.request(0).parallel_tool_calls, "an approval rule alone keeps parallel calls");
    }
}

#[tokio::test]
async fn a_gated_call_that_cannot_be_read_asks_nobody() {
    let script = vec![calls(&[("c1", "ask", "{\"q\": "), ("c2", "ask", "{}")])];
    let (world, outcome) = run(with_client(turn(&[], vec![]), "ask"), script).await;
    assert_eq!(outcome.stop_reason, RequiresApproval);
    let history = world.history();
    assert_eq!((history[0].tool_calls[0].id.as_str(), history[1].tool_calls[0].id.as_str()), ("c1", "c2"));
    assert_eq!(
        approval_events(&world),
        [(history[0].id.clone(), 0, "c1".into(), false), (history[1].id.clone(), 0, "c2".into(), true)]
    );
    for parallel in [true, false] {
        let script = vec![calls(&[("c1", "ask", "{\"q\": ")]), text("oh")];
        let turn = Turn { parallel_tool_calls: parallel, ..with_client(turn(&[], vec![]), "ask") };
        let (world, outcome) = run(turn, script).await;
        assert_eq!(outcome.stop_reason, EndTurn);
        assert_eq!(world.roles()[..2], [Role::Assistant, Role::Tool]);
        assert_eq!(returns(&world.history()[1])[0].1, Error);
        let streamed = [(world.history()[0].id.clone(), 0, "c1".into(), false)];
        assert_eq!(approval_events(&world), streamed, "as it is stored");
    }
}

/// The turn that takes up a pause, with these answers.
fn resumed(world: &World, before: Turn, approvals: Vec<Approval>) -> Turn {
    let mut context = before.context.clone();
    context.extend(world.history());
    let mut response = message(Role::Approval);
    response.approvals = approvals;
    context.push(response);
    Turn { context, ..before }
}

fn decision(id: &str, approve: bool, reason: Option<&str>) -> Approval {
    Approval::Approval { tool_call_id: id.into(), approve, reason: reason.map(str::to_owned) }
}

#[tokio::test]
async fn an_answer_runs_what_was_allowed_and_orders_the_returns() {
    let rules = vec![
        rule("danger", json!({"type": "requires_approval"})),
        rule("risky", json!({"type": "requires_approval"})),
    ];
    let first = with_client(turn(&["free", "danger", "risky"], rules), "ask");
    let list = [
        ("f", "free", r#"{"say":"free"}"#),
        ("d", "danger", r#"{"say":"ran"}"#),
        ("r", "risky", "{}"),
        ("q", "ask", "{}"),
        ("n", "none", "{}"),
    ];
    let (paused, _) = run(first.clone(), vec![calls(&list)]).await;
    let step = paused.history()[0].step_id.clone();
    let answers = vec![
        decision("d", true, None),
        decision("r", false, Some("too risky")),
        Approval::Tool(returned("q", "42")),
    ];
    let mut second = resumed(&paused, first, answers);
    second.follow_ups = vec![user("and hurry")];
    let (world, outcome) = run(second, vec![text("thanks")]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(world.roles(), [Role::Tool, Role::User, Role::Assistant]);
    let history = world.history();
    let got = returns(&history[0]);
    assert_eq!(got[0], ("q".into(), Success, "42".into()));
    assert_eq!(
        got[1],
        ("r".into(), Error, "Error: request to call tool denied. User reason: too risky".into())
    );
    assert_eq!(got[2], ("d".into(), Success, "ran".into()));
    assert_eq!(got[3], ("f".into(), Success, "free".into()));
    assert!(got[4].2.starts_with("[ToolConstraintError] Cannot call none"), "{}", got[4].2);
    assert_eq!(history[0].name, None, "the first return is the client's");
    assert_eq!(history[0].step_id, step, "the request's step is used again");
    assert_eq!(world.begun.lock().unwrap().len(), 1, "one new step, for the model");
    let messages = world.request(0).messages;
    let ChatMessage::Assistant { tool_calls, .. } = &messages[2] else { panic!("{messages:?}") };
    assert_eq!(tool_calls.len(), 5);
    assert!(matches!(&messages[4], ChatMessage::User { .. }), "the follow-up comes after the returns");
}

#[tokio::test]
async fn allowing_a_clients_tool_is_answered_with_not_found_unless_the_server_has_it() {
    let first = with_client(turn(&[], vec![]), "ask");
    let (paused, _) = run(first.clone(), vec![calls(&[("q", "ask", "{}")])]).await;
    let (world, _) = run(resumed(&paused, first, vec![decision("q", true, None)]), vec![text("ok")]).await;
    assert!(returns(&world.history()[0])[0].2.contains("Tool not found"));

    let first = with_client(turn(&["ask"], vec![]), "ask");
    let (paused, _) = run(first.clone(), vec![calls(&[("q", "ask", r#"{"say":"server"}"#)])]).await;
    assert_eq!(paused.offered(0), ["ask"], "the client's tool hides the server's");
    let (world, _) = run(resumed(&paused, first, vec![decision("q", true, None)]), vec![text("ok")]).await;
    assert_eq!(returns(&world.history()[0])[0].2, "server");
}

#[tokio::test]
async fn rules_hold_across_a_pause() {
    let rules = vec![
        rule("start", json!({"type": "run_first"})),
        rule("danger", json!({"type": "requires_approval"})),
        rule("danger", json!({"type": "constrain_child_tools", "children": ["end"]})),
        rule("danger", json!({"type": "max_count_per_step", "max_count_limit": 1})),
    ];
    let first = turn(&["start", "danger", "end"], rules);
    let script = vec![calls(&[("s", "start", "{}")]), calls(&[("d", "danger", "{}")])];
    let (paused, outcome) = run(first.clone(), script).await;
    assert_eq!(outcome.stop_reason, RequiresApproval);
    let script = vec![calls(&[("e", "end", "{}")]), text("ok")];
    let (world, _) = run(resumed(&paused, first, vec![decision("d", true, None)]), script).await;
    assert_eq!(world.request(0).tool_choice, ToolChoice::Named("end".into()));
    assert_eq!(world.offered(1), ["start", "end"], "the count went on");
}

#[tokio::test]
async fn an_allowed_terminal_tool_ends_the_turn_a_denied_one_does_not() {
    let rules =
        vec![rule("bye", json!({"type": "exit_loop"})), rule("bye", json!({"type": "requires_approval"}))];
    let first = turn(&["bye"], rules);
    let (paused, _) = run(first.clone(), vec![calls(&[("b", "bye", "{}")])]).await;
    let (_, outcome) = run(resumed(&paused, first.clone(), vec![decision("b", true, None)]), vec![]).await;
    assert_eq!(outcome.stop_reason, StopReason::ToolRule);
    let (world, outcome) =
        run(resumed(&paused, first, vec![decision("b", false, None)]), vec![text("fine")]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(returns(&world.history()[0])[0].2, "Error: request to call tool denied. User reason: None");
}

#[tokio::test]
async fn cancelling_an_answer_keeps_what_was_sent_along() {
    let first = turn(&["hang"], vec![rule("hang", json!({"type": "requires_approval"}))]);
    let (paused, _) = run(first.clone(), vec![calls(&[("h", "hang", "{}")])]).await;
    let mut second = resumed(&paused, first, vec![decision("h", true, None)]);
    second.follow_ups = vec![user("more")];
    let (world, outcome) = run(second, vec![]).await;
    assert_eq!(outcome.stop_reason, Cancelled);
    assert_eq!(world.roles(), [Role::Tool, Role::User]);
}

#[tokio::test]
async fn what_is_prefilled_is_what_a_person_decides_about() {
    let rules = vec![
        rule("danger", json!({"type": "run_first", "args": {"say": "rule"}})),
        rule("danger", json!({"type": "requires_approval"})),
    ];
    let mut first = turn(&["danger"], rules);
    first.tools[0].spec.parameters = json!({"type": "object", "properties": {"say": {"type": "string"}}});
    let (paused, outcome) = run(first.clone(), vec![calls(&[("d", "danger", r#"{"say":"model"}"#)])]).await;
    assert_eq!(outcome.stop_reason, RequiresApproval);
    assert_eq!(paused.history()[0].tool_calls[0].arguments, r#"{"say":"rule"}"#);
    let (world, _) = run(resumed(&paused, first, vec![decision("d", true, None)]), vec![text("ok")]).await;
    assert_eq!(returns(&world.history()[0])[0].2, "rule");
}
