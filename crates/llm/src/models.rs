//! All models of this installation: which provider a handle means, what is known of it, and calling it.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures::{StreamExt, future::join_all, stream::BoxStream};
use loci_api::{
    chat::{ChatError, ChatErrorKind, ChatEvent, ChatRequest},
    said::Said,
};

use crate::{
    ChatModel,
    call::{Call, Timeouts, run},
    catalogue::{self, provider_kind},
    config::{ConfigError, ProviderConfig},
    embed::{Embedder, plain},
    http::{Clients, headers},
    listing::{EmbeddingInfo, Listed, Listing, ModelInfo, fetch, list, warm},
    protocols::Protocol,
    provider::{Provider, ResolvedModel, embedding_endpoint_type, shown_type},
    rehearsal,
    retry::RetryPolicy,
};

/// How patient Loci is with providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub timeouts: Timeouts,
    pub retry: RetryPolicy,
    /// How long a list of models counts as current.
    pub list_fresh: Duration,
    /// How long one who asks for it waits.
    pub list_wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            retry: RetryPolicy::default(),
            list_fresh: Duration::from_secs(300),
            list_wait: Duration::from_secs(3),
        }
    }
}

/// The configured providers. Cheap to clone; clones share providers and lists.
#[derive(Clone)]
pub struct Models {
    inner: Arc<Inner>,
}

struct Inner {
    providers: RwLock<Vec<Arc<Provider>>>,
    clients: Clients,
    options: Options,
}

/// How a configured provider answered when its list of models was read last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderStatus {
    pub name: String,
    /// How many models it offers; `None` before the first answer.
    pub models: Option<usize>,
    /// Why the last attempt failed, for a person.
    pub problem: Option<Said>,
}

impl Models {
    /// # Errors
    /// The first provider that cannot be used as configured.
    pub fn new(providers: Vec<ProviderConfig>) -> Result<Self, ConfigError> {
        Self::with_options(providers, Options::default())
    }

    /// # Errors
    /// The first provider that cannot be used as configured.
    pub fn with_options(providers: Vec<ProviderConfig>, options: Options) -> Result<Self, ConfigError> {
        let models = Self {
            inner: Arc::new(Inner { providers: RwLock::default(), clients: Clients::default(), options }),
        };
        models.set_providers(providers)?;
        Ok(models)
    }

    /// Replaces all providers. Calls under way go on with the old ones; lists of models are asked for anew.
    ///
    /// # Errors
    /// The first provider that cannot be used as configured; then nothing changes.
    pub fn set_providers(&self, providers: Vec<ProviderConfig>) -> Result<(), ConfigError> {
        let mut ready: Vec<Arc<Provider>> = Vec::with_capacity(providers.len());
        for config in providers {
            if ready.iter().any(|provider| provider.config.name == config.name) {
                return Err(ConfigError::Duplicate { name: config.name });
            }
            ready.push(Arc::new(self.provider(config)?));
        }
        *self.inner.providers.write().unwrap_or_else(PoisonError::into_inner) = ready;
        Ok(())
    }

    fn provider(&self, config: ProviderConfig) -> Result<Provider, ConfigError> {
        config.check()?;
        Ok(Provider {
            wire: Protocol::of(&config),
            base: config.url()?,
            config,
            clients: self.inner.clients.clone(),
            connect: self.inner.options.timeouts.connect,
            listing: Listing::default(),
        })
    }

    fn providers(&self) -> Vec<Arc<Provider>> {
        self.inner.providers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How each configured provider answered last, without asking anybody.
    #[must_use]
    pub fn status(&self) -> Vec<ProviderStatus> {
        let status = |provider: &Arc<Provider>| {
            let (models, problem) = provider.listing.status();
            ProviderStatus { name: provider.config.name.clone(), models, problem }
        };
        self.providers().iter().map(status).collect()
    }

    /// Whether anything but `rehearsal` is configured.
    #[must_use]
    pub fn has_real_provider(&self) -> bool {
        !self.providers().is_empty()
    }

    /// Begins to fetch the lists of models in the background, so that the first who asks finds them. Needs a tokio
    /// runtime; does nothing without.
    pub fn warm(&self) {
        for provider in self.providers() {
            warm(&provider, &self.inner.options);
        }
    }

    /// What a handle means, without asking anybody: any model of a configured provider is accepted.
    ///
    /// # Errors
    /// `LlmBadRequest` if it is not `provider/model`, `UnknownModel` if no such provider is configured; both say
    /// what to do.
    pub fn resolve(&self, handle: &str) -> Result<ResolvedModel, ChatError> {
        if handle == rehearsal::HANDLE {
            return Ok(rehearsal::resolved());
        }
        let (provider, model) = self.find(handle)?;
        let kept = provider.listing.kept();
        let listed = kept.as_ref().and_then(|list| list.iter().find(|listed| listed.id == model));
        Ok(provider.resolved(model, listed))
    }

    fn find<'a>(&self, handle: &'a str) -> Result<(Arc<Provider>, &'a str), ChatError> {
        let (name, model) = split(handle)?;
        let providers = self.providers();
        if let Some(provider) = providers.iter().find(|provider| provider.config.name == name) {
            return Ok((Arc::clone(provider), model));
        }
        let mut there: Vec<_> =
            providers.iter().map(|provider| format!("`{}`", provider.config.name)).collect();
        there.push(format!("`{}` (no AI)", rehearsal::HANDLE));
        let there = there.join(", ");
        let message = if name == rehearsal::PROVIDER {
            format!("The rehearsal provider has one model: use `{}`.", rehearsal::HANDLE)
        } else {
            let how = match provider_kind(name) {
                Some(kind) if kind.is_local || kind.key_variables.is_empty() => {
                    match kind.url_variables.first() {
                        Some(variable) => format!("Set {variable} and start Loci again"),
                        None => "Check the part of the handle before the first `/`".to_owned(),
                    }
                }
                Some(kind) => match (kind.key_variables.first(), kind.url_variables.first()) {
                    (Some(key), Some(url)) => {
                        format!("Set {key} (and {url} for a compatible server) and start Loci again")
                    }
                    (Some(key), None) => format!("Set {key} and start Loci again"),
                    (None, _) => "Check the part of the handle before the first `/`".to_owned(),
                },
                None => "Check the part of the handle before the first `/`".to_owned(),
            };
            format!(
                "No model provider named `{name}` is configured, so `{handle}` cannot be used. {how}, or add the \
                 provider under Models & connections. Configured now: {there}."
            )
        };
        Err(plain(ChatErrorKind::UnknownModel, message))
    }

    /// The chat models that can be reached, in the order of the providers. `rehearsal` is last; where a real
    /// provider is configured but nothing of it can be reached, it is left out, so that nobody takes the first
    /// entry and gets no AI without knowing.
    pub async fn list(&self) -> Vec<ModelInfo> {
        let mut found = Vec::new();
        for (provider, list) in self.lists().await {
            found.extend(provider.chat_models(&list));
        }
        if !found.is_empty() || !self.has_real_provider() {
            found.push(rehearsal::info());
        }
        found
    }

    /// Reads one provider's list anew, however fresh the kept one is; its chat models.
    ///
    /// # Errors
    /// `UnknownModel` if no such provider is configured, or what it or the network said; [`Models::status`] tells
    /// it from then on.
    pub async fn refresh(&self, name: &str) -> Result<Vec<ModelInfo>, ChatError> {
        let providers = self.providers();
        let provider = providers.iter().find(|provider| provider.config.name == name).ok_or_else(|| {
            plain(ChatErrorKind::UnknownModel, format!("No model provider named `{name}` is configured."))
        })?;
        let result = fetch(provider).await;
        provider.listing.settle(result.clone());
        Ok(provider.chat_models(&result?).collect())
    }

    /// The embedding models that can be reached.
    pub async fn list_embeddings(&self) -> Vec<EmbeddingInfo> {
        let mut found = Vec::new();
        for (provider, list) in self.lists().await {
            let embeddings = list.iter().filter(|listed| listed.is_embedding);
            found.extend(embeddings.map(|listed| provider.embedding(&listed.id, Some(listed))));
        }
        found
    }

    async fn lists(&self) -> Vec<(Arc<Provider>, Arc<Vec<Listed>>)> {
        let options = &self.inner.options;
        join_all(self.providers().into_iter().map(|provider| async move {
            let list = list(&provider, options).await;
            (provider, list)
        }))
        .await
    }

    /// What is known of an embedding model, without asking anybody. A provider that is not configured is accepted:
    /// agents keep the handle until there is one.
    ///
    /// # Errors
    /// `LlmBadRequest` if it is not `provider/model`.
    pub fn resolve_embedding(&self, handle: &str) -> Result<EmbeddingInfo, ChatError> {
        let (name, model) = split(handle)?;
        let providers = self.providers();
        if let Some(provider) = providers.iter().find(|provider| provider.config.name == name) {
            let kept = provider.listing.kept();
            let listed = kept.as_ref().and_then(|list| list.iter().find(|listed| listed.id == model));
            return Ok(provider.embedding(model, listed));
        }
        let provider_type = shown_type(name);
        Ok(EmbeddingInfo {
            handle: handle.to_owned(),
            model: model.to_owned(),
            display_name: model.to_owned(),
            provider_name: name.to_owned(),
            provider_type: provider_type.to_owned(),
            endpoint_type: embedding_endpoint_type(provider_type).to_owned(),
            endpoint: None,
            dimensions: catalogue::embedding_dimensions(model).unwrap_or(0),
        })
    }

    /// The embedding model of a handle, ready to be used.
    ///
    /// # Errors
    /// Why it is not: the handle means nothing, its provider is not configured here, or makes no embeddings.
    pub fn embedder(&self, handle: &str) -> Result<Embedder, ChatError> {
        if handle == rehearsal::HANDLE {
            let message = "The rehearsal provider makes no embeddings; search is by words.".to_owned();
            return Err(plain(ChatErrorKind::LlmBadRequest, message));
        }
        let (provider, model) = self.find(handle)?;
        let kept = provider.listing.kept();
        let listed = kept.as_ref().and_then(|list| list.iter().find(|listed| listed.id == model));
        let info = provider.embedding(model, listed);
        Embedder::new(provider, info, self.inner.options)
    }

    /// Asks a provider for its chat models now, whether or not it is configured: to try an address and a key.
    ///
    /// # Errors
    /// A configuration that cannot be used (`LlmBadRequest`), or what the provider or the network said.
    pub async fn check(&self, config: ProviderConfig) -> Result<Vec<ModelInfo>, ChatError> {
        let provider =
            self.provider(config).map_err(|error| plain(ChatErrorKind::LlmBadRequest, error.to_string()))?;
        let list = fetch(&provider).await?;
        Ok(provider.chat_models(&list).collect())
    }

    /// The body a request would go out with; nothing is sent.
    ///
    /// # Errors
    /// If the handle names no provider that is configured.
    pub fn preview(&self, request: &ChatRequest) -> Result<serde_json::Value, ChatError> {
        if request.handle == rehearsal::HANDLE {
            return Ok(serde_json::json!(request));
        }
        self.call(request).map(|call| call.body)
    }

    fn call(&self, request: &ChatRequest) -> Result<Call, ChatError> {
        let (provider, model) = self.find(&request.handle)?;
        let kept = provider.listing.kept();
        let listed = kept.as_ref().and_then(|list| list.iter().find(|listed| listed.id == model));
        let resolved = provider.resolved(model, listed);
        let blame = provider.blame(&request.handle);
        let wire = resolved.protocol;
        let outgoing = wire.outgoing(request, &resolved);
        let options = self.inner.options;
        Ok(Call {
            client: self
                .inner
                .clients
                .get(&provider.base, options.timeouts.connect)
                .map_err(|error| blame.error(ChatErrorKind::LlmError, &error))?,
            url: wire.chat_url(&provider.base, model, request.stream),
            headers: headers(wire, &provider.config, outgoing.headers),
            body: outgoing.body,
            as_call: outgoing.as_call,
            wire,
            stream: request.stream,
            blame,
            timeouts: options.timeouts,
            retry: options.retry,
        })
    }
}

impl ChatModel for Models {
    /// Usage if the provider tells, the finish, the trace last; or an error as the last item.
    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>> {
        if request.handle == rehearsal::HANDLE {
            return rehearsal::chat(&request);
        }
        match self.call(&request) {
            Ok(call) => run(call),
            Err(error) => futures::stream::iter([Err(error)]).boxed(),
        }
    }
}

/// A handle's provider and model.
fn split(handle: &str) -> Result<(&str, &str), ChatError> {
    let parts = handle.split_once('/').filter(|(name, model)| {
        !name.is_empty() && !model.is_empty() && handle.len() <= 300 && !handle.contains(char::is_control)
    });
    parts.ok_or_else(|| {
        let shown: String = handle.chars().filter(|c| !c.is_control()).take(100).collect();
        plain(
            ChatErrorKind::LlmBadRequest,
            format!("`{shown}` is not a model handle. Write `provider/model`, for example `openai/gpt-4.1`."),
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn config(name: &str, provider_type: &str) -> ProviderConfig {
        ProviderConfig {
            name: name.to_owned(),
            provider_type: provider_type.to_owned(),
            base_url: "http://127.0.0.1:9/v1".to_owned(),
            api_key: None,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        }
    }

    #[test]
    fn handles_resolve_without_a_network() {
        let models = Models::new(vec![config("openai", "openai"), config("router", "openrouter")]).unwrap();
        let model = models.resolve("openai/gpt-4.1").unwrap();
        assert_eq!((model.context_window, model.max_output_tokens), (1_047_576, Some(32_768)));
        assert_eq!(models.resolve("openai/mine").unwrap().context_window, 128_000);
        let nested = models.resolve("router/anthropic/claude-sonnet-4.5").unwrap();
        assert_eq!((nested.model.as_str(), nested.context_window), ("anthropic/claude-sonnet-4.5", 200_000));
        assert!(models.resolve("rehearsal/rehearsal").is_ok());
    }

    #[test]
    fn a_handle_that_means_nothing_says_what_to_do() {
        let models = Models::new(Vec::new()).unwrap();
        for (handle, kind, part) in [
            ("gpt-4.1", ChatErrorKind::LlmBadRequest, "provider/model"),
            ("/x", ChatErrorKind::LlmBadRequest, "provider/model"),
            ("openai/", ChatErrorKind::LlmBadRequest, "provider/model"),
            ("openai/a\0b", ChatErrorKind::LlmBadRequest, "provider/model"),
            ("openai/gpt-4.1", ChatErrorKind::UnknownModel, "OPENAI_API_KEY"),
            ("anthropic/x", ChatErrorKind::UnknownModel, "ANTHROPIC_API_KEY"),
            ("rehearsal/x", ChatErrorKind::UnknownModel, "rehearsal/rehearsal"),
            ("nobody/x", ChatErrorKind::UnknownModel, "Configured now"),
        ] {
            let error = models.resolve(handle).unwrap_err();
            assert_eq!(error.kind, kind, "{handle}");
            assert!(error.message.contains(part), "{handle}: {}", error.message);
        }
    }

    #[test]
    fn providers_are_checked_when_they_are_set() {
        let twice = Models::new(vec![config("a", "openai"), config("a", "vllm")]);
        assert_eq!(twice.err(), Some(ConfigError::Duplicate { name: "a".to_owned() }));
        assert!(matches!(Models::new(vec![config("a b", "openai")]).err(), Some(ConfigError::Name { .. })));
        assert!(matches!(Models::new(vec![config("g", "nobody")]).err(), Some(ConfigError::Type { .. })));
        assert_eq!(Models::new(vec![config("rehearsal", "openai")]).err(), Some(ConfigError::Reserved));
    }

    #[test]
    fn an_embedding_handle_is_accepted_without_a_provider() {
        let models = Models::new(Vec::new()).unwrap();
        let info = models.resolve_embedding("openai/text-embedding-3-small").unwrap();
        assert_eq!((info.dimensions, info.endpoint), (1536, None));
        assert!(models.resolve_embedding("nonsense").is_err());
    }
}
