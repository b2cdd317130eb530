//! `GET /workbench/status`: what this desk is and how it keeps secrets.

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};

use crate::{Desk, desk::LOCAL};

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/status", get(status))
}

async fn status(State(desk): State<Desk>) -> Json<Value> {
    let options = desk.app().options();
    Json(json!({
        "version": options.version,
        "transport": desk.options().transport,
        "connection": LOCAL,
        "data_dir": options.data_dir,
        "secrets": desk.secrets().status(),
    }))
}
