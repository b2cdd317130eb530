//! The keyring of the system: Secret Service, Keychain, Credential Manager.

use futures::future::{BoxFuture, FutureExt};
use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use super::{SecretError, SecretStatus, SecretStore};

/// The name under which the keyring shows Loci's entries.
const SERVICE: &str = "Loci";

/// Keeps keys in the keyring. Every call may open a prompt of the system and wait for a person, so each runs on a
/// thread of its own and never on the window's.
pub struct Keyring(());

impl Keyring {
    /// Fails where there is none, which the library finds out once per process.
    pub async fn open() -> Result<Self, SecretError> {
        blocking(|| match Entry::store_status() {
            Ok(()) => Ok(Self(())),
            Err(error) => Err(SecretError::Unavailable(error.to_string())),
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    act: impl FnOnce() -> Result<T, SecretError> + Send + 'static,
) -> Result<T, SecretError> {
    match tokio::task::spawn_blocking(act).await {
        Ok(result) => result,
        Err(error) => Err(SecretError::Unavailable(error.to_string())),
    }
}

fn entry(name: &str) -> Result<Entry, SecretError> {
    Entry::new(SERVICE, name).map_err(unavailable)
}

fn unavailable(error: Error) -> SecretError {
    SecretError::Unavailable(match error {
        Error::NoStorageAccess(_) => "it is locked, and nobody unlocked it".to_owned(),
        other => other.to_string(),
    })
}

impl SecretStore for Keyring {
    fn status(&self) -> SecretStatus {
        SecretStatus { available: true, store: "keyring", reason: None, choices: Vec::new() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        let name = name.to_owned();
        blocking(move || match entry(&name)?.get_password() {
            Ok(secret) => Ok(Some(SecretString::from(secret))),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(unavailable(error)),
        })
        .boxed()
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        let name = name.to_owned();
        blocking(move || entry(&name)?.set_password(secret.expose_secret()).map_err(unavailable)).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        let name = name.to_owned();
        blocking(move || match entry(&name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(unavailable(error)),
        })
        .boxed()
    }
}
