//! `/workbench/runtimes/llama-server`: a `llama-server` that Loci starts, watches and ends itself, with a model file
//! the person chose.

mod command;
mod files;
mod orphan;
mod process;
mod watch;

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json as Answer, Router,
    extract::{Query, State},
    routing::{get, post},
};
use loci_api::{error::ApiError, said::Said, time::Timestamp};
use loci_llm::ProviderConfig;
use loci_server::error::Failure;
use loci_store::table::setting;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use self::files::ModelFile;
use super::{places::Kind, probe};
use crate::{Desk, events::Event, extract::Json, sentences::Machine};

/// Where the chosen program and model are kept among the settings.
const KEY: &str = "llama_server";
/// Lines of the program's output that are kept.
const LOG_LINES: usize = 1_000;
/// Characters of one line.
const LOG_WIDTH: usize = 2_000;

/// What is to be run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Launch {
    /// The program; left out, `llama-server` on PATH.
    pub program: Option<PathBuf>,
    /// A GGUF file.
    pub model: Option<PathBuf>,
    /// Tokens of context; left out, what the model was made for.
    pub context_length: Option<u32>,
    /// Layers kept on the graphics card; left out, the program decides.
    pub gpu_layers: Option<u32>,
}

/// How the server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    #[default]
    Stopped,
    /// It loads the model.
    Starting,
    Running,
    /// It ended by itself and is started again after a pause.
    Waiting,
    /// It does not run, and starting it again by itself would not help.
    Failed,
}

/// What is known of the running program.
#[derive(Debug, Default)]
struct Inner {
    phase: Phase,
    launch: Launch,
    pid: Option<u32>,
    port: Option<u16>,
    key: Option<SecretString>,
    started_at: Option<Timestamp>,
    /// Tokens; read back from the server.
    context_in_force: Option<u64>,
    restarts: u32,
    problem: Option<Said>,
    log: VecDeque<String>,
    /// Ends the watcher and with it the program.
    stop: Option<CancellationToken>,
}

/// The `llama-server` Loci runs. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Managed(Arc<Mutex<Inner>>);

impl Managed {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The running server as a provider.
    pub(crate) fn provider(&self) -> Option<ProviderConfig> {
        let inner = self.inner();
        let (Phase::Running, Some(port), Some(key)) = (inner.phase, inner.port, inner.key.clone()) else {
            return None;
        };
        Some(ProviderConfig {
            name: Kind::LlamaServer.name().to_owned(),
            provider_type: Kind::LlamaServer.provider_type().to_owned(),
            base_url: format!("http://127.0.0.1:{port}/v1"),
            api_key: Some(key),
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        })
    }

    fn note(&self, line: &str) {
        let mut inner = self.inner();
        if inner.log.len() == LOG_LINES {
            inner.log.pop_front();
        }
        inner.log.push_back(line.chars().take(LOG_WIDTH).collect());
    }

    /// Asks the program to end, without waiting for it.
    pub(crate) fn end(&self) {
        let mut inner = self.inner();
        if let Some(stop) = inner.stop.take() {
            stop.cancel();
        }
        if let Some(pid) = inner.pid {
            process::ask_to_end(pid);
        }
    }
}

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/runtimes/llama-server", get(show).put(choose))
        .route("/runtimes/llama-server/start", post(start))
        .route("/runtimes/llama-server/stop", post(stop))
        .route("/runtimes/llama-server/log", get(log))
        .route("/runtimes/llama-server/files", get(model_files))
}

/// The server as the window sees it. Its key is never shown.
#[derive(Debug, Serialize)]
struct Shown {
    phase: Phase,
    launch: Launch,
    /// The program that is used; `None` if there is none.
    program: Option<PathBuf>,
    pid: Option<u32>,
    base_url: Option<String>,
    started_at: Option<Timestamp>,
    /// Tokens, as the server says.
    context_in_force: Option<u64>,
    /// Said when the context in force is not the one asked for.
    context_note: Option<String>,
    /// Bytes of memory it uses.
    memory_bytes: Option<u64>,
    tokens_per_second: Option<f64>,
    restarts: u32,
    problem: Option<Said>,
}

impl Desk {
    /// Ends a server that an earlier Loci could not end.
    pub(super) async fn sweep_managed(&self) {
        if self.runtimes().managed.inner().pid.is_none() {
            orphan::sweep(&self.app().options().data_dir).await;
        }
    }

    async fn launch(&self) -> Result<Launch, Failure> {
        let stored = self.app().store().read(|conn| setting::get(conn, KEY)).await?;
        Ok(stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default())
    }

    async fn shown(&self) -> Result<Shown, Failure> {
        let launch = self.launch().await?;
        let (mut shown, key) = {
            let inner = self.runtimes().managed.inner();
            let is_up = matches!(inner.phase, Phase::Starting | Phase::Running | Phase::Waiting);
            let launch = if is_up { inner.launch.clone() } else { launch };
            let asked = launch.context_length.map(u64::from);
            let shown = Shown {
                phase: inner.phase,
                program: command::program(launch.program.as_deref()).ok(),
                context_note: match (asked, inner.context_in_force) {
                    (Some(asked), Some(real)) if asked != real => {
                        Some(format!("{asked} tokens of context were asked for, but {real} are in force."))
                    }
                    _ => None,
                },
                launch,
                pid: inner.pid,
                base_url: inner.port.map(|port| format!("http://127.0.0.1:{port}/v1")),
                started_at: inner.started_at,
                context_in_force: inner.context_in_force,
                memory_bytes: None,
                tokens_per_second: None,
                restarts: inner.restarts,
                problem: inner.problem.clone(),
            };
            (shown, inner.key.clone())
        };
        if let Some(pid) = shown.pid {
            shown.memory_bytes = process::memory(pid).await;
        }
        if let (Phase::Running, Some(base_url), Some(key)) = (shown.phase, &shown.base_url, key) {
            let client = probe::client().map_err(anyhow::Error::from)?;
            let root = base_url.trim_end_matches("/v1");
            shown.tokens_per_second =
                probe::speed(&client, root, secrecy::ExposeSecret::expose_secret(&key)).await;
        }
        Ok(shown)
    }
}

async fn show(State(desk): State<Desk>) -> Result<Answer<Shown>, Failure> {
    desk.shown().await.map(Answer)
}

/// Keeps what is to be run; a server that runs goes on until it is started anew.
async fn choose(State(desk): State<Desk>, Json(launch): Json<Launch>) -> Result<Answer<Shown>, Failure> {
    command::check(&launch).await?;
    let value = serde_json::to_value(&launch).map_err(anyhow::Error::from)?;
    desk.app().store().write(move |tx| setting::set(tx, KEY, &value, Timestamp::now())).await?;
    desk.shown().await.map(Answer)
}

/// Starts it with what was chosen; one that runs is ended first. The answer does not wait for the model to load.
async fn start(State(desk): State<Desk>) -> Result<Answer<Shown>, Failure> {
    let launch = desk.launch().await?;
    command::check(&launch).await?;
    if launch.model.is_none() {
        return Err(ApiError::conflict(Machine::LlamaNoModel).into());
    }
    command::program(launch.program.as_deref())?;
    watch::stop(&desk).await;
    watch::start(&desk, launch)?;
    desk.shown().await.map(Answer)
}

async fn stop(State(desk): State<Desk>) -> Result<Answer<Shown>, Failure> {
    watch::stop(&desk).await;
    desk.tell_found().await?;
    desk.events().tell(Event::ProviderChanged);
    desk.shown().await.map(Answer)
}

#[derive(Deserialize)]
struct LogQuery {
    lines: Option<usize>,
}

#[derive(Serialize)]
struct Log {
    lines: Vec<String>,
}

/// The newest lines of the program's output, oldest first.
async fn log(State(desk): State<Desk>, Query(query): Query<LogQuery>) -> Answer<Log> {
    let inner = desk.runtimes().managed.inner();
    let wanted = query.lines.unwrap_or(200).min(LOG_LINES);
    let skipped = inner.log.len().saturating_sub(wanted);
    Answer(Log { lines: inner.log.iter().skip(skipped).cloned().collect() })
}

/// Model files in the folders where programs of this kind keep them.
async fn model_files() -> Result<Answer<Vec<ModelFile>>, Failure> {
    let found = tokio::task::spawn_blocking(files::list).await.map_err(anyhow::Error::from)?;
    Ok(Answer(found))
}
