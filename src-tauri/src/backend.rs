//! The desk behind the window: opened beside it, asked through one router, stopped before the program ends.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Context;
use axum::Router;
use loci_workbench::{Desk, Setup, default_data_dir, secrets::SecretChoice, secrets_file};
use tauri::{AppHandle, Manager};
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};
use tokio::sync::watch;

use crate::{window, words};

/// Names another data folder.
pub const DATA_DIR: &str = "LOCI_DATA_DIR";
/// `keyring`, `memory` or `file`; unset: the keyring where there is one.
const SECRETS: &str = "LOCI_SECRETS";
/// How long a closing window waits for its runs.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Clone)]
enum Progress {
    Opening,
    Open { desk: Desk, router: Router },
    Failed(String),
}

/// The desk, or why there is none.
pub struct Backend {
    progress: watch::Receiver<Progress>,
    stopping: AtomicBool,
}

impl Backend {
    /// Begins to open the data; requests wait for it.
    pub fn start() -> Self {
        let (tell, progress) = watch::channel(Progress::Opening);
        tauri::async_runtime::spawn(async move {
            let opened = match open("window").await {
                Ok(desk) => {
                    let router = loci_workbench::router(desk.clone());
                    Progress::Open { desk, router }
                }
                Err(error) => Progress::Failed(format!("{error:#}")),
            };
            let desk = match &opened {
                Progress::Open { desk, .. } => Some(desk.clone()),
                Progress::Opening | Progress::Failed(_) => None,
            };
            let _window_is_gone = tell.send(opened);
            if let Some(desk) = desk {
                // A locked keyring asks the person first; all else is there meanwhile.
                let providers = async {
                    if let Err(error) = desk.load_providers().await {
                        tracing::error!(error = format!("{error:#}"), "the model providers cannot be set up");
                    }
                };
                let rest = async {
                    desk.resume_local_server().await;
                    desk.watch_approvals().await;
                };
                tokio::join!(providers, rest);
            }
        });
        Self { progress, stopping: AtomicBool::new(false) }
    }

    /// The desk, once the data is open.
    pub async fn desk(&self) -> Result<Desk, String> {
        match self.settled().await {
            Progress::Open { desk, .. } => Ok(desk),
            Progress::Failed(problem) => Err(problem),
            Progress::Opening => Err("Loci did not finish to open its data.".to_owned()),
        }
    }

    /// Where the data is.
    pub async fn data_dir(&self) -> Result<PathBuf, String> {
        Ok(self.desk().await?.app().options().data_dir.clone())
    }

    /// What answers requests, once the data is open.
    pub async fn router(&self) -> Result<Router, String> {
        match self.settled().await {
            Progress::Open { router, .. } => Ok(router),
            Progress::Failed(problem) => Err(problem),
            Progress::Opening => Err("Loci did not finish to open its data.".to_owned()),
        }
    }

    async fn settled(&self) -> Progress {
        let mut progress = self.progress.clone();
        let settled = progress.wait_for(|progress| !matches!(progress, Progress::Opening)).await;
        settled.map_or(Progress::Opening, |progress| progress.clone())
    }

    /// True for the first who asks.
    pub fn begin_to_stop(&self) -> bool {
        !self.stopping.swap(true, Ordering::SeqCst)
    }

    /// Finishes or marks every run, within bounds.
    pub async fn stop(&self) {
        let desk = match &*self.progress.borrow() {
            Progress::Open { desk, .. } => desk.clone(),
            Progress::Opening | Progress::Failed(_) => return,
        };
        desk.close();
        desk.pause_local_server().await;
        if tokio::time::timeout(PATIENCE, desk.app().shutdown()).await.is_err() {
            tracing::warn!("some runs did not end in time; they are marked at the next start");
        }
    }
}

/// The folder of the data, whether it is there yet or not.
pub fn data_dir() -> Option<PathBuf> {
    let given = std::env::var_os(DATA_DIR).filter(|value| !value.is_empty());
    let folder = given.map(PathBuf::from).or_else(default_data_dir)?;
    std::path::absolute(folder).ok()
}

/// Opens the data for a window or, with `http`, for a browser.
pub async fn open(transport: &'static str) -> anyhow::Result<Desk> {
    let data_dir =
        data_dir().with_context(|| format!("there is no home folder to keep data in; set {DATA_DIR}"))?;
    let secrets = match std::env::var(SECRETS).ok().as_deref() {
        None | Some("") => SecretChoice::Automatic(secrets_file(&data_dir)),
        Some("keyring") => SecretChoice::Keyring,
        Some("memory") => SecretChoice::Memory,
        Some("file") => SecretChoice::File(secrets_file(&data_dir)),
        Some(other) => anyhow::bail!("{SECRETS} is {other:?}; it may be keyring, memory or file"),
    };
    Setup { data_dir, secrets, transport, allow_private_callbacks: false }.open().await
}

/// Shows why the data cannot be opened, and ends the program when the person has read it.
pub fn report_failure(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        let Progress::Failed(problem) = app.state::<Backend>().settled().await else { return };
        eprintln!("loci-desktop: {problem}");
        let closing = app.clone();
        let mut told = app
            .dialog()
            .message(words::words(&app).no_data.replace("{problem}", &format!("{problem}.")))
            .title("Loci")
            .kind(MessageDialogKind::Error);
        if let Some(window) = app.get_webview_window(window::WINDOW) {
            told = told.parent(&window);
        }
        told.show(move |_read| closing.exit(1));
    });
}
