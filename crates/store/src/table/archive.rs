//! Archives, and which agents look into which.

use loci_api::{
    archive::Archive,
    ids::{AgentId, ArchiveId, DEFAULT_ORGANIZATION_ID},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params};

use crate::{
    Page, StoreError,
    page::Select,
    row::{RowExt, opt_json},
};

/// Which archives a list holds.
#[derive(Debug, Clone, Default)]
pub struct ArchiveFilter {
    pub name: Option<String>,
    pub agent_id: Option<AgentId>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Archive> {
    Ok(Archive {
        id: row.id("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        vector_db_provider: "native".to_owned(),
        embedding_config: row.opt_json("embedding_config")?,
        metadata: row.opt_json("metadata")?,
        organization_id: DEFAULT_ORGANIZATION_ID.to_owned(),
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: row.get("last_updated_by_id")?,
        created_at: row.time("created_at")?,
        updated_at: Some(row.time("updated_at")?),
    })
}

/// The archive with this id.
pub fn get(conn: &Connection, id: &ArchiveId) -> Result<Option<Archive>, StoreError> {
    let mut select = Select::new("*", "archives", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// A page of archives by creation time.
pub fn list(conn: &Connection, filter: &ArchiveFilter, page: &Page) -> Result<Vec<Archive>, StoreError> {
    let mut select = Select::new("*", "archives", "created_at");
    select.and_some("name = ?", filter.name.clone()).and_some(
        "id IN (SELECT archive_id FROM agents_archives WHERE agent_id = ?)",
        filter.agent_id.as_ref().map(ToString::to_string),
    );
    select.page(conn, page, read)
}

/// Every archive that vectors are made for.
pub fn list_embedded(conn: &Connection) -> Result<Vec<Archive>, StoreError> {
    let mut select = Select::new("*", "archives", "sequence");
    select.and_always("embedding_config IS NOT NULL");
    select.all(conn, read)
}

/// The archives an agent looks into, its own first.
pub fn list_for_agent(conn: &Connection, agent_id: &AgentId) -> Result<Vec<Archive>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT archives.* FROM archives JOIN agents_archives ON archive_id = archives.id
         WHERE agent_id = ? ORDER BY is_own DESC, position",
    )?;
    let archives = statement.query_map([agent_id.as_str()], read)?;
    Ok(archives.collect::<rusqlite::Result<_>>()?)
}

/// The archives that were made for an agent.
pub fn own(conn: &Connection, agent_id: &AgentId) -> Result<Vec<Archive>, StoreError> {
    let mut select = Select::new("*", "archives", "sequence");
    select.and(
        "id IN (SELECT archive_id FROM agents_archives WHERE agent_id = ? AND is_own)",
        agent_id.to_string(),
    );
    select.all(conn, read)
}

/// The agents that look into an archive.
pub fn agents(conn: &Connection, id: &ArchiveId) -> Result<Vec<AgentId>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT agent_id FROM agents_archives WHERE archive_id = ? ORDER BY agent_id")?;
    let agents = statement.query_map([id.as_str()], |row| row.id(0))?;
    Ok(agents.collect::<rusqlite::Result<_>>()?)
}

/// Adds an archive.
pub fn insert(conn: &Connection, archive: &Archive) -> Result<(), StoreError> {
    write(
        conn,
        "INSERT INTO archives (id, name, description, embedding_config, metadata, created_by_id, last_updated_by_id,
           created_at, updated_at)
         VALUES (:id, :name, :description, :embedding, :metadata, :created_by, :updated_by, :created, :updated)",
        archive,
    )
}

/// Writes every column but those of its creation.
pub fn update(conn: &Connection, archive: &Archive) -> Result<(), StoreError> {
    write(
        conn,
        "UPDATE archives SET name = :name, description = :description, embedding_config = :embedding,
           metadata = :metadata, created_by_id = coalesce(created_by_id, :created_by),
           last_updated_by_id = :updated_by, created_at = min(created_at, :created), updated_at = :updated
         WHERE id = :id",
        archive,
    )
}

fn write(conn: &Connection, sql: &'static str, archive: &Archive) -> Result<(), StoreError> {
    let written = conn.prepare_cached(sql)?.execute(named_params! {
        ":id": archive.id.as_str(),
        ":name": archive.name,
        ":description": archive.description,
        ":embedding": opt_json(archive.embedding_config.as_ref())?,
        ":metadata": opt_json(archive.metadata.as_ref())?,
        ":created_by": archive.created_by_id,
        ":updated_by": archive.last_updated_by_id,
        ":created": archive.created_at.0,
        ":updated": archive.updated_at.unwrap_or(archive.created_at).0,
    })?;
    if written == 0 { Err(StoreError::not_found("archive", &archive.id)) } else { Ok(()) }
}

/// Deletes an archive with its passages. Whether there was one.
pub fn delete(conn: &Connection, id: &ArchiveId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM archives WHERE id = ?", [id.as_str()])? > 0)
}

/// Lets an agent look into an archive, behind its others; nothing happens if it does already.
pub fn attach(conn: &Connection, agent_id: &AgentId, id: &ArchiveId, is_own: bool) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO agents_archives (agent_id, archive_id, is_own, position)
         VALUES (?1, ?2, ?3, (SELECT coalesce(max(position), -1) + 1 FROM agents_archives WHERE agent_id = ?1))
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![agent_id.as_str(), id.as_str(), is_own])?;
    Ok(())
}

/// Ends that. Whether it was so.
pub fn detach(conn: &Connection, agent_id: &AgentId, id: &ArchiveId) -> Result<bool, StoreError> {
    let gone = conn.execute(
        "DELETE FROM agents_archives WHERE agent_id = ? AND archive_id = ?",
        [agent_id.as_str(), id.as_str()],
    )?;
    Ok(gone > 0)
}

/// Notes that an archive changed.
pub fn touch(conn: &Connection, id: &ArchiveId, now: Timestamp) -> Result<(), StoreError> {
    conn.execute("UPDATE archives SET updated_at = ? WHERE id = ?", params![now.0, id.as_str()])?;
    Ok(())
}
