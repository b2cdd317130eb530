//! Whole turns against a scripted model and scripted tools, in memory.
#![allow(clippy::unwrap_used, reason = "tests")]

mod approvals;
mod endings;

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use loci_api::{
    chat::{
        ChatError, ChatErrorKind, ChatEvent, ChatMessage, ChatOptions, ChatRequest, FinishReason, ToolChoice,
        ToolSpec, Usage,
    },
    ids::{AgentId, MessageId, RunId, StepId},
    message::{ContentPart, Message, Role, ToolStatus},
    resource::{StepStatus, StopReason},
    rules::ToolRule,
    time::Timestamp,
};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::drive;
use crate::{
    ports::{
        Commit, CompactRequest, Compacted, Delta, PortError, Ports, StepEnd, StepStart, ToolInvocation,
        ToolOutcome, Turn, TurnEvent, TurnOutcome, TurnTool,
    },
    testing::{message, rule, user},
};

type Script = Vec<Result<ChatEvent, ChatError>>;

/// A world in memory. The model says what the script says; a tool returns its arguments, fails, or hangs.
#[derive(Default)]
struct World {
    script: Mutex<VecDeque<Script>>,
    requests: Mutex<Vec<ChatRequest>>,
    history: Mutex<Vec<Message>>,
    steps: Mutex<Vec<StepEnd>>,
    begun: Mutex<Vec<StepStart>>,
    events: Mutex<Vec<TurnEvent>>,
    ran: Mutex<Vec<String>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    clock: AtomicI64,
    cancel: Notify,
    cancelled: std::sync::atomic::AtomicBool,
    /// Commits still allowed before they fail; negative is no limit.
    commits_left: AtomicI64,
    remedy: Option<String>,
    compactions: Mutex<Vec<CompactRequest>>,
}

impl World {
    fn new(script: Vec<Script>) -> Self {
        Self { script: Mutex::new(script.into()), commits_left: AtomicI64::new(-1), ..Self::default() }
    }

    fn cancel_now(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        self.cancel.notify_waiters();
    }

    fn history(&self) -> Vec<Message> {
        self.history.lock().unwrap().clone()
    }

    fn roles(&self) -> Vec<Role> {
        self.history().iter().map(|message| message.role).collect()
    }

    fn steps(&self) -> Vec<(StepStatus, Option<StopReason>)> {
        self.steps.lock().unwrap().iter().map(|step| (step.status, step.stop_reason)).collect()
    }

    fn request(&self, at: usize) -> ChatRequest {
        self.requests.lock().unwrap()[at].clone()
    }

    fn offered(&self, at: usize) -> Vec<String> {
        self.request(at).tools.into_iter().map(|tool| tool.name).collect()
    }

    fn deltas(&self) -> Vec<(MessageId, u8, Delta)> {
        let events = self.events.lock().unwrap();
        let deltas = events.iter().filter_map(|event| match event {
            TurnEvent::Delta { message_id, index, delta, .. } => {
                Some((message_id.clone(), *index, delta.clone()))
            }
            _ => None,
        });
        deltas.collect()
    }
}

impl Ports for World {
    fn now(&self) -> Timestamp {
        Timestamp(self.clock.fetch_add(1_000, Ordering::SeqCst))
    }

    fn new_message_id(&self) -> MessageId {
        MessageId::new()
    }

    fn new_step_id(&self) -> StepId {
        StepId::new()
    }

    fn monotonic_ns(&self) -> i64 {
        self.clock.fetch_add(1_000, Ordering::SeqCst)
    }

    async fn cancelled(&self) {
        loop {
            let told = self.cancel.notified();
            if self.cancelled.load(Ordering::SeqCst) {
                return;
            }
            told.await;
        }
    }

    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>> {
        self.requests.lock().unwrap().push(request);
        let script = self.script.lock().unwrap().pop_front().expect("a scripted answer");
        if matches!(script.last(), Some(Ok(ChatEvent::Text(text))) if text == "HANG") {
            let known: Script = script[..script.len() - 1].to_vec();
            return Box::pin(stream::iter(known).chain(stream::pending()));
        }
        Box::pin(stream::iter(script))
    }

    async fn begin_step(&self, step: &StepStart) -> Result<(), PortError> {
        self.begun.lock().unwrap().push(step.clone());
        Ok(())
    }

    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        if self.commits_left.fetch_sub(1, Ordering::SeqCst) == 0 {
            return Err(PortError { cause: "disk full".into(), remedy: self.remedy.clone() });
        }
        self.history.lock().unwrap().extend(commit.messages.into_iter().chain(commit.failed_messages));
        self.steps.lock().unwrap().extend(commit.step);
        Ok(())
    }

    async fn run_tool(&self, call: ToolInvocation) -> ToolOutcome {
        let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_running.fetch_max(now, Ordering::SeqCst);
        self.ran.lock().unwrap().push(call.tool_call_id.clone());
        tokio::task::yield_now().await;
        if call.name == "hang" {
            self.cancel_now();
            std::future::pending::<()>().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        match call.name.as_str() {
            "fail" => ToolOutcome::error("it broke"),
            _ => ToolOutcome {
                status: ToolStatus::Success,
                value: call.arguments.get("say").cloned().unwrap_or(Value::Null),
                stdout: vec!["out".into()],
                stderr: vec![],
            },
        }
    }

    async fn compact(&self, request: CompactRequest) -> Result<Compacted, PortError> {
        self.compactions.lock().unwrap().push(request);
        Ok(Compacted::Kept("There is no summariser here.".into()))
    }

    fn emit(&self, event: TurnEvent) {
        if let TurnEvent::Message { message, .. } = &event {
            let known = self.history.lock().unwrap().iter().any(|row| row.id == message.id);
            assert!(known, "told before it was written: {message:?}");
        }
        self.events.lock().unwrap().push(event);
    }
}

fn text(text: &str) -> Script {
    vec![
        Ok(ChatEvent::Text(text.into())),
        Ok(ChatEvent::Usage(usage())),
        Ok(ChatEvent::Finish(FinishReason::Stop)),
    ]
}

fn usage() -> Usage {
    Usage { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, ..Usage::default() }
}

/// An answer that makes these calls: id, tool, arguments. The digits at the end of an id are not the tool's name.
fn calls(list: &[(&str, &str, &str)]) -> Script {
    let mut out = Vec::new();
    for (index, (id, name, arguments)) in list.iter().enumerate() {
        out.push(Ok(ChatEvent::ToolCallStarted { index, id: (*id).into(), name: (*name).into() }));
        let (head, tail) = arguments.split_at(arguments.len() / 2);
        for delta in [head, tail] {
            out.push(Ok(ChatEvent::ToolCallArguments { index, delta: delta.into() }));
        }
    }
    out.push(Ok(ChatEvent::Usage(usage())));
    out.push(Ok(ChatEvent::Finish(FinishReason::ToolCalls)));
    out
}

fn spec(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.into(),
        description: String::new(),
        parameters: json!({"type": "object", "properties": {}}),
    }
}

fn turn(tools: &[&str], rules: Vec<ToolRule>) -> Turn {
    let mut system = message(Role::System);
    system.content = vec![ContentPart::text("system")];
    let tools = tools.iter().map(|name| TurnTool {
        spec: spec(name),
        return_char_limit: 20,
        parallel: name.starts_with("par"),
    });
    Turn {
        agent_id: AgentId::from_trusted("agent-1".into()),
        conversation_id: None,
        run_id: RunId::from_trusted("run-1".into()),
        model: "p/m".into(),
        options: ChatOptions::default(),
        parallel_tool_calls: true,
        context_window: 8_192,
        timezone: "UTC".into(),
        tools: tools.collect(),
        client_tools: Vec::new(),
        client_skills: Vec::new(),
        rules,
        context: vec![system, user("go")],
        follow_ups: Vec::new(),
        context_tokens: 0,
        max_steps: 50,
        override_system: None,
        stream: true,
    }
}

async fn run(turn: Turn, script: Vec<Script>) -> (World, TurnOutcome) {
    let world = World::new(script);
    let outcome = drive(turn, &world).await;
    (world, outcome)
}

/// Id, status and text of each return of a tool row.
fn returns(row: &Message) -> Vec<(String, ToolStatus, String)> {
    row.tool_returns
        .iter()
        .map(|result| (result.tool_call_id.clone(), result.status, result.text()))
        .collect()
}

use StopReason::{
    Cancelled, EndTurn, InvalidToolCall, LlmApiError, MaxSteps, MaxTokensExceeded, RequiresApproval,
};
use ToolStatus::{Error, Success};

#[tokio::test]
async fn a_text_ends_the_turn() {
    let (world, outcome) = run(turn(&["a"], vec![]), vec![text("hello")]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(world.roles(), [Role::Assistant]);
    assert_eq!(world.history()[0].text(), "hello");
    assert_eq!(world.history()[0].model.as_deref(), Some("p/m"));
    assert_eq!(world.steps(), [(StepStatus::Success, Some(EndTurn))]);
    assert_eq!(world.steps.lock().unwrap()[0].usage, usage());
    assert_eq!(world.request(0).tool_choice, ToolChoice::Auto);
    let deltas = world.deltas();
    assert_eq!(deltas[0].0, world.history()[0].id, "streamed under the stored id");
}

#[tokio::test]
async fn a_call_cut_off_before_its_arguments_is_not_run() {
    let mut script = calls(&[("c1", "a", "{}"), ("c2", "a", "")]);
    *script.last_mut().unwrap() = Ok(ChatEvent::Finish(FinishReason::Length));
    let (world, outcome) = run(turn(&["a"], vec![]), vec![script, text("again")]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(*world.ran.lock().unwrap(), ["c1"]);
    assert!(returns(&world.history()[1])[1].2.contains("reached the output limit"));
}

#[tokio::test]
async fn nothing_said_stores_nothing() {
    let script = vec![Ok(ChatEvent::Finish(FinishReason::Stop))];
    let (world, outcome) = run(turn(&[], vec![]), vec![script]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert!(world.history().is_empty());
    assert_eq!(world.steps(), [(StepStatus::Success, Some(EndTurn))]);
}

#[tokio::test]
async fn no_steps_end_at_once() {
    let (world, outcome) = run(Turn { max_steps: 0, ..turn(&[], vec![]) }, vec![]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert!(world.begun.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_tool_runs_and_the_model_hears_of_it() {
    let script = vec![calls(&[("c1", "a", r#"{"say": "hi", "request_heartbeat": true}"#)]), text("done")];
    let (world, outcome) = run(turn(&["a"], vec![]), script).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(world.roles(), [Role::Assistant, Role::Tool, Role::Assistant]);
    let history = world.history();
    assert_eq!(history[0].tool_calls[0].arguments, r#"{"say":"hi"}"#);
    assert_eq!(history[0].step_id, history[1].step_id);
    assert_eq!(history[1].name.as_deref(), Some("a"));
    assert_eq!(returns(&history[1]), [("c1".into(), Success, "hi".into())]);
    assert_eq!(world.steps(), [(StepStatus::Success, None), (StepStatus::Success, Some(EndTurn))]);
    let ChatMessage::Tool { returns } = world.request(1).messages.last().unwrap().clone() else { panic!() };
    let ContentPart::Text { text, .. } = &returns[0].content[0] else { panic!() };
    let envelope: Value = serde_json::from_str(text).unwrap();
    assert_eq!((envelope["status"].clone(), envelope["message"].clone()), (json!("OK"), json!("hi")));
}

#[tokio::test]
async fn failing_unknown_and_unreadable_calls_are_answered_and_the_turn_goes_on() {
    let script = vec![
        calls(&[("c1", "fail", ""), ("c2", "nowhere", "{}"), ("c3", "a", "{\"say\": "), ("c4", "a", "{}")]),
        text("sorry"),
    ];
    let (world, outcome) = run(turn(&["a", "fail"], vec![]), script).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(*world.ran.lock().unwrap(), ["c1", "c4"]);
    let got = returns(&world.history()[1]);
    assert_eq!(got[0], ("c1".into(), Error, "it broke".into()));
    assert!(
        got[1].2.starts_with("[ToolConstraintError] Cannot call nowhere, valid tools include: ['a', 'fail']")
    );
    assert!(got[2].2.starts_with("Error: the arguments were not valid JSON"), "{}", got[2].2);
    assert_eq!(got[3], ("c4".into(), Success, "None".into()));
}

#[tokio::test]
async fn a_long_return_is_cut_once() {
    let say = format!("{{\"say\": \"{}\"}}", "ä".repeat(30));
    let (world, _) = run(turn(&["a"], vec![]), vec![calls(&[("c1", "a", &say)]), text("ok")]).await;
    let expected = format!("{}... [return cut: 30 characters, 20 allowed]", "ä".repeat(20));
    assert_eq!(returns(&world.history()[1])[0].2, expected);
}

#[tokio::test]
async fn without_parallel_calls_only_the_first_counts() {
    let script = vec![calls(&[("c1", "a", "{}"), ("c2", "a", "{}")]), text("ok")];
    let (world, _) = run(Turn { parallel_tool_calls: false, ..turn(&["a"], vec![]) }, script).await;
    assert_eq!(world.history()[0].tool_calls.len(), 1);
    assert!(
        !world.deltas().iter().any(
            |(_, _, delta)| matches!(delta, Delta::ToolCall { tool_call_id, .. } if tool_call_id == "c2")
        )
    );
    assert!(!world.request(0).parallel_tool_calls);
}

#[tokio::test]
async fn tools_that_may_run_together_go_first_and_returns_keep_the_order() {
    let script = vec![
        calls(&[("c1", "a", "{}"), ("c2", "par", "{}"), ("c3", "a", "{}"), ("c4", "par", "{}")]),
        text("ok"),
    ];
    let (world, _) = run(turn(&["a", "par"], vec![]), script).await;
    assert_eq!(*world.ran.lock().unwrap(), ["c2", "c4", "c1", "c3"]);
    assert_eq!(world.most_running.load(Ordering::SeqCst), 2);
    let ids: Vec<String> = returns(&world.history()[1]).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, ["c1", "c2", "c3", "c4"]);
}

#[tokio::test]
async fn calls_with_the_same_id_are_told_apart() {
    let script = vec![
        calls(&[("c", "a", r#"{"say":"1"}"#), ("c", "a", r#"{"say":"2"}"#), ("", "a", "{}")]),
        text("ok"),
    ];
    let (world, _) = run(turn(&["a"], vec![]), script).await;
    let got: Vec<_> = returns(&world.history()[1]).into_iter().map(|(id, _, text)| (id, text)).collect();
    assert_eq!(got, [("c".into(), "1".into()), ("c-2".into(), "2".into()), ("call-3".into(), "None".into())]);
}

#[tokio::test]
async fn the_number_of_steps_ends_the_turn() {
    let script = vec![calls(&[("c1", "a", "{}")]), calls(&[("c2", "a", "{}")])];
    let (world, outcome) = run(Turn { max_steps: 2, ..turn(&["a"], vec![]) }, script).await;
    assert_eq!(outcome.stop_reason, MaxSteps);
    assert_eq!(world.steps(), [(StepStatus::Success, None), (StepStatus::Success, Some(MaxSteps))]);
}

#[tokio::test]
async fn an_answer_cut_at_the_limit_says_so() {
    let script = vec![vec![Ok(ChatEvent::Text("half".into())), Ok(ChatEvent::Finish(FinishReason::Length))]];
    let (world, outcome) = run(turn(&[], vec![]), script).await;
    assert_eq!(outcome.stop_reason, MaxTokensExceeded);
    assert_eq!(world.roles(), [Role::Assistant]);
}

#[tokio::test]
async fn terminal_and_required_tools() {
    let terminal = rule("bye", json!({"type": "exit_loop"}));
    let required = rule("must", json!({"type": "required_before_exit"}));
    let (world, outcome) =
        run(turn(&["bye"], vec![terminal.clone()]), vec![calls(&[("c1", "bye", "{}")])]).await;
    assert_eq!(outcome.stop_reason, StopReason::ToolRule);
    assert_eq!(world.steps(), [(StepStatus::Success, Some(StopReason::ToolRule))]);

    let script =
        vec![calls(&[("c1", "bye", "{}")]), text("may I go?"), calls(&[("c2", "must", "{}")]), text("bye")];
    let (world, outcome) = run(turn(&["bye", "must"], vec![terminal, required]), script).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    let roles = world.roles();
    assert_eq!(roles[2..5], [Role::Assistant, Role::User, Role::Assistant]);
    let ChatMessage::User { content } = world.request(2).messages.last().unwrap().clone() else {
        panic!("the nudge")
    };
    let ContentPart::Text { text, .. } = &content[0] else { panic!() };
    assert!(text.contains("must"), "{text}");
    let told = world
        .events
        .lock()
        .unwrap()
        .iter()
        .any(|event| matches!(event, TurnEvent::Message { message, .. } if message.role == Role::User));
    assert!(!told, "watchers are not told of the nudge");
}

#[tokio::test]
async fn a_model_that_never_complies_is_stopped_by_the_steps() {
    let required = rule("must", json!({"type": "required_before_exit"}));
    let (world, outcome) =
        run(Turn { max_steps: 2, ..turn(&["must"], vec![required]) }, vec![text("no"), text("never")]).await;
    assert_eq!(outcome.stop_reason, MaxSteps);
    assert_eq!(world.roles(), [Role::Assistant, Role::User, Role::Assistant]);
}

#[tokio::test]
async fn rules_force_name_and_fail_closed() {
    let first = rule("a", json!({"type": "run_first"}));
    let child = rule("a", json!({"type": "constrain_child_tools", "children": ["b"]}));
    let once = rule("b", json!({"type": "max_count_per_step", "max_count_limit": 1}));
    let script = vec![
        calls(&[("c1", "b", "{}")]),
        calls(&[("c2", "a", "{}")]),
        calls(&[("c3", "b", "{}")]),
        text("ok"),
    ];
    let (world, outcome) = run(turn(&["a", "b"], vec![first.clone(), child, once]), script).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert_eq!(world.request(0).tool_choice, ToolChoice::Named("a".into()));
    assert_eq!(
        world.request(1).tool_choice,
        ToolChoice::Named("a".into()),
        "a refused call is no first call"
    );
    assert_eq!(world.request(2).tool_choice, ToolChoice::Named("b".into()));
    assert_eq!(world.offered(3), ["a"], "once is once");
    assert!(!world.request(0).parallel_tool_calls);

    let nothing = rule("gone", json!({"type": "run_first"}));
    let (world, outcome) = run(turn(&["a"], vec![nothing]), vec![]).await;
    assert_eq!(outcome.stop_reason, StopReason::Error);
    assert!(outcome.error.unwrap().message.contains("gone"));
    assert!(world.begun.lock().unwrap().is_empty());

    let lost = rule("a", json!({"type": "constrain_child_tools", "children": ["gone"]}));
    let (world, outcome) =
        run(turn(&["a"], vec![lost]), vec![calls(&[("c1", "a", "{}")]), text("that is all")]).await;
    assert_eq!(outcome.stop_reason, EndTurn);
    assert!(world.offered(1).is_empty());
    assert_eq!(world.request(1).tool_choice, ToolChoice::None);
}

#[tokio::test]
async fn a_prefilled_argument_the_tool_does_not_take_ends_the_turn() {
    let first = rule("a", json!({"type": "run_first", "args": {"nope": 1}}));
    let (world, outcome) = run(turn(&["a"], vec![first]), vec![calls(&[("c1", "a", "{}")])]).await;
    assert_eq!(outcome.stop_reason, InvalidToolCall);
    assert_eq!(world.roles(), [Role::Assistant, Role::Tool]);
    assert!(world.ran.lock().unwrap().is_empty());
    assert_eq!(world.steps(), [(StepStatus::Failed, Some(InvalidToolCall))]);
}

#[tokio::test]
async fn the_models_errors_end_the_turn_and_keep_what_came() {
    let error = |kind| ChatError {
        kind,
        message: "m".into(),
        detail: None,
        status: None,
        retry_after_ms: None,
        trace: None,
    };
    for (kind, stop, name) in [
        (ChatErrorKind::LlmRateLimit, LlmApiError, "llm_rate_limit"),
        (ChatErrorKind::LlmEmptyResponse, StopReason::InvalidLlmResponse, "llm_empty_response"),
        (ChatErrorKind::LlmInsufficientCredits, StopReason::InsufficientCredits, "llm_insufficient_credits"),
        (ChatErrorKind::BudgetExceeded, StopReason::InsufficientCredits, "budget_exceeded"),
        (ChatErrorKind::ContextWindowExceeded, LlmApiError, "llm_bad_request"),
    ] {
        let script =
            vec![vec![Ok(ChatEvent::Text("par".into())), Ok(ChatEvent::Usage(usage())), Err(error(kind))]];
        let (world, outcome) = run(turn(&[], vec![]), script).await;
        assert_eq!(outcome.stop_reason, stop);
        assert_eq!(outcome.error.unwrap().error_type, name);
        let history = world.history();
        assert_eq!((history.len(), history[0].is_err, history[0].text().as_str()), (1, true, "par"));
        assert_eq!(world.steps(), [(StepStatus::Failed, Some(stop))]);
        assert_eq!(world.steps.lock().unwrap()[0].usage, usage());
    }
    let mut long = turn(&[], vec![]);
    long.context[0].content = vec![ContentPart::text("x".repeat(40_000))];
    let (world, outcome) = run(long, vec![]).await;
    assert_eq!(outcome.stop_reason, StopReason::ContextWindowOverflowInSystemPrompt);
    assert!(world.begun.lock().unwrap().is_empty(), "a model that cannot answer is not asked");
    assert_eq!(world.compactions.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let script = vec![vec![Ok(ChatEvent::Text("and then".into()))]];
    let (world, outcome) = run(turn(&[], vec![]), script).await;
    assert_eq!(outcome.stop_reason, LlmApiError);
    assert_eq!(outcome.error.unwrap().error_type, "stream_incomplete");
    assert!(world.history()[0].is_err);
}

#[tokio::test]
async fn every_proof_stays_whole_and_with_its_own() {
    let script = vec![
        Ok(ChatEvent::ReasoningSignature("one".into())),
        Ok(ChatEvent::Reasoning(String::new())),
        Ok(ChatEvent::ReasoningSignature("two".into())),
        Ok(ChatEvent::Text("so".into())),
        Ok(ChatEvent::TextSignature("three".into())),
        Ok(ChatEvent::Finish(FinishReason::Stop)),
    ];
    let (world, _) = run(turn(&[], vec![]), vec![script]).await;
    let silent =
        |proof: &str| ContentPart::Reasoning { reasoning: String::new(), signature: Some(proof.into()) };
    let said = ContentPart::Text { text: "so".into(), signature: Some("three".into()) };
    assert_eq!(world.history()[0].content, [silent("one"), silent("two"), said]);
}

#[tokio::test]
async fn reasoning_and_text_stream_under_the_positions_they_are_listed_at() {
    let mut script = vec![
        Ok(ChatEvent::Reasoning("th".into())),
        Ok(ChatEvent::Reasoning("ink".into())),
        Ok(ChatEvent::ReasoningSignature("sig".into())),
        Ok(ChatEvent::RedactedReasoning("xx".into())),
        Ok(ChatEvent::Text("so ".into())),
    ];
    script.extend(calls(&[("c1", "a", "{}")]));
    script.insert(6, Ok(ChatEvent::Text("then".into())));
    let (world, _) = run(turn(&["a"], vec![]), vec![script, text("ok")]).await;
    let stored = &world.history()[0];
    assert_eq!(
        stored.content,
        [
            ContentPart::Reasoning { reasoning: "think".into(), signature: Some("sig".into()) },
            ContentPart::RedactedReasoning { data: "xx".into() },
            ContentPart::text("so then"),
        ]
    );
    let positions: Vec<u8> =
        world.deltas().iter().filter(|(id, ..)| *id == stored.id).map(|(_, at, _)| *at).collect();
    assert_eq!(positions, [0, 0, 0, 1, 2, 3, 2, 3, 3]);
}

#[tokio::test]
async fn without_streaming_no_pieces_are_told() {
    let (world, _) = run(Turn { stream: false, ..turn(&[], vec![]) }, vec![text("hello")]).await;
    assert!(world.deltas().is_empty());
    let events = world.events.lock().unwrap();
    assert!(events.iter().any(|event| matches!(event, TurnEvent::Message { streamed: false, .. })));
}

#[test]
fn a_turn_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let world = World::new(vec![]);
    is_send(&drive(turn(&[], vec![]), &world));
}
