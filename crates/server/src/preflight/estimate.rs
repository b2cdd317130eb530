//! What trying out a model would take, said before anybody asks for it.

use loci_api::chat::Usage;
use loci_llm::{ResolvedModel, provider_kind};
use serde::Serialize;

use super::{CheckName, Plan, ask::ROOM, check_plan, context::sizes};
use crate::{App, agents::settings::resolve_model, error::Answer, usage};

/// Tokens of the questions beside those about the context, tools and image included.
const QUESTIONS: u64 = 4_000;
/// Tokens of an answer that does what was asked.
const ANSWER: u64 = 60;
/// Tokens of the answer by which the speed is measured.
const LONG_ANSWER: u64 = 400;

/// How much a trial reads and writes, and what that costs at list prices.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub model: String,
    /// Runs on the person's own machine or network, and costs nothing.
    pub is_local: bool,
    pub calls: u64,
    pub prompt_tokens: u64,
    /// As a model writes that does not reason.
    pub completion_tokens: u64,
    /// US dollars; null where no price is known.
    pub cost_usd: Option<f64>,
    /// The same if every answer were as long as it may be, as those of reasoning models can be.
    pub cost_at_most_usd: Option<f64>,
}

/// What carrying out a plan would take. Asks nobody.
///
/// # Errors
/// As [`super::start`].
pub async fn estimate(app: &App, plan: &Plan) -> Answer<Estimate> {
    check_plan(plan)?;
    let model = resolve_model(app, &plan.handle).await?;
    Ok(of(app, &model, plan.context_tokens))
}

fn of(app: &App, model: &ResolvedModel, context_tokens: u32) -> Estimate {
    let texts = sizes(model.context_window, context_tokens);
    let calls = CheckName::ALL.len() as u64 - 1 + texts.len() as u64;
    let prompt_tokens = QUESTIONS + texts.iter().map(|size| u64::from(*size)).sum::<u64>();
    let cost = |completion_tokens: u64| {
        let used = Usage { prompt_tokens, completion_tokens, ..Usage::default() };
        usage::cost(app, &model.handle, &used).map(|nano| nano as f64 / 1e9)
    };
    let completion_tokens = (calls - 1) * ANSWER + LONG_ANSWER;
    Estimate {
        model: model.handle.clone(),
        is_local: provider_kind(&model.kind).is_some_and(|kind| kind.is_local),
        calls,
        prompt_tokens,
        completion_tokens,
        cost_usd: cost(completion_tokens),
        cost_at_most_usd: cost(calls * u64::from(ROOM)),
    }
}
