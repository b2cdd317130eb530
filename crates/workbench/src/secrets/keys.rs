//! The secret store as the backend sees it.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt};
use loci_server::providers::{KeyError, Keys};
use secrecy::SecretString;

use super::{SecretError, SecretStore};

/// Keeps the backend's keys where all secrets of this desk are.
pub(crate) struct DeskKeys(pub Arc<dyn SecretStore>);

fn said(error: SecretError) -> KeyError {
    KeyError(error.to_string())
}

impl Keys for DeskKeys {
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, KeyError>> {
        async move { self.0.get(name).await.map_err(said) }.boxed()
    }

    fn set<'a>(&'a self, name: &'a str, key: SecretString) -> BoxFuture<'a, Result<(), KeyError>> {
        async move { self.0.set(name, key).await.map_err(said) }.boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), KeyError>> {
        async move { self.0.delete(name).await.map_err(said) }.boxed()
    }
}
