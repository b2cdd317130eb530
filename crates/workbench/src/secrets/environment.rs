//! Secrets handed to the program by whoever starts it, and a file for those that come over the API: the place of a
//! server without anyone before it, where a keyring would be locked.

use futures::future::{BoxFuture, FutureExt, ready};
use secrecy::SecretString;

use super::{File, SecretError, SecretStatus, SecretStore};

type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Reads `LOCI_SECRET_<NAME>`; what is entered while it runs is kept in the file, as nothing acknowledged may be lost.
pub struct Environment {
    lookup: Lookup,
    entered: File,
}

impl Environment {
    /// `lookup` finds an environment variable.
    #[must_use]
    pub fn new(lookup: Lookup, entered: File) -> Self {
        Self { lookup, entered }
    }
}

/// `provider/my-one` → `LOCI_SECRET_PROVIDER_MY_ONE`.
fn variable(name: &str) -> String {
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' });
    format!("LOCI_SECRET_{}", plain.collect::<String>())
}

impl SecretStore for Environment {
    fn status(&self) -> SecretStatus {
        SecretStatus { available: true, store: "environment", reason: None, choices: Vec::new() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        match (self.lookup)(&variable(name)).filter(|value| !value.is_empty()) {
            Some(value) => ready(Ok(Some(SecretString::from(value)))).boxed(),
            None => self.entered.get(name),
        }
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        self.entered.set(name, secret)
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        self.entered.delete(name)
    }
}
