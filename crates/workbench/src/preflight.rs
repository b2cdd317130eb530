//! `/workbench/preflight`: trying out a model when somebody asks, and the score cards of earlier trials.

use axum::{
    Json as Answer, Router,
    extract::{Path, Query, State},
    routing::{get, post},
};
use loci_api::ids::ScoreCardId;
use loci_server::{
    error::Failure,
    preflight::{self, CheckName, DEFAULT_CONTEXT, Estimate, Plan, Report, report},
};
use serde::Deserialize;

use crate::{Desk, extract::Json};

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/preflight", get(list).post(start))
        .route("/preflight/estimate", get(estimate))
        .route("/preflight/{id}", get(show).delete(remove))
        .route("/preflight/{id}/cancel", post(cancel))
}

#[derive(Deserialize)]
struct Wanted {
    /// A handle; left out, the newest card of every model.
    model: Option<String>,
}

async fn list(
    State(desk): State<Desk>,
    Query(wanted): Query<Wanted>,
) -> Result<Answer<Vec<Report>>, Failure> {
    let cards = preflight::list(desk.app(), wanted.model).await?;
    Ok(Answer(cards.into_iter().map(|card| report(desk.app(), card)).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    /// A handle, `provider/model`.
    model: String,
    /// How far the context is searched; more costs more.
    #[serde(default)]
    context_tokens: Option<u32>,
    /// Only these; left out, all.
    #[serde(default)]
    checks: Vec<CheckName>,
}

#[derive(Deserialize)]
struct Asked {
    /// A handle.
    model: String,
    context_tokens: Option<u32>,
}

/// What a trial would take; nothing is asked.
async fn estimate(State(desk): State<Desk>, Query(asked): Query<Asked>) -> Result<Answer<Estimate>, Failure> {
    let plan = Plan {
        handle: asked.model,
        context_tokens: asked.context_tokens.unwrap_or(DEFAULT_CONTEXT),
        checks: Vec::new(),
    };
    Ok(Answer(preflight::estimate(desk.app(), &plan).await?))
}

async fn start(State(desk): State<Desk>, Json(start): Json<Start>) -> Result<Answer<Report>, Failure> {
    let plan = Plan {
        handle: start.model,
        context_tokens: start.context_tokens.unwrap_or(DEFAULT_CONTEXT),
        checks: start.checks,
    };
    Ok(Answer(report(desk.app(), preflight::start(desk.app(), plan).await?)))
}

async fn show(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Report>, Failure> {
    let id: ScoreCardId = id.parse()?;
    Ok(Answer(report(desk.app(), preflight::card(desk.app(), &id).await?)))
}

async fn cancel(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Report>, Failure> {
    let id: ScoreCardId = id.parse()?;
    Ok(Answer(report(desk.app(), preflight::cancel(desk.app(), &id).await?)))
}

async fn remove(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Answer<serde_json::Value>, Failure> {
    let id: ScoreCardId = id.parse()?;
    preflight::delete(desk.app(), &id).await?;
    Ok(Answer(serde_json::json!({"deleted": id})))
}
