//! One run from its turn in the queue to its last event.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt as _;
use loci_api::{
    error::ApiError,
    parse::SendRequest,
    resource::{RunStatus, StopReason},
    time::Timestamp,
};
use loci_engine::{
    driver,
    input::AcceptedKind,
    ports::{TurnError, TurnOutcome},
};
use loci_store::table::{
    agent, conversation,
    run::{self, RunEnd},
    run_event::{self, RunEvent},
};
use serde_json::json;

use super::{
    accept::{self, Order, Refused, run_row},
    callback,
    live::LiveRun,
    send::Origin,
    threads::Hold,
    turn, upkeep,
};
use crate::{App, error::Failure, ports::RunPorts};

/// How long written-down events of a background run may be gathered before the next write.
const BATCH: std::time::Duration = std::time::Duration::from_millis(15);

/// A request that was taken in hand.
pub struct Job {
    pub app: App,
    pub live: Arc<LiveRun>,
    pub request: SendRequest,
    pub origin: Origin,
    /// The same request failed before.
    pub retry: bool,
}

/// Runs a request to its end. Whatever happens, watchers are told that it ended and the thread is given back.
pub async fn execute(job: Job, hold: Option<Hold>) {
    let (app, live) = (job.app.clone(), job.live.clone());
    let scribe = live.background.then(|| tokio::spawn(write_down(app.clone(), live.clone())));
    let ended = AssertUnwindSafe(attempt(job, hold)).catch_unwind().await;
    if let Err(panic) = ended {
        let what = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        tracing::error!(run = %live.id, panic = what.unwrap_or("?"), "a run panicked");
        let error = internal("the run panicked");
        record_end(&app, &live, StopReason::Error, Some(&error)).await;
        live.close(StopReason::Error, Some(error));
    }
    if let Some(scribe) = scribe
        && let Err(error) = scribe.await
    {
        tracing::error!(run = %live.id, %error, "writing down a run's events failed");
    }
    live.end();
    app.runs().unregister(&live.id);
    upkeep::begin(&app);
}

async fn attempt(job: Job, hold: Option<Hold>) {
    let Job { app, live, request, origin, retry } = job;
    let queued = hold.is_none();
    let hold = match hold {
        Some(hold) => hold,
        None => match wait_for_turn(&app, &live, &request).await {
            Ok(Some(hold)) => hold,
            Ok(None) => {
                record_end(&app, &live, StopReason::Cancelled, None).await;
                live.close(StopReason::Cancelled, None);
                return;
            }
            Err(failure) => return refuse(&app, &live, &request, queued, failure.0).await,
        },
    };
    let facts = match turn::facts(&app, &live.thread, request.override_model.as_deref()).await {
        Ok(facts) => Arc::new(facts.of_request(&request)),
        Err(failure) => return refuse(&app, &live, &request, queued, failure.0).await,
    };
    let order = Order { app: &app, live: &live, request: &request, facts: &facts, queued, retry };
    let start = match accept::accept(order).await {
        Ok(start) => start,
        Err(refused) => {
            let error = match refused {
                Refused::Thread(refusal) => accept::refusal(&refusal, origin),
                Refused::Other(Failure(error)) => error,
            };
            return refuse(&app, &live, &request, queued, error).await;
        }
    };
    live.settle();
    let outcome = if request.max_steps == 0 {
        app.runs().0.threads.keep_context(&live.thread, start.context);
        TurnOutcome { stop_reason: StopReason::EndTurn, error: None }
    } else {
        let retold = start.kind == AcceptedKind::AlreadyAnswered;
        tracing::debug!(run = %live.id, retold, "a run begins");
        let ports = RunPorts::new(app.clone(), live.clone(), facts.clone(), start.context.clone());
        let outcome = driver::drive(turn::turn(&live, &request, &facts, start), &ports).await;
        if let Some(context) = ports.into_context() {
            app.runs().0.threads.keep_context(&live.thread, context);
        }
        outcome
    };
    record_end(&app, &live, outcome.stop_reason, outcome.error.as_ref()).await;
    // Given back before anyone is told: whoever hears of the end may send at once.
    drop(hold);
    live.close(outcome.stop_reason, outcome.error);
    if request.callback_url.is_some() {
        let runs = app.runs().clone();
        runs.0.tasks.spawn(callback::report(app, live.id.clone()));
    }
}

/// The thread, once it is this run's turn; `None` if it was cancelled before. The run's row exists meanwhile.
async fn wait_for_turn(app: &App, live: &LiveRun, request: &SendRequest) -> Result<Option<Hold>, Failure> {
    let row = run_row(live, request, RunStatus::Created, Timestamp::now());
    let token = request.token.clone();
    app.store().write(move |tx| run::insert(tx, &row, token.as_deref())).await?;
    live.settle();
    tokio::select! {
        biased;
        () = live.cancelled.cancelled() => Ok(None),
        hold = app.runs().0.threads.hold(&live.thread) => match hold {
            Ok(hold) => {
                hold.by(&live.id);
                Ok(Some(hold))
            }
            Err(crowd) => Err(ApiError::unavailable(crowd.to_string()).into()),
        },
    }
}

/// Ends a run that was not accepted. Where somebody may look for its row, there is one.
async fn refuse(app: &App, live: &LiveRun, request: &SendRequest, queued: bool, refusal: ApiError) {
    let error = TurnError {
        error_type: refusal_type(&refusal).to_owned(),
        message: refusal.message.clone(),
        detail: Some(refusal.message.clone()),
        chat: None,
    };
    if !queued && (request.streaming || request.background) {
        let row = run_row(live, request, RunStatus::Created, Timestamp::now());
        // Without the token: the same request may well be accepted next time.
        let written = app.store().write(move |tx| run::insert(tx, &row, None)).await;
        if let Err(error) = written {
            // The agent may be gone; the client is told why in any case.
            tracing::debug!(run = %live.id, %error, "a refused run was not recorded");
        }
    }
    record_end(app, live, StopReason::Error, Some(&error)).await;
    live.refuse(refusal);
    live.close(StopReason::Error, Some(error));
}

fn refusal_type(refusal: &ApiError) -> &'static str {
    match (refusal.status, refusal.message.starts_with("NOT_FOUND: Handle")) {
        (404, true) => "llm_not_found",
        _ => "internal_error",
    }
}

fn internal(detail: &str) -> TurnError {
    TurnError {
        error_type: "internal_error".to_owned(),
        message: "An unknown error occurred with the LLM streaming request.".to_owned(),
        detail: Some(detail.to_owned()),
        chat: None,
    }
}

fn nanos(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Writes how a run ended, where its row exists and has not ended yet.
async fn record_end(app: &App, live: &LiveRun, stop_reason: StopReason, error: Option<&TurnError>) {
    let now = Timestamp::now();
    let took = live.started.elapsed();
    let end = RunEnd {
        stop_reason,
        error: error.map(|error| {
            json!({
                "error_type": error.error_type,
                "message": error.message,
                "detail": error.detail,
                "run_id": live.id,
            })
        }),
        completed_at: now,
        ttft_ns: live.first_event().map(nanos),
        total_duration_ns: Some(nanos(took)),
    };
    let (id, thread) = (live.id.clone(), live.thread.clone());
    let millis = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    let written = app
        .store()
        .write(move |tx| {
            if run::finish(tx, &id, &end)? {
                agent::record_run(tx, &thread.agent_id, now, millis, Some(stop_reason))?;
                if let Some(conversation) = &thread.conversation_id {
                    conversation::record_run(tx, conversation, now)?;
                }
            }
            Ok(())
        })
        .await;
    if let Err(error) = written {
        tracing::error!(run = %live.id, %error, "the end of a run was not written");
    }
}

/// Writes a background run's events down and shows them, until it has ended: what a watcher has seen is there
/// after a restart.
async fn write_down(app: App, live: Arc<LiveRun>) {
    // Events refer to the run's row.
    live.settled_or_closed().await;
    loop {
        let frames = live.take_unsaved().await;
        if frames.is_empty() {
            return;
        }
        let events: Vec<RunEvent> = frames
            .iter()
            .map(|frame| RunEvent {
                seq_id: frame.seq,
                payload: String::from_utf8_lossy(&frame.text).into_owned(),
            })
            .collect();
        let id = live.id.clone();
        let written =
            app.store().write(move |tx| run_event::append(tx, &id, &events, Timestamp::now())).await;
        if let Err(error) = written {
            tracing::error!(run = %live.id, %error, "events of a background run were not written down");
        }
        live.publish(frames);
        tokio::select! {
            () = tokio::time::sleep(BATCH) => {}
            () = live.closed() => {}
        }
    }
}
