//! Calls of server tools that run a person's code or reach outside, noted before they begin and when they ended:
//! what kept each within bounds, and after a crash what may have taken effect.

use loci_api::{ids::StepId, time::Timestamp};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::approval_audit::{self, AuditOutcome};
use crate::{StoreError, row::RowExt};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    #[serde(skip)]
    pub step_id: StepId,
    /// With `:` and a number behind it where code made the call.
    pub tool_call_id: String,
    pub name: String,
    pub state: JournalState,
    /// What kept it within bounds, for people; None: nothing was started for it.
    pub confinement: Option<String>,
    pub started_at: Timestamp,
    /// None: it was cut off, or is still going on.
    pub finished_at: Option<Timestamp>,
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// It runs.
    Started,
    Success,
    Error,
    /// It was cut off while it ran, by a crash or by stopping the run: it may have taken effect or not.
    Unknown,
}

fn read(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    Ok(JournalEntry {
        step_id: row.id("step_id")?,
        tool_call_id: row.get("tool_call_id")?,
        name: row.get("name")?,
        state: row.word("state")?,
        confinement: row.get("confinement")?,
        started_at: row.time("started_at")?,
        finished_at: row.opt_time("finished_at")?,
    })
}

/// Notes that a call begins. False if there is no such step: a call by hand is nobody's step.
pub fn start(
    conn: &Connection,
    step_id: &StepId,
    tool_call_id: &str,
    name: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO tool_journal (step_id, tool_call_id, name, state, started_at)
             SELECT ?1, ?2, ?3, 'started', ?4 FROM steps WHERE id = ?1
             ON CONFLICT (step_id, tool_call_id) DO UPDATE
               SET state = 'started', started_at = ?4, finished_at = NULL, confinement = NULL",
        )?
        .execute(params![step_id.as_str(), tool_call_id, name, now.0])?;
    Ok(changed > 0)
}

/// How a call ended.
#[derive(Debug, Clone)]
pub struct JournalEnd {
    pub step_id: StepId,
    pub tool_call_id: String,
    pub state: JournalState,
    pub confinement: Option<String>,
    /// What went wrong.
    pub reason: Option<String>,
    pub at: Timestamp,
}

/// Notes how a call ended; also in the log of decisions, if somebody allowed it.
pub fn finish(conn: &Connection, end: &JournalEnd) -> Result<(), StoreError> {
    let (state, outcome) = match end.state {
        JournalState::Started => return Ok(()),
        JournalState::Success => ("success", AuditOutcome::Success),
        JournalState::Error => ("error", AuditOutcome::Error),
        JournalState::Unknown => ("unknown", AuditOutcome::Unknown),
    };
    let changed = conn
        .prepare_cached(
            "UPDATE tool_journal SET state = ?3, confinement = ?4, finished_at = ?5
             WHERE step_id = ?1 AND tool_call_id = ?2 AND state = 'started'",
        )?
        .execute(params![end.step_id.as_str(), end.tool_call_id, state, end.confinement, end.at.0])?;
    if changed == 0 {
        return Ok(());
    }
    approval_audit::finish_on_server(
        conn,
        &end.step_id,
        &end.tool_call_id,
        outcome,
        end.reason.as_deref(),
        end.confinement.as_deref(),
        end.at,
    )
}

/// At the start: what is still noted as running was cut off, and nobody knows how far it came. How many calls.
pub fn mark_unknown(conn: &Connection, now: Timestamp) -> Result<usize, StoreError> {
    const REASON: &str = "Loci ended while the call ran.";
    let mut statement =
        conn.prepare_cached("UPDATE tool_journal SET state = 'unknown' WHERE state = 'started' RETURNING *")?;
    let cut_off = statement.query_map([], read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    for call in &cut_off {
        let (step, outcome) = (&call.step_id, AuditOutcome::Unknown);
        approval_audit::finish_on_server(conn, step, &call.tool_call_id, outcome, Some(REASON), None, now)?;
    }
    Ok(cut_off.len())
}

/// The calls of a step, in the order they were begun.
pub fn list_for_step(conn: &Connection, step_id: &StepId) -> Result<Vec<JournalEntry>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT * FROM tool_journal WHERE step_id = ? ORDER BY started_at, tool_call_id")?;
    let entries = statement.query_map([step_id.as_str()], read)?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}
