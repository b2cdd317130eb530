//! The stream of a background run, kept for a while so that a client that lost it can go on where it was.

use loci_api::{ids::RunId, time::Timestamp};
use rusqlite::{Connection, params};

use crate::StoreError;

/// One numbered event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEvent {
    pub seq_id: i64,
    /// What stands behind `data: `.
    pub payload: String,
}

/// Appends events.
///
/// # Errors
/// [`StoreError::Duplicate`] if a number is taken.
pub fn append(
    conn: &Connection,
    run_id: &RunId,
    events: &[RunEvent],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO run_events (run_id, seq_id, payload, created_at) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for event in events {
        insert.execute(params![run_id.as_str(), event.seq_id, event.payload, now.0])?;
    }
    Ok(())
}

/// At most `limit` events after this number, in order.
pub fn list_after(
    conn: &Connection,
    run_id: &RunId,
    starting_after: i64,
    limit: u32,
) -> Result<Vec<RunEvent>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT seq_id, payload FROM run_events WHERE run_id = ? AND seq_id > ? ORDER BY seq_id LIMIT ?",
    )?;
    let events = statement.query_map(params![run_id.as_str(), starting_after, limit], |row| {
        Ok(RunEvent { seq_id: row.get(0)?, payload: row.get(1)? })
    })?;
    Ok(events.collect::<rusqlite::Result<_>>()?)
}

/// The last number there is; `None` if the run has no events, or none any more.
pub fn last_seq_id(conn: &Connection, run_id: &RunId) -> Result<Option<i64>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT max(seq_id) FROM run_events WHERE run_id = ?")?;
    Ok(statement.query_row([run_id.as_str()], |row| row.get(0))?)
}

/// Deletes the streams of runs that ended before a moment, at most `limit` runs at a time, so that others can write in
/// between. How many runs there were.
pub fn trim(conn: &Connection, ended_before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT DISTINCT run_id FROM run_events INDEXED BY run_events_by_time JOIN runs ON runs.id = run_events.run_id
         WHERE run_events.created_at < ?1 AND runs.completed_at < ?1 LIMIT ?2",
    )?;
    let runs: Vec<String> = statement
        .query_map(params![ended_before.0, limit], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut delete = conn.prepare_cached("DELETE FROM run_events WHERE run_id = ?")?;
    for run in &runs {
        delete.execute([run])?;
    }
    Ok(runs.len())
}
