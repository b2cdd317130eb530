//! The variables of a client tool a person wrote: values of secrets are kept where secrets are, and are never shown.

use std::collections::BTreeMap;

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use loci_api::time::Timestamp;
use loci_server::{
    error::Failure,
    secrets::{self, of_own_tool},
};
use loci_store::table::client_tool::{self, OwnTool};
use serde::Deserialize;

use super::{Shown, find, missing};
use crate::{
    Desk,
    events::Event,
    extract::Json,
    tools::variables::{self, WantedSecrets},
};

/// What a call's process finds in its environment.
///
/// # Errors
/// A sentence: the value of a secret is not known, or the place for secrets cannot be used.
pub(super) async fn of(desk: &Desk, tool: &OwnTool) -> Result<BTreeMap<String, String>, String> {
    let kept = desk.app().secrets();
    let values = secrets::values(&*kept, &tool.secret_names, |name| of_own_tool(&tool.id, name)).await?;
    Ok(tool.env.clone().into_iter().chain(values).collect())
}

/// Deletes the values of a tool that is gone.
pub(super) async fn forget(desk: &Desk, tool: &OwnTool) {
    let kept = desk.app().secrets();
    secrets::forget(&*kept, &tool.secret_names, |name| of_own_tool(&tool.id, name)).await;
}

/// All of the variables. A secret given as null keeps its value; one left out is deleted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    secrets: WantedSecrets,
}

pub(super) async fn replace(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Result<Answer<Shown>, Failure> {
    variables::check(&wanted.env, &wanted.secrets)?;
    let before = find(&desk, &id).await?.secret_names;
    let secret_names = variables::keep(&desk, wanted.secrets, &before, |name| of_own_tool(&id, name)).await?;
    let (of, env) = (id.clone(), wanted.env);
    let tool = desk
        .app()
        .store()
        .write(move |tx| {
            client_tool::set_variables(tx, &of, &env, &secret_names, Timestamp::now())?;
            client_tool::get(tx, &of)
        })
        .await?
        .ok_or_else(missing)?;
    desk.events().tell(Event::ClientToolChanged);
    Ok(Answer(tool.into()))
}
