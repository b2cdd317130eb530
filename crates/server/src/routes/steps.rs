//! Steps: list, show, and the exact bodies, timing and messages of each.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, DEFAULT_USER_ID, StepId},
    resource::Step,
    said,
    time::Timestamp,
    wire::{LettaMessage, View},
};
use loci_store::table::{
    message::MessageFilter,
    step::{self, StepFilter},
    step_trace,
    tool_journal::{self, JournalEntry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::messages::listed;
use crate::{
    App,
    confined::ConfinementPart,
    error::Answer,
    extract::{JsonBody, Params, Segments},
    page::{Defaults, page},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/steps", get(list))
        .route("/steps/{step_id}", get(retrieve))
        .route("/steps/{step_id}/trace", get(trace))
        .route("/steps/{step_id}/metrics", get(metrics))
        .route("/steps/{step_id}/messages", get(messages))
        .route("/steps/{step_id}/feedback", patch(feedback))
}

async fn require(app: &App, id: &str) -> Answer<Step> {
    let id: StepId = id.parse()?;
    let wanted = id.clone();
    let found = app.store().read(move |conn| step::get(conn, &wanted)).await?;
    found.ok_or_else(|| ApiError::not_found(format!("Step not found with id='{id}'")).into())
}

fn moment(params: &Params, key: &str) -> Answer<Option<Timestamp>> {
    let Some(text) = params.text(key) else { return Ok(None) };
    match at(text, key == "end_date") {
        Some(at) => Ok(Some(at)),
        None => {
            Err(ApiError::validation(format!("query.{key}: expected a date and time in ISO 8601")).into())
        }
    }
}

/// A moment in ISO 8601. A date alone, or a time without a zone, is UTC; as the end of a span, a date alone is the
/// end of its day.
pub(super) fn at(text: &str, end: bool) -> Option<Timestamp> {
    let micros = |at: jiff::Timestamp| Timestamp(at.as_microsecond());
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(micros(at));
    }
    let is_date = !text.contains([':', 'T', 't']);
    let local = text.parse::<jiff::civil::DateTime>().ok()?;
    let at = micros(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp());
    const DAY: i64 = 24 * 60 * 60 * 1_000_000;
    Some(if end && is_date { Timestamp(at.0 + DAY - 1) } else { at })
}

/// Lists steps, newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/steps/", operation_id = "list_steps", tag = "steps",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
        ("start_date" = Option<String>, Query), ("end_date" = Option<String>, Query),
        ("model" = Option<String>, Query), ("agent_id" = Option<String>, Query),
        ("trace_ids" = Option<Vec<String>>, Query), ("feedback" = Option<String>, Query),
        ("has_feedback" = Option<bool>, Query), ("tags" = Option<Vec<String>>, Query),
        ("project_id" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Step>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Step>>> {
    let texts = |key| params.texts(key).into_iter().map(str::to_owned).collect();
    let filter = StepFilter {
        run_id: None,
        agent_id: params.id::<AgentId>("agent_id")?,
        model: params.text("model").map(str::to_owned),
        start: moment(&params, "start_date")?,
        end: moment(&params, "end_date")?,
        trace_ids: texts("trace_ids"),
        feedback: params
            .choice("feedback", &[("positive", "positive"), ("negative", "negative")])?
            .map(str::to_owned),
        has_feedback: params.flag("has_feedback")?,
        tags: texts("tags"),
        project_id: params.text("project_id").map(str::to_owned),
    };
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    Ok(Json(app.store().read(move |conn| step::list(conn, &filter, &page)).await?))
}

/// Shows a step.
#[utoipa::path(get, path = "/v1/steps/{step_id}", operation_id = "retrieve_step", tag = "steps",
    params(("step_id" = String, Path)), responses((status = 200, body = Step)))]
pub(crate) async fn retrieve(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Step>> {
    Ok(Json(require(&app, &id).await?))
}

/// What exactly a step sent to the model and got back; null if that is not kept.
#[utoipa::path(get, path = "/v1/steps/{step_id}/trace", operation_id = "retrieve_trace_for_step", tag = "steps",
    params(("step_id" = String, Path)), responses((status = 200, body = Option<Object>)))]
pub(crate) async fn trace(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let step = require(&app, &id).await?;
    let wanted = step.id.clone();
    let (found, metrics) = app
        .store()
        .read(move |conn| Ok((step_trace::get(conn, &wanted)?, step::metrics(conn, &wanted)?)))
        .await?;
    let Some(trace) = found else { return Ok(Json(Value::Null)) };
    let mut response = trace.response_json;
    if let (Some(metrics), Value::Object(fields)) = (metrics, &mut response)
        && !metrics.attempts.is_empty()
    {
        // Attempts that failed belong to what a person wants to see here.
        fields.insert("loci_attempts".to_owned(), json!(metrics.attempts));
    }
    Ok(Json(json!({
        "id": trace.id,
        "created_by_id": DEFAULT_USER_ID,
        "last_updated_by_id": null,
        "created_at": trace.created_at,
        "updated_at": null,
        "request_json": trace.request_json,
        "response_json": response,
        "step_id": step.id,
        "agent_id": step.agent_id,
        "agent_tags": null,
        "call_type": "agent_step",
        "run_id": step.run_id,
        "source": null,
        "org_id": null,
        "compaction_settings": null,
        "llm_config": null,
        "billing_context": null,
    })))
}

/// What a person thinks of a step.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct ModifyFeedbackRequest {
    /// Null takes it back.
    feedback: Option<Feedback>,
    /// Null leaves them as they are.
    tags: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Feedback {
    Positive,
    Negative,
}

/// Notes what a person thinks of a step.
#[utoipa::path(patch, path = "/v1/steps/{step_id}/feedback", operation_id = "modify_feedback_for_step",
    tag = "steps", params(("step_id" = String, Path)), request_body = ModifyFeedbackRequest,
    responses((status = 200, body = Step)))]
pub(crate) async fn feedback(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<ModifyFeedbackRequest>,
) -> Answer<Json<Step>> {
    let step = require(&app, &id).await?;
    let noted = step.id.clone();
    app.store()
        .write(move |tx| {
            let feedback = request.feedback.map(|feedback| match feedback {
                Feedback::Positive => "positive",
                Feedback::Negative => "negative",
            });
            step::set_feedback(tx, &noted, feedback, request.tags.as_deref())
        })
        .await?;
    Ok(Json(require(&app, &id).await?))
}

/// How long the parts of a step took.
#[utoipa::path(get, path = "/v1/steps/{step_id}/metrics", operation_id = "retrieve_metrics_for_step", tag = "steps",
    params(("step_id" = String, Path)), responses((status = 200, body = Object)))]
pub(crate) async fn metrics(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let step = require(&app, &id).await?;
    let wanted = step.id.clone();
    let (found, calls) = app
        .store()
        .read(move |conn| Ok((step::metrics(conn, &wanted)?, tool_journal::list_for_step(conn, &wanted)?)))
        .await?;
    let calls: Vec<Value> = calls.iter().map(noted).collect();
    let timing = found.as_ref().map(|metrics| metrics.timing).unwrap_or_default();
    Ok(Json(json!({
        "id": step.id,
        "provider_id": step.provider_id,
        "run_id": step.run_id,
        "agent_id": step.agent_id,
        "step_start_ns": timing.step_start_ns,
        "llm_request_start_ns": timing.llm_request_start_ns,
        "llm_request_ns": timing.llm_request_ns,
        "tool_execution_ns": timing.tool_execution_ns,
        "step_ns": timing.step_ns,
        "base_template_id": null,
        "template_id": null,
        "project_id": step.project_id,
        // Those that ran a person's code or reached outside, with what kept each within bounds.
        "loci_tool_calls": calls,
    })))
}

/// A noted call, with the line about what confined it in its parts as well.
fn noted(call: &JournalEntry) -> Value {
    let mut noted = json!(call);
    let known = ConfinementPart::templates();
    let parts =
        |line: &String| line.split("; ").map(|part| said::recognised(part, &known)).collect::<Vec<_>>();
    noted["confined"] = json!(call.confinement.as_ref().map(parts));
    noted
}

/// Lists a step's messages, oldest first unless `order=desc`.
#[utoipa::path(get, path = "/v1/steps/{step_id}/messages", operation_id = "list_messages_for_step", tag = "steps",
    params(
        ("step_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn messages(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<LettaMessage>>> {
    let step = require(&app, &id).await?;
    let filter = MessageFilter { step_id: Some(step.id), include_err: true, ..MessageFilter::default() };
    let page = page(&params, Defaults { limit: 100, ascending: true })?;
    Ok(Json(listed(&app, filter, page, &View::default()).await?))
}
