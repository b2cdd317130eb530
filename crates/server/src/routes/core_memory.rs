//! The blocks of one agent, by label.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch},
};
use loci_api::{
    agent::{AgentState, Memory},
    block::BlockUpdate,
    error::ApiError,
    ids::{AgentId, BlockId},
    resource::Block,
    time::Timestamp,
};
use loci_store::{Connection, table::block};

use super::agents::show;
use crate::{
    App,
    agents::{Include, state::require},
    changes,
    error::{Answer, Failure},
    extract::{JsonBody, Params, Segments},
    page::{Defaults, page},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents/{agent_id}/core-memory", get(memory))
        .route("/agents/{agent_id}/core-memory/blocks", get(list))
        .route("/agents/{agent_id}/core-memory/blocks/attach/{block_id}", patch(attach))
        .route("/agents/{agent_id}/core-memory/blocks/detach/{block_id}", patch(detach))
        // A label may hold slashes, so it is the rest of the path.
        .route("/agents/{agent_id}/core-memory/blocks/{*block_label}", get(retrieve).patch(modify))
}

fn labelled(conn: &Connection, agent_id: &AgentId, label: &str) -> Answer<Block> {
    require(conn, agent_id)?;
    let found = block::get_by_label(conn, agent_id, label)?;
    found.map(|(block, _)| block).ok_or_else(|| {
        let shown: String = label.chars().take(100).collect();
        ApiError::not_found(format!("No block with label '{shown}' found for agent '{agent_id}'")).into()
    })
}

/// Shows an agent's memory.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/core-memory", operation_id = "retrieve_agent_memory",
    tag = "agents", params(("agent_id" = String, Path)), responses((status = 200, body = Memory)))]
pub(crate) async fn memory(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Memory>> {
    let include = Include { blocks: true, ..Include::default() };
    Ok(Json(show(&app, id.parse()?, include).await?.memory))
}

/// Lists an agent's blocks, ordered by id, descending unless said otherwise.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/core-memory/blocks", operation_id = "list_core_memory_blocks",
    tag = "agents",
    params(
        ("agent_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Block>)))]
pub(crate) async fn list(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<Block>>> {
    let id: AgentId = id.parse()?;
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    let blocks = app
        .store()
        .try_read(move |conn| {
            require(conn, &id)?;
            Ok::<_, Failure>(block::page_for_agent(conn, &id, &page)?)
        })
        .await?;
    Ok(Json(blocks))
}

/// Shows one of an agent's blocks.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/core-memory/blocks/{block_label}",
    operation_id = "retrieve_core_memory_block", tag = "agents",
    params(("agent_id" = String, Path), ("block_label" = String, Path)), responses((status = 200, body = Block)))]
pub(crate) async fn retrieve(
    State(app): State<App>,
    Segments((id, label)): Segments<(String, String)>,
) -> Answer<Json<Block>> {
    let id: AgentId = id.parse()?;
    Ok(Json(app.store().try_read(move |conn| labelled(conn, &id, &label)).await?))
}

/// Changes one of an agent's blocks; the prompt of every agent using it follows. The API may exceed `limit` and
/// write what is read-only for the agent.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/core-memory/blocks/{block_label}",
    operation_id = "modify_core_memory_block", tag = "agents",
    params(("agent_id" = String, Path), ("block_label" = String, Path)), request_body = BlockUpdate,
    responses((status = 200, body = Block)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments((id, label)): Segments<(String, String)>,
    JsonBody(change): JsonBody<BlockUpdate>,
) -> Answer<Json<Block>> {
    let id: AgentId = id.parse()?;
    change.check()?;
    let (block, threads) = app
        .store()
        .try_write(move |tx| changes::update_block(tx, labelled(tx, &id, &label)?, change, Timestamp::now()))
        .await?;
    threads.iter().for_each(|thread| app.runs().forget_context(thread));
    Ok(Json(block))
}

/// Attaches a block to an agent, behind its others. The prompt follows at the next turn.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}",
    operation_id = "attach_core_memory_block", tag = "agents",
    params(("agent_id" = String, Path), ("block_id" = String, Path)), responses((status = 200, body = AgentState)))]
pub(crate) async fn attach(
    State(app): State<App>,
    Segments((id, block_id)): Segments<(String, String)>,
) -> Answer<Json<AgentState>> {
    let (id, block_id): (AgentId, BlockId) = (id.parse()?, block_id.parse()?);
    let agent_id = id.clone();
    app.store()
        .try_write(move |tx| {
            require(tx, &agent_id)?;
            changes::attach_block(tx, &agent_id, &changes::require_block(tx, &block_id)?)
        })
        .await?;
    show(&app, id, Include::attached()).await.map(Json)
}

/// Detaches a block from an agent; the block stays.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/core-memory/blocks/detach/{block_id}",
    operation_id = "detach_core_memory_block", tag = "agents",
    params(("agent_id" = String, Path), ("block_id" = String, Path)), responses((status = 200, body = AgentState)))]
pub(crate) async fn detach(
    State(app): State<App>,
    Segments((id, block_id)): Segments<(String, String)>,
) -> Answer<Json<AgentState>> {
    let (id, block_id): (AgentId, BlockId) = (id.parse()?, block_id.parse()?);
    let agent_id = id.clone();
    app.store()
        .try_write(move |tx| {
            require(tx, &agent_id)?;
            changes::require_block(tx, &block_id)?;
            if block::detach(tx, &agent_id, &block_id)? {
                Ok(())
            } else {
                Err(Failure(ApiError::not_found(format!(
                    "Block with id '{block_id}' is not attached to agent '{agent_id}'"
                ))))
            }
        })
        .await?;
    show(&app, id, Include::attached()).await.map(Json)
}
