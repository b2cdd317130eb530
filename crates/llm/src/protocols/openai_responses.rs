//! OpenAI's Responses, without state at the provider: the request. Everything is sent each time, reasoning sealed.

mod answer;

use loci_api::{
    chat::{CacheLife, ChatMessage, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource, ToolCall},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) use self::answer::Answer;
use super::{ids::IdForm, proof::Origin, strict::strict, within_window};
use crate::{
    catalogue::{Thinks, effort, thinks},
    provider::ResolvedModel,
};

const IDS: IdForm = IdForm::Plain(64);
/// The least the provider takes.
const MIN_OUTPUT: u32 = 16;

/// What a reasoning item needs to be sent back, beside its summary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Sealed {
    id: String,
    encrypted_content: String,
    /// How many calls of the same answer came before it.
    #[serde(default)]
    calls: usize,
    /// Bytes of the parts of its summary, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<usize>,
}

/// Stands between the parts of a summary where they are read as one text.
const PARAGRAPH: &str = "\n\n";

/// The body of a call.
pub(super) fn body(request: &ChatRequest, model: &ResolvedModel) -> Value {
    let options = &request.options;
    let by_effort = matches!(thinks(&model.model), Thinks::Effort | Thinks::EffortSingleCalls);

    let mut body = Map::new();
    let mut put = |key: &str, value: Value| {
        body.insert(key.to_owned(), value);
    };
    put("model", json!(model.model));
    let (instructions, input) = input(request, model);
    if !instructions.is_empty() {
        put("instructions", json!(instructions));
    }
    put("input", Value::Array(input));
    if !request.tools.is_empty() {
        put("tools", request.tools.iter().map(|spec| tool(spec, options.strict)).collect());
        put("tool_choice", tool_choice(&request.tool_choice));
        if thinks(&model.model) != Thinks::EffortSingleCalls {
            put("parallel_tool_calls", json!(request.parallel_tool_calls));
        }
    }
    if let Some(limit) = options.max_output_tokens {
        put("max_output_tokens", json!(within_window(limit, model).max(MIN_OUTPUT)));
    }
    if by_effort {
        let mut reasoning = Map::new();
        if let Some(effort) =
            options.reasoning_effort.as_deref().and_then(|wanted| effort(&model.model, wanted))
        {
            reasoning.insert("effort".to_owned(), json!(effort));
        }
        reasoning.insert("summary".to_owned(), json!("auto"));
        put("reasoning", Value::Object(reasoning));
        put("include", json!(["reasoning.encrypted_content"]));
    } else if let Some(temperature) = options.temperature {
        put("temperature", json!(temperature));
    }
    let text = text(request, model);
    if !text.is_empty() {
        put("text", Value::Object(text));
    }
    if let Some(key) = &options.cache_key {
        put("prompt_cache_key", json!(key));
    }
    // The provider keeps prompts for minutes by itself; a day is the only longer time it offers.
    if options.cache == Some(CacheLife::OneHour) {
        put("prompt_cache_retention", json!("24h"));
    }
    put("store", json!(false));
    put("stream", json!(request.stream));
    Value::Object(body)
}

/// The form of the text: a schema, and how many words.
fn text(request: &ChatRequest, model: &ResolvedModel) -> Map<String, Value> {
    let mut text = Map::new();
    if let Some(format) = &request.options.response_format {
        let form = match format.get("type").and_then(Value::as_str) {
            Some("json_schema") => {
                let given = format.get("json_schema").unwrap_or(format);
                let mut form = json!({
                    "type": "json_schema",
                    "name": given.get("name").and_then(Value::as_str).unwrap_or("answer"),
                    "schema": given.get("schema").cloned().unwrap_or_else(|| json!({"type": "object"})),
                });
                if let Some(strict) = given.get("strict").filter(|strict| strict.is_boolean()) {
                    form["strict"] = strict.clone();
                }
                Some(form)
            }
            Some("json_object") => Some(json!({"type": "json_object"})),
            Some(_) | None => None,
        };
        if let Some(form) = form {
            text.insert("format".to_owned(), form);
        }
    }
    if let Some(verbosity) = &request.options.verbosity
        && model.model.contains("gpt-5")
    {
        text.insert("verbosity".to_owned(), json!(verbosity));
    }
    text
}

/// This protocol holds tools to their schema unless told not to.
fn tool(spec: &ToolSpec, wants_strict: bool) -> Value {
    let closed = if wants_strict { strict(&spec.parameters) } else { None };
    json!({
        "type": "function",
        "name": spec.name,
        "description": spec.description,
        "strict": closed.is_some(),
        "parameters": closed.unwrap_or_else(|| spec.parameters.clone()),
    })
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!("auto"),
        ToolChoice::None => json!("none"),
        ToolChoice::Required => json!("required"),
        ToolChoice::Named(name) => json!({"type": "function", "name": name}),
    }
}

/// The instructions (the first system text) and the items after them.
fn input(request: &ChatRequest, model: &ResolvedModel) -> (String, Vec<Value>) {
    let mut instructions = String::new();
    let mut items = Vec::with_capacity(request.messages.len());
    let sends_reasoning = thinks(&model.model) != Thinks::No;
    for (at, message) in request.messages.iter().enumerate() {
        match message {
            ChatMessage::System { text } if at == 0 => text.clone_into(&mut instructions),
            ChatMessage::System { text } => {
                items.push(json!({"role": "developer", "content": [{"type": "input_text", "text": text}]}));
            }
            ChatMessage::User { content } => {
                let parts: Vec<_> = content.iter().filter_map(input_part).collect();
                if !parts.is_empty() {
                    items.push(json!({"role": "user", "content": parts}));
                }
            }
            ChatMessage::Assistant { content, tool_calls } => {
                push_answer(&mut items, content, tool_calls, sends_reasoning);
            }
            ChatMessage::Tool { returns } => items.extend(returns.iter().map(output)),
        }
    }
    (instructions, items)
}

fn input_part(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::Text { text, .. } => Some(json!({"type": "input_text", "text": text})),
        ContentPart::Image { source } => Some(image(source)),
        ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } => None,
    }
}

fn image(source: &ImageSource) -> Value {
    let url = match source {
        ImageSource::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        ImageSource::Url { url } => url.clone(),
    };
    json!({"type": "input_image", "image_url": url, "detail": "auto"})
}

/// An answer as the items it came in: each piece of sealed reasoning right before what followed from it.
fn push_answer(
    items: &mut Vec<Value>,
    content: &[ContentPart],
    tool_calls: &[ToolCall],
    sends_reasoning: bool,
) {
    let mut later: Vec<(usize, Value)> = Vec::new();
    for part in content {
        match part {
            ContentPart::Text { text, .. } if !text.is_empty() => items.push(json!({
                "type": "message", "role": "assistant",
                "content": [{"type": "output_text", "text": text}],
            })),
            ContentPart::Reasoning { reasoning, signature: Some(signature) } if sends_reasoning => {
                if let Some(sealed) = Origin::OpenAiResponses.open::<Sealed>(signature) {
                    let item = reasoning_item(reasoning, &sealed);
                    if sealed.calls == 0 { items.push(item) } else { later.push((sealed.calls, item)) }
                }
            }
            ContentPart::Text { .. }
            | ContentPart::Image { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => {}
        }
    }
    for (at, call) in tool_calls.iter().enumerate() {
        items.extend(later.iter().filter(|(calls, _)| *calls == at).map(|(_, item)| item.clone()));
        let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
        items.push(json!({
            "type": "function_call", "call_id": IDS.fit(&call.id), "name": call.name, "arguments": arguments,
        }));
    }
    // Reasoning that nothing follows any more (its call was left out) would be refused.
    while items.last().is_some_and(|item| item["type"] == "reasoning") {
        items.pop();
    }
}

fn reasoning_item(summary: &str, sealed: &Sealed) -> Value {
    let parts = parts(summary, &sealed.parts).unwrap_or_else(|| vec![summary]);
    let summary: Vec<_> = parts
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(|text| json!({"type": "summary_text", "text": text}))
        .collect();
    json!({
        "type": "reasoning", "id": sealed.id, "summary": summary, "encrypted_content": sealed.encrypted_content,
    })
}

/// The parts of a summary as the provider gave them; `None` if the text is not the one they were counted in.
fn parts<'a>(summary: &'a str, lengths: &[usize]) -> Option<Vec<&'a str>> {
    let mut rest = summary;
    let mut parts = Vec::with_capacity(lengths.len());
    for (at, length) in lengths.iter().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(PARAGRAPH)?;
        }
        let (part, after) = rest.split_at_checked(*length)?;
        parts.push(part);
        rest = after;
    }
    (!parts.is_empty() && rest.is_empty()).then_some(parts)
}

/// A return; text alone goes as a plain string, which every server of this protocol takes.
fn output(tool_return: &ChatToolReturn) -> Value {
    let parts: Vec<_> = tool_return.content.iter().filter_map(input_part).collect();
    let output = if parts.iter().all(|part| part["type"] == "input_text") {
        let texts: Vec<_> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        json!(texts.join("\n"))
    } else {
        Value::Array(parts)
    };
    json!({"type": "function_call_output", "call_id": IDS.fit(&tool_return.tool_call_id), "output": output})
}

#[cfg(test)]
mod tests;
