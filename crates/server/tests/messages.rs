//! Sending messages and reading them again.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, types};
use loci_testkit::reply::{Reply, ReplyUsage};
use serde_json::{Value, json};
use support::{each, text};

fn strings(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|item| item.to_string()).collect()
}

#[tokio::test]
async fn an_answer_has_the_published_shape_and_is_stored() {
    let chat = Chat::start().await;
    chat.model.script([Reply {
        usage: Some(ReplyUsage { prompt_tokens: 10, completion_tokens: 5, ..ReplyUsage::default() }),
        ..Reply::text("Hello Chad.")
    }]);
    let answer = chat.say("Hi!").await;
    let mut keys: Vec<&str> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["logprobs", "messages", "stop_reason", "turns", "usage"]);
    assert_eq!(answer["stop_reason"], json!({"message_type": "stop_reason", "stop_reason": "end_turn"}));
    assert_eq!(types(answer["messages"].as_array().unwrap()), ["assistant_message"]);
    assert_eq!(answer["messages"][0]["content"], "Hello Chad.");
    assert_eq!(answer["usage"]["prompt_tokens"], 10);
    assert_eq!(answer["usage"]["total_tokens"], 15);
    assert_eq!(answer["usage"]["step_count"], 1);

    let history = chat.history().await;
    assert_eq!(types(&history), ["system_message", "user_message", "assistant_message"]);
    assert_eq!(history[1]["content"], "Hi!");
    assert_eq!(history[2]["id"], answer["messages"][0]["id"]);
    assert_eq!(history[2]["otid"], answer["messages"][0]["otid"]);

    let run_id = text(&answer["messages"][0], "run_id");
    let run = chat.server.get(&format!("/v1/runs/{run_id}")).await;
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("end_turn")));
    assert!(run["completed_at"].is_string() && run["total_duration_ns"].as_i64().unwrap() > 0);
    assert_eq!(answer["usage"]["run_ids"], json!([run_id]));

    let steps = chat.server.get(&format!("/v1/runs/{run_id}/steps")).await;
    assert_eq!(steps[0]["status"], "success");
    assert_eq!(steps[0]["model_handle"], "openai/gpt-4.1");
    assert_eq!(steps[0]["prompt_tokens"], 10);
    let step = text(&steps[0], "id");
    assert_eq!(chat.server.get(&format!("/v1/steps/{step}")).await, steps[0]);
    assert_eq!(
        each(&chat.server.get(&format!("/v1/steps/{step}/messages")).await, "message_type"),
        ["assistant_message"]
    );
    let usage = chat.server.get(&format!("/v1/runs/{run_id}/usage")).await;
    assert_eq!(usage["total_tokens"], 15);
    let of_run = chat.server.get(&format!("/v1/runs/{run_id}/messages")).await;
    assert_eq!(each(&of_run, "message_type"), ["user_message", "assistant_message"]);
    assert!(chat.server.get(&format!("/v1/steps/{step}/metrics")).await["step_ns"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn the_exact_bodies_of_a_step_can_be_seen() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("Yes.")]);
    let answer = chat.say("Do you hear me?").await;
    let step = text(&answer["messages"][0], "step_id").to_owned();
    // The trace is written behind the answer.
    chat.server.app.shutdown().await;
    let trace = chat.server.get(&format!("/v1/steps/{step}/trace")).await;
    let sent = &chat.model.requests()[0].body;
    assert_eq!(&trace["request_json"], sent);
    assert!(trace["response_json"].to_string().contains("Yes."));
    assert_eq!(trace["step_id"], json!(step));
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let chat = Chat::start().await;
    for (body, status, words) in [
        (json!({}), 422, "Must specify either 'input' or 'messages'."),
        (json!({"input": "a", "messages": [{"role": "user", "content": "b"}]}), 422, "Cannot specify both"),
        (json!({"messages": []}), 422, "Messages must not be empty"),
        (json!({"input": ""}), 400, "Message content is empty or invalid"),
        (json!({"input": "a", "background": true}), 422, "Streaming options set without streaming enabled."),
        (json!({"messages": [{"tool_returns": []}]}), 422, "role: Field required"),
        (json!({"input": "a", "override_model": "openai"}), 400, "provider/model"),
        (json!({"input": "a", "override_model": "nobody/nothing"}), 404, "NOT_FOUND: Handle nobody/nothing"),
        (
            json!({"input": [{"type": "image", "source": {"type": "url", "url": "http://127.0.0.1:1/x.png"}}]}),
            400,
            "private network",
        ),
    ] {
        let (got, answer) = chat.refused(body.clone()).await;
        assert_eq!(got, status, "{body}: {answer}");
        assert!(text(&answer, "detail").contains(words), "{body}: {answer}");
    }
    assert_eq!(types(&chat.history().await), ["system_message"]);
    let unknown = "agent-00000000-0000-4000-8000-000000000009";
    let path = format!("/v1/agents/{unknown}/messages");
    let (status, body) = chat.server.call("POST", &path, Some(json!({"input": "a"}))).await;
    assert_eq!(
        (status.as_u16(), body),
        (404, json!({"detail": format!("Agent with ID {unknown} not found")}))
    );
    let (status, body) = chat.server.call("GET", &path, None).await;
    assert_eq!((status.as_u16(), body), (404, json!({"detail": "Agent not found"})));
    assert!(chat.model.requests().is_empty());
}

#[tokio::test]
async fn an_agent_edits_its_memory_and_reads_it_next_time() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.script([
        Reply::call("core_memory_append", json!({"label": "human", "content": "Likes tea."})),
        Reply::text("Noted."),
        Reply::text("Tea."),
    ]);
    let answer = chat.say("I like tea.").await;
    assert_eq!(
        types(answer["messages"].as_array().unwrap()),
        ["tool_call_message", "tool_return_message", "assistant_message"]
    );
    assert_eq!(answer["messages"][1]["status"], "success");
    assert_eq!(answer["messages"][1]["name"], "core_memory_append");
    let block = chat.server.get(&format!("/v1/agents/{}/core-memory/blocks/human", chat.agent)).await;
    assert_eq!(block["value"], "Name: Chad\nLikes tea.");
    chat.say("What do I like?").await;
    let system = |at: usize| chat.model.requests()[at].body["messages"][0]["content"].to_string();
    assert!(!system(1).contains("Likes tea."), "frozen during the run");
    assert!(system(2).contains("Likes tea."));
    let history = chat.history().await;
    assert!(text(&history[0], "content").contains("Likes tea."), "message 0 is brought up to date in place");
}

#[tokio::test]
async fn a_failing_model_is_told_with_its_kind_and_the_message_stays() {
    let chat = Chat::start().await;
    for (status, expected, kind) in [
        (401, 401, "llm_authentication"),
        (402, 402, "llm_insufficient_credits"),
        (400, 400, "llm_bad_request"),
    ] {
        chat.model.script([Reply::failure(status, "no luck")]);
        let (got, answer) = chat.refused(json!({"input": format!("try {status}")})).await;
        assert_eq!(got, expected, "{answer}");
        assert_eq!(answer["error"]["type"], kind);
        assert!(answer["error"]["message"].is_string());
    }
    let users: Vec<Value> = chat
        .history()
        .await
        .into_iter()
        .filter(|message| message["message_type"] == "user_message")
        .collect();
    assert_eq!(users.len(), 3, "what was sent is stored before the model is asked");
    let runs = chat.server.get(&format!("/v1/runs/?agent_id={}", chat.agent)).await;
    assert_eq!(each(&runs, "status"), ["failed", "failed", "failed"]);
    assert_eq!(each(&runs, "stop_reason"), ["llm_api_error", "insufficient_credits", "llm_api_error"]);
    assert_eq!(runs[0]["metadata"]["error"]["error_type"], "llm_bad_request");
    assert_eq!(runs[0]["metadata"]["error"]["run_id"], runs[0]["id"]);
    chat.model.script([Reply::text("Back.")]);
    assert_eq!(chat.say("And now?").await["messages"][0]["content"], "Back.");
}

#[tokio::test]
async fn steps_are_limited() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    let none = chat.send(json!({"input": "x", "max_steps": 0})).await;
    assert_eq!((&none["messages"], &none["stop_reason"]["stop_reason"]), (&json!([]), &json!("end_turn")));
    assert!(chat.model.requests().is_empty());
    chat.model.script([Reply::call("core_memory_append", json!({"label": "human", "content": "y"}))]);
    let one = chat.send(json!({"input": "x", "max_steps": 1})).await;
    assert_eq!(one["stop_reason"]["stop_reason"], "max_steps");
    assert_eq!(types(one["messages"].as_array().unwrap()), ["tool_call_message", "tool_return_message"]);
}

#[tokio::test]
async fn requests_to_one_agent_wait_for_each_other() {
    let chat = Chat::start().await;
    chat.model.respond_with(|body| {
        let last = body["messages"]
            .as_array()
            .and_then(|all| all.last())
            .map(|message| message["content"].to_string());
        Some(Reply { latency_ms: 20, ..Reply::text(format!("heard {}", last.unwrap_or_default())) })
    });
    let sends = (0..6).map(|number| chat.send(json!({"input": format!("number {number}")})));
    for answer in futures::future::join_all(sends).await {
        assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
    }
    let history = chat.history().await;
    let turns: Vec<&str> = types(&history)[1..].to_vec();
    assert_eq!(turns, ["user_message", "assistant_message"].repeat(6), "no turn runs into another");
    for pair in history[1..].chunks(2) {
        assert!(text(&pair[1], "content").contains(text(&pair[0], "content")), "{pair:?}");
    }
}

#[tokio::test]
async fn a_request_repeated_with_its_own_ids_is_not_done_twice() {
    let chat = Chat::start().await;
    chat.model.script([Reply::failure(401, "no"), Reply::text("once")]);
    let body = json!({"messages": [{"role": "user", "content": "hi", "otid": "mine"}]});
    let (status, _) = chat.refused(body.clone()).await;
    assert_eq!(status, 401);
    let first = chat.send(body.clone()).await;
    assert_eq!(first["messages"][0]["content"], "once");
    let again = chat.send(body).await;
    assert_eq!(strings(&again["messages"]), strings(&first["messages"]));
    assert_eq!(again["usage"], first["usage"]);
    assert_eq!(types(&chat.history().await), ["system_message", "user_message", "assistant_message"]);
    assert_eq!(chat.model.requests().len(), 2);
}

#[tokio::test]
async fn the_caller_chooses_what_it_sees() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.script([
        Reply::call("core_memory_append", json!({"label": "human", "content": "y"})),
        Reply::text("done"),
    ]);
    let answer =
        chat.send(json!({"input": "x", "include_return_message_types": ["assistant_message"]})).await;
    assert_eq!(types(answer["messages"].as_array().unwrap()), ["assistant_message"]);
    let path = format!("{}?include_return_message_types=tool_return_message", chat.messages_path());
    assert_eq!(each(&chat.server.get(&path).await, "message_type"), ["tool_return_message"]);
    let (status, _) = chat
        .server
        .call("GET", &format!("{}?include_return_message_types=ping", chat.messages_path()), None)
        .await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn a_request_may_replace_model_and_instructions_for_itself() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("a"), Reply::text("b"), Reply::text("c")]);
    chat.send(json!({"input": "x", "override_system": "Only say b."})).await;
    chat.send(json!({"input": "y", "override_model": "anthropic/claude-sonnet-4-5"})).await;
    chat.say("z").await;
    let requests = chat.model.requests();
    assert_eq!(requests[0].body["messages"][0]["content"], "Only say b.");
    assert!(requests[1].path.ends_with("/messages"), "{}", requests[1].path);
    assert_eq!(requests[1].body["model"], "claude-sonnet-4-5");
    assert!(requests[2].body["messages"][0]["content"].to_string().contains("<memory_blocks>"));
    assert_eq!(requests[2].body["model"], "gpt-4.1");
}

#[tokio::test]
async fn lists_page_as_published() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply::text("ok"));
    for number in 0..3 {
        chat.say(&format!("n{number}")).await;
    }
    let path = chat.messages_path();
    let ids = |list: &Value| each(list, "id").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let all = ids(&chat.server.get(&format!("{path}?order=asc")).await);
    assert_eq!(all.len(), 7);
    assert_eq!(ids(&chat.server.get(&path).await), all, "newest first by name, oldest first in fact");
    assert_eq!(ids(&chat.server.get(&format!("{path}?limit=2")).await), all[5..]);
    assert_eq!(ids(&chat.server.get(&format!("{path}?limit=2&before={}", all[5])).await), all[3..5]);
    assert_eq!(ids(&chat.server.get(&format!("{path}?order=asc&limit=2&after={}", all[1])).await), all[2..4]);
    let unknown = "message-00000000-0000-4000-8000-000000000009";
    let (status, _) = chat.server.call("GET", &format!("{path}?after={unknown}"), None).await;
    assert_eq!(status, 404);
    let (status, _) = chat.server.call("GET", &format!("{path}?limit=-1"), None).await;
    assert_eq!(status, 422);

    let path = format!("/v1/conversations/default/messages?agent_id={}", chat.agent);
    let mut newest = all.clone();
    newest.reverse();
    assert_eq!(ids(&chat.server.get(&path).await), newest);
    assert_eq!(ids(&chat.server.get(&format!("{path}&limit=2&after={}", newest[1])).await), newest[2..4]);
    assert_eq!(ids(&chat.server.get(&format!("{path}&after={unknown}")).await), newest);
    let by_agent = format!("/v1/conversations/{}/messages", chat.agent);
    assert_eq!(ids(&chat.server.get(&by_agent).await), newest);
    let nowhere = "/v1/conversations/conv-00000000-0000-4000-8000-000000000009/messages";
    assert_eq!(chat.server.get(nowhere).await, json!([]));
    let (status, _) = chat.server.call("GET", "/v1/conversations/default/messages", None).await;
    assert_eq!(status, 422);

    let one = chat.server.get(&format!("/v1/messages/{}", all[2])).await;
    assert_eq!(each(&one, "message_type"), ["assistant_message"]);
    let (status, _) = chat.server.call("GET", &format!("/v1/messages/{unknown}"), None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_conversation_is_a_thread_of_its_own() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply::text("ok"));
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    let answer = chat.server.post(&path, json!({"input": "alpha", "streaming": false})).await;
    assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
    chat.say("beta").await;
    let requests = chat.model.requests();
    assert!(!requests[1].body["messages"].to_string().contains("alpha"));
    assert!(requests[0].body["messages"][0]["content"].to_string().contains(&conversation));
    let list = chat.server.get(&path).await;
    assert_eq!(each(&list, "message_type"), ["assistant_message", "user_message", "system_message"]);
    let default = chat.server.get(&format!("{}?conversation_id=default", chat.messages_path())).await;
    assert_eq!(each(&default, "message_type"), ["system_message", "user_message", "assistant_message"]);
    let shown = chat.server.get(&format!("/v1/conversations/{conversation}")).await;
    assert_eq!(shown["in_context_message_ids"].as_array().unwrap().len(), 3);
    assert!(shown["last_message_at"].is_string());
}

#[tokio::test]
async fn an_agent_finds_what_was_said() {
    let chat = Chat::start().await;
    chat.model.script([
        Reply::text("Blue, understood."),
        Reply::call("conversation_search", json!({"query": "favourite colour"})),
        Reply::text("Blue."),
        Reply::call("conversation_search", json!({"query": "colour", "end_date": "2001-01-01"})),
        Reply::text("Nothing."),
    ]);
    chat.say("My favourite colour is blue.").await;
    let found = chat.say("Which one was it?").await;
    let result = text(&found["messages"][1], "tool_return");
    assert!(result.contains("My favourite colour is blue."), "{result}");
    let none = chat.say("And before 2001?").await;
    assert!(text(&none["messages"][1], "tool_return").contains("No results found."));
}

#[tokio::test]
async fn an_agent_that_forgets_starts_each_turn_anew() {
    let chat = Chat::with(json!({"message_buffer_autoclear": true})).await;
    chat.model.default_reply(Reply::text("ok"));
    chat.say("first").await;
    chat.say("second").await;
    let last = &chat.model.requests()[1].body["messages"];
    assert_eq!(last.as_array().unwrap().len(), 2, "{last}");
    assert_eq!(types(&chat.history().await).len(), 5, "the history keeps everything");
}

#[tokio::test]
async fn an_async_request_answers_with_its_run() {
    let chat = Chat::start().await;
    chat.model.script([Reply { hold: true, ..Reply::text("later") }]);
    let run = chat.server.post(&format!("{}/async", chat.messages_path()), json!({"input": "work"})).await;
    assert_eq!((&run["status"], &run["background"]), (&json!("running"), &json!(true)));
    chat.model.release();
    let id = text(&run, "id");
    let events = chat.stream(&format!("/v1/runs/{id}/stream"), json!({})).await.all().await;
    assert_eq!(events.last().unwrap().kind(), "[DONE]");
    assert_eq!(chat.server.get(&format!("/v1/runs/{id}")).await["status"], "completed");
    let refused = json!({"input": "x", "callback_url": "http://127.0.0.1:1/done"});
    let (status, body) =
        chat.server.call("POST", &format!("{}/async", chat.messages_path()), Some(refused)).await;
    assert_eq!(status, 400, "{body}");
}

#[tokio::test]
async fn unknown_tools_and_broken_arguments_are_answered() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.script([
        Reply::call("nonsense", json!({})),
        Reply::call("core_memory_append", json!("{\"label\": \"human\", ")),
        Reply::text("sorry"),
    ]);
    let answer = chat.say("go").await;
    let returns: Vec<&Value> = answer["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["message_type"] == "tool_return_message")
        .collect();
    assert!(
        text(returns[0], "tool_return")
            .starts_with("[ToolConstraintError] Cannot call nonsense, valid tools")
    );
    assert_eq!(returns[1]["status"], "error");
    assert_eq!(answer["stop_reason"]["stop_reason"], "end_turn");
}
