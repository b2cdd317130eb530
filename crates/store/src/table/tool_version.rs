//! What a person's own tool was after each change, and for whom it was changed.

use loci_api::{
    ids::ToolId,
    resource::{Requirement, Tool, ToolType},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// Everything of a tool that a restore brings back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolContent {
    pub name: Option<String>,
    pub description: Option<String>,
    pub source_type: Option<String>,
    pub source_code: Option<String>,
    pub json_schema: Option<Map<String, Value>>,
    pub args_json_schema: Option<Map<String, Value>>,
    pub tags: Vec<String>,
    pub return_char_limit: i64,
    pub pip_requirements: Option<Vec<Requirement>>,
    pub npm_requirements: Option<Vec<Requirement>>,
    pub default_requires_approval: Option<bool>,
    pub enable_parallel_execution: Option<bool>,
}

impl ToolContent {
    /// What the tool holds now.
    #[must_use]
    pub fn of(tool: &Tool) -> Self {
        Self {
            name: tool.name.clone(),
            description: tool.description.clone(),
            source_type: tool.source_type.clone(),
            source_code: tool.source_code.clone(),
            json_schema: tool.json_schema.clone(),
            args_json_schema: tool.args_json_schema.clone(),
            tags: tool.tags.clone(),
            return_char_limit: tool.return_char_limit,
            pip_requirements: tool.pip_requirements.clone(),
            npm_requirements: tool.npm_requirements.clone(),
            default_requires_approval: tool.default_requires_approval,
            enable_parallel_execution: tool.enable_parallel_execution,
        }
    }

    /// Writes it over a tool; ids and times stay.
    pub fn put_into(self, tool: &mut Tool) {
        tool.name = self.name;
        tool.description = self.description;
        tool.source_type = self.source_type;
        tool.source_code = self.source_code;
        tool.json_schema = self.json_schema;
        tool.args_json_schema = self.args_json_schema;
        tool.tags = self.tags;
        tool.return_char_limit = self.return_char_limit;
        tool.pip_requirements = self.pip_requirements;
        tool.npm_requirements = self.npm_requirements;
        tool.default_requires_approval = self.default_requires_approval;
        tool.enable_parallel_execution = self.enable_parallel_execution;
    }
}

/// A tool as one change left it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolVersion {
    pub version: i64,
    pub content: ToolContent,
    /// The user it was done for, where it is known.
    pub changed_by: Option<String>,
    pub at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ToolVersion> {
    Ok(ToolVersion {
        version: row.get("version")?,
        content: row.json("content")?,
        changed_by: row.get("changed_by")?,
        at: row.time("at")?,
    })
}

/// The newest `limit` versions older than `below` (all, if `None`), newest first.
pub fn list(
    conn: &Connection,
    id: &ToolId,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<ToolVersion>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT * FROM tool_versions WHERE tool_id = ? AND version < ? ORDER BY version DESC LIMIT ?",
    )?;
    let versions = statement.query_map(params![id.as_str(), below.unwrap_or(i64::MAX), limit], read)?;
    Ok(versions.collect::<rusqlite::Result<_>>()?)
}

/// One version.
pub fn get(conn: &Connection, id: &ToolId, version: i64) -> Result<Option<ToolVersion>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM tool_versions WHERE tool_id = ? AND version = ?")?;
    Ok(statement.query_row(params![id.as_str(), version], read).optional()?)
}

/// Notes what a person's own tool is now, if that is anything new. Called by every write of `tools`, in the same
/// transaction.
pub(super) fn note(conn: &Connection, tool: &Tool, now: Timestamp) -> Result<(), StoreError> {
    if tool.tool_type != ToolType::Custom {
        return Ok(());
    }
    let content = ToolContent::of(tool);
    let newest = list(conn, &tool.id, None, 1)?.pop();
    if newest.as_ref().is_some_and(|newest| newest.content == content) {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO tool_versions (tool_id, version, content, changed_by, at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        tool.id.as_str(),
        newest.map_or(1, |newest| newest.version + 1),
        json(&content)?,
        tool.last_updated_by_id,
        now.0,
    ])?;
    Ok(())
}
