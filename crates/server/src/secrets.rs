//! The wall to whatever keeps secrets: keys of providers, variables of tools and agents. The backend never writes one
//! down itself; rows hold their names.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use futures::future::{BoxFuture, FutureExt, ready};
use loci_api::{
    ids::{AgentId, ProviderId, ToolId},
    said::Said,
};
use secrecy::{ExposeSecret, SecretString};

/// Why a secret could not be kept or read, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SecretError(pub Said);

/// The name under which a provider's key is kept.
#[must_use]
pub fn of_provider(id: &ProviderId) -> String {
    format!("provider/{id}")
}

/// The name under which a provider's extra headers are kept, which may hold secrets.
pub(crate) fn of_provider_headers(id: &ProviderId) -> String {
    format!("provider/{id}/headers")
}

/// The name under which the value of a tool's secret variable is kept.
#[must_use]
pub fn of_tool(id: &ToolId, variable: &str) -> String {
    format!("tool/{id}/{variable}")
}

/// The name under which the value of a secret variable of a person's own client tool is kept.
#[must_use]
pub fn of_own_tool(id: &str, variable: &str) -> String {
    format!("own-tool/{id}/{variable}")
}

/// The name under which the value of an agent's variable is kept.
pub(crate) fn of_agent(id: &AgentId, variable: &str) -> String {
    format!("agent/{id}/{variable}")
}

/// A place for secrets by name, for example `provider/provider-…`.
pub trait Secrets: Send + Sync {
    /// Whether what is kept here is still there after a restart.
    fn lasting(&self) -> bool;
    /// `Ok(None)` when there is none of that name. May wait for a person.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>>;
    /// Replaces what was there.
    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>>;
    /// Deleting what is not there is no error.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>>;
}

/// The values of a tool's secret variables by their names; `kept_as` is the name a variable's value is kept under.
///
/// # Errors
/// A sentence: the value of one is not known, or the place for secrets cannot be used.
pub async fn values(
    secrets: &dyn Secrets,
    variables: &[String],
    kept_as: impl Fn(&str) -> String + Send,
) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for variable in variables {
        let value = secrets.get(&kept_as(variable)).await.map_err(|error| error.to_string())?;
        let Some(value) = value else {
            return Err(format!("the value of its secret {variable} is not known here; enter it again"));
        };
        values.insert(variable.clone(), value.expose_secret().to_owned());
    }
    Ok(values)
}

/// Deletes the values of variables that are gone. What cannot be deleted stays unused, and is said in the log.
pub async fn forget(secrets: &dyn Secrets, variables: &[String], kept_as: impl Fn(&str) -> String + Send) {
    for variable in variables {
        let name = kept_as(variable);
        if let Err(error) = secrets.delete(&name).await {
            tracing::warn!(%name, %error, "the value of a variable that is gone stays in the place for secrets");
        }
    }
}

/// Secrets that are gone when the program ends: what a backend has that nobody gave a better place.
#[derive(Default)]
pub(crate) struct SessionSecrets(Mutex<HashMap<String, SecretString>>);

impl SessionSecrets {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, SecretString>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Secrets for SessionSecrets {
    fn lasting(&self) -> bool {
        false
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        ready(Ok(self.with(|kept| kept.get(name).cloned()))).boxed()
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        self.with(|kept| kept.insert(name.to_owned(), secret));
        ready(Ok(())).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        self.with(|kept| kept.remove(name));
        ready(Ok(())).boxed()
    }
}
