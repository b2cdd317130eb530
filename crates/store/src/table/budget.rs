//! Budgets: how much may be spent in a span of time, by one agent or by all together.

use loci_api::{
    ids::{AgentId, BudgetId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params};
use serde::{Deserialize, Serialize};

use crate::{StoreError, page::Select, row::RowExt};

/// The span of time a budget is for; days and months begin at this machine's midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    Day,
    Month,
    /// Without an end.
    Total,
}

impl Period {
    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Total => "total",
        }
    }
}

/// A budget. At least one of the two limits is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub id: BudgetId,
    /// `None`: all agents together.
    pub agent_id: Option<AgentId>,
    pub period: Period,
    /// Billionths of a US dollar.
    pub limit_nano_usd: Option<i64>,
    pub limit_tokens: Option<i64>,
    /// Percent of a limit from which on there is a warning.
    pub warn_percent: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Budget> {
    Ok(Budget {
        id: row.id("id")?,
        agent_id: row.opt_id("agent_id")?,
        period: row.word("period")?,
        limit_nano_usd: row.get("limit_nano_usd")?,
        limit_tokens: row.get("limit_tokens")?,
        warn_percent: row.get("warn_percent")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// Every budget, oldest first.
pub fn list(conn: &Connection) -> Result<Vec<Budget>, StoreError> {
    Select::new("*", "budgets", "created_at").all(conn, read)
}

/// The budget with this id.
pub fn get(conn: &Connection, id: &BudgetId) -> Result<Option<Budget>, StoreError> {
    let mut select = Select::new("*", "budgets", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// The budgets an agent's spending counts for: its own and those of all.
pub fn list_for_agent(conn: &Connection, agent_id: &AgentId) -> Result<Vec<Budget>, StoreError> {
    let mut select = Select::new("*", "budgets", "created_at");
    select.and("(agent_id IS NULL OR agent_id = ?)", agent_id.to_string());
    select.all(conn, read)
}

/// Adds a budget. [`StoreError::MissingReference`] if there is no such agent.
pub fn insert(conn: &Connection, budget: &Budget) -> Result<(), StoreError> {
    write(
        conn,
        "INSERT INTO budgets (id, agent_id, period, limit_nano_usd, limit_tokens, warn_percent, created_at, updated_at)
         VALUES (:id, :agent, :period, :usd, :tokens, :warn, :created, :updated)",
        budget,
    )
}

/// Writes what may change of a budget: its limits and warning.
pub fn update(conn: &Connection, budget: &Budget) -> Result<(), StoreError> {
    write(
        conn,
        "UPDATE budgets SET agent_id = :agent, period = :period, limit_nano_usd = :usd, limit_tokens = :tokens,
           warn_percent = :warn, created_at = :created, updated_at = :updated
         WHERE id = :id",
        budget,
    )
}

fn write(conn: &Connection, sql: &'static str, budget: &Budget) -> Result<(), StoreError> {
    let written = conn.prepare_cached(sql)?.execute(named_params! {
        ":id": budget.id.as_str(),
        ":agent": budget.agent_id.as_ref().map(AgentId::as_str),
        ":period": budget.period.as_str(),
        ":usd": budget.limit_nano_usd,
        ":tokens": budget.limit_tokens,
        ":warn": budget.warn_percent,
        ":created": budget.created_at.0,
        ":updated": budget.updated_at.0,
    })?;
    if written == 0 { Err(StoreError::not_found("budget", &budget.id)) } else { Ok(()) }
}

/// Removes a budget. Whether there was one.
pub fn delete(conn: &Connection, id: &BudgetId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM budgets WHERE id = ?", [id.as_str()])? > 0)
}
