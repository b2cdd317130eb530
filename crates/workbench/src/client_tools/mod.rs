//! Tools that run on this person's machine, only after they allowed the call; and where each agent may use them.

mod folder;
mod read_file;

use axum::{
    Json as Answer, Router,
    extract::{Query, State},
    routing::{get, put},
};
use loci_api::{chat::ToolSpec, error::ApiError, ids::AgentId, time::Timestamp};
use loci_server::error::Failure;
use loci_store::{Connection, StoreError, table::setting};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use self::folder::Folder;
use crate::{Desk, desk::LOCAL, events::Event, extract::Json};

/// A tool: what the model is told, what the person is shown, what happens.
pub(crate) struct ClientTool {
    pub name: &'static str,
    pub spec: fn() -> ToolSpec,
    /// One line of where the call would reach, without doing anything. Blocking.
    pub preview: fn(&Folder, &Map<String, Value>) -> String,
    /// `Err` is a failed call, told to the model. Blocking.
    pub run: fn(&Folder, &Map<String, Value>) -> Result<String, String>,
}

const TOOLS: &[ClientTool] = &[ClientTool {
    name: read_file::NAME,
    spec: read_file::spec,
    preview: read_file::preview,
    run: read_file::run,
}];

pub(crate) fn find(name: &str) -> Option<&'static ClientTool> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// What is offered with a message when the agent has a folder.
pub(crate) fn specs() -> Vec<ToolSpec> {
    TOOLS.iter().map(|tool| (tool.spec)()).collect()
}

fn key(agent_id: &AgentId) -> String {
    format!("client_tools/{LOCAL}/{agent_id}/folder")
}

/// The folder this agent may use, if one was chosen.
pub(crate) fn folder_of(conn: &Connection, agent_id: &AgentId) -> Result<Option<Folder>, StoreError> {
    let stored = setting::get(conn, &key(agent_id))?;
    Ok(stored.and_then(|value| value.as_str().map(str::to_owned)).map(Folder::stored))
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/client-tools", get(list)).route("/client-tools/folder", put(choose))
}

#[derive(Deserialize)]
struct Which {
    agent_id: String,
}

#[derive(Serialize)]
struct Offered {
    tools: Vec<ToolSpec>,
    folder: Option<String>,
}

impl Offered {
    fn with(folder: Option<&Folder>) -> Answer<Self> {
        Answer(Self { tools: specs(), folder: folder.map(Folder::text) })
    }
}

async fn list(State(desk): State<Desk>, Query(which): Query<Which>) -> Result<Answer<Offered>, Failure> {
    let agent_id: AgentId = which.agent_id.parse()?;
    let folder = desk.app().store().read(move |conn| folder_of(conn, &agent_id)).await?;
    Ok(Offered::with(folder.as_ref()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    agent_id: AgentId,
    /// Null takes the folder away again.
    folder: Option<String>,
}

async fn choose(State(desk): State<Desk>, Json(choice): Json<Choice>) -> Result<Answer<Offered>, Failure> {
    let folder = match choice.folder {
        None => None,
        Some(text) => {
            let chosen = tokio::task::spawn_blocking(move || Folder::choose(&text)).await;
            Some(chosen.map_err(anyhow::Error::from)?.map_err(ApiError::bad_request)?)
        }
    };
    let (agent_id, kept) = (choice.agent_id.clone(), folder.clone());
    desk.app()
        .store()
        .write(move |tx| match kept {
            Some(folder) => setting::set(tx, &key(&agent_id), &folder.text().into(), Timestamp::now()),
            None => setting::delete(tx, &key(&agent_id)).map(drop),
        })
        .await?;
    desk.events().tell(Event::AgentChanged { agent_id: Some(choice.agent_id.to_string()) });
    Ok(Offered::with(folder.as_ref()))
}
