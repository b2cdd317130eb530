//! `cargo xtask bundle`: the installers.

use anyhow::Result;

use crate::{shell, system, ui};

/// Builds the .deb and the .rpm; they are found under `target/release/bundle`.
pub fn bundle() -> Result<()> {
    system::ensure_bundle()?;
    ui::ensure_built()?;
    shell::check(&mut shell::command("npx", ["--prefix", "ui", "tauri", "build", "--bundles", "deb,rpm"]))
}
