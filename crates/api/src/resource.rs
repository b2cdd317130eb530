//! Blocks, tools, conversations, runs and steps as the API shows them; the store reads and writes the same
//! structs, because every published field is a column.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    ids::{AgentId, BlockId, ConversationId, MessageId, RunId, StepId, ToolId},
    time::Timestamp,
};

/// Characters a block may hold unless it says otherwise.
pub const DEFAULT_BLOCK_LIMIT: i64 = 100_000;
/// Characters of a tool's return the model gets to see unless the tool says otherwise.
pub const DEFAULT_RETURN_CHAR_LIMIT: i64 = 50_000;

/// A piece of memory that stands in the system prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = BlockResponse)]
pub struct Block {
    pub id: BlockId,
    pub value: String,
    /// Characters (Unicode code points).
    pub limit: i64,
    pub label: Option<String>,
    pub description: Option<String>,
    pub read_only: bool,
    pub metadata: Option<Map<String, Value>>,
    pub hidden: Option<bool>,
    pub tags: Option<Vec<String>>,
    pub project_id: Option<String>,
    pub template_name: Option<String>,
    pub is_template: bool,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    pub preserve_on_migration: Option<bool>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
}

impl Block {
    /// A block of which nothing but label and value is said.
    #[must_use]
    pub fn new(id: BlockId, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            id,
            value: value.into(),
            limit: DEFAULT_BLOCK_LIMIT,
            label: Some(label.into()),
            description: None,
            read_only: false,
            metadata: Some(Map::new()),
            hidden: None,
            tags: Some(Vec::new()),
            project_id: None,
            template_name: None,
            is_template: false,
            template_id: None,
            base_template_id: None,
            deployment_id: None,
            entity_id: None,
            preserve_on_migration: Some(false),
            created_by_id: None,
            last_updated_by_id: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolType {
    Custom,
    LettaCore,
    LettaMemoryCore,
    LettaMultiAgentCore,
    LettaSleeptimeCore,
    LettaVoiceSleeptimeCore,
    LettaBuiltin,
    LettaFilesCore,
    ExternalLangchain,
    ExternalComposio,
    ExternalMcp,
}

impl ToolType {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::LettaCore => "letta_core",
            Self::LettaMemoryCore => "letta_memory_core",
            Self::LettaMultiAgentCore => "letta_multi_agent_core",
            Self::LettaSleeptimeCore => "letta_sleeptime_core",
            Self::LettaVoiceSleeptimeCore => "letta_voice_sleeptime_core",
            Self::LettaBuiltin => "letta_builtin",
            Self::LettaFilesCore => "letta_files_core",
            Self::ExternalLangchain => "external_langchain",
            Self::ExternalComposio => "external_composio",
            Self::ExternalMcp => "external_mcp",
        }
    }
}

/// A package a tool needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PipRequirement)]
pub struct Requirement {
    #[schema(min_length = 1)]
    pub name: String,
    #[serde(default)]
    pub version: Option<String>,
}

/// A function an agent can call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tool {
    pub id: ToolId,
    pub tool_type: ToolType,
    pub description: Option<String>,
    /// `python`, `typescript` or `json`.
    pub source_type: Option<String>,
    pub name: Option<String>,
    pub tags: Vec<String>,
    pub source_code: Option<String>,
    /// `{name, description, parameters}`.
    pub json_schema: Option<Map<String, Value>>,
    pub args_json_schema: Option<Map<String, Value>>,
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub return_char_limit: i64,
    pub pip_requirements: Option<Vec<Requirement>>,
    pub npm_requirements: Option<Vec<Requirement>>,
    pub default_requires_approval: Option<bool>,
    pub enable_parallel_execution: Option<bool>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub metadata_: Option<Map<String, Value>>,
    pub project_id: Option<String>,
}

/// A thread of messages with an agent beside its default one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Conversation {
    pub id: ConversationId,
    pub agent_id: AgentId,
    /// Its title.
    pub summary: Option<String>,
    pub description: Option<String>,
    pub in_context_message_ids: Vec<MessageId>,
    pub isolated_block_ids: Vec<BlockId>,
    pub model: Option<String>,
    pub model_settings: Option<Value>,
    pub last_message_at: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    Created,
    Running,
    Completed,
    Failed,
    Cancelled,
}

impl RunStatus {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it may still change.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Created | Self::Running)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    EndTurn,
    Error,
    LlmApiError,
    InvalidLlmResponse,
    InvalidToolCall,
    MaxSteps,
    MaxTokensExceeded,
    NoToolCall,
    ToolRule,
    Cancelled,
    InsufficientCredits,
    RequiresApproval,
    ContextWindowOverflowInSystemPrompt,
}

impl StopReason {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EndTurn => "end_turn",
            Self::Error => "error",
            Self::LlmApiError => "llm_api_error",
            Self::InvalidLlmResponse => "invalid_llm_response",
            Self::InvalidToolCall => "invalid_tool_call",
            Self::MaxSteps => "max_steps",
            Self::MaxTokensExceeded => "max_tokens_exceeded",
            Self::NoToolCall => "no_tool_call",
            Self::ToolRule => "tool_rule",
            Self::Cancelled => "cancelled",
            Self::InsufficientCredits => "insufficient_credits",
            Self::RequiresApproval => "requires_approval",
            Self::ContextWindowOverflowInSystemPrompt => "context_window_overflow_in_system_prompt",
        }
    }

    /// The status a run ends with for this reason; the only place that decides it.
    #[must_use]
    pub fn run_status(self) -> RunStatus {
        match self {
            Self::EndTurn | Self::MaxSteps | Self::ToolRule | Self::RequiresApproval => RunStatus::Completed,
            Self::Cancelled => RunStatus::Cancelled,
            Self::Error
            | Self::LlmApiError
            | Self::InvalidLlmResponse
            | Self::InvalidToolCall
            | Self::MaxTokensExceeded
            | Self::NoToolCall
            | Self::InsufficientCredits
            | Self::ContextWindowOverflowInSystemPrompt => RunStatus::Failed,
        }
    }
}

/// The execution of one request. Durations are nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Run {
    pub id: RunId,
    pub status: RunStatus,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    pub base_template_id: Option<String>,
    pub background: Option<bool>,
    /// `error` holds `{error_type, message, detail, run_id}` of a failed run.
    pub metadata: Option<Map<String, Value>>,
    pub request_config: Option<Value>,
    pub stop_reason: Option<StopReason>,
    pub callback_url: Option<String>,
    pub callback_sent_at: Option<Timestamp>,
    pub callback_status_code: Option<i64>,
    pub callback_error: Option<String>,
    pub ttft_ns: Option<i64>,
    pub total_duration_ns: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    Pending,
    Success,
    Failed,
    Cancelled,
}

impl StepStatus {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One model call and the tools it asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    pub id: StepId,
    pub origin: Option<String>,
    pub provider_id: Option<String>,
    pub run_id: Option<RunId>,
    pub agent_id: Option<AgentId>,
    pub provider_name: Option<String>,
    pub provider_category: Option<String>,
    pub model: Option<String>,
    pub model_handle: Option<String>,
    pub model_endpoint: Option<String>,
    pub context_window_limit: Option<i64>,
    pub completion_tokens: Option<i64>,
    pub prompt_tokens: Option<i64>,
    pub total_tokens: Option<i64>,
    pub cached_input_tokens: Option<i64>,
    pub cache_write_tokens: Option<i64>,
    pub reasoning_tokens: Option<i64>,
    pub completion_tokens_details: Option<Map<String, Value>>,
    pub prompt_tokens_details: Option<Map<String, Value>>,
    pub stop_reason: Option<StopReason>,
    pub tags: Vec<String>,
    pub tid: Option<String>,
    pub trace_id: Option<String>,
    pub request_id: Option<String>,
    /// Deprecated in the contract; always empty.
    pub messages: Vec<Value>,
    pub feedback: Option<String>,
    pub project_id: Option<String>,
    pub error_type: Option<String>,
    pub error_data: Option<Map<String, Value>>,
    pub status: Option<StepStatus>,
}

/// What a request cost in tokens, summed over its steps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = LettaUsageStatistics)]
pub struct UsageStatistics {
    /// Always `usage_statistics`.
    pub message_type: String,
    pub completion_tokens: u64,
    pub prompt_tokens: u64,
    pub total_tokens: u64,
    pub step_count: u64,
    pub run_ids: Option<Vec<RunId>>,
    pub cached_input_tokens: Option<u64>,
    pub cache_write_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
    /// Tokens of the last model call.
    pub context_tokens: Option<u64>,
}

impl UsageStatistics {
    /// Nothing used yet.
    #[must_use]
    pub fn none() -> Self {
        Self { message_type: "usage_statistics".to_owned(), ..Self::default() }
    }

    /// Adds one model call.
    pub fn add(&mut self, step: &crate::chat::Usage) {
        let sum = |total: &mut Option<u64>, more: Option<u64>| {
            if let Some(more) = more {
                *total = Some(total.unwrap_or(0) + more);
            }
        };
        self.completion_tokens += step.completion_tokens;
        self.prompt_tokens += step.prompt_tokens;
        self.total_tokens += step.total_tokens;
        self.step_count += 1;
        sum(&mut self.cached_input_tokens, step.cached_input_tokens);
        sum(&mut self.cache_write_tokens, step.cache_write_tokens);
        sum(&mut self.reasoning_tokens, step.reasoning_tokens);
        self.context_tokens = Some(step.total_tokens);
    }

    /// The SSE event and response field.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}
