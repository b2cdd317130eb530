//! Making room: before a step when the context nears the window, and within one when the provider says it is full.

use loci_api::{
    chat::{ChatError, ChatErrorKind},
    message::Message,
    resource::StopReason,
};

use super::{Effect, Stamp, State, answer::Answer, core::Core, done, failure, sampling, sampling::Sampling};
use crate::{
    compaction,
    ports::{CompactRequest, CompactionTrigger},
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
}

/// The tokens the next call is likely to take: what the last one took, or what the texts look like.
fn estimate(core: &Core) -> u64 {
    compaction::estimate(&core.turn.context).max(core.last_total)
}

/// Whether to make room before the step; once for each.
pub(super) fn is_due(core: &Core) -> bool {
    core.compactions == 0 && estimate(core) > compaction::threshold(core.turn.context_window)
}

/// Makes room before a step.
pub(super) fn before_step(mut core: Core, mut before: Vec<Effect>) -> (State, Vec<Effect>) {
    core.compactions += 1;
    before.push(ask(&core, CompactionTrigger::ContextCheck));
    (State::Compacting(Compacting { next: Next::Begin(Box::new(core)) }), before)
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
    }))
}

/// The context is shorter now, or could not be made so.
pub(super) fn compacted(
    state: Compacting,
    context: Option<Vec<Message>>,
    stamp: Stamp,
) -> (State, Vec<Effect>) {
    match (state.next, context) {
        (Next::Begin(mut core), context) => {
            if let Some(context) = context {
                core.turn.context = context;
                core.last_total = 0;
            }
            sampling::begin(*core, Vec::new(), stamp)
        }
        (Next::Retry { mut sampling, .. }, Some(context)) => {
            sampling.core.turn.context = context;
            sampling.core.last_total = 0;
            sampling::ask_again(*sampling)
        }
        (Next::Retry { sampling, partial, error }, None) => {
            failure::model_failed(*sampling, *partial, error, stamp)
        }
    }
}

/// The run was cancelled meanwhile.
pub(super) fn cancelled(state: Compacting, stamp: Stamp) -> (State, Vec<Effect>) {
    match state.next {
        Next::Begin(_) => (done(StopReason::Cancelled), Vec::new()),
        Next::Retry { sampling, partial, .. } => {
            failure::cancelled_while_sampling(*sampling, *partial, stamp)
        }
    }
}
