//! Cursors and order, once for the lists that are relative to their order.

use loci_store::{
    Page,
    table::agent::{self, AgentFilter, AgentOrder},
};

use crate::fixture::{self, NOW, check, later};

#[tokio::test]
async fn cursors_are_relative_to_the_order() {
    check(|conn| {
        // c and d share a moment: the order of insertion decides.
        let ids: Vec<_> = [("a", 0), ("b", 1), ("c", 2), ("d", 2), ("e", 3)]
            .into_iter()
            .map(|(name, at)| {
                let mut row = fixture::agent(name);
                row.created_at = later(at);
                agent::insert(conn, &row).unwrap();
                row.id.to_string()
            })
            .collect();
        let id = |name: &str| match name {
            "" => None,
            "?" => Some("agent-unknown".to_owned()),
            name => Some(ids[usize::from(name.as_bytes()[0] - b'a')].clone()),
        };
        let table = [
            // ascending, before, after, limit
            (true, "", "", 9, "a b c d e"),
            (false, "", "", 9, "e d c b a"),
            (true, "", "", 2, "a b"),
            (false, "", "", 2, "e d"),
            (true, "", "c", 2, "d e"),
            (false, "", "c", 2, "b a"),
            (true, "d", "", 2, "b c"),
            (false, "b", "", 2, "d c"),
            (false, "a", "", 9, "e d c b"),
            (true, "e", "b", 9, "c d"),
            (true, "e", "b", 1, "c"),
            (false, "b", "e", 9, "d c"),
            (true, "a", "", 9, ""),
            (true, "", "e", 9, ""),
            (true, "", "?", 2, "a b"),
            (false, "?", "", 2, "e d"),
            (true, "", "", 0, ""),
        ];
        for (ascending, before, after, limit, expected) in table {
            let page = Page { before: id(before), after: id(after), limit, ascending };
            let found = agent::list(conn, &AgentFilter::default(), AgentOrder::CreatedAt, &page).unwrap();
            let names: Vec<_> = found.into_iter().map(|row| row.name).collect();
            assert_eq!(names.join(" "), expected, "{page:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_order_can_be_walked_page_by_page() {
    check(|conn| {
        for at in 0..7 {
            let mut row = fixture::agent(&at.to_string());
            row.created_at = later(at / 3);
            row.updated_at = later(-at);
            row.last_run_completion = (at % 2 == 0).then_some(later(at));
            agent::insert(conn, &row).unwrap();
        }
        for order in [AgentOrder::CreatedAt, AgentOrder::UpdatedAt, AgentOrder::LastRunCompletion] {
            for ascending in [true, false] {
                let list = |page: &Page| agent::list(conn, &AgentFilter::default(), order, page).unwrap();
                let whole = list(&Page { ascending, ..Page::oldest(100) });
                let mut forwards = Vec::new();
                let mut page = Page { ascending, ..Page::oldest(2) };
                loop {
                    let rows = list(&page);
                    let Some(last) = rows.last() else { break };
                    page.after = Some(last.id.to_string());
                    forwards.extend(rows);
                }
                assert_eq!(forwards, whole, "{order:?} ascending: {ascending}");
                let mut backwards = whole[6..].to_vec();
                let mut page = Page { ascending, before: Some(whole[6].id.to_string()), ..Page::oldest(2) };
                loop {
                    let rows = list(&page);
                    let Some(first) = rows.first() else { break };
                    page.before = Some(first.id.to_string());
                    backwards.splice(0..0, rows);
                }
                assert_eq!(backwards, whole, "{order:?} ascending: {ascending}");
            }
        }
        assert_eq!(agent::created_at(conn, &fixture::agent("x").id).unwrap(), None);
        assert_ne!(NOW, later(1));
    })
    .await;
}
