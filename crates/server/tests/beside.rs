//! What is asked beside a conversation: previews, single completions, searches, lists over all agents, feedback.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::{Chat, client_tool};
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::{each, text};

#[tokio::test]
async fn a_preview_is_what_is_sent_and_leaves_no_trace() {
    let chat = Chat::with(json!({"tools": ["core_memory_append"]})).await;
    chat.model.default_reply(Reply::text("fine"));
    chat.say("first").await;
    let conversation = chat.conversation().await;
    let before = chat.history().await;
    let path = format!("{}/preview-raw-payload", chat.messages_path());
    for more in
        [json!({}), json!({"client_tools": [client_tool("peek_here")]}), json!({"stream_tokens": true})]
    {
        let mut body = json!({"messages": [{"role": "user", "content": "second"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let shown = chat.server.post(&path, body.clone()).await;
        let asked = chat.model.requests().len();
        let in_conversation = format!("/v1/conversations/{conversation}/messages/preview-raw-payload");
        let other = chat.server.post(&in_conversation, body.clone()).await;
        assert_eq!(other["messages"].as_array().unwrap().len(), 2, "system and question");
        assert_eq!(chat.model.requests().len(), asked, "nothing is asked");
        assert!(chat.history().await == before, "nothing is stored");
        assert_eq!(shown["messages"].as_array().unwrap().len(), 4);
        assert_eq!(shown["tools"].to_string().contains("peek_here"), body.get("client_tools").is_some());
    }
    // A block that changed is in the preview as it will be in the request.
    chat.server
        .patch(&format!("/v1/agents/{}/core-memory/blocks/human", chat.agent), json!({"value": "Name: Eve"}))
        .await;
    let shown = chat.server.post(&path, json!({"input": "second"})).await;
    chat.say("second").await;
    let sent = chat.model.requests().pop().unwrap().body;
    assert_eq!(shown, sent);

    for (body, status) in [
        (json!({}), 422),
        (json!({"input": ""}), 400),
        (json!({"input": "x", "override_model": "nobody/nothing"}), 404),
        (
            json!({"messages": [{"type": "approval", "approvals": [{"type": "approval", "tool_call_id": "x", "approve": true}]}]}),
            400,
        ),
    ] {
        let (got, answer) = chat.server.call("POST", &path, Some(body.clone())).await;
        assert_eq!(got.as_u16(), status, "{body}: {answer}");
    }
    chat.model.script([Reply::call("look", json!({}))]);
    chat.send(json!({"input": "look", "client_tools": [client_tool("look")]})).await;
    assert_eq!(chat.server.call("POST", &path, Some(json!({"input": "x"}))).await.0, 409);
}

#[tokio::test]
async fn a_completion_asks_once_and_changes_nothing() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("Tea talk")]);
    let before = chat.history().await;
    let path = format!("/v1/agents/{}/generate", chat.agent);
    let schema = json!({"type": "object", "properties": {"title": {"type": "string"}}});
    let done = chat
        .server
        .post(&path, json!({"prompt": "A title?", "system_prompt": "Short.", "response_schema": schema}))
        .await;
    assert_eq!((&done["content"], &done["model"]), (&json!("Tea talk"), &json!("openai/gpt-4.1")));
    assert_eq!(done["usage"]["step_count"], 1);
    assert!(done["usage"]["total_tokens"].as_u64().unwrap() > 0);
    let sent = &chat.model.requests()[0].body;
    let roles: Vec<&str> = each(&sent["messages"], "role");
    assert_eq!(roles, ["system", "user"], "no memory, no history");
    assert!(sent["response_format"].to_string().contains("title"));
    assert_eq!(chat.history().await, before);
    for (body, status) in [
        (json!({}), 422),
        (json!({"prompt": " "}), 422),
        (json!({"prompt": "x", "override_model": "no/model"}), 404),
    ] {
        assert_eq!(chat.server.call("POST", &path, Some(body)).await.0.as_u16(), status);
    }
    chat.model.script([Reply::failure(401, "no such key")]);
    let (status, error) = chat.server.call("POST", &path, Some(json!({"prompt": "x"}))).await;
    assert_eq!((status.as_u16(), &error["error"]["type"]), (401, &json!("llm_authentication")));
    assert_eq!(chat.model.requests()[1].body["messages"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn messages_of_all_agents_are_found_and_listed() {
    let chat = Chat::start().await;
    chat.model.default_reply(Reply::text("Oolong is a tea."));
    chat.say("tell me of oolong").await;
    let conversation = chat.conversation().await;
    let path = format!("/v1/conversations/{conversation}/messages");
    chat.server.post(&path, json!({"input": "oolong again", "streaming": false})).await;
    let other = chat.server.agent(json!({"name": "Other"})).await;
    let path = format!("/v1/agents/{}/messages", text(&other, "id"));
    chat.server.post(&path, json!({"input": "no tea here, oolong"})).await;

    let search = async |body: Value| chat.server.post("/v1/messages/search", body).await;
    let all = search(json!({"query": "oolong"})).await;
    assert_eq!(all.as_array().unwrap().len(), 6);
    let mut keys: Vec<&str> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["agent_id", "content", "conversation_id", "created_at", "message_id", "message_type"]);
    for (narrow, count) in [
        (json!({"agent_id": chat.agent}), 4),
        (json!({"conversation_id": conversation}), 2),
        (json!({"conversation_id": "default", "agent_id": chat.agent}), 2),
        (json!({"search_mode": "vector"}), 6),
        (json!({"limit": 1}), 1),
        (json!({"start_date": "2999-01-01"}), 0),
        (json!({"end_date": "2000-01-01T00:00:00Z"}), 0),
        (json!({"start_date": "2000-01-01", "end_date": "2999-01-01"}), 6),
    ] {
        let mut body = json!({"query": "oolong"});
        body.as_object_mut().unwrap().extend(narrow.as_object().unwrap().clone());
        assert_eq!(search(body).await.as_array().unwrap().len(), count, "{narrow}");
    }
    for (body, status) in [
        (json!({}), 422),
        (json!({"query": "x", "limit": 0}), 422),
        (json!({"query": "x", "search_mode": "magic"}), 422),
        (json!({"query": "x", "agent_id": "me"}), 422),
        (json!({"query": "x", "start_date": "soon"}), 422),
    ] {
        let (got, answer) = chat.server.call("POST", "/v1/messages/search", Some(body)).await;
        assert_eq!(got.as_u16(), status, "{answer}");
    }
    let rows = chat
        .server
        .post(
            "/v1/agents/messages/search",
            json!({"query": "oolong", "roles": ["user"], "agent_id": chat.agent}),
        )
        .await;
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!((&rows[0]["fts_rank"], &rows[0]["message"]["role"]), (&json!(1), &json!("user")));

    let listed = chat.server.get("/v1/messages/?limit=2").await;
    assert_eq!(each(&listed, "content"), ["Oolong is a tea.", "no tea here, oolong"], "newest first");
    let typed = chat.server.get("/v1/messages/?include_return_message_types=user_message").await;
    assert_eq!(typed.as_array().unwrap().len(), 3);
    let narrowed = chat.server.get(&format!("/v1/messages/?conversation_id={conversation}&order=asc")).await;
    assert_eq!(narrowed.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn steps_take_feedback_and_runs_show_their_spans() {
    let chat = Chat::start().await;
    chat.model.script([Reply::text("fine")]);
    let answer = chat.say("hi").await;
    let (step, run) = (text(&answer["messages"][0], "step_id"), text(&answer["messages"][0], "run_id"));
    let path = format!("/v1/steps/{step}/feedback");
    let noted = chat.server.patch(&path, json!({"feedback": "positive", "tags": ["good"]})).await;
    assert_eq!((&noted["feedback"], &noted["tags"]), (&json!("positive"), &json!(["good"])));
    let listed = chat.server.get("/v1/steps/?feedback=positive&tags=good").await;
    assert_eq!(each(&listed, "id"), [step]);
    let taken_back = chat.server.patch(&path, json!({"feedback": null})).await;
    assert_eq!((&taken_back["feedback"], &taken_back["tags"]), (&Value::Null, &json!(["good"])));
    assert_eq!(chat.server.call("PATCH", &path, Some(json!({"feedback": "so so"}))).await.0, 422);
    let unknown = "/v1/steps/step-00000000-0000-4000-8000-000000000009/feedback";
    assert_eq!(chat.server.call("PATCH", unknown, Some(json!({}))).await.0, 404);

    let spans = chat.server.get(&format!("/v1/runs/{run}/trace")).await;
    assert_eq!(each(&spans, "span_id"), [step]);
    assert!(
        spans[0]["duration_ns"].as_i64().unwrap()
            >= spans[0]["attributes"]["llm_request_ns"].as_i64().unwrap()
    );
    assert_eq!(chat.server.call("GET", &format!("/v1/runs/{run}/trace?limit=0"), None).await.0, 422);
}

#[tokio::test]
async fn tags_are_listed_once_in_order() {
    let chat = Chat::with(json!({"tags": ["tea", "cats"]})).await;
    chat.server.agent(json!({"tags": ["tea", "Dogs"]})).await;
    for (query, wanted) in [
        ("", vec!["Dogs", "cats", "tea"]),
        ("?order=desc&limit=2", vec!["tea", "cats"]),
        ("?after=Dogs&limit=1", vec!["cats"]),
        ("?before=tea&limit=1", vec!["cats"]),
        ("?name=DO", vec!["Dogs"]),
        ("?query_text=zebra", vec![]),
    ] {
        assert_eq!(chat.server.get(&format!("/v1/tags/{query}")).await, json!(wanted), "{query}");
    }
}
