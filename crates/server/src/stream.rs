//! What a watcher of a run is sent: turn events as server-sent events, whole messages or pieces of them.

use std::{collections::HashSet, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderValue, header};
use loci_api::{
    ids::{MessageId, RunId, StepId},
    message::{Message, Role},
    resource::{StopReason, UsageStatistics},
    time::Timestamp,
    wire::{self, MessageType, View},
};
use loci_engine::ports::{Delta, TurnError, TurnEvent};
use serde::Serialize;
use serde_json::{Value, json};

/// A connection that was sent nothing for this long gets a ping.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One server-sent event, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its place among the run's events, from 1. Shown to clients of background runs only.
    pub seq: i64,
    /// `data: …\n\n`, with `event: error\n` before it on errors.
    pub text: Bytes,
}

impl Frame {
    /// Whether it only keeps the connection alive. Quotes inside a message are escaped, so no text matches.
    #[must_use]
    pub fn is_ping(text: &[u8]) -> bool {
        const MARK: &[u8] = br#""message_type":"ping""#;
        text.windows(MARK.len()).any(|window| window == MARK)
    }
}

/// How a run is shown; fixed when the run begins, equal for everyone who watches it.
#[derive(Debug, Clone, Default)]
pub struct Mode {
    /// Pieces of messages as they come, instead of whole messages per step.
    pub tokens: bool,
    /// Events carry their `seq_id`.
    pub numbered: bool,
    /// The run's first event is a ping with its id.
    pub pings: bool,
    pub view: View,
    /// Calls the client answered itself: their returns are not sent back in token mode.
    pub client_returns: HashSet<String>,
}

/// Turns what happens into frames.
#[derive(Debug)]
pub struct Renderer {
    run_id: RunId,
    mode: Mode,
    seq: i64,
    /// The message whose pieces are being sent and when its first piece was: all pieces say the same.
    current: Option<(MessageId, Timestamp)>,
}

impl Renderer {
    /// For a run that has sent nothing yet.
    #[must_use]
    pub fn new(run_id: RunId, mode: Mode) -> Self {
        Self { run_id, mode, seq: 0, current: None }
    }

    /// For a run that has sent events up to this number.
    #[must_use]
    pub fn resumed(run_id: RunId, mode: Mode, seq: i64) -> Self {
        Self { seq, ..Self::new(run_id, mode) }
    }

    /// What a stream begins with.
    pub fn open(&mut self) -> Vec<Frame> {
        if !self.mode.pings {
            return Vec::new();
        }
        let seq = self.number();
        vec![Frame { seq, text: ping(Some(&self.run_id), self.mode.numbered.then_some(seq)) }]
    }

    /// The frames of one event; none where the mode or the filter leaves it out.
    pub fn event(&mut self, event: &TurnEvent) -> Vec<Frame> {
        match event {
            TurnEvent::Message { message, streamed } => {
                if !self.tells(message) || (*streamed && self.mode.tokens) {
                    return Vec::new();
                }
                self.message(message)
            }
            TurnEvent::Delta { message_id, step_id, index, delta } => {
                if self.mode.tokens {
                    self.delta(message_id, step_id, *index, delta)
                } else {
                    Vec::new()
                }
            }
            TurnEvent::Compacting { id, at, trigger, context_tokens, context_window } => {
                if !self.mode.view.names_summaries() || !self.mode.view.shows(MessageType::EventMessage) {
                    return Vec::new();
                }
                let data = json!({
                    "trigger": trigger.as_str(),
                    "context_token_estimate": context_tokens,
                    "context_window": context_window,
                });
                let mut event = wire::compaction_event(id, &self.run_id, *at, data);
                let seq = self.number();
                event.base_mut().seq_id = self.mode.numbered.then_some(seq);
                vec![Frame { seq, text: sse(&event) }]
            }
            TurnEvent::StepUsage(_) => Vec::new(),
        }
    }

    /// What the client sent is not sent back; a compaction's summary only to who asked for it.
    fn tells(&self, message: &Message) -> bool {
        match message.role {
            Role::User => false,
            Role::Summary => self.mode.view.names_summaries(),
            Role::System | Role::Assistant | Role::Tool | Role::Approval => true,
        }
    }

    /// How a stream ends: why, then what it cost or what went wrong, then `[DONE]`.
    pub fn close(
        &mut self,
        stop_reason: StopReason,
        usage: &UsageStatistics,
        error: Option<&TurnError>,
    ) -> Vec<Frame> {
        let mut frames =
            vec![self.frame(&json!({"message_type": "stop_reason", "stop_reason": stop_reason.as_str()}))];
        match error {
            Some(error) => frames.push(self.error(error)),
            None => frames.push(self.frame(&usage.to_json())),
        }
        let seq = self.number();
        frames.push(Frame { seq, text: Bytes::from_static(b"data: [DONE]\n\n") });
        frames
    }

    fn number(&mut self) -> i64 {
        self.seq += 1;
        self.seq
    }

    fn frame(&mut self, data: &impl Serialize) -> Frame {
        Frame { seq: self.number(), text: sse(data) }
    }

    fn error(&mut self, error: &TurnError) -> Frame {
        let seq = self.number();
        let data = json!({
            "message_type": "error_message",
            "run_id": self.run_id,
            "error_type": error.error_type,
            "message": error.message,
            "detail": error.detail,
            "seq_id": self.mode.numbered.then_some(seq),
        });
        let mut text = b"event: error\n".to_vec();
        text.extend_from_slice(&sse(&data));
        Frame { seq, text: text.into() }
    }

    fn message(&mut self, message: &Message) -> Vec<Frame> {
        let own;
        let message =
            if self.mode.tokens && message.role == Role::Tool && !self.mode.client_returns.is_empty() {
                let mut rest = message.clone();
                rest.tool_returns.retain(|result| !self.mode.client_returns.contains(&result.tool_call_id));
                if rest.tool_returns.is_empty() {
                    return Vec::new();
                }
                own = rest;
                &own
            } else {
                message
            };
        let mut all = wire::expand(message, &self.mode.view);
        all.iter_mut()
            .map(|shown| {
                let seq = self.number();
                shown.base_mut().seq_id = self.mode.numbered.then_some(seq);
                Frame { seq, text: sse(shown) }
            })
            .collect()
    }

    fn delta(&mut self, message_id: &MessageId, step_id: &StepId, index: u8, delta: &Delta) -> Vec<Frame> {
        let (kind, own) = match delta {
            Delta::Reasoning { text, signature } => (
                MessageType::ReasoningMessage,
                json!({"source": "reasoner_model", "reasoning": text, "signature": signature}),
            ),
            Delta::RedactedReasoning { data } => {
                (MessageType::HiddenReasoningMessage, json!({"state": "redacted", "hidden_reasoning": data}))
            }
            Delta::Text(text) => (MessageType::AssistantMessage, json!({"content": text})),
            Delta::ToolCall { tool_call_id, name, arguments, gated: true } => {
                let call = json!({"name": name, "arguments": arguments, "tool_call_id": tool_call_id});
                (MessageType::ApprovalRequestMessage, json!({"tool_call": call, "tool_calls": call}))
            }
            Delta::ToolCall { tool_call_id, name, arguments, gated: false } => {
                let mut call = serde_json::Map::new();
                for (key, value) in [("name", name), ("arguments", arguments)] {
                    if let Some(value) = value {
                        call.insert(key.to_owned(), json!(value));
                    }
                }
                call.insert("tool_call_id".to_owned(), json!(tool_call_id));
                (MessageType::ToolCallMessage, json!({"tool_call": call, "tool_calls": call}))
            }
        };
        if !self.mode.view.shows(kind) {
            return Vec::new();
        }
        let at = match &self.current {
            Some((current, at)) if current == message_id => *at,
            _ => {
                let now = Timestamp::now();
                self.current = Some((message_id.clone(), now));
                now
            }
        };
        let mut base = wire::live_base(message_id, index, step_id, &self.run_id, at);
        if kind == MessageType::ApprovalRequestMessage {
            base.otid = Some(message_id.to_string());
        }
        let seq = self.number();
        base.seq_id = self.mode.numbered.then_some(seq);
        vec![Frame { seq, text: sse(&Piece { message_type: kind, base, own }) }]
    }
}

/// A piece of a message: the shared keys and what is new.
#[derive(Serialize)]
struct Piece {
    message_type: MessageType,
    #[serde(flatten)]
    base: wire::MessageBase,
    #[serde(flatten)]
    own: Value,
}

/// `data: <one line of JSON>\n\n`.
fn sse(data: &impl Serialize) -> Bytes {
    let mut text = b"data: ".to_vec();
    if let Err(error) = serde_json::to_writer(&mut text, data) {
        tracing::error!(%error, "an event could not be written as JSON");
        text.truncate(b"data: ".len());
        text.extend_from_slice(b"null");
    }
    text.extend_from_slice(b"\n\n");
    text.into()
}

/// A sign of life.
#[must_use]
pub fn ping(run_id: Option<&RunId>, seq: Option<i64>) -> Bytes {
    sse(&json!({
        "id": format!("ping-{}", uuid::Uuid::new_v4()),
        "date": Timestamp::now().message_date(),
        "name": null,
        "message_type": "ping",
        "otid": null,
        "sender_id": null,
        "step_id": null,
        "is_err": null,
        "seq_id": seq,
        "run_id": run_id,
    }))
}

/// A finished stream: what a run had been sent as, then how it ended.
#[must_use]
pub fn stored_frames(
    run_id: &RunId,
    mode: Mode,
    messages: &[Message],
    stop_reason: StopReason,
    usage: &UsageStatistics,
    error: Option<&TurnError>,
) -> Vec<Frame> {
    let mut renderer = Renderer::new(run_id.clone(), Mode { tokens: false, ..mode });
    let mut frames = renderer.open();
    for message in messages {
        if renderer.tells(message) {
            frames.extend(renderer.message(message));
        }
    }
    frames.extend(renderer.close(stop_reason, usage, error));
    frames
}

/// The HTTP answer around a stream of frames.
pub fn response(frames: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    use futures::StreamExt as _;
    let body = Body::from_stream(frames.map(Ok::<_, std::convert::Infallible>));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Proxies that buffer would hold every token back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
