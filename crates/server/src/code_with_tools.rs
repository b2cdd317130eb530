//! `run_code_with_tools`: code that calls the agent's other tools. Every such call is judged here as one the model had
//! made: tool rules hold, and what a person decides on cannot be called from code, which cannot wait for a person.

use futures::future::BoxFuture;
use loci_api::{
    message::{Message, ToolStatus},
    resource::{Tool, ToolType},
    rules::ToolRuleKind,
};
use loci_engine::{
    ports::{ToolInvocation, ToolOutcome},
    rules::{self, Called},
    turn::called_in,
};
use loci_tools::{
    sandbox::{NestedCall, NestedFunction, NestedTools, RunMode, RunRequest, RunStatus},
    source::SourceType,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    App,
    journal::{Ran, noted},
    runs::{Facts, live::LiveRun},
    tool_call,
};

/// The tool's name.
pub const NAME: &str = "run_code_with_tools";
/// Calls one piece of code may make.
const MOST_CALLS: usize = 200;

/// Runs the code to its end. `context` is the thread's, for the rules that look at what was called before.
pub fn run<'a>(
    app: &'a App,
    live: &'a LiveRun,
    facts: &'a Facts,
    call: ToolInvocation,
    context: &'a [Message],
) -> BoxFuture<'a, Ran> {
    // Boxed by type: this tool carries out tools.
    Box::pin(async move {
        let note = call.clone();
        noted(app, &note, carry_out(app, live, facts, call, context)).await
    })
}

async fn carry_out(
    app: &App,
    live: &LiveRun,
    facts: &Facts,
    call: ToolInvocation,
    context: &[Message],
) -> Ran {
    let Some(code) = call.arguments.get("code").and_then(Value::as_str) else {
        return ToolOutcome::error(format!(
            "Error executing function {NAME}: TypeError: 'code' must be given as a string"
        ))
        .into();
    };
    let functions: Vec<NestedFunction> = facts
        .order
        .iter()
        .filter(|name| callable(name))
        .filter_map(|name| facts.tools.get(name))
        .map(|tool| function(tool))
        .collect();
    let values = facts.variables.values(app).await;
    if let Some(why) = values.lacking(code) {
        return ToolOutcome::error(format!("Error: {NAME} could not run: {why}.")).into();
    }
    let (calls, mut asked) = mpsc::channel(1);
    let request = RunRequest {
        mode: RunMode::Script,
        function: Some(NAME.to_owned()),
        agent_id: live.thread.agent_id.to_string(),
        env: values.env.clone(),
        tools: Some(NestedTools { functions, calls }),
        ..RunRequest::new(SourceType::Python, code, serde_json::Map::new())
    };
    let mut history = called_in(context);
    // The code is what was called last; what may follow it, it may call.
    history.push(Called { name: NAME.to_owned(), output: String::new(), ran: true });
    let mut made = 0;
    let running = app.sandbox().run(request);
    tokio::pin!(running);
    let result = loop {
        let NestedCall { name, arguments, answer } = tokio::select! {
            result = &mut running => break result,
            Some(call) = asked.recv() => call,
        };
        made += 1;
        let said = match refused(facts, &name, &history, made) {
            Some(sentence) => Err(sentence),
            None => {
                let nested = ToolInvocation {
                    tool_call_id: format!("{}:{made}", call.tool_call_id),
                    name: name.clone(),
                    arguments: prefilled(facts, &name, &history, arguments),
                    step_id: call.step_id.clone(),
                };
                // The code's time goes on, and when it is up nothing it began is waited for.
                let carried_out = tool_call::run(app, live, facts, nested);
                let outcome = tokio::select! {
                    result = &mut running => break result,
                    ran = carried_out => ran.outcome,
                };
                let output = text(&outcome.value);
                history.push(Called { name, output: output.clone(), ran: true });
                match outcome.status {
                    ToolStatus::Success => Ok(outcome.value),
                    ToolStatus::Error => Err(output),
                }
            }
        };
        // Err: the code has ended and waits no more.
        let _unheard = answer.send(said);
    };
    let confinement = result.confined();
    let (status, value) = match result.status {
        RunStatus::Success => (ToolStatus::Success, last(&result.value)),
        RunStatus::Error => (ToolStatus::Error, result.value),
    };
    let shown = json!({
        "status": status,
        "func_return": value,
        "stdout": result.stdout,
        "stderr": result.stderr,
    });
    let outcome = ToolOutcome { status, value: shown, stdout: result.stdout, stderr: result.stderr };
    Ran { outcome, confinement }
}

/// A script's values are a list of none or one.
fn last(value: &Value) -> Value {
    value.as_array().and_then(|values| values.last()).cloned().unwrap_or(Value::Null)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Whether code can have a function of that name.
fn callable(name: &str) -> bool {
    let mut chars = name.chars();
    name != NAME
        && chars.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn function(tool: &Tool) -> NestedFunction {
    let properties = tool
        .json_schema
        .as_ref()
        .and_then(|schema| schema.get("parameters"))
        .and_then(|parameters| parameters.get("properties"))
        .and_then(Value::as_object);
    NestedFunction {
        name: tool.name.clone().unwrap_or_default(),
        parameters: properties.map(|all| all.keys().cloned().collect()).unwrap_or_default(),
    }
}

/// Why code may not make this call; `None` if it may.
fn refused(facts: &Facts, name: &str, history: &[Called], made: usize) -> Option<String> {
    let rules = &facts.agent.tool_rules;
    if made > MOST_CALLS {
        return Some(format!("code may call tools {MOST_CALLS} times at most"));
    }
    if facts.client_tools.iter().any(|client| client == name) {
        return Some(format!("{name} is carried out by the client; call it directly, not from code"));
    }
    if rules::requires_approval(rules, name) {
        return Some(format!(
            "{name} needs a person's approval, which code cannot wait for; call it directly, not from code"
        ));
    }
    if facts.tools.get(name).is_some_and(|tool| tool.tool_type == ToolType::LettaMultiAgentCore) {
        return Some(format!("{name} cannot be called from code; call it directly"));
    }
    // What code calls does not count for the rest of the turn, so tools that count are called directly.
    let counts = rules.iter().any(|rule| {
        rule.tool_name == name
            && matches!(rule.kind, ToolRuleKind::MaxCountPerStep { .. } | ToolRuleKind::ExitLoop)
    });
    if counts {
        return Some(format!("a tool rule counts calls of {name}; call it directly, not from code"));
    }
    let available: Vec<&str> = facts.order.iter().map(String::as_str).collect();
    let allowed = rules::allowed(rules, &available, history);
    (!allowed.contains(name)).then(|| {
        let names: Vec<String> = allowed.names.iter().map(|name| format!("'{name}'")).collect();
        format!("[ToolConstraintError] Cannot call {name}, valid tools include: [{}]", names.join(", "))
    })
}

/// The arguments with what a rule fills in.
fn prefilled(
    facts: &Facts,
    name: &str,
    history: &[Called],
    mut arguments: serde_json::Map<String, Value>,
) -> serde_json::Map<String, Value> {
    let available: Vec<&str> = facts.order.iter().map(String::as_str).collect();
    let filled = rules::allowed(&facts.agent.tool_rules, &available, history).prefilled;
    if let Some(Value::Object(filled)) = filled.get(name) {
        arguments.extend(filled.clone());
    }
    arguments
}
