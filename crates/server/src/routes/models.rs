//! The models agents can use: what the configured providers offer.

use axum::{Json, Router, extract::State, routing::get};
use loci_llm::{EmbeddingInfo, ModelInfo};
use serde_json::{Value, json};

use crate::{App, error::Answer, extract::Params};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/models", get(list)).route("/models/embedding", get(embeddings))
}

/// Lists the chat models that can be reached. The first entry is the default of clients that do not ask.
#[utoipa::path(get, path = "/v1/models/", operation_id = "list_models", tag = "models",
    params(
        ("provider_category" = Option<Vec<String>>, Query), ("provider_name" = Option<String>, Query),
        ("provider_type" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Object>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Value>>> {
    let categories = params.words("provider_category");
    let models = app.models().list().await;
    let shown = models
        .iter()
        .filter(|model| categories.is_empty() || categories.contains(&model.category.as_str()))
        .filter(|model| params.text("provider_name").is_none_or(|name| name == model.provider_name))
        .filter(|model| params.text("provider_type").is_none_or(|kind| kind == model.provider_type))
        .map(model)
        .collect();
    Ok(Json(shown))
}

/// Lists the embedding models that can be reached.
#[utoipa::path(get, path = "/v1/models/embedding", operation_id = "list_embedding_models", tag = "models",
    responses((status = 200, body = Vec<Object>)))]
pub(crate) async fn embeddings(State(app): State<App>) -> Answer<Json<Vec<Value>>> {
    Ok(Json(app.models().list_embeddings().await.iter().map(embedding).collect()))
}

fn model(model: &ModelInfo) -> Value {
    json!({
        "handle": model.handle,
        "name": model.model,
        "display_name": model.display_name,
        "provider_type": model.provider_type,
        "provider_name": model.provider_name,
        "model_type": "llm",
        "model": model.model,
        "model_endpoint_type": model.endpoint_type,
        "model_endpoint": model.endpoint,
        "provider_category": model.category,
        "model_wrapper": null,
        "context_window": model.context_window,
        "put_inner_thoughts_in_kwargs": false,
        "temperature": 1.0,
        "max_tokens": model.max_output_tokens,
        "enable_reasoner": model.reasons,
        "reasoning_effort": null,
        "max_reasoning_tokens": 0,
        "effort": null,
        "frequency_penalty": null,
        "compatibility_type": null,
        "verbosity": null,
        "tier": null,
        "parallel_tool_calls": false,
        "response_format": null,
        "strict": false,
        "return_logprobs": false,
        "top_logprobs": null,
        "return_token_ids": false,
        "tool_call_parser": null,
        "max_context_window": model.context_window,
        // Beyond the contract; clients that do not know them pass them over.
        "possible_context_window": model.max_context_window,
        "context_window_source": model.window_source,
        "capabilities": model.capabilities,
        "price": model.price,
    })
}

fn embedding(model: &EmbeddingInfo) -> Value {
    json!({
        "handle": model.handle,
        "name": model.model,
        "display_name": model.display_name,
        "provider_type": model.provider_type,
        "provider_name": model.provider_name,
        "model_type": "embedding",
        "embedding_endpoint_type": model.endpoint_type,
        "embedding_endpoint": model.endpoint,
        "embedding_model": model.model,
        "embedding_dim": model.dimensions,
        "embedding_chunk_size": 300,
        "batch_size": 32,
        "azure_endpoint": null,
        "azure_version": null,
        "azure_deployment": null,
    })
}
