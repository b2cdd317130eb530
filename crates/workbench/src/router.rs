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

use crate::{
    Desk, approvals, backup, blocks, client_tools,
    connections::{self, Unnamed},
    deleted_agents,
    desk::LOCAL,
    embedding, events, local_server, preflight, providers, runtimes, secrets, settings, status, tools, usage,
};

/// For the window, in process: `/workbench/*` here, all else from the connection in use.
pub fn router(desk: Desk) -> Router {
    Router::new().nest("/workbench", workbench(&desk)).fallback(to_selected).with_state(desk)
}

/// For whoever reaches this machine over TCP: `/workbench/*` here, all else from this machine's own agents. A
/// program that uses them is not led elsewhere, with somebody else's key, because a person looks at another server;
/// the workbench's own page says by a header that it means the connection in use.
pub fn served(desk: Desk) -> Router {
    Router::new().nest("/workbench", workbench(&desk)).fallback(to_local).with_state(desk)
}

/// For programs only, while the window serves them: this machine's own agents, and nothing of the desk. What a
/// person decides (approvals, connections, keys) is not theirs to decide.
pub fn programs(desk: Desk) -> Router {
    Router::new().fallback(to_programs).with_state(desk)
}

fn workbench(desk: &Desk) -> Router<Desk> {
    Router::new()
        .merge(approvals::routes())
        .merge(backup::routes())
        .merge(blocks::routes())
        .merge(client_tools::routes())
        .merge(connections::routes())
        .merge(deleted_agents::routes())
        .merge(embedding::routes())
        .merge(events::routes())
        .merge(local_server::routes())
        .merge(preflight::routes())
        .merge(providers::routes())
        .merge(runtimes::routes())
        .merge(secrets::routes())
        .merge(settings::routes())
        .merge(status::routes())
        .merge(usage::routes())
        .merge(tools::routes())
        .method_not_allowed_fallback(async || Failure(ApiError::method_not_allowed()))
        .fallback(async || Failure(ApiError::not_found("Not Found")))
        .with_state(desk.clone())
}

async fn to_selected(State(desk): State<Desk>, request: Request) -> Result<Response, Failure> {
    let connection = desk.named(request.headers(), Unnamed::Selected).await?;
    send(&desk, &connection, request).await
}

async fn to_local(State(desk): State<Desk>, request: Request) -> Result<Response, Failure> {
    let connection = desk.named(request.headers(), Unnamed::Local).await?;
    send(&desk, &connection, request).await
}

async fn to_programs(State(desk): State<Desk>, request: Request) -> Result<Response, Failure> {
    send(&desk, LOCAL, request).await
}

/// Passes a request on to a connection and tells whoever listens what it may have changed.
pub(crate) async fn send(desk: &Desk, connection: &str, request: Request) -> Result<Response, Failure> {
    let effect = events::effect(request.method(), request.uri().path());
    let response = match desk.service(connection).await?.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    Ok(match effect {
        Some(effect) if response.status().is_success() => {
            response.map(|body| Body::new(events::Observed::new(body, desk.clone(), connection, effect)))
        }
        Some(_) | None => response,
    })
}
