//! Steps: one model call and the tools it asked for, with what it cost and how long it took.

use loci_api::{
    chat::{Attempt, Usage},
    ids::{AgentId, RunId, StepId},
    resource::{Step, StepStatus, StopReason},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::{Map, Value};

use crate::{
    Page, StoreError,
    page::{Select, any_of, moment},
    row::{RowExt, json, opt_json},
};

/// Which steps a list holds.
#[derive(Debug, Clone, Default)]
pub struct StepFilter {
    pub run_id: Option<RunId>,
    pub agent_id: Option<AgentId>,
    pub model: Option<String>,
    /// Both ends included.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// One of these; empty lists do not narrow.
    pub trace_ids: Vec<String>,
    pub feedback: Option<String>,
    pub has_feedback: Option<bool>,
    pub tags: Vec<String>,
    pub project_id: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone)]
pub struct StepEnd {
    pub status: StepStatus,
    pub stop_reason: Option<StopReason>,
    /// `None` if the model never said.
    pub usage: Option<Usage>,
    pub error_type: Option<String>,
    pub error_data: Option<Map<String, Value>>,
    /// The provider's own id of the request.
    pub request_id: Option<String>,
    pub model_endpoint: Option<String>,
    /// Attempts at the model that failed before.
    pub attempts: Vec<Attempt>,
    pub timing: StepTiming,
    pub completed_at: Timestamp,
}

/// How long the parts of a step took, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepTiming {
    /// When it began, since 1970.
    pub step_start_ns: Option<i64>,
    /// When the model was asked, since 1970.
    pub llm_request_start_ns: Option<i64>,
    /// To the end of the model's answer.
    pub llm_request_ns: Option<i64>,
    /// To the model's first event.
    pub ttft_ns: Option<i64>,
    /// The longest tool call.
    pub tool_execution_ns: Option<i64>,
    pub step_ns: Option<i64>,
}

/// Timing of one step and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct StepMetrics {
    pub id: StepId,
    pub provider_id: Option<String>,
    pub run_id: Option<RunId>,
    pub agent_id: Option<AgentId>,
    pub project_id: Option<String>,
    pub timing: StepTiming,
    pub attempts: Vec<Attempt>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Step> {
    Ok(Step {
        id: row.id("id")?,
        origin: row.get("origin")?,
        provider_id: row.get("provider_id")?,
        run_id: row.opt_id("run_id")?,
        agent_id: row.opt_id("agent_id")?,
        provider_name: row.get("provider_name")?,
        provider_category: row.get("provider_category")?,
        model: row.get("model")?,
        model_handle: row.get("model_handle")?,
        model_endpoint: row.get("model_endpoint")?,
        context_window_limit: row.get("context_window_limit")?,
        completion_tokens: row.get("completion_tokens")?,
        prompt_tokens: row.get("prompt_tokens")?,
        total_tokens: row.get("total_tokens")?,
        cached_input_tokens: row.get("cached_input_tokens")?,
        cache_write_tokens: row.get("cache_write_tokens")?,
        reasoning_tokens: row.get("reasoning_tokens")?,
        completion_tokens_details: row.opt_json("completion_tokens_details")?,
        prompt_tokens_details: row.opt_json("prompt_tokens_details")?,
        stop_reason: row.opt_word("stop_reason")?,
        tags: row.json("tags")?,
        tid: row.get("tid")?,
        trace_id: row.get("trace_id")?,
        request_id: row.get("request_id")?,
        messages: Vec::new(),
        feedback: row.get("feedback")?,
        project_id: row.get("project_id")?,
        error_type: row.get("error_type")?,
        error_data: row.opt_json("error_data")?,
        status: Some(row.word("status")?),
    })
}

/// The step with this id.
pub fn get(conn: &Connection, id: &StepId) -> Result<Option<Step>, StoreError> {
    let mut select = Select::new("*", "steps", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// What the provider counted for a step's model call, if it did.
pub fn total_tokens(conn: &Connection, id: &StepId) -> Result<Option<u64>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT total_tokens FROM steps WHERE id = ?")?;
    let tokens = statement.query_row([id.as_str()], |row| row.get::<_, Option<i64>>(0)).optional()?;
    Ok(tokens.flatten().and_then(|tokens| u64::try_from(tokens).ok()))
}

/// A page of steps by creation time.
pub fn list(conn: &Connection, filter: &StepFilter, page: &Page) -> Result<Vec<Step>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many steps the filter finds.
pub fn count(conn: &Connection, filter: &StepFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

fn select(filter: &StepFilter) -> Select {
    let mut select = Select::new("*", "steps", "created_at");
    select
        .and_some("run_id = ?", filter.run_id.as_ref().map(ToString::to_string))
        .and_some("agent_id = ?", filter.agent_id.as_ref().map(ToString::to_string))
        .and_some("model = ?", filter.model.clone())
        .and_some("created_at >= ?", filter.start.map(moment))
        .and_some("created_at <= ?", filter.end.map(moment))
        .and_some("trace_id IN (SELECT value FROM json_each(?))", any_of(&filter.trace_ids))
        .and_some("feedback = ?", filter.feedback.clone())
        .and_some("(feedback IS NOT NULL) = ?", filter.has_feedback)
        .and_some(
            "EXISTS (SELECT 1 FROM json_each(steps.tags) t WHERE t.value IN (SELECT value FROM json_each(?)))",
            any_of(&filter.tags),
        )
        .and_some("project_id = ?", filter.project_id.clone());
    select
}

/// Adds a step as it begins.
pub fn insert(conn: &Connection, step: &Step, now: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO steps (id, run_id, agent_id, origin, provider_id, provider_name, provider_category, model,
           model_handle, model_endpoint, context_window_limit, completion_tokens, prompt_tokens, total_tokens,
           cached_input_tokens, cache_write_tokens, reasoning_tokens, completion_tokens_details,
           prompt_tokens_details, stop_reason, tags, tid, trace_id, request_id, feedback, project_id, error_type,
           error_data, status, created_at)
         VALUES (:id, :run_id, :agent_id, :origin, :provider_id, :provider_name, :provider_category, :model,
           :model_handle, :model_endpoint, :context_window_limit, :completion_tokens, :prompt_tokens, :total_tokens,
           :cached_input_tokens, :cache_write_tokens, :reasoning_tokens, :completion_tokens_details,
           :prompt_tokens_details, :stop_reason, :tags, :tid, :trace_id, :request_id, :feedback, :project_id,
           :error_type, :error_data, :status, :now)",
    )?
    .execute(named_params! {
        ":id": step.id.as_str(),
        ":run_id": step.run_id.as_ref().map(RunId::as_str),
        ":agent_id": step.agent_id.as_ref().map(AgentId::as_str),
        ":origin": step.origin,
        ":provider_id": step.provider_id,
        ":provider_name": step.provider_name,
        ":provider_category": step.provider_category,
        ":model": step.model,
        ":model_handle": step.model_handle,
        ":model_endpoint": step.model_endpoint,
        ":context_window_limit": step.context_window_limit,
        ":completion_tokens": step.completion_tokens,
        ":prompt_tokens": step.prompt_tokens,
        ":total_tokens": step.total_tokens,
        ":cached_input_tokens": step.cached_input_tokens,
        ":cache_write_tokens": step.cache_write_tokens,
        ":reasoning_tokens": step.reasoning_tokens,
        ":completion_tokens_details": opt_json(step.completion_tokens_details.as_ref())?,
        ":prompt_tokens_details": opt_json(step.prompt_tokens_details.as_ref())?,
        ":stop_reason": step.stop_reason.map(StopReason::as_str),
        ":tags": json(&step.tags)?,
        ":tid": step.tid,
        ":trace_id": step.trace_id,
        ":request_id": step.request_id,
        ":feedback": step.feedback,
        ":project_id": step.project_id,
        ":error_type": step.error_type,
        ":error_data": opt_json(step.error_data.as_ref())?,
        ":status": step.status.unwrap_or(StepStatus::Pending).as_str(),
        ":now": now.0,
    })
    .map_err(|error| StoreError::from(error).naming(Some(step.id.as_str())))?;
    Ok(())
}

/// Ends a step, unless it has ended already: then nothing changes and the answer is `false`.
pub fn finish(conn: &Connection, id: &StepId, end: &StepEnd) -> Result<bool, StoreError> {
    let count = |tokens: fn(&Usage) -> Option<u64>| {
        end.usage.as_ref().and_then(tokens).map(|tokens| i64::try_from(tokens).unwrap_or(i64::MAX))
    };
    let changed = conn
        .prepare_cached(
            "UPDATE steps SET status = :status, stop_reason = :stop_reason, completion_tokens = :completion_tokens,
               prompt_tokens = :prompt_tokens, total_tokens = :total_tokens,
               cached_input_tokens = :cached_input_tokens, cache_write_tokens = :cache_write_tokens,
               reasoning_tokens = :reasoning_tokens, error_type = :error_type, error_data = :error_data,
               request_id = coalesce(:request_id, request_id),
               model_endpoint = coalesce(:model_endpoint, model_endpoint), attempts = :attempts,
               step_start_ns = :step_start_ns, llm_request_start_ns = :llm_request_start_ns,
               llm_request_ns = :llm_request_ns, ttft_ns = :ttft_ns, tool_execution_ns = :tool_execution_ns,
               step_ns = :step_ns, completed_at = :completed_at
             WHERE id = :id AND status = 'pending'",
        )?
        .execute(named_params! {
            ":id": id.as_str(),
            ":status": end.status.as_str(),
            ":stop_reason": end.stop_reason.map(StopReason::as_str),
            ":completion_tokens": count(|usage| Some(usage.completion_tokens)),
            ":prompt_tokens": count(|usage| Some(usage.prompt_tokens)),
            ":total_tokens": count(|usage| Some(usage.total_tokens)),
            ":cached_input_tokens": count(|usage| usage.cached_input_tokens),
            ":cache_write_tokens": count(|usage| usage.cache_write_tokens),
            ":reasoning_tokens": count(|usage| usage.reasoning_tokens),
            ":error_type": end.error_type,
            ":error_data": opt_json(end.error_data.as_ref())?,
            ":request_id": end.request_id,
            ":model_endpoint": end.model_endpoint,
            ":attempts": json(&end.attempts)?,
            ":step_start_ns": end.timing.step_start_ns,
            ":llm_request_start_ns": end.timing.llm_request_start_ns,
            ":llm_request_ns": end.timing.llm_request_ns,
            ":ttft_ns": end.timing.ttft_ns,
            ":tool_execution_ns": end.timing.tool_execution_ns,
            ":step_ns": end.timing.step_ns,
            ":completed_at": end.completed_at.0,
        })?;
    Ok(changed > 0)
}

/// Notes what a person thinks of a step: `positive`, `negative` or nothing; tags stay as they are if `None`.
pub fn set_feedback(
    conn: &Connection,
    id: &StepId,
    feedback: Option<&str>,
    tags: Option<&[String]>,
) -> Result<(), StoreError> {
    let tags = tags.map(json).transpose()?;
    match conn.execute(
        "UPDATE steps SET feedback = ?2, tags = coalesce(?3, tags) WHERE id = ?1",
        params![id.as_str(), feedback, tags],
    )? {
        0 => Err(StoreError::not_found("step", id)),
        _ => Ok(()),
    }
}

/// How long the step took and which attempts it needed.
pub fn metrics(conn: &Connection, id: &StepId) -> Result<Option<StepMetrics>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM steps WHERE id = ?")?;
    let metrics = statement.query_row([id.as_str()], |row| {
        Ok(StepMetrics {
            id: row.id("id")?,
            provider_id: row.get("provider_id")?,
            run_id: row.opt_id("run_id")?,
            agent_id: row.opt_id("agent_id")?,
            project_id: row.get("project_id")?,
            timing: StepTiming {
                step_start_ns: row.get("step_start_ns")?,
                llm_request_start_ns: row.get("llm_request_start_ns")?,
                llm_request_ns: row.get("llm_request_ns")?,
                ttft_ns: row.get("ttft_ns")?,
                tool_execution_ns: row.get("tool_execution_ns")?,
                step_ns: row.get("step_ns")?,
            },
            attempts: row.json("attempts")?,
        })
    });
    Ok(metrics.optional()?)
}
