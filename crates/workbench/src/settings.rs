//! `/workbench/settings`: how this person likes the window.

use axum::{Json as Answer, Router, extract::State, routing::get};
use loci_api::time::Timestamp;
use loci_server::error::Failure;
use loci_store::table::setting;
use serde::{Deserialize, Serialize};

use crate::{Desk, events::Event, extract::Json};

const KEY: &str = "workbench";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Language {
    #[default]
    System,
    En,
    De,
}

/// Everything that can be set. A setting of a newer Loci that is not known here is left alone by older ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    theme: Theme,
    language: Language,
}

/// What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    theme: Option<Theme>,
    language: Option<Language>,
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/settings", get(read).patch(change))
}

async fn read(State(desk): State<Desk>) -> Result<Answer<Settings>, Failure> {
    let stored = desk.app().store().read(|conn| setting::get(conn, KEY)).await?;
    Ok(Answer(stored.and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()))
}

async fn change(State(desk): State<Desk>, Json(change): Json<Change>) -> Result<Answer<Settings>, Failure> {
    let settings = desk
        .app()
        .store()
        .write(move |tx| {
            let stored = setting::get(tx, KEY)?.unwrap_or_default();
            let mut settings: Settings = serde_json::from_value(stored.clone()).unwrap_or_default();
            settings.theme = change.theme.unwrap_or(settings.theme);
            settings.language = change.language.unwrap_or(settings.language);
            let mut kept = stored.as_object().cloned().unwrap_or_default();
            if let serde_json::Value::Object(known) = serde_json::to_value(&settings)? {
                kept.extend(known);
            }
            setting::set(tx, KEY, &kept.into(), Timestamp::now())?;
            Ok(settings)
        })
        .await?;
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(settings))
}
