//! `/workbench/secrets`: where keys are kept, and the person's choice of it. No route gives a key back.

use axum::{Json as Answer, Router, extract::State, routing::get};
use loci_api::error::ApiError;
use loci_server::error::Failure;
use serde::Deserialize;

use super::{Place, SecretError, SecretStatus};
use crate::{Desk, events::Event, extract::Json, sentences::Machine};

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/secrets", get(read).post(choose))
}

async fn read(State(desk): State<Desk>) -> Answer<SecretStatus> {
    Answer(desk.secrets().status())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    store: Place,
}

/// Everything kept so far moves along.
async fn choose(
    State(desk): State<Desk>,
    Json(choice): Json<Choice>,
) -> Result<Answer<SecretStatus>, Failure> {
    desk.secrets().move_to(choice.store).await.map_err(|error| match error {
        SecretError::Fixed => ApiError::conflict(Machine::SecretsRefused { why: error.said() }),
        SecretError::Unavailable(_) | SecretError::File { .. } | SecretError::Corrupt { .. } => {
            ApiError::unavailable(Machine::SecretsRefused { why: error.said() })
        }
    })?;
    desk.events().tell(Event::SettingsChanged);
    Ok(Answer(desk.secrets().status()))
}
