//! Environment variables of an agent's tools. Values may be secret: they are for the sandbox, not for answers.

use std::fmt;

use loci_api::{
    ids::{AgentId, SecretId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, params};

use crate::{StoreError, row::RowExt};

/// One variable.
#[derive(Clone, PartialEq, Eq)]
pub struct AgentSecret {
    pub id: SecretId,
    pub agent_id: AgentId,
    pub key: String,
    pub value: String,
    pub description: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl fmt::Debug for AgentSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentSecret").field("id", &self.id).field("key", &self.key).finish_non_exhaustive()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AgentSecret> {
    Ok(AgentSecret {
        id: row.id("id")?,
        agent_id: row.id("agent_id")?,
        key: row.get("key")?,
        value: row.get("value")?,
        description: row.get("description")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// An agent's variables in the order they were set first.
pub fn list(conn: &Connection, agent_id: &AgentId) -> Result<Vec<AgentSecret>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM agent_secrets WHERE agent_id = ? ORDER BY sequence")?;
    let secrets = statement.query_map([agent_id.as_str()], read)?;
    Ok(secrets.collect::<rusqlite::Result<_>>()?)
}

/// Makes these the agent's variables. A key that stays keeps its id and description.
pub fn replace(
    conn: &Connection,
    agent_id: &AgentId,
    secrets: &[(String, String)],
    now: Timestamp,
) -> Result<(), StoreError> {
    for kept in list(conn, agent_id)? {
        if !secrets.iter().any(|(key, _)| *key == kept.key) {
            conn.execute("DELETE FROM agent_secrets WHERE id = ?", [kept.id.as_str()])?;
        }
    }
    for (key, value) in secrets {
        set(conn, agent_id, key, value, None, now)?;
    }
    Ok(())
}

/// Sets one variable; without a description the one it has stays.
pub fn set(
    conn: &Connection,
    agent_id: &AgentId,
    key: &str,
    value: &str,
    description: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO agent_secrets (id, agent_id, key, value, description, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)
         ON CONFLICT (agent_id, key) DO UPDATE SET value = ?4, description = coalesce(?5, description), updated_at = ?6",
    )?
    .execute(params![SecretId::new().as_str(), agent_id.as_str(), key, value, description, now.0])?;
    Ok(())
}
