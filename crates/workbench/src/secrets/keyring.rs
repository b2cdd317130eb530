//! The keyring of the system: Secret Service, Keychain, Credential Manager.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::{BoxFuture, FutureExt};
use keyring::{Entry, Error};
use secrecy::{ExposeSecret, SecretString};

use super::{SecretError, SecretStatus, SecretStore};
use crate::sentences::Machine;

/// The name under which the keyring shows Loci's entries.
const SERVICE: &str = "Loci";
/// How long a keyring may take to say that it is there. One that is being started by the system takes a second.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a person who did not unlock it is not asked again for a key that is only to be read.
const RESPITE: Duration = Duration::from_secs(60);

/// Keeps keys in the keyring. Every call may open a prompt of the system and wait for a person, so each runs on a
/// thread of its own and never on the window's. One at a time: a person is asked once, and whatever else waits
/// meanwhile takes no thread.
pub struct Keyring {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// When a person last did not unlock it.
    refused: Arc<Mutex<Option<Instant>>>,
}

impl Keyring {
    /// Fails where there is none, which the library finds out once per process.
    pub async fn open() -> Result<Self, SecretError> {
        let there = tokio::task::spawn_blocking(Entry::store_status);
        match tokio::time::timeout(PATIENCE, there).await {
            Ok(Ok(Ok(()))) => Ok(Self { turn: Arc::default(), refused: Arc::default() }),
            Ok(Ok(Err(error))) => {
                tracing::info!(%error, "there is no keyring");
                Err(SecretError::Unavailable(Machine::KeyringNone.into()))
            }
            Ok(Err(error)) => Err(other(&error)),
            Err(_) => Err(SecretError::Unavailable(Machine::KeyringSilent.into())),
        }
    }

    fn refused(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, SecretError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let asked = tokio::task::spawn_blocking(move || {
            // Kept until the keyring has answered, also when nobody waits for that any more.
            let _turn = turn;
            act()
        });
        let answer = asked.await.map_err(|error| other(&error))?;
        *self.refused() = matches!(answer, Err(Error::NoStorageAccess(_))).then(Instant::now);
        answer.map_err(unavailable)
    }
}

fn entry(name: &str) -> Result<Entry, Error> {
    Entry::new(SERVICE, name)
}

fn locked() -> SecretError {
    SecretError::Unavailable(Machine::KeyringLocked.into())
}

fn other(error: &impl ToString) -> SecretError {
    SecretError::Unavailable(Machine::KeyringOther { said: error.to_string() }.into())
}

fn unavailable(error: Error) -> SecretError {
    match error {
        Error::NoStorageAccess(_) => locked(),
        error => other(&error),
    }
}

impl SecretStore for Keyring {
    fn status(&self) -> SecretStatus {
        SecretStatus { available: true, store: "keyring", reason: None, choices: Vec::new() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        let name = name.to_owned();
        async move {
            if self.refused().is_some_and(|at| at.elapsed() < RESPITE) {
                return Err(locked());
            }
            self.ask(move || match entry(&name)?.get_password() {
                Ok(secret) => Ok(Some(SecretString::from(secret))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(error),
            })
            .await
        }
        .boxed()
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        let name = name.to_owned();
        self.ask(move || entry(&name)?.set_password(secret.expose_secret())).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        let name = name.to_owned();
        self.ask(move || match entry(&name)?.delete_credential() {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(error) => Err(error),
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };

    use super::*;

    fn keyring() -> Keyring {
        Keyring { turn: Arc::default(), refused: Arc::default() }
    }

    #[tokio::test]
    async fn who_did_not_unlock_it_is_not_asked_again_until_they_act() {
        let keyring = keyring();
        let locked = || Err::<(), _>(Error::NoStorageAccess("no".into()));
        let problem = keyring.ask(locked).await.expect_err("locked").to_string();
        assert!(problem.contains("it is locked"), "{problem}");
        // Answered without asking: nobody is there to answer in this test.
        let again = keyring.get("provider/a").await.expect_err("still locked").to_string();
        assert_eq!(again, problem);
        keyring.ask(|| Ok(())).await.expect("unlocked meanwhile");
        assert_eq!(*keyring.refused(), None);
    }

    #[tokio::test]
    async fn one_is_asked_at_a_time() {
        let keyring = keyring();
        let (tell_started, started) = mpsc::channel();
        let (let_go, held) = mpsc::channel::<()>();
        let first = keyring.ask(move || {
            tell_started.send(()).expect("awaited");
            held.recv().expect("let go");
            Ok(())
        });
        let mut first = Box::pin(first);
        assert!(futures::poll!(&mut first).is_pending());
        started.recv().expect("the first is being asked");
        let asked = Arc::new(AtomicBool::new(false));
        let asking = Arc::clone(&asked);
        let mut second = Box::pin(keyring.ask(move || {
            asking.store(true, Ordering::SeqCst);
            Ok(())
        }));
        assert!(futures::poll!(&mut second).is_pending());
        // Dropped while the person is still asked: the turn stays taken until the keyring has answered.
        drop(first);
        assert!(futures::poll!(&mut second).is_pending());
        assert!(!asked.load(Ordering::SeqCst));
        let_go.send(()).expect("held");
        second.await.expect("asked after the first");
        assert!(asked.load(Ordering::SeqCst));
    }
}
