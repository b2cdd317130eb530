//! Bringing a database file to the schema this program knows, or refusing to touch it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use crate::{StoreError, maintain};

/// Append-only: a published file never changes, the next one continues it.
pub(crate) const ALL: &[M<'static>] = &[
    M::up(include_str!("../migrations/001_initial.sql")),
    M::up(include_str!("../migrations/002_approvals.sql")),
    M::up(include_str!("../migrations/003_models.sql")),
    M::up(include_str!("../migrations/004_tool_versions.sql")),
    M::up(include_str!("../migrations/005_desk.sql")),
    M::up(include_str!("../migrations/006_request_frames.sql")),
    M::up(include_str!("../migrations/007_deleted_agents.sql")),
    M::up(include_str!("../migrations/008_tool_calls.sql")),
    M::up(include_str!("../migrations/009_own_tools.sql")),
    M::up(include_str!("../migrations/010_own_tools_memory.sql")),
];

/// Opens the file for writing, at the newest schema of `migrations`. A file with a newer one is refused before
/// anything is written; a file with an older one is copied to `<file>.before-<new version>` first.
pub(crate) fn open_current(path: &Path, migrations: &[M<'static>]) -> Result<Connection, StoreError> {
    let known = i64::try_from(migrations.len()).expect("a few migrations");
    let holds_data = fs::metadata(path).is_ok_and(|file| file.len() > 0);
    if holds_data {
        let found = version_without_touching(path)?;
        if found > known {
            return Err(StoreError::NewerSchema { path: path.to_owned(), found, known });
        }
        if found == 0 {
            refuse_strangers(path)?;
        } else if found < known {
            keep_copy(path, known)?;
        }
    } else {
        create_private(path)?;
    }
    let mut conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    conn.busy_timeout(crate::open::BUSY_TIMEOUT)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // In WAL mode a commit is in the operating system's hands once it returns, so killing the process loses
    // nothing. NORMAL leaves out the flush per commit: a power cut may cost the last moments, never the file.
    conn.pragma_update(None, "synchronous", "NORMAL")?;
    Migrations::from_slice(migrations).to_latest(&mut conn).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => StoreError::from(err),
        other => StoreError::Corrupt(format!("its schema cannot be brought up to date: {other}")),
    })?;
    conn.pragma_update(None, "foreign_keys", true)?;
    Ok(conn)
}

/// Reads through SQLite rather than from the file's header: the newest version may still be in the WAL.
fn version_without_touching(path: &Path) -> Result<i64, StoreError> {
    let conn = read_only(path)?;
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn refuse_strangers(path: &Path) -> Result<(), StoreError> {
    let tables: i64 =
        read_only(path)?.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Err(StoreError::Corrupt("the file is another program's database".to_owned()));
    }
    Ok(())
}

fn read_only(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    conn.busy_timeout(crate::open::BUSY_TIMEOUT)?;
    Ok(conn)
}

fn keep_copy(path: &Path, version: i64) -> Result<(), StoreError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".before-{version}"));
    let copy = PathBuf::from(name);
    // A copy from an attempt that failed is out of date by now.
    if let Err(why) = fs::remove_file(&copy)
        && why.kind() != std::io::ErrorKind::NotFound
    {
        return Err(StoreError::Io { action: "cannot replace", path: copy, why });
    }
    maintain::copy(&read_only(path)?, &copy)
}

/// Makes an empty file that only its owner may read. SQLite gives its companions the same rights.
pub(crate) fn create_private(path: &Path) -> Result<(), StoreError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|why| StoreError::Io {
        action: "cannot create",
        path: path.to_owned(),
        why,
    })?;
    Ok(())
}

#[cfg(test)]
mod tests;
