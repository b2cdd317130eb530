//! Stopping for a person or the client, and going on with the answer. Between the two nothing is kept in memory:
//! the rows say everything.

use loci_api::{
    message::{Approval, Message, Role, ToolCall},
    resource::{StepStatus, StopReason},
};

use super::{
    Effect, Stamp, State,
    answer::Answer,
    core::Core,
    done, failure,
    running_tools::{Origin, Planned, RunningTools, What, decided_call, free_call},
    sampling::Sampling,
};
use crate::{
    arguments, pending,
    ports::{Commit, TurnEvent, TurnOutcome},
    returns, rules,
};

/// At least one call waits: nothing of this answer runs, the calls are written, the turn ends.
pub(super) fn pause(
    sampling: Sampling,
    answer: &mut Answer,
    mut effects: Vec<Effect>,
    stamp: &Stamp,
) -> (State, Vec<Effect>) {
    let (mut waiting, free): (Vec<ToolCall>, Vec<ToolCall>) =
        answer.calls.iter().cloned().partition(|call| sampling.waits(answer, call));
    for call in &mut waiting {
        fill_in(&sampling, answer, call);
    }
    let mut first = sampling.assistant(answer, stamp);
    let messages = if free.is_empty() {
        first.role = Role::Approval;
        first.tool_calls = waiting;
        vec![first]
    } else {
        first.tool_calls = free;
        let mut request = Message { content: Vec::new(), role: Role::Approval, ..first.clone() };
        request.id = first.id.predecessor();
        request.tool_calls = waiting;
        vec![first, request]
    };
    let stop = StopReason::RequiresApproval;
    let step = sampling.open_step(answer).end(StepStatus::Success, Some(stop), None, stamp.monotonic_ns);
    let commit = Commit { messages: messages.clone(), step: Some(step), ..Commit::default() };
    effects.push(Effect::Commit(Box::new(commit)));
    let streamed = sampling.core.turn.stream;
    for message in messages {
        effects.push(Effect::Emit(Box::new(TurnEvent::Message { message, streamed })));
    }
    (done(stop), effects)
}

/// Calls are kept in the model's own words, but with what a tool rule fills in, because that is what will run and
/// what the person decides about.
pub(super) fn fill_in(sampling: &Sampling, answer: &Answer, call: &mut ToolCall) {
    if sampling.allowed.prefilled.contains_key(&call.name)
        && let Ok(given) = sampling.readied(answer, call)
    {
        call.arguments = arguments::write(&given);
    }
}

/// Whether the context ends in an answered request: the place of the request.
pub(super) fn answered(context: &[Message]) -> Option<usize> {
    match context {
        [.., request, response]
            if request.is_approval_request()
                && response.role == Role::Approval
                && !response.is_approval_request() =>
        {
            Some(context.len() - 2)
        }
        _ => None,
    }
}

/// Works the answer off: client returns, denials, approved calls, then the calls that only waited along.
pub(super) fn resume(mut core: Core, request_at: usize, stamp: Stamp) -> (State, Vec<Effect>) {
    core.steps_left = core.steps_left.saturating_sub(1);
    let allowed = rules::allowed(&core.turn.rules, &core.available(), &core.history);
    let request = &core.turn.context[request_at];
    let answers = &core.turn.context[request_at + 1].approvals;
    let call_of = |id: &str| request.tool_calls.iter().find(|call| call.id == id);
    let planned = |call: &ToolCall, origin, what| Planned {
        call_id: call.id.clone(),
        name: call.name.clone(),
        origin,
        what,
    };

    let (mut plan, mut denied, mut approved) = (Vec::new(), Vec::new(), Vec::new());
    for answer in answers {
        let Some(call) = call_of(answer.tool_call_id()) else { continue };
        match answer {
            Approval::Tool(result) => plan.push(planned(call, Origin::Client, What::Settled(result.clone()))),
            Approval::Approval { approve: false, reason, .. } => {
                let text = returns::denial(reason.as_deref());
                let result = returns::refusal(&call.id, text, stamp.now, &core.turn.timezone);
                denied.push(planned(call, Origin::Denied, What::Settled(result)));
            }
            Approval::Approval { approve: true, .. } => {
                approved.push(planned(call, Origin::Approved, decided_call(&core, call, &stamp)));
            }
        }
    }
    plan.append(&mut denied);
    plan.append(&mut approved);
    for call in pending::paired_calls(&core.turn.context, request_at) {
        plan.push(planned(call, Origin::Free, free_call(&core, &allowed, call, &stamp)));
    }
    let step_id = request.step_id.clone().unwrap_or_else(|| stamp.step_id.clone());
    if plan.is_empty() {
        return nothing_to_do(core);
    }
    RunningTools { core, step_id, step: None, plan, invalid: None }.started(Vec::new())
}

/// What was sent along is kept even so.
fn nothing_to_do(core: Core) -> (State, Vec<Effect>) {
    let error =
        failure::invalid_tool_call("The answer names none of the calls that were waiting.".to_owned());
    let outcome = TurnOutcome { stop_reason: StopReason::InvalidToolCall, error: Some(error) };
    let messages = core.turn.follow_ups;
    let effects = if messages.is_empty() {
        Vec::new()
    } else {
        vec![Effect::Commit(Box::new(Commit { messages, ..Commit::default() }))]
    };
    (State::Done(outcome), effects)
}
