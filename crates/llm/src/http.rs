//! The HTTP clients and what every request to a provider has in common.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::BytesMut;
use loci_api::chat::{ChatError, ChatErrorKind};
use reqwest::{
    Client, Response, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;

use crate::{config::ProviderConfig, error::Blame, protocols::Protocol, sse::chain};

/// The clients, made when first needed: starting Loci does not wait for them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Clients {
    cells: Arc<Cells>,
}

#[derive(Debug, Default)]
struct Cells {
    remote: OnceLock<Result<Client, String>>,
    loopback: OnceLock<Result<Client, String>>,
}

impl Clients {
    /// The client for an address. This machine is never reached through a proxy.
    pub(crate) fn get(&self, url: &Url, connect: Duration) -> Result<Client, String> {
        let is_loopback = url.host_str().is_some_and(|host| {
            let host = host.trim_matches(['[', ']']);
            host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        let cell = if is_loopback { &self.cells.loopback } else { &self.cells.remote };
        cell.get_or_init(|| build(connect, is_loopback)).clone()
    }
}

fn build(connect: Duration, is_loopback: bool) -> Result<Client, String> {
    // An error means that the program has chosen its provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("loci/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(connect)
        .tcp_nodelay(true)
        // A redirect would carry the key to another address.
        .redirect(reqwest::redirect::Policy::none());
    let builder = if is_loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| format!("the HTTP client cannot be made: {}", chain(&error)))
}

/// Authentication, the protocol's own headers, and the ones the provider is configured with, which win.
pub(crate) fn headers(
    wire: Protocol,
    config: &ProviderConfig,
    extra: Vec<(&'static str, String)>,
) -> HeaderMap {
    let key = config.api_key.as_ref().map(|key| key.expose_secret());
    let own = wire.auth(config, key).into_iter().chain(extra).map(|(name, value)| (name.to_owned(), value));
    let mut map = HeaderMap::new();
    for (name, value) in own.chain(config.headers.iter().cloned()) {
        // Checked when the provider was configured.
        let (Ok(name), Ok(mut value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            continue;
        };
        value.set_sensitive(true);
        map.insert(name, value);
    }
    map
}

/// A request that got no response.
pub(crate) fn unreachable(error: reqwest::Error, blame: &Blame) -> ChatError {
    let kind = if error.is_timeout() { ChatErrorKind::LlmTimeout } else { ChatErrorKind::LlmConnection };
    blame.error(kind, &chain(&error.without_url()))
}

/// A body of at most `max` bytes; `Ok(None)` if it is larger.
pub(crate) async fn read(mut response: Response, max: usize) -> Result<Option<BytesMut>, reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// How long the provider asks to wait, in milliseconds: `retry-after-ms`, or `retry-after` in seconds or as a date.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let millis = |number: f64| {
        (number.is_finite() && number >= 0.0).then(|| Duration::try_from_secs_f64(number / 1000.0))
    };
    let number = text("retry-after-ms")
        .and_then(|text| text.parse::<f64>().ok())
        .or_else(|| Some(text("retry-after")?.parse::<f64>().ok()? * 1000.0));
    if let Some(Some(Ok(wait))) = number.map(millis) {
        return u64::try_from(wait.as_millis()).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text("retry-after")?).ok()?;
    let wait = date.timestamp().as_millisecond().saturating_sub(jiff::Timestamp::now().as_millisecond());
    Some(u64::try_from(wait).unwrap_or(0))
}

/// The provider's own id of a request.
pub(crate) fn request_id(headers: &HeaderMap) -> Option<String> {
    [
        "x-request-id",
        "request-id",
        "x-amzn-requestid",
        "apim-request-id",
        "x-ms-request-id",
        "x-cloud-trace-context",
    ]
    .into_iter()
    .find_map(|name| headers.get(name))
    .and_then(|value| value.to_str().ok())
    .map(|id| id.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_understood_in_each_form() {
        for (name, value, expected) in [
            ("retry-after-ms", "250", Some(250)),
            ("retry-after", "2", Some(2000)),
            ("retry-after", "0.5", Some(500)),
            ("retry-after", "-1", None),
            ("retry-after", "inf", None),
            ("retry-after", "soon", None),
            ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers), expected, "{value}");
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
