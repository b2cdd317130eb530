//! The agent's tool rules in words, so that a model need not learn them by being refused.

use loci_api::rules::{ToolRule, ToolRuleKind};

use super::section::capped;

const DESCRIPTION: &str = "These rules say which of your tools may be called when. A call that breaks one is \
refused.";

/// Characters of the whole section.
const CAP: usize = 20_000;

/// The `<tool_usage_rules>` section; empty when no rule has anything to say.
#[must_use]
pub fn render_rules(rules: &[ToolRule]) -> String {
    let mut lines: Vec<(u8, String)> =
        rules.iter().filter_map(|rule| sentence(rule).map(|text| (group(&rule.kind), text))).collect();
    if lines.is_empty() {
        return String::new();
    }
    lines.sort_by_key(|(group, _)| *group);
    let body: Vec<String> =
        lines.into_iter().map(|(_, text)| format!("<tool_rule>\n{text}\n</tool_rule>")).collect();
    let body = capped(body.join("\n"), CAP);
    format!("<tool_usage_rules>\n{DESCRIPTION}\n\n{body}\n</tool_usage_rules>")
}

/// Continuing rules first, then those about successors, then predecessors, then the end.
fn group(kind: &ToolRuleKind) -> u8 {
    match kind {
        ToolRuleKind::RunFirst { .. } => 0,
        ToolRuleKind::ContinueLoop => 1,
        ToolRuleKind::ConstrainChildTools { .. }
        | ToolRuleKind::Conditional { .. }
        | ToolRuleKind::MaxCountPerStep { .. } => 2,
        ToolRuleKind::ParentLastTool { .. } => 3,
        ToolRuleKind::ExitLoop => 4,
        ToolRuleKind::RequiredBeforeExit | ToolRuleKind::RequiresApproval => 5,
    }
}

fn sentence(rule: &ToolRule) -> Option<String> {
    let tool = &rule.tool_name;
    match &rule.kind {
        ToolRuleKind::RunFirst { .. } | ToolRuleKind::RequiredBeforeExit | ToolRuleKind::RequiresApproval => {
            None
        }
        ToolRuleKind::ContinueLoop => Some(format!("After {tool} you go on with the same turn.")),
        ToolRuleKind::ConstrainChildTools { children, .. } => {
            Some(format!("Right after {tool}, call one of: {}.", children.join(", ")))
        }
        ToolRuleKind::Conditional { default_child, child_output_mapping, require_output_mapping } => {
            let mut cases: Vec<String> = child_output_mapping
                .iter()
                .map(|(output, child)| {
                    format!("{} if it returns {output:?}", child.as_str().unwrap_or_default())
                })
                .collect();
            match default_child {
                Some(child) => cases.push(format!("{child} otherwise")),
                None if *require_output_mapping => cases.push("no tool otherwise".to_owned()),
                None => cases.push("any tool otherwise".to_owned()),
            }
            Some(format!("What follows {tool} depends on its output: {}.", cases.join("; ")))
        }
        ToolRuleKind::MaxCountPerStep { max_count_limit } => {
            Some(format!("Call {tool} at most {max_count_limit} times before your turn ends."))
        }
        ToolRuleKind::ParentLastTool { children } => Some(format!(
            "Only right after {tool} may these be called, and then nothing else: {}.",
            children.join(", ")
        )),
        ToolRuleKind::ExitLoop => Some(format!("Calling {tool} ends your turn.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rule;
    use serde_json::json;

    #[test]
    fn rules_are_grouped_and_silent_ones_left_out() {
        let rules = [
            rule("bye", json!({"type": "exit_loop"})),
            rule("first", json!({"type": "run_first"})),
            rule("a", json!({"type": "constrain_child_tools", "children": ["b", "c"]})),
            rule("log", json!({"type": "continue_loop"})),
            rule("must", json!({"type": "required_before_exit"})),
            rule("ask", json!({"type": "requires_approval"})),
        ];
        assert_eq!(
            render_rules(&rules),
            format!(
                "<tool_usage_rules>\n{DESCRIPTION}\n\n\
                 <tool_rule>\nAfter log you go on with the same turn.\n</tool_rule>\n\
                 <tool_rule>\nRight after a, call one of: b, c.\n</tool_rule>\n\
                 <tool_rule>\nCalling bye ends your turn.\n</tool_rule>\n</tool_usage_rules>"
            )
        );
        assert_eq!(render_rules(&rules[4..]), "");
    }
}
