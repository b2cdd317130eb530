//! Agents on the wire: what creates one, what changes one, and what is shown of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

mod check;

pub use check::{MAX_NAME_CHARS, check_compaction, check_name, check_secrets, check_tags, check_timezone};

use crate::{
    block::CreateBlock,
    ids::{AgentId, BlockId, MessageId, SecretId, ToolId},
    resource::{Block, StopReason, Tool},
    rules::ToolRule,
    time::Timestamp,
};

/// An agent with this tag is a helper of another one and is not listed.
pub const SUBAGENT_TAG: &str = "role:subagent";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentType {
    MemgptAgent,
    MemgptV2Agent,
    #[default]
    LettaV1Agent,
    ReactAgent,
    WorkflowAgent,
    SplitThreadAgent,
    SleeptimeAgent,
    VoiceConvoAgent,
    VoiceSleeptimeAgent,
}

impl AgentType {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemgptAgent => "memgpt_agent",
            Self::MemgptV2Agent => "memgpt_v2_agent",
            Self::LettaV1Agent => "letta_v1_agent",
            Self::ReactAgent => "react_agent",
            Self::WorkflowAgent => "workflow_agent",
            Self::SplitThreadAgent => "split_thread_agent",
            Self::SleeptimeAgent => "sleeptime_agent",
            Self::VoiceConvoAgent => "voice_convo_agent",
            Self::VoiceSleeptimeAgent => "voice_sleeptime_agent",
        }
    }

    /// Reads what [`AgentType::as_str`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::MemgptAgent,
            Self::MemgptV2Agent,
            Self::LettaV1Agent,
            Self::ReactAgent,
            Self::WorkflowAgent,
            Self::SplitThreadAgent,
            Self::SleeptimeAgent,
            Self::VoiceConvoAgent,
            Self::VoiceSleeptimeAgent,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// A model as older clients describe it. Derived from the agent's handle and settings when shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LLMConfig)]
pub struct LlmConfig {
    pub model: String,
    #[serde(default)]
    pub display_name: Option<String>,
    pub model_endpoint_type: String,
    #[serde(default)]
    pub model_endpoint: Option<String>,
    #[serde(default)]
    pub provider_name: Option<String>,
    #[serde(default)]
    pub provider_category: Option<String>,
    #[serde(default)]
    pub model_wrapper: Option<String>,
    /// Tokens.
    pub context_window: i64,
    #[serde(default)]
    pub put_inner_thoughts_in_kwargs: Option<bool>,
    #[serde(default)]
    pub handle: Option<String>,
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Tokens of the answer.
    #[serde(default)]
    pub max_tokens: Option<i64>,
    #[serde(default)]
    pub enable_reasoner: Option<bool>,
    #[serde(default)]
    pub reasoning_effort: Option<String>,
    #[serde(default)]
    pub max_reasoning_tokens: Option<i64>,
    #[serde(default)]
    pub effort: Option<String>,
    #[serde(default)]
    pub frequency_penalty: Option<f64>,
    #[serde(default)]
    pub compatibility_type: Option<String>,
    #[serde(default)]
    pub verbosity: Option<String>,
    #[serde(default)]
    pub tier: Option<String>,
    #[serde(default)]
    pub parallel_tool_calls: Option<bool>,
    #[serde(default)]
    pub response_format: Option<Value>,
    #[serde(default)]
    pub strict: Option<bool>,
    #[serde(default)]
    pub return_logprobs: Option<bool>,
    #[serde(default)]
    pub top_logprobs: Option<i64>,
    #[serde(default)]
    pub return_token_ids: Option<bool>,
    #[serde(default)]
    pub tool_call_parser: Option<String>,
}

impl LlmConfig {
    /// The handle it names, `provider/model`.
    #[must_use]
    pub fn to_handle(&self) -> String {
        self.handle.clone().unwrap_or_else(|| {
            let provider = self.provider_name.as_deref().unwrap_or(&self.model_endpoint_type);
            format!("{provider}/{}", self.model)
        })
    }
}

/// An embedding model as older clients describe it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EmbeddingConfig {
    pub embedding_endpoint_type: String,
    #[serde(default)]
    pub embedding_endpoint: Option<String>,
    pub embedding_model: String,
    pub embedding_dim: i64,
    #[serde(default)]
    pub embedding_chunk_size: Option<i64>,
    #[serde(default)]
    pub handle: Option<String>,
    #[serde(default = "default_batch_size")]
    pub batch_size: i64,
    #[serde(default)]
    pub azure_endpoint: Option<String>,
    #[serde(default)]
    pub azure_version: Option<String>,
    #[serde(default)]
    pub azure_deployment: Option<String>,
}

fn default_batch_size() -> i64 {
    32
}

impl EmbeddingConfig {
    /// The handle it names, `provider/model`.
    #[must_use]
    pub fn to_handle(&self) -> String {
        self.handle
            .clone()
            .unwrap_or_else(|| format!("{}/{}", self.embedding_endpoint_type, self.embedding_model))
    }
}

/// Creates an agent. Every field may be absent or null; unknown fields are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = CreateAgentRequest)]
pub struct CreateAgent {
    /// Letters of any language, digits, spaces, `-`, `_`, `'`. Made up if absent; need not be unique.
    pub name: Option<String>,
    pub memory_blocks: Option<Vec<CreateBlock>>,
    /// Names of tools.
    pub tools: Option<Vec<String>>,
    pub tool_ids: Option<Vec<ToolId>>,
    pub block_ids: Option<Vec<BlockId>>,
    pub source_ids: Option<Vec<String>>,
    pub folder_ids: Option<Vec<String>>,
    pub identity_ids: Option<Vec<String>>,
    pub tool_rules: Option<Vec<ToolRule>>,
    pub tags: Option<Vec<String>>,
    /// The system prompt; Loci's own if absent.
    pub system: Option<String>,
    pub agent_type: Option<AgentType>,
    /// Messages the conversation begins with, after the system message.
    #[schema(value_type = Option<Vec<Object>>)]
    pub initial_message_sequence: Option<Vec<Value>>,
    #[schema(default = true)]
    pub include_base_tools: Option<bool>,
    #[schema(default = false)]
    pub include_multi_agent_tools: Option<bool>,
    pub include_base_tool_rules: Option<bool>,
    pub include_default_source: Option<bool>,
    pub description: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub llm_config: Option<LlmConfig>,
    pub embedding_config: Option<EmbeddingConfig>,
    /// `provider/model`.
    pub model: Option<String>,
    /// `provider/model`.
    pub embedding: Option<String>,
    /// `provider_type` says which settings there are.
    #[schema(value_type = Option<Object>)]
    pub model_settings: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub compaction_settings: Option<Map<String, Value>>,
    /// Tokens.
    #[schema(minimum = 1)]
    pub context_window_limit: Option<i64>,
    pub embedding_chunk_size: Option<i64>,
    /// Tokens of an answer.
    pub max_tokens: Option<i64>,
    pub max_reasoning_tokens: Option<i64>,
    pub enable_reasoner: Option<bool>,
    pub reasoning: Option<bool>,
    pub from_template: Option<String>,
    pub template: Option<bool>,
    pub project: Option<String>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub tool_exec_environment_variables: Option<BTreeMap<String, String>>,
    /// Environment of the agent's tools. Never shown again in plain text.
    pub secrets: Option<BTreeMap<String, String>>,
    pub memory_variables: Option<BTreeMap<String, String>>,
    pub message_buffer_autoclear: Option<bool>,
    pub enable_sleeptime: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    /// IANA name.
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    pub parallel_tool_calls: Option<bool>,
}

/// Changes an agent. Absent and null fields stay as they are; lists replace the whole list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateAgent {
    pub name: Option<String>,
    pub tool_ids: Option<Vec<ToolId>>,
    pub block_ids: Option<Vec<BlockId>>,
    pub source_ids: Option<Vec<String>>,
    pub folder_ids: Option<Vec<String>>,
    pub identity_ids: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub system: Option<String>,
    pub tool_rules: Option<Vec<ToolRule>>,
    /// The messages in the context window of the default conversation, the system message first.
    pub message_ids: Option<Vec<MessageId>>,
    pub description: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub tool_exec_environment_variables: Option<BTreeMap<String, String>>,
    pub secrets: Option<BTreeMap<String, String>>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub message_buffer_autoclear: Option<bool>,
    pub model: Option<String>,
    pub embedding: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub model_settings: Option<Map<String, Value>>,
    /// Merged into what the agent has.
    #[schema(value_type = Option<Object>)]
    pub compaction_settings: Option<Map<String, Value>>,
    pub context_window_limit: Option<i64>,
    pub reasoning: Option<bool>,
    pub llm_config: Option<LlmConfig>,
    pub embedding_config: Option<EmbeddingConfig>,
    pub parallel_tool_calls: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    pub max_tokens: Option<i64>,
    pub enable_sleeptime: Option<bool>,
    pub last_run_completion: Option<Timestamp>,
    pub last_run_duration_ms: Option<i64>,
    pub last_stop_reason: Option<StopReason>,
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
}

/// What is shown of an agent's memory.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Memory {
    pub agent_type: Option<AgentType>,
    pub git_enabled: bool,
    pub blocks: Vec<Block>,
    #[schema(value_type = Vec<Object>)]
    pub file_blocks: Vec<Value>,
    pub prompt_template: String,
}

/// One variable of an agent's tools' environment; the value is masked.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgentEnvironmentVariable {
    pub id: SecretId,
    pub key: String,
    /// Always [`MASK`].
    pub value: String,
    pub description: Option<String>,
    pub value_enc: Option<String>,
    pub agent_id: AgentId,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// What stands in the place of a secret's value.
pub const MASK: &str = "********";

/// An agent as it is shown. Relationship lists are empty unless they were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AgentState {
    pub id: AgentId,
    pub name: String,
    pub agent_type: AgentType,
    pub system: String,
    pub description: Option<String>,
    pub metadata: Option<Map<String, Value>>,
    pub tool_rules: Option<Vec<ToolRule>>,
    pub message_ids: Option<Vec<MessageId>>,
    pub llm_config: LlmConfig,
    pub embedding_config: Option<EmbeddingConfig>,
    pub model: Option<String>,
    pub embedding: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub model_settings: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub compaction_settings: Option<Map<String, Value>>,
    #[schema(value_type = Option<Object>)]
    pub response_format: Option<Value>,
    pub memory: Memory,
    pub blocks: Vec<Block>,
    pub tools: Vec<Tool>,
    #[schema(value_type = Vec<Object>)]
    pub sources: Vec<Value>,
    pub tags: Vec<String>,
    pub tool_exec_environment_variables: Vec<AgentEnvironmentVariable>,
    pub secrets: Vec<AgentEnvironmentVariable>,
    pub identity_ids: Vec<String>,
    #[schema(value_type = Vec<Object>)]
    pub identities: Vec<Value>,
    /// The API message that waits for an answer.
    #[schema(value_type = Option<Object>)]
    pub pending_approval: Option<Value>,
    pub message_buffer_autoclear: bool,
    pub enable_sleeptime: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub multi_agent_group: Option<Value>,
    #[schema(value_type = Option<Object>)]
    pub managed_group: Option<Value>,
    pub last_run_completion: Option<Timestamp>,
    pub last_run_duration_ms: Option<i64>,
    pub last_stop_reason: Option<StopReason>,
    pub timezone: Option<String>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}
