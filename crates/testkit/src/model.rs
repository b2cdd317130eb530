//! The fake model server: takes requests in each provider's format, answers from a script.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::serve::ListenerExt as _;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::{format::Format, lists, reply::Reply};

/// Chooses a reply by looking at a request; `None` falls back to the script.
type Chooser = Box<dyn Fn(&Value) -> Option<Reply> + Send + Sync>;

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    default: Option<Reply>,
    requests: Vec<Request>,
    chooser: Option<Chooser>,
    /// Requests for embeddings, kept apart: they may come at any time.
    embeddings: Vec<Request>,
    embedding_failures: VecDeque<Reply>,
    /// Answers at addresses the fake does not know by itself.
    pages: HashMap<String, (StatusCode, Value)>,
    /// Status and body of the list of models, if not the usual one.
    list: Option<(StatusCode, Value)>,
    /// How often the list was asked for.
    listed: usize,
    /// Where held replies wait.
    gate: Arc<Notify>,
}

/// A request as it came in.
#[derive(Debug, Clone)]
pub struct Request {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Script>>);

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running fake model; it ends when dropped.
pub struct FakeModel {
    shared: Shared,
    address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeModel {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_on(0).await
    }

    /// Starts on this port of 127.0.0.1; 0 picks a free one.
    ///
    /// # Errors
    /// When the port cannot be opened.
    pub async fn start_on(port: u16) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let shared = Shared::default();
        let router = router(shared.clone());
        let server = tokio::spawn(async move {
            // It ends with the task; an error here shows as a refused connection in the test.
            let _ = axum::serve(listener.tap_io(at_once), router).await;
        });
        Ok(Self { shared, address, server })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL for an OpenAI provider, `…/v1`.
    #[must_use]
    pub fn base_url_openai(&self) -> String {
        format!("{}/v1", self.url())
    }

    /// The base URL for an Anthropic provider.
    #[must_use]
    pub fn base_url_anthropic(&self) -> String {
        self.url()
    }

    /// The base URL for a Gemini provider.
    #[must_use]
    pub fn base_url_google(&self) -> String {
        format!("{}/v1beta", self.url())
    }

    /// The base URL for an Ollama provider.
    #[must_use]
    pub fn base_url_ollama(&self) -> String {
        self.url()
    }

    /// Appends replies; each model call takes the first that fits it.
    pub fn script(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.script().replies.extend(replies);
    }

    /// The reply when nothing in the script fits.
    pub fn default_reply(&self, reply: Reply) {
        self.shared.script().default = Some(reply);
    }

    /// Lets a function choose before the script does.
    pub fn respond_with(&self, chooser: impl Fn(&Value) -> Option<Reply> + Send + Sync + 'static) {
        self.shared.script().chooser = Some(Box::new(chooser));
    }

    /// All model calls so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.script().requests.clone()
    }

    /// All requests for embeddings so far, oldest first.
    #[must_use]
    pub fn embeddings(&self) -> Vec<Request> {
        self.shared.script().embeddings.clone()
    }

    /// The next requests for embeddings fail so, or get this raw body.
    pub fn fail_embeddings(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.script().embedding_failures.extend(replies);
    }

    /// What any other address answers to a `GET`, a runtime's own list for example.
    ///
    /// # Panics
    /// If the status is not an HTTP status.
    pub fn page(&self, path: impl Into<String>, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        self.shared.script().pages.insert(path.into(), (status, body));
    }

    /// What the list of models answers from now on.
    ///
    /// # Panics
    /// If the status is not an HTTP status.
    pub fn list_models(&self, status: u16, body: Value) {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        self.shared.script().list = Some((status, body));
    }

    /// How often the list of models was asked for.
    #[must_use]
    pub fn times_listed(&self) -> usize {
        self.shared.script().listed
    }

    /// Lets one held reply go on, or the next one that will be held.
    pub fn release(&self) {
        self.shared.script().gate.notify_one();
    }

    /// Serves until the process ends.
    pub async fn wait(mut self) {
        let _ = (&mut self.server).await;
    }
}

/// As providers send: without it a token on a kept connection waits 40 ms for the reader's acknowledgement.
fn at_once(stream: &mut tokio::net::TcpStream) {
    // A failure costs time only.
    let _slow = stream.set_nodelay(true);
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat_completions))
        .route("/v1/responses", post(openai_responses))
        .route("/v1/messages", post(messages))
        .route("/v1beta/models/{call}", post(google_call))
        .route("/api/chat", post(ollama_chat))
        .route("/v1/models", get(models))
        .route("/v1beta/models", get(google_models))
        .route("/api/tags", get(ollama_tags))
        .route("/api/show", post(ollama_show))
        .route("/api/ps", get(ollama_ps))
        .route("/v1/embeddings", post(embeddings))
        .route("/api/embed", post(ollama_embed))
        .route("/control/script", post(control_script))
        .route("/control/default", post(control_default))
        .route("/control/requests", get(control_requests))
        .route("/control/embeddings", get(control_embeddings).post(control_fail_embeddings))
        .route("/control/release", post(control_release))
        .route("/control/reset", post(control_reset))
        .fallback(page)
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

async fn page(State(shared): State<Shared>, uri: Uri) -> (StatusCode, Json<Value>) {
    let known = shared.script().pages.get(uri.path()).cloned();
    known.map_or_else(
        || (StatusCode::NOT_FOUND, Json(json!({"error": "not here"}))),
        |(status, body)| (status, Json(body)),
    )
}

async fn control_script(State(shared): State<Shared>, Json(replies): Json<Vec<Reply>>) {
    shared.script().replies.extend(replies);
}

async fn control_default(State(shared): State<Shared>, Json(reply): Json<Reply>) {
    shared.script().default = Some(reply);
}

async fn control_requests(State(shared): State<Shared>) -> Json<Value> {
    let script = shared.script();
    Json(script.requests.iter().map(|request| json!({"path": request.path, "body": request.body})).collect())
}

async fn control_embeddings(State(shared): State<Shared>) -> Json<Value> {
    let script = shared.script();
    Json(
        script.embeddings.iter().map(|request| json!({"path": request.path, "body": request.body})).collect(),
    )
}

async fn control_fail_embeddings(State(shared): State<Shared>, Json(replies): Json<Vec<Reply>>) {
    shared.script().embedding_failures.extend(replies);
}

async fn control_release(State(shared): State<Shared>) {
    shared.script().gate.notify_one();
}

async fn control_reset(State(shared): State<Shared>) {
    let before = std::mem::take(&mut *shared.script());
    before.gate.notify_waiters();
}

/// The list a test has set, or the usual one.
fn listed(shared: &Shared, usual: Value) -> (StatusCode, Json<Value>) {
    let mut script = shared.script();
    script.listed += 1;
    match &script.list {
        Some((status, body)) => (*status, Json(body.clone())),
        None => (StatusCode::OK, Json(usual)),
    }
}

async fn models(State(shared): State<Shared>) -> (StatusCode, Json<Value>) {
    listed(&shared, lists::openai())
}

async fn google_models(State(shared): State<Shared>) -> (StatusCode, Json<Value>) {
    listed(&shared, lists::google())
}

async fn ollama_tags(State(shared): State<Shared>) -> (StatusCode, Json<Value>) {
    listed(&shared, lists::ollama_tags())
}

async fn ollama_show(Json(body): Json<Value>) -> (StatusCode, Json<Value>) {
    match lists::ollama_show(&body) {
        Some(shown) => (StatusCode::OK, Json(shown)),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": format!("model {} not found", body["model"])}))),
    }
}

async fn ollama_ps() -> Json<Value> {
    Json(json!({"models": []}))
}

/// An embedding, unless a failure waits.
fn embedded(shared: &Shared, path: &str, headers: HeaderMap, body: Value, usual: Value) -> Response {
    let mut script = shared.script();
    script.embeddings.push(Request { path: path.to_owned(), headers, body });
    match script.embedding_failures.pop_front() {
        Some(reply) if reply.status.is_some() => failure(&reply, Format::of(path)),
        Some(Reply { raw: Some(raw), .. }) => ([("content-type", "application/json")], raw).into_response(),
        Some(_) | None => Json(usual).into_response(),
    }
}

async fn embeddings(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let usual = lists::embed_openai(&body);
    embedded(&shared, "/v1/embeddings", headers, body, usual)
}

async fn ollama_embed(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let usual = lists::embed_ollama(&body);
    embedded(&shared, "/api/embed", headers, body, usual)
}

async fn openai_responses(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    answer(shared, "/v1/responses", headers, body).await
}

async fn ollama_chat(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    answer(shared, "/api/chat", headers, body).await
}

async fn google_call(
    State(shared): State<Shared>,
    Path(call): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    let path = format!("/v1beta/models/{call}");
    if call.ends_with(":batchEmbedContents") {
        let usual = lists::embed_google(&body);
        return embedded(&shared, &path, headers, body, usual);
    }
    answer(shared, &path, headers, body).await
}

async fn chat_completions(
    State(shared): State<Shared>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Response {
    answer(shared, "/v1/chat/completions", headers, body).await
}

async fn messages(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    answer(shared, "/v1/messages", headers, body).await
}

/// The last message, as JSON and then as plain text, in whatever form it came.
fn last_text(body: &Value) -> String {
    let messages = ["messages", "input", "contents"].into_iter().find_map(|key| body[key].as_array());
    let last = messages.and_then(|messages| messages.last()).cloned().unwrap_or_default();
    let said = ["content", "parts", "output"].into_iter().find_map(|key| last.get(key)).unwrap_or(&last);
    let mut text = said.to_string();
    plain(said, &mut text);
    text
}

fn plain(content: &Value, out: &mut String) {
    match content {
        Value::String(text) => {
            out.push('\n');
            out.push_str(text);
        }
        Value::Array(parts) => parts.iter().for_each(|part| plain(part, out)),
        Value::Object(part) => ["text", "content", "functionResponse", "response", "output", "error"]
            .iter()
            .filter_map(|key| part.get(*key))
            .for_each(|part| plain(part, out)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn choose(shared: &Shared, request: Request) -> (Reply, usize) {
    let mut script = shared.script();
    let body = request.body.clone();
    script.requests.push(request);
    let number = script.requests.len();
    if let Some(reply) = script.chooser.as_ref().and_then(|chooser| chooser(&body)) {
        return (reply, number);
    }
    let text = last_text(&body);
    let fits = script.replies.iter().position(|reply| match &reply.when {
        None => true,
        Some(when) => text.contains(when.as_str()),
    });
    let scripted = fits.and_then(|at| script.replies.remove(at));
    let reply = scripted.or_else(|| script.default.clone()).unwrap_or_else(|| {
        Reply::failure(418, format!("the script has no reply for request {number}: {text}"))
    });
    (reply, number)
}

async fn answer(shared: Shared, path: &str, headers: HeaderMap, body: Value) -> Response {
    let (reply, number) = choose(&shared, Request { path: path.to_owned(), headers, body: body.clone() });
    if reply.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(reply.latency_ms)).await;
    }
    let format = Format::of(path);
    let stream = format.streams(path, &body);
    if reply.status.is_some_and(|status| status != 200) {
        return failure(&reply, format);
    }
    let frames = match &reply.raw {
        Some(raw) => vec![raw.clone()],
        None => format.answer(&reply, path, &body, number, stream),
    };
    let kind = match (stream, format) {
        (true, Format::Ollama) => "application/x-ndjson",
        (true, _) => "text/event-stream; charset=utf-8",
        (false, _) => "application/json",
    };
    let kind = reply.headers.get("content-type").and_then(Value::as_str).unwrap_or(kind);
    let head = Response::builder()
        .header("content-type", kind)
        .header("x-request-id", format!("req-{number}"))
        .header("request-id", format!("req-{number}"));
    let more = reply.headers.iter().filter(|(name, _)| *name != "content-type");
    let head = more.fold(head, |head, (name, value)| {
        head.header(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    });
    head.body(paced(&shared, reply, frames)).unwrap_or_else(|error| {
        (StatusCode::INTERNAL_SERVER_ERROR, format!("the script's headers are not valid: {error}"))
            .into_response()
    })
}

fn failure(reply: &Reply, format: Format) -> Response {
    let status =
        reply.status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::IM_A_TEAPOT);
    let error =
        reply.error.clone().unwrap_or_else(|| json!({"message": "scripted failure", "type": "error"}));
    let mut response = (status, Json(format.failure(error, status))).into_response();
    for (name, value) in &reply.headers {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), text.parse()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A body that comes piece by piece, and may be held, cut or damaged on the way.
fn paced(shared: &Shared, reply: Reply, frames: Vec<String>) -> Body {
    let gate = Arc::clone(&shared.script().gate);
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(64);
    tokio::spawn(async move {
        let mut sent = 0;
        let last = frames.len().saturating_sub(1);
        for (number, frame) in frames.into_iter().enumerate() {
            // The first frame of a stream only opens it; a whole response has no other.
            let opens = ["data:", "event:", "{\"model\""].iter().any(|start| frame.starts_with(start));
            if reply.hold && number == usize::from(opens && frame.ends_with('\n')).min(last) {
                gate.notified().await;
            }
            if reply.chunk_delay_ms > 0 {
                tokio::time::sleep(Duration::from_millis(reply.chunk_delay_ms)).await;
            }
            let mut bytes = frame.into_bytes();
            if let Some(at) = reply.corrupt_at.and_then(|at| at.checked_sub(sent))
                && let Some(byte) = bytes.get_mut(at)
            {
                *byte = 0x01;
            }
            if let Some(cut) = reply.cut_after_bytes
                && sent + bytes.len() > cut
            {
                bytes.truncate(cut - sent.min(cut));
                let _ = sender.send(Ok(bytes.into())).await;
                // Otherwise the connection breaks before these bytes are on it.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = sender.send(Err(std::io::Error::other("cut by the script"))).await;
                return;
            }
            sent += bytes.len();
            for piece in bytes.chunks(reply.piece_bytes.unwrap_or(usize::MAX).max(1)) {
                if sender.send(Ok(Bytes::copy_from_slice(piece))).await.is_err() {
                    return;
                }
            }
        }
        if reply.stall {
            sender.closed().await;
        }
    });
    Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver))
}
