//! Requests for a server elsewhere: the same request, its address and key, and its answer as it comes.
//!
//! [`Forwarder`] is a tower service like the local router, so nothing that sends requests knows which of the two
//! answers. It never fails: what goes wrong on the way is an answer in the API's shape (`problem.rs`).

mod body;
mod headers;
mod limits;
mod problem;
mod target;
mod tls;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use crate::sentences::Connecting;
use axum::{body::Body, http, response::IntoResponse};
use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use http::{Request, Response, StatusCode, header};
use loci_api::said::Said;
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};

pub use self::{body::BrokenOff, limits::Limits};
pub(crate) use self::{
    problem::Problem,
    target::{is_loopback, parse_base_url},
    tls::Trust,
};

/// The header by which an answer says which connection gave it; answers of this machine's own agents have none.
pub(crate) const ANSWERED_BY: &str = "x-loci-answered-by";

/// What a forwarder needs to know of a connection.
pub(crate) struct Remote {
    pub id: String,
    /// For sentences.
    pub name: String,
    /// Without a trailing slash; a path of its own is kept.
    pub base_url: reqwest::Url,
    pub key: Option<SecretString>,
    pub trust: Trust,
}

/// Passes requests to one server. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub(crate) struct Forwarder(Arc<Inner>);

struct Inner {
    remote: Remote,
    client: Client,
    limits: Limits,
}

impl Forwarder {
    /// # Errors
    /// If no client can be made, which for one's own certificates means that they cannot be used.
    pub(crate) fn new(remote: Remote, limits: Limits) -> Result<Self, Said> {
        // An error means that a provider is installed already, which is what is wanted.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .user_agent(concat!("loci/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(limits.connect)
            .tcp_nodelay(true)
            // A redirect would carry the key, or the person's words, to another address.
            .redirect(reqwest::redirect::Policy::none());
        if is_loopback(&remote.base_url) {
            builder = builder.no_proxy();
        }
        if let Some(config) = remote.trust.config()? {
            builder = builder.tls_backend_preconfigured(config);
        }
        let client = builder.build().map_err(|error| Connecting::HttpClient { said: chain(&error) })?;
        Ok(Self(Arc::new(Inner { remote, client, limits })))
    }

    /// The answer, or what was in its way.
    pub(crate) async fn pass(&self, request: Request<Body>) -> Result<Response<Body>, Problem> {
        let Inner { remote, limits, .. } = &*self.0;
        let (head, body) = request.into_parts();
        let mut url = target::url(&remote.base_url, &head.uri)?;
        let body = axum::body::to_bytes(body, limits.largest_request).await.map_err(|_| Problem::TooLarge)?;
        let patience = limits.head(&head.method, head.uri.path());
        let answer = async {
            let first = self.send(&head, url.clone(), body.clone()).await?;
            match target::slash_apart(&first, &remote.base_url, &url) {
                // The same address in the form that server prefers. Whatever host it names, this one is asked.
                Some(path) => {
                    url.set_path(&path);
                    self.send(&head, url.clone(), body).await
                }
                None => Ok(first),
            }
        };
        let answer = tokio::time::timeout(patience, answer)
            .await
            .map_err(|_| Problem::Slow { waited: patience, write: !head.method.is_safe() })??;
        body::relay(answer, remote, limits, patience).await
    }

    async fn send(
        &self,
        head: &http::request::Parts,
        url: reqwest::Url,
        body: Bytes,
    ) -> Result<reqwest::Response, Problem> {
        let Inner { remote, client, limits } = &*self.0;
        let mut request = client.request(head.method.clone(), url).headers(headers::outgoing(&head.headers));
        if let Some(key) = &remote.key {
            request = request.bearer_auth(key.expose_secret());
        }
        if !body.is_empty() || !head.method.is_safe() {
            request = request.header(header::CONTENT_LENGTH, body.len()).body(body);
        }
        request.send().await.map_err(|error| Problem::unreached(error, limits, !head.method.is_safe()))
    }
}

impl tower::Service<Request<Body>> for Forwarder {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let forwarder = self.clone();
        async move {
            let id = forwarder.0.remote.id.clone();
            let mut response = match forwarder.pass(request).await {
                Ok(response) => response,
                Err(problem) => {
                    tracing::warn!(connection = id, %problem, "a request was not answered");
                    problem.failure(&forwarder.0.remote).into_response()
                }
            };
            if let Ok(id) = id.parse() {
                response.headers_mut().insert(ANSWERED_BY, id);
            }
            Ok(response)
        }
        .boxed()
    }
}

/// An error with what caused it, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(next) = source {
        let more = next.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = next.source();
    }
    text
}

/// Whether an answer with this status has no body by its nature.
fn has_no_body(status: StatusCode) -> bool {
    status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED || status.is_informational()
}
