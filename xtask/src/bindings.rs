//! `cargo xtask bindings`: the API document and the list of sentences out of the program, the UI's types out of the
//! document.

use std::fs;

use anyhow::{Result, ensure};

use crate::{shell, ui};

/// What is printed by the program, and where it is kept.
const PRINTED: [(&str, &str); 2] =
    [("openapi", "docs/openapi.json"), ("sentences", "ui/src/api/generated/sentences.json")];

/// Writes `docs/openapi.json`, the UI's generated types, and the list of sentences the UI has words for.
pub fn bindings() -> Result<()> {
    for (command, path) in PRINTED {
        fs::write(shell::root().join(path), printed(command)?)?;
    }
    ui::ensure_packages("ui")?;
    shell::check(&mut ui::npm("ui", &["run", "types"]))
}

/// Fails when what is committed is not what the server's code says.
pub fn check() -> Result<()> {
    for (command, path) in PRINTED {
        let committed = fs::read_to_string(shell::root().join(path))?;
        ensure!(
            committed == printed(command)?,
            "{path} is out of date: run `cargo xtask bindings` and commit it"
        );
    }
    let types = shell::root().join("ui/src/api/generated/schema.ts");
    let before = fs::read(&types)?;
    shell::check(&mut ui::npm("ui", &["run", "types"]))?;
    ensure!(
        fs::read(&types)? == before,
        "ui/src/api/generated/schema.ts is out of date: run `cargo xtask bindings` and commit it"
    );
    Ok(())
}

fn printed(command: &str) -> Result<String> {
    let cargo = shell::cargo();
    let text =
        shell::output(&mut shell::command(&cargo, ["run", "--quiet", "--package", "loci", "--", command]))?;
    Ok(text + "\n")
}
