//! Tool rules: what an agent may call when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::ApiError;

/// One rule about one tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ToolRule {
    pub tool_name: String,
    #[serde(flatten)]
    pub kind: ToolRuleKind,
    /// Accepted and kept; the text shown to the model is ours.
    #[serde(default)]
    pub prompt_template: Option<String>,
}

/// What a rule says about its tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToolRuleKind {
    /// Before any other call of a request.
    RunFirst {
        #[serde(default)]
        args: Option<Map<String, Value>>,
    },
    /// Calling it ends the run.
    ExitLoop,
    /// Informational: any call continues.
    ContinueLoop,
    /// Right after the tool, only the children may be called.
    ConstrainChildTools {
        children: Vec<String>,
        #[serde(default)]
        child_arg_nodes: Option<Vec<ChildArgs>>,
    },
    /// The next tool is chosen by the tool's last output.
    Conditional {
        #[serde(default)]
        default_child: Option<String>,
        child_output_mapping: Map<String, Value>,
        #[serde(default)]
        require_output_mapping: bool,
    },
    /// At most so many calls in one request.
    MaxCountPerStep { max_count_limit: u32 },
    /// The children may be called only right after the tool.
    ParentLastTool { children: Vec<String> },
    /// The run may not end before the tool was called.
    RequiredBeforeExit,
    /// A person decides on every call.
    RequiresApproval,
}

/// Arguments filled in for a child tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChildArgs {
    pub name: String,
    #[serde(default)]
    pub args: Option<Map<String, Value>>,
}

impl ToolRule {
    /// The rule that puts a tool behind a person's approval.
    #[must_use]
    pub fn requires_approval(tool_name: impl Into<String>) -> Self {
        Self { tool_name: tool_name.into(), kind: ToolRuleKind::RequiresApproval, prompt_template: None }
    }

    /// Refuses, with 422, a rule that could never mean anything: a conditional one without an outcome to wait for,
    /// or arguments for a tool that is not its child.
    pub fn check(&self, place: &str) -> Result<(), ApiError> {
        match &self.kind {
            ToolRuleKind::Conditional { child_output_mapping, .. } if child_output_mapping.is_empty() => {
                Err(ApiError::validation(format!(
                    "{place}.child_output_mapping: it is empty; map at least one output to the tool that follows it"
                )))
            }
            ToolRuleKind::ConstrainChildTools { children, child_arg_nodes: Some(nodes) } => {
                match nodes.iter().find(|node| !children.contains(&node.name)) {
                    Some(stranger) => Err(ApiError::validation(format!(
                        "{place}.child_arg_nodes: '{}' is not one of the children",
                        stranger.name.chars().take(80).collect::<String>()
                    ))),
                    None => Ok(()),
                }
            }
            ToolRuleKind::RunFirst { .. }
            | ToolRuleKind::ExitLoop
            | ToolRuleKind::ContinueLoop
            | ToolRuleKind::ConstrainChildTools { .. }
            | ToolRuleKind::Conditional { .. }
            | ToolRuleKind::MaxCountPerStep { .. }
            | ToolRuleKind::ParentLastTool { .. }
            | ToolRuleKind::RequiredBeforeExit
            | ToolRuleKind::RequiresApproval => Ok(()),
        }
    }
}
