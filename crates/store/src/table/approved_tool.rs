//! What each tool was when a call of it was last allowed, so that a person is shown what became of it since.

use loci_api::{ids::AgentId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// A tool as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovedTool {
    pub connection: String,
    pub agent_id: AgentId,
    pub tool: String,
    /// An object, of the desk's making.
    pub content: Value,
    /// `person` or `rule`.
    pub decided_by: String,
    pub rule_id: Option<String>,
    pub at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ApprovedTool> {
    Ok(ApprovedTool {
        connection: row.get("connection")?,
        agent_id: row.id("agent_id")?,
        tool: row.get("tool")?,
        content: row.json("content")?,
        decided_by: row.get("decided_by")?,
        rule_id: row.get("rule_id")?,
        at: row.time("at")?,
    })
}

/// Keeps it in the place of what the same agent was allowed before.
pub fn keep(conn: &Connection, allowed: &ApprovedTool) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO approved_tools (connection, agent_id, tool, content, decided_by, rule_id, at)
         VALUES (:connection, :agent_id, :tool, :content, :decided_by, :rule_id, :at)
         ON CONFLICT DO UPDATE SET content = :content, decided_by = :decided_by, rule_id = :rule_id, at = :at",
    )?
    .execute(named_params! {
        ":connection": allowed.connection,
        ":agent_id": allowed.agent_id.as_str(),
        ":tool": allowed.tool,
        ":content": json(&allowed.content)?,
        ":decided_by": allowed.decided_by,
        ":rule_id": allowed.rule_id,
        ":at": allowed.at.0,
    })?;
    Ok(())
}

/// What this agent was last allowed to call under that name; else what another agent of the connection was.
pub fn last(
    conn: &Connection,
    connection: &str,
    agent_id: &AgentId,
    tool: &str,
) -> Result<Option<ApprovedTool>, StoreError> {
    let found = conn
        .prepare_cached(
            "SELECT * FROM approved_tools WHERE connection = ?1 AND tool = ?3
             ORDER BY agent_id = ?2 DESC, at DESC LIMIT 1",
        )?
        .query_row([connection, agent_id.as_str(), tool], read);
    Ok(found.optional()?)
}
