//! Client tools people wrote themselves, in Python or TypeScript: kept by this desk, run confined on this machine,
//! whatever server the agent lives on.

mod variables;
mod versions;

use std::collections::BTreeMap;

use axum::{
    Json as Answer, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{get, post, put},
};
use loci_api::{error::ApiError, resource::Requirement, time::Timestamp};
use loci_server::{
    confined::{RunRequest, RunStatus, SourceType, bytes, check_memory, derive},
    error::Failure,
};
use loci_store::{
    Connection, StoreError,
    table::{
        client_tool::{self, OwnTool},
        client_tool_choice,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Done, TOOLS, Task};
use crate::{
    Desk,
    events::Event,
    extract::{Json, given},
    sentences::{Approval, Machine},
};

const DEFAULT_SECONDS: u32 = 60;
const MOST_SECONDS: u32 = 600;
/// Bytes of a source.
const LARGEST_SOURCE: usize = 1 << 20;
/// Characters told to the model of what a tool printed.
const MOST_PRINTED: usize = 10_000;

/// One line of what a call would do.
pub(super) fn preview(tool: &OwnTool) -> Approval {
    let language = tool.source_type.clone();
    match tool.network {
        true => Approval::ReachOwnNetwork { language },
        false => Approval::ReachOwn { language },
    }
}

/// Runs a call, confined to the first folder opened for writing, or to one of its own.
pub(crate) async fn run(tool: &OwnTool, task: &Task) -> Done {
    let source_type = match SourceType::parse(Some(&tool.source_type)) {
        Ok(source_type) => source_type,
        Err(unknown) => return Done::from(Err(format!("{} could not run: {unknown}", tool.name))),
    };
    let env = match variables::of(&task.desk, tool).await {
        Ok(env) => env,
        Err(why) => return Done::from(Err(format!("{} could not run: {why}.", tool.name))),
    };
    let folder = task.place.folders().iter().find(|opened| !opened.read_only);
    let request = RunRequest {
        tool_id: tool.id.clone(),
        agent_id: task.agent_id.clone(),
        function: Some(tool.name.clone()),
        env,
        network: tool.network,
        timeout: Some(std::time::Duration::from_secs(tool.timeout_seconds.into())),
        memory_bytes: tool.memory_mb.map(bytes),
        pip_requirements: tool.pip_requirements.clone(),
        npm_requirements: tool.npm_requirements.clone(),
        work_dir: folder.map(|opened| opened.folder.path().to_owned()),
        ..RunRequest::new(source_type, tool.source_code.clone(), task.arguments.clone())
    };
    let running = super::run_watched(task, request);
    let result = tokio::select! {
        result = running => result,
        () = task.call.stopped() => return Done::from(Err("The person stopped the call.".to_owned())),
    };
    let confinement = result.confined();
    let printed: String = result.stdout.concat().chars().take(MOST_PRINTED).collect();
    let value = match result.value {
        Value::Null => "None".to_owned(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    let whole = if printed.is_empty() { value } else { format!("{value}\n[printed]\n{printed}") };
    let result = match result.status {
        RunStatus::Success => Ok(whole),
        RunStatus::Error => Err(whole),
    };
    Done { result, confinement }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/own-tools", get(list).post(create))
        .route("/own-tools/{id}", get(read).patch(change).delete(remove))
        .route("/own-tools/{id}/variables", put(variables::replace))
        .route("/own-tools/{id}/versions", get(versions::list))
        .route("/own-tools/{id}/versions/{version}/restore", post(versions::restore))
        .route("/own-tools/{id}/runs", get(versions::runs))
}

/// A tool as it is shown: values of secrets are never part of it.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    source_type: String,
    source_code: String,
    json_schema: Value,
    pip_requirements: Vec<Requirement>,
    npm_requirements: Vec<Requirement>,
    read_only: bool,
    network: bool,
    timeout_seconds: u32,
    /// Null: the server's own limit.
    memory_mb: Option<u32>,
    env: BTreeMap<String, String>,
    secret_names: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<OwnTool> for Shown {
    fn from(tool: OwnTool) -> Self {
        Self {
            id: tool.id,
            name: tool.name,
            source_type: tool.source_type,
            source_code: tool.source_code,
            json_schema: tool.json_schema,
            pip_requirements: tool.pip_requirements,
            npm_requirements: tool.npm_requirements,
            read_only: tool.read_only,
            network: tool.network,
            timeout_seconds: tool.timeout_seconds,
            memory_mb: tool.memory_mb,
            env: tool.env,
            secret_names: tool.secret_names,
            created_at: tool.created_at,
            updated_at: tool.updated_at,
        }
    }
}

/// What of a tool is set; what is left out of a change stays.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    source_type: Option<String>,
    source_code: Option<String>,
    /// The parameters as a JSON Schema, instead of those of the source.
    parameters: Option<Map<String, Value>>,
    pip_requirements: Option<Vec<Requirement>>,
    npm_requirements: Option<Vec<Requirement>>,
    read_only: Option<bool>,
    network: Option<bool>,
    timeout_seconds: Option<u32>,
    /// Null: the server's own limit.
    #[serde(default, deserialize_with = "given")]
    memory_mb: Option<Option<u32>>,
}

impl Given {
    /// The tool with what is given, checked; its name and schema come from the source.
    fn apply(self, mut tool: OwnTool) -> Result<OwnTool, ApiError> {
        let source_changed = self.source_code.is_some() || self.source_type.is_some();
        tool.source_type = self.source_type.unwrap_or(tool.source_type);
        tool.source_code = self.source_code.unwrap_or(tool.source_code);
        tool.pip_requirements = self.pip_requirements.unwrap_or(tool.pip_requirements);
        tool.npm_requirements = self.npm_requirements.unwrap_or(tool.npm_requirements);
        tool.read_only = self.read_only.unwrap_or(tool.read_only);
        tool.network = self.network.unwrap_or(tool.network);
        tool.timeout_seconds = self.timeout_seconds.unwrap_or(tool.timeout_seconds);
        tool.memory_mb = self.memory_mb.unwrap_or(tool.memory_mb);
        if tool.source_code.len() > LARGEST_SOURCE {
            return Err(ApiError::bad_request(Machine::OwnToolLarge { most: LARGEST_SOURCE }));
        }
        if !(1..=MOST_SECONDS).contains(&tool.timeout_seconds) {
            return Err(ApiError::bad_request(Machine::OwnToolSeconds { most: MOST_SECONDS }));
        }
        check_memory(tool.memory_mb)?;
        loci_api::tool::check_requirements("pip_requirements", Some(&tool.pip_requirements))?;
        loci_api::tool::check_requirements("npm_requirements", Some(&tool.npm_requirements))?;
        if source_changed || self.parameters.is_some() {
            let derived = derive(&tool.source_type, &tool.source_code, self.parameters.as_ref())?;
            tool.name = derived.name;
            tool.json_schema = Value::Object(derived.json_schema);
        }
        refuse_name(&tool.name)?;
        Ok(tool)
    }
}

/// 409 for the name of a tool that is built in.
fn refuse_name(name: &str) -> Result<(), ApiError> {
    if TOOLS.iter().any(|built_in| built_in.name == name) {
        return Err(ApiError::conflict(Machine::OwnToolName { name: name.to_owned() }));
    }
    Ok(())
}

fn missing() -> ApiError {
    ApiError::not_found(Machine::OwnToolUnknown)
}

/// Stores a tool. The agents it is offered to keep it under its new name; a new tool is offered to nobody yet.
fn write(tx: &Connection, tool: &OwnTool) -> Result<(), StoreError> {
    let before = client_tool::get(tx, &tool.id)?.map(|tool| tool.name);
    client_tool::upsert(tx, tool)?;
    match before {
        Some(before) if before == tool.name => Ok(()),
        Some(before) => client_tool_choice::rename(tx, &before, &tool.name),
        None => client_tool_choice::forget(tx, &tool.name),
    }
}

async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Shown>>, Failure> {
    let tools = desk.app().store().read(client_tool::list).await?;
    Ok(Answer(tools.into_iter().map(Shown::from).collect()))
}

async fn find(desk: &Desk, id: &str) -> Result<OwnTool, Failure> {
    let wanted = id.to_owned();
    let found = desk.app().store().read(move |conn| client_tool::get(conn, &wanted)).await?;
    Ok(found.ok_or_else(missing)?)
}

async fn read(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Shown>, Failure> {
    Ok(Answer(find(&desk, &id).await?.into()))
}

async fn create(State(desk): State<Desk>, Json(given): Json<Given>) -> Result<Answer<Shown>, Failure> {
    if given.source_code.is_none() {
        return Err(ApiError::validation("source_code is missing.").into());
    }
    let now = Timestamp::now();
    let empty = OwnTool {
        id: format!("{}{}", client_tool::ID_PREFIX, uuid::Uuid::new_v4()),
        name: String::new(),
        source_type: SourceType::Python.as_str().to_owned(),
        source_code: String::new(),
        json_schema: Value::Null,
        pip_requirements: Vec::new(),
        npm_requirements: Vec::new(),
        read_only: false,
        network: false,
        timeout_seconds: DEFAULT_SECONDS,
        memory_mb: None,
        env: BTreeMap::new(),
        secret_names: Vec::new(),
        created_at: now,
        updated_at: now,
    };
    let tool = applied(given, empty).await?;
    let kept = tool.clone();
    desk.app().store().write(move |tx| write(tx, &kept)).await?;
    desk.events().tell(Event::ClientToolChanged);
    Ok(Answer(tool.into()))
}

/// How often a change is made anew because the tool was changed meanwhile.
const TRIES: usize = 5;

async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(given): Json<Given>,
) -> Result<Answer<Shown>, Failure> {
    for _ in 0..TRIES {
        let before = find(&desk, &id).await?;
        let tool = applied(given.clone(), OwnTool { updated_at: Timestamp::now(), ..before.clone() }).await?;
        let kept = tool.clone();
        // What somebody else changed meanwhile is not undone, and what they deleted does not come back.
        let same = desk.app().store().write(move |tx| {
            let same = client_tool::get(tx, &kept.id)?.as_ref() == Some(&before);
            if same {
                write(tx, &kept)?;
            }
            Ok(same)
        });
        if same.await? {
            desk.events().tell(Event::ClientToolChanged);
            return Ok(Answer(tool.into()));
        }
    }
    Err(ApiError::conflict("The tool is being changed by others. Look at it again.").into())
}

/// The tool with what is given. Reading a source takes time that grows with it.
async fn applied(given: Given, tool: OwnTool) -> Result<OwnTool, Failure> {
    Ok(tokio::task::spawn_blocking(move || given.apply(tool)).await.map_err(anyhow::Error::from)??)
}

async fn remove(State(desk): State<Desk>, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    let gone = desk
        .app()
        .store()
        .write(move |tx| {
            let Some(tool) = client_tool::get(tx, &id)? else { return Ok(None) };
            client_tool_choice::forget(tx, &tool.name)?;
            client_tool::delete(tx, &id)?;
            Ok(Some(tool))
        })
        .await?
        .ok_or_else(missing)?;
    variables::forget(&desk, &gone).await;
    desk.events().tell(Event::ClientToolChanged);
    Ok(StatusCode::NO_CONTENT)
}
