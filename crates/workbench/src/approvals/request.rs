//! A request that waits, with everything one needs to decide about its calls: who would run each, what it is bound
//! to, what the rules say, and whether it was begun before.

use std::{collections::BTreeSet, sync::Arc};

use loci_api::{
    ids::{AgentId, ConversationId, MessageId, ToolId},
    message::ToolCall,
    resource::{Tool, ToolType},
    said::Said,
    time::Timestamp,
};
use loci_store::{
    Connection, StoreError,
    table::{
        approval_audit::CallKind,
        approval_rule::{self, RuleEffect},
        approved_tool::{self, ApprovedTool},
        client_call::{self, CallState, ClientCall},
        pending_approval::{self, PendingApproval},
        tool, tool_settings,
    },
};
use serde_json::{Map, Value};

use super::binding::{Identity, bind, comes_with_the_server, fingerprint};
use crate::{
    client_tools::{Kit, Tool as ClientTool},
    desk::LOCAL,
    rules::{Call, Facts, Matches, Rule, StoredRule, Verdict, decide, holds},
    sentences::Approval,
};

/// The server whose tools run on this machine.
pub(super) const THIS_MACHINE: &str = "this machine";
/// Server tools that come with the server and change nothing outside the agent.
const READING: [&str; 4] = ["conversation_search", "archival_memory_search", "open_files", "grep_files"];
/// Server tools that come with the server and send what the agent says out into the network.
const SENDING: [&str; 2] = ["web_search", "fetch_webpage"];

/// A request as its connection tells of it, with the tools of its agent as they are now.
#[derive(Clone)]
pub(super) struct Pending {
    pub connection: String,
    pub id: MessageId,
    pub agent_id: AgentId,
    pub agent_name: String,
    pub conversation_id: Option<ConversationId>,
    pub created_at: Timestamp,
    pub calls: Vec<ToolCall>,
    pub tools: Vec<Tool>,
    /// The person's message that the turn answers, where it is known.
    pub turn: Option<MessageId>,
    /// It began on another server without this desk.
    pub found: bool,
}

impl Pending {
    fn local(conn: &Connection, pending: PendingApproval) -> Result<Self, StoreError> {
        let PendingApproval { message, agent_name } = pending;
        Ok(Self {
            connection: LOCAL.to_owned(),
            tools: tool::list_for_agent(conn, &message.agent_id)?,
            turn: pending_approval::turn(conn, &message.id)?,
            id: message.id,
            agent_id: message.agent_id,
            agent_name,
            conversation_id: message.conversation_id,
            created_at: message.created_at,
            calls: message.tool_calls,
            found: false,
        })
    }
}

/// A request that waits, with all this desk knows about it.
pub(super) struct Request {
    pub connection: String,
    pub id: MessageId,
    pub agent_id: AgentId,
    pub agent_name: String,
    pub conversation_id: Option<ConversationId>,
    pub created_at: Timestamp,
    pub calls: Vec<ToolCall>,
    pub kit: Kit,
    /// It began on another server without this desk, so nothing here answers it by itself.
    pub found: bool,
    /// The person's message that the turn answers.
    turn: Option<MessageId>,
    tools: Vec<Tool>,
    rules: Arc<[StoredRule]>,
    begun: Vec<ClientCall>,
    /// What the tools were when they were last allowed.
    allowed: Vec<ApprovedTool>,
    /// Those of this machine's server that run in their own folder without a network.
    confined: Vec<ToolId>,
}

/// Who would run a call.
pub(super) enum Runner {
    /// This desk.
    Client(ClientTool),
    /// The server the agent runs on.
    Server,
    /// Some other client offered it.
    Elsewhere,
}

/// The rules in force.
fn rules(conn: &Connection) -> Result<Arc<[StoredRule]>, StoreError> {
    Ok(approval_rule::list(conn, false)?.iter().map(StoredRule::read).collect())
}

impl Request {
    pub(super) fn new(conn: &Connection, pending: Pending) -> Result<Self, StoreError> {
        Self::under(conn, pending, rules(conn)?)
    }

    /// All of these, under the same rules.
    pub(super) fn all(conn: &Connection, pending: Vec<Pending>) -> Result<Vec<Self>, StoreError> {
        if pending.is_empty() {
            return Ok(Vec::new());
        }
        let rules = rules(conn)?;
        pending.into_iter().map(|one| Self::under(conn, one, rules.clone())).collect()
    }

    fn under(conn: &Connection, pending: Pending, rules: Arc<[StoredRule]>) -> Result<Self, StoreError> {
        let Pending { connection, id, agent_id, conversation_id, .. } = pending;
        let names: BTreeSet<&str> = pending.calls.iter().map(|call| call.name.as_str()).collect();
        let allowed = names
            .into_iter()
            .filter_map(|name| approved_tool::last(conn, &connection, &agent_id, name).transpose())
            .collect::<Result<_, _>>()?;
        let mut confined = Vec::new();
        if connection == LOCAL {
            for tool in pending.tools.iter().filter(|tool| tool.tool_type == ToolType::Custom) {
                if !tool_settings::get(conn, &tool.id)?.network {
                    confined.push(tool.id.clone());
                }
            }
        }
        let begun = client_call::list_for_request(conn, &connection, &id)?;
        Ok(Self {
            allowed,
            confined,
            kit: Kit::load(conn, &connection, &agent_id, conversation_id.as_ref())?,
            rules,
            // Where a call of it began here, this desk has decided about it before: since then the program ended.
            found: pending.found && begun.is_empty(),
            begun,
            connection,
            id,
            agent_id,
            conversation_id,
            agent_name: pending.agent_name,
            created_at: pending.created_at,
            calls: pending.calls,
            tools: pending.tools,
            turn: pending.turn,
        })
    }

    /// Those of this machine's own agents, the longest waiting first.
    pub(super) fn list(conn: &Connection, limit: u32) -> Result<Vec<Self>, StoreError> {
        let pending = pending_approval::list(conn, limit)?;
        let pending: Result<_, _> = pending.into_iter().map(|one| Pending::local(conn, one)).collect();
        Self::all(conn, pending?)
    }

    /// The one of this machine's own agents with this id, if it still waits.
    pub(super) fn find(conn: &Connection, id: &MessageId) -> Result<Option<Self>, StoreError> {
        let Some(pending) = pending_approval::get(conn, id)? else { return Ok(None) };
        Self::new(conn, Pending::local(conn, pending)?).map(Some)
    }

    fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name.as_deref() == Some(name))
    }

    /// A tool of this desk hides one of the server with the same name, as it did when the model was told of both.
    pub(super) fn runner(&self, call: &ToolCall) -> Runner {
        match (self.kit.find(&call.name), self.tool(&call.name)) {
            (Some(tool), None) => Runner::Client(tool),
            (Some(tool), Some(_)) if self.kit.offers(&tool) => Runner::Client(tool),
            (_, Some(_)) => Runner::Server,
            (None, None) => Runner::Elsewhere,
        }
    }

    pub(super) fn kind(&self, call: &ToolCall) -> CallKind {
        match self.runner(call) {
            Runner::Client(_) | Runner::Elsewhere => CallKind::Client,
            Runner::Server => CallKind::Server,
        }
    }

    fn with_identity<T>(&self, call: &ToolCall, act: impl FnOnce(&Identity<'_>) -> T) -> T {
        match self.runner(call) {
            Runner::Client(tool) => {
                act(&Identity::Client { tool: &tool, spec: &tool.spec(), place: &self.kit.place })
            }
            Runner::Server => act(&self.tool(&call.name).map_or(Identity::Unknown, Identity::Server)),
            Runner::Elsewhere => act(&Identity::Unknown),
        }
    }

    /// What a decision about this call is bound to.
    pub(super) fn hash(&self, call: &ToolCall) -> String {
        self.with_identity(call, |tool| {
            bind(&self.connection, &self.agent_id, &call.name, tool, &call.arguments)
        })
    }

    /// What the tool of this call is, for people.
    pub(super) fn content(&self, call: &ToolCall) -> Value {
        self.with_identity(call, |tool| tool.content())
    }

    /// What the tool of this call was when it was last allowed.
    pub(super) fn allowed(&self, call: &ToolCall) -> Option<&ApprovedTool> {
        self.allowed.iter().find(|allowed| allowed.tool == call.name)
    }

    /// A rule that allows the tool of this call here, but with exactly other arguments: its id and those.
    pub(super) fn allowed_exactly(&self, call: &ToolCall) -> Option<(String, String)> {
        let facts = self.facts(call, &call.arguments);
        self.rules.iter().find_map(|rule| match rule {
            StoredRule::Rule(Rule {
                id,
                effect: RuleEffect::Allow,
                scope,
                matches: Matches::Call { tool, fingerprint, arguments: Some(arguments) },
                ..
            }) if *tool == call.name && *fingerprint != facts.facts.fingerprint && holds(scope, &facts) => {
                Some((id.clone(), arguments.clone()))
            }
            StoredRule::Rule(_) | StoredRule::Unreadable { .. } => None,
        })
    }

    /// How far this call came when it was begun before.
    pub(super) fn begun(&self, call: &ToolCall) -> Option<&ClientCall> {
        self.begun.iter().find(|begun| begun.tool_call_id == call.id)
    }

    /// What rules can know of the call, with other arguments if they were changed.
    pub(super) fn facts(&self, call: &ToolCall, arguments: &str) -> Call {
        let parsed: Option<Map<String, Value>> = serde_json::from_str(arguments).ok();
        let runner = self.runner(call);
        let (server, read_only, hold) = match &runner {
            Runner::Client(tool) => (THIS_MACHINE.to_owned(), tool.read_only(), self.hold(tool)),
            Runner::Server => {
                let tool = self.tool(&call.name);
                let own = tool.is_some_and(|tool| comes_with_the_server(tool.tool_type));
                (self.connection.clone(), own && READING.contains(&call.name.as_str()), None)
            }
            Runner::Elsewhere => {
                ("another program".to_owned(), false, Some(Approval::BecauseElsewhere.into()))
            }
        };
        let unknown = self.begun(call).is_some_and(|begun| begun.state == CallState::Unknown);
        let hold = if unknown {
            Some(Approval::BecauseUnknownEnd.into())
        } else if self.found {
            Some(Approval::BecauseFound.into())
        } else {
            hold
        };
        let subject = match (&runner, &parsed) {
            (Runner::Client(tool), Some(parsed)) => tool.subject(&self.kit.place, parsed),
            (Runner::Client(_), None) | (Runner::Server | Runner::Elsewhere, _) => None,
        };
        let (identity, fingerprint) =
            self.with_identity(call, |tool| (tool.lasting(), fingerprint(&call.name, tool, arguments)));
        Call {
            facts: Facts {
                connection: self.connection.clone(),
                agent_id: self.agent_id.to_string(),
                conversation_id: self.conversation_id.as_ref().map(ToString::to_string),
                turn: self.turn.as_ref().map(ToString::to_string),
                tool: call.name.clone(),
                server,
                read_only,
                identity,
                fingerprint,
                subject,
                hold,
            },
            arguments: parsed,
        }
    }

    /// Why a person has to look at a call of this desk's tools, whatever rules say.
    fn hold(&self, tool: &ClientTool) -> Option<Said> {
        if tool.asks_person() {
            return Some(Approval::BecauseQuestion.into());
        }
        let missing = tool.needs_folder() && self.kit.place.is_empty();
        missing.then(|| Approval::BecauseNoFolder.into())
    }

    /// What the rules say.
    pub(super) fn verdict(&self, call: &ToolCall, arguments: &str) -> Verdict {
        decide(&self.rules, &self.facts(call, arguments))
    }

    pub(super) fn dangerous(&self, call: &ToolCall) -> bool {
        match self.runner(call) {
            Runner::Client(tool) => tool.dangerous(),
            // What another server's tool does is not known here; memory tools do nothing outside the agent.
            Runner::Server => !self.tool(&call.name).is_some_and(|tool| {
                let own = comes_with_the_server(tool.tool_type) && !SENDING.contains(&call.name.as_str());
                own || self.confined.contains(&tool.id)
            }),
            Runner::Elsewhere => false,
        }
    }
}
