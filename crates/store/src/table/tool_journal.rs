//! Which tool calls were begun and finished: after a crash it tells what may have taken effect.

use loci_api::{ids::StepId, time::Timestamp};
use rusqlite::{Connection, Row, params};

use crate::{StoreError, row::RowExt};

/// One tool call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    pub step_id: StepId,
    pub tool_call_id: String,
    pub name: String,
    /// JSON text as the model wrote it.
    pub arguments: String,
    pub started_at: Timestamp,
    /// `None`: it was cut off, or is still going on.
    pub finished_at: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    Ok(JournalEntry {
        step_id: row.id("step_id")?,
        tool_call_id: row.get("tool_call_id")?,
        name: row.get("name")?,
        arguments: row.get("arguments")?,
        started_at: row.time("started_at")?,
        finished_at: row.opt_time("finished_at")?,
    })
}

/// Notes that a call begins.
pub fn start(
    conn: &Connection,
    step_id: &StepId,
    tool_call_id: &str,
    name: &str,
    arguments: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO tool_journal (step_id, tool_call_id, name, arguments, state, started_at)
         VALUES (?1, ?2, ?3, ?4, 'started', ?5)
         ON CONFLICT (step_id, tool_call_id) DO UPDATE SET state = 'started', started_at = ?5, finished_at = NULL",
    )?
    .execute(params![step_id.as_str(), tool_call_id, name, arguments, now.0])?;
    Ok(())
}

/// Notes that a call came to an end, well or badly.
pub fn finish(
    conn: &Connection,
    step_id: &StepId,
    tool_call_id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE tool_journal SET state = 'finished', finished_at = ?3 WHERE step_id = ?1 AND tool_call_id = ?2",
    )?
    .execute(params![step_id.as_str(), tool_call_id, now.0])?;
    Ok(())
}

/// The calls of a step, in the order they were begun.
pub fn list_for_step(conn: &Connection, step_id: &StepId) -> Result<Vec<JournalEntry>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT * FROM tool_journal WHERE step_id = ? ORDER BY started_at, tool_call_id")?;
    let entries = statement.query_map([step_id.as_str()], read)?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}
