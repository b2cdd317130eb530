//! Processes started ahead: already confined, already an interpreter, waiting for one call and used for one only.
//!
//! A process fits a call when everything that was decided before it was confined is the same: program, packages,
//! folders, network and limits. What differs between calls (source, arguments, variables) comes with the request.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::task::AbortHandle;

use super::{
    Inner,
    helper::PlanLimits,
    process::{self, Standing},
    run::{Blueprint, RunDir},
};

/// How long a process waits for a call before it is let go.
const PATIENCE: Duration = Duration::from_secs(300);

/// What makes two processes interchangeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub argv: Vec<String>,
    pub read: Vec<PathBuf>,
    pub path: Vec<String>,
    pub work_dir: PathBuf,
    /// The work folder and those that are read, themselves and not their names: walls are built around them.
    pub folders: Vec<FolderId>,
    pub network: bool,
    pub limits: PlanLimits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FolderId(u64, u64);

impl FolderId {
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let about = std::fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Self(about.dev(), about.ino()))
        }
        #[cfg(not(unix))]
        {
            let made = about.created()?.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            Ok(Self(made.as_secs(), u64::from(made.subsec_nanos())))
        }
    }
}

/// A process and the folder it was given.
#[derive(Debug)]
pub(super) struct Ready {
    pub standing: Standing,
    pub run_dir: RunDir,
}

#[derive(Debug)]
struct Spare {
    number: u64,
    key: Key,
    /// `None` while it is being started.
    ready: Option<Ready>,
    expiry: Option<AbortHandle>,
}

/// The processes that wait. At most one for each kind of call and `most` in all.
#[derive(Debug)]
pub(super) struct Spares {
    most: usize,
    waiting: Mutex<(u64, Vec<Spare>)>,
}

impl Spares {
    pub(super) fn new(most: usize) -> Self {
        Self { most, waiting: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut u64, &mut Vec<Spare>) -> T) -> T {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, spares) = &mut *waiting;
        act(number, spares)
    }

    /// A process for such a call, if one waits and lives.
    pub(super) fn take(&self, key: &Key) -> Option<Ready> {
        let taken = self.with(|_, spares| {
            let at = spares.iter().position(|spare| spare.key == *key && spare.ready.is_some())?;
            Some(spares.remove(at))
        });
        let Spare { ready, expiry, .. } = taken?;
        if let Some(expiry) = expiry {
            expiry.abort();
        }
        ready.and_then(|mut ready| ready.standing.is_alive().then_some(ready))
    }

    /// How many there are.
    pub(super) fn waiting(&self) -> usize {
        self.with(|_, spares| spares.iter().filter(|spare| spare.ready.is_some()).count())
    }

    /// A number to start one under, unless one of the kind waits or is being started. The oldest makes room.
    fn reserve(&self, key: &Key) -> Option<u64> {
        let (number, crowded_out) = self.with(|number, spares| {
            if self.most == 0 || spares.iter().any(|spare| spare.key == *key) {
                return (None, None);
            }
            let crowded_out = (spares.len() >= self.most).then(|| spares.remove(0));
            *number += 1;
            spares.push(Spare { number: *number, key: key.clone(), ready: None, expiry: None });
            (Some(*number), crowded_out)
        });
        // Ended outside the lock.
        drop(crowded_out);
        number
    }

    fn put(&self, number: u64, ready: Option<Ready>, expiry: Option<AbortHandle>) {
        let unwanted = self.with(|_, spares| {
            match (spares.iter().position(|spare| spare.number == number), ready) {
                (Some(at), Some(ready)) => {
                    spares[at].ready = Some(ready);
                    spares[at].expiry = expiry;
                    None
                }
                (Some(at), None) => spares.remove(at).ready,
                // It was crowded out while it was being started.
                (None, ready) => ready,
            }
        });
        drop(unwanted);
    }
}

/// Starts a process for the next call of this kind, in the background, and lets it go when none comes.
pub(super) fn refill(sandbox: &Weak<Inner>, blueprint: Blueprint) {
    let Some(inner) = sandbox.upgrade() else { return };
    let Some(number) = inner.spares.reserve(&blueprint.key) else { return };
    let weak = sandbox.clone();
    let helper = inner.options.helper.clone();
    drop(inner);
    let task = tokio::spawn(async move {
        let started = async {
            let run_dir = RunDir::make(&blueprint.runs).await?;
            let plan = blueprint.plan(&run_dir);
            let standing = process::start(&helper, plan, false).await?;
            Ok::<_, std::io::Error>(Ready { standing, run_dir })
        };
        let ready = match started.await {
            Ok(ready) => Some(ready),
            Err(error) => {
                tracing::debug!(%error, "no process was started ahead");
                None
            }
        };
        let Some(inner) = weak.upgrade() else { return };
        let expiry = ready.is_some().then(|| {
            let weak = weak.clone();
            tokio::spawn(async move {
                tokio::time::sleep(PATIENCE).await;
                if let Some(inner) = weak.upgrade() {
                    inner.spares.put(number, None, None);
                }
            })
            .abort_handle()
        });
        inner.spares.put(number, ready, expiry);
    });
    drop(task);
}
