//! The place for keys where the person may choose: the keyring if there is one; where there is none, a file or this
//! session's memory, said plainly and never chosen silently for longer than the session.

use std::{
    fs, io,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use futures::future::{BoxFuture, FutureExt};
use loci_api::said::Said;
use secrecy::SecretString;

use super::{File, Keyring, Memory, Place, SecretError, SecretStatus, SecretStore};

/// Keeps keys where the person chose. The file, by being there, is what remembers that it was chosen.
pub struct Switch {
    now: RwLock<(Place, Arc<dyn SecretStore>)>,
    file: PathBuf,
    /// Why there is no keyring, if there is none.
    no_keyring: Option<Said>,
    moving: tokio::sync::Mutex<()>,
}

impl Switch {
    /// # Errors
    /// If there is a file that cannot be read: going on without it would look as if all keys were lost.
    pub async fn open(file: PathBuf) -> Result<Self, SecretError> {
        let keyring = Keyring::open().await;
        Self::with(file, keyring.map(|keyring| Arc::new(keyring) as Arc<dyn SecretStore>))
    }

    fn with(file: PathBuf, keyring: Result<Arc<dyn SecretStore>, SecretError>) -> Result<Self, SecretError> {
        let no_keyring = keyring.as_ref().err().map(SecretError::said);
        let now: (Place, Arc<dyn SecretStore>) = if file.exists() {
            (Place::File, Arc::new(File::open(file.clone())?))
        } else {
            match keyring {
                Ok(keyring) => (Place::Keyring, keyring),
                Err(error) => (Place::Memory, Arc::new(Memory::new(Some(error.said())))),
            }
        };
        Ok(Self { now: RwLock::new(now), file, no_keyring, moving: tokio::sync::Mutex::default() })
    }

    fn now(&self) -> (Place, Arc<dyn SecretStore>) {
        self.now.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn place(&self, place: Place) -> Result<Arc<dyn SecretStore>, SecretError> {
        Ok(match place {
            Place::Keyring => Arc::new(Keyring::open().await?),
            Place::File => Arc::new(File::open(self.file.clone())?),
            Place::Memory => Arc::new(Memory::new(self.no_keyring.clone())),
        })
    }
}

impl SecretStore for Switch {
    fn status(&self) -> SecretStatus {
        let (place, store) = self.now();
        let choices = match (place, &self.no_keyring) {
            // Keys of a keyring stay in it: it is the best place there is.
            (Place::Keyring, _) => Vec::new(),
            (Place::Memory, Some(_)) => vec![Place::File],
            (Place::File, Some(_)) => vec![Place::Memory],
            (Place::File | Place::Memory, None) => vec![Place::Keyring],
        };
        SecretStatus { choices, ..store.status() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        let (_, store) = self.now();
        async move { store.get(name).await }.boxed()
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        async move {
            // Not between the copy and the change of place, where it would be lost.
            let _move = self.moving.lock().await;
            let (_, store) = self.now();
            store.set(name, secret).await
        }
        .boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        async move {
            let _move = self.moving.lock().await;
            let (_, store) = self.now();
            store.delete(name).await
        }
        .boxed()
    }

    fn move_to(&self, place: Place) -> BoxFuture<'_, Result<(), SecretError>> {
        async move {
            let _move = self.moving.lock().await;
            let (before, old) = self.now();
            if before == place {
                return Ok(());
            }
            let Some(secrets) = old.all() else { return Err(SecretError::Fixed) };
            let new = self.place(place).await?;
            let none = secrets.is_empty();
            for (name, secret) in secrets {
                new.set(&name, secret).await?;
            }
            if place == Place::File && none {
                // Written even when empty: it remembers the choice.
                new.delete("").await?;
            }
            if before == Place::File {
                match fs::remove_file(&self.file) {
                    Err(source) if source.kind() != io::ErrorKind::NotFound => {
                        return Err(SecretError::File { path: self.file.display().to_string(), source });
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = (place, new);
            Ok(())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn without_keyring(file: PathBuf) -> Switch {
        Switch::with(file, Err(SecretError::Unavailable("none here".into()))).expect("a place")
    }

    async fn read(store: &Switch, name: &str) -> Option<String> {
        let secret = store.get(name).await.expect("readable");
        secret.map(|secret| secret.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn without_a_keyring_keys_go_where_the_person_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets.json");
        let store = without_keyring(file.clone());
        let status = store.status();
        assert_eq!((status.store, status.available), ("memory", false));
        assert_eq!(status.choices, [Place::File]);
        assert!(status.reason.expect("said").message.contains("none here"));
        store.set("a", SecretString::from("one")).await.expect("set");
        assert!(!file.exists(), "never written without being asked");

        store.move_to(Place::File).await.expect("moved");
        assert_eq!((store.status().store, store.status().available), ("file", true));
        assert_eq!(read(&store, "a").await.as_deref(), Some("one"), "what was entered before is kept too");
        let again = without_keyring(file.clone());
        assert_eq!(read(&again, "a").await.as_deref(), Some("one"), "the choice holds at the next start");

        again.move_to(Place::Memory).await.expect("moved back");
        assert!(!file.exists());
        assert_eq!(read(&again, "a").await.as_deref(), Some("one"));
        assert!(without_keyring(file).status().store == "memory");
    }

    #[tokio::test]
    async fn a_choice_without_keys_is_remembered_and_a_keyring_is_kept_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("secrets.json");
        without_keyring(file.clone()).move_to(Place::File).await.expect("moved");
        assert_eq!(without_keyring(file.clone()).status().store, "file");
        fs::write(&file, "odd").expect("written");
        assert!(Switch::with(file.clone(), Err(SecretError::Fixed)).is_err(), "an unreadable file is said");

        fs::remove_file(&file).expect("removed");
        struct Ring(Memory);
        impl SecretStore for Ring {
            fn status(&self) -> SecretStatus {
                SecretStatus { available: true, store: "keyring", reason: None, choices: Vec::new() }
            }
            fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
                self.0.get(name)
            }
            fn set<'a>(
                &'a self,
                name: &'a str,
                secret: SecretString,
            ) -> BoxFuture<'a, Result<(), SecretError>> {
                self.0.set(name, secret)
            }
            fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
                self.0.delete(name)
            }
        }
        let store = Switch::with(file, Ok(Arc::new(Ring(Memory::new(None))))).expect("a place");
        assert_eq!((store.status().store, store.status().choices.len()), ("keyring", 0));
        assert!(matches!(store.move_to(Place::File).await, Err(SecretError::Fixed)));
    }
}
