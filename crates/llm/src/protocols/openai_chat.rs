//! OpenAI's chat completions, as OpenAI and the many servers that follow it speak them: the request.

mod answer;

use loci_api::{
    chat::{CacheLife, ChatMessage, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource, ToolCall},
};
use serde_json::{Map, Value, json};

pub(super) use self::answer::Answer;
use super::{ids::IdForm, proof::Origin, strict::strict, within_window};
use crate::{
    catalogue::{Thinks, effort, thinks},
    provider::ResolvedModel,
};

/// The body of a call.
pub(super) fn body(request: &ChatRequest, model: &ResolvedModel) -> Value {
    let options = &request.options;
    let thinks = thinks(&model.model);
    let by_effort = matches!(thinks, Thinks::Effort | Thinks::EffortSingleCalls);
    let is_mistral = model.kind == "mistral";
    let is_router = model.kind == "openrouter";

    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    put("model", json!(model.model));
    put("messages", messages(request, model));
    if !request.tools.is_empty() {
        put("tools", request.tools.iter().map(|spec| tool(spec, options.strict)).collect());
        put("tool_choice", tool_choice(&request.tool_choice));
        if thinks != Thinks::EffortSingleCalls {
            put("parallel_tool_calls", json!(request.parallel_tool_calls));
        }
    }
    if let Some(limit) = options.max_output_tokens {
        let limit = within_window(limit, model);
        put(if by_effort && !is_router { "max_completion_tokens" } else { "max_tokens" }, json!(limit));
    }
    if is_router && let Some(reasoning) = routed_reasoning(request, model) {
        put("reasoning", reasoning);
    }
    if by_effort && is_router {
        // Said above.
    } else if by_effort {
        if let Some(effort) =
            options.reasoning_effort.as_deref().and_then(|wanted| effort(&model.model, wanted))
        {
            put("reasoning_effort", json!(effort));
        }
    } else {
        if let Some(temperature) = options.temperature {
            put("temperature", json!(temperature));
        }
        if let Some(penalty) = options.frequency_penalty {
            put("frequency_penalty", json!(penalty));
        }
    }
    if let Some(verbosity) = &options.verbosity
        && model.model.contains("gpt-5")
    {
        put("verbosity", json!(verbosity));
    }
    if let Some(format) = &options.response_format
        && format.get("type").and_then(Value::as_str) != Some("text")
    {
        put("response_format", format.clone());
    }
    if is_own(model) {
        if let Some(key) = &options.cache_key {
            put("prompt_cache_key", json!(key));
        }
        // The provider keeps prompts for minutes by itself; a day is the only longer time it offers.
        if options.cache == Some(CacheLife::OneHour) {
            put("prompt_cache_retention", json!("24h"));
        }
    }
    put("stream", json!(request.stream));
    if is_router {
        put("usage", json!({"include": true}));
    }
    if request.stream && !is_mistral {
        put("stream_options", json!({"include_usage": true}));
    }
    Value::Object(body)
}

/// Whether it is OpenAI's own service, at its own address or at Azure's: others refuse fields they do not know.
fn is_own(model: &ResolvedModel) -> bool {
    let at_openai =
        || model.endpoint.as_deref().is_some_and(|url| url.starts_with("https://api.openai.com/"));
    model.kind == "azure" || (model.kind == "openai" && at_openai())
}

/// OpenRouter has one form for all its models' reasoning.
fn routed_reasoning(request: &ChatRequest, model: &ResolvedModel) -> Option<Value> {
    if !model.reasons {
        return None;
    }
    let options = &request.options;
    match (options.reasoning_effort.as_deref(), options.thinking_budget) {
        (_, Some(0)) => Some(json!({"enabled": false})),
        (_, Some(budget)) => Some(json!({"max_tokens": budget.max(1024)})),
        (Some(effort), None) => Some(json!({"effort": effort})),
        (None, None) => None,
    }
}

fn tool(spec: &ToolSpec, wants_strict: bool) -> Value {
    let mut function = json!({
        "name": spec.name,
        "description": spec.description,
        "parameters": spec.parameters,
    });
    if wants_strict && let Some(closed) = strict(&spec.parameters) {
        function["parameters"] = closed;
        function["strict"] = json!(true);
    }
    json!({"type": "function", "function": function})
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "function": {"name": name}}),
    }
}

fn messages(request: &ChatRequest, model: &ResolvedModel) -> Value {
    let ids = if model.kind == "mistral" { IdForm::NineAlphanumeric } else { IdForm::Plain(40) };
    // These go on with a tool loop only, or far better, with the reasoning it began with.
    let wants_reasoning =
        ["deepseek", "zai", "zai_coding", "minimax", "llamacpp"].contains(&model.kind.as_str());
    let mut out: Vec<Value> = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        match message {
            ChatMessage::System { text } => out.push(json!({"role": "system", "content": text})),
            ChatMessage::User { content } => push_user(&mut out, user_parts(content)),
            ChatMessage::Assistant { content, tool_calls } => {
                push_assistant(&mut out, content, tool_calls, ids, wants_reasoning);
            }
            ChatMessage::Tool { returns } => push_returns(&mut out, returns, ids),
        }
    }
    if model.kind == "openrouter" && model.model.starts_with("anthropic/") {
        mark_for_cache(&mut out, request.options.cache);
    }
    Value::Array(out)
}

/// Anthropic's models keep only what is marked: the system prompt, and the conversation so far.
fn mark_for_cache(messages: &mut [Value], life: Option<CacheLife>) {
    let mark = match life {
        Some(CacheLife::OneHour) => json!({"type": "ephemeral", "ttl": "1h"}),
        Some(CacheLife::FiveMinutes) | None => json!({"type": "ephemeral"}),
    };
    let system = messages.iter().position(|message| message["role"] == "system");
    let last = messages.iter().rposition(|message| message["role"] == "user" || message["role"] == "tool");
    for at in [system, last].into_iter().flatten() {
        let content = &mut messages[at]["content"];
        if let Value::String(text) = content {
            *content = json!([{"type": "text", "text": text}]);
        }
        if let Some(part) = content.as_array_mut().and_then(|parts| parts.last_mut()) {
            part["cache_control"] = mark.clone();
        }
    }
}

/// Consecutive user messages become one: chat templates of many open models insist on alternation.
fn push_user(out: &mut Vec<Value>, parts: Vec<Value>) {
    let before = out.last_mut().filter(|last| last["role"] == "user");
    match before {
        Some(last) => {
            let mut all = match last["content"].take() {
                Value::Array(parts) => parts,
                text => vec![json!({"type": "text", "text": text})],
            };
            all.extend(parts);
            last["content"] = user_content(all);
        }
        None => out.push(json!({"role": "user", "content": user_content(parts)})),
    }
}

/// A plain string where there is only text: every server takes that.
fn user_content(parts: Vec<Value>) -> Value {
    if parts.iter().all(|part| part["type"] == "text") {
        let texts: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        return Value::String(texts.join("\n\n"));
    }
    Value::Array(parts)
}

fn user_parts(content: &[ContentPart]) -> Vec<Value> {
    content
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(json!({"type": "text", "text": text})),
            ContentPart::Image { source } => Some(image(source)),
            ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } => None,
        })
        .collect()
}

fn image(source: &ImageSource) -> Value {
    let url = match source {
        ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        ImageSource::Url { url } => url.clone(),
    };
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn push_assistant(
    out: &mut Vec<Value>,
    content: &[ContentPart],
    tool_calls: &[ToolCall],
    ids: IdForm,
    wants_reasoning: bool,
) {
    let text = texts(content, "");
    if text.is_empty() && tool_calls.is_empty() {
        return;
    }
    if let Some(last) = out.last_mut()
        && last["role"] == "assistant"
        && last.get("tool_calls").is_none()
        && tool_calls.is_empty()
    {
        let joined = format!("{}\n\n{text}", last["content"].as_str().unwrap_or_default());
        last["content"] = Value::String(joined);
        return;
    }
    let mut message = json!({"role": "assistant", "content": null});
    if !text.is_empty() {
        message["content"] = Value::String(text);
    }
    if !tool_calls.is_empty() {
        message["tool_calls"] = tool_calls
            .iter()
            .map(|call| {
                let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
                json!({
                    "id": ids.fit(&call.id),
                    "type": "function",
                    "function": {"name": call.name, "arguments": arguments},
                })
            })
            .collect();
        let reasoning: String = content
            .iter()
            .filter_map(|part| match part {
                ContentPart::Reasoning { reasoning, .. } => Some(reasoning.as_str()),
                ContentPart::Text { .. }
                | ContentPart::Image { .. }
                | ContentPart::RedactedReasoning { .. } => None,
            })
            .collect();
        if wants_reasoning && !reasoning.is_empty() {
            message["reasoning_content"] = Value::String(reasoning);
        }
    }
    if let Some(details) = details(content) {
        message["reasoning_details"] = details;
    }
    out.push(message);
}

/// Reasoning as OpenRouter handed it out, with its proofs, to be given back as it was.
fn details(content: &[ContentPart]) -> Option<Value> {
    content.iter().rev().find_map(|part| match part {
        ContentPart::Reasoning { signature: Some(signature), .. } => Origin::OpenAiChat.open(signature),
        ContentPart::Text { .. }
        | ContentPart::Image { .. }
        | ContentPart::Reasoning { signature: None, .. }
        | ContentPart::RedactedReasoning { .. } => None,
    })
}

/// One message for each return; their images follow in a user message, since `tool` messages hold only text.
fn push_returns(out: &mut Vec<Value>, returns: &[ChatToolReturn], ids: IdForm) {
    let mut images = Vec::new();
    for tool_return in returns {
        let id = ids.fit(&tool_return.tool_call_id);
        out.push(json!({
            "role": "tool",
            "tool_call_id": id,
            "content": texts(&tool_return.content, "\n"),
        }));
        let mut pictures = tool_return.content.iter().filter_map(|part| match part {
            ContentPart::Image { source } => Some(image(source)),
            ContentPart::Text { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => None,
        });
        if let Some(first) = pictures.next() {
            images.push(json!({"type": "text", "text": format!("Images returned by tool call {id}:")}));
            images.push(first);
            images.extend(pictures);
        }
    }
    if !images.is_empty() {
        out.push(json!({"role": "user", "content": images}));
    }
}

fn texts(content: &[ContentPart], separator: &str) -> String {
    let texts: Vec<_> = content
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(text.as_str()),
            ContentPart::Image { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => None,
        })
        .collect();
    texts.join(separator)
}

#[cfg(test)]
mod tests;
