//! Deleted agents: nothing of one is left in sight, everything comes back, and in the end it is gone.

use loci_api::{
    ids::{AgentId, ArchiveId, BlockId, ConversationId},
    message::Role,
};
use loci_store::{
    Connection, StoreError, Thread,
    table::{agent, agent_secret, block, context, deleted_agent, message_search, run, step, tool},
};

use crate::fixture::{self, NOW, by_api, check, later};

const DAY: i64 = 24 * 60 * 60;

/// Every row of every table an agent's rows can be in, without the numbers that only order them.
fn everything(conn: &Connection) -> Vec<String> {
    let tables: Vec<String> = conn
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '%fts%'
               AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'deleted%'",
        )
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut found = Vec::new();
    for table in tables {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let columns = names.iter().enumerate();
            let columns =
                columns.filter(|(_, name)| *name != "sequence" || table == "messages" || table == "passages");
            let values: Vec<_> = columns.map(|(number, name)| (name, row.get_ref(number).unwrap())).collect();
            found.push(format!("{table} {values:?}"));
        }
    }
    found.sort();
    found
}

/// What one agent is made of.
struct Whole {
    id: AgentId,
    own: BlockId,
    shared: BlockId,
    tool: loci_api::ids::ToolId,
}

fn whole(conn: &Connection) -> Whole {
    let mut row = fixture::agent("Mercury");
    row.tags = vec!["a".to_owned(), "b".to_owned()];
    agent::insert(conn, &row).unwrap();
    let (id, other) = (row.id, fixture::stored_agent(conn, "other"));
    let (own, shared) = (fixture::block("human", "Mira"), fixture::block("persona", "calm"));
    for one in [&own, &shared] {
        block::insert(conn, one, &by_api()).unwrap();
        block::attach(conn, &id, &one.id).unwrap();
    }
    block::attach(conn, &other, &shared.id).unwrap();
    let used = fixture::tool("use");
    tool::insert(conn, &used, NOW).unwrap();
    tool::attach(conn, &id, &used.id).unwrap();
    agent_secret::replace(conn, &id, &["KEY".to_owned()], &[], NOW).unwrap();
    let (talk, copy, archive) = (ConversationId::new(), fixture::block("human", "copy"), ArchiveId::new());
    block::insert(conn, &copy, &by_api()).unwrap();
    conn.execute(
        "INSERT INTO conversations (id, agent_id, created_at, updated_at) VALUES (?, ?, 1, 1)",
        [talk.as_str(), id.as_str()],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO conversations_blocks (conversation_id, block_id, label, position) VALUES (?, ?, 'human', 0)",
        [talk.as_str(), copy.id.as_str()],
    )
    .unwrap();
    for conversation in [None, Some(talk)] {
        let thread = Thread::new(id.clone(), conversation);
        let run = fixture::run(&thread);
        run::insert(conn, &run, None).unwrap();
        step::insert(conn, &fixture::step(&run), NOW).unwrap();
        let messages = [
            fixture::message(&thread, Role::User, "a heron\u{0} \"quoted\" ü"),
            fixture::message(&thread, Role::Assistant, "indeed"),
        ];
        context::push(conn, &thread, &messages).unwrap();
    }
    conn.execute("UPDATE runs SET status = 'completed', completed_at = 1", []).unwrap();
    conn.execute("UPDATE steps SET status = 'success'", []).unwrap();
    conn.execute(
        "INSERT INTO archives (id, name, created_at, updated_at) VALUES (?, 'own', 1, 1)",
        [archive.as_str()],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO agents_archives (agent_id, archive_id, is_own, position) VALUES (?, ?, 1, 0)",
        [id.as_str(), archive.as_str()],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO passages (id, archive_id, text, created_at, updated_at) VALUES ('passage-1', ?, 'note', 1, 1)",
        [archive.as_str()],
    )
    .unwrap();
    conn.execute(
        "INSERT INTO passage_vectors SELECT sequence, 'm', 2, x'00ff1080' FROM passages WHERE id = 'passage-1'",
        [],
    )
    .unwrap();
    Whole { id, own: own.id, shared: shared.id, tool: used.id }
}

fn heron(conn: &Connection) -> usize {
    let search = message_search::Search { query: "heron".to_owned(), limit: 10, ..Default::default() };
    message_search::search(conn, &search).unwrap().len()
}

#[tokio::test]
async fn everything_of_an_agent_goes_out_of_sight_and_comes_back() {
    check(|conn| {
        let Whole { id, .. } = whole(conn);
        let before = everything(conn);
        assert_eq!(heron(conn), 2);
        assert!(deleted_agent::put_away(conn, &id, NOW).unwrap());
        assert!(!deleted_agent::put_away(conn, &id, NOW).unwrap());
        let left: Vec<_> = everything(conn).into_iter().filter(|row| row.contains(id.as_str())).collect();
        assert_eq!((left, heron(conn)), (Vec::new(), 0));
        let [found] = deleted_agent::list(conn, later(30 * DAY - 1)).unwrap().try_into().unwrap();
        assert_eq!((&found.id, found.name.as_str()), (&id, "Mercury"));
        assert_eq!((found.deleted_at, found.kept_until()), (NOW, later(30 * DAY)));
        // Numbers that are given away again must not stand in the way.
        let newer = fixture::stored_agent(conn, "newer");
        assert!(deleted_agent::restore(conn, &id, later(60)).unwrap());
        agent::delete(conn, &newer).unwrap();
        assert_eq!(everything(conn), before);
        assert_eq!(heron(conn), 2);
        assert_eq!(deleted_agent::list(conn, later(60)).unwrap(), []);
        assert!(!deleted_agent::restore(conn, &id, later(60)).unwrap());
        let broken: i64 =
            conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0)).unwrap();
        assert_eq!(broken, 0);
    })
    .await;
}

#[tokio::test]
async fn what_was_deleted_or_changed_meanwhile_stays_so_but_its_own_blocks_come_back() {
    check(|conn| {
        let Whole { id, own, shared, tool } = whole(conn);
        deleted_agent::put_away(conn, &id, NOW).unwrap();
        assert!(block::delete(conn, &own).unwrap() && block::delete(conn, &shared).unwrap());
        conn.execute("DELETE FROM tools WHERE id = ?", [tool.as_str()]).unwrap();
        assert!(deleted_agent::restore(conn, &id, NOW).unwrap());
        let blocks: Vec<_> =
            block::list_for_agent(conn, &id).unwrap().into_iter().map(|(block, _)| block.value).collect();
        assert_eq!(blocks, ["Mira"]);
        assert_eq!(tool::list_for_agent(conn, &id).unwrap(), []);

        deleted_agent::put_away(conn, &id, NOW).unwrap();
        conn.execute("UPDATE blocks SET value = 'new', label = 'person' WHERE id = ?", [own.as_str()])
            .unwrap();
        assert!(deleted_agent::restore(conn, &id, NOW).unwrap());
        let kept = block::list_for_agent(conn, &id).unwrap();
        assert_eq!((kept[0].0.value.as_str(), kept[0].0.label.as_deref()), ("new", Some("person")));
        let label: String = conn
            .query_row("SELECT label FROM agents_blocks WHERE agent_id = ?", [id.as_str()], |row| row.get(0))
            .unwrap();
        assert_eq!(label, "person");
    })
    .await;
}

#[tokio::test]
async fn an_agent_with_the_same_id_is_not_overwritten() {
    check(|conn| {
        let id = fixture::stored_agent(conn, "first");
        deleted_agent::put_away(conn, &id, NOW).unwrap();
        let mut second = fixture::agent("second");
        second.id = id.clone();
        agent::insert(conn, &second).unwrap();
        let refused = deleted_agent::restore(conn, &id, NOW).unwrap_err();
        assert!(matches!(refused, StoreError::Duplicate { what: "agent id", .. }), "{refused}");
        assert_eq!(agent::get(conn, &id).unwrap().unwrap().name, "second");
        assert_eq!(deleted_agent::list(conn, NOW).unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn after_its_time_it_is_swept_a_few_rows_at_once() {
    check(|conn| {
        let Whole { id, .. } = whole(conn);
        let recent = fixture::stored_agent(conn, "recent");
        deleted_agent::put_away(conn, &id, NOW).unwrap();
        deleted_agent::put_away(conn, &recent, later(DAY)).unwrap();
        assert_eq!(deleted_agent::sweep(conn, later(30 * DAY - 1), 4).unwrap(), 0);
        let end = later(30 * DAY);
        assert_eq!(deleted_agent::get(conn, &id, end).unwrap(), None);
        assert_eq!(deleted_agent::variables(conn, &id).unwrap(), ["KEY"]);
        assert!(deleted_agent::overdue_variables(conn, later(30 * DAY - 1)).unwrap().is_empty());
        assert_eq!(deleted_agent::overdue_variables(conn, end).unwrap(), [(id.clone(), "KEY".to_owned())]);
        assert!(!deleted_agent::restore(conn, &id, end).unwrap());
        let mut rounds = 0;
        while deleted_agent::sweep(conn, end, 4).unwrap() == 4 {
            rounds += 1;
        }
        assert!(rounds > 3, "{rounds}");
        let left: Vec<String> = conn
            .prepare("SELECT DISTINCT agent_id FROM deleted_rows UNION SELECT id FROM deleted_agents")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(left, [recent.as_str()]);
        assert!(deleted_agent::remove(conn, &recent).unwrap());
        assert!(!deleted_agent::remove(conn, &recent).unwrap());
    })
    .await;
}
