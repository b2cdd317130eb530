//! Packages a tool asks for: one environment per list of requirements, made once and shared.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use loci_api::resource::Requirement;
use sha2::{Digest, Sha256};
use tokio::{process::Command, sync::Mutex};

use super::interpreter::Interpreter;
use crate::source::{RequirementError, SourceType, check_requirements, requirement_spec};

/// How long an installation may take.
const INSTALL_TIMEOUT: Duration = Duration::from_secs(600);

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
    ) -> Result<PathBuf, InstallError> {
        let specs = specs(SourceType::Python, requirements)?;
        let folder = self.folder("py", &format!("{} {}", base.program.display(), base.version), &specs);
        self.once(&folder, &specs, async |folder| {
            let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
            let packages = specs.join(", ");
            // Wheels only: building a package would run its code outside every wall.
            if let Ok(uv) = which::which("uv") {
                let mut venv = Command::new(&uv);
                venv.args(["venv", "--quiet", "--python"]).arg(&base.program).arg(folder);
                self.install(venv, &packages).await?;
                let mut pip = Command::new(&uv);
                pip.args(["pip", "install", "--quiet", "--only-binary", ":all:", "--python"]).arg(&python);
                pip.arg("--").args(&specs);
                self.install(pip, &packages).await
            } else {
                let mut venv = Command::new(&base.program);
                venv.args(["-I", "-m", "venv"]).arg(folder);
                self.install(venv, &packages).await?;
                let mut pip = Command::new(&python);
                pip.args([
                    "-I",
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--no-input",
                    "--disable-pip-version-check",
                ]);
                pip.args(["--only-binary", ":all:", "--"]).args(&specs);
                self.install(pip, &packages).await
            }
        })
        .await?;
        Ok(folder)
    }

    /// A folder whose `node_modules` holds these packages, installed on the first call.
    pub(super) async fn node(
        &self,
        base: &Interpreter,
        requirements: &[Requirement],
    ) -> Result<PathBuf, InstallError> {
        let specs = specs(SourceType::Typescript, requirements)?;
        let npm = which::which("npm").map_err(|_| InstallError::NoInstaller { program: "npm" })?;
        let folder = self.folder("js", &base.version, &specs);
        self.once(&folder, &specs, async |folder| {
            let mut command = Command::new(&npm);
            command.args([
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
                "--prefix",
            ]);
            command.arg(folder).arg("--").args(&specs);
            self.install(command, &specs.join(", ")).await
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
        specs: &[String],
        make: impl AsyncFnOnce(&Path) -> Result<(), InstallError>,
    ) -> Result<(), InstallError> {
        let ready = folder.join(".ready");
        let exists = async || tokio::fs::try_exists(&ready).await.unwrap_or(false);
        if exists().await {
            return Ok(());
        }
        let lock = self.locks.lock().await.entry(folder.display().to_string()).or_default().clone();
        let _alone = lock.lock().await;
        if exists().await {
            return Ok(());
        }
        let io = |error: std::io::Error| InstallError::Io {
            packages: specs.join(", "),
            reason: error.to_string(),
        };
        match tokio::fs::remove_dir_all(folder).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
            Ok(()) | Err(_) => {}
        }
        tokio::fs::create_dir_all(folder).await.map_err(io)?;
        tracing::info!(packages = specs.join(", "), "installing packages for a tool");
        make(folder).await?;
        tokio::fs::write(&ready, specs.join("\n")).await.map_err(io)
    }

    async fn install(&self, mut command: Command, packages: &str) -> Result<(), InstallError> {
        command
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_harmless)));
        command.envs(&self.env).stdin(Stdio::null()).kill_on_drop(true);
        let output = tokio::time::timeout(INSTALL_TIMEOUT, command.output())
            .await
            .map_err(|_| InstallError::TimedOut { packages: packages.to_owned() })?
            .map_err(|error| InstallError::Io { packages: packages.to_owned(), reason: error.to_string() })?;
        if output.status.success() {
            return Ok(());
        }
        let text = format!(
            "{}\n{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Err(InstallError::Failed { packages: packages.to_owned(), reason: reason(&text) })
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
        .filter(|line| !line.contains("A complete log"))
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
}
