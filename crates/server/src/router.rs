//! Puts the routes together: both prefixes, both slash forms, the API's own 404, 405 and 500.

use std::any::Any;

use axum::{
    Router,
    extract::Request,
    http::Uri,
    response::{IntoResponse, Response},
};
use loci_api::error::ApiError;
use tower::util::MapRequest;
use tower_http::catch_panic::CatchPanicLayer;

use crate::{App, error::Failure, openapi, routes};

/// Everything under `/v1` (and `/latest`), with or without a trailing slash, and `/openapi.json`.
pub fn router(app: App) -> Router {
    let v1 = Router::new()
        .merge(routes::routes())
        .with_state(app)
        .method_not_allowed_fallback(async || Failure(ApiError::method_not_allowed()))
        .fallback(async || Failure(ApiError::not_found("Not Found")));
    let all = Router::new()
        .nest("/v1", v1)
        .merge(openapi::routes())
        .method_not_allowed_fallback(async || Failure(ApiError::method_not_allowed()))
        .fallback(async || Failure(ApiError::not_found("Not Found")))
        .layer(CatchPanicLayer::custom(panicked));
    // The path is rewritten before routing, so no client is ever redirected.
    Router::new().fallback_service(MapRequest::new(all, canonical))
}

/// `/latest/agents/?x=1` → `/v1/agents?x=1`.
fn canonical(mut request: Request) -> Request {
    let uri = request.uri();
    let path = uri.path();
    let trimmed = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
    let rewritten = match trimmed.strip_prefix("/latest") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("/v1{rest}"),
        _ if trimmed.len() == path.len() => return request,
        _ => trimmed.to_owned(),
    };
    let target = match uri.query() {
        Some(query) => format!("{rewritten}?{query}"),
        None => rewritten,
    };
    let mut parts = uri.clone().into_parts();
    if let Ok(target) = target.parse() {
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let what =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = what.unwrap_or("?"), "a handler panicked");
    Failure(ApiError::internal()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_brought_to_one_form() {
        for (given, wanted) in [
            ("/v1/agents/", "/v1/agents"),
            ("/v1/agents", "/v1/agents"),
            ("/v1/agents/?limit=1&after=a%20b", "/v1/agents?limit=1&after=a%20b"),
            ("/latest/agents/", "/v1/agents"),
            ("/latest", "/v1"),
            ("/latestish", "/latestish"),
            ("/", "/"),
        ] {
            let request = Request::builder().uri(given).body(axum::body::Body::empty()).expect("a request");
            assert_eq!(canonical(request).uri().to_string(), wanted);
        }
    }
}
