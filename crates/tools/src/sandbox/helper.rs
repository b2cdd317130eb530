//! The program started again to become a confined interpreter.
//!
//! It reads a plan from standard input (8 bytes of length, little endian, then JSON; the request that follows in
//! the same form is for the interpreter), confines itself, writes what is in force to the plan's report, and replaces itself.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use super::{Confinement, confine};

/// The first argument that makes a program a helper.
pub(super) const ARGUMENT: &str = "__loci_confine";
/// The exit code of a helper that could not do its work; the report says why.
pub(super) const EXIT_CODE: i32 = 113;
/// A plan is paths and variables; more than this is a mistake.
const MAX_PLAN_BYTES: u64 = 64 << 20;

/// What the helper is to become, and within which walls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Program and arguments; the number of the result's descriptor is added as the last one.
    pub argv: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub work_dir: PathBuf,
    /// What may be read and executed.
    pub read: Vec<PathBuf>,
    /// What may be written besides; the work folder is among them.
    pub write: Vec<PathBuf>,
    pub network: bool,
    pub limits: PlanLimits,
    pub allow_unconfined: bool,
    /// The process that started the helper.
    pub parent: u32,
    /// Where the report goes.
    pub report: PathBuf,
    /// Where the interpreter's answer goes.
    pub result: PathBuf,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlanLimits {
    pub cpu_seconds: u64,
    pub memory: Memory,
    pub file_bytes: u64,
    pub open_files: u64,
    pub processes: u64,
}

/// How memory is counted, bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Memory {
    /// The whole address space.
    AddressSpace(u64),
    /// What it may write to, for a program that reserves far more address space than it uses. `most` is the limit, a
    /// little above the `granted` that the program itself keeps to.
    Written { granted: u64, most: u64 },
}

/// What the helper tells the program that started it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Report {
    Confined(Confinement),
    Failed(String),
}

/// Call this first in `main`, before threads or an async runtime exist. In the program a person started it
/// returns at once; in a helper it never returns.
pub fn run_helper_if_asked() {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT) {
        let error = match become_tool() {
            Ok(never) => match never {},
            Err(error) => error,
        };
        // Standard error is shown with the tool's result.
        eprintln!("{error}");
        std::process::exit(EXIT_CODE);
    }
}

fn become_tool() -> io::Result<std::convert::Infallible> {
    let plan = read_plan()?;
    let mut report = File::create(&plan.report)?;
    let result = File::create(&plan.result)?;
    match confine::confine(&plan, &result) {
        Ok(confinement) => {
            write_report(&mut report, &Report::Confined(confinement))?;
            drop(report);
            Err(confine::exec(&plan, &result))
        }
        Err(reason) => {
            write_report(&mut report, &Report::Failed(reason.clone()))?;
            Err(io::Error::other(reason))
        }
    }
}

fn write_report(file: &mut File, report: &Report) -> io::Result<()> {
    serde_json::to_writer(file, report).map_err(io::Error::other)
}

fn read_plan() -> io::Result<Plan> {
    // Unbuffered: what follows the plan belongs to the interpreter.
    let mut input = confine::unbuffered_stdin()?;
    let mut length = [0; 8];
    input.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    if length > MAX_PLAN_BYTES {
        return Err(io::Error::other("the plan is too large"));
    }
    let mut plan = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    input.read_exact(&mut plan)?;
    serde_json::from_slice(&plan).map_err(io::Error::other)
}

/// The plan as it is written before the interpreter's input.
pub(super) fn framed(plan: &Plan) -> io::Result<Vec<u8>> {
    Ok(with_length(&serde_json::to_vec(plan).map_err(io::Error::other)?))
}

/// The bytes after their number, as a plan and a request are sent.
pub(super) fn with_length(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + content.len());
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}
