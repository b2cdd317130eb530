//! Ollama's own chat (`/api/chat`): the request. The window is asked for with every call, because the runtime's own
//! default cuts long prompts without a word.

mod answer;

use loci_api::{
    chat::{ChatMessage, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource},
};
use serde_json::{Map, Value, json};

pub(super) use self::answer::Answer;
use super::Outgoing;
use crate::provider::ResolvedModel;

/// How long the model stays in memory where nobody says: a person thinks between two messages, and loading takes long.
const KEEP_ALIVE: &str = "30m";

/// Body of a call, and whether the answer will be a call written as JSON.
pub(super) fn outgoing(request: &ChatRequest, model: &ResolvedModel) -> Outgoing {
    let options = &request.options;
    let forced = forced(request);
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    put("model", json!(model.model));
    put("messages", messages(request, &forced));
    let offered: Vec<_> = match request.tool_choice {
        ToolChoice::None => Vec::new(),
        ToolChoice::Auto | ToolChoice::Required | ToolChoice::Named(_) => {
            request.tools.iter().map(tool).collect()
        }
    };
    if !offered.is_empty() && forced.is_empty() {
        put("tools", Value::Array(offered));
    }
    if !forced.is_empty() {
        put("format", call_schema(&forced));
    } else if let Some(format) = &options.response_format {
        match format.get("type").and_then(Value::as_str) {
            Some("json_schema") => {
                let given = format.get("json_schema").unwrap_or(format);
                put("format", given.get("schema").cloned().unwrap_or_else(|| json!("json")));
            }
            Some("json_object") => put("format", json!("json")),
            Some(_) | None => {}
        }
    }
    if let Some(think) = think(request, model) {
        put("think", think);
    }
    put("stream", json!(request.stream));
    put("keep_alive", keep_alive(options.keep_alive.as_deref().unwrap_or(KEEP_ALIVE)));
    // Newer versions refuse a prompt that does not fit instead of dropping its beginning; older ones ignore this.
    put("truncate", json!(false));
    put("shift", json!(false));
    put("options", Value::Object(model_options(request, model)));
    Outgoing { body: Value::Object(body), headers: Vec::new(), as_call: !forced.is_empty() }
}

/// `-1` and other plain numbers (seconds) have to be numbers.
fn keep_alive(wanted: &str) -> Value {
    wanted.parse::<i64>().map_or_else(|_| json!(wanted), |seconds| json!(seconds))
}

fn model_options(request: &ChatRequest, model: &ResolvedModel) -> Map<String, Value> {
    let options = &request.options;
    let mut all = Map::new();
    let window = match options.context_window {
        Some(wanted) => wanted.min(model.max_context_window),
        None => model.context_window,
    };
    all.insert("num_ctx".to_owned(), json!(window));
    if let Some(limit) = options.max_output_tokens {
        all.insert("num_predict".to_owned(), json!(limit.min(window / 2).max(1)));
    }
    if let Some(temperature) = options.temperature {
        all.insert("temperature".to_owned(), json!(temperature));
    }
    if let Some(penalty) = options.frequency_penalty {
        all.insert("frequency_penalty".to_owned(), json!(penalty));
    }
    all
}

/// Only models that can think may be told anything about it.
fn think(request: &ChatRequest, model: &ResolvedModel) -> Option<Value> {
    if !model.reasons {
        return None;
    }
    let options = &request.options;
    if model.model.contains("gpt-oss") {
        return match options.reasoning_effort.as_deref() {
            Some("none" | "minimal" | "low") => Some(json!("low")),
            Some("medium") => Some(json!("medium")),
            Some("high" | "xhigh") => Some(json!("high")),
            Some(_) | None => Some(json!(true)),
        };
    }
    let off = options.thinking_budget == Some(0) || options.reasoning_effort.as_deref() == Some("none");
    Some(json!(!off))
}

/// The tools one of which has to be called. The runtime has no word for it; it is held to a schema instead.
fn forced(request: &ChatRequest) -> Vec<&ToolSpec> {
    match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::None => Vec::new(),
        ToolChoice::Required => request.tools.iter().collect(),
        ToolChoice::Named(name) => request.tools.iter().filter(|spec| spec.name == *name).collect(),
    }
}

fn call_schema(tools: &[&ToolSpec]) -> Value {
    let one = |spec: &&ToolSpec| {
        json!({
            "type": "object",
            "properties": {"name": {"type": "string", "enum": [spec.name]}, "arguments": spec.parameters},
            "required": ["name", "arguments"],
        })
    };
    match tools {
        [only] => one(only),
        several => json!({"anyOf": several.iter().map(one).collect::<Vec<_>>()}),
    }
}

fn tool(spec: &ToolSpec) -> Value {
    json!({
        "type": "function",
        "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters},
    })
}

fn messages(request: &ChatRequest, forced: &[&ToolSpec]) -> Value {
    let mut out: Vec<Value> = Vec::with_capacity(request.messages.len());
    let mut names: Vec<(&str, &str)> = Vec::new();
    for message in &request.messages {
        match message {
            ChatMessage::System { text } => out.push(json!({"role": "system", "content": text})),
            ChatMessage::User { content } => push_user(&mut out, content),
            ChatMessage::Assistant { content, tool_calls } => {
                let mut message = json!({"role": "assistant", "content": texts(content, "")});
                if !tool_calls.is_empty() {
                    let thinking = thinking(content);
                    if !thinking.is_empty() {
                        message["thinking"] = json!(thinking);
                    }
                    names.extend(tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
                    let calls = tool_calls.iter().map(|call| {
                        json!({"id": call.id, "type": "function", "function": {
                            "name": call.name, "arguments": arguments(&call.arguments),
                        }})
                    });
                    message["tool_calls"] = calls.collect();
                }
                if message["content"] != "" || message.get("tool_calls").is_some() {
                    out.push(message);
                }
            }
            ChatMessage::Tool { returns } => push_returns(&mut out, returns, &names),
        }
    }
    if !forced.is_empty() {
        let tools: Vec<_> = forced.iter().map(|spec| tool(spec)["function"].to_string()).collect();
        let text = format!(
            "Now call a tool. Answer with one JSON object {{\"name\": …, \"arguments\": {{…}}}} and nothing else. Tools:\n{}",
            tools.join("\n")
        );
        out.push(json!({"role": "system", "content": text}));
    }
    Value::Array(out)
}

fn push_user(out: &mut Vec<Value>, content: &[ContentPart]) {
    let text = texts(content, "\n\n");
    let images = images(content);
    if text.is_empty() && images.is_empty() {
        return;
    }
    let mut message = json!({"role": "user", "content": text});
    if !images.is_empty() {
        message["images"] = Value::Array(images);
    }
    out.push(message);
}

/// One message for each return; their images follow in a user message, since templates show none in `tool` messages.
fn push_returns(out: &mut Vec<Value>, returns: &[ChatToolReturn], names: &[(&str, &str)]) {
    let mut pictures = Vec::new();
    for tool_return in returns {
        let mut message = json!({
            "role": "tool",
            "content": texts(&tool_return.content, "\n"),
            "tool_call_id": tool_return.tool_call_id,
        });
        if let Some((_, name)) = names.iter().rev().find(|(id, _)| *id == tool_return.tool_call_id) {
            message["tool_name"] = json!(name);
        }
        out.push(message);
        pictures.extend(images(&tool_return.content));
    }
    if !pictures.is_empty() {
        out.push(json!({"role": "user", "content": "(Images returned by the tools.)", "images": pictures}));
    }
}

/// The runtime takes only objects.
fn arguments(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(map)) => Value::Object(map),
        Ok(_) | Err(_) if arguments.trim().is_empty() => json!({}),
        Ok(_) | Err(_) => json!({"invalid_arguments": arguments}),
    }
}

/// Bare base64; the runtime fetches nothing.
fn images(content: &[ContentPart]) -> Vec<Value> {
    let images = content.iter().filter_map(|part| match part {
        ContentPart::Image { source: ImageSource::Base64 { data, .. } } => Some(json!(data)),
        ContentPart::Image { source: ImageSource::Url { .. } }
        | ContentPart::Text { .. }
        | ContentPart::Reasoning { .. }
        | ContentPart::RedactedReasoning { .. } => None,
    });
    images.collect()
}

fn texts(content: &[ContentPart], separator: &str) -> String {
    let texts: Vec<_> = content
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(text.clone()),
            ContentPart::Image { source: ImageSource::Url { url } } => Some(format!("(An image at {url})")),
            ContentPart::Image { source: ImageSource::Base64 { .. } }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => None,
        })
        .collect();
    texts.join(separator)
}

fn thinking(content: &[ContentPart]) -> String {
    let thoughts = content.iter().filter_map(|part| match part {
        ContentPart::Reasoning { reasoning, .. } => Some(reasoning.as_str()),
        ContentPart::Text { .. } | ContentPart::Image { .. } | ContentPart::RedactedReasoning { .. } => None,
    });
    thoughts.collect()
}

#[cfg(test)]
mod tests;
