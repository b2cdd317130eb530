#![allow(clippy::unwrap_used, reason = "tests")]

use futures::StreamExt;
use loci_api::{
    chat::{ChatOptions, ToolSpec},
    message::ToolCall,
};

use super::*;

const PROMPT: &str = "You are helpful.\n\n<memory_blocks>\nThese are your blocks.\n\n<persona>\n<description>\nwho\n\
    </description>\n<metadata>\n- read_only=true\n- chars_current=3\n- chars_limit=20000\n</metadata>\n<value>\n\
    I like ships\n</value>\n</persona>\n\n<human>\n<description>\nd\n</description>\n<metadata>\n- chars_current=3\n\
    - chars_limit=20000\n</metadata>\n<value>\n1→ Name: Ada\n2→ Favourite colour: green\n</value>\n</human>\n\n\
    </memory_blocks>";

fn tool(name: &str) -> ToolSpec {
    ToolSpec { name: name.to_owned(), description: String::new(), parameters: json!({"type": "object"}) }
}

fn request(tools: &[&str], messages: Vec<ChatMessage>) -> ChatRequest {
    let system = ChatMessage::System { text: PROMPT.to_owned() };
    ChatRequest {
        handle: HANDLE.to_owned(),
        messages: std::iter::once(system).chain(messages).collect(),
        tools: tools.iter().map(|name| tool(name)).collect(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: true,
        options: ChatOptions::default(),
        stream: true,
    }
}

fn user(text: &str) -> ChatMessage {
    ChatMessage::User { content: vec![ContentPart::text(text)] }
}

/// What it says, and its calls as (name, arguments).
fn answer(request: &ChatRequest) -> (String, Vec<(String, Value)>) {
    let reply = reply(request);
    (reply.text, reply.calls.into_iter().map(|call| (call.name, call.arguments)).collect())
}

#[test]
fn it_writes_down_what_it_is_told_to_remember() {
    for (tools, expected) in [
        (vec!["x", "memory_insert"], Some(("memory_insert", "new_string"))),
        (vec!["core_memory_append"], Some(("core_memory_append", "content"))),
        (vec!["memory"], Some(("memory", "insert_text"))),
        (vec![], None),
    ] {
        let (text, calls) = answer(&request(&tools, vec![user("Please remember that I sail on Sundays.")]));
        match expected {
            Some((name, argument)) => {
                assert_eq!(calls[0].0, name);
                assert_eq!(calls[0].1[argument], "I sail on Sundays.");
                assert!(calls[0].1.to_string().contains("human"), "{calls:?}");
            }
            None => assert!(calls.is_empty() && text.contains("cannot remember"), "{text}"),
        }
    }
}

#[test]
fn it_calls_what_it_is_told_to_call() {
    for (text, expected) in [
        ("call roll with {\"sides\": 6}", vec![("roll", json!({"sides": 6}))]),
        (
            "Please call a with {\"x\": \"} and call b\"} and call b with {}",
            vec![("a", json!({"x": "} and call b"})), ("b", json!({}))],
        ),
        ("call roll", vec![("roll", json!({}))]),
        ("call `unknown`", vec![]),
        ("call me Ada", vec![]),
        ("recall roll", vec![]),
        ("call roll with {broken", vec![("roll", json!({}))]),
        ("call ", vec![]),
        ("ünïcödé call roll with {\"ä\": 1}", vec![("roll", json!({"ä": 1}))]),
        ("{\"message\": \"call roll with {}\", \"time\": \"x\"}", vec![("roll", json!({}))]),
    ] {
        let (_, calls) = answer(&request(&["roll"], vec![user(text)]));
        let calls: Vec<_> =
            calls.iter().map(|(name, arguments)| (name.as_str(), arguments.clone())).collect();
        assert_eq!(calls, expected, "{text}");
    }
}

#[test]
fn it_answers_from_memory_and_else_says_what_it_can_do() {
    let (text, _) = answer(&request(&[], vec![user("What are my favourite colours?")]));
    assert!(text.contains("Favourite colour: green") && text.contains("`human`"), "{text}");
    let (text, _) = answer(&request(&[], vec![user("Do you remember that ship?")]));
    assert!(text.contains("I like ships"), "{text}");
    let (text, _) = answer(&request(&[], vec![user("Why?")]));
    assert!(text.contains("remember that"), "{text}");
}

#[test]
fn it_reports_what_tools_returned() {
    let call = ToolCall { id: "c1".to_owned(), name: "roll".to_owned(), arguments: "{}".to_owned() };
    let returned = |is_error| ChatMessage::Tool {
        returns: vec![ChatToolReturn {
            tool_call_id: "c1".to_owned(),
            content: vec![ContentPart::text("{\"status\":\"OK\",\"message\":\"four\",\"time\":\"now\"}")],
            is_error,
        }],
    };
    let asked = || ChatMessage::Assistant { content: Vec::new(), tool_calls: vec![call.clone()] };
    for (is_error, expected) in [(false, "`roll` returned: four"), (true, "`roll` failed: four")] {
        let (text, calls) = answer(&request(&["roll"], vec![user("x"), asked(), returned(is_error)]));
        assert_eq!(text, expected);
        assert!(calls.is_empty());
    }
}

#[test]
fn calls_that_may_not_be_made_at_once_follow_each_other() {
    let call = |id: &str, name: &str| ChatMessage::Assistant {
        content: Vec::new(),
        tool_calls: vec![ToolCall { id: id.to_owned(), name: name.to_owned(), arguments: "{}".to_owned() }],
    };
    let back = |id: &str| ChatMessage::Tool {
        returns: vec![ChatToolReturn {
            tool_call_id: id.to_owned(),
            content: vec![ContentPart::text("done")],
            is_error: false,
        }],
    };
    let asked = user("call a with {} and call b with {\"n\": 2}");
    let mut messages = vec![asked, call("1", "a"), back("1")];
    assert_eq!(answer(&request(&["a", "b"], messages.clone())).1, [("b".to_owned(), json!({"n": 2}))]);
    messages.extend([call("2", "b"), back("2")]);
    assert!(answer(&request(&["a", "b"], messages)).1.is_empty());
}

#[test]
fn it_obeys_the_tool_choice() {
    let mut forced = request(&["a", "b"], vec![user("call b with {\"n\": 1}")]);
    forced.tool_choice = ToolChoice::Required;
    assert_eq!(answer(&forced).1, [("b".to_owned(), json!({"n": 1}))]);
    forced.tool_choice = ToolChoice::Named("a".to_owned());
    assert_eq!(answer(&forced).1, [("a".to_owned(), json!({}))]);
    forced.tool_choice = ToolChoice::None;
    assert!(answer(&forced).1.is_empty());
}

#[tokio::test]
async fn it_streams_word_by_word_says_that_it_is_no_ai_and_repeats_itself() {
    let request = request(&["roll"], vec![user("call roll with {\"a\": \"b c\"}")]);
    let events: Vec<_> = chat(&request).map(Result::unwrap).collect().await;
    let again: Vec<_> = chat(&request).map(Result::unwrap).collect().await;
    assert_eq!(events, again);
    let text: String = events
        .iter()
        .filter_map(|event| if let ChatEvent::Text(text) = event { Some(text.as_str()) } else { None })
        .collect();
    assert_eq!(text, "[rehearsal, no AI] Calling `roll`.");
    assert!(events.iter().filter(|event| matches!(event, ChatEvent::Text(_))).count() > 3);
    let [ChatEvent::Usage(usage), ChatEvent::Finish(FinishReason::ToolCalls), ChatEvent::Trace(trace)] =
        &events[events.len() - 3..]
    else {
        panic!("{events:?}")
    };
    assert!(usage.prompt_tokens > 10 && usage.completion_tokens > 3);
    assert_eq!(trace.response["tool_calls"][0]["name"], "roll");
}
