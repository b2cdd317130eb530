//! What can go wrong in the store, in terms a caller can act on. SQL text never gets into a message.

use std::path::PathBuf;

use rusqlite::ffi;

/// A store operation that did not happen. A failed write leaves nothing behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The row to change does not exist.
    #[error("{what} '{id}' does not exist")]
    NotFound { what: &'static str, id: String },
    /// A row refers to another one that does not exist.
    #[error("it refers to something that does not exist")]
    MissingReference,
    /// A value that must be unique is taken. `what` names it, for example `tool name`.
    #[error("{what} '{value}' is already taken")]
    Duplicate { what: &'static str, value: String },
    /// The row moved on since it was read: somebody else wrote it. Read it again and repeat the change.
    #[error("{what} '{id}' was changed meanwhile: it is at version {current}")]
    Conflict { what: &'static str, id: String, current: i64 },
    /// The file was written by a newer program.
    #[error(
        "{path} has schema version {found}, this program knows versions up to {known}: use a newer Loci, or open \
         the copy an older one left beside it. The file was not touched"
    )]
    NewerSchema { path: PathBuf, found: i64, known: i64 },
    /// Another program is serving from the same data.
    #[error("{path} is in use by another running Loci")]
    InUse { path: PathBuf },
    /// The file, or something in it, cannot be understood.
    #[error("the database is damaged or not Loci's: {0}")]
    Corrupt(String),
    /// Another process held the database for too long.
    #[error("the database is busy; try again")]
    Busy,
    /// A file around the database could not be read or written.
    #[error("{action} {path}: {why}")]
    Io { action: &'static str, path: PathBuf, why: std::io::Error },
    /// The disk has no room left.
    #[error("the disk is full")]
    Full,
    /// The file, or the disk it is on, may be read but not written.
    #[error("the database may not be written")]
    ReadOnly,
    /// The store was closed, or its thread is gone.
    #[error("the store is closed")]
    Closed,
    /// Anything else SQLite refused. The source is for the log.
    #[error("the database could not do it")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    /// Says which value it was that is already taken; other errors pass through.
    pub(crate) fn naming(self, taken: Option<&str>) -> Self {
        match (self, taken) {
            (Self::Duplicate { what, .. }, Some(value)) => Self::Duplicate { what, value: value.to_owned() },
            (other, _) => other,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(code, ref message) => match code.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Self::Duplicate {
                    what: unique_value(message.as_deref().unwrap_or_default()),
                    value: String::new(),
                },
                ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::MissingReference,
                _ => match code.code {
                    rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked => Self::Busy,
                    rusqlite::ErrorCode::DiskFull => Self::Full,
                    rusqlite::ErrorCode::ReadOnly => Self::ReadOnly,
                    rusqlite::ErrorCode::NotADatabase => {
                        Self::Corrupt("the file is not a SQLite database".to_owned())
                    }
                    rusqlite::ErrorCode::DatabaseCorrupt => {
                        Self::Corrupt("SQLite found the file malformed".to_owned())
                    }
                    _ => Self::Sqlite(error),
                },
            },
            rusqlite::Error::FromSqlConversionFailure(column, _, ref cause) => {
                Self::Corrupt(format!("column {column} of a row cannot be read: {cause}"))
            }
            rusqlite::Error::InvalidColumnType(_, ref column, kind) => {
                Self::Corrupt(format!("column {column} of a row holds {kind}"))
            }
            other => Self::Sqlite(other),
        }
    }
}

/// The unique value a constraint's message (`UNIQUE constraint failed: tools.name`) is about.
fn unique_value(message: &str) -> &'static str {
    const KNOWN: [(&str, &str); 9] = [
        ("agents_blocks.label", "block label"),
        ("conversations_blocks.label", "block label"),
        ("agents_blocks.block_id", "attached block"),
        ("tools.name", "tool name"),
        ("providers.name", "provider name"),
        ("agent_secrets.key", "secret key"),
        ("identities.identifier_key", "identifier key"),
        ("run_events.seq_id", "run event"),
        (".id", "id"),
    ];
    KNOWN.iter().find(|(column, _)| message.contains(column)).map_or("value", |(_, what)| what)
}

impl From<serde_json::Error> for StoreError {
    /// Only writing JSON gets here: reading reports the row's column.
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(format!("a value cannot be written as JSON: {error}"))
    }
}
