//! What this person grants a tool on this machine: network, limits, variables. Secret values are never here.

use std::collections::BTreeMap;

use loci_api::{ids::ToolId, time::Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// One tool's grants and limits. The default is what a tool has without any: no network, the server's limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolSettings {
    /// Whether it may connect to other machines.
    pub network: bool,
    /// `None`: the server's own limit.
    pub timeout_seconds: Option<u32>,
    /// `None`: the server's own limit.
    pub memory_mb: Option<u32>,
    /// Variables that are no secrets.
    pub env: BTreeMap<String, String>,
    /// Names of variables whose values are in the place for secrets.
    pub secret_names: Vec<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ToolSettings> {
    Ok(ToolSettings {
        network: row.get("network")?,
        timeout_seconds: row.get("timeout_seconds")?,
        memory_mb: row.get("memory_mb")?,
        env: row.json("env")?,
        secret_names: row.json("secret_names")?,
    })
}

/// The tool's settings; the default if none were ever made.
pub fn get(conn: &Connection, id: &ToolId) -> Result<ToolSettings, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM tool_settings WHERE tool_id = ?")?;
    Ok(statement.query_row([id.as_str()], read).optional()?.unwrap_or_default())
}

/// Makes these the tool's settings.
///
/// # Errors
/// [`StoreError::MissingReference`] without such a tool.
pub fn set(
    conn: &Connection,
    id: &ToolId,
    settings: &ToolSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO tool_settings (tool_id, network, timeout_seconds, memory_mb, env, secret_names, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (tool_id) DO UPDATE SET network = ?2, timeout_seconds = ?3, memory_mb = ?4, env = ?5,
           secret_names = ?6, updated_at = ?7",
    )?
    .execute(params![
        id.as_str(),
        settings.network,
        settings.timeout_seconds,
        settings.memory_mb,
        json(&settings.env)?,
        json(&settings.secret_names)?,
        now.0,
    ])?;
    Ok(())
}
