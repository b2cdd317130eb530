//! What a client is told when something is refused: a status and a JSON body in the API's shapes.

use serde_json::{Value, json};

use crate::{
    chat::{ChatError, ChatErrorKind},
    ids::InvalidId,
    said::Said,
};

/// A refusal as it goes over the wire. `Display` is the sentence for people.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub message: String,
    /// The response body.
    pub body: Value,
    /// Seconds a client is asked to wait (`Retry-After`).
    pub retry_after: Option<u32>,
    /// `Some(false)` tells the SDKs not to repeat the request (`x-should-retry: false`).
    pub should_retry: Option<bool>,
}

impl ApiError {
    fn with_detail(status: u16, said: impl Into<Said>) -> Self {
        Self::saying(status, said.into(), json!({}))
    }

    /// With the sentence as `detail`, and its parts as `said` where it has any.
    fn saying(status: u16, said: Said, mut body: Value) -> Self {
        body["detail"] = Value::from(said.message.as_str());
        if !said.code.is_empty() {
            body["said"] = json!(said);
        }
        Self { status, message: said.message, body, retry_after: None, should_retry: None }
    }

    /// The sentence with its parts, as far as it has any.
    #[must_use]
    pub fn said(&self) -> Said {
        let parts = self.body.get("said").and_then(|said| serde_json::from_value(said.clone()).ok());
        parts.unwrap_or_else(|| Said::from(self.message.as_str()))
    }

    /// 400 `{"detail": …}`.
    #[must_use]
    pub fn bad_request(message: impl Into<Said>) -> Self {
        Self::with_detail(400, message)
    }

    /// 401 `{"detail": "Unauthorized"}`.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::with_detail(401, "Unauthorized")
    }

    /// 403 `{"detail": …}`.
    #[must_use]
    pub fn forbidden(message: impl Into<Said>) -> Self {
        Self::with_detail(403, message)
    }

    /// 404 `{"detail": …}`.
    #[must_use]
    pub fn not_found(message: impl Into<Said>) -> Self {
        Self::with_detail(404, message)
    }

    /// 405 `{"detail": "Method Not Allowed"}`.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::with_detail(405, "Method Not Allowed")
    }

    /// 409 `{"detail": …}`; the SDKs are told not to repeat it.
    #[must_use]
    pub fn conflict(message: impl Into<Said>) -> Self {
        Self { should_retry: Some(false), ..Self::with_detail(409, message) }
    }

    /// 410 `{"detail": …}`.
    #[must_use]
    pub fn gone(message: impl Into<Said>) -> Self {
        Self::with_detail(410, message)
    }

    /// 413 `{"detail": …}`.
    #[must_use]
    pub fn too_large(message: impl Into<Said>) -> Self {
        Self::with_detail(413, message)
    }

    /// 415 `{"detail": …}`.
    #[must_use]
    pub fn unsupported_media_type(message: impl Into<Said>) -> Self {
        Self::with_detail(415, message)
    }

    /// 422 `{"trace_id": "", "detail": …}`: the body or a parameter does not have the shape asked for.
    #[must_use]
    pub fn validation(message: impl Into<Said>) -> Self {
        Self::saying(422, message.into(), json!({"trace_id": ""}))
    }

    /// 500 `{"detail": "An unknown error occurred"}`. The cause goes to the log, never to the client.
    #[must_use]
    pub fn internal() -> Self {
        Self::with_detail(500, "An unknown error occurred")
    }

    /// 503 `{"detail": …}`.
    #[must_use]
    pub fn unavailable(message: impl Into<Said>) -> Self {
        Self::with_detail(503, message)
    }
}

impl From<InvalidId> for ApiError {
    fn from(invalid: InvalidId) -> Self {
        Self::validation(invalid.to_string())
    }
}

impl From<&ChatError> for ApiError {
    /// `{"error": {"type", "message", "detail"}}` with the status that belongs to the kind.
    fn from(error: &ChatError) -> Self {
        let status = match error.kind {
            ChatErrorKind::LlmInsufficientCredits | ChatErrorKind::BudgetExceeded => 402,
            ChatErrorKind::LlmRateLimit => 429,
            ChatErrorKind::LlmTimeout => 504,
            ChatErrorKind::LlmAuthentication => 401,
            ChatErrorKind::LlmPermissionDenied => 403,
            ChatErrorKind::LlmNotFound | ChatErrorKind::UnknownModel => 404,
            ChatErrorKind::LlmBadRequest | ChatErrorKind::ContextWindowExceeded => 400,
            ChatErrorKind::LlmUnprocessableEntity => 422,
            ChatErrorKind::LlmOverloaded => 503,
            ChatErrorKind::LlmConnection => 502,
            ChatErrorKind::LlmServerError
            | ChatErrorKind::LlmEmptyResponse
            | ChatErrorKind::StreamIncomplete
            | ChatErrorKind::LlmError => 500,
        };
        Self {
            status,
            message: error.message.clone(),
            body: json!({"error": {
                "type": error.kind.error_type(),
                "message": error.message,
                "detail": error.detail,
            }}),
            retry_after: error.retry_after_ms.map(|ms| u32::try_from(ms.div_ceil(1000)).unwrap_or(u32::MAX)),
            // Loci has already retried what is worth retrying.
            should_retry: Some(false),
        }
    }
}
