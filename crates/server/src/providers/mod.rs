//! Which model providers there are: those Loci was started with, those added by a person, and those found running on
//! this machine. The one place that changes them, so that the row, the key and what the models know stay together.

mod address;
mod change;

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context;
use loci_api::{error::ApiError, ids::ProviderId, said::Said, sentences, time::Timestamp};
use loci_llm::ProviderConfig;
use loci_store::{
    Connection, Page, StoreError,
    table::provider::{self, ProviderFilter, ProviderRow},
};
use secrecy::{ExposeSecret, SecretString};

pub use self::{
    address::address,
    change::{Change, New, add, change, check, refresh, remove, try_out},
};
use crate::{
    App,
    secrets::{SecretError, of_provider, of_provider_headers},
};

/// More providers than anybody configures.
const MOST: u32 = 1_000;
/// How long a list of providers waits for the keyring; its prompt stays for longer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The category of providers added by a person.
pub const ADDED: &str = "byok";

/// What an [`App`] knows of providers besides the rows.
#[derive(Default)]
pub struct Providers {
    /// Of the environment.
    base: RwLock<Vec<ProviderConfig>>,
    /// Running on this machine.
    found: RwLock<Vec<ProviderConfig>>,
    /// Changes run one after another.
    changing: tokio::sync::Mutex<()>,
}

impl Providers {
    /// The providers of the environment.
    #[must_use]
    pub fn base(&self) -> Vec<ProviderConfig> {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The providers found on this machine.
    #[must_use]
    pub fn found(&self) -> Vec<ProviderConfig> {
        self.found.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A provider added by a person, with what the secret store says of it.
#[derive(Debug, Clone)]
pub struct Added {
    pub row: ProviderRow,
    pub has_key: bool,
    /// Names of extra headers; their values are secret.
    pub headers: Vec<String>,
    /// Why its key cannot be read or it cannot be used, if so.
    pub problem: Option<Said>,
}

/// Takes these as the environment's providers and tells the models; those added by a person follow with [`load`].
///
/// # Errors
/// If one of them cannot be used; then nothing changes.
pub async fn set_base(app: &App, base: Vec<ProviderConfig>) -> anyhow::Result<()> {
    let _changing = app.providers().changing.lock().await;
    for config in &base {
        config.check()?;
    }
    *app.providers().base.write().unwrap_or_else(PoisonError::into_inner) = base;
    let added = added_rows(app).await?;
    tell(app, beside(app, Vec::new(), |name| added.iter().any(|row| row.name == name))).await
}

/// Takes these as the providers found on this machine. Does nothing if they are the known ones.
///
/// # Errors
/// If the database cannot be read or written.
pub async fn set_found(app: &App, found: Vec<ProviderConfig>) -> anyhow::Result<bool> {
    let _changing = app.providers().changing.lock().await;
    let found: Vec<_> = found.into_iter().filter(|config| config.check().is_ok()).collect();
    let same = |one: &ProviderConfig, other: &ProviderConfig| {
        let key = |config: &ProviderConfig| config.api_key.as_ref().map(|key| key.expose_secret().to_owned());
        one.name == other.name && one.base_url == other.base_url && key(one) == key(other)
    };
    let known = app.providers().found();
    if known.len() == found.len() && known.iter().zip(&found).all(|(one, other)| same(one, other)) {
        return Ok(false);
    }
    *app.providers().found.write().unwrap_or_else(PoisonError::into_inner) = found;
    apply(app).await?;
    Ok(true)
}

/// Tells the models of every provider with its key. What cannot be used is left out and logged; asking for keys may
/// wait for a person to unlock the keyring.
///
/// # Errors
/// If the database cannot be read or written.
pub async fn load(app: &App) -> anyhow::Result<()> {
    let _changing = app.providers().changing.lock().await;
    apply(app).await
}

/// As [`load`], under the lock of changes.
async fn apply(app: &App) -> anyhow::Result<()> {
    let mut configs = Vec::new();
    for row in added_rows(app).await? {
        match config(app, &row).await {
            Ok(config) => match config.check() {
                Ok(()) => configs.push(config),
                Err(error) => tracing::warn!(provider = row.name, %error, "a provider cannot be used"),
            },
            Err(error) => {
                tracing::warn!(provider = row.name, %error, "the key of a provider cannot be read");
                let config = config_of(&row, None, Vec::new());
                if config.check().is_ok() {
                    configs.push(config);
                }
            }
        }
    }
    let taken: Vec<String> = configs.iter().map(|config| config.name.clone()).collect();
    tell(app, beside(app, configs, |name| taken.iter().any(|other| other == name))).await
}

/// The given providers, then the environment's and those found, as far as no name or address is `taken` twice.
fn beside(app: &App, mut configs: Vec<ProviderConfig>, taken: impl Fn(&str) -> bool) -> Vec<ProviderConfig> {
    configs.extend(app.providers().base().into_iter().filter(|config| !taken(&config.name)));
    for config in app.providers().found() {
        let known = configs.iter().any(|other| {
            other.name == config.name
                || address::canonical(&other.base_url) == address::canonical(&config.base_url)
        });
        if !known && !taken(&config.name) {
            configs.push(config);
        }
    }
    configs
}

async fn tell(app: &App, configs: Vec<ProviderConfig>) -> anyhow::Result<()> {
    let rows: Vec<ProviderRow> =
        configs.iter().filter(|config| config.category != ADDED).map(base_row).collect();
    app.models().set_providers(configs)?;
    app.store().write(move |tx| write_base(tx, &rows)).await.context("noting the providers")?;
    app.models().warm();
    // An embedder that could not be asked may be there now.
    app.embedding().forget_problems();
    crate::embedding::catch_up(app);
    Ok(())
}

fn base_row(config: &ProviderConfig) -> ProviderRow {
    let now = Timestamp::now();
    ProviderRow {
        id: ProviderId::new(),
        name: config.name.clone(),
        provider_type: config.provider_type.clone(),
        provider_category: config.category.clone(),
        base_url: Some(config.base_url.clone()),
        api_version: None,
        region: None,
        last_synced: None,
        created_at: now,
        updated_at: now,
    }
}

/// Steps name their provider by its row's id, so each configured one has a row. Keys are never written.
fn write_base(conn: &Connection, rows: &[ProviderRow]) -> Result<(), StoreError> {
    for row in rows {
        provider::upsert_by_name(conn, row)?;
    }
    Ok(())
}

async fn added_rows(app: &App) -> Result<Vec<ProviderRow>, StoreError> {
    let page = Page { ascending: true, ..Page::newest(MOST) };
    let filter = ProviderFilter { provider_category: Some(ADDED.to_owned()), ..ProviderFilter::default() };
    app.store().read(move |conn| provider::list(conn, &filter, &page)).await
}

/// All providers added by a person, in the order in which they were.
///
/// # Errors
/// If the database cannot be read.
pub async fn list_added(app: &App) -> Result<Vec<Added>, StoreError> {
    let rows = added_rows(app).await?;
    Ok(futures::future::join_all(rows.into_iter().map(|row| describe(app, row))).await)
}

/// What is known of a row's secrets, and whether it can be used. Waits for a locked keyring only so long.
pub async fn describe(app: &App, row: ProviderRow) -> Added {
    let config = tokio::time::timeout(PATIENCE, config(app, &row)).await;
    match config.unwrap_or_else(|_| Err(SecretError(ProviderProblem::KeyringAsks.into()))) {
        Ok(config) => Added {
            has_key: config.api_key.is_some(),
            headers: config.headers.iter().map(|(name, _)| name.clone()).collect(),
            problem: config
                .check()
                .err()
                .map(|error| ProviderProblem::ProviderUnusable { said: error.to_string() }.into()),
            row,
        },
        Err(SecretError(why)) => Added {
            row,
            has_key: false,
            headers: Vec::new(),
            problem: Some(ProviderProblem::ProviderKeyUnreadable { why }.into()),
        },
    }
}

sentences! {
    /// Why an added provider cannot be used.
    pub enum ProviderProblem {
        KeyringAsks => "The keyring waits to be unlocked",
        ProviderKeyUnreadable { why: Said } => "{why}.",
        ProviderUnusable { said: String } => "{said}.",
    }
}

/// A provider with its secrets.
async fn config(app: &App, row: &ProviderRow) -> Result<ProviderConfig, SecretError> {
    let secrets = app.secrets();
    let key = secrets.get(&of_provider(&row.id)).await?;
    let headers = secrets.get(&of_provider_headers(&row.id)).await?;
    let headers = headers.and_then(|text| serde_json::from_str(text.expose_secret()).ok());
    Ok(config_of(row, key, headers.unwrap_or_default()))
}

fn config_of(
    row: &ProviderRow,
    api_key: Option<SecretString>,
    headers: Vec<(String, String)>,
) -> ProviderConfig {
    ProviderConfig {
        name: row.name.clone(),
        provider_type: row.provider_type.clone(),
        base_url: row.base_url.clone().unwrap_or_default(),
        api_key,
        headers,
        category: row.provider_category.clone(),
        protocol: None,
    }
}

/// A provider's refusal as it is told to clients, with its kind and its sentence.
#[must_use]
pub fn refusal(error: &ApiError) -> Said {
    let code = error.body.pointer("/error/type").and_then(serde_json::Value::as_str).unwrap_or_default();
    let values = [("said".to_owned(), serde_json::Value::from(error.message.as_str()))];
    Said { code: code.to_owned(), values: values.into_iter().collect(), message: error.message.clone() }
}
