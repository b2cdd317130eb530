//! Running a tool by hand: source that is not stored, or a tool of an agent outside a conversation.

use std::{collections::HashMap, sync::Arc};

use loci_api::{
    chat::ChatOptions,
    error::ApiError,
    ids::{AgentId, RunId, StepId},
    message::ToolStatus,
    resource::{Tool, ToolType},
    time::Timestamp,
    tool::{ToolExecutionResult, ToolRunFromSource},
};
use loci_engine::ports::{ToolInvocation, ToolOutcome};
use loci_store::{
    Thread,
    table::{agent::AgentRow, tool},
};
use loci_tools::sandbox::{RunRequest, RunResult, RunStatus};
use serde_json::{Map, Value, json};

use crate::{
    App,
    agents::{state::require, variables::Variables},
    code_with_tools,
    error::{Answer, Failure},
    journal::Ran,
    prompt,
    runs::{Facts, live::LiveRun},
    stream::Mode,
    tool_call, tools,
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

/// Runs an attached tool with the agent's variables. Also what kept it within bounds, if a process was started.
///
/// # Errors
/// 404 if the agent or the tool is not there, or the tool is not attached.
pub async fn for_agent(
    app: &App,
    agent_id: AgentId,
    name: &str,
    arguments: Map<String, Value>,
) -> Answer<(ToolExecutionResult, Option<String>)> {
    let (wanted, id) = (name.to_owned(), agent_id.clone());
    let (agent, tools, kind, variables) = app
        .store()
        .try_read(move |conn| {
            let agent = require(conn, &id)?;
            let tools = tool::list_for_agent(conn, &id)?;
            let kind = tools
                .iter()
                .find(|tool| tool.name.as_deref() == Some(wanted.as_str()))
                .map(|tool| tool.tool_type)
                .ok_or_else(|| {
                    let shown: String = wanted.chars().take(100).collect();
                    ApiError::not_found(format!("Tool '{shown}' is not attached to agent '{id}'"))
                })?;
            Ok::<_, Failure>((agent, tools, kind, Variables::read(conn, &id)?))
        })
        .await?;
    let thread = Thread::new(agent_id.clone(), None);
    let edits_memory =
        matches!(kind, ToolType::LettaMemoryCore | ToolType::LettaSleeptimeCore | ToolType::Custom)
            || name == code_with_tools::NAME;
    let Ran { outcome, confinement } =
        call(app, &thread, agent, tools, name.to_owned(), variables, arguments).await;
    if edits_memory {
        app.store().write(move |tx| prompt::refresh_agent(tx, &agent_id)).await?;
        app.runs().forget_context(&thread);
    }
    let result = ToolExecutionResult {
        status: outcome.status,
        func_return: outcome.value,
        agent_state: None,
        stdout: Some(outcome.stdout),
        stderr: Some(outcome.stderr),
        sandbox_config_fingerprint: None,
    };
    Ok((result, confinement))
}

/// Calls it as a run of the agent's default thread would, though there is no run.
async fn call(
    app: &App,
    thread: &Thread,
    agent: AgentRow,
    others: Vec<Tool>,
    name: String,
    variables: Variables,
    arguments: Map<String, Value>,
) -> Ran {
    // No model is asked, so it does not matter whether the agent's own can be reached.
    let handle = agent.model.as_deref().unwrap_or_default();
    let model = app.models().resolve(handle).or_else(|_| app.models().resolve(loci_llm::REHEARSAL_HANDLE));
    let Ok(model) = model else {
        return ToolOutcome::error("Error: no model is set up on this server.").into();
    };
    let order = others.iter().filter_map(|tool| tool.name.clone()).collect();
    let tools: HashMap<String, Arc<Tool>> =
        others.into_iter().filter_map(|tool| Some((tool.name.clone()?, Arc::new(tool)))).collect();
    let facts = Facts {
        options: ChatOptions::default(),
        parallel_tool_calls: false,
        context_window: model.context_window,
        tools,
        order,
        variables,
        client_tools: Vec::new(),
        called_by: Vec::new(),
        agent,
        model,
    };

    let live = LiveRun::new(RunId::new(), thread.clone(), false, None, Mode::default());
    let invocation =
        ToolInvocation { tool_call_id: "by_hand".to_owned(), name, arguments, step_id: StepId::new() };
    tool_call::run(app, &live, &facts, invocation).await
}
