//! Client tools people wrote themselves.

use loci_api::{resource::Requirement, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params};
use serde_json::Value;

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// One tool.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnTool {
    /// `client-tool-<uuid>`.
    pub id: String,
    pub name: String,
    /// `python` or `typescript`.
    pub source_type: String,
    pub source_code: String,
    /// Name, description and parameters as the model is told.
    pub json_schema: Value,
    pub pip_requirements: Vec<Requirement>,
    pub npm_requirements: Vec<Requirement>,
    /// What its author says of it: it changes nothing.
    pub read_only: bool,
    /// Whether it may connect to other machines.
    pub network: bool,
    pub timeout_seconds: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<OwnTool> {
    Ok(OwnTool {
        id: row.get("id")?,
        name: row.get("name")?,
        source_type: row.get("source_type")?,
        source_code: row.get("source_code")?,
        json_schema: row.json("json_schema")?,
        pip_requirements: row.json("pip_requirements")?,
        npm_requirements: row.json("npm_requirements")?,
        read_only: row.get("read_only")?,
        network: row.get("network")?,
        timeout_seconds: row.get("timeout_seconds")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Adds a tool, or replaces the one with this id.
pub fn upsert(conn: &Connection, tool: &OwnTool) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO client_tools (id, name, source_type, source_code, json_schema, pip_requirements,
           npm_requirements, read_only, network, timeout_seconds, created_at, updated_at)
         VALUES (:id, :name, :source_type, :source_code, :json_schema, :pip_requirements,
           :npm_requirements, :read_only, :network, :timeout_seconds, :created_at, :updated_at)
         ON CONFLICT (id) DO UPDATE SET name = :name, source_type = :source_type, source_code = :source_code,
           json_schema = :json_schema, pip_requirements = :pip_requirements, npm_requirements = :npm_requirements,
           read_only = :read_only, network = :network, timeout_seconds = :timeout_seconds, updated_at = :updated_at",
    )?
    .execute(named_params! {
        ":id": tool.id,
        ":name": tool.name,
        ":source_type": tool.source_type,
        ":source_code": tool.source_code,
        ":json_schema": json(&tool.json_schema)?,
        ":pip_requirements": json(&tool.pip_requirements)?,
        ":npm_requirements": json(&tool.npm_requirements)?,
        ":read_only": tool.read_only,
        ":network": tool.network,
        ":timeout_seconds": tool.timeout_seconds,
        ":created_at": tool.created_at.0,
        ":updated_at": tool.updated_at.0,
    })
    .map_err(|error| StoreError::from(error).naming(Some(&tool.name)))?;
    Ok(())
}

/// All of them, by name.
pub fn list(conn: &Connection) -> Result<Vec<OwnTool>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM client_tools ORDER BY name")?;
    let tools = statement.query_map([], read)?;
    Ok(tools.collect::<rusqlite::Result<_>>()?)
}

/// The tool with this id.
pub fn get(conn: &Connection, id: &str) -> Result<Option<OwnTool>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM client_tools WHERE id = ?")?;
    Ok(statement.query_row([id], read).optional()?)
}

/// Removes a tool. Whether there was one.
pub fn delete(conn: &Connection, id: &str) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("DELETE FROM client_tools WHERE id = ?")?.execute([id])? > 0)
}
