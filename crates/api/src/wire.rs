//! How a stored message looks to a client: one row expands into the API's messages, filtered as asked.

mod expand;

pub use expand::{compaction_event, expand, expand_all, live_base};

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    ids::{MessageId, RunId, StepId},
    message::{ContentPart, Message, Role, ToolCall, ToolStatus},
    resource::{StopReason, UsageStatistics},
    summary::Stats,
};

/// The eleven kinds of message a client can ask for or leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageType {
    SystemMessage,
    UserMessage,
    AssistantMessage,
    ReasoningMessage,
    HiddenReasoningMessage,
    ToolCallMessage,
    ToolReturnMessage,
    ApprovalRequestMessage,
    ApprovalResponseMessage,
    SummaryMessage,
    EventMessage,
}

impl MessageType {
    /// Every kind, in the contract's order.
    pub const ALL: [Self; 11] = [
        Self::SystemMessage,
        Self::UserMessage,
        Self::AssistantMessage,
        Self::ReasoningMessage,
        Self::HiddenReasoningMessage,
        Self::ToolCallMessage,
        Self::ToolReturnMessage,
        Self::ApprovalRequestMessage,
        Self::ApprovalResponseMessage,
        Self::SummaryMessage,
        Self::EventMessage,
    ];

    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemMessage => "system_message",
            Self::UserMessage => "user_message",
            Self::AssistantMessage => "assistant_message",
            Self::ReasoningMessage => "reasoning_message",
            Self::HiddenReasoningMessage => "hidden_reasoning_message",
            Self::ToolCallMessage => "tool_call_message",
            Self::ToolReturnMessage => "tool_return_message",
            Self::ApprovalRequestMessage => "approval_request_message",
            Self::ApprovalResponseMessage => "approval_response_message",
            Self::SummaryMessage => "summary_message",
            Self::EventMessage => "event_message",
        }
    }
}

/// The roles of stored messages that can expand into one of these kinds; none for all.
#[must_use]
pub fn roles_of(types: Option<&[MessageType]>) -> Vec<Role> {
    let mut roles = Vec::new();
    for kind in types.unwrap_or_default() {
        let of: &[Role] = match kind {
            MessageType::SystemMessage => &[Role::System],
            MessageType::UserMessage => &[Role::User, Role::Summary],
            MessageType::AssistantMessage
            | MessageType::ReasoningMessage
            | MessageType::HiddenReasoningMessage => &[Role::Assistant, Role::Approval],
            MessageType::ToolCallMessage => &[Role::Assistant],
            MessageType::ToolReturnMessage => &[Role::Tool],
            MessageType::ApprovalRequestMessage | MessageType::ApprovalResponseMessage => &[Role::Approval],
            MessageType::SummaryMessage => &[Role::Summary],
            // None is stored.
            MessageType::EventMessage => &[],
        };
        roles.extend(of.iter().copied().filter(|role| !roles.contains(role)).collect::<Vec<_>>());
    }
    roles
}

/// A word that names no kind of message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a message type; known are {known}", known = MessageType::ALL.map(MessageType::as_str).join(", "))]
pub struct UnknownMessageType(pub String);

impl FromStr for MessageType {
    type Err = UnknownMessageType;

    fn from_str(text: &str) -> Result<Self, UnknownMessageType> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownMessageType(text.chars().take(80).collect()))
    }
}

/// What a caller wants to see of the messages it is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Only these kinds; `None` is all.
    pub types: Option<Vec<MessageType>>,
    /// Show a compaction's summary as what it is rather than as a user message.
    pub summaries: bool,
}

impl View {
    /// Whether messages of this kind are shown.
    #[must_use]
    pub fn shows(&self, kind: MessageType) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&kind))
    }

    /// Whether compactions are shown as what they are; streams and answers leave them out otherwise.
    #[must_use]
    pub fn names_summaries(&self) -> bool {
        self.summaries
            || self.types.as_ref().is_some_and(|types| types.contains(&MessageType::SummaryMessage))
    }
}

/// The keys every message has; nulls are written.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MessageBase {
    /// Shared by all API messages of one stored message.
    #[schema(value_type = String)]
    pub id: MessageId,
    /// Whole seconds with an offset.
    #[schema(format = DateTime)]
    pub date: String,
    pub name: Option<String>,
    /// Unlike the id, different for every API message.
    pub otid: Option<String>,
    pub sender_id: Option<String>,
    #[schema(value_type = Option<String>)]
    pub step_id: Option<StepId>,
    /// `true` or null, never `false`.
    pub is_err: Option<bool>,
    pub seq_id: Option<i64>,
    #[schema(value_type = Option<String>)]
    pub run_id: Option<RunId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SystemMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    pub content: String,
}

/// Text, or parts where there is more than one text.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum TextOrParts {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UserMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    pub content: TextOrParts,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AssistantMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    pub content: TextOrParts,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ReasoningMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// Always `reasoner_model`.
    pub source: String,
    pub reasoning: String,
    pub signature: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HiddenReasoningMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// Always `redacted`.
    pub state: String,
    pub hidden_reasoning: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ToolCallMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// The first call; the contract's older form.
    pub tool_call: ToolCall,
    pub tool_calls: Vec<ToolCall>,
}

/// One return as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ToolReturnView {
    /// Always `tool`.
    #[serde(rename = "type")]
    pub kind: String,
    pub tool_return: TextOrParts,
    pub status: ToolStatus,
    pub tool_call_id: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ToolReturnMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// This and the next four repeat the first return; the contract's older form.
    pub tool_return: String,
    pub status: ToolStatus,
    pub tool_call_id: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    pub tool_returns: Vec<ToolReturnView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovalRequestMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// The first call; the contract's older form.
    pub tool_call: ToolCall,
    pub tool_calls: Vec<ToolCall>,
}

/// One answer of an approval response.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum ApprovalView {
    Decision(Decision),
    Tool(ToolReturnView),
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ApprovalReturn)]
pub struct Decision {
    /// Always `approval`.
    #[serde(rename = "type")]
    pub kind: String,
    pub tool_call_id: String,
    pub approve: bool,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ApprovalResponseMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    pub approvals: Vec<ApprovalView>,
    /// This and the next two repeat the first answer; the contract's older form.
    pub approve: Option<bool>,
    /// The first answer's tool call id, as upstream writes it.
    pub approval_request_id: Option<String>,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SummaryMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    pub summary: String,
    pub compaction_stats: Option<Stats>,
}

/// Something that happened to the conversation; told while it happens and not stored.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct EventMessage {
    #[serde(flatten)]
    pub base: MessageBase,
    /// Always `compaction`.
    pub event_type: String,
    #[schema(value_type = Object)]
    pub event_data: Value,
}

/// A message as a client sees it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "message_type", rename_all = "snake_case")]
#[schema(as = LettaMessageUnion)]
pub enum LettaMessage {
    SystemMessage(SystemMessage),
    UserMessage(UserMessage),
    AssistantMessage(AssistantMessage),
    ReasoningMessage(ReasoningMessage),
    HiddenReasoningMessage(HiddenReasoningMessage),
    ToolCallMessage(ToolCallMessage),
    ToolReturnMessage(ToolReturnMessage),
    ApprovalRequestMessage(ApprovalRequestMessage),
    ApprovalResponseMessage(ApprovalResponseMessage),
    SummaryMessage(SummaryMessage),
    EventMessage(EventMessage),
}

impl LettaMessage {
    /// Its kind, for filtering.
    #[must_use]
    pub fn kind(&self) -> MessageType {
        match self {
            Self::SystemMessage(_) => MessageType::SystemMessage,
            Self::UserMessage(_) => MessageType::UserMessage,
            Self::AssistantMessage(_) => MessageType::AssistantMessage,
            Self::ReasoningMessage(_) => MessageType::ReasoningMessage,
            Self::HiddenReasoningMessage(_) => MessageType::HiddenReasoningMessage,
            Self::ToolCallMessage(_) => MessageType::ToolCallMessage,
            Self::ToolReturnMessage(_) => MessageType::ToolReturnMessage,
            Self::ApprovalRequestMessage(_) => MessageType::ApprovalRequestMessage,
            Self::ApprovalResponseMessage(_) => MessageType::ApprovalResponseMessage,
            Self::SummaryMessage(_) => MessageType::SummaryMessage,
            Self::EventMessage(_) => MessageType::EventMessage,
        }
    }

    /// The keys all kinds share, for numbering.
    pub fn base_mut(&mut self) -> &mut MessageBase {
        match self {
            Self::SystemMessage(message) => &mut message.base,
            Self::UserMessage(message) => &mut message.base,
            Self::AssistantMessage(message) => &mut message.base,
            Self::ReasoningMessage(message) => &mut message.base,
            Self::HiddenReasoningMessage(message) => &mut message.base,
            Self::ToolCallMessage(message) => &mut message.base,
            Self::ToolReturnMessage(message) => &mut message.base,
            Self::ApprovalRequestMessage(message) => &mut message.base,
            Self::ApprovalResponseMessage(message) => &mut message.base,
            Self::SummaryMessage(message) => &mut message.base,
            Self::EventMessage(message) => &mut message.base,
        }
    }
}

/// Why a run ended, as responses and streams carry it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LettaStopReason {
    /// Always `stop_reason`.
    pub message_type: String,
    pub stop_reason: StopReason,
}

/// The answer to a request that is not streamed. What the client sent is not repeated in it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LettaResponse {
    pub messages: Vec<LettaMessage>,
    pub stop_reason: LettaStopReason,
    pub usage: UsageStatistics,
    /// Always null: no provider here is asked for them.
    #[schema(value_type = Option<Object>)]
    pub logprobs: Option<Value>,
    /// Always null.
    #[schema(value_type = Option<Vec<Object>>)]
    pub turns: Option<Value>,
}

impl LettaResponse {
    /// What a run produced. A compaction is not part of the answer unless asked for.
    #[must_use]
    pub fn new(messages: &[Message], stop_reason: StopReason, usage: UsageStatistics, view: &View) -> Self {
        let wanted = |message: &&Message| message.role != Role::Summary || view.names_summaries();
        Self {
            messages: expand_all(messages.iter().filter(wanted), view),
            stop_reason: LettaStopReason { message_type: "stop_reason".to_owned(), stop_reason },
            usage,
            logprobs: None,
            turns: None,
        }
    }
}

#[cfg(test)]
mod tests;
