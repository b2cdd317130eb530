//! `GET /workbench/audit`: the log of decisions, as a page or, with `format=jsonl`, whole as JSON lines.

use axum::{
    Json as Answer,
    body::Body,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures::stream;
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId},
    said::Said,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::{
    StoreError,
    table::approval_audit::{self, AuditEntry, AuditEvent, AuditFilter, AuditOutcome},
};
use serde::{Deserialize, Serialize};

use crate::{Desk, sentences::confinement};

const PAGE: u32 = 500;

/// What of the log is wanted. An unknown parameter is refused: a filter that is not understood would show too much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// The sequence after which to begin.
    #[serde(default)]
    after: Option<i64>,
    /// The sequence before which to end.
    #[serde(default)]
    before: Option<i64>,
    /// 1 to 500.
    #[serde(default)]
    limit: Option<u32>,
    /// `asc` (the order of the log, the default) or `desc`.
    #[serde(default)]
    order: Option<Order>,
    #[serde(default)]
    format: Option<Format>,
    #[serde(default)]
    agent_id: Option<AgentId>,
    #[serde(default)]
    conversation_id: Option<ConversationId>,
    #[serde(default)]
    message_id: Option<MessageId>,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    event: Option<AuditEvent>,
    #[serde(default)]
    outcome: Option<AuditOutcome>,
    #[serde(default)]
    decided_by: Option<String>,
    #[serde(default)]
    rule_id: Option<String>,
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    until: Option<Timestamp>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    #[default]
    Asc,
    Desc,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Jsonl,
}

pub(super) async fn list(
    State(desk): State<Desk>,
    which: Result<Query<Which>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Failure> {
    let Query(which) = which.map_err(|problem| ApiError::validation(problem.body_text()))?;
    let filter = AuditFilter {
        after: which.after,
        before: which.before,
        agent_id: which.agent_id,
        conversation_id: which.conversation_id,
        message_id: which.message_id,
        tool: which.tool,
        event: which.event,
        outcome: which.outcome,
        decided_by: which.decided_by,
        rule_id: which.rule_id,
        since: which.since,
        until: which.until,
    };
    if which.format.unwrap_or_default() == Format::Jsonl {
        let headers = [
            (header::CONTENT_TYPE, "application/jsonl"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"loci-audit.jsonl\""),
        ];
        return Ok((headers, export(desk, filter)).into_response());
    }
    let limit = which.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        return Err(ApiError::validation(format!("limit is 1 to {PAGE}.")).into());
    }
    let newest_first = which.order.unwrap_or_default() == Order::Desc;
    let entries =
        desk.app().store().read(move |conn| approval_audit::list(conn, &filter, newest_first, limit)).await?;
    let entries: Vec<Shown> = entries.into_iter().map(Shown::from).collect();
    Ok(Answer(entries).into_response())
}

/// An entry as the window shows it.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    entry: AuditEntry,
    /// The parts of its line about confinement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    confined: Vec<Said>,
}

impl From<AuditEntry> for Shown {
    fn from(entry: AuditEntry) -> Self {
        Self { confined: entry.confinement.as_deref().map(confinement).unwrap_or_default(), entry }
    }
}

/// Page by page, so that the log may be of any length.
fn export(desk: Desk, filter: AuditFilter) -> Body {
    let pages = stream::try_unfold(Some(filter), move |filter| {
        let desk = desk.clone();
        async move {
            let Some(filter) = filter else { return Ok::<_, StoreError>(None) };
            let wanted = filter.clone();
            let entries =
                desk.app().store().read(move |conn| approval_audit::list(conn, &wanted, false, PAGE)).await?;
            let Some(last) = entries.last().map(|entry| entry.sequence) else { return Ok(None) };
            let mut lines = String::new();
            for entry in &entries {
                lines.push_str(&serde_json::to_string(entry)?);
                lines.push('\n');
            }
            Ok(Some((lines, Some(AuditFilter { after: Some(last), ..filter }))))
        }
    });
    Body::from_stream(pages)
}
