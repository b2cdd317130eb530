//! `GET /workbench/approvals`: everything that waits, with what one needs to decide.

use std::collections::HashMap;

use axum::{Json as Answer, extract::State};
use loci_api::{
    chat::ToolSpec,
    ids::{AgentId, ConversationId, MessageId},
    message::ToolCall,
    resource::Tool,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::{
    Connection, StoreError,
    table::{
        approval_audit::CallKind,
        pending_approval::{self, PendingApproval},
        tool,
    },
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::binding::{Identity, bind};
use crate::{
    Desk,
    client_tools::{self, ClientTool, Folder},
    desk::LOCAL,
    events::Event,
};

/// Requests shown at once; the longest waiting first.
const MOST: u32 = 500;

/// One line of conversation, for events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thread {
    agent_id: AgentId,
    conversation_id: Option<ConversationId>,
}

/// A request that waits, and the tools of its agent as they are now.
pub(super) struct Request {
    pub id: MessageId,
    pub agent_id: AgentId,
    pub agent_name: String,
    pub conversation_id: Option<ConversationId>,
    pub created_at: Timestamp,
    pub calls: Vec<ToolCall>,
    pub folder: Option<Folder>,
    tools: Vec<Tool>,
    client_specs: Vec<ToolSpec>,
}

/// Who would run a call.
pub(super) enum Runner {
    /// This desk. Without a folder it cannot.
    Client(&'static ClientTool),
    /// The server the agent runs on.
    Server,
    /// Some other client offered it.
    Elsewhere,
}

impl Request {
    fn new(conn: &Connection, pending: PendingApproval) -> Result<Self, StoreError> {
        let PendingApproval { message, agent_name } = pending;
        Ok(Self {
            tools: tool::list_for_agent(conn, &message.agent_id)?,
            folder: client_tools::folder_of(conn, &message.agent_id)?,
            client_specs: client_tools::specs(),
            id: message.id,
            agent_id: message.agent_id,
            agent_name,
            conversation_id: message.conversation_id,
            created_at: message.created_at,
            calls: message.tool_calls,
        })
    }

    /// The one with this id, if it still waits.
    pub(super) fn find(conn: &Connection, id: &MessageId) -> Result<Option<Self>, StoreError> {
        pending_approval::get(conn, id)?.map(|pending| Self::new(conn, pending)).transpose()
    }

    fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name.as_deref() == Some(name))
    }

    /// A tool of this desk hides one of the server with the same name, as it did when the model was told of both.
    pub(super) fn runner(&self, call: &ToolCall) -> Runner {
        match (client_tools::find(&call.name), self.tool(&call.name)) {
            (Some(tool), None) => Runner::Client(tool),
            (Some(tool), Some(_)) if self.folder.is_some() => Runner::Client(tool),
            (_, Some(_)) => Runner::Server,
            (None, None) => Runner::Elsewhere,
        }
    }

    /// What a decision about this call is bound to.
    pub(super) fn hash(&self, call: &ToolCall) -> String {
        let identity = match self.runner(call) {
            Runner::Client(_) => self
                .client_specs
                .iter()
                .find(|spec| spec.name == call.name)
                .map_or(Identity::Unknown, |spec| Identity::Client { spec, folder: self.folder.as_ref() }),
            Runner::Server => self.tool(&call.name).map_or(Identity::Unknown, Identity::Server),
            Runner::Elsewhere => Identity::Unknown,
        };
        bind(LOCAL, &self.agent_id, &call.name, &identity, &call.arguments)
    }

    fn shown(self) -> Waiting {
        let calls = self.calls.iter().map(|call| self.shown_call(call)).collect();
        Waiting {
            id: self.id,
            agent_id: self.agent_id,
            agent_name: self.agent_name,
            conversation_id: self.conversation_id,
            created_at: self.created_at,
            calls,
        }
    }

    fn shown_call(&self, call: &ToolCall) -> WaitingCall {
        let (kind, preview, problem) = match (self.runner(call), &self.folder) {
            (Runner::Client(tool), Some(folder)) => {
                (CallKind::Client, Some(preview(tool, folder, &call.arguments)), None)
            }
            (Runner::Client(_), None) => (
                CallKind::Client,
                None,
                Some("No folder is opened to this agent. Choose one to allow this call."),
            ),
            (Runner::Server, _) => (CallKind::Server, None, None),
            (Runner::Elsewhere, _) => (
                CallKind::Client,
                None,
                Some(
                    "Another program offered this tool, and only that one can run it. Here it can only be denied.",
                ),
            ),
        };
        WaitingCall {
            tool_call_id: call.id.clone(),
            name: call.name.clone(),
            arguments: call.arguments.clone(),
            kind,
            hash: self.hash(call),
            preview,
            problem,
        }
    }
}

fn preview(tool: &ClientTool, folder: &Folder, arguments: &str) -> String {
    match serde_json::from_str::<Map<String, Value>>(arguments) {
        Ok(arguments) => (tool.preview)(folder, &arguments),
        Err(error) => format!("The arguments are not a JSON object: {error}."),
    }
}

/// A request as the window shows it.
#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    id: MessageId,
    agent_id: AgentId,
    agent_name: String,
    conversation_id: Option<ConversationId>,
    created_at: Timestamp,
    calls: Vec<WaitingCall>,
}

#[derive(Debug, Serialize)]
struct WaitingCall {
    tool_call_id: String,
    name: String,
    /// JSON text, exactly as the model wrote it.
    arguments: String,
    kind: CallKind,
    /// What a decision is bound to; an answer may repeat it.
    hash: String,
    /// Where the call would reach, for one that runs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    /// Why it cannot be allowed here as things are.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
}

pub(super) async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Waiting>>, Failure> {
    let requests = desk
        .app()
        .store()
        .read(|conn| {
            let pending = pending_approval::list(conn, MOST)?;
            pending.into_iter().map(|pending| Request::new(conn, pending)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    // Previews look at the disk.
    let waiting: Vec<Waiting> =
        tokio::task::spawn_blocking(|| requests.into_iter().map(Request::shown).collect())
            .await
            .map_err(anyhow::Error::from)?;
    desk.approvals().state().shown = waiting
        .iter()
        .map(|request| {
            let calls = request.calls.iter().map(|call| (call.tool_call_id.clone(), call.hash.clone()));
            (request.id.clone(), calls.collect())
        })
        .collect();
    Ok(Answer(waiting))
}

impl Desk {
    /// Looks what waits now and tells what began or ceased to wait since the last look.
    pub async fn watch_approvals(&self) {
        let pending = match self.app().store().read(|conn| pending_approval::list(conn, MOST)).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::warn!(%error, "cannot look what waits for approval");
                return;
            }
        };
        let now: HashMap<_, _> = pending
            .into_iter()
            .map(|pending| {
                let message = pending.message;
                (message.id, Thread { agent_id: message.agent_id, conversation_id: message.conversation_id })
            })
            .collect();
        let before = std::mem::replace(&mut self.approvals().state().waiting, now.clone());
        for (id, thread) in &now {
            if !before.contains_key(id) {
                self.events().tell(Event::ApprovalWaiting {
                    agent_id: thread.agent_id.to_string(),
                    conversation_id: thread.conversation_id.as_ref().map(ToString::to_string),
                    message_id: id.to_string(),
                });
            }
        }
        for (id, thread) in before {
            if !now.contains_key(&id) {
                self.events().tell(Event::ApprovalResolved {
                    agent_id: thread.agent_id.to_string(),
                    conversation_id: thread.conversation_id.map(|id| id.to_string()),
                    message_id: id.to_string(),
                });
            }
        }
    }
}
