//! `/workbench/server`: this machine's agents for other programs over TCP, switched on and off from the window.
//!
//! Off until the person turns it on; then it is on at the next start too. It listens on loopback only, wants the
//! token of the data folder, and serves the agents, not the desk: programs cannot answer approvals in a person's
//! place, read settings or choose connections. Under `loci serve` the process is itself that server, and what it
//! does was said on its command line.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Json as Answer, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::{error::ApiError, said::Said, time::Timestamp};
use loci_server::{Guard, error::Failure, guarded};
use loci_store::table::setting;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    Desk,
    events::Event,
    extract::Json,
    listen::{self, Listening, Token},
    router,
    sentences::Machine,
};

const SETTING: &str = "local_server";
/// Where the API's clients look when nobody tells them.
const USUAL_PORT: u16 = 8283;
/// How long answers under way may go on when it is turned off.
const PATIENCE: Duration = Duration::from_secs(2);

/// How this process is reached by others, when being reached is its purpose.
#[derive(Debug, Clone)]
pub struct Serving {
    pub address: SocketAddr,
    /// Where its token is kept, if it is.
    pub token_file: Option<PathBuf>,
}

/// What the desk knows of it while it runs.
#[derive(Default)]
pub(crate) struct LocalServer {
    /// Turning it on and off is one at a time.
    running: tokio::sync::Mutex<Option<Listening>>,
    state: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    serving: Option<Serving>,
    address: Option<SocketAddr>,
    /// Why it is not on though it should be.
    problem: Option<Said>,
}

impl LocalServer {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the person wants; kept.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(default)]
struct Wish {
    on: bool,
    port: u16,
}

impl Default for Wish {
    fn default() -> Self {
        Self { on: false, port: USUAL_PORT }
    }
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/server", get(read).patch(change))
        .route("/server/token", post(show_token))
        .route("/server/token/rotate", post(rotate))
}

/// What the window shows, and what its snippets are made of. The token itself comes only when it is asked for.
#[derive(Debug, Serialize)]
struct Shown {
    /// False under `loci serve`: it cannot be changed from here.
    can_change: bool,
    on: bool,
    /// The port it has or would take.
    port: u16,
    /// For clients; null while it is off.
    base_url: Option<String>,
    /// Null where there is no file.
    token_file: Option<PathBuf>,
    needs_token: bool,
    problem: Option<Said>,
}

impl Desk {
    /// Says that this process is a server of its own, so that the window does not offer to be one.
    pub fn is_served(&self, serving: Serving) {
        self.local_server().known().serving = Some(serving);
    }

    /// Turns the local server on if the person left it on. What is in the way is shown in the window.
    pub async fn resume_local_server(&self) {
        let wish = match self.wish().await {
            Ok(wish) => wish,
            Err(Failure(error)) => {
                tracing::error!(%error, "cannot read whether to serve");
                return;
            }
        };
        if wish.on
            && let Err(problem) = self.start_serving(wish.port).await
        {
            tracing::warn!(%problem, "the local server is not on");
        }
    }

    /// Turns it off for now, without forgetting that the person wants it.
    pub async fn pause_local_server(&self) {
        let running = self.local_server().running.lock().await.take();
        self.local_server().known().address = None;
        if let Some(running) = running
            && let Err(error) = running.stop(PATIENCE).await
        {
            tracing::warn!(%error, "the local server ended badly");
        }
    }

    async fn wish(&self) -> Result<Wish, Failure> {
        let stored = self.app().store().read(|conn| setting::get(conn, SETTING)).await?;
        Ok(stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default())
    }

    async fn keep_wish(&self, wish: Wish) -> Result<(), Failure> {
        let value = json!(wish);
        Ok(self.app().store().write(move |tx| setting::set(tx, SETTING, &value, Timestamp::now())).await?)
    }

    /// Stops what runs and listens anew.
    async fn start_serving(&self, port: u16) -> Result<(), Said> {
        let mut running = self.local_server().running.lock().await;
        if let Some(before) = running.take()
            && let Err(error) = before.stop(PATIENCE).await
        {
            tracing::warn!(%error, "the local server ended badly");
        }
        let started = self.listening(port).await;
        let mut known = self.local_server().known();
        known.address = started.as_ref().ok().map(Listening::address);
        known.problem = started.as_ref().err().cloned();
        *running = Some(started?);
        Ok(())
    }

    async fn listening(&self, port: u16) -> Result<Listening, Said> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address).await.map_err(|error| {
            let port = port.to_string();
            match error.kind() {
                std::io::ErrorKind::AddrInUse => Machine::PortTaken { port },
                std::io::ErrorKind::PermissionDenied => Machine::PortNotAllowed { port },
                _ => Machine::PortOther { port, said: error.to_string() },
            }
        })?;
        let token = self.token().await?;
        let guard = Guard { token: Some(SecretString::from(token.text().to_owned())), ..Guard::default() };
        Listening::start(listener, guarded(router::programs(self.clone()), guard))
            .map_err(|error| Machine::ServerNotStarted { said: error.to_string() }.into())
    }

    async fn token(&self) -> Result<Token, Said> {
        let data_dir = self.app().options().data_dir.clone();
        let token = tokio::task::spawn_blocking(move || listen::token(None, &data_dir)).await;
        token.map_err(|error| Said::from(error.to_string()))?.map_err(|error| token_problem(&error))
    }

    async fn shown_server(&self) -> Result<Shown, Failure> {
        let wish = self.wish().await?;
        let known = self.local_server().known();
        let address = known.serving.as_ref().map_or(known.address, |serving| Some(serving.address));
        Ok(Shown {
            can_change: known.serving.is_none(),
            on: address.is_some(),
            port: address.map_or(wish.port, |address| address.port()),
            base_url: address.map(|address| format!("http://{address}")),
            token_file: match &known.serving {
                Some(serving) => serving.token_file.clone(),
                None => Some(self.app().options().data_dir.join("token")),
            },
            needs_token: true,
            problem: known.problem.clone(),
        })
    }
}

fn token_problem(error: &anyhow::Error) -> Said {
    Machine::TokenProblem { said: format!("{error:#}") }.into()
}

fn changeable(desk: &Desk) -> Result<(), ApiError> {
    match desk.local_server().known().serving {
        Some(_) => Err(ApiError::conflict(Machine::ServerFixed)),
        None => Ok(()),
    }
}

async fn read(State(desk): State<Desk>) -> Result<Answer<Shown>, Failure> {
    Ok(Answer(desk.shown_server().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    on: Option<bool>,
    port: Option<u16>,
}

async fn change(State(desk): State<Desk>, Json(change): Json<Change>) -> Result<Answer<Shown>, Failure> {
    changeable(&desk)?;
    if change.port == Some(0) {
        return Err(ApiError::validation(Machine::PortNone).into());
    }
    let before = desk.wish().await?;
    let wish = Wish { on: change.on.unwrap_or(before.on), port: change.port.unwrap_or(before.port) };
    let running = desk.local_server().known().address;
    if wish.on && running.is_none_or(|address| address.port() != wish.port) {
        if let Err(problem) = desk.start_serving(wish.port).await {
            // It stays as it was: on where it was on, else off.
            if before.on && running.is_some() {
                desk.resume_local_server().await;
            } else {
                desk.local_server().known().problem = None;
            }
            return Err(ApiError::conflict(problem).into());
        }
    } else if !wish.on {
        desk.pause_local_server().await;
        desk.local_server().known().problem = None;
    }
    desk.keep_wish(wish).await?;
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(desk.shown_server().await?))
}

#[derive(Serialize)]
struct Shared {
    token: String,
    token_file: Option<PathBuf>,
}

/// By POST, so that it is neither kept by a cache nor asked for by a page that only looks around.
async fn show_token(State(desk): State<Desk>) -> Result<Answer<Shared>, Failure> {
    changeable(&desk)?;
    let token = desk.token().await.map_err(ApiError::unavailable)?;
    Ok(Answer(Shared { token: token.text().to_owned(), token_file: token.file().cloned() }))
}

/// A new token; whoever has the old one is locked out at once.
async fn rotate(State(desk): State<Desk>) -> Result<Answer<Shared>, Failure> {
    changeable(&desk)?;
    let data_dir = desk.app().options().data_dir.clone();
    let token = tokio::task::spawn_blocking(move || listen::rotate_token(&data_dir))
        .await
        .map_err(anyhow::Error::from)?
        .map_err(|error| ApiError::unavailable(token_problem(&error)))?;
    let running = desk.local_server().known().address;
    if let Some(address) = running {
        desk.start_serving(address.port()).await.map_err(ApiError::unavailable)?;
    }
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(Shared { token: token.text().to_owned(), token_file: token.file().cloned() }))
}
