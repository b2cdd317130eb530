//! One helper from start to end: its input, its output, its limits on time and disk, and nothing left of it.

use std::{
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    process::{Child, Command},
    sync::{Mutex, mpsc},
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};

use super::{
    Limits, NestedTools, RunEvent,
    bridge::{self, Line},
    helper::{self, Plan, Report},
    output::{Captured, drain},
    spawner,
};
use crate::process_group::ProcessGroup;

/// How it ended.
#[derive(Debug)]
pub(super) enum Ending {
    Exited(ExitStatus),
    TimedOut,
    DiskFull,
}

/// What is left of a finished process.
#[derive(Debug)]
pub(super) struct Finished {
    pub ending: Ending,
    pub stdout: Option<String>,
    pub stderr: Option<String>,
    /// None: the helper did not come so far as to say anything.
    pub report: Option<Report>,
    /// The interpreter's answer; None if there is none.
    pub result: Option<Vec<u8>>,
    /// The answer was larger than allowed.
    pub result_too_large: bool,
}

/// A process that confines itself and then waits for its one request. Dropping it kills everything it started.
#[derive(Debug)]
pub(super) struct Standing {
    child: Child,
    group: ProcessGroup,
    input: Line,
    plan: Plan,
}

impl Standing {
    /// Whether it still waits.
    pub(super) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

/// What one call needs besides the process.
pub(super) struct Job<'a> {
    /// The interpreter's input.
    pub request: &'a [u8],
    pub timeout: Duration,
    pub limits: &'a Limits,
    /// Bytes the written folders held before.
    pub disk_before: u64,
    /// Told of output as it comes.
    pub watcher: Option<&'a mpsc::Sender<RunEvent>>,
    /// What the code may call; only for a process started with a way back.
    pub tools: Option<&'a NestedTools>,
}

/// Starts the helper and gives it its plan. `two_way`: the code can ask this program while it runs.
pub(super) async fn start(helper: &Path, plan: Plan, two_way: bool) -> io::Result<Standing> {
    let (theirs, ours) = bridge::pair(two_way)?;
    let mut command = Command::new(helper);
    command.arg(helper::ARGUMENT).env_clear().kill_on_drop(true);
    command.stdin(theirs).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    command.process_group(0);
    let mut child = spawner::spawn(command).await?;
    let group = ProcessGroup::led_by(child.id());
    let mut input = ours.of(&mut child)?;
    input.write(&helper::framed(&plan)?).await?;
    Ok(Standing { child, group, input, plan })
}

/// Gives the process its request and sees it to its end. Dropping the future kills everything it started.
pub(super) async fn finish(standing: Standing, job: Job<'_>) -> io::Result<Finished> {
    let Standing { mut child, group, input, plan } = standing;
    let deadline = Instant::now() + job.timeout;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, err) = (Mutex::new(Captured::default()), Mutex::new(Captured::default()));
    let limit = job.limits.output_bytes;

    let mut talking = Box::pin(async {
        let converse = input.converse(job.request, job.tools);
        let read_out = async {
            if let Some(stdout) = stdout {
                drain(stdout, limit, &out, job.watcher, RunEvent::Stdout).await;
            }
        };
        let read_err = async {
            if let Some(stderr) = stderr {
                drain(stderr, limit, &err, job.watcher, RunEvent::Stderr).await;
            }
        };
        tokio::join!(converse, read_out, read_err);
    });
    let mut silent = false;
    let ending = {
        let ending = wait(&mut child, deadline, &plan, &job);
        tokio::pin!(ending);
        tokio::select! {
            ending = &mut ending => ending?,
            () = &mut talking => {
                silent = true;
                ending.await?
            }
        }
    };
    drop(group);
    if !matches!(ending, Ending::Exited(_)) {
        // Reaped, so that nothing stays behind; it was killed with its group.
        let _reaped = child.kill().await;
    }
    // With the group gone the pipes are at their end; a process that could leave the group must not hold us.
    if !silent {
        let _at_end = timeout(Duration::from_secs(2), &mut talking).await;
    }
    drop(talking);

    let report = match read_limited(&plan.report, 1 << 20).await {
        (Some(bytes), false) => serde_json::from_slice(&bytes).ok(),
        _ => None,
    };
    let (result, result_too_large) = read_limited(&plan.result, job.limits.result_bytes).await;
    Ok(Finished {
        ending,
        stdout: out.into_inner().into_text(),
        stderr: err.into_inner().into_text(),
        report,
        result,
        result_too_large,
    })
}

/// Writes all of it; a process that ended early has no use for the rest, and how it ended is told elsewhere.
pub(super) async fn give(mut to: impl AsyncWrite + Unpin, bytes: &[u8]) {
    if to.write_all(bytes).await.is_ok() {
        let _unread = to.flush().await;
    }
}

async fn wait(child: &mut Child, deadline: Instant, plan: &Plan, job: &Job<'_>) -> io::Result<Ending> {
    let mut ticks = interval(Duration::from_millis(500));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    // A folder that is full already may not grow; what only reads or tidies it up goes on.
    let at_first = disk_used(plan.write.clone());
    tokio::pin!(at_first);
    let mut ceiling = None;
    loop {
        tokio::select! {
            status = child.wait() => return status.map(Ending::Exited),
            () = sleep_until(deadline) => return Ok(Ending::TimedOut),
            used = &mut at_first, if ceiling.is_none() => {
                ceiling = Some(used.max(job.disk_before.saturating_add(job.limits.disk_bytes)));
            }
            _ = ticks.tick() => {
                let used = disk_used(plan.write.clone()).await;
                if ceiling.is_some_and(|ceiling| used > ceiling) {
                    return Ok(Ending::DiskFull);
                }
            }
        }
    }
}

/// Bytes all files in these folders occupy; links are not followed, and very many files are not all counted.
pub(super) async fn disk_used(folders: Vec<PathBuf>) -> u64 {
    let walk = move || {
        let mut waiting = folders;
        let (mut bytes, mut seen) = (0, 0);
        while let Some(folder) = waiting.pop() {
            let Ok(entries) = std::fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                seen += 1;
                match entry.metadata() {
                    Ok(about) if about.is_dir() => waiting.push(entry.path()),
                    Ok(about) => bytes += about.len(),
                    Err(_) => {}
                }
            }
            if seen > 200_000 {
                break;
            }
        }
        bytes
    };
    tokio::task::spawn_blocking(walk).await.unwrap_or(0)
}

/// The file's bytes if there are any and not more than `limit`; whether there are more.
async fn read_limited(path: &Path, limit: u64) -> (Option<Vec<u8>>, bool) {
    let Ok(file) = tokio::fs::File::open(path).await else { return (None, false) };
    let mut bytes = Vec::new();
    match file.take(limit + 1).read_to_end(&mut bytes).await {
        Ok(count) if count as u64 > limit => (None, true),
        Ok(0) | Err(_) => (None, false),
        Ok(_) => (Some(bytes), false),
    }
}
