//! Google's Gemini, in its own format (`generateContent`): the request.

mod answer;

use loci_api::{
    chat::{ChatMessage, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource, ToolCall},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(super) use self::answer::Answer;
use super::{proof::Origin, within_window};
use crate::provider::ResolvedModel;

/// Said by the provider to be taken in place of a signature that never was: a call another model made.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";
/// Begins the ids made up here; what follows the second `_` is the provider's own, which repeat.
const ID_PREFIX: &str = "gc";
/// The greatest budget every thinking model of the second generation takes.
const MAX_BUDGET: u32 = 24_576;

/// The thought signature of a call, which has no place for it here: it stands at a thought instead. A text's stands
/// at the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Signed {
    /// The position of the call in its answer.
    call: usize,
    signature: String,
}

/// An id that no other call has, with the provider's own inside.
fn own_id(provider: Option<&str>) -> String {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    match provider.filter(|id| !id.is_empty()) {
        Some(id) => format!("{ID_PREFIX}_{}_{id}", &unique[..12]),
        None => format!("{ID_PREFIX}_{}", &unique[..12]),
    }
}

/// The provider's own id inside one of ours, where it gave one.
fn provider_id(id: &str) -> Option<&str> {
    let (unique, id) = id.strip_prefix(ID_PREFIX)?.strip_prefix('_')?.split_once('_')?;
    (unique.len() == 12 && !id.is_empty()).then_some(id)
}

/// The generation of a model by its name: `gemini-2.5-flash` is 2. Names without one are taken as new.
fn generation(model: &str) -> u32 {
    let name = model.rsplit('/').next().unwrap_or(model);
    let digits: String = name
        .strip_prefix("gemini-")
        .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
        .unwrap_or_default();
    match digits.parse() {
        Ok(generation) => generation,
        Err(_) if name.starts_with("gemini-") => 3,
        Err(_) => 0,
    }
}

/// The body of a call; the model is part of the address.
pub(super) fn body(request: &ChatRequest, model: &ResolvedModel) -> Value {
    let mut body = Map::new();
    let (system, contents) = contents(request, model);
    if !system.is_empty() {
        body.insert("systemInstruction".to_owned(), json!({"parts": [{"text": system}]}));
    }
    body.insert("contents".to_owned(), Value::Array(contents));
    if !request.tools.is_empty() {
        let tools: Vec<_> = request.tools.iter().map(tool).collect();
        body.insert("tools".to_owned(), json!([{"functionDeclarations": tools}]));
        body.insert(
            "toolConfig".to_owned(),
            json!({"functionCallingConfig": tool_choice(&request.tool_choice)}),
        );
    }
    let config = generation_config(request, model);
    if !config.is_empty() {
        body.insert("generationConfig".to_owned(), Value::Object(config));
    }
    Value::Object(body)
}

fn tool(spec: &ToolSpec) -> Value {
    let mut tool = json!({"name": spec.name, "description": spec.description});
    let takes_something = spec.parameters["properties"].as_object().is_some_and(|all| !all.is_empty());
    if takes_something {
        tool["parametersJsonSchema"] = spec.parameters.clone();
    }
    tool
}

fn tool_choice(choice: &ToolChoice) -> Value {
    match choice {
        ToolChoice::Auto => json!({"mode": "AUTO"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::Named(name) => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    }
}

fn generation_config(request: &ChatRequest, model: &ResolvedModel) -> Map<String, Value> {
    let options = &request.options;
    let mut config = Map::new();
    let mut put = |key: &str, value: Value| {
        config.insert(key.to_owned(), value);
    };
    if let Some(temperature) = options.temperature {
        put("temperature", json!(temperature));
    }
    if let Some(limit) = options.max_output_tokens {
        put("maxOutputTokens", json!(within_window(limit, model)));
    }
    if let Some(penalty) = options.frequency_penalty {
        put("frequencyPenalty", json!(penalty));
    }
    if let Some(thinking) = thinking(request, model) {
        put("thinkingConfig", thinking);
    }
    if let Some(format) = &options.response_format {
        match format.get("type").and_then(Value::as_str) {
            // The provider takes no form for the answer together with tools.
            _ if !request.tools.is_empty() && generation(&model.model) < 3 => {}
            Some("json_schema") => {
                let given = format.get("json_schema").unwrap_or(format);
                put("responseMimeType", json!("application/json"));
                if let Some(schema) = given.get("schema") {
                    put("responseJsonSchema", schema.clone());
                }
            }
            Some("json_object") => put("responseMimeType", json!("application/json")),
            Some(_) | None => {}
        }
    }
    config
}

/// The second generation thinks by budget, later ones by level; both show their thoughts only when asked.
fn thinking(request: &ChatRequest, model: &ResolvedModel) -> Option<Value> {
    let options = &request.options;
    let name = model.model.as_str();
    let effort = options.reasoning_effort.as_deref();
    if generation(name) >= 3 {
        let level = match (effort, options.thinking_budget) {
            (Some("none" | "minimal"), _) | (None, Some(0)) if name.contains("flash") => Some("minimal"),
            (Some("none" | "minimal" | "low"), _) | (None, Some(0)) => Some("low"),
            (Some("medium"), _) if name.contains("flash") => Some("medium"),
            (Some("medium" | "high" | "xhigh"), _) => Some("high"),
            (Some(_) | None, _) => None,
        };
        let mut thinking = json!({"includeThoughts": true});
        if let Some(level) = level {
            thinking["thinkingLevel"] = json!(level);
        }
        return Some(thinking);
    }
    if !name.contains("gemini-2.5") {
        return None;
    }
    let is_pro = name.contains("pro");
    let budget = match (options.thinking_budget, effort) {
        (Some(budget), _) => Some(budget),
        (None, Some("none")) => Some(0),
        (None, Some("minimal" | "low")) => Some(1024),
        (None, Some("medium")) => Some(8192),
        (None, Some("high" | "xhigh")) => Some(MAX_BUDGET),
        (None, Some(_) | None) => None,
    };
    let budget = budget.map(|budget| match budget {
        // This one cannot leave it.
        0 if is_pro => 128,
        0 => 0,
        some => some.clamp(if is_pro { 128 } else { 512 }, if is_pro { 32_768 } else { MAX_BUDGET }),
    });
    let mut thinking = json!({"includeThoughts": budget != Some(0)});
    if let Some(budget) = budget {
        thinking["thinkingBudget"] = json!(budget);
    }
    Some(thinking)
}

/// The system text and the turns, alternating, beginning with the user.
fn contents(request: &ChatRequest, model: &ResolvedModel) -> (String, Vec<Value>) {
    let mut system: Vec<&str> = Vec::new();
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut names: Vec<(&str, &str)> = Vec::new();
    let mut conversation_began = false;
    let mut push = |role: &'static str, parts: Vec<Value>| {
        if parts.is_empty() {
            return;
        }
        match turns.last_mut() {
            Some((last, before)) if *last == role => before.extend(parts),
            _ => turns.push((role, parts)),
        }
    };
    for message in &request.messages {
        match message {
            ChatMessage::System { text } if !conversation_began => system.push(text),
            ChatMessage::System { text } => {
                push("user", vec![json!({"text": format!("<system_message>\n{text}\n</system_message>")})]);
            }
            ChatMessage::User { content } => push("user", content.iter().filter_map(input_part).collect()),
            ChatMessage::Assistant { content, tool_calls } => {
                names.extend(tool_calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
                push("model", answer_parts(content, tool_calls, model));
            }
            ChatMessage::Tool { returns } => {
                let mut parts = Vec::new();
                let mut images = Vec::new();
                for tool_return in returns {
                    let name = names.iter().rev().find(|(id, _)| *id == tool_return.tool_call_id);
                    let name = name.map_or("unknown", |(_, name)| name);
                    parts.push(function_response(tool_return, name, model, &mut images));
                }
                parts.extend(images);
                push("user", parts);
            }
        }
        conversation_began |= !matches!(message, ChatMessage::System { .. });
    }
    if turns.first().is_none_or(|(role, _)| *role != "user") {
        turns.insert(0, ("user", vec![json!({"text": "(The conversation begins here.)"})]));
    }
    let turns = turns.into_iter().map(|(role, parts)| json!({"role": role, "parts": parts})).collect();
    (system.join("\n\n"), turns)
}

fn input_part(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::Text { text, .. } => (!text.is_empty()).then(|| json!({"text": text})),
        ContentPart::Image { source } => Some(image(source)),
        ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } => None,
    }
}

fn image(source: &ImageSource) -> Value {
    match source {
        ImageSource::Base64 { media_type, data } => {
            json!({"inlineData": {"mimeType": media_type, "data": data}})
        }
        ImageSource::Url { url } => json!({"fileData": {"fileUri": url}}),
    }
}

/// Thoughts stay here; their signatures go back to the very parts they came with.
fn answer_parts(content: &[ContentPart], tool_calls: &[ToolCall], model: &ResolvedModel) -> Vec<Value> {
    let mut parts: Vec<Value> = Vec::new();
    let mut of_calls: Vec<Signed> = Vec::new();
    for part in content {
        match part {
            ContentPart::Text { text, signature } if !text.is_empty() => {
                let mut part = json!({"text": text});
                let signature = signature.as_deref().and_then(|sealed| Origin::Google.open::<String>(sealed));
                if let Some(signature) = signature {
                    part["thoughtSignature"] = json!(signature);
                }
                parts.push(part);
            }
            ContentPart::Reasoning { signature: Some(signature), .. } => {
                of_calls.extend(Origin::Google.open::<Signed>(signature));
            }
            ContentPart::Text { .. }
            | ContentPart::Image { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => {}
        }
    }
    for (at, call) in tool_calls.iter().enumerate() {
        let mut part = json!({"functionCall": {"name": call.name, "args": arguments(&call.arguments)}});
        if let Some(id) = provider_id(&call.id) {
            part["functionCall"]["id"] = json!(id);
        }
        match of_calls.iter().find(|signed| signed.call == at) {
            Some(Signed { signature, .. }) => part["thoughtSignature"] = json!(signature),
            // From the third generation on, the first call of each step has to have one.
            None if at == 0 && generation(&model.model) >= 3 => {
                part["thoughtSignature"] = json!(NO_SIGNATURE);
            }
            None => {}
        }
        parts.push(part);
    }
    parts
}

/// The provider takes only objects; what is none is shown as the model wrote it.
fn arguments(arguments: &str) -> Value {
    match serde_json::from_str(arguments) {
        Ok(Value::Object(map)) => Value::Object(map),
        Ok(_) | Err(_) if arguments.trim().is_empty() => json!({}),
        Ok(_) | Err(_) => json!({"invalid_arguments": arguments}),
    }
}

/// Images belong inside the response from the third generation on; before, they follow it.
fn function_response(
    tool_return: &ChatToolReturn,
    name: &str,
    model: &ResolvedModel,
    images: &mut Vec<Value>,
) -> Value {
    let mut texts = Vec::new();
    let mut pictures = Vec::new();
    for part in &tool_return.content {
        match part {
            ContentPart::Text { text, .. } => texts.push(text.as_str()),
            ContentPart::Image { source } => pictures.push(image(source)),
            ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } => {}
        }
    }
    let key = if tool_return.is_error { "error" } else { "output" };
    let mut response = json!({"name": name, "response": {key: texts.join("\n")}});
    if let Some(id) = provider_id(&tool_return.tool_call_id) {
        response["id"] = json!(id);
    }
    if !pictures.is_empty() {
        if generation(&model.model) >= 3 {
            response["parts"] = Value::Array(pictures);
        } else {
            images.extend(pictures);
        }
    }
    json!({"functionResponse": response})
}

#[cfg(test)]
mod tests;
