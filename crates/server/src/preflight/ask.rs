//! One question to a model, and everything a verdict may need of the answer.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use loci_api::chat::{
    ChatError, ChatErrorKind, ChatEvent, ChatMessage, ChatOptions, ChatRequest, FinishReason, ToolChoice,
    ToolSpec, Usage,
};
use loci_api::message::ContentPart;
use loci_llm::ChatModel as _;
use serde_json::{Value, json};

use crate::{
    App,
    usage::{self, Spender, UsageKind},
};

/// Tokens a model may answer with: reasoning models need room before they come to the point.
pub(super) const ROOM: u32 = 4_096;
/// Characters of what is kept as evidence of one text.
const SHOWN: usize = 600;

/// A call the model made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Call {
    pub name: String,
    pub arguments: String,
}

impl Call {
    /// The arguments, if they are a JSON object.
    pub fn parsed(&self) -> Option<Value> {
        serde_json::from_str(&self.arguments).ok().filter(Value::is_object)
    }
}

/// What a model answered.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub text: String,
    pub calls: Vec<Call>,
    pub finish: Option<FinishReason>,
    pub usage: Usage,
    /// Pieces of text it came in.
    pub pieces: usize,
    /// To its first word or call.
    pub first: Option<Duration>,
    pub whole: Duration,
    pub reasoned: bool,
}

impl Reply {
    /// Tokens written, as said or else estimated at four characters to a token.
    pub fn tokens(&self) -> u64 {
        match self.usage.completion_tokens {
            0 => u64::try_from(self.text.chars().count().div_ceil(4)).unwrap_or(0),
            said => said,
        }
    }

    /// What the verdict rests on.
    pub fn evidence(&self) -> Value {
        let calls: Vec<Value> = self
            .calls
            .iter()
            .take(10)
            .map(|call| json!({"name": shown(&call.name), "arguments": shown(&call.arguments)}))
            .collect();
        json!({
            "text": shown(&self.text),
            "tool_calls": calls,
            "finish_reason": self.finish.as_ref().map(|finish| format!("{finish:?}")),
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "pieces": self.pieces,
            "first_ms": self.first.map(|first| u64::try_from(first.as_millis()).unwrap_or(u64::MAX)),
            "whole_ms": u64::try_from(self.whole.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

/// The beginning of a text.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A question.
#[derive(Debug, Clone)]
pub struct Question {
    pub messages: Vec<ChatMessage>,
    pub tools: Vec<ToolSpec>,
    pub choice: ToolChoice,
    pub parallel: bool,
    pub stream: bool,
    pub patience: Duration,
    /// Tokens the model is to be ready for, where its runtime is told with each request.
    pub context_window: Option<u32>,
}

impl Question {
    /// What a person says, without tools.
    pub fn says(text: &str) -> Self {
        Self {
            messages: vec![user(text)],
            tools: Vec::new(),
            choice: ToolChoice::Auto,
            parallel: false,
            stream: true,
            patience: Duration::from_secs(180),
            context_window: None,
        }
    }

    /// The same with tools.
    pub fn with_tools(text: &str, tools: Vec<ToolSpec>) -> Self {
        Self { tools, ..Self::says(text) }
    }
}

/// What a person says.
pub fn user(text: &str) -> ChatMessage {
    ChatMessage::User { content: vec![ContentPart::text(text)] }
}

/// Asks and waits for the whole answer. What it used is written down.
pub async fn ask(app: &App, handle: &str, question: Question) -> Result<Reply, ChatError> {
    let patience = question.patience;
    let request = ChatRequest {
        handle: handle.to_owned(),
        messages: question.messages,
        tools: question.tools,
        tool_choice: question.choice,
        parallel_tool_calls: question.parallel,
        options: ChatOptions {
            max_output_tokens: Some(ROOM),
            context_window: question.context_window,
            ..ChatOptions::default()
        },
        stream: question.stream,
    };
    let mut reply = Reply::default();
    let result = tokio::time::timeout(patience, listen(app, request, &mut reply)).await;
    usage::record(app, handle, &reply.usage, Spender::nobody(UsageKind::Preflight)).await;
    match result {
        Ok(Ok(())) => Ok(reply),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(ChatError {
            kind: ChatErrorKind::LlmTimeout,
            message: format!("{handle} did not finish its answer within {} seconds.", patience.as_secs()),
            detail: None,
            status: None,
            retry_after_ms: None,
            trace: None,
        }),
    }
}

async fn listen(app: &App, request: ChatRequest, reply: &mut Reply) -> Result<(), ChatError> {
    let began = Instant::now();
    let mut events = app.models().chat(request);
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Text(piece) => {
                reply.first.get_or_insert_with(|| began.elapsed());
                reply.pieces += 1;
                reply.text.push_str(&piece);
            }
            ChatEvent::ToolCallStarted { index, name, .. } => {
                reply.first.get_or_insert_with(|| began.elapsed());
                if reply.calls.len() <= index && index < 64 {
                    reply.calls.resize_with(index + 1, Call::default);
                }
                if let Some(call) = reply.calls.get_mut(index) {
                    call.name = name;
                }
            }
            ChatEvent::ToolCallArguments { index, delta } => {
                if let Some(call) = reply.calls.get_mut(index) {
                    call.arguments.push_str(&delta);
                }
            }
            ChatEvent::Reasoning(_) | ChatEvent::ReasoningSignature(_) | ChatEvent::RedactedReasoning(_) => {
                reply.reasoned = true;
            }
            ChatEvent::Usage(usage) => reply.usage = usage,
            ChatEvent::Finish(finish) => reply.finish = Some(finish),
            ChatEvent::TextSignature(_) | ChatEvent::Retrying(_) | ChatEvent::Trace(_) => {}
        }
    }
    reply.whole = began.elapsed();
    Ok(())
}
