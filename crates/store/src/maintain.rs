//! Looking after the database: checking it, copying it, and clearing up after a server that was killed.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use loci_api::{
    ids::{RunId, StepId},
    time::Timestamp,
};
use rusqlite::{
    Connection, OpenFlags,
    backup::{Backup, StepResult},
    named_params,
};
use serde_json::{Map, Value, json};

use crate::{
    StoreError, Thread, claim, migrate,
    row::{RowExt, json as to_json},
};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub schema_version: i64,
    pub agents: i64,
    pub messages: i64,
    /// Runs a serving process is working on now.
    pub active_runs: i64,
    pub problems: Vec<Problem>,
}

/// Something that should not be. `Display` is a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// SQLite's own check, in its words.
    Integrity(String),
    /// A row refers to one that is not there.
    ForeignKey { table: String, refers_to: String },
    /// The context of a thread names a message that is not there or not its agent's, or there is no such thread.
    DanglingContext { thread_id: String, position: i64, message_id: String },
    /// A run is marked as active though no server is.
    OrphanedRun(RunId),
    /// A step is marked as pending though no server works on it.
    OrphanedStep(StepId),
    /// A message whose content is not JSON.
    UnreadableMessage(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integrity(text) => write!(f, "integrity: {text}"),
            Self::ForeignKey { table, refers_to } => {
                write!(f, "a row of {table} refers to a row of {refers_to} that does not exist")
            }
            Self::DanglingContext { thread_id, position, message_id } => write!(
                f,
                "the context of {thread_id} names at position {position} the message {message_id}, which is missing \
                 or another agent's"
            ),
            Self::OrphanedRun(id) => write!(f, "{id} is marked as active, but no server is running it"),
            Self::OrphanedStep(id) => write!(f, "{id} is marked as pending, but no server is working on it"),
            Self::UnreadableMessage(id) => write!(f, "{id} cannot be read"),
        }
    }
}

/// Checks the database at `path` without changing it; a server may be running. Takes as long as reading the file.
///
/// # Errors
/// If the file cannot be opened or is a newer program's.
pub fn doctor(path: &Path) -> Result<Report, StoreError> {
    let serving = match claim(path) {
        Ok(_) => false,
        Err(StoreError::InUse { .. }) => true,
        Err(other) => return Err(other),
    };
    check(&open_existing(path)?, serving)
}

/// [`doctor`] over an open connection. `serving`: whether active runs are somebody's work.
///
/// # Errors
/// If the database cannot be read at all.
pub fn check(conn: &Connection, serving: bool) -> Result<Report, StoreError> {
    let mut problems = Vec::new();
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    for line in statement.query_map([], |row| row.get::<_, String>(0))? {
        let line = line?;
        if line != "ok" {
            problems.push(Problem::Integrity(line));
        }
    }
    let mut statement = conn.prepare("PRAGMA foreign_key_check")?;
    for row in statement.query_map([], |row| {
        Ok(Problem::ForeignKey { table: row.get("table")?, refers_to: row.get("parent")? })
    })? {
        problems.push(row?);
    }
    let mut statement = conn.prepare(
        "SELECT c.thread_id, c.position, c.message_id FROM context c
         LEFT JOIN messages m ON m.id = c.message_id
         LEFT JOIN conversations v ON v.id = c.thread_id
         WHERE m.id IS NULL OR m.agent_id <> coalesce(v.agent_id, c.thread_id)
         ORDER BY c.thread_id, c.position",
    )?;
    for row in statement.query_map([], |row| {
        Ok(Problem::DanglingContext {
            thread_id: row.get(0)?,
            position: row.get(1)?,
            message_id: row.get(2)?,
        })
    })? {
        problems.push(row?);
    }
    let mut statement = conn.prepare(
        "SELECT id FROM messages WHERE NOT (json_valid(content) AND json_valid(coalesce(tool_calls, '[]'))
           AND json_valid(coalesce(tool_returns, '[]')) AND json_valid(coalesce(approvals, '[]')))",
    )?;
    for row in statement.query_map([], |row| row.get(0))? {
        problems.push(Problem::UnreadableMessage(row?));
    }
    if !serving {
        let mut statement = conn.prepare("SELECT id FROM runs WHERE status IN ('created', 'running')")?;
        for row in statement.query_map([], |row| row.id(0))? {
            problems.push(Problem::OrphanedRun(row?));
        }
        let mut statement = conn.prepare("SELECT id FROM steps WHERE status = 'pending'")?;
        for row in statement.query_map([], |row| row.id(0))? {
            problems.push(Problem::OrphanedStep(row?));
        }
    }
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    Ok(Report {
        schema_version: conn.pragma_query_value(None, "user_version", |row| row.get(0))?,
        agents: count("SELECT count(*) FROM agents")?,
        messages: count("SELECT count(*) FROM messages")?,
        active_runs: if serving {
            count("SELECT count(*) FROM runs WHERE status IN ('created', 'running')")?
        } else {
            0
        },
        problems,
    })
}

/// Copies the database at `from` into the new file `to`, consistent even while a server writes.
///
/// # Errors
/// If `to` exists already or cannot be written, or `from` is not a database.
pub fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
    copy(&open_existing(from)?, to)
}

/// Copies into a file that must not exist. It gets its name only when it is complete.
pub(crate) fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let failed = |action, why| StoreError::Io { action, path: to.to_owned(), why };
    if to.try_exists().map_err(|why| failed("cannot look at", why))? {
        return Err(failed("will not overwrite", std::io::ErrorKind::AlreadyExists.into()));
    }
    let mut name = to.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let _ = std::fs::remove_file(&part);
    migrate::create_private(&part)?;
    let copied = copy_pages(from, &part).and_then(|()| {
        std::fs::File::open(&part)
            .and_then(|file| file.sync_all())
            .and_then(|()| std::fs::rename(&part, to))
            .map_err(|why| failed("cannot write", why))
    });
    if copied.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    copied
}

/// All pages in one step: taken in pieces, a writer in between would make it start over and over.
fn copy_pages(from: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut to = Connection::open(to)?;
    match Backup::new(from, &mut to)?.step(-1)? {
        StepResult::Done => Ok(()),
        _ => Err(StoreError::Busy),
    }
}

fn open_existing(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE,
    )?;
    conn.busy_timeout(crate::open::BUSY_TIMEOUT)?;
    let found: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(migrate::ALL.len()).expect("a few migrations");
    match found {
        0 => Err(StoreError::Corrupt(format!("{} holds no agents of Loci", path.display()))),
        found if found > known => Err(StoreError::NewerSchema { path: path.to_owned(), found, known }),
        _ => Ok(conn),
    }
}

/// What a server that stopped in the middle had left active, now marked as failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Swept {
    pub runs: Vec<RunId>,
    pub steps: usize,
    /// The threads those runs worked on, each once: their context may end in calls without returns.
    pub threads: Vec<Thread>,
}

/// Marks runs and steps that no server is working on as failed. Call it once at start, before anything runs.
///
/// # Errors
/// If the database cannot be written.
pub fn sweep(conn: &Connection, now: Timestamp) -> Result<Swept, StoreError> {
    const MESSAGE: &str = "The server stopped while this run was going on. Send a message to go on.";
    let mut swept = Swept::default();
    let mut statement = conn.prepare(
        "SELECT id, agent_id, conversation_id, metadata FROM runs WHERE status IN ('created', 'running') ORDER BY sequence",
    )?;
    let active = statement
        .query_map([], |row| {
            let thread = Thread::new(row.id(1)?, row.opt_id(2)?);
            Ok((row.id::<RunId>(0)?, thread, row.opt_json::<Map<String, Value>>(3)?))
        })?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for (id, thread, metadata) in active {
        let mut metadata = metadata.unwrap_or_default();
        metadata.insert(
            "error".to_owned(),
            json!({"error_type": "internal_error", "message": MESSAGE, "detail": null, "run_id": id}),
        );
        conn.execute(
            "UPDATE runs SET status = 'failed', stop_reason = 'error', completed_at = :now, metadata = :metadata
             WHERE id = :id",
            named_params! {":now": now.0, ":metadata": to_json(&metadata)?, ":id": id.as_str()},
        )?;
        swept.runs.push(id);
        if !swept.threads.contains(&thread) {
            swept.threads.push(thread);
        }
    }
    swept.steps = conn.execute(
        "UPDATE steps SET status = 'failed', stop_reason = 'error', error_type = 'internal_error',
           error_data = :data, completed_at = :now WHERE status = 'pending'",
        named_params! {":now": now.0, ":data": to_json(&json!({"message": MESSAGE}))?},
    )?;
    Ok(swept)
}
