//! `/workbench/data` and `/workbench/backup`: where the data of this machine is, and a copy of it.

use std::path::{Path, PathBuf};

use axum::{
    Json as Answer, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::{error::ApiError, time::Timestamp};
use loci_server::error::Failure;
use loci_store::maintain;
use serde::{Deserialize, Serialize};

use crate::{DATABASE, Desk, extract::Json, sentences::Machine};

pub(crate) fn routes() -> Router<Desk> {
    Router::new().route("/data", get(read)).route("/backup", post(copy))
}

#[derive(Serialize)]
struct Data {
    data_dir: PathBuf,
    /// Of the database with what is not yet written into it.
    bytes: u64,
    /// Where a copy goes that is given no other place.
    backup_dir: PathBuf,
}

fn backup_dir(data_dir: &Path) -> PathBuf {
    data_dir.join("backups")
}

async fn read(State(desk): State<Desk>) -> Result<Answer<Data>, Failure> {
    let data_dir = desk.app().options().data_dir.clone();
    let found = tokio::task::spawn_blocking(move || {
        let files = [DATABASE.to_owned(), format!("{DATABASE}-wal")];
        let size = |name: &String| std::fs::metadata(data_dir.join(name)).map_or(0, |about| about.len());
        Data { bytes: files.iter().map(size).sum(), backup_dir: backup_dir(&data_dir), data_dir }
    });
    Ok(Answer(found.await.map_err(anyhow::Error::from)?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    /// Left out: a file named by the time, in the data folder's `backups`.
    #[serde(default)]
    file: Option<PathBuf>,
}

#[derive(Serialize)]
struct Copied {
    file: PathBuf,
    bytes: u64,
}

/// Copies the database as it is now, while everything goes on. Keys are not in it.
async fn copy(State(desk): State<Desk>, Json(wanted): Json<Copy>) -> Result<Answer<Copied>, Failure> {
    let data_dir = desk.app().options().data_dir.clone();
    let done = tokio::task::spawn_blocking(move || write(&data_dir, wanted.file)).await;
    Ok(Answer(done.map_err(anyhow::Error::from)??))
}

fn write(data_dir: &Path, wanted: Option<PathBuf>) -> Result<Copied, ApiError> {
    let file = match wanted {
        Some(file) => file,
        None => {
            let folder = backup_dir(data_dir);
            std::fs::create_dir_all(&folder).map_err(|error| {
                let path = folder.display().to_string();
                ApiError::bad_request(Machine::BackupNoFolder { path, said: error.to_string() })
            })?;
            let now = serde_json::json!(Timestamp::now()).to_string();
            let now: String = now.chars().filter(char::is_ascii_digit).take(14).collect();
            folder.join(format!("loci-{now}.db"))
        }
    };
    if !file.is_absolute() {
        return Err(ApiError::bad_request(Machine::BackupWholePath));
    }
    if file.exists() {
        return Err(ApiError::conflict(Machine::BackupThere { path: file.display().to_string() }));
    }
    if !file.parent().is_some_and(Path::is_dir) {
        return Err(ApiError::bad_request(Machine::BackupFolderMissing { path: file.display().to_string() }));
    }
    maintain::backup(&data_dir.join(DATABASE), &file)
        .map_err(|error| ApiError::bad_request(Machine::BackupFailed { said: error.to_string() }))?;
    let bytes = std::fs::metadata(&file).map_or(0, |about| about.len());
    Ok(Copied { file, bytes })
}
