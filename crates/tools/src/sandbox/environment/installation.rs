//! One run of an installer: what it may see, what it says, and how it ended.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Command,
    sync::Mutex,
};

use super::{
    Environments, INSTALL_TIMEOUT, InstallError, Watcher,
    fault::{culprits, reason},
};
use crate::sandbox::{RunEvent, interpreter::Interpreter};

/// Output of an installer that is kept to find the reason of a failure, bytes.
const MAX_OUTPUT: usize = 256 << 10;

/// One list of packages on its way.
pub(super) struct Installation<'a> {
    pub environments: &'a Environments,
    pub specs: &'a [String],
    pub watcher: Watcher<'a>,
}

impl Installation<'_> {
    pub(super) fn packages(&self) -> String {
        self.specs.join(", ")
    }

    pub(super) async fn tell(&self, event: RunEvent) {
        if let Some(watcher) = self.watcher {
            // Err: nobody watches any more.
            let _unwatched = watcher.send(event).await;
        }
    }

    /// Downloads with pip into a folder of our own, then installs from there. So what was once downloaded can be
    /// installed again without a network.
    pub(super) async fn pip(&self, which: Pip<'_>, wheels: &Path) -> Result<(), InstallError> {
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
    pub(super) async fn run_or_offline(
        &self,
        command: Command,
        offline: Command,
    ) -> Result<(), InstallError> {
        match self.run(command).await {
            Err(reason @ InstallError::Failed { .. }) => self.run(offline).await.map_err(|_| reason),
            other => other,
        }
    }

    pub(super) async fn run(&self, mut command: Command) -> Result<(), InstallError> {
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
pub(super) enum Pip<'a> {
    /// The environment's.
    Own(&'a Path),
    /// That of the Python it was made with.
    Of(&'a Interpreter, &'a Path),
}

/// Whether this Python has a pip that can work for another (22.3 or newer).
pub(super) async fn has_pip(base: &Interpreter) -> bool {
    let mut command = Command::new(&base.program);
    command.args(["-I", "-m", "pip", "--version"]).stdin(Stdio::null()).kill_on_drop(true);
    let Ok(Ok(output)) = tokio::time::timeout(Duration::from_secs(30), command.output()).await else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let mut parts = text.strip_prefix("pip ").unwrap_or_default().split(['.', ' ']).map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (22, 3))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installer_sees_no_secrets() {
        assert!(is_harmless("PATH") && is_harmless("https_proxy") && is_harmless("PIP_INDEX_URL"));
        assert!(!is_harmless("OPENAI_API_KEY") && !is_harmless("LD_PRELOAD") && !is_harmless("PYTHONPATH"));
    }
}
