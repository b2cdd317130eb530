//! Calls that run now: what they have said so far, and the way to stop one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::StatusCode,
    response::sse::{self, KeepAlive, Sse},
};
use futures::{Stream, stream};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId},
    time::Timestamp,
};
use loci_server::error::Failure;
use serde::Serialize;
use serde_json::json;
use tokio::sync::watch;

use crate::{Desk, sentences::Approval};

/// Bytes of output that are kept for those who look.
const MOST_OUTPUT: usize = 1 << 20;

/// What runs on this machine now.
#[derive(Default)]
pub(crate) struct RunningCalls(Mutex<HashMap<String, Arc<RunningCall>>>);

/// One call.
pub(crate) struct RunningCall {
    about: About,
    output: Mutex<String>,
    /// Bytes of output so far; `None` when it has ended.
    grown: watch::Sender<Option<usize>>,
    stop: watch::Sender<bool>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct About {
    pub message_id: MessageId,
    pub tool_call_id: String,
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    pub tool: String,
    pub started_at: Timestamp,
}

impl RunningCalls {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<RunningCall>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call for as long as what is returned lives.
    pub(crate) fn begin(&self, about: About) -> Registered<'_> {
        let call = Arc::new(RunningCall {
            output: Mutex::default(),
            grown: watch::Sender::new(Some(0)),
            stop: watch::Sender::new(false),
            about,
        });
        self.all().insert(call.about.tool_call_id.clone(), call.clone());
        Registered { calls: self, call }
    }

    fn find(&self, tool_call_id: &str) -> Result<Arc<RunningCall>, ApiError> {
        let found = self.all().get(tool_call_id).cloned();
        found.ok_or_else(|| ApiError::not_found(Approval::CallNotRunning))
    }
}

/// A call in the list; gone from it when dropped.
pub(crate) struct Registered<'a> {
    calls: &'a RunningCalls,
    call: Arc<RunningCall>,
}

impl Registered<'_> {
    pub(crate) fn call(&self) -> &Arc<RunningCall> {
        &self.call
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.calls.all().remove(&self.call.about.tool_call_id);
        self.call.grown.send_replace(None);
    }
}

impl RunningCall {
    /// Adds output for whoever looks. What is too much is left out; the result has its own bounds.
    pub(crate) fn say(&self, text: &str) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if output.len() < MOST_OUTPUT {
            output.push_str(text);
            self.grown.send_replace(Some(output.len()));
        }
    }

    /// Resolves when a person wants it to end.
    pub(crate) async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        // Err: nobody can stop it any more.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

pub(super) async fn list(State(desk): State<Desk>) -> Answer<Vec<About>> {
    let mut calls: Vec<About> = desk.running_calls().all().values().map(|call| call.about.clone()).collect();
    calls.sort_by_key(|about| about.started_at);
    Answer(calls)
}

pub(super) async fn stop(State(desk): State<Desk>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    desk.running_calls().find(&id)?.stop.send_replace(true);
    Ok(StatusCode::NO_CONTENT)
}

/// The output from its beginning, until the call ends.
pub(super) async fn output(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, axum::Error>>>, Failure> {
    let call = desk.running_calls().find(&id)?;
    let grown = call.grown.subscribe();
    let pieces = stream::try_unfold((call, grown, 0_usize, false), async |(call, mut grown, seen, ended)| {
        let (mut seen, mut ended) = (seen, ended);
        loop {
            let piece = {
                let output = call.output.lock().unwrap_or_else(PoisonError::into_inner);
                output.get(seen..).unwrap_or_default().to_owned()
            };
            if !piece.is_empty() {
                seen += piece.len();
                let event = sse::Event::default().json_data(json!({"text": piece}))?;
                return Ok(Some((event, (call, grown, seen, ended))));
            }
            if ended {
                return Ok(None);
            }
            ended = grown.changed().await.is_err() || grown.borrow_and_update().is_none();
        }
    });
    Ok(Sse::new(pieces).keep_alive(KeepAlive::default()))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    fn about(tool_call_id: &str) -> About {
        About {
            message_id: MessageId::new(),
            tool_call_id: tool_call_id.to_owned(),
            agent_id: AgentId::new(),
            conversation_id: None,
            tool: "run_command".to_owned(),
            started_at: Timestamp(1),
        }
    }

    /// A call that runs, for tools under test.
    pub fn running(tool_call_id: &str) -> Registered<'static> {
        let calls: &'static RunningCalls = Box::leak(Box::default());
        calls.begin(about(tool_call_id))
    }

    #[tokio::test]
    async fn a_call_is_listed_while_it_runs_and_can_be_stopped() {
        let calls = RunningCalls::default();
        let registered = calls.begin(about("call-1"));
        let found = calls.find("call-1").expect("listed");
        found.say("hello");
        assert_eq!(*found.grown.borrow(), Some(5));
        found.say(&"x".repeat(MOST_OUTPUT));
        found.say("no more");
        assert_eq!(*found.grown.borrow(), Some(5 + MOST_OUTPUT));
        found.stop.send_replace(true);
        registered.call().stopped().await;
        drop(registered);
        assert!(calls.find("call-1").is_err());
        assert_eq!(*found.grown.borrow(), None);
    }
}
