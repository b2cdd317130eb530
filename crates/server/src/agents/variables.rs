//! Environment variables of an agent's tools: their names are rows, their values are where all secrets are.

use std::{collections::BTreeMap, fmt};

use loci_api::{agent::MASK, error::ApiError, ids::AgentId, time::Timestamp};
use loci_store::{
    Connection, StoreError,
    table::{
        agent_secret::{self, AgentSecret},
        deleted_agent,
    },
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;

use crate::{
    App,
    error::Answer,
    secrets::{self, of_agent},
};

/// An agent's variables, whose values are asked for when something first needs them.
#[derive(Debug)]
pub struct Variables {
    rows: Vec<AgentSecret>,
    values: OnceCell<Values>,
}

/// The values that could be had.
#[derive(Clone, Default)]
pub struct Values {
    /// For the environment of a process.
    pub env: BTreeMap<String, String>,
    /// Those that could not, and why, as the end of a sentence.
    missing: BTreeMap<String, String>,
}

impl Variables {
    /// # Errors
    /// Only the store's.
    pub fn read(conn: &Connection, id: &AgentId) -> Result<Self, StoreError> {
        Ok(Self { rows: agent_secret::list(conn, id)?, values: OnceCell::new() })
    }

    /// The values. May wait for a person to unlock the keyring.
    pub async fn values(&self, app: &App) -> &Values {
        self.values.get_or_init(|| fetch(app, &self.rows)).await
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values").field("names", &self.env.keys()).field("missing", &self.missing).finish()
    }
}

impl Values {
    /// Why source that uses one of the variables cannot be run: a sentence, if so.
    #[must_use]
    pub fn lacking(&self, source: &str) -> Option<String> {
        let (name, why) = self.missing.iter().find(|(name, _)| names(source, name))?;
        Some(format!("the value of the agent's variable {name} {why}"))
    }
}

/// Whether this name stands in the source as a whole word.
fn names(source: &str, name: &str) -> bool {
    let within = |char: char| char.is_alphanumeric() || char == '_';
    source
        .match_indices(name)
        .any(|(at, found)| !source[..at].ends_with(within) && !source[at + found.len()..].starts_with(within))
}

async fn fetch(app: &App, rows: &[AgentSecret]) -> Values {
    let secrets = app.secrets();
    let mut values = Values::default();
    for row in rows {
        // Written by a version that kept values in rows, and not moved yet.
        if let Some(value) = &row.unmoved {
            values.env.insert(row.key.clone(), value.clone());
            continue;
        }
        match secrets.get(&of_agent(&row.agent_id, &row.key)).await {
            Ok(Some(value)) => {
                values.env.insert(row.key.clone(), value.expose_secret().to_owned());
            }
            Ok(None) => {
                values.missing.insert(row.key.clone(), "is not known here; enter it again".to_owned());
            }
            Err(error) => {
                values.missing.insert(row.key.clone(), format!("cannot be read: {error}"));
            }
        }
    }
    values
}

/// What a request does to the values, before it is known whether the request is carried out.
#[derive(Default)]
pub struct Kept {
    /// What was there before, by name.
    before: Vec<(String, Option<SecretString>)>,
}

impl Kept {
    /// Puts back what was there: the request was refused. What cannot be put back is said in the log.
    pub async fn undo(self, app: &App, id: &AgentId) {
        for (name, value) in self.before.into_iter().rev() {
            let kept_as = of_agent(id, &name);
            let done = match value {
                Some(value) => app.secrets().set(&kept_as, value).await,
                None => app.secrets().delete(&kept_as).await,
            };
            if let Err(error) = done {
                tracing::warn!(agent = %id, %error, "the value of a variable from a refused request stays");
            }
        }
    }
}

/// Keeps the values; their names are written afterwards with [`agent_secret::replace`], and if that fails, what is
/// returned undoes it. [`MASK`] for a name in `known` leaves that value as it is, so that what was read can be sent
/// back.
///
/// # Errors
/// 422 for a mask where there is nothing behind it, 503 if the place for secrets cannot be used; then nothing changed.
pub async fn keep(
    app: &App,
    id: &AgentId,
    values: &BTreeMap<String, String>,
    known: &[AgentSecret],
) -> Answer<Kept> {
    let is_known = |name: &str| known.iter().any(|row| row.key == name);
    if let Some((name, _)) = values.iter().find(|(name, value)| *value == MASK && !is_known(name)) {
        return Err(ApiError::validation(format!(
            "body.secrets.{name}: {MASK} stands for a value that is kept, and none is kept under this name"
        ))
        .into());
    }
    let mut kept = Kept::default();
    for (name, value) in values.iter().filter(|(_, value)| *value != MASK) {
        let kept_as = of_agent(id, name);
        let replaced = match app.secrets().get(&kept_as).await {
            Ok(before) => {
                kept.before.push((name.clone(), before));
                app.secrets().set(&kept_as, SecretString::from(value.clone())).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = replaced {
            kept.undo(app, id).await;
            return Err(ApiError::unavailable(format!("The value of {name} was not kept. {error}")).into());
        }
    }
    Ok(kept)
}

/// Deletes values whose names are no longer written. What cannot be deleted stays unused, and is said in the log.
pub async fn forget(app: &App, id: &AgentId, names: &[String]) {
    secrets::forget(&*app.secrets(), names, |name| of_agent(id, name)).await;
}

/// Forgets the values of deleted agents that are over their time at `now`.
///
/// # Errors
/// Only the store's.
pub async fn forget_overdue(app: &App, now: Timestamp) -> Result<(), StoreError> {
    let overdue = app.store().read(move |conn| deleted_agent::overdue_variables(conn, now)).await?;
    for (id, name) in overdue {
        forget(app, &id, &[name]).await;
    }
    Ok(())
}

impl App {
    /// Moves values that an older version left in rows to the place for secrets, if that lasts. One that cannot be moved
    /// stays where it is, works, and is tried again at the next start.
    ///
    /// # Errors
    /// Only the store's.
    pub async fn move_secrets_out_of_rows(&self) -> Result<(), StoreError> {
        if !self.secrets().lasting() {
            return Ok(());
        }
        let left = self.store().read(agent_secret::unmoved).await?;
        if left.is_empty() {
            return Ok(());
        }
        for row in left {
            let Some(value) = row.unmoved else { continue };
            let name = of_agent(&row.agent_id, &row.key);
            let secrets = self.secrets();
            // One that is there already was set since, or by a start that was cut off.
            let moved = match secrets.get(&name).await {
                Ok(Some(_)) => Ok(()),
                Ok(None) => secrets.set(&name, SecretString::from(value)).await,
                Err(error) => Err(error),
            };
            match moved {
                Ok(()) => {
                    let id = row.id;
                    self.store().write(move |tx| agent_secret::moved(tx, &id)).await?;
                }
                Err(error) => {
                    tracing::warn!(agent = %row.agent_id, %error, "the value of a variable stays in the database");
                }
            }
        }
        self.store().checkpoint().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_as_a_word_and_values_stay_out_of_logs() {
        for (source, found) in [
            ("os.environ['KEY']", true),
            ("process.env.KEY;", true),
            ("KEY", true),
            ("MONKEY = 1", false),
            ("KEYS = KEY_2", false),
            ("KEYS, KEY", true),
        ] {
            assert_eq!(names(source, "KEY"), found, "{source}");
        }
        let values = Values { env: [("KEY".to_owned(), "hush".to_owned())].into(), missing: BTreeMap::new() };
        assert!(!format!("{values:?}").contains("hush"), "{values:?}");
    }
}
