//! The machine-readable description of every route, at `/openapi.json`.

use axum::{Json, Router, routing::get};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Loci",
        description = "Agents that remember, on this machine. Speaks the public Letta V1 API."
    ),
    paths(crate::routes::health::check, crate::routes::health::ready)
)]
struct Document;

pub(crate) fn routes() -> Router {
    Router::new().route("/openapi.json", get(async || Json(Document::openapi())))
}
