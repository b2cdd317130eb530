//! What model calls used and cost. Append-only; it outlives the agents it is about.

use loci_api::{
    ids::{AgentId, ConversationId, RunId, StepId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params};

use crate::StoreError;

/// What a model was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageKind {
    Chat,
    Summary,
    Preflight,
    Embedding,
    Other,
}

impl UsageKind {
    /// As it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Summary => "summary",
            Self::Preflight => "preflight",
            Self::Embedding => "embedding",
            Self::Other => "other",
        }
    }
}

/// One model call.
#[derive(Debug, Clone)]
pub struct UsageEntry {
    pub at: Timestamp,
    pub kind: UsageKind,
    pub step_id: Option<StepId>,
    pub run_id: Option<RunId>,
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
    pub provider_name: String,
    pub model_handle: String,
    pub tokens: Tokens,
    /// The provider did not say how many tokens it were.
    pub tokens_estimated: bool,
    /// Billionths of a US dollar; `None` where no price is known.
    pub cost_nano_usd: Option<i64>,
}

/// Tokens of one or many calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Cached ones included.
    pub prompt: i64,
    pub completion: i64,
    pub cached_input: i64,
    pub cache_write: i64,
    pub reasoning: i64,
}

/// Writes a call down. A step that was written down before stays as it is.
pub fn insert(conn: &Connection, entry: &UsageEntry) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO usage_entries (at, kind, step_id, run_id, agent_id, conversation_id, provider_name, model_handle,
           prompt_tokens, completion_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens,
           tokens_estimated, cost_nano_usd)
         VALUES (:at, :kind, :step, :run, :agent, :conversation, :provider, :model, :prompt, :completion, :cached,
           :cache_write, :reasoning, :estimated, :cost)
         ON CONFLICT (step_id) DO NOTHING",
    )?
    .execute(named_params! {
        ":at": entry.at.0,
        ":kind": entry.kind.as_str(),
        ":step": entry.step_id.as_ref().map(StepId::as_str),
        ":run": entry.run_id.as_ref().map(RunId::as_str),
        ":agent": entry.agent_id.as_ref().map(AgentId::as_str),
        ":conversation": entry.conversation_id.as_ref().map(ConversationId::as_str),
        ":provider": entry.provider_name,
        ":model": entry.model_handle,
        ":prompt": entry.tokens.prompt,
        ":completion": entry.tokens.completion,
        ":cached": entry.tokens.cached_input,
        ":cache_write": entry.tokens.cache_write,
        ":reasoning": entry.tokens.reasoning,
        ":estimated": entry.tokens_estimated,
        ":cost": entry.cost_nano_usd,
    })?;
    Ok(())
}

/// Which calls are summed up. `None` does not narrow; of the span the start is included and the end is not.
#[derive(Debug, Clone, Default)]
pub struct UsageFilter {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
    pub run_id: Option<RunId>,
}

/// What calls are summed up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageGroup {
    /// Everything in one sum.
    All,
    Agent,
    Conversation,
    Run,
    Step,
    /// What a person said, with every call it led to: also those after it was asked for an approval.
    Message,
    Model,
    Kind,
}

impl UsageGroup {
    fn column(self) -> &'static str {
        match self {
            Self::All => "''",
            Self::Agent => "coalesce(agent_id, '')",
            // The default conversation of an agent goes by the agent's id, as its thread does.
            Self::Conversation => "coalesce(conversation_id, agent_id, '')",
            Self::Run => "coalesce(run_id, '')",
            Self::Step => "coalesce(step_id, '')",
            Self::Message => {
                "coalesce((SELECT said.id FROM messages said
                   WHERE said.role = 'user' AND said.agent_id = usage_entries.agent_id
                     AND said.conversation_id IS usage_entries.conversation_id
                     AND said.sequence <= (SELECT max(own.sequence) FROM messages own WHERE own.run_id = usage_entries.run_id)
                   ORDER BY said.sequence DESC LIMIT 1), '')"
            }
            Self::Model => "model_handle",
            Self::Kind => "kind",
        }
    }
}

/// The sum of some calls.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageSum {
    /// What was summed up by; empty for everything in one sum.
    pub key: String,
    pub calls: i64,
    pub tokens: Tokens,
    /// Calls whose tokens are estimated.
    pub estimated_calls: i64,
    /// Billionths of a US dollar, of the calls whose price is known.
    pub cost_nano_usd: i64,
    /// Calls whose price is not known.
    pub unpriced_calls: i64,
    /// When the last of them was.
    pub last_at: Option<Timestamp>,
}

const SUMS: &str = "count(*) AS calls, total(prompt_tokens) AS prompt, total(completion_tokens) AS completion,
  total(cached_input_tokens) AS cached, total(cache_write_tokens) AS cache_write, total(reasoning_tokens) AS reasoning,
  total(tokens_estimated) AS estimated, total(cost_nano_usd) AS cost,
  count(*) - count(cost_nano_usd) AS unpriced, max(at) AS last_at";

const NARROWED: &str = "FROM usage_entries
  WHERE (:start IS NULL OR at >= :start) AND (:end IS NULL OR at < :end) AND (:agent IS NULL OR agent_id = :agent)
    AND (:conversation IS NULL OR conversation_id = :conversation) AND (:run IS NULL OR run_id = :run)";

fn read(row: &Row<'_>) -> rusqlite::Result<UsageSum> {
    // total() gives a float; sums stay far below 2^53.
    let whole = |column: &str| row.get::<_, f64>(column).map(|sum| sum as i64);
    Ok(UsageSum {
        key: row.get("key")?,
        calls: row.get("calls")?,
        tokens: Tokens {
            prompt: whole("prompt")?,
            completion: whole("completion")?,
            cached_input: whole("cached")?,
            cache_write: whole("cache_write")?,
            reasoning: whole("reasoning")?,
        },
        estimated_calls: whole("estimated")?,
        cost_nano_usd: whole("cost")?,
        unpriced_calls: row.get("unpriced")?,
        last_at: row.get::<_, Option<i64>>("last_at")?.map(Timestamp),
    })
}

/// Sums, dearest and then largest first, at most `limit` of them.
pub fn sums(
    conn: &Connection,
    filter: &UsageFilter,
    group: UsageGroup,
    limit: u32,
) -> Result<Vec<UsageSum>, StoreError> {
    let sql = format!(
        "SELECT {column} AS key, {SUMS} {NARROWED} GROUP BY 1
         ORDER BY cost DESC, prompt + completion DESC, key LIMIT :limit",
        column = group.column(),
    );
    query(conn, &sql, filter, limit)
}

/// Microseconds of one slice of [`slices`]: every zone's midnight falls on the edge of one.
pub const SLICE: i64 = 900_000_000;

/// Sums of quarters of an hour, by time; the key is the slice's number since 1970.
pub fn slices(conn: &Connection, filter: &UsageFilter) -> Result<Vec<UsageSum>, StoreError> {
    let sql = format!(
        "SELECT CAST(at / {SLICE} AS TEXT) AS key, {SUMS} {NARROWED} GROUP BY 1 ORDER BY min(at) LIMIT :limit"
    );
    query(conn, &sql, filter, u32::MAX)
}

fn query(
    conn: &Connection,
    sql: &str,
    filter: &UsageFilter,
    limit: u32,
) -> Result<Vec<UsageSum>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let sums = statement.query_map(
        named_params! {
            ":start": filter.start.map(|at| at.0),
            ":end": filter.end.map(|at| at.0),
            ":agent": filter.agent_id.as_ref().map(AgentId::as_str),
            ":conversation": filter.conversation_id.as_ref().map(ConversationId::as_str),
            ":run": filter.run_id.as_ref().map(RunId::as_str),
            ":limit": limit,
        },
        read,
    )?;
    Ok(sums.collect::<rusqlite::Result<_>>()?)
}

/// What was spent since a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// Billionths of a US dollar, of the calls whose price is known.
    pub nano_usd: i64,
    pub tokens: i64,
    /// Calls whose price is not known.
    pub unpriced_calls: i64,
}

/// What was spent since a moment, by one agent or by all.
pub fn spent(
    conn: &Connection,
    agent_id: Option<&AgentId>,
    since: Option<Timestamp>,
) -> Result<Spending, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT total(cost_nano_usd), total(prompt_tokens + completion_tokens), count(*) - count(cost_nano_usd)
         FROM usage_entries
         WHERE (:agent IS NULL OR agent_id = :agent) AND (:since IS NULL OR at >= :since)",
    )?;
    Ok(statement.query_row(
        named_params! {":agent": agent_id.map(AgentId::as_str), ":since": since.map(|at| at.0)},
        |row| {
            Ok(Spending {
                nano_usd: row.get::<_, f64>(0)? as i64,
                tokens: row.get::<_, f64>(1)? as i64,
                unpriced_calls: row.get(2)?,
            })
        },
    )?)
}
