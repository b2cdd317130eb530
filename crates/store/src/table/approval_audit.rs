//! The log of decisions about calls that waited for a person. Append-only: the database itself refuses changes.

use loci_api::{
    ids::{AgentId, ConversationId, MessageId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};

use crate::{StoreError, row::RowExt};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its place in the log, from 1; ignored when appending.
    pub sequence: i64,
    pub at: Timestamp,
    pub event: AuditEvent,
    /// The connection the agent runs on; `local` is this machine.
    pub connection: String,
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    /// The approval request.
    pub message_id: MessageId,
    pub tool_call_id: String,
    pub tool: String,
    pub kind: CallKind,
    pub outcome: AuditOutcome,
    /// `person`, or the rule that decided.
    pub decided_by: String,
    /// Why a call was denied, or what went wrong.
    pub reason: Option<String>,
    /// SHA-256 of what the decision is bound to, hexadecimal.
    pub hash: String,
    /// JSON text of what runs, or was denied.
    pub arguments: String,
    /// JSON text of what the model had asked for, where the person changed it.
    pub original_arguments: Option<String>,
    /// What kept the call within bounds.
    pub confinement: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditEvent {
    Decided,
    /// A call that ran on this machine ended.
    Finished,
}

/// Who runs the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    Client,
    Server,
}

/// `Allow` and `Deny` of a decision, `Success` and `Error` of a call that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    Allow,
    Deny,
    Success,
    Error,
}

impl AuditEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Finished => "finished",
        }
    }
}

impl CallKind {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

impl AuditOutcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Success => "success",
            Self::Error => "error",
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        sequence: row.get("sequence")?,
        at: row.time("at")?,
        event: row.word("event")?,
        connection: row.get("connection")?,
        agent_id: row.id("agent_id")?,
        conversation_id: row.opt_id("conversation_id")?,
        message_id: row.id("message_id")?,
        tool_call_id: row.get("tool_call_id")?,
        tool: row.get("tool")?,
        kind: row.word("kind")?,
        outcome: row.word("outcome")?,
        decided_by: row.get("decided_by")?,
        reason: row.get("reason")?,
        hash: row.get("hash")?,
        arguments: row.get("arguments")?,
        original_arguments: row.get("original_arguments")?,
        confinement: row.get("confinement")?,
    })
}

/// Adds an entry at the end. Its sequence.
pub fn append(conn: &Connection, entry: &AuditEntry) -> Result<i64, StoreError> {
    conn.prepare_cached(
        "INSERT INTO approval_audit (at, event, connection, agent_id, conversation_id, message_id, tool_call_id, tool,
           kind, outcome, decided_by, reason, hash, arguments, original_arguments, confinement)
         VALUES (:at, :event, :connection, :agent_id, :conversation_id, :message_id, :tool_call_id, :tool,
           :kind, :outcome, :decided_by, :reason, :hash, :arguments, :original_arguments, :confinement)",
    )?
    .execute(named_params! {
        ":at": entry.at.0,
        ":event": entry.event.as_str(),
        ":connection": entry.connection,
        ":agent_id": entry.agent_id.as_str(),
        ":conversation_id": entry.conversation_id.as_ref().map(ConversationId::as_str),
        ":message_id": entry.message_id.as_str(),
        ":tool_call_id": entry.tool_call_id,
        ":tool": entry.tool,
        ":kind": entry.kind.as_str(),
        ":outcome": entry.outcome.as_str(),
        ":decided_by": entry.decided_by,
        ":reason": entry.reason,
        ":hash": entry.hash,
        ":arguments": entry.arguments,
        ":original_arguments": entry.original_arguments,
        ":confinement": entry.confinement,
    })?;
    Ok(conn.last_insert_rowid())
}

/// Up to `limit` entries after the one with sequence `after` (0: from the beginning), oldest first.
pub fn list(conn: &Connection, after: i64, limit: u32) -> Result<Vec<AuditEntry>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM approval_audit WHERE sequence > ? ORDER BY sequence LIMIT ?")?;
    let entries = statement.query_map([after, i64::from(limit)], read)?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}
