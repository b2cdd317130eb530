//! `loci doctor` and `loci backup`: looking after the data without a server.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use loci_store::maintain;
use loci_workbench::DATABASE;

use crate::arguments::{Backup, Data};

/// The database of a data folder; it is never made here.
fn database(data: &Data) -> anyhow::Result<PathBuf> {
    let path = data.dir()?.join(DATABASE);
    if !path.try_exists().with_context(|| format!("looking for {}", path.display()))? {
        bail!("there is no {}: nothing has been served from this folder yet", path.display());
    }
    Ok(path)
}

/// Prints what was found; 1 if something is wrong.
pub fn doctor(data: &Data) -> anyhow::Result<ExitCode> {
    let path = database(data)?;
    let report = maintain::doctor(&path).with_context(|| format!("checking {}", path.display()))?;
    println!(
        "{}: schema {}, {} agents, {} messages",
        path.display(),
        report.schema_version,
        report.agents,
        report.messages
    );
    if report.active_runs > 0 {
        println!("a server is running; {} runs are under way", report.active_runs);
    }
    for problem in &report.problems {
        println!("problem: {problem}");
    }
    match report.problems.len() {
        0 => {
            println!("no problems found");
            Ok(ExitCode::SUCCESS)
        }
        some => {
            println!("{some} problems found");
            Ok(ExitCode::FAILURE)
        }
    }
}

pub fn backup(options: &Backup) -> anyhow::Result<()> {
    let path = database(&options.data)?;
    maintain::backup(&path, &options.file).with_context(|| format!("copying {}", path.display()))?;
    println!("{} is copied to {}", path.display(), options.file.display());
    Ok(())
}
