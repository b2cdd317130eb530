//! Looking at one place: whether the expected program answers there, and what it offers.

use std::time::Duration;

use loci_api::said::Said;
use loci_llm::ProviderConfig;
use reqwest::{Client, StatusCode};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;

use super::places::{Kind, Place};
use crate::sentences::Machine;

/// How long a place on this machine may take to answer.
const PATIENCE: Duration = Duration::from_millis(1500);
/// Bytes of an answer that are read.
const MOST: usize = 4 << 20;

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Nobody listens there.
    Absent,
    /// It answers; its models can be used.
    Running,
    /// It answers, but wants a key.
    NeedsKey,
    /// Something else listens there, or it does not answer in time.
    Unclear,
}

/// A place and what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Found {
    pub kind: Kind,
    /// What its models' handles begin with.
    pub name: &'static str,
    pub title: &'static str,
    /// For OpenAI's protocol.
    pub base_url: String,
    pub state: State,
    pub version: Option<String>,
    /// Names of its models, at most a hundred.
    pub models: Vec<String>,
    /// Tokens of context in force, where it says so.
    pub context_length: Option<u64>,
    /// What is the matter and what to do, where something is.
    pub problem: Option<Said>,
}

impl Found {
    /// The runtime as a provider.
    pub(crate) fn provider(&self, api_key: Option<SecretString>) -> ProviderConfig {
        ProviderConfig {
            name: self.name.to_owned(),
            provider_type: self.kind.provider_type().to_owned(),
            base_url: self.base_url.clone(),
            api_key,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        }
    }
}

/// A client for this machine only: no proxy, no redirects.
pub(crate) fn client() -> reqwest::Result<Client> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .timeout(PATIENCE)
        .build()
}

enum Got {
    Json(Value),
    Refused(StatusCode),
    Silent,
    Nobody,
}

async fn get(client: &Client, url: String, key: Option<&str>) -> Got {
    let mut request = client.get(url);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    let mut response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() && !error.is_timeout() => return Got::Nobody,
        Err(_) => return Got::Silent,
    };
    if !response.status().is_success() {
        return Got::Refused(response.status());
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MOST => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Ok(Some(_)) | Err(_) => return Got::Silent,
        }
    }
    serde_json::from_slice(&body).map_or(Got::Silent, Got::Json)
}

/// Looks at a place.
pub(crate) async fn probe(client: &Client, place: Place) -> Found {
    let root = place.root();
    let mut found = Found {
        kind: place.kind,
        name: place.kind.name(),
        title: place.kind.title(),
        base_url: format!("{root}/v1"),
        state: State::Absent,
        version: None,
        models: Vec::new(),
        context_length: None,
        problem: None,
    };
    let (port, title) = (place.port.to_string(), found.title.to_owned());
    let first = match place.kind {
        Kind::Ollama => "/api/tags",
        Kind::Lmstudio => "/v1/models",
        Kind::LlamaServer => "/props",
    };
    match get(client, format!("{root}{first}"), None).await {
        Got::Nobody => {}
        Got::Silent => {
            found.state = State::Unclear;
            found.problem = Some(Machine::RuntimeSilent { port, title }.into());
        }
        Got::Refused(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            found.state = State::NeedsKey;
            found.problem = Some(Machine::RuntimeNeedsKey { port, title }.into());
        }
        Got::Refused(status) => {
            found.state = State::Unclear;
            let status = status.as_u16().to_string();
            found.problem = Some(Machine::RuntimeStatus { port, status, title }.into());
        }
        Got::Json(body) => describe(client, &root, body, &mut found).await,
    }
    found
}

async fn describe(client: &Client, root: &str, body: Value, found: &mut Found) {
    let expected = match found.kind {
        Kind::Ollama => {
            found.models = names(body.get("models"), "name");
            if let Got::Json(version) = get(client, format!("{root}/api/version"), None).await {
                found.version = text(&version, "/version");
            }
            body.get("models").is_some_and(Value::is_array)
        }
        Kind::Lmstudio => {
            found.models = names(body.get("data"), "id");
            body.get("data").is_some_and(Value::is_array)
        }
        Kind::LlamaServer => {
            found.context_length = context_length(&body);
            found.version = text(&body, "/build_info");
            if let Got::Json(list) = get(client, format!("{root}/v1/models"), None).await {
                found.models = names(list.get("data"), "id");
            }
            body.get("default_generation_settings").is_some()
        }
    };
    if expected {
        found.state = State::Running;
        if found.models.is_empty() {
            let problem = match found.kind {
                Kind::Ollama => Machine::RuntimeNoModelsOllama,
                Kind::Lmstudio => Machine::RuntimeNoModelsLmstudio,
                Kind::LlamaServer => Machine::RuntimeNoModelsLlamaServer,
            };
            found.problem = Some(problem.into());
        }
    } else {
        found.state = State::Unclear;
        found.problem = Some(Machine::RuntimeOther { title: found.title.to_owned() }.into());
    }
}

/// The context length in force of a `llama-server`, from its `/props`.
pub(crate) fn context_length(props: &Value) -> Option<u64> {
    props.pointer("/default_generation_settings/n_ctx").or_else(|| props.get("n_ctx")).and_then(Value::as_u64)
}

fn text(body: &Value, path: &str) -> Option<String> {
    body.pointer(path).and_then(Value::as_str).map(|text| text.chars().take(80).collect())
}

fn names(list: Option<&Value>, field: &str) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items
        .filter_map(|item| item.get(field).and_then(Value::as_str))
        .map(|name| name.chars().take(200).collect())
        .take(100)
        .collect()
}

/// The `/props` of a `llama-server` of ours, if it answers.
pub(crate) async fn props(client: &Client, root: &str, key: &str) -> Option<Value> {
    match get(client, format!("{root}/props"), Some(key)).await {
        Got::Json(props) => Some(props),
        Got::Refused(_) | Got::Silent | Got::Nobody => None,
    }
}

/// Whether a `llama-server` of ours says that it is ready.
pub(crate) async fn is_healthy(client: &Client, root: &str, key: &str) -> bool {
    matches!(get(client, format!("{root}/health"), Some(key)).await, Got::Json(_))
}

/// Tokens per second a `llama-server` of ours makes lately, from its metrics.
pub(crate) async fn speed(client: &Client, root: &str, key: &str) -> Option<f64> {
    let response = client.get(format!("{root}/metrics")).bearer_auth(key).send().await.ok()?;
    let text = response.error_for_status().ok()?.text().await.ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("llamacpp:predicted_tokens_seconds "))
        .and_then(|number| number.trim().parse().ok())
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0)
}
