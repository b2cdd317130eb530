//! Running a tool by hand: source that is not stored, or a tool of an agent outside a conversation.

use std::collections::BTreeMap;

use loci_api::{
    error::ApiError,
    ids::AgentId,
    message::ToolStatus,
    resource::Tool,
    time::Timestamp,
    tool::{ToolExecutionResult, ToolRunFromSource},
};
use loci_store::table::{agent_secret, tool};
use loci_tools::sandbox::{RunRequest, RunResult, RunStatus};
use serde_json::{Map, Value, json};

use crate::{
    App,
    agents::state::require,
    error::{Answer, Failure},
    tools,
};

fn status(result: &RunResult) -> ToolStatus {
    match result.status {
        RunStatus::Success => ToolStatus::Success,
        RunStatus::Error => ToolStatus::Error,
    }
}

/// What the API shows of a value: text as it is, nothing as `None`, everything else as JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Runs source once and stores nothing. The answer is a tool return message, whatever came of it.
///
/// # Errors
/// 422 for what is malformed, 400 for a language that cannot be run.
pub async fn from_source(app: &App, request: ToolRunFromSource) -> Answer<Value> {
    loci_api::tool::check_requirements("pip_requirements", request.pip_requirements.as_deref())?;
    loci_api::tool::check_requirements("npm_requirements", request.npm_requirements.as_deref())?;
    if let Some(env) = &request.env_vars {
        loci_api::agent::check_secrets(env)?;
    }
    let kind = tools::source_type(request.source_type.as_deref())?;
    let name = request.name.clone().or_else(|| {
        request
            .json_schema
            .as_ref()
            .and_then(|schema| schema.get("name"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    });
    let result = app
        .sandbox()
        .run(RunRequest {
            function: name.clone(),
            env: request.env_vars.unwrap_or_default(),
            pip_requirements: request.pip_requirements.unwrap_or_default(),
            npm_requirements: request.npm_requirements.unwrap_or_default(),
            ..RunRequest::new(kind, request.source_code, request.args)
        })
        .await;
    let text = shown(&result.value);
    let returned = json!({
        "type": "tool",
        "tool_return": text,
        "status": status(&result),
        "tool_call_id": "null",
        "stdout": result.stdout,
        "stderr": result.stderr,
    });
    Ok(json!({
        "id": "null",
        "date": Timestamp::now().message_date(),
        "name": name,
        "message_type": "tool_return_message",
        "otid": null,
        "sender_id": null,
        "step_id": null,
        "is_err": null,
        "seq_id": null,
        "run_id": null,
        "tool_return": text,
        "status": status(&result),
        "tool_call_id": "null",
        "stdout": result.stdout,
        "stderr": result.stderr,
        "tool_returns": [returned],
    }))
}

/// Runs an attached tool with the agent's variables.
///
/// # Errors
/// 404 if the agent or the tool is not there, or the tool is not attached.
pub async fn for_agent(
    app: &App,
    agent_id: AgentId,
    name: &str,
    arguments: Map<String, Value>,
) -> Answer<ToolExecutionResult> {
    let (wanted, id) = (name.to_owned(), agent_id.clone());
    let (tool, env) = app
        .store()
        .try_read(move |conn| {
            require(conn, &id)?;
            let tool = tool::list_for_agent(conn, &id)?
                .into_iter()
                .find(|tool| tool.name.as_deref() == Some(wanted.as_str()))
                .ok_or_else(|| {
                    let shown: String = wanted.chars().take(100).collect();
                    ApiError::not_found(format!("Tool '{shown}' is not attached to agent '{id}'"))
                })?;
            let env =
                agent_secret::list(conn, &id)?.into_iter().map(|secret| (secret.key, secret.value)).collect();
            Ok::<_, Failure>((tool, env))
        })
        .await?;
    let result = dispatch(app, &agent_id, &tool, env, arguments).await;
    Ok(ToolExecutionResult {
        status: status(&result),
        func_return: result.value,
        agent_state: None,
        stdout: Some(result.stdout),
        stderr: Some(result.stderr),
        sandbox_config_fingerprint: None,
    })
}

async fn dispatch(
    app: &App,
    agent_id: &AgentId,
    tool: &Tool,
    env: BTreeMap<String, String>,
    arguments: Map<String, Value>,
) -> RunResult {
    let name = tool.name.as_deref().unwrap_or_default();
    if loci_tools::builtin::find(name).is_some() {
        let mut env = env;
        env.insert("LETTA_AGENT_ID".to_owned(), agent_id.to_string());
        let result = loci_tools::builtin::run(name, &arguments, &env, app.sandbox()).await;
        return result.unwrap_or_else(|| {
            RunResult::error(format!(
                "The built-in tool {name} works within a conversation only; it cannot be run by hand."
            ))
        });
    }
    let Some(source) = &tool.source_code else {
        return RunResult::error(format!("The tool {name} has no source that could be run."));
    };
    let kind = match tools::source_type(tool.source_type.as_deref()) {
        Ok(kind) => kind,
        Err(error) => return RunResult::error(error.message),
    };
    app.sandbox()
        .run(RunRequest {
            tool_id: tool.id.to_string(),
            agent_id: agent_id.to_string(),
            function: Some(name.to_owned()),
            env,
            pip_requirements: tool.pip_requirements.clone().unwrap_or_default(),
            npm_requirements: tool.npm_requirements.clone().unwrap_or_default(),
            ..RunRequest::new(kind, source.clone(), arguments)
        })
        .await
}
