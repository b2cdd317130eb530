//! Which headers go out and come back. Both are lists of what passes, so that nothing of this machine's pages
//! (cookies, origins, tokens) leaves it and nothing from outside acts on them.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// Of a request. The key and the length are added by the forwarder.
const OUT: [HeaderName; 4] =
    [header::ACCEPT, header::CONTENT_TYPE, header::IF_NONE_MATCH, HeaderName::from_static("idempotency-key")];

/// Of an answer.
const BACK: [HeaderName; 9] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::CONTENT_ENCODING,
    header::CONTENT_DISPOSITION,
    header::CACHE_CONTROL,
    header::ETAG,
    header::RETRY_AFTER,
    HeaderName::from_static("x-should-retry"),
    HeaderName::from_static("x-run-id"),
];

pub(super) fn outgoing(given: &HeaderMap) -> HeaderMap {
    let mut headers = only(given, &OUT);
    // The window cannot unpack; a browser would ask for what this program then had to pass on.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers
}

pub(super) fn returning(given: &HeaderMap) -> HeaderMap {
    let mut headers = only(given, &BACK);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
}

fn only(given: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let mut kept = HeaderMap::new();
    for name in names {
        for value in given.get_all(name) {
            kept.append(name.clone(), value.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_this_machine_stays_here() {
        let mut given = HeaderMap::new();
        for (name, value) in [
            ("accept", "text/event-stream"),
            ("content-type", "application/json"),
            ("authorization", "Bearer of-this-machine"),
            ("x-bare-password", "password of-this-machine"),
            ("cookie", "a=b"),
            ("origin", "http://127.0.0.1:8283"),
            ("referer", "http://127.0.0.1:8283/x"),
            ("host", "127.0.0.1"),
            ("x-loci-connection", "connection-1"),
            ("connection", "close"),
            ("accept-encoding", "gzip"),
        ] {
            given.insert(name, HeaderValue::from_static(value));
        }
        let out = outgoing(&given);
        let names: Vec<_> = out.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "content-type", "accept-encoding"]);
        assert_eq!(out["accept-encoding"], "identity");

        let mut answer = HeaderMap::new();
        for (name, value) in [
            ("content-type", "application/json"),
            ("set-cookie", "a=b"),
            ("access-control-allow-origin", "*"),
            ("clear-site-data", "\"*\""),
            ("transfer-encoding", "chunked"),
            ("x-should-retry", "false"),
        ] {
            answer.insert(name, HeaderValue::from_static(value));
        }
        let names: Vec<_> = returning(&answer).keys().map(|name| name.as_str().to_owned()).collect();
        assert_eq!(names, ["content-type", "x-should-retry", "x-content-type-options"]);
    }
}
