//! Running the tools an answer asked for: the answer is written first, their returns in one row after.

use loci_api::{
    ids::StepId,
    message::{Message, Role, ToolCall, ToolReturn},
    resource::{StepStatus, StopReason},
};
use serde_json::{Map, Value};

use super::{
    Effect, Run, Stamp, State, ToolRun,
    answer::Answer,
    compacting,
    core::{Core, OpenStep, called},
    done, failure, sampling,
    sampling::{Sampling, Unusable},
};
use crate::{
    arguments,
    ports::{Commit, ToolInvocation, TurnEvent, TurnOutcome},
    returns, rules,
};
use loci_api::chat::FinishReason;

/// Tools were started.
#[derive(Debug, Clone)]
pub struct RunningTools {
    pub core: Core,
    pub step_id: StepId,
    /// `None` when an answer to an approval request is worked off: its step has ended before.
    pub step: Option<OpenStep>,
    /// In the order of the returns.
    pub plan: Vec<Planned>,
    /// What a rule demanded could not be done; the turn ends with this.
    pub invalid: Option<String>,
}

/// One call and what becomes of it.
#[derive(Debug, Clone)]
pub struct Planned {
    pub call_id: String,
    pub name: String,
    pub origin: Origin,
    pub what: What,
}

/// Who decided about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Nobody had to.
    Free,
    Approved,
    Denied,
    /// The client ran it.
    Client,
}

#[derive(Debug, Clone)]
pub enum What {
    Run { arguments: Map<String, Value>, parallel: bool, return_char_limit: usize },
    Settled(ToolReturn),
}

/// The model asked for calls and none of them waits for anyone.
pub(super) fn begin(
    sampling: Sampling,
    answer: &mut Answer,
    mut effects: Vec<Effect>,
    stamp: &Stamp,
) -> (State, Vec<Effect>) {
    let mut assistant = sampling.assistant(answer, stamp);
    let mut plan = Vec::with_capacity(answer.calls.len());
    let mut invalid = None;
    let cut_off = answer.finish == Some(FinishReason::Length);
    for call in &answer.calls {
        let refuse = |text: String| {
            What::Settled(returns::refusal(&call.id, text, stamp.now, &sampling.core.turn.timezone))
        };
        let mut stored = call.clone();
        let what = match sampling.readied(answer, call) {
            Ok(given) => {
                stored.arguments = arguments::write(&given);
                run(&sampling.core, &call.name, given)
                    .unwrap_or_else(|| refuse(returns::not_found(&call.name)))
            }
            Err(Unusable::NotAllowed) => {
                stored.arguments = rewritten(&call.arguments);
                let valid: Vec<&str> = sampling.allowed.names.iter().map(String::as_str).collect();
                refuse(returns::constraint(&call.name, &valid))
            }
            Err(Unusable::Unreadable(why)) => {
                refuse(returns::unreadable(&why.to_string(), &call.arguments, cut_off))
            }
            Err(Unusable::Prefill(why)) => {
                stored.arguments = rewritten(&call.arguments);
                let text = format!("Error: {} was not run: {why}.", call.name);
                invalid = Some(text.clone());
                refuse(text)
            }
        };
        assistant.tool_calls.push(stored);
        plan.push(Planned { call_id: call.id.clone(), name: call.name.clone(), origin: Origin::Free, what });
    }
    let step = sampling.open_step(answer);
    let mut core = sampling.core;
    core.turn.context.push(assistant.clone());
    effects.push(Effect::Commit(Box::new(Commit { messages: vec![assistant.clone()], ..Commit::default() })));
    let streamed = core.turn.stream;
    effects.push(Effect::Emit(Box::new(TurnEvent::Message { message: assistant, streamed })));
    let tools = RunningTools { core, step_id: step.id.clone(), step: Some(step), plan, invalid };
    tools.started(effects)
}

/// The way to run a server tool, if the agent has it.
pub(super) fn run(core: &Core, name: &str, arguments: Map<String, Value>) -> Option<What> {
    let tool = core.turn.tools.iter().find(|tool| tool.spec.name == name)?;
    Some(What::Run { arguments, parallel: tool.parallel, return_char_limit: tool.return_char_limit })
}

fn rewritten(raw: &str) -> String {
    arguments::parse(raw).map_or_else(|_| raw.to_owned(), |object| arguments::write(&object))
}

impl RunningTools {
    pub(super) fn started(self, mut effects: Vec<Effect>) -> (State, Vec<Effect>) {
        let runs = self.plan.iter().filter_map(|planned| match &planned.what {
            What::Run { arguments, parallel, .. } => Some(ToolRun {
                invocation: ToolInvocation {
                    tool_call_id: planned.call_id.clone(),
                    name: planned.name.clone(),
                    arguments: arguments.clone(),
                    step_id: self.step_id.clone(),
                },
                parallel: *parallel,
            }),
            What::Settled(_) => None,
        });
        effects.push(Effect::RunTools(runs.collect()));
        (State::RunningTools(Box::new(self)), effects)
    }

    /// The one row with all returns; also enters the calls into the history and the longest run into the step.
    fn tool_row(&mut self, runs: Vec<Run>, stamp: &Stamp) -> Message {
        let zone = &self.core.turn.timezone;
        let mut runs = runs.into_iter();
        let mut longest = 0;
        let mut tool_returns = Vec::with_capacity(self.plan.len());
        for planned in &self.plan {
            let result = match &planned.what {
                What::Settled(result) => result.clone(),
                What::Run { return_char_limit, .. } => match runs.next().unwrap_or(Run::NotStarted) {
                    Run::Finished { outcome, took_ns } => {
                        longest = longest.max(took_ns);
                        returns::pack(
                            &planned.call_id,
                            &planned.name,
                            outcome,
                            *return_char_limit,
                            stamp.now,
                            zone,
                        )
                    }
                    Run::CutShort => returns::cancelled(&planned.call_id, true, stamp.now, zone),
                    Run::NotStarted => returns::cancelled(&planned.call_id, false, stamp.now, zone),
                },
            };
            if returns::counts(&result) {
                self.core.history.push(called(&planned.name, &result));
            }
            tool_returns.push(result);
        }
        if let Some(step) = &mut self.step {
            step.tool_execution_ns = longest;
        }
        let id = stamp.row_id.clone();
        let mut row = self.core.row(id, Role::Tool, Some(self.step_id.clone()), stamp.now);
        row.name = self
            .plan
            .first()
            .filter(|planned| planned.origin != Origin::Client)
            .map(|planned| planned.name.clone());
        row.tool_returns = tool_returns;
        row
    }

    /// Writes the returns, and behind them what was sent along with an approval.
    fn close(
        &mut self,
        row: Message,
        status: StepStatus,
        stop: Option<StopReason>,
        error: Option<crate::ports::TurnError>,
        stamp: &Stamp,
    ) -> Vec<Effect> {
        let mut messages = vec![row.clone()];
        messages.append(&mut self.core.turn.follow_ups);
        self.core.turn.context.extend(messages.iter().cloned());
        let step = self.step.take().map(|step| step.end(status, stop, error, stamp.monotonic_ns));
        vec![
            Effect::Commit(Box::new(Commit { messages, step, ..Commit::default() })),
            Effect::Emit(Box::new(TurnEvent::Message { message: row, streamed: false })),
        ]
    }
}

/// The tools are done: the turn goes on, unless a rule or the number of steps ends it.
pub(super) fn finished(mut tools: RunningTools, runs: Vec<Run>, stamp: Stamp) -> (State, Vec<Effect>) {
    let row = tools.tool_row(runs, &stamp);
    if let Some(why) = tools.invalid.take() {
        let error = failure::invalid_tool_call(why);
        let stop = StopReason::InvalidToolCall;
        let effects = tools.close(row, StepStatus::Failed, Some(stop), Some(error.clone()), &stamp);
        return (State::Done(TurnOutcome { stop_reason: stop, error: Some(error) }), effects);
    }
    let stop = stop_after(&tools);
    let effects = tools.close(row, StepStatus::Success, stop, None, &stamp);
    match stop {
        Some(stop) => compacting::after_turn(tools.core, effects, stop),
        None => sampling::begin(tools.core, effects, stamp),
    }
}

/// A terminal tool ends the turn, unless another must still be called, or a person or the client answered and
/// the model has to hear it.
fn stop_after(tools: &RunningTools) -> Option<StopReason> {
    let told = tools.plan.iter().any(|planned| matches!(planned.origin, Origin::Denied | Origin::Client));
    let terminal = tools.plan.iter().any(|planned| {
        matches!(planned.what, What::Run { .. }) && rules::is_terminal(&tools.core.turn.rules, &planned.name)
    });
    if terminal && !told && tools.core.still_required().is_empty() {
        Some(StopReason::ToolRule)
    } else if tools.core.steps_left == 0 {
        Some(StopReason::MaxSteps)
    } else {
        None
    }
}

/// The run was cancelled: what finished keeps its return, the rest gets an error, so that no call dangles.
pub(super) fn cancelled(mut tools: RunningTools, runs: Vec<Run>, stamp: Stamp) -> (State, Vec<Effect>) {
    let row = tools.tool_row(runs, &stamp);
    let stop = StopReason::Cancelled;
    let effects = tools.close(row, StepStatus::Cancelled, Some(stop), None, &stamp);
    (done(stop), effects)
}

/// A call that waited beside gated ones, judged now that it may run.
pub(super) fn free_call(core: &Core, allowed: &rules::Allowed, call: &ToolCall, stamp: &Stamp) -> What {
    let refuse =
        |text: String| What::Settled(returns::refusal(&call.id, text, stamp.now, &core.turn.timezone));
    if !allowed.contains(&call.name) {
        let valid: Vec<&str> = allowed.names.iter().map(String::as_str).collect();
        return refuse(returns::constraint(&call.name, &valid));
    }
    decided_call(core, call, stamp)
}

/// A call someone decided to run.
pub(super) fn decided_call(core: &Core, call: &ToolCall, stamp: &Stamp) -> What {
    let refuse =
        |text: String| What::Settled(returns::refusal(&call.id, text, stamp.now, &core.turn.timezone));
    match arguments::parse(&call.arguments) {
        Ok(given) => run(core, &call.name, given).unwrap_or_else(|| refuse(returns::not_found(&call.name))),
        Err(why) => refuse(returns::unreadable(&why.to_string(), &call.arguments, false)),
    }
}
