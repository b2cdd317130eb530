//! A configured provider, and what one of its models is: from its own list, and from what is known of names.

use reqwest::Url;
use std::time::Duration;

use crate::{
    catalogue::{self, DEFAULT_CONTEXT_WINDOW, Price, Thinks, provider_kind},
    config::ProviderConfig,
    error::Blame,
    http::Clients,
    listing::{Capabilities, EmbeddingInfo, Listed, Listing, ModelInfo, WindowSource},
    protocols::Protocol,
};

/// A provider, ready to be asked.
pub(crate) struct Provider {
    pub config: ProviderConfig,
    /// How its own resources are reached; a model may be spoken to differently.
    pub wire: Protocol,
    pub base: Url,
    pub clients: Clients,
    pub connect: Duration,
    pub listing: Listing,
}

/// What a handle means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedModel {
    /// `provider/model`.
    pub handle: String,
    pub provider_name: String,
    /// As the API calls it.
    pub provider_type: String,
    /// The kind as configured here ([`crate::provider_kind`]); the API has no word for some.
    pub kind: String,
    /// The API's `model_endpoint_type`.
    pub endpoint_type: String,
    /// Base URL; `None` for `rehearsal`.
    pub endpoint: Option<String>,
    /// The provider's own name of the model.
    pub model: String,
    /// Tokens; 128 000 where nothing is known, 32 768 at a local runtime.
    pub context_window: u32,
    /// Tokens: what a runtime that takes its window with each request may be asked for.
    pub max_context_window: u32,
    pub window_source: WindowSource,
    /// Tokens, where known.
    pub max_output_tokens: Option<u32>,
    /// `base` or `byok`.
    pub category: String,
    /// Whether the model can reason before it answers.
    pub reasons: bool,
    pub capabilities: Capabilities,
    /// What its tokens cost, where known.
    pub price: Option<Price>,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// What a local runtime is asked for or taken to have where nobody says: room for an agent, and still within the
/// memory of an ordinary machine.
pub(crate) const LOCAL_WINDOW: u32 = 32_768;

impl Provider {
    pub(crate) fn blame(&self, handle: &str) -> Blame {
        Blame {
            provider: self.config.name.clone(),
            handle: handle.to_owned(),
            secrets: self.config.secrets(),
        }
    }

    pub(crate) fn resolved(&self, model: &str, listed: Option<&Listed>) -> ResolvedModel {
        let known = catalogue::known(model);
        let is_local = self.config.kind().is_some_and(|kind| kind.is_local);
        // What the provider says itself counts more than what is known of a name.
        let listed_window = listed.and_then(|listed| listed.context_window);
        let known_window = known.map(|known| known.context_window);
        let (context_window, window_source) = match (listed_window, known_window) {
            (Some(window), _) if listed.is_some_and(|listed| listed.is_in_force) => {
                (window, WindowSource::InForce)
            }
            (Some(window), _) => (window, WindowSource::Listed),
            (None, known) if is_local => {
                // How it was started decides, not what the model could take.
                let most = listed.and_then(|listed| listed.max_context_window).or(known);
                (most.map_or(LOCAL_WINDOW, |most| most.min(LOCAL_WINDOW)), WindowSource::Assumed)
            }
            (None, Some(window)) => (window, WindowSource::Listed),
            (None, None) => (DEFAULT_CONTEXT_WINDOW, WindowSource::Assumed),
        };
        let max_context_window = listed
            .and_then(|listed| listed.max_context_window)
            .or(known_window.filter(|_| is_local))
            .unwrap_or(if self.wire == Protocol::Ollama && listed.is_none() {
                DEFAULT_CONTEXT_WINDOW
            } else {
                context_window
            })
            .max(context_window);
        let said = listed.map(|listed| listed.capabilities).unwrap_or_default();
        let by_name = known
            .map(|known| known.reasons)
            .or_else(|| (catalogue::thinks(model) != Thinks::No).then_some(true));
        let capabilities = Capabilities {
            tools: said.tools.or(known.map(|known| known.tools)),
            images: said.images.or(known.map(|known| known.images)),
            reasoning: said.reasoning.or(by_name),
        };
        let listed_price = listed.and_then(|listed| listed.price);
        // A name at another provider may cost something else; only who makes it is known.
        let price = listed_price.or_else(|| {
            known
                .and_then(|known| known.price)
                .filter(|_| self.is_maker())
                .map(|price| Price { page: self.config.kind().and_then(|kind| kind.prices_page), ..price })
        });
        ResolvedModel {
            handle: format!("{}/{model}", self.config.name),
            provider_name: self.config.name.clone(),
            provider_type: shown_type(&self.config.provider_type).to_owned(),
            kind: self.config.provider_type.clone(),
            endpoint_type: endpoint_type(&self.config.provider_type).to_owned(),
            endpoint: Some(self.config.base_url.clone()),
            model: model.to_owned(),
            context_window,
            max_context_window,
            window_source,
            max_output_tokens: listed
                .and_then(|listed| listed.max_output_tokens)
                .or(known.map(|known| known.max_output_tokens))
                .map(|tokens| tokens.min(context_window)),
            category: self.config.category.clone(),
            reasons: capabilities.reasoning.unwrap_or(false),
            capabilities,
            price,
            protocol: Protocol::for_model(&self.config, model),
        }
    }

    /// Whether the provider makes the models it serves, at its own address, so that list prices hold.
    fn is_maker(&self) -> bool {
        self.config.kind().is_some_and(|kind| {
            kind.prices_page.is_some()
                && match kind.base_url {
                    Some(usual) => Url::parse(usual).is_ok_and(|usual| usual.host() == self.base.host()),
                    None => true,
                }
        })
    }

    pub(crate) fn chat_models(&self, list: &[Listed]) -> impl Iterator<Item = ModelInfo> {
        list.iter().filter(|listed| !listed.is_embedding).map(|listed| {
            let resolved = self.resolved(&listed.id, Some(listed));
            let known = catalogue::known(&listed.id).filter(|known| known.name == listed.id);
            let display_name = known
                .map(|known| known.display_name.to_owned())
                .or_else(|| listed.display_name.clone())
                .unwrap_or_else(|| listed.id.clone());
            resolved.into_info(display_name)
        })
    }

    pub(crate) fn embedding(&self, model: &str, listed: Option<&Listed>) -> EmbeddingInfo {
        let dimensions = listed.and_then(|listed| listed.dimensions);
        EmbeddingInfo {
            handle: format!("{}/{model}", self.config.name),
            model: model.to_owned(),
            display_name: model.to_owned(),
            provider_name: self.config.name.clone(),
            provider_type: shown_type(&self.config.provider_type).to_owned(),
            endpoint_type: embedding_endpoint_type(&self.config.provider_type).to_owned(),
            endpoint: Some(self.config.base_url.clone()),
            dimensions: dimensions.or_else(|| catalogue::embedding_dimensions(model)).unwrap_or(0),
        }
    }
}

impl ResolvedModel {
    /// As lists show it.
    pub(crate) fn into_info(self, display_name: String) -> ModelInfo {
        ModelInfo {
            handle: self.handle,
            model: self.model,
            display_name,
            provider_name: self.provider_name,
            provider_type: self.provider_type,
            endpoint_type: self.endpoint_type,
            endpoint: self.endpoint,
            category: self.category,
            context_window: self.context_window,
            max_context_window: self.max_context_window,
            window_source: self.window_source,
            max_output_tokens: self.max_output_tokens,
            reasons: self.reasons,
            capabilities: self.capabilities,
            price: self.price,
        }
    }
}

/// A provider's type as the API calls it; it has no word for some.
pub(crate) fn shown_type(provider_type: &str) -> &str {
    match provider_kind(provider_type) {
        Some(kind) => kind.shown_as.unwrap_or(kind.provider_type),
        None => "openai",
    }
}

/// The API knows fewer kinds of endpoints than of providers; the rest speak OpenAI's protocol.
fn endpoint_type(provider_type: &str) -> &str {
    match provider_type {
        "lmstudio_openai" => "lmstudio-chatcompletions",
        "cerebras" | "fireworks" | "sglang" | "custom" => "openai",
        other => other,
    }
}

pub(crate) fn embedding_endpoint_type(provider_type: &str) -> &str {
    match provider_type {
        "lmstudio_openai" => "lmstudio",
        known @ ("openai" | "anthropic" | "azure" | "bedrock" | "google_ai" | "groq" | "llamacpp"
        | "ollama" | "vllm" | "hugging-face" | "mistral" | "together") => known,
        _ => "openai",
    }
}
