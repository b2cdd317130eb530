//! The log of decisions about calls that waited for a person. Append-only: the database itself refuses changes.

use loci_api::{
    ids::{AgentId, ConversationId, MessageId, StepId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params_from_iter, types::Value as Bound};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    StoreError,
    row::{RowExt, opt_json},
};

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its place in the log, from 1; ignored when appending.
    pub sequence: i64,
    pub at: Timestamp,
    pub event: AuditEvent,
    /// The connection the agent runs on; `local` is this machine.
    pub connection: String,
    /// None: a rule that holds for all agents.
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
    /// The approval request; None in an entry about a rule.
    pub message_id: Option<MessageId>,
    pub tool_call_id: Option<String>,
    pub tool: String,
    pub kind: CallKind,
    pub outcome: AuditOutcome,
    /// `person`, `rule`, `expiry` or `loci`.
    pub decided_by: String,
    /// The rule that decided, or that the entry is about.
    pub rule_id: Option<String>,
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
    /// What a rule could know of the call, for trying new rules on old calls. Not exported.
    #[serde(skip)]
    pub facts: Option<Value>,
}

/// Which entries a page holds. Everything left out narrows nothing.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// Entries after the one with this sequence.
    pub after: Option<i64>,
    /// Entries before the one with this sequence.
    pub before: Option<i64>,
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
    pub message_id: Option<MessageId>,
    pub tool: Option<String>,
    pub event: Option<AuditEvent>,
    pub outcome: Option<AuditOutcome>,
    pub decided_by: Option<String>,
    pub rule_id: Option<String>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditEvent {
    Decided,
    /// A call begins on this machine.
    Started,
    /// A call that ran on this machine ended, its own tool or one of its server.
    Finished,
    /// A rule was made or revoked.
    Rule,
}

/// Who runs the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallKind {
    Client,
    Server,
}

/// `Allow`, `Deny` and `Report` (the model is told that the outcome is unknown) of a decision; `Success`, `Error` and
/// `Unknown` of a call that ended; `Created` and `Revoked` of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditOutcome {
    Allow,
    Deny,
    Report,
    Started,
    Success,
    Error,
    Unknown,
    Created,
    Revoked,
}

impl AuditEvent {
    fn as_str(self) -> &'static str {
        match self {
            Self::Decided => "decided",
            Self::Started => "started",
            Self::Finished => "finished",
            Self::Rule => "rule",
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
            Self::Report => "report",
            Self::Started => "started",
            Self::Success => "success",
            Self::Error => "error",
            Self::Unknown => "unknown",
            Self::Created => "created",
            Self::Revoked => "revoked",
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        sequence: row.get("sequence")?,
        at: row.time("at")?,
        event: row.word("event")?,
        connection: row.get("connection")?,
        agent_id: row.opt_id("agent_id")?,
        conversation_id: row.opt_id("conversation_id")?,
        message_id: row.opt_id("message_id")?,
        tool_call_id: row.get("tool_call_id")?,
        tool: row.get("tool")?,
        kind: row.word("kind")?,
        outcome: row.word("outcome")?,
        decided_by: row.get("decided_by")?,
        rule_id: row.get("rule_id")?,
        reason: row.get("reason")?,
        hash: row.get("hash")?,
        arguments: row.get("arguments")?,
        original_arguments: row.get("original_arguments")?,
        confinement: row.get("confinement")?,
        facts: row.opt_json("facts")?,
    })
}

/// Adds an entry at the end. Its sequence.
pub fn append(conn: &Connection, entry: &AuditEntry) -> Result<i64, StoreError> {
    conn.prepare_cached(
        "INSERT INTO approval_audit (at, event, connection, agent_id, conversation_id, message_id, tool_call_id, tool,
           kind, outcome, decided_by, rule_id, reason, hash, arguments, original_arguments, confinement, facts)
         VALUES (:at, :event, :connection, :agent_id, :conversation_id, :message_id, :tool_call_id, :tool,
           :kind, :outcome, :decided_by, :rule_id, :reason, :hash, :arguments, :original_arguments, :confinement,
           :facts)",
    )?
    .execute(named_params! {
        ":at": entry.at.0,
        ":event": entry.event.as_str(),
        ":connection": entry.connection,
        ":agent_id": entry.agent_id.as_ref().map(AgentId::as_str),
        ":conversation_id": entry.conversation_id.as_ref().map(ConversationId::as_str),
        ":message_id": entry.message_id.as_ref().map(MessageId::as_str),
        ":tool_call_id": entry.tool_call_id,
        ":tool": entry.tool,
        ":kind": entry.kind.as_str(),
        ":outcome": entry.outcome.as_str(),
        ":decided_by": entry.decided_by,
        ":rule_id": entry.rule_id,
        ":reason": entry.reason,
        ":hash": entry.hash,
        ":arguments": entry.arguments,
        ":original_arguments": entry.original_arguments,
        ":confinement": entry.confinement,
        ":facts": opt_json(entry.facts.as_ref())?,
    })?;
    Ok(conn.last_insert_rowid())
}

/// How a call ended that this machine's server ran because somebody allowed it; nothing if nobody was asked. `step` is
/// the one it ran in.
pub(super) fn finish_on_server(
    conn: &Connection,
    step: &StepId,
    tool_call_id: &str,
    outcome: AuditOutcome,
    reason: Option<&str>,
    confinement: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    // An id of a call may come again; a decision is used once.
    conn.prepare_cached(
        "INSERT INTO approval_audit (at, event, connection, agent_id, conversation_id, message_id, tool_call_id, tool,
           kind, outcome, decided_by, reason, hash, arguments, original_arguments, confinement)
         SELECT :at, 'finished', connection, agent_id, conversation_id, message_id, tool_call_id, tool,
           kind, :outcome, 'loci', :reason, hash, arguments, original_arguments, :confinement
         FROM approval_audit AS decided
         WHERE tool_call_id = :call AND event = 'decided' AND outcome = 'allow' AND kind = 'server'
           AND connection = 'local' AND agent_id = (SELECT agent_id FROM steps WHERE id = :step)
           AND NOT EXISTS (SELECT 1 FROM approval_audit AS later
             WHERE later.tool_call_id = :call AND later.event = 'finished'
               AND later.message_id = decided.message_id AND later.sequence > decided.sequence)
         ORDER BY sequence DESC LIMIT 1",
    )?
    .execute(named_params! {
        ":at": at.0,
        ":outcome": outcome.as_str(),
        ":reason": reason,
        ":confinement": confinement,
        ":call": tool_call_id,
        ":step": step.as_str(),
    })?;
    Ok(())
}

/// Up to `limit` entries that meet the filter, in the order of the log or from its end.
pub fn list(
    conn: &Connection,
    filter: &AuditFilter,
    newest_first: bool,
    limit: u32,
) -> Result<Vec<AuditEntry>, StoreError> {
    let (filter, mut values) = narrowed(filter);
    let direction = if newest_first { "DESC" } else { "ASC" };
    let sql = format!("SELECT * FROM approval_audit{filter} ORDER BY sequence {direction} LIMIT ?");
    values.push(Bound::Integer(limit.into()));
    let mut statement = conn.prepare_cached(&sql)?;
    let entries = statement.query_map(params_from_iter(&values), read)?;
    Ok(entries.collect::<rusqlite::Result<_>>()?)
}

/// How many entries meet the filter.
pub fn count(conn: &Connection, filter: &AuditFilter) -> Result<i64, StoreError> {
    let (filter, values) = narrowed(filter);
    let sql = format!("SELECT count(*) FROM approval_audit{filter}");
    Ok(conn.prepare_cached(&sql)?.query_row(params_from_iter(&values), |row| row.get(0))?)
}

/// A WHERE of fixed pieces, and what is bound in it.
fn narrowed(filter: &AuditFilter) -> (String, Vec<Bound>) {
    let text = |value: &Option<String>| value.clone().map(Bound::Text);
    let id = |value: Option<&str>| value.map(|id| Bound::Text(id.to_owned()));
    let clauses = [
        ("sequence > ?", filter.after.map(Bound::Integer)),
        ("sequence < ?", filter.before.map(Bound::Integer)),
        ("agent_id = ?", id(filter.agent_id.as_ref().map(AgentId::as_str))),
        ("conversation_id = ?", id(filter.conversation_id.as_ref().map(ConversationId::as_str))),
        ("message_id = ?", id(filter.message_id.as_ref().map(MessageId::as_str))),
        ("tool = ?", text(&filter.tool)),
        ("event = ?", id(filter.event.map(AuditEvent::as_str))),
        ("outcome = ?", id(filter.outcome.map(AuditOutcome::as_str))),
        ("decided_by = ?", text(&filter.decided_by)),
        ("rule_id = ?", text(&filter.rule_id)),
        ("at >= ?", filter.since.map(|at| Bound::Integer(at.0))),
        ("at <= ?", filter.until.map(|at| Bound::Integer(at.0))),
    ];
    let (mut sql, mut values) = (String::new(), Vec::new());
    for (clause, value) in clauses {
        if let Some(value) = value {
            sql.push_str(if sql.is_empty() { " WHERE " } else { " AND " });
            sql.push_str(clause);
            values.push(value);
        }
    }
    (sql, values)
}
