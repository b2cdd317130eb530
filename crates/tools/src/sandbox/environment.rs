//! Packages a tool asks for: one environment per list of requirements, made once and shared.

use std::{
    collections::{BTreeMap, HashMap},
    fs::FileTimes,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use loci_api::resource::Requirement;
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    sync::{Mutex, mpsc},
};

use super::{RunEvent, interpreter::Interpreter};
use crate::source::{RequirementError, SourceType, check_requirements, requirement_spec};

/// How long an installation may take.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(600);
/// Output of an installer that is kept to find the reason of a failure, bytes.
const MAX_OUTPUT: usize = 256 << 10;
/// Written when an environment is complete; its time is that of the last use.
const READY: &str = ".ready";
/// How old a mark of use may grow before it is renewed.
const FRESH: Duration = Duration::from_secs(3_600);
/// How old something half-made must be to be surely given up.
const ABANDONED: Duration = Duration::from_secs(24 * 3_600);

/// Who is told of an installation.
type Watcher<'a> = Option<&'a mpsc::Sender<RunEvent>>;

/// Why packages are not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstallError {
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    #[error("installing {packages} failed: {reason}")]
    Failed { packages: String, reason: String },
    #[error("installing {packages} took longer than {} s", INSTALL_TIMEOUT.as_secs())]
    TimedOut { packages: String },
    #[error("{program} is needed to install packages and was not found on this machine")]
    NoInstaller { program: &'static str },
    #[error("making the environment for {packages}: {reason}")]
    Io { packages: String, reason: String },
}

/// The environments on this machine, one folder each.
#[derive(Debug)]
pub(super) struct Environments {
    root: PathBuf,
    /// Given to installers besides what is harmless of our own.
    env: BTreeMap<String, String>,
    /// One installation of the same list at a time; others wait for it.
    locks: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Environments {
    pub(super) fn new(root: PathBuf, env: BTreeMap<String, String>) -> Self {
        Self { root, env, locks: Mutex::new(HashMap::new()) }
    }

    /// The folder of a virtual environment with these packages, installed on the first call.
    pub(super) async fn python(
        &self,
        base: &Interpreter,
        requirements: &[Requirement],
        watcher: Watcher<'_>,
    ) -> Result<PathBuf, InstallError> {
        let specs = specs(SourceType::Python, requirements)?;
        let folder = self.folder("py", &format!("{} {}", base.program.display(), base.version), &specs);
        let job = Installation { environments: self, specs: &specs, watcher };
        self.once(&folder, &job, async |folder| {
            let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
            if let Ok(uv) = which::which("uv") {
                let mut venv = Command::new(&uv);
                venv.args(["venv", "--quiet", "--python"]).arg(&base.program).arg(folder);
                job.run(venv).await?;
                // Wheels only: building a package would run its code outside every wall.
                let pip = |offline: bool| {
                    let mut pip = Command::new(&uv);
                    pip.args(["pip", "install", "--only-binary", ":all:"]);
                    pip.args(offline.then_some("--offline")).arg("--python").arg(&python);
                    pip.arg("--").args(&specs);
                    pip
                };
                return job.run_or_offline(pip(false), pip(true)).await;
            }
            // A pip of its own takes most of an environment's time and space; the base's can work for it.
            let shared = has_pip(base).await;
            let mut venv = Command::new(&base.program);
            venv.args(["-I", "-m", "venv"]).args(shared.then_some("--without-pip")).arg(folder);
            job.run(venv).await?;
            let wheels = self.root.join("wheels");
            let made = tokio::fs::create_dir_all(&wheels).await;
            made.map_err(|error| InstallError::Io { packages: job.packages(), reason: error.to_string() })?;
            job.pip(if shared { Pip::Of(base, &python) } else { Pip::Own(&python) }, &wheels).await
        })
        .await?;
        Ok(folder)
    }

    /// A folder whose `node_modules` holds these packages, installed on the first call.
    pub(super) async fn node(
        &self,
        base: &Interpreter,
        requirements: &[Requirement],
        watcher: Watcher<'_>,
    ) -> Result<PathBuf, InstallError> {
        let specs = specs(SourceType::Typescript, requirements)?;
        let npm = which::which("npm").map_err(|_| InstallError::NoInstaller { program: "npm" })?;
        let folder = self.folder("js", &base.version, &specs);
        let job = Installation { environments: self, specs: &specs, watcher };
        self.once(&folder, &job, async |folder| {
            let install = |cache: &str| {
                let mut command = Command::new(&npm);
                command.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=http"]);
                command.args([cache, "--prefix"]).arg(folder).arg("--").args(&specs);
                command
            };
            job.run_or_offline(install("--prefer-offline"), install("--offline")).await
        })
        .await?;
        Ok(folder)
    }

    fn folder(&self, kind: &str, base: &str, specs: &[String]) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(base);
        for spec in specs {
            hash.update([0]);
            hash.update(spec);
        }
        let hex: String = hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        self.root.join(format!("{kind}-{hex}"))
    }

    /// Runs `make` unless the folder was finished before; a folder left half-made is made anew.
    async fn once(
        &self,
        folder: &Path,
        job: &Installation<'_>,
        make: impl AsyncFnOnce(&Path) -> Result<(), InstallError>,
    ) -> Result<(), InstallError> {
        let ready = folder.join(READY);
        if mark_used(&ready).await {
            return Ok(());
        }
        let lock = self.locks.lock().await.entry(folder.display().to_string()).or_default().clone();
        let _alone = lock.lock().await;
        if mark_used(&ready).await {
            return Ok(());
        }
        let io =
            |error: std::io::Error| InstallError::Io { packages: job.packages(), reason: error.to_string() };
        match tokio::fs::remove_dir_all(folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            Ok(()) | Err(_) => {}
        }
        tokio::fs::create_dir_all(folder).await.map_err(io)?;
        tracing::info!(packages = job.packages(), "installing packages for a tool");
        job.tell(RunEvent::Installing { packages: job.packages() }).await;
        make(folder).await?;
        tokio::fs::write(&ready, job.specs.join("\n")).await.map_err(io)?;
        job.tell(RunEvent::Installed).await;
        Ok(())
    }

    /// Removes what was not used for so long, and what was never finished. It is installed again when it is wanted.
    /// The folders that are gone now.
    pub(super) async fn collect(&self, unused: Duration) -> Vec<PathBuf> {
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
async fn mark_used(ready: &Path) -> bool {
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

/// One list of packages on its way.
struct Installation<'a> {
    environments: &'a Environments,
    specs: &'a [String],
    watcher: Watcher<'a>,
}

impl Installation<'_> {
    fn packages(&self) -> String {
        self.specs.join(", ")
    }

    async fn tell(&self, event: RunEvent) {
        if let Some(watcher) = self.watcher {
            // Err: nobody watches any more.
            let _unwatched = watcher.send(event).await;
        }
    }

    /// Downloads with pip into a folder of our own, then installs from there. So what was once downloaded can be
    /// installed again without a network.
    async fn pip(&self, which: Pip<'_>, wheels: &Path) -> Result<(), InstallError> {
        let pip = |verb: &str| {
            let mut pip = match which {
                Pip::Own(python) => {
                    let mut pip = Command::new(python);
                    pip.args(["-I", "-m", "pip"]);
                    pip
                }
                Pip::Of(base, python) => {
                    let mut pip = Command::new(&base.program);
                    pip.args(["-I", "-m", "pip", "--python"]).arg(python);
                    pip
                }
            };
            pip.args([verb, "--no-input", "--disable-pip-version-check"]);
            pip.args(["--progress-bar", "off", "--only-binary", ":all:", "--find-links"]).arg(wheels);
            pip
        };
        let mut download = pip("download");
        download.arg("--dest").arg(wheels).arg("--").args(self.specs);
        let downloaded = self.run(download).await;
        let mut install = pip("install");
        install.arg("--no-index").arg("--").args(self.specs);
        match (downloaded, self.run(install).await) {
            (Ok(()), installed) => installed,
            (Err(_), Ok(())) => Ok(()),
            (Err(reason), Err(_)) => Err(reason),
        }
    }

    /// Tries again with what the installer has in its cache.
    async fn run_or_offline(&self, command: Command, offline: Command) -> Result<(), InstallError> {
        match self.run(command).await {
            Err(reason @ InstallError::Failed { .. }) => self.run(offline).await.map_err(|_| reason),
            other => other,
        }
    }

    async fn run(&self, mut command: Command) -> Result<(), InstallError> {
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_harmless)));
        command.envs(&self.environments.env).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let io =
            |error: std::io::Error| InstallError::Io { packages: self.packages(), reason: error.to_string() };
        let mut child = command.spawn().map_err(io)?;
        let said = Mutex::new(String::new());
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            tokio::join!(self.listen(stdout, &said), self.listen(stderr, &said));
            child.wait().await
        };
        let status = tokio::time::timeout(INSTALL_TIMEOUT, work)
            .await
            .map_err(|_| InstallError::TimedOut { packages: self.packages() })?
            .map_err(io)?;
        if status.success() {
            return Ok(());
        }
        let reason = reason(&said.into_inner());
        Err(InstallError::Failed { packages: culprits(self.specs, &reason), reason })
    }

    async fn listen(&self, stream: Option<impl AsyncRead + Unpin>, said: &Mutex<String>) {
        let Some(stream) = stream else { return };
        let mut lines = BufReader::new(stream).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            {
                let mut said = said.lock().await;
                if said.len() + line.len() < MAX_OUTPUT {
                    said.push_str(&line);
                    said.push('\n');
                }
            }
            if !line.is_empty() {
                self.tell(RunEvent::InstallLine(line)).await;
            }
        }
    }
}

/// Which pip installs into an environment.
#[derive(Clone, Copy)]
enum Pip<'a> {
    /// The environment's.
    Own(&'a Path),
    /// That of the Python it was made with.
    Of(&'a Interpreter, &'a Path),
}

/// Whether this Python has a pip that can work for another (22.3 or newer).
async fn has_pip(base: &Interpreter) -> bool {
    let mut command = Command::new(&base.program);
    command.args(["-I", "-m", "pip", "--version"]).stdin(Stdio::null()).kill_on_drop(true);
    let Ok(Ok(output)) = tokio::time::timeout(Duration::from_secs(30), command.output()).await else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut parts = text.strip_prefix("pip ").unwrap_or_default().split(['.', ' ']).map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (22, 3))
}

/// The packages of the list a failure is about; all of them where it names none.
fn culprits(specs: &[String], reason: &str) -> String {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
    let words: Vec<String> = reason
        .split(|char: char| !(char.is_ascii_alphanumeric() || "-_.@/%".contains(char)))
        .map(|word| plain(word.trim_matches(['.', '/'])))
        .collect();
    let named = |spec: &&String| {
        let end = spec[1..].find(['=', '<', '>', '!', '~', '[', '@']).map_or(spec.len(), |at| at + 1);
        let name = plain(&spec[..end]);
        words.iter().any(|word| {
            *word == name || word.strip_prefix(&name).is_some_and(|rest| rest.starts_with('@')) || {
                let escaped = name.replace('/', "%2f");
                word.ends_with(&format!("/{name}")) || word.ends_with(&format!("/{escaped}"))
            }
        })
    };
    let found: Vec<&str> = specs.iter().filter(named).map(String::as_str).collect();
    if found.is_empty() { specs.join(", ") } else { found.join(", ") }
}

/// Checked and in a fixed order, so that the same list is the same environment.
fn specs(source_type: SourceType, requirements: &[Requirement]) -> Result<Vec<String>, InstallError> {
    check_requirements(source_type, requirements)?;
    let mut specs: Vec<String> =
        requirements.iter().map(|requirement| requirement_spec(source_type, requirement)).collect();
    specs.sort();
    specs.dedup();
    Ok(specs)
}

/// What an installer needs of our environment: where things are and how to get out, no secrets.
fn is_harmless(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "LC_ALL",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "APPDATA",
        "LOCALAPPDATA",
        "USERPROFILE",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
        "ALL_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
    ];
    let upper = name.to_ascii_uppercase();
    NAMES.contains(&upper.as_str())
        || ["PIP_", "UV_", "NPM_CONFIG_"].iter().any(|prefix| upper.starts_with(prefix))
}

/// The lines of an installer's output that say what is wrong.
fn reason(output: &str) -> String {
    let told: Vec<&str> = output
        .lines()
        .map(str::trim)
        .filter(|line| {
            line.to_ascii_lowercase().contains("err") || line.contains("No solution") || line.contains('×')
        })
        .filter(|line| !line.contains("A complete log") && !line.starts_with("npm http"))
        .collect();
    let chosen = if told.is_empty() {
        output.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    } else {
        told
    };
    let text = chosen.join(" ");
    if text.is_empty() { "the installer gave no reason".to_owned() } else { text.chars().take(600).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(name: &str, version: Option<&str>) -> Requirement {
        Requirement { name: name.to_owned(), version: version.map(str::to_owned) }
    }

    #[test]
    fn the_same_list_in_any_order_is_the_same_environment() {
        let environments = Environments::new("/x".into(), BTreeMap::new());
        let one =
            specs(SourceType::Python, &[requirement("b", None), requirement("a", Some("1"))]).expect("valid");
        let other =
            specs(SourceType::Python, &[requirement("a", Some("1")), requirement("b", None)]).expect("valid");
        assert_eq!(environments.folder("py", "3.11", &one), environments.folder("py", "3.11", &other));
        assert_ne!(environments.folder("py", "3.11", &one), environments.folder("py", "3.12", &one));
        assert!(specs(SourceType::Python, &[requirement("-e", None)]).is_err());
    }

    #[test]
    fn an_installer_sees_no_secrets() {
        assert!(is_harmless("PATH") && is_harmless("https_proxy") && is_harmless("PIP_INDEX_URL"));
        assert!(!is_harmless("OPENAI_API_KEY") && !is_harmless("LD_PRELOAD") && !is_harmless("PYTHONPATH"));
    }

    #[test]
    fn the_reason_is_what_the_installer_complains_about() {
        let output = "Looking in indexes\nERROR: No matching distribution found for nonesuch==9\n\nnotice: x";
        assert_eq!(reason(output), "ERROR: No matching distribution found for nonesuch==9");
        assert_eq!(reason(""), "the installer gave no reason");
    }

    #[test]
    fn a_failure_names_the_package_it_is_about() {
        let specs = ["good==1".to_owned(), "bad-one==9".to_owned(), "@scope/thing@2".to_owned()];
        for (reason, expected) in [
            ("ERROR: No matching distribution found for bad_one==9", "bad-one==9"),
            ("npm error 404 Not Found - GET http://x/@scope%2fthing - not found", "@scope/thing@2"),
            ("npm error notarget No matching version found for @scope/thing@2.", "@scope/thing@2"),
            ("Because bad-one was not found in the package registry", "bad-one==9"),
            ("no space left on device", "good==1, bad-one==9, @scope/thing@2"),
        ] {
            assert_eq!(culprits(&specs, reason), expected, "{reason}");
        }
    }
}
