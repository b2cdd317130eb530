//! An agent's model: its settings object, what older clients call its `llm_config`, and what a run tells it.

use loci_api::{
    agent::{EmbeddingConfig, LlmConfig},
    chat::ChatOptions,
    error::ApiError,
};
use loci_llm::{EmbeddingInfo, ResolvedModel};
use serde_json::{Map, Value, json};

/// Settings given outside `model_settings`, the older way.
#[derive(Debug, Clone, Default)]
pub struct Loose {
    pub max_tokens: Option<i64>,
    pub max_reasoning_tokens: Option<i64>,
    pub reasoning: Option<bool>,
    pub response_format: Option<Value>,
    pub parallel_tool_calls: Option<bool>,
    pub temperature: Option<f64>,
    pub reasoning_effort: Option<String>,
    pub verbosity: Option<String>,
}

impl Loose {
    /// What an `llm_config` object says beyond the model itself.
    #[must_use]
    pub fn of(config: &LlmConfig) -> Self {
        Self {
            max_tokens: config.max_tokens,
            max_reasoning_tokens: config.max_reasoning_tokens.filter(|tokens| *tokens > 0),
            reasoning: config.enable_reasoner,
            response_format: config.response_format.clone(),
            parallel_tool_calls: config.parallel_tool_calls,
            temperature: config.temperature,
            reasoning_effort: config.reasoning_effort.clone(),
            verbosity: config.verbosity.clone(),
        }
    }
}

/// The kinds of settings the contract knows, with the fields each has beyond those all have.
const KINDS: [(&str, &[&str]); 15] = [
    ("openai", &["reasoning", "response_format", "strict"]),
    ("sglang", &["reasoning", "response_format", "strict", "tool_call_parser"]),
    ("anthropic", &["thinking", "response_format", "verbosity", "effort", "strict"]),
    ("google_ai", &["thinking_config", "response_schema"]),
    ("google_vertex", &["thinking_config", "response_schema"]),
    ("azure", &["response_format"]),
    ("xai", &["response_format"]),
    ("zai", &["response_format", "thinking"]),
    ("groq", &["response_format"]),
    ("deepseek", &["response_format"]),
    ("together", &["response_format"]),
    ("bedrock", &["response_format"]),
    ("baseten", &[]),
    ("openrouter", &["response_format"]),
    ("chatgpt_oauth", &["reasoning"]),
];

fn fields_of(kind: &str) -> Option<&'static [&'static str]> {
    KINDS.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields)
}

/// How long the provider keeps the prompt in its cache, `5m` or `1h`. Beyond the contract, so that it is shown only where
/// somebody set it: an hour costs more to write and pays for itself in slow conversations.
const CACHE_TTL: &str = "cache_ttl";
/// How long Ollama keeps the model in memory after a call: `10m`, `24h`, `0` (not at all), `-1` (for ever). Beyond the
/// contract too.
const KEEP_ALIVE: &str = "keep_alive";

/// The kind of settings for a model: its provider's own, else OpenAI's, which every compatible server speaks.
fn kind_of(model: &ResolvedModel) -> &str {
    let own = model.provider_type.as_str();
    if fields_of(own).is_some() { own } else { "openai" }
}

/// What the contract says a settings object holds where the client did not say.
fn contract_defaults(kind: &str) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("provider_type".to_owned(), json!(kind));
    let google = matches!(kind, "google_ai" | "google_vertex");
    all.insert("max_output_tokens".to_owned(), json!(if google { 65_536 } else { 4_096 }));
    all.insert("temperature".to_owned(), json!(if kind == "anthropic" { 1.0 } else { 0.7 }));
    all.insert("parallel_tool_calls".to_owned(), json!(true));
    for field in fields_of(kind).unwrap_or_default() {
        let value = match (*field, kind) {
            ("reasoning", "chatgpt_oauth") => json!({"reasoning_effort": "medium"}),
            ("reasoning", _) => json!({"reasoning_effort": "high"}),
            ("thinking", "zai") => json!({"type": "enabled", "clear_thinking": false}),
            ("thinking", _) => json!({"type": "enabled", "budget_tokens": 1024}),
            ("thinking_config", _) => json!({"include_thoughts": true, "thinking_budget": 1024}),
            ("strict", "anthropic") => json!(false),
            ("strict", _) => json!(true),
            (_, _) => Value::Null,
        };
        all.insert((*field).to_owned(), value);
    }
    all
}

/// What an agent gets when nobody says anything: the model's own maximum, little reasoning, one tool at a time.
fn derived(model: &ResolvedModel) -> Map<String, Value> {
    let kind = kind_of(model);
    let mut all = contract_defaults(kind);
    if let Some(tokens) = model.max_output_tokens {
        all.insert("max_output_tokens".to_owned(), json!(tokens));
    }
    all.insert("temperature".to_owned(), json!(1.0));
    // The loop takes one call at a time unless asked otherwise; what is shown says so.
    all.insert("parallel_tool_calls".to_owned(), json!(false));
    for (field, value) in [
        ("reasoning", json!({"reasoning_effort": "minimal"})),
        ("strict", json!(false)),
        (
            "thinking",
            json!({"type": if model.reasons { "enabled" } else { "disabled" }, "budget_tokens": 1024}),
        ),
    ] {
        if kind != "zai" && all.contains_key(field) {
            all.insert(field.to_owned(), value);
        }
    }
    all
}

fn invalid(field: &str, wanted: &str) -> ApiError {
    ApiError::validation(format!("body.model_settings.{field}: {wanted}"))
}

/// A number of seconds, or of the unit behind it.
fn is_span(text: &str) -> bool {
    let number = text.trim_end_matches("ms").trim_end_matches(['s', 'm', 'h']);
    text == "-1"
        || (number.len() <= 9 && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a known setting has a value that can be used.
fn check(field: &str, value: &Value) -> Result<(), ApiError> {
    let one_of = |names: &[&str]| value.is_null() || value.as_str().is_some_and(|text| names.contains(&text));
    match field {
        "max_output_tokens"
            if !value.as_i64().is_some_and(|tokens| (1..=i64::from(u32::MAX)).contains(&tokens)) =>
        {
            Err(invalid(field, "must be a whole number of tokens, at least 1"))
        }
        "temperature" if !value.as_f64().is_some_and(|number| (0.0..=2.0).contains(&number)) => {
            Err(invalid(field, "must be a number from 0 to 2"))
        }
        "parallel_tool_calls" | "strict" if !value.is_boolean() => {
            Err(invalid(field, "must be true or false"))
        }
        "reasoning" | "thinking" | "thinking_config" if !value.is_object() => {
            Err(invalid(field, "must be an object"))
        }
        "reasoning" => match value.get("reasoning_effort") {
            None => Ok(()),
            Some(Value::String(effort))
                if ["none", "minimal", "low", "medium", "high", "xhigh"].contains(&effort.as_str()) =>
            {
                Ok(())
            }
            Some(_) => Err(invalid(
                "reasoning.reasoning_effort",
                "must be one of none, minimal, low, medium, high, xhigh",
            )),
        },
        "thinking" => {
            let kind = value.get("type").and_then(Value::as_str);
            if value.get("type").is_some() && !matches!(kind, Some("enabled" | "disabled" | "adaptive")) {
                return Err(invalid("thinking.type", "must be enabled or disabled"));
            }
            match value.get("budget_tokens") {
                Some(budget)
                    if !budget.as_i64().is_some_and(|tokens| (0..=i64::from(u32::MAX)).contains(&tokens)) =>
                {
                    Err(invalid("thinking.budget_tokens", "must be a whole number of tokens"))
                }
                _ => Ok(()),
            }
        }
        KEEP_ALIVE if !value.as_str().is_some_and(is_span) => {
            Err(invalid(field, "must be a time such as 10m, 24h, 0 or -1"))
        }
        CACHE_TTL if !one_of(&["5m", "1h"]) => Err(invalid(field, "must be 5m or 1h")),
        "verbosity" if !one_of(&["low", "medium", "high"]) => {
            Err(invalid(field, "must be one of low, medium, high"))
        }
        "effort" if !one_of(&["low", "medium", "high", "max"]) => {
            Err(invalid(field, "must be one of low, medium, high, max"))
        }
        "response_format" | "response_schema" if !(value.is_null() || value.is_object()) => {
            Err(invalid(field, "must be an object"))
        }
        _ => Ok(()),
    }
}

/// The settings object of an agent: what was given filled up by the contract's defaults, or, if nothing was
/// given, what fits the model. Null counts as not given; keys the kind does not have are dropped.
///
/// # Errors
/// 422 for an unknown `provider_type` or a value that cannot be used.
pub fn settings(
    model: &ResolvedModel,
    given: Option<&Map<String, Value>>,
    loose: &Loose,
) -> Result<Map<String, Value>, ApiError> {
    let mut all = match given {
        None => derived(model),
        Some(given) => {
            let kind = match given.get("provider_type") {
                None | Some(Value::Null) => kind_of(model),
                Some(Value::String(kind)) if fields_of(kind).is_some() => kind,
                Some(other) => {
                    let kinds = KINDS.map(|(name, _)| name).join(", ");
                    return Err(invalid("provider_type", &format!("must be one of {kinds}, got {other}")));
                }
            };
            let mut all = contract_defaults(kind);
            for (field, value) in given {
                let is_known = all.contains_key(field) || [CACHE_TTL, KEEP_ALIVE].contains(&field.as_str());
                if value.is_null() || field == "provider_type" || !is_known {
                    continue;
                }
                check(field, value)?;
                match (all.get_mut(field), value) {
                    (Some(Value::Object(old)), Value::Object(new)) => old.extend(new.clone()),
                    _ => {
                        all.insert(field.clone(), value.clone());
                    }
                }
            }
            all
        }
    };
    let says =
        |field: &str| given.is_some_and(|given| given.get(field).is_some_and(|value| !value.is_null()));
    let mut put = |field: &str, value: Option<Value>| -> Result<(), ApiError> {
        match value {
            Some(value) if all.contains_key(field) && !says(field) => {
                check(field, &value)?;
                all.insert(field.to_owned(), value);
                Ok(())
            }
            _ => Ok(()),
        }
    };
    put("max_output_tokens", loose.max_tokens.map(|tokens| json!(tokens)))?;
    put("temperature", loose.temperature.map(|number| json!(number)))?;
    put("parallel_tool_calls", loose.parallel_tool_calls.map(Value::Bool))?;
    put("response_format", loose.response_format.clone())?;
    put("response_schema", loose.response_format.clone())?;
    put("verbosity", loose.verbosity.clone().map(Value::String))?;
    put("reasoning", loose.reasoning_effort.as_ref().map(|effort| json!({"reasoning_effort": effort})))?;
    let thinking = match (loose.reasoning, loose.max_reasoning_tokens) {
        (Some(false), _) => Some(json!({"type": "disabled", "budget_tokens": 1024})),
        (_, Some(budget)) => Some(json!({"type": "enabled", "budget_tokens": budget})),
        (_, None) => None,
    };
    if all.get("provider_type") == Some(&json!("anthropic"))
        && !says("thinking")
        && let Some(thinking) = thinking
    {
        check("thinking", &thinking)?;
        all.insert("thinking".to_owned(), thinking);
    }
    Ok(all)
}

/// What a run tells the model, read from the settings of an agent or conversation. `response_format` is the
/// agent's own field, used where the settings have none.
#[must_use]
pub fn chat_options(settings: &Map<String, Value>, response_format: Option<&Value>) -> ChatOptions {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let tokens =
        |value: Option<&Value>| value.and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
    let thinking = settings.get("thinking");
    let thinking_budget = match thinking.and_then(|thinking| thinking.get("type")).and_then(Value::as_str) {
        Some("disabled") => Some(0),
        Some(_) => tokens(thinking.and_then(|thinking| thinking.get("budget_tokens"))),
        None => tokens(settings.get("thinking_config").and_then(|config| config.get("thinking_budget"))),
    };
    ChatOptions {
        temperature: settings.get("temperature").and_then(Value::as_f64),
        max_output_tokens: tokens(settings.get("max_output_tokens")),
        reasoning_effort: text(
            settings.get("reasoning").and_then(|reasoning| reasoning.get("reasoning_effort")),
        )
        .or_else(|| text(settings.get("effort"))),
        thinking_budget,
        verbosity: text(settings.get("verbosity")),
        frequency_penalty: settings.get("frequency_penalty").and_then(Value::as_f64),
        response_format: [settings.get("response_format"), settings.get("response_schema"), response_format]
            .into_iter()
            .flatten()
            .find(|format| !format.is_null())
            .cloned(),
        strict: settings.get("strict").and_then(Value::as_bool).unwrap_or(false),
        cache: settings.get(CACHE_TTL).and_then(|life| serde_json::from_value(life.clone()).ok()),
        keep_alive: text(settings.get(KEEP_ALIVE)),
        ..ChatOptions::default()
    }
}

/// Whether the settings let the model ask for several tools at once.
#[must_use]
pub fn parallel_tool_calls(settings: &Map<String, Value>) -> bool {
    settings.get("parallel_tool_calls").and_then(Value::as_bool).unwrap_or(false)
}

/// The `llm_config` that older clients read. `context_window` is the agent's limit, tokens.
#[must_use]
pub fn llm_config(model: &ResolvedModel, settings: &Map<String, Value>, context_window: i64) -> LlmConfig {
    let options = chat_options(settings, None);
    LlmConfig {
        model: model.model.clone(),
        display_name: Some(model.model.clone()),
        model_endpoint_type: model.endpoint_type.clone(),
        model_endpoint: model.endpoint.clone(),
        provider_name: Some(model.provider_name.clone()),
        provider_category: Some(model.category.clone()),
        model_wrapper: None,
        context_window,
        put_inner_thoughts_in_kwargs: Some(false),
        handle: Some(model.handle.clone()),
        temperature: Some(options.temperature.unwrap_or(1.0)),
        max_tokens: options.max_output_tokens.map(i64::from),
        enable_reasoner: Some(true),
        reasoning_effort: options.reasoning_effort.filter(|effort| {
            ["none", "minimal", "low", "medium", "high", "xhigh"].contains(&effort.as_str())
        }),
        max_reasoning_tokens: Some(options.thinking_budget.map_or(0, i64::from)),
        effort: settings.get("effort").and_then(Value::as_str).map(str::to_owned),
        frequency_penalty: options.frequency_penalty,
        compatibility_type: None,
        verbosity: options.verbosity,
        tier: None,
        parallel_tool_calls: Some(parallel_tool_calls(settings)),
        response_format: options.response_format,
        strict: Some(options.strict),
        return_logprobs: Some(false),
        top_logprobs: None,
        return_token_ids: Some(false),
        tool_call_parser: None,
    }
}

/// `provider/model`, both there.
///
/// # Errors
/// 400.
pub fn check_handle(what: &str, handle: &str) -> Result<(), ApiError> {
    match handle.split_once('/') {
        Some((provider, model))
            if !provider.is_empty() && !model.trim().is_empty() && handle.len() <= 500 =>
        {
            Ok(())
        }
        _ => {
            let shown: String = handle.chars().take(80).collect();
            Err(ApiError::bad_request(format!(
                "INVALID_ARGUMENT: The {what} handle '{shown}' must have the form provider/model-name"
            )))
        }
    }
}

/// The `embedding_config` of a handle, whether or not an embedder is configured: searching without one is text
/// search only.
#[must_use]
pub fn embedding_config(model: &EmbeddingInfo, chunk_size: Option<i64>) -> EmbeddingConfig {
    EmbeddingConfig {
        embedding_endpoint_type: model.endpoint_type.clone(),
        embedding_endpoint: model.endpoint.clone(),
        embedding_model: model.model.clone(),
        embedding_dim: i64::from(model.dimensions),
        embedding_chunk_size: Some(chunk_size.unwrap_or(300)),
        handle: Some(model.handle.clone()),
        batch_size: 32,
        azure_endpoint: None,
        azure_version: None,
        azure_deployment: None,
    }
}
