//! Asking the model, and deciding what its answer means.

use std::collections::BTreeSet;

use loci_api::{
    chat::{FinishReason, ToolChoice},
    ids::MessageId,
    message::{ContentPart, Message, Role, ToolCall},
    resource::{StepStatus, StopReason},
};

use serde_json::{Map, Value};

use super::{
    CallModel, Effect, Stamp, State,
    answer::{Answer, Collector},
    awaiting_approval, compacting,
    core::{Core, OpenStep},
    done, failure, running_tools,
};
use crate::{
    arguments::BadArguments,
    context::request::{RequestInput, build},
    input::ALERT,
    ports::{Commit, Delta, StepStart, TurnEvent},
    rules::{self, Allowed},
};

/// The model was asked.
#[derive(Debug, Clone)]
pub struct Sampling {
    pub core: Core,
    pub step: StepStart,
    pub started_ns: i64,
    /// The id its answer will be stored under.
    pub message_id: MessageId,
    pub allowed: Allowed,
    /// Tools offered in this step whose calls wait for someone.
    pub gated: BTreeSet<String>,
}

/// Why a call cannot be carried out as the model made it.
pub(super) enum Unusable {
    NotAllowed,
    Unreadable(BadArguments),
    /// A tool rule fills in what the tool does not take: the agent is set up wrongly.
    Prefill(String),
}

impl Sampling {
    /// The arguments a call would run with, prefilled ones included.
    pub(super) fn readied(&self, answer: &Answer, call: &ToolCall) -> Result<Map<String, Value>, Unusable> {
        if !self.allowed.contains(&call.name) {
            return Err(Unusable::NotAllowed);
        }
        let mut given = answer.arguments(call).map_err(Unusable::Unreadable)?;
        if let (Some(prefilled), Some(spec)) =
            (self.allowed.prefilled.get(&call.name), self.core.spec(&call.name))
        {
            rules::merge_prefilled(&mut given, prefilled, &spec.parameters).map_err(Unusable::Prefill)?;
        }
        Ok(given)
    }

    /// Whether this call stops the turn: it is gated, may be called now and can be read. Other calls are answered
    /// with an error at once; nobody is asked about them.
    pub(super) fn waits(&self, answer: &Answer, call: &ToolCall) -> bool {
        self.gated.contains(&call.name) && self.readied(answer, call).is_ok()
    }

    /// The step as it stands after the answer, whose trace it takes along: it holds the whole request.
    pub(super) fn open_step(&self, answer: &mut Answer) -> OpenStep {
        OpenStep {
            id: self.step.id.clone(),
            started_ns: self.started_ns,
            usage: answer.usage,
            trace: answer.trace.take(),
            llm_request_ns: answer.took_ns,
            ttft_ns: answer.ttft_ns,
            tool_execution_ns: 0,
        }
    }

    /// The calls that were held back while the answer came, each where it will be stored.
    fn held_calls(&self, answer: &Answer) -> Vec<Effect> {
        if !self.core.turn.stream {
            return Vec::new();
        }
        let alone = answer.calls.iter().all(|call| self.waits(answer, call));
        let held = answer.calls.iter().filter(|call| self.gated.contains(&call.name));
        let pieces = held.map(|call| {
            let gated = self.waits(answer, call);
            let mut call = call.clone();
            if gated {
                awaiting_approval::fill_in(self, answer, &mut call);
            }
            let apart = gated && !alone;
            Effect::Emit(Box::new(TurnEvent::Delta {
                message_id: if apart { self.message_id.predecessor() } else { self.message_id.clone() },
                step_id: self.step.id.clone(),
                index: if apart { 0 } else { answer.call_index.unwrap_or(0) },
                delta: Delta::ToolCall {
                    tool_call_id: call.id,
                    name: Some(call.name),
                    arguments: Some(call.arguments),
                    gated,
                },
            }))
        });
        pieces.collect()
    }

    /// The answer as it is stored.
    pub(super) fn assistant(&self, answer: &Answer, stamp: &Stamp) -> Message {
        let id = self.message_id.clone();
        let mut row = self.core.row(id, Role::Assistant, Some(self.step.id.clone()), stamp.now);
        row.content.clone_from(&answer.content);
        row.model = Some(self.core.turn.model.clone());
        row
    }
}

/// Begins a step, after `before` was carried out.
///
/// Rules fail closed. If they demand a call and leave no tool at the very start, the agent is set up wrongly and
/// the turn ends with an error that says so. If they leave none later, the model is asked without tools, so that
/// it can say its last words and the turn ends.
pub(super) fn begin(mut core: Core, mut before: Vec<Effect>, stamp: Stamp) -> (State, Vec<Effect>) {
    if core.steps_left == 0 {
        return (done(StopReason::MaxSteps), before);
    }
    if compacting::is_due(&core) {
        return compacting::before_step(core, before);
    }
    core.steps_left -= 1;
    core.compactions = 0;
    let allowed = rules::allowed(&core.turn.rules, &core.available(), &core.history);
    if allowed.names.is_empty() && allowed.forced && core.history.is_empty() {
        return (failure::no_tool_to_begin_with(&core), before);
    }
    let mut gated = core.gated();
    gated.retain(|name| allowed.contains(name));
    let step = StepStart {
        id: stamp.step_id,
        model: core.turn.model.clone(),
        context_window: core.turn.context_window,
        started_at: stamp.now,
    };
    before.push(Effect::BeginStep(step.clone()));
    let (started_ns, message_id) = (stamp.monotonic_ns, stamp.answer_id);
    let sampling = Sampling { core, step, started_ns, message_id, allowed, gated };
    before.push(call_model(&sampling));
    (State::Sampling(Box::new(sampling)), before)
}

/// The same step once more, after room was made.
pub(super) fn ask_again(sampling: Sampling) -> (State, Vec<Effect>) {
    let effects = vec![call_model(&sampling)];
    (State::Sampling(Box::new(sampling)), effects)
}

fn call_model(sampling: &Sampling) -> Effect {
    let Sampling { core, allowed, .. } = sampling;
    let parallel = core.turn.parallel_tool_calls && rules::allow_parallel(&core.turn.rules);
    let tool_choice = match allowed.names.as_slice() {
        [] => ToolChoice::None,
        [only] if allowed.forced => ToolChoice::Named(only.clone()),
        _ if allowed.forced => ToolChoice::Required,
        _ => ToolChoice::Auto,
    };
    let request = build(RequestInput {
        model: &core.turn.model,
        options: &core.turn.options,
        context: &core.turn.context,
        override_system: core.turn.override_system.as_deref(),
        skills: &core.turn.client_skills,
        tools: allowed.names.iter().filter_map(|name| core.spec(name).cloned()).collect(),
        tool_choice,
        parallel_tool_calls: parallel,
        context_window: core.turn.context_window,
        stream: core.turn.stream,
    });
    Effect::CallModel(Box::new(CallModel {
        request,
        collector: Collector::new(sampling.message_id.clone(), parallel, sampling.gated.clone()),
        step_id: sampling.step.id.clone(),
    }))
}

/// The model answered.
pub(super) fn answered(mut sampling: Sampling, mut answer: Answer, stamp: Stamp) -> (State, Vec<Effect>) {
    sampling.core.last_total = answer.usage.total_tokens;
    let mut effects = sampling.held_calls(&answer);
    effects.push(Effect::Emit(Box::new(TurnEvent::StepUsage(answer.usage))));
    if answer.calls.is_empty() {
        return spoke(sampling, answer, effects, stamp);
    }
    if answer.calls.iter().any(|call| sampling.waits(&answer, call)) {
        awaiting_approval::pause(sampling, &mut answer, effects, &stamp)
    } else {
        running_tools::begin(sampling, &mut answer, effects, &stamp)
    }
}

/// An answer without calls ends the turn, unless a tool must still be called.
fn spoke(
    sampling: Sampling,
    mut answer: Answer,
    mut effects: Vec<Effect>,
    stamp: Stamp,
) -> (State, Vec<Effect>) {
    let mut messages = Vec::new();
    if !answer.content.is_empty() {
        messages.push(sampling.assistant(&answer, &stamp));
    }
    let required: Vec<String> = sampling.core.still_required().into_iter().map(str::to_owned).collect();
    let goes_on = !required.is_empty() && !sampling.allowed.names.is_empty();
    let stop = match answer.finish {
        Some(FinishReason::Length) => Some(StopReason::MaxTokensExceeded),
        Some(FinishReason::ContentFilter) if answer.content.is_empty() => {
            return failure::withheld(sampling, answer, &stamp);
        }
        _ if goes_on && sampling.core.steps_left == 0 => Some(StopReason::MaxSteps),
        _ if goes_on => None,
        _ => Some(StopReason::EndTurn),
    };
    let step = sampling.open_step(&mut answer);
    let shown = messages.clone();
    if stop.is_none() {
        messages.push(nudge(&sampling.core, &required, &stamp));
    }
    let mut core = sampling.core;
    core.turn.context.extend(messages.iter().cloned());
    let ended = step.end(StepStatus::Success, stop, None, stamp.monotonic_ns);
    effects.push(Effect::Commit(Box::new(Commit { messages, step: Some(ended), ..Commit::default() })));
    for message in shown {
        let streamed = core.turn.stream;
        effects.push(Effect::Emit(Box::new(TurnEvent::Message { message, streamed })));
    }
    match stop {
        Some(stop) => compacting::after_turn(core, effects, stop),
        None => begin(core, effects, stamp),
    }
}

/// Reminds the model of the tools it must call before it may end. It is a plain user message, so that every
/// provider passes it on; watchers are not told of it.
fn nudge(core: &Core, required: &[String], stamp: &Stamp) -> Message {
    let mut row = core.row(stamp.row_id.clone(), Role::User, None, stamp.now);
    let names = required.join(", ");
    row.content = vec![ContentPart::text(format!(
        "{ALERT}This turn cannot end yet: the tool rules ask for a call of {names} first. Call it now.</system-alert>"
    ))];
    row
}
