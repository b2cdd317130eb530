//! One answer of a model outside any turn: for summaries, titles and the like. Nothing of it enters a history.

use futures::StreamExt as _;
use loci_api::chat::{ChatError, ChatErrorKind, ChatEvent, ChatRequest, FinishReason, Usage};
use loci_llm::ChatModel as _;

use crate::App;

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub text: String,
    pub usage: Usage,
}

/// Asks and waits for the whole text.
///
/// # Errors
/// The model's; an answer without text, or one that broke off, is one too.
pub async fn complete(app: &App, request: ChatRequest) -> Result<Completion, ChatError> {
    let handle = request.handle.clone();
    let mut events = app.models().chat(request);
    let (mut text, mut usage, mut finish) = (String::new(), Usage::default(), None);
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Text(piece) => text.push_str(&piece),
            ChatEvent::Usage(told) => usage = told,
            ChatEvent::Finish(reason) => finish = Some(reason),
            ChatEvent::Retrying(_)
            | ChatEvent::Reasoning(_)
            | ChatEvent::ReasoningSignature(_)
            | ChatEvent::RedactedReasoning(_)
            | ChatEvent::TextSignature(_)
            | ChatEvent::ToolCallStarted { .. }
            | ChatEvent::ToolCallArguments { .. }
            | ChatEvent::Trace(_) => {}
        }
    }
    let failed = |kind, message: String| ChatError {
        kind,
        message,
        detail: None,
        status: None,
        retry_after_ms: None,
        trace: None,
    };
    match finish {
        None => Err(failed(
            ChatErrorKind::StreamIncomplete,
            format!("The answer of {handle} broke off half-way."),
        )),
        Some(
            FinishReason::Stop
            | FinishReason::ToolCalls
            | FinishReason::Length
            | FinishReason::ContentFilter
            | FinishReason::Other(_),
        ) if text.trim().is_empty() => {
            Err(failed(ChatErrorKind::LlmEmptyResponse, format!("{handle} answered without any text.")))
        }
        Some(_) => Ok(Completion { text, usage }),
    }
}
