//! `cargo xtask bench`: builds the optimised programs and measures them from outside.

use anyhow::Result;

use crate::{python, shell, system, ui};

/// Prints medians; the parts are named in `benches/bench.py`, with `--ui` in `benches/ui.py`.
pub fn bench(args: &[String]) -> Result<()> {
    let (window, rest): (Vec<&String>, Vec<&String>) = args.iter().partition(|arg| *arg == "--ui");
    let rest = rest.into_iter().map(String::as_str);
    if window.is_empty() {
        build(&["--package", "loci", "--package", "loci-testkit"])?;
        for (package, example) in
            [("loci-llm", "parse"), ("loci-tools", "tool-latency"), ("loci-workbench", "rules_bench")]
        {
            build(&["--package", package, "--example", example])?;
        }
        return measure("benches/bench.py", rest);
    }
    system::ensure_test()?;
    ui::ensure_built()?;
    build(&["--package", "loci", "--package", "loci-testkit", "--package", "loci-desktop"])?;
    let bundles = shell::target_dir().join("release/bundle").to_string_lossy().into_owned();
    measure("benches/ui.py", ["--bundles", &bundles].into_iter().chain(rest))
}

fn build(what: &[&str]) -> Result<()> {
    shell::check(&mut shell::command(
        &shell::cargo(),
        ["build", "--profile", "quick"].into_iter().chain(what.iter().copied()),
    ))
}

fn measure<'a>(script: &'a str, args: impl Iterator<Item = &'a str>) -> Result<()> {
    let python = python::program("python")?.to_string_lossy().into_owned();
    let args = std::iter::once(script).chain(args);
    shell::check(shell::command(&python, args).env("LOCI_PROGRAMS", shell::target_dir().join("quick")))
}
