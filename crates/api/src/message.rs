//! A stored message: the row that later expands into one or more API messages.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    ids::{AgentId, ConversationId, MessageId, RunId, StepId},
    time::Timestamp,
};

/// One row of an agent's history. Rows are only ever appended; what is in the context window is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub agent_id: AgentId,
    /// `None` is the agent's default conversation.
    pub conversation_id: Option<ConversationId>,
    pub role: Role,
    pub content: Vec<ContentPart>,
    /// Calls of an assistant message, or the gated calls of an approval request.
    pub tool_calls: Vec<ToolCall>,
    /// The returns of one step, in one tool message.
    pub tool_returns: Vec<ToolReturn>,
    /// What a person or client answered; only on an approval response.
    pub approvals: Vec<Approval>,
    /// The tool's name on a tool message of a server tool, the sender's name on a user message.
    pub name: Option<String>,
    /// Handle of the model that wrote it.
    pub model: Option<String>,
    pub run_id: Option<RunId>,
    pub step_id: Option<StepId>,
    /// The client's own id of the message, used to recognise a repeated request.
    pub otid: Option<String>,
    pub group_id: Option<String>,
    pub sender_id: Option<String>,
    /// Part of a step that failed or was cancelled; kept, but not shown to the model.
    pub is_err: bool,
    pub created_at: Timestamp,
}

impl Message {
    /// A message of which nothing more is said yet.
    #[must_use]
    pub fn new(id: MessageId, agent_id: AgentId, role: Role, created_at: Timestamp) -> Self {
        Self {
            id,
            agent_id,
            conversation_id: None,
            role,
            content: Vec::new(),
            tool_calls: Vec::new(),
            tool_returns: Vec::new(),
            approvals: Vec::new(),
            name: None,
            model: None,
            run_id: None,
            step_id: None,
            otid: None,
            group_id: None,
            sender_id: None,
            is_err: false,
            created_at,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    System,
    User,
    Assistant,
    Tool,
    /// An approval request if it has tool calls, an approval response otherwise.
    Approval,
    /// What compaction left of older messages.
    Summary,
}

impl Role {
    /// As it is stored and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
            Self::Approval => "approval",
            Self::Summary => "summary",
        }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ContentPart {
    Text {
        text: String,
        /// A provider's proof that belongs to this text; sent back unchanged.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signature: Option<String>,
    },
    Image {
        source: ImageSource,
    },
    Reasoning {
        reasoning: String,
        #[serde(default)]
        signature: Option<String>,
    },
    RedactedReasoning {
        data: String,
    },
}

impl ContentPart {
    /// A plain text part.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), signature: None }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ImageSource {
    /// `data` is base64 of the image's bytes.
    Base64 {
        media_type: String,
        data: String,
    },
    Url {
        url: String,
    },
}

/// A tool call as the model made it. `arguments` is JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ToolCall {
    #[serde(rename = "tool_call_id")]
    pub id: String,
    pub name: String,
    pub arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolStatus {
    Success,
    Error,
}

/// What came of one tool call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolReturn {
    pub tool_call_id: String,
    pub status: ToolStatus,
    pub content: ReturnContent,
    #[serde(default)]
    pub stdout: Vec<String>,
    #[serde(default)]
    pub stderr: Vec<String>,
    /// When it came, in the agent's time zone, as the model reads it. Kept so that later requests repeat the
    /// same bytes.
    pub time: String,
}

/// A return's content: JSON (text is a JSON string) or parts with images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnContent {
    /// A string, or an object the tool returned as such.
    Value(Value),
    Parts(Vec<ContentPart>),
}

impl ToolReturn {
    /// The bare text the API shows.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            ReturnContent::Value(Value::String(text)) => text.clone(),
            ReturnContent::Value(other) => compact(other),
            ReturnContent::Parts(parts) => parts
                .iter()
                .filter_map(|part| match part {
                    ContentPart::Text { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    /// The JSON envelope the model reads: `{"status":"OK"|"Failed","message":…,"time":…}`.
    #[must_use]
    pub fn envelope(&self) -> String {
        let status = match self.status {
            ToolStatus::Success => "OK",
            ToolStatus::Error => "Failed",
        };
        let message = match &self.content {
            ReturnContent::Value(value) => Cow::Borrowed(value),
            ReturnContent::Parts(_) => Cow::Owned(Value::String(self.text())),
        };
        compact(&Envelope { status, message: &message, time: &self.time })
    }
}

/// Every return in the context is written anew for each request, so nothing is copied for it.
#[derive(Serialize)]
struct Envelope<'a> {
    status: &'static str,
    message: &'a Value,
    time: &'a str,
}

fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("what has only text for keys can be written as JSON")
}

/// A person's or client's answer to one gated call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Approval {
    Approval { tool_call_id: String, approve: bool, reason: Option<String> },
    Tool(ToolReturn),
}

impl Approval {
    /// The call it answers.
    #[must_use]
    pub fn tool_call_id(&self) -> &str {
        match self {
            Self::Approval { tool_call_id, .. } => tool_call_id,
            Self::Tool(result) => &result.tool_call_id,
        }
    }
}

impl Message {
    /// Whether it waits for an answer: an approval message that carries calls.
    #[must_use]
    pub fn is_approval_request(&self) -> bool {
        self.role == Role::Approval && !self.tool_calls.is_empty()
    }

    /// All its text, parts joined by line breaks.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for part in &self.content {
            if let ContentPart::Text { text, .. } = part {
                if !out.is_empty() {
                    out.push('\n');
                }
                out.push_str(text);
            }
        }
        out
    }
}
