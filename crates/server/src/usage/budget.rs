//! Budgets: how far each is used up, and the refusal of the next model call when one is.

use jiff::tz::TimeZone;
use loci_api::{
    chat::{ChatError, ChatErrorKind},
    ids::AgentId,
    time::Timestamp,
};
use loci_store::{
    Connection, StoreError,
    table::{
        budget::{self, Budget, Period},
        usage::{self, Spending},
    },
};
use serde::Serialize;

use super::days::{midnight, next};
use crate::App;

/// How far a budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Ok,
    /// Near the limit.
    Warning,
    /// Used up: the next model call is refused.
    Stopped,
}

/// A budget and what of it is used up.
#[derive(Debug, Clone)]
pub struct Spent {
    pub budget: Budget,
    pub spending: Spending,
    pub standing: Standing,
    /// When it begins anew.
    pub renews_at: Option<Timestamp>,
}

/// How far a budget is used up now.
///
/// # Errors
/// If the database cannot be read.
pub fn spent(
    conn: &Connection,
    budget: Budget,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<Spent, StoreError> {
    let since = midnight(budget.period, now, zone);
    let spending = usage::spent(conn, budget.agent_id.as_ref(), since)?;
    let used = [(spending.nano_usd, budget.limit_nano_usd), (spending.tokens, budget.limit_tokens)];
    let over = |percent: i64| {
        used.iter().any(|(used, limit)| {
            limit.is_some_and(|limit| i128::from(*used) * 100 >= i128::from(limit) * i128::from(percent))
        })
    };
    let standing = if over(100) {
        Standing::Stopped
    } else if over(budget.warn_percent) {
        Standing::Warning
    } else {
        Standing::Ok
    };
    let renews_at = next(budget.period, now, zone);
    Ok(Spent { budget, spending, standing, renews_at })
}

/// Every budget and how far it is used up.
///
/// # Errors
/// If the database cannot be read.
pub fn list(conn: &Connection, now: Timestamp) -> Result<Vec<Spent>, StoreError> {
    let zone = TimeZone::system();
    budget::list(conn)?.into_iter().map(|budget| spent(conn, budget, now, &zone)).collect()
}

/// Whether an agent may ask a model now.
///
/// # Errors
/// A sentence for the person, as a model that is not paid any more would give; or that the database cannot be read.
pub async fn check(app: &App, agent_id: &AgentId) -> Result<(), ChatError> {
    let id = agent_id.clone();
    let stopped = app
        .store()
        .read(move |conn| {
            let (now, zone) = (Timestamp::now(), TimeZone::system());
            for budget in budget::list_for_agent(conn, &id)? {
                let spent = spent(conn, budget, now, &zone)?;
                if spent.standing == Standing::Stopped {
                    return Ok(Some(spent));
                }
            }
            Ok(None)
        })
        .await;
    match stopped {
        Ok(None) => Ok(()),
        Ok(Some(spent)) => Err(refusal(ChatErrorKind::BudgetExceeded, sentence(&spent))),
        Err(error) => {
            tracing::error!(%error, "budgets could not be read");
            // Spending without knowing the limit is what a budget is there to prevent.
            Err(refusal(
                ChatErrorKind::LlmError,
                "The budgets could not be read, so no model was asked.".to_owned(),
            ))
        }
    }
}

fn refusal(kind: ChatErrorKind, message: String) -> ChatError {
    ChatError { kind, message, detail: None, status: None, retry_after_ms: None, trace: None }
}

fn dollars(nano_usd: i64) -> String {
    let cents = nano_usd as f64 / 1e9;
    if cents > 0.0 && cents < 0.01 { format!("${cents:.4}") } else { format!("${cents:.2}") }
}

fn sentence(spent: &Spent) -> String {
    let budget = &spent.budget;
    let span = match budget.period {
        Period::Day => " for today",
        Period::Month => " for this month",
        Period::Total => "",
    };
    let whose = if budget.agent_id.is_some() { "this agent" } else { "all agents together" };
    let by_cost = budget.limit_nano_usd.filter(|limit| spent.spending.nano_usd >= *limit);
    let how_much = match (by_cost, budget.limit_tokens) {
        (Some(limit), _) => format!("{} of {}", dollars(spent.spending.nano_usd), dollars(limit)),
        (None, Some(limit)) => format!("{} of {limit} tokens", spent.spending.tokens),
        (None, None) => dollars(spent.spending.nano_usd),
    };
    format!(
        "The budget of {whose}{span} is used up ({how_much}), so no model was asked. Raise the budget under Usage and \
         send again to go on; nothing is lost."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_sums_stay_visible() {
        for (nano, text) in
            [(0, "$0.00"), (1_234_567, "$0.0012"), (20_000_000, "$0.02"), (5_000_000_000, "$5.00")]
        {
            assert_eq!(dollars(nano), text);
        }
    }
}
