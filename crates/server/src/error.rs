//! What a handler answers when it cannot do what was asked.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};
use loci_api::{chat::ChatError, error::ApiError, ids::InvalidId};
use loci_store::StoreError;

/// A refusal on its way to the client. Handlers return `Result<T, Failure>` and use `?` on everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure(pub ApiError);

/// What handlers return.
pub type Answer<T> = Result<T, Failure>;

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<InvalidId> for Failure {
    fn from(error: InvalidId) -> Self {
        Self(error.into())
    }
}

impl From<StoreError> for Failure {
    /// What a client can act on is said; everything else goes to the log.
    fn from(error: StoreError) -> Self {
        let error = match error {
            StoreError::NotFound { what, id } => {
                let shown: String = id.chars().take(100).collect();
                ApiError::not_found(format!("{} with id '{shown}' not found", capitalised(what)))
            }
            StoreError::MissingReference => {
                ApiError::not_found("NOT_FOUND: The request refers to something that does not exist")
            }
            StoreError::Duplicate { what, value } => {
                let shown: String = value.chars().take(100).collect();
                ApiError::conflict(format!("CONFLICT: {} '{shown}' is already taken", capitalised(what)))
            }
            StoreError::Conflict { what, .. } => ApiError::conflict(format!(
                "CONFLICT: {} was changed by somebody else meanwhile. Read it again and repeat the change.",
                capitalised(what)
            )),
            StoreError::Busy => ApiError {
                retry_after: Some(1),
                should_retry: Some(true),
                ..ApiError::unavailable("The database is busy. Try again.")
            },
            StoreError::Full => unwritable(FULL),
            StoreError::ReadOnly => unwritable(READ_ONLY),
            StoreError::Closed => ApiError::unavailable("The server is shutting down."),
            StoreError::NewerSchema { .. }
            | StoreError::InUse { .. }
            | StoreError::Corrupt(_)
            | StoreError::Io { .. }
            | StoreError::Sqlite(_) => {
                tracing::error!(error = %error, source = ?std::error::Error::source(&error), "the store failed");
                ApiError {
                    body: serde_json::json!({"detail": "A database error occurred."}),
                    ..ApiError::internal()
                }
            }
        };
        Self(error)
    }
}

const FULL: &str = "The disk with Loci's data is full, so nothing can be kept. Make room and try again. What was \
    there before is safe.";
const READ_ONLY: &str = "Loci's data may not be written: its folder, or the disk it is on, allows reading only. Make \
    it writable and try again.";

/// What a person can do so that writing works again, if it is theirs to do.
pub fn remedy(error: &StoreError) -> Option<&'static str> {
    match error {
        StoreError::Full => Some(FULL),
        StoreError::ReadOnly => Some(READ_ONLY),
        StoreError::NotFound { .. }
        | StoreError::MissingReference
        | StoreError::Duplicate { .. }
        | StoreError::Conflict { .. }
        | StoreError::NewerSchema { .. }
        | StoreError::InUse { .. }
        | StoreError::Corrupt(_)
        | StoreError::Busy
        | StoreError::Io { .. }
        | StoreError::Closed
        | StoreError::Sqlite(_) => None,
    }
}

/// Nothing can be kept. Asking again by itself does not change that.
pub fn unwritable(sentence: &str) -> ApiError {
    ApiError { should_retry: Some(false), ..ApiError::unavailable(sentence) }
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl From<&ChatError> for Failure {
    fn from(error: &ChatError) -> Self {
        Self(error.into())
    }
}

impl From<anyhow::Error> for Failure {
    /// The cause goes to the log; the client learns only that it was not its fault.
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "a request failed");
        Self(ApiError::internal())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(error.body)).into_response();
        let headers = response.headers_mut();
        if let Some(retry) = error.should_retry {
            let value = if retry { "true" } else { "false" };
            headers.insert("x-should-retry", HeaderValue::from_static(value));
        }
        if let Some(seconds) = error.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
