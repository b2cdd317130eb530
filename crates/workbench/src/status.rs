//! `GET /workbench/status`: what this desk is and how it keeps secrets.

use axum::{Json, Router, extract::State, routing::get};
use loci_server::error::Failure;
use serde_json::{Value, json};

use crate::Desk;

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/status", get(status))
}

async fn status(State(desk): State<Desk>) -> Result<Json<Value>, Failure> {
    let connection = desk.selected().await?;
    let options = desk.app().options();
    Ok(Json(json!({
        "version": options.version,
        "transport": desk.options().transport,
        "connection": connection,
        "data_dir": options.data_dir,
        "secrets": desk.secrets().status(),
    })))
}
