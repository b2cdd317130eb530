//! `POST /workbench/tools/run`: tries a tool out and tells of it while it goes on.
//!
//! The body is `{source_code, source_type?, name?, args?, tool_id?, agent_id?, env_vars?, pip_requirements?,
//! npm_requirements?, network?, timeout_seconds?, memory_mb?}`. `tool_id`, of the server's or one of
//! `own-tools`, gives it the secrets of the stored tool and lists the trial with it; network and limits are always those of the request.
//!
//! The answer is an event stream. Each `data:` is a JSON object with a `type`:
//!
//! | `type` | besides |
//! |---|---|
//! | `installing` | `packages`: packages that are not there yet are being installed |
//! | `install_line` | `line` of the installer's |
//! | `installed` | – |
//! | `stdout`, `stderr` | `text`, in pieces as it comes |
//! | `result` | `status` (`success` or `error`), `value`, `stdout[]`, `stderr[]`, `changed_blocks`, `confinement` `{landlock, seccomp, network_granted, network_blocked, signals_scoped, processes, memory_bytes, root, gaps[]}`, `duration_ms`; always the last |
//!
//! Closing the stream stops the tool.

use std::convert::Infallible;

use axum::{
    Json as Answer,
    extract::State,
    response::sse::{self, KeepAlive, Sse},
};
use futures::{Stream, StreamExt};
use loci_api::{ids::ToolId, time::Timestamp};
use loci_server::{
    Trial,
    error::Failure,
    extract::{Params, Segments},
    tools, try_tool,
};
use loci_store::table::tool_test_run::{self, ToolTestRun, Tried};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio_stream::wrappers::ReceiverStream;

use crate::{Desk, extract::Json};

pub(super) async fn run(
    State(desk): State<Desk>,
    Json(trial): Json<Trial>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Failure> {
    let events = try_tool(desk.app(), trial).await?;
    let frames = ReceiverStream::new(events)
        .filter_map(async |event| sse::Event::default().json_data(&event).ok().map(Ok));
    Ok(Sse::new(frames).keep_alive(KeepAlive::default()))
}

/// A trial as the list shows it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    name: Option<String>,
    arguments: Map<String, Value>,
    status: &'static str,
    /// Cut.
    result: String,
    confinement: Value,
    duration_ms: i64,
    at: Timestamp,
}

impl From<ToolTestRun> for Shown {
    fn from(run: ToolTestRun) -> Self {
        let ToolTestRun { name, arguments, success, result, confinement, duration_ms, at, tried: _ } = run;
        let status = if success { "success" } else { "error" };
        Self { name, arguments, status, result, confinement, duration_ms, at }
    }
}

/// Newest first; `new` stands for source that was not stored.
pub(super) async fn list(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
    params: Params,
) -> Result<Answer<Vec<Shown>>, Failure> {
    if id == "new" {
        return listed(&desk, Tried::New, &params).await;
    }
    let id: ToolId = id.parse()?;
    let of = id.clone();
    desk.app().store().try_read(move |conn| tools::require(conn, &of)).await?;
    listed(&desk, Tried::Tool(id), &params).await
}

/// The newest `limit` trials.
pub(crate) async fn listed(
    desk: &Desk,
    tried: Tried,
    params: &Params,
) -> Result<Answer<Vec<Shown>>, Failure> {
    let limit = params.integer("limit", 1, 100)?.unwrap_or(20);
    let limit = u32::try_from(limit).unwrap_or(100);
    let runs = desk.app().store().read(move |conn| tool_test_run::list(conn, &tried, limit)).await?;
    Ok(Answer(runs.into_iter().map(Shown::from).collect()))
}

/// What this machine can run tools with.
pub(super) async fn interpreters(State(desk): State<Desk>) -> Answer<Value> {
    Answer(loci_server::interpreters(desk.app()).await)
}
