//! Passages as agents and searches see them.

use axum::{
    Json, Router,
    extract::State,
    routing::{delete as remove, get, post},
};
use loci_api::{
    archive::{
        ArchivalMemorySearchResponse, ArchivalMemorySearchResult, CreateArchivalMemory, Passage,
        PassageSearchRequest, PassageSearchResult, TagMatchMode,
    },
    error::ApiError,
    ids::{AgentId, PassageId},
    time::Timestamp,
};
use loci_store::table::{
    archive,
    passage::{self, PassageFilter},
    passage_search::{Hit, Search},
};
use serde_json::{Map, Value, json};

use crate::{
    App,
    agents::state::require,
    archival::{self, NewPassage, local, require_archive},
    error::{Answer, Failure},
    extract::{JsonBody, Params, Segments},
    page::{Defaults, page},
};

/// Hits of a search that does not say.
const DEFAULT_HITS: u32 = 10;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents/{agent_id}/archival-memory", get(list).post(create))
        .route("/agents/{agent_id}/archival-memory/search", get(search_of_agent))
        .route("/agents/{agent_id}/archival-memory/{memory_id}", remove(delete))
        .route("/passages/search", post(search))
}

/// Lists what an agent has filed away, oldest first unless said otherwise.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/archival-memory", operation_id = "list_passages", tag = "agents",
    params(
        ("agent_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("search" = Option<String>, Query), ("ascending" = Option<bool>, Query),
    ),
    responses((status = 200, body = Vec<Passage>)))]
pub(crate) async fn list(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<Passage>>> {
    let id: AgentId = id.parse()?;
    let page = page(&params, Defaults { limit: 100, ascending: true })?;
    let filter = PassageFilter {
        agent_id: Some(id.clone()),
        containing: params.text("search").map(str::to_owned),
        ..PassageFilter::default()
    };
    let passages = app
        .store()
        .try_read(move |conn| {
            require(conn, &id)?;
            Ok::<_, Failure>(passage::list(conn, &filter, &page)?)
        })
        .await?;
    Ok(Json(passages))
}

/// Files something away for an agent. The answer is a list of one.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/archival-memory", operation_id = "create_passage",
    tag = "agents", params(("agent_id" = String, Path)), request_body = CreateArchivalMemory,
    responses((status = 200, body = Vec<Passage>)))]
pub(crate) async fn create(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<CreateArchivalMemory>,
) -> Answer<Json<Vec<Passage>>> {
    let new = NewPassage {
        text: request.text,
        tags: request.tags.unwrap_or_default(),
        metadata: None,
        created_at: request.created_at,
    };
    Ok(Json(vec![archival::insert_for_agent(&app, id.parse()?, new).await?]))
}

fn moment(params: &Params, key: &str) -> Answer<Option<Timestamp>> {
    params
        .text(key)
        .map(|text| {
            // In a query a plus sign is a space.
            loci_engine::search::moment(
                &text.replace(' ', "+"),
                &jiff::tz::TimeZone::UTC,
                key == "end_datetime",
            )
            .map_err(|sentence| ApiError::validation(format!("query.{key}: {sentence}")).into())
        })
        .transpose()
}

/// Finds what an agent has filed away, best first.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/archival-memory/search", operation_id = "search_archival_memory",
    tag = "agents",
    params(
        ("agent_id" = String, Path), ("query" = String, Query), ("tags" = Option<Vec<String>>, Query),
        ("tag_match_mode" = Option<String>, Query), ("top_k" = Option<i64>, Query),
        ("start_datetime" = Option<String>, Query), ("end_datetime" = Option<String>, Query),
    ),
    responses((status = 200, body = ArchivalMemorySearchResponse)))]
pub(crate) async fn search_of_agent(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<ArchivalMemorySearchResponse>> {
    let id: AgentId = id.parse()?;
    let modes = [("any", TagMatchMode::Any), ("all", TagMatchMode::All)];
    let wanted = Search {
        query: params.required("query")?.to_owned(),
        agent_id: Some(id.clone()),
        tags: params.texts("tags").into_iter().map(str::to_owned).collect(),
        tag_match_mode: params.choice("tag_match_mode", &modes)?.unwrap_or_default(),
        start: moment(&params, "start_datetime")?,
        end: moment(&params, "end_datetime")?,
        limit: params
            .integer("top_k", 1, 100)?
            .and_then(|top| u32::try_from(top).ok())
            .unwrap_or(DEFAULT_HITS),
        ..Search::default()
    };
    let agent = app.store().try_read(move |conn| require(conn, &id)).await?;
    let hits = archival::search(&app, wanted).await?;
    let results: Vec<_> = hits
        .into_iter()
        .map(|hit| ArchivalMemorySearchResult {
            timestamp: local(hit.passage.created_at.unwrap_or(Timestamp(0)), &agent.timezone),
            id: hit.passage.id,
            content: hit.passage.text,
            tags: hit.passage.tags.unwrap_or_default(),
        })
        .collect();
    Ok(Json(ArchivalMemorySearchResponse { count: results.len(), results }))
}

/// Takes something out of an agent's archives for good.
#[utoipa::path(delete, path = "/v1/agents/{agent_id}/archival-memory/{memory_id}", operation_id = "delete_passage",
    tag = "agents", params(("agent_id" = String, Path), ("memory_id" = String, Path)),
    responses((status = 200, body = Object)))]
pub(crate) async fn delete(
    State(app): State<App>,
    Segments((id, memory_id)): Segments<(String, String)>,
) -> Answer<Json<Value>> {
    let (id, memory_id): (AgentId, PassageId) = (id.parse()?, memory_id.parse()?);
    let gone = memory_id.clone();
    app.store()
        .try_write(move |tx| {
            require(tx, &id)?;
            let seen: Vec<_> =
                archive::list_for_agent(tx, &id)?.into_iter().map(|archive| archive.id).collect();
            passage::get(tx, &gone)?
                .filter(|passage| passage.archive_id.as_ref().is_some_and(|archive| seen.contains(archive)))
                .ok_or_else(|| ApiError::not_found(format!("Passage not found with id='{gone}'")))?;
            passage::delete(tx, &gone)?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(Json(json!({"message": format!("Memory id={memory_id} was deleted")})))
}

/// Finds passages of an agent, of an archive, or of all archives, best first.
#[utoipa::path(post, path = "/v1/passages/search", operation_id = "search_passages", tag = "passages",
    request_body = PassageSearchRequest, responses((status = 200, body = Vec<PassageSearchResult>)))]
pub(crate) async fn search(
    State(app): State<App>,
    JsonBody(request): JsonBody<PassageSearchRequest>,
) -> Answer<Json<Vec<PassageSearchResult>>> {
    let agent_id: Option<AgentId> = request.agent_id.as_deref().map(str::parse).transpose()?;
    let archive_id = request.archive_id.as_deref().map(str::parse).transpose()?;
    let limit = match request.limit.unwrap_or(50) {
        limit @ 1..=100 => u32::try_from(limit).unwrap_or(100),
        other => return Err(ApiError::validation(format!("body.limit: from 1 to 100, got {other}")).into()),
    };
    let scope = (agent_id.clone(), archive_id.clone());
    app.store()
        .try_read(move |conn| {
            if let Some(id) = &scope.0 {
                require(conn, id)?;
            }
            if let Some(id) = &scope.1 {
                require_archive(conn, id)?;
            }
            Ok::<_, Failure>(())
        })
        .await?;
    let hits = archival::search(
        &app,
        Search {
            query: request.query.unwrap_or_default(),
            agent_id,
            archive_id,
            tags: request.tags.unwrap_or_default(),
            tag_match_mode: request.tag_match_mode,
            start: request.start_date,
            end: request.end_date,
            limit,
            vectors: Vec::new(),
        },
    )
    .await?;
    Ok(Json(hits.into_iter().map(result).collect()))
}

fn result(hit: Hit) -> PassageSearchResult {
    let mut metadata = Map::new();
    metadata.insert("fts_rank".to_owned(), json!(hit.word_rank));
    metadata.insert("vector_rank".to_owned(), json!(hit.vector_rank));
    PassageSearchResult { passage: hit.passage, score: hit.score, metadata }
}
