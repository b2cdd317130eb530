//! Model providers: one file per wire protocol, the catalogue of known providers, retries, and `rehearsal`.
//!
//! It must not run tools and must not know the database. Begin with [`Models`].

use futures::stream::BoxStream;
use loci_api::chat::{ChatError, ChatEvent, ChatRequest};

/// A model one can talk to. Dropping the stream cancels the call.
pub trait ChatModel: Send + Sync {
    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>>;
}
