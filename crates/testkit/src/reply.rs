//! What a fake model answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One answer, or one failure. Every field may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reply {
    /// Only for a request whose last message contains this text; other requests pass it over.
    pub when: Option<String>,
    pub text: Option<String>,
    pub reasoning: Option<String>,
    /// The proof of the reasoning: Anthropic's signature, Gemini's thought signature, the sealed part of OpenAI's
    /// Responses.
    pub signature: Option<String>,
    /// Anthropic's sealed reasoning, after the open one.
    pub redacted_reasoning: Option<String>,
    pub tool_calls: Vec<ReplyCall>,
    pub usage: Option<ReplyUsage>,
    /// In OpenAI's words (`stop`, `length`, `tool_calls`, `content_filter`); translated for the others.
    pub finish_reason: Option<String>,
    /// Other than 200: the body is `error`.
    pub status: Option<u16>,
    pub error: Option<Value>,
    /// Added to the response; `content-type` replaces the usual one.
    pub headers: Map<String, Value>,
    /// Waited before the response begins.
    pub latency_ms: u64,
    /// Waited before each piece of a stream.
    pub chunk_delay_ms: u64,
    /// Waits for [`crate::model::FakeModel::release`] before its content, after the response head.
    pub hold: bool,
    /// The whole body is sent, then the connection stays open and silent.
    pub stall: bool,
    /// The body goes out in pieces of so many bytes, whatever its frames are.
    pub piece_bytes: Option<usize>,
    /// The connection breaks after so many bytes of the body.
    pub cut_after_bytes: Option<usize>,
    /// This byte of the body becomes an unprintable one.
    pub corrupt_at: Option<usize>,
    /// Sent as it is instead of an answer, as a stream's or a response's body.
    pub raw: Option<String>,
}

/// One call of a tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplyCall {
    pub id: Option<String>,
    pub name: String,
    /// An object, or a string that is sent as it is, well-formed or not.
    pub arguments: Value,
}

impl ReplyCall {
    /// The argument text as it goes over the wire.
    #[must_use]
    pub fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::String(text) => text.clone(),
            Value::Null => "{}".to_owned(),
            other => other.to_string(),
        }
    }
}

/// Token counts; the rest is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReplyUsage {
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
    pub reasoning_tokens: u64,
}

impl Default for ReplyUsage {
    fn default() -> Self {
        Self {
            prompt_tokens: 100,
            completion_tokens: 10,
            cached_tokens: 0,
            cache_write_tokens: 0,
            reasoning_tokens: 0,
        }
    }
}

impl Reply {
    /// Says this and stops.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Calls one tool.
    #[must_use]
    pub fn call(name: impl Into<String>, arguments: Value) -> Self {
        Self::calls([(name.into(), arguments)])
    }

    /// Calls several tools at once.
    #[must_use]
    pub fn calls<N: Into<String>>(calls: impl IntoIterator<Item = (N, Value)>) -> Self {
        let tool_calls = calls
            .into_iter()
            .map(|(name, arguments)| ReplyCall { id: None, name: name.into(), arguments })
            .collect();
        Self { tool_calls, ..Self::default() }
    }

    /// Fails with a status and an error message.
    #[must_use]
    pub fn failure(status: u16, message: impl Into<String>) -> Self {
        let error = serde_json::json!({"message": message.into(), "type": "error"});
        Self { status: Some(status), error: Some(error), ..Self::default() }
    }
}

/// Pieces of a text as a model would send them: words with the space before them.
#[must_use]
pub fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for (at, char) in text.char_indices() {
        if char == ' ' && at > start {
            pieces.push(&text[start..at]);
            start = at;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// A text in two pieces, neither of them half a character.
#[must_use]
pub fn halves(text: &str) -> [&str; 2] {
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    [&text[..half], &text[half..]]
}
