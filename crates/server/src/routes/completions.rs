//! Asking an agent's model something beside its conversation: nothing of it enters the history.

use axum::{Json, Router, extract::State, routing::post};
use loci_api::{
    chat::{ChatMessage, ChatRequest, ToolChoice},
    error::ApiError,
    ids::AgentId,
    message::ContentPart,
    resource::UsageStatistics,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::messages::default_thread;
use crate::{
    App,
    complete::complete,
    error::{Answer, Failure},
    extract::{JsonBody, Segments},
    runs,
    usage::{Spender, UsageKind},
};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/agents/{agent_id}/generate", post(generate))
}

#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub(crate) struct GenerateRequest {
    prompt: String,
    #[serde(default)]
    system_prompt: Option<String>,
    /// `provider/model`, instead of the agent's.
    #[serde(default)]
    override_model: Option<String>,
    /// A JSON Schema the answer has to follow.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    response_schema: Option<Map<String, Value>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GenerateResponse {
    content: String,
    /// The handle that answered.
    model: String,
    usage: UsageStatistics,
}

/// Asks the agent's model one thing. The agent's memory and messages are not part of it and do not change.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/generate", operation_id = "generate_completion", tag = "agents",
    params(("agent_id" = String, Path)), request_body = GenerateRequest,
    responses((status = 200, body = GenerateResponse)))]
pub(crate) async fn generate(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<GenerateRequest>,
) -> Answer<Json<GenerateResponse>> {
    let id: AgentId = id.parse()?;
    if request.prompt.trim().is_empty() {
        return Err(ApiError::validation("body.prompt: must not be empty").into());
    }
    let spender = Spender { agent_id: Some(id.clone()), ..Spender::nobody(UsageKind::Other) };
    let thread = default_thread(&app, id).await?;
    let facts = runs::facts(&app, &thread, request.override_model.as_deref()).await?;
    let mut options = facts.options.clone();
    options.response_format = request.response_schema.map(|schema| {
        json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}})
    });
    let system = request.system_prompt.filter(|text| !text.is_empty());
    let mut messages: Vec<ChatMessage> =
        system.into_iter().map(|text| ChatMessage::System { text }).collect();
    messages.push(ChatMessage::User { content: vec![ContentPart::text(request.prompt)] });
    let model = facts.model.handle.clone();
    let asked = ChatRequest {
        handle: model.clone(),
        messages,
        tools: Vec::new(),
        tool_choice: ToolChoice::None,
        parallel_tool_calls: false,
        options,
        stream: false,
    };
    let done = complete(&app, asked, spender).await.map_err(|error| Failure::from(&error))?;
    let mut usage = UsageStatistics::none();
    usage.add(&done.usage);
    Ok(Json(GenerateResponse { content: done.text, model, usage }))
}
