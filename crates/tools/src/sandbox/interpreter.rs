//! Finding Python and Node, and what of the disk they need to run.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{process::Command, sync::Mutex};

/// Why source cannot be run on this machine, with what mends it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpreterError {
    #[error(
        "no Python was found on this machine. Install Python 3.10 or newer (for example `{}`), or choose one in \
         the settings",
        install_hint("python3")
    )]
    NoPython,
    #[error("{path} is Python {version}; tools need 3.10 or newer")]
    OldPython { path: String, version: String },
    #[error(
        "no Node.js was found on this machine, which runs TypeScript tools. Install it (for example `{}`)",
        install_hint("nodejs")
    )]
    NoNode,
    #[error("{path} is Node {version}; TypeScript tools need 18 or newer")]
    OldNode { path: String, version: String },
    #[error("{path} does not start: {reason}")]
    Broken { path: String, reason: String },
}

fn install_hint(package: &str) -> String {
    if cfg!(target_os = "macos") {
        format!("brew install {}", if package == "nodejs" { "node" } else { package })
    } else if cfg!(windows) {
        format!("winget install {}", if package == "nodejs" { "OpenJS.NodeJS" } else { "Python.Python.3.13" })
    } else {
        format!("sudo apt install {package}")
    }
}

/// A program that runs source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interpreter {
    /// The program itself, not a shim that looks for it.
    pub program: PathBuf,
    /// Folders it must be able to read.
    pub prefixes: Vec<PathBuf>,
    /// `3.11.7`.
    pub version: String,
}

/// The interpreters of this machine; each is asked about itself once.
#[derive(Debug)]
pub(super) struct Interpreters {
    python: Option<PathBuf>,
    node: Option<PathBuf>,
    known: Mutex<HashMap<PathBuf, Interpreter>>,
}

const ABOUT_PYTHON: &str = "import sys, json; print(json.dumps([sys.executable, '.'.join(map(str, \
                            sys.version_info[:3])), sys.prefix, sys.base_prefix, sys.base_exec_prefix]))";
const ABOUT_NODE: &str = "console.log(JSON.stringify([process.execPath, process.versions.node]))";

impl Interpreters {
    pub(super) fn new(python: Option<PathBuf>, node: Option<PathBuf>) -> Self {
        Self { python, node, known: Mutex::new(HashMap::new()) }
    }

    /// The Python of the settings, or of the PATH.
    pub(super) async fn python(&self) -> Result<Interpreter, InterpreterError> {
        let path = match &self.python {
            Some(path) => path.clone(),
            None => on_path(&["python3", "python"]).ok_or(InterpreterError::NoPython)?,
        };
        self.python_at(&path).await
    }

    /// A certain Python, for example that of an environment.
    pub(super) async fn python_at(&self, path: &Path) -> Result<Interpreter, InterpreterError> {
        let mut known = self.known.lock().await;
        if let Some(interpreter) = known.get(path) {
            return Ok(interpreter.clone());
        }
        let about = ask(path, &["-I", "-c", ABOUT_PYTHON]).await?;
        let [program, version, prefixes @ ..] = about.as_slice() else {
            return Err(broken(path, "it does not say where it is installed"));
        };
        if !at_least(version, (3, 10)) {
            return Err(InterpreterError::OldPython {
                path: path.display().to_string(),
                version: version.clone(),
            });
        }
        let mut prefixes: Vec<PathBuf> = prefixes.iter().map(PathBuf::from).collect();
        prefixes.sort();
        prefixes.dedup();
        let found = Interpreter { program: PathBuf::from(program), prefixes, version: version.clone() };
        known.insert(path.to_owned(), found.clone());
        Ok(found)
    }

    /// The Node of the settings, or of the PATH.
    pub(super) async fn node(&self) -> Result<Interpreter, InterpreterError> {
        let path = match &self.node {
            Some(path) => path.clone(),
            None => on_path(&["node", "nodejs"]).ok_or(InterpreterError::NoNode)?,
        };
        let mut known = self.known.lock().await;
        if let Some(interpreter) = known.get(&path) {
            return Ok(interpreter.clone());
        }
        let about = ask(&path, &["-e", ABOUT_NODE]).await?;
        let [program, version] = about.as_slice() else {
            return Err(broken(&path, "it does not say where it is installed"));
        };
        if !at_least(version, (18, 0)) {
            return Err(InterpreterError::OldNode {
                path: path.display().to_string(),
                version: version.clone(),
            });
        }
        let program = PathBuf::from(program);
        // `…/bin/node` keeps its libraries beside `bin`; a node outside such a folder is alone.
        let home = program.parent().map(|folder| {
            if folder.ends_with("bin") { folder.parent().unwrap_or(folder) } else { folder }.to_owned()
        });
        let prefixes = home.filter(|home| home.parent().is_some()).into_iter().collect();
        let found = Interpreter { program, prefixes, version: version.clone() };
        known.insert(path, found.clone());
        Ok(found)
    }
}

fn on_path(names: &[&str]) -> Option<PathBuf> {
    names.iter().find_map(|name| which::which(name).ok())
}

fn at_least(version: &str, (major, minor): (u32, u32)) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}

fn broken(path: &Path, reason: impl Into<String>) -> InterpreterError {
    InterpreterError::Broken { path: path.display().to_string(), reason: reason.into() }
}

/// Starts an interpreter that prints a JSON list of strings.
async fn ask(path: &Path, arguments: &[&str]) -> Result<Vec<String>, InterpreterError> {
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(20), command.output())
        .await
        .map_err(|_| broken(path, "no answer within 20 s"))?
        .map_err(|error| broken(path, error.to_string()))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr);
        let reason =
            text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it failed").to_owned();
        return Err(broken(path, reason));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|_| broken(path, "its answer about itself is not readable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn python_says_where_it_really_is() {
        let found = Interpreters::new(None, None).python().await.expect("this machine has Python");
        assert!(found.program.is_absolute());
        assert!(!found.prefixes.is_empty());
    }

    #[tokio::test]
    async fn what_is_not_there_is_said_with_what_mends_it() {
        let missing = Interpreters::new(Some("/nowhere/python3".into()), Some("/nowhere/node".into()));
        let error = missing.python().await.expect_err("there is none").to_string();
        assert!(error.contains("/nowhere/python3"), "{error}");
        assert!(missing.node().await.is_err());
        assert!(InterpreterError::NoPython.to_string().contains("Install Python 3.10"));
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(at_least("3.10.1", (3, 10)));
        assert!(!at_least("3.9.18", (3, 10)));
        assert!(at_least("20.20.2", (18, 0)));
        assert!(!at_least("x", (1, 0)));
    }
}
