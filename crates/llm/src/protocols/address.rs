//! Where a provider is asked for what, and how one says who asks.

use reqwest::Url;

use super::{Protocol, anthropic};
use crate::config::ProviderConfig;

impl Protocol {
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

#[cfg(test)]
mod tests {
    use super::*;

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
