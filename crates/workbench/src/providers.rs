//! `/workbench/providers`: every model provider with where it comes from and how it answers. What changes them is the
//! backend's `providers`; the key itself never comes back.

use std::collections::BTreeMap;

use axum::{
    Json as Answer, Router,
    extract::{Path, State},
    routing::{get, post},
};
use loci_api::{error::ApiError, ids::ProviderId, said::Said};
use loci_llm::{KeyNeed, ModelInfo, ProviderConfig, ProviderKind, ProviderStatus, provider_kinds};
use loci_server::{
    error::Failure,
    providers::{self, Added},
};
use serde::{Deserialize, Serialize};

use crate::{Desk, events::Event, extract::Json, sentences::Machine};

/// The id of a provider of the environment: this and its name.
const ENVIRONMENT: &str = "environment-";
/// The id of a provider found running on this machine: this and its name.
const FOUND: &str = "found-";

/// A provider as the window sees it.
#[derive(Debug, Serialize)]
struct Provider {
    id: String,
    name: String,
    provider_type: String,
    base_url: Option<String>,
    has_key: bool,
    /// Names of extra headers; their values are never shown.
    headers: Vec<String>,
    region: Option<String>,
    api_version: Option<String>,
    /// `base` for one of the environment or found, `byok` for one added by hand.
    category: String,
    /// `added`, `environment` or `found` (running on this machine).
    source: &'static str,
    /// Whether it can be changed here.
    editable: bool,
    /// Whether its list of models was read: `None` before the first answer.
    reachable: Option<bool>,
    /// How many models it offers, where it answered.
    models: Option<usize>,
    /// Why its key cannot be read or it cannot be reached, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Said>,
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/providers", get(list).post(add))
        .route("/providers/kinds", get(kinds))
        .route("/providers/try", post(try_out))
        .route("/providers/{id}", axum::routing::patch(change).delete(remove))
        .route("/providers/{id}/test", post(test))
}

impl Desk {
    /// Tells the models of every provider with its key. Rows that cannot be used are left out and logged; asking
    /// the keyring may wait for a person to unlock it. Runtimes of this machine are looked for in the background.
    ///
    /// # Errors
    /// If the database cannot be read or written.
    pub async fn load_providers(&self) -> anyhow::Result<()> {
        providers::load(self.app()).await?;
        self.events().tell(Event::ProviderChanged);
        self.look_for_runtimes();
        Ok(())
    }
}

/// How each provider answered last, by name.
fn answered(desk: &Desk) -> BTreeMap<String, ProviderStatus> {
    desk.app().models().status().into_iter().map(|status| (status.name.clone(), status)).collect()
}

impl Provider {
    fn with(mut self, answered: Option<&ProviderStatus>) -> Self {
        if let Some(status) = answered {
            self.models = status.models;
            self.reachable = match (&status.problem, status.models) {
                (Some(_), _) => Some(false),
                (None, Some(_)) => Some(true),
                (None, None) => None,
            };
            self.problem = self.problem.or_else(|| status.problem.clone());
        } else if self.problem.is_some() {
            self.reachable = Some(false);
        }
        self
    }
}

fn shown(added: Added) -> Provider {
    Provider {
        id: added.row.id.to_string(),
        name: added.row.name,
        provider_type: added.row.provider_type,
        base_url: added.row.base_url,
        has_key: added.has_key,
        headers: added.headers,
        region: added.row.region,
        api_version: added.row.api_version,
        category: added.row.provider_category,
        source: "added",
        editable: true,
        reachable: None,
        models: None,
        problem: added.problem,
    }
}

fn fixed_one(config: ProviderConfig, prefix: &str, source: &'static str) -> Provider {
    Provider {
        id: format!("{prefix}{}", config.name),
        has_key: config.api_key.is_some(),
        headers: config.headers.into_iter().map(|(name, _)| name).collect(),
        name: config.name,
        provider_type: config.provider_type,
        base_url: Some(config.base_url),
        region: None,
        api_version: None,
        category: config.category,
        source,
        editable: false,
        reachable: None,
        models: None,
        problem: None,
    }
}

/// A kind of provider one can add.
#[derive(Debug, Serialize)]
struct Kind {
    provider_type: &'static str,
    display_name: &'static str,
    /// Where it is, if it has one address.
    base_url: Option<&'static str>,
    /// What an address looks like where everybody has their own.
    base_url_example: Option<&'static str>,
    key_required: bool,
    /// Where a person gets a key.
    keys_page: Option<&'static str>,
    /// Runs on the person's own machine or network.
    is_local: bool,
}

/// The catalogue: every kind one can add, in the order in which they are offered.
async fn kinds() -> Answer<Vec<Kind>> {
    let shown = |kind: &ProviderKind| Kind {
        provider_type: kind.provider_type,
        display_name: kind.display_name,
        base_url: kind.base_url,
        base_url_example: kind.base_url_example,
        key_required: kind.key == KeyNeed::Required,
        keys_page: kind.keys_page,
        is_local: kind.is_local,
    };
    Answer(provider_kinds().iter().map(shown).collect())
}

async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Provider>>, Failure> {
    let answered = answered(&desk);
    let app = desk.app();
    let mut all: Vec<Provider> = providers::list_added(app).await?.into_iter().map(shown).collect();
    let fixed =
        [(app.providers().base(), ENVIRONMENT, "environment"), (app.providers().found(), FOUND, "found")];
    for (configs, prefix, source) in fixed {
        for config in configs {
            // One of the same name took its place.
            if !all.iter().any(|known| known.name == config.name) {
                all.push(fixed_one(config, prefix, source));
            }
        }
    }
    Ok(Answer(
        all.into_iter()
            .map(|provider| {
                let status = answered.get(&provider.name);
                provider.with(status)
            })
            .collect(),
    ))
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
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    api_version: Option<String>,
    /// Sent with every request; kept like keys.
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl From<New> for providers::New {
    fn from(new: New) -> Self {
        Self {
            name: new.name,
            provider_type: new.provider_type,
            base_url: new.base_url,
            api_key: new.api_key,
            region: new.region,
            api_version: new.api_version,
            headers: new.headers.into_iter().collect(),
        }
    }
}

async fn add(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Provider>, Failure> {
    let row = providers::add(desk.app(), new.into()).await?;
    desk.events().tell(Event::ProviderChanged);
    Ok(Answer(shown(providers::describe(desk.app(), row).await)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    base_url: Option<String>,
    /// A new key; an empty text takes the key away; left out, it stays.
    #[serde(default)]
    api_key: Option<String>,
    #[serde(default)]
    region: Option<String>,
    #[serde(default)]
    api_version: Option<String>,
    /// All of them anew; left out, they stay.
    #[serde(default)]
    headers: Option<BTreeMap<String, String>>,
}

async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Json(change): Json<Change>,
) -> Result<Answer<Provider>, Failure> {
    let id = changeable(&id)?;
    let change = providers::Change {
        base_url: change.base_url,
        api_key: change.api_key,
        region: change.region,
        api_version: change.api_version,
        headers: change.headers.map(|headers| headers.into_iter().collect()),
    };
    let row = providers::change(desk.app(), &id, change).await?;
    desk.events().tell(Event::ProviderChanged);
    Ok(Answer(shown(providers::describe(desk.app(), row).await)))
}

async fn remove(
    State(desk): State<Desk>,
    Path(id): Path<String>,
) -> Result<Answer<serde_json::Value>, Failure> {
    let id = changeable(&id)?;
    let removed = providers::remove(desk.app(), &id).await;
    desk.events().tell(Event::ProviderChanged);
    Ok(Answer(serde_json::json!({"deleted": removed?.id})))
}

/// Those of the environment and those found are not changed from here.
fn changeable(id: &str) -> Result<ProviderId, ApiError> {
    if let Some(name) = id.strip_prefix(ENVIRONMENT) {
        return Err(ApiError::conflict(format!(
            "The provider {name} comes from the environment Loci was started with. Change it there, or add one of the same name, which takes its place."
        )));
    }
    if let Some(name) = id.strip_prefix(FOUND) {
        return Err(ApiError::conflict(format!(
            "The provider {name} was found running on this machine. Add one of the same name to set it up differently."
        )));
    }
    id.parse().map_err(|_| unknown(id))
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found(format!("There is no provider {}.", id.chars().take(80).collect::<String>()))
}

#[derive(Serialize)]
struct Tested {
    ok: bool,
    said: Said,
    /// Handles that can be reached.
    models: Vec<String>,
}

impl Tested {
    /// A refusal of the provider is an answer; one of ours is an error.
    fn of(tried: Result<Vec<ModelInfo>, Failure>) -> Result<Self, Failure> {
        match tried {
            Ok(models) => Ok(Self {
                ok: true,
                said: match models.len() {
                    0 => Machine::ProviderNoModels,
                    1 => Machine::ProviderOneModel,
                    number => Machine::ProviderModels { number },
                }
                .into(),
                models: models.into_iter().map(|model| model.handle).collect(),
            }),
            Err(Failure(error)) if error.body.get("error").is_some() => {
                Ok(Self { ok: false, said: providers::refusal(&error), models: Vec::new() })
            }
            Err(failure) => Err(failure),
        }
    }
}

/// Asks the provider for its models. A failure is an answer, not an error.
async fn test(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Tested>, Failure> {
    let app = desk.app();
    let fixed = match (id.strip_prefix(ENVIRONMENT), id.strip_prefix(FOUND)) {
        (Some(name), _) => Some((name, app.providers().base())),
        (None, Some(name)) => Some((name, app.providers().found())),
        (None, None) => None,
    };
    let tried = match fixed {
        Some((name, configs)) => {
            let config =
                configs.into_iter().find(|config| config.name == name).ok_or_else(|| unknown(&id))?;
            app.models().check(config).await.map_err(|error| Failure::from(&error))
        }
        None => {
            let id: ProviderId = id.parse().map_err(|_| unknown(&id))?;
            providers::check(app, &id).await
        }
    };
    Tested::of(tried).map(Answer)
}

/// Tries an address and a key before they are added. Nothing of it is kept.
async fn try_out(State(desk): State<Desk>, Json(new): Json<New>) -> Result<Answer<Tested>, Failure> {
    Tested::of(providers::try_out(desk.app(), new.into()).await).map(Answer)
}
