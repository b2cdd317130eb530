//! Memory blocks on their own; several agents may share one.

use axum::{Json, Router, extract::State, routing::get};
use loci_api::{
    agent::AgentState,
    block::{BlockUpdate, CreateBlock},
    ids::BlockId,
    resource::Block,
    time::Timestamp,
};
use loci_store::{
    Thread,
    table::{
        agent::{AgentFilter, AgentOrder},
        block::{self, BlockFilter},
    },
};
use serde_json::Value;

use super::agents::states;
use crate::{
    App,
    agents::Include,
    changes,
    error::{Answer, Failure},
    extract::{Client, JsonBody, Params, Segments},
    page::{Defaults, page},
    prompt,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/blocks", get(list).post(create))
        .route("/blocks/count", get(count))
        .route("/blocks/{block_id}", get(retrieve).patch(modify).delete(delete))
        .route("/blocks/{block_id}/agents", get(agents))
}

fn filter(params: &Params) -> Answer<BlockFilter> {
    let text = |key| params.text(key).map(str::to_owned);
    let counts = params
        .texts("connected_to_agents_count_eq")
        .into_iter()
        .map(|value| {
            value.parse::<i64>().map_err(|_| {
                Failure(loci_api::error::ApiError::validation(
                    "query.connected_to_agents_count_eq: expected a whole number",
                ))
            })
        })
        .collect::<Answer<Vec<i64>>>()?;
    Ok(BlockFilter {
        label: text("label"),
        templates_only: params.flag("templates_only")?.unwrap_or(false),
        name: text("name"),
        project_id: text("project_id"),
        tags: params.texts("tags").into_iter().map(str::to_owned).collect(),
        match_all_tags: params.flag("match_all_tags")?.unwrap_or(false),
        label_search: text("label_search"),
        description_search: text("description_search"),
        value_search: text("value_search"),
        connected_to_agents_count_gt: params.integer("connected_to_agents_count_gt", i64::MIN, i64::MAX)?,
        connected_to_agents_count_lt: params.integer("connected_to_agents_count_lt", i64::MIN, i64::MAX)?,
        connected_to_agents_count_eq: counts,
        include_hidden: params.flag("show_hidden_blocks")?.unwrap_or(false),
    })
}

/// Lists blocks that are not hidden, oldest first unless said otherwise.
#[utoipa::path(get, path = "/v1/blocks/", operation_id = "list_blocks", tag = "blocks",
    params(
        ("label" = Option<String>, Query), ("templates_only" = Option<bool>, Query), ("name" = Option<String>, Query),
        ("identity_id" = Option<String>, Query), ("identifier_keys" = Option<Vec<String>>, Query),
        ("project_id" = Option<String>, Query), ("tags" = Option<Vec<String>>, Query),
        ("match_all_tags" = Option<bool>, Query), ("limit" = Option<i64>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
        ("label_search" = Option<String>, Query), ("description_search" = Option<String>, Query),
        ("value_search" = Option<String>, Query), ("connected_to_agents_count_gt" = Option<i64>, Query),
        ("connected_to_agents_count_lt" = Option<i64>, Query),
        ("connected_to_agents_count_eq" = Option<Vec<i64>>, Query),
    ),
    responses((status = 200, body = Vec<Block>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Block>>> {
    let filter = filter(&params)?;
    let page = page(&params, Defaults { limit: 50, ascending: true })?;
    Ok(Json(app.store().read(move |conn| block::list(conn, &filter, &page)).await?))
}

/// How many blocks there are.
#[utoipa::path(get, path = "/v1/blocks/count", operation_id = "count_blocks", tag = "blocks",
    params(
        ("label" = Option<String>, Query), ("templates_only" = Option<bool>, Query), ("name" = Option<String>, Query),
        ("tags" = Option<Vec<String>>, Query), ("match_all_tags" = Option<bool>, Query),
        ("project_id" = Option<String>, Query),
    ),
    responses((status = 200, body = i64)))]
pub(crate) async fn count(State(app): State<App>, params: Params) -> Answer<Json<i64>> {
    let filter = filter(&params)?;
    Ok(Json(app.store().read(move |conn| block::count(conn, &filter)).await?))
}

/// Creates a block that no agent has yet.
#[utoipa::path(post, path = "/v1/blocks/", operation_id = "create_block", tag = "blocks",
    request_body = CreateBlock, responses((status = 200, body = Block)))]
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<CreateBlock>,
) -> Answer<Json<Block>> {
    request.check("body")?;
    let block = request.into_block(BlockId::new());
    let block = app
        .store()
        .try_write(move |tx| {
            block::insert(tx, &block, &changes::by_api(Timestamp::now()))?;
            changes::require_block(tx, &block.id)
        })
        .await?;
    Ok(Json(block))
}

/// Shows a block.
#[utoipa::path(get, path = "/v1/blocks/{block_id}", operation_id = "retrieve_block", tag = "blocks",
    params(("block_id" = String, Path)), responses((status = 200, body = Block)))]
pub(crate) async fn retrieve(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Block>> {
    let id: BlockId = id.parse()?;
    Ok(Json(app.store().try_read(move |conn| changes::require_block(conn, &id)).await?))
}

/// Changes a block; the prompt of every agent using it follows. The API may exceed `limit` and write what is
/// read-only for agents.
#[utoipa::path(patch, path = "/v1/blocks/{block_id}", operation_id = "modify_block", tag = "blocks",
    params(("block_id" = String, Path)), request_body = BlockUpdate, responses((status = 200, body = Block)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(change): JsonBody<BlockUpdate>,
) -> Answer<Json<Block>> {
    let id: BlockId = id.parse()?;
    change.check()?;
    let (block, threads) = app
        .store()
        .try_write(move |tx| {
            changes::update_block(tx, changes::require_block(tx, &id)?, change, Timestamp::now())
        })
        .await?;
    threads.iter().for_each(|thread| app.runs().forget_context(thread));
    Ok(Json(block))
}

/// Deletes a block with its history; it disappears from every agent.
#[utoipa::path(delete, path = "/v1/blocks/{block_id}", operation_id = "delete_block", tag = "blocks",
    params(("block_id" = String, Path)), responses((status = 200, body = Option<Object>)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let id: BlockId = id.parse()?;
    let threads = app
        .store()
        .try_write(move |tx| {
            let users = block::agent_ids(tx, &id)?;
            if !block::delete(tx, &id)? {
                return Err(Failure(changes::block_not_found(&id)));
            }
            let mut threads: Vec<Thread> = Vec::new();
            for agent_id in users {
                threads.extend(prompt::refresh_agent(tx, &agent_id)?);
            }
            Ok(threads)
        })
        .await?;
    threads.iter().for_each(|thread| app.runs().forget_context(thread));
    Ok(Json(Value::Null))
}

/// Lists the agents a block is attached to.
#[utoipa::path(get, path = "/v1/blocks/{block_id}/agents", operation_id = "list_agents_for_block", tag = "blocks",
    params(
        ("block_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
        ("include_relationships" = Option<Vec<String>>, Query), ("include" = Option<Vec<String>>, Query),
    ),
    responses((status = 200, body = Vec<AgentState>)))]
pub(crate) async fn agents(
    State(app): State<App>,
    client: Client,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<AgentState>>> {
    let id: BlockId = id.parse()?;
    let include = Include::read(&params, client)?;
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let known = id.clone();
    app.store().try_read(move |conn| changes::require_block(conn, &known)).await?;
    // Whoever asks about one block wants all its users, helpers included.
    let filter = AgentFilter { block_id: Some(id), include_hidden: true, ..AgentFilter::default() };
    states(&app, filter, AgentOrder::CreatedAt, page, include).await.map(Json)
}
