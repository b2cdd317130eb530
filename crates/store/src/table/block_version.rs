//! What a block was after each change, and who changed it.

use loci_api::{
    ids::{BlockId, RunId},
    resource::Block,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::{StoreError, row::RowExt};

/// Who changed a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The person in the window.
    Person,
    /// A program over the API.
    Api,
    /// The agent itself, by a tool call.
    Tool,
    /// An imported file.
    Import,
}

impl Actor {
    /// As it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Api => "api",
            Self::Tool => "tool",
            Self::Import => "import",
        }
    }
}

impl std::str::FromStr for Actor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Person, Self::Api, Self::Tool, Self::Import]
            .into_iter()
            .find(|actor| actor.as_str() == text)
            .ok_or_else(|| format!("'{text}' changes no blocks"))
    }
}

/// By whom and when something is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub actor: Actor,
    /// The user's, client's or agent's id, where it is known.
    pub actor_id: Option<String>,
    pub tool_call_id: Option<String>,
    pub run_id: Option<RunId>,
    pub at: Timestamp,
}

impl Change {
    /// A change without more to say about it.
    #[must_use]
    pub fn by(actor: Actor, at: Timestamp) -> Self {
        Self { actor, actor_id: None, tool_call_id: None, run_id: None, at }
    }
}

/// A block as one change left it. Version 1 is its creation; the version before is what the change replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockVersion {
    pub block_id: BlockId,
    pub version: i64,
    pub label: Option<String>,
    pub value: String,
    /// Characters.
    pub limit: i64,
    pub description: Option<String>,
    pub read_only: bool,
    pub change: Change,
}

fn read(row: &Row<'_>) -> rusqlite::Result<BlockVersion> {
    let actor: String = row.get("actor")?;
    Ok(BlockVersion {
        block_id: row.id("block_id")?,
        version: row.get("version")?,
        label: row.get("label")?,
        value: row.get("value")?,
        limit: row.get("char_limit")?,
        description: row.get("description")?,
        read_only: row.get("read_only")?,
        change: Change {
            actor: actor.parse().map_err(|cause: String| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, cause.into())
            })?,
            actor_id: row.get("actor_id")?,
            tool_call_id: row.get("tool_call_id")?,
            run_id: row.opt_id("run_id")?,
            at: row.time("at")?,
        },
    })
}

/// The newest `limit` versions older than `below` (all, if `None`), newest first.
pub fn list(
    conn: &Connection,
    id: &BlockId,
    below: Option<i64>,
    limit: u32,
) -> Result<Vec<BlockVersion>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT * FROM block_versions WHERE block_id = ? AND version < ? ORDER BY version DESC LIMIT ?",
    )?;
    let versions = statement.query_map(params![id.as_str(), below.unwrap_or(i64::MAX), limit], read)?;
    Ok(versions.collect::<rusqlite::Result<_>>()?)
}

/// One version.
pub fn get(conn: &Connection, id: &BlockId, version: i64) -> Result<Option<BlockVersion>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM block_versions WHERE block_id = ? AND version = ?")?;
    Ok(statement.query_row(params![id.as_str(), version], read).optional()?)
}

/// Notes what the block is now. Called by every write of `blocks`, in the same transaction.
pub(super) fn insert(
    conn: &Connection,
    block: &Block,
    version: i64,
    change: &Change,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO block_versions (block_id, version, label, value, char_limit, description, read_only, actor,
           actor_id, tool_call_id, run_id, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        block.id.as_str(),
        version,
        block.label,
        block.value,
        block.limit,
        block.description,
        block.read_only,
        change.actor.as_str(),
        change.actor_id,
        change.tool_call_id,
        change.run_id.as_ref().map(RunId::as_str),
        change.at.0,
    ])?;
    Ok(())
}
