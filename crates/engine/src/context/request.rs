//! The model request, from the context window: well-formed whatever the history went through.
//!
//! Every call that is sent has exactly one return right behind it; what has none, or was part of a failed step,
//! is left out. The stored messages are not changed.

use std::collections::HashSet;

use loci_api::{
    chat::{ChatMessage, ChatOptions, ChatRequest, ChatToolReturn, ToolChoice, ToolSpec},
    message::{ContentPart, Message, ReturnContent, Role, ToolCall, ToolReturn, ToolStatus},
    request::ClientSkill,
};

use super::render_skills;
use crate::{arguments, returns};

/// What a request is built from.
#[derive(Debug, Clone)]
pub struct RequestInput<'a> {
    /// `provider/model`.
    pub model: &'a str,
    pub options: &'a ChatOptions,
    /// Message 0 being the system prompt.
    pub context: &'a [Message],
    /// Replaces the system prompt, skills included.
    pub override_system: Option<&'a str>,
    pub skills: &'a [ClientSkill],
    pub tools: Vec<ToolSpec>,
    pub tool_choice: ToolChoice,
    pub parallel_tool_calls: bool,
    /// Tokens; it bounds what one tool return may take.
    pub context_window: u32,
    pub stream: bool,
}

/// The request for the next model call.
#[must_use]
pub fn build(input: RequestInput<'_>) -> ChatRequest {
    let system = match (input.override_system, input.context.first()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(first)) if first.role == Role::System => {
            let skills = render_skills(input.skills);
            let gap = if skills.is_empty() { "" } else { "\n\n" };
            format!("{}{gap}{skills}", first.text())
        }
        (None, _) => render_skills(input.skills),
    };
    let rest = match input.context {
        [first, rest @ ..] if first.role == Role::System => rest,
        all => all,
    };
    let mut messages = Vec::with_capacity(input.context.len());
    if !system.is_empty() {
        messages.push(ChatMessage::System { text: system });
    }
    messages.extend(conversation(rest, returns::request_cap(input.context_window)));
    ChatRequest {
        handle: input.model.to_owned(),
        messages,
        tools: input.tools,
        tool_choice: input.tool_choice,
        parallel_tool_calls: input.parallel_tool_calls,
        options: input.options.clone(),
        stream: input.stream,
    }
}

/// The messages after the system prompt as the model reads them; no return is longer than `cap` characters.
#[must_use]
pub fn conversation(messages: &[Message], cap: usize) -> Vec<ChatMessage> {
    let messages: Vec<&Message> = messages.iter().filter(|message| !message.is_err).collect();
    let mut out = Vec::with_capacity(messages.len());
    let mut at = 0;
    while let Some(message) = messages.get(at) {
        at += 1;
        match message.role {
            Role::System => {
                let text = message.text();
                if !text.is_empty() {
                    out.push(ChatMessage::System { text });
                }
            }
            Role::User | Role::Summary => {
                let content = told(&message.content);
                if !content.is_empty() {
                    out.push(ChatMessage::User { content });
                }
            }
            Role::Assistant => {
                // The gated calls of the same answer are a row of their own.
                let request =
                    messages.get(at).filter(|next| next.is_approval_request() && one_step(message, next));
                at += usize::from(request.is_some());
                spoken(&mut out, message, request.copied(), &messages[at..], cap);
            }
            Role::Approval if message.is_approval_request() => {
                spoken(&mut out, message, None, &messages[at..], cap);
            }
            // Returns stand behind their calls; answers of people are in them.
            Role::Approval | Role::Tool => {}
        }
    }
    out
}

fn one_step(assistant: &Message, request: &Message) -> bool {
    assistant.step_id.is_none() || request.step_id.is_none() || assistant.step_id == request.step_id
}

/// Adds what a model said, and behind it the returns of its calls.
fn spoken(
    out: &mut Vec<ChatMessage>,
    message: &Message,
    request: Option<&Message>,
    after: &[&Message],
    cap: usize,
) {
    let mut content = told(&message.content);
    let mut asked: Vec<&ToolCall> = message.tool_calls.iter().collect();
    if let Some(request) = request {
        content.extend(told(&request.content));
        asked.extend(&request.tool_calls);
    }
    let answers = answers(after);
    let mut seen = HashSet::new();
    let mut tool_calls = Vec::with_capacity(asked.len());
    let mut returned = Vec::with_capacity(asked.len());
    for call in asked {
        let Some(answer) = answers.iter().find(|answer| answer.tool_call_id == call.id) else { continue };
        if seen.insert(call.id.as_str()) {
            let arguments = arguments::sendable(&call.arguments);
            tool_calls.push(ToolCall { id: call.id.clone(), name: call.name.clone(), arguments });
            returned.push(shown(answer, cap));
        }
    }
    let says_nothing = content
        .iter()
        .all(|part| matches!(part, ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. }));
    // Thoughts alone are no message a provider takes.
    if tool_calls.is_empty() && says_nothing {
        return;
    }
    out.push(ChatMessage::Assistant { content, tool_calls });
    if !returned.is_empty() {
        out.push(ChatMessage::Tool { returns: returned });
    }
}

/// The returns that belong to an answer: those up to the model's next one.
fn answers<'a>(after: &[&'a Message]) -> Vec<&'a ToolReturn> {
    after
        .iter()
        .take_while(|message| message.role != Role::Assistant && !message.is_approval_request())
        .filter(|message| message.role == Role::Tool)
        .flat_map(|message| &message.tool_returns)
        .collect()
}

fn shown(result: &ToolReturn, cap: usize) -> ChatToolReturn {
    let result = returns::clipped(result, cap);
    let mut content = vec![ContentPart::text(result.envelope())];
    if let ReturnContent::Parts(parts) = &result.content {
        content.extend(parts.iter().filter(|part| matches!(part, ContentPart::Image { .. })).cloned());
    }
    ChatToolReturn {
        tool_call_id: result.tool_call_id.clone(),
        content,
        is_error: result.status == ToolStatus::Error,
    }
}

fn told(content: &[ContentPart]) -> Vec<ContentPart> {
    content
        .iter()
        .filter(|part| !matches!(part, ContentPart::Text { text, .. } if text.is_empty()))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests;
