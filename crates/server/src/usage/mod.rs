//! What model calls use and cost, written down as they end, and the budgets that stop an agent in time.

pub mod budget;
mod days;

use loci_api::{
    chat::Usage,
    ids::{AgentId, ConversationId, RunId, StepId},
    message::Message,
    time::Timestamp,
};
use loci_llm::{REHEARSAL_HANDLE, provider_kind};
use loci_store::table::usage::{self, Tokens, UsageEntry};

pub use self::days::{by_day, midnight};
use crate::App;
pub use loci_store::table::usage::{UsageFilter, UsageGroup, UsageKind, UsageSum, sums};

/// Who used a model, and for what.
#[derive(Debug, Clone)]
pub struct Spender {
    pub kind: UsageKind,
    pub step_id: Option<StepId>,
    pub run_id: Option<RunId>,
    pub agent_id: Option<AgentId>,
    pub conversation_id: Option<ConversationId>,
}

impl Spender {
    /// For something that belongs to no agent.
    #[must_use]
    pub fn nobody(kind: UsageKind) -> Self {
        Self { kind, step_id: None, run_id: None, agent_id: None, conversation_id: None }
    }
}

/// What a call cost, in billionths of a US dollar; `None` where no price is known. What runs on the person's own
/// machine costs nothing.
#[must_use]
pub fn cost(app: &App, handle: &str, usage: &Usage) -> Option<i64> {
    if handle == REHEARSAL_HANDLE {
        return Some(0);
    }
    let model = app.models().resolve(handle).ok()?;
    match model.price {
        Some(price) => Some(i64::try_from(price.cost(usage)).unwrap_or(i64::MAX)),
        None if provider_kind(&model.kind).is_some_and(|kind| kind.is_local) => Some(0),
        None => None,
    }
}

/// A call as it is written down.
#[must_use]
pub fn entry(app: &App, handle: &str, usage: &Usage, tokens_estimated: bool, spender: Spender) -> UsageEntry {
    let whole = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    UsageEntry {
        at: Timestamp::now(),
        kind: spender.kind,
        step_id: spender.step_id,
        run_id: spender.run_id,
        agent_id: spender.agent_id,
        conversation_id: spender.conversation_id,
        provider_name: handle.split('/').next().unwrap_or_default().to_owned(),
        model_handle: handle.to_owned(),
        tokens: Tokens {
            prompt: whole(usage.prompt_tokens),
            completion: whole(usage.completion_tokens),
            cached_input: whole(usage.cached_input_tokens.unwrap_or(0)),
            cache_write: whole(usage.cache_write_tokens.unwrap_or(0)),
            reasoning: whole(usage.reasoning_tokens.unwrap_or(0)),
        },
        tokens_estimated,
        cost_nano_usd: cost(app, handle, usage),
    }
}

/// Writes a call down that is no step of a run. Failing to is logged: the answer is there and counts more.
pub async fn record(app: &App, handle: &str, usage: &Usage, spender: Spender) {
    if usage.prompt_tokens == 0 && usage.completion_tokens == 0 {
        return;
    }
    let entry = entry(app, handle, usage, false, spender);
    if let Err(error) = app.store().write(move |tx| usage::insert(tx, &entry)).await {
        tracing::warn!(%error, "the use of a model was not written down");
    }
}

/// Tokens of a call whose provider did not say, at four characters to a token.
#[must_use]
pub fn estimated(context: &[Message], answer: &[Message]) -> Usage {
    let tokens = |messages: &[Message]| {
        let characters: usize = messages
            .iter()
            .map(|message| {
                let calls: usize = message.tool_calls.iter().map(|call| call.arguments.len()).sum();
                message.text().chars().count() + calls
            })
            .sum();
        u64::try_from(characters.div_ceil(4)).unwrap_or(u64::MAX)
    };
    let (prompt_tokens, completion_tokens) = (tokens(context), tokens(answer));
    Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        ..Usage::default()
    }
}
