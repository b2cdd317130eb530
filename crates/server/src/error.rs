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
