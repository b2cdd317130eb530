//! One thread that starts all helpers and never ends.
//!
//! A helper asks the kernel to be killed when the thread that started it dies, so that nothing outlives a
//! crashed program. Threads of an async runtime come and go; this one does not.

use std::{
    io,
    sync::{LazyLock, mpsc},
    thread,
};

use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

struct Job {
    command: Command,
    runtime: Handle,
    started: oneshot::Sender<io::Result<Child>>,
}

static JOBS: LazyLock<Option<mpsc::SyncSender<Job>>> = LazyLock::new(|| {
    let (sender, receiver) = mpsc::sync_channel::<Job>(64);
    let thread = thread::Builder::new().name("tool-spawner".to_owned()).spawn(move || {
        while let Ok(Job { mut command, runtime, started }) = receiver.recv() {
            let _runtime = runtime.enter();
            // Err: nobody waits any more; the child is dropped and, being kill_on_drop, killed.
            let _unwanted = started.send(command.spawn());
        }
    });
    thread.ok().map(|_| sender)
});

/// Starts the command from the lasting thread.
pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let gone = || io::Error::other("the thread that starts tools is gone");
    let (started, child) = oneshot::channel();
    let job = Job { command, runtime: Handle::current(), started };
    JOBS.as_ref()
        .ok_or_else(gone)?
        .try_send(job)
        .map_err(|_| io::Error::other("too many tools start at once"))?;
    child.await.map_err(|_| gone())?
}
