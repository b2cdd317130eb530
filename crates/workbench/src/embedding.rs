//! `/workbench/embedding`: which embedder each archive has, how far its vectors are, and why one does not answer.

use axum::{
    Json as Answer, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::ids::ArchiveId;
use loci_server::{
    embedding::{self, ArchiveStatus},
    error::Failure,
};
use serde::Deserialize;

use crate::{Desk, extract::Json};

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/embedding", get(show).put(choose)).route("/embedding/retry", post(retry))
}

async fn show(State(desk): State<Desk>) -> Result<Answer<Vec<ArchiveStatus>>, Failure> {
    Ok(Answer(embedding::status(desk.app()).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    /// Left out: all archives.
    #[serde(default)]
    archive_id: Option<ArchiveId>,
    /// `provider/model`; null: full text only.
    handle: Option<String>,
}

async fn choose(
    State(desk): State<Desk>,
    Json(choice): Json<Choice>,
) -> Result<Answer<Vec<ArchiveStatus>>, Failure> {
    embedding::choose(desk.app(), choice.archive_id, choice.handle.as_deref()).await?;
    show(State(desk)).await
}

/// Tries everything again that did not work.
async fn retry(State(desk): State<Desk>) -> Result<Answer<Vec<ArchiveStatus>>, Failure> {
    embedding::retry(desk.app()).await?;
    show(State(desk)).await
}
