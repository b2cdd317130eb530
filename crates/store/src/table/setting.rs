//! Settings of this installation: JSON under a key.

use loci_api::time::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::{
    StoreError,
    row::{RowExt, json},
};

/// The value under a key.
pub fn get(conn: &Connection, key: &str) -> Result<Option<Value>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT value FROM settings WHERE key = ?")?;
    Ok(statement.query_row([key], |row| row.json(0)).optional()?)
}

/// Every key with its value, in order of the keys.
pub fn list(conn: &Connection) -> Result<Vec<(String, Value)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT key, value FROM settings ORDER BY key")?;
    let settings = statement.query_map([], |row| Ok((row.get(0)?, row.json(1)?)))?;
    Ok(settings.collect::<rusqlite::Result<_>>()?)
}

/// Sets a value, new or not.
pub fn set(conn: &Connection, key: &str, value: &Value, now: Timestamp) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (key) DO UPDATE SET value = ?2, updated_at = ?3",
    )?
    .execute(params![key, json(value)?, now.0])?;
    Ok(())
}

/// Removes a value. Whether there was one.
pub fn delete(conn: &Connection, key: &str) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM settings WHERE key = ?", [key])? > 0)
}
