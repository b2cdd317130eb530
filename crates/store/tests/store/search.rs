//! Searching messages: words, dates, roles, and any text at all.

use loci_api::{
    ids::AgentId,
    message::{ContentPart, Message, ReturnContent, Role, ToolReturn, ToolStatus},
};
use loci_store::{
    Connection, Store, Thread,
    table::{
        message,
        message_search::{Search, search},
    },
};
use proptest::prelude::*;

use crate::fixture::{self, check, later};

fn said(conn: &Connection, thread: &Thread, role: Role, text: &str, seconds: i64) -> Message {
    let row = Message { created_at: later(seconds), ..fixture::message(thread, role, text) };
    message::insert(conn, &row).unwrap();
    row
}

fn found(conn: &Connection, query: Search) -> String {
    search(conn, &query).unwrap().iter().map(Message::text).collect::<Vec<_>>().join(" | ")
}

fn query(agent: &AgentId, text: &str) -> Search {
    Search { agent_id: Some(agent.clone()), query: text.to_owned(), limit: 10, ..Search::default() }
}

#[tokio::test]
async fn words_are_found_wherever_they_stand() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let thread = Thread::new(agent.clone(), None);
        said(conn, &thread, Role::System, "the prompt mentions birthdays", 0);
        said(conn, &thread, Role::User, "My cat's name is Miau, née Schnurr", 1);
        said(conn, &thread, Role::Assistant, "Nice! I like cats and dogs.", 2);
        said(conn, &thread, Role::User, "The dogs bark. 100% sure_thing", 3);
        said(conn, &thread, Role::User, "我喜欢猫", 4);
        let mut failed = fixture::message(&thread, Role::User, "cat cat cat");
        failed.is_err = true;
        message::insert(conn, &failed).unwrap();
        let other = Thread::new(fixture::stored_agent(conn, "b"), None);
        said(conn, &other, Role::User, "another agent's cat", 5);

        let table = [
            ("miau", "My cat's name is Miau, née Schnurr"),
            ("NEE", "My cat's name is Miau, née Schnurr"),
            ("birthdays", ""),
            // Both words first, then either.
            ("cats dogs", "Nice! I like cats and dogs. | The dogs bark. 100% sure_thing | My cat's name is Miau, née Schnurr"),
            ("bark elephants", "The dogs bark. 100% sure_thing"),
            // No such word: letters, then.
            ("chnur", "My cat's name is Miau, née Schnurr"),
            ("猫", "我喜欢猫"),
            ("%", "The dogs bark. 100% sure_thing"),
            ("_", "The dogs bark. 100% sure_thing"),
            ("\"", ""),
            ("name:Miau", "My cat's name is Miau, née Schnurr"),
            ("NOT (bark*", "The dogs bark. 100% sure_thing"),
            ("elephants", ""),
        ];
        for (text, expected) in table {
            assert_eq!(found(conn, query(&agent, text)), expected, "{text}");
        }
        assert_eq!(found(conn, Search { limit: 1, ..query(&agent, "cats dogs") }), "Nice! I like cats and dogs.");
        assert_eq!(found(conn, Search { agent_id: None, ..query(&agent, "another") }), "another agent's cat");
    })
    .await;
}

#[tokio::test]
async fn dates_and_roles_narrow_what_is_found() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let thread = Thread::new(agent.clone(), None);
        for (at, role) in [(0, Role::User), (10, Role::Assistant), (20, Role::User)] {
            said(conn, &thread, role, &format!("tea at {at}"), at);
        }
        let mut tool = fixture::message(&thread, Role::Tool, "");
        tool.content.clear();
        tool.created_at = later(30);
        tool.tool_returns = vec![ToolReturn {
            tool_call_id: "c".to_owned(),
            status: ToolStatus::Success,
            content: ReturnContent::Parts(vec![ContentPart::text("kettle")]),
            stdout: Vec::new(),
            stderr: Vec::new(),
            time: String::new(),
        }];
        message::insert(conn, &tool).unwrap();

        let q = || query(&agent, "tea");
        let ordered = |query: Search| {
            let mut texts: Vec<_> = search(conn, &query).unwrap().iter().map(Message::text).collect();
            texts.sort();
            texts.join(" | ")
        };
        assert_eq!(ordered(q()), "tea at 0 | tea at 10 | tea at 20");
        assert_eq!(ordered(Search { start: Some(later(10)), ..q() }), "tea at 10 | tea at 20");
        assert_eq!(ordered(Search { end: Some(later(10)), ..q() }), "tea at 0 | tea at 10");
        assert_eq!(ordered(Search { start: Some(later(1)), end: Some(later(19)), ..q() }), "tea at 10");
        assert_eq!(ordered(Search { start: Some(later(21)), ..q() }), "");
        assert_eq!(ordered(Search { roles: vec![Role::User], ..q() }), "tea at 0 | tea at 20");
        // Dates hold for the search by letters and for no text at all, which finds the newest.
        assert_eq!(ordered(Search { query: "ea at".to_owned(), start: Some(later(20)), ..q() }), "tea at 20");
        assert_eq!(
            found(conn, Search { query: String::new(), end: Some(later(20)), limit: 2, ..q() }),
            "tea at 20 | tea at 10"
        );
        let kettle = search(conn, &query(&agent, "kettle")).unwrap();
        assert_eq!(kettle.first().map(|found| &found.id), Some(&tool.id));
        assert!(
            search(conn, &Search { roles: vec![Role::User, Role::Assistant], ..query(&agent, "kettle") })
                .unwrap()
                .is_empty()
        );
    })
    .await;
}

#[tokio::test]
async fn the_index_follows_edits_and_deletions() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let thread = Thread::new(agent.clone(), None);
        let row = said(conn, &thread, Role::User, "apples", 0);
        message::update_content(conn, &row.id, &[ContentPart::text("pears")]).unwrap();
        assert_eq!(found(conn, query(&agent, "apples")), "");
        assert_eq!(found(conn, query(&agent, "pears")), "pears");
        message::update_content(conn, &row.id, &[]).unwrap();
        assert_eq!(found(conn, query(&agent, "pears")), "");
        message::update_content(conn, &row.id, &[ContentPart::text("plums")]).unwrap();
        assert_eq!(found(conn, query(&agent, "plums")), "plums");
        message::delete_thread(conn, &thread).unwrap();
        assert_eq!(found(conn, query(&agent, "plums")), "");
        let report = loci_store::maintain::check(conn, false).unwrap();
        assert_eq!(report.problems, []);
    })
    .await;
}

#[tokio::test]
async fn long_questions_are_answered() {
    check(|conn| {
        let agent = fixture::stored_agent(conn, "a");
        let thread = Thread::new(agent.clone(), None);
        said(conn, &thread, Role::User, "word7 stands here", 0);
        let many = (0..20_000).map(|at| format!("word{at}")).collect::<Vec<_>>().join(" ");
        assert_eq!(found(conn, query(&agent, &many)), "word7 stands here");
        for endless in ["x".repeat(1 << 20), "%_\\\"".repeat(1 << 18)] {
            assert_eq!(found(conn, query(&agent, &endless)), "");
        }
    })
    .await;
}

#[test]
fn any_text_can_be_looked_for_and_is_found_by_itself() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(Store::open(folder.path().join("loci.db"))).unwrap();
    let text = prop_oneof![
        any::<String>(),
        "[\"'*():^+~{}.,&|NEAROT -]{0,30}",
        "(AND|OR|NOT|NEAR|[a-z]{1,5}|\"|\\*| ){0,12}",
        "[\\x00-\\x1f%_\\\\a-c]{0,12}",
    ];
    proptest!(ProptestConfig::with_cases(256), |(text in text)| {
        let found = runtime.block_on(store.write({
            let text = text.clone();
            move |conn| {
                let agent = fixture::stored_agent(conn, "a");
                let row = said(conn, &Thread::new(agent.clone(), None), Role::User, &text, 0);
                Ok((search(conn, &query(&agent, &text))?, row))
            }
        }));
        let (found, row) = found.expect("never an error");
        // Blank messages are not indexed.
        if !text.trim().is_empty() {
            prop_assert_eq!(found, vec![row]);
        }
    });
}
