//! One answer of a model outside any turn: for summaries, titles and the like. Nothing of it enters a history.

use futures::StreamExt as _;
use loci_api::chat::{ChatError, ChatErrorKind, ChatEvent, ChatRequest, FinishReason, Usage};
use loci_llm::ChatModel as _;

use crate::{
    App,
    usage::{self, Spender},
};

/// What a model answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    pub text: String,
    pub usage: Usage,
}

/// Asks and waits for the whole text. What it used is written down for the spender, whose budget is minded.
///
/// # Errors
/// The model's; an answer without text, or one that broke off, is one too. So is a budget that is used up.
pub async fn complete(app: &App, request: ChatRequest, spender: Spender) -> Result<Completion, ChatError> {
    if let Some(agent_id) = &spender.agent_id {
        usage::budget::check(app, agent_id).await?;
    }
    let handle = request.handle.clone();
    let mut used = Usage::default();
    let done = listen(app, request, &mut used).await;
    usage::record(app, &handle, &used, spender).await;
    done
}

async fn listen(app: &App, request: ChatRequest, usage: &mut Usage) -> Result<Completion, ChatError> {
    let handle = request.handle.clone();
    let mut events = app.models().chat(request);
    let (mut text, mut finish) = (String::new(), None);
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Text(piece) => text.push_str(&piece),
            ChatEvent::Usage(told) => *usage = told,
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
        Some(_) => Ok(Completion { text, usage: *usage }),
    }
}
