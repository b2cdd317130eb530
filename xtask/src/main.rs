//! The project's own commands: `cargo xtask run | test | bench | bindings | bundle`.
//!
//! `run` and `test` do all their own set-up, so that a fresh machine needs nothing but Rust, Node and Python.

mod bench;
mod bindings;
mod bundle;
mod python;
mod run;
mod shell;
mod system;
mod test;
mod ui;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask run [-- ARGS]       set up, build, and open the workbench (without a display: serve it, print the link)
cargo xtask test [PART …]       set up and run the whole gate, or some parts of it
cargo xtask bench [PART …]      measure the server, and print medians; with --ui, the window
cargo xtask bindings            write docs/openapi.json and the UI's types from the server
cargo xtask bundle              build the installers (.deb, .rpm)
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let outcome = match command.as_str() {
        "run" => run::run(&rest),
        "test" => test::test(&rest),
        "bench" => bench::bench(&rest),
        "bindings" => bindings::bindings(),
        "bundle" => bundle::bundle(),
        "" | "help" | "-h" | "--help" => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("cargo xtask {other}: no such command\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
