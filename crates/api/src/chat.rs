//! What an agent says to a model and hears back, before any provider's wire format.
//!
//! It lives in the shared vocabulary because the engine builds it and the providers' protocols read it, and
//! neither of the two may know the other.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    message::{ContentPart, ToolCall},
    said::{self, Said},
};

/// One call of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatRequest {
    /// `provider/model`, as agents carry it.
    pub handle: String,
    pub messages: Vec<ChatMessage>,
    pub tools: Vec<ToolSpec>,
    pub tool_choice: ToolChoice,
    /// Whether the model may ask for several tools at once.
    pub parallel_tool_calls: bool,
    pub options: ChatOptions,
    /// Whether the provider is asked to stream. The events are the same either way.
    pub stream: bool,
}

/// What a model may be told about how to answer. `None` leaves the provider's default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatOptions {
    pub temperature: Option<f64>,
    /// Tokens, reasoning included where the provider counts it so.
    pub max_output_tokens: Option<u32>,
    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh`.
    pub reasoning_effort: Option<String>,
    /// Tokens a model may think for; `Some(0)` switches thinking off where that exists.
    pub thinking_budget: Option<u32>,
    /// `low`, `medium`, `high`.
    pub verbosity: Option<String>,
    pub frequency_penalty: Option<f64>,
    /// The API's `response_format` object, as the person gave it.
    pub response_format: Option<Value>,
    /// Whether tool schemas are sent in the provider's strict form.
    pub strict: bool,
    /// Tokens the agent reckons with, prompt and answer together. Runtimes that set their window per request are told
    /// it; the others have their own.
    pub context_window: Option<u32>,
    /// How long the provider should keep the prompt in its cache, where it can be told.
    pub cache: Option<CacheLife>,
    /// The same for all calls that share a beginning (a conversation's id), for providers that find their cache by it.
    pub cache_key: Option<String>,
    /// How long a local runtime keeps the model in memory after the call, in its own words (`10m`, `-1`).
    pub keep_alive: Option<String>,
}

/// How long a prompt stays in a provider's cache after it was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheLife {
    #[serde(rename = "5m")]
    FiveMinutes,
    #[serde(rename = "1h")]
    OneHour,
}

/// One entry of what the model reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum ChatMessage {
    System {
        text: String,
    },
    User {
        content: Vec<ContentPart>,
    },
    Assistant {
        content: Vec<ContentPart>,
        tool_calls: Vec<ToolCall>,
    },
    /// All returns of one step, in the order of the calls.
    Tool {
        returns: Vec<ChatToolReturn>,
    },
}

/// What a model is shown of one tool's return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChatToolReturn {
    pub tool_call_id: String,
    /// Text is the JSON envelope `{"status","message","time"}`; images may stand beside it.
    pub content: Vec<ContentPart>,
    pub is_error: bool,
}

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    pub name: String,
    pub description: String,
    /// A JSON Schema of type `object`.
    pub parameters: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolChoice {
    Auto,
    /// No tool may be called.
    None,
    /// Some tool must be called.
    Required,
    /// This tool must be called.
    Named(String),
}

/// What comes back, in order. A stream without [`ChatEvent::Finish`] was cut and ends in an error.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// An attempt failed and another follows; the last failure is the stream's error instead.
    Retrying(Attempt),
    Reasoning(String),
    /// The provider's proof that the reasoning before it is its own, whole; sent back unchanged.
    ReasoningSignature(String),
    /// Reasoning the provider only hands out sealed.
    RedactedReasoning(String),
    Text(String),
    /// A proof that belongs to the text before it, whole; sent back unchanged.
    TextSignature(String),
    /// `index` counts the calls of this answer from 0. The id is the provider's own, or made up where it has none.
    ToolCallStarted {
        index: usize,
        id: String,
        name: String,
    },
    /// The next piece of the call's argument JSON.
    ToolCallArguments {
        index: usize,
        delta: String,
    },
    Usage(Usage),
    Finish(FinishReason),
    /// Always last: what exactly went out and came in.
    Trace(ChatTrace),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    Stop,
    ToolCalls,
    /// The answer was cut at the token limit.
    Length,
    ContentFilter,
    Other(String),
}

/// Tokens of one model call. `prompt_tokens` includes cached ones, for every provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub total_tokens: u64,
    pub cached_input_tokens: Option<u64>,
    pub cache_write_tokens: Option<u64>,
    /// Of those written to the cache, the ones to be kept for an hour, which cost more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour_cache_write_tokens: Option<u64>,
    pub reasoning_tokens: Option<u64>,
}

/// The exact bodies of one model call, keys never in them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChatTrace {
    pub request: Value,
    /// The response body; for a stream, the answer put together again.
    pub response: Value,
    /// The provider's own id of the request, for its support.
    pub request_id: Option<String>,
    pub endpoint: Option<String>,
    /// Attempts that failed before the one that counted.
    pub attempts: Vec<Attempt>,
}

/// One attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    pub number: u32,
    pub error: String,
    /// How long was waited before the next one, milliseconds.
    pub waited_ms: u64,
}

/// Why a model call failed, by what a person can do about it. The names are the API's `error_type`s.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatErrorKind {
    LlmTimeout,
    LlmRateLimit,
    LlmAuthentication,
    LlmPermissionDenied,
    LlmNotFound,
    LlmInsufficientCredits,
    /// A budget of this machine is used up: no provider was asked.
    BudgetExceeded,
    LlmBadRequest,
    LlmUnprocessableEntity,
    LlmOverloaded,
    LlmServerError,
    /// The server could not be reached at all.
    LlmConnection,
    LlmEmptyResponse,
    /// The prompt did not fit the model's window.
    ContextWindowExceeded,
    /// The stream ended before the model said it was done, or carried something unreadable.
    StreamIncomplete,
    /// The handle names no provider or model that is configured here.
    UnknownModel,
    LlmError,
}

impl ChatErrorKind {
    /// As the API writes it in `error_type`.
    #[must_use]
    pub fn error_type(self) -> &'static str {
        match self {
            Self::LlmTimeout => "llm_timeout",
            Self::LlmRateLimit => "llm_rate_limit",
            Self::LlmAuthentication => "llm_authentication",
            Self::LlmPermissionDenied => "llm_permission_denied",
            Self::LlmNotFound | Self::UnknownModel => "llm_not_found",
            Self::LlmInsufficientCredits => "llm_insufficient_credits",
            Self::BudgetExceeded => "budget_exceeded",
            Self::LlmBadRequest | Self::ContextWindowExceeded => "llm_bad_request",
            Self::LlmUnprocessableEntity => "llm_unprocessable_entity",
            Self::LlmEmptyResponse => "llm_empty_response",
            Self::StreamIncomplete => "stream_incomplete",
            Self::LlmOverloaded | Self::LlmServerError | Self::LlmConnection | Self::LlmError => "llm_error",
        }
    }

    /// The sentence about a failure of this kind with its parts: the kind, and the sentence as `said`.
    #[must_use]
    pub fn said(self, message: String) -> Said {
        let values = Map::from_iter([("said".to_owned(), Value::from(message.as_str()))]);
        Said { code: self.error_type().to_owned(), values, message }
    }

    /// What [`Self::said`] makes, for those who translate it.
    #[must_use]
    pub fn templates() -> Vec<said::Template> {
        let kinds = [
            Self::LlmTimeout,
            Self::LlmRateLimit,
            Self::LlmAuthentication,
            Self::LlmPermissionDenied,
            Self::LlmNotFound,
            Self::LlmInsufficientCredits,
            Self::BudgetExceeded,
            Self::LlmBadRequest,
            Self::LlmUnprocessableEntity,
            Self::LlmEmptyResponse,
            Self::StreamIncomplete,
            Self::LlmError,
        ];
        kinds.map(|kind| (kind.error_type().to_owned(), "{said}")).to_vec()
    }

    /// Whether the same request may well succeed a moment later.
    #[must_use]
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::LlmTimeout
                | Self::LlmRateLimit
                | Self::LlmOverloaded
                | Self::LlmServerError
                | Self::LlmConnection
        )
    }
}

/// A model call that did not succeed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ChatError {
    pub kind: ChatErrorKind,
    /// What happened and what can be done, for a person.
    pub message: String,
    /// The provider's own words, cut to a bounded length; never a key.
    pub detail: Option<String>,
    /// The provider's HTTP status, where there was one.
    pub status: Option<u16>,
    /// How long the provider asked to wait, milliseconds.
    pub retry_after_ms: Option<u64>,
    pub trace: Option<Box<ChatTrace>>,
}
