//! Blocks: versions, attachment, labels.

use loci_api::{ids::ConversationId, resource::Conversation};
use loci_store::{
    Connection, Page, Store, StoreError, Thread,
    table::{
        block::{self, Actor, BlockFilter, Change},
        block_version, conversation,
    },
};
use serde_json::{Map, json};

use crate::fixture::{self, NOW, by_api, check, later};

#[tokio::test]
async fn a_block_comes_back_as_it_was_written() {
    check(|conn| {
        let mut block = fixture::block("human", "a\u{0}b\n\tc");
        block.description = Some("about the person".to_owned());
        block.metadata = Some(Map::from_iter([("k".to_owned(), json!({"v": 1.5}))]));
        block.tags = Some(vec!["z".to_owned(), "a".to_owned()]);
        block.hidden = Some(true);
        block.read_only = true;
        block.is_template = true;
        block.template_name = Some("t".to_owned());
        block.preserve_on_migration = Some(false);
        block::insert(conn, &block, &by_api()).unwrap();
        assert_eq!(block::get_versioned(conn, &block.id).unwrap(), Some((block, 1)));
    })
    .await;
}

#[tokio::test]
async fn every_change_is_kept_with_who_made_it() {
    check(|conn| {
        let mut block = fixture::block("human", "one");
        block::insert(conn, &block, &by_api()).unwrap();
        let by_tool = Change {
            actor_id: Some("agent-1".to_owned()),
            tool_call_id: Some("call_1".to_owned()),
            ..Change::by(Actor::Tool, later(1))
        };
        assert_eq!(block::update_value(conn, &block.id, 1, "two", &by_tool).unwrap(), 2);
        assert_eq!(block::update_value(conn, &block.id, 2, "two", &by_tool).unwrap(), 2, "nothing changed");
        block.value = "two".to_owned();
        block.label = Some("person".to_owned());
        block.description = Some("renamed".to_owned());
        block.limit = 7;
        let by_person = Change::by(Actor::Person, later(2));
        assert_eq!(block::update(conn, &block, Some(2), &by_person).unwrap(), 3);
        assert_eq!(block::update(conn, &block, None, &by_person).unwrap(), 3, "nothing changed");

        let history = block_version::list(conn, &block.id, None, 10).unwrap();
        let shown: Vec<_> = history
            .iter()
            .map(|version| {
                (version.version, version.value.as_str(), version.label.as_deref(), version.change.actor)
            })
            .collect();
        assert_eq!(
            shown,
            [
                (3, "two", Some("person"), Actor::Person),
                (2, "two", Some("human"), Actor::Tool),
                (1, "one", Some("human"), Actor::Api)
            ]
        );
        assert_eq!(history[1].change, by_tool);
        assert_eq!(history[0].limit, 7);
        assert_eq!(block_version::list(conn, &block.id, Some(3), 1).unwrap()[0].version, 2);
        assert_eq!(block_version::get(conn, &block.id, 1).unwrap().unwrap().value, "one");
        assert_eq!(block_version::get(conn, &block.id, 4).unwrap(), None);
        block::delete(conn, &block.id).unwrap();
        assert!(block_version::list(conn, &block.id, None, 10).unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_stale_write_is_refused() {
    check(|conn| {
        let mut block = fixture::block("human", "one");
        block::insert(conn, &block, &by_api()).unwrap();
        block::update_value(conn, &block.id, 1, "two", &by_api()).unwrap();
        let refused = block::update_value(conn, &block.id, 1, "lost", &by_api());
        assert!(
            matches!(refused, Err(StoreError::Conflict { what: "block", current: 2, .. })),
            "{refused:?}"
        );
        block.value = "lost too".to_owned();
        assert!(matches!(block::update(conn, &block, Some(1), &by_api()), Err(StoreError::Conflict { .. })));
        assert_eq!(block::get(conn, &block.id).unwrap().unwrap().value, "two");
        block::delete(conn, &block.id).unwrap();
        let gone = block::update_value(conn, &block.id, 2, "x", &by_api());
        assert!(matches!(gone, Err(StoreError::NotFound { what: "block", .. })), "{gone:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_try_again_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("loci.db")).await.unwrap();
    let block = fixture::block("log", "");
    let id = block.id.clone();
    store.write(move |tx| block::insert(tx, &block, &by_api())).await.unwrap();
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (store, id) = (store.clone(), id.clone());
            tokio::spawn(async move {
                for entry in 0..20 {
                    loop {
                        let read = id.clone();
                        let (block, version) =
                            store.read(move |conn| block::get_versioned(conn, &read)).await.unwrap().unwrap();
                        let (id, value) = (id.clone(), format!("{}{writer}:{entry}\n", block.value));
                        let written = store
                            .write(move |tx| block::update_value(tx, &id, version, &value, &by_api()))
                            .await;
                        match written {
                            Ok(_) => break,
                            Err(StoreError::Conflict { .. }) => {}
                            Err(other) => panic!("{other}"),
                        }
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let (block, version) = store.read(move |conn| block::get_versioned(conn, &id)).await.unwrap().unwrap();
    assert_eq!((block.value.lines().count(), version), (80, 81));
}

#[tokio::test]
async fn a_label_is_an_agents_only_once() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let (first, second) = (fixture::block("human", "1"), fixture::block("human", "2"));
        let mut other = fixture::block("persona", "3");
        for block in [&first, &second, &other] {
            block::insert(conn, block, &by_api()).unwrap();
        }
        block::attach(conn, &agent, &first.id).unwrap();
        block::attach(conn, &agent, &first.id).unwrap();
        let taken = block::attach(conn, &agent, &second.id).unwrap_err();
        assert!(
            matches!(&taken, StoreError::Duplicate { what: "block label", value } if value == "human"),
            "{taken:?}"
        );
        assert_eq!(taken.to_string(), "block label 'human' is already taken");
        block::attach(conn, &agent, &other.id).unwrap();
        other.label = Some("human".to_owned());
        assert!(matches!(block::update(conn, &other, None, &by_api()), Err(StoreError::Duplicate { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_rename_holds_wherever_the_block_is_attached() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let mut block = fixture::block("old", "1");
        block::insert(conn, &block, &by_api()).unwrap();
        block::attach(conn, &agent, &block.id).unwrap();
        block.label = Some("new".to_owned());
        block::update(conn, &block, None, &by_api()).unwrap();
        assert_eq!(block::get_by_label(conn, &agent, "old").unwrap(), None);
        assert_eq!(block::get_by_label(conn, &agent, "new").unwrap(), Some((block, 2)));
    })
    .await;
}

fn labels(conn: &Connection, agent: &loci_api::ids::AgentId) -> String {
    let blocks = block::list_for_agent(conn, agent).unwrap();
    blocks.iter().filter_map(|(block, _)| block.label.clone()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn attached_blocks_stand_in_their_order() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let blocks: Vec<_> = ["b", "a", "c"].map(|label| fixture::block(label, "")).into();
        for block in &blocks {
            block::insert(conn, block, &by_api()).unwrap();
            block::attach(conn, &agent, &block.id).unwrap();
        }
        assert_eq!(labels(conn, &agent), "b a c");
        let stranger = fixture::block("x", "").id;
        block::reorder(conn, &agent, &[blocks[2].id.clone(), stranger.clone(), blocks[0].id.clone()])
            .unwrap();
        assert_eq!(labels(conn, &agent), "c b a");
        assert!(block::detach(conn, &agent, &blocks[0].id).unwrap());
        assert!(!block::detach(conn, &agent, &blocks[0].id).unwrap());
        block::attach(conn, &agent, &blocks[0].id).unwrap();
        assert_eq!(labels(conn, &agent), "c a b");
        block::set_for_agent(conn, &agent, &[blocks[1].id.clone(), blocks[0].id.clone()]).unwrap();
        assert_eq!(labels(conn, &agent), "a b");

        let unknown = block::attach(conn, &agent, &stranger);
        assert!(matches!(unknown, Err(StoreError::NotFound { what: "block", .. })), "{unknown:?}");
        let nobody = block::attach(conn, &loci_api::ids::AgentId::new(), &blocks[0].id);
        assert!(matches!(nobody, Err(StoreError::MissingReference)), "{nobody:?}");

        let page = Page { limit: 1, ..Page::newest(1) };
        let first = block::page_for_agent(conn, &agent, &page).unwrap();
        let second =
            block::page_for_agent(conn, &agent, &Page { after: Some(first[0].id.to_string()), ..page })
                .unwrap();
        assert!(first[0].id > second[0].id);
    })
    .await;
}

#[tokio::test]
async fn a_conversation_sees_its_own_copies() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let (human, persona) = (fixture::block("human", "shared"), fixture::block("persona", "shared"));
        let (own, extra) = (fixture::block("human", "own"), fixture::block("notes", "own"));
        for block in [&human, &persona, &own, &extra] {
            block::insert(conn, block, &by_api()).unwrap();
        }
        block::attach(conn, &agent, &human.id).unwrap();
        block::attach(conn, &agent, &persona.id).unwrap();
        let conversation = Conversation {
            id: ConversationId::new(),
            agent_id: agent.clone(),
            summary: None,
            description: None,
            in_context_message_ids: Vec::new(),
            isolated_block_ids: vec![own.id.clone(), extra.id.clone()],
            model: None,
            model_settings: None,
            last_message_at: None,
            created_at: None,
            updated_at: None,
            created_by_id: None,
            last_updated_by_id: None,
        };
        conversation::insert(conn, &conversation, NOW).unwrap();
        let seen = |thread| {
            let blocks = block::list_for_thread(conn, &thread).unwrap();
            blocks.iter().map(|(block, _)| block.value.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(seen(Thread::new(agent.clone(), None)), "shared shared");
        assert_eq!(seen(Thread::new(agent.clone(), Some(conversation.id.clone()))), "own shared own");
        assert_eq!(block::agent_ids(conn, &own.id).unwrap(), [agent]);

        conversation::delete(conn, &conversation.id, NOW).unwrap();
        assert_eq!(block::get(conn, &own.id).unwrap(), None);
        assert!(block::get(conn, &human.id).unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        for (label, value, tags) in
            [("human", "Mira 50%", "x"), ("persona", "helpful", "x y"), ("loose", "", "")]
        {
            let mut block = fixture::block(label, value);
            block.tags = Some(tags.split_whitespace().map(str::to_owned).collect());
            block.description = Some(format!("about {label}"));
            block::insert(conn, &block, &by_api()).unwrap();
            if label != "loose" {
                block::attach(conn, &agent, &block.id).unwrap();
            }
        }
        let mut template = fixture::block("template", "");
        template.is_template = true;
        template.hidden = Some(true);
        template.template_name = Some("t".to_owned());
        block::insert(conn, &template, &by_api()).unwrap();

        let tags = |tags: &str| tags.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let text = |text: &str| Some(text.to_owned());
        let none = BlockFilter::default;
        let table = [
            (none(), "human persona loose"),
            (BlockFilter { include_hidden: true, ..none() }, "human persona loose template"),
            (BlockFilter { templates_only: true, include_hidden: true, ..none() }, "template"),
            (BlockFilter { name: text("t"), include_hidden: true, ..none() }, "template"),
            (BlockFilter { label: text("human"), ..none() }, "human"),
            (BlockFilter { label_search: text("O"), ..none() }, "persona loose"),
            (BlockFilter { value_search: text("0%"), ..none() }, "human"),
            (BlockFilter { description_search: text("ABOUT p"), ..none() }, "persona"),
            (BlockFilter { tags: tags("x y"), ..none() }, "human persona"),
            (BlockFilter { tags: tags("x y"), match_all_tags: true, ..none() }, "persona"),
            (BlockFilter { connected_to_agents_count_gt: Some(0), ..none() }, "human persona"),
            (BlockFilter { connected_to_agents_count_lt: Some(1), ..none() }, "loose"),
            (BlockFilter { connected_to_agents_count_eq: vec![0, 2], ..none() }, "loose"),
        ];
        for (filter, expected) in table {
            let found = block::list(conn, &filter, &Page::oldest(50)).unwrap();
            let labels: Vec<_> = found.iter().filter_map(|block| block.label.as_deref()).collect();
            assert_eq!(labels.join(" "), expected, "{filter:?}");
            assert_eq!(block::count(conn, &filter).unwrap(), i64::try_from(labels.len()).unwrap());
        }
    })
    .await;
}
