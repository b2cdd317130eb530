//! Whom agents serve, as clients name them. All of them belong to this machine's single user.

use loci_api::{
    ids::{AgentId, IdentityId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params};
use serde_json::Value;

use crate::{
    Page, StoreError,
    page::Select,
    row::{RowExt, json},
};

/// An identity.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    pub id: IdentityId,
    /// The client's own key; unique.
    pub identifier_key: String,
    pub name: String,
    /// `org`, `user` or `other`.
    pub identity_type: String,
    pub project_id: Option<String>,
    /// `{key, value, type}` objects.
    pub properties: Vec<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which identities a list holds.
#[derive(Debug, Clone, Default)]
pub struct IdentityFilter {
    pub name: Option<String>,
    pub identifier_key: Option<String>,
    pub identity_type: Option<String>,
    pub project_id: Option<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Identity> {
    Ok(Identity {
        id: row.id("id")?,
        identifier_key: row.get("identifier_key")?,
        name: row.get("name")?,
        identity_type: row.get("identity_type")?,
        project_id: row.get("project_id")?,
        properties: row.json("properties")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

/// The identity with this id.
pub fn get(conn: &Connection, id: &IdentityId) -> Result<Option<Identity>, StoreError> {
    let mut select = Select::new("*", "identities", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// A page of identities by creation time.
pub fn list(conn: &Connection, filter: &IdentityFilter, page: &Page) -> Result<Vec<Identity>, StoreError> {
    let mut select = Select::new("*", "identities", "created_at");
    select
        .and_some("name = ?", filter.name.clone())
        .and_some("identifier_key = ?", filter.identifier_key.clone())
        .and_some("identity_type = ?", filter.identity_type.clone())
        .and_some("project_id = ?", filter.project_id.clone());
    select.page(conn, page, read)
}

/// Adds an identity. [`StoreError::Duplicate`] if its key is taken.
pub fn insert(conn: &Connection, identity: &Identity) -> Result<(), StoreError> {
    write(
        conn,
        "INSERT INTO identities (id, identifier_key, name, identity_type, project_id, properties, created_at, updated_at)
         VALUES (:id, :identifier_key, :name, :identity_type, :project_id, :properties, :created_at, :updated_at)",
        identity,
    )
}

/// Writes every column but the time of creation.
pub fn update(conn: &Connection, identity: &Identity) -> Result<(), StoreError> {
    write(
        conn,
        "UPDATE identities SET identifier_key = :identifier_key, name = :name, identity_type = :identity_type,
           project_id = :project_id, properties = :properties, created_at = min(created_at, :created_at),
           updated_at = :updated_at
         WHERE id = :id",
        identity,
    )
}

fn write(conn: &Connection, sql: &'static str, identity: &Identity) -> Result<(), StoreError> {
    let written = conn
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": identity.id.as_str(),
            ":identifier_key": identity.identifier_key,
            ":name": identity.name,
            ":identity_type": identity.identity_type,
            ":project_id": identity.project_id,
            ":properties": json(&identity.properties)?,
            ":created_at": identity.created_at.0,
            ":updated_at": identity.updated_at.0,
        })
        .map_err(|error| StoreError::from(error).naming(Some(&identity.identifier_key)))?;
    if written == 0 { Err(StoreError::not_found("identity", &identity.id)) } else { Ok(()) }
}

/// Deletes an identity; its agents stay. Whether there was one.
pub fn delete(conn: &Connection, id: &IdentityId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM identities WHERE id = ?", [id.as_str()])? > 0)
}

/// The agents that belong to an identity.
pub fn agent_ids(conn: &Connection, id: &IdentityId) -> Result<Vec<AgentId>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT agent_id FROM agents_identities WHERE identity_id = ? ORDER BY agent_id")?;
    let ids = statement.query_map([id.as_str()], |row| row.id(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}
