//! What waits for a person, across all agents: threads whose context ends in an approval request.

use std::collections::HashMap;

use loci_api::{ids::MessageId, message::Message};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::message::{COLUMNS, read};
use crate::{StoreError, row::RowExt};

/// An approval request nobody has answered, with its agent's name.
#[derive(Debug, Clone, PartialEq)]
pub struct PendingApproval {
    pub message: Message,
    pub agent_name: String,
}

/// The last message of a context, if it asks for approval. Conversations that were deleted ask nothing any more.
const PENDING: &str = "(SELECT agents.name FROM agents WHERE agents.id = messages.agent_id)
  FROM messages
  JOIN context ON context.message_id = messages.id
    AND context.thread_id = coalesce(messages.conversation_id, messages.agent_id)
  WHERE messages.role = 'approval' AND messages.tool_calls IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM context AS later
      WHERE later.thread_id = context.thread_id AND later.position > context.position)
    AND NOT EXISTS (SELECT 1 FROM conversations
      WHERE conversations.id = messages.conversation_id AND conversations.deleted_at IS NOT NULL)";

/// All of them, the longest waiting first, at most `limit`.
pub fn list(conn: &Connection, limit: u32) -> Result<Vec<PendingApproval>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, {PENDING} ORDER BY messages.sequence LIMIT ?");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map([limit], read_pending)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The one with this message id, if it still waits.
pub fn get(conn: &Connection, id: &MessageId) -> Result<Option<PendingApproval>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, {PENDING} AND messages.id = ?");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query_map(params![id.as_str()], read_pending)?;
    Ok(rows.next().transpose()?)
}

fn read_pending(row: &Row<'_>) -> rusqlite::Result<PendingApproval> {
    Ok(PendingApproval { message: read(row)?, agent_name: row.get(17)? })
}

/// The person's message that a request's turn answers: the last one before it in the same thread.
pub fn turn(conn: &Connection, id: &MessageId) -> Result<Option<MessageId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT said.id FROM messages AS asked JOIN messages AS said
           ON said.agent_id = asked.agent_id AND said.conversation_id IS asked.conversation_id
         WHERE asked.id = ? AND said.role = 'user' AND said.sequence < asked.sequence
         ORDER BY said.sequence DESC LIMIT 1",
    )?;
    Ok(statement.query_row([id.as_str()], |row| row.id(0)).optional()?)
}

/// The names of all agents, by id, for people to read.
pub fn agent_names(conn: &Connection) -> Result<HashMap<String, String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT id, name FROM agents")?;
    let names = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}
