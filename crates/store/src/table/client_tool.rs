//! Client tools people wrote themselves.

use std::collections::BTreeMap;

use loci_api::{resource::Requirement, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::Value;

use super::client_tool_version;
use crate::{
    StoreError,
    row::{RowExt, json},
};

/// What the id of every tool written here begins with, and of no tool of a server.
pub const ID_PREFIX: &str = "client-tool-";

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
    /// `None`: the server's own limit.
    pub memory_mb: Option<u32>,
    /// Variables that are no secrets.
    pub env: BTreeMap<String, String>,
    /// Names of variables whose values are in the place for secrets.
    pub secret_names: Vec<String>,
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
        memory_mb: row.get("memory_mb")?,
        env: row.json("env")?,
        secret_names: row.json("secret_names")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Adds a tool, or replaces the one with this id; a state that is new becomes a version of it. Variables of one that
/// is there stay: [`set_variables`] changes them.
pub fn upsert(conn: &Connection, tool: &OwnTool) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO client_tools (id, name, source_type, source_code, json_schema, pip_requirements,
           npm_requirements, read_only, network, timeout_seconds, memory_mb, env, secret_names, created_at, updated_at)
         VALUES (:id, :name, :source_type, :source_code, :json_schema, :pip_requirements,
           :npm_requirements, :read_only, :network, :timeout_seconds, :memory_mb, :env, :secret_names, :created_at,
           :updated_at)
         ON CONFLICT (id) DO UPDATE SET name = :name, source_type = :source_type, source_code = :source_code,
           json_schema = :json_schema, pip_requirements = :pip_requirements, npm_requirements = :npm_requirements,
           read_only = :read_only, network = :network, timeout_seconds = :timeout_seconds, memory_mb = :memory_mb,
           updated_at = :updated_at",
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
        ":memory_mb": tool.memory_mb,
        ":env": json(&tool.env)?,
        ":secret_names": json(&tool.secret_names)?,
        ":created_at": tool.created_at.0,
        ":updated_at": tool.updated_at.0,
    })
    .map_err(|error| StoreError::from(error).naming(Some(&tool.name)))?;
    client_tool_version::note(conn, tool)
}

/// Replaces a tool's variables. Whether there is such a tool.
pub fn set_variables(
    conn: &Connection,
    id: &str,
    env: &BTreeMap<String, String>,
    secret_names: &[String],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("UPDATE client_tools SET env = ?2, secret_names = ?3, updated_at = ?4 WHERE id = ?1")?
        .execute(params![id, json(env)?, json(&secret_names)?, now.0])?;
    Ok(changed > 0)
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
