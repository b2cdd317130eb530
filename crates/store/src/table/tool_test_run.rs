//! Test runs made in the workshop: what was tried, what came of it, and what confined it.

use loci_api::{ids::ToolId, time::Timestamp};
use rusqlite::{Connection, Row, params};
use serde_json::{Map, Value};

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// Runs that are kept of each tool, and of source that was not stored.
const KEPT: u32 = 100;

/// One test run.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolTestRun {
    /// `None` for source that was not stored yet.
    pub tool_id: Option<ToolId>,
    /// The function that was run.
    pub name: Option<String>,
    pub arguments: Map<String, Value>,
    /// Whether it came to a result.
    pub success: bool,
    /// As the API shows it, cut by whoever writes it.
    pub result: String,
    /// What confined it, as JSON.
    pub confinement: Value,
    pub duration_ms: i64,
    pub at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ToolTestRun> {
    Ok(ToolTestRun {
        tool_id: row.opt_id("tool_id")?,
        name: row.get("name")?,
        arguments: row.json("arguments")?,
        success: row.get::<_, String>("status")? == "success",
        result: row.get("result")?,
        confinement: row.json("confinement")?,
        duration_ms: row.get("duration_ms")?,
        at: row.time("at")?,
    })
}

/// Notes a run and forgets the oldest of the same tool beyond what is kept.
///
/// # Errors
/// [`StoreError::MissingReference`] without such a tool.
pub fn insert(conn: &Connection, run: &ToolTestRun) -> Result<(), StoreError> {
    let tool_id = run.tool_id.as_ref().map(ToolId::as_str);
    conn.prepare_cached(
        "INSERT INTO tool_test_runs (tool_id, name, arguments, status, result, confinement, duration_ms, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        tool_id,
        run.name,
        json(&run.arguments)?,
        if run.success { "success" } else { "error" },
        run.result,
        json(&run.confinement)?,
        run.duration_ms,
        run.at.0,
    ])?;
    conn.prepare_cached(
        "DELETE FROM tool_test_runs WHERE tool_id IS ?1 AND sequence NOT IN
           (SELECT sequence FROM tool_test_runs WHERE tool_id IS ?1 ORDER BY sequence DESC LIMIT ?2)",
    )?
    .execute(params![tool_id, KEPT])?;
    Ok(())
}

/// The newest `limit` runs of a tool, newest first; `None` asks for those of source that was not stored.
pub fn list(conn: &Connection, id: Option<&ToolId>, limit: u32) -> Result<Vec<ToolTestRun>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT * FROM tool_test_runs WHERE tool_id IS ? ORDER BY sequence DESC LIMIT ?")?;
    let runs = statement.query_map(params![id.map(ToolId::as_str), limit], read)?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}
