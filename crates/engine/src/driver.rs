//! Runs a turn: feeds the machine and carries out its effects.

use std::pin::{Pin, pin};

use futures::{FutureExt, StreamExt, stream::FuturesUnordered};
use loci_api::resource::StopReason;

use crate::{
    ports::{Ports, Turn, TurnError, TurnEvent, TurnOutcome},
    turn::{self, CallModel, Effect, Input, Run, Stamp, State, ToolRun, answer},
};

/// Runs one request's turn to its end. Everything it did is written when it returns.
///
/// Dropping the future stops the turn where it is, as the end of the program would; to end it properly, let
/// [`Ports::cancelled`] resolve.
pub async fn drive<P: Ports>(turn: Turn, ports: &P) -> TurnOutcome {
    let streamed = turn.stream;
    let (mut state, mut effects) = turn::start(turn, stamp(ports));
    loop {
        let input = carry_out(effects, ports, streamed).await;
        match (state, input) {
            (State::Done(outcome), None) => return outcome,
            (State::Sampling(_) | State::RunningTools(_) | State::Compacting(_), None) => return stuck(),
            (waiting, Some(input)) => (state, effects) = turn::step(waiting, input, stamp(ports)),
        }
    }
}

fn stamp<P: Ports>(ports: &P) -> Stamp {
    Stamp {
        now: ports.now(),
        monotonic_ns: ports.monotonic_ns(),
        step_id: ports.new_step_id(),
        answer_id: ports.new_message_id(),
        row_id: ports.new_message_id(),
    }
}

/// Every state but the last comes with an effect that gives an input; this is a fault of the machine.
fn stuck() -> TurnOutcome {
    tracing::error!("the turn waits for nothing");
    TurnOutcome {
        stop_reason: StopReason::Error,
        error: Some(TurnError {
            error_type: "internal_error".to_owned(),
            message: "An unknown error occurred with the LLM streaming request.".to_owned(),
            detail: Some("The turn waits for nothing.".to_owned()),
            chat: None,
        }),
    }
}

/// Carries effects out in order. The first that gives an input ends the list; a failed write gives one.
async fn carry_out<P: Ports>(effects: Vec<Effect>, ports: &P, streamed: bool) -> Option<Input> {
    for effect in effects {
        match effect {
            Effect::BeginStep(step) => {
                if ports.cancelled().now_or_never().is_some() {
                    return Some(Input::CancelledBeforeStep);
                }
                if let Err(error) = ports.begin_step(&step).await {
                    return Some(Input::WriteFailed(error));
                }
            }
            Effect::Commit(commit) => {
                if let Err(error) = ports.commit(*commit).await {
                    return Some(Input::WriteFailed(error));
                }
            }
            Effect::Emit(event) => ports.emit(*event),
            Effect::CallModel(call) => return Some(call_model(*call, ports, streamed).await),
            Effect::RunTools(tools) => return Some(run_tools(tools, ports).await),
            Effect::Compact(request) => {
                let cancelled = pin!(ports.cancelled());
                return Some(match unless_cancelled(cancelled, ports.compact(*request)).await {
                    None => Input::CancelledWhileCompacting,
                    Some(Ok(compacted)) => Input::Compacted(compacted),
                    Some(Err(error)) => Input::WriteFailed(error),
                });
            }
        }
    }
    None
}

/// Asks the model and tells watchers of its answer while it comes.
async fn call_model<P: Ports>(call: CallModel, ports: &P, streamed: bool) -> Input {
    let CallModel { request, mut collector, step_id } = call;
    let begun = ports.monotonic_ns();
    let mut first_at = None;
    let tell = |piece: answer::Piece| {
        if streamed {
            let answer::Piece { message_id, index, delta } = piece;
            ports.emit(TurnEvent::Delta { message_id, step_id: step_id.clone(), index, delta });
        }
    };
    let mut events = ports.chat(request);
    let mut cancelled = pin!(ports.cancelled());
    let mut failure = None;
    loop {
        let event = tokio::select! {
            biased;
            () = cancelled.as_mut() => {
                let mut partial = collector.answer();
                (partial.ttft_ns, partial.took_ns) = (first_at, ports.monotonic_ns() - begun);
                return Input::CancelledWhileSampling { partial };
            }
            event = events.next() => event,
        };
        match event {
            Some(Ok(event)) => {
                first_at.get_or_insert_with(|| ports.monotonic_ns() - begun);
                collector.push(event).into_iter().for_each(&tell);
            }
            Some(Err(error)) => {
                failure = Some(error);
                break;
            }
            None => break,
        }
    }
    let took_ns = ports.monotonic_ns() - begun;
    let mut answer = collector.answer();
    (answer.ttft_ns, answer.took_ns) = (first_at, took_ns);
    match failure {
        None if answer.finish.is_none() => {
            Input::ModelFailed { partial: answer, error: answer::incomplete() }
        }
        Some(error) if answer.finish.is_none() => Input::ModelFailed { partial: answer, error },
        late => {
            if let Some(error) = late {
                tracing::warn!(%error, "the model's stream failed after the answer was complete");
            }
            Input::Answered(answer)
        }
    }
}

/// Runs tools: those that may run beside others together first, then the rest in order.
async fn run_tools<P: Ports>(tools: Vec<ToolRun>, ports: &P) -> Input {
    let mut runs = vec![Run::NotStarted; tools.len()];
    let mut cancelled = pin!(ports.cancelled());
    let mut together = FuturesUnordered::new();
    let mut in_order = Vec::new();
    for (at, tool) in tools.into_iter().enumerate() {
        if tool.parallel {
            runs[at] = Run::CutShort;
            together.push(timed(at, tool, ports));
        } else {
            in_order.push((at, tool));
        }
    }
    while !together.is_empty() {
        match unless_cancelled(cancelled.as_mut(), together.next()).await {
            None => return Input::CancelledWhileRunning(runs),
            Some(Some((at, run))) => runs[at] = run,
            Some(None) => break,
        }
    }
    for (at, tool) in in_order {
        // Marked before it starts: from then on it may have had effects.
        let before = std::mem::replace(&mut runs[at], Run::CutShort);
        if cancelled.as_mut().now_or_never().is_some() {
            runs[at] = before;
            return Input::CancelledWhileRunning(runs);
        }
        match unless_cancelled(cancelled.as_mut(), timed(at, tool, ports)).await {
            None => return Input::CancelledWhileRunning(runs),
            Some((at, run)) => runs[at] = run,
        }
    }
    Input::ToolsFinished(runs)
}

async fn timed<P: Ports>(at: usize, tool: ToolRun, ports: &P) -> (usize, Run) {
    let begun = ports.monotonic_ns();
    let outcome = ports.run_tool(tool.invocation).await;
    (at, Run::Finished { outcome, took_ns: ports.monotonic_ns() - begun })
}

/// What `work` gives, or `None` if the run is cancelled first.
async fn unless_cancelled<T>(
    cancelled: Pin<&mut impl Future<Output = ()>>,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        () = cancelled => None,
        done = work => Some(done),
    }
}

#[cfg(test)]
mod tests;
