//! Trying out a model before an agent depends on it: a fixed suite of small conversations, each with a verdict, its
//! evidence and what to do. It runs only when somebody asks: some models cost money.

mod ask;
mod context;
mod estimate;
mod finding;
mod judged;
mod report;
mod suite;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use loci_api::{error::ApiError, ids::ScoreCardId, time::Timestamp};
use loci_llm::{REHEARSAL_HANDLE, ResolvedModel};
use loci_store::table::score_card::{self, CardStatus, ScoreCard};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use self::{
    estimate::{Estimate, estimate},
    finding::{Advice, Finding},
    report::{Report, report},
};
use crate::{
    App,
    agents::settings::resolve_model,
    error::{Answer, Failure},
};

/// Tokens a search for the context's end goes up to unless told otherwise: enough to notice a context cut to 4k or 8k
/// without spending much.
pub const DEFAULT_CONTEXT: u32 = 16_384;
/// Tokens it may be told to go up to.
pub const MOST_CONTEXT: u32 = 1_048_576;

/// The trials under way.
#[derive(Default)]
pub struct Preflight(Mutex<HashMap<ScoreCardId, Live>>);

struct Live {
    handle: String,
    stop: CancellationToken,
}

impl Preflight {
    fn live(&self) -> MutexGuard<'_, HashMap<ScoreCardId, Live>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every trial, for shutting down.
    pub(crate) fn stop_all(&self) {
        self.live().values().for_each(|live| live.stop.cancel());
    }
}

/// One thing a model can do or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    PlainReply,
    StreamedReply,
    ToolCall,
    ParallelCalls,
    NestedArguments,
    ToolErrorRecovery,
    ForcedTool,
    Image,
    MemoryRecall,
    ContextLength,
    Speed,
}

impl CheckName {
    /// All, in the order in which they are made.
    pub const ALL: [Self; 11] = [
        Self::PlainReply,
        Self::StreamedReply,
        Self::ToolCall,
        Self::ParallelCalls,
        Self::NestedArguments,
        Self::ToolErrorRecovery,
        Self::ForcedTool,
        Self::Image,
        Self::MemoryRecall,
        Self::ContextLength,
        Self::Speed,
    ];

    /// Whether an agent cannot do without it.
    #[must_use]
    pub fn is_needed(self) -> bool {
        match self {
            Self::PlainReply
            | Self::StreamedReply
            | Self::ToolCall
            | Self::NestedArguments
            | Self::ToolErrorRecovery
            | Self::MemoryRecall
            | Self::ContextLength => true,
            Self::ParallelCalls | Self::ForcedTool | Self::Image | Self::Speed => false,
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// It works, but not as it should, or nothing an agent needs is missing.
    Warn,
    Fail,
    Skipped,
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub name: CheckName,
    pub verdict: Verdict,
    /// What was seen, in a sentence.
    pub detail: String,
    /// What to do about it, where something is to be done.
    pub remedy: Option<String>,
    /// The name of [`Check::detail`]; cards of earlier versions have none.
    #[serde(default)]
    pub finding: Option<Finding>,
    /// The name of [`Check::remedy`].
    #[serde(default)]
    pub advice: Option<Advice>,
    /// What the verdict rests on: the model's own words and figures, cut to a bounded length.
    pub evidence: serde_json::Value,
    /// An agent cannot do without it.
    pub needed: bool,
    pub duration_ms: u64,
}

/// What is to be tried.
#[derive(Debug, Clone)]
pub struct Plan {
    pub handle: String,
    /// Tokens the context is searched up to.
    pub context_tokens: u32,
    /// Empty: all.
    pub checks: Vec<CheckName>,
}

/// Begins to try a model in the background; one that is being tried already goes on. The card as it stands.
///
/// # Errors
/// 404 for an unknown model, 422 for one that is none or a plan that cannot be carried out.
pub async fn start(app: &App, plan: Plan) -> Answer<ScoreCard> {
    check_plan(&plan)?;
    let model = resolve_model(app, &plan.handle).await?;
    let known =
        app.preflight().live().iter().find(|(_, live)| live.handle == plan.handle).map(|(id, _)| id.clone());
    if let Some(id) = known {
        return card(app, &id).await;
    }
    let card = ScoreCard {
        id: ScoreCardId::new(),
        model_handle: plan.handle.clone(),
        endpoint: model.endpoint.clone(),
        status: CardStatus::Running,
        checks: serde_json::json!([]),
        started_at: Timestamp::now(),
        finished_at: None,
    };
    keep(app, card.clone()).await?;
    let stop = CancellationToken::new();
    app.preflight().live().insert(card.id.clone(), Live { handle: plan.handle.clone(), stop: stop.clone() });
    let (worker, begun) = (app.clone(), card.clone());
    app.runs().spawn(async move { run(&worker, begun, &model, &plan, &stop).await });
    Ok(card)
}

fn check_plan(plan: &Plan) -> Result<(), ApiError> {
    if plan.handle == REHEARSAL_HANDLE {
        return Err(ApiError::validation("rehearsal is no AI: there is nothing to try out."));
    }
    if !(1_024..=MOST_CONTEXT).contains(&plan.context_tokens) {
        return Err(ApiError::validation(format!("context_tokens: must be from 1024 to {MOST_CONTEXT}.")));
    }
    Ok(())
}

async fn keep(app: &App, card: ScoreCard) -> Result<(), Failure> {
    Ok(app.store().write(move |tx| score_card::upsert(tx, &card)).await?)
}

/// Makes every check and writes the card after each.
async fn run(app: &App, mut card: ScoreCard, model: &ResolvedModel, plan: &Plan, stop: &CancellationToken) {
    let mut checks: Vec<Check> = Vec::new();
    let mut unreachable: Option<String> = None;
    for name in CheckName::ALL {
        if !plan.checks.is_empty() && !plan.checks.contains(&name) {
            continue;
        }
        let check = match &unreachable {
            Some(why) => judged::skipped(name, why),
            None => tokio::select! {
                biased;
                () = stop.cancelled() => break,
                (check, gone) = judged::check(app, model, plan, name) => {
                    unreachable = gone;
                    check
                }
            },
        };
        checks.push(check);
        card.checks = serde_json::to_value(&checks).unwrap_or_default();
        if let Err(failure) = keep(app, card.clone()).await {
            tracing::warn!(error = failure.0.message, "a score card was not written");
        }
    }
    card.status = if stop.is_cancelled() { CardStatus::Cancelled } else { CardStatus::Finished };
    card.finished_at = Some(Timestamp::now());
    let id = card.id.clone();
    if let Err(failure) = keep(app, card).await {
        tracing::warn!(error = failure.0.message, "a score card was not written");
    }
    app.preflight().live().remove(&id);
}

/// A card.
///
/// # Errors
/// 404.
pub async fn card(app: &App, id: &ScoreCardId) -> Answer<ScoreCard> {
    let wanted = id.clone();
    let found = app.store().read(move |conn| score_card::get(conn, &wanted)).await?;
    found.ok_or_else(|| ApiError::not_found(format!("There is no score card {id}.")).into())
}

/// The newest card of every model, or all cards of one, newest first.
///
/// # Errors
/// If the database cannot be read.
pub async fn list(app: &App, handle: Option<String>) -> Answer<Vec<ScoreCard>> {
    Ok(app.store().read(move |conn| score_card::list(conn, handle.as_deref())).await?)
}

/// Ends a trial; what was found so far stays. Ending one that has ended is no error.
///
/// # Errors
/// 404.
pub async fn cancel(app: &App, id: &ScoreCardId) -> Answer<ScoreCard> {
    if let Some(live) = app.preflight().live().get(id) {
        live.stop.cancel();
    }
    card(app, id).await
}

/// Removes a card.
///
/// # Errors
/// 404; 409 while the trial is under way.
pub async fn delete(app: &App, id: &ScoreCardId) -> Answer<()> {
    if app.preflight().live().contains_key(id) {
        return Err(ApiError::conflict("The model is being tried. Cancel that first.").into());
    }
    let gone = id.clone();
    if app.store().write(move |tx| score_card::delete(tx, &gone)).await? {
        Ok(())
    } else {
        Err(ApiError::not_found(format!("There is no score card {id}.")).into())
    }
}
