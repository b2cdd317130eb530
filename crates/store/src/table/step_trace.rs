//! What exactly a step sent to the model and got back.

use loci_api::{
    ids::{AgentId, StepId, TraceId},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::{
    StoreError,
    frames::Reader,
    row::{RowExt, json},
};

/// The bodies of one step's model call.
#[derive(Debug, Clone, PartialEq)]
pub struct StepTrace {
    pub id: TraceId,
    pub step_id: StepId,
    pub request_json: Value,
    pub response_json: Value,
    pub created_at: Timestamp,
}

/// The same with the request as a frame of a chain, see [`crate::frames`].
#[derive(Debug, Clone, PartialEq)]
pub struct FramedTrace {
    pub id: TraceId,
    pub step_id: StepId,
    pub agent_id: AgentId,
    pub chain: String,
    /// From 0.
    pub position: u32,
    pub frame: Value,
    pub response_json: Value,
    pub created_at: Timestamp,
}

/// The trace of a step, if one was kept.
pub fn get(conn: &Connection, step_id: &StepId) -> Result<Option<StepTrace>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM step_traces WHERE step_id = ?")?;
    let trace = statement.query_row([step_id.as_str()], |row| {
        let chain: Option<(String, u32)> = match row.get("chain")? {
            Some(chain) => Some((chain, row.get("position")?)),
            None => None,
        };
        let request_json = if chain.is_some() { Value::Null } else { row.json("request_json")? };
        let trace = StepTrace {
            id: row.id("id")?,
            step_id: row.id("step_id")?,
            request_json,
            response_json: row.json("response_json")?,
            created_at: row.time("created_at")?,
        };
        Ok((trace, chain))
    });
    let Some((mut trace, chain)) = trace.optional()? else { return Ok(None) };
    if let Some((chain, position)) = chain {
        // A frame that is missing was not written when the disk was full; what is left says nothing reliable.
        let Some(request) = request_at(conn, &chain, position)? else { return Ok(None) };
        trace.request_json = request;
    }
    Ok(Some(trace))
}

fn request_at(conn: &Connection, chain: &str, position: u32) -> Result<Option<Value>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT position, body FROM request_frames WHERE chain = ? AND position <= ? ORDER BY position",
    )?;
    let mut rows = statement.query(params![chain, position])?;
    let mut reader = Reader::default();
    let mut expected = 0;
    while let Some(row) = rows.next()? {
        if row.get::<_, u32>(0)? != expected || reader.apply(row.json(1)?).is_none() {
            return Ok(None);
        }
        expected += 1;
    }
    Ok((expected == position + 1).then(|| reader.request()))
}

/// Keeps a step's trace as the next of its chain. `false`, and nothing is kept, if the frame before it is not
/// there: the chain has to begin anew.
pub fn append(conn: &Connection, trace: &FramedTrace) -> Result<bool, StoreError> {
    if let Some(before) = trace.position.checked_sub(1) {
        let mut known =
            conn.prepare_cached("SELECT 1 FROM request_frames WHERE chain = ? AND position = ?")?;
        if !known.exists(params![trace.chain, before])? {
            return Ok(false);
        }
    }
    conn.prepare_cached(
        "INSERT INTO request_frames (chain, position, agent_id, body, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        trace.chain,
        trace.position,
        trace.agent_id.as_str(),
        json(&trace.frame)?,
        trace.created_at.0
    ])?;
    conn.prepare_cached(
        "INSERT INTO step_traces (step_id, id, request_json, response_json, created_at, chain, position)
         VALUES (?1, ?2, 'null', ?3, ?4, ?5, ?6)
         ON CONFLICT (step_id) DO UPDATE
         SET id = ?2, request_json = 'null', response_json = ?3, created_at = ?4, chain = ?5, position = ?6",
    )?
    .execute(params![
        trace.step_id.as_str(),
        trace.id.as_str(),
        json(&trace.response_json)?,
        trace.created_at.0,
        trace.chain,
        trace.position,
    ])?;
    Ok(true)
}

/// Keeps a step's trace; a later one of the same step takes its place.
pub fn upsert(conn: &Connection, trace: &StepTrace) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO step_traces (step_id, id, request_json, response_json, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (step_id) DO UPDATE
         SET id = ?2, request_json = ?3, response_json = ?4, created_at = ?5, chain = NULL, position = NULL",
    )?
    .execute(params![
        trace.step_id.as_str(),
        trace.id.as_str(),
        json(&trace.request_json)?,
        json(&trace.response_json)?,
        trace.created_at.0,
    ])?;
    Ok(())
}

/// Deletes traces made before a moment, and the frames no trace needs any more. At most `limit` traces at a time, so
/// that others can write in between. How many there were.
pub fn trim(conn: &Connection, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let deleted = conn
        .prepare_cached(
            "DELETE FROM step_traces WHERE step_id IN
             (SELECT step_id FROM step_traces WHERE created_at < ? ORDER BY created_at LIMIT ?)",
        )?
        .execute(params![before.0, limit])?;
    conn.prepare_cached(
        "DELETE FROM request_frames WHERE created_at < ?1
         AND NOT EXISTS (SELECT 1 FROM step_traces WHERE step_traces.chain = request_frames.chain)",
    )?
    .execute([before.0])?;
    Ok(deleted)
}
