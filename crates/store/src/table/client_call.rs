//! Allowed calls of client tools, noted before they begin: after a crash it tells what may have taken effect, and
//! a call that ended is never run again only because its answer did not arrive.

use loci_api::{
    ids::{AgentId, ConversationId, MessageId},
    message::ToolStatus,
    time::Timestamp,
};
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use crate::{StoreError, row::RowExt};

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCall {
    pub connection: String,
    /// The approval request.
    pub message_id: MessageId,
    pub tool_call_id: String,
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    pub tool: String,
    /// What the decision was bound to.
    pub hash: String,
    /// JSON text of what runs; gone once the agent has the result.
    pub arguments: Option<String>,
    pub state: CallState,
    pub status: Option<ToolStatus>,
    /// What the model is told; gone once it was told.
    pub result: Option<String>,
    pub confinement: Option<String>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// How far a call came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It runs.
    Started,
    /// It ended; the agent does not know yet.
    Finished,
    /// The program ended while it ran, or another server that ran it gave no answer: it may have taken effect or not.
    Unknown,
    /// The agent has the result.
    Delivered,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ClientCall> {
    Ok(ClientCall {
        connection: row.get("connection")?,
        message_id: row.id("message_id")?,
        tool_call_id: row.get("tool_call_id")?,
        agent_id: row.id("agent_id")?,
        conversation_id: row.opt_id("conversation_id")?,
        tool: row.get("tool")?,
        hash: row.get("hash")?,
        arguments: row.get("arguments")?,
        state: row.word("state")?,
        status: row.opt_word("status")?,
        result: row.get("result")?,
        confinement: row.get("confinement")?,
        started_at: row.time("started_at")?,
        finished_at: row.opt_time("finished_at")?,
    })
}

/// Notes that a call begins. A call that was begun before is refused unless its outcome is unknown, which
/// whoever begins it again has accepted.
pub fn start(conn: &Connection, call: &ClientCall) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO client_calls (connection, message_id, tool_call_id, agent_id, conversation_id, tool, hash,
               arguments, state, started_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'started', ?9)
             ON CONFLICT (connection, message_id, tool_call_id) DO UPDATE
               SET hash = ?7, arguments = ?8, state = 'started', started_at = ?9, finished_at = NULL, status = NULL,
                 result = NULL, confinement = NULL
               WHERE state = 'unknown'",
        )?
        .execute(params![
            call.connection,
            call.message_id.as_str(),
            call.tool_call_id,
            call.agent_id.as_str(),
            call.conversation_id.as_ref().map(ConversationId::as_str),
            call.tool,
            call.hash,
            call.arguments,
            call.started_at.0,
        ])?;
    Ok(changed > 0)
}

/// Notes how a call ended.
pub fn finish(
    conn: &Connection,
    call: &ClientCall,
    status: ToolStatus,
    result: &str,
    confinement: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE client_calls SET state = 'finished', status = ?4, result = ?5, confinement = ?6, finished_at = ?7
         WHERE connection = ?1 AND message_id = ?2 AND tool_call_id = ?3",
    )?
    .execute(params![
        call.connection,
        call.message_id.as_str(),
        call.tool_call_id,
        match status {
            ToolStatus::Success => "success",
            ToolStatus::Error => "error",
        },
        result,
        confinement,
        now.0,
    ])?;
    Ok(())
}

/// Notes that nobody knows how far a call came that was begun and has not ended.
pub fn lose(conn: &Connection, call: &ClientCall) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE client_calls SET state = 'unknown'
         WHERE connection = ? AND message_id = ? AND tool_call_id = ? AND state = 'started'",
    )?
    .execute([&call.connection, call.message_id.as_str(), &call.tool_call_id])?;
    Ok(())
}

/// The calls of one request.
pub fn list_for_request(
    conn: &Connection,
    connection: &str,
    message_id: &MessageId,
) -> Result<Vec<ClientCall>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM client_calls WHERE connection = ? AND message_id = ?")?;
    let calls = statement.query_map([connection, message_id.as_str()], read)?;
    Ok(calls.collect::<rusqlite::Result<_>>()?)
}

/// Notes that the agent has the results of a request's calls, and lets go of what they held.
pub fn deliver(conn: &Connection, connection: &str, message_id: &MessageId) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE client_calls SET state = 'delivered', arguments = NULL, result = NULL
         WHERE connection = ? AND message_id = ?",
    )?
    .execute([connection, message_id.as_str()])?;
    Ok(())
}

/// At the start: what is still noted as running was cut off, and nobody knows how far it came. Those calls.
pub fn mark_unknown(conn: &Connection) -> Result<Vec<ClientCall>, StoreError> {
    let mut statement =
        conn.prepare_cached("UPDATE client_calls SET state = 'unknown' WHERE state = 'started' RETURNING *")?;
    let calls = statement.query_map([], read)?;
    Ok(calls.collect::<rusqlite::Result<_>>()?)
}
