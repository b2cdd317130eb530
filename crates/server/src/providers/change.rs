//! Adding, changing, removing and trying out providers.

use loci_api::{error::ApiError, ids::ProviderId, time::Timestamp};
use loci_llm::{ModelInfo, ProviderConfig};
use loci_store::table::provider::{self, ProviderRow};
use secrecy::SecretString;

use super::{ADDED, address, apply, config, config_of};
use crate::{
    App,
    error::{Answer, Failure},
    secrets::{SecretError, of_provider, of_provider_headers},
};

/// A provider to add or to try out.
#[derive(Clone, Default)]
pub struct New {
    /// Left out or blank: the type.
    pub name: Option<String>,
    pub provider_type: String,
    pub base_url: Option<String>,
    /// Blank is none.
    pub api_key: Option<String>,
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub headers: Vec<(String, String)>,
}

/// What changes; `None` leaves it as it is.
#[derive(Clone, Default)]
pub struct Change {
    pub base_url: Option<String>,
    /// Blank takes the key away.
    pub api_key: Option<String>,
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub headers: Option<Vec<(String, String)>>,
}

/// An entered key: blank is none, and the spaces of a copy are not part of it.
fn entered(key: Option<String>) -> Option<SecretString> {
    key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).map(SecretString::from)
}

fn text(given: Option<String>) -> Option<String> {
    given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A key that could not be kept or read is not the client's fault, but a person can mend it: the sentence goes out.
fn refused(error: &SecretError) -> Failure {
    ApiError::unavailable(format!("{error}.")).into()
}

fn checked(config: &ProviderConfig) -> Result<(), ApiError> {
    config.check().map_err(|error| ApiError::validation(format!("{error}.")))
}

fn row_of(new: &New) -> Result<ProviderRow, ApiError> {
    let now = Timestamp::now();
    let provider_type = new.provider_type.trim().to_owned();
    Ok(ProviderRow {
        id: ProviderId::new(),
        name: text(new.name.clone()).unwrap_or_else(|| provider_type.clone()),
        base_url: Some(address(&provider_type, new.base_url.as_deref(), new.region.as_deref())?),
        provider_type,
        provider_category: ADDED.to_owned(),
        api_version: text(new.api_version.clone()),
        region: text(new.region.clone()),
        last_synced: None,
        created_at: now,
        updated_at: now,
    })
}

/// Adds a provider; one of the environment of the same name gives way to it. Asks nobody.
///
/// # Errors
/// 409 for a name that was added before, 422 for what cannot be used, 503 if the key cannot be kept.
pub async fn add(app: &App, new: New) -> Answer<ProviderRow> {
    let mut row = row_of(&new)?;
    let key = entered(new.api_key);
    checked(&config_of(&row, key.clone(), new.headers.clone()))?;
    let _changing = app.providers().changing.lock().await;
    let name = row.name.clone();
    match app.store().read(move |conn| provider::get_by_name(conn, &name)).await? {
        Some(known) if known.provider_category == ADDED => {
            let sentence = format!("There is a provider named {} already. Choose another name.", row.name);
            return Err(ApiError::conflict(sentence).into());
        }
        // It takes the place of the environment's.
        Some(known) => row.id = known.id,
        None => {}
    }
    // The key first: a row without its key would look usable and fail at the first message.
    let secrets = app.secrets();
    if let Some(key) = key {
        secrets.set(&of_provider(&row.id), key).await.map_err(|error| refused(&error))?;
    }
    keep_headers(app, &row.id, &new.headers).await?;
    let written = row.clone();
    app.store().write(move |tx| provider::upsert_by_name(tx, &written)).await?;
    apply(app).await?;
    Ok(row)
}

async fn keep_headers(app: &App, id: &ProviderId, headers: &[(String, String)]) -> Answer<()> {
    let secrets = app.secrets();
    let name = of_provider_headers(id);
    let kept = if headers.is_empty() {
        secrets.delete(&name).await
    } else {
        let text = serde_json::to_string(headers).map_err(anyhow::Error::from)?;
        secrets.set(&name, SecretString::from(text)).await
    };
    kept.map_err(|error| refused(&error))
}

/// The provider with this id that was added by a person.
async fn added(app: &App, id: &ProviderId) -> Answer<ProviderRow> {
    let wanted = id.clone();
    let found = app.store().read(move |conn| provider::get(conn, &wanted)).await?;
    found
        .filter(|row| row.provider_category == ADDED)
        .ok_or_else(|| ApiError::not_found(format!("Provider not found with id='{id}'")).into())
}

/// Changes a provider that was added by a person.
///
/// # Errors
/// 404, 422 for what cannot be used, 503 if the key cannot be kept.
pub async fn change(app: &App, id: &ProviderId, change: Change) -> Answer<ProviderRow> {
    let _changing = app.providers().changing.lock().await;
    let mut row = added(app, id).await?;
    if let Some(url) = change.base_url {
        row.base_url = Some(address(&row.provider_type, Some(&url), row.region.as_deref())?);
    }
    if change.region.is_some() {
        row.region = text(change.region);
    }
    if change.api_version.is_some() {
        row.api_version = text(change.api_version);
    }
    row.updated_at = Timestamp::now();
    let replaced = change.api_key.is_some();
    let key = entered(change.api_key);
    checked(&config_of(&row, key.clone(), change.headers.clone().unwrap_or_default()))?;
    let secrets = app.secrets();
    let name = of_provider(&row.id);
    match key {
        Some(key) => secrets.set(&name, key).await.map_err(|error| refused(&error))?,
        None if replaced => secrets.delete(&name).await.map_err(|error| refused(&error))?,
        None => {}
    }
    if let Some(headers) = change.headers {
        keep_headers(app, &row.id, &headers).await?;
    }
    let written = row.clone();
    app.store().write(move |tx| provider::update(tx, &written)).await?;
    apply(app).await?;
    Ok(row)
}

/// Removes a provider that was added by a person, and its key.
///
/// # Errors
/// 404; 503 if the provider is gone but its key could not be deleted.
pub async fn remove(app: &App, id: &ProviderId) -> Answer<ProviderRow> {
    let _changing = app.providers().changing.lock().await;
    let row = added(app, id).await?;
    let gone = row.id.clone();
    app.store().write(move |tx| provider::delete(tx, &gone)).await?;
    apply(app).await?;
    // Last: whatever the keyring says, nothing uses the key any more.
    let secrets = app.secrets();
    for name in [of_provider(&row.id), of_provider_headers(&row.id)] {
        secrets.delete(&name).await.map_err(|error| {
            Failure(ApiError::unavailable(format!(
                "The provider is removed, but its key is still kept: {error}."
            )))
        })?;
    }
    Ok(row)
}

/// Asks a provider for its models; nothing of it is kept.
///
/// # Errors
/// 422 for what cannot be used, else what the provider or the network said.
pub async fn try_out(app: &App, new: New) -> Answer<Vec<ModelInfo>> {
    let key = entered(new.api_key.clone());
    let config = config_of(&row_of(&new)?, key, new.headers);
    checked(&config)?;
    app.models().check(config).await.map_err(|error| Failure::from(&error))
}

/// Asks a provider that was added by a person for its models, with the key it has.
///
/// # Errors
/// 404, 503 if its key cannot be read, else what the provider or the network said.
pub async fn check(app: &App, id: &ProviderId) -> Answer<Vec<ModelInfo>> {
    let row = added(app, id).await?;
    let config = config(app, &row).await.map_err(|error| refused(&error))?;
    app.models().check(config).await.map_err(|error| Failure::from(&error))
}

/// As [`check`], and what is kept of its models is read anew.
///
/// # Errors
/// As [`check`].
pub async fn refresh(app: &App, id: &ProviderId) -> Answer<ProviderRow> {
    check(app, id).await?;
    let _changing = app.providers().changing.lock().await;
    let mut row = added(app, id).await?;
    row.last_synced = Some(Timestamp::now());
    let written = row.clone();
    app.store().write(move |tx| provider::update(tx, &written)).await?;
    apply(app).await?;
    Ok(row)
}
