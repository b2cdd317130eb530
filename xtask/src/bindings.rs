//! `cargo xtask bindings`: the API document out of the server, the UI's types out of the document.

use std::fs;

use anyhow::{Result, ensure};

use crate::{shell, ui};

/// Writes `docs/openapi.json` and the UI's generated types.
pub fn bindings() -> Result<()> {
    fs::write(shell::root().join("docs/openapi.json"), document()?)?;
    ui::ensure_packages("ui")?;
    shell::check(&mut ui::npm("ui", &["run", "types"]))
}

/// Fails when the committed document or types are not what the server's code says.
pub fn check() -> Result<()> {
    let committed = fs::read_to_string(shell::root().join("docs/openapi.json"))?;
    ensure!(
        committed == document()?,
        "docs/openapi.json is out of date: run `cargo xtask bindings` and commit it"
    );
    let types = shell::root().join("ui/src/api/generated/schema.ts");
    let before = fs::read(&types)?;
    shell::check(&mut ui::npm("ui", &["run", "types"]))?;
    ensure!(
        fs::read(&types)? == before,
        "ui/src/api/generated/schema.ts is out of date: run `cargo xtask bindings` and commit it"
    );
    Ok(())
}

fn document() -> Result<String> {
    let cargo = shell::cargo();
    let text =
        shell::output(&mut shell::command(&cargo, ["run", "--quiet", "--package", "loci", "--", "openapi"]))?;
    Ok(text + "\n")
}
