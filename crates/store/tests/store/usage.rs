//! The ledger of model calls, budgets, score cards.

use loci_api::{
    ids::{AgentId, BudgetId, ConversationId, RunId, ScoreCardId, StepId},
    time::Timestamp,
};
use loci_store::{
    StoreError,
    table::{
        agent,
        budget::{self, Budget, Period},
        score_card::{self, CardStatus, ScoreCard},
        usage::{self, Spending, Tokens, UsageEntry, UsageFilter, UsageGroup, UsageKind},
    },
};
use serde_json::json;

use crate::fixture::{NOW, check, later, stored_agent};

fn entry(at: Timestamp, agent: &AgentId, model: &str, tokens: i64, cost: Option<i64>) -> UsageEntry {
    UsageEntry {
        at,
        kind: UsageKind::Chat,
        step_id: Some(StepId::new()),
        run_id: Some(RunId::new()),
        agent_id: Some(agent.clone()),
        conversation_id: None,
        provider_name: "openai".to_owned(),
        model_handle: model.to_owned(),
        tokens: Tokens { prompt: tokens, completion: 10, ..Tokens::default() },
        tokens_estimated: false,
        cost_nano_usd: cost,
    }
}

#[tokio::test]
async fn calls_are_summed_up_and_outlive_their_agent() {
    check(|conn| {
        let (one, other) = (stored_agent(conn, "one"), stored_agent(conn, "other"));
        let first = entry(NOW, &one, "openai/a", 100, Some(5_000));
        usage::insert(conn, &first).unwrap();
        usage::insert(conn, &first).unwrap();
        usage::insert(conn, &entry(later(60), &one, "openai/b", 200, None)).unwrap();
        let talk = ConversationId::new();
        usage::insert(
            conn,
            &UsageEntry {
                conversation_id: Some(talk.clone()),
                tokens_estimated: true,
                ..entry(later(3_600), &other, "openai/a", 300, Some(7_000))
            },
        )
        .unwrap();
        agent::delete(conn, &other).unwrap();

        let all = usage::sums(conn, &UsageFilter::default(), UsageGroup::All, 10).unwrap();
        assert_eq!((all[0].calls, all[0].tokens.prompt, all[0].cost_nano_usd), (3, 600, 12_000));
        assert_eq!((all[0].unpriced_calls, all[0].estimated_calls), (1, 1));
        let by_agent = usage::sums(conn, &UsageFilter::default(), UsageGroup::Agent, 10).unwrap();
        let keys: Vec<_> = by_agent.iter().map(|sum| sum.key.as_str()).collect();
        assert_eq!(keys, [other.as_str(), one.as_str()], "the dearest first");
        let by_talk = usage::sums(conn, &UsageFilter::default(), UsageGroup::Conversation, 10).unwrap();
        let keys: Vec<_> = by_talk.iter().map(|sum| sum.key.as_str()).collect();
        assert_eq!(keys, [talk.as_str(), one.as_str()]);
        let narrow = UsageFilter {
            start: Some(NOW),
            end: Some(later(60)),
            agent_id: Some(one.clone()),
            ..Default::default()
        };
        assert_eq!(usage::sums(conn, &narrow, UsageGroup::Model, 10).unwrap()[0].key, "openai/a");
        assert_eq!(usage::slices(conn, &UsageFilter::default()).unwrap().len(), 2);

        let all = Spending { nano_usd: 12_000, tokens: 630, unpriced_calls: 1 };
        assert_eq!(usage::spent(conn, None, None).unwrap(), all);
        let late = Spending { nano_usd: 0, tokens: 210, unpriced_calls: 1 };
        assert_eq!(usage::spent(conn, Some(&one), Some(later(1))).unwrap(), late);
    })
    .await;
}

#[tokio::test]
async fn budgets_belong_to_an_agent_or_to_all() {
    check(|conn| {
        let one = stored_agent(conn, "one");
        let new = |agent_id| Budget {
            id: BudgetId::new(),
            agent_id,
            period: Period::Day,
            limit_nano_usd: Some(1_000_000_000),
            limit_tokens: None,
            warn_percent: 80,
            created_at: NOW,
            updated_at: NOW,
        };
        let (own, shared) = (new(Some(one.clone())), new(None));
        budget::insert(conn, &own).unwrap();
        budget::insert(conn, &shared).unwrap();
        let unknown = budget::insert(conn, &new(Some(AgentId::new())));
        assert!(matches!(unknown, Err(StoreError::MissingReference)), "{unknown:?}");
        assert_eq!(budget::list_for_agent(conn, &one).unwrap().len(), 2);
        assert_eq!(budget::list_for_agent(conn, &AgentId::new()).unwrap(), std::slice::from_ref(&shared));
        let raised = Budget { limit_nano_usd: None, limit_tokens: Some(5), ..own.clone() };
        budget::update(conn, &raised).unwrap();
        assert_eq!(budget::get(conn, &own.id).unwrap(), Some(raised));
        agent::delete(conn, &one).unwrap();
        assert_eq!(budget::list(conn).unwrap(), std::slice::from_ref(&shared));
        assert!(budget::delete(conn, &shared.id).unwrap() && !budget::delete(conn, &shared.id).unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_newest_card_of_each_model_is_shown() {
    check(|conn| {
        let card = |handle: &str| ScoreCard {
            id: ScoreCardId::new(),
            model_handle: handle.to_owned(),
            endpoint: None,
            status: CardStatus::Running,
            checks: json!([]),
            started_at: NOW,
            finished_at: None,
        };
        let (old, new, other) = (card("a/b"), card("a/b"), card("a/c"));
        for card in [&old, &new, &other] {
            score_card::upsert(conn, card).unwrap();
        }
        let done = ScoreCard { status: CardStatus::Finished, checks: json!([{"name": "x"}]), ..new.clone() };
        score_card::upsert(conn, &done).unwrap();
        assert_eq!(score_card::list(conn, None).unwrap(), [other.clone(), done.clone()]);
        assert_eq!(score_card::list(conn, Some("a/b")).unwrap().len(), 2);
        assert_eq!(score_card::interrupt_running(conn).unwrap(), 2);
        assert_eq!(score_card::get(conn, &old.id).unwrap().unwrap().status, CardStatus::Interrupted);
        assert_eq!(score_card::get(conn, &done.id).unwrap(), Some(done));
        assert!(score_card::delete(conn, &old.id).unwrap());
    })
    .await;
}
