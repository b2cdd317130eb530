//! What a tool is granted on this machine: network, limits, variables. Secret values go to the place for secrets and
//! never come back.

use std::collections::BTreeMap;

use axum::{Json as Answer, extract::State};
use loci_api::{error::ApiError, ids::ToolId, time::Timestamp};
use loci_server::{
    confined::{check_memory, check_timeout},
    error::Failure,
    extract::Segments,
    secrets::of_tool,
    tools,
};
use loci_store::table::tool_settings::{self, ToolSettings};
use serde::{Deserialize, Serialize};

use super::variables::{self, WantedSecrets};
use crate::{Desk, events::Event, extract::Json};

/// As it is shown: values of secrets are never part of it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    network: bool,
    /// Null: the server's own limit.
    timeout_seconds: Option<u32>,
    /// Null: the server's own limit.
    memory_mb: Option<u32>,
    env: BTreeMap<String, String>,
    secret_names: Vec<String>,
}

impl From<ToolSettings> for Shown {
    fn from(settings: ToolSettings) -> Self {
        let ToolSettings { network, timeout_seconds, memory_mb, env, secret_names } = settings;
        Self { network, timeout_seconds, memory_mb, env, secret_names }
    }
}

/// The whole of the settings. A secret given as null keeps its value; one left out is deleted.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    network: bool,
    timeout_seconds: Option<u32>,
    memory_mb: Option<u32>,
    env: BTreeMap<String, String>,
    secrets: WantedSecrets,
}

impl Wanted {
    fn check(&self) -> Result<(), ApiError> {
        check_timeout(self.timeout_seconds)?;
        check_memory(self.memory_mb)?;
        variables::check(&self.env, &self.secrets)
    }
}

pub(super) async fn read(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
) -> Result<Answer<Shown>, Failure> {
    let id: ToolId = id.parse()?;
    let settings = desk
        .app()
        .store()
        .try_read(move |conn| {
            tools::require(conn, &id)?;
            Ok::<_, Failure>(tool_settings::get(conn, &id)?)
        })
        .await?;
    Ok(Answer(settings.into()))
}

pub(super) async fn replace(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
    Json(wanted): Json<Wanted>,
) -> Result<Answer<Shown>, Failure> {
    let id: ToolId = id.parse()?;
    wanted.check()?;
    let of = id.clone();
    let before = desk
        .app()
        .store()
        .try_read(move |conn| {
            tools::require(conn, &of)?;
            Ok::<_, Failure>(tool_settings::get(conn, &of)?)
        })
        .await?;
    let secret_names =
        variables::keep(&desk, wanted.secrets, &before.secret_names, |name| of_tool(&id, name)).await?;
    let settings = ToolSettings {
        network: wanted.network,
        timeout_seconds: wanted.timeout_seconds,
        memory_mb: wanted.memory_mb,
        env: wanted.env,
        secret_names,
    };
    let (of, kept) = (id, settings.clone());
    desk.app().store().write(move |tx| tool_settings::set(tx, &of, &kept, Timestamp::now())).await?;
    desk.events().tell(Event::ToolChanged);
    Ok(Answer(settings.into()))
}
