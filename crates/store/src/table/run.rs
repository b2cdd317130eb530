//! Runs: the execution of one request each. A run that ended never changes its status again.

use loci_api::{
    ids::{AgentId, ConversationId, RunId},
    resource::{Run, RunStatus, StopReason, UsageStatistics},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params};
use serde_json::Value;

use crate::{
    Page, StoreError, Thread,
    page::{Select, any_of, moment},
    row::{RowExt, json, opt_json},
};

/// Which runs a list holds.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub agent_id: Option<AgentId>,
    /// One of these; empty lists do not narrow.
    pub agent_ids: Vec<AgentId>,
    pub statuses: Vec<RunStatus>,
    pub background: Option<bool>,
    pub stop_reason: Option<StopReason>,
    pub conversation_id: Option<ConversationId>,
    /// Only those that may still change.
    pub active: bool,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// Decides the status.
    pub stop_reason: StopReason,
    /// `{error_type, message, detail, run_id}`; kept under `metadata.error`.
    pub error: Option<Value>,
    pub completed_at: Timestamp,
    pub ttft_ns: Option<i64>,
    pub total_duration_ns: Option<i64>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.id("id")?,
        status: row.word("status")?,
        created_at: row.time("created_at")?,
        completed_at: row.opt_time("completed_at")?,
        agent_id: row.id("agent_id")?,
        conversation_id: row.opt_id("conversation_id")?,
        base_template_id: row.get("base_template_id")?,
        background: row.get("background")?,
        metadata: row.opt_json("metadata")?,
        request_config: row.opt_json("request_config")?,
        stop_reason: row.opt_word("stop_reason")?,
        callback_url: row.get("callback_url")?,
        callback_sent_at: row.opt_time("callback_sent_at")?,
        callback_status_code: row.get("callback_status_code")?,
        callback_error: row.get("callback_error")?,
        ttft_ns: row.get("ttft_ns")?,
        total_duration_ns: row.get("total_duration_ns")?,
    })
}

/// The run with this id.
pub fn get(conn: &Connection, id: &RunId) -> Result<Option<Run>, StoreError> {
    let mut select = Select::new("*", "runs", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// A page of runs by creation time.
pub fn list(conn: &Connection, filter: &RunFilter, page: &Page) -> Result<Vec<Run>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many runs the filter finds.
pub fn count(conn: &Connection, filter: &RunFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

fn select(filter: &RunFilter) -> Select {
    let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let mut select = Select::new("*", "runs", "created_at");
    select
        .and_some("agent_id = ?", filter.agent_id.as_ref().map(ToString::to_string))
        .and_some("agent_id IN (SELECT value FROM json_each(?))", any_of(&filter.agent_ids))
        .and_some("status IN (SELECT value FROM json_each(?))", any_of(&statuses))
        .and_some("coalesce(background, 0) = ?", filter.background)
        .and_some("stop_reason = ?", filter.stop_reason.map(|reason| reason.as_str().to_owned()))
        .and_some("conversation_id = ?", filter.conversation_id.as_ref().map(ToString::to_string));
    if filter.active {
        select.and_always("status IN ('created', 'running')");
    }
    select
}

/// The thread's newest run that may still change.
pub fn active_on(conn: &Connection, thread: &Thread) -> Result<Option<Run>, StoreError> {
    // The planner would rather walk all runs of the agent in order; few are active.
    let mut select = on_thread(thread, "runs INDEXED BY runs_active");
    select.and_always("status IN ('created', 'running')");
    Ok(select.page(conn, &Page::newest(1), read)?.pop())
}

/// The thread's newest run.
pub fn latest_on(conn: &Connection, thread: &Thread) -> Result<Option<Run>, StoreError> {
    Ok(on_thread(thread, "runs").page(conn, &Page::newest(1), read)?.pop())
}

/// The thread's newest run of the same request, begun at `since` or later.
pub fn find_by_token(
    conn: &Connection,
    thread: &Thread,
    token: &str,
    since: Timestamp,
) -> Result<Option<Run>, StoreError> {
    let mut select = on_thread(thread, "runs INDEXED BY runs_by_token");
    select.and("request_token = ?", token.to_owned()).and("created_at >= ?", moment(since));
    Ok(select.page(conn, &Page::newest(1), read)?.pop())
}

fn on_thread(thread: &Thread, table: &'static str) -> Select {
    let mut select = Select::new("*", table, "created_at");
    select
        .and("agent_id = ?", thread.agent_id.to_string())
        .and("conversation_id IS ?", thread.conversation_id.as_ref().map(ToString::to_string));
    select
}

/// Adds a run. `request_token` recognises the same request sent again.
pub fn insert(conn: &Connection, run: &Run, request_token: Option<&str>) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO runs (id, agent_id, conversation_id, status, stop_reason, background, request_token, metadata,
           request_config, base_template_id, callback_url, callback_sent_at, callback_status_code, callback_error,
           ttft_ns, total_duration_ns, created_at, completed_at)
         VALUES (:id, :agent_id, :conversation_id, :status, :stop_reason, :background, :request_token, :metadata,
           :request_config, :base_template_id, :callback_url, :callback_sent_at, :callback_status_code,
           :callback_error, :ttft_ns, :total_duration_ns, :created_at, :completed_at)",
    )?
    .execute(named_params! {
        ":id": run.id.as_str(),
        ":agent_id": run.agent_id.as_str(),
        ":conversation_id": run.conversation_id.as_ref().map(ConversationId::as_str),
        ":status": run.status.as_str(),
        ":stop_reason": run.stop_reason.map(StopReason::as_str),
        ":background": run.background,
        ":request_token": request_token,
        ":metadata": opt_json(run.metadata.as_ref())?,
        ":request_config": opt_json(run.request_config.as_ref())?,
        ":base_template_id": run.base_template_id,
        ":callback_url": run.callback_url,
        ":callback_sent_at": run.callback_sent_at.map(|at| at.0),
        ":callback_status_code": run.callback_status_code,
        ":callback_error": run.callback_error,
        ":ttft_ns": run.ttft_ns,
        ":total_duration_ns": run.total_duration_ns,
        ":created_at": run.created_at.0,
        ":completed_at": run.completed_at.map(|at| at.0),
    })
    .map_err(|error| StoreError::from(error).naming(Some(run.id.as_str())))?;
    Ok(())
}

/// Marks a run that was accepted as under way. Whether it was waiting for that.
pub fn start(conn: &Connection, id: &RunId) -> Result<bool, StoreError> {
    let mut statement =
        conn.prepare_cached("UPDATE runs SET status = 'running' WHERE id = ? AND status = 'created'")?;
    Ok(statement.execute([id.as_str()])? > 0)
}

/// Ends a run, unless it has ended already: then nothing changes and the answer is `false`.
pub fn finish(conn: &Connection, id: &RunId, end: &RunEnd) -> Result<bool, StoreError> {
    let error = opt_json(end.error.as_ref())?;
    let changed = conn
        .prepare_cached(
            "UPDATE runs SET status = :status, stop_reason = :stop_reason, completed_at = :completed_at,
               ttft_ns = coalesce(:ttft_ns, ttft_ns), total_duration_ns = :total_duration_ns,
               metadata = CASE WHEN :error IS NULL THEN metadata
                 ELSE json_set(coalesce(metadata, '{}'), '$.error', json(:error)) END
             WHERE id = :id AND status IN ('created', 'running')",
        )?
        .execute(named_params! {
            ":id": id.as_str(),
            ":status": end.stop_reason.run_status().as_str(),
            ":stop_reason": end.stop_reason.as_str(),
            ":completed_at": end.completed_at.0,
            ":ttft_ns": end.ttft_ns,
            ":total_duration_ns": end.total_duration_ns,
            ":error": error,
        })?;
    Ok(changed > 0)
}

/// Marks a run that waited for approval as cancelled: the one change a run that ended may still see. Whether it
/// waited.
pub fn withdraw(conn: &Connection, id: &RunId) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached(
        "UPDATE runs SET status = 'cancelled', stop_reason = 'cancelled'
         WHERE id = ? AND stop_reason = 'requires_approval'",
    )?;
    Ok(statement.execute([id.as_str()])? > 0)
}

/// Puts a value into the run's metadata under a key of its own.
pub fn set_metadata(conn: &Connection, id: &RunId, key: &str, value: &Value) -> Result<(), StoreError> {
    let run = get(conn, id)?.ok_or_else(|| StoreError::not_found("run", id))?;
    let mut metadata = run.metadata.unwrap_or_default();
    metadata.insert(key.to_owned(), value.clone());
    conn.execute("UPDATE runs SET metadata = ?2 WHERE id = ?1", params![id.as_str(), json(&metadata)?])?;
    Ok(())
}

/// Notes what came of telling the callback URL.
pub fn record_callback(
    conn: &Connection,
    id: &RunId,
    sent_at: Timestamp,
    status_code: Option<i64>,
    error: Option<&str>,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE runs SET callback_sent_at = ?2, callback_status_code = ?3, callback_error = ?4 WHERE id = ?1",
        params![id.as_str(), sent_at.0, status_code, error],
    )?;
    Ok(())
}

/// Deletes a run with its steps and buffered events; its messages stay. Whether there was one.
pub fn delete(conn: &Connection, id: &RunId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM runs WHERE id = ?", [id.as_str()])? > 0)
}

/// What a run's steps cost together.
pub fn usage(conn: &Connection, id: &RunId) -> Result<UsageStatistics, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT coalesce(sum(completion_tokens), 0), coalesce(sum(prompt_tokens), 0), coalesce(sum(total_tokens), 0),
           count(total_tokens), sum(cached_input_tokens), sum(cache_write_tokens), sum(reasoning_tokens),
           (SELECT total_tokens FROM steps WHERE run_id = ?1 AND total_tokens IS NOT NULL
             ORDER BY sequence DESC LIMIT 1)
         FROM steps WHERE run_id = ?1",
    )?;
    Ok(statement.query_row([id.as_str()], |row| {
        Ok(UsageStatistics {
            completion_tokens: tokens(row, 0)?.unwrap_or(0),
            prompt_tokens: tokens(row, 1)?.unwrap_or(0),
            total_tokens: tokens(row, 2)?.unwrap_or(0),
            step_count: tokens(row, 3)?.unwrap_or(0),
            cached_input_tokens: tokens(row, 4)?,
            cache_write_tokens: tokens(row, 5)?,
            reasoning_tokens: tokens(row, 6)?,
            context_tokens: tokens(row, 7)?,
            ..UsageStatistics::none()
        })
    })?)
}

/// A sum or count, which is never negative.
fn tokens(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::unsigned_abs))
}
