//! The wire formats. Each turns a request into a body and reads what comes back; none of them does I/O.

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
use reqwest::Url;
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

    /// The address of calls.
    pub(crate) fn chat_url(self, base: &Url, model: &str, stream: bool) -> Url {
        match self {
            Self::OpenAiChat => join(base, "/v1", "chat/completions"),
            Self::OpenAiResponses => join(base, "/v1", "responses"),
            Self::Anthropic => join(&without(base, "/v1"), "", "v1/messages"),
            Self::Google => {
                let call = if stream { "streamGenerateContent" } else { "generateContent" };
                let mut url = google_url(base, model, call);
                url.set_query(stream.then_some("alt=sse"));
                url
            }
            Self::Ollama => join(&ollama_base(base), "", "api/chat"),
        }
    }

    /// The address of embeddings; Anthropic has none.
    pub(crate) fn embed_url(self, base: &Url, model: &str) -> Option<Url> {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => Some(join(base, "/v1", "embeddings")),
            Self::Anthropic => None,
            Self::Google => Some(google_url(base, model, "batchEmbedContents")),
            Self::Ollama => Some(join(&ollama_base(base), "", "api/embed")),
        }
    }

    /// The address of the list of models.
    pub(crate) fn models_url(self, base: &Url) -> Url {
        match self {
            Self::OpenAiChat | Self::OpenAiResponses => join(base, "/v1", "models"),
            Self::Anthropic => {
                let mut url = join(&without(base, "/v1"), "", "v1/models");
                url.set_query(Some("limit=1000"));
                url
            }
            Self::Google => {
                let mut url = join(base, "/v1beta", "models");
                url.set_query(Some("pageSize=1000"));
                url
            }
            Self::Ollama => join(&ollama_base(base), "", "api/tags"),
        }
    }

    /// Headers that say who asks. `key` is the secret itself; it never goes into an address.
    pub(crate) fn auth(self, config: &ProviderConfig, key: Option<&str>) -> Vec<(&'static str, String)> {
        let bearer = |key: &str| ("authorization", format!("Bearer {key}"));
        match self {
            Self::OpenAiChat | Self::OpenAiResponses if config.provider_type == "azure" => {
                key.map(|key| ("api-key", key.to_owned())).into_iter().collect()
            }
            Self::OpenAiChat | Self::OpenAiResponses | Self::Ollama => key.map(bearer).into_iter().collect(),
            Self::Anthropic => {
                let version = ("anthropic-version", anthropic::VERSION.to_owned());
                std::iter::once(version).chain(key.map(|key| ("x-api-key", key.to_owned()))).collect()
            }
            Self::Google => key.map(|key| ("x-goog-api-key", key.to_owned())).into_iter().collect(),
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

/// `default_path` stands in for a base URL without a path.
fn join(base: &Url, default_path: &str, rest: &str) -> Url {
    let mut url = base.clone();
    let path = match base.path().trim_end_matches('/') {
        "" => default_path,
        path => path,
    };
    url.set_path(&format!("{path}/{rest}"));
    url
}

/// Both `https://host` and `https://host/v1` are in use; the end that is not part of the address is cut off.
fn without(base: &Url, end: &str) -> Url {
    let mut url = base.clone();
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(end).unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}

/// People know Ollama's address with either of the paths its two protocols live under.
fn ollama_base(base: &Url) -> Url {
    without(&without(base, "/v1"), "/api")
}

fn google_url(base: &Url, model: &str, call: &str) -> Url {
    let mut url = join(base, "/v1beta", "");
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        // Tuned models have a folder of their own.
        match model.split_once('/') {
            Some((folder @ ("models" | "tunedModels"), name)) => {
                path.push(folder).push(&format!("{name}:{call}"));
            }
            Some(_) | None => {
                path.push("models").push(&format!("{model}:{call}"));
            }
        }
    }
    url
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
mod tests {
    use loci_api::{
        chat::{ChatMessage, ChatOptions, ToolChoice, ToolSpec},
        message::ContentPart,
    };
    use serde_json::json;

    use super::*;

    pub(super) fn text(text: &str) -> ContentPart {
        ContentPart::text(text)
    }

    pub(super) fn spec(name: &str) -> ToolSpec {
        ToolSpec {
            name: name.to_owned(),
            description: "does it".to_owned(),
            parameters: json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}),
        }
    }

    pub(super) fn model(provider_type: &str, name: &str) -> ResolvedModel {
        let config = ProviderConfig {
            name: provider_type.to_owned(),
            provider_type: provider_type.to_owned(),
            base_url: "http://127.0.0.1:9".to_owned(),
            api_key: None,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        };
        let models = crate::Models::new(vec![config]).expect("a usable provider");
        models.resolve(&format!("{provider_type}/{name}")).expect("a known provider")
    }

    pub(super) fn request(messages: Vec<ChatMessage>) -> ChatRequest {
        ChatRequest {
            handle: "openai/gpt-4.1".to_owned(),
            messages,
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: false,
            options: ChatOptions::default(),
            stream: true,
        }
    }

    /// Every place inside a value, as JSON pointers.
    fn places(value: &Value, at: &str, out: &mut Vec<String>) {
        out.push(at.to_owned());
        match value {
            Value::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| places(item, &format!("{at}/{index}"), out));
            }
            Value::Object(map) => {
                map.iter().for_each(|(key, item)| places(item, &format!("{at}/{key}"), out));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn no_misshapen_frame_makes_a_decoder_panic() {
        let openai = json!({"id": "c", "choices": [{"index": 0, "finish_reason": "stop", "delta": {
            "content": [{"type": "thinking", "thinking": [{"text": "t"}]}, {"type": "text", "text": "a"}],
            "reasoning": "r", "refusal": "n",
            "tool_calls": [{"index": 0, "id": "i", "function": {"name": "f", "arguments": "{}"}}],
        }}], "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}, "error": null});
        let anthropic = [
            json!({"type": "message_start", "message": {"usage": {"input_tokens": 1}, "content": []}}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": "s"}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "i", "name": "f", "input": {"x": 1}}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{"}}),
            json!({"type": "content_block_stop", "index": 1}),
            json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}),
            json!({"type": "message_stop"}),
        ];
        let odd = [json!(null), json!(7), json!(-1), json!("x"), json!([]), json!({}), json!([{"a": [1]}])];
        let responses = [
            json!({"type": "response.created", "response": {"id": "r", "output": []}}),
            json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": []}}),
            json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1}),
            json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs", "delta": "t"}),
            json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": [{"text": "t"}], "encrypted_content": "e"}}),
            json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "id": "fc", "call_id": "c", "name": "f"}}),
            json!({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"}),
            json!({"type": "response.output_text.delta", "output_index": 2, "item_id": "m", "delta": "a"}),
            json!({"type": "response.completed", "response": {"status": "completed", "usage": {"input_tokens": 1}, "output": [{"type": "message", "content": [{"text": "a"}]}]}}),
        ];
        let failed = json!({"type": "response.failed", "response": {"error": {"code": "c", "message": "m"}}});
        let at_once = json!({"status": "completed", "error": null, "output": [
            {"type": "reasoning", "summary": [{"text": "t"}], "encrypted_content": "e"},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        ]});
        let google = json!({"candidates": [{"index": 0, "finishReason": "STOP", "content": {"parts": [
            {"text": "t", "thought": true}, {"text": "a", "thoughtSignature": "s"},
            {"functionCall": {"id": "i", "name": "f", "args": {"x": 1}}, "thoughtSignature": "s"},
        ]}}], "usageMetadata": {"promptTokenCount": 1}, "promptFeedback": {"blockReason": null}});
        let ollama = json!({"model": "m", "message": {"content": "a", "thinking": "t", "tool_calls": [
            {"id": "i", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
        ]}, "done": true, "done_reason": "stop", "prompt_eval_count": 1});
        for (wire, frames) in [
            (Protocol::OpenAiChat, vec![openai]),
            (Protocol::OpenAiResponses, responses.to_vec()),
            (Protocol::OpenAiResponses, vec![failed]),
            (Protocol::OpenAiResponses, vec![at_once]),
            (Protocol::Anthropic, anthropic.to_vec()),
            (Protocol::Google, vec![google]),
            (Protocol::Ollama, vec![ollama]),
        ] {
            for at in 0..frames.len() {
                let mut pointers = Vec::new();
                places(&frames[at], "", &mut pointers);
                for (pointer, odd) in
                    pointers.iter().flat_map(|pointer| odd.iter().map(move |odd| (pointer, odd)))
                {
                    let mut frames = frames.clone();
                    *frames[at].pointer_mut(pointer).expect("it was found there") = odd.clone();
                    let texts: Vec<_> = frames.iter().map(Value::to_string).collect();
                    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
                    let _ = decode(wire, &texts);
                    let mut decoder = wire.decoder(false);
                    let _ = decoder.whole(frames[at].clone(), &mut Vec::new());
                    decoder.answer();
                }
            }
        }
    }

    #[test]
    fn who_is_asked_decides_how() {
        for (kind, base, model, expected) in [
            ("openai", "https://api.openai.com/v1", "gpt-5", Protocol::OpenAiResponses),
            ("openai", "http://127.0.0.1:1/v1", "gpt-5", Protocol::OpenAiChat),
            ("azure", "https://x.openai.azure.com/openai/v1", "gpt-5", Protocol::OpenAiResponses),
            ("azure", "https://x.openai.azure.com/openai/v1", "DeepSeek-V3", Protocol::OpenAiChat),
            ("anthropic", "https://api.anthropic.com", "claude-opus-5-5", Protocol::Anthropic),
            ("google_ai", "https://g/v1beta", "gemini-2.5-pro", Protocol::Google),
            ("ollama", "http://127.0.0.1:11434", "gpt-oss:20b", Protocol::Ollama),
            ("llamacpp", "http://127.0.0.1:8080/v1", "x", Protocol::OpenAiChat),
            ("custom", "http://127.0.0.1:8080/v1", "o3", Protocol::OpenAiChat),
        ] {
            let mut config = ProviderConfig {
                name: kind.to_owned(),
                provider_type: kind.to_owned(),
                base_url: base.to_owned(),
                api_key: None,
                headers: Vec::new(),
                category: "base".to_owned(),
                protocol: None,
            };
            assert_eq!(Protocol::for_model(&config, model), expected, "{kind} {base} {model}");
            config.protocol = Some(Protocol::OpenAiChat);
            assert_eq!(Protocol::for_model(&config, model), Protocol::OpenAiChat);
        }
    }

    #[test]
    fn addresses_follow_the_base() {
        for (wire, base, expected) in [
            (Protocol::OpenAiChat, "https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
            (Protocol::OpenAiChat, "http://127.0.0.1:1/v1/", "http://127.0.0.1:1/v1/chat/completions"),
            (Protocol::OpenAiChat, "http://127.0.0.1:1", "http://127.0.0.1:1/v1/chat/completions"),
            (Protocol::OpenAiChat, "https://x/api/v4", "https://x/api/v4/chat/completions"),
            (Protocol::Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1/messages"),
            (Protocol::Anthropic, "http://h:1/v1/", "http://h:1/v1/messages"),
            (Protocol::Anthropic, "http://h:1/proxy", "http://h:1/proxy/v1/messages"),
            (Protocol::OpenAiResponses, "https://api.openai.com/v1", "https://api.openai.com/v1/responses"),
            (Protocol::Google, "https://g", "https://g/v1beta/models/m:streamGenerateContent?alt=sse"),
            (
                Protocol::Google,
                "https://g/v1beta/",
                "https://g/v1beta/models/m:streamGenerateContent?alt=sse",
            ),
            (Protocol::Ollama, "http://h:11434", "http://h:11434/api/chat"),
            (Protocol::Ollama, "http://h:11434/v1", "http://h:11434/api/chat"),
            (Protocol::Ollama, "http://h:11434/api/", "http://h:11434/api/chat"),
        ] {
            let base = Url::parse(base).expect("a URL");
            assert_eq!(wire.chat_url(&base, "m", true).as_str(), expected);
        }
    }
}
