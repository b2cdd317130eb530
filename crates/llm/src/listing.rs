//! What a provider says it has: fetched from its list of models, kept for a while, never waited for long.

use std::{sync::Arc, time::Duration};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use loci_api::chat::{ChatError, ChatErrorKind};
use serde_json::Value;
use std::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::{
    catalogue,
    http::{headers, read, unreachable},
    models::{Options, Provider},
};

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
    /// Tokens.
    pub context_window: u32,
    /// Tokens, where known.
    pub max_output_tokens: Option<u32>,
    /// Whether the model can reason before it answers.
    pub reasons: bool,
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
    pub max_output_tokens: Option<u32>,
    pub is_embedding: bool,
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
    failed: Option<(Instant, String)>,
    running: Option<Shared<BoxFuture<'static, ()>>>,
}

/// Bytes of a list.
const MAX_LIST: usize = 8 << 20;
/// How long a list may take to come; those who ask do not wait that long.
const FETCH: Duration = Duration::from_secs(10);
/// How long a failure is believed.
const FAILURE: Duration = Duration::from_secs(10);

impl Listing {
    /// What is kept, however old.
    pub(crate) fn kept(&self) -> Option<Arc<Vec<Listed>>> {
        self.lock().found.as_ref().map(|(_, list)| Arc::clone(list))
    }

    /// How many entries are kept, and why the last attempt at a newer list failed.
    pub(crate) fn status(&self) -> (Option<usize>, Option<String>) {
        let state = self.lock();
        let problem = state.failed.as_ref().map(|(_, problem)| problem.clone());
        (state.found.as_ref().map(|(_, list)| list.len()), problem)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Replaces what is kept by what a fetch brought.
    fn settle(&self, result: Result<Vec<Listed>, ChatError>) {
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
                state.failed = Some((Instant::now(), error.message));
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

/// Asks the provider now.
pub(crate) async fn fetch(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    let blame = provider.blame(&format!("{}/…", provider.config.name));
    let client = provider
        .clients
        .get(&provider.base, provider.connect)
        .map_err(|error| blame.error(ChatErrorKind::LlmError, &error))?;
    let url = provider.wire.models_url(&provider.base);
    let request = client.get(url).headers(headers(provider.wire, &provider.config, Vec::new()));
    let answer = async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, read(response, MAX_LIST).await?))
    };
    let (status, body) = match timeout(FETCH, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(unreachable(error, &blame)),
        Err(_) => return Err(blame.error(ChatErrorKind::LlmTimeout, "its list of models did not come")),
    };
    let body = body.ok_or_else(|| blame.error(ChatErrorKind::LlmError, "its list of models is too large"))?;
    if !(200..300).contains(&status) {
        return Err(blame.refusal(status, &body));
    }
    let unreadable = "its list of models cannot be read; is the base URL right?";
    let body: Value =
        serde_json::from_slice(&body).map_err(|_| blame.error(ChatErrorKind::LlmError, unreadable))?;
    entries(&body).ok_or_else(|| blame.error(ChatErrorKind::LlmError, unreadable))
}

/// `{"data": […]}`, `{"models": […]}` or a bare list.
fn entries(body: &Value) -> Option<Vec<Listed>> {
    let items = body.get("data").or_else(|| body.get("models")).unwrap_or(body).as_array()?;
    let mut list: Vec<Listed> = Vec::new();
    for item in items {
        let id = item.get("id").or_else(|| item.get("name")).or(Some(item)).and_then(Value::as_str);
        let Some(id) = id.filter(|id| !id.is_empty() && id.len() <= 200) else { continue };
        if catalogue::is_not_for_chat(id) || list.iter().any(|listed| listed.id == id) {
            continue;
        }
        let number = |paths: &[&str]| {
            paths
                .iter()
                .find_map(|path| item.pointer(path).and_then(Value::as_u64))
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number > 0)
        };
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        list.push(Listed {
            id: id.to_owned(),
            display_name: item
                .get("display_name")
                .or_else(|| item.get("name"))
                .and_then(Value::as_str)
                .filter(|name| !name.is_empty())
                .map(|name| name.chars().take(200).collect()),
            context_window: number(&[
                "/max_model_len",
                "/meta/n_ctx",
                "/context_length",
                "/context_window",
                "/max_context_length",
                "/max_input_tokens",
                "/meta/n_ctx_train",
            ]),
            max_output_tokens: number(&[
                "/top_provider/max_completion_tokens",
                "/max_completion_tokens",
                "/max_output_tokens",
            ]),
            is_embedding: kind.contains("embed") || catalogue::is_embedding(id),
        });
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn lists_of_many_servers_are_read() {
        let body = json!({"object": "list", "data": [
            {"id": "a", "max_model_len": 8192},
            {"id": "b", "context_length": 32768, "top_provider": {"max_completion_tokens": 100}, "name": "Bee"},
            {"id": "text-embedding-3-small"},
            {"id": "e", "type": "embedding"},
            {"id": "whisper-1"}, {"id": "a"}, {"id": ""}, {"no": "id"}, 7,
        ]});
        let list = entries(&body).unwrap();
        let ids: Vec<_> = list.iter().map(|listed| listed.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "text-embedding-3-small", "e"]);
        assert_eq!(list[0].context_window, Some(8192));
        assert_eq!((list[1].max_output_tokens, list[1].display_name.as_deref()), (Some(100), Some("Bee")));
        assert!(list[2].is_embedding && list[3].is_embedding && !list[1].is_embedding);

        assert_eq!(entries(&json!({"models": [{"name": "x:latest"}]})).unwrap()[0].id, "x:latest");
        assert_eq!(entries(&json!([{"id": "t"}])).unwrap()[0].id, "t");
        assert!(entries(&json!({"hello": 1})).is_none());
    }
}
