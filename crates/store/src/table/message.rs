//! The history: every message of every agent, appended and never rewritten but for the system prompt in front.

use loci_api::{
    ids::{AgentId, ConversationId, MessageId, RunId, StepId},
    message::{ContentPart, Message, Role},
};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};

use crate::{
    Page, StoreError, Thread,
    page::{Select, any_of},
    row::{RowExt, json, list_json},
};

/// Which messages a list holds.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    pub agent_id: Option<AgentId>,
    pub thread: ThreadFilter,
    pub run_id: Option<RunId>,
    pub step_id: Option<StepId>,
    pub group_id: Option<String>,
    /// One of these; an empty list does not narrow.
    pub roles: Vec<Role>,
    /// Messages of failed steps too.
    pub include_err: bool,
}

/// Of which threads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ThreadFilter {
    #[default]
    Any,
    /// Those in no conversation.
    Default,
    Conversation(ConversationId),
}

impl From<&Thread> for ThreadFilter {
    fn from(thread: &Thread) -> Self {
        thread.conversation_id.clone().map_or(Self::Default, Self::Conversation)
    }
}

pub(super) const COLUMNS: &str =
    "messages.id, messages.agent_id, messages.conversation_id, role, content, tool_calls, tool_returns,
  approvals, name, model, messages.run_id, messages.step_id, otid, group_id, sender_id, is_err, messages.created_at";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.id(0)?,
        agent_id: row.id(1)?,
        conversation_id: row.opt_id(2)?,
        role: row.word(3)?,
        content: row.json(4)?,
        tool_calls: row.opt_json(5)?.unwrap_or_default(),
        tool_returns: row.opt_json(6)?.unwrap_or_default(),
        approvals: row.opt_json(7)?.unwrap_or_default(),
        name: row.get(8)?,
        model: row.get(9)?,
        run_id: row.opt_id(10)?,
        step_id: row.opt_id(11)?,
        otid: row.get(12)?,
        group_id: row.get(13)?,
        sender_id: row.get(14)?,
        is_err: row.get(15)?,
        created_at: row.time(16)?,
    })
}

/// The message with this id.
pub fn get(conn: &Connection, id: &MessageId) -> Result<Option<Message>, StoreError> {
    let mut select = Select::new(COLUMNS, "messages", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// The messages with these ids, in this order; ids that do not exist are left out.
pub fn get_many(conn: &Connection, ids: &[MessageId]) -> Result<Vec<Message>, StoreError> {
    ids.iter().filter_map(|id| get(conn, id).transpose()).collect()
}

/// A page of the history. Cursors are relative to the order; unknown ones are ignored.
pub fn list(conn: &Connection, filter: &MessageFilter, page: &Page) -> Result<Vec<Message>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many messages the filter finds.
pub fn count(conn: &Connection, filter: &MessageFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

fn select(filter: &MessageFilter) -> Select {
    let mut select = Select::new(COLUMNS, "messages", "sequence");
    select.and_some("agent_id = ?", filter.agent_id.as_ref().map(ToString::to_string));
    match &filter.thread {
        ThreadFilter::Any => {}
        ThreadFilter::Default => {
            select.and_always("conversation_id IS NULL");
        }
        ThreadFilter::Conversation(id) => {
            select.and("conversation_id = ?", id.to_string());
        }
    }
    let roles: Vec<&str> = filter.roles.iter().map(|role| role.as_str()).collect();
    select
        .and_some("run_id = ?", filter.run_id.as_ref().map(ToString::to_string))
        .and_some("step_id = ?", filter.step_id.as_ref().map(ToString::to_string))
        .and_some("group_id = ?", filter.group_id.clone())
        .and_some("role IN (SELECT value FROM json_each(?))", any_of(&roles));
    if !filter.include_err {
        select.and_always("is_err = 0");
    }
    select
}

/// A page of one agent's messages as its own list shows them: always oldest first, `before` and `after` always
/// earlier and later in time; without `ascending` the newest of that range.
///
/// # Errors
/// [`StoreError::NotFound`] if a cursor is not a message of this agent.
pub fn list_for_agent(
    conn: &Connection,
    agent_id: &AgentId,
    filter: &MessageFilter,
    page: &Page,
) -> Result<Vec<Message>, StoreError> {
    let filter = MessageFilter { agent_id: Some(agent_id.clone()), ..filter.clone() };
    let cursor = |id: Option<&String>| {
        id.map(|id| {
            conn.prepare_cached("SELECT sequence FROM messages WHERE id = ? AND agent_id = ?")?
                .query_row([id.as_str(), agent_id.as_str()], |row| row.get::<_, i64>(0))
                .optional()?
                .ok_or_else(|| StoreError::not_found("message", id))
        })
        .transpose()
    };
    let mut select = select(&filter);
    select
        .and_some("sequence > ?", cursor(page.after.as_ref())?)
        .and_some("sequence < ?", cursor(page.before.as_ref())?);
    let range = Page { before: None, after: None, ..*page };
    let mut messages = select.page(conn, &range, read)?;
    if !page.ascending {
        messages.reverse();
    }
    Ok(messages)
}

/// Appends a message to the history (not to a context window). Its place in the history.
///
/// # Errors
/// [`StoreError::Duplicate`] if the id exists; [`StoreError::MissingReference`] if the agent, conversation, run or
/// step does not.
pub fn insert(conn: &Connection, message: &Message) -> Result<i64, StoreError> {
    add(conn, message, search_text(message))
}

/// [`insert`] for a copy of another message: a search finds the original, and only that.
///
/// # Errors
/// As [`insert`].
pub fn insert_copy(conn: &Connection, message: &Message) -> Result<i64, StoreError> {
    add(conn, message, None)
}

fn add(conn: &Connection, message: &Message, search_text: Option<String>) -> Result<i64, StoreError> {
    conn.prepare_cached(
        "INSERT INTO messages (id, agent_id, conversation_id, role, content, tool_calls, tool_returns, approvals,
           name, model, run_id, step_id, otid, group_id, sender_id, is_err, created_at, search_text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        message.id.as_str(),
        message.agent_id.as_str(),
        message.conversation_id.as_ref().map(ConversationId::as_str),
        message.role.as_str(),
        json(&message.content)?,
        list_json(&message.tool_calls)?,
        list_json(&message.tool_returns)?,
        list_json(&message.approvals)?,
        message.name,
        message.model,
        message.run_id.as_ref().map(RunId::as_str),
        message.step_id.as_ref().map(StepId::as_str),
        message.otid,
        message.group_id,
        message.sender_id,
        message.is_err,
        message.created_at.0,
        search_text,
    ])
    .map_err(|error| StoreError::from(error).naming(Some(message.id.as_str())))?;
    Ok(conn.last_insert_rowid())
}

/// Replaces a message's content in place, id and position kept: for the system prompt in front of a context.
pub fn update_content(conn: &Connection, id: &MessageId, content: &[ContentPart]) -> Result<(), StoreError> {
    let mut message = get(conn, id)?.ok_or_else(|| StoreError::not_found("message", id))?;
    message.content = content.to_vec();
    conn.prepare_cached("UPDATE messages SET content = ?2, search_text = ?3 WHERE id = ?1")?
        .execute(params![id.as_str(), json(&message.content)?, search_text(&message)])?;
    Ok(())
}

/// The thread's newest message that carries one of these client ids: the sign of a repeated request.
pub fn find_by_otid(
    conn: &Connection,
    thread: &Thread,
    otids: &[String],
) -> Result<Option<Message>, StoreError> {
    let Some(otids) = any_of(otids) else { return Ok(None) };
    // The planner would rather walk the whole thread.
    let mut select = Select::new(COLUMNS, "messages INDEXED BY messages_by_otid", "sequence");
    select
        .and("otid IN (SELECT value FROM json_each(?))", otids)
        .and("agent_id = ?", thread.agent_id.to_string())
        .and("conversation_id IS ?", conversation(thread));
    Ok(select.page(conn, &Page::newest(1), read)?.pop())
}

/// The name of the tool that a call of this run was for.
pub fn tool_name(
    conn: &Connection,
    run_id: &RunId,
    tool_call_id: &str,
) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT json_extract(call.value, '$.name') FROM messages, json_each(messages.tool_calls) call
         WHERE messages.run_id = ? AND json_extract(call.value, '$.tool_call_id') = ? LIMIT 1",
    )?;
    Ok(statement.query_row(params![run_id.as_str(), tool_call_id], |row| row.get(0)).optional()?)
}

/// Deletes a thread's whole history, its context with it. How many messages there were.
pub fn delete_thread(conn: &Connection, thread: &Thread) -> Result<usize, StoreError> {
    Ok(conn.execute(
        "DELETE FROM messages WHERE agent_id = ? AND conversation_id IS ?",
        params_from_iter([Value::from(thread.agent_id.to_string()), conversation(thread)]),
    )?)
}

/// Deletes every message of an agent, all conversations included. How many there were.
pub fn delete_for_agent(conn: &Connection, agent_id: &AgentId) -> Result<usize, StoreError> {
    Ok(conn.execute("DELETE FROM messages WHERE agent_id = ?", [agent_id.as_str()])?)
}

fn conversation(thread: &Thread) -> Value {
    Value::from(thread.conversation_id.as_ref().map(ToString::to_string))
}

/// What a search finds a message by: what was said and what tools returned, not the prompt and no questions of
/// approval.
fn search_text(message: &Message) -> Option<String> {
    let text = match message.role {
        Role::User | Role::Assistant | Role::Summary => message.text(),
        Role::Tool => message.tool_returns.iter().map(|result| result.text()).collect::<Vec<_>>().join("\n"),
        Role::System | Role::Approval => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}
