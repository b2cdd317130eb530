//! `/workbench/connections`: where agents run. This machine, and any number of servers elsewhere.
//!
//! One of them is in use: the window's `/v1` goes there. A request may name another by [`NAMED`], so that a page
//! that shows one server's agents never acts on another's because somebody switched meanwhile. Programs that reach
//! this machine over TCP and name none get this machine's own agents, whatever the person looks at (`router.rs`).

mod check;
mod features;
mod routes;
mod row;

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::http::HeaderMap;
use loci_api::{error::ApiError, said::Said, time::Timestamp};
use loci_server::error::Failure;
use loci_store::{StoreError, table::setting};
use secrecy::SecretString;
use serde_json::json;

pub(crate) use self::routes::routes;
use self::row::{Row, Rows};
use crate::{
    Desk,
    desk::{Connection, LOCAL},
    forward::{Forwarder, Remote, Trust, parse_base_url},
    sentences::{Connecting, Machine},
};

/// The header by which a page says which connection it means: an id, or `selected`.
pub(crate) const NAMED: &str = "x-loci-connection";
const SELECTED: &str = "selected";
/// The setting that holds all connections and which one is in use.
const SETTING: &str = "connections";

/// What the desk remembers of connections while it runs; the connections themselves are a setting.
#[derive(Default)]
pub(crate) struct Connections {
    /// `None` until they were read.
    kept: Mutex<Option<Rows>>,
    forwarders: Mutex<HashMap<String, Forwarder>>,
    /// Changes run one after another, and no forwarder is made of what is being changed.
    changing: tokio::sync::Mutex<()>,
}

impl Connections {
    fn kept(&self) -> MutexGuard<'_, Option<Rows>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forwarders(&self) -> MutexGuard<'_, HashMap<String, Forwarder>> {
        self.forwarders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key's name in the secret store.
fn secret_name(id: &str) -> String {
    format!("connection/{id}")
}

fn unknown(id: &str) -> Failure {
    let id: String = id.chars().take(80).collect();
    ApiError::not_found(Connecting::ConnectionUnknown { id }).into()
}

impl Desk {
    async fn rows(&self) -> Result<Rows, StoreError> {
        if let Some(rows) = &*self.connections().kept() {
            return Ok(rows.clone());
        }
        let stored = self.app().store().read(|conn| setting::get(conn, SETTING)).await?;
        let rows: Rows = match stored {
            Some(value) => serde_json::from_value(value).unwrap_or_else(|error| {
                tracing::error!(%error, "the connections cannot be read; only this machine is used");
                Rows::default()
            }),
            None => Rows::default(),
        };
        Ok(self.connections().kept().get_or_insert(rows).clone())
    }

    /// Keeps `rows`. Only under `changing`.
    async fn keep_rows(&self, rows: Rows) -> Result<(), Failure> {
        let value = json!(rows);
        self.app().store().write(move |tx| setting::set(tx, SETTING, &value, Timestamp::now())).await?;
        *self.connections().kept() = Some(rows);
        Ok(())
    }

    /// The id of the connection in use.
    pub(crate) async fn selected(&self) -> Result<String, Failure> {
        Ok(self.rows().await?.selected)
    }

    /// The connection a request means: the one it names, else `otherwise`.
    pub(crate) async fn named(&self, headers: &HeaderMap, otherwise: Unnamed) -> Result<String, Failure> {
        let named = match headers.get(NAMED) {
            None => match otherwise {
                Unnamed::Selected => SELECTED,
                Unnamed::Local => LOCAL,
            },
            Some(value) => {
                value.to_str().map_err(|_| ApiError::bad_request(format!("{NAMED} has an odd value.")))?
            }
        };
        if named == SELECTED { self.selected().await } else { Ok(named.to_owned()) }
    }

    /// The service that answers for a connection.
    ///
    /// # Errors
    /// If there is none of that id (404), or its key or certificates cannot be read (503).
    pub(crate) async fn service(&self, id: &str) -> Result<Connection, Failure> {
        if id == LOCAL {
            return Ok(self.local());
        }
        Ok(Connection::new(self.forwarder(id).await?))
    }

    async fn forwarder(&self, id: &str) -> Result<Forwarder, Failure> {
        let made = self.connections().forwarders().get(id).cloned();
        if let Some(made) = made {
            return Ok(made);
        }
        let _change = self.connections().changing.lock().await;
        let rows = self.rows().await?;
        let row = rows.find(id).ok_or_else(|| unknown(id))?;
        let key = self.key(row).await?;
        if row.has_key && key.is_none() {
            return Err(ApiError::unavailable(key_gone(row)).into());
        }
        let forwarder =
            self.make_forwarder(id, &row.name, &row.base_url, key, row.ca_file.clone()).await.map_err(
                |why| ApiError::unavailable(Connecting::ConnectionUnusable { name: row.name.clone(), why }),
            )?;
        self.connections().forwarders().insert(id.to_owned(), forwarder.clone());
        Ok(forwarder)
    }

    async fn make_forwarder(
        &self,
        id: &str,
        name: &str,
        base_url: &str,
        key: Option<SecretString>,
        ca_file: Option<PathBuf>,
    ) -> Result<Forwarder, Said> {
        let base_url = parse_base_url(base_url)?;
        let trust = match ca_file {
            None => Trust::System,
            Some(path) => {
                let read = tokio::task::spawn_blocking(move || Trust::read(&path)).await;
                read.map_err(|error| Said::from(error.to_string()))??
            }
        };
        let remote = Remote { id: id.to_owned(), name: name.to_owned(), base_url, key, trust };
        Forwarder::new(remote, self.options().limits.clone())
    }

    async fn key(&self, row: &Row) -> Result<Option<SecretString>, Failure> {
        if !row.has_key {
            return Ok(None);
        }
        let name = secret_name(&row.id);
        let why = match tokio::time::timeout(KEYRING, self.secrets().get(&name)).await {
            Ok(Ok(key)) => return Ok(key),
            Ok(Err(error)) => error.said(),
            Err(_) => Machine::KeyringWaits.into(),
        };
        let unreadable = Connecting::ConnectionKeyUnreadable { name: row.name.clone(), why };
        Err(ApiError::unavailable(unreadable).into())
    }
}

/// How long a request to a server elsewhere waits for the keyring; its prompt stays for longer.
const KEYRING: Duration = Duration::from_secs(10);

/// After a session whose keys were kept only for it.
fn key_gone(row: &Row) -> Said {
    Connecting::ConnectionKeyGone { name: row.name.clone() }.into()
}

/// Whom a request reaches that names no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unnamed {
    /// The connection in use: the window's own pages.
    Selected,
    /// This machine's own agents: programs.
    Local,
}
