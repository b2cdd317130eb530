//! Secrets in a file only its owner may read. Plain text, so with a person at the window it is only ever their choice.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use futures::future::{BoxFuture, FutureExt, ready};
use secrecy::SecretString;

use super::{SecretError, SecretStatus, SecretStore};

/// A JSON object of name and secret, mode 0600, replaced as a whole.
pub struct File {
    path: PathBuf,
    kept: Mutex<BTreeMap<String, String>>,
}

impl File {
    /// Reads it if it is there; it is written with the first secret.
    pub fn open(path: PathBuf) -> Result<Self, SecretError> {
        let kept = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|_| SecretError::Corrupt { path: path.display().to_string() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(source) => return Err(SecretError::File { path: path.display().to_string(), source }),
        };
        Ok(Self { path, kept: Mutex::new(kept) })
    }

    /// Changes the map only if the file could be replaced.
    fn change(&self, act: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<(), SecretError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = kept.clone();
        act(&mut next);
        replace(&self.path, &next)
            .map_err(|source| SecretError::File { path: self.path.display().to_string(), source })?;
        *kept = next;
        Ok(())
    }
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn replace(path: &Path, secrets: &BTreeMap<String, String>) -> io::Result<()> {
    let beside = path.with_extension("new");
    // One left by a crash may have another mode.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&beside)?;
    serde_json::to_writer_pretty(&mut file, secrets)?;
    file.flush()?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

impl SecretStore for File {
    fn status(&self) -> SecretStatus {
        SecretStatus { available: true, store: "file", reason: None, choices: Vec::new() }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<SecretString>, SecretError>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        ready(Ok(kept.get(name).cloned().map(SecretString::from))).boxed()
    }

    fn all(&self) -> Option<Vec<(String, SecretString)>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Some(kept.iter().map(|(name, secret)| (name.clone(), SecretString::from(secret.clone()))).collect())
    }

    fn set<'a>(&'a self, name: &'a str, secret: SecretString) -> BoxFuture<'a, Result<(), SecretError>> {
        use secrecy::ExposeSecret;
        let result = self.change(|kept| {
            kept.insert(name.to_owned(), secret.expose_secret().to_owned());
        });
        ready(result).boxed()
    }

    fn delete<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), SecretError>> {
        let result = self.change(|kept| {
            kept.remove(name);
        });
        ready(result).boxed()
    }
}
