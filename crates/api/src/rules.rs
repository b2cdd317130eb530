//! Tool rules: what an agent may call when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
}
