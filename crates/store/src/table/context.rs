//! What is in each thread's context window: an ordered list of messages, the system prompt first.

use loci_api::{ids::MessageId, message::Message};
use rusqlite::{Connection, OptionalExtension, params};

use super::message;
use crate::{StoreError, Thread, row::RowExt};

/// The messages in the window, in order.
pub fn load(conn: &Connection, thread: &Thread) -> Result<Vec<Message>, StoreError> {
    let columns = message::COLUMNS;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM context JOIN messages ON messages.id = context.message_id
         WHERE thread_id = ? ORDER BY position"
    ))?;
    let messages = statement.query_map([thread.id()], message::read)?;
    Ok(messages.collect::<rusqlite::Result<_>>()?)
}

/// The ids of the messages in the window, in order.
pub fn ids(conn: &Connection, thread: &Thread) -> Result<Vec<MessageId>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT message_id FROM context WHERE thread_id = ? ORDER BY position")?;
    let ids = statement.query_map([thread.id()], |row| row.id(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The first message in the window: the system prompt.
pub fn first(conn: &Connection, thread: &Thread) -> Result<Option<Message>, StoreError> {
    end(conn, thread, "ORDER BY position ASC LIMIT 1")
}

/// The last message in the window: it tells whether an approval is pending.
pub fn last(conn: &Connection, thread: &Thread) -> Result<Option<Message>, StoreError> {
    end(conn, thread, "ORDER BY position DESC LIMIT 1")
}

fn end(conn: &Connection, thread: &Thread, order: &'static str) -> Result<Option<Message>, StoreError> {
    let mut statement =
        conn.prepare_cached(&format!("SELECT message_id FROM context WHERE thread_id = ? {order}"))?;
    let id = statement.query_row([thread.id()], |row| row.id(0)).optional()?;
    match id {
        Some(id) => message::get(conn, &id),
        None => Ok(None),
    }
}

/// Puts messages that are in the history behind those in the window. Costs the same however long it is.
///
/// # Errors
/// [`StoreError::MissingReference`] if one is not in the history.
pub fn append(conn: &Connection, thread: &Thread, ids: &[MessageId]) -> Result<(), StoreError> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO context (thread_id, position, message_id)
         SELECT ?1, coalesce(max(position) + 1, 0), ?2 FROM context WHERE thread_id = ?1",
    )?;
    for id in ids {
        insert.execute(params![thread.id(), id.as_str()])?;
    }
    Ok(())
}

/// Appends messages to the history and to the window, in this order.
///
/// # Errors
/// As [`message::insert`]. A message of a failed step (`is_err`) goes to the history only.
pub fn push(conn: &Connection, thread: &Thread, messages: &[Message]) -> Result<(), StoreError> {
    for message in messages {
        message::insert(conn, message)?;
        if !message.is_err {
            append(conn, thread, std::slice::from_ref(&message.id))?;
        }
    }
    Ok(())
}

/// Makes these the window's messages, for compaction or because a client set them.
///
/// # Errors
/// [`StoreError::NotFound`] if one is not a message of this agent; nothing may be left dangling.
pub fn replace(conn: &Connection, thread: &Thread, ids: &[MessageId]) -> Result<(), StoreError> {
    let mut known = conn.prepare_cached("SELECT 1 FROM messages WHERE id = ? AND agent_id = ?")?;
    for id in ids {
        if !known.exists([id.as_str(), thread.agent_id.as_str()])? {
            return Err(StoreError::not_found("message", id));
        }
    }
    clear(conn, thread)?;
    append(conn, thread, ids)
}

/// Empties the window; the history stays.
pub fn clear(conn: &Connection, thread: &Thread) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM context WHERE thread_id = ?")?.execute([thread.id()])?;
    Ok(())
}

/// How many messages the window holds and which is last, at the cost of one look: whether what is known of a
/// thread still holds.
pub fn tail(conn: &Connection, thread: &Thread) -> Result<Option<(usize, MessageId)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT position, message_id FROM context WHERE thread_id = ? ORDER BY position DESC LIMIT 1",
    )?;
    let tail = statement.query_row([thread.id()], |row| {
        let position: i64 = row.get(0)?;
        Ok((usize::try_from(position).unwrap_or(0) + 1, row.id(1)?))
    });
    Ok(tail.optional()?)
}
