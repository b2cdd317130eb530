//! Runs: list, show, delete, resume the stream, and what each produced.

use axum::{
    Json, Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, RunId},
    parse::ResumeRequest,
    resource::{Run, RunStatus, Step, StopReason},
    wire::{LettaMessage, View},
};
use loci_store::{
    Page,
    table::{
        message::MessageFilter,
        run::{self, RunFilter},
        step::{self, StepFilter},
    },
};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError};
use serde_json::{Value, json};

use super::messages::listed;
use crate::{
    App,
    error::Answer,
    extract::{MaybeBody, Params, Segments},
    page::{Defaults, page},
    runs::{self, Resume},
    stream,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/runs", get(list))
        .route("/runs/{run_id}", get(retrieve).delete(delete))
        .route("/runs/{run_id}/stream", post(resume))
        .route("/runs/{run_id}/messages", get(messages))
        .route("/runs/{run_id}/steps", get(steps))
        .route("/runs/{run_id}/usage", get(usage))
        .route("/runs/{run_id}/metrics", get(metrics))
        .route("/runs/{run_id}/trace", get(trace))
}

/// A run's id; unlike others, a malformed one is 400.
pub(super) fn run_id(text: &str) -> Answer<RunId> {
    Ok(text.parse::<RunId>().map_err(|error| ApiError::bad_request(error.to_string()))?)
}

/// One word of a closed set in the query.
fn word<T: DeserializeOwned>(key: &str, text: &str) -> Answer<T> {
    let input: serde::de::value::StrDeserializer<'_, ValueError> = text.into_deserializer();
    Ok(T::deserialize(input).map_err(|error| ApiError::validation(format!("query.{key}: {error}")))?)
}

async fn require(app: &App, id: &RunId) -> Answer<Run> {
    let wanted = id.clone();
    let found = app.store().read(move |conn| run::get(conn, &wanted)).await?;
    found.ok_or_else(|| not_found(id).into())
}

fn not_found(id: &RunId) -> ApiError {
    ApiError::not_found(format!("Run not found with id='{id}'"))
}

/// Lists runs, newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/runs/", operation_id = "list_runs", tag = "runs",
    params(
        ("agent_id" = Option<String>, Query), ("agent_ids" = Option<Vec<String>>, Query),
        ("statuses" = Option<Vec<String>>, Query), ("background" = Option<bool>, Query),
        ("stop_reason" = Option<StopReason>, Query), ("conversation_id" = Option<String>, Query),
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query), ("active" = Option<bool>, Query),
        ("ascending" = Option<bool>, Query),
    ),
    responses((status = 200, body = Vec<Run>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Run>>> {
    let filter = RunFilter {
        agent_id: params.id::<AgentId>("agent_id")?,
        agent_ids: params
            .words("agent_ids")
            .into_iter()
            .map(|id| Ok(id.parse::<AgentId>()?))
            .collect::<Answer<Vec<_>>>()?,
        statuses: params
            .words("statuses")
            .into_iter()
            .map(|status| word::<RunStatus>("statuses", status))
            .collect::<Answer<Vec<_>>>()?,
        background: params.flag("background")?,
        stop_reason: params.text("stop_reason").map(|reason| word("stop_reason", reason)).transpose()?,
        // The default conversation has no id to filter by.
        conversation_id: params.id::<ConversationId>("conversation_id")?,
        active: params.flag("active")?.unwrap_or(false),
    };
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    Ok(Json(app.store().read(move |conn| run::list(conn, &filter, &page)).await?))
}

/// Shows a run.
#[utoipa::path(get, path = "/v1/runs/{run_id}", operation_id = "retrieve_run", tag = "runs",
    params(("run_id" = String, Path)), responses((status = 200, body = Run)))]
pub(crate) async fn retrieve(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Run>> {
    Ok(Json(require(&app, &run_id(&id)?).await?))
}

/// Deletes a run that is over; its messages stay.
#[utoipa::path(delete, path = "/v1/runs/{run_id}", operation_id = "delete_run", tag = "runs",
    params(("run_id" = String, Path)), responses((status = 200, body = Run)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Run>> {
    let found = require(&app, &run_id(&id)?).await?;
    if found.status.is_active() {
        return Err(ApiError::conflict(format!("CONFLICT: Run {id} is under way. Cancel it first.")).into());
    }
    let gone = found.id.clone();
    app.store().write(move |tx| run::delete(tx, &gone)).await?;
    Ok(Json(found))
}

/// Goes on with the stream of a background run after `starting_after`.
#[utoipa::path(post, path = "/v1/runs/{run_id}/stream", operation_id = "retrieve_run_stream", tag = "runs",
    params(("run_id" = String, Path)), request_body = Option<Object>,
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream")))]
pub(crate) async fn resume(
    State(app): State<App>,
    Segments(id): Segments<String>,
    MaybeBody(body): MaybeBody<Value>,
) -> Answer<Response> {
    let id = run_id(&id)?;
    let request = ResumeRequest::parse(body.as_ref())?;
    let from = Resume { starting_after: request.starting_after, include_pings: request.include_pings };
    Ok(stream::response(runs::resume(&app, &id, from).await?))
}

/// Lists a run's messages, the request's among them, oldest first unless `order=desc`.
#[utoipa::path(get, path = "/v1/runs/{run_id}/messages", operation_id = "list_messages_for_run", tag = "runs",
    params(
        ("run_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn messages(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<LettaMessage>>> {
    let found = require(&app, &run_id(&id)?).await?;
    let filter = MessageFilter {
        run_id: Some(found.id),
        include_err: params.flag("include_err")?.unwrap_or(false),
        ..MessageFilter::default()
    };
    let page = page(&params, Defaults { limit: 100, ascending: true })?;
    Ok(Json(listed(&app, filter, page, &View::default()).await?))
}

/// Lists a run's steps.
#[utoipa::path(get, path = "/v1/runs/{run_id}/steps", operation_id = "list_steps_for_run", tag = "runs",
    params(
        ("run_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Step>)))]
pub(crate) async fn steps(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<Step>>> {
    let found = require(&app, &run_id(&id)?).await?;
    let filter = StepFilter { run_id: Some(found.id), ..StepFilter::default() };
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    Ok(Json(app.store().read(move |conn| step::list(conn, &filter, &page)).await?))
}

/// What a run cost in tokens.
#[utoipa::path(get, path = "/v1/runs/{run_id}/usage", operation_id = "retrieve_run_usage", tag = "runs",
    params(("run_id" = String, Path)), responses((status = 200, body = Object)))]
pub(crate) async fn usage(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let found = require(&app, &run_id(&id)?).await?;
    let usage = app.store().read(move |conn| run::usage(conn, &found.id)).await?;
    let cache = usage.cached_input_tokens.or(usage.cache_write_tokens).is_some();
    Ok(Json(json!({
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": cache.then(|| json!({
            "cached_tokens": usage.cached_input_tokens,
            "cache_read_tokens": usage.cached_input_tokens,
            "cache_creation_tokens": usage.cache_write_tokens,
        })),
        "completion_tokens_details":
            usage.reasoning_tokens.map(|tokens| json!({"reasoning_tokens": tokens})),
    })))
}

/// What a run did when: one span for each of its steps, with the model's and the tools' share of it.
#[utoipa::path(get, path = "/v1/runs/{run_id}/trace", operation_id = "retrieve_trace_for_run", tag = "runs",
    params(("run_id" = String, Path), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Vec<Object>)))]
pub(crate) async fn trace(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<Value>>> {
    let found = require(&app, &run_id(&id)?).await?;
    let limit = params.integer("limit", 1, 5_000)?.and_then(|limit| u32::try_from(limit).ok());
    let run = found.id.clone();
    let steps = app
        .store()
        .read(move |conn| {
            let filter = StepFilter { run_id: Some(run), ..StepFilter::default() };
            let steps = step::list(conn, &filter, &Page::oldest(limit.unwrap_or(1_000)))?;
            steps
                .into_iter()
                .map(|step| Ok((step::metrics(conn, &step.id)?, step)))
                .collect::<Result<Vec<_>, loci_store::StoreError>>()
        })
        .await?;
    let span = |(metrics, step): (Option<step::StepMetrics>, Step)| {
        let timing = metrics.map(|metrics| metrics.timing).unwrap_or_default();
        json!({
            "trace_id": found.id,
            "span_id": step.id,
            "parent_span_id": null,
            "name": "agent_step",
            "start_time_ns": timing.step_start_ns,
            "duration_ns": timing.step_ns,
            "status": step.status,
            "attributes": {
                "model": step.model_handle,
                "llm_request_ns": timing.llm_request_ns,
                "ttft_ns": timing.ttft_ns,
                "tool_execution_ns": timing.tool_execution_ns,
                "total_tokens": step.total_tokens,
                "stop_reason": step.stop_reason,
                "error_type": step.error_type,
            },
        })
    };
    Ok(Json(steps.into_iter().map(span).collect()))
}

/// How long a run took and how many steps it needed.
#[utoipa::path(get, path = "/v1/runs/{run_id}/metrics", operation_id = "retrieve_metrics_for_run", tag = "runs",
    params(("run_id" = String, Path)), responses((status = 200, body = Object)))]
pub(crate) async fn metrics(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let found = require(&app, &run_id(&id)?).await?;
    let filter = StepFilter { run_id: Some(found.id.clone()), ..StepFilter::default() };
    let steps = app.store().read(move |conn| step::count(conn, &filter)).await?;
    Ok(Json(json!({
        "id": found.id,
        "agent_id": found.agent_id,
        "project_id": null,
        "run_start_ns": found.created_at.0.saturating_mul(1_000),
        "run_ns": found.total_duration_ns,
        "num_steps": steps,
        "tools_used": null,
        "template_id": null,
        "base_template_id": null,
    })))
}
