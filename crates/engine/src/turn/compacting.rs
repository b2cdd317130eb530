//! Making room: before a step when the context nears the window, within one when the provider says it is full, and
//! behind the last one, so that the next message need not wait for it.

use loci_api::{
    chat::{ChatError, ChatErrorKind},
    message::{Message, Role},
    resource::StopReason,
};

use super::{Effect, Stamp, State, answer::Answer, core::Core, done, failure, sampling, sampling::Sampling};
use crate::{
    compaction::{self, Own},
    ports::{CompactRequest, Compacted, CompactionTrigger, TurnOutcome},
};

/// How often one step may make room before its error counts.
const MOST: u32 = 3;

/// The context is being compacted.
#[derive(Debug, Clone)]
pub struct Compacting {
    pub next: Next,
}

/// What the room is made for.
#[derive(Debug, Clone)]
pub enum Next {
    /// A step that has not begun.
    Begin(Box<Core>),
    /// The same step again, which failed with this.
    Retry { sampling: Box<Sampling>, partial: Box<Answer>, error: ChatError },
    /// The next turn: this one is over, whatever comes of the compaction.
    End(TurnOutcome),
}

/// The tokens the next call is likely to take: what the last one took and what came since, or what the texts look
/// like.
fn estimate(core: &Core) -> u64 {
    let context = &core.turn.context;
    let looks = compaction::estimate(context) + core.tool_tokens;
    if core.last_total == 0 {
        return looks;
    }
    let spoke = |message: &Message| message.role == Role::Assistant || message.is_approval_request();
    let since = context.iter().rposition(spoke).map_or(0, |at| at + 1);
    looks.max(core.last_total + compaction::estimate(&context[since..]))
}

/// Whether to make room now; once for each step, and not again in a turn in which it failed.
pub(super) fn is_due(core: &Core) -> bool {
    core.compactions == 0
        && !core.cannot_compact
        && compaction::is_due(estimate(core), &core.turn.context, core.turn.context_window)
}

/// Makes room before a step.
pub(super) fn before_step(mut core: Core, mut before: Vec<Effect>) -> (State, Vec<Effect>) {
    core.compactions += 1;
    before.push(ask(&core, CompactionTrigger::ContextCheck));
    (State::Compacting(Compacting { next: Next::Begin(Box::new(core)) }), before)
}

/// Ends the turn, and makes room for the next one if it needs it.
pub(super) fn after_turn(core: Core, mut effects: Vec<Effect>, stop: StopReason) -> (State, Vec<Effect>) {
    if !is_due(&core) {
        return (done(stop), effects);
    }
    effects.push(ask(&core, CompactionTrigger::ContextCheck));
    let outcome = TurnOutcome { stop_reason: stop, error: None };
    (State::Compacting(Compacting { next: Next::End(outcome) }), effects)
}

/// Whether a failed call can be repeated with a shorter context.
pub(super) fn may_retry(sampling: &Sampling, partial: &Answer, error: &ChatError) -> bool {
    error.kind == ChatErrorKind::ContextWindowExceeded
        && sampling.core.compactions < MOST
        && partial.content.is_empty()
        && partial.calls.is_empty()
}

/// Makes room within a step.
pub(super) fn within_step(mut sampling: Sampling, partial: Answer, error: ChatError) -> (State, Vec<Effect>) {
    sampling.core.compactions += 1;
    let effect = ask(&sampling.core, CompactionTrigger::ContextWindowExceeded);
    let next = Next::Retry { sampling: Box::new(sampling), partial: Box::new(partial), error };
    (State::Compacting(Compacting { next }), vec![effect])
}

fn ask(core: &Core, trigger: CompactionTrigger) -> Effect {
    Effect::Compact(Box::new(CompactRequest {
        context: core.turn.context.clone(),
        trigger,
        context_token_estimate: estimate(core),
        context_window: core.turn.context_window,
        own: Own {
            model: core.turn.model.clone(),
            options: core.turn.options.clone(),
            tools: core.specs(),
            override_system: core.turn.override_system.clone(),
            skills: core.turn.client_skills.clone(),
        },
    }))
}

/// The context is shorter now, or could not be made so.
pub(super) fn compacted(state: Compacting, compacted: Compacted, stamp: Stamp) -> (State, Vec<Effect>) {
    match (state.next, compacted) {
        (Next::Begin(mut core), compacted) => {
            match compacted {
                Compacted::Context(context) => {
                    core.turn.context = context;
                    core.last_total = 0;
                }
                Compacted::Kept(_) => core.cannot_compact = true,
            }
            if failure::system_prompt_alone_is_too_long(&core) {
                return (failure::system_prompt_too_long(), Vec::new());
            }
            sampling::begin(*core, Vec::new(), stamp)
        }
        (Next::Retry { mut sampling, .. }, Compacted::Context(context)) => {
            sampling.core.turn.context = context;
            sampling.core.last_total = 0;
            sampling::ask_again(*sampling)
        }
        (Next::Retry { sampling, partial, mut error }, Compacted::Kept(why)) => {
            error.message = format!("{} {why}", error.message);
            failure::model_failed(*sampling, *partial, error, stamp)
        }
        (Next::End(outcome), _) => (State::Done(outcome), Vec::new()),
    }
}

/// The run was cancelled meanwhile.
pub(super) fn cancelled(state: Compacting, stamp: Stamp) -> (State, Vec<Effect>) {
    match state.next {
        Next::Begin(_) => (done(StopReason::Cancelled), Vec::new()),
        Next::Retry { sampling, partial, .. } => {
            failure::cancelled_while_sampling(*sampling, *partial, stamp)
        }
        // All it did is written.
        Next::End(outcome) => (State::Done(outcome), Vec::new()),
    }
}
