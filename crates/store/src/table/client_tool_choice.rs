//! Which client tools an agent is offered, where a person chose otherwise than the tool does by itself.

use std::collections::HashMap;

use loci_api::ids::AgentId;
use rusqlite::{Connection, params};

use crate::{StoreError, row::RowExt};

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

/// What was chosen about one tool, by agent.
pub fn of_tool(
    conn: &Connection,
    connection: &str,
    tool: &str,
) -> Result<HashMap<AgentId, bool>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT agent_id, offered FROM client_tool_choices WHERE connection = ?1 AND tool = ?2",
    )?;
    let choices = statement
        .query_map(params![connection, tool], |row| Ok((row.id("agent_id")?, row.get("offered")?)))?;
    Ok(choices.collect::<rusqlite::Result<_>>()?)
}

/// A tool has another name from now on: what was chosen about it stays chosen.
pub fn rename(conn: &Connection, tool: &str, name: &str) -> Result<(), StoreError> {
    // What is left of an earlier tool of the new name was about that one.
    forget(conn, name)?;
    conn.prepare_cached("UPDATE client_tool_choices SET tool = ?2 WHERE tool = ?1")?
        .execute(params![tool, name])?;
    Ok(())
}

/// A tool is gone: another one of its name begins without what was chosen about it.
pub fn forget(conn: &Connection, tool: &str) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM client_tool_choices WHERE tool = ?1")?.execute(params![tool])?;
    Ok(())
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
