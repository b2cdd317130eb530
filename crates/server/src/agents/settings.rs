//! What creation and change have in common: resolving the model, its settings, compaction, and approval rules.

use loci_api::{
    agent::EmbeddingConfig,
    error::ApiError,
    resource::Tool,
    rules::{ToolRule, ToolRuleKind},
};
use loci_llm::ResolvedModel;
use serde_json::{Map, Value, json};

use crate::{App, error::Answer, model};

/// Tokens an agent uses of a bigger window unless told otherwise.
pub const DEFAULT_CONTEXT_WINDOW: i64 = 128_000;

/// The model of a handle.
///
/// # Errors
/// 400 for a handle without a slash, 404 naming what there is, and what to do if no provider is set up.
pub async fn resolve_model(app: &App, handle: &str) -> Answer<ResolvedModel> {
    model::check_handle("model", handle)?;
    let error = match app.models().resolve(handle) {
        Ok(model) => return Ok(model),
        Err(error) => error,
    };
    let known: Vec<String> =
        app.models().list().await.into_iter().take(50).map(|model| format!("'{}'", model.handle)).collect();
    Err(ApiError::not_found(format!(
        "NOT_FOUND: Handle {handle} not found, must be one of [{}]. {}",
        known.join(", "),
        error.message
    ))
    .into())
}

/// What is kept of an embedding handle; its provider need not be configured.
///
/// # Errors
/// 400 if it is not `provider/model`.
pub fn embedding(app: &App, handle: &str, chunk_size: Option<i64>) -> Answer<EmbeddingConfig> {
    model::check_handle("embedding", handle)?;
    let info = app.models().resolve_embedding(handle).map_err(|error| {
        ApiError::bad_request(format!("INVALID_ARGUMENT: Embedding model {handle} not found. {error}"))
    })?;
    Ok(model::embedding_config(&info, chunk_size))
}

/// The compaction settings of a new agent, or of one that changes: `given` over `existing` over the defaults.
#[must_use]
pub fn compaction(
    model: &ResolvedModel,
    existing: Option<&Map<String, Value>>,
    given: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    let summariser = match model.provider_type.as_str() {
        "openai" if model.provider_name == "openai" => "openai/gpt-5-mini",
        "anthropic" => "anthropic/claude-haiku-4-5",
        "google_ai" => "google_ai/gemini-2.5-flash",
        _ => model.handle.as_str(),
    };
    let mut all = Map::new();
    for (key, value) in [
        ("model", json!(summariser)),
        ("model_settings", Value::Null),
        ("prompt", Value::Null),
        ("prompt_acknowledgement", json!(false)),
        ("clip_chars", json!(50_000)),
        ("mode", json!("sliding_window")),
        ("sliding_window_percentage", json!(0.3)),
    ] {
        all.insert(key.to_owned(), value);
    }
    for source in [existing, given].into_iter().flatten() {
        for (key, value) in source {
            if all.contains_key(key) && !value.is_null() {
                all.insert(key.clone(), value.clone());
            }
        }
    }
    all
}

/// Adds an approval rule for every tool that asks for one, unless there is one already.
pub fn add_approval_rules<'a>(rules: &mut Vec<ToolRule>, tools: impl IntoIterator<Item = &'a Tool>) {
    for tool in tools {
        let Some(name) = tool.name.as_deref() else { continue };
        if tool.default_requires_approval == Some(true) && !requires_approval(rules, name) {
            rules.push(ToolRule::requires_approval(name));
        }
    }
}

/// Whether a person decides on every call of this tool.
#[must_use]
pub fn requires_approval(rules: &[ToolRule], name: &str) -> bool {
    rules.iter().any(|rule| rule.kind == ToolRuleKind::RequiresApproval && rule.tool_name == name)
}

/// Tags and what follows from them: each once, in the order given.
#[must_use]
pub fn distinct(tags: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    tags.into_iter().filter(|tag| seen.insert(tag.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_rule_is_added_once() {
        let tool = |name: &str, asks: Option<bool>| Tool {
            default_requires_approval: asks,
            ..crate::tools::testing::tool(name)
        };
        let tools = [tool("a", Some(true)), tool("b", None), tool("c", Some(false)), tool("d", Some(true))];
        let mut rules = vec![ToolRule::requires_approval("d")];
        add_approval_rules(&mut rules, &tools);
        add_approval_rules(&mut rules, &tools);
        let names: Vec<&str> = rules.iter().map(|rule| rule.tool_name.as_str()).collect();
        assert_eq!(names, ["d", "a"]);
    }
}
