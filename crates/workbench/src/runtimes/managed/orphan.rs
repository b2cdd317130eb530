//! A server that outlived Loci: noted while it runs, and ended at the next start if it is still there.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::process;

/// What runs, so that it can be told from another process that got its number since.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    pid: u32,
    port: u16,
    model: PathBuf,
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("llama-server.json")
}

/// Notes that a server runs. Failing to only means that it would not be found after a crash.
pub(super) async fn note(data_dir: &Path, pid: u32, port: u16, model: &Path) {
    let noted = Noted { pid, port, model: model.to_owned() };
    let Ok(text) = serde_json::to_vec(&noted) else { return };
    if let Err(error) = tokio::fs::write(file(data_dir), text).await {
        tracing::debug!(%error, "the running llama-server was not noted");
    }
}

/// Forgets it, because it is gone.
pub(super) async fn forget(data_dir: &Path) {
    let _not_there = tokio::fs::remove_file(file(data_dir)).await;
}

/// Ends one that a stopped Loci left behind.
pub(super) async fn sweep(data_dir: &Path) {
    let Ok(text) = tokio::fs::read(file(data_dir)).await else { return };
    if let Ok(noted) = serde_json::from_slice::<Noted>(&text)
        && is_ours(&noted).await
    {
        tracing::info!(pid = noted.pid, "ending the llama-server an earlier Loci left behind");
        process::end_now(noted.pid);
    }
    forget(data_dir).await;
}

/// By its command line; where the system does not show it, nothing is ended.
async fn is_ours(noted: &Noted) -> bool {
    let Ok(line) = tokio::fs::read(format!("/proc/{}/cmdline", noted.pid)).await else { return false };
    let arguments: Vec<_> = line.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
    let follows =
        |name: &str, value: &str| arguments.windows(2).any(|pair| pair[0] == name && pair[1] == value);
    follows("--model", &noted.model.to_string_lossy()) && follows("--port", &noted.port.to_string())
}
