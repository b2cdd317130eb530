//! What the desk's routes share: the connection in use, the secrets, the events.

use std::{
    convert::Infallible,
    sync::{Arc, Weak},
};

use axum::{body::Body, http};
use loci_server::App;
use tower::util::BoxCloneSyncService;

use crate::{
    approvals::Approvals,
    connections::Connections,
    events::Events,
    forward::Limits,
    local_server::LocalServer,
    runtimes::{Places, Runtimes},
    secrets::{DeskSecrets, SecretStore},
};

/// Where agents run, as a service: the local router, or a forwarder to another server.
pub type Connection = BoxCloneSyncService<http::Request<Body>, http::Response<Body>, Infallible>;

/// The name of the connection to this machine's own agents.
pub(crate) const LOCAL: &str = "local";

/// What a desk is opened with besides the backend and the secrets.
#[derive(Debug, Clone, Default)]
pub struct DeskOptions {
    /// How the interface reaches the desk: `window` or `http`.
    pub transport: &'static str,
    /// Where runtimes of this machine are looked for.
    pub runtimes: Places,
    /// How long servers elsewhere may take.
    pub limits: Limits,
}

/// The desk. Cheap to clone; every clone is the same desk.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

/// A desk that may be gone already.
pub(crate) type WeakDesk = Weak<Inner>;

pub(crate) struct Inner {
    app: App,
    secrets: Arc<dyn SecretStore>,
    options: DeskOptions,
    local: Connection,
    connections: Connections,
    local_server: LocalServer,
    events: Events,
    approvals: Approvals,
    runtimes: Runtimes,
}

impl Desk {
    #[must_use]
    pub fn new(app: App, secrets: Arc<dyn SecretStore>, options: DeskOptions) -> Self {
        app.keep_secrets_in(Arc::new(DeskSecrets(Arc::clone(&secrets))));
        let local = Connection::new(loci_server::router(app.clone()));
        Self(Arc::new(Inner {
            app,
            secrets,
            options,
            local,
            connections: Connections::default(),
            local_server: LocalServer::default(),
            events: Events::new(),
            approvals: Approvals::default(),
            runtimes: Runtimes::default(),
        }))
    }

    /// For work that must not keep the desk from closing.
    pub(crate) fn downgrade(&self) -> WeakDesk {
        Arc::downgrade(&self.0)
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self(inner)
    }

    /// The local backend.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.0.app
    }

    /// The event stream's source.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    /// Ends what runs for the desk: the event streams, so that a server waiting for its responses can stop, and the
    /// model server.
    pub fn close(&self) {
        self.0.events.close();
        self.0.runtimes.managed.end();
    }

    pub(crate) fn secrets(&self) -> &dyn SecretStore {
        &*self.0.secrets
    }

    pub(crate) fn options(&self) -> &DeskOptions {
        &self.0.options
    }

    /// This machine's own agents.
    pub(crate) fn local(&self) -> Connection {
        self.0.local.clone()
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.0.connections
    }

    pub(crate) fn local_server(&self) -> &LocalServer {
        &self.0.local_server
    }

    pub(crate) fn approvals(&self) -> &Approvals {
        &self.0.approvals
    }

    pub(crate) fn runtimes(&self) -> &Runtimes {
        &self.0.runtimes
    }
}
