//! The wire formats. Each turns a request into a body and reads what comes back; none of them does I/O.

mod address;
mod anthropic;
mod concede;
mod google;
mod ids;
mod ollama;
mod openai_chat;
mod openai_responses;
mod proof;
mod strict;
mod thoughts;

use loci_api::chat::{ChatError, ChatEvent, ChatRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    catalogue::{Thinks, thinks},
    config::ProviderConfig,
    provider::ResolvedModel,
};

/// Which format a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// `/chat/completions`, which most servers speak.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
    /// `/responses`, used without state at the provider.
    #[serde(rename = "openai_responses")]
    OpenAiResponses,
    /// `/v1/messages`.
    Anthropic,
    /// Gemini's `generateContent`.
    Google,
    /// Ollama's own `/api/chat`.
    Ollama,
}

/// A request ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub body: Value,
    /// Headers beside authentication.
    pub headers: Vec<(&'static str, String)>,
    /// The answer's text is to be a tool call, for protocols that cannot force one.
    pub as_call: bool,
}

impl From<Value> for Outgoing {
    fn from(body: Value) -> Self {
        Self { body, headers: Vec::new(), as_call: false }
    }
}

/// Reads an answer. `frame` for each event of a stream or `whole` once, then `end`.
pub(crate) trait Decoder: Send {
    /// Reads one event of a stream and appends what it means.
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault>;
    /// Reads an event that has a name and no data.
    fn bare(&mut self, name: &str) -> Result<(), Fault>;
    /// Reads a complete answer.
    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault>;
    /// The model has said why it stopped; what may follow is only bookkeeping.
    fn is_finished(&self) -> bool;
    /// The protocol's end has come; nothing follows.
    fn is_closed(&self) -> bool;
    /// Appends usage and the reason of the end, or says what is missing.
    fn end(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault>;
    /// What came so far, put together in the provider's own form.
    fn answer(&self) -> Value;
}

/// Why an answer cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// An error object of the provider.
    Said(Value),
    /// Not what the protocol says; what is wrong.
    Corrupt(String),
    /// It ended without its end.
    Incomplete,
    /// It ended properly and held nothing at all.
    Empty,
}

impl Protocol {
    /// How a provider's own resources (its list of models, say) are reached.
    pub(crate) fn of(config: &ProviderConfig) -> Self {
        config.protocol.unwrap_or_else(|| match config.kind().map(|kind| kind.protocol) {
            // Servers that only follow OpenAI know the older of its protocols.
            Some(Self::OpenAiResponses) if !is_at(config, "api.openai.com") => Self::OpenAiChat,
            Some(protocol) => protocol,
            None => Self::OpenAiChat,
        })
    }

    /// How one model of a provider is spoken to.
    pub(crate) fn for_model(config: &ProviderConfig, model: &str) -> Self {
        let by_effort = matches!(thinks(model), Thinks::Effort | Thinks::EffortSingleCalls);
        match Self::of(config) {
            // Azure's models of other makers know only the older protocol; OpenAI's keep their reasoning only by this.
            Self::OpenAiChat if config.protocol.is_none() && config.provider_type == "azure" && by_effort => {
                Self::OpenAiResponses
            }
            protocol => protocol,
        }
    }

    pub(crate) fn outgoing(self, request: &ChatRequest, model: &ResolvedModel) -> Outgoing {
        match self {
            Self::OpenAiChat => openai_chat::body(request, model).into(),
            Self::OpenAiResponses => openai_responses::body(request, model).into(),
            Self::Anthropic => anthropic::outgoing(request, model),
            Self::Google => google::body(request, model).into(),
            Self::Ollama => ollama::outgoing(request, model),
        }
    }

    /// `as_call`: see [`Outgoing::as_call`].
    pub(crate) fn decoder(self, as_call: bool) -> Box<dyn Decoder> {
        match self {
            Self::OpenAiChat => Box::<openai_chat::Answer>::default(),
            Self::OpenAiResponses => Box::<openai_responses::Answer>::default(),
            Self::Anthropic => Box::<anthropic::Answer>::default(),
            Self::Google => Box::<google::Answer>::default(),
            Self::Ollama => Box::new(ollama::Answer::new(as_call)),
        }
    }

    /// Takes out of a refused request what the server says it does not know, where the request means the same
    /// without it. What was taken out, or `None` if there is nothing to try.
    pub(crate) fn concede(self, body: &mut Value, refusal: &ChatError) -> Option<&'static str> {
        concede::concede(self, body, refusal)
    }
}

fn is_at(config: &ProviderConfig, host: &str) -> bool {
    config.url().is_ok_and(|url| url.host_str() == Some(host))
}

/// Providers refuse a prompt that, with all it may answer, would not fit the window; at least half of it stays for
/// the prompt.
fn within_window(max_output_tokens: u32, model: &ResolvedModel) -> u32 {
    max_output_tokens.min(model.context_window / 2).max(1)
}

/// A member of what may be no object at all, taken out.
fn take(value: &mut Value, key: &str) -> Value {
    value.get_mut(key).map(Value::take).unwrap_or_default()
}

/// The first characters of what could not be read.
fn start(data: &str) -> &str {
    data.char_indices().nth(200).map_or(data, |(end, _)| &data[..end])
}

/// Feeds a decoder by hand.
#[cfg(test)]
fn decode(wire: Protocol, frames: &[&str]) -> Result<(Vec<ChatEvent>, Value), Fault> {
    let mut decoder = wire.decoder(false);
    let mut events = Vec::new();
    for frame in frames {
        decoder.frame(frame, &mut events)?;
    }
    decoder.end(&mut events)?;
    Ok((events, decoder.answer()))
}

#[cfg(test)]
mod tests;
