//! `/workbench/blocks`: what a memory block was after every change and by whom, the person's own edits over the
//! version they saw, and the way back. Only this machine's own blocks have a history here.

use axum::{
    Json as Answer, Router,
    extract::{Path, State},
    routing::{get, patch, post},
};
use loci_api::{block::BlockUpdate, error::ApiError, ids::BlockId, resource::Block, time::Timestamp};
use loci_server::{
    error::Failure,
    extract::{Params, Segments},
};
use loci_store::table::{agent, block, block::BlockVersion, block_version, message};
use serde::{Deserialize, Serialize};

use crate::{Desk, events::Event, extract::Json};

/// Versions of one page.
const PAGE: i64 = 50;
const MOST: i64 = 500;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/blocks/{id}", patch(edit))
        .route("/blocks/{id}/versions", get(versions))
        .route("/blocks/{id}/restore", post(restore))
}

/// A block as one change left it. Version 1 is its creation.
#[derive(Debug, Serialize)]
struct Version {
    version: i64,
    label: Option<String>,
    value: String,
    /// Characters.
    limit: i64,
    description: Option<String>,
    read_only: bool,
    /// `person` (this window), `api`, `tool` (an agent) or `import`.
    actor: &'static str,
    actor_id: Option<String>,
    /// The agent's name, where an agent changed it and is still there.
    actor_name: Option<String>,
    tool_call_id: Option<String>,
    /// The tool the agent changed it with.
    tool_name: Option<String>,
    run_id: Option<String>,
    at: Timestamp,
}

impl Version {
    fn of(version: BlockVersion, actor_name: Option<String>, tool_name: Option<String>) -> Self {
        let BlockVersion { version, label, value, limit, description, read_only, change, .. } = version;
        Self {
            version,
            label,
            value,
            limit,
            description,
            read_only,
            actor: change.actor.as_str(),
            actor_id: change.actor_id,
            actor_name,
            tool_call_id: change.tool_call_id,
            tool_name,
            run_id: change.run_id.map(|id| id.to_string()),
            at: change.at,
        }
    }
}

/// Newest first; `before` is the version to go on from.
async fn versions(
    State(desk): State<Desk>,
    Segments(id): Segments<String>,
    params: Params,
) -> Result<Answer<Vec<Version>>, Failure> {
    let id: BlockId = id.parse()?;
    let before = params.integer("before", 1, i64::MAX)?;
    let limit = params.integer("limit", 1, MOST)?.unwrap_or(PAGE);
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let versions = desk
        .app()
        .store()
        .try_read(move |conn| {
            if block::get(conn, &id)?.is_none() {
                return Err(Failure(not_found(&id)));
            }
            let mut shown = Vec::new();
            for version in block_version::list(conn, &id, before, limit)? {
                let change = &version.change;
                let actor_name = match (change.actor, &change.actor_id) {
                    (block::Actor::Tool, Some(agent_id)) => match agent_id.parse() {
                        Ok(agent_id) => agent::get(conn, &agent_id)?.map(|agent| agent.name),
                        Err(_) => None,
                    },
                    _ => None,
                };
                let tool_name = match (&change.run_id, &change.tool_call_id) {
                    (Some(run_id), Some(call)) => message::tool_name(conn, run_id, call)?,
                    _ => None,
                };
                shown.push(Version::of(version, actor_name, tool_name));
            }
            Ok(shown)
        })
        .await?;
    Ok(Answer(versions))
}

/// What the person changes. Absent fields stay; `base_version` refuses the change if the block moved on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    base_version: Option<i64>,
    /// Refuses the change unless the block still has this value.
    base_value: Option<String>,
    value: Option<String>,
    label: Option<String>,
    description: Option<String>,
    limit: Option<i64>,
    read_only: Option<bool>,
}

/// The block and the version it now has.
#[derive(Debug, Serialize)]
struct Edited {
    block: Block,
    version: i64,
}

async fn edit(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(edit): Json<Edit>,
) -> Result<Answer<Edited>, Failure> {
    let id: BlockId = id.parse()?;
    let known = id.clone();
    let (now, version) = desk
        .app()
        .store()
        .try_read(move |conn| block::get_versioned(conn, &known)?.ok_or_else(|| Failure(not_found(&known))))
        .await?;
    if edit.base_value.as_ref().is_some_and(|base| *base != now.value) {
        return Err(moved_on(&now));
    }
    // Whoever named the value they saw means the version that has it.
    let expected = edit.base_version.or(edit.base_value.is_some().then_some(version));
    let change = BlockUpdate {
        value: edit.value,
        label: edit.label,
        description: edit.description,
        limit: edit.limit,
        read_only: edit.read_only,
        ..BlockUpdate::default()
    };
    store(&desk, id, expected, change).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Restore {
    version: i64,
    /// The version the person saw as the newest.
    base_version: i64,
}

/// Makes the value, description, limit and read-only mark of an old version the newest. The label stays: where
/// the block is attached it may be taken by now.
async fn restore(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(wish): Json<Restore>,
) -> Result<Answer<Edited>, Failure> {
    let id: BlockId = id.parse()?;
    let of = id.clone();
    let old = desk
        .app()
        .store()
        .try_read(move |conn| {
            block_version::get(conn, &of, wish.version)?.ok_or_else(|| {
                Failure(ApiError::not_found(format!("Block '{of}' has no version {}", wish.version)))
            })
        })
        .await?;
    let change = BlockUpdate {
        value: Some(old.value),
        description: old.description,
        limit: Some(old.limit),
        read_only: Some(old.read_only),
        ..BlockUpdate::default()
    };
    store(&desk, id, Some(wish.base_version), change).await
}

async fn store(
    desk: &Desk,
    id: BlockId,
    expected: Option<i64>,
    change: BlockUpdate,
) -> Result<Answer<Edited>, Failure> {
    let (block, version) = desk.app().edit_block(id, expected, change).await?;
    desk.events().tell(Event::BlockChanged { agent_id: None });
    Ok(Answer(Edited { block, version }))
}

fn not_found(id: &BlockId) -> ApiError {
    ApiError::not_found(format!("Block with id '{id}' not found"))
}

fn moved_on(now: &Block) -> Failure {
    Failure(ApiError::conflict(format!(
        "CONFLICT: The block '{}' has changed since you began. Read it again and decide which text to keep.",
        now.label.as_deref().unwrap_or_default()
    )))
}
