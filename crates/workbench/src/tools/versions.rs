//! The states a tool was in, the way back to one of them, and which agents would notice.

use axum::{Json, extract::State};
use loci_api::{error::ApiError, ids::ToolId, resource::Tool, time::Timestamp};
use loci_server::{
    error::Failure,
    extract::{Params, Segments},
    tools,
};
use loci_store::table::{
    agent, tool,
    tool_version::{self, ToolContent, ToolVersion},
};
use serde::Serialize;

use crate::{Desk, events::Event};

/// Versions of one page.
const PAGE: i64 = 50;
const MOST: i64 = 500;

/// Which of a tool's versions are asked for: `before` (those older than that), `limit`.
pub(crate) struct VersionsPage {
    pub(crate) before: Option<i64>,
    pub(crate) limit: u32,
}

impl VersionsPage {
    /// # Errors
    /// 422 for what is no number, or too large a one.
    pub(crate) fn of(params: &Params) -> Result<Self, Failure> {
        let limit = params.integer("limit", 1, MOST)?.unwrap_or(PAGE);
        let before = params.integer("before", 1, i64::MAX)?;
        Ok(Self { before, limit: u32::try_from(limit).unwrap_or(u32::MAX) })
    }
}

/// A tool as one change left it. Version 1 is its creation.
#[derive(Debug, Serialize)]
pub(super) struct Version {
    version: i64,
    /// The user it was done for, where it is known.
    changed_by: Option<String>,
    at: Timestamp,
    #[serde(flatten)]
    content: ToolContent,
}

impl From<ToolVersion> for Version {
    fn from(version: ToolVersion) -> Self {
        let ToolVersion { version, content, changed_by, at } = version;
        Self { version, changed_by, at, content }
    }
}

/// Newest first; `before` is the version to go on from.
pub(super) async fn list(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
    params: Params,
) -> Result<Json<Vec<Version>>, Failure> {
    let id: ToolId = id.parse()?;
    let VersionsPage { before, limit } = VersionsPage::of(&params)?;
    let found = desk
        .app()
        .store()
        .try_read(move |conn| {
            tools::require(conn, &id)?;
            Ok::<_, Failure>(tool_version::list(conn, &id, before, limit)?)
        })
        .await?;
    Ok(Json(found.into_iter().map(Version::from).collect()))
}

/// Makes an older state the newest one.
pub(super) async fn restore(
    State(desk): State<Desk>,
    Segments((id, version)): Segments<(String, i64)>,
) -> Result<Json<Tool>, Failure> {
    let id: ToolId = id.parse()?;
    let restored = desk
        .app()
        .store()
        .try_write(move |tx| {
            let tool = tools::require(tx, &id)?;
            let wanted = tool_version::get(tx, &id, version)?
                .ok_or_else(|| ApiError::not_found(format!("Tool '{id}' has no version {version}")))?;
            tools::restore(tx, tool, wanted.content, Timestamp::now())
        })
        .await?;
    desk.events().tell(Event::ToolChanged);
    Ok(Json(restored))
}

/// An agent that has the tool.
#[derive(Debug, Serialize)]
pub(super) struct User {
    id: String,
    name: String,
    /// Whether a person decides on its calls there.
    requires_approval: bool,
}

pub(super) async fn used_by(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
) -> Result<Json<Vec<User>>, Failure> {
    let id: ToolId = id.parse()?;
    let users = desk
        .app()
        .store()
        .try_read(move |conn| {
            let found = tools::require(conn, &id)?;
            let name = found.name.unwrap_or_default();
            let mut users = Vec::new();
            for agent_id in tool::agent_ids(conn, &id)? {
                if let Some(row) = agent::get(conn, &agent_id)? {
                    users.push(User {
                        requires_approval: tools::asks_first(&row.tool_rules, &name),
                        id: row.id.to_string(),
                        name: row.name,
                    });
                }
            }
            users.sort_by(|one, other| one.name.cmp(&other.name));
            Ok::<_, Failure>(users)
        })
        .await?;
    Ok(Json(users))
}
