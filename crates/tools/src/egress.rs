//! The one door through which built-in tools reach other machines: this machine and private networks are behind
//! it, not in front, and everything is bounded.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use reqwest::{
    Client, Method, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect,
};
use serde_json::Value;

/// From the first byte sent to the last one read.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The most that is read of one answer.
const MAX_BYTES: usize = 5 << 20;
const MAX_REDIRECTS: usize = 5;

/// Why nothing was fetched, in words for the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    #[error("'{0}' is not a web address; it must begin with http:// or https://")]
    InvalidUrl(String),
    #[error("'{0}' is on this machine or in a private network, which tools may not reach")]
    Private(String),
    #[error("{0} answered with too many redirections")]
    TooManyRedirects(String),
    #[error("{url} answered with status {status}")]
    Status { url: String, status: u16 },
    #[error("{url} did not answer within {} s", TIMEOUT.as_secs())]
    TimedOut { url: String },
    #[error("{url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("{url} answered with more than {} MB", MAX_BYTES >> 20)]
    TooLarge { url: String },
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Where the redirections ended.
    pub url: String,
    /// The media type without parameters, in lower case; empty if none was given.
    pub content_type: String,
    pub text: String,
}

/// The door. Nothing is set up before the first request.
#[derive(Debug)]
pub struct Egress {
    allow_private: bool,
    client: OnceLock<Result<Client, String>>,
}

impl Egress {
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self { allow_private, client: OnceLock::new() }
    }

    /// Fetches a page; every redirection is checked like the first address.
    pub async fn get(&self, url: &str) -> Result<Page, EgressError> {
        let accept = [(ACCEPT, "text/html, text/plain;q=0.9, application/json;q=0.8, */*;q=0.1")];
        self.within_time(url, self.follow(Method::GET, url, headers(&accept), None, false)).await
    }

    /// Fetches JSON, with a key if there is one; redirections must stay where the key belongs.
    pub async fn get_json(
        &self,
        url: &str,
        secret: Option<(&'static str, &str)>,
    ) -> Result<Page, EgressError> {
        let mut headers = headers(&[(ACCEPT, "application/json")]);
        if let Some(secret) = secret {
            add_secret(&mut headers, secret);
        }
        self.within_time(url, self.follow(Method::GET, url, headers, None, secret.is_some())).await
    }

    /// Sends JSON and reads the answer; redirections are followed by the same rules.
    pub async fn post_json(
        &self,
        url: &str,
        secret: (&'static str, &str),
        body: &Value,
    ) -> Result<Page, EgressError> {
        let mut headers = headers(&[(ACCEPT, "application/json"), (CONTENT_TYPE, "application/json")]);
        add_secret(&mut headers, secret);
        self.within_time(url, self.follow(Method::POST, url, headers, Some(body.to_string()), true)).await
    }

    async fn within_time(
        &self,
        url: &str,
        request: impl Future<Output = Result<Page, EgressError>>,
    ) -> Result<Page, EgressError> {
        tokio::time::timeout(TIMEOUT, request)
            .await
            .unwrap_or_else(|_| Err(EgressError::TimedOut { url: shown(url) }))
    }

    async fn follow(
        &self,
        method: Method,
        url: &str,
        headers: HeaderMap,
        body: Option<String>,
        stay: bool,
    ) -> Result<Page, EgressError> {
        let mut target = Url::parse(url.trim()).map_err(|_| EgressError::InvalidUrl(shown(url)))?;
        for _ in 0..=MAX_REDIRECTS {
            self.check(&target)?;
            let mut request =
                self.client(&target)?.request(method.clone(), target.clone()).headers(headers.clone());
            if let Some(body) = &body {
                request = request.body(body.clone());
            }
            let response = request.send().await.map_err(|error| unreachable(&target, &error))?;
            if !response.status().is_redirection() {
                return read(target, response).await;
            }
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let next = location.and_then(|location| target.join(location).ok());
            let status = response.status().as_u16();
            let next = next.ok_or_else(|| EgressError::Status { url: shown(target.as_str()), status })?;
            if stay && next.origin() != target.origin() {
                // A key is for the machine it was given for.
                return Err(EgressError::Status { url: shown(target.as_str()), status });
            }
            target = next;
        }
        Err(EgressError::TooManyRedirects(shown(url)))
    }

    fn check(&self, url: &Url) -> Result<(), EgressError> {
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(EgressError::InvalidUrl(shown(url.as_str())));
        }
        if self.allow_private {
            return Ok(());
        }
        // Names are checked when they are resolved; addresses are never resolved.
        let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
        let private = match host.parse::<IpAddr>() {
            Ok(address) => !is_public(address),
            Err(_) => is_local_name(host),
        };
        if private { Err(EgressError::Private(shown(url.as_str()))) } else { Ok(()) }
    }

    fn client(&self, url: &Url) -> Result<&Client, EgressError> {
        let made = self.client.get_or_init(|| {
            // Err means that one is installed already, which is what is wanted.
            let _installed = rustls::crypto::ring::default_provider().install_default();
            Client::builder()
                .redirect(redirect::Policy::none())
                .dns_resolver(Arc::new(Resolver { allow_private: self.allow_private }))
                .no_proxy()
                .user_agent(concat!("Loci/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(Duration::from_secs(10))
                .build()
                .map_err(|error| error.to_string())
        });
        made.as_ref()
            .map_err(|reason| EgressError::Unreachable { url: shown(url.as_str()), reason: reason.clone() })
    }
}

fn add_secret(headers: &mut HeaderMap, (name, value): (&'static str, &str)) {
    if let Ok(mut value) = HeaderValue::from_str(value) {
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
}

fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
}

/// An address as it may be repeated to a model: without a password, and not endless.
fn shown(url: &str) -> String {
    let clean = Url::parse(url).map(|mut url| {
        // Err: such an address has no password.
        let _cleared = url.set_password(None).and_then(|()| url.set_username(""));
        url.to_string()
    });
    clean.unwrap_or_else(|_| url.to_owned()).chars().take(200).collect()
}

fn unreachable(url: &Url, error: &reqwest::Error) -> EgressError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if cause.is::<PrivateName>() {
        return EgressError::Private(shown(url.as_str()));
    }
    EgressError::Unreachable { url: shown(url.as_str()), reason: cause.to_string() }
}

async fn read(url: Url, mut response: Response) -> Result<Page, EgressError> {
    let shown = shown(url.as_str());
    if !response.status().is_success() {
        return Err(EgressError::Status { url: shown, status: response.status().as_u16() });
    }
    let kind =
        response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("").to_owned();
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&url, &error))? {
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(EgressError::TooLarge { url: shown });
        }
        bytes.extend_from_slice(&chunk);
    }
    let kind = kind.to_ascii_lowercase();
    let latin = ["iso-8859-1", "latin1", "windows-1252", "us-ascii"].iter().any(|name| kind.contains(name));
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if latin => error.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    let content_type = kind.split(';').next().unwrap_or("").trim().to_owned();
    Ok(Page { url: shown, content_type, text })
}

/// A name that leads only to addresses tools may not reach.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to a private address")]
struct PrivateName;

/// Resolves names to public addresses only, so that what was checked is what is connected to.
struct Resolver {
    allow_private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> =
                found.into_iter().filter(|address| allow_private || is_public(address.ip())).collect();
            if allowed.is_empty() {
                return Err(Box::new(PrivateName) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

fn is_local_name(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || [".localhost", ".local", ".localdomain", ".internal", ".home.arpa"]
            .iter()
            .any(|end| host.ends_with(end))
}

/// Whether an address belongs to the internet at large.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (18..20).contains(&b);
    !(a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || protocols
        || benchmark)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in any of its disguises counts as what it is.
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let segments = address.segments();
    let [high, low] = [segments[6], segments[7]];
    let embedded = Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match segments {
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => is_public_v4(embedded),
        [0x2002, high, low, ..] => is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))),
        // Only global unicast; not documentation, not Teredo.
        [first, second, ..] => {
            (first & 0xe000) == 0x2000 && !(first == 0x2001 && (second == 0xdb8 || second == 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn only_the_internet_at_large_is_public() {
        for address in ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "192.0.0.8",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "::7f00:1",
            "2001::1",
        ] {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
    }

    #[tokio::test]
    async fn what_is_not_public_is_refused_before_anything_is_sent() {
        let egress = Egress::new(false);
        for url in [
            "http://127.0.0.1:9/x",
            "http://localhost:9/",
            "http://LOCALHOST./",
            "http://[::1]/",
            "http://169.254.169.254/latest",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://printer.local/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert!(matches!(egress.get(url).await, Err(EgressError::Private(_))), "{url}");
        }
        for url in ["ftp://example.com/", "file:///etc/passwd", "nonsense", "", "javascript:alert(1)"] {
            assert!(matches!(egress.get(url).await, Err(EgressError::InvalidUrl(_))), "{url}");
        }
    }

    async fn serve(answers: Vec<String>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut buffer = [0; 4096];
                let _request = socket.read(&mut buffer).await;
                let _sent = socket.write_all(answer.as_bytes()).await;
            }
        });
        format!("http://{address}/")
    }

    fn answer(head: &str, body: &str) -> String {
        format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn redirections_are_followed_and_counted() {
        let egress = Egress::new(true);
        let url = serve(vec![
            answer("302 Found\r\nlocation: /two", ""),
            answer("200 OK\r\ncontent-type: Text/Plain; charset=utf-8", "hello"),
        ])
        .await;
        let page = egress.get(&url).await.expect("an answer");
        assert_eq!((page.text.as_str(), page.content_type.as_str()), ("hello", "text/plain"));
        assert!(page.url.ends_with("/two"));

        let url = serve(vec![answer("302 Found\r\nlocation: /", ""); 10]).await;
        assert!(matches!(egress.get(&url).await, Err(EgressError::TooManyRedirects(_))));
        let url = serve(vec![answer("302 Found\r\nlocation: file:///etc/passwd", "")]).await;
        assert!(matches!(egress.get(&url).await, Err(EgressError::InvalidUrl(_))));
    }

    #[tokio::test]
    async fn errors_say_what_happened_without_passwords() {
        let egress = Egress::new(true);
        let url = serve(vec![answer("404 Not Found", "")]).await;
        assert!(matches!(egress.get(&url).await, Err(EgressError::Status { status: 404, .. })));
        let big = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", 6 << 20, "x".repeat(6 << 20));
        let url = serve(vec![big]).await;
        assert!(matches!(egress.get(&url).await, Err(EgressError::TooLarge { .. })));
        let error =
            egress.get("http://me:secret@127.0.0.1:1/").await.expect_err("nobody listens").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
