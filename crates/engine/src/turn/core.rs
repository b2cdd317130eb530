//! What a turn carries from state to state.

use std::collections::BTreeSet;

use loci_api::{
    chat::{ChatTrace, ToolSpec, Usage},
    ids::{MessageId, StepId},
    message::{Message, Role, ToolReturn},
    resource::{StepStatus, StopReason},
    time::Timestamp,
};

use crate::{
    compaction,
    input::ALERT,
    ports::{StepEnd, Turn, TurnError},
    returns,
    rules::{self, Called},
};

/// The turn's facts, what was called in it, and how many steps are left.
#[derive(Debug, Clone)]
pub struct Core {
    pub turn: Turn,
    /// The calls that count for the tool rules.
    pub history: Vec<Called>,
    pub steps_left: u32,
    /// Tokens of the last model call.
    pub last_total: u64,
    /// Tokens of the tools, estimated.
    pub tool_tokens: u64,
    /// Making room failed in this turn; only a model that refuses the context makes it worth another try.
    pub cannot_compact: bool,
    /// How often room was made for the step at hand.
    pub compactions: u32,
}

impl Core {
    pub(super) fn new(turn: Turn) -> Self {
        let mut core = Self {
            steps_left: turn.max_steps,
            history: called_in(&turn.context),
            last_total: turn.context_tokens,
            tool_tokens: 0,
            cannot_compact: false,
            compactions: 0,
            turn,
        };
        core.tool_tokens = compaction::estimate_tools(&core.specs());
        core
    }

    /// Names of all tools in the order the model sees them; a client's tool hides the server's of the same name.
    pub(super) fn available(&self) -> Vec<&str> {
        let client = || self.turn.client_tools.iter().map(|spec| spec.name.as_str());
        let server = self.turn.tools.iter().map(|tool| tool.spec.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in server.filter(|name| !client().any(|other| other == *name)).chain(client()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The tool as the model sees it.
    pub(super) fn spec(&self, name: &str) -> Option<&ToolSpec> {
        let client = self.turn.client_tools.iter().find(|spec| spec.name == name);
        client.or_else(|| self.turn.tools.iter().map(|tool| &tool.spec).find(|spec| spec.name == name))
    }

    /// All tools as the model sees them.
    pub(super) fn specs(&self) -> Vec<ToolSpec> {
        self.available().into_iter().filter_map(|name| self.spec(name).cloned()).collect()
    }

    /// Tools whose calls wait for a person or the client.
    pub(super) fn gated(&self) -> BTreeSet<String> {
        self.available()
            .into_iter()
            .filter(|name| {
                rules::requires_approval(&self.turn.rules, name)
                    || self.turn.client_tools.iter().any(|spec| spec.name == *name)
            })
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn still_required(&self) -> Vec<&str> {
        rules::still_required(&self.turn.rules, &self.available(), &self.history)
    }

    /// A row of this turn.
    pub(super) fn row(&self, id: MessageId, role: Role, step_id: Option<StepId>, now: Timestamp) -> Message {
        Message {
            conversation_id: self.turn.conversation_id.clone(),
            run_id: Some(self.turn.run_id.clone()),
            step_id,
            ..Message::new(id, self.turn.agent_id.clone(), role, now)
        }
    }
}

/// A step whose model call is over.
#[derive(Debug, Clone)]
pub struct OpenStep {
    pub id: StepId,
    pub started_ns: i64,
    pub usage: Usage,
    pub trace: Option<ChatTrace>,
    pub llm_request_ns: i64,
    pub ttft_ns: Option<i64>,
    pub tool_execution_ns: i64,
}

impl OpenStep {
    pub(super) fn end(
        self,
        status: StepStatus,
        stop_reason: Option<StopReason>,
        error: Option<TurnError>,
        now_ns: i64,
    ) -> StepEnd {
        StepEnd {
            id: self.id,
            status,
            stop_reason,
            usage: self.usage,
            error,
            trace: self.trace,
            llm_request_ns: self.llm_request_ns,
            ttft_ns: self.ttft_ns,
            tool_execution_ns: self.tool_execution_ns,
            step_ns: now_ns - self.started_ns,
        }
    }
}

/// The calls since the last message from outside, so that tool rules hold across a pause for approval.
#[must_use]
pub fn called_in(context: &[Message]) -> Vec<Called> {
    let from_outside = |message: &Message| match message.role {
        Role::User => !message.text().starts_with(ALERT),
        Role::System | Role::Summary => true,
        Role::Assistant | Role::Tool | Role::Approval => false,
    };
    let begin = context.iter().rposition(from_outside).map_or(0, |at| at + 1);
    let turn = &context[begin..];
    let name_of = |id: &str, before: usize| {
        turn[..before].iter().rev().flat_map(|message| &message.tool_calls).find(|call| call.id == id)
    };
    let mut out = Vec::new();
    for (at, message) in turn.iter().enumerate().filter(|(_, message)| message.role == Role::Tool) {
        out.extend(message.tool_returns.iter().filter_map(|result| {
            Some(called(&name_of(&result.tool_call_id, at)?.name, result)).filter(|_| returns::counts(result))
        }));
    }
    out
}

/// A call as the rules see it.
pub(super) fn called(name: &str, result: &ToolReturn) -> Called {
    Called { name: name.to_owned(), output: result.text(), ran: !returns::was_denied(result) }
}
