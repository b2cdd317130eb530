//! Which providers there are: name, kind, address and key, checked once where they come in.

use std::fmt;

use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    catalogue::{ProviderKind, provider_kind, provider_kinds},
    protocols::Protocol,
};

/// A provider this machine may talk to.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The part of a handle before the first `/`.
    pub name: String,
    /// The API's `provider_type`: `openai`, `anthropic`, `openrouter`, `vllm`, …
    pub provider_type: String,
    /// Where it is reached. For OpenAI's protocols everything before `/chat/completions` or `/responses`; for
    /// Anthropic's everything before `/v1/messages`, for Gemini's before `/models`, for Ollama's before `/api`.
    pub base_url: String,
    pub api_key: Option<SecretString>,
    /// Sent with every request, after the provider's own; they may hold secrets.
    pub headers: Vec<(String, String)>,
    /// `base` (of this installation) or `byok` (added by a person).
    pub category: String,
    /// How it is spoken to, where that is not what its type and address say.
    pub protocol: Option<Protocol>,
}

/// Why a provider cannot be used as configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("`{name}` cannot be a provider's name: use 1 to 64 letters, digits, `-`, `_` or `.`")]
    Name { name: String },
    #[error("the provider name `rehearsal` is taken by the built-in rehearsal provider")]
    Reserved,
    #[error("the base URL of provider `{name}` is not usable: {reason}")]
    BaseUrl { name: String, reason: String },
    #[error("provider type `{provider_type}` is not supported yet; use one of: {}", supported_types())]
    Type { provider_type: String },
    #[error("header `{header}` of provider `{name}` is not a valid HTTP header")]
    Header { name: String, header: String },
    #[error("the key of provider `{name}` holds characters an HTTP header cannot carry; copy it again")]
    Key { name: String },
    #[error("two providers are called `{name}`")]
    Duplicate { name: String },
}

fn supported_types() -> String {
    let types: Vec<_> = provider_kinds().iter().map(|kind| kind.provider_type).collect();
    types.join(", ")
}

impl ProviderConfig {
    /// A provider of this kind at its usual address, without a key. `None` for a kind that is not known or has no
    /// address of its own.
    #[must_use]
    pub fn of_kind(provider_type: &str) -> Option<Self> {
        let kind = provider_kind(provider_type)?;
        Some(Self::at(kind, kind.base_url?.to_owned()))
    }

    fn at(kind: &ProviderKind, base_url: String) -> Self {
        Self {
            name: kind.provider_type.to_owned(),
            provider_type: kind.provider_type.to_owned(),
            base_url,
            api_key: None,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        }
    }

    /// The providers of the environment, by the variables each kind lists (`OPENAI_API_KEY`, `OPENAI_BASE_URL`,
    /// `GEMINI_API_KEY`, `OLLAMA_BASE_URL`, …). A base URL alone makes a provider too: local servers often want no
    /// key. A key alone makes none of a kind that has no address of its own, and none that is local. Blank values
    /// count as unset. `variable` reads one variable.
    ///
    /// # Errors
    /// A base URL or key that cannot be used.
    pub fn from_env(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Self>, ConfigError> {
        let read = |names: &[&str]| {
            let set = names.iter().filter_map(|name| variable(name)).map(|value| value.trim().to_owned());
            set.into_iter().find(|value| !value.is_empty())
        };
        let mut found = Vec::new();
        for kind in provider_kinds() {
            let key = read(kind.key_variables);
            let url = read(kind.url_variables).map(|url| completed(kind, url));
            let usual = || match kind.provider_type {
                "bedrock" => read(&["AWS_REGION", "AWS_DEFAULT_REGION"]).map(|region| bedrock_url(&region)),
                _ => kind.base_url.map(str::to_owned).filter(|_| !kind.is_local),
            };
            let base_url = match (url, &key) {
                (Some(url), _) => url,
                (None, Some(_)) => match usual() {
                    Some(url) => url,
                    None => continue,
                },
                (None, None) => continue,
            };
            let config = Self { api_key: key.map(SecretString::from), ..Self::at(kind, base_url) };
            config.check()?;
            found.push(config);
        }
        Ok(found)
    }

    /// Whether it can be used at all; asks nobody.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), ConfigError> {
        let name = &self.name;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            return Err(ConfigError::Name { name: name.chars().take(100).collect() });
        }
        if name == crate::rehearsal::PROVIDER {
            return Err(ConfigError::Reserved);
        }
        if provider_kind(&self.provider_type).is_none() {
            return Err(ConfigError::Type { provider_type: self.provider_type.chars().take(100).collect() });
        }
        self.url()?;
        if let Some(key) = &self.api_key
            && !key.expose_secret().bytes().all(|byte| (0x21..0x7f).contains(&byte))
        {
            return Err(ConfigError::Key { name: name.clone() });
        }
        for (header, value) in &self.headers {
            let valid = reqwest::header::HeaderName::from_bytes(header.as_bytes()).is_ok()
                && reqwest::header::HeaderValue::from_str(value).is_ok();
            if !valid {
                let header = header.chars().take(100).collect();
                return Err(ConfigError::Header { name: name.clone(), header });
            }
        }
        Ok(())
    }

    /// What its kind is known to be.
    pub(crate) fn kind(&self) -> Option<&'static ProviderKind> {
        provider_kind(&self.provider_type)
    }

    /// The base URL without a closing slash.
    pub(crate) fn url(&self) -> Result<Url, ConfigError> {
        let bad = |reason: &str| ConfigError::BaseUrl { name: self.name.clone(), reason: reason.to_owned() };
        let url = Url::parse(self.base_url.trim()).map_err(|error| bad(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("it must begin with http:// or https://"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it names no host"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(bad("it must not contain a user name or password; give the key separately"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it must not contain `?` or `#`"));
        }
        Ok(url)
    }

    /// Everything that must never be shown: the key and the values of extra headers.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let key = self.api_key.iter().map(|key| key.expose_secret().to_owned());
        let headers = self.headers.iter().map(|(_, value)| value.clone());
        // Shorter ones would blot out ordinary words.
        key.chain(headers).filter(|secret| secret.len() >= 6).collect()
    }
}

/// Azure's own variable holds the resource's address without the path that both protocols live under.
fn completed(kind: &ProviderKind, url: String) -> String {
    let bare = url.trim_end_matches('/');
    if kind.provider_type == "azure" && Url::parse(bare).is_ok_and(|url| url.path() == "/") {
        return format!("{bare}/openai/v1");
    }
    url
}

fn bedrock_url(region: &str) -> String {
    format!("https://bedrock-runtime.{region}.amazonaws.com/openai/v1")
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        output
            .debug_struct("ProviderConfig")
            .field("name", &self.name)
            .field("provider_type", &self.provider_type)
            .field("base_url", &self.url().map_or_else(|_| "(invalid)".to_owned(), String::from))
            .field("api_key", &self.api_key.as_ref().map(|_| "[redacted]"))
            .field("headers", &headers)
            .field("category", &self.category)
            .field("protocol", &self.protocol)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn from(pairs: &[(&str, &str)]) -> Result<Vec<ProviderConfig>, ConfigError> {
        ProviderConfig::from_env(&|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_names_providers_by_key_or_by_address() {
        assert!(from(&[]).unwrap().is_empty());
        assert!(from(&[("OPENAI_API_KEY", "  ")]).unwrap().is_empty());

        let key = from(&[("OPENAI_API_KEY", "sk-1\n"), ("ANTHROPIC_API_KEY", "sk-2")]).unwrap();
        assert_eq!(key.len(), 2);
        assert_eq!((key[0].name.as_str(), key[0].base_url.as_str()), ("openai", "https://api.openai.com/v1"));
        assert_eq!(key[0].api_key.as_ref().unwrap().expose_secret(), "sk-1");

        let local = from(&[("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")]).unwrap();
        assert_eq!(local[0].name, "openai");
        assert!(local[0].api_key.is_none());

        let many = from(&[
            ("GEMINI_API_KEY", "g"),
            ("OLLAMA_BASE_URL", "http://127.0.0.1:11434"),
            ("VLLM_API_KEY", "a key alone does not say where"),
            ("AZURE_OPENAI_API_KEY", "a"),
            ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/"),
            ("AWS_BEARER_TOKEN_BEDROCK", "b"),
            ("AWS_REGION", "eu-central-1"),
        ])
        .unwrap();
        let found: Vec<_> =
            many.iter().map(|config| (config.name.as_str(), config.base_url.as_str())).collect();
        assert_eq!(
            found,
            [
                ("google_ai", "https://generativelanguage.googleapis.com/v1beta"),
                ("azure", "https://mine.openai.azure.com/openai/v1"),
                ("bedrock", "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1"),
                ("ollama", "http://127.0.0.1:11434"),
            ]
        );
    }

    #[test]
    fn an_unusable_address_is_refused_with_a_reason() {
        for (url, part) in [
            ("ftp://x", "http://"),
            ("not a url", "relative"),
            ("http://user:secret@x/", "user name"),
            ("http://x/?a=b", "`?`"),
        ] {
            let error = from(&[("OPENAI_BASE_URL", url)]).unwrap_err().to_string();
            assert!(error.contains(part), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let mut config = from(&[("OPENAI_API_KEY", "sk-abcdef")]).unwrap().remove(0);
        config.headers.push(("x-key".to_owned(), "topsecret".to_owned()));
        let text = format!("{config:?}");
        assert!(!text.contains("sk-abcdef") && !text.contains("topsecret"), "{text}");
        config.base_url = "http://me:topsecret@host".to_owned();
        assert!(!format!("{config:?}").contains("topsecret"));
    }
}
