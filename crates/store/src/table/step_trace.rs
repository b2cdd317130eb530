//! What exactly a step sent to the model and got back.

use loci_api::{
    ids::{StepId, TraceId},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::{
    StoreError,
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

/// The trace of a step, if one was kept.
pub fn get(conn: &Connection, step_id: &StepId) -> Result<Option<StepTrace>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM step_traces WHERE step_id = ?")?;
    let trace = statement.query_row([step_id.as_str()], |row| {
        Ok(StepTrace {
            id: row.id("id")?,
            step_id: row.id("step_id")?,
            request_json: row.json("request_json")?,
            response_json: row.json("response_json")?,
            created_at: row.time("created_at")?,
        })
    });
    Ok(trace.optional()?)
}

/// Keeps a step's trace; a later one of the same step takes its place.
pub fn upsert(conn: &Connection, trace: &StepTrace) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO step_traces (step_id, id, request_json, response_json, created_at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (step_id) DO UPDATE SET id = ?2, request_json = ?3, response_json = ?4, created_at = ?5",
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

/// Deletes traces made before a moment. How many there were.
pub fn trim(conn: &Connection, before: Timestamp) -> Result<usize, StoreError> {
    Ok(conn.execute("DELETE FROM step_traces WHERE created_at < ?", [before.0])?)
}
