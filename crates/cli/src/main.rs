//! `loci`, the headless program: serves agents over HTTP with the same interface as the window for a browser, and
//! looks after their data. It must not know Tauri. Begin with `serve.rs`.

mod arguments;
mod care;
mod serve;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::{CommandFactory, Parser};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // A tool's helper process is this program again; it confines itself before anything else happens in it.
    loci_server::run_helper_if_asked();
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let command = match arguments.command {
        Some(command) => command,
        None if arguments.browse.browser => Command::Serve(arguments.browse.serve()),
        None => {
            eprintln!("{}", Arguments::command().render_help());
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Serve(options) => serve::run(options).map(|()| ExitCode::SUCCESS),
        Command::Doctor(data) => care::doctor(&data),
        Command::Backup(options) => care::backup(&options).map(|()| ExitCode::SUCCESS),
        Command::Openapi => describe(),
        Command::Sentences => sentences(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("loci: {error:#}");
        ExitCode::from(2)
    })
}

fn sentences() -> anyhow::Result<ExitCode> {
    println!("{}", loci_workbench::sentences::listed());
    Ok(ExitCode::SUCCESS)
}

fn describe() -> anyhow::Result<ExitCode> {
    println!("{}", loci_server::openapi_document().to_pretty_json()?);
    Ok(ExitCode::SUCCESS)
}
