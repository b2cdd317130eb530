//! Archival memory: by the API, by the agent's tools, and shared between agents.
#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use chat::Chat;
use loci_testkit::reply::Reply;
use serde_json::{Value, json};
use support::{Backend, each, text};

#[tokio::test]
async fn a_note_is_filed_found_and_deleted() {
    let backend = Backend::start().await;
    let agent = backend.agent(json!({"timezone": "Europe/Berlin"})).await;
    let path = format!("/v1/agents/{}/archival-memory", text(&agent, "id"));
    assert_eq!(backend.get(&path).await, json!([]));
    let filed = backend
        .post(
            &path,
            json!({"text": "Mira prefers green tea", "tags": [" drink ", "drink"],
            "created_at": "2025-11-20T19:04:02Z"}),
        )
        .await;
    let note = &filed[0];
    assert!(text(note, "id").starts_with("passage-") && text(note, "archive_id").starts_with("archive-"));
    assert_eq!((&note["tags"], &note["embedding"]), (&json!(["drink"]), &Value::Null));
    assert_eq!(note["embedding_config"]["handle"], "openai/text-embedding-3-small");
    backend.post(&path, json!({"text": "The heron's code is 42"})).await;

    let found = backend.get(&format!("{path}/search?query=what+tea+does+she+like&tags=drink")).await;
    assert_eq!(found["count"], 1);
    assert_eq!(found["results"][0]["content"], "Mira prefers green tea");
    assert_eq!(found["results"][0]["timestamp"], "2025-11-20T20:04:02+01:00");
    let late = backend.get(&format!("{path}/search?query=tea&start_datetime=2025-11-21")).await;
    assert_eq!(late["count"], 0);
    assert_eq!(each(&backend.get(&format!("{path}?search=HERON")).await, "text"), ["The heron's code is 42"]);
    assert_eq!(backend.get(&path).await.as_array().unwrap().len(), 2);
    let context = backend.get(&format!("/v1/agents/{}/context", text(&agent, "id"))).await;
    assert_eq!(context["num_archival_memory"], 2);

    let one = format!("{path}/{}", text(note, "id"));
    let (status, gone) = backend.call("DELETE", &one, None).await;
    assert_eq!((status.as_u16(), text(&gone, "message").contains("deleted")), (200, true));
    assert_eq!(backend.call("DELETE", &one, None).await.0, 404);

    for (method, path, body, status) in [
        ("POST", path.clone(), Some(json!({"text": "  "})), 422),
        ("POST", path.clone(), Some(json!({"text": "x".repeat(40_000)})), 422),
        ("POST", path.clone(), Some(json!({})), 422),
        ("GET", format!("{path}/search"), None, 422),
        ("GET", format!("{path}/search?query=x&top_k=0"), None, 422),
        ("GET", format!("{path}/search?query=x&tag_match_mode=some"), None, 422),
        ("GET", format!("{path}/search?query=x&start_datetime=soon"), None, 422),
        ("DELETE", format!("{path}/nonsense"), None, 422),
        (
            "GET",
            "/v1/agents/agent-00000000-0000-4000-8000-000000000000/archival-memory".to_owned(),
            None,
            404,
        ),
    ] {
        let (got, answer) = backend.call(method, &path, body).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn an_archive_is_shared_and_searched_by_all_who_look_into_it() {
    let backend = Backend::start().await;
    let archive =
        backend.post("/v1/archives/", json!({"name": "Recipes", "description": "What we cook"})).await;
    assert_eq!(
        (&archive["embedding_config"], &archive["vector_db_provider"]),
        (&Value::Null, &json!("native"))
    );
    let path = format!("/v1/archives/{}", text(&archive, "id"));
    let many = backend
        .post(
            &format!("{path}/passages/batch"),
            json!({"passages": [
                {"text": "Soup wants an hour", "metadata": {"page": 3}}, {"text": "Bread rises twice"},
            ]}),
        )
        .await;
    assert_eq!(many[0]["metadata"], json!({"page": 3}));
    backend.post(&format!("{path}/passages"), json!({"text": "Rice needs water"})).await;

    let (one, other) = (backend.agent(json!({})).await, backend.agent(json!({})).await);
    for agent in [&one, &other] {
        let attach = format!("/v1/agents/{}/archives/attach/{}", text(agent, "id"), text(&archive, "id"));
        assert_eq!(backend.patch(&attach, json!({})).await, Value::Null);
    }
    let search = format!("/v1/agents/{}/archival-memory/search?query=bread", text(&other, "id"));
    assert_eq!(backend.get(&search).await["count"], 1);
    assert_eq!(backend.get(&format!("{path}/agents")).await.as_array().unwrap().len(), 2);
    let of_agent = format!("/v1/archives/?agent_id={}", text(&one, "id"));
    assert_eq!(each(&backend.get(&of_agent).await, "name"), ["Recipes"]);
    let hits = backend
        .post("/v1/passages/search", json!({"query": "soup", "archive_id": archive["id"], "limit": 5}))
        .await;
    assert_eq!(hits[0]["passage"]["text"], "Soup wants an hour");
    assert!(hits[0]["score"].as_f64().unwrap() > 0.0 && hits[0]["metadata"]["fts_rank"] == 1, "{hits}");

    backend.patch(&path, json!({"name": "Cooking"})).await;
    assert_eq!(backend.get(&path).await["name"], "Cooking");
    let detach = format!("/v1/agents/{}/archives/detach/{}", text(&other, "id"), text(&archive, "id"));
    backend.patch(&detach, json!({})).await;
    assert_eq!(backend.get(&search).await["count"], 0);

    let passage = format!("{path}/passages/{}", text(&many[0], "id"));
    assert_eq!(backend.call("DELETE", &passage, None).await.0, 204);
    assert_eq!(backend.call("DELETE", &passage, None).await.0, 404);
    // A shared archive survives the agents that look into it.
    backend.call("DELETE", &format!("/v1/agents/{}", text(&one, "id")), None).await;
    assert_eq!(backend.get(&path).await["name"], "Cooking");
    assert_eq!(backend.call("DELETE", &path, None).await.0, 204);
    assert_eq!(backend.call("GET", &path, None).await.0, 404);
    assert_eq!(backend.call("POST", "/v1/archives/", Some(json!({"name": " "}))).await.0, 422);
    let bad = json!({"name": "x", "embedding": "nonsense"});
    assert_eq!(backend.call("POST", "/v1/archives/", Some(bad)).await.0, 400);
}

#[tokio::test]
async fn an_agent_files_and_finds_by_its_tools() {
    let chat = Chat::with(json!({
        "tools": ["archival_memory_insert", "archival_memory_search"], "embedding": null,
    }))
    .await;
    chat.model.script([
        Reply::call("archival_memory_insert", json!({"content": "The code is HERON-42", "tags": ["code"]})),
        Reply::call("archival_memory_search", json!({"query": "code"})),
        Reply::text("Done."),
    ]);
    let answer = chat
        .server
        .post(&chat.messages_path(), json!({"messages": [{"role": "user", "content": "remember it"}]}))
        .await;
    let returns: Vec<&Value> = answer["messages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|message| message["message_type"] == "tool_return_message")
        .collect();
    assert_eq!(returns.len(), 2, "{answer}");
    let found = returns[1]["tool_return"].as_str().unwrap();
    assert!(found.contains("HERON-42") && found.contains("fts_rank"), "{found}");
    let path = format!("/v1/agents/{}/archival-memory", chat.agent);
    assert_eq!(chat.server.get(&path).await[0]["tags"], json!(["code"]));
    let agent = chat.server.post(&format!("/v1/agents/{}/recompile", chat.agent), json!({})).await;
    assert!(agent.to_string().contains("1 passages are kept in archival memory"), "{agent}");
}

#[tokio::test]
async fn an_own_archive_follows_its_agent_s_embedder() {
    let backend = Backend::start().await;
    let agent = backend.agent(json!({})).await;
    let path = format!("/v1/agents/{}", text(&agent, "id"));
    backend.post(&format!("{path}/archival-memory"), json!({"text": "a note"})).await;
    backend.patch(&path, json!({"embedding": "openai/text-embedding-3-large"})).await;
    let notes = backend.get(&format!("{path}/archival-memory")).await;
    assert_eq!(notes[0]["embedding_config"]["handle"], "openai/text-embedding-3-large");
}
