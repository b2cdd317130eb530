//! Summarising the older messages of a thread on request: of an agent's default one, or of a conversation.

use axum::{Json, Router, extract::State, routing::post};
use loci_api::ids::AgentId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{conversation_messages, messages::default_thread};
use crate::{
    App,
    error::Answer,
    extract::{MaybeBody, Segments},
    runs,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents/{agent_id}/summarize", post(summarize))
        .route("/conversations/{conversation_id}/compact", post(compact))
}

/// What is wanted, for this time only.
#[derive(Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default)]
pub(crate) struct CompactionRequest {
    /// Whose default thread is meant where the path says `default`.
    agent_id: Option<String>,
    /// Over the agent's own settings.
    #[schema(value_type = Option<Object>)]
    compaction_settings: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CompactionResponse {
    summary: String,
    /// In the context window, the system message included.
    num_messages_before: usize,
    num_messages_after: usize,
}

impl From<runs::Compacted> for CompactionResponse {
    fn from(done: runs::Compacted) -> Self {
        Self {
            summary: done.summary,
            num_messages_before: done.num_messages_before,
            num_messages_after: done.num_messages_after,
        }
    }
}

/// Puts a summary in the place of the older messages of an agent's default thread. They stay in its history.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/summarize", operation_id = "summarize_messages", tag = "agents",
    params(("agent_id" = String, Path)), request_body = Option<CompactionRequest>,
    responses((status = 200, body = CompactionResponse)))]
pub(crate) async fn summarize(
    State(app): State<App>,
    Segments(id): Segments<String>,
    MaybeBody(body): MaybeBody<CompactionRequest>,
) -> Answer<Json<CompactionResponse>> {
    let id: AgentId = id.parse()?;
    let settings = body.unwrap_or_default().compaction_settings;
    let thread = default_thread(&app, id).await?;
    let done = runs::compact_thread(&app, &thread, settings.as_ref()).await?;
    Ok(Json(done.into()))
}

/// Puts a summary in the place of a conversation's older messages. They stay in its history.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/compact", operation_id = "compact_conversation",
    tag = "conversations", params(("conversation_id" = String, Path)),
    request_body = Option<CompactionRequest>, responses((status = 200, body = CompactionResponse)))]
pub(crate) async fn compact(
    State(app): State<App>,
    Segments(id): Segments<String>,
    MaybeBody(body): MaybeBody<CompactionRequest>,
) -> Answer<Json<CompactionResponse>> {
    let CompactionRequest { agent_id, compaction_settings } = body.unwrap_or_default();
    let agent_id = agent_id.map(|id| id.parse::<AgentId>()).transpose()?;
    let thread = conversation_messages::thread(&app, &id, agent_id).await?;
    let done = runs::compact_thread(&app, &thread, compaction_settings.as_ref()).await?;
    Ok(Json(done.into()))
}
