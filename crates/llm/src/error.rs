//! What went wrong at a provider, as a [`ChatError`] a person can act on, with no key in it.

use loci_api::chat::{ChatError, ChatErrorKind};
use serde_json::Value;

/// Characters of a provider's own words that are kept.
const MAX_DETAIL: usize = 2000;
const REDACTED: &str = "[redacted]";

/// Who was asked, for messages, and what of it must not be said.
#[derive(Debug, Clone)]
pub(crate) struct Blame {
    pub provider: String,
    pub handle: String,
    pub secrets: Vec<String>,
}

impl Blame {
    /// Text without secrets, cut to a bounded length.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = text.trim().to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                text = text.replace(secret.as_str(), REDACTED);
            }
        }
        match text.char_indices().nth(MAX_DETAIL) {
            Some((end, _)) => format!("{}…", &text[..end]),
            None => text,
        }
    }

    /// The same for every text inside a JSON value, uncut.
    pub(crate) fn clean_value(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for secret in &self.secrets {
                    if text.contains(secret.as_str()) {
                        *text = text.replace(secret.as_str(), REDACTED);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.clean_value(item)),
            Value::Object(map) => map.values_mut().for_each(|item| self.clean_value(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// An error of this kind in words.
    pub(crate) fn error(&self, kind: ChatErrorKind, detail: &str) -> ChatError {
        let detail = self.clean(detail);
        ChatError {
            kind,
            message: self.message(kind, &detail),
            detail: (!detail.is_empty()).then_some(detail),
            status: None,
            retry_after_ms: None,
            trace: None,
        }
    }

    fn message(&self, kind: ChatErrorKind, detail: &str) -> String {
        let Self { provider, handle, .. } = self;
        let sentence = match kind {
            ChatErrorKind::LlmTimeout => format!("`{provider}` did not answer in time."),
            ChatErrorKind::LlmRateLimit => {
                format!("`{provider}` is limiting how often it may be called. Wait a little and try again.")
            }
            ChatErrorKind::LlmAuthentication => {
                format!("`{provider}` did not accept the API key. Check the key of this provider.")
            }
            ChatErrorKind::LlmPermissionDenied => {
                format!("The API key for `{provider}` is not allowed to use `{handle}`.")
            }
            ChatErrorKind::LlmNotFound => {
                format!("`{provider}` does not know the model `{handle}`, or its base URL is wrong.")
            }
            ChatErrorKind::LlmInsufficientCredits => {
                format!("The account at `{provider}` has no credit left. Add credit or choose another model.")
            }
            ChatErrorKind::BudgetExceeded => {
                format!("A budget is used up, so `{handle}` was not asked.")
            }
            ChatErrorKind::LlmBadRequest => format!("`{provider}` refused the request for `{handle}`."),
            ChatErrorKind::LlmUnprocessableEntity => {
                format!("`{provider}` could not process the request for `{handle}`.")
            }
            ChatErrorKind::LlmOverloaded => format!("`{provider}` is overloaded. Try again in a moment."),
            ChatErrorKind::LlmServerError => {
                format!("`{provider}` failed on its side. Try again in a moment.")
            }
            ChatErrorKind::LlmConnection => {
                format!("`{provider}` could not be reached. Check its base URL and that it is running.")
            }
            ChatErrorKind::LlmEmptyResponse => format!("`{handle}` gave an empty answer."),
            ChatErrorKind::ContextWindowExceeded => {
                format!("The conversation is longer than `{handle}` can read at once.")
            }
            ChatErrorKind::StreamIncomplete => {
                format!("The answer of `{handle}` was cut off before it was complete.")
            }
            ChatErrorKind::UnknownModel => format!("The model `{handle}` is not configured here."),
            ChatErrorKind::LlmError => format!("`{provider}` answered with an error."),
        };
        let remedy = remedy(kind, detail);
        match (detail.is_empty(), remedy) {
            (true, _) => sentence,
            (false, None) => format!("{sentence} It said: {detail}"),
            (false, Some(remedy)) => format!("{sentence} {remedy} It said: {detail}"),
        }
    }

    /// From a response that is not a success.
    pub(crate) fn refusal(&self, status: u16, body: &[u8]) -> ChatError {
        let text = String::from_utf8_lossy(body);
        let parsed = serde_json::from_slice::<Value>(body).ok();
        let said = parsed.as_ref().and_then(|body| Said::find(body).or_else(|| Said::find_loose(body)));
        let detail = said.as_ref().map_or_else(|| page_text(&text), |said| said.message.clone());
        let code = said.as_ref().map_or("", |said| said.code.as_str());
        let mut error = self.error(kind_of(status, code, &detail), &detail);
        error.status = Some(status);
        error.retry_after_ms = said.and_then(|said| said.retry_after_ms);
        error
    }

    /// From an error object inside an answer that began as a success, or a body that is one.
    pub(crate) fn said(&self, body: &Value) -> Option<ChatError> {
        let said = Said::find(body)?;
        let status = said.status.unwrap_or(0);
        let mut error = self.error(kind_of(status, &said.code, &said.message), &said.message);
        error.status = said.status;
        error.retry_after_ms = said.retry_after_ms;
        Some(error)
    }
}

/// What a person can do about refusals that say little to somebody who does not know the runtime.
fn remedy(kind: ChatErrorKind, detail: &str) -> Option<&'static str> {
    let detail = detail.to_lowercase();
    if detail.contains("does not support tools") || detail.contains("does not support tool") {
        return Some("This model cannot call tools, which an agent needs; choose one that can.");
    }
    if detail.contains("not found, try pulling") || detail.contains("try pulling it first") {
        return Some("The model is not installed there.");
    }
    if detail.contains("requires more system memory") {
        return Some(
            "The model does not fit into this machine's memory; choose a smaller one or a smaller context.",
        );
    }
    if kind == ChatErrorKind::ContextWindowExceeded && detail.contains("context size") {
        return Some("Start the server with a larger context, or make the agent's smaller.");
    }
    None
}

/// A provider's error object, whatever its form.
struct Said {
    message: String,
    /// `type` and `code`, lower case, joined.
    code: String,
    status: Option<u16>,
    /// How long it asks to wait, milliseconds, where the body says so.
    retry_after_ms: Option<u64>,
}

impl Said {
    /// `{"error": {…}}`, `{"error": "…"}`, `{"object": "error", …}`, or a list of one of them.
    fn find(body: &Value) -> Option<Self> {
        let body = match body {
            Value::Array(items) => items.first()?,
            other => other,
        };
        let error = match body.get("error") {
            Some(Value::Null) | None if body.get("object").and_then(Value::as_str) == Some("error") => body,
            Some(Value::Null) | None => return None,
            Some(error) => error,
        };
        let field = |name: &str| error.get(name).map(text_of).unwrap_or_default();
        let message = match error {
            Value::String(text) => text.clone(),
            _ => ["message", "detail", "error"]
                .into_iter()
                .map(field)
                .find(|text| !text.is_empty())
                .unwrap_or_else(|| text_of(error)),
        };
        let status = ["code", "status", "status_code"]
            .into_iter()
            .filter_map(|name| error.get(name))
            .find_map(|value| value.as_u64().or_else(|| value.as_str()?.parse().ok()))
            .and_then(|number| u16::try_from(number).ok())
            .filter(|number| (400..600).contains(number));
        let details = error.get("details").and_then(Value::as_array);
        let mut code = [field("type"), field("code"), field("status")].join(" ").to_lowercase();
        // Google says what is wrong with a key only here.
        if let Some(reason) = details.into_iter().flatten().find_map(|detail| detail.get("reason")?.as_str())
        {
            code = format!("{code} {}", reason.to_lowercase());
        }
        let wait = details.into_iter().flatten().find_map(|detail| detail.get("retryDelay")?.as_str());
        let retry_after_ms = wait.and_then(|wait| {
            let seconds: f64 = wait.strip_suffix('s')?.parse().ok()?;
            let wait = std::time::Duration::try_from_secs_f64(seconds).ok()?;
            u64::try_from(wait.as_millis()).ok()
        });
        Some(Self { message, code, status, retry_after_ms })
    }

    /// `{"detail": …}` or `{"message": …}`, where a status has already said that it is an error.
    fn find_loose(body: &Value) -> Option<Self> {
        let message = text_of(body.get("detail").or_else(|| body.get("message"))?);
        Some(Self { message, code: String::new(), status: None, retry_after_ms: None })
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A proxy's error page says little; its markup says nothing.
fn page_text(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars().take(20_000) {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn kind_of(status: u16, code: &str, message: &str) -> ChatErrorKind {
    let message = message.to_lowercase();
    let has = |parts: &[&str]| parts.iter().any(|part| code.contains(part));
    if has(&["insufficient_quota", "billing_error", "billing_hard_limit", "insufficient_credits"])
        || (matches!(status, 0 | 400) && message.contains("credit balance is too low"))
    {
        return ChatErrorKind::LlmInsufficientCredits;
    }
    if matches!(status, 0 | 400 | 413 | 422 | 500) && is_too_long(code, &message) {
        return ChatErrorKind::ContextWindowExceeded;
    }
    if has(&["api_key_invalid", "invalid_api_key"])
        || (status == 400 && message.contains("api key not valid"))
    {
        return ChatErrorKind::LlmAuthentication;
    }
    match status {
        400 | 405 | 415 => ChatErrorKind::LlmBadRequest,
        401 => ChatErrorKind::LlmAuthentication,
        402 => ChatErrorKind::LlmInsufficientCredits,
        403 => ChatErrorKind::LlmPermissionDenied,
        404 => ChatErrorKind::LlmNotFound,
        408 | 504 => ChatErrorKind::LlmTimeout,
        409 | 425 => ChatErrorKind::LlmOverloaded,
        413 => ChatErrorKind::ContextWindowExceeded,
        422 => ChatErrorKind::LlmUnprocessableEntity,
        429 => ChatErrorKind::LlmRateLimit,
        503 | 529 => ChatErrorKind::LlmOverloaded,
        500..=599 => ChatErrorKind::LlmServerError,
        // No status: an error object inside a stream says its kind in words.
        _ if has(&["overloaded", "unavailable"]) => ChatErrorKind::LlmOverloaded,
        _ if has(&["rate_limit", "resource_exhausted"]) => ChatErrorKind::LlmRateLimit,
        _ if has(&["authentication", "unauthenticated"]) => ChatErrorKind::LlmAuthentication,
        _ if has(&["permission"]) => ChatErrorKind::LlmPermissionDenied,
        _ if has(&["not_found"]) => ChatErrorKind::LlmNotFound,
        _ if has(&["timeout", "deadline_exceeded"]) => ChatErrorKind::LlmTimeout,
        _ if has(&["invalid_request", "badrequest", "invalid_argument", "invalid_prompt"]) => {
            ChatErrorKind::LlmBadRequest
        }
        _ if has(&["api_error", "server_error", "internal"]) => ChatErrorKind::LlmServerError,
        _ => ChatErrorKind::LlmError,
    }
}

fn is_too_long(code: &str, message: &str) -> bool {
    const CODES: [&str; 3] = ["context_length_exceeded", "exceed_context_size", "string_above_max_length"];
    const WORDS: [&str; 13] = [
        "input token count exceeds",
        "exceeds the maximum number of tokens",
        "exceeds the context length",
        "maximum context length",
        "context length exceeded",
        "context window",
        "exceed context limit",
        "exceeds the available context size",
        "prompt is too long",
        "input is too long",
        "input length exceeds",
        "too many tokens in",
        "reduce the length of the messages",
    ];
    CODES.iter().any(|part| code.contains(part)) || WORDS.iter().any(|part| message.contains(part))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    fn blame() -> Blame {
        Blame {
            provider: "openai".to_owned(),
            handle: "openai/gpt-4.1".to_owned(),
            secrets: vec!["sk-secret".to_owned()],
        }
    }

    #[test]
    fn a_status_and_a_body_say_what_to_do() {
        use ChatErrorKind as K;
        for (status, body, kind) in [
            (401, json!({"error": {"message": "bad key", "code": "invalid_api_key"}}), K::LlmAuthentication),
            (402, json!({"error": "pay"}), K::LlmInsufficientCredits),
            (403, json!({}), K::LlmPermissionDenied),
            (404, json!({"error": {"message": "no such model"}}), K::LlmNotFound),
            (422, json!({"detail": [{"msg": "x"}]}), K::LlmUnprocessableEntity),
            (429, json!({"error": {"code": "insufficient_quota"}}), K::LlmInsufficientCredits),
            (429, json!({"error": {"message": "slow down"}}), K::LlmRateLimit),
            (500, json!({"error": {"type": "server_error"}}), K::LlmServerError),
            (503, json!(null), K::LlmOverloaded),
            (529, json!({"type": "error", "error": {"type": "overloaded_error"}}), K::LlmOverloaded),
            (
                400,
                json!({"error": {"message": "x", "code": "context_length_exceeded"}}),
                K::ContextWindowExceeded,
            ),
            (400, json!({"error": {"message": "prompt is too long: 9 > 8"}}), K::ContextWindowExceeded),
            (400, json!({"error": {"message": "Your credit balance is too low"}}), K::LlmInsufficientCredits),
            (400, json!({"error": {"message": "unknown field"}}), K::LlmBadRequest),
        ] {
            let error = blame().refusal(status, body.to_string().as_bytes());
            assert_eq!(error.kind, kind, "{status} {body}");
            assert_eq!(error.status, Some(status));
        }
    }

    #[test]
    fn an_error_object_inside_a_stream_has_a_kind_too() {
        use ChatErrorKind as K;
        for (body, kind) in [
            (json!({"error": {"type": "overloaded_error", "message": "busy"}}), K::LlmOverloaded),
            (json!({"error": {"message": "x", "code": 429}}), K::LlmRateLimit),
            (json!({"error": "it broke"}), K::LlmError),
            (json!({"object": "error", "message": "x", "code": 400}), K::LlmBadRequest),
        ] {
            assert_eq!(blame().said(&body).unwrap().kind, kind, "{body}");
        }
        assert!(blame().said(&json!({"choices": [], "error": null})).is_none());
        assert!(blame().said(&json!({"id": "x"})).is_none());
    }

    #[test]
    fn what_is_quoted_is_bounded_and_holds_no_key() {
        let body = json!({"error": {"message": format!("key sk-secret {}", "é".repeat(5000))}}).to_string();
        let error = blame().refusal(401, body.as_bytes());
        let detail = error.detail.unwrap();
        assert!(detail.starts_with("key [redacted] é") && detail.chars().count() == 2001, "{detail}");
        assert!(!error.message.contains("sk-secret"));

        let page = blame().refusal(502, b"<html><h1>Bad  gateway</h1></html>");
        assert_eq!(page.detail.as_deref(), Some("Bad gateway"));
        let bytes = blame().refusal(500, b"\xff\xfe");
        assert!(bytes.detail.is_some());
    }
}
