//! The built-in provider that is no AI: in process, deterministic, and saying so. It lets a newcomer try memory,
//! tools and approvals without a key.

mod memory;
mod script;

use futures::{StreamExt, stream::BoxStream};
use loci_api::{
    chat::{
        ChatError, ChatEvent, ChatMessage, ChatRequest, ChatToolReturn, ChatTrace, FinishReason, ToolChoice,
        Usage,
    },
    message::ContentPart,
};
use serde_json::{Value, json};

use crate::{
    listing::{Capabilities, ModelInfo, WindowSource},
    protocols::Protocol,
    provider::ResolvedModel,
};

pub(crate) const PROVIDER: &str = "rehearsal";
/// The handle of the one model there is.
pub const HANDLE: &str = "rehearsal/rehearsal";
const CONTEXT_WINDOW: u32 = 128_000;
/// Stands before everything it says.
const LABEL: &str = "[rehearsal, no AI]";

/// The API has no provider type for it; it is shown as what it is most like.
const TYPE: &str = "openai";

pub(crate) fn resolved() -> ResolvedModel {
    ResolvedModel {
        handle: HANDLE.to_owned(),
        provider_name: PROVIDER.to_owned(),
        provider_type: TYPE.to_owned(),
        kind: PROVIDER.to_owned(),
        endpoint_type: TYPE.to_owned(),
        endpoint: None,
        model: PROVIDER.to_owned(),
        context_window: CONTEXT_WINDOW,
        max_context_window: CONTEXT_WINDOW,
        window_source: WindowSource::InForce,
        max_output_tokens: None,
        category: "base".to_owned(),
        reasons: false,
        capabilities: Capabilities { tools: Some(true), images: Some(false), reasoning: Some(false) },
        price: None,
        // Never spoken: it runs in process.
        protocol: Protocol::OpenAiChat,
    }
}

pub(crate) fn info() -> ModelInfo {
    resolved().into_info("Rehearsal (no AI)".to_owned())
}

/// What it answers.
#[derive(Debug, Clone, PartialEq)]
struct Reply {
    text: String,
    calls: Vec<PlannedCall>,
}

#[derive(Debug, Clone, PartialEq)]
struct PlannedCall {
    name: String,
    arguments: Value,
}

/// The answer, word by word, as a model would send it.
pub(crate) fn chat(request: &ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>> {
    let mut reply = reply(request);
    if !request.parallel_tool_calls {
        reply.calls.truncate(1);
    }
    let text = format!("{LABEL} {}", reply.text);
    let ids = call_ids(request);

    let mut events: Vec<ChatEvent> = words(&text).map(|word| ChatEvent::Text(word.to_owned())).collect();
    let mut calls = Vec::new();
    for (index, (call, id)) in reply.calls.iter().zip(ids).enumerate() {
        let arguments = call.arguments.to_string();
        calls.push(json!({"id": id, "name": call.name, "arguments": arguments}));
        events.push(ChatEvent::ToolCallStarted { index, id, name: call.name.clone() });
        events.extend(
            words(&arguments).map(|word| ChatEvent::ToolCallArguments { index, delta: word.to_owned() }),
        );
    }
    let response = json!({"provider": HANDLE, "text": text, "tool_calls": calls});
    events.push(ChatEvent::Usage(usage(request, &response)));
    let finish = if calls.is_empty() { FinishReason::Stop } else { FinishReason::ToolCalls };
    events.push(ChatEvent::Finish(finish));
    events.push(ChatEvent::Trace(ChatTrace {
        request: serde_json::to_value(request).unwrap_or(Value::Null),
        response,
        ..ChatTrace::default()
    }));
    futures::stream::iter(events.into_iter().map(Ok)).boxed()
}

/// Pieces that each end with the white space after a word.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

/// Counted up over the conversation, so that the same conversation always gets the same ids.
fn call_ids(request: &ChatRequest) -> impl Iterator<Item = String> {
    let before: usize = request
        .messages
        .iter()
        .map(|message| match message {
            ChatMessage::Assistant { tool_calls, .. } => tool_calls.len(),
            ChatMessage::System { .. } | ChatMessage::User { .. } | ChatMessage::Tool { .. } => 0,
        })
        .sum();
    // Compaction shortens the conversation; its length in words tells such beginnings apart.
    let size = request.messages.len();
    (before..).map(move |number| format!("call_rehearsal_{size}_{}", number + 1))
}

fn usage(request: &ChatRequest, response: &Value) -> Usage {
    let count = |text: &str| text.split_whitespace().count() as u64;
    let of_parts = |parts: &[ContentPart]| count(&text_of(parts));
    let prompt_tokens = request
        .messages
        .iter()
        .map(|message| match message {
            ChatMessage::System { text } => count(text),
            ChatMessage::User { content } => of_parts(content),
            ChatMessage::Assistant { content, tool_calls } => {
                of_parts(content) + tool_calls.iter().map(|call| count(&call.arguments) + 1).sum::<u64>()
            }
            ChatMessage::Tool { returns } => returns.iter().map(|one| of_parts(&one.content)).sum(),
        })
        .sum();
    let calls = response["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let completion_tokens = count(response["text"].as_str().unwrap_or_default())
        + calls.iter().map(|call| count(call["arguments"].as_str().unwrap_or_default()) + 1).sum::<u64>();
    Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens + completion_tokens,
        ..Usage::default()
    }
}

fn reply(request: &ChatRequest) -> Reply {
    if let Some(forced) = forced(request) {
        return Reply { text: format!("I have to call `{}` now.", forced.name), calls: vec![forced] };
    }
    let (asked, done) = last_words(request);
    let mut calls = script::calls(&asked, &request.tools);
    if request.tool_choice == ToolChoice::None {
        calls.clear();
    }
    if let Some(ChatMessage::Tool { returns }) = request.messages.last() {
        // Where calls may not be made at once, the rest of what was asked for follows now.
        let calls = calls.split_off(done.min(calls.len()));
        return Reply { text: report(request, returns), calls };
    }
    if !calls.is_empty() {
        let names: Vec<_> = calls.iter().map(|call| format!("`{}`", call.name)).collect();
        return Reply { text: format!("Calling {}.", names.join(" and ")), calls };
    }
    let blocks = memory::blocks(&request.messages);
    if request.tool_choice != ToolChoice::None
        && let Some(fact) = script::fact(&asked)
    {
        return match memory::remember(fact, &blocks, &request.tools) {
            Ok((label, call)) => {
                Reply { text: format!("I write that to the block `{label}`."), calls: vec![call] }
            }
            Err(reason) => Reply { text: reason, calls: Vec::new() },
        };
    }
    Reply { text: memory::recall(&asked, &blocks), calls: Vec::new() }
}

/// The person's last words, and how many calls were made since.
fn last_words(request: &ChatRequest) -> (String, usize) {
    let mut done = 0;
    for message in request.messages.iter().rev() {
        match message {
            ChatMessage::User { content } => return (unpacked(&text_of(content)), done),
            ChatMessage::Assistant { tool_calls, .. } => done += tool_calls.len(),
            ChatMessage::System { .. } | ChatMessage::Tool { .. } => {}
        }
    }
    (String::new(), done)
}

/// A tool the request insists on, unless the person's words already ask for calls that will satisfy it.
fn forced(request: &ChatRequest) -> Option<PlannedCall> {
    let name = match &request.tool_choice {
        ToolChoice::Auto | ToolChoice::None => return None,
        ToolChoice::Named(name) => name.clone(),
        ToolChoice::Required => request.tools.first()?.name.clone(),
    };
    let last = match request.messages.last() {
        Some(ChatMessage::User { content }) => unpacked(&text_of(content)),
        _ => String::new(),
    };
    let asked = script::calls(&last, &request.tools);
    let allowed = |call: &PlannedCall| match &request.tool_choice {
        ToolChoice::Named(name) => call.name == *name,
        ToolChoice::Auto | ToolChoice::None | ToolChoice::Required => {
            request.tools.iter().any(|tool| tool.name == call.name)
        }
    };
    let asked = asked.into_iter().find(allowed);
    Some(asked.unwrap_or(PlannedCall { name, arguments: json!({}) }))
}

/// What came back from the tools, in words.
fn report(request: &ChatRequest, returns: &[ChatToolReturn]) -> String {
    let name_of = |id: &str| {
        request.messages.iter().rev().find_map(|message| match message {
            ChatMessage::Assistant { tool_calls, .. } => {
                tool_calls.iter().find(|call| call.id == id).map(|call| call.name.as_str())
            }
            ChatMessage::System { .. } | ChatMessage::User { .. } | ChatMessage::Tool { .. } => None,
        })
    };
    let lines: Vec<_> = returns
        .iter()
        .map(|one| {
            let name = name_of(&one.tool_call_id).unwrap_or("the tool");
            let verb = if one.is_error { "failed" } else { "returned" };
            format!("`{name}` {verb}: {}", script::shortened(&envelope(&text_of(&one.content))))
        })
        .collect();
    lines.join("\n")
}

/// The message inside the envelope of a return.
fn envelope(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => match map.get("message") {
            Some(Value::String(message)) => message.clone(),
            Some(other) => other.to_string(),
            None => text.to_owned(),
        },
        Ok(_) | Err(_) => text.to_owned(),
    }
}

/// A user's text that arrives wrapped in JSON.
fn unpacked(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(map)) => match map.get("message").and_then(Value::as_str) {
            Some(message) => message.to_owned(),
            None => text.to_owned(),
        },
        Ok(_) | Err(_) => text.to_owned(),
    }
}

fn text_of(parts: &[ContentPart]) -> String {
    let texts: Vec<_> = parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Text { text, .. } => Some(text.as_str()),
            ContentPart::Image { .. }
            | ContentPart::Reasoning { .. }
            | ContentPart::RedactedReasoning { .. } => None,
        })
        .collect();
    texts.join("\n")
}

#[cfg(test)]
mod tests;
