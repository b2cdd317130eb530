//! The routes: list, add, change, remove, select, and look whether a server answers. Keys go in and never come out.

use std::path::PathBuf;

use axum::{
    Json as Answer, Router,
    extract::{Path, State},
    routing::{get, patch, post},
};
use loci_api::{error::ApiError, said::Said, time::Timestamp};
use loci_server::error::Failure;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    check::{self, Health},
    features::{self, Lack},
    key_gone,
    row::{Row, Rows},
    secret_name, unknown,
};
use crate::{
    Desk,
    desk::LOCAL,
    events::Event,
    extract::Json,
    forward::{Trust, is_loopback, parse_base_url},
    secrets::SecretError,
    sentences::{Connecting, Machine},
};

/// More servers than anybody has.
const MOST: usize = 100;
const LONGEST_NAME: usize = 100;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/connections", get(list).post(add))
        .route("/connections/try", post(try_out))
        .route("/connections/{id}", patch(change).delete(remove))
        .route("/connections/{id}/select", post(select))
        .route("/connections/{id}/check", post(check_now))
}

/// A connection as the window sees it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    kind: &'static str,
    name: String,
    base_url: Option<String>,
    ca_file: Option<PathBuf>,
    has_key: bool,
    selected: bool,
    /// What the last look found; null before the first.
    health: Option<Health>,
    /// What cannot be done with it, with the reason.
    lacks: Vec<Lack>,
    /// Whether `lacks` is complete: the server said what it offers.
    lacks_known: bool,
    /// What the person should know before using it.
    warning: Option<Said>,
    /// Why it cannot be used as it is.
    problem: Option<Said>,
}

async fn shown(desk: &Desk, rows: &Rows, row: &Row) -> Shown {
    let problem = match desk.key(row).await {
        Ok(None) if row.has_key => Some(key_gone(row)),
        Ok(_) => None,
        Err(Failure(error)) => Some(error.said()),
    };
    let mut lacks = features::of_every_remote();
    lacks.extend(row.lacks.iter().flatten().cloned());
    Shown {
        id: row.id.clone(),
        kind: "remote",
        name: row.name.clone(),
        base_url: Some(row.base_url.clone()),
        ca_file: row.ca_file.clone(),
        has_key: row.has_key,
        selected: rows.selected == row.id,
        health: row.health.clone(),
        lacks,
        lacks_known: row.lacks.is_some(),
        warning: warning(row),
        problem,
    }
}

fn warning(row: &Row) -> Option<Said> {
    let url = parse_base_url(&row.base_url).ok()?;
    let open = url.scheme() == "http" && !is_loopback(&url);
    open.then(|| Connecting::AddressOpen.into())
}

fn local(desk: &Desk, rows: &Rows) -> Shown {
    Shown {
        id: LOCAL.to_owned(),
        kind: "local",
        name: "This machine".to_owned(),
        base_url: None,
        ca_file: None,
        has_key: false,
        selected: rows.selected == LOCAL,
        health: Some(Health {
            ok: true,
            version: Some(desk.app().options().version.clone()),
            ..check::problem(Connecting::ConnectionHere, None)
        }),
        lacks: Vec::new(),
        lacks_known: true,
        warning: None,
        problem: None,
    }
}

async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Shown>>, Failure> {
    let rows = desk.rows().await?;
    let mut all = vec![local(&desk, &rows)];
    for row in &rows.remotes {
        all.push(shown(&desk, &rows, row).await);
    }
    Ok(Answer(all))
}

async fn one(desk: &Desk, id: &str) -> Result<Answer<Shown>, Failure> {
    let rows = desk.rows().await?;
    if id == LOCAL {
        return Ok(Answer(local(desk, &rows)));
    }
    let row = rows.find(id).ok_or_else(|| unknown(id))?;
    Ok(Answer(shown(desk, &rows, row).await))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    /// Left out: the host of the address.
    #[serde(default)]
    name: Option<String>,
    base_url: String,
    #[serde(default)]
    key: Option<String>,
    /// A PEM file on the machine Loci runs on.
    #[serde(default)]
    ca_file: Option<String>,
}

/// An entered text: blank is none.
fn entered(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn key_of(text: Option<String>) -> Result<Option<SecretString>, ApiError> {
    let Some(text) = entered(text) else { return Ok(None) };
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ApiError::validation(Connecting::KeyOdd));
    }
    Ok(Some(SecretString::from(text)))
}

async fn ca_file_of(text: Option<String>) -> Result<Option<PathBuf>, Failure> {
    let Some(path) = entered(text).map(PathBuf::from) else { return Ok(None) };
    let read = path.clone();
    let trust = tokio::task::spawn_blocking(move || Trust::read(&read)).await.map_err(anyhow::Error::from)?;
    trust.map_err(ApiError::validation)?;
    Ok(Some(path))
}

fn address_of(text: &str) -> Result<reqwest::Url, ApiError> {
    parse_base_url(text).map_err(ApiError::validation)
}

/// As it is shown and kept: no slash at the end.
fn written(url: &reqwest::Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn name_of(text: Option<String>, rows: &Rows, besides: Option<&str>) -> Result<Option<String>, ApiError> {
    let Some(name) = entered(text) else { return Ok(None) };
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::validation(Connecting::ConnectionNameLong { most: LONGEST_NAME }));
    }
    if rows.remotes.iter().any(|row| row.name == name && Some(row.id.as_str()) != besides) {
        return Err(ApiError::conflict(Connecting::ConnectionNameTaken { name }));
    }
    Ok(Some(name))
}

fn refused(error: SecretError) -> Failure {
    ApiError::unavailable(Machine::SecretNotKept { why: error.said() }).into()
}

async fn add(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Shown>, Failure> {
    let url = address_of(&new.base_url)?;
    let key = key_of(new.key)?;
    let ca_file = ca_file_of(new.ca_file).await?;
    let _change = desk.connections().changing.lock().await;
    let mut rows = desk.rows().await?;
    if rows.remotes.len() >= MOST {
        return Err(ApiError::conflict(Connecting::ConnectionTooMany { most: MOST }).into());
    }
    let name = match name_of(new.name, &rows, None)? {
        Some(name) => name,
        None => free_name(&url, &rows),
    };
    let id = format!("connection-{}", uuid::Uuid::new_v4());
    let row = Row {
        name,
        base_url: written(&url),
        has_key: key.is_some(),
        ca_file,
        created_at: Timestamp::now(),
        health: None,
        lacks: None,
        id: id.clone(),
    };
    // The key first: a connection without its key would look usable.
    if let Some(key) = key {
        desk.secrets().set(&secret_name(&id), key).await.map_err(refused)?;
    }
    rows.remotes.push(row);
    desk.keep_rows(rows).await?;
    desk.events().tell(Event::ConnectionChanged);
    one(&desk, &id).await
}

fn free_name(url: &reqwest::Url, rows: &Rows) -> String {
    let host = url.host_str().unwrap_or("Server");
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let taken = |name: &str| rows.remotes.iter().any(|row| row.name == name);
    let mut name = host.clone();
    for number in 2.. {
        if !taken(&name) {
            break;
        }
        name = format!("{host} ({number})");
    }
    name
}

/// What is left out stays; an empty text takes the key or the file away.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    key: Option<String>,
    #[serde(default)]
    ca_file: Option<String>,
}

async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Answer<Shown>, Failure> {
    fixed(&id)?;
    let replaces_file = change.ca_file.is_some();
    let ca_file = ca_file_of(change.ca_file).await?;
    let replaces_key = change.key.is_some();
    let key = key_of(change.key)?;
    let _change = desk.connections().changing.lock().await;
    let mut rows = desk.rows().await?;
    let name = name_of(change.name, &rows, Some(&id))?;
    let row = rows.find_mut(&id).ok_or_else(|| unknown(&id))?;
    let before = row.clone();
    if let Some(name) = name {
        row.name = name;
    }
    if let Some(text) = change.base_url {
        let url = address_of(&text)?;
        let elsewhere = parse_base_url(&row.base_url).map_or(true, |old| old.origin() != url.origin());
        if elsewhere && row.has_key && !replaces_key {
            let (name, address) = (row.name.clone(), row.base_url.clone());
            return Err(ApiError::conflict(Connecting::ConnectionOtherKey { name, address }).into());
        }
        row.base_url = written(&url);
    }
    if replaces_file {
        row.ca_file = ca_file;
    }
    if replaces_key {
        row.has_key = key.is_some();
    }
    if row.base_url != before.base_url || replaces_key || replaces_file {
        row.health = None;
        row.lacks = None;
    }
    match key {
        Some(key) => desk.secrets().set(&secret_name(&id), key).await.map_err(refused)?,
        None if replaces_key && before.has_key => {
            desk.secrets().delete(&secret_name(&id)).await.map_err(refused)?;
        }
        None => {}
    }
    desk.keep_rows(rows).await?;
    desk.connections().forwarders().remove(&id);
    desk.events().tell(Event::ConnectionChanged);
    one(&desk, &id).await
}

fn fixed(id: &str) -> Result<(), ApiError> {
    if id == LOCAL {
        return Err(ApiError::conflict(Connecting::ConnectionFixed));
    }
    Ok(())
}

async fn remove(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Value>, Failure> {
    fixed(&id)?;
    let _change = desk.connections().changing.lock().await;
    let mut rows = desk.rows().await?;
    let row = rows.find(&id).ok_or_else(|| unknown(&id))?.clone();
    rows.remotes.retain(|other| other.id != id);
    let was_in_use = rows.selected == id;
    if was_in_use {
        LOCAL.clone_into(&mut rows.selected);
    }
    desk.keep_rows(rows).await?;
    desk.connections().forwarders().remove(&id);
    desk.events().tell(Event::ConnectionChanged);
    if was_in_use {
        desk.events().tell(Event::AllChanged);
    }
    // Last: whatever the keyring says, nothing uses the key any more.
    if row.has_key {
        let left = |error: SecretError| Connecting::ConnectionKeyLeft { name: row.name, why: error.said() };
        let deleted = desk.secrets().delete(&secret_name(&id)).await;
        deleted.map_err(|error| ApiError::unavailable(left(error)))?;
    }
    Ok(Answer(json!({"deleted": id})))
}

async fn select(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Shown>, Failure> {
    {
        let _change = desk.connections().changing.lock().await;
        let mut rows = desk.rows().await?;
        if id != LOCAL && rows.find(&id).is_none() {
            return Err(unknown(&id));
        }
        if rows.selected != id {
            rows.selected.clone_from(&id);
            desk.keep_rows(rows).await?;
            desk.events().tell(Event::ConnectionChanged);
            desk.events().tell(Event::AllChanged);
        }
    }
    desk.discover_soon();
    one(&desk, &id).await
}

/// Looks now. That a server does not answer is an answer, not an error.
async fn check_now(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Shown>, Failure> {
    if id == LOCAL {
        return one(&desk, &id).await;
    }
    let row = desk.rows().await?.find(&id).ok_or_else(|| unknown(&id))?.clone();
    let (health, lacks) = match desk.forwarder(&id).await {
        Ok(forwarder) => check::check(&forwarder, &row.name, row.has_key).await,
        Err(Failure(error)) => (check::problem(error.said(), None), None),
    };
    {
        let _change = desk.connections().changing.lock().await;
        let mut rows = desk.rows().await?;
        let now = rows.find_mut(&id).ok_or_else(|| unknown(&id))?;
        // Changed or renamed meanwhile: what was found is about something else.
        if now.base_url == row.base_url && now.has_key == row.has_key && now.ca_file == row.ca_file {
            now.health = Some(health);
            if lacks.is_some() {
                now.lacks = lacks;
            }
            desk.keep_rows(rows).await?;
        }
    }
    desk.events().tell(Event::ConnectionChanged);
    one(&desk, &id).await
}

#[derive(Serialize)]
struct Tried {
    #[serde(flatten)]
    health: Health,
    lacks: Option<Vec<Lack>>,
}

/// Looks at a server before it is kept. Nothing of it is.
async fn try_out(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Tried>, Failure> {
    let url = address_of(&new.base_url)?;
    let key = key_of(new.key)?;
    let ca_file = ca_file_of(new.ca_file).await?;
    let name = entered(new.name).unwrap_or_else(|| url.host_str().unwrap_or("The server").to_owned());
    let has_key = key.is_some();
    let forwarder = desk.make_forwarder("new", &name, &written(&url), key, ca_file).await;
    let (health, lacks) = match forwarder {
        Ok(forwarder) => check::check(&forwarder, &name, has_key).await,
        Err(problem) => (check::problem(problem, None), None),
    };
    Ok(Answer(Tried { health, lacks }))
}
