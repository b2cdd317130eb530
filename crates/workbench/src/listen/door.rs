//! A link that lets one browser in: it works once and for a few minutes, so that it may stand in a list of
//! processes or a history afterwards. Behind it waits the token, which never leaves the browser's own memory.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::new_token;

/// How long a link waits for its browser.
const OPEN: Duration = Duration::from_secs(600);

const CLOSED: &str = "<!doctype html><meta charset=\"utf-8\"><title>Loci</title><p>This link was used already, or \
    is too old. Start <code>loci --browser</code> again, or use the tab it opened.</p>";

/// Answers `/open?once=…` with the way in. Cheap to clone; clones are the same door.
#[derive(Clone)]
pub struct Door(Arc<Inner>);

struct Inner {
    /// Where the way in leads; `None` for a server without a token.
    token: Option<SecretString>,
    /// The digest of the link's secret, until it is used.
    once: Mutex<Option<([u8; 32], Instant)>>,
}

impl Door {
    #[must_use]
    pub fn new(token: Option<SecretString>) -> Self {
        Self(Arc::new(Inner { token, once: Mutex::new(None) }))
    }

    /// A new link to the server at `address`; an earlier one that was not used is void.
    #[must_use]
    pub fn link(&self, address: SocketAddr) -> String {
        let once = new_token();
        *self.0.once.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((digest(&once), Instant::now() + OPEN));
        format!("http://{address}/open?once={once}")
    }

    /// Puts the door beside everything else.
    pub fn beside(&self, other: Router) -> Router {
        Router::new().route("/open", get(open)).with_state(self.clone()).fallback_service(other)
    }

    /// True once for the secret of the link, within its time.
    fn let_in(&self, given: &str) -> bool {
        let mut once = self.0.once.lock().unwrap_or_else(PoisonError::into_inner);
        match &*once {
            // Digests, so that the time of the comparison says nothing about the secret.
            Some((wanted, until)) if *wanted == digest(given) => {
                let in_time = Instant::now() < *until;
                *once = None;
                in_time
            }
            Some(_) | None => false,
        }
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    once: String,
}

async fn open(State(door): State<Door>, method: axum::http::Method, Query(asked): Query<Asked>) -> Response {
    // Programs that look at links before a person does ask for the head only.
    let mut response = if method == axum::http::Method::GET && door.let_in(&asked.once) {
        let place = match &door.0.token {
            Some(token) => format!("/#token={}", super::token::encoded(token.expose_secret())),
            None => "/".to_owned(),
        };
        match HeaderValue::try_from(place) {
            Ok(place) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    } else {
        (StatusCode::GONE, Html(CLOSED)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    use super::*;

    async fn visit(door: &Door, method: &str, link: &str) -> (u16, Option<String>) {
        let path = link.strip_prefix("http://127.0.0.1:1").expect("the address given");
        let request = Request::builder().method(method).uri(path).body(Body::empty()).expect("a request");
        let response = door.beside(Router::new()).oneshot(request).await.expect("infallible");
        let place = response.headers().get("location").map(|place| place.to_str().expect("text").to_owned());
        (response.status().as_u16(), place)
    }

    #[tokio::test]
    async fn a_link_lets_in_once() {
        let door = Door::new(Some(SecretString::from("token+1")));
        let address = "127.0.0.1:1".parse().expect("an address");
        let (old, link) = (door.link(address), door.link(address));
        assert!(!link.contains("token+1"));
        assert_eq!(visit(&door, "GET", &old).await.0, 410, "a newer link voids it");
        assert_eq!(visit(&door, "GET", "http://127.0.0.1:1/open").await.0, 410);
        assert_eq!(visit(&door, "HEAD", &link).await.0, 410, "looking is not using");
        assert_eq!(visit(&door, "GET", &link).await, (303, Some("/#token=token%2B1".to_owned())));
        assert_eq!(visit(&door, "GET", &link).await, (410, None));
        assert_eq!(visit(&door, "GET", "http://127.0.0.1:1/elsewhere").await.0, 404);
    }
}
