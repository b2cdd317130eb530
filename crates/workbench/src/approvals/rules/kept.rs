//! The rules there are: listed, made, revoked, and each change noted in the log.

use axum::{
    Json as Answer,
    extract::{Path, Query, State},
};
use loci_api::{error::ApiError, time::Timestamp};
use loci_server::error::Failure;
use loci_store::{
    Connection,
    table::{
        approval_audit::{AuditEntry, AuditEvent, AuditOutcome, CallKind, append},
        approval_rule::{self, RuleRow},
    },
};
use serde::Deserialize;

use super::{
    given::Body,
    shown::{Shown, Uses, names, shown, uses},
};
use crate::{Desk, events::Event, extract::Json, sentences::Approval};

/// Rules in force at one time.
const MOST_RULES: usize = 2_000;

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    revoked: bool,
}

pub(super) async fn list(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
) -> Result<Answer<Vec<Shown>>, Failure> {
    let rules = desk
        .app()
        .store()
        .read(move |conn| {
            let (names, uses) = (names(conn)?, uses(conn)?);
            let rows = approval_rule::list(conn, which.revoked)?;
            Ok(rows.into_iter().map(|row| shown(row, &names, &uses)).collect())
        })
        .await?;
    Ok(Answer(rules))
}

pub(super) async fn create(
    State(desk): State<Desk>,
    Json(body): Json<Body>,
) -> Result<Answer<Shown>, Failure> {
    if body.last.is_some() {
        return Err(ApiError::validation("`last` belongs to a rehearsal.").into());
    }
    let row = body.rule(&desk).await?;
    let kept = row.clone();
    let names = desk
        .app()
        .store()
        .try_write(move |tx| {
            keep(tx, &kept)?;
            Ok::<_, Failure>(names(tx)?)
        })
        .await?;
    desk.events().tell(Event::RuleChanged);
    // What waits may be decided now.
    desk.look_soon();
    Ok(Answer(shown(row, &names, &Uses::new())))
}

pub(super) async fn revoke(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Answer<Shown>, Failure> {
    let found = desk
        .app()
        .store()
        .write(move |tx| {
            if approval_rule::revoke(tx, &id, Timestamp::now())?
                && let Some(row) = approval_rule::get(tx, &id)?
            {
                append(tx, &entry(&row, Change::Revoked))?;
            }
            let found = approval_rule::get(tx, &id)?;
            let (names, uses) = (names(tx)?, uses(tx)?);
            Ok(found.map(|row| shown(row, &names, &uses)))
        })
        .await?;
    let found = found.ok_or_else(|| ApiError::not_found(Approval::RuleUnknown))?;
    desk.events().tell(Event::RuleChanged);
    Ok(Answer(found))
}

/// Keeps a new rule, and notes it in the log.
///
/// # Errors
/// 409 if there are as many as there may be.
pub(in crate::approvals) fn keep(tx: &Connection, row: &RuleRow) -> Result<(), Failure> {
    if approval_rule::list(tx, false)?.len() >= MOST_RULES {
        return Err(ApiError::conflict(Approval::RuleTooMany { most: MOST_RULES }).into());
    }
    approval_rule::insert(tx, row)?;
    append(tx, &entry(row, Change::Created))?;
    Ok(())
}

/// What became of a rule.
#[derive(Clone, Copy)]
enum Change {
    Created,
    Revoked,
}

/// An entry of the log about a rule.
fn entry(row: &RuleRow, change: Change) -> AuditEntry {
    let text_of = |key: &str| row.scope[key].as_str().map(str::to_owned);
    AuditEntry {
        sequence: 0,
        at: Timestamp::now(),
        event: AuditEvent::Rule,
        connection: text_of("connection").unwrap_or_default(),
        agent_id: text_of("agent_id").and_then(|id| id.parse().ok()),
        conversation_id: text_of("conversation_id").and_then(|id| id.parse().ok()),
        message_id: None,
        tool_call_id: None,
        tool: row.matches["tool"].as_str().unwrap_or_default().to_owned(),
        kind: CallKind::Client,
        outcome: match change {
            Change::Created => AuditOutcome::Created,
            Change::Revoked => AuditOutcome::Revoked,
        },
        decided_by: "person".to_owned(),
        rule_id: Some(row.id.clone()),
        reason: row.note.clone(),
        hash: String::new(),
        arguments: row.matches.to_string(),
        original_arguments: None,
        confinement: None,
        facts: None,
    }
}
