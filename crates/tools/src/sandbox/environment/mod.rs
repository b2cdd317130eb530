//! Packages a tool asks for: one environment per list of requirements, made once and shared.

mod fault;
mod installation;
mod unused;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use loci_api::resource::Requirement;
use sha2::{Digest, Sha256};
use tokio::{
    process::Command,
    sync::{Mutex, mpsc},
};

use self::{
    installation::{Installation, Pip, has_pip},
    unused::mark_used,
};
use super::{RunEvent, interpreter::Interpreter};
use crate::source::{RequirementError, SourceType, check_requirements, requirement_spec};

/// How long an installation may take.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(600);
/// Written when an environment is complete; its time is that of the last use.
const READY: &str = ".ready";

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
    /// Installs Python packages; pip does where it is None.
    uv: Option<PathBuf>,
    /// One installation of the same list at a time; others wait for it.
    locks: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Environments {
    pub(super) fn new(root: PathBuf, env: BTreeMap<String, String>, uv: Option<PathBuf>) -> Self {
        Self { root, env, uv, locks: Mutex::new(HashMap::new()) }
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
            if let Some(uv) = &self.uv {
                let mut venv = Command::new(uv);
                venv.args(["venv", "--quiet", "--python"]).arg(&base.program).arg(folder);
                job.run(venv).await?;
                // Wheels only: building a package would run its code outside every wall.
                let pip = |offline: bool| {
                    let mut pip = Command::new(uv);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(name: &str, version: Option<&str>) -> Requirement {
        Requirement { name: name.to_owned(), version: version.map(str::to_owned) }
    }

    #[test]
    fn the_same_list_in_any_order_is_the_same_environment() {
        let environments = Environments::new("/x".into(), BTreeMap::new(), None);
        let one =
            specs(SourceType::Python, &[requirement("b", None), requirement("a", Some("1"))]).expect("valid");
        let other =
            specs(SourceType::Python, &[requirement("a", Some("1")), requirement("b", None)]).expect("valid");
        assert_eq!(environments.folder("py", "3.11", &one), environments.folder("py", "3.11", &other));
        assert_ne!(environments.folder("py", "3.11", &one), environments.folder("py", "3.12", &one));
        assert!(specs(SourceType::Python, &[requirement("-e", None)]).is_err());
    }
}
