//! Trying a tool out: source that may not be stored yet, run once while its output is watched.

use std::{collections::BTreeMap, time::Duration};

use loci_api::{
    error::ApiError, ids::AgentId, resource::Requirement, time::Timestamp, tool::check_requirements,
};
use loci_store::{
    Thread,
    table::{
        client_tool,
        tool_test_run::{self, ToolTestRun, Tried},
    },
};
use loci_tools::sandbox::{RunEvent, RunRequest, RunResult, RunStatus};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::{
    App,
    agents::{state, variables::Variables},
    confined::{bytes, check_memory, check_timeout},
    custom_tool::{Grants, Seen},
    error::{Answer, Failure},
    secrets, tools,
};

/// Events a slow reader may be behind before the tool itself has to wait.
const BACKLOG: usize = 256;
/// Characters of a result that are kept for the list of trials.
const KEPT_CHARS: usize = 10_000;

/// What is tried. Whatever is not said is as for a tool without grants.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    pub source_code: String,
    #[serde(default)]
    pub source_type: Option<String>,
    /// The function; the last one of the source if absent.
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub args: Map<String, Value>,
    /// The stored tool it is a state of, the server's or a client tool a person wrote: its secrets are given, and the
    /// trial is listed with it.
    #[serde(default)]
    pub tool_id: Option<String>,
    /// The agent whose variables and folder it gets.
    #[serde(default)]
    pub agent_id: Option<AgentId>,
    #[serde(default)]
    pub env_vars: BTreeMap<String, String>,
    #[serde(default)]
    pub pip_requirements: Vec<Requirement>,
    #[serde(default)]
    pub npm_requirements: Vec<Requirement>,
    #[serde(default)]
    pub network: bool,
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
    #[serde(default)]
    pub memory_mb: Option<u32>,
}

/// What happens meanwhile. The last one is `result`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum TrialEvent {
    /// Packages that are not there yet are being installed.
    Installing {
        packages: String,
    },
    /// A line of the installer's.
    InstallLine {
        line: String,
    },
    Installed,
    Stdout {
        text: String,
    },
    Stderr {
        text: String,
    },
    Result(Box<TrialResult>),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrialResult {
    /// `success` or `error`.
    pub status: RunStatus,
    /// What the function returned, any JSON; for an error its sentence.
    pub value: Value,
    /// All that was printed, cut where the server cuts it, and the traceback of a failure.
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    /// Memory blocks the function changed in its `agent_state`; a trial does not save them.
    pub changed_blocks: BTreeMap<String, String>,
    /// `{landlock, seccomp, network_granted, network_blocked, signals_scoped, processes, memory_bytes, root, gaps}`
    pub confinement: Value,
    pub duration_ms: i64,
}

/// Runs it; the events come from what is returned. Dropping that stops it.
///
/// # Errors
/// 422 for what is malformed, 400 for a language that cannot be run, 404 for a tool or agent that is not there.
pub async fn try_tool(app: &App, trial: Trial) -> Answer<mpsc::Receiver<TrialEvent>> {
    check_requirements("pip_requirements", Some(&trial.pip_requirements))?;
    check_requirements("npm_requirements", Some(&trial.npm_requirements))?;
    loci_api::agent::check_secrets(&trial.env_vars)?;
    check_timeout(trial.timeout_seconds)?;
    check_memory(trial.memory_mb)?;
    let kind = tools::source_type(trial.source_type.as_deref())?;
    let (mut env, agent_state) = of_agent(app, &trial).await?;
    let tried = tried(trial.tool_id.as_deref())?;
    env.extend(stored_variables(app, &tried).await?);
    env.extend(trial.env_vars.clone());
    let (watcher, mut seen) = mpsc::channel(BACKLOG);
    let request = RunRequest {
        tool_id: trial.tool_id.clone().unwrap_or_default(),
        agent_id: trial.agent_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        function: trial.name.clone(),
        env,
        network: trial.network,
        timeout: trial.timeout_seconds.map(|seconds| Duration::from_secs(seconds.into())),
        memory_bytes: trial.memory_mb.map(bytes),
        pip_requirements: trial.pip_requirements.clone(),
        npm_requirements: trial.npm_requirements.clone(),
        watcher: Some(watcher),
        agent_state,
        ..RunRequest::new(kind, trial.source_code.clone(), trial.args.clone())
    };
    let (events, receiver) = mpsc::channel(BACKLOG);
    let app = app.clone();
    let owner = app.runs().clone();
    owner.spawn(async move {
        let running = app.sandbox().run(request);
        tokio::pin!(running);
        let result = loop {
            tokio::select! {
                biased;
                Some(event) = seen.recv() => {
                    if events.send(TrialEvent::from(event)).await.is_err() {
                        return;
                    }
                }
                result = &mut running => break result,
                // Nobody watches any more: what runs is dropped, and with it stopped.
                () = events.closed() => return,
            }
        };
        while let Ok(event) = seen.try_recv() {
            if events.send(TrialEvent::from(event)).await.is_err() {
                return;
            }
        }
        let told = told(&result);
        note(&app, tried, trial, &result).await;
        // Err: whoever watched has just gone.
        let _unwatched = events.send(told).await;
    });
    Ok(receiver)
}

/// Whose source it is, by the tool's id; 422 for what is none.
fn tried(tool_id: Option<&str>) -> Result<Tried, ApiError> {
    Ok(match tool_id {
        None => Tried::New,
        Some(id) if id.starts_with(client_tool::ID_PREFIX) => Tried::Own(id.to_owned()),
        Some(id) => Tried::Tool(id.parse()?),
    })
}

/// The variables of the stored tool, secrets among them.
async fn stored_variables(app: &App, tried: &Tried) -> Answer<BTreeMap<String, String>> {
    let variables = match tried {
        Tried::New => Ok(BTreeMap::new()),
        Tried::Tool(id) => {
            let of = id.clone();
            app.store().try_read(move |conn| tools::require(conn, &of)).await?;
            Grants::of(app, id).await.map(|grants| grants.env)
        }
        Tried::Own(id) => {
            let of = id.clone();
            let found = app.store().read(move |conn| client_tool::get(conn, &of)).await?;
            let tool = found.ok_or_else(|| ApiError::not_found("There is no such client tool."))?;
            let kept_as = |name: &str| secrets::of_own_tool(id, name);
            let values = secrets::values(&*app.secrets(), &tool.secret_names, kept_as).await;
            values.map(|values| tool.env.into_iter().chain(values).collect())
        }
    };
    Ok(variables.map_err(|why| ApiError::bad_request(format!("The tool: {why}.")))?)
}

/// The variables of the agent it is tried for, and the agent itself for a function that is given it.
async fn of_agent(app: &App, trial: &Trial) -> Answer<(BTreeMap<String, String>, Option<Value>)> {
    let Some(id) = trial.agent_id.clone() else { return Ok((BTreeMap::new(), None)) };
    let given = Seen::wanted(&trial.source_code);
    let (variables, state) = app
        .store()
        .try_read(move |conn| {
            state::require(conn, &id)?;
            let variables = Variables::read(conn, &id)?;
            let seen = if given { Seen::read(conn, &Thread::new(id, None))? } else { Seen::default() };
            Ok::<_, Failure>((variables, seen.state))
        })
        .await?;
    let values = variables.values(app).await;
    match values.lacking(&trial.source_code) {
        Some(why) => Err(ApiError::bad_request(format!("The tool cannot be tried: {why}.")).into()),
        None => Ok((values.env.clone(), state)),
    }
}

impl From<RunEvent> for TrialEvent {
    fn from(event: RunEvent) -> Self {
        match event {
            RunEvent::Installing { packages } => Self::Installing { packages },
            RunEvent::InstallLine(line) => Self::InstallLine { line },
            RunEvent::Installed => Self::Installed,
            RunEvent::Stdout(text) => Self::Stdout { text },
            RunEvent::Stderr(text) => Self::Stderr { text },
        }
    }
}

fn millis(result: &RunResult) -> i64 {
    i64::try_from(result.duration.as_millis()).unwrap_or(i64::MAX)
}

fn told(result: &RunResult) -> TrialEvent {
    TrialEvent::Result(Box::new(TrialResult {
        status: result.status,
        value: result.value.clone(),
        stdout: result.stdout.clone(),
        stderr: result.stderr.clone(),
        changed_blocks: result.changed_blocks.clone(),
        confinement: json!(result.confinement),
        duration_ms: millis(result),
    }))
}

/// Keeps the trial for the list. Failing to is no failure of the trial.
async fn note(app: &App, tried: Tried, trial: Trial, result: &RunResult) {
    let shown = match &result.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let run = ToolTestRun {
        tried,
        name: trial.name,
        arguments: trial.args,
        success: result.status == RunStatus::Success,
        result: shown.chars().take(KEPT_CHARS).collect(),
        confinement: json!(result.confinement),
        duration_ms: millis(result),
        at: Timestamp::now(),
    };
    if let Err(error) = app.store().write(move |tx| tool_test_run::insert(tx, &run)).await {
        tracing::warn!(%error, "a trial of a tool was not noted");
    }
}

/// What this machine can run tools with, as the workshop shows it.
pub async fn interpreters(app: &App) -> Value {
    app.sandbox().interpreters().await
}
