//! Starting the program, waiting until it is ready, and starting it again when it ends by itself.

use std::{path::PathBuf, time::Duration};

use loci_api::{error::ApiError, said::Said, time::Timestamp};
use loci_server::error::Failure;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Launch, Managed, Phase, command, orphan, process};
use crate::{Desk, events::Event, runtimes::probe, sentences::Machine};

/// How often a starting server is asked whether it is ready.
const ASK: Duration = Duration::from_millis(250);
/// How long a large model may load.
const LOADING: Duration = Duration::from_secs(900);
/// How long it may take to end when asked.
const ENDING: Duration = Duration::from_secs(5);
/// Pauses before it is started again double from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LAST_PAUSE: Duration = Duration::from_secs(60);
/// Failures in a row after which it stays down.
const MOST_RESTARTS: u32 = 5;
/// A server that ran so long starts the count anew.
const STEADY: Duration = Duration::from_secs(120);

/// Begins to run it; the rest happens in the background.
pub(super) fn start(desk: &Desk, launch: Launch) -> Result<(), Failure> {
    let program = command::program(launch.program.as_deref())?;
    let model = launch.model.clone().ok_or_else(|| ApiError::conflict(Machine::LlamaNoModel))?;
    let managed = desk.runtimes().managed.clone();
    let stop = CancellationToken::new();
    {
        let mut inner = managed.inner();
        inner.phase = Phase::Starting;
        inner.launch = launch.clone();
        inner.restarts = 0;
        inner.problem = None;
        inner.log.clear();
        inner.stop = Some(stop.clone());
    }
    let watcher = Watcher { desk: desk.clone(), managed, launch, program, model, stop };
    tokio::spawn(watcher.run());
    Ok(())
}

/// Ends it and waits until it is gone.
pub(super) async fn stop(desk: &Desk) {
    let managed = &desk.runtimes().managed;
    let (stop, pid) = {
        let mut inner = managed.inner();
        (inner.stop.take(), inner.pid)
    };
    if let Some(stop) = stop {
        stop.cancel();
    }
    if pid.is_some() {
        let gone = async {
            while managed.inner().pid == pid {
                sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(ENDING * 2, gone).await.is_err()
            && let Some(pid) = pid
        {
            process::end_now(pid);
        }
    }
    let mut inner = managed.inner();
    inner.phase = Phase::Stopped;
    inner.problem = None;
    inner.context_in_force = None;
}

/// How a start ended.
enum Ended {
    Asked,
    /// It was ready and ended by itself after so long.
    After(Duration),
    /// It never was ready.
    Never(Said),
}

struct Watcher {
    desk: Desk,
    managed: Managed,
    launch: Launch,
    program: PathBuf,
    model: PathBuf,
    stop: CancellationToken,
}

impl Watcher {
    async fn run(self) {
        let mut failures = 0_u32;
        loop {
            let ended = self.once().await;
            self.gone().await;
            match ended {
                Ended::Asked => return,
                Ended::Never(why) => {
                    // Trying the same again would end the same.
                    self.settle(Phase::Failed, Some(why));
                    return;
                }
                Ended::After(ran) => {
                    failures = if ran >= STEADY { 1 } else { failures + 1 };
                    if failures > MOST_RESTARTS {
                        self.settle(Phase::Failed, Some(Machine::LlamaGivenUp { times: failures }.into()));
                        return;
                    }
                    let pause = FIRST_PAUSE.saturating_mul(1 << (failures - 1)).min(LAST_PAUSE);
                    self.settle(
                        Phase::Waiting,
                        Some(Machine::LlamaStartsAgain { seconds: pause.as_secs_f64() }.into()),
                    );
                    tokio::select! {
                        () = self.stop.cancelled() => return,
                        () = sleep(pause) => {}
                    }
                    self.managed.inner().restarts += 1;
                    self.settle(Phase::Starting, None);
                }
            }
        }
    }

    fn settle(&self, phase: Phase, problem: Option<Said>) {
        {
            let mut inner = self.managed.inner();
            // Stopped meanwhile by the person: that stays.
            if self.stop.is_cancelled() {
                return;
            }
            inner.phase = phase;
            inner.problem = problem;
        }
        self.desk.events().tell(Event::ProviderChanged);
    }

    /// Whatever ran is gone.
    async fn gone(&self) {
        orphan::forget(&self.desk.app().options().data_dir).await;
        {
            let mut inner = self.managed.inner();
            inner.pid = None;
            inner.port = None;
            inner.key = None;
            inner.context_in_force = None;
            inner.started_at = None;
            if inner.phase == Phase::Running {
                inner.phase = Phase::Waiting;
            }
        }
        if let Err(error) = self.desk.tell_found().await {
            tracing::warn!(error = format!("{error:#}"), "the end of llama-server was not noted");
        }
    }

    /// One start, to its end.
    async fn once(&self) -> Ended {
        let port = match free_port().await {
            Ok(port) => port,
            Err(error) => return Ended::Never(Machine::LlamaNoPort { said: error.to_string() }.into()),
        };
        let key =
            SecretString::from(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()));
        let mut child = match command::command(&self.program, &self.launch, &self.model, port, &key).spawn() {
            Ok(child) => child,
            Err(error) => {
                let path = self.program.display().to_string();
                return Ended::Never(Machine::LlamaNotStarted { path, said: error.to_string() }.into());
            }
        };
        let pid = child.id();
        {
            let mut inner = self.managed.inner();
            inner.pid = pid;
            inner.port = Some(port);
            inner.key = Some(key.clone());
            inner.started_at = Some(Timestamp::now());
        }
        if let Some(pid) = pid {
            orphan::note(&self.desk.app().options().data_dir, pid, port, &self.model).await;
        }
        self.managed.note(&format!("— started {} on port {port}", self.program.display()));
        read(child.stdout.take(), &self.managed);
        read(child.stderr.take(), &self.managed);
        let ended = self.attend(&mut child, port, &key).await;
        if matches!(ended, Ended::Asked) {
            end(&mut child, pid).await;
            self.managed.note("— ended");
        } else if let Some(pid) = pid {
            // What it may have started itself.
            process::end_now(pid);
        }
        ended
    }

    async fn attend(&self, child: &mut Child, port: u16, key: &SecretString) -> Ended {
        let root = format!("http://127.0.0.1:{port}");
        let client = match probe::client() {
            Ok(client) => client,
            Err(error) => return Ended::Never(Machine::LlamaNotAsked { said: error.to_string() }.into()),
        };
        let deadline = Instant::now() + LOADING;
        let ready = async {
            while !probe::is_healthy(&client, &root, key.expose_secret()).await {
                sleep(ASK).await;
            }
        };
        tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ended::Asked,
            status = child.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                self.managed.note(&format!("— ended before it was ready ({status})"));
                return Ended::Never(Machine::LlamaEndedEarly { status }.into());
            }
            () = tokio::time::sleep_until(deadline) => {
                return Ended::Never(Machine::LlamaNotReady { minutes: LOADING.as_secs() / 60 }.into());
            }
            () = ready => {}
        }
        let props = probe::props(&client, &root, key.expose_secret()).await;
        {
            let mut inner = self.managed.inner();
            inner.context_in_force = props.as_ref().and_then(probe::context_length);
            inner.phase = Phase::Running;
            inner.problem = None;
        }
        let began = Instant::now();
        if let Err(error) = self.desk.tell_found().await {
            tracing::warn!(error = format!("{error:#}"), "llama-server was not taken in");
        }
        self.desk.events().tell(Event::ProviderChanged);
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Ended::Asked,
            status = child.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                self.managed.note(&format!("— ended by itself ({status})"));
                Ended::After(began.elapsed())
            }
        }
    }
}

/// Asks it to end, and ends it when it does not.
async fn end(child: &mut Child, pid: Option<u32>) {
    let Some(pid) = pid else { return };
    process::ask_to_end(pid);
    if timeout(ENDING, child.wait()).await.is_err() {
        process::end_now(pid);
        let _gone = child.wait().await;
    }
    // What it may have started itself.
    process::end_now(pid);
}

/// A port nobody listens on at this moment.
async fn free_port() -> std::io::Result<u16> {
    Ok(tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port())
}

/// Bytes of a line that are read at once; what is longer is cut up.
const MOST_LINE: u64 = 64 << 10;

fn read(stream: Option<impl AsyncRead + Unpin + Send + 'static>, managed: &Managed) {
    let Some(stream) = stream else { return };
    let managed = managed.clone();
    tokio::spawn(async move {
        use tokio::io::AsyncReadExt as _;
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        loop {
            line.clear();
            match (&mut reader).take(MOST_LINE).read_until(b'\n', &mut line).await {
                Ok(0) | Err(_) => return,
                Ok(_) => managed.note(String::from_utf8_lossy(&line).trim_end()),
            }
        }
    });
}
