//! Agents, their tags, secrets and identities.

use loci_api::{ids::IdentityId, message::Role, resource::StopReason, rules::ToolRule};
use loci_store::{
    Page, StoreError, Thread,
    table::{
        agent::{self, AgentFilter, AgentOrder, AgentRow},
        agent_secret, block, context, identity, message, run,
    },
};
use serde_json::{Map, json};

use crate::fixture::{self, NOW, by_api, check, later};

/// An agent with something in every column.
fn full() -> AgentRow {
    AgentRow {
        description: Some("with \u{0} in it".to_owned()),
        embedding: Some("openai/text-embedding-3-small".to_owned()),
        model_settings: Some(json!({"provider_type": "openai", "temperature": 0.5})),
        llm_config: Some(json!({"model": "gpt-4.1"})),
        embedding_config: Some(json!({"embedding_dim": 1536})),
        compaction_settings: Some(json!({"mode": "sliding_window"})),
        response_format: Some(json!({"type": "text"})),
        metadata: Some(Map::from_iter([("b".to_owned(), json!(1)), ("a".to_owned(), json!([null]))])),
        tool_rules: vec![ToolRule::requires_approval("send")],
        message_buffer_autoclear: true,
        enable_sleeptime: Some(false),
        max_files_open: Some(10),
        per_file_view_window_char_limit: Some(25_000),
        hidden: Some(false),
        tags: vec!["zebra".to_owned(), "ant".to_owned()],
        project_id: Some("p".to_owned()),
        template_id: Some("t".to_owned()),
        base_template_id: Some("b".to_owned()),
        deployment_id: Some("d".to_owned()),
        entity_id: Some("e".to_owned()),
        created_by_id: Some("user-1".to_owned()),
        last_updated_by_id: Some("user-2".to_owned()),
        last_run_completion: Some(later(5)),
        last_run_duration_ms: Some(7),
        last_stop_reason: Some(StopReason::EndTurn),
        ..fixture::agent("Ünïcode 'quoted'")
    }
}

#[tokio::test]
async fn an_agent_comes_back_as_it_was_written() {
    check(|conn| {
        let row = full();
        agent::insert(conn, &row).unwrap();
        assert_eq!(agent::get(conn, &row.id).unwrap(), Some(row.clone()));
        assert!(agent::exists(conn, &row.id).unwrap());

        let mut changed = fixture::agent("plain");
        changed.id = row.id.clone();
        changed.updated_at = later(9);
        changed.tags = vec!["ant".to_owned(), "bee".to_owned(), "ant".to_owned()];
        agent::update(conn, &changed).unwrap();
        agent::record_run(conn, &row.id, later(8), 12, Some(StopReason::RequiresApproval)).unwrap();
        changed.tags.pop();
        changed.created_by_id = row.created_by_id;
        changed.last_run_completion = Some(later(8));
        changed.last_run_duration_ms = Some(12);
        changed.last_stop_reason = Some(StopReason::RequiresApproval);
        assert_eq!(agent::get(conn, &row.id).unwrap(), Some(changed));
        assert_eq!(agent::all_tags(conn).unwrap(), ["ant", "bee"]);
    })
    .await;
}

#[tokio::test]
async fn an_id_is_taken_once_and_a_missing_agent_is_not_updated() {
    check(|conn| {
        let row = fixture::agent("a");
        assert!(matches!(agent::update(conn, &row), Err(StoreError::NotFound { what: "agent", .. })));
        agent::insert(conn, &row).unwrap();
        assert!(matches!(agent::insert(conn, &row), Err(StoreError::Duplicate { what: "id", .. })));
    })
    .await;
}

#[tokio::test]
async fn filters_find_what_they_say() {
    check(|conn| {
        let with = |name: &str, tags: &[&str], change: fn(&mut AgentRow)| {
            let mut row = fixture::agent(name);
            row.tags = tags.iter().map(|&tag| tag.to_owned()).collect();
            change(&mut row);
            agent::insert(conn, &row).unwrap();
            row.id
        };
        let ada = with("Ada", &["x", "y"], |row| row.description = Some("counts 100% of sheep".to_owned()));
        with("Bob", &["x"], |row| row.project_id = Some("p".to_owned()));
        with("Cy_d", &["y"], |row| row.last_stop_reason = Some(StopReason::Error));
        with("Eve", &["x"], |row| row.hidden = Some(true));
        let who = identity::Identity {
            id: IdentityId::new(),
            identifier_key: "crm-7".to_owned(),
            name: "Mira".to_owned(),
            identity_type: "user".to_owned(),
            project_id: None,
            properties: vec![json!({"key": "k", "value": 1, "type": "number"})],
            created_at: NOW,
            updated_at: NOW,
        };
        identity::insert(conn, &who).unwrap();
        agent::set_identities(conn, &ada, std::slice::from_ref(&who.id)).unwrap();
        assert_eq!(agent::identity_ids(conn, &ada).unwrap(), std::slice::from_ref(&who.id));
        assert_eq!(identity::agent_ids(conn, &who.id).unwrap(), [ada]);

        let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
        let text = |text: &str| Some(text.to_owned());
        let none = AgentFilter::default;
        let table = [
            (none(), "Ada Bob Cy_d"),
            (AgentFilter { include_hidden: true, ..none() }, "Ada Bob Cy_d Eve"),
            (AgentFilter { name: text("Bob"), ..none() }, "Bob"),
            (AgentFilter { name: text("bob"), ..none() }, ""),
            (AgentFilter { tags: tags(&["x", "y"]), ..none() }, "Ada Bob Cy_d"),
            (AgentFilter { tags: tags(&["x", "y"]), match_all_tags: true, ..none() }, "Ada"),
            (AgentFilter { tags: vec!["x".to_owned(); 5000], match_all_tags: true, ..none() }, "Ada Bob"),
            (AgentFilter { query_text: Some("b".repeat(100_000)), ..none() }, ""),
            (AgentFilter { query_text: text("bO"), ..none() }, "Bob"),
            (AgentFilter { query_text: text("0% of"), ..none() }, "Ada"),
            (AgentFilter { query_text: text("y_"), ..none() }, "Cy_d"),
            (AgentFilter { query_text: text("%"), ..none() }, "Ada"),
            (AgentFilter { project_id: text("p"), ..none() }, "Bob"),
            (AgentFilter { last_stop_reason: text("error"), ..none() }, "Cy_d"),
            (AgentFilter { identity_id: text(who.id.as_str()), ..none() }, "Ada"),
            (AgentFilter { identifier_keys: tags(&["crm-7", "crm-8"]), ..none() }, "Ada"),
            (AgentFilter { identifier_keys: tags(&["crm-8"]), ..none() }, ""),
        ];
        for (filter, expected) in table {
            let found = agent::list(conn, &filter, AgentOrder::CreatedAt, &Page::oldest(50)).unwrap();
            let names: Vec<_> = found.iter().map(|row| row.name.as_str()).collect();
            assert_eq!(names.join(" "), expected, "{filter:?}");
            assert_eq!(agent::count(conn, &filter).unwrap(), i64::try_from(names.len()).unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn deleting_an_agent_takes_its_things_and_leaves_what_is_shared() {
    check(|conn| {
        let (gone, stays) = (fixture::stored_agent(conn, "gone"), fixture::stored_agent(conn, "stays"));
        let shared = fixture::block("human", "Mira");
        block::insert(conn, &shared, &by_api()).unwrap();
        for id in [&gone, &stays] {
            block::attach(conn, id, &shared.id).unwrap();
            let thread = Thread::new(id.clone(), None);
            run::insert(conn, &fixture::run(&thread), None).unwrap();
            context::push(conn, &thread, &[fixture::message(&thread, Role::User, "hello")]).unwrap();
        }
        assert!(agent::delete(conn, &gone).unwrap());
        assert!(!agent::delete(conn, &gone).unwrap());
        assert!(block::get(conn, &shared.id).unwrap().is_some());
        assert_eq!(block::agent_ids(conn, &shared.id).unwrap(), std::slice::from_ref(&stays));
        let left = |id| {
            let filter = message::MessageFilter { agent_id: Some(id), ..Default::default() };
            message::count(conn, &filter).unwrap()
        };
        assert_eq!((left(gone.clone()), left(stays)), (0, 1));
        assert!(context::ids(conn, &Thread::new(gone, None)).unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn values_an_older_version_left_in_rows_can_be_moved_out() {
    check(|conn| {
        let id = fixture::stored_agent(conn, "a");
        let names = ["A".to_owned(), "B".to_owned()];
        agent_secret::replace(conn, &id, &names, &[], NOW).unwrap();
        assert!(agent_secret::unmoved(conn).unwrap().is_empty());
        conn.execute("UPDATE agent_secrets SET value = 'hidden ' || key", []).unwrap();
        let found = agent_secret::unmoved(conn).unwrap();
        assert_eq!(
            found.iter().map(|row| row.unmoved.as_deref()).collect::<Vec<_>>(),
            [Some("hidden A"), Some("hidden B")]
        );
        assert!(!format!("{found:?}").contains("hidden"), "values stay out of logs");
        agent_secret::moved(conn, &found[0].id).unwrap();
        // One that is named again without a new value keeps the one it has.
        agent_secret::replace(conn, &id, &names, &names, later(1)).unwrap();
        let left = agent_secret::unmoved(conn).unwrap();
        assert_eq!(left.iter().map(|row| row.key.as_str()).collect::<Vec<_>>(), ["B"]);
        agent_secret::replace(conn, &id, &names, &[], later(2)).unwrap();
        assert!(agent_secret::unmoved(conn).unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn secrets_are_replaced_as_a_whole_and_keep_their_ids() {
    check(|conn| {
        let id = fixture::stored_agent(conn, "a");
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        agent_secret::replace(conn, &id, &names(&["A", "B"]), &[], NOW).unwrap();
        let before = agent_secret::list(conn, &id).unwrap();
        agent_secret::replace(conn, &id, &names(&["B", "C"]), &[], later(1)).unwrap();
        let after = agent_secret::list(conn, &id).unwrap();
        assert_eq!(after.iter().map(|secret| secret.key.as_str()).collect::<Vec<_>>(), ["B", "C"]);
        assert_eq!(after[0].id, before[1].id);
        assert_eq!((after[0].created_at, after[0].updated_at), (NOW, later(1)));
        agent_secret::replace(conn, &id, &names(&["B", "C"]), &names(&["B"]), later(2)).unwrap();
        let untouched = agent_secret::list(conn, &id).unwrap();
        assert_eq!((untouched[0].updated_at, untouched[1].updated_at), (later(1), later(2)));
    })
    .await;
}
