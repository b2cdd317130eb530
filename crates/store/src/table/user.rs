//! The person of this machine; there is exactly one.

use loci_api::{ids::UserId, time::Timestamp};
use rusqlite::Connection;

use crate::{StoreError, row::RowExt};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub name: String,
    pub created_at: Timestamp,
}

/// The one user; the first migration made the row.
pub fn get(conn: &Connection) -> Result<User, StoreError> {
    Ok(conn.query_row("SELECT id, name, created_at FROM users ORDER BY created_at LIMIT 1", [], |row| {
        Ok(User { id: row.id(0)?, name: row.get(1)?, created_at: row.time(2)? })
    })?)
}

/// Gives the user another name.
pub fn rename(conn: &Connection, id: &UserId, name: &str) -> Result<(), StoreError> {
    match conn.execute("UPDATE users SET name = ?2 WHERE id = ?1", [id.as_str(), name])? {
        0 => Err(StoreError::not_found("user", id)),
        _ => Ok(()),
    }
}
