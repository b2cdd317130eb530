//! Puts the desk's routes beside the connection's.

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use loci_api::error::ApiError;
use loci_server::error::Failure;
use tower::ServiceExt;

use crate::{Desk, approvals, blocks, client_tools, events, providers, runtimes, settings, status};

/// Everything a window or a browser asks for: `/workbench/*` here, all else from the connection in use.
pub fn router(desk: Desk) -> Router {
    let workbench = Router::new()
        .merge(approvals::routes())
        .merge(blocks::routes())
        .merge(client_tools::routes())
        .merge(events::routes())
        .merge(providers::routes())
        .merge(runtimes::routes())
        .merge(settings::routes())
        .merge(status::routes())
        .method_not_allowed_fallback(async || Failure(ApiError::method_not_allowed()))
        .fallback(async || Failure(ApiError::not_found("Not Found")))
        .with_state(desk.clone());
    Router::new().nest("/workbench", workbench).fallback(forward).with_state(desk)
}

async fn forward(State(desk): State<Desk>, request: Request) -> Response {
    send(&desk, request).await
}

/// Passes a request on and tells whoever listens what it may have changed.
pub(crate) async fn send(desk: &Desk, request: Request) -> Response {
    let effect = events::effect(request.method(), request.uri().path());
    let response = match desk.connection().oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    match effect {
        Some(effect) if response.status().is_success() => {
            response.map(|body| Body::new(events::Observed::new(body, desk.clone(), effect)))
        }
        Some(_) | None => response,
    }
}
