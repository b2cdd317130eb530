//! Anthropic's Messages: the request.

mod answer;

use loci_api::{
    chat::{CacheLife, ChatMessage, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, ImageSource, ToolCall},
};
use serde_json::{Map, Value, json};

pub(super) use self::answer::Answer;
use super::{Outgoing, ids::IdForm, proof, strict::strict, within_window};
use crate::{
    catalogue::{DEFAULT_MAX_OUTPUT, Thinks, is_claude_since, thinks},
    provider::ResolvedModel,
};

pub(super) const VERSION: &str = "2023-06-01";
const STRICT_BETA: &str = "structured-outputs-2025-11-13";
const EFFORT_BETA: &str = "effort-2025-11-24";
const IDS: IdForm = IdForm::Plain(64);
/// What an answer may take where nobody says: room for a long one, without eating the window.
const USUAL_MAX_OUTPUT: u32 = 32_000;
/// The smallest budget the provider takes.
const MIN_BUDGET: u32 = 1024;

/// Body and headers of a call.
pub(super) fn outgoing(request: &ChatRequest, model: &ResolvedModel) -> Outgoing {
    let options = &request.options;
    let limit = model.max_output_tokens.unwrap_or(DEFAULT_MAX_OUTPUT);
    let max_tokens = within_window(options.max_output_tokens.unwrap_or(limit.min(USUAL_MAX_OUTPUT)), model);
    let thinking = thinking(request, model, max_tokens, limit);

    let mut body = Map::new();
    body.insert("model".to_owned(), json!(model.model));
    let with_thinking = match thinking {
        Some(Thinking::Budget { max_tokens, .. }) => max_tokens,
        Some(Thinking::Adaptive) | None => max_tokens,
    };
    body.insert("max_tokens".to_owned(), json!(with_thinking));
    let form = form(request, &model.model);
    let in_words = if form.is_none() { options.response_format.as_ref() } else { None };
    let (system, messages) = messages(request, thinking.is_some(), in_words);
    if !system.is_empty() {
        body.insert("system".to_owned(), Value::Array(system));
    }
    body.insert("messages".to_owned(), Value::Array(messages));
    let mut is_strict = false;
    if !request.tools.is_empty() {
        let mut tools: Vec<_> = request.tools.iter().map(|spec| tool(spec, options.strict)).collect();
        is_strict = tools.iter().any(|tool| tool.get("strict").is_some());
        if let Some(last) = tools.last_mut() {
            mark(last, options.cache);
        }
        body.insert("tools".to_owned(), Value::Array(tools));
        body.insert("tool_choice".to_owned(), tool_choice(request));
    }
    match thinking {
        // With thinking on, the provider takes no other temperature than its own.
        Some(Thinking::Budget { budget, .. }) => {
            body.insert("thinking".to_owned(), json!({"type": "enabled", "budget_tokens": budget}));
        }
        // Without being asked, these models keep their thoughts to themselves.
        Some(Thinking::Adaptive) => {
            body.insert("thinking".to_owned(), json!({"type": "adaptive", "display": "summarized"}));
        }
        None => {
            if let Some(temperature) = options.temperature
                && thinks(&model.model) != Thinks::Adaptive
            {
                body.insert("temperature".to_owned(), json!(temperature.clamp(0.0, 1.0)));
            }
        }
    }
    body.insert("stream".to_owned(), json!(request.stream));

    let mut betas = Vec::new();
    if is_strict && !is_claude_since(&model.model, (4, 6)) {
        betas.push(STRICT_BETA);
    }
    let mut config = Map::new();
    if let Some(effort) = options.reasoning_effort.as_deref().and_then(|wanted| effort(&model.model, wanted))
    {
        config.insert("effort".to_owned(), json!(effort));
        if !is_claude_since(&model.model, (4, 6)) {
            betas.push(EFFORT_BETA);
        }
    }
    config.extend(form.map(|form| ("format".to_owned(), form)));
    if !config.is_empty() {
        body.insert("output_config".to_owned(), Value::Object(config));
    }
    let headers = if betas.is_empty() { Vec::new() } else { vec![("anthropic-beta", betas.join(","))] };
    Outgoing { body: Value::Object(body), headers, as_call: false }
}

/// How hard the model should work, for those that can be told.
fn effort<'a>(model: &str, wanted: &'a str) -> Option<&'a str> {
    let is_late = is_claude_since(model, (4, 6));
    let takes_effort = is_late || model.contains("opus-4-5");
    let takes_most = is_late && !model.contains("sonnet-4-6");
    match wanted {
        _ if !takes_effort => None,
        "low" | "medium" | "high" => Some(wanted),
        "xhigh" if thinks(model) == Thinks::Adaptive => Some("xhigh"),
        "max" | "xhigh" if takes_most => Some("max"),
        "max" | "xhigh" => Some("high"),
        "none" | "minimal" => Some("low"),
        _ => None,
    }
}

/// A schema the provider itself holds the answer to, where the model can be held and the schema keeps its meaning.
fn form(request: &ChatRequest, model: &str) -> Option<Value> {
    let format = request.options.response_format.as_ref()?;
    if format.get("type")? != "json_schema" || !is_claude_since(model, (4, 5)) {
        return None;
    }
    let given = format.get("json_schema").unwrap_or(format);
    let schema = strict(given.get("schema")?)?;
    Some(json!({"type": "json_schema", "schema": schema}))
}

/// How a call thinks.
#[derive(Debug, Clone, Copy)]
enum Thinking {
    /// The budget is below `max_tokens`.
    Budget { budget: u32, max_tokens: u32 },
    /// As much as the model finds right.
    Adaptive,
}

/// Whether this call may think, and the numbers that go together: the budget must be below `max_tokens`.
fn thinking(request: &ChatRequest, model: &ResolvedModel, max_tokens: u32, limit: u32) -> Option<Thinking> {
    let budget = request.options.thinking_budget.filter(|budget| *budget > 0)?;
    // A forced call and thinking exclude each other at the provider.
    let is_forced = !request.tools.is_empty()
        && matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named(_));
    if is_forced || !can_continue_thinking(&request.messages) {
        return None;
    }
    match thinks(&model.model) {
        Thinks::Adaptive => return Some(Thinking::Adaptive),
        Thinks::Budget => {}
        Thinks::No | Thinks::Effort | Thinks::EffortSingleCalls => return None,
    }
    let budget = budget.max(MIN_BUDGET);
    let max_tokens =
        if max_tokens > budget { max_tokens } else { budget.saturating_add(max_tokens).min(limit) };
    let budget = budget.min(max_tokens.saturating_sub(1));
    (budget >= MIN_BUDGET).then_some(Thinking::Budget { budget, max_tokens })
}

/// A tool loop under way must go on as it began: an answer whose calls are being returned has to start with its
/// own sealed thinking, or thinking is off until the next user message.
fn can_continue_thinking(messages: &[ChatMessage]) -> bool {
    let Some(ChatMessage::Tool { .. }) = messages.last() else { return true };
    let call = messages.iter().rev().find_map(|message| match message {
        ChatMessage::Assistant { content, tool_calls } if !tool_calls.is_empty() => Some(content),
        ChatMessage::Assistant { .. }
        | ChatMessage::System { .. }
        | ChatMessage::User { .. }
        | ChatMessage::Tool { .. } => None,
    });
    call.is_none_or(|content| {
        content.first().is_some_and(|part| match part {
            ContentPart::Reasoning { signature, .. } => signature.as_deref().is_some_and(proof::is_bare),
            ContentPart::RedactedReasoning { .. } => true,
            ContentPart::Text { .. } | ContentPart::Image { .. } => false,
        })
    })
}

fn tool(spec: &ToolSpec, wants_strict: bool) -> Value {
    let mut tool = json!({
        "name": spec.name,
        "description": spec.description,
        "input_schema": spec.parameters,
    });
    if wants_strict && let Some(closed) = strict(&spec.parameters) {
        tool["input_schema"] = closed;
        tool["strict"] = json!(true);
    }
    tool
}

fn tool_choice(request: &ChatRequest) -> Value {
    let mut choice = match &request.tool_choice {
        ToolChoice::Auto => json!({"type": "auto"}),
        ToolChoice::None => return json!({"type": "none"}),
        ToolChoice::Required => json!({"type": "any"}),
        ToolChoice::Named(name) => json!({"type": "tool", "name": name}),
    };
    choice["disable_parallel_tool_use"] = json!(!request.parallel_tool_calls);
    choice
}

/// The system blocks and the turns, alternating, beginning and ending with the user, with cache marks.
fn messages(request: &ChatRequest, is_thinking: bool, format: Option<&Value>) -> (Vec<Value>, Vec<Value>) {
    let mut system: Vec<Value> = Vec::new();
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    let mut push = |role: &'static str, blocks: Vec<Value>| {
        if blocks.is_empty() {
            return;
        }
        match turns.last_mut() {
            Some((last, before)) if *last == role => before.extend(blocks),
            _ => turns.push((role, blocks)),
        }
    };
    let mut conversation_began = false;
    for message in &request.messages {
        match message {
            ChatMessage::System { text } if !conversation_began => system.extend(text_block(text)),
            ChatMessage::System { text } => {
                let text = format!("<system_message>\n{text}\n</system_message>");
                push("user", text_block(&text).into_iter().collect());
            }
            ChatMessage::User { content } => push("user", content.iter().filter_map(input_block).collect()),
            ChatMessage::Assistant { content, tool_calls } => {
                push("assistant", answer_blocks(content, tool_calls, is_thinking));
            }
            ChatMessage::Tool { returns } => push("user", returns.iter().map(tool_result).collect()),
        }
        conversation_began |= !matches!(message, ChatMessage::System { .. });
    }
    if turns.first().is_none_or(|(role, _)| *role != "user") {
        turns.insert(0, ("user", vec![json!({"type": "text", "text": "(The conversation begins here.)"})]));
    }
    // The provider would take a closing answer as the beginning of its own, or refuse it.
    if turns.last().is_some_and(|(role, _)| *role == "assistant") {
        turns.push(("user", vec![json!({"type": "text", "text": "(Go on.)"})]));
    }
    if let Some(block) = turns.last_mut().and_then(|(_, blocks)| blocks.last_mut()) {
        mark(block, request.options.cache);
    }
    if let Some(block) = system.last_mut() {
        mark(block, request.options.cache);
    }
    // After the mark, so that changing the form does not throw away the cached prompt.
    system.extend(format_block(format));
    let turns = turns.into_iter().map(|(role, content)| json!({"role": role, "content": content})).collect();
    (system, turns)
}

/// The provider refuses blocks without visible text.
fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({"type": "text", "text": text}))
}

fn input_block(part: &ContentPart) -> Option<Value> {
    match part {
        ContentPart::Text { text, .. } => text_block(text),
        ContentPart::Image { source } => Some(image(source)),
        ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } => None,
    }
}

fn image(source: &ImageSource) -> Value {
    let source = match source {
        ImageSource::Base64 { media_type, data } => {
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
        ImageSource::Url { url } => json!({"type": "url", "url": url}),
    };
    json!({"type": "image", "source": source})
}

/// Reasoning goes back only with its proof, unchanged, and only where this call may think.
fn answer_blocks(content: &[ContentPart], tool_calls: &[ToolCall], is_thinking: bool) -> Vec<Value> {
    let blocks = content.iter().filter_map(|part| match part {
        ContentPart::Text { text, .. } => text_block(text),
        ContentPart::Reasoning { reasoning, signature: Some(signature) }
            if is_thinking && proof::is_bare(signature) =>
        {
            Some(json!({"type": "thinking", "thinking": reasoning, "signature": signature}))
        }
        ContentPart::RedactedReasoning { data } if is_thinking => {
            Some(json!({"type": "redacted_thinking", "data": data}))
        }
        ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. } | ContentPart::Image { .. } => {
            None
        }
    });
    let calls = tool_calls.iter().map(|call| {
        json!({"type": "tool_use", "id": IDS.fit(&call.id), "name": call.name, "input": input(&call.arguments)})
    });
    blocks.chain(calls).collect()
}

/// The provider takes only objects; what is none is shown as the model wrote it.
fn input(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    match serde_json::from_str(arguments) {
        Ok(Value::Object(map)) => Value::Object(map),
        Ok(_) | Err(_) => json!({"invalid_arguments": arguments}),
    }
}

fn tool_result(tool_return: &ChatToolReturn) -> Value {
    let content: Vec<_> = tool_return.content.iter().filter_map(input_block).collect();
    let mut result = json!({"type": "tool_result", "tool_use_id": IDS.fit(&tool_return.tool_call_id)});
    if !content.is_empty() {
        result["content"] = Value::Array(content);
    }
    if tool_return.is_error {
        result["is_error"] = json!(true);
    }
    result
}

/// A form for the answer, said in words: not every model of this provider can be held to every schema.
fn format_block(format: Option<&Value>) -> Option<Value> {
    let format = format?;
    let text = match format.get("type")?.as_str()? {
        "json_schema" => {
            let schema = format.get("json_schema")?;
            let schema = schema.get("schema").unwrap_or(schema);
            format!(
                "Answer with one JSON value that satisfies this JSON Schema, and with nothing else:\n{schema}"
            )
        }
        "json_object" => "Answer with one JSON object and with nothing else.".to_owned(),
        _ => return None,
    };
    text_block(&text)
}

/// The provider keeps what is marked for five minutes, or an hour if told.
fn mark(block: &mut Value, life: Option<CacheLife>) {
    block["cache_control"] = match life {
        Some(CacheLife::OneHour) => json!({"type": "ephemeral", "ttl": "1h"}),
        Some(CacheLife::FiveMinutes) | None => json!({"type": "ephemeral"}),
    };
}

#[cfg(test)]
mod tests;
