//! The turn machine: a state and an input give the next state and effects. No I/O, no clock, no randomness.
//!
//! One file per state: [`sampling`] waits for the model, [`running_tools`] for tools, [`awaiting_approval`] is
//! how a turn stops for a person and how the answer takes it up again, [`compacting`] makes room. [`answer`] collects a model's stream.
//! Begin with [`start`] and [`step`].

pub mod answer;
mod awaiting_approval;
mod compacting;
mod core;
mod failure;
mod running_tools;
mod sampling;

use loci_api::{
    chat::{ChatError, ChatRequest},
    ids::{MessageId, StepId},
    resource::StopReason,
    time::Timestamp,
};

use self::answer::Answer;
use crate::ports::{
    Commit, CompactRequest, Compacted, PortError, StepStart, ToolInvocation, ToolOutcome, Turn, TurnEvent,
    TurnOutcome,
};

pub use self::core::{Core, called_in};
pub use compacting::Compacting;
pub use failure::STORAGE;
pub use running_tools::RunningTools;
pub use sampling::Sampling;

/// Where a turn stands.
#[derive(Debug, Clone)]
pub enum State {
    /// The model was asked.
    Sampling(Box<Sampling>),
    /// Tools were started.
    RunningTools(Box<RunningTools>),
    /// Room is being made for the next call.
    Compacting(Compacting),
    /// The end; effects that came with it are still to be carried out.
    Done(TurnOutcome),
}

/// What happened, in answer to the last effect of the step before.
#[derive(Debug, Clone)]
pub enum Input {
    /// The model answered to the end.
    Answered(Answer),
    /// The model did not; what had come in until then.
    ModelFailed { partial: Answer, error: ChatError },
    /// The tools that were started are done.
    ToolsFinished(Vec<Run>),
    /// The run was cancelled before the step began.
    CancelledBeforeStep,
    /// The run was cancelled while the model answered; what had come in until then.
    CancelledWhileSampling { partial: Answer },
    /// The run was cancelled while tools ran.
    CancelledWhileRunning(Vec<Run>),
    /// What came of making room.
    Compacted(Compacted),
    /// The run was cancelled while room was being made.
    CancelledWhileCompacting,
    /// A write failed; effects after it were not carried out.
    WriteFailed(PortError),
}

/// What became of one planned tool run, in the order of [`Effect::RunTools`].
#[derive(Debug, Clone)]
pub enum Run {
    Finished {
        outcome: ToolOutcome,
        /// Nanoseconds.
        took_ns: i64,
    },
    /// Started, but not waited for to its end.
    CutShort,
    NotStarted,
}

/// What the driver is to do, in order. Only the last one of a list may give an [`Input`].
#[derive(Debug, Clone)]
pub enum Effect {
    /// Record that a step is under way; before that, see whether the run was cancelled.
    BeginStep(StepStart),
    /// Ask the model and tell watchers of its answer as it comes.
    CallModel(Box<CallModel>),
    Commit(Box<Commit>),
    Emit(Box<TurnEvent>),
    /// Run these: those marked parallel together first, then the others one after the other.
    RunTools(Vec<ToolRun>),
    /// Make the context shorter.
    Compact(Box<CompactRequest>),
}

/// A model call and what is needed to tell its answer while it comes.
#[derive(Debug, Clone)]
pub struct CallModel {
    pub request: ChatRequest,
    pub collector: answer::Collector,
    pub step_id: StepId,
}

/// One tool to run.
#[derive(Debug, Clone)]
pub struct ToolRun {
    pub invocation: ToolInvocation,
    /// May run beside others.
    pub parallel: bool,
}

/// The outside's part in a transition: time and fresh ids. Ids that are not used are thrown away.
#[derive(Debug, Clone)]
pub struct Stamp {
    pub now: Timestamp,
    /// Nanoseconds of a monotonic clock.
    pub monotonic_ns: i64,
    /// For a step that begins.
    pub step_id: StepId,
    /// For the answer of that step.
    pub answer_id: MessageId,
    /// For one further row.
    pub row_id: MessageId,
}

/// The first transition of a turn.
#[must_use]
pub fn start(turn: Turn, stamp: Stamp) -> (State, Vec<Effect>) {
    if turn.max_steps == 0 {
        return (done(StopReason::EndTurn), Vec::new());
    }
    let core = Core::new(turn);
    match awaiting_approval::answered(&core.turn.context) {
        Some(answer) => awaiting_approval::resume(core, answer, stamp),
        None => sampling::begin(core, Vec::new(), stamp),
    }
}

/// Every further transition.
#[must_use]
pub fn step(state: State, input: Input, stamp: Stamp) -> (State, Vec<Effect>) {
    match (state, input) {
        (state, Input::WriteFailed(error)) => (failure::write_failed(state, &error), Vec::new()),
        (State::Sampling(sampling), Input::Answered(answer)) => sampling::answered(*sampling, answer, stamp),
        (State::Sampling(sampling), Input::ModelFailed { partial, error })
            if compacting::may_retry(&sampling, &partial, &error) =>
        {
            compacting::within_step(*sampling, partial, error)
        }
        (State::Sampling(sampling), Input::ModelFailed { partial, error }) => {
            failure::model_failed(*sampling, partial, error, stamp)
        }
        (State::Sampling(sampling), Input::CancelledWhileSampling { partial }) => {
            failure::cancelled_while_sampling(*sampling, partial, stamp)
        }
        (State::RunningTools(tools), Input::ToolsFinished(runs)) => {
            running_tools::finished(*tools, runs, stamp)
        }
        (State::RunningTools(tools), Input::CancelledWhileRunning(runs)) => {
            running_tools::cancelled(*tools, runs, stamp)
        }
        (State::Compacting(compacting), Input::Compacted(context)) => {
            compacting::compacted(compacting, context, stamp)
        }
        (State::Compacting(compacting), Input::CancelledWhileCompacting) => {
            compacting::cancelled(compacting, stamp)
        }
        (State::Sampling(_), Input::CancelledBeforeStep) => (done(StopReason::Cancelled), Vec::new()),
        (State::Done(outcome), _) => (State::Done(outcome), Vec::new()),
        (state, input) => (failure::out_of_order(&state, &input), Vec::new()),
    }
}

fn done(stop_reason: StopReason) -> State {
    State::Done(TurnOutcome { stop_reason, error: None })
}

#[cfg(test)]
mod tests;
