//! A request to act, from the moment it was parsed: found to be a repetition, refused, queued or run.

use std::sync::Arc;

use loci_api::{
    error::ApiError,
    ids::RunId,
    message::{Approval, Message},
    parse::SendRequest,
    request::InputMessage,
    resource::{Run, RunStatus, StopReason, UsageStatistics},
    time::Timestamp,
};
use loci_engine::{ports::TurnError, turn::STORAGE};
use loci_store::{Thread, table::run};
use serde_json::json;

use super::{
    STREAM_LIFE,
    execute::{self, Job},
    images,
    live::LiveRun,
    past,
    threads::Busy,
};
use crate::{
    App,
    error::{Answer, Failure, unwritable},
    stream::Mode,
};

/// Which family of routes a request came in by; they differ in what a busy or waiting thread is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Agents,
    Conversations,
}

/// What a request led to.
#[derive(Debug)]
pub enum Answered {
    /// A run that was accepted (or refused, see [`LiveRun::refusal`]) and may still be going on.
    Live(Arc<LiveRun>),
    /// The same request was made before and is done.
    Past(Box<Run>),
}

/// Makes an agent act. Returns once the request is durable: a run row exists, and so do the client's messages
/// unless the run waits for another one. The run goes on whatever becomes of the caller.
///
/// # Errors
/// 409 for a streaming request to a conversation that is busy, all others wait their turn; 400 for images that cannot be had; 503 when shutting down or
/// when too many wait.
pub async fn send(app: &App, thread: Thread, mut request: SendRequest, origin: Origin) -> Answer<Answered> {
    let runs = app.runs();
    if runs.is_closing() {
        return Err(ApiError::unavailable("The server is shutting down.").into());
    }
    images::fetch(app, &mut request.input).await?;
    let mut retry = false;
    if let Some(token) = &request.token {
        match repeated(app, &thread, token).await? {
            Repeated::Live(run) => return Ok(Answered::Live(run)),
            Repeated::Past(run) if run.status == RunStatus::Completed || request.background => {
                return Ok(Answered::Past(run));
            }
            // What failed may be tried again; what the failed run stored is not stored twice.
            Repeated::Past(_) => retry = true,
            Repeated::No => {}
        }
    }
    let hold = match runs.0.threads.try_hold(&thread) {
        Ok(hold) => Some(hold),
        Err(Busy { run: Some(run) }) if origin == Origin::Conversations && request.streaming => {
            return Err(busy(&run));
        }
        Err(Busy { .. }) => None,
    };
    let live = LiveRun::new(
        RunId::new(),
        thread,
        request.background,
        request.token.clone(),
        Mode {
            tokens: request.stream_tokens,
            numbered: request.background,
            pings: (request.streaming || request.background) && request.include_pings,
            view: request.view.clone(),
            client_returns: client_returns(&request.input),
        },
    );
    if let Some(hold) = &hold {
        hold.by(&live.id);
    }
    runs.register(&live);
    if runs.is_closing() {
        // Between the first look and now.
        live.cancel();
    }
    let job = Job { app: app.clone(), live: live.clone(), request, origin, retry };
    runs.0.tasks.spawn(execute::execute(job, hold));
    live.settled().await;
    Ok(Answered::Live(live))
}

fn busy(run: &RunId) -> Failure {
    let mut error = ApiError::conflict(format!(
        "CONFLICT: Cannot send a new message: Another request (run_id={run}) is currently being processed for this \
         conversation. Please wait for it to complete."
    ));
    error.body = json!({"detail": error.message, "run_id": run});
    error.retry_after = Some(1);
    error.into()
}

enum Repeated {
    Live(Arc<LiveRun>),
    Past(Box<Run>),
    No,
}

/// Whether this very request was made on this thread in the last hours.
async fn repeated(app: &App, thread: &Thread, token: &str) -> Answer<Repeated> {
    if let Some(run) = app.runs().by_token(thread, token) {
        return Ok(Repeated::Live(run));
    }
    let life = i64::try_from(STREAM_LIFE.as_micros()).unwrap_or(i64::MAX);
    let since = Timestamp(Timestamp::now().0 - life);
    let (on, token) = (thread.clone(), token.to_owned());
    let known = app.store().read(move |conn| run::find_by_token(conn, &on, &token, since)).await?;
    Ok(match known {
        Some(run) if !run.status.is_active() => Repeated::Past(Box::new(run)),
        // An active run that is not live ends within moments; treat it as one that failed.
        Some(_) | None => Repeated::No,
    })
}

fn client_returns(input: &[InputMessage]) -> std::collections::HashSet<String> {
    input
        .iter()
        .flat_map(|item| match item {
            InputMessage::Approval { approvals, .. } => approvals.as_slice(),
            InputMessage::Message { .. } => &[],
        })
        .filter_map(|answer| match answer {
            Approval::Tool(result) => Some(result.tool_call_id.clone()),
            Approval::Approval { .. } => None,
        })
        .collect()
}

/// What came of a run, for an answer in one piece.
#[derive(Debug)]
pub struct Finished {
    pub messages: Vec<Message>,
    pub stop_reason: StopReason,
    pub usage: UsageStatistics,
}

impl Answered {
    /// Waits for the end.
    ///
    /// # Errors
    /// What the run was refused for, or what it failed with.
    pub async fn finished(self, app: &App) -> Answer<Finished> {
        match self {
            Self::Live(live) => {
                live.ended().await;
                if let Some(refusal) = live.refusal() {
                    return Err(refusal.into());
                }
                let Some(ending) = live.ending() else {
                    return Err(anyhow::anyhow!("run {} ended without an ending", live.id).into());
                };
                match &ending.error {
                    Some(error) => Err(failed(error).into()),
                    None => Ok(Finished {
                        messages: live.messages(),
                        stop_reason: ending.stop_reason,
                        usage: ending.usage,
                    }),
                }
            }
            Self::Past(run) => past::finished(app, &run).await,
        }
    }
}

/// The HTTP error of a failed run. The request is stored, so repeating it is the client's decision.
#[must_use]
pub fn failed(error: &TurnError) -> ApiError {
    if let Some(chat) = &error.chat {
        return ApiError::from(chat);
    }
    let status = match error.error_type.as_str() {
        STORAGE => return unwritable(&error.message),
        "internal_error" => return ApiError { should_retry: Some(false), ..ApiError::internal() },
        "context_window_overflow_in_system_prompt" => 400,
        _ => 500,
    };
    ApiError {
        status,
        message: error.message.clone(),
        body: json!({"error": {"type": error.error_type, "message": error.message, "detail": error.detail}}),
        retry_after: None,
        should_retry: Some(false),
    }
}
