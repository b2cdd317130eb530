//! Tools on the wire: what creates, changes and runs one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    message::ToolStatus,
    resource::{Requirement, Tool},
};

/// Characters a tool's return may be allowed.
pub const RETURN_CHAR_LIMITS: std::ops::RangeInclusive<i64> = 1..=1_000_000;

/// Creates a tool, or changes the one of the same name. Other keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolCreate {
    pub source_code: String,
    /// `python` (also if absent) or `typescript`.
    #[serde(default)]
    #[schema(default = "python")]
    pub source_type: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// `{name, description, parameters}`; derived from the source if absent.
    #[serde(default)]
    pub json_schema: Option<Map<String, Value>>,
    /// Replaces the parameters of the derived schema.
    #[serde(default)]
    pub args_json_schema: Option<Map<String, Value>>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, default = 50_000)]
    pub return_char_limit: Option<i64>,
    #[serde(default)]
    pub pip_requirements: Option<Vec<Requirement>>,
    #[serde(default)]
    pub npm_requirements: Option<Vec<Requirement>>,
    #[serde(default)]
    pub default_requires_approval: Option<bool>,
    #[serde(default)]
    pub enable_parallel_execution: Option<bool>,
}

/// Changes a tool. Absent and null fields stay as they are; unknown keys are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ToolUpdate {
    pub description: Option<String>,
    pub tags: Option<Vec<String>>,
    pub source_code: Option<String>,
    pub source_type: Option<String>,
    /// With another name it renames the tool.
    pub json_schema: Option<Map<String, Value>>,
    pub args_json_schema: Option<Map<String, Value>>,
    pub return_char_limit: Option<i64>,
    pub pip_requirements: Option<Vec<Requirement>>,
    pub npm_requirements: Option<Vec<Requirement>>,
    pub metadata_: Option<Map<String, Value>>,
    pub default_requires_approval: Option<bool>,
    pub enable_parallel_execution: Option<bool>,
}

/// Runs source once; nothing is stored. Other keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolRunFromSource {
    pub source_code: String,
    pub args: Map<String, Value>,
    #[serde(default)]
    pub env_vars: Option<BTreeMap<String, String>>,
    /// The function to run; the last one of the source if absent.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub source_type: Option<String>,
    #[serde(default)]
    pub args_json_schema: Option<Map<String, Value>>,
    #[serde(default)]
    pub json_schema: Option<Map<String, Value>>,
    #[serde(default)]
    pub pip_requirements: Option<Vec<Requirement>>,
    #[serde(default)]
    pub npm_requirements: Option<Vec<Requirement>>,
}

/// Derives a schema from source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GenerateSchema {
    pub code: String,
    #[serde(default)]
    pub source_type: Option<String>,
}

/// Finds tools by words. Other keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ToolSearchRequest {
    /// The newest tools if absent.
    #[serde(default)]
    pub query: Option<String>,
    /// `vector`, `fts` or `hybrid`, which is the default.
    #[serde(default)]
    #[schema(default = "hybrid")]
    pub search_mode: Option<String>,
    #[serde(default)]
    pub tool_types: Option<Vec<String>>,
    /// Tools with any of these.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// From 1 to 100.
    #[serde(default = "fifty")]
    #[schema(minimum = 1, maximum = 100, default = 50)]
    pub limit: i64,
}

fn fifty() -> i64 {
    50
}

impl ToolSearchRequest {
    /// 422 for a limit or a mode that is not one.
    pub fn check(&self) -> Result<(), ApiError> {
        if !(1..=100).contains(&self.limit) {
            return Err(ApiError::validation(format!(
                "body.limit: must be from 1 to 100, got {}",
                self.limit
            )));
        }
        match self.search_mode.as_deref() {
            None | Some("vector" | "fts" | "hybrid") => Ok(()),
            Some(_) => {
                Err(ApiError::validation("body.search_mode: Input should be 'vector', 'fts' or 'hybrid'"))
            }
        }
    }
}

/// A tool that was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ToolSearchResult {
    pub tool: Tool,
    /// What words were looked for in.
    pub embedded_text: Option<String>,
    /// Its place among those found by words, from 1.
    pub fts_rank: Option<i64>,
    /// Always null here: tools have no vectors.
    pub vector_rank: Option<i64>,
    /// Higher fits better.
    pub combined_score: f64,
}

/// Runs an attached tool with the agent's environment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ToolExecuteRequest {
    pub args: Map<String, Value>,
}

/// What came of running an attached tool by hand.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ToolExecutionResult {
    pub status: ToolStatus,
    /// Any JSON.
    #[schema(value_type = Option<Object>)]
    pub func_return: Value,
    #[schema(value_type = Option<Object>)]
    pub agent_state: Option<Value>,
    pub stdout: Option<Vec<String>>,
    pub stderr: Option<Vec<String>>,
    pub sandbox_config_fingerprint: Option<String>,
}

/// Whether a person decides on every call. The published SDKs send it under either name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModifyApprovalRequest {
    #[serde(alias = "body_requires_approval")]
    pub requires_approval: bool,
}

/// 422 unless within [`RETURN_CHAR_LIMITS`].
pub fn check_return_char_limit(limit: Option<i64>) -> Result<(), ApiError> {
    match limit {
        Some(limit) if !RETURN_CHAR_LIMITS.contains(&limit) => Err(ApiError::validation(format!(
            "body.return_char_limit: must be from {} to {}, got {limit}",
            RETURN_CHAR_LIMITS.start(),
            RETURN_CHAR_LIMITS.end()
        ))),
        _ => Ok(()),
    }
}

/// 422 unless every package has a name.
pub fn check_requirements(field: &str, requirements: Option<&[Requirement]>) -> Result<(), ApiError> {
    match requirements.unwrap_or_default().iter().position(|package| package.name.trim().is_empty()) {
        Some(at) => Err(ApiError::validation(format!("body.{field}[{at}].name: must not be empty"))),
        None => Ok(()),
    }
}

impl ToolCreate {
    /// Everything that can be said without reading the source.
    pub fn check(&self) -> Result<(), ApiError> {
        check_return_char_limit(self.return_char_limit)?;
        check_requirements("pip_requirements", self.pip_requirements.as_deref())?;
        check_requirements("npm_requirements", self.npm_requirements.as_deref())?;
        self.tags.as_deref().map_or(Ok(()), crate::agent::check_tags)
    }
}

impl ToolUpdate {
    /// As [`ToolCreate::check`].
    pub fn check(&self) -> Result<(), ApiError> {
        check_return_char_limit(self.return_char_limit)?;
        check_requirements("pip_requirements", self.pip_requirements.as_deref())?;
        check_requirements("npm_requirements", self.npm_requirements.as_deref())?;
        self.tags.as_deref().map_or(Ok(()), crate::agent::check_tags)
    }
}
