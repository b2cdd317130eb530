//! Which tools an agent may call next. Pure; a rule that leaves nothing leaves nothing: rules fail closed.
//!
//! Rules speak of tools by name, so they hold for a client's tools as for the server's. They look only at the
//! calls of one turn: what was said since the last message from outside.

use loci_api::rules::{ToolRule, ToolRuleKind};
use serde_json::{Map, Value};

/// A call of this turn that was decided. Calls that were refused before anyone saw them are not history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    pub name: String,
    /// The tool's own output as text; of a denied call, the denial.
    pub output: String,
    /// Whether the tool ran. A denied call still counts as called: otherwise a denial could never end a turn
    /// that must begin or end with that tool.
    pub ran: bool,
}

/// What may be called next.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Allowed {
    /// In the order in which the tools were given.
    pub names: Vec<String>,
    /// Whether the model must call one of them.
    pub forced: bool,
    /// Arguments that rules fill in, by tool; they win over the model's.
    pub prefilled: Map<String, Value>,
}

impl Allowed {
    /// Whether this tool may be called.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|allowed| allowed == name)
    }
}

/// What may be called after `history`, of the tools in `available`.
///
/// Before the first call, `run_first` tools alone are allowed if there are such rules. Otherwise all other rules
/// must agree. A child of several `parent_last_tool` rules may follow any of its parents.
#[must_use]
pub fn allowed(rules: &[ToolRule], available: &[&str], history: &[Called]) -> Allowed {
    let mut out = Allowed::default();
    let first: Vec<&ToolRule> =
        rules.iter().filter(|rule| matches!(rule.kind, ToolRuleKind::RunFirst { .. })).collect();
    let starting = history.is_empty() && !first.is_empty();
    if starting {
        out.forced = true;
        for rule in &first {
            if let ToolRuleKind::RunFirst { args: Some(args) } = &rule.kind {
                prefill(&mut out.prefilled, &rule.tool_name, args);
            }
        }
    }
    let last = history.last();
    let permitted = |name: &str| {
        let counted = rules.iter().all(|rule| within_count(rule, name, history));
        if starting {
            return counted && first.iter().any(|rule| rule.tool_name == name);
        }
        counted && rules.iter().all(|rule| follows(rule, name, last)) && has_parent(rules, name, last)
    };
    out.names = available.iter().filter(|name| permitted(name)).map(|name| (*name).to_owned()).collect();
    if let Some(last) = last {
        for rule in rules.iter().filter(|rule| rule.tool_name == last.name) {
            out.forced |= successors(rule, last).is_some();
            if let ToolRuleKind::ConstrainChildTools { child_arg_nodes: Some(nodes), .. } = &rule.kind {
                for node in nodes {
                    if let Some(args) = &node.args {
                        prefill(&mut out.prefilled, &node.name, args);
                    }
                }
            }
        }
    }
    out
}

fn prefill(all: &mut Map<String, Value>, tool: &str, args: &Map<String, Value>) {
    match all.entry(tool).or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(known) => known.extend(args.clone()),
        other => *other = Value::Object(args.clone()),
    }
}

fn within_count(rule: &ToolRule, name: &str, history: &[Called]) -> bool {
    match rule.kind {
        ToolRuleKind::MaxCountPerStep { max_count_limit } if rule.tool_name == name => {
            let ran = history.iter().filter(|call| call.ran && call.name == name).count();
            ran < usize::try_from(max_count_limit).unwrap_or(usize::MAX)
        }
        _ => true,
    }
}

/// Whether this rule lets `name` come right after the last call.
fn follows(rule: &ToolRule, name: &str, last: Option<&Called>) -> bool {
    let Some(last) = last.filter(|last| last.name == rule.tool_name) else { return true };
    successors(rule, last).is_none_or(|names| names.contains(&name))
}

/// The only tools that may come right after the rule's tool, if the rule limits them.
fn successors<'a>(rule: &'a ToolRule, last: &Called) -> Option<Vec<&'a str>> {
    match &rule.kind {
        ToolRuleKind::ConstrainChildTools { children, .. } | ToolRuleKind::ParentLastTool { children } => {
            Some(children.iter().map(String::as_str).collect())
        }
        ToolRuleKind::Conditional { default_child, child_output_mapping, require_output_mapping } => {
            let chosen: Vec<&str> = child_output_mapping
                .iter()
                .filter(|(key, _)| means(key, &last.output))
                .filter_map(|(_, child)| child.as_str())
                .collect();
            match (chosen.is_empty(), default_child) {
                (false, _) => Some(chosen),
                (true, Some(child)) => Some(vec![child]),
                (true, None) => require_output_mapping.then(Vec::new),
            }
        }
        ToolRuleKind::RunFirst { .. }
        | ToolRuleKind::ExitLoop
        | ToolRuleKind::ContinueLoop
        | ToolRuleKind::MaxCountPerStep { .. }
        | ToolRuleKind::RequiredBeforeExit
        | ToolRuleKind::RequiresApproval => None,
    }
}

/// Whether a key of an output mapping describes this output: the same text, the same truth value, the same number.
fn means(key: &str, output: &str) -> bool {
    let output = output.trim();
    let key = key.trim();
    if key == output {
        return true;
    }
    if matches!(key.to_lowercase().as_str(), "true" | "false") {
        return key.eq_ignore_ascii_case(output);
    }
    match (key.parse::<f64>(), output.parse::<f64>()) {
        (Ok(key), Ok(output)) => key == output,
        _ => false,
    }
}

/// A child of parents needs one of them right before it.
fn has_parent(rules: &[ToolRule], name: &str, last: Option<&Called>) -> bool {
    let mut parents = rules
        .iter()
        .filter(|rule| match &rule.kind {
            ToolRuleKind::ParentLastTool { children } => children.iter().any(|child| child == name),
            _ => false,
        })
        .peekable();
    parents.peek().is_none() || parents.any(|rule| last.is_some_and(|last| last.name == rule.tool_name))
}

/// Whether calling this tool ends the turn.
#[must_use]
pub fn is_terminal(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| matches!(rule.kind, ToolRuleKind::ExitLoop) && rule.tool_name == name)
}

/// Whether a person decides on calls of this tool.
#[must_use]
pub fn requires_approval(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| matches!(rule.kind, ToolRuleKind::RequiresApproval) && rule.tool_name == name)
}

/// Tools that must still be called before the turn may end, of those in `available`.
#[must_use]
pub fn still_required<'a>(rules: &'a [ToolRule], available: &[&str], history: &[Called]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for rule in rules {
        let name = rule.tool_name.as_str();
        if matches!(rule.kind, ToolRuleKind::RequiredBeforeExit)
            && available.contains(&name)
            && !names.contains(&name)
            && !history.iter().any(|call| call.name == name)
        {
            names.push(name);
        }
    }
    names
}

/// Whether several calls in one answer can be judged: rules about order cannot.
#[must_use]
pub fn allow_parallel(rules: &[ToolRule]) -> bool {
    rules.iter().all(|rule| matches!(rule.kind, ToolRuleKind::RequiresApproval))
}

/// Puts prefilled arguments over the model's own, checked against the tool's schema.
///
/// # Errors
/// A sentence naming the argument the schema does not know or types differently.
pub fn merge_prefilled(
    arguments: &mut Map<String, Value>,
    prefilled: &Value,
    parameters: &Value,
) -> Result<(), String> {
    let Value::Object(prefilled) = prefilled else { return Ok(()) };
    let known = parameters.get("properties").and_then(Value::as_object);
    let open = parameters.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false));
    for (key, value) in prefilled {
        let schema = known.and_then(|known| known.get(key));
        if schema.is_none() && known.is_some() && !open {
            return Err(format!("a tool rule fills in '{key}', which the tool does not take"));
        }
        if let Some(wanted) = schema.and_then(|schema| schema.get("type")).and_then(Value::as_str) {
            let fits = match wanted {
                "string" => value.is_string(),
                "integer" => value.is_i64() || value.is_u64(),
                "number" => value.is_number(),
                "boolean" => value.is_boolean(),
                "array" => value.is_array(),
                "object" => value.is_object(),
                _ => true,
            };
            if !fits && !value.is_null() {
                return Err(format!(
                    "a tool rule fills in '{key}' with a value that is not of type {wanted}"
                ));
            }
        }
        arguments.insert(key.clone(), value.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
