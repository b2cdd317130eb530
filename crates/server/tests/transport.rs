//! What holds for every route: both prefixes and slash forms, error shapes, malformed bodies, the guard.

mod support;

use axum::body::Body;
use http::{Request, header};
use loci_server::{Guard, guarded};
use serde_json::json;
use support::{Backend, provider, read, text};
use tower::ServiceExt;

#[tokio::test]
async fn both_prefixes_and_slash_forms_are_one_place() {
    let server = Backend::start().await;
    for path in ["/v1/health/", "/v1/health", "/latest/health", "/latest/health/", "/v1/ready", "/v1/ready/"]
    {
        let body = server.get(path).await;
        assert_eq!(body, json!({"version": "0.16.8", "status": "ok"}), "{path}");
    }
    for path in [
        "/v1/agents",
        "/v1/agents/",
        "/latest/agents/",
        "/v1/blocks",
        "/v1/tools",
        "/v1/models",
        "/v1/conversations",
    ] {
        let response = server.raw(Request::get(path).body(Body::empty()).expect("a request")).await;
        assert_eq!(response.status(), 200, "{path} is served without a redirect");
    }
    let made = server.post("/v1/blocks", json!({"label": "x", "value": ""})).await;
    assert_eq!(server.get(&format!("/latest/blocks/{}/", text(&made, "id"))).await, made);
}

#[tokio::test]
async fn unknown_routes_and_methods_answer_in_json() {
    let server = Backend::start().await;
    for path in
        ["/", "/v1", "/v1/", "/v1/nothing", "/v1/agents/x/y/z/w", "/v2/agents", "/v1/models/catalog", "/%ff"]
    {
        let (status, body) = server.call("GET", path, None).await;
        assert_eq!((status.as_u16(), body), (404, json!({"detail": "Not Found"})), "{path}");
    }
    for (method, path) in
        [("DELETE", "/v1/health"), ("PUT", "/v1/agents/"), ("PATCH", "/v1/blocks"), ("POST", "/openapi.json")]
    {
        let (status, body) = server.call(method, path, None).await;
        assert_eq!(
            (status.as_u16(), body),
            (405, json!({"detail": "Method Not Allowed"})),
            "{method} {path}"
        );
    }
}

#[tokio::test]
async fn malformed_bodies_are_refused_in_the_same_shape() {
    let server = Backend::start().await;
    let deep = "[".repeat(100_000);
    let deep_object = "{\"a\":".repeat(5_000);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b"  \n".to_vec()),
        ("text", b"hello".to_vec()),
        ("cut", b"{\"label\": \"x\"".to_vec()),
        ("comma", b"{\"label\": \"x\",}".to_vec()),
        ("two values", b"{} {}".to_vec()),
        ("single quotes", b"{'label': 'x'}".to_vec()),
        ("NaN", b"{\"limit\": NaN}".to_vec()),
        ("bad UTF-8", b"{\"label\": \"\xff\xfe\"}".to_vec()),
        ("UTF-16", vec![0xff, 0xfe, b'{', 0, b'}', 0]),
        ("half a surrogate", b"{\"label\": \"\\ud800\", \"value\": \"\"}".to_vec()),
        ("raw control character", b"{\"label\": \"a\x01b\", \"value\": \"\"}".to_vec()),
        ("twice the same key", b"{\"label\": \"a\", \"label\": \"b\", \"value\": \"\"}".to_vec()),
        ("deep lists", deep.into_bytes()),
        ("deep objects", deep_object.into_bytes()),
        ("a huge number", b"{\"label\": \"a\", \"value\": \"\", \"limit\": 1e400}".to_vec()),
        (
            "an integer too big",
            b"{\"label\": \"a\", \"value\": \"\", \"limit\": 99999999999999999999}".to_vec(),
        ),
        ("null", b"null".to_vec()),
        ("true", b"true".to_vec()),
        ("form", b"label=x&value=y".to_vec()),
    ];
    for (what, bytes) in bodies {
        for path in ["/v1/blocks/", "/v1/tools/", "/v1/tools/run"] {
            let request = Request::post(path)
                .header("content-type", "application/json")
                .body(Body::from(bytes.clone()));
            let (status, body) = read(server.raw(request.expect("a request")).await).await;
            assert_eq!(status, 422, "{what} to {path}: {body}");
            assert_eq!(body["trace_id"], "", "{what}: {body}");
            assert!(
                text(&body, "detail").starts_with("body") && text(&body, "detail").len() < 500,
                "{what}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_may_be_large_but_not_boundless() {
    let server = Backend::start().await;
    let large = json!({"label": "x", "value": "v".repeat(10 * 1024 * 1024)});
    let block = server.post("/v1/blocks/", large).await;
    assert_eq!(block["value"].as_str().map(str::len), Some(10 * 1024 * 1024));
    let beyond = vec![b' '; 32 * 1024 * 1024 + 1];
    for request in [
        Request::post("/v1/blocks/").header(header::CONTENT_LENGTH, beyond.len()).body(Body::empty()),
        Request::post("/v1/blocks/").body(Body::from(beyond)),
    ] {
        let (status, body) = read(server.raw(request.expect("a request")).await).await;
        assert_eq!(status, 413, "{body}");
        assert!(body["detail"].is_string());
    }
}

#[tokio::test]
async fn any_content_type_is_read_as_json() {
    let server = Backend::start().await;
    for kind in
        [None, Some("application/json; charset=utf-8"), Some("text/plain"), Some("application/octet-stream")]
    {
        let mut request = Request::post("/v1/blocks/");
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let body = Body::from(json!({"label": "x", "value": ""}).to_string());
        let (status, _) = read(server.raw(request.body(body).expect("a request")).await).await;
        assert_eq!(status, 200, "{kind:?}");
    }
}

#[tokio::test]
async fn only_known_hosts_pages_and_callers_get_in() {
    let server = Backend::start().await;
    let guard =
        Guard { token: Some("s3cret".into()), hosts: vec!["desk.lan".to_owned()], ..Guard::default() };
    let router = guarded(server.router.clone(), guard);
    for (headers, path, status) in [
        (vec![("host", "127.0.0.1:8283"), ("authorization", "Bearer s3cret")], "/v1/agents/", 200),
        (vec![("host", "desk.lan"), ("x-bare-password", "password s3cret")], "/v1/agents/", 200),
        (vec![("host", "localhost:8283")], "/v1/agents/", 401),
        (vec![("host", "localhost:8283"), ("authorization", "Bearer no")], "/v1/agents/", 401),
        (vec![("host", "localhost:8283")], "/v1/nothing", 401),
        (vec![("host", "localhost:8283")], "/v1/health", 200),
        (vec![("host", "localhost:8283")], "/latest/health/", 200),
        (vec![("host", "localhost:8283")], "/openapi.json", 200),
        (vec![("host", "evil.example"), ("authorization", "Bearer s3cret")], "/v1/agents/", 403),
        (vec![("host", "evil.example")], "/v1/health", 403),
        (vec![("authorization", "Bearer s3cret")], "/v1/agents/", 403),
        (
            vec![
                ("host", "localhost"),
                ("origin", "https://evil.example"),
                ("authorization", "Bearer s3cret"),
            ],
            "/v1/agents/",
            403,
        ),
        (
            vec![("host", "localhost"), ("origin", "null"), ("authorization", "Bearer s3cret")],
            "/v1/agents/",
            403,
        ),
        (
            vec![("host", "localhost"), ("origin", "tauri://localhost"), ("authorization", "Bearer s3cret")],
            "/v1/agents/",
            200,
        ),
    ] {
        let mut request = Request::get(path);
        for (name, value) in &headers {
            request = request.header(*name, *value);
        }
        let response =
            router.clone().oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        let allowed_origin = response.headers().get("access-control-allow-origin").cloned();
        let (given, body) = read(response).await;
        assert_eq!(given, status, "{headers:?} {path}: {body}");
        if status == 401 {
            assert_eq!(body, json!({"detail": "Unauthorized"}));
        }
        if headers.contains(&("origin", "tauri://localhost")) {
            assert_eq!(
                allowed_origin.as_ref().and_then(|value| value.to_str().ok()),
                Some("tauri://localhost")
            );
        } else {
            assert_eq!(allowed_origin, None);
        }
    }
    let preflight = Request::options("/v1/agents/")
        .header("host", "127.0.0.1:8283")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-stainless-lang");
    let response =
        router.oneshot(preflight.body(Body::empty()).expect("a request")).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
    assert!(
        response.headers()["access-control-allow-headers"]
            .to_str()
            .is_ok_and(|list| list.contains("authorization"))
    );
}

#[tokio::test]
async fn models_are_what_can_be_reached() {
    let server = Backend::with(Vec::new()).await;
    let models = server.get("/v1/models/").await;
    assert_eq!(models[0]["handle"], "rehearsal/rehearsal", "without a provider there is the rehearsal");
    for key in
        ["name", "provider_type", "model", "model_endpoint_type", "context_window", "max_context_window"]
    {
        assert!(!models[0][key].is_null(), "{key}");
    }
    assert_eq!(server.get("/v1/models/embedding").await, json!([]));
    assert_eq!(server.get("/v1/models/?provider_category=byok").await, json!([]));
    // A provider nobody answers for is not waited for, and nothing pretends to be AI in its place.
    let server = Backend::with(vec![provider("openai")]).await;
    assert_eq!(server.get("/v1/models/").await, json!([]));
}

#[tokio::test]
async fn the_document_describes_every_resource() {
    let server = Backend::start().await;
    let document = server.get("/openapi.json").await;
    assert!(text(&document, "openapi").starts_with("3.1"));
    for (path, methods) in [
        ("/v1/agents/", vec!["get", "post"]),
        ("/v1/agents/{agent_id}", vec!["get", "patch", "delete"]),
        ("/v1/agents/{agent_id}/core-memory/blocks/{block_label}", vec!["get", "patch"]),
        ("/v1/blocks/{block_id}", vec!["get", "patch", "delete"]),
        ("/v1/tools/", vec!["get", "post", "put"]),
        ("/v1/tools/generate-schema", vec!["post"]),
        ("/v1/conversations/{conversation_id}", vec!["get", "patch", "delete"]),
        ("/v1/models/", vec!["get"]),
        ("/v1/health/", vec!["get"]),
    ] {
        for method in methods {
            assert!(document["paths"][path][method]["operationId"].is_string(), "{method} {path}");
        }
    }
    for schema in ["AgentState", "BlockResponse", "Tool", "Conversation", "CreateAgentRequest", "LLMConfig"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}
