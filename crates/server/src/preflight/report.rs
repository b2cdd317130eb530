//! A score card as people read it.

use loci_api::{ids::ScoreCardId, time::Timestamp};
use loci_store::table::score_card::{CardStatus, ScoreCard};
use serde::Serialize;

use super::{Check, CheckName, Verdict};
use crate::App;

/// A card with what it comes down to.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub id: ScoreCardId,
    pub model: String,
    pub endpoint: Option<String>,
    pub status: CardStatus,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Checks there are in all; fewer were made while it is under way.
    pub total: usize,
    pub checks: Vec<Check>,
    /// Whether an agent can work with it; `None` before everything an agent needs was tried.
    pub fits_agents: Option<bool>,
    /// It is about the model as it is reached now: everything an agent needs was tried, at the address the provider has
    /// today.
    pub is_current: bool,
    /// What an agent needs and the model does not do.
    pub missing: Vec<CheckName>,
    /// Tokens it was seen to read.
    pub effective_context_tokens: Option<u64>,
    pub tokens_per_second: Option<f64>,
}

/// What a card comes down to.
#[must_use]
pub fn report(app: &App, card: ScoreCard) -> Report {
    let checks: Vec<Check> = serde_json::from_value(card.checks).unwrap_or_default();
    let number = |name: CheckName, path: &str| {
        checks.iter().find(|check| check.name == name).and_then(|check| check.evidence.pointer(path)).cloned()
    };
    let needed: Vec<&Check> = checks.iter().filter(|check| check.needed).collect();
    let missing: Vec<CheckName> =
        needed.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.name).collect();
    let all_made = CheckName::ALL
        .iter()
        .filter(|name| name.is_needed())
        .all(|name| needed.iter().any(|check| check.name == *name && check.verdict != Verdict::Skipped));
    let is_there =
        app.models().resolve(&card.model_handle).is_ok_and(|model| model.endpoint == card.endpoint);
    Report {
        is_current: is_there && card.status == CardStatus::Finished && (all_made || !missing.is_empty()),
        id: card.id,
        model: card.model_handle,
        endpoint: card.endpoint,
        status: card.status,
        started_at: card.started_at,
        finished_at: card.finished_at,
        total: CheckName::ALL.len(),
        fits_agents: if missing.is_empty() { all_made.then_some(true) } else { Some(false) },
        missing,
        effective_context_tokens: number(CheckName::ContextLength, "/effective_context_tokens")
            .and_then(|value| value.as_u64()),
        tokens_per_second: number(CheckName::Speed, "/tokens_per_second").and_then(|value| value.as_f64()),
        checks,
    }
}
