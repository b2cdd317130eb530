//! Archives, their passages, and which agents look into them.

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{delete as remove, get, patch, post},
};
use loci_api::{
    agent::AgentState,
    archive::{
        Archive, ArchiveCreateRequest, ArchiveUpdateRequest, Passage, PassageBatchCreateRequest,
        PassageCreateRequest,
    },
    error::ApiError,
    ids::{AgentId, ArchiveId, PassageId},
    time::Timestamp,
};
use loci_store::table::{
    agent,
    archive::{self, ArchiveFilter},
    passage,
};
use serde_json::Value;

use crate::{
    App,
    agents::{
        Include,
        settings::embedding as embedding_config,
        state::{require, state},
    },
    archival::{self, NewPassage, new_archive, require_archive},
    error::{Answer, Failure},
    extract::{Client, JsonBody, Params, Segments},
    page::{Defaults, page},
};

/// Characters of the longest name.
const MAX_NAME_CHARS: usize = 255;
/// Passages of one batch.
const MAX_BATCH: usize = 1_000;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/archives", get(list).post(create))
        .route("/archives/{archive_id}", get(retrieve).patch(modify).delete(delete))
        .route("/archives/{archive_id}/agents", get(agents))
        .route("/archives/{archive_id}/passages", post(create_passage))
        .route("/archives/{archive_id}/passages/batch", post(create_passages))
        .route("/archives/{archive_id}/passages/{passage_id}", remove(delete_passage))
        .route("/agents/{agent_id}/archives/attach/{archive_id}", patch(attach))
        .route("/agents/{agent_id}/archives/detach/{archive_id}", patch(detach))
}

fn name(given: &str) -> Result<String, ApiError> {
    let name = given.trim();
    match name.chars().count() {
        0 => Err(ApiError::validation("body.name: An archive needs a name")),
        1..=MAX_NAME_CHARS => Ok(name.to_owned()),
        _ => Err(ApiError::validation(format!("body.name: {MAX_NAME_CHARS} characters at most"))),
    }
}

/// Lists archives, newest first unless said otherwise.
#[utoipa::path(get, path = "/v1/archives/", operation_id = "list_archives", tag = "archives",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query), ("name" = Option<String>, Query),
        ("agent_id" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Archive>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Archive>>> {
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let filter =
        ArchiveFilter { name: params.text("name").map(str::to_owned), agent_id: params.id("agent_id")? };
    Ok(Json(app.store().read(move |conn| archive::list(conn, &filter, &page)).await?))
}

/// Creates an archive. Without an embedder its passages are found by their words.
#[utoipa::path(post, path = "/v1/archives/", operation_id = "create_archive", tag = "archives",
    request_body = ArchiveCreateRequest, responses((status = 200, body = Archive)))]
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(request): JsonBody<ArchiveCreateRequest>,
) -> Answer<Json<Archive>> {
    let config = match (&request.embedding, request.embedding_config) {
        (Some(handle), _) => Some(embedding_config(&app, handle, None)?),
        (None, config) => config,
    };
    let mut made = new_archive(name(&request.name)?, config);
    made.description = request.description;
    made.metadata = request.metadata;
    let written = made.clone();
    app.store().write(move |tx| archive::insert(tx, &written)).await?;
    Ok(Json(made))
}

/// Shows an archive.
#[utoipa::path(get, path = "/v1/archives/{archive_id}", operation_id = "retrieve_archive", tag = "archives",
    params(("archive_id" = String, Path)), responses((status = 200, body = Archive)))]
pub(crate) async fn retrieve(
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Answer<Json<Archive>> {
    let id: ArchiveId = id.parse()?;
    Ok(Json(app.store().try_read(move |conn| require_archive(conn, &id)).await?))
}

/// Changes an archive's name or description.
#[utoipa::path(patch, path = "/v1/archives/{archive_id}", operation_id = "modify_archive", tag = "archives",
    params(("archive_id" = String, Path)), request_body = ArchiveUpdateRequest,
    responses((status = 200, body = Archive)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(change): JsonBody<ArchiveUpdateRequest>,
) -> Answer<Json<Archive>> {
    let id: ArchiveId = id.parse()?;
    let renamed = change.name.as_deref().map(name).transpose()?;
    let changed = app
        .store()
        .try_write(move |tx| {
            let mut archive = require_archive(tx, &id)?;
            archive.name = renamed.unwrap_or(archive.name);
            archive.description = change.description.or(archive.description);
            archive.updated_at = Some(Timestamp::now());
            archive::update(tx, &archive)?;
            Ok::<_, Failure>(archive)
        })
        .await?;
    Ok(Json(changed))
}

/// Deletes an archive with all its passages.
#[utoipa::path(delete, path = "/v1/archives/{archive_id}", operation_id = "delete_archive", tag = "archives",
    params(("archive_id" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<StatusCode> {
    let id: ArchiveId = id.parse()?;
    app.store()
        .try_write(move |tx| {
            require_archive(tx, &id)?;
            archive::delete(tx, &id)?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the agents that look into an archive.
#[utoipa::path(get, path = "/v1/archives/{archive_id}/agents", operation_id = "list_agents_for_archive",
    tag = "archives",
    params(
        ("archive_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("include" = Option<Vec<String>>, Query),
    ),
    responses((status = 200, body = Vec<AgentState>)))]
pub(crate) async fn agents(
    State(app): State<App>,
    Segments(id): Segments<String>,
    client: Client,
    params: Params,
) -> Answer<Json<Vec<AgentState>>> {
    let id: ArchiveId = id.parse()?;
    let include = Include::read(&params, client)?;
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let agents = app
        .store()
        .try_read(move |conn| {
            require_archive(conn, &id)?;
            let mut rows = Vec::new();
            for agent_id in archive::agents(conn, &id)? {
                rows.extend(agent::get(conn, &agent_id)?);
            }
            rows.sort_by(|one, other| {
                one.created_at.cmp(&other.created_at).then_with(|| one.id.cmp(&other.id))
            });
            if !page.ascending {
                rows.reverse();
            }
            if let Some(after) = &page.after
                && let Some(at) = rows.iter().position(|row| row.id.as_str() == after)
            {
                rows.drain(..=at);
            }
            if let Some(before) = &page.before
                && let Some(at) = rows.iter().position(|row| row.id.as_str() == before)
            {
                rows.truncate(at);
            }
            rows.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
            rows.into_iter().map(|row| Ok(state(conn, row, include)?)).collect::<Answer<Vec<_>>>()
        })
        .await?;
    Ok(Json(agents))
}

fn new(request: PassageCreateRequest) -> NewPassage {
    NewPassage {
        text: request.text,
        tags: request.tags.unwrap_or_default(),
        metadata: request.metadata,
        created_at: request.created_at,
    }
}

/// Adds a passage to an archive.
#[utoipa::path(post, path = "/v1/archives/{archive_id}/passages", operation_id = "create_passage_in_archive",
    tag = "archives", params(("archive_id" = String, Path)), request_body = PassageCreateRequest,
    responses((status = 200, body = Passage)))]
pub(crate) async fn create_passage(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<PassageCreateRequest>,
) -> Answer<Json<Passage>> {
    let mut added = archival::insert(&app, id.parse()?, vec![new(request)]).await?;
    Ok(Json(added.pop().ok_or_else(|| anyhow::anyhow!("one passage in, none out"))?))
}

/// Adds many passages to an archive, all or none.
#[utoipa::path(post, path = "/v1/archives/{archive_id}/passages/batch", operation_id = "create_passages_in_archive",
    tag = "archives", params(("archive_id" = String, Path)), request_body = PassageBatchCreateRequest,
    responses((status = 200, body = Vec<Passage>)))]
pub(crate) async fn create_passages(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<PassageBatchCreateRequest>,
) -> Answer<Json<Vec<Passage>>> {
    if request.passages.len() > MAX_BATCH {
        return Err(ApiError::validation(format!("body.passages: {MAX_BATCH} at most in one request")).into());
    }
    let new = request.passages.into_iter().map(new).collect();
    Ok(Json(archival::insert(&app, id.parse()?, new).await?))
}

/// Deletes a passage of an archive.
#[utoipa::path(delete, path = "/v1/archives/{archive_id}/passages/{passage_id}",
    operation_id = "delete_passage_from_archive", tag = "archives",
    params(("archive_id" = String, Path), ("passage_id" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete_passage(
    State(app): State<App>,
    Segments((id, passage_id)): Segments<(String, String)>,
) -> Answer<StatusCode> {
    let (id, passage_id): (ArchiveId, PassageId) = (id.parse()?, passage_id.parse()?);
    app.store()
        .try_write(move |tx| {
            require_archive(tx, &id)?;
            passage::get(tx, &passage_id)?
                .filter(|passage| passage.archive_id.as_ref() == Some(&id))
                .ok_or_else(|| ApiError::not_found(format!("Passage not found with id='{passage_id}'")))?;
            passage::delete(tx, &passage_id)?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lets an agent look into an archive.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/archives/attach/{archive_id}", operation_id = "attach_archive",
    tag = "agents", params(("agent_id" = String, Path), ("archive_id" = String, Path)),
    responses((status = 200)))]
pub(crate) async fn attach(
    State(app): State<App>,
    Segments((agent_id, id)): Segments<(String, String)>,
) -> Answer<Json<Value>> {
    let (agent_id, id): (AgentId, ArchiveId) = (agent_id.parse()?, id.parse()?);
    app.store()
        .try_write(move |tx| {
            require(tx, &agent_id)?;
            require_archive(tx, &id)?;
            Ok::<_, Failure>(archive::attach(tx, &agent_id, &id, false)?)
        })
        .await?;
    Ok(Json(Value::Null))
}

/// Ends that an agent looks into an archive; the archive stays.
#[utoipa::path(patch, path = "/v1/agents/{agent_id}/archives/detach/{archive_id}", operation_id = "detach_archive",
    tag = "agents", params(("agent_id" = String, Path), ("archive_id" = String, Path)),
    responses((status = 200)))]
pub(crate) async fn detach(
    State(app): State<App>,
    Segments((agent_id, id)): Segments<(String, String)>,
) -> Answer<Json<Value>> {
    let (agent_id, id): (AgentId, ArchiveId) = (agent_id.parse()?, id.parse()?);
    app.store()
        .try_write(move |tx| {
            require(tx, &agent_id)?;
            require_archive(tx, &id)?;
            archive::detach(tx, &agent_id, &id)?;
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(Json(Value::Null))
}
