//! The wall to whatever keeps keys. The backend never writes one down itself.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::future::{BoxFuture, FutureExt, ready};
use secrecy::SecretString;

/// Why a key could not be kept or read, for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

/// A place for secrets by name, for example `provider/provider-…`.
pub trait Keys: Send + Sync {
    /// `Ok(None)` when there is none of that name. May wait for a person.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, KeyError>>;
    /// Replaces what was there.
    fn set<'a>(&'a self, name: &'a str, key: SecretString) -> BoxFuture<'a, Result<(), KeyError>>;
    /// Deleting what is not there is no error.
    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), KeyError>>;
}

/// Keys that are gone when the program ends: what a backend has that nobody gave a better place.
#[derive(Default)]
pub(crate) struct SessionKeys(Mutex<HashMap<String, SecretString>>);

impl SessionKeys {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, SecretString>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Keys for SessionKeys {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, KeyError>> {
        ready(Ok(self.with(|kept| kept.get(name).cloned()))).boxed()
    }

    fn set<'a>(&'a self, name: &'a str, key: SecretString) -> BoxFuture<'a, Result<(), KeyError>> {
        self.with(|kept| kept.insert(name.to_owned(), key));
        ready(Ok(())).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), KeyError>> {
        self.with(|kept| kept.remove(name));
        ready(Ok(())).boxed()
    }
}
