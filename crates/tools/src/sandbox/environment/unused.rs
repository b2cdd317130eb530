//! Which environments are in use, and the end of those that are not.

use std::{
    fs::FileTimes,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{Environments, READY};

/// How old a mark of use may grow before it is renewed.
const FRESH: Duration = Duration::from_secs(3_600);
/// How old something half-made must be to be surely given up.
const ABANDONED: Duration = Duration::from_secs(24 * 3_600);

impl Environments {
    /// Removes what was not used for so long, and what was never finished. It is installed again when it is wanted.
    /// The folders that are gone now.
    pub(in crate::sandbox) async fn collect(&self, unused: Duration) -> Vec<PathBuf> {
        let root = self.root.clone();
        let old = tokio::task::spawn_blocking(move || collectable(&root, unused)).await.unwrap_or_default();
        let mut gone = Vec::new();
        for path in old {
            let lock = self.locks.lock().await.entry(path.display().to_string()).or_default().clone();
            let Ok(_alone) = lock.try_lock() else { continue };
            let removed = match tokio::fs::metadata(&path).await {
                Ok(about) if about.is_dir() => tokio::fs::remove_dir_all(&path).await,
                Ok(_) => tokio::fs::remove_file(&path).await,
                Err(error) => Err(error),
            };
            match removed {
                Ok(()) => gone.push(path),
                Err(error) => tracing::warn!(path = %path.display(), %error, "unused packages stay"),
            }
        }
        gone
    }
}

/// Environments and downloaded packages that nobody used for so long.
fn collectable(root: &Path, unused: Duration) -> Vec<PathBuf> {
    let entries = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
    };
    let is_old = |path: &Path, age: Duration| {
        let modified = std::fs::metadata(path).and_then(|about| about.modified());
        modified.ok().and_then(|at| at.elapsed().ok()).is_some_and(|elapsed| elapsed > age)
    };
    let environments = entries(root).into_iter().filter(|path| {
        let named = path.file_name().and_then(|name| name.to_str());
        if !named.is_some_and(|name| name.starts_with("py-") || name.starts_with("js-")) {
            return false;
        }
        let ready = path.join(READY);
        if ready.exists() { is_old(&ready, unused) } else { is_old(path, unused.max(ABANDONED)) }
    });
    let wheels = entries(&root.join("wheels")).into_iter().filter(|path| is_old(path, unused));
    environments.chain(wheels).collect()
}

/// Whether the environment is complete; if so, it counts as used now.
pub(super) async fn mark_used(ready: &Path) -> bool {
    let ready = ready.to_owned();
    let mark = move || {
        let Ok(about) = std::fs::metadata(&ready) else { return false };
        let age = about.modified().ok().and_then(|at| at.elapsed().ok());
        if age.is_none_or(|age| age > FRESH) {
            let now = FileTimes::new().set_modified(SystemTime::now());
            let marked =
                std::fs::File::options().append(true).open(&ready).and_then(|file| file.set_times(now));
            if let Err(error) = marked {
                tracing::debug!(%error, "the use of an environment was not noted");
            }
        }
        true
    };
    tokio::task::spawn_blocking(mark).await.unwrap_or(false)
}
