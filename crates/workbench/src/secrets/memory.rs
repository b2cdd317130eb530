//! Keys that are gone when the program ends.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures::future::{BoxFuture, FutureExt, ready};
use loci_api::said::Said;
use secrecy::SecretString;

use super::{SecretError, SecretStatus, SecretStore};
use crate::sentences::Machine;

/// Keeps keys for this session.
pub struct Memory {
    reason: Option<Said>,
    kept: Mutex<HashMap<String, SecretString>>,
}

impl Memory {
    /// `reason` is why nothing better was used, for the notice in the window.
    #[must_use]
    pub fn new(reason: Option<Said>) -> Self {
        Self { reason, kept: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<String, SecretString>) -> T) -> T {
        act(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SecretStore for Memory {
    fn status(&self) -> SecretStatus {
        let reason = self.reason.clone().unwrap_or_else(|| Machine::SecretsForNow.into());
        SecretStatus { available: false, store: "memory", reason: Some(reason), choices: Vec::new() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        ready(Ok(self.with(|kept| kept.get(name).cloned()))).boxed()
    }

    fn all(&self) -> Option<Vec<(String, SecretString)>> {
        Some(self.with(|kept| kept.iter().map(|(name, secret)| (name.clone(), secret.clone())).collect()))
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
