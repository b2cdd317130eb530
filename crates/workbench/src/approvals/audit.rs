//! `GET /workbench/audit`: the log of decisions, as a page or, with `format=jsonl`, whole as JSON lines.

use axum::{
    Json as Answer,
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use loci_server::error::Failure;
use loci_store::{StoreError, table::approval_audit};
use serde::Deserialize;

use crate::Desk;

const PAGE: u32 = 500;

#[derive(Deserialize)]
pub(super) struct Which {
    /// The sequence after which to begin.
    #[serde(default)]
    after: i64,
    #[serde(default)]
    limit: Option<u32>,
    #[serde(default)]
    format: Option<String>,
}

pub(super) async fn list(State(desk): State<Desk>, Query(which): Query<Which>) -> Result<Response, Failure> {
    if which.format.as_deref() == Some("jsonl") {
        return Ok(([(header::CONTENT_TYPE, "application/jsonl")], export(desk, which.after)).into_response());
    }
    let limit = which.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let entries = desk.app().store().read(move |conn| approval_audit::list(conn, which.after, limit)).await?;
    Ok(Answer(entries).into_response())
}

/// Page by page, so that the log may be of any length.
fn export(desk: Desk, after: i64) -> Body {
    let pages = stream::try_unfold(Some(after), move |after| {
        let desk = desk.clone();
        async move {
            let Some(after) = after else { return Ok::<_, StoreError>(None) };
            let entries =
                desk.app().store().read(move |conn| approval_audit::list(conn, after, PAGE)).await?;
            let next = entries.last().map(|entry| entry.sequence);
            if next.is_none() {
                return Ok(None);
            }
            let mut lines = String::new();
            for entry in &entries {
                lines.push_str(&serde_json::to_string(entry)?);
                lines.push('\n');
            }
            Ok(Some((lines, next)))
        }
    });
    Body::from_stream(pages)
}
