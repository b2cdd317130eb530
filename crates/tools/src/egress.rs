//! The one door through which built-in tools reach other machines: this machine and private networks are behind
//! it, not in front, and everything is bounded.

mod addresses;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::future::BoxFuture;
use reqwest::{
    Client, Method, Response, Url,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION},
    redirect,
};
use serde_json::Value;

use self::addresses::is_local_name;
pub use self::addresses::is_public;

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
    reach: Reach,
    client: OnceLock<Result<Client, String>>,
}

/// How far one may go, and how names become addresses.
#[derive(Debug, Clone, Copy)]
struct Reach {
    allow_private: bool,
    public: fn(IpAddr) -> bool,
    lookup: Lookup,
}

type Lookup = fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;

impl Reach {
    fn allows(&self, address: IpAddr) -> bool {
        self.allow_private || (self.public)(address)
    }
}

/// As this machine resolves names.
fn look_up(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

impl Egress {
    #[must_use]
    pub fn new(allow_private: bool) -> Self {
        Self { reach: Reach { allow_private, public: is_public, lookup: look_up }, client: OnceLock::new() }
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
        if self.reach.allow_private {
            return Ok(());
        }
        // Names are checked when they are resolved; addresses are never resolved.
        let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
        let private = match host.parse::<IpAddr>() {
            Ok(address) => !self.reach.allows(address),
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
                .dns_resolver(Arc::new(Resolver { reach: self.reach }))
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
    reach: Reach,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let mut found = (reach.lookup)(name.as_str().to_owned()).await?;
            found.retain(|address| reach.allows(address.ip()));
            if found.is_empty() {
                return Err(Box::new(PrivateName) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::Ipv4Addr,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

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
            "http://[::ffff:7f00:1]:9/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://0/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://0x7f000001/",
            "http://127.0.0.1.:9/",
            "http://%31%32%37.0.0.1/",
            "http://１２７.0.0.1/",
            "http://127。0。0。1/",
            "http:\\\\127.0.0.1\\",
            "http:127.0.0.1",
            "http://public.example@127.0.0.1/",
            "http://a.localhost/",
            "http://ⓛocalhost/",
            "http://metadata.google.internal/",
            "http:///127.0.0.1/",
        ] {
            assert!(matches!(egress.get(url).await, Err(EgressError::Private(_))), "{url}");
        }
        for url in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "nonsense",
            "",
            "javascript:alert(1)",
            "http://",
            "http://[::1",
            "http://[fe80::1%25eth0]/",
            "http://127.0.0.1:99999/",
            "http://a b/",
            "data:text/plain,x",
            "//127.0.0.1/",
        ] {
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

    /// Here 127.0.0.2 stands for the internet at large, and everything else is private.
    fn stands_for_public(address: IpAddr) -> bool {
        address == IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))
    }

    fn names(name: String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let at = |last| SocketAddr::from(([127, 0, 0, last], 0));
        Box::pin(async move {
            Ok(match name.as_str() {
                "public.example" => vec![at(2)],
                "both.example" => vec![at(1), at(2)],
                // Public when it is looked at, private when it is used.
                "turning.example" if ASKED.fetch_add(1, Ordering::Relaxed) == 0 => vec![at(2)],
                _ => vec![at(1)],
            })
        })
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_redirection_from_outside_to_inside_is_refused_and_nothing_is_sent_there() {
        let reach = Reach { allow_private: false, public: stands_for_public, lookup: names };
        let egress = || Egress { reach, client: OnceLock::new() };
        let inside = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = inside.local_addr().expect("an address").port();
        for location in [
            format!("http://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
            format!("http://private.example:{port}/"),
            format!("http://turning.example:{port}/"),
        ] {
            let outside = TcpListener::bind("127.0.0.2:0").await.expect("a port");
            let at = outside.local_addr().expect("an address").port();
            let redirect = answer(&format!("302 Found\r\nlocation: {location}"), "");
            // A name that is public at first is asked there before it turns.
            let first = if location.contains("turning") { "turning" } else { "public" };
            tokio::spawn(async move {
                let (mut socket, _) = outside.accept().await.expect("a connection");
                let _request = socket.read(&mut [0; 4096]).await;
                let _sent = socket.write_all(redirect.as_bytes()).await;
            });
            let outcome = egress().get(&format!("http://{first}.example:{at}/")).await;
            assert!(matches!(outcome, Err(EgressError::Private(_))), "{location}: {outcome:?}");
        }
        let nobody = tokio::time::timeout(Duration::ZERO, inside.accept()).await;
        assert!(nobody.is_err(), "somebody reached the inside");

        // Of a name's addresses only the public ones are used.
        let outside = TcpListener::bind("127.0.0.2:0").await.expect("a port");
        let at = outside.local_addr().expect("an address").port();
        tokio::spawn(async move {
            let (mut socket, _) = outside.accept().await.expect("a connection");
            let _request = socket.read(&mut [0; 4096]).await;
            let _sent = socket.write_all(answer("200 OK", "hello").as_bytes()).await;
        });
        let page = egress().get(&format!("http://both.example:{at}/")).await.expect("an answer");
        assert_eq!(page.text, "hello");
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
