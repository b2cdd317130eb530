//! The composition root: everything a handler or a run may need, opened once and shared.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use anyhow::{Context, anyhow};
use loci_llm::{Models, ProviderConfig};
use loci_store::{Claim, Store, StoreError, table::score_card};
use loci_tools::sandbox::{Limits, Sandbox, SandboxOptions};

use crate::{
    embedding::{self, Embedding},
    preflight::Preflight,
    providers::{self, Providers},
    runs::Runs,
    secrets::{Secrets, SessionSecrets},
};

/// What a local backend is opened with.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds `loci.db`, the tools' environments and work folders. Created if missing.
    pub data_dir: PathBuf,
    /// Loci's own version, for people; clients are told [`crate::COMPATIBLE_VERSION`].
    pub version: String,
    /// Whether callbacks and fetched images may go to loopback and private addresses.
    pub allow_private_callbacks: bool,
    /// The program that confines itself and becomes the interpreter of a tool; `None` is this program.
    pub sandbox_helper: Option<PathBuf>,
    /// The Python for tools; `None` finds one.
    pub python: Option<PathBuf>,
    /// What a tool may use unless its settings say otherwise. Its time is also how long an agent waits for the answer of
    /// another one.
    pub tool_limits: Limits,
}

impl Options {
    /// The usual options for a data directory.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            allow_private_callbacks: false,
            sandbox_helper: None,
            python: None,
            tool_limits: Limits::default(),
        }
    }
}

/// The local backend. Cheap to clone; every clone is the same backend.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    options: Options,
    store: Store,
    models: Models,
    providers: Providers,
    embedding: Embedding,
    preflight: Preflight,
    sandbox: Sandbox,
    secrets: RwLock<Arc<dyn Secrets>>,
    runs: Runs,
    /// Keeps a second server away from the data for as long as this one lives.
    _claim: Claim,
}

impl App {
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    #[must_use]
    pub fn models(&self) -> &Models {
        &self.0.models
    }

    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
    }

    /// Where secrets are kept from now on; until then, for this session.
    pub fn keep_secrets_in(&self, secrets: Arc<dyn Secrets>) {
        *self.0.secrets.write().unwrap_or_else(PoisonError::into_inner) = secrets;
    }

    /// Where secrets are kept.
    #[must_use]
    pub fn secrets(&self) -> Arc<dyn Secrets> {
        Arc::clone(&self.0.secrets.read().unwrap_or_else(PoisonError::into_inner))
    }

    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.0.runs
    }

    #[must_use]
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Where providers come from.
    #[must_use]
    pub fn providers(&self) -> &Providers {
        &self.0.providers
    }

    /// How far the vectors of passages are.
    #[must_use]
    pub fn embedding(&self) -> &Embedding {
        &self.0.embedding
    }

    /// The models being tried out.
    #[must_use]
    pub fn preflight(&self) -> &Preflight {
        &self.0.preflight
    }

    /// Ends or marks every run, and leaves everything in the one file. Afterwards the process may exit.
    pub async fn shutdown(&self) {
        self.0.embedding.stop.cancel();
        self.0.preflight.stop_all();
        self.0.runs.shutdown().await;
        // Who copies the file of a Loci that is not running has all of it.
        if let Err(error) = self.store().checkpoint().await {
            tracing::warn!(%error, "the last changes stay in the file beside the database until the next start");
        }
    }
}

/// Opens the database in `options.data_dir` (migrating it if needed), brings the built-in tools up to date, and
/// marks what a stopped server left unfinished. Nothing waits for the network.
///
/// # Errors
/// If another process serves from the same data, the database cannot be opened, or a provider cannot be used.
pub async fn open(options: Options, providers: Vec<ProviderConfig>) -> anyhow::Result<App> {
    // Err means that a provider is installed already, which is what is wanted.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let database = options.data_dir.join("loci.db");
    let claim = loci_store::claim(&database).map_err(|error| refused(&database, error))?;
    let store = Store::open(&database).await.map_err(|error| refused(&database, error))?;
    let defaults = SandboxOptions::default();
    let sandbox = Sandbox::new(SandboxOptions {
        data_dir: options.data_dir.clone(),
        helper: options.sandbox_helper.clone().unwrap_or(defaults.helper),
        python: options.python.clone(),
        limits: options.tool_limits.clone(),
        allow_private_addresses: options.allow_private_callbacks,
        ..SandboxOptions::default()
    });
    let models = Models::new(Vec::new()).context("setting up the models")?;
    let app = App(Arc::new(Inner {
        options,
        store,
        models,
        providers: Providers::default(),
        embedding: Embedding::default(),
        preflight: Preflight::default(),
        sandbox,
        secrets: RwLock::new(Arc::new(SessionSecrets::default())),
        runs: Runs::new(),
        _claim: claim,
    }));
    providers::set_base(&app, providers).await.context("setting up the model providers")?;
    crate::tools::upsert_builtins(&app).await.context("writing the built-in tools")?;
    crate::runs::recover(&app).await.context("marking what a stopped server left unfinished")?;
    app.store().write(|tx| score_card::interrupt_running(tx)).await.context("marking unfinished trials")?;
    embedding::catch_up(&app);
    let cleaned = app.clone();
    app.runs().spawn(async move { cleaned.sandbox().collect_packages().await });
    Ok(app)
}

/// Why the data cannot be opened, and what a person can do about it.
fn refused(database: &Path, error: StoreError) -> anyhow::Error {
    const ELSEWHERE: &str = "or name another data folder in LOCI_DATA_DIR";
    let name = database.display();
    match error {
        StoreError::InUse { .. } => anyhow!("{error}. Close that one first, {ELSEWHERE}"),
        StoreError::Corrupt(what) => anyhow!(
            "{name} is damaged or not Loci's: {what}. It was left as it is. Move it away and put a copy in its place: \
             those Loci was asked for are in the folder `backups` beside it. Without a copy Loci begins anew"
        ),
        StoreError::Full => {
            anyhow!(
                "the disk with {name} is full. Make room and start Loci again: what was there before is safe"
            )
        }
        StoreError::Io { .. } => anyhow!("{error}. Let Loci write to its data folder, {ELSEWHERE}"),
        StoreError::ReadOnly => {
            anyhow!("{name} may be read but not written. Let Loci write to its data folder, {ELSEWHERE}")
        }
        // It says what to do by itself.
        StoreError::NewerSchema { .. } => error.into(),
        other @ (StoreError::NotFound { .. }
        | StoreError::MissingReference
        | StoreError::Duplicate { .. }
        | StoreError::Conflict { .. }
        | StoreError::Busy
        | StoreError::Closed
        | StoreError::Sqlite(_)) => anyhow::Error::new(other).context(format!("opening {name}")),
    }
}
