//! Names of the environment variables of an agent's tools. Their values are where all secrets are, not here; only an
//! older version wrote them into the rows, from which they are moved.

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
    /// The value, if it still is in the row.
    pub unmoved: Option<String>,
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
        unmoved: Some(row.get::<_, String>("value")?).filter(|value| !value.is_empty()),
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

/// All whose values still are in their rows.
pub fn unmoved(conn: &Connection) -> Result<Vec<AgentSecret>, StoreError> {
    let mut statement = conn.prepare("SELECT * FROM agent_secrets WHERE value <> '' ORDER BY sequence")?;
    let secrets = statement.query_map([], read)?;
    Ok(secrets.collect::<rusqlite::Result<_>>()?)
}

/// Takes a value out of its row: it is kept elsewhere now. What the row held is overwritten in the file.
pub fn moved(conn: &Connection, id: &SecretId) -> Result<(), StoreError> {
    conn.pragma_update(None, "secure_delete", true)?;
    let done = conn.execute("UPDATE agent_secrets SET value = '' WHERE id = ?", [id.as_str()]);
    conn.pragma_update(None, "secure_delete", false)?;
    done?;
    Ok(())
}

/// Makes these the names of the agent's variables. A name that stays keeps its id and description; the value an older
/// version left in its row stays for those in `untouched`.
pub fn replace(
    conn: &Connection,
    agent_id: &AgentId,
    names: &[String],
    untouched: &[String],
    now: Timestamp,
) -> Result<(), StoreError> {
    for kept in list(conn, agent_id)? {
        if !names.contains(&kept.key) {
            conn.execute("DELETE FROM agent_secrets WHERE id = ?", [kept.id.as_str()])?;
        }
    }
    let mut insert = conn.prepare_cached(
        "INSERT INTO agent_secrets (id, agent_id, key, value, created_at, updated_at) VALUES (?1, ?2, ?3, '', ?4, ?4)
         ON CONFLICT (agent_id, key) DO UPDATE SET value = '', updated_at = ?4",
    )?;
    let known = list(conn, agent_id)?;
    for name in names {
        if untouched.contains(name) && known.iter().any(|kept| kept.key == *name) {
            continue;
        }
        insert.execute(params![SecretId::new().as_str(), agent_id.as_str(), name, now.0])?;
    }
    Ok(())
}
