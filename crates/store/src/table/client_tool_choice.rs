//! Which client tools an agent is offered, where a person chose otherwise than the tool does by itself.

use std::collections::HashMap;

use loci_api::ids::AgentId;
use rusqlite::{Connection, params};

use crate::StoreError;

/// What was chosen for an agent, by the tool's name.
pub fn list(
    conn: &Connection,
    connection: &str,
    agent_id: &AgentId,
) -> Result<HashMap<String, bool>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT tool, offered FROM client_tool_choices WHERE connection = ?1 AND agent_id = ?2",
    )?;
    let choices =
        statement.query_map(params![connection, agent_id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(choices.collect::<rusqlite::Result<_>>()?)
}

/// Chooses; `None` goes back to what the tool does by itself.
pub fn set(
    conn: &Connection,
    connection: &str,
    agent_id: &AgentId,
    tool: &str,
    offered: Option<bool>,
) -> Result<(), StoreError> {
    match offered {
        Some(offered) => conn
            .prepare_cached(
                "INSERT INTO client_tool_choices (connection, agent_id, tool, offered) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (connection, agent_id, tool) DO UPDATE SET offered = ?4",
            )?
            .execute(params![connection, agent_id.as_str(), tool, offered])?,
        None => conn
            .prepare_cached(
                "DELETE FROM client_tool_choices WHERE connection = ?1 AND agent_id = ?2 AND tool = ?3",
            )?
            .execute(params![connection, agent_id.as_str(), tool])?,
    };
    Ok(())
}
