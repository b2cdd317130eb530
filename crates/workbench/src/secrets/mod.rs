//! Where keys live: the environment, the system's keyring, this session's memory, or a file by explicit choice.
//!
//! A key goes in and is handed to the model client; no route ever gives one back.

mod backend;
mod environment;
mod file;
mod keyring;
mod memory;
mod routes;
mod switch;

use std::sync::Arc;

use futures::future::BoxFuture;
use loci_api::said::Said;
use secrecy::SecretString;

pub(crate) use self::backend::DeskSecrets;
pub(crate) use self::routes::routes;
pub use self::{environment::Environment, file::File, keyring::Keyring, memory::Memory, switch::Switch};

use crate::sentences::Machine;

/// Why a key could not be kept or fetched. The sentences are for people.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.said())]
pub enum SecretError {
    /// Of the keyring, with the reason.
    Unavailable(Said),
    File {
        path: String,
        source: std::io::Error,
    },
    Fixed,
    Corrupt {
        path: String,
    },
}

impl SecretError {
    /// The sentence with its parts.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Unavailable(why) => Machine::KeyringUnusable { why: why.clone() },
            Self::File { path, source } => {
                Machine::SecretsFile { path: path.clone(), said: source.to_string() }
            }
            Self::Fixed => Machine::SecretsFixed,
            Self::Corrupt { path } => Machine::SecretsUnreadable { path: path.clone() },
        }
        .into()
    }
}

/// What kind of place it is, as `/workbench/status` tells it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct SecretStatus {
    /// Whether keys are kept until one deletes them.
    pub available: bool,
    /// `keyring`, `memory`, `file` or `environment`.
    pub store: &'static str,
    /// Why keys are not kept, if they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Said>,
    /// Where the person may have them kept instead: `keyring`, `file`, `memory`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Place>,
}

/// A place a person can choose while the program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    Keyring,
    /// Plain text that only its owner may read.
    File,
    /// Until the program ends.
    Memory,
}

/// A place for secrets by name, for example `provider/provider-…`.
pub trait SecretStore: Send + Sync {
    /// What the person is told about it. Cheap.
    fn status(&self) -> SecretStatus;
    /// `Ok(None)` when there is none of that name.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>>;
    /// Replaces what was there.
    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>>;
    /// Deleting what is not there is no error.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>>;
    /// Every secret with its name; `None` where they cannot be listed.
    fn all(&self) -> Option<Vec<(String, SecretString)>> {
        None
    }
    /// Keeps everything at another place from now on.
    fn move_to(&self, place: Place) -> BoxFuture<'_, Result<(), SecretError>> {
        let _ = place;
        Box::pin(std::future::ready(Err(SecretError::Fixed)))
    }
}

/// Which place a program was told to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretChoice {
    /// The file if it is there, as the person chose it earlier; else the keyring; else this session's memory with
    /// a notice. The person can choose again while the program runs.
    Automatic(std::path::PathBuf),
    Keyring,
    Memory,
    /// Environment variables; what is entered is kept in the file.
    Environment(std::path::PathBuf),
    /// A file of mode 0600.
    File(std::path::PathBuf),
}

/// Opens the chosen place. May take a moment for the keyring, which is asked off the calling thread.
pub async fn open(choice: SecretChoice) -> Result<Arc<dyn SecretStore>, SecretError> {
    Ok(match choice {
        SecretChoice::Memory => Arc::new(Memory::new(None)),
        SecretChoice::Environment(path) => {
            Arc::new(Environment::new(Box::new(|name| std::env::var(name).ok()), File::open(path)?))
        }
        SecretChoice::File(path) => Arc::new(File::open(path)?),
        SecretChoice::Keyring => Arc::new(Keyring::open().await?),
        SecretChoice::Automatic(file) => Arc::new(Switch::open(file).await?),
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// Every writable place behaves alike.
    async fn check(store: &dyn SecretStore) {
        let get =
            async |name| store.get(name).await.expect("get").map(|secret| secret.expose_secret().to_owned());
        assert_eq!(get("provider/a").await, None);
        store.delete("provider/a").await.expect("deleting nothing is fine");
        store.set("provider/a", SecretString::from("one")).await.expect("set");
        store.set("provider/b", SecretString::from("zwei \u{1f511}")).await.expect("set");
        store.set("provider/a", SecretString::from("two")).await.expect("replace");
        assert_eq!(get("provider/a").await.as_deref(), Some("two"));
        assert_eq!(get("provider/b").await.as_deref(), Some("zwei \u{1f511}"));
        store.delete("provider/a").await.expect("delete");
        assert_eq!(get("provider/a").await, None);
        assert_eq!(get("provider/b").await.as_deref(), Some("zwei \u{1f511}"));
    }

    #[tokio::test]
    async fn every_place_keeps_replaces_and_forgets() {
        check(&Memory::new(None)).await;
        let folder = tempfile::tempdir().expect("a folder");
        let entered = File::open(folder.path().join("entered.json")).expect("a file");
        check(&Environment::new(Box::new(|_| None), entered)).await;
        let path = folder.path().join("secrets.json");
        check(&File::open(path.clone()).expect("a file")).await;
        let again = File::open(path).expect("the same file");
        let kept = again.get("provider/b").await.expect("get").expect("kept across openings");
        assert_eq!(kept.expose_secret(), "zwei \u{1f511}");
    }

    #[tokio::test]
    async fn the_file_is_for_its_owner_only_and_never_guessed_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.json");
        let store = File::open(path.clone()).expect("a file");
        store.set("x", SecretString::from("y")).await.expect("set");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(&path, "not json").expect("write");
        assert!(matches!(File::open(path), Err(SecretError::Corrupt { .. })));
    }

    #[tokio::test]
    async fn the_environment_is_read_first_and_named_plainly() {
        let folder = tempfile::tempdir().expect("a folder");
        let entered = File::open(folder.path().join("entered.json")).expect("a file");
        let lookup = |name: &str| (name == "LOCI_SECRET_PROVIDER_MY_ONE").then(|| "from outside".to_owned());
        let store = Environment::new(Box::new(lookup), entered);
        let secret = store.get("provider/my-one").await.expect("get").expect("set outside");
        assert_eq!(secret.expose_secret(), "from outside");
    }
}
