//! The folders on this machine that client tools may use for an agent or in one of its conversations.

use loci_api::ids::{AgentId, ConversationId};
use rusqlite::{Connection, Row, params};

use crate::StoreError;

/// One folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkFolder {
    /// Canonical and absolute.
    pub path: String,
    /// Tools may look but not write.
    pub read_only: bool,
}

fn read(row: &Row<'_>) -> rusqlite::Result<WorkFolder> {
    Ok(WorkFolder { path: row.get("path")?, read_only: row.get("read_only")? })
}

/// The folders of an agent, or those of one conversation alone.
pub fn list(
    conn: &Connection,
    connection: &str,
    agent_id: &AgentId,
    conversation_id: Option<&ConversationId>,
) -> Result<Vec<WorkFolder>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT * FROM work_folders WHERE connection = ?1 AND agent_id = ?2 AND conversation_id = ?3 ORDER BY position",
    )?;
    let conversation = conversation_id.map_or("", ConversationId::as_str);
    let folders = statement.query_map(params![connection, agent_id.as_str(), conversation], read)?;
    Ok(folders.collect::<rusqlite::Result<_>>()?)
}

/// Puts these folders in the place of all before.
pub fn replace(
    conn: &Connection,
    connection: &str,
    agent_id: &AgentId,
    conversation_id: Option<&ConversationId>,
    folders: &[WorkFolder],
) -> Result<(), StoreError> {
    let conversation = conversation_id.map_or("", ConversationId::as_str);
    conn.prepare_cached(
        "DELETE FROM work_folders WHERE connection = ?1 AND agent_id = ?2 AND conversation_id = ?3",
    )?
    .execute(params![connection, agent_id.as_str(), conversation])?;
    let mut insert = conn.prepare_cached(
        "INSERT INTO work_folders (connection, agent_id, conversation_id, position, path, read_only)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (position, folder) in (0_i64..).zip(folders) {
        insert.execute(params![
            connection,
            agent_id.as_str(),
            conversation,
            position,
            folder.path,
            folder.read_only,
        ])?;
    }
    Ok(())
}
