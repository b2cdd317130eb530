//! `/workbench/runtimes`: programs on this machine that run models. Those already running are found on their usual
//! ports, at start and when asked, and their models appear by themselves; `llama-server` can be run by Loci itself.
//!
//! Only loopback is looked at, each place for a moment, and never while anything waits.

mod managed;
mod places;
mod probe;

use std::sync::{Mutex, PoisonError};

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use futures::future::join_all;
use loci_api::time::Timestamp;
use loci_llm::ProviderConfig;
use loci_server::{error::Failure, providers};
use serde::Serialize;

pub(crate) use managed::Managed;
pub use places::Places;

use self::probe::{Found, State as Presence};
use crate::{Desk, events::Event};

/// What is known of the runtimes of this machine.
#[derive(Default)]
pub(crate) struct Runtimes {
    seen: Mutex<Seen>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    /// The `llama-server` Loci runs itself.
    pub managed: Managed,
}

#[derive(Debug, Clone, Default, Serialize)]
struct Seen {
    runtimes: Vec<Found>,
    checked_at: Option<Timestamp>,
}

impl Runtimes {
    fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Desk {
    /// Looks for runtimes in the background. Needs a tokio runtime.
    pub(crate) fn look_for_runtimes(&self) {
        let desk = self.clone();
        tokio::spawn(async move {
            desk.sweep_managed().await;
            if desk.options().runtimes.is_empty() {
                return;
            }
            if let Err(error) = desk.find_runtimes().await {
                tracing::warn!(error = format!("{error:#}"), "the local runtimes were not taken in");
            }
        });
    }

    /// Looks for runtimes now, and makes those found providers.
    pub(crate) async fn find_runtimes(&self) -> anyhow::Result<()> {
        let _one_at_a_time = self.runtimes().looking.lock().await;
        let client = probe::client()?;
        let runtimes =
            join_all(self.options().runtimes.iter().map(|place| probe::probe(&client, place.clone()))).await;
        *self.runtimes().seen.lock().unwrap_or_else(PoisonError::into_inner) =
            Seen { runtimes, checked_at: Some(Timestamp::now()) };
        self.tell_found().await
    }

    /// Tells the backend which runtimes there are now.
    pub(crate) async fn tell_found(&self) -> anyhow::Result<()> {
        let running = self.runtimes().seen().runtimes;
        let mut configs: Vec<ProviderConfig> = self.runtimes().managed.provider().into_iter().collect();
        configs.extend(
            running
                .into_iter()
                .filter(|found| found.state == Presence::Running)
                .map(|found| found.provider(None)),
        );
        // One runs here already under the name of the other's.
        let mut names = Vec::new();
        configs.retain(|config| {
            let is_new = !names.contains(&config.name);
            names.push(config.name.clone());
            is_new
        });
        if providers::set_found(self.app(), configs).await? {
            self.events().tell(Event::ProviderChanged);
        }
        Ok(())
    }
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/runtimes", get(list))
        .route("/runtimes/refresh", post(refresh))
        .merge(managed::routes())
}

/// What was seen last, without looking.
async fn list(State(desk): State<Desk>) -> Json<Seen> {
    Json(desk.runtimes().seen())
}

async fn refresh(State(desk): State<Desk>) -> Result<Json<Seen>, Failure> {
    desk.find_runtimes().await?;
    Ok(Json(desk.runtimes().seen()))
}
