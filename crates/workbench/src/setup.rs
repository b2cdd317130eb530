//! From a data folder to a desk: what the headless program and the window do alike.

use std::path::{Path, PathBuf};

use anyhow::Context;
use loci_llm::ProviderConfig;
use loci_server::Options;

use crate::{
    Desk, DeskOptions, Places,
    secrets::{self, SecretChoice},
};

/// The database's name in a data folder.
pub const DATABASE: &str = "loci.db";

/// How a desk is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    pub data_dir: PathBuf,
    pub secrets: SecretChoice,
    /// `window` or `http`.
    pub transport: &'static str,
    /// Whether callbacks may go to loopback and private addresses.
    pub allow_private_callbacks: bool,
}

impl Setup {
    /// Opens the data (which no other Loci may serve from) with the providers of the environment. Those added by
    /// hand follow with [`Desk::load_providers`], which may wait for a locked keyring. Touches no network.
    ///
    /// # Errors
    /// In sentences for people: another Loci serves from this folder, the database is damaged or a newer one's, a
    /// provider of the environment cannot be used.
    pub async fn open(self) -> anyhow::Result<Desk> {
        let environment = ProviderConfig::from_env(&|name| std::env::var(name).ok())
            .context("reading the model providers from the environment")?;
        let runtimes = Places::from_env(&|name| std::env::var(name).ok()).map_err(anyhow::Error::msg)?;
        let mut options = Options::new(&self.data_dir);
        options.allow_private_callbacks = self.allow_private_callbacks;
        let (app, secrets) =
            tokio::join!(loci_server::open(options, environment), secrets::open(self.secrets));
        let options = DeskOptions { transport: self.transport, runtimes, ..DeskOptions::default() };
        let desk = Desk::new(app?, secrets?, options);
        desk.begin().await;
        let app = desk.app().clone();
        // In the background: the keyring may wait for a person to unlock it.
        tokio::spawn(async move {
            if let Err(error) = app.move_secrets_out_of_rows().await {
                tracing::error!(%error, "values of agents' variables were not moved out of the database");
            }
        });
        Ok(desk)
    }
}

/// Where data is kept unless one says otherwise: `loci` in the system's folder for programs' data.
#[must_use]
pub fn default_data_dir() -> Option<PathBuf> {
    dirs::data_dir().map(|base| base.join("loci"))
}

/// Where the secrets file is, for those who choose one.
#[must_use]
pub fn secrets_file(data_dir: &Path) -> PathBuf {
    data_dir.join("secrets.json")
}
