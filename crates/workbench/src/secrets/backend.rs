//! The secret store as the backend sees it.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use loci_server::secrets::{SecretError as NotKept, Secrets};
use secrecy::SecretString;

use super::{SecretError, SecretStore};

/// Keeps the backend's secrets where all secrets of this desk are.
pub(crate) struct DeskSecrets(pub Arc<dyn SecretStore>);

fn said(error: SecretError) -> NotKept {
    NotKept(error.said())
}

impl Secrets for DeskSecrets {
    fn lasting(&self) -> bool {
        self.0.status().available
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, NotKept>> {
        async move { self.0.get(name).await.map_err(said) }.boxed()
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), NotKept>> {
        async move { self.0.set(name, secret).await.map_err(said) }.boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), NotKept>> {
        async move { self.0.delete(name).await.map_err(said) }.boxed()
    }
}
