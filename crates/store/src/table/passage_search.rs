//! Finding passages: by words, by the nearness of vectors, and by both together.

use std::collections::HashMap;

use loci_api::{
    archive::{Passage, TagMatchMode},
    ids::{AgentId, ArchiveId, PassageId},
    time::Timestamp,
};
use rusqlite::{Connection, named_params};

use super::{message_search::words, passage};
use crate::{
    StoreError,
    page::{any_of, containing},
    row::RowExt,
};

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Any text; empty text finds the newest passages.
    pub query: String,
    /// Only archives this agent looks into.
    pub agent_id: Option<AgentId>,
    pub archive_id: Option<ArchiveId>,
    /// Empty does not narrow.
    pub tags: Vec<String>,
    pub tag_match_mode: TagMatchMode,
    /// Both ends included.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    /// The query as vectors of length 1, by the model that made each.
    pub vectors: Vec<(String, Vec<f32>)>,
    pub limit: u32,
}

/// A passage that was found, and by what.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub passage: Passage,
    /// The sum of reciprocal ranks; only comparable within one answer.
    pub score: f64,
    /// From 1.
    pub word_rank: Option<usize>,
    /// From 1.
    pub vector_rank: Option<usize>,
}

/// How much the ranks below the first few matter; the usual constant of reciprocal rank fusion.
const DAMPING: f64 = 60.0;
/// Candidates each way of searching brings, so that a passage both find well can overtake.
const CANDIDATES: u32 = 100;

/// Passages that match, best first.
pub fn search(conn: &Connection, search: &Search) -> Result<Vec<Hit>, StoreError> {
    let by_words = by_words(conn, search)?;
    let by_vectors = by_vectors(conn, search)?;
    let mut ranks: HashMap<PassageId, (Option<usize>, Option<usize>)> = HashMap::new();
    for (rank, id) in by_words.into_iter().enumerate() {
        ranks.entry(id).or_default().0 = Some(rank + 1);
    }
    for (rank, id) in by_vectors.into_iter().enumerate() {
        ranks.entry(id).or_default().1 = Some(rank + 1);
    }
    let share = |rank: Option<usize>| rank.map_or(0.0, |rank| 1.0 / (DAMPING + rank as f64));
    let mut order: Vec<_> = ranks
        .into_iter()
        .map(|(id, (word, vector))| (share(word) + share(vector), id, word, vector))
        .collect();
    order.sort_by(|one, other| {
        other
            .0
            .total_cmp(&one.0)
            .then_with(|| one.2.unwrap_or(usize::MAX).cmp(&other.2.unwrap_or(usize::MAX)))
            .then_with(|| one.1.cmp(&other.1))
    });
    order.truncate(usize::try_from(search.limit).unwrap_or(usize::MAX));
    let mut hits = Vec::with_capacity(order.len());
    for (score, id, word_rank, vector_rank) in order {
        if let Some(passage) = passage::get(conn, &id)? {
            hits.push(Hit { passage, score, word_rank, vector_rank });
        }
    }
    Ok(hits)
}

macro_rules! narrowed {
    ($select:literal, $from:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $select,
            " FROM ",
            $from,
            " AND (:archive IS NULL OR archive_id = :archive)
               AND (:agent IS NULL OR archive_id IN (SELECT archive_id FROM agents_archives WHERE agent_id = :agent))
               AND (:start IS NULL OR passages.created_at >= :start)
               AND (:end IS NULL OR passages.created_at <= :end)
               AND (:tags IS NULL OR
                 (SELECT count(DISTINCT t.value) FROM json_each(passages.tags) t
                  WHERE t.value IN (SELECT value FROM json_each(:tags))) >= :matches) ",
            $order
        )
    };
}

/// At least so many of the tags must be there.
fn matches(search: &Search) -> usize {
    match search.tag_match_mode {
        TagMatchMode::Any => 1,
        TagMatchMode::All => {
            let mut tags = search.tags.clone();
            tags.sort();
            tags.dedup();
            tags.len()
        }
    }
}

/// Those with all words, then those with some, or else those that contain the text letter by letter.
fn by_words(conn: &Connection, search: &Search) -> Result<Vec<PassageId>, StoreError> {
    let words = words(&search.query);
    let matching = narrowed!(
        "passages.id",
        "passages_fts JOIN passages ON passages.sequence = passages_fts.rowid WHERE passages_fts MATCH :query",
        "ORDER BY passages_fts.rank, passages.sequence DESC LIMIT :limit"
    );
    let mut found = Vec::new();
    if !words.is_empty() {
        found = ids(conn, matching, search, &words.join(" "))?;
        if words.len() > 1 {
            for id in ids(conn, matching, search, &words.join(" OR "))? {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
    }
    if found.is_empty() {
        let text = search.query.trim();
        // Without vectors nothing else could be found; with them a chance letter would only disturb.
        if !text.is_empty() && !search.vectors.is_empty() {
            return Ok(found);
        }
        found = ids(
            conn,
            narrowed!(
                "passages.id",
                "passages WHERE instr(lower(text), :query) > 0",
                "ORDER BY passages.created_at DESC, passages.sequence DESC LIMIT :limit"
            ),
            search,
            &containing(text),
        )?;
    }
    Ok(found)
}

fn ids(conn: &Connection, sql: &str, search: &Search, query: &str) -> Result<Vec<PassageId>, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let ids = statement.query_map(
        named_params! {
            ":query": query,
            ":archive": search.archive_id.as_ref().map(ArchiveId::as_str),
            ":agent": search.agent_id.as_ref().map(AgentId::as_str),
            ":start": search.start.map(|at| at.0),
            ":end": search.end.map(|at| at.0),
            ":tags": any_of(&search.tags),
            ":matches": i64::try_from(matches(search)).unwrap_or(i64::MAX),
            ":limit": search.limit.max(CANDIDATES),
        },
        |row| row.id(0),
    )?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// The nearest by angle; vectors are compared only with queries of the same model.
fn by_vectors(conn: &Connection, search: &Search) -> Result<Vec<PassageId>, StoreError> {
    let mut near: Vec<(f32, PassageId)> = Vec::new();
    let most = usize::try_from(search.limit.max(CANDIDATES)).unwrap_or(usize::MAX);
    for (model, query) in &search.vectors {
        let mut statement = conn.prepare_cached(narrowed!(
            "passages.id, v.vector",
            "passage_vectors v JOIN passages ON passages.sequence = v.passage_sequence
             WHERE v.model = :model AND v.dimensions = :dimensions
               AND v.model = (SELECT json_extract(embedding_config, '$.handle') FROM archives
                 WHERE archives.id = archive_id)",
            ""
        ))?;
        let mut rows = statement.query(named_params! {
            ":model": model,
            ":dimensions": i64::try_from(query.len()).unwrap_or(i64::MAX),
            ":archive": search.archive_id.as_ref().map(ArchiveId::as_str),
            ":agent": search.agent_id.as_ref().map(AgentId::as_str),
            ":start": search.start.map(|at| at.0),
            ":end": search.end.map(|at| at.0),
            ":tags": any_of(&search.tags),
            ":matches": i64::try_from(matches(search)).unwrap_or(i64::MAX),
        })?;
        while let Some(row) = rows.next()? {
            let vector = row.get_ref(1)?.as_blob().map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let nearness = dot(vector, query);
            if nearness.is_finite() {
                near.push((nearness, row.id(0)?));
            }
            // Kept short while a large archive is read.
            if near.len() > most.saturating_mul(8) {
                shorten(&mut near, most);
            }
        }
    }
    shorten(&mut near, most);
    Ok(near.into_iter().map(|(_, id)| id).collect())
}

fn shorten(near: &mut Vec<(f32, PassageId)>, most: usize) {
    near.sort_by(|one, other| other.0.total_cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    near.truncate(most);
}

/// The product of a stored vector and the query's; of two vectors of length 1 it is their nearness.
fn dot(stored: &[u8], query: &[f32]) -> f32 {
    stored
        .chunks_exact(4)
        .zip(query)
        .map(|(bytes, number)| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) * number)
        .sum()
}
