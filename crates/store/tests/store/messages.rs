//! Messages: what comes back, the agent's own paging, otids.

use loci_api::{
    ids::{AgentId, RunId},
    message::{
        Approval, ContentPart, ImageSource, Message, ReturnContent, Role, ToolCall, ToolReturn, ToolStatus,
    },
};
use loci_store::{
    Connection, Page, StoreError, Thread,
    table::{
        message::{self, MessageFilter},
        run, step,
    },
};
use serde_json::json;

use crate::fixture::{self, NOW, check, later};

fn full(thread: &Thread) -> Message {
    let result = ToolReturn {
        tool_call_id: "call_1".to_owned(),
        status: ToolStatus::Error,
        content: ReturnContent::Value(json!({"b": 1, "a": "nul \u{0}"})),
        stdout: vec!["out".to_owned()],
        stderr: Vec::new(),
        time: "2025-11-20 07:04:02 PM UTC+0000".to_owned(),
    };
    let image = ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AA==".to_owned() },
    };
    Message {
        content: vec![
            ContentPart::text("nul \u{0} and \"quotes\""),
            ContentPart::Reasoning { reasoning: "hm".to_owned(), signature: Some("s".to_owned()) },
            ContentPart::RedactedReasoning { data: "r".to_owned() },
            image.clone(),
        ],
        tool_calls: vec![ToolCall {
            id: "call_1".to_owned(),
            name: "f".to_owned(),
            arguments: "{not json".to_owned(),
        }],
        tool_returns: vec![
            result.clone(),
            ToolReturn {
                content: ReturnContent::Parts(vec![image]),
                status: ToolStatus::Success,
                ..result.clone()
            },
        ],
        approvals: vec![
            Approval::Approval {
                tool_call_id: "call_1".to_owned(),
                approve: false,
                reason: Some("no".to_owned()),
            },
            Approval::Tool(result),
        ],
        name: Some("f".to_owned()),
        model: Some("openai/gpt-4.1".to_owned()),
        otid: Some("o".to_owned()),
        group_id: Some("g".to_owned()),
        sender_id: Some("s".to_owned()),
        is_err: true,
        created_at: later(3),
        ..fixture::message(thread, Role::Approval, "")
    }
}

#[tokio::test]
async fn a_message_comes_back_as_it_was_written() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let step = fixture::step(&parent);
        step::insert(conn, &step, NOW).unwrap();
        let row = Message { run_id: Some(parent.id.clone()), step_id: Some(step.id), ..full(&thread) };
        let first = message::insert(conn, &row).unwrap();
        assert_eq!(message::get(conn, &row.id).unwrap(), Some(row.clone()));
        let plain = fixture::message(&thread, Role::System, "");
        assert!(message::insert(conn, &plain).unwrap() > first);
        assert_eq!(
            message::get_many(conn, &[plain.id.clone(), row.id.clone()]).unwrap(),
            [plain, row.clone()]
        );

        run::delete(conn, &parent.id).unwrap();
        let kept = message::get(conn, &row.id).unwrap().unwrap();
        assert_eq!((kept.run_id, kept.step_id), (None, None), "deleting a run keeps its messages");
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_referred_to() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let row = fixture::message(&thread, Role::User, "x");
        message::insert(conn, &row).unwrap();
        assert!(matches!(message::insert(conn, &row), Err(StoreError::Duplicate { what: "id", .. })));
        let mut nobodys = fixture::message(&Thread::new(AgentId::new(), None), Role::User, "x");
        assert!(matches!(message::insert(conn, &nobodys), Err(StoreError::MissingReference)));
        nobodys.agent_id = thread.agent_id;
        nobodys.run_id = Some(RunId::new());
        assert!(matches!(message::insert(conn, &nobodys), Err(StoreError::MissingReference)));
    })
    .await;
}

#[tokio::test]
async fn content_is_replaced_in_place() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let row = fixture::message(&thread, Role::System, "old");
        message::insert(conn, &row).unwrap();
        message::update_content(conn, &row.id, &[ContentPart::text("new")]).unwrap();
        let expected = Message { content: vec![ContentPart::text("new")], ..row.clone() };
        assert_eq!(message::get(conn, &row.id).unwrap(), Some(expected));
        message::delete_thread(conn, &thread).unwrap();
        assert!(matches!(message::update_content(conn, &row.id, &[]), Err(StoreError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_is_recognised_in_its_thread_only() {
    check(|conn| {
        let (one, two) = (fixture::stored_agent(conn, "a"), fixture::stored_agent(conn, "b"));
        let threads = [one, two].map(|agent| Thread::new(agent, None));
        let row = Message { otid: Some("o-1".to_owned()), ..fixture::message(&threads[0], Role::User, "x") };
        message::insert(conn, &row).unwrap();
        let find = |thread: &Thread, otids: &[&str]| {
            let otids: Vec<_> = otids.iter().map(|&otid| otid.to_owned()).collect();
            message::find_by_otid(conn, thread, &otids).unwrap()
        };
        assert_eq!(find(&threads[0], &["o-0", "o-1"]), Some(row));
        assert_eq!(find(&threads[0], &["o-0"]), None);
        assert_eq!(find(&threads[0], &[]), None);
        assert_eq!(find(&threads[1], &["o-1"]), None);
    })
    .await;
}

/// Ten messages "0".."9"; 4 belongs to a failed step.
fn history(conn: &Connection) -> (AgentId, Vec<Message>) {
    let agent = fixture::stored_agent(conn, "a");
    let thread = Thread::new(agent.clone(), None);
    let messages: Vec<_> = (0..10)
        .map(|at| Message { is_err: at == 4, ..fixture::message(&thread, Role::User, &at.to_string()) })
        .collect();
    for message in &messages {
        message::insert(conn, message).unwrap();
    }
    (agent, messages)
}

#[tokio::test]
async fn an_agents_list_is_printed_in_the_order_of_time() {
    check(|conn| {
        let (agent, messages) = history(conn);
        let table = [
            // ascending, before, after, limit
            (false, None, None, 3, "7 8 9"),
            (true, None, None, 3, "0 1 2"),
            (false, Some(7), None, 3, "3 5 6"),
            (true, Some(7), None, 3, "0 1 2"),
            (false, None, Some(2), 3, "7 8 9"),
            (true, None, Some(2), 3, "3 5 6"),
            (false, Some(8), Some(2), 2, "6 7"),
            (true, Some(8), Some(2), 2, "3 5"),
            (false, Some(0), None, 3, ""),
            (true, None, Some(9), 3, ""),
            (false, None, None, 100, "0 1 2 3 5 6 7 8 9"),
            (false, None, None, 0, ""),
        ];
        for (ascending, before, after, limit, expected) in table {
            let id = |at: Option<usize>| at.map(|at| messages[at].id.to_string());
            let page = Page { before: id(before), after: id(after), limit, ascending };
            let found = message::list_for_agent(conn, &agent, &MessageFilter::default(), &page).unwrap();
            let texts: Vec<_> = found.iter().map(Message::text).collect();
            assert_eq!(texts.join(" "), expected, "{page:?}");
        }
        let with_errors = MessageFilter { include_err: true, ..MessageFilter::default() };
        assert_eq!(
            message::list_for_agent(conn, &agent, &with_errors, &Page::newest(100)).unwrap().len(),
            10
        );
    })
    .await;
}

#[tokio::test]
async fn an_agents_list_says_when_a_cursor_is_not_its_own() {
    check(|conn| {
        let (agent, _) = history(conn);
        let (_, theirs) = history(conn);
        for cursor in ["message-0", "", theirs[0].id.as_str()] {
            for page in [
                Page { before: Some(cursor.to_owned()), ..Page::newest(3) },
                Page { after: Some(cursor.to_owned()), ..Page::newest(3) },
            ] {
                let refused = message::list_for_agent(conn, &agent, &MessageFilter::default(), &page);
                assert!(matches!(refused, Err(StoreError::NotFound { what: "message", .. })), "{refused:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn filters_narrow_the_list() {
    check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let parent = fixture::run(&thread);
        run::insert(conn, &parent, None).unwrap();
        let rows = [
            Message { run_id: Some(parent.id.clone()), ..fixture::message(&thread, Role::User, "in run") },
            Message {
                group_id: Some("g".to_owned()),
                ..fixture::message(&thread, Role::Assistant, "in group")
            },
        ];
        for row in &rows {
            message::insert(conn, row).unwrap();
        }
        let none = MessageFilter::default;
        let table = [
            (none(), "in run, in group"),
            (MessageFilter { run_id: Some(parent.id), ..none() }, "in run"),
            (MessageFilter { group_id: Some("g".to_owned()), ..none() }, "in group"),
            (MessageFilter { roles: vec![Role::Assistant, Role::Tool], ..none() }, "in group"),
            (MessageFilter { agent_id: Some(AgentId::new()), ..none() }, ""),
        ];
        for (filter, expected) in table {
            let found = message::list(conn, &filter, &Page::oldest(9)).unwrap();
            assert_eq!(
                found.iter().map(Message::text).collect::<Vec<_>>().join(", "),
                expected,
                "{filter:?}"
            );
            assert_eq!(message::count(conn, &filter).unwrap(), i64::try_from(found.len()).unwrap());
        }
    })
    .await;
}
