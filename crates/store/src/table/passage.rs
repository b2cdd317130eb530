//! Passages: the notes of archives, with the vectors made of them.

use loci_api::{
    archive::Passage,
    ids::{AgentId, ArchiveId, PassageId},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params};

use crate::{
    Page, StoreError,
    page::{Select, containing},
    row::{RowExt, json, opt_json},
};

/// Which passages a list holds.
#[derive(Debug, Clone, Default)]
pub struct PassageFilter {
    pub archive_id: Option<ArchiveId>,
    /// In any archive this agent looks into.
    pub agent_id: Option<AgentId>,
    /// Part of the text, case ignored.
    pub containing: Option<String>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Passage> {
    Ok(Passage {
        id: row.id("id")?,
        text: row.get("text")?,
        archive_id: Some(row.id("archive_id")?),
        tags: Some(row.json("tags")?),
        metadata: Some(row.opt_json("metadata")?.unwrap_or_default()),
        embedding: (),
        embedding_config: row.opt_json("embedding_config")?,
        source_id: None,
        file_id: None,
        file_name: None,
        is_deleted: false,
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: None,
        created_at: Some(row.time("created_at")?),
        updated_at: Some(row.time("updated_at")?),
    })
}

const COLUMNS: &str =
    "*, (SELECT embedding_config FROM archives WHERE archives.id = archive_id) AS embedding_config";

/// The passage with this id.
pub fn get(conn: &Connection, id: &PassageId) -> Result<Option<Passage>, StoreError> {
    let mut select = Select::new(COLUMNS, "passages", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

fn select(filter: &PassageFilter) -> Select {
    let mut select = Select::new(COLUMNS, "passages", "created_at");
    select
        .and_some("archive_id = ?", filter.archive_id.as_ref().map(ToString::to_string))
        .and_some(
            "archive_id IN (SELECT archive_id FROM agents_archives WHERE agent_id = ?)",
            filter.agent_id.as_ref().map(ToString::to_string),
        )
        .and_some("instr(lower(text), ?) > 0", filter.containing.as_deref().map(containing));
    select
}

/// A page of passages by creation time.
pub fn list(conn: &Connection, filter: &PassageFilter, page: &Page) -> Result<Vec<Passage>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many passages the filter finds.
pub fn count(conn: &Connection, filter: &PassageFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

/// The tags of all passages an agent can find, the most used first.
pub fn tags_for_agent(conn: &Connection, agent_id: &AgentId, limit: u32) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT tag.value FROM passages, json_each(passages.tags) AS tag
         WHERE archive_id IN (SELECT archive_id FROM agents_archives WHERE agent_id = ?)
         GROUP BY tag.value ORDER BY count(*) DESC, tag.value LIMIT ?",
    )?;
    let tags = statement.query_map(params![agent_id.as_str(), limit], |row| row.get(0))?;
    Ok(tags.collect::<rusqlite::Result<_>>()?)
}

/// Adds a passage.
pub fn insert(conn: &Connection, passage: &Passage, archive_id: &ArchiveId) -> Result<(), StoreError> {
    let now = passage.created_at.unwrap_or_else(Timestamp::now);
    conn.prepare_cached(
        "INSERT INTO passages (id, archive_id, text, tags, metadata, created_by_id, created_at, updated_at)
         VALUES (:id, :archive, :text, :tags, :metadata, :by, :created, :updated)",
    )?
    .execute(named_params! {
        ":id": passage.id.as_str(),
        ":archive": archive_id.as_str(),
        ":text": passage.text,
        ":tags": json(passage.tags.as_deref().unwrap_or_default())?,
        ":metadata": opt_json(passage.metadata.as_ref())?,
        ":by": passage.created_by_id,
        ":created": now.0,
        ":updated": passage.updated_at.unwrap_or(now).0,
    })?;
    Ok(())
}

/// Deletes a passage. Whether there was one.
pub fn delete(conn: &Connection, id: &PassageId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM passages WHERE id = ?", [id.as_str()])? > 0)
}

/// A passage that wants a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its row, for [`set_vector`].
    pub sequence: i64,
    pub text: String,
}

/// Passages of an archive that have no vector of this model yet, oldest first; those that were tried in vain are
/// left out.
pub fn pending(
    conn: &Connection,
    archive: &ArchiveId,
    model: &str,
    limit: u32,
) -> Result<Vec<Pending>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT sequence, text FROM passages
         WHERE archive_id = ?1 AND vector_error IS NULL
           AND NOT EXISTS (SELECT 1 FROM passage_vectors WHERE passage_sequence = sequence AND model = ?2)
         ORDER BY sequence LIMIT ?3",
    )?;
    let pending = statement.query_map(params![archive.as_str(), model, limit], |row| {
        Ok(Pending { sequence: row.get(0)?, text: row.get(1)? })
    })?;
    Ok(pending.collect::<rusqlite::Result<_>>()?)
}

/// How far the vectors of an archive are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    pub passages: i64,
    /// With a vector of the model.
    pub embedded: i64,
    /// Tried in vain.
    pub failed: i64,
}

/// How far the vectors of an archive are, and a reason for failures if there are any.
pub fn progress(
    conn: &Connection,
    archive: &ArchiveId,
    model: &str,
) -> Result<(Progress, Option<String>), StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*), count(v.passage_sequence),
           count(CASE WHEN v.passage_sequence IS NULL THEN vector_error END), max(vector_error)
         FROM passages LEFT JOIN passage_vectors v ON v.passage_sequence = sequence AND v.model = ?2
         WHERE archive_id = ?1",
    )?;
    Ok(statement.query_row(params![archive.as_str(), model], |row| {
        Ok((Progress { passages: row.get(0)?, embedded: row.get(1)?, failed: row.get(2)? }, row.get(3)?))
    })?)
}

/// Sets the vector of a passage, of length 1. Nothing happens if the passage is gone.
pub fn set_vector(conn: &Connection, sequence: i64, model: &str, vector: &[f32]) -> Result<(), StoreError> {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    conn.prepare_cached(
        "INSERT INTO passage_vectors (passage_sequence, model, dimensions, vector)
         SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM passages WHERE sequence = ?1)
         ON CONFLICT (passage_sequence) DO UPDATE SET model = ?2, dimensions = ?3, vector = ?4",
    )?
    .execute(params![sequence, model, i64::try_from(vector.len()).unwrap_or(i64::MAX), bytes])?;
    conn.prepare_cached("UPDATE passages SET vector_error = NULL WHERE sequence = ?")?.execute([sequence])?;
    Ok(())
}

/// Notes why no vector could be made of a passage.
pub fn set_vector_error(conn: &Connection, sequence: i64, error: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE passages SET vector_error = ?2 WHERE sequence = ?1")?
        .execute(params![sequence, error])?;
    Ok(())
}

/// Lets passages of an archive that were tried in vain be tried again.
pub fn forget_errors(conn: &Connection, archive: &ArchiveId) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE passages SET vector_error = NULL WHERE archive_id = ? AND vector_error IS NOT NULL",
    )?
    .execute([archive.as_str()])?;
    Ok(())
}
