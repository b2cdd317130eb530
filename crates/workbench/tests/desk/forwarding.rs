//! Requests to a server elsewhere that is slow, gone, cut off or not what it should be; and to one that is fine.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use futures::StreamExt;
use http::{Method, Request, StatusCode};
use loci_workbench::Limits;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};
use tower::ServiceExt;

use crate::fixture::{Fixture, Got};

const KEY: &str = "sk-of-the-other-server-0123456789";

fn short() -> Limits {
    Limits {
        connect: Duration::from_millis(500),
        read: Duration::from_millis(200),
        write: Duration::from_millis(200),
        run: Duration::from_millis(300),
        idle: Duration::from_millis(200),
        stream_idle: Duration::from_millis(400),
        largest_answer: 100_000,
        ..Limits::default()
    }
}

/// A server that sends these pieces, however odd, to every request; an empty piece is a pause that does not end.
struct Odd {
    address: String,
    /// The requests as they came.
    seen: Arc<Mutex<Vec<String>>>,
}

async fn odd(pieces: &'static [&'static str]) -> Odd {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, pieces, Arc::clone(&log)));
        }
    });
    Odd { address, seen }
}

async fn serve(mut stream: TcpStream, pieces: &'static [&'static str], seen: Arc<Mutex<Vec<String>>>) {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => text.push_str(&String::from_utf8_lossy(&buffer[..read])),
        }
    }
    seen.lock().await.push(text);
    for piece in pieces {
        if piece.is_empty() {
            std::future::pending::<()>().await;
        }
        if stream.write_all(piece.as_bytes()).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn connected(address: &str) -> Fixture {
    let desk = Fixture::limited(short()).await;
    let body = json!({"name": "Home", "base_url": address, "key": KEY});
    let made = desk.post("/workbench/connections", body).await.ok();
    let id = made["id"].as_str().unwrap();
    desk.post(&format!("/workbench/connections/{id}/select"), json!({})).await.ok();
    desk
}

fn code(got: &Got) -> String {
    got.json()["detail"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_is_in_the_way_is_said_in_the_apis_shape() {
    for (what, pieces, status, wanted, part) in [
        ("silence", &[""][..], 504, "CONNECTION_TIMEOUT", "did not answer within"),
        ("a cut before the answer", &[][..], 502, "CONNECTION_BAD_ANSWER", "broke off"),
        ("another protocol", &["220 mail.example ESMTP\r\n"], 502, "CONNECTION_BAD_ANSWER", "not speak HTTP"),
        (
            "a web page",
            &["HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p>x"],
            502,
            "CONNECTION_BAD_ANSWER",
            "web page",
        ),
        (
            "a proxy's page",
            &["HTTP/1.1 503 No\r\ncontent-type: text/html\r\ncontent-length: 4\r\n\r\n<p>x"],
            502,
            "CONNECTION_BAD_ANSWER",
            "status 503",
        ),
        (
            "JSON that is none",
            &["HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n<p>x"],
            502,
            "CONNECTION_BAD_ANSWER",
            "JSON",
        ),
        (
            "a head and then silence",
            &["HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\n", ""],
            504,
            "CONNECTION_TIMEOUT",
            "did not answer",
        ),
        (
            "a redirect",
            &["HTTP/1.1 302 Found\r\nlocation: https://evil.example/v1/agents/\r\ncontent-length: 0\r\n\r\n"],
            502,
            "CONNECTION_BAD_ANSWER",
            "evil.example",
        ),
        (
            "a large answer",
            &["HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100001\r\n\r\n["],
            502,
            "CONNECTION_BAD_ANSWER",
            "more than",
        ),
    ] {
        let other = odd(pieces).await;
        let desk = connected(&other.address).await;
        let got = desk.get("/v1/agents/").await;
        assert_eq!(got.status.as_u16(), status, "{what}: {}", got.text);
        assert_eq!(code(&got), wanted, "{what}");
        let sentence = got.refusal(status);
        assert!(sentence.contains("Home") && sentence.contains(part), "{what}: {sentence}");
        assert!(!got.text.contains(KEY), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_said_to_be() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let desk = connected(&address).await;
    let got = desk.get("/v1/agents/").await;
    assert_eq!(code(&got), "CONNECTION_UNREACHABLE");
    assert!(got.refusal(502).contains("Check that it runs"));
    let changing = desk.post("/v1/agents/", json!({})).await;
    assert_eq!(changing.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn after_a_change_without_an_answer_the_person_is_told_to_look() {
    let other = odd(&[""]).await;
    let desk = connected(&other.address).await;
    let text = desk.post("/v1/agents/agent-1/messages", json!({"input": "hello"})).await.refusal(504);
    assert!(text.contains("look before you repeat it"), "{text}");
}

#[tokio::test]
async fn a_stream_passes_untouched_and_a_cut_is_no_silent_end() {
    const FRAMES: &str = "data: {\"message_type\":\"from_the_future\",\"odd\":1}\n\n: ping\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 1000\r\n\r\n";
    for (what, pieces, part) in [
        ("a cut", &[head, FRAMES][..], "broke off"),
        ("a pause that does not end", &[head, FRAMES, ""][..], "sent nothing for"),
    ] {
        // Leaked on purpose: the server outlives the test's borrow.
        let pieces: &'static [&'static str] = Box::leak(pieces.to_vec().into_boxed_slice());
        let other = odd(pieces).await;
        let desk = connected(&other.address).await;
        let request = Request::post("/v1/runs/run-1/stream").body(Body::from("{}")).unwrap();
        let response = loci_workbench::router(desk.desk.clone()).oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200, "{what}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        let mut got = Vec::new();
        let problem = loop {
            match body.next().await.expect("an error before the end") {
                Ok(piece) => got.extend_from_slice(&piece),
                Err(error) => break error.to_string(),
            }
        };
        assert_eq!(String::from_utf8(got).unwrap(), FRAMES, "{what}");
        assert!(problem.contains("Home") && problem.contains(part), "{what}: {problem}");
    }
}

#[tokio::test]
async fn only_the_persons_request_goes_out_with_the_connections_key() {
    let other =
        odd(&["HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]"]).await;
    let desk = connected(&other.address).await;
    let request = Request::get("/v1/agents/?limit=5&name=a%20b")
        .header("authorization", "Bearer of-this-machine")
        .header("cookie", "a=b")
        .header("origin", "tauri://localhost")
        .header("x-loci-connection", "selected")
        .header("accept", "application/json")
        .body(Body::empty())
        .unwrap();
    assert_eq!(desk.send(request).await.ok(), json!([]));
    // Choosing a server looks what waits there, by reading.
    let (looks, seen): (Vec<String>, Vec<String>) =
        other.seen.lock().await.clone().into_iter().partition(|seen| seen.contains("=requires_approval"));
    assert!(looks.len() <= 2 && looks.iter().all(|look| look.starts_with("GET ")), "{looks:?}");
    assert_eq!(seen.len(), 1, "adding, selecting and asking once is one request: {seen:?}");
    let seen = &seen[0];
    assert!(seen.starts_with("GET /v1/agents/?limit=5&name=a%20b HTTP/1.1\r\n"), "{seen}");
    let lower = seen.to_ascii_lowercase();
    assert!(lower.contains(&format!("authorization: bearer {KEY}")), "{seen}");
    for stays in ["of-this-machine", "cookie", "origin", "x-loci"] {
        assert!(!lower.contains(stays), "{stays}: {seen}");
    }
    drop(desk.get("/v1/../admin").await.refusal(400));
    drop(desk.get("/admin").await.refusal(404));
}

#[tokio::test]
async fn a_redirect_to_the_other_slash_form_is_taken_on_the_same_server_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = axum::Router::new()
        .route(
            "/v1/agents/",
            axum::routing::post(|headers: http::HeaderMap, body: String| async move {
                axum::Json(json!({"key": headers["authorization"].to_str().unwrap(), "body": body}))
            }),
        )
        // As a server behind a proxy: it knows neither its scheme nor its port.
        .route(
            "/v1/agents",
            axum::routing::any(|| async {
                (StatusCode::TEMPORARY_REDIRECT, [("location", "https://127.0.0.1/v1/agents/")])
            }),
        );
    tokio::spawn(axum::serve(listener, router).into_future());
    let desk = connected(&format!("http://{address}")).await;
    let got = desk.call(Method::POST, "/v1/agents", json!({"a": 1})).await.ok();
    assert_eq!(got["body"], json!({"a": 1}).to_string());
    assert_eq!(got["key"], format!("Bearer {KEY}"));
}

#[tokio::test]
async fn an_agent_elsewhere_is_made_talked_to_and_changed_like_one_here() {
    let there = Fixture::new().await;
    let desk = Fixture::new().await;
    let made = desk.post("/workbench/connections", json!({"base_url": there.serve().await})).await.ok();
    let id = made["id"].as_str().unwrap();
    desk.post(&format!("/workbench/connections/{id}/select"), json!({})).await.ok();
    let agent = desk
        .post(
            "/v1/agents/",
            json!({"name": "Venus", "model": "rehearsal/rehearsal",
                "memory_blocks": [{"label": "human", "value": "Ada"}]}),
        )
        .await
        .ok();
    let agent = agent["id"].as_str().unwrap();
    let mut events = desk.desk.events().subscribe().unwrap();
    let body = json!({"input": "Remember that I like tea.", "streaming": true, "stream_tokens": true});
    let frames = desk.post(&format!("/v1/agents/{agent}/messages"), body).await.frames();
    let kinds: Vec<&str> = frames.iter().filter_map(|frame| frame["message_type"].as_str()).collect();
    assert!(kinds.contains(&"stop_reason"), "{kinds:?}");
    let told = events.recv().await.unwrap();
    assert_eq!(
        told,
        loci_workbench::Event::RunChanged { agent_id: Some(agent.to_owned()), conversation_id: None }
    );
    let here: Value = there.get(&format!("/v1/agents/{agent}")).await.ok();
    assert_eq!(here["name"], "Venus");
}
