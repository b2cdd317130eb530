//! Conversations and what is in their context.

use loci_api::{
    ids::{AgentId, ConversationId, MessageId},
    message::Role,
    resource::Conversation,
};
use loci_store::{
    Page, StoreError, Thread,
    table::{
        context,
        conversation::{self, ConversationFilter, ConversationOrder},
        message::{self, MessageFilter, ThreadFilter},
    },
};
use serde_json::json;

use crate::fixture::{self, NOW, check, later};

fn conversation(agent_id: &AgentId, summary: &str) -> Conversation {
    Conversation {
        id: ConversationId::new(),
        agent_id: agent_id.clone(),
        summary: Some(summary.to_owned()),
        description: None,
        in_context_message_ids: Vec::new(),
        isolated_block_ids: Vec::new(),
        model: None,
        model_settings: Some(json!({"temperature": 0})),
        last_message_at: None,
        created_at: Some(NOW),
        updated_at: Some(NOW),
        created_by_id: Some("user-1".to_owned()),
        last_updated_by_id: None,
    }
}

#[tokio::test]
async fn a_conversation_comes_back_as_it_was_written() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let mut row = conversation(&agent, "first");
        conversation::insert(conn, &row, NOW).unwrap();
        assert_eq!(conversation::get(conn, &row.id).unwrap(), Some(row.clone()));
        assert_eq!(conversation::agent_of(conn, &row.id).unwrap(), Some(agent.clone()));

        let thread = Thread::new(agent, Some(row.id.clone()));
        let messages = [Role::System, Role::User].map(|role| fixture::message(&thread, role, "x"));
        context::push(conn, &thread, &messages).unwrap();
        row.summary = Some("renamed".to_owned());
        row.model = Some("openai/gpt-4.1".to_owned());
        conversation::update(conn, &row, later(1)).unwrap();
        conversation::record_message(conn, &row.id, later(2)).unwrap();
        row.updated_at = Some(later(2));
        row.last_message_at = Some(later(2));
        row.in_context_message_ids = messages.iter().map(|message| message.id.clone()).collect();
        assert_eq!(conversation::get(conn, &row.id).unwrap(), Some(row));
    })
    .await;
}

#[tokio::test]
async fn a_deleted_conversation_is_gone_but_its_messages_stay() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let row = conversation(&agent, "first");
        conversation::insert(conn, &row, NOW).unwrap();
        let thread = Thread::new(agent.clone(), Some(row.id.clone()));
        context::push(conn, &thread, &[fixture::message(&thread, Role::User, "hello")]).unwrap();
        assert!(conversation::delete(conn, &row.id, NOW).unwrap());
        assert!(!conversation::delete(conn, &row.id, NOW).unwrap());
        assert_eq!(conversation::get(conn, &row.id).unwrap(), None);
        assert_eq!(conversation::agent_of(conn, &row.id).unwrap(), None);
        assert!(matches!(conversation::update(conn, &row, NOW), Err(StoreError::NotFound { .. })));
        let all = conversation::list(
            conn,
            &ConversationFilter::default(),
            ConversationOrder::CreatedAt,
            &Page::newest(9),
        );
        assert!(all.unwrap().is_empty());
        let filter = MessageFilter { agent_id: Some(agent), ..MessageFilter::default() };
        assert_eq!(message::count(conn, &filter).unwrap(), 1);
        let stranger = conversation(&AgentId::new(), "nobody's");
        assert!(matches!(conversation::insert(conn, &stranger, NOW), Err(StoreError::MissingReference)));
    })
    .await;
}

#[tokio::test]
async fn conversations_are_listed_by_what_happened_last() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        for (at, title) in ["one", "two", "100% three"].into_iter().enumerate() {
            let row = conversation(&agent, title);
            conversation::insert(conn, &row, NOW).unwrap();
            if at < 2 {
                conversation::record_message(conn, &row.id, later(5 - i64::try_from(at).unwrap())).unwrap();
                conversation::record_run(conn, &row.id, later(i64::try_from(at).unwrap())).unwrap();
            }
        }
        let list = |search: Option<&str>, order, page: Page| {
            let filter = ConversationFilter {
                agent_id: Some(agent.clone()),
                summary_search: search.map(str::to_owned),
            };
            let rows = conversation::list(conn, &filter, order, &page).unwrap();
            rows.into_iter().filter_map(|row| row.summary).collect::<Vec<_>>().join(", ")
        };
        use ConversationOrder::{CreatedAt, LastMessageAt, LastRunCompletion};
        assert_eq!(list(None, CreatedAt, Page::newest(9)), "100% three, two, one");
        assert_eq!(list(None, LastMessageAt, Page::newest(9)), "one, two, 100% three");
        assert_eq!(list(None, LastRunCompletion, Page::newest(9)), "two, one, 100% three");
        assert_eq!(list(Some("O"), CreatedAt, Page::oldest(9)), "one, two");
        assert_eq!(list(Some("%"), CreatedAt, Page::oldest(9)), "100% three");
    })
    .await;
}

#[tokio::test]
async fn a_context_is_appended_to_and_replaced_but_never_dangles() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let stranger = fixture::stored_agent(conn, "b");
        let thread = Thread::new(agent.clone(), None);
        let beside = Thread::new(stranger.clone(), None);
        assert_eq!(context::last(conn, &thread).unwrap(), None);
        let mut messages: Vec<_> =
            ["0", "1", "2", "3"].iter().map(|text| fixture::message(&thread, Role::User, text)).collect();
        messages[2].is_err = true;
        context::push(conn, &thread, &messages).unwrap();
        let foreign = fixture::message(&beside, Role::User, "theirs");
        context::push(conn, &beside, std::slice::from_ref(&foreign)).unwrap();

        let texts = |thread: &Thread| {
            context::load(conn, thread)
                .unwrap()
                .iter()
                .map(|message| message.text())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(texts(&thread), "0 1 3", "a failed step's message is not shown to the model");
        assert_eq!(texts(&beside), "theirs");
        assert_eq!(context::first(conn, &thread).unwrap().unwrap().text(), "0");
        assert_eq!(context::last(conn, &thread).unwrap().unwrap().text(), "3");
        assert_eq!(context::ids(conn, &thread).unwrap().len(), 3);
        assert_eq!(context::tail(conn, &thread).unwrap(), Some((3, messages[3].id.clone())));

        context::replace(conn, &thread, &[messages[3].id.clone(), messages[0].id.clone()]).unwrap();
        assert_eq!(texts(&thread), "3 0");
        context::append(conn, &thread, &[messages[1].id.clone()]).unwrap();
        assert_eq!(texts(&thread), "3 0 1");
        assert_eq!(context::ids(conn, &thread).unwrap()[0], messages[3].id);
        for id in [MessageId::new(), foreign.id] {
            let refused = context::replace(conn, &thread, &[messages[0].id.clone(), id]);
            assert!(matches!(refused, Err(StoreError::NotFound { what: "message", .. })));
        }
        assert!(matches!(
            context::append(conn, &thread, &[MessageId::new()]),
            Err(StoreError::MissingReference)
        ));
        assert_eq!(texts(&thread), "3 0 1");

        let filter = MessageFilter { thread: ThreadFilter::from(&thread), ..MessageFilter::default() };
        assert_eq!(message::list_for_agent(conn, &agent, &filter, &Page::oldest(9)).unwrap().len(), 3);
        context::clear(conn, &thread).unwrap();
        assert_eq!(texts(&thread), "");
        assert_eq!(message::delete_thread(conn, &thread).unwrap(), 4);
        assert_eq!(message::delete_for_agent(conn, &stranger).unwrap(), 1);
        assert_eq!(texts(&beside), "");
    })
    .await;
}
