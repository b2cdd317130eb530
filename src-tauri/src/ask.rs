//! The shell's own requests, to the routers that answer the page's: what waits, what a run came to, a denial.

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use http::{Request, header};
use serde_json::Value;
use tauri::{AppHandle, Manager};
use tower::ServiceExt;

use crate::backend::Backend;

/// Answers are read whole; none that is asked for here is larger.
const LARGEST: usize = 16 << 20;

/// This machine's answer, if all went well.
pub async fn get(app: &AppHandle, path: &str) -> Option<Value> {
    let response = send(app, here(Request::get(path)).body(Body::empty()).ok()?).await?;
    if !response.status().is_success() {
        return None;
    }
    serde_json::from_slice(&to_bytes(response.into_body(), LARGEST).await.ok()?).ok()
}

/// This machine's answer, whatever it is; its body may be a stream. `None` where nothing answers.
pub async fn post(app: &AppHandle, path: &str, body: &Value) -> Option<Response> {
    let request = here(Request::post(path)).header(header::CONTENT_TYPE, "application/json");
    send(app, request.body(Body::from(body.to_string())).ok()?).await
}

fn here(request: http::request::Builder) -> http::request::Builder {
    request.header("x-loci-connection", "local")
}

async fn send(app: &AppHandle, request: Request<Body>) -> Option<Response> {
    let router = app.state::<Backend>().router().await.ok()?;
    match router.oneshot(request).await {
        Ok(response) => Some(response),
        Err(never) => match never {},
    }
}
