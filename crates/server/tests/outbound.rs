//! What the server fetches and sends on its own: images by address, callbacks.

#![allow(clippy::unwrap_used, reason = "tests")]

mod chat;
mod support;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Redirect,
    routing::{get, post},
};
use chat::Chat;
use loci_server::{Options, open, router};
use loci_testkit::{model::FakeModel, reply::Reply};
use serde_json::{Value, json};
use support::{Backend, provider, text};

const PNG: &[u8] = &[0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0];

/// A backend that may reach this machine.
async fn trusting() -> Chat {
    let model = FakeModel::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = Options { allow_private_callbacks: true, ..Options::new(folder.path()) };
    let providers =
        vec![loci_llm::ProviderConfig { base_url: model.base_url_openai(), ..provider("openai") }];
    let app = open(options, providers).await.unwrap();
    let server = Backend { router: router(app.clone()), app, folder };
    let agent = text(&server.agent(json!({})).await, "id").to_owned();
    Chat { server, model, agent }
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn with_image(url: &str) -> Value {
    json!({"input": [{"type": "text", "text": "What is this?"},
                     {"type": "image", "source": {"type": "url", "url": url}}]})
}

#[tokio::test]
async fn an_image_by_address_is_fetched_once_and_kept() {
    let chat = trusting().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let url = serve(
        Router::new()
            .route(
                "/a.png",
                get(move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    async { ([(CONTENT_TYPE, "application/octet-stream")], PNG) }
                }),
            )
            .route("/text", get(async || "no image"))
            .route("/gone", get(async || StatusCode::NOT_FOUND))
            .route("/away", get(async || Redirect::temporary("/a.png")))
            .route("/big", get(async || vec![0x89_u8; 21 << 20])),
    )
    .await;
    chat.model.default_reply(Reply::text("A picture."));
    chat.send(with_image(&format!("{url}/a.png"))).await;
    chat.say("And now?").await;
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    for request in chat.model.requests() {
        assert!(request.body["messages"].to_string().contains("data:image/png;base64,iVBORw0KGgo"));
    }
    let stored = chat.history().await;
    assert_eq!(stored[1]["content"][1]["source"]["type"], "base64");
    for (path, words) in [
        ("/text", "not a PNG, JPEG, GIF or WebP"),
        ("/gone", "answered 404"),
        ("/away", "answered 307"),
        ("/big", "larger than 20 MB"),
    ] {
        let (status, body) = chat.refused(with_image(&format!("{url}{path}"))).await;
        assert_eq!(status, 400, "{path}: {body}");
        assert!(text(&body, "detail").contains(words), "{path}: {body}");
    }
    let inline = "data:image/png;base64,iVBORw0KGgoAAAAA";
    chat.send(with_image(inline)).await;
}

#[tokio::test]
async fn addresses_inside_are_refused() {
    let chat = Chat::start().await;
    for url in [
        "http://127.0.0.1:80/x.png",
        "http://[::1]/x.png",
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
    ] {
        let (status, body) = chat.refused(with_image(url)).await;
        assert_eq!(status, 400, "{url}: {body}");
    }
    assert!(chat.model.requests().is_empty());
}

#[tokio::test]
async fn a_callback_is_told_how_the_run_ended_and_again_if_it_was_not_taken() {
    let chat = trusting().await;
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let log = heard.clone();
    let (told, mut wait) = tokio::sync::mpsc::channel(8);
    let url = serve(Router::new().route(
        "/done",
        post(move |Json(body): Json<Value>| {
            let attempt = {
                let mut log = log.lock().unwrap();
                log.push(body);
                log.len()
            };
            let told = told.clone();
            async move {
                told.send(attempt).await.ok();
                if attempt == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
            }
        }),
    ))
    .await;
    chat.model.script([Reply::text("ok")]);
    let run = chat
        .server
        .post(
            &format!("{}/async", chat.messages_path()),
            json!({"input": "x", "callback_url": format!("{url}/done")}),
        )
        .await;
    assert_eq!(wait.recv().await, Some(1));
    assert_eq!(wait.recv().await, Some(2));
    chat.server.app.shutdown().await;
    let id = text(&run, "id");
    let run = chat.server.get(&format!("/v1/runs/{id}")).await;
    assert_eq!((&run["callback_status_code"], &run["callback_error"]), (&json!(204), &Value::Null));
    assert!(run["callback_sent_at"].is_string());
    let body = heard.lock().unwrap()[0].clone();
    assert_eq!((&body["run_id"], &body["status"]), (&run["id"], &json!("completed")));
    assert_eq!(body["completed_at"], run["completed_at"]);
}
