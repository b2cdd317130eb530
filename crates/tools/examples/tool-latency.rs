//! How long a tool call takes, beside the interpreter's own start. Run with `cargo run --release -p loci-tools
//! --example tool-latency`: medians of 30 calls each, cold (a process started for the call) and with one ready.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use loci_tools::{
    sandbox::{RunRequest, RunStatus, Sandbox, SandboxOptions, run_helper_if_asked},
    source::SourceType,
};
use serde_json::Map;

const CALLS: usize = 30;

fn main() {
    run_helper_if_asked();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(measure());
}

async fn measure() {
    let python = ("import sys; print(sys.executable)", "python3", "-c");
    let node = ("console.log(process.execPath)", "node", "-e");
    let sources = [
        (SourceType::Python, "def f():\n    return 1\n", python, vec!["-I", "-B", "-X", "utf8", "-c", "1"]),
        (SourceType::Typescript, "export function f(): number { return 1; }\n", node, vec!["-e", "1"]),
    ];
    for (kind, source, (ask, program, flag), bare) in sources {
        let Ok(said) = Command::new(program).args([flag, ask]).output() else { continue };
        let real = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        let start = median((0..CALLS).map(|_| {
            let at = Instant::now();
            let done = Command::new(&real).args(&bare).stdin(Stdio::null()).output();
            done.map(|_| at.elapsed()).unwrap_or_default()
        }));
        println!("{:<11} the interpreter alone {start:>9.1?}", kind.as_str());
        for (label, spares) in [("a process per call", 0), ("a process ready", 4)] {
            let folder = tempfile::tempdir().expect("a folder");
            let sandbox = Sandbox::new(SandboxOptions {
                data_dir: folder.path().to_owned(),
                spares,
                ..SandboxOptions::default()
            });
            let mut times = Vec::new();
            for _ in 0..=CALLS {
                let result = sandbox.run(RunRequest::new(kind, source, Map::new())).await;
                assert_eq!(result.status, RunStatus::Success, "{result:?}");
                times.push(result.duration);
                while sandbox.waiting() < spares.min(1) {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                // A spare counts as ready when it was started; give the interpreter its moment.
                tokio::time::sleep(Duration::from_millis(if spares > 0 { 150 } else { 0 })).await;
            }
            println!("{:<11} {label:<21} {:>9.1?}", kind.as_str(), median(times.into_iter().skip(1)));
        }
    }
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
