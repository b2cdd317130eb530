//! Whether the server is there, and which API it speaks.

use axum::{Json, Router, routing::get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, COMPATIBLE_VERSION};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/health", get(check)).route("/ready", get(ready))
}

/// Clients read `version` to find out which features they may use.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    version: &'static str,
    status: &'static str,
}

/// Whether the server is there.
#[utoipa::path(get, path = "/v1/health/", operation_id = "check_health", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub(crate) async fn check() -> Json<Health> {
    Json(Health { version: COMPATIBLE_VERSION, status: "ok" })
}

/// Whether the server can serve requests; it cannot be reached before it can.
#[utoipa::path(get, path = "/v1/ready/", operation_id = "check_readiness", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub(crate) async fn ready() -> Json<Health> {
    check().await
}
