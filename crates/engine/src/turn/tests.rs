//! The machine alone: inputs in, effects out, no async.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::{
    chat::{ChatError, ChatErrorKind, ChatEvent, ChatOptions, FinishReason, ToolSpec},
    ids::{AgentId, MessageId, RunId, StepId},
    message::{Role, ToolCall, ToolStatus},
    resource::StopReason,
    rules::ToolRule,
    time::Timestamp,
};
use proptest::prelude::*;
use serde_json::json;

use super::{Effect, Input, Run, Stamp, State, answer::Answer, start, step};
use crate::{
    ports::{Commit, Compacted, PortError, ToolOutcome, Turn, TurnEvent, TurnTool},
    testing::{message, request, response, rule, user},
};

fn stamp(number: i64) -> Stamp {
    let id = |kind: u32| {
        MessageId::from_trusted(format!(
            "message-00000000-0000-4000-8000-{:012x}",
            number * 16 + i64::from(kind)
        ))
    };
    Stamp {
        now: Timestamp(number),
        monotonic_ns: number * 1_000,
        step_id: StepId::from_trusted(format!("step-{number}")),
        answer_id: id(1),
        row_id: id(2),
    }
}

fn turn(tools: &[&str], rules: Vec<ToolRule>) -> Turn {
    let spec = |name: &str| ToolSpec {
        name: name.into(),
        description: String::new(),
        parameters: json!({"type": "object"}),
    };
    Turn {
        agent_id: AgentId::from_trusted("agent-1".into()),
        conversation_id: None,
        run_id: RunId::from_trusted("run-1".into()),
        model: "p/m".into(),
        options: ChatOptions::default(),
        parallel_tool_calls: true,
        context_window: 8_192,
        timezone: "UTC".into(),
        tools: tools
            .iter()
            .map(|name| TurnTool { spec: spec(name), return_char_limit: 100, parallel: false })
            .collect(),
        client_tools: Vec::new(),
        client_skills: Vec::new(),
        rules,
        context: vec![message(Role::System), user("go")],
        follow_ups: Vec::new(),
        context_tokens: 0,
        max_steps: 5,
        override_system: None,
        stream: true,
    }
}

fn says(text: &str, calls: &[(&str, &str)]) -> Answer {
    let content = if text.is_empty() { vec![] } else { vec![loci_api::message::ContentPart::text(text)] };
    let calls = calls.iter().map(|(id, name)| ToolCall {
        id: (*id).into(),
        name: (*name).into(),
        arguments: "{}".into(),
    });
    Answer { content, calls: calls.collect(), finish: Some(FinishReason::Stop), ..Answer::default() }
}

fn ran(text: &str) -> Run {
    let outcome =
        ToolOutcome { status: ToolStatus::Success, value: json!(text), stdout: vec![], stderr: vec![] };
    Run::Finished { outcome, took_ns: 7 }
}

fn of(commit: &Commit) -> String {
    let roles: Vec<&str> = commit.messages.iter().map(|message| message.role.as_str()).collect();
    let failed = if commit.failed_messages.is_empty() { "" } else { " +failed" };
    let step =
        commit.step.as_ref().map_or(String::new(), |step| format!(" {} {}", step.id, step.status.as_str()));
    format!("commit [{}]{failed}{step}", roles.join(" "))
}

/// Effects in short.
fn short(effects: &[Effect]) -> Vec<String> {
    effects
        .iter()
        .map(|effect| match effect {
            Effect::BeginStep(step) => format!("begin {}", step.id),
            Effect::CallModel(call) => format!("call {} messages", call.request.messages.len()),
            Effect::Commit(commit) => of(commit),
            Effect::Emit(event) => match event.as_ref() {
                TurnEvent::Message { message, .. } => format!("tell {}", message.role.as_str()),
                TurnEvent::Delta { .. } => "tell piece".to_owned(),
                TurnEvent::StepUsage(_) => "tell usage".to_owned(),
                TurnEvent::Compacting { .. } => "tell compacting".to_owned(),
            },
            Effect::RunTools(tools) => {
                let names: Vec<&str> = tools.iter().map(|tool| tool.invocation.name.as_str()).collect();
                format!("run [{}]", names.join(" "))
            }
            Effect::Compact(request) => format!("compact {}", request.trigger.as_str()),
        })
        .collect()
}

/// Feeds `inputs` one after the other and compares the effects of each transition; gives the stop reason.
fn check(turn: Turn, inputs: Vec<Input>, expected: &[&[&str]]) -> Option<StopReason> {
    let (mut state, effects) = start(turn, stamp(1));
    let mut seen = vec![short(&effects)];
    for (input, number) in inputs.into_iter().zip(2..) {
        let effects;
        (state, effects) = step(state, input, stamp(number));
        seen.push(short(&effects));
    }
    let expected: Vec<Vec<String>> =
        expected.iter().map(|effects| effects.iter().map(|text| (*text).to_owned()).collect()).collect();
    assert_eq!(seen, expected);
    match state {
        State::Done(outcome) => Some(outcome.stop_reason),
        State::Sampling(_) | State::RunningTools(_) | State::Compacting(_) => None,
    }
}

#[test]
fn everything_is_written_before_it_is_told_or_run() {
    let stop = check(
        turn(&["a", "b"], vec![]),
        vec![
            Input::Answered(says("", &[("1", "a"), ("2", "b")])),
            Input::ToolsFinished(vec![ran("x"), ran("y")]),
            Input::Answered(says("done", &[])),
        ],
        &[
            &["begin step-1", "call 1 messages"],
            &["tell usage", "commit [assistant]", "tell assistant", "run [a b]"],
            &["commit [tool] step-1 success", "tell tool", "begin step-3", "call 3 messages"],
            &["tell usage", "commit [assistant] step-3 success", "tell assistant"],
        ],
    );
    assert_eq!(stop, Some(StopReason::EndTurn));
}

#[test]
fn refused_calls_are_not_run_but_close_the_step() {
    let stop = check(
        turn(&["a"], vec![]),
        vec![Input::Answered(says("", &[("1", "nope")])), Input::ToolsFinished(vec![])],
        &[
            &["begin step-1", "call 1 messages"],
            &["tell usage", "commit [assistant]", "tell assistant", "run []"],
            &["commit [tool] step-1 success", "tell tool", "begin step-3", "call 3 messages"],
        ],
    );
    assert_eq!(stop, None);
}

#[test]
fn a_gated_call_is_written_in_one_piece_with_its_neighbours() {
    let stop = check(
        turn(&["a", "b"], vec![rule("b", json!({"type": "requires_approval"}))]),
        vec![Input::Answered(says("so", &[("1", "a"), ("2", "b")]))],
        &[
            &["begin step-1", "call 1 messages"],
            &[
                "tell piece",
                "tell usage",
                "commit [assistant approval] step-1 success",
                "tell assistant",
                "tell approval",
            ],
        ],
    );
    assert_eq!(stop, Some(StopReason::RequiresApproval));
}

#[test]
fn an_answer_is_worked_off_without_a_step_of_its_own() {
    let mut resumed = turn(&["a"], vec![rule("a", json!({"type": "requires_approval"}))]);
    resumed.context.extend([request(&["a"]), response(&["a"])]);
    resumed.follow_ups = vec![user("and")];
    let stop = check(
        resumed,
        vec![Input::ToolsFinished(vec![ran("x")]), Input::Answered(says("done", &[]))],
        &[
            &["run [a]"],
            &["commit [tool user]", "tell tool", "begin step-2", "call 4 messages"],
            &["tell usage", "commit [assistant] step-2 success", "tell assistant"],
        ],
    );
    assert_eq!(stop, Some(StopReason::EndTurn));
}

#[test]
fn an_answer_counts_as_one_of_the_steps() {
    let mut resumed =
        Turn { max_steps: 1, ..turn(&["a"], vec![rule("a", json!({"type": "requires_approval"}))]) };
    resumed.context.extend([request(&["a"]), response(&["a"])]);
    let stop = check(
        resumed,
        vec![Input::ToolsFinished(vec![ran("x")])],
        &[&["run [a]"], &["commit [tool]", "tell tool"]],
    );
    assert_eq!(stop, Some(StopReason::MaxSteps));
}

#[test]
fn an_answer_to_nothing_that_waits_keeps_what_came_along() {
    let mut resumed = turn(&[], vec![]);
    resumed.context.extend([request(&["a"]), response(&["other"])]);
    resumed.follow_ups = vec![user("and")];
    assert_eq!(check(resumed, vec![], &[&["commit [user]"]]), Some(StopReason::InvalidToolCall));
}

#[test]
fn cancelling_keeps_what_there_is_in_every_state() {
    let begin: &[&str] = &["begin step-1", "call 1 messages"];
    let stop = check(turn(&[], vec![]), vec![Input::CancelledBeforeStep], &[begin, &[]]);
    assert_eq!(stop, Some(StopReason::Cancelled));
    let partial = || Answer { finish: None, ..says("half", &[]) };
    let stop = check(
        turn(&[], vec![]),
        vec![Input::CancelledWhileSampling { partial: partial() }],
        &[begin, &["commit [] +failed step-1 cancelled"]],
    );
    assert_eq!(stop, Some(StopReason::Cancelled));
    let stop = check(
        turn(&["a"], vec![]),
        vec![
            Input::Answered(says("", &[("1", "a"), ("2", "a")])),
            Input::CancelledWhileRunning(vec![ran("x"), Run::CutShort]),
        ],
        &[
            begin,
            &["tell usage", "commit [assistant]", "tell assistant", "run [a a]"],
            &["commit [tool] step-1 cancelled", "tell tool"],
        ],
    );
    assert_eq!(stop, Some(StopReason::Cancelled));
}

fn unwritten(remedy: Option<&str>) -> PortError {
    PortError { cause: "x".to_owned(), remedy: remedy.map(str::to_owned) }
}

#[test]
fn a_failed_write_ends_the_turn_wherever_it_stands() {
    let failed = || Input::WriteFailed(unwritten(None));
    let begin: &[&str] = &["begin step-1", "call 1 messages"];
    assert_eq!(check(turn(&[], vec![]), vec![failed()], &[begin, &[]]), Some(StopReason::Error));
    let told: &[&str] = &["tell usage", "commit [assistant] step-1 success", "tell assistant"];
    let inputs = vec![Input::Answered(says("done", &[])), failed()];
    assert_eq!(check(turn(&[], vec![]), inputs, &[begin, told, &[]]), Some(StopReason::Error));
}

fn room(context: Vec<loci_api::message::Message>) -> Input {
    Input::Compacted(Compacted::Context(context))
}

fn no_room() -> Input {
    Input::Compacted(Compacted::Kept("The summariser is out.".to_owned()))
}

fn overflow() -> Input {
    let error = ChatError { kind: ChatErrorKind::ContextWindowExceeded, ..super::answer::incomplete() };
    Input::ModelFailed { partial: Answer::default(), error }
}

#[test]
fn a_full_window_is_emptied_within_the_step_and_the_model_asked_again() {
    let begin: &[&str] = &["begin step-1", "call 1 messages"];
    let compact: &[&str] = &["compact context_window_exceeded"];
    let room = || room(vec![message(Role::System), user("summary"), user("go")]);
    let stop = check(
        turn(&[], vec![]),
        vec![overflow(), room(), Input::Answered(says("done", &[]))],
        &[
            begin,
            compact,
            &["call 2 messages"],
            &["tell usage", "commit [assistant] step-1 success", "tell assistant"],
        ],
    );
    assert_eq!(stop, Some(StopReason::EndTurn));
    let failed: &[&str] = &["commit [] step-1 failed"];
    let stop = check(turn(&[], vec![]), vec![overflow(), no_room()], &[begin, compact, failed]);
    assert_eq!(stop, Some(StopReason::LlmApiError));
    let again: &[&str] = &["call 2 messages"];
    let inputs = vec![overflow(), room(), overflow(), room(), overflow(), room(), overflow()];
    let stop =
        check(turn(&[], vec![]), inputs, &[begin, compact, again, compact, again, compact, again, failed]);
    assert_eq!(stop, Some(StopReason::LlmApiError), "three times are enough");
    let cancelled: &[&str] = &["commit [] step-1 cancelled"];
    let stop = check(
        turn(&[], vec![]),
        vec![overflow(), Input::CancelledWhileCompacting],
        &[begin, compact, cancelled],
    );
    assert_eq!(stop, Some(StopReason::Cancelled));
}

#[test]
fn room_is_made_before_a_step_that_would_not_fit() {
    let mut long = turn(&["a"], vec![]);
    long.context.push(user(&"x".repeat(40_000)));
    let compact: &[&str] = &["compact context_check"];
    for (room, call) in [
        (room(vec![message(Role::System), user("summary")]), "call 1 messages"),
        (no_room(), "call 2 messages"),
    ] {
        let stop = check(long.clone(), vec![room], &[compact, &["begin step-2", call]]);
        assert_eq!(stop, None);
    }
    assert_eq!(
        check(long, vec![Input::CancelledWhileCompacting], &[compact, &[]]),
        Some(StopReason::Cancelled)
    );
    // What the last call took counts too.
    let mut full = says("", &[("1", "a")]);
    full.usage.total_tokens = 8_000;
    let stop = check(
        turn(&["a"], vec![]),
        vec![Input::Answered(full), Input::ToolsFinished(vec![ran("x")])],
        &[
            &["begin step-1", "call 1 messages"],
            &["tell usage", "commit [assistant]", "tell assistant", "run [a]"],
            &["commit [tool] step-1 success", "tell tool", "compact context_check"],
        ],
    );
    assert_eq!(stop, None);
}

#[test]
fn room_is_made_behind_a_turn_whose_end_it_does_not_change() {
    let mut full = says("done", &[]);
    full.usage.total_tokens = 8_000;
    let begin: &[&str] = &["begin step-1", "call 1 messages"];
    let told: &[&str] =
        &["tell usage", "commit [assistant] step-1 success", "tell assistant", "compact context_check"];
    for input in [
        room(vec![message(Role::System)]),
        no_room(),
        Input::CancelledWhileCompacting,
        Input::WriteFailed(unwritten(None)),
    ] {
        let inputs = vec![Input::Answered(full.clone()), input];
        assert_eq!(check(turn(&[], vec![]), inputs, &[begin, told, &[]]), Some(StopReason::EndTurn));
    }
}

#[test]
fn a_turn_in_which_room_could_not_be_made_does_not_try_again() {
    let mut big = turn(&["a"], vec![]);
    big.context_tokens = 8_000;
    big.context.insert(1, user("earlier"));
    big.context.insert(2, crate::testing::assistant("hello", &[]));
    let stop = check(
        big,
        vec![
            no_room(),
            Input::Answered(says("", &[("1", "a")])),
            Input::ToolsFinished(vec![ran("x")]),
            Input::Answered(says("done", &[])),
        ],
        &[
            &["compact context_check"],
            &["begin step-2", "call 3 messages"],
            &["tell usage", "commit [assistant]", "tell assistant", "run [a]"],
            &["commit [tool] step-2 success", "tell tool", "begin step-4", "call 5 messages"],
            &["tell usage", "commit [assistant] step-4 success", "tell assistant"],
        ],
    );
    assert_eq!(stop, Some(StopReason::EndTurn));
}

#[test]
fn an_input_out_of_order_ends_the_turn_with_an_error() {
    let begin: &[&str] = &["begin step-1", "call 1 messages"];
    let stop = check(turn(&[], vec![]), vec![Input::ToolsFinished(vec![])], &[begin, &[]]);
    assert_eq!(stop, Some(StopReason::Error));
}

/// A model that says anything, and a world that may be cancelled or fail anywhere.
#[derive(Debug, Clone)]
enum Fate {
    Good,
    Cancelled,
    ModelFails,
    WriteFails,
}

/// Streamed pieces and stored rows of one random turn.
#[derive(Default)]
struct Seen {
    rows: Vec<loci_api::message::Message>,
    pieces: Vec<super::answer::Piece>,
    told: Vec<TurnEvent>,
    broken: bool,
}

type Said = Vec<(u8, &'static str)>;

fn events(said: &Said) -> Vec<ChatEvent> {
    let mut out = vec![ChatEvent::Reasoning("hm".into())];
    for (index, (tool, arguments)) in said.iter().enumerate() {
        let name = ["free", "gated", "client", "unknown"][usize::from(*tool)];
        out.push(ChatEvent::ToolCallStarted { index, id: format!("call{}", index % 3), name: name.into() });
        out.push(ChatEvent::ToolCallArguments { index, delta: (*arguments).into() });
    }
    out.push(ChatEvent::Finish(FinishReason::Stop));
    out
}

/// Carries effects out as the driver does, with the fates of the table.
fn carry_out(
    effects: Vec<Effect>,
    said: &mut Vec<Said>,
    fates: &mut Vec<Fate>,
    seen: &mut Seen,
) -> Option<Input> {
    for effect in effects {
        let fate = |fates: &mut Vec<Fate>| fates.pop().unwrap_or(Fate::Good);
        match effect {
            Effect::BeginStep(_) => {}
            Effect::Commit(commit) => {
                if matches!(fate(fates), Fate::WriteFails) {
                    seen.broken = true;
                    return Some(Input::WriteFailed(unwritten(None)));
                }
                assert!(commit.failed_messages.iter().all(|row| row.is_err));
                seen.rows.extend(commit.messages.iter().cloned());
            }
            Effect::Emit(event) => seen.told.push(*event),
            Effect::Compact(_) => return Some(no_room()),
            Effect::CallModel(call) => {
                let mut collector = call.collector;
                let said = said.pop().unwrap_or_default();
                let pieces: Vec<_> =
                    events(&said).into_iter().filter_map(|event| collector.push(event)).collect();
                return Some(match fate(fates) {
                    Fate::Cancelled => Input::CancelledWhileSampling { partial: collector.answer() },
                    Fate::ModelFails => {
                        Input::ModelFailed { partial: collector.answer(), error: super::answer::incomplete() }
                    }
                    Fate::Good | Fate::WriteFails => {
                        seen.pieces.extend(pieces);
                        Input::Answered(collector.answer())
                    }
                });
            }
            Effect::RunTools(tools) => {
                let runs = tools.iter().map(|_| ran("x")).collect();
                return Some(match fate(fates) {
                    Fate::Cancelled => {
                        Input::CancelledWhileRunning(tools.iter().map(|_| Run::NotStarted).collect())
                    }
                    Fate::Good | Fate::ModelFails | Fate::WriteFails => Input::ToolsFinished(runs),
                });
            }
        }
    }
    None
}

fn any_said() -> impl Strategy<Value = Said> {
    let arguments = prop_oneof![4 => Just("{}"), 1 => Just(""), 1 => Just("{\"a\": ")];
    proptest::collection::vec((0..4_u8, arguments), 0..4)
}

fn any_fate() -> impl Strategy<Value = Fate> {
    prop_oneof![12 => Just(Fate::Good), 1 => Just(Fate::Cancelled), 1 => Just(Fate::ModelFails), 1 => Just(Fate::WriteFails)]
}

proptest! {
    #[test]
    fn whatever_happens_no_call_dangles_and_ids_are_kept(
        mut said in proptest::collection::vec(any_said(), 1..5),
        mut fates in proptest::collection::vec(any_fate(), 0..12),
        parallel: bool,
        limit in 0..4_u32,
    ) {
        let mut turn = turn(&["free", "gated"], vec![rule("gated", json!({"type": "requires_approval"}))]);
        turn.client_tools = vec![ToolSpec { name: "client".into(), description: String::new(), parameters: json!({}) }];
        turn.parallel_tool_calls = parallel;
        turn.max_steps = limit;
        let mut seen = Seen::default();
        let (mut state, mut effects) = start(turn, stamp(1));
        for number in 2.. {
            let Some(input) = carry_out(effects, &mut said, &mut fates, &mut seen) else { break };
            (state, effects) = step(state, input, stamp(number));
        }
        let State::Done(outcome) = state else { panic!("the turn must end") };
        if seen.broken {
            prop_assert_eq!(outcome.stop_reason, StopReason::Error);
            return Ok(());
        }
        let waiting = outcome.stop_reason == StopReason::RequiresApproval;
        prop_assert_eq!(waiting, seen.rows.last().is_some_and(|row| row.is_approval_request()));
        // Every row with calls is followed by the row with exactly their returns, unless it waits at the end.
        let mut rows = seen.rows.iter().peekable();
        while let Some(row) = rows.next() {
            let mut asked: Vec<&str> = row.tool_calls.iter().map(|call| call.id.as_str()).collect();
            if asked.is_empty() {
                continue;
            }
            if row.is_approval_request() || rows.peek().is_some_and(|next| next.is_approval_request()) {
                prop_assert!(waiting);
                continue;
            }
            let next = rows.peek().expect("returns");
            let mut got: Vec<&str> = next.tool_returns.iter().map(|result| result.tool_call_id.as_str()).collect();
            asked.sort_unstable();
            got.sort_unstable();
            prop_assert_eq!(asked, got);
        }
        // Every streamed call is stored in the row whose id it was streamed under, and as what it was streamed.
        let told = seen.told.iter().filter_map(|event| match event {
            TurnEvent::Delta { message_id, delta, .. } => Some((message_id, delta)),
            TurnEvent::Message { .. } | TurnEvent::StepUsage(_) | TurnEvent::Compacting { .. } => None,
        });
        for (id, delta) in seen.pieces.iter().map(|piece| (&piece.message_id, &piece.delta)).chain(told) {
            let row = seen.rows.iter().find(|row| row.id == *id).expect("the row of a piece");
            if let crate::ports::Delta::ToolCall { tool_call_id, gated, .. } = delta {
                prop_assert!(row.tool_calls.iter().any(|call| &call.id == tool_call_id), "{:?} {:?}", delta, row);
                prop_assert_eq!(*gated, row.is_approval_request());
            }
        }
    }
}
