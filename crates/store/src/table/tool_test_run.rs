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

/// Whose source was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// Source that was not stored yet.
    New,
    /// A tool of the server.
    Tool(ToolId),
    /// A client tool a person wrote: `client-tool-<uuid>`.
    Own(String),
}

impl Tried {
    /// Its columns.
    fn ids(&self) -> (Option<&str>, Option<&str>) {
        match self {
            Self::New => (None, None),
            Self::Tool(id) => (Some(id.as_str()), None),
            Self::Own(id) => (None, Some(id)),
        }
    }
}

/// One test run.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolTestRun {
    pub tried: Tried,
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
    let own: Option<String> = row.get("client_tool_id")?;
    Ok(ToolTestRun {
        tried: match (row.opt_id("tool_id")?, own) {
            (Some(id), _) => Tried::Tool(id),
            (None, Some(id)) => Tried::Own(id),
            (None, None) => Tried::New,
        },
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
    let (tool_id, client_tool_id) = run.tried.ids();
    conn.prepare_cached(
        "INSERT INTO tool_test_runs (tool_id, client_tool_id, name, arguments, status, result, confinement,
           duration_ms, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        tool_id,
        client_tool_id,
        run.name,
        json(&run.arguments)?,
        if run.success { "success" } else { "error" },
        run.result,
        json(&run.confinement)?,
        run.duration_ms,
        run.at.0,
    ])?;
    conn.prepare_cached(
        "DELETE FROM tool_test_runs WHERE tool_id IS ?1 AND client_tool_id IS ?2 AND sequence NOT IN
           (SELECT sequence FROM tool_test_runs WHERE tool_id IS ?1 AND client_tool_id IS ?2
            ORDER BY sequence DESC LIMIT ?3)",
    )?
    .execute(params![tool_id, client_tool_id, KEPT])?;
    Ok(())
}

/// The newest `limit` runs of it, newest first.
pub fn list(conn: &Connection, tried: &Tried, limit: u32) -> Result<Vec<ToolTestRun>, StoreError> {
    let (tool_id, client_tool_id) = tried.ids();
    let mut statement = conn.prepare_cached(
        "SELECT * FROM tool_test_runs WHERE tool_id IS ? AND client_tool_id IS ? ORDER BY sequence DESC LIMIT ?",
    )?;
    let runs = statement.query_map(params![tool_id, client_tool_id, limit], read)?;
    Ok(runs.collect::<rusqlite::Result<_>>()?)
}
