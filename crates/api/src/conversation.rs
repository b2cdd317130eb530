//! Conversations on the wire: what creates one and what changes one.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::time::Timestamp;

/// Creates a conversation. Every field may be absent or null; unknown fields are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct CreateConversation {
    /// Its title.
    pub summary: Option<String>,
    pub description: Option<String>,
    /// Blocks of the agent this conversation gets its own copies of.
    pub isolated_block_labels: Option<Vec<String>>,
    /// `provider/model`, in the place of the agent's.
    pub model: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub model_settings: Option<Map<String, Value>>,
}

/// Changes a conversation. Absent and null fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateConversation {
    pub summary: Option<String>,
    pub description: Option<String>,
    pub model: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub model_settings: Option<Map<String, Value>>,
    pub last_message_at: Option<Timestamp>,
}
