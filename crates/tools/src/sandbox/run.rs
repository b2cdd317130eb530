//! From a call to its result: which function, which interpreter, which folders, and what its end means.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Confinement, Inner, InstallError, InterpreterError, RunMode, RunRequest, RunResult, RunStatus,
    helper::{Memory, Plan, PlanLimits, Report},
    process::{self, Ending, Finished, Job},
    sandbox_home,
    spares::{self, FolderId, Key, Ready},
};
use crate::{
    schema::{self, Callable},
    source::SourceType,
};

const PYTHON_RUNNER: &str = include_str!("runner.py");
const NODE_RUNNER: &str = include_str!("runner.mjs");
/// Characters of an error the model is told.
const MAX_ERROR_CHARS: usize = 1000;
/// Bytes Node needs beside its heap: an idle one writes to 50 MB, and young objects have a place of their own.
const BESIDE_THE_HEAP: u64 = 256 << 20;
/// What is told of a call that wanted more memory than it may have.
const TOO_MUCH_MEMORY: &str = "it used more memory than it may and was stopped";

/// Why a call did not come to run.
#[derive(Debug, thiserror::Error)]
enum NotRun {
    #[error(transparent)]
    Source(#[from] schema::SchemaError),
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("the variable name {0:?} is not allowed: a name has no '=' and no NUL, and is not empty")]
    Variable(String),
    #[error("preparing the run: {0}")]
    Io(#[from] std::io::Error),
    #[error("preparing the run: {0}")]
    Json(#[from] serde_json::Error),
}

/// The answer of a runner.
#[derive(Deserialize)]
struct Answer {
    ok: bool,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    error: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    traceback: String,
    #[serde(default)]
    blocks: BTreeMap<String, String>,
}

pub(super) async fn run(sandbox: &Arc<Inner>, request: RunRequest) -> RunResult {
    let started = Instant::now();
    let timeout = request.timeout.unwrap_or(sandbox.options.limits.timeout);
    let mut name = request.function.clone().unwrap_or_else(|| "None".to_owned());
    let mut result = match prepare_and_run(sandbox, &request, timeout, &mut name).await {
        Ok(finished) => told(finished, &name, timeout),
        Err(reason) => {
            let kind = match &reason {
                NotRun::Source(schema::SchemaError::Syntax { .. }) => "SyntaxError",
                NotRun::Source(_) => "NameError",
                NotRun::Interpreter(_) | NotRun::Install(_) => "EnvironmentError",
                NotRun::Variable(_) => "ValueError",
                NotRun::Io(_) | NotRun::Json(_) => "RuntimeError",
            };
            RunResult::error(sentence(&name, kind, &reason.to_string()))
        }
    };
    result.duration = started.elapsed();
    result
}

/// `Error executing function NAME: KIND: MESSAGE`, cut to what the model is told.
fn sentence(name: &str, kind: &str, message: &str) -> String {
    let text = if message.is_empty() {
        format!("Error executing function {name}: {kind}")
    } else {
        format!("Error executing function {name}: {kind}: {message}")
    };
    match text.char_indices().nth(MAX_ERROR_CHARS) {
        Some((at, _)) => text[..at].to_owned(),
        None => text,
    }
}

/// What the interpreter is started with.
struct Program {
    argv: Vec<String>,
    read: Vec<PathBuf>,
    /// Folders of programs it brings along.
    path: Vec<PathBuf>,
    memory: Memory,
    /// Added to the request.
    extra: Value,
}

async fn prepare_and_run(
    sandbox: &Arc<Inner>,
    request: &RunRequest,
    timeout: Duration,
    name: &mut String,
) -> Result<Finished, NotRun> {
    check_variables(&request.env)?;
    let callable = match request.mode {
        RunMode::Script => None,
        RunMode::Function => {
            let found =
                schema::find_function(&request.source, request.source_type, request.function.as_deref())?;
            name.clone_from(&found.name);
            Some(found)
        }
    };
    let program = program(sandbox, request, callable.as_ref()).await?;

    let home = sandbox_home(&sandbox.options.data_dir);
    let (work_dir, disk_before) = match &request.work_dir {
        Some(folder) => (folder.clone(), process::disk_used(vec![folder.clone()]).await),
        None => (super::Sandbox::work_dir_in(&home, &request.agent_id), 0),
    };
    tokio::fs::create_dir_all(&work_dir).await?;
    let work_dir = tokio::fs::canonicalize(&work_dir).await?;
    let blueprint = blueprint(sandbox, request, &program, home.join("runs"), work_dir, timeout)?;

    let mut input = json!({
        "mode": match request.mode { RunMode::Function => "function", RunMode::Script => "script" },
        "source": program.extra.get("source").cloned().unwrap_or_else(|| json!(request.source)),
        "function": callable.as_ref().map(|callable| callable.name.as_str()),
        "parameters": callable.as_ref().map(|callable| &callable.parameters),
        "arguments": request.arguments,
        "env": variables(request),
        "agent_state": request.agent_state,
        "agent_id": request.agent_id,
        "work_dir": blueprint.key.work_dir,
        "tools": request.tools.as_ref().map(|tools| &tools.functions),
    });
    if let Some(modules) = program.extra.get("modules") {
        input["modules"] = modules.clone();
    }
    let input = serde_json::to_vec(&input)?;
    let two_way = request.tools.is_some();
    let Ready { standing, run_dir } = match sandbox.spares.take(&blueprint.key).filter(|_| !two_way) {
        Some(ready) => ready,
        None => {
            let run_dir = RunDir::make(&blueprint.runs).await?;
            let plan = blueprint.plan(&run_dir);
            let standing = process::start(&sandbox.options.helper, plan, two_way).await?;
            Ready { standing, run_dir }
        }
    };
    let job = Job {
        request: &input,
        timeout,
        limits: &sandbox.options.limits,
        disk_before,
        watcher: request.watcher.as_ref(),
        tools: request.tools.as_ref(),
    };
    let finished = process::finish(standing, job).await;
    drop(run_dir);
    if !two_way {
        spares::refill(&Arc::downgrade(sandbox), blueprint);
    }
    Ok(finished?)
}

/// The variables the code sees besides those every program needs.
fn variables(request: &RunRequest) -> BTreeMap<String, String> {
    let mut env = request.env.clone();
    for (name, id) in [("LETTA_AGENT_ID", &request.agent_id), ("LETTA_TOOL_ID", &request.tool_id)] {
        if !id.is_empty() {
            env.insert(name.to_owned(), id.clone());
        }
    }
    env
}

fn check_variables(env: &BTreeMap<String, String>) -> Result<(), NotRun> {
    match env
        .iter()
        .find(|(name, value)| name.is_empty() || name.contains(['=', '\0']) || value.contains('\0'))
    {
        Some((name, _)) => Err(NotRun::Variable(name.clone())),
        None => Ok(()),
    }
}

async fn program(
    sandbox: &Inner,
    request: &RunRequest,
    callable: Option<&Callable>,
) -> Result<Program, NotRun> {
    match request.source_type {
        SourceType::Python => python(sandbox, request).await,
        SourceType::Typescript => node(sandbox, request, callable).await,
    }
}

async fn python(sandbox: &Inner, request: &RunRequest) -> Result<Program, NotRun> {
    let base = sandbox.interpreters.python().await?;
    let (program, read) = if request.pip_requirements.is_empty() {
        (base.program.clone(), base.prefixes.clone())
    } else {
        let watcher = request.watcher.as_ref();
        let folder = sandbox.environments.python(&base, &request.pip_requirements, watcher).await?;
        let folder = tokio::fs::canonicalize(&folder).await?;
        let program = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        (program, base.prefixes.iter().cloned().chain([folder]).collect())
    };
    let flags = ["-I", "-B", "-X", "utf8", "-c", PYTHON_RUNNER];
    let argv = std::iter::once(program.display().to_string()).chain(flags.map(str::to_owned)).collect();
    let path = program.parent().map(Path::to_owned).into_iter().collect();
    let memory = Memory::AddressSpace(memory(sandbox, request));
    Ok(Program { argv, read, path, memory, extra: json!({}) })
}

async fn node(sandbox: &Inner, request: &RunRequest, callable: Option<&Callable>) -> Result<Program, NotRun> {
    let source = schema::typescript::to_javascript(&request.source, callable.is_none())?;
    let base = sandbox.interpreters.node().await?;
    let mut read = base.prefixes.clone();
    read.push(base.program.clone());
    let mut extra = json!({"source": source});
    if !request.npm_requirements.is_empty() {
        let watcher = request.watcher.as_ref();
        let folder = sandbox.environments.node(&base, &request.npm_requirements, watcher).await?;
        let folder = tokio::fs::canonicalize(&folder).await?;
        extra["modules"] = json!(folder);
        read.push(folder);
    }
    let granted = memory(sandbox, request);
    let heap = format!("--max-old-space-size={}", granted >> 20);
    let argv = [
        base.program.display().to_string(),
        heap,
        "--input-type=module".into(),
        "-e".into(),
        NODE_RUNNER.into(),
    ];
    let path = base.program.parent().map(Path::to_owned).into_iter().collect();
    // Buffers are not part of the heap.
    let memory = Memory::Written { granted, most: granted.saturating_add(BESIDE_THE_HEAP) };
    Ok(Program { argv: argv.into(), read, path, memory, extra })
}

fn memory(sandbox: &Inner, request: &RunRequest) -> u64 {
    request.memory_bytes.unwrap_or(sandbox.options.limits.memory_bytes)
}

/// Everything about a process but the folder of its one call.
#[derive(Debug, Clone)]
pub(super) struct Blueprint {
    pub key: Key,
    /// Where folders of calls are made.
    pub runs: PathBuf,
    allow_unconfined: bool,
}

fn blueprint(
    sandbox: &Inner,
    request: &RunRequest,
    program: &Program,
    runs: PathBuf,
    work_dir: PathBuf,
    timeout: Duration,
) -> Result<Blueprint, NotRun> {
    let limits = &sandbox.options.limits;
    let path = program.path.iter().map(|folder| folder.display().to_string());
    let read: Vec<PathBuf> = program.read.iter().chain(&request.read).cloned().collect();
    let folders = std::iter::once(&work_dir)
        .chain(&read)
        .map(|folder| FolderId::of(folder))
        .collect::<std::io::Result<_>>()?;
    let key = Key {
        argv: program.argv.clone(),
        read,
        path: path.chain(["/usr/local/bin", "/usr/bin", "/bin"].map(str::to_owned)).collect(),
        folders,
        work_dir,
        network: request.network,
        limits: PlanLimits {
            cpu_seconds: timeout.as_secs() + 5,
            memory: program.memory,
            file_bytes: limits.file_bytes,
            open_files: limits.open_files,
            processes: limits.processes,
        },
    };
    Ok(Blueprint { key, runs, allow_unconfined: sandbox.options.allow_unconfined })
}

impl Blueprint {
    pub(super) fn plan(&self, run_dir: &RunDir) -> Plan {
        let Key { argv, read, path, work_dir, network, limits, folders: _ } = self.key.clone();
        let (home, temp) = (run_dir.path.join("home"), run_dir.path.join("tmp"));
        let env = [
            ("PATH", path.join(if cfg!(windows) { ";" } else { ":" })),
            ("HOME", home.display().to_string()),
            ("TMPDIR", temp.display().to_string()),
            ("LANG", "C.UTF-8".to_owned()),
        ];
        Plan {
            argv,
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            read,
            write: vec![work_dir.clone(), home, temp],
            work_dir,
            network,
            limits,
            allow_unconfined: self.allow_unconfined,
            parent: std::process::id(),
            report: run_dir.path.join("report.json"),
            result: run_dir.path.join("result.json"),
        }
    }
}

/// The folder of one call, with its temporary home. It goes with the call.
#[derive(Debug)]
pub(super) struct RunDir {
    path: PathBuf,
    _guard: tempfile::TempDir,
}

impl RunDir {
    pub(super) async fn make(runs: &Path) -> std::io::Result<Self> {
        let runs = runs.to_owned();
        tokio::task::spawn_blocking(move || {
            std::fs::create_dir_all(&runs)?;
            sweep(&runs);
            let guard = tempfile::Builder::new().prefix("run-").tempdir_in(&runs)?;
            let path = guard.path().canonicalize()?;
            std::fs::create_dir(path.join("home"))?;
            std::fs::create_dir(path.join("tmp"))?;
            Ok(Self { path, _guard: guard })
        })
        .await
        .map_err(std::io::Error::other)?
    }
}

/// Removes the folders of calls that a crash cut off. Calls never last a day.
fn sweep(runs: &Path) {
    let Ok(entries) = std::fs::read_dir(runs) else { return };
    for entry in entries.flatten() {
        let modified = entry.metadata().and_then(|about| about.modified());
        let age = modified.ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > Duration::from_secs(24 * 3600)) {
            // Err: it is tried again with the next call.
            let _left = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// What the end of the process means.
fn told(finished: Finished, name: &str, timeout: Duration) -> RunResult {
    let Finished { ending, stdout, mut stderr, report, result, result_too_large } = finished;
    let confinement = match report {
        Some(Report::Confined(confinement)) => confinement,
        Some(Report::Failed(reason)) => {
            return RunResult::error(sentence(name, "ConfinementError", &reason));
        }
        None => Confinement::default(),
    };
    let answer = result.as_deref().and_then(|bytes| serde_json::from_slice::<Answer>(bytes).ok());
    let error = |kind: &str, message: &str| (RunStatus::Error, Value::String(sentence(name, kind, message)));
    let mut changed_blocks = BTreeMap::new();
    let (status, value) = match (ending, answer) {
        (_, Some(answer)) if answer.ok => {
            changed_blocks = answer.blocks;
            (RunStatus::Success, answer.value)
        }
        (_, Some(answer)) => {
            let text = stderr.get_or_insert_default();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(&answer.traceback);
            let silent = answer.error == "MemoryError" && answer.message.is_empty();
            error(&answer.error, if silent { TOO_MUCH_MEMORY } else { &answer.message })
        }
        (Ending::TimedOut, None) => {
            error("TimeoutError", &format!("it ran longer than {} s and was stopped", timeout.as_secs_f64()))
        }
        (Ending::DiskFull, None) => {
            error("OSError", "it wrote more to the disk than a tool may and was stopped")
        }
        (Ending::Exited(_), None) if result_too_large => {
            error("ValueError", "the result is too large; write it to a file or return a part of it")
        }
        (Ending::Exited(status), None) => {
            error("RuntimeError", &end_without_answer(status, stderr.as_deref()))
        }
    };
    RunResult {
        status,
        value,
        stdout: stdout.into_iter().collect(),
        stderr: stderr.into_iter().collect(),
        changed_blocks,
        confinement,
        duration: Duration::ZERO,
    }
}

/// What is known of a process that gave no answer.
fn end_without_answer(status: std::process::ExitStatus, stderr: Option<&str>) -> String {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        let out_of_memory = || stderr.is_some_and(|text| text.to_lowercase().contains("out of memory"));
        match status.signal() {
            Some(_) if out_of_memory() => return TOO_MUCH_MEMORY.to_owned(),
            Some(9) => return "it was killed, probably for using too much memory".to_owned(),
            Some(24) => return "it used up its processor time and was stopped".to_owned(),
            Some(25) => return "it wrote a file larger than a tool may and was stopped".to_owned(),
            Some(signal) => return format!("the interpreter crashed (signal {signal})"),
            None => {}
        }
    }
    let code = status.code().unwrap_or(-1);
    let last = stderr.and_then(|text| text.lines().rev().find(|line| !line.trim().is_empty()));
    match last {
        Some(line) => format!("the process ended with code {code} and without a result: {line}"),
        None => format!("the process ended with code {code} and without a result"),
    }
}
