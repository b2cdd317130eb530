//! The server's own requests to addresses that came in with an API request: images to fetch, callbacks to send.
//!
//! An address is checked after its name was resolved, and the checked address is the one connected to, so that
//! no name can point inside the network. Redirects are not followed and proxies not used: both would get around
//! the check.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::StreamExt as _;
use loci_tools::egress::is_public;
use reqwest::{
    Client, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    redirect::Policy,
};

/// Why nothing came of a request, as a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct OutboundError(pub String);

const PRIVATE: &str = "its address is on this machine or in a private network, where requests are not sent";

/// Fetches at most `limit` bytes from an http or https address.
///
/// # Errors
/// A sentence that names neither addresses behind the name nor anything else of this network.
pub async fn get(
    url: &str,
    allow_private: bool,
    limit: usize,
    timeout: Duration,
) -> Result<Vec<u8>, OutboundError> {
    let url = check(url, allow_private).await?;
    let fetch = async {
        let response = client(allow_private)?.get(url).send().await.map_err(unreachable)?;
        if !response.status().is_success() {
            return Err(OutboundError(format!("the server answered {}", response.status().as_u16())));
        }
        let mut bytes = Vec::new();
        let mut body = response.bytes_stream();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(unreachable)?;
            if bytes.len() + piece.len() > limit {
                return Err(OutboundError(format!("it is larger than {} MB", limit >> 20)));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    };
    tokio::time::timeout(timeout, fetch)
        .await
        .unwrap_or_else(|_| Err(OutboundError(format!("it took longer than {} seconds", timeout.as_secs()))))
}

/// Posts JSON and returns the status.
///
/// # Errors
/// As [`get`].
pub async fn post_json(
    url: &str,
    allow_private: bool,
    body: &serde_json::Value,
    timeout: Duration,
) -> Result<u16, OutboundError> {
    let url = check(url, allow_private).await?;
    let send = client(allow_private)?.post(url).json(body).timeout(timeout).send();
    Ok(send.await.map_err(unreachable)?.status().as_u16())
}

/// Whether requests may go there at all, as far as can be seen before sending one.
///
/// # Errors
/// A sentence.
pub async fn check(url: &str, allow_private: bool) -> Result<Url, OutboundError> {
    let refuse = |why: &str| OutboundError(why.to_owned());
    let url = Url::parse(url).map_err(|_| refuse("it is not a web address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refuse("only http and https addresses can be used"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refuse("it holds a user name or password"));
    }
    let host = url.host_str().ok_or_else(|| refuse("it names no host"))?.to_owned();
    if allow_private {
        return Ok(url);
    }
    // A literal address never reaches the resolver.
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    match literal.parse::<IpAddr>() {
        Ok(ip) if !is_public(ip) => Err(refuse(PRIVATE)),
        Ok(_) => Ok(url),
        Err(_) => {
            let port = url.port_or_known_default().unwrap_or(443);
            let found = tokio::net::lookup_host((host.as_str(), port))
                .await
                .map_err(|_| refuse("its host name is not known"))?
                .collect::<Vec<_>>();
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err(refuse(PRIVATE));
            }
            Ok(url)
        }
    }
}

fn unreachable(error: reqwest::Error) -> OutboundError {
    let mut source: &dyn std::error::Error = &error;
    while let Some(next) = source.source() {
        source = next;
    }
    if source.to_string().contains(PRIVATE) {
        return OutboundError(PRIVATE.to_owned());
    }
    tracing::debug!(error = %error.without_url(), "an outbound request failed");
    OutboundError("the server could not be reached".to_owned())
}

/// One client for each of the two rules; connections are kept between requests.
fn client(allow_private: bool) -> Result<&'static Client, OutboundError> {
    static CLIENTS: [OnceLock<Client>; 2] = [OnceLock::new(), OnceLock::new()];
    let place = &CLIENTS[usize::from(allow_private)];
    if let Some(client) = place.get() {
        return Ok(client);
    }
    let builder =
        Client::builder().redirect(Policy::none()).no_proxy().connect_timeout(Duration::from_secs(5));
    let builder = if allow_private { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
    let made = builder.build().map_err(|error| {
        tracing::error!(%error, "no client for outbound requests");
        OutboundError("this server cannot send requests".to_owned())
    })?;
    Ok(place.get_or_init(|| made))
}

/// Resolves names, but only to addresses outside.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err(PRIVATE.into());
            }
            Ok::<Addrs, Box<dyn std::error::Error + Send + Sync>>(Box::new(found.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn addresses_that_cannot_be_used_are_refused_with_a_reason() {
        for bad in [
            "nonsense",
            "ftp://example.org/x",
            "file:///etc/passwd",
            "http://user:pw@example.org/",
            "http://127.0.0.1/",
            "http://[::1]:8283/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://localhost/",
            "data:image/png,x",
        ] {
            assert!(check(bad, false).await.is_err(), "{bad}");
        }
        assert!(check("http://127.0.0.1:9/", true).await.is_ok());
    }
}
