//! Running a person's source in a separate process that can reach little: its own folder, the interpreter, the
//! variables it was given, and the network only if that was granted.
//!
//! The program starts itself again as a helper ([`run_helper_if_asked`]); the helper confines itself and then
//! becomes the interpreter. What was in force is reported with every result as [`Confinement`].

mod bridge;
mod confine;
mod confinement;
mod environment;
mod helper;
mod interpreter;
mod output;
mod process;
mod run;
mod spares;
mod spawner;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use loci_api::resource::Requirement;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::{egress::Egress, source::SourceType};

pub use confinement::{Confinement, ConfinementPart};
pub use environment::InstallError;
pub use helper::run_helper_if_asked;
pub use interpreter::InterpreterError;

/// What one process of a tool may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Unless the request says otherwise.
    pub timeout: Duration,
    /// Memory of each process, bytes. Of Python it is the address space; Node reserves far more of that than it uses,
    /// so for it this is the heap, and a little more is all it may write to.
    pub memory_bytes: u64,
    /// The largest single file, bytes.
    pub file_bytes: u64,
    /// All files of the work folder and the temporary folders together, bytes.
    pub disk_bytes: u64,
    /// Kept of standard output, and as much of standard error, bytes. The rest is read and dropped.
    pub output_bytes: usize,
    /// The largest result, bytes of JSON.
    pub result_bytes: u64,
    pub open_files: u64,
    /// Processes and threads at one time.
    pub processes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(180),
            memory_bytes: 2 << 30,
            file_bytes: 256 << 20,
            disk_bytes: 1 << 30,
            output_bytes: 1 << 20,
            result_bytes: 16 << 20,
            open_files: 512,
            processes: 128,
        }
    }
}

/// How tools are run on this machine.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// Work folders and installed packages live under `data_dir/sandbox`.
    pub data_dir: PathBuf,
    /// A program whose `main` begins with [`run_helper_if_asked`]; usually the running one.
    pub helper: PathBuf,
    /// The Python to use; None: `python3` or `python` on the PATH.
    pub python: Option<PathBuf>,
    /// The Node to use; None: `node` on the PATH.
    pub node: Option<PathBuf>,
    /// The uv that installs Python packages; None: pip does.
    pub uv: Option<PathBuf>,
    pub limits: Limits,
    /// Variables for pip, uv and npm besides those of this process that concern them (`PIP_…`, `UV_…`,
    /// `NPM_CONFIG_…`, proxies and certificates): an index of one's own, for example.
    pub installer_env: BTreeMap<String, String>,
    /// Whether code may run where its files cannot be confined. It is said in the result either way.
    pub allow_unconfined: bool,
    /// Whether built-in tools may fetch from this machine and private networks.
    pub allow_private_addresses: bool,
    /// Calls running at one time; more wait.
    pub parallel: usize,
    /// How long installed packages stay after their last use.
    pub keep_packages: Duration,
    /// Processes kept ready for the next call of a kind seen before; 0 starts each when it is needed.
    pub spares: usize,
}

impl Default for SandboxOptions {
    /// The running program as helper, uv if there is one; strict on Linux, where everything can be confined.
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("."),
            helper: std::env::current_exe().unwrap_or_default(),
            python: None,
            node: None,
            uv: which::which("uv").ok(),
            limits: Limits::default(),
            installer_env: BTreeMap::new(),
            allow_unconfined: !cfg!(target_os = "linux"),
            allow_private_addresses: false,
            parallel: 16,
            keep_packages: Duration::from_secs(30 * 24 * 3_600),
            spares: 4,
        }
    }
}

/// What the source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RunMode {
    /// Definitions, one of which is called.
    #[default]
    Function,
    /// Statements, run from top to bottom; the result is a list: what the language shows of a last expression, or
    /// nothing.
    Script,
}

/// One call.
#[derive(Clone)]
pub struct RunRequest {
    /// Shown to the code as `LETTA_TOOL_ID`; empty for source that is not stored.
    pub tool_id: String,
    /// Shown to the code as `LETTA_AGENT_ID`; empty outside an agent.
    pub agent_id: String,
    pub source: String,
    pub source_type: SourceType,
    pub mode: RunMode,
    /// Which function is called; None: the one [`crate::schema::derive`] takes for the tool.
    pub function: Option<String>,
    pub arguments: Map<String, Value>,
    /// All the variables the code sees, besides the two ids above and those every program needs (`PATH`, `HOME`,
    /// `TMPDIR`, `LANG`).
    pub env: BTreeMap<String, String>,
    /// The agent as JSON, for a function with a parameter `agent_state`.
    pub agent_state: Option<Value>,
    /// Whether it may connect to other machines.
    pub network: bool,
    /// None: [`Limits::timeout`].
    pub timeout: Option<Duration>,
    /// None: [`Limits::memory_bytes`].
    pub memory_bytes: Option<u64>,
    pub pip_requirements: Vec<Requirement>,
    pub npm_requirements: Vec<Requirement>,
    /// The folder it may write to and starts in; it is made if missing. None: one of its own, per agent.
    pub work_dir: Option<PathBuf>,
    /// Folders besides the interpreter's that it may read.
    pub read: Vec<PathBuf>,
    /// Told of the installation and of output while they happen; nobody need listen.
    pub watcher: Option<mpsc::Sender<RunEvent>>,
    /// What the code may call as functions of its own; Python only.
    pub tools: Option<NestedTools>,
}

/// Something that happened while a call runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEvent {
    /// Packages that are not there yet are being installed.
    Installing {
        packages: String,
    },
    /// A line of the installer's.
    InstallLine(String),
    /// They are there.
    Installed,
    Stdout(String),
    Stderr(String),
}

/// Tools that code may call while it runs. Each call is sent to whoever carries them out, one after another.
#[derive(Debug, Clone)]
pub struct NestedTools {
    pub functions: Vec<NestedFunction>,
    pub calls: mpsc::Sender<NestedCall>,
}

/// A tool as the code sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NestedFunction {
    pub name: String,
    /// In the order in which arguments without a name are taken.
    pub parameters: Vec<String>,
}

/// One call made by running code.
#[derive(Debug)]
pub struct NestedCall {
    pub name: String,
    pub arguments: Map<String, Value>,
    /// The tool's value, or the sentence the code gets as an exception.
    pub answer: oneshot::Sender<Result<Value, String>>,
}

impl fmt::Debug for RunRequest {
    /// Without what may be secret: of the variables only the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunRequest")
            .field("tool_id", &self.tool_id)
            .field("agent_id", &self.agent_id)
            .field("source_type", &self.source_type)
            .field("mode", &self.mode)
            .field("function", &self.function)
            .field("env", &self.env.keys())
            .field("network", &self.network)
            .field("timeout", &self.timeout)
            .field("memory_bytes", &self.memory_bytes)
            .field("work_dir", &self.work_dir)
            .finish_non_exhaustive()
    }
}

impl RunRequest {
    /// A call without variables, state, packages or network.
    #[must_use]
    pub fn new(source_type: SourceType, source: impl Into<String>, arguments: Map<String, Value>) -> Self {
        Self {
            tool_id: String::new(),
            agent_id: String::new(),
            source: source.into(),
            source_type,
            mode: RunMode::Function,
            function: None,
            arguments,
            env: BTreeMap::new(),
            agent_state: None,
            network: false,
            timeout: None,
            memory_bytes: None,
            pip_requirements: Vec::new(),
            npm_requirements: Vec::new(),
            work_dir: None,
            read: Vec::new(),
            watcher: None,
            tools: None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    Success,
    Error,
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    pub status: RunStatus,
    /// What the function returned; for an error, the sentence told to the model.
    pub value: Value,
    /// What it printed, one element or none, cut to [`Limits::output_bytes`].
    pub stdout: Vec<String>,
    /// Likewise, followed by the traceback if it failed.
    pub stderr: Vec<String>,
    /// New values of memory blocks the function changed in its `agent_state`, by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed_blocks: BTreeMap<String, String>,
    pub confinement: Confinement,
    /// From the request to the result, without waiting for a free place.
    pub duration: Duration,
}

impl RunResult {
    /// What was in force, in one line for people; None: no process was started for it.
    #[must_use]
    pub fn confined(&self) -> Option<String> {
        (self.confinement != Confinement::default()).then(|| self.confinement.to_string())
    }

    /// A failure told to the model, before anything ran.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::said(RunStatus::Error, Value::String(message.into()))
    }

    /// A result that needed no process.
    #[must_use]
    pub fn success(value: Value) -> Self {
        Self::said(RunStatus::Success, value)
    }

    fn said(status: RunStatus, value: Value) -> Self {
        Self {
            status,
            value,
            stdout: Vec::new(),
            stderr: Vec::new(),
            changed_blocks: BTreeMap::new(),
            confinement: Confinement::default(),
            duration: Duration::ZERO,
        }
    }
}

/// The one place where source is run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sandbox(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: SandboxOptions,
    places: Semaphore,
    interpreters: interpreter::Interpreters,
    environments: environment::Environments,
    egress: Egress,
    spares: spares::Spares,
}

impl Sandbox {
    /// Nothing is looked for or started before the first run.
    #[must_use]
    pub fn new(options: SandboxOptions) -> Self {
        Self(Arc::new(Inner {
            places: Semaphore::new(options.parallel.max(1)),
            interpreters: interpreter::Interpreters::new(options.python.clone(), options.node.clone()),
            environments: environment::Environments::new(
                sandbox_home(&options.data_dir).join("environments"),
                options.installer_env.clone(),
                options.uv.clone(),
            ),
            egress: Egress::new(options.allow_private_addresses),
            spares: spares::Spares::new(options.spares),
            options,
        }))
    }

    /// Runs one call to its end, its failure or its time limit. Dropping the future kills everything it started.
    pub async fn run(&self, request: RunRequest) -> RunResult {
        let Ok(_place) = self.0.places.acquire().await else {
            return RunResult::error("no more tools are run: the program is shutting down");
        };
        run::run(&self.0, request).await
    }

    /// Removes installed packages that no tool used for [`SandboxOptions::keep_packages`]; they are installed again
    /// when one wants them.
    pub async fn collect_packages(&self) {
        let gone = self.0.environments.collect(self.0.options.keep_packages).await;
        if !gone.is_empty() {
            tracing::info!(count = gone.len(), "packages nobody used were removed");
        }
    }

    /// What this machine can run source with: `{python, python_error, node, node_error, installers, confined}`. Asks
    /// the interpreters about themselves once.
    pub async fn interpreters(&self) -> serde_json::Value {
        let (python, node) = (self.0.interpreters.python().await, self.0.interpreters.node().await);
        let told = |found: &Result<interpreter::Interpreter, InterpreterError>| match found {
            Ok(found) => serde_json::json!({"program": found.program, "version": found.version}),
            Err(_) => Value::Null,
        };
        let why = |found: &Result<interpreter::Interpreter, InterpreterError>| {
            found.as_ref().err().map(ToString::to_string)
        };
        let mut installers: Vec<&str> = Vec::new();
        if python.is_ok() {
            installers.push(if self.0.options.uv.is_some() { "uv" } else { "pip" });
        }
        if node.is_ok() && which::which("npm").is_ok() {
            installers.push("npm");
        }
        serde_json::json!({
            "python": told(&python),
            "python_error": why(&python),
            "node": told(&node),
            "node_error": why(&node),
            "installers": installers,
            "confined": cfg!(target_os = "linux"),
        })
    }

    /// How many processes wait for a call.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.spares.waiting()
    }

    /// The folder an agent's tools share; the empty id stands for code outside an agent.
    #[must_use]
    pub fn work_dir(&self, agent_id: &str) -> PathBuf {
        Self::work_dir_in(&self.home(), agent_id)
    }

    fn work_dir_in(home: &Path, agent_id: &str) -> PathBuf {
        let name: String = agent_id
            .chars()
            .filter(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
            .collect();
        let name = if name.is_empty() { "shared" } else { name.as_str() };
        home.join("work").join(name)
    }

    /// How built-in tools reach other machines.
    #[must_use]
    pub fn egress(&self) -> &Egress {
        &self.0.egress
    }

    #[must_use]
    pub fn options(&self) -> &SandboxOptions {
        &self.0.options
    }

    fn home(&self) -> PathBuf {
        sandbox_home(&self.0.options.data_dir)
    }
}

fn sandbox_home(data_dir: &Path) -> PathBuf {
    data_dir.join("sandbox")
}
