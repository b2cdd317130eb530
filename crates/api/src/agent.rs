//! Agents on the wire: what creates one, what changes one, and what is shown of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    block::CreateBlock,
    error::ApiError,
    ids::{AgentId, BlockId, MessageId, SecretId, ToolId},
    resource::{Block, StopReason, Tool},
    rules::ToolRule,
    time::Timestamp,
};

/// Characters of the longest agent name.
pub const MAX_NAME_CHARS: usize = 255;
/// Characters of the longest description, system prompt aside.
pub const MAX_DESCRIPTION_CHARS: usize = 100_000;
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

/// A name people can read and file systems can carry.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::validation("body.name: must not be empty"));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(ApiError::validation(format!(
            "body.name: must have at most {MAX_NAME_CHARS} characters"
        )));
    }
    if let Some(bad) = name.chars().find(|char| !(char.is_alphanumeric() || " -_'".contains(*char))) {
        return Err(ApiError::validation(format!(
            "body.name: {bad:?} cannot stand in a name; letters, digits, spaces, '-', '_' and ''' can"
        )));
    }
    Ok(())
}

/// An IANA time zone this machine knows.
pub fn check_timezone(name: &str) -> Result<(), ApiError> {
    jiff::tz::TimeZone::get(name).map(drop).map_err(|_| {
        let shown: String = name.chars().take(80).collect();
        ApiError::validation(format!(
            "body.timezone: '{shown}' is not an IANA time zone, for example Europe/Berlin"
        ))
    })
}

/// Tags are words people and programs filter by.
pub fn check_tags(tags: &[String]) -> Result<(), ApiError> {
    if tags.len() > 1_000 {
        return Err(ApiError::validation("body.tags: at most 1000 tags"));
    }
    match tags.iter().position(|tag| tag.trim().is_empty() || tag.chars().count() > 500) {
        Some(at) => Err(ApiError::validation(format!("body.tags[{at}]: must have 1 to 500 characters"))),
        None => Ok(()),
    }
}

/// Names of environment variables a process can carry, and values without NUL.
pub fn check_secrets(secrets: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in secrets {
        if key.is_empty() || key.len() > 255 || key.contains(['=', '\0']) {
            return Err(ApiError::validation(
                "body.secrets: a name must have 1 to 255 bytes and contain neither '=' nor NUL",
            ));
        }
        if value.contains('\0') || value.len() > 128 * 1024 {
            return Err(ApiError::validation(format!(
                "body.secrets.{key}: a value must be shorter than 128 KB and contain no NUL"
            )));
        }
    }
    Ok(())
}

fn check_positive(field: &str, value: Option<i64>) -> Result<(), ApiError> {
    match value {
        Some(number) if number < 1 || number > i64::from(u32::MAX) => Err(ApiError::validation(format!(
            "body.{field}: must be between 1 and {}, got {number}",
            u32::MAX
        ))),
        _ => Ok(()),
    }
}

fn check_text(field: &str, value: Option<&str>) -> Result<(), ApiError> {
    match value {
        Some(text) if text.chars().count() > MAX_DESCRIPTION_CHARS => Err(ApiError::validation(format!(
            "body.{field}: must have at most {MAX_DESCRIPTION_CHARS} characters"
        ))),
        _ => Ok(()),
    }
}

/// `{"type": "text" | "json_object" | "json_schema", …}`.
fn check_response_format(format: Option<&Value>) -> Result<(), ApiError> {
    let Some(format) = format else { return Ok(()) };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") if format.get("json_schema").is_some_and(Value::is_object) => Ok(()),
        Some("json_schema") => {
            Err(ApiError::validation("body.response_format.json_schema: an object is required"))
        }
        Some(_) | None => Err(ApiError::validation(
            "body.response_format.type: must be one of text, json_object, json_schema",
        )),
    }
}

/// The modes and bounds of compaction; its model may be any text, `letta/auto` included.
/// Refuses compaction settings that cannot be meant.
pub fn check_compaction(settings: Option<&Map<String, Value>>) -> Result<(), ApiError> {
    let Some(settings) = settings else { return Ok(()) };
    let invalid = |field: &str, wanted: &str| {
        Err(ApiError::validation(format!("body.compaction_settings.{field}: {wanted}")))
    };
    for (key, value) in settings {
        let fits = match (key.as_str(), value) {
            (_, Value::Null) => true,
            ("mode", Value::String(mode)) => {
                ["all", "sliding_window", "self_compact_all", "self_compact_sliding_window"]
                    .contains(&mode.as_str())
            }
            ("sliding_window_percentage", Value::Number(share)) => {
                share.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share))
            }
            ("clip_chars", Value::Number(chars)) => chars.as_i64().is_some_and(|chars| chars >= 0),
            ("prompt_acknowledgement", Value::Bool(_)) | ("model" | "prompt", Value::String(_)) => true,
            ("model_settings", Value::Object(_)) => true,
            (
                "mode"
                | "sliding_window_percentage"
                | "clip_chars"
                | "prompt_acknowledgement"
                | "model"
                | "prompt"
                | "model_settings",
                _,
            ) => false,
            // Unknown keys are ignored, as everywhere in agents.
            (_, _) => true,
        };
        if !fits {
            let wanted = match key.as_str() {
                "mode" => "must be one of all, sliding_window, self_compact_all, self_compact_sliding_window",
                "sliding_window_percentage" => "must be a number from 0 to 1",
                "clip_chars" => "must be a whole number, 0 or more",
                "prompt_acknowledgement" => "must be true or false",
                "model_settings" => "must be an object",
                _ => "must be text",
            };
            return invalid(key, wanted);
        }
    }
    Ok(())
}

/// The checks creation and change share.
struct Common<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    tags: Option<&'a [String]>,
    timezone: Option<&'a str>,
    secrets: [Option<&'a BTreeMap<String, String>>; 2],
    response_format: Option<&'a Value>,
    compaction: Option<&'a Map<String, Value>>,
    tool_rules: Option<&'a [ToolRule]>,
    positive: [(&'static str, Option<i64>); 4],
}

impl Common<'_> {
    fn check(&self) -> Result<(), ApiError> {
        self.name.map_or(Ok(()), check_name)?;
        check_text("description", self.description)?;
        self.tags.map_or(Ok(()), check_tags)?;
        self.timezone.map_or(Ok(()), check_timezone)?;
        for secrets in self.secrets.into_iter().flatten() {
            check_secrets(secrets)?;
        }
        check_response_format(self.response_format)?;
        check_compaction(self.compaction)?;
        for (at, rule) in self.tool_rules.into_iter().flatten().enumerate() {
            rule.check(&format!("body.tool_rules[{at}]"))?;
        }
        for (field, value) in self.positive {
            check_positive(field, value)?;
        }
        Ok(())
    }
}

impl CreateAgent {
    /// Everything that can be said without looking anything up: 422 with the place and what is wrong.
    pub fn check(&self) -> Result<(), ApiError> {
        Common {
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            tags: self.tags.as_deref(),
            timezone: self.timezone.as_deref(),
            secrets: [self.secrets.as_ref(), self.tool_exec_environment_variables.as_ref()],
            response_format: self.response_format.as_ref(),
            compaction: self.compaction_settings.as_ref(),
            tool_rules: self.tool_rules.as_deref(),
            positive: [
                ("context_window_limit", self.context_window_limit),
                ("max_tokens", self.max_tokens),
                ("max_files_open", self.max_files_open),
                ("per_file_view_window_char_limit", self.per_file_view_window_char_limit),
            ],
        }
        .check()?;
        for (at, block) in self.memory_blocks.iter().flatten().enumerate() {
            block.check(&format!("body.memory_blocks[{at}]"))?;
        }
        Ok(())
    }
}

impl UpdateAgent {
    /// As [`CreateAgent::check`].
    pub fn check(&self) -> Result<(), ApiError> {
        Common {
            name: self.name.as_deref(),
            description: self.description.as_deref(),
            tags: self.tags.as_deref(),
            timezone: self.timezone.as_deref(),
            secrets: [self.secrets.as_ref(), self.tool_exec_environment_variables.as_ref()],
            response_format: self.response_format.as_ref(),
            compaction: self.compaction_settings.as_ref(),
            tool_rules: self.tool_rules.as_deref(),
            positive: [
                ("context_window_limit", self.context_window_limit),
                ("max_tokens", self.max_tokens),
                ("max_files_open", self.max_files_open),
                ("per_file_view_window_char_limit", self.per_file_view_window_char_limit),
            ],
        }
        .check()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_words_of_any_language() {
        for good in ["KindCompass", "Ada's agent-2_b", "ботаник", "学生 7", "É"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "  ", "a/b", "a\\b", "a\0b", "a\nb", "a.b", "🙂", &"x".repeat(256)] {
            assert_eq!(check_name(bad).map_err(|error| error.status), Err(422), "{bad:?}");
        }
    }

    #[test]
    fn creation_refuses_what_can_be_seen_to_be_wrong() {
        for (body, place) in [
            (json!({"timezone": "Mars/Base"}), "timezone"),
            (json!({"tags": [""]}), "tags[0]"),
            (json!({"secrets": {"A=B": "x"}}), "secrets"),
            (json!({"context_window_limit": 0}), "context_window_limit"),
            (json!({"max_tokens": -1}), "max_tokens"),
            (json!({"response_format": {"type": "yaml"}}), "response_format"),
            (json!({"response_format": {"type": "json_schema"}}), "response_format"),
            (json!({"compaction_settings": {"mode": "some"}}), "compaction_settings.mode"),
            (json!({"compaction_settings": {"sliding_window_percentage": 7}}), "sliding_window_percentage"),
            (json!({"memory_blocks": [{"label": "a b", "value": ""}]}), "memory_blocks[0].label"),
            (json!({"memory_blocks": [{"label": "a", "value": "", "limit": -1}]}), "memory_blocks[0].limit"),
        ] {
            let create: CreateAgent = serde_json::from_value(body.clone()).expect("the shape is right");
            let error = create.check().expect_err("it is wrong");
            assert_eq!(error.status, 422);
            assert!(error.message.contains(place), "{body}: {}", error.message);
        }
        let letta_code =
            json!({"compaction_settings": {"model": "letta/auto"}, "name": null, "unknown": {"x": 1}});
        let create: CreateAgent = serde_json::from_value(letta_code).expect("unknown keys are ignored");
        assert_eq!(create.check(), Ok(()));
    }
}
