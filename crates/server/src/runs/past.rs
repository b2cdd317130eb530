//! Runs that are over, or are watched by somebody who came later: their stream from where it was left, and their
//! result once more.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use loci_api::{
    error::ApiError,
    ids::RunId,
    message::{Message, Role},
    resource::{Run, RunStatus, StopReason, UsageStatistics},
    time::Timestamp,
    wire::View,
};
use loci_engine::ports::TurnError;
use loci_store::{
    Page,
    table::{
        message::{self, MessageFilter},
        run, run_event,
    },
};
use serde_json::Value;

use super::{
    STREAM_LIFE,
    send::{Finished, failed},
};
use crate::{
    App,
    error::Answer,
    stream::{Frame, Mode, Renderer, stored_frames},
};

/// Where a watcher wants to begin.
#[derive(Debug, Clone)]
pub struct Resume {
    /// Events with a greater number are sent.
    pub starting_after: i64,
    pub include_pings: bool,
}

/// The stream of a background run from where a client lost it, and on.
///
/// # Errors
/// 404 for an unknown run, 400 for one that was not in the background, 410 for one too long ago.
pub async fn resume(app: &App, id: &RunId, from: Resume) -> Answer<stream::BoxStream<'static, Bytes>> {
    // Looked at first: a run may end between the two looks, but it is never missed.
    let live = app.runs().live(id);
    let wanted = id.clone();
    let Some(run) = app.store().read(move |conn| run::get(conn, &wanted)).await? else {
        return Err(ApiError::not_found(format!("Run not found with id='{id}'")).into());
    };
    if run.background != Some(true) {
        return Err(ApiError::bad_request(
            "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved.",
        )
        .into());
    }
    if let Some(live) = live {
        return Ok(live.watch(from.starting_after, from.include_pings).boxed());
    }
    let life = i64::try_from(STREAM_LIFE.as_micros()).unwrap_or(i64::MAX);
    if run.created_at.0 < Timestamp::now().0.saturating_sub(life) {
        return Err(ApiError::gone(format!(
            "The stream of run {id} is no longer kept: it began more than 3 hours ago. Its messages are at \
             /v1/runs/{id}/messages."
        ))
        .into());
    }
    Ok(replay(app, &run, from).await?.boxed())
}

/// The stream of a request that was made before: live, as it was written down, or made from what is stored.
pub async fn replay(app: &App, run: &Run, from: Resume) -> Answer<impl Stream<Item = Bytes> + Send + use<>> {
    let id = run.id.clone();
    let written = app.store().read(move |conn| run_event::list_after(conn, &id, 0, u32::MAX)).await?;
    let mut frames: Vec<Frame> = written
        .into_iter()
        .map(|event| Frame { seq: event.seq_id, text: Bytes::from(event.payload) })
        .collect();
    let complete = frames.last().is_some_and(|frame| frame.text.as_ref() == b"data: [DONE]\n\n");
    if frames.is_empty() {
        let result = stored(app, run).await?;
        let mode = Mode { numbered: run.background == Some(true), pings: true, ..Mode::default() };
        let mode = Mode { view: view_of(run), ..mode };
        frames = stored_frames(
            &run.id,
            mode,
            &result.messages,
            result.stop_reason,
            &result.usage,
            error_of(run).as_ref(),
        );
    } else if !complete {
        // The server stopped before it had written the end; the run's row says what became of it.
        let last = frames.last().map_or(0, |frame| frame.seq);
        let stop_reason = run.stop_reason.unwrap_or(StopReason::Error);
        let ended = error_of(run);
        let usage = usage_of(app, run).await?;
        let mut renderer =
            Renderer::resumed(run.id.clone(), Mode { numbered: true, ..Mode::default() }, last);
        let said = frames
            .iter()
            .rev()
            .take(3)
            .any(|frame| contains(&frame.text, br#""message_type":"stop_reason""#));
        if said {
            // Only the very end is missing: clients treat a second reason as noise.
            frames.retain(|frame| !contains(&frame.text, br#""message_type":"stop_reason""#));
        }
        frames.extend(renderer.close(stop_reason, &usage, ended.as_ref()));
    }
    let wanted: Vec<Bytes> = frames
        .into_iter()
        .filter(|frame| {
            frame.seq > from.starting_after && (from.include_pings || !Frame::is_ping(&frame.text))
        })
        .map(|frame| frame.text)
        .collect();
    Ok(stream::iter(wanted))
}

fn contains(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}

/// The result of a run that is over, for an answer in one piece.
///
/// # Errors
/// What it failed with.
pub async fn finished(app: &App, run: &Run) -> Answer<Finished> {
    match error_of(run) {
        Some(error) if run.status == RunStatus::Failed => Err(failed(&error).into()),
        _ => stored(app, run).await,
    }
}

async fn stored(app: &App, run: &Run) -> Answer<Finished> {
    let id = run.id.clone();
    let messages = app
        .store()
        .read(move |conn| {
            let filter = MessageFilter { run_id: Some(id), ..MessageFilter::default() };
            message::list(conn, &filter, &Page::oldest(100_000))
        })
        .await?;
    Ok(Finished {
        messages: messages.into_iter().filter(is_answer).collect(),
        stop_reason: run.stop_reason.unwrap_or(StopReason::Error),
        usage: usage_of(app, run).await?,
    })
}

async fn usage_of(app: &App, run: &Run) -> Answer<UsageStatistics> {
    let id = run.id.clone();
    let mut usage = app.store().read(move |conn| run::usage(conn, &id)).await?;
    usage.run_ids = Some(vec![run.id.clone()]);
    Ok(usage)
}

/// Whether a message of a run is part of its answer rather than of the request.
fn is_answer(message: &Message) -> bool {
    match message.role {
        Role::Assistant | Role::Tool | Role::Summary => true,
        Role::Approval => message.is_approval_request(),
        Role::System | Role::User => false,
    }
}

fn error_of(run: &Run) -> Option<TurnError> {
    let error = run.metadata.as_ref()?.get("error")?;
    let text = |key: &str| error.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(TurnError {
        error_type: text("error_type").unwrap_or_else(|| "internal_error".to_owned()),
        message: text("message").unwrap_or_default(),
        detail: text("detail"),
        chat: None,
    })
}

fn view_of(run: &Run) -> View {
    let types = run
        .request_config
        .as_ref()
        .and_then(|config| config.get("include_return_message_types"))
        .and_then(Value::as_array)
        .map(|types| types.iter().filter_map(Value::as_str).filter_map(|kind| kind.parse().ok()).collect());
    View { types, summaries: false }
}
