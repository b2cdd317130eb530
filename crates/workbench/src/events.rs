//! `GET /workbench/events`: what changed, so that every open window reads it again. It says what to read, never
//! what it holds.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::State,
    http::Method,
    response::sse::{self, KeepAlive, Sse},
    routing::get,
};
use futures::{Stream, StreamExt};
use loci_api::error::ApiError;
use loci_server::error::Failure;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use crate::Desk;

/// Events a slow reader may be behind before it is told to read everything again.
const BACKLOG: usize = 256;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// One thing to read again. A missing `agent_id` means: any agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
pub enum Event {
    #[serde(rename = "agent.changed")]
    AgentChanged { agent_id: Option<String> },
    #[serde(rename = "block.changed")]
    BlockChanged { agent_id: Option<String> },
    #[serde(rename = "conversation.changed")]
    ConversationChanged { conversation_id: Option<String> },
    #[serde(rename = "tool.changed")]
    ToolChanged,
    #[serde(rename = "run.changed")]
    RunChanged { agent_id: Option<String>, conversation_id: Option<String> },
    #[serde(rename = "approval.waiting")]
    ApprovalWaiting {
        agent_id: String,
        /// For a notification, with the tools.
        agent_name: String,
        conversation_id: Option<String>,
        message_id: String,
        tools: Vec<String>,
        /// Whether one of the calls runs programs or reaches beyond the opened folder: it is never allowed from a
        /// notification.
        dangerous: bool,
    },
    #[serde(rename = "approval.resolved")]
    ApprovalResolved {
        agent_id: String,
        conversation_id: Option<String>,
        message_id: String,
        /// The run that goes on, where the desk answered by itself.
        run_id: Option<String>,
    },
    /// A rule was made or revoked.
    #[serde(rename = "rule.changed")]
    RuleChanged,
    /// A person's own client tool was made, changed or removed.
    #[serde(rename = "client_tool.changed")]
    ClientToolChanged,
    /// A call began or ended on this machine.
    #[serde(rename = "client_call.changed")]
    ClientCallChanged { agent_id: String, tool_call_id: String },
    #[serde(rename = "provider.changed")]
    ProviderChanged,
    /// A connection was added, changed, removed, selected or looked at.
    #[serde(rename = "connection.changed")]
    ConnectionChanged,
    #[serde(rename = "settings.changed")]
    SettingsChanged,
    /// Some events were missed.
    #[serde(rename = "all.changed")]
    AllChanged,
}

/// Where events come from. A closed one ends its streams.
pub struct Events {
    sender: Mutex<Option<broadcast::Sender<Event>>>,
    /// Streams that are open.
    watching: Arc<AtomicUsize>,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { sender: Mutex::new(Some(broadcast::Sender::new(BACKLOG))), watching: Arc::default() }
    }

    /// Tells everybody who listens; nobody listening is fine.
    pub fn tell(&self, event: Event) {
        if let Some(sender) = &*self.sender.lock().unwrap_or_else(PoisonError::into_inner) {
            let _nobody_listens = sender.send(event);
        }
    }

    /// `None` after [`Self::close`].
    pub fn subscribe(&self) -> Option<broadcast::Receiver<Event>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(broadcast::Sender::subscribe)
    }

    /// Whether a window or a program follows the events: then somebody can answer.
    pub(crate) fn somebody_watches(&self) -> bool {
        self.watching.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn close(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/events", get(stream))
}

async fn stream(
    State(desk): State<Desk>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Failure> {
    let events = desk.events().subscribe().ok_or_else(|| ApiError::unavailable("Loci is stopping."))?;
    let watching = Watching::new(&desk.events().watching);
    let frames = BroadcastStream::new(events).filter_map(move |event| {
        let _watching = &watching;
        std::future::ready(frame(event))
    });
    Ok(Sse::new(frames).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn frame(event: Result<Event, BroadcastStreamRecvError>) -> Option<Result<sse::Event, Infallible>> {
    // Err: some were missed.
    let event = event.unwrap_or(Event::AllChanged);
    sse::Event::default().json_data(&event).ok().map(Ok)
}

/// Counts an open stream for as long as it lives.
struct Watching(Arc<AtomicUsize>);

impl Watching {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a request to the connection changes when it succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Effect {
    /// Told as soon as the answer begins.
    at_once: Vec<Event>,
    /// The answer belongs to a run, and its end is the run's: memory and approvals may have changed too.
    run: Option<Passage>,
}

/// How a run passes through here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// The request began it.
    Begun,
    /// It is only watched from here, or cancelled.
    Seen,
}

/// By method and path alone: bodies pass through unread.
pub(crate) fn effect(method: &Method, path: &str) -> Option<Effect> {
    if method == Method::GET || method == Method::HEAD || method == Method::OPTIONS {
        return None;
    }
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    parts.next().filter(|version| matches!(*version, "v1" | "latest"))?;
    let rest: Vec<&str> = parts.collect();
    let id = |text: &&str| Some((*text).to_owned());
    let (at_once, run) = match rest.as_slice() {
        ["agents", "search" | "count", ..] | ["tools", "run" | "generate-schema", ..] => return None,
        ["agents", agent, "messages", rest @ ..] => {
            let passage =
                if matches!(rest, [] | ["stream" | "async"]) { Passage::Begun } else { Passage::Seen };
            (vec![Event::RunChanged { agent_id: id(agent), conversation_id: None }], Some(passage))
        }
        ["agents", agent, "core-memory", "blocks", ..] => (
            vec![Event::BlockChanged { agent_id: id(agent) }, Event::AgentChanged { agent_id: id(agent) }],
            None,
        ),
        ["agents", agent, ..] => (vec![Event::AgentChanged { agent_id: id(agent) }], None),
        ["agents"] => (vec![Event::AgentChanged { agent_id: None }], None),
        ["blocks", ..] => (vec![Event::BlockChanged { agent_id: None }], None),
        ["tools", ..] => (vec![Event::ToolChanged], None),
        ["conversations", conversation, what @ ("messages" | "cancel" | "stream"), ..] => {
            let passage = if *what == "messages" { Passage::Begun } else { Passage::Seen };
            (vec![Event::RunChanged { agent_id: None, conversation_id: id(conversation) }], Some(passage))
        }
        ["conversations", rest @ ..] => {
            (vec![Event::ConversationChanged { conversation_id: rest.first().and_then(id) }], None)
        }
        ["runs", ..] => {
            (vec![Event::RunChanged { agent_id: None, conversation_id: None }], Some(Passage::Seen))
        }
        _ => return None,
    };
    Some(Effect { at_once, run })
}

/// A response body that tells of its request's effect: at once, and for a run again when it ends or is dropped.
pub(crate) struct Observed {
    body: Body,
    desk: Desk,
    connection: String,
    effect: Effect,
}

impl Observed {
    pub(crate) fn new(body: Body, desk: Desk, connection: &str, effect: Effect) -> Self {
        for event in &effect.at_once {
            desk.events().tell(event.clone());
        }
        Self { body, desk, connection: connection.to_owned(), effect }
    }
}

impl HttpBody for Observed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Observed {
    fn drop(&mut self) {
        let Some(passage) = self.effect.run else { return };
        let mut thread = (None, None);
        for event in self.effect.at_once.drain(..) {
            if let Event::RunChanged { agent_id, conversation_id } = &event {
                thread = (agent_id.clone(), conversation_id.clone());
                self.desk.events().tell(Event::BlockChanged { agent_id: agent_id.clone() });
            }
            self.desk.events().tell(event);
        }
        let (desk, connection) = (self.desk.clone(), std::mem::take(&mut self.connection));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let (agent_id, conversation_id) = thread;
                let (agent, conversation) = (agent_id.as_deref(), conversation_id.as_deref());
                desk.look_elsewhere(&connection, agent, conversation, passage == Passage::Begun).await;
                desk.watch_approvals().await;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_path() {
        let agent = Some("agent-1".to_owned());
        for (method, path, wanted) in [
            (Method::GET, "/v1/agents/agent-1", None),
            (Method::POST, "/v1/agents/", Some((vec![Event::AgentChanged { agent_id: None }], None))),
            (
                Method::POST,
                "/v1/agents/agent-1/messages",
                Some((
                    vec![Event::RunChanged { agent_id: agent.clone(), conversation_id: None }],
                    Some(Passage::Begun),
                )),
            ),
            (
                Method::POST,
                "/v1/agents/agent-1/messages/cancel",
                Some((
                    vec![Event::RunChanged { agent_id: agent.clone(), conversation_id: None }],
                    Some(Passage::Seen),
                )),
            ),
            (
                Method::PATCH,
                "/latest/agents/agent-1/core-memory/blocks/human",
                Some((
                    vec![
                        Event::BlockChanged { agent_id: agent.clone() },
                        Event::AgentChanged { agent_id: agent.clone() },
                    ],
                    None,
                )),
            ),
            (Method::PATCH, "/v1/blocks/block-1", Some((vec![Event::BlockChanged { agent_id: None }], None))),
            (
                Method::POST,
                "/v1/conversations/conv-1/messages",
                Some((
                    vec![Event::RunChanged { agent_id: None, conversation_id: Some("conv-1".to_owned()) }],
                    Some(Passage::Begun),
                )),
            ),
            (
                Method::POST,
                "/v1/conversations/conv-1/stream",
                Some((
                    vec![Event::RunChanged { agent_id: None, conversation_id: Some("conv-1".to_owned()) }],
                    Some(Passage::Seen),
                )),
            ),
            (Method::POST, "/v1/tools/run", None),
            (Method::PUT, "/v1/tools", Some((vec![Event::ToolChanged], None))),
            (Method::POST, "/v2/agents", None),
            (Method::POST, "/", None),
        ] {
            let wanted = wanted.map(|(at_once, run)| Effect { at_once, run });
            assert_eq!(effect(&method, path), wanted, "{method} {path}");
        }
    }
}
