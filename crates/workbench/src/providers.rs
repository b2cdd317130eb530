//! `/workbench/providers`: model endpoints and their keys. A row says where, the secret store keeps the key, and
//! the models of the backend are told of both together.

use axum::{
    Json as Answer, Router,
    extract::{Path, State},
    routing::{get, post},
};
use loci_api::{error::ApiError, ids::ProviderId, time::Timestamp};
use loci_llm::ProviderConfig;
use loci_server::error::Failure;
use loci_store::{
    Page, StoreError,
    table::provider::{self, ProviderFilter, ProviderRow},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Desk, events::Event, extract::Json, secrets::SecretError};

/// More providers than anybody configures.
const MOST: u32 = 1_000;
/// The id of a provider of the environment: this and its name.
const ENVIRONMENT: &str = "environment-";
/// The category of providers added by hand.
const ADDED: &str = "byok";

/// A provider as the window sees it; the key itself never comes back.
#[derive(Debug, Serialize)]
struct Provider {
    id: String,
    name: String,
    provider_type: String,
    base_url: Option<String>,
    has_key: bool,
    /// `base` for one of the environment, `byok` for one added by hand.
    category: String,
    /// Whether it can be changed here; those of the environment cannot.
    editable: bool,
    /// Why its key cannot be read, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/providers", get(list).post(add))
        .route("/providers/{id}", axum::routing::patch(change).delete(remove))
        .route("/providers/{id}/test", post(test))
}

fn secret_name(id: &ProviderId) -> String {
    format!("provider/{id}")
}

/// A key that could not be kept or read is not the client's fault, but a person can mend it: the sentence goes out.
fn refused(error: SecretError) -> Failure {
    ApiError::unavailable(format!("{error}.")).into()
}

impl Desk {
    /// Tells the models of the environment's providers, as far as none added by hand takes their place. Quick.
    pub(crate) async fn load_environment(&self) -> anyhow::Result<()> {
        let _change = self.changing_providers().await;
        let added = self.added().await?;
        self.app()
            .set_providers(self.environment_beside(|name| added.iter().any(|row| row.name == name)))
            .await
    }

    /// Tells the models of every provider with its key. Rows that cannot be used are left out and logged; asking
    /// the keyring may wait for a person to unlock it.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn load_providers(&self) -> anyhow::Result<()> {
        let _change = self.changing_providers().await;
        self.apply_providers().await
    }

    async fn apply_providers(&self) -> anyhow::Result<()> {
        let mut configs = Vec::new();
        for row in self.added().await? {
            let key = match self.secrets().get(&secret_name(&row.id)).await {
                Ok(key) => key,
                Err(error) => {
                    tracing::warn!(provider = row.name, %error, "the key of a provider cannot be read");
                    None
                }
            };
            let config = config_of(&row, key);
            match config.check() {
                Ok(()) => configs.push(config),
                Err(error) => tracing::warn!(provider = row.name, %error, "a provider cannot be used"),
            }
        }
        let environment = self.environment_beside(|name| configs.iter().any(|added| added.name == name));
        configs.extend(environment);
        self.app().set_providers(configs).await
    }

    /// The environment's providers but those of the names that are `taken`.
    fn environment_beside(&self, taken: impl Fn(&str) -> bool) -> Vec<ProviderConfig> {
        self.options().environment.iter().filter(|config| !taken(&config.name)).cloned().collect()
    }

    /// Those added by hand. The backend keeps rows of the environment's too, for its own references.
    async fn added(&self) -> Result<Vec<ProviderRow>, StoreError> {
        let page = Page { ascending: true, ..Page::newest(MOST) };
        let filter =
            ProviderFilter { provider_category: Some(ADDED.to_owned()), ..ProviderFilter::default() };
        self.app().store().read(move |conn| provider::list(conn, &filter, &page)).await
    }

    async fn provider_row(&self, id: &str) -> Result<ProviderRow, Failure> {
        let unknown = || {
            ApiError::not_found(format!("There is no provider {}.", id.chars().take(80).collect::<String>()))
        };
        let id: ProviderId = id.parse().map_err(|_| unknown())?;
        let found = self.app().store().read(move |conn| provider::get(conn, &id)).await?;
        Ok(found.filter(|row| row.provider_category == ADDED).ok_or_else(unknown)?)
    }

    async fn shown(&self, row: ProviderRow) -> Provider {
        let (has_key, problem) = match self.secrets().get(&secret_name(&row.id)).await {
            Ok(key) => (key.is_some(), None),
            Err(error) => (false, Some(format!("{error}."))),
        };
        Provider {
            id: row.id.to_string(),
            name: row.name,
            provider_type: row.provider_type,
            base_url: row.base_url,
            has_key,
            category: row.provider_category,
            editable: true,
            problem,
        }
    }
}

fn config_of(row: &ProviderRow, api_key: Option<SecretString>) -> ProviderConfig {
    ProviderConfig {
        name: row.name.clone(),
        provider_type: row.provider_type.clone(),
        base_url: row.base_url.clone().unwrap_or_default(),
        api_key,
        headers: Vec::new(),
        category: row.provider_category.clone(),
    }
}

async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Provider>>, Failure> {
    let mut providers = Vec::new();
    for row in desk.added().await? {
        providers.push(desk.shown(row).await);
    }
    for config in &desk.options().environment {
        if providers.iter().any(|added| added.name == config.name) {
            continue;
        }
        providers.push(Provider {
            id: format!("{ENVIRONMENT}{}", config.name),
            name: config.name.clone(),
            provider_type: config.provider_type.clone(),
            base_url: Some(config.base_url.clone()),
            has_key: config.api_key.is_some(),
            category: config.category.clone(),
            editable: false,
            problem: None,
        });
    }
    Ok(Answer(providers))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    /// The first half of its models' handles. Left out: the type.
    #[serde(default)]
    name: Option<String>,
    provider_type: String,
    /// May be left out where the type has one known address.
    #[serde(default)]
    base_url: Option<String>,
    #[serde(default)]
    api_key: Option<String>,
}

/// An entered key: blank is none, and the spaces of a copy are not part of it.
fn entered(key: Option<String>) -> Option<SecretString> {
    key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).map(SecretString::from)
}

fn address(provider_type: &str, base_url: Option<String>) -> Result<String, ApiError> {
    let given = base_url.map(|url| url.trim().to_owned()).filter(|url| !url.is_empty());
    match (given, provider_type) {
        (Some(url), _) => Ok(url),
        (None, "openai") => Ok("https://api.openai.com/v1".to_owned()),
        (None, "anthropic") => Ok("https://api.anthropic.com".to_owned()),
        (None, _) => {
            Err(ApiError::validation(format!("A provider of type {provider_type} needs a base URL.")))
        }
    }
}

async fn add(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Provider>, Failure> {
    let now = Timestamp::now();
    let name = new.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    let mut row = ProviderRow {
        id: ProviderId::new(),
        name: name.unwrap_or_else(|| new.provider_type.clone()),
        base_url: Some(address(&new.provider_type, new.base_url)?),
        provider_type: new.provider_type,
        provider_category: ADDED.to_owned(),
        api_version: None,
        region: None,
        last_synced: None,
        created_at: now,
        updated_at: now,
    };
    let key = entered(new.api_key);
    config_of(&row, key.clone()).check().map_err(|error| ApiError::validation(format!("{error}.")))?;
    let _change = desk.changing_providers().await;
    let name = row.name.clone();
    let known = desk.app().store().read(move |conn| provider::get_by_name(conn, &name)).await?;
    match known {
        Some(known) if known.provider_category == ADDED => {
            let text = format!("There is a provider named {} already. Choose another name.", row.name);
            return Err(ApiError::conflict(text).into());
        }
        // It takes the place of the environment's.
        Some(known) => row.id = known.id,
        None => {}
    }
    // The key first: a row without its key would look usable and fail at the first message.
    if let Some(key) = key {
        desk.secrets().set(&secret_name(&row.id), key).await.map_err(refused)?;
    }
    let written = row.clone();
    desk.app().store().write(move |tx| provider::upsert_by_name(tx, &written)).await?;
    desk.apply_providers().await?;
    desk.events().tell(Event::ProviderChanged);
    Ok(Answer(desk.shown(row).await))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    base_url: Option<String>,
    /// A new key; an empty text takes the key away; left out, it stays.
    #[serde(default)]
    api_key: Option<String>,
}

async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Answer<Provider>, Failure> {
    fixed(&id)?;
    let _changing = desk.changing_providers().await;
    let mut row = desk.provider_row(&id).await?;
    if let Some(url) = change.base_url {
        row.base_url = Some(address(&row.provider_type, Some(url))?);
    }
    row.updated_at = Timestamp::now();
    let replaced = change.api_key.is_some();
    let key = entered(change.api_key);
    config_of(&row, key.clone()).check().map_err(|error| ApiError::validation(format!("{error}.")))?;
    let name = secret_name(&row.id);
    match key {
        Some(key) => desk.secrets().set(&name, key).await.map_err(refused)?,
        None if replaced => desk.secrets().delete(&name).await.map_err(refused)?,
        None => {}
    }
    let written = row.clone();
    desk.app().store().write(move |tx| provider::update(tx, &written)).await?;
    desk.apply_providers().await?;
    desk.events().tell(Event::ProviderChanged);
    Ok(Answer(desk.shown(row).await))
}

async fn remove(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Answer<serde_json::Value>, Failure> {
    fixed(&id)?;
    let _change = desk.changing_providers().await;
    let row = desk.provider_row(&id).await?;
    let gone = row.id.clone();
    desk.app().store().write(move |tx| provider::delete(tx, &gone)).await?;
    desk.apply_providers().await?;
    desk.events().tell(Event::ProviderChanged);
    // Last: whatever the keyring says, nothing uses the key any more.
    desk.secrets().delete(&secret_name(&row.id)).await.map_err(|error| {
        refused(SecretError::Unavailable(format!(
            "the provider is removed, but its key is still kept ({error})"
        )))
    })?;
    Ok(Answer(serde_json::json!({"deleted": row.id})))
}

/// Those of the environment are not changed from here.
fn fixed(id: &str) -> Result<(), ApiError> {
    match id.strip_prefix(ENVIRONMENT) {
        Some(name) => Err(ApiError::conflict(format!(
            "The provider {name} comes from the environment Loci was started with. Change it there, or add one of the same name, which takes its place."
        ))),
        None => Ok(()),
    }
}

#[derive(Serialize)]
struct Tested {
    ok: bool,
    message: String,
    /// Handles that can be reached.
    models: Vec<String>,
}

/// Asks the provider for its models. A failure is an answer, not an error.
async fn test(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Tested>, Failure> {
    let config = match id.strip_prefix(ENVIRONMENT) {
        Some(name) => {
            desk.options().environment.iter().find(|config| config.name == name).cloned().ok_or_else(
                || ApiError::not_found(format!("There is no provider {name} in the environment.")),
            )?
        }
        None => {
            let row = desk.provider_row(&id).await?;
            let key = desk.secrets().get(&secret_name(&row.id)).await.map_err(refused)?;
            config_of(&row, key)
        }
    };
    Ok(Answer(match desk.app().models().check(config).await {
        Ok(models) => Tested {
            ok: true,
            message: match models.len() {
                0 => "The server answers, but offers no chat models.".to_owned(),
                1 => "The server answers and offers 1 model.".to_owned(),
                some => format!("The server answers and offers {some} models."),
            },
            models: models.into_iter().map(|model| model.handle).collect(),
        },
        Err(error) => Tested { ok: false, message: error.message, models: Vec::new() },
    }))
}
