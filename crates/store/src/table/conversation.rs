//! Conversations: threads beside an agent's default one. Deleting marks them; their messages stay in the history.

use loci_api::{
    ids::{AgentId, ConversationId},
    resource::Conversation,
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params};
use serde_json::Value;

use super::block;
use crate::{
    Page, StoreError,
    page::{Select, containing},
    row::{RowExt, opt_json},
};

/// Which conversations a list holds; deleted ones never.
#[derive(Debug, Clone, Default)]
pub struct ConversationFilter {
    pub agent_id: Option<AgentId>,
    /// Part of the title, case ignored.
    pub summary_search: Option<String>,
}

/// What conversations are listed by; what never happened counts as the oldest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ConversationOrder {
    #[default]
    CreatedAt,
    LastRunCompletion,
    LastMessageAt,
}

/// A conversation's own model handle and model settings.
pub type OwnModel = (Option<String>, Option<Value>);

const COLUMNS: &str = "*,
  (SELECT json_group_array(message_id ORDER BY position) FROM context WHERE thread_id = conversations.id)
    AS in_context_message_ids,
  (SELECT json_group_array(block_id ORDER BY position) FROM conversations_blocks
    WHERE conversation_id = conversations.id) AS isolated_block_ids";

fn read(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    Ok(Conversation {
        id: row.id("id")?,
        agent_id: row.id("agent_id")?,
        summary: row.get("summary")?,
        description: row.get("description")?,
        in_context_message_ids: row.json("in_context_message_ids")?,
        isolated_block_ids: row.json("isolated_block_ids")?,
        model: row.get("model")?,
        model_settings: row.opt_json("model_settings")?,
        last_message_at: row.opt_time("last_message_at")?,
        created_at: Some(row.time("created_at")?),
        updated_at: Some(row.time("updated_at")?),
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: row.get("last_updated_by_id")?,
    })
}

/// The conversation with this id, unless it was deleted.
pub fn get(conn: &Connection, id: &ConversationId) -> Result<Option<Conversation>, StoreError> {
    let mut select = Select::new(COLUMNS, "conversations", "sequence");
    select.and_always("deleted_at IS NULL").and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// Whose conversation it is, unless it was deleted: cheaper than [`get`].
pub fn agent_of(conn: &Connection, id: &ConversationId) -> Result<Option<AgentId>, StoreError> {
    let mut select = Select::new("agent_id", "conversations", "sequence");
    select.and_always("deleted_at IS NULL").and("id = ?", id.to_string());
    Ok(select.all(conn, |row| row.id(0))?.pop())
}

/// The model and settings of its own that a conversation has, unless it was deleted: cheaper than [`get`].
pub fn model_of(conn: &Connection, id: &ConversationId) -> Result<Option<OwnModel>, StoreError> {
    let mut select = Select::new("model, model_settings", "conversations", "sequence");
    select.and_always("deleted_at IS NULL").and("id = ?", id.to_string());
    Ok(select.all(conn, |row| Ok((row.get(0)?, row.opt_json(1)?)))?.pop())
}

/// A page of conversations.
pub fn list(
    conn: &Connection,
    filter: &ConversationFilter,
    order: ConversationOrder,
    page: &Page,
) -> Result<Vec<Conversation>, StoreError> {
    let key = match order {
        ConversationOrder::CreatedAt => "created_at",
        ConversationOrder::LastRunCompletion => "coalesce(last_run_completion, 0)",
        ConversationOrder::LastMessageAt => "coalesce(last_message_at, 0)",
    };
    let mut select = Select::new(COLUMNS, "conversations", key);
    select
        .and_always("deleted_at IS NULL")
        .and_some("agent_id = ?", filter.agent_id.as_ref().map(ToString::to_string))
        .and_some("instr(lower(summary), ?) > 0", filter.summary_search.as_deref().map(containing));
    select.page(conn, page, read)
}

/// Adds a conversation with its own blocks, which must exist. Its context begins empty: see `context`.
pub fn insert(conn: &Connection, conversation: &Conversation, now: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO conversations (id, agent_id, summary, description, model, model_settings, last_message_at,
           created_by_id, last_updated_by_id, created_at, updated_at)
         VALUES (:id, :agent_id, :summary, :description, :model, :model_settings, :last_message_at, :created_by_id,
           :last_updated_by_id, :created_at, :updated_at)",
    )?
    .execute(named_params! {
        ":id": conversation.id.as_str(),
        ":agent_id": conversation.agent_id.as_str(),
        ":summary": conversation.summary,
        ":description": conversation.description,
        ":model": conversation.model,
        ":model_settings": opt_json(conversation.model_settings.as_ref())?,
        ":last_message_at": conversation.last_message_at.map(|at| at.0),
        ":created_by_id": conversation.created_by_id,
        ":last_updated_by_id": conversation.last_updated_by_id,
        ":created_at": conversation.created_at.unwrap_or(now).0,
        ":updated_at": conversation.updated_at.unwrap_or(now).0,
    })
    .map_err(|error| StoreError::from(error).naming(Some(conversation.id.as_str())))?;
    conversation.isolated_block_ids.iter().try_for_each(|id| block::isolate(conn, &conversation.id, id))
}

/// Writes title, description, model and its settings.
pub fn update(conn: &Connection, conversation: &Conversation, now: Timestamp) -> Result<(), StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE conversations SET summary = :summary, description = :description, model = :model,
               model_settings = :model_settings, last_updated_by_id = :last_updated_by_id, updated_at = :now
             WHERE id = :id AND deleted_at IS NULL",
        )?
        .execute(named_params! {
            ":id": conversation.id.as_str(),
            ":summary": conversation.summary,
            ":description": conversation.description,
            ":model": conversation.model,
            ":model_settings": opt_json(conversation.model_settings.as_ref())?,
            ":last_updated_by_id": conversation.last_updated_by_id,
            ":now": now.0,
        })?;
    if changed == 0 { Err(StoreError::not_found("conversation", &conversation.id)) } else { Ok(()) }
}

/// Notes that a message was added.
pub fn record_message(conn: &Connection, id: &ConversationId, at: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE conversations SET last_message_at = ?2, updated_at = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), at.0])?;
    Ok(())
}

/// Notes that a run ended.
pub fn record_run(conn: &Connection, id: &ConversationId, completed_at: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE conversations SET last_run_completion = ?2 WHERE id = ?1")?
        .execute(params![id.as_str(), completed_at.0])?;
    Ok(())
}

/// Marks a conversation as deleted; its own blocks go for good. Whether there was one.
pub fn delete(conn: &Connection, id: &ConversationId, now: Timestamp) -> Result<bool, StoreError> {
    conn.execute(
        "DELETE FROM blocks WHERE id IN (SELECT block_id FROM conversations_blocks WHERE conversation_id = ?1)
         AND id NOT IN (SELECT block_id FROM agents_blocks)
         AND id NOT IN (SELECT block_id FROM conversations_blocks WHERE conversation_id <> ?1)",
        [id.as_str()],
    )?;
    let marked = conn.execute(
        "UPDATE conversations SET deleted_at = ?2 WHERE id = ?1 AND deleted_at IS NULL",
        params![id.as_str(), now.0],
    )?;
    Ok(marked > 0)
}
