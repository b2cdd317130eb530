//! Model providers added by a person. Keys go to the secret store and never come back.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, patch, post},
};
use loci_api::{
    error::ApiError,
    ids::ProviderId,
    provider::{Provider, ProviderCheck, ProviderCreate, ProviderUpdate},
};
use loci_store::table::provider::{self, ProviderFilter, ProviderRow};
use serde_json::{Value, json};

use crate::{
    App,
    error::Answer,
    extract::{JsonBody, Params, Segments},
    page::{Defaults, page},
    providers::{self, ADDED},
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/providers", get(list).post(create))
        .route("/providers/check", post(check))
        .route("/providers/{provider_id}", get(retrieve).patch(modify).delete(delete))
        .route("/providers/{provider_id}/check", post(check_existing))
        .route("/providers/{provider_id}/refresh", patch(refresh))
}

fn shown(row: ProviderRow) -> Provider {
    Provider {
        id: row.id,
        name: row.name,
        provider_type: row.provider_type,
        provider_category: row.provider_category,
        api_key: (),
        base_url: row.base_url,
        access_key: (),
        region: row.region,
        api_version: row.api_version,
        updated_at: Some(row.updated_at),
        last_synced: row.last_synced,
        api_key_enc: (),
        access_key_enc: (),
    }
}

/// Nothing here signs requests, so a second key would be kept for nothing.
fn one_key(access_key: Option<&str>) -> Result<(), ApiError> {
    match access_key.map(str::trim) {
        None | Some("") => Ok(()),
        Some(_) => Err(ApiError::validation(
            "body.access_key: Pairs of an access key and a secret are not supported; give an API key as api_key.",
        )),
    }
}

/// Lists the providers added by a person, newest first unless said otherwise.
#[utoipa::path(get, path = "/v1/providers/", operation_id = "list_providers", tag = "providers",
    params(
        ("before" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<i64>, Query),
        ("order" = Option<String>, Query), ("order_by" = Option<String>, Query), ("name" = Option<String>, Query),
        ("provider_type" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Provider>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Provider>>> {
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let filter = ProviderFilter {
        name: params.text("name").map(str::to_owned),
        provider_type: params.text("provider_type").map(str::to_owned),
        provider_category: Some(ADDED.to_owned()),
    };
    let rows = app.store().read(move |conn| provider::list(conn, &filter, &page)).await?;
    Ok(Json(rows.into_iter().map(shown).collect()))
}

/// Adds a provider. Its models can be used at once.
#[utoipa::path(post, path = "/v1/providers/", operation_id = "create_provider", tag = "providers",
    request_body = ProviderCreate, responses((status = 200, body = Provider)))]
pub(crate) async fn create(
    State(app): State<App>,
    JsonBody(new): JsonBody<ProviderCreate>,
) -> Answer<Json<Provider>> {
    one_key(new.access_key.as_deref())?;
    let name = new.name.trim();
    if name.is_empty() {
        return Err(ApiError::validation("body.name: A provider needs a name").into());
    }
    if app.providers().base().iter().any(|config| config.name == name) {
        return Err(ApiError::bad_request(format!(
            "INVALID_ARGUMENT: The name {name} belongs to a provider this server was started with. Choose another."
        ))
        .into());
    }
    let added = providers::add(
        &app,
        providers::New {
            name: Some(new.name),
            provider_type: new.provider_type,
            base_url: new.base_url,
            api_key: Some(new.api_key),
            region: new.region,
            api_version: new.api_version,
            headers: Vec::new(),
        },
    )
    .await?;
    Ok(Json(shown(added)))
}

/// Shows a provider, also one this server was started with.
#[utoipa::path(get, path = "/v1/providers/{provider_id}", operation_id = "retrieve_provider", tag = "providers",
    params(("provider_id" = String, Path)), responses((status = 200, body = Provider)))]
pub(crate) async fn retrieve(
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Answer<Json<Provider>> {
    let id: ProviderId = id.parse()?;
    let wanted = id.clone();
    let found = app.store().read(move |conn| provider::get(conn, &wanted)).await?;
    let row = found.ok_or_else(|| ApiError::not_found(format!("Provider not found with id='{id}'")))?;
    Ok(Json(shown(row)))
}

/// Changes a provider's key, and what else is given.
#[utoipa::path(patch, path = "/v1/providers/{provider_id}", operation_id = "modify_provider", tag = "providers",
    params(("provider_id" = String, Path)), request_body = ProviderUpdate,
    responses((status = 200, body = Provider)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(change): JsonBody<ProviderUpdate>,
) -> Answer<Json<Provider>> {
    let id: ProviderId = id.parse()?;
    one_key(change.access_key.as_deref())?;
    let change = providers::Change {
        base_url: change.base_url,
        api_key: Some(change.api_key),
        region: change.region,
        api_version: change.api_version,
        headers: None,
    };
    Ok(Json(shown(providers::change(&app, &id, change).await?)))
}

/// Removes a provider and its key.
#[utoipa::path(delete, path = "/v1/providers/{provider_id}", operation_id = "delete_provider", tag = "providers",
    params(("provider_id" = String, Path)), responses((status = 200, body = Object)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let id: ProviderId = id.parse()?;
    providers::remove(&app, &id).await?;
    Ok(Json(json!({"message": format!("Provider id='{id}' was deleted")})))
}

/// Tries an address and a key. Nothing of it is kept.
#[utoipa::path(post, path = "/v1/providers/check", operation_id = "check_provider", tag = "providers",
    request_body = ProviderCheck, responses((status = 200, body = Object)))]
pub(crate) async fn check(
    State(app): State<App>,
    JsonBody(check): JsonBody<ProviderCheck>,
) -> Answer<Json<Value>> {
    one_key(check.access_key.as_deref())?;
    let tried = providers::New {
        name: None,
        provider_type: check.provider_type,
        base_url: check.base_url,
        api_key: Some(check.api_key),
        region: check.region,
        api_version: check.api_version,
        headers: Vec::new(),
    };
    let kind = tried.provider_type.clone();
    Ok(Json(works(&kind, providers::try_out(&app, tried).await?.len())))
}

/// Tries a provider with the key it has.
#[utoipa::path(post, path = "/v1/providers/{provider_id}/check", operation_id = "check_existing_provider",
    tag = "providers", params(("provider_id" = String, Path)), responses((status = 200, body = Object)))]
pub(crate) async fn check_existing(
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Answer<Json<Value>> {
    let id: ProviderId = id.parse()?;
    Ok(Json(works("the provider", providers::check(&app, &id).await?.len())))
}

fn works(what: &str, models: usize) -> Value {
    json!({"message": format!("The key is valid: {what} answers and offers {models} models.")})
}

/// Reads a provider's list of models anew.
#[utoipa::path(patch, path = "/v1/providers/{provider_id}/refresh", operation_id = "refresh_provider",
    tag = "providers", params(("provider_id" = String, Path)), responses((status = 200, body = Provider)))]
pub(crate) async fn refresh(
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Answer<Json<Provider>> {
    let id: ProviderId = id.parse()?;
    Ok(Json(shown(providers::refresh(&app, &id).await?)))
}
