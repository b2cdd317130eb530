//! Tools: list, create or change by name, show, delete, derive a schema, run source once.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::{
    error::ApiError,
    ids::ToolId,
    resource::{Tool, ToolType},
    time::Timestamp,
    tool::{GenerateSchema, ToolCreate, ToolRunFromSource, ToolSearchRequest, ToolSearchResult, ToolUpdate},
};
use loci_store::{
    Page,
    table::{
        tool::{self, ToolFilter},
        tool_settings,
    },
};
use serde_json::{Value, json};

use crate::{
    App,
    error::{Answer, Failure},
    extract::{JsonBody, Params, Segments},
    page::{Defaults, page},
    run_tool, secrets, tool_search, tools,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/tools", get(list).post(create).put(upsert))
        .route("/tools/count", get(count))
        .route("/tools/search", post(search))
        .route("/tools/add-base-tools", post(add_base_tools))
        .route("/tools/generate-schema", post(generate_schema))
        .route("/tools/run", post(run))
        .route("/tools/{tool_id}", get(retrieve).patch(modify).delete(delete))
}

const LETTA_TYPES: [ToolType; 7] = [
    ToolType::LettaCore,
    ToolType::LettaMemoryCore,
    ToolType::LettaMultiAgentCore,
    ToolType::LettaSleeptimeCore,
    ToolType::LettaVoiceSleeptimeCore,
    ToolType::LettaBuiltin,
    ToolType::LettaFilesCore,
];

fn tool_types(params: &Params, key: &str) -> Answer<Vec<ToolType>> {
    params
        .words(key)
        .into_iter()
        .map(|word| {
            serde_json::from_value(json!(word)).map_err(|_| {
                let shown: String = word.chars().take(80).collect();
                Failure(ApiError::bad_request(format!(
                    "Tool type '{shown}' in {key} is not one of the known types"
                )))
            })
        })
        .collect()
}

fn filter(params: &Params) -> Answer<ToolFilter> {
    let mut types = tool_types(params, "tool_types")?;
    let mut excluded = tool_types(params, "exclude_tool_types")?;
    if params.flag("return_only_letta_tools")?.unwrap_or(false) {
        types = if types.is_empty() {
            LETTA_TYPES.to_vec()
        } else {
            types.into_iter().filter(|kind| LETTA_TYPES.contains(kind)).collect()
        };
        if types.is_empty() {
            // Nothing is both: exclude everything rather than narrow by nothing.
            excluded.extend(LETTA_TYPES);
            types = LETTA_TYPES.to_vec();
        }
    }
    if params.flag("exclude_letta_tools")?.unwrap_or(false) {
        excluded.extend(LETTA_TYPES);
    }
    let ids = params
        .words("tool_ids")
        .into_iter()
        .map(|id| {
            id.parse::<ToolId>()
                .map_err(|error| Failure(ApiError::validation(format!("query.tool_ids: {error}"))))
        })
        .collect::<Answer<Vec<_>>>()?;
    Ok(ToolFilter {
        name: params.text("name").map(str::to_owned),
        names: params.words("names").into_iter().map(str::to_owned).collect(),
        ids,
        tool_types: types,
        exclude_tool_types: excluded,
        search: params.text("search").map(str::to_owned),
        agent_id: None,
    })
}

/// Lists tools, newest first unless said otherwise. The first page brings the built-in ones back.
#[utoipa::path(get, path = "/v1/tools/", operation_id = "list_tools", tag = "tools",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query), ("name" = Option<String>, Query),
        ("names" = Option<Vec<String>>, Query), ("tool_ids" = Option<Vec<String>>, Query),
        ("search" = Option<String>, Query), ("tool_types" = Option<Vec<String>>, Query),
        ("exclude_tool_types" = Option<Vec<String>>, Query), ("return_only_letta_tools" = Option<bool>, Query),
    ),
    responses((status = 200, body = Vec<Tool>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Tool>>> {
    let filter = filter(&params)?;
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    if page.after.is_none() {
        tools::upsert_builtins(&app).await?;
    }
    Ok(Json(app.store().read(move |conn| tool::list(conn, &filter, &page)).await?))
}

/// How many tools there are.
#[utoipa::path(get, path = "/v1/tools/count", operation_id = "count_tools", tag = "tools",
    params(
        ("name" = Option<String>, Query), ("names" = Option<Vec<String>>, Query),
        ("tool_ids" = Option<Vec<String>>, Query), ("search" = Option<String>, Query),
        ("tool_types" = Option<Vec<String>>, Query), ("exclude_tool_types" = Option<Vec<String>>, Query),
        ("return_only_letta_tools" = Option<bool>, Query), ("exclude_letta_tools" = Option<bool>, Query),
    ),
    responses((status = 200, body = i64)))]
pub(crate) async fn count(State(app): State<App>, params: Params) -> Answer<Json<i64>> {
    let filter = filter(&params)?;
    Ok(Json(app.store().read(move |conn| tool::count(conn, &filter)).await?))
}

/// Creates a tool, or changes the one of the same name, which keeps its id. The schema is derived from the
/// source unless it is given.
#[utoipa::path(post, path = "/v1/tools/", operation_id = "create_tool", tag = "tools",
    request_body = ToolCreate, responses((status = 200, body = Tool)))]
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<ToolCreate>,
) -> Answer<Json<Tool>> {
    // Parsing is quick, but bounded by nothing the async threads should wait for.
    let tool = blocking(move || tools::from_source(request)).await?;
    Ok(Json(app.store().try_write(move |tx| tools::upsert(tx, tool, Timestamp::now())).await?))
}

/// As creating one.
#[utoipa::path(put, path = "/v1/tools/", operation_id = "upsert_tool", tag = "tools",
    request_body = ToolCreate, responses((status = 200, body = Tool)))]
pub(crate) async fn upsert(app: State<App>, body: JsonBody<ToolCreate>) -> Answer<Json<Tool>> {
    create(app, body).await
}

async fn blocking<T, F>(work: F) -> Answer<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, ApiError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(error) => Err(anyhow::Error::new(error).context("reading a tool's source").into()),
    }
}

/// Shows a tool.
#[utoipa::path(get, path = "/v1/tools/{tool_id}", operation_id = "retrieve_tool", tag = "tools",
    params(("tool_id" = String, Path)), responses((status = 200, body = Tool)))]
pub(crate) async fn retrieve(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Tool>> {
    let id: ToolId = id.parse()?;
    Ok(Json(app.store().try_read(move |conn| tools::require(conn, &id)).await?))
}

/// Changes a tool.
#[utoipa::path(patch, path = "/v1/tools/{tool_id}", operation_id = "modify_tool", tag = "tools",
    params(("tool_id" = String, Path)), request_body = ToolUpdate, responses((status = 200, body = Tool)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<ToolUpdate>,
) -> Answer<Json<Tool>> {
    let id: ToolId = id.parse()?;
    let tool = app
        .store()
        .try_write(move |tx| tools::change(tx, tools::require(tx, &id)?, request, Timestamp::now()))
        .await?;
    Ok(Json(tool))
}

/// Deletes a tool; it disappears from every agent. A built-in comes back with the next list.
#[utoipa::path(delete, path = "/v1/tools/{tool_id}", operation_id = "delete_tool", tag = "tools",
    params(("tool_id" = String, Path)), responses((status = 200, body = Option<Object>)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let id: ToolId = id.parse()?;
    let gone = id.clone();
    let deleted = app
        .store()
        .write(move |tx| {
            let secret_names = tool_settings::get(tx, &gone)?.secret_names;
            Ok(tool::delete(tx, &gone)?.then_some(secret_names))
        })
        .await?;
    let Some(secret_names) = deleted else { return Err(tools::not_found(&id).into()) };
    secrets::forget(&*app.secrets(), &secret_names, |name| secrets::of_tool(&id, name)).await;
    Ok(Json(Value::Null))
}

/// Finds tools by words in their names, descriptions, parameters and tags.
#[utoipa::path(post, path = "/v1/tools/search", operation_id = "search_tools", tag = "tools",
    request_body = ToolSearchRequest, responses((status = 200, body = Vec<ToolSearchResult>)))]
pub(crate) async fn search(
    State(app): State<App>,
    JsonBody(request): JsonBody<ToolSearchRequest>,
) -> Answer<Json<Vec<ToolSearchResult>>> {
    tools::upsert_builtins(&app).await?;
    Ok(Json(app.store().try_read(move |conn| tool_search::search(conn, &request)).await?))
}

/// Brings all built-in tools back and lists them.
#[utoipa::path(post, path = "/v1/tools/add-base-tools", operation_id = "add_base_tools", tag = "tools",
    responses((status = 200, body = Vec<Tool>)))]
pub(crate) async fn add_base_tools(State(app): State<App>) -> Answer<Json<Vec<Tool>>> {
    tools::upsert_builtins(&app).await?;
    let names = loci_tools::builtin::builtins().iter().map(|tool| tool.name.to_owned()).collect();
    let filter = ToolFilter { names, ..ToolFilter::default() };
    Ok(Json(app.store().read(move |conn| tool::list(conn, &filter, &Page::oldest(1_000))).await?))
}

/// Derives the schema of a source without running or storing it.
#[utoipa::path(post, path = "/v1/tools/generate-schema", operation_id = "generate_tool_schema", tag = "tools",
    request_body = GenerateSchema, responses((status = 200, body = Object)))]
pub(crate) async fn generate_schema(JsonBody(request): JsonBody<GenerateSchema>) -> Answer<Json<Value>> {
    let kind = tools::source_type(request.source_type.as_deref())?;
    let derived = blocking(move || tools::derive(&request.code, kind, None)).await?;
    Ok(Json(Value::Object(derived.json_schema)))
}

/// Runs source once, confined, and stores nothing. 200 even if it fails: the answer says so.
#[utoipa::path(post, path = "/v1/tools/run", operation_id = "run_tool_from_source", tag = "tools",
    request_body = ToolRunFromSource, responses((status = 200, body = loci_api::wire::ToolReturnMessage)))]
pub(crate) async fn run(
    State(app): State<App>,
    JsonBody(request): JsonBody<ToolRunFromSource>,
) -> Answer<Json<Value>> {
    run_tool::from_source(&app, request).await.map(Json)
}
