//! `cargo xtask bench`: builds the optimised programs and measures them from outside.

use anyhow::Result;

use crate::{python, shell};

/// Prints medians; the parts are named in `benches/bench.py`.
pub fn bench(parts: &[String]) -> Result<()> {
    shell::check(&mut shell::command(
        &shell::cargo(),
        ["build", "--profile", "quick", "--package", "loci", "--package", "loci-testkit"],
    ))?;
    let python = python::program("python")?.to_string_lossy().into_owned();
    let args = std::iter::once("benches/bench.py").chain(parts.iter().map(String::as_str));
    shell::check(shell::command(&python, args).env("LOCI_PROGRAMS", shell::target_dir().join("quick")))
}
