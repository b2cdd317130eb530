//! The states a client tool a person wrote was in, the way back to one of them, and what was tried of it.

use axum::{
    Json as Answer,
    extract::{Path, State},
};
use loci_api::{error::ApiError, time::Timestamp};
use loci_server::{error::Failure, extract::Params};
use loci_store::table::{
    client_tool,
    client_tool_version::{self, OwnToolContent, OwnToolVersion},
    tool_test_run::Tried,
};
use serde::Serialize;

use super::{Shown, find, missing, refuse_name, write};
use crate::{
    Desk,
    events::Event,
    tools::{VersionsPage, run},
};

/// A tool as one change left it. Version 1 is its creation.
#[derive(Serialize)]
pub(super) struct Version {
    version: i64,
    at: Timestamp,
    #[serde(flatten)]
    content: OwnToolContent,
}

impl From<OwnToolVersion> for Version {
    fn from(version: OwnToolVersion) -> Self {
        let OwnToolVersion { version, content, at } = version;
        Self { version, at, content }
    }
}

/// Newest first; `before` is the version to go on from.
pub(super) async fn list(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Answer<Vec<Version>>, Failure> {
    let VersionsPage { before, limit } = VersionsPage::of(&params)?;
    let id = find(&desk, &id).await?.id;
    let found =
        desk.app().store().read(move |conn| client_tool_version::list(conn, &id, before, limit)).await?;
    Ok(Answer(found.into_iter().map(Version::from).collect()))
}

/// Makes an older state the newest one. What the tool is granted here stays as it is.
pub(super) async fn restore(
    State(desk): State<Desk>,
    Path((id, version)): Path<(String, i64)>,
) -> Result<Answer<Shown>, Failure> {
    let restored = desk
        .app()
        .store()
        .try_write(move |tx| {
            let mut tool = client_tool::get(tx, &id)?.ok_or_else(missing)?;
            let wanted = client_tool_version::get(tx, &id, version)?
                .ok_or_else(|| ApiError::not_found(format!("The tool '{id}' has no version {version}.")))?;
            wanted.content.put_into(&mut tool);
            refuse_name(&tool.name)?;
            tool.updated_at = Timestamp::now();
            write(tx, &tool)?;
            Ok::<_, Failure>(tool)
        })
        .await?;
    desk.events().tell(Event::ClientToolChanged);
    Ok(Answer(restored.into()))
}

/// Its trials, newest first.
pub(super) async fn runs(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Answer<Vec<run::Shown>>, Failure> {
    let tool = find(&desk, &id).await?;
    run::listed(&desk, Tried::Own(tool.id), &params).await
}
