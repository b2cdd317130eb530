//! What a provider says it has: fetched from its list of models, kept for a while, never waited for long.

mod entries;
mod fetch;

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use loci_api::{
    chat::{ChatError, ChatErrorKind},
    said::Said,
};
use serde::Serialize;
use std::sync::Mutex;
use tokio::time::{Instant, timeout};

pub(crate) use self::fetch::fetch;
use crate::{catalogue::Price, models::Options, provider::Provider};

/// What a model can do; `None` where nobody says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Calls tools, which an agent needs.
    pub tools: Option<bool>,
    /// Reads images.
    pub images: Option<bool>,
    /// Reasons before it answers.
    pub reasoning: Option<bool>,
}

/// How a model's context window is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowSource {
    /// The runtime says so itself, or is told with every request.
    InForce,
    /// The provider's list or the catalogue says so.
    Listed,
    /// Nobody says; a careful guess.
    Assumed,
}

/// A chat model that can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// `provider/model`.
    pub handle: String,
    /// The provider's own name of the model.
    pub model: String,
    pub display_name: String,
    pub provider_name: String,
    pub provider_type: String,
    /// The API's `model_endpoint_type`.
    pub endpoint_type: String,
    /// Base URL; `None` for `rehearsal`, which has no address.
    pub endpoint: Option<String>,
    /// `base` or `byok`.
    pub category: String,
    /// Tokens: what a conversation may take as things are.
    pub context_window: u32,
    /// Tokens: what the model could take if its runtime were set so; as `context_window` where that is all.
    pub max_context_window: u32,
    pub window_source: WindowSource,
    /// Tokens, where known.
    pub max_output_tokens: Option<u32>,
    /// Whether the model can reason before it answers.
    pub reasons: bool,
    pub capabilities: Capabilities,
    /// What its tokens cost, where known.
    pub price: Option<Price>,
}

/// An embedding model that can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddingInfo {
    /// `provider/model`.
    pub handle: String,
    pub model: String,
    pub display_name: String,
    pub provider_name: String,
    pub provider_type: String,
    /// The API's `embedding_endpoint_type`.
    pub endpoint_type: String,
    /// Base URL; `None` if the provider is not configured here.
    pub endpoint: Option<String>,
    /// Length of a vector; 0 where it is not known before the first use.
    pub dimensions: u32,
}

/// One entry of a provider's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub id: String,
    pub display_name: Option<String>,
    pub context_window: Option<u32>,
    /// Whether the runtime itself says that this is its window now.
    pub is_in_force: bool,
    pub max_context_window: Option<u32>,
    pub max_output_tokens: Option<u32>,
    pub is_embedding: bool,
    /// Length of an embedding model's vectors.
    pub dimensions: Option<u32>,
    pub capabilities: Capabilities,
    pub price: Option<Price>,
}

impl Listed {
    /// An entry of which only the name is known.
    fn named(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            display_name: None,
            context_window: None,
            is_in_force: false,
            max_context_window: None,
            max_output_tokens: None,
            is_embedding: false,
            dimensions: None,
            capabilities: Capabilities::default(),
            price: None,
        }
    }
}

/// The kept list of one provider.
#[derive(Default)]
pub(crate) struct Listing {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    found: Option<(Instant, Arc<Vec<Listed>>)>,
    /// When the last attempt failed, and why.
    failed: Option<(Instant, Said)>,
    running: Option<Shared<BoxFuture<'static, ()>>>,
}

/// How long a failure is believed.
const FAILURE: Duration = Duration::from_secs(10);

impl Listing {
    /// What is kept, however old.
    pub(crate) fn kept(&self) -> Option<Arc<Vec<Listed>>> {
        self.lock().found.as_ref().map(|(_, list)| Arc::clone(list))
    }

    /// How many entries are kept, and why the last attempt at a newer list failed.
    pub(crate) fn status(&self) -> (Option<usize>, Option<Said>) {
        let state = self.lock();
        let problem = state.failed.as_ref().map(|(_, problem)| problem.clone());
        (state.found.as_ref().map(|(_, list)| list.len()), problem)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Replaces what is kept by what a fetch brought.
    pub(crate) fn settle(&self, result: Result<Vec<Listed>, ChatError>) {
        let mut state = self.lock();
        state.running = None;
        match result {
            Ok(list) => {
                state.found = Some((Instant::now(), Arc::new(list)));
                state.failed = None;
            }
            Err(error) => {
                tracing::debug!(kind = ?error.kind, "{error}");
                // A hiccup does not make models disappear; a closed door does.
                let is_hiccup = error.kind.is_transient() && error.kind != ChatErrorKind::LlmConnection;
                state.failed = Some((Instant::now(), error.kind.said(error.message)));
                if !is_hiccup {
                    state.found = None;
                }
            }
        }
    }
}

/// The provider's list: the kept one while it is fresh, an old one while a new one is fetched, else a new one if it
/// comes soon. Empty if the provider cannot be reached.
pub(crate) async fn list(provider: &Arc<Provider>, options: &Options) -> Arc<Vec<Listed>> {
    let waiting = match ask(provider, options) {
        Asked::Kept(list) => return list,
        Asked::Running(running) => running,
    };
    // Goes on in the background if it takes longer.
    let _ = timeout(options.list_wait, waiting).await;
    provider.listing.kept().unwrap_or_default()
}

enum Asked {
    Kept(Arc<Vec<Listed>>),
    Running(Shared<BoxFuture<'static, ()>>),
}

fn ask(provider: &Arc<Provider>, options: &Options) -> Asked {
    let mut state = provider.listing.lock();
    let age = |at: Instant| at.elapsed();
    if let Some((at, list)) = &state.found
        && age(*at) < options.list_fresh
    {
        return Asked::Kept(Arc::clone(list));
    }
    let kept = state.found.as_ref().map(|(_, list)| Arc::clone(list));
    if state.running.is_none() {
        if state.failed.as_ref().is_some_and(|(at, _)| age(*at) < FAILURE) {
            return Asked::Kept(kept.unwrap_or_default());
        }
        let task = {
            let provider = Arc::clone(provider);
            tokio::spawn(async move {
                let result = fetch(&provider).await;
                provider.listing.settle(result);
            })
        };
        state.running = Some(task.map(|_| ()).boxed().shared());
    }
    match (kept, &state.running) {
        (Some(list), _) => Asked::Kept(list),
        (None, Some(running)) => Asked::Running(running.clone()),
        (None, None) => Asked::Kept(Arc::default()),
    }
}

/// Begins to fetch the list, if there is none and a runtime to do it on.
pub(crate) fn warm(provider: &Arc<Provider>, options: &Options) {
    if tokio::runtime::Handle::try_current().is_ok() {
        drop(ask(provider, options));
    }
}
