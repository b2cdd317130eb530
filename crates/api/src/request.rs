//! What a client sends to make an agent act.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    chat::ToolSpec,
    message::{Approval, ContentPart, Role},
};

/// One item of a request, checked and complete: content is not empty, every item has an otid.
#[derive(Debug, Clone, PartialEq)]
pub enum InputMessage {
    Message {
        /// User, system or assistant.
        role: Role,
        content: Vec<ContentPart>,
        name: Option<String>,
        sender_id: Option<String>,
        group_id: Option<String>,
        otid: String,
    },
    /// Answers to gated calls; a `tool_return` item arrives here as approvals of kind `tool`.
    Approval {
        approvals: Vec<Approval>,
        /// The older form: one decision for the single call of this request message.
        single: Option<SingleApproval>,
        group_id: Option<String>,
        otid: String,
    },
}

impl InputMessage {
    /// The client's own id of the item, or the one made for it.
    #[must_use]
    pub fn otid(&self) -> &str {
        match self {
            Self::Message { otid, .. } | Self::Approval { otid, .. } => otid,
        }
    }
}

/// `approve` + `approval_request_id` (+ `reason`), the deprecated form of an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct SingleApproval {
    pub approve: bool,
    /// A message id or a tool call id.
    pub approval_request_id: Option<String>,
    pub reason: Option<String>,
}

/// A skill the client offers for this request only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClientSkill {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub location: Option<String>,
}

/// A tool the client runs, offered for this request only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ClientTool {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub parameters: Option<Map<String, Value>>,
}

impl ClientTool {
    /// As the model sees it; without parameters it takes none.
    #[must_use]
    pub fn to_spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.clone(),
            description: self.description.clone().unwrap_or_default(),
            parameters: match &self.parameters {
                Some(parameters) => Value::Object(parameters.clone()),
                None => serde_json::json!({"type": "object", "properties": {}, "required": []}),
            },
        }
    }
}
