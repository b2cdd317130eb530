//! Who may reach the API over TCP: the host name asked for, the page that asks, and the token. The window's
//! in-process calls need none of it.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use loci_api::error::ApiError;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::error::Failure;

/// What a listening server asks of its callers.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    /// `None` lets everyone in who passes the other checks.
    pub token: Option<SecretString>,
    /// Names and addresses this server may be called by besides the loopback ones, without port.
    pub hosts: Vec<String>,
    /// Origins (`https://example.org`) whose pages may call, besides this server's own and the local ones.
    pub origins: Vec<String>,
}

/// Ports of local pages that may call from another port: development servers and older panels.
const LOCAL_PAGE_PORTS: [&str; 6] = ["3000", "4200", "5173", "8083", "8283", "1420"];
/// The window's own pages.
const WINDOW_ORIGINS: [&str; 3] = ["tauri://localhost", "http://tauri.localhost", "https://tauri.localhost"];

/// Puts the checks before `router`. Preflight requests are answered here.
pub fn guarded(router: Router, guard: Guard) -> Router {
    let guard = Arc::new(guard);
    let allowed = Arc::clone(&guard);
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, parts| {
            origin
                .to_str()
                .is_ok_and(|origin| allowed.allows_origin(origin, host_of(&parts.headers, parts.uri.host())))
        }))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([HeaderName::from_static("x-should-retry"), header::RETRY_AFTER]);
    router.layer(from_fn_with_state(guard, check)).layer(cors)
}

/// `host[:port]` as the client wrote it: the `Host` header, or the authority of an HTTP/2 request.
fn host_of<'a>(headers: &'a HeaderMap, authority: Option<&'a str>) -> Option<&'a str> {
    headers.get(header::HOST).and_then(|value| value.to_str().ok()).or(authority)
}

/// The name without the port; brackets of an IPv6 address are kept.
fn name_of(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => {
            if name.contains(':') && !name.ends_with(']') {
                host
            } else {
                name
            }
        }
        _ => host,
    }
}

fn is_loopback_name(name: &str) -> bool {
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Guard {
    /// Against a foreign name that was made to resolve to this machine.
    fn allows_host(&self, host: &str) -> bool {
        let name = name_of(host);
        is_loopback_name(name)
            || self.hosts.iter().any(|known| {
                let known = known.trim_start_matches('[').trim_end_matches(']');
                known.eq_ignore_ascii_case(name.trim_start_matches('[').trim_end_matches(']'))
            })
    }

    fn allows_origin(&self, origin: &str, host: Option<&str>) -> bool {
        if WINDOW_ORIGINS.contains(&origin)
            || self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin))
        {
            return true;
        }
        let Some((scheme, rest)) = origin.split_once("://") else { return false };
        if scheme != "http" && scheme != "https" {
            return false;
        }
        let own = host.is_some_and(|host| host.eq_ignore_ascii_case(rest) && self.allows_host(host));
        let name = name_of(rest);
        let port = rest.strip_prefix(name).and_then(|rest| rest.strip_prefix(':')).unwrap_or_default();
        own || (is_loopback_name(name) && LOCAL_PAGE_PORTS.contains(&port))
    }

    fn allows_caller(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = text(header::AUTHORIZATION).and_then(|value| {
            let (scheme, given) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| given.trim())
        });
        let password = text(HeaderName::from_static("x-bare-password"))
            .and_then(|value| value.strip_prefix("password "));
        [bearer, password].into_iter().flatten().any(|given| same(given, token.expose_secret()))
    }
}

/// Equal without telling by its duration where the difference is, nor how long the secret is.
fn same(given: &str, secret: &str) -> bool {
    Sha256::digest(given.as_bytes()).ct_eq(&Sha256::digest(secret.as_bytes())).into()
}

/// Health answers without a token: programs ask it to find out whether a server is there.
fn is_open(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    matches!(path, "/v1/health" | "/v1/ready" | "/latest/health" | "/latest/ready" | "/openapi.json")
}

async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let host = host_of(headers, request.uri().host());
    if !host.is_some_and(|host| guard.allows_host(host)) {
        return Failure(ApiError::forbidden(
            "This server does not answer to that host name. Use 127.0.0.1 or localhost, or the address it was bound to.",
        ))
        .into_response();
    }
    if let Some(origin) = headers.get(header::ORIGIN)
        && !origin.to_str().is_ok_and(|origin| guard.allows_origin(origin, host))
    {
        return Failure(ApiError::forbidden("Pages of this origin may not call this server."))
            .into_response();
    }
    if !is_open(request.uri().path()) && !guard.allows_caller(headers) {
        let mut response = Failure(ApiError::unauthorized()).into_response();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_loopback_or_named() {
        let guard =
            Guard { hosts: vec!["192.168.1.5".to_owned(), "desk.lan".to_owned()], ..Guard::default() };
        for (host, allowed) in [
            ("localhost", true),
            ("LOCALHOST:8283", true),
            ("127.0.0.1:8283", true),
            ("127.8.8.8", true),
            ("[::1]:8283", true),
            ("[::1]", true),
            ("192.168.1.5:80", true),
            ("Desk.lan", true),
            ("evil.example", false),
            ("evil.example:8283", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
            (":", false),
        ] {
            assert_eq!(guard.allows_host(host), allowed, "{host:?}");
        }
    }

    #[test]
    fn origins_are_our_own_local_or_named() {
        let guard = Guard { origins: vec!["https://panel.example".to_owned()], ..Guard::default() };
        let host = Some("127.0.0.1:9999");
        for (origin, allowed) in [
            ("tauri://localhost", true),
            ("http://tauri.localhost", true),
            ("http://127.0.0.1:9999", true),
            ("http://localhost:3000", true),
            ("http://[::1]:8283", true),
            ("https://panel.example", true),
            ("http://localhost:9998", false),
            ("http://localhost", false),
            ("https://evil.example", false),
            ("http://localhost.evil.example:3000", false),
            ("null", false),
            ("file://", false),
        ] {
            assert_eq!(guard.allows_origin(origin, host), allowed, "{origin:?}");
        }
        assert!(!guard.allows_origin("http://evil.example", Some("evil.example")));
    }

    #[test]
    fn a_token_is_asked_for_in_either_form() {
        let guard = Guard { token: Some(SecretString::from("s3cret")), ..Guard::default() };
        for (name, value, allowed) in [
            ("authorization", "Bearer s3cret", true),
            ("authorization", "bearer s3cret", true),
            ("authorization", "Bearer wrong", false),
            ("authorization", "s3cret", false),
            ("authorization", "Basic s3cret", false),
            ("x-bare-password", "password s3cret", true),
            ("x-bare-password", "s3cret", false),
            ("x-other", "s3cret", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(guard.allows_caller(&headers), allowed, "{name}: {value}");
        }
        assert!(Guard::default().allows_caller(&HeaderMap::new()));
    }
}
