//! Messages of all agents: listed, and found by what they say.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId},
    message::{ContentPart, Message, Role},
    summary,
    time::Timestamp,
    wire::{self, LettaMessage, MessageType},
};
use loci_store::table::{
    message::{MessageFilter, ThreadFilter},
    message_search::{self, Search},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    context::row,
    messages::{listed, view},
    steps::at,
};
use crate::{
    App,
    error::Answer,
    extract::{JsonBody, Params},
    page::{Defaults, page},
};

/// Results of one search.
const MOST: u32 = 1_000;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/messages", get(list))
        .route("/messages/search", post(search))
        .route("/agents/messages/search", post(search_rows))
}

/// Lists messages of all agents, newest first unless `order=asc`.
#[utoipa::path(get, path = "/v1/messages/", operation_id = "list_all_messages", tag = "messages",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("conversation_id" = Option<String>, Query),
        ("include_return_message_types" = Option<Vec<MessageType>>, Query),
    ),
    responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<LettaMessage>>> {
    let view = view(&params)?;
    let filter = MessageFilter {
        thread: thread(params.text("conversation_id"))?,
        roles: wire::roles_of(view.types.as_deref()),
        ..MessageFilter::default()
    };
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    Ok(Json(listed(&app, filter, page, &view).await?))
}

fn thread(conversation: Option<&str>) -> Answer<ThreadFilter> {
    Ok(match conversation {
        None => ThreadFilter::Any,
        Some("default") => ThreadFilter::Default,
        Some(id) => ThreadFilter::Conversation(id.parse::<ConversationId>()?),
    })
}

/// What is looked for. Words are found by full text in every mode; there are no vectors of messages.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct SearchRequest {
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    search_mode: SearchMode,
    #[serde(default)]
    roles: Option<Vec<Role>>,
    #[serde(default)]
    agent_id: Option<String>,
    #[serde(default)]
    conversation_id: Option<String>,
    #[serde(default)]
    limit: Option<i64>,
    /// ISO 8601; a date alone is its whole day.
    #[serde(default)]
    start_date: Option<String>,
    #[serde(default)]
    end_date: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum SearchMode {
    Vector,
    Fts,
    #[default]
    Hybrid,
}

impl SearchRequest {
    fn search(&self, roles: Vec<Role>) -> Answer<Search> {
        let limit = self.limit.unwrap_or(50);
        let limit =
            u32::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| {
                ApiError::validation(format!("body.limit: Input should be a number from 1 to {MOST}"))
            })?;
        let moment = |key: &str, text: Option<&String>, end: bool| -> Answer<Option<Timestamp>> {
            text.map(|text| {
                at(text, end).ok_or_else(|| {
                    ApiError::validation(format!("body.{key}: expected a date and time in ISO 8601")).into()
                })
            })
            .transpose()
        };
        Ok(Search {
            agent_id: self.agent_id.as_ref().map(|id| id.parse::<AgentId>()).transpose()?,
            thread: thread(self.conversation_id.as_deref())?,
            query: self.query.clone().unwrap_or_default(),
            roles,
            start: moment("start_date", self.start_date.as_ref(), false)?,
            end: moment("end_date", self.end_date.as_ref(), true)?,
            limit,
        })
    }
}

async fn found(app: &App, search: Search) -> Answer<Vec<Message>> {
    Ok(app.store().read(move |conn| message_search::search(conn, &search)).await?)
}

/// A message as a search of all of them shows it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundMessage {
    message_type: MessageType,
    /// Text, or parts where there is more than text.
    #[schema(value_type = Object)]
    content: Value,
    message_id: String,
    agent_id: Option<String>,
    conversation_id: Option<String>,
    created_at: Timestamp,
}

impl FoundMessage {
    fn of(message: Message) -> Self {
        let images = message.content.iter().any(|part| matches!(part, ContentPart::Image { .. }));
        let content = match message.role {
            Role::Summary => json!(summary::unpack(&message.text()).text),
            _ if images => json!(message.content),
            Role::System | Role::User | Role::Assistant | Role::Tool | Role::Approval => {
                json!(message.text())
            }
        };
        Self {
            message_type: match message.role {
                Role::Assistant | Role::Approval | Role::Tool => MessageType::AssistantMessage,
                Role::System => MessageType::SystemMessage,
                Role::User | Role::Summary => MessageType::UserMessage,
            },
            content,
            message_id: message.id.to_string(),
            agent_id: Some(message.agent_id.to_string()),
            conversation_id: message.conversation_id.map(|id| id.to_string()),
            created_at: message.created_at,
        }
    }
}

/// Finds what was said in all conversations, best first.
#[utoipa::path(post, path = "/v1/messages/search", operation_id = "search_all_messages", tag = "messages",
    request_body = SearchRequest, responses((status = 200, body = Vec<FoundMessage>)))]
pub(crate) async fn search(
    State(app): State<App>,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Answer<Json<Vec<FoundMessage>>> {
    if request.query.is_none() {
        return Err(ApiError::validation("body.query: Field required").into());
    }
    let search = request.search(vec![Role::User, Role::Assistant, Role::Summary])?;
    Ok(Json(found(&app, search).await?.into_iter().map(FoundMessage::of).collect()))
}

/// A stored message that was found, with its place in the order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MessageSearchResult {
    /// What it was found by.
    embedded_text: String,
    #[schema(value_type = Object)]
    message: Value,
    /// From 1.
    fts_rank: Option<usize>,
    /// Always null: there are no vectors of messages.
    vector_rank: Option<usize>,
    rrf_score: f64,
}

/// Finds stored messages of agents, tool returns included, best first.
#[utoipa::path(post, path = "/v1/agents/messages/search", operation_id = "search_messages", tag = "agents",
    request_body = SearchRequest, responses((status = 200, body = Vec<MessageSearchResult>)))]
pub(crate) async fn search_rows(
    State(app): State<App>,
    JsonBody(request): JsonBody<SearchRequest>,
) -> Answer<Json<Vec<MessageSearchResult>>> {
    let search = request.search(request.roles.clone().unwrap_or_default())?;
    let found = found(&app, search).await?;
    let results = found.iter().zip(1_u32..).map(|(message, rank)| MessageSearchResult {
        embedded_text: match message.role {
            Role::Tool => {
                message.tool_returns.iter().map(|result| result.text()).collect::<Vec<_>>().join("\n")
            }
            Role::System | Role::User | Role::Assistant | Role::Approval | Role::Summary => message.text(),
        },
        message: row(message),
        fts_rank: usize::try_from(rank).ok(),
        vector_rank: None,
        // As reciprocal rank fusion with one list scores it.
        rrf_score: 1.0 / (60.0 + f64::from(rank)),
    });
    Ok(Json(results.collect()))
}
