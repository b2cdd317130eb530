//! One call of a model over HTTP: sent, repeated where that helps, read as it comes, and traced.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use loci_api::chat::{Attempt, ChatError, ChatErrorKind, ChatEvent, ChatTrace};
use reqwest::{
    Client, Response, Url,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::{
    error::Blame,
    http::{read, request_id, retry_after, unreachable},
    protocols::{Fault, Protocol},
    retry::RetryPolicy,
    sse::{Broken, Limits, frames, lines},
};

/// How long a provider may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands.
    pub connect: Duration,
    /// Between two pieces of a stream, and until its first.
    pub stall: Duration,
    /// A whole answer that is not streamed.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            stall: Duration::from_secs(120),
            whole: Duration::from_secs(600),
        }
    }
}

/// Bytes of one event of a stream.
const MAX_FRAME: usize = 16 << 20;
/// Bytes of an answer.
const MAX_ANSWER: usize = 64 << 20;
/// Bytes of a refusal that are read.
const MAX_ERROR: usize = 1 << 20;

/// How many settings a server may refuse before its refusal counts.
const MAX_CONCESSIONS: u32 = 4;

/// Everything a call needs, checked and encoded.
#[derive(Clone)]
pub(crate) struct Call {
    pub client: Client,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Value,
    pub wire: Protocol,
    /// The answer's text is to be a tool call.
    pub as_call: bool,
    pub stream: bool,
    pub blame: Blame,
    pub timeouts: Timeouts,
    pub retry: RetryPolicy,
}

/// A failed attempt.
struct Failure {
    error: ChatError,
    /// The provider forbids a repetition (`x-should-retry: false`).
    is_final: bool,
}

impl From<ChatError> for Failure {
    fn from(error: ChatError) -> Self {
        Self { error, is_final: false }
    }
}

/// The events of a call. Dropping the stream ends the connection.
pub(crate) fn run(call: Call) -> BoxStream<'static, Result<ChatEvent, ChatError>> {
    let mut call = Arc::new(call);
    let events = async_stream::stream! {
        // Once, so that every attempt sends the same bytes.
        let mut bytes = Bytes::from(call.body.to_string());
        let began = Instant::now();
        let mut attempts: Vec<Attempt> = Vec::new();
        // Attempts that failed for what the request held do not count against those that may pass by waiting.
        let mut conceded = 0;
        for number in 1_u32.. {
            let mut events = std::pin::pin!(attempt(Arc::clone(&call), bytes.clone()));
            let mut spoke = false;
            let mut failure = None;
            while let Some(event) = events.next().await {
                match event {
                    Ok(ChatEvent::Trace(mut trace)) => {
                        trace.attempts = std::mem::take(&mut attempts);
                        yield Ok(ChatEvent::Trace(trace));
                        return;
                    }
                    Ok(event) => {
                        spoke = true;
                        yield Ok(event);
                    }
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
            let Failure { mut error, is_final } =
                failure.unwrap_or_else(|| call.blame.error(ChatErrorKind::StreamIncomplete, "").into());
            if !spoke && conceded < MAX_CONCESSIONS {
                let mut body = call.body.clone();
                if let Some(left_out) = call.wire.concede(&mut body, &error) {
                    conceded += 1;
                    tracing::debug!(left_out, "a request was refused for a setting, trying again without it");
                    let failed = Attempt {
                        number,
                        error: format!("{} Trying again without `{left_out}`.", error.message),
                        waited_ms: 0,
                    };
                    attempts.push(failed.clone());
                    yield Ok(ChatEvent::Retrying(failed));
                    bytes = Bytes::from(body.to_string());
                    call = Arc::new(call.with(body));
                    continue;
                }
            }
            let delay = if spoke || is_final {
                None
            } else {
                call.retry.delay(number - conceded, began.elapsed(), &error, fastrand::f64())
            };
            let Some(delay) = delay else {
                if let Some(trace) = &mut error.trace {
                    trace.attempts = attempts;
                }
                yield Err(error);
                return;
            };
            let waited_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(kind = ?error.kind, status = error.status, number, waited_ms, "model call failed, trying again");
            let failed = Attempt { number, error: error.message, waited_ms };
            attempts.push(failed.clone());
            yield Ok(ChatEvent::Retrying(failed));
            tokio::time::sleep(delay).await;
        }
    };
    events.boxed()
}

/// One attempt: its events, the trace last.
fn attempt(call: Arc<Call>, body: Bytes) -> impl Stream<Item = Result<ChatEvent, Failure>> + Send {
    async_stream::stream! {
        let mut trace = ChatTrace {
            request: call.body.clone(),
            endpoint: Some(call.url.to_string()),
            ..ChatTrace::default()
        };
        let response = match call.send(body).await {
            Ok(response) => response,
            Err(error) => {
                yield Err(traced(error, trace).into());
                return;
            }
        };
        trace.request_id = request_id(response.headers());
        if !response.status().is_success() {
            let failure = call.refusal(response, trace).await;
            yield Err(failure);
            return;
        }

        let mut decoder = call.wire.decoder(call.as_call);
        let mut events = Vec::new();
        let mut fault = None;
        let limits = Limits { frame: MAX_FRAME, answer: MAX_ANSWER, stall: call.timeouts.stall };
        let framed = match call.framing(&response) {
            Framing::Events => Ok(frames(response.bytes_stream(), limits).boxed()),
            Framing::Lines => Ok(lines(response.bytes_stream(), limits).boxed()),
            Framing::Whole => Err(response),
        };
        match framed {
            Ok(mut frames) => {
                while !decoder.is_closed() {
                    let read = match frames.next().await {
                        Some(Ok(frame)) => match (frame.data, frame.event) {
                            (Some(data), _) => decoder.frame(&data, &mut events),
                            (None, Some(name)) => decoder.bare(&name),
                            (None, None) => Ok(()),
                        }
                        .map_err(|fault| call.fault(fault)),
                        Some(Err(broken)) => Err(call.broken(&broken)),
                        None => break,
                    };
                    for event in events.drain(..) {
                        yield Ok(event);
                    }
                    if let Err(error) = read {
                        // What follows the model's last word is bookkeeping; losing it does not spoil the answer.
                        fault = (!decoder.is_finished()).then_some(error);
                        break;
                    }
                }
                trace.response = decoder.answer();
            }
            Err(response) => match call.whole(response).await {
                Ok(body) => {
                    trace.response = body.clone();
                    fault = decoder.whole(body, &mut events).map_err(|fault| call.fault(fault)).err();
                }
                Err(error) => fault = Some(error),
            },
        }
        if fault.is_none() {
            fault = decoder.end(&mut events).map_err(|fault| call.fault(fault)).err();
        }
        for event in events.drain(..) {
            yield Ok(event);
        }
        call.blame.clean_value(&mut trace.response);
        match fault {
            Some(error) => yield Err(traced(error, trace).into()),
            None => yield Ok(ChatEvent::Trace(trace)),
        }
    }
}

impl Call {
    async fn send(&self, body: Bytes) -> Result<Response, ChatError> {
        let accept = match (self.stream, self.wire) {
            (true, Protocol::Ollama) => "application/x-ndjson",
            (true, _) => "text/event-stream",
            (false, _) => "application/json",
        };
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(reqwest::header::ACCEPT, accept)
            .headers(self.headers.clone())
            .body(body);
        let patience = if self.stream { self.timeouts.stall } else { self.timeouts.whole };
        match timeout(patience, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(unreachable(error, &self.blame)),
            Err(_) => Err(self.silence(patience)),
        }
    }

    /// An answer in one piece.
    async fn whole(&self, response: Response) -> Result<Value, ChatError> {
        let body = match timeout(self.timeouts.whole, read(response, MAX_ANSWER)).await {
            Ok(Ok(Some(body))) => body,
            Ok(Ok(None)) => return Err(self.broken(&Broken::TooLarge(MAX_ANSWER >> 20))),
            Ok(Err(error)) => {
                return Err(self.broken(&Broken::Transport(crate::sse::chain(&error.without_url()))));
            }
            Err(_) => return Err(self.silence(self.timeouts.whole)),
        };
        serde_json::from_slice(&body).map_err(|error| {
            let text = String::from_utf8_lossy(&body);
            let text: String = text.trim().chars().take(200).collect();
            let detail = format!("{error} in: {text}");
            // Cut short is one thing, a web page another.
            if error.is_eof() && !text.is_empty() {
                self.blame.error(ChatErrorKind::StreamIncomplete, &detail)
            } else if text.is_empty() {
                self.blame.error(ChatErrorKind::LlmEmptyResponse, "")
            } else {
                let hint = format!("the answer is not JSON; is the base URL right? {detail}");
                self.blame.error(ChatErrorKind::LlmError, &hint)
            }
        })
    }

    async fn refusal(&self, response: Response, mut trace: ChatTrace) -> Failure {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = match timeout(self.timeouts.stall, read(response, MAX_ERROR)).await {
            Ok(Ok(Some(body))) => body,
            // The status says enough.
            Ok(Ok(None) | Err(_)) | Err(_) => bytes::BytesMut::new(),
        };
        let mut error = if (300..400).contains(&status) {
            let mut error = self.blame.error(
                ChatErrorKind::LlmError,
                "it sent the request elsewhere (a redirect), which is not followed with a key; check the base URL",
            );
            error.status = Some(status);
            error
        } else {
            self.blame.refusal(status, &body)
        };
        error.retry_after_ms = retry_after(&headers).or(error.retry_after_ms);
        trace.response = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).chars().take(2000).collect()));
        self.blame.clean_value(&mut trace.response);
        let is_final = headers.get("x-should-retry").is_some_and(|value| value == "false");
        Failure { error: traced(error, trace), is_final }
    }

    fn fault(&self, fault: Fault) -> ChatError {
        match fault {
            Fault::Said(body) => self
                .blame
                .said(&body)
                .unwrap_or_else(|| self.blame.error(ChatErrorKind::LlmError, &body.to_string())),
            Fault::Corrupt(what) => self.blame.error(ChatErrorKind::StreamIncomplete, &what),
            Fault::Incomplete => {
                self.blame.error(ChatErrorKind::StreamIncomplete, "the stream ended without its end")
            }
            Fault::Empty => self.blame.error(ChatErrorKind::LlmEmptyResponse, ""),
        }
    }

    fn broken(&self, broken: &Broken) -> ChatError {
        let kind = match broken {
            Broken::Stalled(_) => ChatErrorKind::LlmTimeout,
            Broken::Transport(_) | Broken::TooLarge(_) | Broken::Unreadable(_) => {
                ChatErrorKind::StreamIncomplete
            }
        };
        self.blame.error(kind, &broken.to_string())
    }

    fn silence(&self, patience: Duration) -> ChatError {
        self.broken(&Broken::Stalled(patience))
    }
}

fn traced(mut error: ChatError, trace: ChatTrace) -> ChatError {
    error.trace = Some(Box::new(trace));
    error
}

/// How an answer is cut into pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// Server-sent events.
    Events,
    /// Lines of JSON.
    Lines,
    /// Not at all.
    Whole,
}

impl Call {
    fn with(&self, body: Value) -> Self {
        Self { body, ..self.clone() }
    }

    /// By what the server says it sends; by what was asked for where it does not say.
    fn framing(&self, response: &Response) -> Framing {
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.to_lowercase();
        match self.wire {
            // A whole answer of this protocol is one line like those of a stream; proxies mislabel both.
            Protocol::Ollama if kind.contains("html") => Framing::Whole,
            Protocol::Ollama if self.stream => Framing::Lines,
            _ if kind.contains("event-stream") => Framing::Events,
            _ if kind.contains("json") || kind.contains("html") => Framing::Whole,
            Protocol::Ollama => Framing::Whole,
            Protocol::OpenAiChat | Protocol::OpenAiResponses | Protocol::Anthropic | Protocol::Google => {
                if self.stream {
                    Framing::Events
                } else {
                    Framing::Whole
                }
            }
        }
    }
}
