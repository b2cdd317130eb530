//! The UI's packages, checks and build.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use crate::shell;

/// `npm` in a folder of the repository.
pub fn npm(folder: &str, args: &[&str]) -> Command {
    let mut command = shell::command("npm", args);
    command.current_dir(shell::root().join(folder)).env("npm_config_update_notifier", "false");
    command
}

/// Installs a folder's packages when they are missing or the lock file has changed since.
pub fn ensure_packages(folder: &str) -> Result<()> {
    let folder_path = shell::root().join(folder);
    let lock = fs::read(folder_path.join("package-lock.json"))?;
    let stamp = folder_path.join("node_modules/.loci-lock");
    if fs::read(&stamp).is_ok_and(|seen| seen == lock) {
        return Ok(());
    }
    shell::check(&mut npm(folder, &["ci", "--no-audit", "--no-fund"]))?;
    fs::write(stamp, lock)?;
    Ok(())
}

/// Builds `ui/dist` when a source is newer than it.
pub fn ensure_built() -> Result<()> {
    ensure_packages("ui")?;
    let ui = shell::root().join("ui");
    let built = ui.join("dist/assets").metadata().and_then(|meta| meta.modified()).ok();
    let newest = ["src", "index.html", "package-lock.json", "vite.config.ts", "public"]
        .iter()
        .filter_map(|name| newest(&ui.join(name)))
        .max();
    if built.is_some() && built >= newest {
        return Ok(());
    }
    shell::check(&mut npm("ui", &["run", "build"]))
}

fn newest(path: &Path) -> Option<std::time::SystemTime> {
    let meta = path.metadata().ok()?;
    if meta.is_dir() {
        fs::read_dir(path).ok()?.filter_map(|entry| newest(&entry.ok()?.path())).max()
    } else {
        meta.modified().ok()
    }
}
