//! Whether a server answers, takes the key, and what it offers: asked only when the person asks.

use std::time::{Duration, Instant};

use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use loci_api::{said::Said, time::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::features::{self, Lack};
use crate::{forward::Forwarder, sentences::Connecting};

/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(15);
/// The published API document has about two megabytes.
const LARGEST_DOCUMENT: usize = 16 << 20;

/// What the last look found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Health {
    pub ok: bool,
    pub checked_at: Timestamp,
    /// The version it says it is, if it said one.
    pub version: Option<String>,
    /// Of the first answer.
    pub latency_ms: Option<u64>,
    /// What a person should know.
    #[serde(alias = "message")]
    pub said: Said,
    /// The kind of problem: `CONNECTION_…`, or `KEY_REFUSED`, `KEY_MISSING`.
    pub code: Option<String>,
}

/// Health, and what the server lacks where it says so.
pub(super) async fn check(forwarder: &Forwarder, name: &str, has_key: bool) -> (Health, Option<Vec<Lack>>) {
    let looking = async { tokio::join!(look(forwarder, name, has_key), document(forwarder, name)) };
    let (health, lacks) = match tokio::time::timeout(PATIENCE, looking).await {
        Ok((health, lacks)) => (health, lacks),
        Err(_) => {
            let slow = Connecting::ConnectionNoAnswer { name: name.to_owned(), seconds: PATIENCE.as_secs() };
            (problem(slow, Some("CONNECTION_TIMEOUT")), None)
        }
    };
    let lacks = if health.ok { lacks } else { None };
    (health, lacks)
}

/// A look that found something wrong.
pub(super) fn problem(said: impl Into<Said>, code: Option<&str>) -> Health {
    Health {
        ok: false,
        checked_at: Timestamp::now(),
        version: None,
        latency_ms: None,
        said: said.into(),
        code: code.map(str::to_owned),
    }
}

async fn look(forwarder: &Forwarder, name: &str, has_key: bool) -> Health {
    let begun = Instant::now();
    let answer = match ask(forwarder, "/v1/health").await {
        Ok(answer) => answer,
        Err(found) => return problem(found.said(name), Some(found.kind().code())),
    };
    let name = name.to_owned();
    let latency_ms = u64::try_from(begun.elapsed().as_millis()).ok();
    let Some(version) = answer.json.as_ref().filter(|_| answer.status == 200).and_then(version_of) else {
        return problem(
            Connecting::ConnectionNotLetta { name, status: answer.status.to_string() },
            Some("CONNECTION_BAD_ANSWER"),
        );
    };
    let mut health = Health {
        ok: true,
        version: Some(version.clone()),
        latency_ms,
        ..problem(Connecting::ConnectionAnswers { name: name.clone(), version }, None)
    };
    let mut refuse = |said: Said, code: &str| {
        health.ok = false;
        health.said = said;
        health.code = Some(code.to_owned());
    };
    match ask(forwarder, "/v1/agents/?limit=1").await {
        Err(found) => refuse(found.said(&name), found.kind().code()),
        Ok(answer) => match (answer.status, has_key) {
            (401 | 403, true) => {
                refuse(Connecting::ConnectionKeyRefused { name }.into(), "KEY_REFUSED");
            }
            (401 | 403, false) => refuse(Connecting::ConnectionKeyMissing { name }.into(), "KEY_MISSING"),
            (200, _) if answer.json.as_ref().is_some_and(Value::is_array) => {}
            (status, _) => refuse(
                Connecting::ConnectionNoAgents { name, status: status.to_string() }.into(),
                "CONNECTION_BAD_ANSWER",
            ),
        },
    }
    health
}

/// A health answer names a version, which is shown, so it is short.
fn version_of(health: &Value) -> Option<String> {
    let version = health.get("version")?.as_str()?;
    Some(version.chars().filter(|c| !c.is_control()).take(40).collect())
}

async fn document(forwarder: &Forwarder, name: &str) -> Option<Vec<Lack>> {
    let answer = ask(forwarder, "/openapi.json").await.ok().filter(|answer| answer.status == 200)?;
    features::lacking(&answer.json?, name)
}

struct Asked {
    status: u16,
    json: Option<Value>,
}

async fn ask(forwarder: &Forwarder, path: &str) -> Result<Asked, crate::forward::Problem> {
    let request = Request::get(path).header("accept", "application/json").body(Body::empty());
    let response = forwarder.pass(request.expect("a path of this file")).await?;
    let status = response.status().as_u16();
    let json = match to_bytes(response.into_body(), LARGEST_DOCUMENT).await {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(_) => None,
    };
    Ok(Asked { status, json })
}
