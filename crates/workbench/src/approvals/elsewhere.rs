//! Requests that wait on other servers. Their rows are there; what is known of them here is where to look. A run
//! that passed through this desk is looked at when it ends, what waited before is found by `discover.rs`, and every
//! look asks the server anew.

use std::{collections::HashSet, time::Duration};

use axum::{
    body::{Body, to_bytes},
    http::{Request as HttpRequest, StatusCode},
};
use futures::{StreamExt, stream};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId, ToolId},
    message::ToolCall,
    resource::{Tool, ToolType},
    time::Timestamp,
};
use loci_server::error::Failure;
use serde_json::Value;
use tower::ServiceExt;

use super::request::{Pending, Request};
use crate::{Desk, desk::LOCAL};

/// How long a server may take to say what waits.
const PATIENCE: Duration = Duration::from_secs(20);
const LARGEST: usize = 32 << 20;
/// Servers asked at once.
const TOGETHER: usize = 4;

/// Where a request waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub connection: String,
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    /// It began without this desk: another program may have offered the tools, and may be about to answer.
    pub found: bool,
}

/// What is known now of requests that wait on other servers.
#[derive(Default)]
pub(super) struct Elsewhere {
    pub requests: Vec<Request>,
    /// Those whose server cannot be asked now whether they still wait.
    pub unasked: HashSet<MessageId>,
}

/// A server that cannot be reached, refuses, or answers with something else: nothing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unasked;

impl Known {
    pub(super) fn same_thread(&self, other: &Self) -> bool {
        let thread =
            |known: &Self| (known.connection.clone(), known.agent_id.clone(), known.conversation_id.clone());
        thread(self) == thread(other)
    }
}

impl Desk {
    /// Looks whether a thread of another server waits, after a run of it passed through here. `began`: it also began
    /// here; one that was only watched or cancelled from here may be another program's.
    pub(crate) async fn look_elsewhere(
        &self,
        connection: &str,
        agent_id: Option<&str>,
        conversation_id: Option<&str>,
        began: bool,
    ) {
        if connection == LOCAL {
            return;
        }
        let conversation_id: Option<ConversationId> = conversation_id.and_then(|id| id.parse().ok());
        let agent_id = match (agent_id.and_then(|id| id.parse().ok()), &conversation_id) {
            (Some(agent_id), _) => Some(agent_id),
            (None, Some(id)) => {
                let said = self.ask(connection, &format!("/v1/conversations/{id}")).await;
                said.ok().flatten().and_then(|said| said["agent_id"].as_str()?.parse().ok())
            }
            (None, None) => None,
        };
        let Some(agent_id) = agent_id else { return };
        let known = Known { connection: connection.to_owned(), agent_id, conversation_id, found: !began };
        if let Ok(Some(pending)) = self.pending_at(&known).await {
            let mut state = self.approvals().state();
            if began {
                state.elsewhere.insert(pending.id, known);
            } else {
                state.elsewhere.entry(pending.id).or_insert(known);
            }
        }
    }

    /// Those that wait on other servers, as far as is known. Those that wait no longer are forgotten; those whose
    /// server cannot be asked now are not.
    pub(super) async fn requests_elsewhere(&self) -> Result<Elsewhere, Failure> {
        let known: Vec<(MessageId, Known)> = self
            .approvals()
            .state()
            .elsewhere
            .iter()
            .map(|(id, known)| (id.clone(), known.clone()))
            .collect();
        if known.is_empty() {
            return Ok(Elsewhere::default());
        }
        let looked: Vec<(MessageId, Result<Option<Pending>, Unasked>)> =
            stream::iter(known.into_iter().map(async |(id, known)| {
                let found = self.pending_at(&known).await;
                (id.clone(), found.map(|pending| pending.filter(|pending| pending.id == id)))
            }))
            .buffered(TOGETHER)
            .collect()
            .await;
        let (mut pending, mut unasked) = (Vec::new(), HashSet::new());
        for (id, found) in looked {
            match found {
                Ok(Some(found)) => pending.push(found),
                Ok(None) => {
                    self.approvals().state().elsewhere.remove(&id);
                }
                Err(Unasked) => {
                    unasked.insert(id);
                }
            }
        }
        let requests = self.app().store().read(move |conn| Request::all(conn, pending)).await?;
        Ok(Elsewhere { requests, unasked })
    }

    /// The outer `None`: it is not known to wait elsewhere. The inner: it waits no longer.
    ///
    /// # Errors
    /// 503 if its server cannot be asked.
    pub(super) async fn pending_elsewhere(&self, id: &MessageId) -> Result<Option<Option<Pending>>, Failure> {
        let known = self.approvals().state().elsewhere.get(id).cloned();
        let Some(known) = known else { return Ok(None) };
        match self.pending_at(&known).await {
            Ok(pending) => Ok(Some(pending.filter(|pending| pending.id == *id))),
            Err(Unasked) => Err(ApiError::unavailable(
                "The server this request waits on cannot be asked now whether it still waits. Try again.",
            )
            .into()),
        }
    }

    /// What waits at the end of a thread of another server.
    pub(super) async fn pending_at(&self, known: &Known) -> Result<Option<Pending>, Unasked> {
        let Known { connection, agent_id, conversation_id, found } = known;
        let messages = match conversation_id {
            Some(id) => format!("/v1/conversations/{id}/messages?limit=1&order=desc"),
            None => format!("/v1/agents/{agent_id}/messages?limit=1&order=desc"),
        };
        let Some(newest) = self.ask(connection, &messages).await? else { return Ok(None) };
        let asks = |message: &&Value| message["message_type"] == "approval_request_message";
        let newest = newest.as_array().ok_or(Unasked)?;
        let Some(request) = newest.iter().find(asks) else { return Ok(None) };
        // An id of another kind could never be answered here.
        let Some(id) = request["id"].as_str().and_then(|id| id.parse().ok()) else { return Ok(None) };
        let Some(agent) = self.ask(connection, &format!("/v1/agents/{agent_id}")).await? else {
            return Ok(None);
        };
        let tools = match agent["tools"].as_array() {
            Some(tools) => tools.clone(),
            None => {
                let tools = self.ask(connection, &format!("/v1/agents/{agent_id}/tools")).await?;
                tools.as_ref().and_then(Value::as_array).ok_or(Unasked)?.clone()
            }
        };
        Ok(Some(Pending {
            connection: connection.clone(),
            id,
            agent_id: agent_id.clone(),
            agent_name: agent["name"].as_str().unwrap_or_default().to_owned(),
            conversation_id: conversation_id.clone(),
            created_at: serde_json::from_value(request["date"].clone()).unwrap_or_else(|_| Timestamp::now()),
            calls: calls(request),
            tools: tools.iter().map(tool).collect(),
            turn: None,
            found: *found,
        }))
    }

    /// What a server says; `None` if it has no such thing, or there is no such server any more.
    pub(super) async fn ask(&self, connection: &str, path: &str) -> Result<Option<Value>, Unasked> {
        let asking = async {
            let request = HttpRequest::get(path).body(Body::empty()).map_err(|_| Unasked)?;
            let service = match self.service(connection).await {
                Ok(service) => service,
                Err(Failure(error)) if error.status == StatusCode::NOT_FOUND.as_u16() => return Ok(None),
                Err(_) => return Err(Unasked),
            };
            let response = match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            if response.status() == StatusCode::NOT_FOUND {
                return Ok(None);
            }
            if !response.status().is_success() {
                return Err(Unasked);
            }
            let bytes = to_bytes(response.into_body(), LARGEST).await.map_err(|_| Unasked)?;
            serde_json::from_slice(&bytes).map(Some).map_err(|_| Unasked)
        };
        tokio::time::timeout(PATIENCE, asking).await.unwrap_or(Err(Unasked))
    }
}

/// The calls of a request: older servers know one, newer ones a list. Each id once: one cannot decide about two calls
/// by the same name.
fn calls(request: &Value) -> Vec<ToolCall> {
    let mut calls = listed(request);
    let mut seen = HashSet::new();
    calls.retain(|call| seen.insert(call.id.clone()));
    calls
}

fn listed(request: &Value) -> Vec<ToolCall> {
    let call = |call: &Value| {
        Some(ToolCall {
            id: call["tool_call_id"].as_str()?.to_owned(),
            name: call["name"].as_str()?.to_owned(),
            arguments: call["arguments"].as_str().unwrap_or("{}").to_owned(),
        })
    };
    match &request["tool_calls"] {
        Value::Array(calls) if !calls.is_empty() => calls.iter().filter_map(call).collect(),
        _ => call(&request["tool_call"]).into_iter().collect(),
    }
}

/// A tool as another server describes it. One this Loci does not understand in every part is still that server's.
fn tool(said: &Value) -> Tool {
    serde_json::from_value(said.clone()).unwrap_or_else(|_| {
        let text = |key: &str| said[key].as_str().map(str::to_owned);
        Tool {
            id: ToolId::from_trusted(text("id").unwrap_or_default()),
            tool_type: ToolType::Custom,
            description: text("description"),
            source_type: text("source_type"),
            name: text("name"),
            tags: Vec::new(),
            source_code: text("source_code"),
            json_schema: said["json_schema"].as_object().cloned(),
            args_json_schema: None,
            return_char_limit: 50_000,
            pip_requirements: None,
            npm_requirements: None,
            default_requires_approval: None,
            enable_parallel_execution: None,
            created_by_id: None,
            last_updated_by_id: None,
            metadata_: None,
            project_id: None,
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_call_or_a_list_is_read() {
        let one = json!({"tool_call_id": "a", "name": "x", "arguments": "{}"});
        let ids = |request: Value| calls(&request).into_iter().map(|call| call.id).collect::<Vec<_>>();
        assert_eq!(ids(json!({"tool_call": one})), ["a"]);
        let other = json!({"tool_call_id": "b", "name": "x", "arguments": "{}"});
        assert_eq!(ids(json!({"tool_call": one, "tool_calls": [one, other]})), ["a", "b"]);
        // A plan could never be complete otherwise.
        assert_eq!(ids(json!({"tool_calls": [one, one, {"name": "nameless"}, null, 7]})), ["a"]);
        assert_eq!(ids(json!({"tool_calls": []})), Vec::<String>::new());
    }

    #[test]
    fn a_tool_of_an_unknown_kind_is_still_the_server_s() {
        let read = tool(&json!({"id": "tool-1", "name": "x", "tool_type": "from_the_future"}));
        assert_eq!((read.name.as_deref(), read.tool_type), (Some("x"), ToolType::Custom));
    }
}
