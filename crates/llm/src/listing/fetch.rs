//! Asking a provider what it has, each in its own way.

use futures::{StreamExt, stream};
use loci_api::chat::{ChatError, ChatErrorKind};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use super::{Listed, entries};
use crate::{
    error::Blame,
    http::{headers, read, unreachable},
    protocols::Protocol,
    provider::{LOCAL_WINDOW, Provider},
};

/// Bytes of a list.
const MAX_LIST: usize = 16 << 20;
/// How long a list may take to come; those who ask do not wait that long.
const FETCH: Duration = Duration::from_secs(10);
/// Descriptions of single models asked for at once.
const AT_ONCE: usize = 4;

/// Asks the provider now.
pub(crate) async fn fetch(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    match provider.config.provider_type.as_str() {
        _ if provider.wire == Protocol::Ollama => ollama(provider).await,
        "lmstudio_openai" => lmstudio(provider).await,
        "llamacpp" => llamacpp(provider).await,
        _ => plain(provider).await,
    }
}

/// The list at the protocol's own address.
async fn plain(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    let body = get(provider, provider.wire.models_url(&provider.base)).await?;
    let list = match provider.wire {
        Protocol::Google => entries::google(&body),
        Protocol::OpenAiChat | Protocol::OpenAiResponses | Protocol::Anthropic | Protocol::Ollama => {
            entries::openai(&body, &provider.config.provider_type)
        }
    };
    list.ok_or_else(|| unreadable(&blame(provider)))
}

/// The names, and then each model's description: only there it says its context and what it can do.
async fn ollama(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    let url = provider.wire.models_url(&provider.base);
    let names = entries::ollama_names(&get(provider, url.clone()).await?);
    let names = names.ok_or_else(|| unreadable(&blame(provider)))?;
    let show = sibling(&url, "tags", "show");
    let described = stream::iter(names).map(|name| {
        let show = show.clone();
        async move {
            let shown = ask(provider, Method::POST, show, Some(json!({"model": name}))).await;
            let shown = shown.unwrap_or_else(|error| {
                tracing::debug!(name, %error, "a model could not be described");
                Value::Null
            });
            entries::ollama_model(&name, &shown, LOCAL_WINDOW)
        }
    });
    Ok(described.buffered(AT_ONCE).collect().await)
}

/// LM Studio's own list where there is one: the other does not say what is loaded.
async fn lmstudio(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    let mut own = provider.base.clone();
    let root = own.path().trim_end_matches('/').trim_end_matches("/v1").to_owned();
    own.set_path(&format!("{root}/api/v0/models"));
    let body = get(provider, own).await;
    match body.as_ref().ok().and_then(entries::lmstudio) {
        Some(list) => Ok(list),
        None => plain(provider).await,
    }
}

/// One model, whose context in force stands among the server's properties.
async fn llamacpp(provider: &Provider) -> Result<Vec<Listed>, ChatError> {
    let mut list = plain(provider).await?;
    let mut url = provider.base.clone();
    let root = url.path().trim_end_matches('/').trim_end_matches("/v1").to_owned();
    url.set_path(&format!("{root}/props"));
    let Ok(props) = get(provider, url).await else { return Ok(list) };
    let window = props.pointer("/default_generation_settings/n_ctx").and_then(Value::as_u64);
    let window = window.and_then(|window| u32::try_from(window).ok()).filter(|window| *window > 0);
    for listed in &mut list {
        if let Some(window) = window {
            listed.max_context_window = listed.max_context_window.or(listed.context_window);
            listed.context_window = Some(window);
            listed.is_in_force = true;
        }
        listed.capabilities.images =
            props.pointer("/modalities/vision").and_then(Value::as_bool).or(listed.capabilities.images);
    }
    Ok(list)
}

fn blame(provider: &Provider) -> Blame {
    provider.blame(&format!("{}/…", provider.config.name))
}

fn unreadable(blame: &Blame) -> ChatError {
    blame.error(ChatErrorKind::LlmError, "its list of models cannot be read; is the base URL right?")
}

fn sibling(url: &Url, from: &str, to: &str) -> Url {
    let mut url = url.clone();
    if let Some(path) = url.path().strip_suffix(from).map(|path| format!("{path}{to}")) {
        url.set_path(&path);
    }
    url
}

async fn get(provider: &Provider, url: Url) -> Result<Value, ChatError> {
    ask(provider, Method::GET, url, None).await
}

async fn ask(provider: &Provider, method: Method, url: Url, body: Option<Value>) -> Result<Value, ChatError> {
    let blame = blame(provider);
    let client = provider
        .clients
        .get(&provider.base, provider.connect)
        .map_err(|error| blame.error(ChatErrorKind::LlmError, &error))?;
    let mut request =
        client.request(method, url).headers(headers(provider.wire, &provider.config, Vec::new()));
    if let Some(body) = body {
        request = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string());
    }
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
    serde_json::from_slice(&body).map_err(|_| unreadable(&blame))
}
