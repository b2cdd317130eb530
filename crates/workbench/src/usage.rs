//! `/workbench/usage` and `/workbench/budgets`: what models used and cost, for charts, and what may be spent.

use axum::{
    Json as Answer, Router,
    extract::{Path, Query, State},
    routing::{get, patch},
};
use jiff::tz::TimeZone;
use loci_api::{
    error::ApiError,
    ids::{AgentId, BudgetId, ConversationId, MessageId},
    time::Timestamp,
};
use loci_server::{
    error::Failure,
    usage::{
        self, UsageFilter, UsageGroup, UsageSum,
        budget::{self, Spent, Standing},
    },
};
use loci_store::{
    Connection, StoreError,
    table::{
        agent,
        budget::{self as rows, Budget, Period},
        conversation, message,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    Desk,
    events::Event,
    extract::{Json, given},
    sentences::Machine,
};

/// Groups of one answer.
const MOST_GROUPS: u32 = 200;
/// Characters of a message that stand for it.
const NAMED: usize = 120;
/// The largest limit, in dollars: far beyond what anybody spends, and whole numbers stay exact.
const MOST_USD: f64 = 1_000_000.0;
const MOST_TOKENS: i64 = 1_000_000_000_000;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/usage", get(show))
        .route("/budgets", get(list).post(add))
        .route("/budgets/{id}", patch(change).delete(remove))
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Day,
    Agent,
    Conversation,
    Run,
    Step,
    Message,
    Model,
    Kind,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    group_by: By,
    /// Included.
    from: Option<Timestamp>,
    /// Not included.
    to: Option<Timestamp>,
    agent_id: Option<String>,
    conversation_id: Option<String>,
    run_id: Option<String>,
    /// Whose days are meant, for example `Europe/Berlin`; left out, this machine's.
    timezone: Option<String>,
}

/// The sum of some model calls. Costs are at list prices.
#[derive(Debug, Serialize)]
struct Sum {
    /// A date, an id, a handle or a kind; empty for everything in one sum.
    key: String,
    /// What people call it, where the key is something that still exists: an agent's name, a conversation's title, the
    /// beginning of a message.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Whose conversation or message it is, where it still exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<AgentId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<ConversationId>,
    calls: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    total_tokens: i64,
    cached_input_tokens: i64,
    cache_write_tokens: i64,
    reasoning_tokens: i64,
    /// Some of the tokens are estimated: their provider did not say.
    tokens_estimated: bool,
    /// US dollars; null if no price is known for any of the calls.
    cost_usd: Option<f64>,
    /// Some of the calls have no known price and are not part of the cost.
    cost_is_partial: bool,
    last_at: Option<Timestamp>,
}

fn usd(nano: i64) -> f64 {
    nano as f64 / 1e9
}

impl From<UsageSum> for Sum {
    fn from(sum: UsageSum) -> Self {
        Self {
            key: sum.key,
            name: None,
            agent_id: None,
            agent_name: None,
            conversation_id: None,
            calls: sum.calls,
            prompt_tokens: sum.tokens.prompt,
            completion_tokens: sum.tokens.completion,
            total_tokens: sum.tokens.prompt + sum.tokens.completion,
            cached_input_tokens: sum.tokens.cached_input,
            cache_write_tokens: sum.tokens.cache_write,
            reasoning_tokens: sum.tokens.reasoning,
            tokens_estimated: sum.estimated_calls > 0,
            cost_usd: (sum.unpriced_calls < sum.calls || sum.calls == 0).then(|| usd(sum.cost_nano_usd)),
            cost_is_partial: sum.unpriced_calls > 0,
            last_at: sum.last_at,
        }
    }
}

#[derive(Serialize)]
struct Shown {
    total: Sum,
    groups: Vec<Sum>,
}

fn zone(name: Option<&str>) -> Result<TimeZone, ApiError> {
    name.map_or_else(
        || Ok(TimeZone::system()),
        |name| {
            TimeZone::get(name).map_err(|_| {
                let shown: String = name.chars().take(60).collect();
                ApiError::validation(format!("timezone: `{shown}` is not a time zone such as Europe/Berlin."))
            })
        },
    )
}

/// Says what people call the thing a sum is of, and whose it is.
fn name(conn: &Connection, by: By, sum: &mut Sum) -> Result<(), StoreError> {
    match by {
        By::Agent => {
            if let Ok(id) = sum.key.parse::<AgentId>() {
                sum.name = agent::get(conn, &id)?.map(|agent| agent.name);
            }
            return Ok(());
        }
        By::Conversation => {
            if let Ok(id) = sum.key.parse::<ConversationId>() {
                let found = conversation::get(conn, &id)?;
                sum.agent_id = found.as_ref().map(|found| found.agent_id.clone());
                sum.name = found.and_then(|found| found.summary);
                sum.conversation_id = Some(id);
            } else {
                // An agent's main conversation goes by the agent's id.
                sum.agent_id = sum.key.parse().ok();
            }
        }
        By::Message => {
            let found = sum.key.parse().ok().map(|id: MessageId| message::get(conn, &id)).transpose()?;
            if let Some(said) = found.flatten() {
                sum.name = Some(said.text().chars().take(NAMED).collect());
                sum.agent_id = Some(said.agent_id);
                sum.conversation_id = said.conversation_id;
            }
        }
        By::Day | By::Run | By::Step | By::Model | By::Kind => return Ok(()),
    }
    if let Some(id) = &sum.agent_id {
        sum.agent_name = agent::get(conn, id)?.map(|agent| agent.name);
    }
    Ok(())
}

async fn show(State(desk): State<Desk>, Query(wanted): Query<Wanted>) -> Result<Answer<Shown>, Failure> {
    let zone = zone(wanted.timezone.as_deref())?;
    let filter = UsageFilter {
        start: wanted.from,
        end: wanted.to,
        agent_id: wanted.agent_id.as_deref().map(str::parse).transpose()?,
        conversation_id: wanted.conversation_id.as_deref().map(str::parse).transpose()?,
        run_id: wanted.run_id.as_deref().map(str::parse).transpose()?,
    };
    let shown = desk
        .app()
        .store()
        .read(move |conn| {
            let total = usage::sums(conn, &filter, UsageGroup::All, 1)?.pop().unwrap_or_default();
            let group = match wanted.group_by {
                By::Day => None,
                By::Agent => Some(UsageGroup::Agent),
                By::Conversation => Some(UsageGroup::Conversation),
                By::Run => Some(UsageGroup::Run),
                By::Step => Some(UsageGroup::Step),
                By::Message => Some(UsageGroup::Message),
                By::Model => Some(UsageGroup::Model),
                By::Kind => Some(UsageGroup::Kind),
            };
            let sums = match group {
                None => usage::by_day(conn, &filter, &zone)?,
                Some(group) => usage::sums(conn, &filter, group, MOST_GROUPS)?,
            };
            let mut groups: Vec<Sum> = sums.into_iter().map(Sum::from).collect();
            for group in &mut groups {
                name(conn, wanted.group_by, group)?;
            }
            Ok(Shown { total: total.into(), groups })
        })
        .await?;
    Ok(Answer(shown))
}

/// A budget as the window sees it.
#[derive(Debug, Serialize)]
struct Limit {
    id: BudgetId,
    /// Null: all agents together.
    agent_id: Option<AgentId>,
    period: Period,
    limit_usd: Option<f64>,
    limit_tokens: Option<i64>,
    warn_percent: i64,
    spent_usd: f64,
    spent_tokens: i64,
    /// Some calls have no known price: a limit in dollars does not see them.
    cost_is_partial: bool,
    /// `ok`, `warning` or `stopped`.
    standing: Standing,
    /// When it begins anew.
    renews_at: Option<Timestamp>,
}

impl From<Spent> for Limit {
    fn from(spent: Spent) -> Self {
        Self {
            id: spent.budget.id,
            agent_id: spent.budget.agent_id,
            period: spent.budget.period,
            limit_usd: spent.budget.limit_nano_usd.map(usd),
            limit_tokens: spent.budget.limit_tokens,
            warn_percent: spent.budget.warn_percent,
            spent_usd: usd(spent.spending.nano_usd),
            spent_tokens: spent.spending.tokens,
            cost_is_partial: spent.spending.unpriced_calls > 0,
            standing: spent.standing,
            renews_at: spent.renews_at,
        }
    }
}

async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Limit>>, Failure> {
    let all = desk.app().store().read(|conn| budget::list(conn, Timestamp::now())).await?;
    Ok(Answer(all.into_iter().map(Limit::from).collect()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    #[serde(default)]
    agent_id: Option<AgentId>,
    period: Period,
    #[serde(default)]
    limit_usd: Option<f64>,
    #[serde(default)]
    limit_tokens: Option<i64>,
    #[serde(default)]
    warn_percent: Option<i64>,
}

/// What is left out stays; a limit that is null is taken away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    period: Option<Period>,
    #[serde(default, deserialize_with = "given")]
    limit_usd: Option<Option<f64>>,
    #[serde(default, deserialize_with = "given")]
    limit_tokens: Option<Option<i64>>,
    #[serde(default)]
    warn_percent: Option<i64>,
}

fn nano(limit: Option<f64>) -> Result<Option<i64>, ApiError> {
    match limit {
        None => Ok(None),
        Some(usd) if usd.is_finite() && (0.0..=MOST_USD).contains(&usd) => {
            Ok(Some((usd * 1e9).round() as i64))
        }
        Some(_) => Err(ApiError::validation(Machine::BudgetUsd { most: MOST_USD })),
    }
}

fn checked(budget: &Budget) -> Result<(), ApiError> {
    if budget.limit_nano_usd.is_none() && budget.limit_tokens.is_none() {
        return Err(ApiError::validation(Machine::BudgetEmpty));
    }
    if budget.limit_tokens.is_some_and(|tokens| !(0..=MOST_TOKENS).contains(&tokens)) {
        return Err(ApiError::validation(Machine::BudgetTokens { most: MOST_TOKENS }));
    }
    if !(1..=100).contains(&budget.warn_percent) {
        return Err(ApiError::validation(Machine::BudgetWarn));
    }
    Ok(())
}

/// The budget as it stands after it was written.
async fn written(desk: &Desk, budget: Budget, is_new: bool) -> Result<Answer<Limit>, Failure> {
    checked(&budget)?;
    let spent = desk
        .app()
        .store()
        .write(move |tx| {
            if is_new {
                rows::insert(tx, &budget)?
            } else {
                rows::update(tx, &budget)?
            }
            budget::spent(tx, budget, Timestamp::now(), &TimeZone::system())
        })
        .await?;
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(spent.into()))
}

async fn add(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Limit>, Failure> {
    let now = Timestamp::now();
    let budget = Budget {
        id: BudgetId::new(),
        agent_id: new.agent_id,
        period: new.period,
        limit_nano_usd: nano(new.limit_usd)?,
        limit_tokens: new.limit_tokens,
        warn_percent: new.warn_percent.unwrap_or(80),
        created_at: now,
        updated_at: now,
    };
    written(&desk, budget, true).await
}

fn unknown(id: &BudgetId) -> ApiError {
    ApiError::not_found(format!("There is no budget {id}."))
}

async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Answer<Limit>, Failure> {
    let id: BudgetId = id.parse()?;
    let wanted = id.clone();
    let found = desk.app().store().read(move |conn| rows::get(conn, &wanted)).await?;
    let mut budget = found.ok_or_else(|| unknown(&id))?;
    budget.period = change.period.unwrap_or(budget.period);
    if let Some(limit) = change.limit_usd {
        budget.limit_nano_usd = nano(limit)?;
    }
    budget.limit_tokens = change.limit_tokens.unwrap_or(budget.limit_tokens);
    budget.warn_percent = change.warn_percent.unwrap_or(budget.warn_percent);
    budget.updated_at = Timestamp::now();
    written(&desk, budget, false).await
}

async fn remove(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Answer<serde_json::Value>, Failure> {
    let id: BudgetId = id.parse()?;
    let gone = id.clone();
    if !desk.app().store().write(move |tx| rows::delete(tx, &gone)).await? {
        return Err(unknown(&id).into());
    }
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(serde_json::json!({"deleted": id})))
}
