//! A rule as it is shown: as text, as a sentence, and with how often it decided.

use std::collections::HashMap;

use loci_api::{said::Said, time::Timestamp};
use loci_store::{
    Connection, StoreError,
    table::{
        approval_rule::{self, RuleEffect, RuleRow},
        pending_approval,
    },
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    rules::{Names, StoredRule, sentence, text},
    sentences::Approval,
};

/// A rule as it is shown.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) id: String,
    pub(super) effect: RuleEffect,
    pub(super) scope: Value,
    pub(super) matches: Value,
    pub(super) text: String,
    pub(super) sentence: String,
    /// Of the agent its scope names, if this desk knows it: for a sentence in another language.
    pub(super) agent_name: Option<String>,
    pub(super) note: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) revoked_at: Option<Timestamp>,
    /// How often it decided.
    pub(super) uses: i64,
    pub(super) last_used_at: Option<Timestamp>,
    /// Why it is not understood, if so.
    pub(super) problem: Option<Said>,
}

pub(super) type Uses = HashMap<String, (i64, Timestamp)>;

pub(super) fn shown(row: RuleRow, names: &Names, uses: &Uses) -> Shown {
    let (written, said, problem) = match StoredRule::read(&row) {
        StoredRule::Rule(rule) => (
            text(rule.effect, &rule.matches, &rule.scope, names),
            sentence(rule.effect, &rule.matches, &rule.scope, names),
            None,
        ),
        StoredRule::Unreadable { effect, problem, .. } => {
            let said = Said::from(Approval::RuleNotUnderstood).message;
            (format!("{} ?", effect.as_str()), said, Some(problem.said()))
        }
    };
    let used = uses.get(&row.id);
    Shown {
        agent_name: row.scope["agent_id"].as_str().and_then(|id| names.0.get(id)).cloned(),
        text: written,
        sentence: said,
        problem,
        uses: used.map_or(0, |used| used.0),
        last_used_at: used.map(|used| used.1),
        id: row.id,
        effect: row.effect,
        scope: row.scope,
        matches: row.matches,
        note: row.note,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    }
}

pub(super) fn names(conn: &Connection) -> Result<Names, StoreError> {
    Ok(Names(pending_approval::agent_names(conn)?))
}

pub(super) fn uses(conn: &Connection) -> Result<Uses, StoreError> {
    Ok(approval_rule::uses(conn)?.into_iter().map(|(id, count, last)| (id, (count, last))).collect())
}
