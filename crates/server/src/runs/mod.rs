//! Runs: the execution of requests. A run belongs to [`Runs`], not to the connection that asked for it; a stream
//! is a view of a run.
//!
//! Begin with [`send`]; then `accept` (one transaction: validate, persist, start), `execute` (drive the turn, end
//! the run) and `live` (what watchers read).

mod accept;
mod callback;
mod cancel;
mod compact_now;
mod execute;
mod images;
pub mod live;
mod past;
mod preview;
mod recover;
mod send;
mod threads;
mod traces;
mod turn;
mod upkeep;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use loci_api::ids::{AgentId, RunId};
use loci_store::Thread;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use callback::check_callback;
pub use cancel::{Cancelled, cancel_runs, cancel_thread};
pub use compact_now::{Compacted, compact_thread};
pub use past::{Resume, replay, resume};
pub use preview::preview;
pub use recover::recover;
pub use send::{Answered, Finished, Origin, send};
pub(crate) use traces::keep as keep_trace;
pub use turn::{Facts, facts};

use live::LiveRun;
use threads::Threads;

/// How long a background run's stream can be resumed after it began.
pub const STREAM_LIFE: Duration = Duration::from_secs(3 * 60 * 60);
/// How long shutting down waits for runs to come to an end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The runs of this process. Cheap to clone; every clone is the same.
#[derive(Debug, Clone, Default)]
pub struct Runs(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    live: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    threads: Threads,
    chains: traces::Chains,
    /// When the last round of upkeep began.
    upkeep: Mutex<Option<Instant>>,
    tasks: TaskTracker,
    closing: CancellationToken,
}

impl Runs {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn with_live<T>(&self, act: impl FnOnce(&mut HashMap<RunId, Arc<LiveRun>>) -> T) -> T {
        act(&mut self.0.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The run, if it is going on in this process.
    #[must_use]
    pub fn live(&self, id: &RunId) -> Option<Arc<LiveRun>> {
        self.with_live(|live| live.get(id).cloned())
    }

    /// The runs that are going on or waiting and meet a condition.
    fn find(&self, wanted: impl Fn(&LiveRun) -> bool) -> Vec<Arc<LiveRun>> {
        self.with_live(|live| live.values().filter(|run| wanted(run)).cloned().collect())
    }

    fn register(&self, run: &Arc<LiveRun>) {
        self.with_live(|live| live.insert(run.id.clone(), run.clone()));
    }

    fn unregister(&self, id: &RunId) {
        self.with_live(|live| live.remove(id));
    }

    /// Forgets what is known of a thread's context window: whoever writes to it outside a run calls this.
    pub fn forget_context(&self, thread: &Thread) {
        self.0.threads.forget_context(thread);
    }

    /// Work that outlives a request but not the process.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(work);
    }

    /// Cancels every run of an agent and waits for them to end.
    pub async fn cancel_agent(&self, id: &AgentId) {
        let runs = self.find(|run| run.thread.agent_id == *id);
        runs.iter().for_each(|run| run.cancel());
        for run in runs {
            run.ended().await;
        }
    }

    /// Whether no more requests are taken.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.0.closing.is_cancelled()
    }

    /// Resolves when no more requests are taken.
    async fn closing(&self) {
        self.0.closing.cancelled().await;
    }

    /// The run of this request, if it is going on or waits its turn.
    #[must_use]
    pub fn by_token(&self, thread: &Thread, token: &str) -> Option<Arc<LiveRun>> {
        self.find(|run| run.thread == *thread && run.token.as_deref() == Some(token)).into_iter().next()
    }

    /// Takes no more requests, cancels every run and waits until each has written how it ended. What does not
    /// come to an end in time is marked at the next start.
    pub async fn shutdown(&self) {
        self.0.closing.cancel();
        self.find(|_| true).iter().for_each(|run| run.cancel());
        self.0.tasks.close();
        if tokio::time::timeout(PATIENCE, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(runs = self.0.tasks.len(), "some runs did not end in time");
        }
    }
}
