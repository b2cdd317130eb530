//! `/workbench/client-tools`: what an agent is offered of this machine, and where it may use it.

use axum::{
    Json as Answer, Router,
    extract::{Query, State},
    http::HeaderMap,
    routing::{get, post, put},
};
use loci_api::{
    chat::ToolSpec,
    error::ApiError,
    ids::{AgentId, ConversationId},
    said::Said,
};
use loci_server::error::Failure;
use loci_store::table::{
    client_tool_choice, tool,
    work_folder::{self, WorkFolder},
};
use serde::{Deserialize, Serialize};

use super::{Folder, Kit, Tool, own, running};
use crate::{Desk, connections::Unnamed, desk::LOCAL, events::Event, extract::Json, sentences::Machine};

const MOST_FOLDERS: usize = 10;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/client-tools", get(list))
        .route("/client-tools/folder", put(choose))
        .route("/client-tools/folders", put(choose_all))
        .route("/client-tools/offered", get(chosen).put(offer))
        .route("/client-calls", get(running::list))
        .route("/client-calls/{tool_call_id}/output", get(running::output))
        .route("/client-calls/{tool_call_id}/stop", post(running::stop))
        .merge(own::routes())
}

#[derive(Deserialize)]
struct Which {
    agent_id: String,
    #[serde(default)]
    conversation_id: Option<String>,
    #[serde(default)]
    connection: Option<String>,
}

/// What an agent has.
#[derive(Serialize)]
struct Offered {
    /// What to send with its next message as `client_tools`.
    tools: Vec<ToolSpec>,
    /// The first folder.
    folder: Option<String>,
    folders: Vec<ShownFolder>,
    /// Every tool there is.
    catalogue: Vec<Entry>,
}

#[derive(Serialize)]
struct ShownFolder {
    path: String,
    read_only: bool,
}

#[derive(Serialize)]
struct Entry {
    name: String,
    description: String,
    origin: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Whether the person wants the agent to have it; it still needs a folder if it needs one.
    offered: bool,
    by_itself: bool,
    read_only: bool,
    dangerous: bool,
    needs_folder: bool,
    /// The agent's server tool of the same name that the model does not see while this one is offered.
    shadows: Option<String>,
    problem: Option<Said>,
}

async fn answer(
    desk: &Desk,
    connection: String,
    agent_id: AgentId,
    conversation_id: Option<ConversationId>,
) -> Result<Answer<Offered>, Failure> {
    let (kit, server_tools) = desk
        .app()
        .store()
        .read(move |conn| {
            let kit = Kit::load(conn, &connection, &agent_id, conversation_id.as_ref())?;
            let server =
                if connection == LOCAL { tool::list_for_agent(conn, &agent_id)? } else { Vec::new() };
            Ok((kit, server))
        })
        .await?;
    let entry = |tool: Tool| {
        let spec = tool.spec();
        let shadows = server_tools.iter().find(|server| server.name.as_deref() == Some(tool.name()));
        Entry {
            description: spec.description,
            origin: match &tool {
                Tool::BuiltIn(_) => "built_in",
                Tool::Own(_) => "own",
            },
            id: match &tool {
                Tool::BuiltIn(_) => None,
                Tool::Own(own) => Some(own.id.clone()),
            },
            offered: kit.chosen(&tool),
            by_itself: tool.by_itself(),
            read_only: tool.read_only(),
            dangerous: tool.dangerous(),
            needs_folder: tool.needs_folder(),
            shadows: shadows.map(|server| server.id.to_string()),
            problem: (kit.chosen(&tool) && !kit.offers(&tool)).then(|| Machine::OfferedWithFolder.into()),
            name: spec.name,
        }
    };
    let folders: Vec<ShownFolder> = kit
        .place
        .folders()
        .iter()
        .map(|one| ShownFolder { path: one.folder.text(), read_only: one.read_only })
        .collect();
    Ok(Answer(Offered {
        tools: kit.specs(),
        folder: folders.first().map(|folder| folder.path.clone()),
        folders,
        catalogue: kit.tools().map(entry).collect(),
    }))
}

/// The connection a request is about: the one it names, by a parameter or as all requests may, else the one that is
/// meant where nothing is said.
async fn meant(desk: &Desk, named: Option<String>, headers: &HeaderMap) -> Result<String, Failure> {
    if let Some(named) = named {
        return Ok(named);
    }
    let otherwise = match desk.options().transport {
        "window" => Unnamed::Selected,
        _ => Unnamed::Local,
    };
    desk.named(headers, otherwise).await
}

async fn list(
    State(desk): State<Desk>,
    Query(which): Query<Which>,
    headers: HeaderMap,
) -> Result<Answer<Offered>, Failure> {
    let agent_id: AgentId = which.agent_id.parse()?;
    let conversation = which.conversation_id.filter(|id| id != "default");
    let conversation = conversation.map(|id| id.parse()).transpose()?;
    answer(&desk, meant(&desk, which.connection, &headers).await?, agent_id, conversation).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    agent_id: AgentId,
    #[serde(default)]
    connection: Option<String>,
    /// Null takes the folder away again.
    folder: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choices {
    agent_id: AgentId,
    #[serde(default)]
    connection: Option<String>,
    /// With it, the folders of one conversation, in the place of the agent's.
    #[serde(default)]
    conversation_id: Option<ConversationId>,
    folders: Vec<ChosenFolder>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChosenFolder {
    path: String,
    #[serde(default)]
    read_only: bool,
}

async fn choose(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(choice): Json<Choice>,
) -> Result<Answer<Offered>, Failure> {
    let folders = choice.folder.into_iter().map(|path| ChosenFolder { path, read_only: false }).collect();
    let Choice { agent_id, connection, .. } = choice;
    keep(desk, &headers, Choices { agent_id, connection, conversation_id: None, folders }).await
}

async fn choose_all(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(choices): Json<Choices>,
) -> Result<Answer<Offered>, Failure> {
    keep(desk, &headers, choices).await
}

async fn keep(desk: Desk, headers: &HeaderMap, choices: Choices) -> Result<Answer<Offered>, Failure> {
    let Choices { agent_id, connection, conversation_id, folders } = choices;
    if folders.len() > MOST_FOLDERS {
        return Err(ApiError::bad_request(Machine::FolderTooMany { most: MOST_FOLDERS }).into());
    }
    let checked = tokio::task::spawn_blocking(move || {
        let mut kept: Vec<WorkFolder> = Vec::new();
        for ChosenFolder { path, read_only } in folders {
            let path = Folder::choose(&path)?.text();
            if kept.iter().any(|other| other.path == path) {
                return Err(Machine::FolderTwice { path });
            }
            kept.push(WorkFolder { path, read_only });
        }
        Ok(kept)
    });
    let folders = checked.await.map_err(anyhow::Error::from)?.map_err(ApiError::bad_request)?;
    let connection = meant(&desk, connection, headers).await?;
    let (place, agent, conversation) = (connection.clone(), agent_id.clone(), conversation_id.clone());
    desk.app()
        .store()
        .write(move |tx| work_folder::replace(tx, &place, &agent, conversation.as_ref(), &folders))
        .await?;
    desk.events().tell(Event::AgentChanged { agent_id: Some(agent_id.to_string()) });
    answer(&desk, connection, agent_id, conversation_id).await
}

#[derive(Deserialize)]
struct OfTool {
    tool: String,
    #[serde(default)]
    connection: Option<String>,
}

/// What a person chose about a tool for one agent.
#[derive(Serialize)]
struct Chosen {
    agent_id: AgentId,
    offered: bool,
}

/// The agents for which somebody chose about a tool; the others have it if it is offered by itself.
async fn chosen(
    State(desk): State<Desk>,
    Query(OfTool { tool, connection }): Query<OfTool>,
    headers: HeaderMap,
) -> Result<Answer<Vec<Chosen>>, Failure> {
    let connection = meant(&desk, connection, &headers).await?;
    let choices =
        desk.app().store().read(move |conn| client_tool_choice::of_tool(conn, &connection, &tool)).await?;
    let mut chosen: Vec<Chosen> =
        choices.into_iter().map(|(agent_id, offered)| Chosen { agent_id, offered }).collect();
    chosen.sort_by(|one, other| one.agent_id.cmp(&other.agent_id));
    Ok(Answer(chosen))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    agent_id: AgentId,
    #[serde(default)]
    connection: Option<String>,
    tool: String,
    /// Null goes back to what the tool does by itself.
    offered: Option<bool>,
}

async fn offer(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Json(offer): Json<Offer>,
) -> Result<Answer<Offered>, Failure> {
    let Offer { agent_id, connection, tool: name, offered } = offer;
    let connection = meant(&desk, connection, &headers).await?;
    let (place, agent) = (connection.clone(), agent_id.clone());
    let known = desk
        .app()
        .store()
        .write(move |tx| {
            let known = Kit::load(tx, &place, &agent, None)?.find(&name).is_some();
            if known {
                client_tool_choice::set(tx, &place, &agent, &name, offered)?;
            }
            Ok(known)
        })
        .await?;
    if !known {
        return Err(ApiError::not_found(Machine::OwnToolUnknown).into());
    }
    desk.events().tell(Event::AgentChanged { agent_id: Some(agent_id.to_string()) });
    answer(&desk, connection, agent_id, None).await
}
