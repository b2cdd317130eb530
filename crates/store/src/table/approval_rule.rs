//! What a person decides beforehand about calls. What a rule means is the desk's; here it is two pieces of JSON.

use loci_api::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// One rule as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleRow {
    /// `rule-<uuid>`.
    pub id: String,
    pub effect: RuleEffect,
    /// Where it holds.
    pub scope: Value,
    /// What it matches.
    pub matches: Value,
    pub note: Option<String>,
    pub created_at: Timestamp,
    /// Since then it decides nothing.
    pub revoked_at: Option<Timestamp>,
}

/// What a rule says about the calls it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffect {
    Allow,
    Ask,
    Deny,
}

impl RuleEffect {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<RuleRow> {
    Ok(RuleRow {
        id: row.get("id")?,
        effect: row.word("effect")?,
        // A value nobody can read must not hide the rule: it is shown with its problem and can be revoked.
        scope: row.json("scope").unwrap_or(Value::Null),
        matches: row.json("matches").unwrap_or(Value::Null),
        note: row.get("note")?,
        created_at: row.time("created_at")?,
        revoked_at: row.opt_time("revoked_at")?,
    })
}

/// Adds a rule.
pub fn insert(conn: &Connection, rule: &RuleRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO approval_rules (id, effect, scope, matches, note, created_at, revoked_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        rule.id,
        rule.effect.as_str(),
        json(&rule.scope)?,
        json(&rule.matches)?,
        rule.note,
        rule.created_at.0,
        rule.revoked_at.map(|at| at.0),
    ])?;
    Ok(())
}

/// The rules, newest first; those that were revoked only if asked for.
pub fn list(conn: &Connection, with_revoked: bool) -> Result<Vec<RuleRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT * FROM approval_rules WHERE ?1 OR revoked_at IS NULL ORDER BY sequence DESC",
    )?;
    let rules = statement.query_map([with_revoked], read)?;
    Ok(rules.collect::<rusqlite::Result<_>>()?)
}

/// The rule with this id, revoked or not.
pub fn get(conn: &Connection, id: &str) -> Result<Option<RuleRow>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT * FROM approval_rules WHERE id = ?")?;
    Ok(statement.query_row([id], read).optional()?)
}

/// Ends a rule. Whether it was in force.
pub fn revoke(conn: &Connection, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("UPDATE approval_rules SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id, now.0])?;
    Ok(changed > 0)
}

/// How often each rule decided, and when last.
pub fn uses(conn: &Connection) -> Result<Vec<(String, i64, Timestamp)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT rule_id, count(*), max(at) FROM approval_audit
         WHERE rule_id IS NOT NULL AND event = 'decided' GROUP BY rule_id",
    )?;
    let uses = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.time(2)?)))?;
    Ok(uses.collect::<rusqlite::Result<_>>()?)
}
