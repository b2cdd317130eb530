//! A backend in a temporary folder, called in process; nothing listens and nothing is reached.

#![allow(dead_code, reason = "each test file uses a part")]

use axum::{Router, body::Body};
use http::{Request, Response, StatusCode, header::USER_AGENT};
use http_body_util::BodyExt;
use loci_llm::ProviderConfig;
use loci_server::{App, Options, confined::Limits, open, router};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub struct Backend {
    pub app: App,
    pub router: Router,
    pub folder: TempDir,
}

/// A provider whose handles resolve and whose address nobody listens on.
pub fn provider(name: &str) -> ProviderConfig {
    ProviderConfig {
        name: name.to_owned(),
        provider_type: name.to_owned(),
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        api_key: None,
        headers: Vec::new(),
        category: "base".to_owned(),
        protocol: None,
    }
}

impl Backend {
    /// With `openai` and `anthropic` configured.
    pub async fn start() -> Self {
        Self::with(vec![provider("openai"), provider("anthropic")]).await
    }

    pub async fn with(providers: Vec<ProviderConfig>) -> Self {
        Self::within(Limits::default(), providers).await
    }

    /// With other limits for tools.
    pub async fn within(tool_limits: Limits, providers: Vec<ProviderConfig>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = Options { tool_limits, ..Options::new(folder.path()) };
        let app = open(options, providers).await.expect("the backend opens");
        Self { router: router(app.clone()), app, folder }
    }

    /// As an SDK: no user agent.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder().method(method).uri(path).body(body).expect("a request");
        read(self.raw(request).await).await
    }

    /// As a program that is no SDK.
    pub async fn call_as_curl(&self, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = Request::builder().method(method).uri(path).header(USER_AGENT, "curl/8.5.0");
        read(self.raw(request.body(body).expect("a request")).await).await
    }

    pub async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("routers do not fail")
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call("GET", path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("POST", path, Some(body)).await;
        assert_eq!(status, 200, "POST {path}: {answer}");
        answer
    }

    pub async fn patch(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.call("PATCH", path, Some(body)).await;
        assert_eq!(status, 200, "PATCH {path}: {answer}");
        answer
    }

    /// An agent of the seeds' shape, with these fields changed.
    pub async fn agent(&self, fields: Value) -> Value {
        let mut body = json!({
            "model": "openai/gpt-4.1",
            "embedding": "openai/text-embedding-3-small",
            "memory_blocks": [
                {"label": "human", "value": "Name: Chad"},
                {"label": "persona", "value": "I am helpful."},
            ],
        });
        if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
            body.extend(fields);
        }
        self.post("/v1/agents/", body).await
    }
}

pub async fn read(response: Response<Body>) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = response.into_body().collect().await.expect("a body").to_bytes();
    let value = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    (status, value)
}

/// The field of each item of a list.
pub fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().expect("a list").iter().map(|item| item[field].as_str().unwrap_or("(none)")).collect()
}

pub fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}
