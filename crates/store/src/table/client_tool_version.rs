//! What a client tool that a person wrote was after each change.

use loci_api::{resource::Requirement, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::client_tool::OwnTool;
use crate::{
    StoreError,
    row::{RowExt, json},
};

/// Everything of a tool that a restore brings back. What it is granted here is no part of it: network, limits
/// and variables stay as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OwnToolContent {
    pub name: String,
    /// `python` or `typescript`.
    pub source_type: String,
    pub source_code: String,
    /// Name, description and parameters as the model is told.
    pub json_schema: Value,
    pub pip_requirements: Vec<Requirement>,
    pub npm_requirements: Vec<Requirement>,
    /// What its author said of this source: it changes nothing.
    pub read_only: bool,
}

impl OwnToolContent {
    /// What the tool holds now.
    #[must_use]
    pub fn of(tool: &OwnTool) -> Self {
        Self {
            name: tool.name.clone(),
            source_type: tool.source_type.clone(),
            source_code: tool.source_code.clone(),
            json_schema: tool.json_schema.clone(),
            pip_requirements: tool.pip_requirements.clone(),
            npm_requirements: tool.npm_requirements.clone(),
            read_only: tool.read_only,
        }
    }

    /// Writes it over a tool; id, grants and times stay.
    pub fn put_into(self, tool: &mut OwnTool) {
        let Self {
            name,
            source_type,
            source_code,
            json_schema,
            pip_requirements,
            npm_requirements,
            read_only,
        } = self;
        tool.name = name;
        tool.source_type = source_type;
        tool.source_code = source_code;
        tool.json_schema = json_schema;
        tool.pip_requirements = pip_requirements;
        tool.npm_requirements = npm_requirements;
        tool.read_only = read_only;
    }
}

/// A tool as one change left it.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnToolVersion {
    pub version: i64,
    pub content: OwnToolContent,
    pub at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<OwnToolVersion> {
    Ok(OwnToolVersion { version: row.get("version")?, content: row.json("content")?, at: row.time("at")? })
}

/// The newest `limit` versions older than `below` (all, if `None`), newest first.
pub fn list(
    conn: &Connection,
    id: &str,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<OwnToolVersion>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT * FROM client_tool_versions WHERE tool_id = ? AND version < ? ORDER BY version DESC LIMIT ?",
    )?;
    let versions = statement.query_map(params![id, below.unwrap_or(i64::MAX), limit], read)?;
    Ok(versions.collect::<rusqlite::Result<_>>()?)
}

/// One version.
pub fn get(conn: &Connection, id: &str, version: i64) -> Result<Option<OwnToolVersion>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM client_tool_versions WHERE tool_id = ? AND version = ?")?;
    Ok(statement.query_row(params![id, version], read).optional()?)
}

/// Notes what a tool is now, if that is anything new. Called by every write of `client_tools`, in the same
/// transaction.
pub(super) fn note(conn: &Connection, tool: &OwnTool) -> Result<(), StoreError> {
    let content = OwnToolContent::of(tool);
    let newest = list(conn, &tool.id, None, 1)?.pop();
    if newest.as_ref().is_some_and(|newest| newest.content == content) {
        return Ok(());
    }
    conn.prepare_cached(
        "INSERT INTO client_tool_versions (tool_id, version, content, at) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        tool.id,
        newest.map_or(1, |newest| newest.version + 1),
        json(&content)?,
        tool.updated_at.0,
    ])?;
    Ok(())
}
