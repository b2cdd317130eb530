//! The workbench's pages for a browser: the same build of `ui/` the window embeds.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

/// The files of the interface by their path in `ui/dist`, for example `index.html`.
pub type Assets = Arc<dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync>;

/// The pages beside the API. They hold no data, so they need no token.
pub fn with_pages(api: Router, assets: Assets) -> Router {
    Router::new().fallback(move |request: Request| {
        let (api, assets) = (api.clone(), Arc::clone(&assets));
        async move {
            let path = request.uri().path();
            let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
            if !matches!(first, "v1" | "latest" | "workbench" | "openapi.json")
                && let Some(page) = page(&assets, request.method(), path, request.headers())
            {
                return page;
            }
            match api.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    })
}

/// Only this server's own scripts run, and they talk to nobody else. Styles may be inline: components place
/// themselves that way.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; \
    img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Loci</title>\
    <p>The API is running. The workbench is not built into this program: run <code>npm ci</code> and \
    <code>npm run build</code> in <code>ui/</code>, then build again.</p>";

/// The page at `path`, if a browser asks for one. Places inside the workbench all lead to its one page.
fn page(assets: &Assets, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let name = path.trim_start_matches('/');
    if let Some(file) = Some(name).filter(|name| !name.is_empty()).and_then(|name| assets(name)) {
        // Names of assets carry a digest of their content.
        let cache =
            if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        return Some(answer(file, kind(name), cache));
    }
    let asks_for_page = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if !name.is_empty() && !asks_for_page {
        return None;
    }
    let index = assets("index.html").unwrap_or_else(|| NOT_BUILT.as_bytes().to_vec());
    Some(answer(index, "text/html; charset=utf-8", "no-cache"))
}

fn answer(body: Vec<u8>, kind: &'static str, cache: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::OK, headers, Body::from(body)).into_response()
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_only_for_those_who_ask_for_one() {
        let assets: Assets = Arc::new(|name| (name == "index.html").then(|| b"<p>Loci".to_vec()));
        let mut browser = HeaderMap::new();
        browser.insert(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"));
        let other = HeaderMap::new();
        for (method, path, headers, wanted) in [
            (Method::GET, "/", &browser, true),
            (Method::GET, "/", &other, true),
            (Method::HEAD, "/", &other, true),
            (Method::GET, "/settings", &browser, true),
            (Method::GET, "/settings", &other, false),
            (Method::GET, "/../Cargo.toml", &other, false),
            (Method::POST, "/", &browser, false),
        ] {
            let page = page(&assets, &method, path, headers);
            assert_eq!(page.is_some(), wanted, "{method} {path}");
            if let Some(page) = page {
                assert!(page.headers().contains_key(header::CONTENT_SECURITY_POLICY));
            }
        }
    }
}
