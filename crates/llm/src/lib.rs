//! Model providers: one file per wire protocol, the catalogue of known models, retries, and `rehearsal`.
//!
//! It must not run tools and must not know the database: it turns a [`ChatRequest`] into what a provider reads and
//! what the provider answers into [`ChatEvent`]s. Begin with [`Models`], then `call` (one call over HTTP) and
//! `protocols` (the wire formats).

mod call;
mod catalogue;
mod config;
mod embed;
mod error;
mod http;
mod listing;
mod models;
mod protocols;
mod provider;
mod rehearsal;
mod retry;
mod sse;

use futures::stream::BoxStream;
use loci_api::chat::{ChatError, ChatEvent, ChatRequest};

pub use crate::{
    call::Timeouts,
    catalogue::{KeyNeed, PRICE_LISTED, Price, ProviderKind, provider_kind, provider_kinds},
    config::{ConfigError, ProviderConfig},
    embed::{Embedded, Embedder, TextRole},
    listing::{Capabilities, EmbeddingInfo, ModelInfo, WindowSource},
    models::{Models, Options, ProviderStatus},
    protocols::Protocol,
    provider::ResolvedModel,
    rehearsal::HANDLE as REHEARSAL_HANDLE,
    retry::RetryPolicy,
};

/// A model one can talk to. Dropping the stream cancels the call.
pub trait ChatModel: Send + Sync {
    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>>;
}
