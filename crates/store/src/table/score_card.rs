//! Score cards: what a model was found able to do when it was tried.

use loci_api::{ids::ScoreCardId, time::Timestamp};
use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    StoreError,
    page::Select,
    row::{RowExt, json},
};

/// How far the trial is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardStatus {
    Running,
    Finished,
    Cancelled,
    /// Loci ended before it did.
    Interrupted,
}

impl CardStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The trial of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreCard {
    pub id: ScoreCardId,
    pub model_handle: String,
    /// The provider's address then.
    pub endpoint: Option<String>,
    pub status: CardStatus,
    /// One object per check, in the order in which they were made.
    pub checks: Value,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<ScoreCard> {
    Ok(ScoreCard {
        id: row.id("id")?,
        model_handle: row.get("model_handle")?,
        endpoint: row.get("endpoint")?,
        status: row.word("status")?,
        checks: row.json("checks")?,
        started_at: row.time("started_at")?,
        finished_at: row.opt_time("finished_at")?,
    })
}

/// Writes a card, new or not.
pub fn upsert(conn: &Connection, card: &ScoreCard) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO score_cards (id, model_handle, endpoint, status, checks, started_at, finished_at)
         VALUES (:id, :model, :endpoint, :status, :checks, :started, :finished)
         ON CONFLICT (id) DO UPDATE SET status = :status, checks = :checks, finished_at = :finished",
    )?
    .execute(named_params! {
        ":id": card.id.as_str(),
        ":model": card.model_handle,
        ":endpoint": card.endpoint,
        ":status": card.status.as_str(),
        ":checks": json(&card.checks)?,
        ":started": card.started_at.0,
        ":finished": card.finished_at.map(|at| at.0),
    })?;
    Ok(())
}

/// The card with this id.
pub fn get(conn: &Connection, id: &ScoreCardId) -> Result<Option<ScoreCard>, StoreError> {
    let mut select = Select::new("*", "score_cards", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// The newest card of every model, or all cards of one, newest first.
pub fn list(conn: &Connection, model_handle: Option<&str>) -> Result<Vec<ScoreCard>, StoreError> {
    let mut select = Select::new("*", "score_cards", "sequence");
    match model_handle {
        Some(handle) => select.and("model_handle = ?", handle.to_owned()),
        None => {
            select.and_always("sequence IN (SELECT max(sequence) FROM score_cards GROUP BY model_handle)")
        }
    };
    let mut cards = select.all(conn, read)?;
    cards.reverse();
    Ok(cards)
}

/// Marks trials a stopped program left unfinished.
pub fn interrupt_running(conn: &Connection) -> Result<usize, StoreError> {
    Ok(conn.execute("UPDATE score_cards SET status = 'interrupted' WHERE status = 'running'", [])?)
}

/// Removes a card. Whether there was one.
pub fn delete(conn: &Connection, id: &ScoreCardId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM score_cards WHERE id = ?", [id.as_str()])? > 0)
}
