//! `/workbench/settings`: how this person likes the window, and how careful Loci is for them.

use axum::{Json as Answer, Router, extract::State, routing::get};
use loci_api::{error::ApiError, time::Timestamp};
use loci_server::error::Failure;
use loci_store::table::setting;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Desk,
    events::Event,
    extract::{Json, given},
    sentences::Machine,
};

const KEY: &str = "workbench";
/// Hours of [`Settings::expire_unattended_hours`]: two seconds to a year.
const EXPIRY_HOURS: std::ops::RangeInclusive<f64> = 0.0005..=8_760.0;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    theme: Theme,
    language: Language,
    /// Whether closing the window leaves Loci in the tray.
    close_to_tray: bool,
    /// Whether the system notifies of calls that wait.
    notify_approvals: bool,
    /// Whether the system notifies of runs that ended while the window was away.
    notify_finished: bool,
    /// After so many hours in which nobody was there a waiting call is denied; null: never. It is never allowed.
    pub expire_unattended_hours: Option<f64>,
    /// Whether `run_command` is kept to the opened folder and off the network.
    pub confine_commands: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::default(),
            language: Language::default(),
            close_to_tray: false,
            notify_approvals: true,
            notify_finished: true,
            expire_unattended_hours: Some(24.0),
            confine_commands: true,
        }
    }
}

/// What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    theme: Option<Theme>,
    language: Option<Language>,
    close_to_tray: Option<bool>,
    notify_approvals: Option<bool>,
    notify_finished: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    expire_unattended_hours: Option<Option<f64>>,
    confine_commands: Option<bool>,
}

impl Change {
    fn apply(self, settings: &mut Settings) {
        settings.theme = self.theme.unwrap_or(settings.theme);
        settings.language = self.language.unwrap_or(settings.language);
        settings.close_to_tray = self.close_to_tray.unwrap_or(settings.close_to_tray);
        settings.notify_approvals = self.notify_approvals.unwrap_or(settings.notify_approvals);
        settings.notify_finished = self.notify_finished.unwrap_or(settings.notify_finished);
        settings.confine_commands = self.confine_commands.unwrap_or(settings.confine_commands);
        settings.expire_unattended_hours =
            self.expire_unattended_hours.unwrap_or(settings.expire_unattended_hours);
    }
}

/// Settings as they were stored. One that cannot be read counts as not set, and the others still do.
fn stored(value: Option<Value>) -> Settings {
    let Some(Value::Object(members)) = value else { return Settings::default() };
    let whole = Value::Object(members.clone());
    if let Ok(settings) = serde_json::from_value(whole) {
        return settings;
    }
    let readable = members.into_iter().filter(|(key, value)| {
        let one = Value::from_iter([(key.clone(), value.clone())]);
        serde_json::from_value::<Settings>(one).is_ok()
    });
    serde_json::from_value(readable.collect()).unwrap_or_default()
}

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/settings", get(read).patch(change))
}

/// What is set now.
pub(crate) async fn read_settings(desk: &Desk) -> Result<Settings, Failure> {
    Ok(stored(desk.app().store().read(|conn| setting::get(conn, KEY)).await?))
}

async fn read(State(desk): State<Desk>) -> Result<Answer<Settings>, Failure> {
    Ok(Answer(read_settings(&desk).await?))
}

async fn change(State(desk): State<Desk>, Json(change): Json<Change>) -> Result<Answer<Settings>, Failure> {
    if let Some(Some(hours)) = change.expire_unattended_hours
        && !EXPIRY_HOURS.contains(&hours)
    {
        let (least, most) = (*EXPIRY_HOURS.start(), *EXPIRY_HOURS.end());
        return Err(ApiError::validation(Machine::ExpireHours { least, most }).into());
    }
    let settings = desk
        .app()
        .store()
        .write(move |tx| {
            let before = setting::get(tx, KEY)?;
            let mut settings = stored(before.clone());
            change.apply(&mut settings);
            let mut kept = match before {
                Some(Value::Object(kept)) => kept,
                Some(_) | None => serde_json::Map::new(),
            };
            if let Value::Object(known) = serde_json::to_value(&settings)? {
                kept.extend(known);
            }
            setting::set(tx, KEY, &kept.into(), Timestamp::now())?;
            Ok(settings)
        })
        .await?;
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(settings))
}
