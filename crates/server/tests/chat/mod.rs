//! An agent of a backend whose model is the fake one, and what its streams say.

#![allow(dead_code, reason = "each test file uses a part")]

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::BytesMut;
use futures::StreamExt as _;
use http::{Request, StatusCode};
use loci_llm::ProviderConfig;
use loci_server::{Options, confined::Limits, open, router};
use loci_testkit::model::FakeModel;
use serde_json::{Value, json};

use crate::support::{Backend, provider, read, text};

pub struct Chat {
    pub server: Backend,
    pub model: FakeModel,
    pub agent: String,
}

fn providers(model: &FakeModel) -> Vec<ProviderConfig> {
    vec![
        ProviderConfig { base_url: model.base_url_openai(), ..provider("openai") },
        ProviderConfig { base_url: model.base_url_anthropic(), ..provider("anthropic") },
    ]
}

impl Chat {
    pub async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// With these fields of the agent changed.
    pub async fn with(fields: Value) -> Self {
        Self::within(Limits::default(), fields).await
    }

    /// With other limits for tools.
    pub async fn within(tool_limits: Limits, fields: Value) -> Self {
        let model = FakeModel::start().await.expect("a port");
        let server = Backend::within(tool_limits, providers(&model)).await;
        let agent = server.agent(fields).await;
        Self { agent: text(&agent, "id").to_owned(), server, model }
    }

    /// Ends the backend in an orderly way and opens it again on the same data.
    pub async fn restart(self) -> Self {
        let Self { server: Backend { app, router, folder }, model, agent } = self;
        app.shutdown().await;
        drop((app, router));
        Self::reopen(folder, model, agent).await
    }

    /// Opens the backend on data another one left.
    pub async fn reopen(folder: tempfile::TempDir, model: FakeModel, agent: String) -> Self {
        let mut tries = 0;
        let app = loop {
            match open(Options::new(folder.path()), providers(&model)).await {
                Ok(app) => break app,
                Err(error) => {
                    tries += 1;
                    assert!(tries < 500, "the backend opens again: {error:#}");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        };
        Self { server: Backend { router: router(app.clone()), app, folder }, model, agent }
    }

    pub fn messages_path(&self) -> String {
        format!("/v1/agents/{}/messages", self.agent)
    }

    pub async fn send(&self, body: Value) -> Value {
        self.server.post(&self.messages_path(), body).await
    }

    pub async fn say(&self, words: &str) -> Value {
        self.send(json!({"input": words})).await
    }

    pub async fn refused(&self, body: Value) -> (u16, Value) {
        let (status, body) = self.server.call("POST", &self.messages_path(), Some(body)).await;
        assert_ne!(status, 200, "{body}");
        (status.as_u16(), body)
    }

    /// All messages, oldest first.
    pub async fn history(&self) -> Vec<Value> {
        let all = self.server.get(&format!("{}?limit=1000&order=asc", self.messages_path())).await;
        all.as_array().expect("a list").clone()
    }

    pub async fn conversation(&self) -> String {
        let made = self.server.post(&format!("/v1/conversations/?agent_id={}", self.agent), json!({})).await;
        text(&made, "id").to_owned()
    }

    pub async fn stream(&self, path: &str, body: Value) -> Sse {
        let request = Request::builder().method("POST").uri(path).body(Body::from(body.to_string()));
        let response = self.server.raw(request.expect("a request")).await;
        if response.status() != StatusCode::OK {
            let (status, body) = read(response).await;
            panic!("POST {path}: {status} {body}");
        }
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Sse { body: response.into_body().into_data_stream(), buffer: BytesMut::new() }
    }

    /// Streams from the agent's own route.
    pub async fn stream_agent(&self, body: Value) -> Sse {
        let mut body = body;
        body["streaming"] = json!(true);
        self.stream(&self.messages_path(), body).await
    }
}

/// A stream as a client reads it.
pub struct Sse {
    body: BodyDataStream,
    buffer: BytesMut,
}

/// One event: its name, if it has one, and its data (`[DONE]` as a string).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub name: Option<String>,
    pub data: Value,
}

impl Event {
    pub fn kind(&self) -> &str {
        self.data["message_type"].as_str().unwrap_or_else(|| self.data.as_str().unwrap_or("?"))
    }
}

impl Sse {
    /// The next event; `None` once the body ended.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\n\n") {
                let frame = self.buffer.split_to(at + 2);
                let frame = std::str::from_utf8(&frame).expect("UTF-8").trim_end();
                let mut event = Event { name: None, data: Value::Null };
                for line in frame.lines() {
                    if let Some(name) = line.strip_prefix("event: ") {
                        event.name = Some(name.to_owned());
                    } else {
                        let data = line.strip_prefix("data: ").expect("only event and data lines");
                        event.data = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
                    }
                }
                return Some(event);
            }
            let piece = tokio::time::timeout(Duration::from_secs(20), self.body.next())
                .await
                .expect("the stream goes on");
            match piece {
                Some(bytes) => self.buffer.extend_from_slice(&bytes.expect("no failure of the body")),
                None => {
                    assert!(self.buffer.is_empty(), "a frame was cut: {:?}", self.buffer);
                    return None;
                }
            }
        }
    }

    /// Everything to the end.
    pub async fn all(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }

    /// The next event of a kind; those before it are dropped.
    pub async fn until(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("a {kind} comes"));
            if event.kind() == kind {
                return event;
            }
        }
    }
}

pub fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(Event::kind).collect()
}

pub fn types(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message_type"].as_str().unwrap_or("?")).collect()
}

/// The text pieces of one kind joined.
pub fn joined(events: &[Event], kind: &str, field: &str) -> String {
    events
        .iter()
        .filter(|event| event.kind() == kind)
        .filter_map(|event| event.data[field].as_str())
        .collect()
}

/// A tool of the client's.
pub fn client_tool(name: &str) -> Value {
    json!({"name": name, "description": "Runs on the client",
           "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": []}})
}
