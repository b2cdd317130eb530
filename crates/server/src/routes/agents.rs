//! Agents: list, create, show, change, delete, and what belongs to the default thread as a whole.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch, post},
};
use loci_api::{
    agent::{AgentState, CreateAgent, UpdateAgent},
    ids::AgentId,
    resource::StopReason,
    time::Timestamp,
};
use loci_store::{
    Page, Thread,
    table::{
        agent::{self, AgentFilter, AgentOrder},
        context, deleted_agent,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    App, agents,
    agents::{
        Include,
        state::{require, state},
    },
    error::{Answer, Failure},
    extract::{Client, JsonBody, Params, Segments},
    page::{Defaults, page},
    prompt,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents", get(list).post(create))
        .route("/agents/count", get(count))
        .route("/agents/{agent_id}", get(retrieve).patch(modify).delete(delete))
        .route("/agents/{agent_id}/reset-messages", patch(reset_messages))
        .route("/agents/{agent_id}/recompile", post(recompile))
        .route("/agents/{agent_id}/system-prompt/recompile", post(recompile))
}

/// Reads the filters all lists of agents share.
fn filter(params: &Params) -> Answer<AgentFilter> {
    let text = |key| params.text(key).map(str::to_owned);
    let texts = |key: &str| params.texts(key).into_iter().map(str::to_owned).collect::<Vec<String>>();
    Ok(AgentFilter {
        name: text("name"),
        tags: texts("tags"),
        match_all_tags: params.flag("match_all_tags")?.unwrap_or(false),
        query_text: text("query_text"),
        project_id: text("project_id"),
        template_id: text("template_id"),
        base_template_id: text("base_template_id"),
        identity_id: text("identity_id"),
        identifier_keys: texts("identifier_keys"),
        last_stop_reason: stop_reason(params)?.map(|reason| reason.as_str().to_owned()),
        created_by_id: text("created_by_id"),
        // A search by tag means it: helpers of other agents are found by their tags.
        include_hidden: params.flag("show_hidden_agents")?.unwrap_or(false),
        ..AgentFilter::default()
    })
}

fn stop_reason(params: &Params) -> Answer<Option<StopReason>> {
    params
        .text("last_stop_reason")
        .map(|text| {
            serde_json::from_value(json!(text)).map_err(|error| {
                Failure(loci_api::error::ApiError::validation(format!("query.last_stop_reason: {error}")))
            })
        })
        .transpose()
}

fn order(params: &Params) -> Answer<AgentOrder> {
    let known = [
        ("created_at", AgentOrder::CreatedAt),
        ("updated_at", AgentOrder::UpdatedAt),
        ("last_run_completion", AgentOrder::LastRunCompletion),
    ];
    let order = match params.choice("order_by", &known)? {
        Some(order) => Some(order),
        None => params.choice("sort_by", &known)?,
    };
    Ok(order.unwrap_or_default())
}

/// Lists agents that are not hidden, newest first unless said otherwise.
#[utoipa::path(get, path = "/v1/agents/", operation_id = "list_agents", tag = "agents",
    params(
        ("name" = Option<String>, Query), ("tags" = Option<Vec<String>>, Query),
        ("match_all_tags" = Option<bool>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query), ("query_text" = Option<String>, Query),
        ("project_id" = Option<String>, Query), ("template_id" = Option<String>, Query),
        ("base_template_id" = Option<String>, Query), ("identity_id" = Option<String>, Query),
        ("identifier_keys" = Option<Vec<String>>, Query), ("include_relationships" = Option<Vec<String>>, Query),
        ("include" = Option<Vec<String>>, Query), ("order" = Option<String>, Query),
        ("order_by" = Option<String>, Query), ("ascending" = Option<bool>, Query),
        ("sort_by" = Option<String>, Query), ("last_stop_reason" = Option<String>, Query),
        ("created_by_id" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<AgentState>)))]
pub(crate) async fn list(
    State(app): State<App>,
    client: Client,
    params: Params,
) -> Answer<Json<Vec<AgentState>>> {
    let filter = filter(&params)?;
    let order = order(&params)?;
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let include = Include::read(&params, client)?;
    states(&app, filter, order, page, include).await.map(Json)
}

/// A page of agents with the relationships asked for.
pub(super) async fn states(
    app: &App,
    filter: AgentFilter,
    order: AgentOrder,
    page: Page,
    include: Include,
) -> Answer<Vec<AgentState>> {
    let states = app
        .store()
        .read(move |conn| {
            let rows = agent::list(conn, &filter, order, &page)?;
            rows.into_iter().map(|row| state(conn, row, include)).collect()
        })
        .await?;
    Ok(states)
}

/// How many agents there are.
#[utoipa::path(get, path = "/v1/agents/count", operation_id = "count_agents", tag = "agents",
    params(
        ("name" = Option<String>, Query), ("tags" = Option<Vec<String>>, Query),
        ("match_all_tags" = Option<bool>, Query), ("query_text" = Option<String>, Query),
        ("project_id" = Option<String>, Query), ("template_id" = Option<String>, Query),
        ("base_template_id" = Option<String>, Query), ("identity_id" = Option<String>, Query),
        ("identifier_keys" = Option<Vec<String>>, Query), ("last_stop_reason" = Option<String>, Query),
        ("created_by_id" = Option<String>, Query),
    ),
    responses((status = 200, body = i64)))]
pub(crate) async fn count(State(app): State<App>, params: Params) -> Answer<Json<i64>> {
    let filter = filter(&params)?;
    Ok(Json(app.store().read(move |conn| agent::count(conn, &filter)).await?))
}

/// Creates an agent with its blocks, tools and first system message.
#[utoipa::path(post, path = "/v1/agents/", operation_id = "create_agent", tag = "agents",
    request_body = CreateAgent, responses((status = 200, body = AgentState)))]
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<CreateAgent>,
) -> Answer<Json<AgentState>> {
    agents::create::create(&app, request).await.map(Json)
}

/// Shows an agent.
#[utoipa::path(get, path = "/v1/agents/{agent_id}", operation_id = "retrieve_agent", tag = "agents",
    params(
        ("agent_id" = String, Path), ("include_relationships" = Option<Vec<String>>, Query),
        ("include" = Option<Vec<String>>, Query),
    ),
    responses((status = 200, body = AgentState)))]
pub(crate) async fn retrieve(
    State(app): State<App>,
    client: Client,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<AgentState>> {
    let id: AgentId = id.parse()?;
    let include = Include::read(&params, client)?;
    show(&app, id, include).await.map(Json)
}

/// The agent as it is now.
pub(super) async fn show(app: &App, id: AgentId, include: Include) -> Answer<AgentState> {
    app.store().try_read(move |conn| Ok::<_, Failure>(state(conn, require(conn, &id)?, include)?)).await
}

/// What attaching and detaching answer: the SDKs expect `null`, everyone else the agent.
pub(super) async fn after_link(app: &App, id: AgentId, client: Client) -> Answer<Json<Value>> {
    if client.sdk {
        return Ok(Json(Value::Null));
    }
    Ok(Json(json!(show(app, id, Include::attached()).await?)))
}

/// Changes an agent.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}", operation_id = "modify_agent", tag = "agents",
    params(("agent_id" = String, Path)), request_body = UpdateAgent, responses((status = 200, body = AgentState)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<UpdateAgent>,
) -> Answer<Json<AgentState>> {
    agents::update::update(&app, id.parse()?, request).await.map(Json)
}

/// What a deletion answers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    message: String,
}

/// Deletes an agent with its conversations and messages. Runs under way are cancelled first; blocks and tools
/// stay. The person at this machine can bring it back for 30 days.
#[utoipa::path(delete, path = "/v1/agents/{agent_id}", operation_id = "delete_agent", tag = "agents",
    params(("agent_id" = String, Path)), responses((status = 200, body = Deleted)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Deleted>> {
    let id: AgentId = id.parse()?;
    let known = id.clone();
    if !app.store().read(move |conn| agent::exists(conn, &known)).await? {
        return Err(agents::state::not_found(&id).into());
    }
    app.runs().cancel_agent(&id).await;
    let gone = id.clone();
    if !app.store().write(move |tx| deleted_agent::put_away(tx, &gone, Timestamp::now())).await? {
        return Err(agents::state::not_found(&id).into());
    }
    app.runs().forget_context(&Thread::new(id.clone(), None));
    Ok(Json(Deleted { message: format!("Agent id={id} successfully deleted") }))
}

#[derive(Deserialize, Serialize, ToSchema, Default)]
#[serde(default)]
pub(crate) struct ResetMessagesRequest {
    /// Accepted; a fresh thread begins with the system message alone.
    add_default_initial_messages: Option<bool>,
}

/// Empties the context window of the default thread down to a fresh system message. The history stays
/// searchable.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/reset-messages", operation_id = "reset_messages", tag = "agents",
    params(("agent_id" = String, Path)), request_body = ResetMessagesRequest,
    responses((status = 200, body = AgentState)))]
pub(crate) async fn reset_messages(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(ResetMessagesRequest { .. }): JsonBody<ResetMessagesRequest>,
) -> Answer<Json<AgentState>> {
    let id: AgentId = id.parse()?;
    let thread = Thread::new(id.clone(), None);
    let reset = thread.clone();
    app.store()
        .try_write(move |tx| {
            require(tx, &reset.agent_id)?;
            prompt::require_idle(tx, &reset)?;
            let first = context::ids(tx, &reset)?.into_iter().next();
            context::replace(tx, &reset, first.as_slice())?;
            prompt::recompile(tx, &reset, false)?;
            Ok::<_, Failure>(())
        })
        .await?;
    app.runs().forget_context(&thread);
    show(&app, id, Include::attached()).await.map(Json)
}

/// Compiles the system prompt anew and returns it. `dry_run` changes nothing.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/recompile", operation_id = "recompile_agent", tag = "agents",
    params(
        ("agent_id" = String, Path), ("update_timestamp" = Option<bool>, Query), ("dry_run" = Option<bool>, Query),
    ),
    responses((status = 200, body = String)))]
pub(crate) async fn recompile(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<String>> {
    let id: AgentId = id.parse()?;
    params.flag("update_timestamp")?;
    let dry_run = params.flag("dry_run")?.unwrap_or(false);
    let thread = Thread::new(id, None);
    let wanted = thread.clone();
    let text = app
        .store()
        .try_write(move |tx| {
            require(tx, &wanted.agent_id)?;
            prompt::recompile(tx, &wanted, dry_run)
        })
        .await?;
    app.runs().forget_context(&thread);
    Ok(Json(text))
}
