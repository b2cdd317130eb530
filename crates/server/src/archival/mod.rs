//! Archival memory: notes an agent files away and finds again. Full text always; vectors where the archive has an
//! embedder and it answers.

mod tool;

use std::time::Duration;

use loci_api::{
    agent::EmbeddingConfig,
    archive::{Archive, Passage},
    error::ApiError,
    ids::{AgentId, ArchiveId, DEFAULT_ORGANIZATION_ID, DEFAULT_USER_ID, PassageId},
    time::Timestamp,
};
use loci_store::{
    Connection, StoreError,
    table::{
        agent::AgentRow,
        archive, passage,
        passage_search::{self, Hit, Search},
    },
};
use serde_json::{Map, Value};

pub(crate) use self::tool::{insert_tool, local, search_tool};
use crate::{App, agents::state::require, embedding, error::Answer};

/// Characters of one passage: about the 8192 tokens the contract allows.
pub const MAX_PASSAGE_CHARS: usize = 32_768;
/// Tags of one passage, and characters of one.
const MAX_TAGS: usize = 100;
const MAX_TAG_CHARS: usize = 200;
/// How long a search waits for the query's vectors before it goes on with words alone.
const QUERY_PATIENCE: Duration = Duration::from_secs(8);

/// What a passage is made of.
#[derive(Debug, Clone, Default)]
pub struct NewPassage {
    pub text: String,
    pub tags: Vec<String>,
    pub metadata: Option<Map<String, Value>>,
    pub created_at: Option<Timestamp>,
}

impl NewPassage {
    /// Whether it can be kept. Tags lose the spaces around them and repetitions.
    ///
    /// # Errors
    /// 422.
    pub fn checked(mut self) -> Result<Self, ApiError> {
        let length = self.text.chars().count();
        if self.text.trim().is_empty() {
            return Err(ApiError::validation("body.text: A passage needs a text"));
        }
        if length > MAX_PASSAGE_CHARS {
            return Err(ApiError::validation(format!(
                "body.text: {length} characters are more than the {MAX_PASSAGE_CHARS} a passage may have. Split it."
            )));
        }
        let mut tags: Vec<String> = Vec::new();
        for tag in self.tags {
            let tag = tag.trim().to_owned();
            if tag.chars().count() > MAX_TAG_CHARS {
                return Err(ApiError::validation(format!(
                    "body.tags: a tag may have {MAX_TAG_CHARS} characters at most"
                )));
            }
            if !tag.is_empty() && !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        if tags.len() > MAX_TAGS {
            return Err(ApiError::validation(format!("body.tags: {MAX_TAGS} tags at most")));
        }
        self.tags = tags;
        Ok(self)
    }

    fn passage(self) -> Passage {
        let now = Timestamp::now();
        Passage {
            id: PassageId::new(),
            text: self.text,
            archive_id: None,
            tags: Some(self.tags),
            metadata: self.metadata,
            embedding: (),
            embedding_config: None,
            source_id: None,
            file_id: None,
            file_name: None,
            is_deleted: false,
            created_by_id: Some(DEFAULT_USER_ID.to_owned()),
            last_updated_by_id: None,
            created_at: Some(self.created_at.unwrap_or(now)),
            updated_at: Some(now),
        }
    }
}

/// A new archive that nobody looks into yet.
#[must_use]
pub fn new_archive(name: String, embedding_config: Option<EmbeddingConfig>) -> Archive {
    let now = Timestamp::now();
    Archive {
        id: ArchiveId::new(),
        name,
        description: None,
        vector_db_provider: "native".to_owned(),
        embedding_config,
        metadata: None,
        organization_id: DEFAULT_ORGANIZATION_ID.to_owned(),
        created_by_id: Some(DEFAULT_USER_ID.to_owned()),
        last_updated_by_id: None,
        created_at: now,
        updated_at: Some(now),
    }
}

/// 404 for an archive.
#[must_use]
pub fn not_found(id: &ArchiveId) -> ApiError {
    ApiError::not_found(format!("Archive not found with id='{id}'"))
}

/// The archive, or 404.
///
/// # Errors
/// 404.
pub fn require_archive(conn: &Connection, id: &ArchiveId) -> Answer<Archive> {
    archive::get(conn, id)?.ok_or_else(|| not_found(id).into())
}

fn embedding_of(agent: &AgentRow) -> Option<EmbeddingConfig> {
    let config = agent.embedding_config.clone()?;
    serde_json::from_value(config).ok()
}

/// The archive an agent's new notes go to: the first it looks into, made if there is none.
fn archive_of(conn: &Connection, agent: &AgentRow) -> Result<Archive, StoreError> {
    if let Some(archive) = archive::list_for_agent(conn, &agent.id)?.into_iter().next() {
        return Ok(archive);
    }
    let made = new_archive(format!("{}'s archive", agent.name), embedding_of(agent));
    archive::insert(conn, &made)?;
    archive::attach(conn, &agent.id, &made.id, true)?;
    Ok(made)
}

/// Brings the embedder of an agent's own archives to the agent's. Their passages are embedded anew in the background.
///
/// # Errors
/// If the database refuses.
pub fn follow_agent(conn: &Connection, agent: &AgentRow) -> Result<(), StoreError> {
    let wanted = embedding_of(agent);
    for mut archive in archive::own(conn, &agent.id)? {
        if archive.embedding_config != wanted {
            archive.embedding_config.clone_from(&wanted);
            archive.updated_at = Some(Timestamp::now());
            archive::update(conn, &archive)?;
            passage::forget_errors(conn, &archive.id)?;
        }
    }
    Ok(())
}

/// Files a note into an agent's archive.
///
/// # Errors
/// 404 without such an agent, 422 for a text that cannot be kept.
pub async fn insert_for_agent(app: &App, agent_id: AgentId, new: NewPassage) -> Answer<Passage> {
    let passage = new.checked()?.passage();
    let written = app
        .store()
        .try_write(move |tx| {
            let agent = require(tx, &agent_id)?;
            let archive = archive_of(tx, &agent)?;
            put(tx, &archive, passage)
        })
        .await?;
    embedding::catch_up(app);
    Ok(written)
}

/// Files notes into an archive, all or none.
///
/// # Errors
/// 404 without such an archive, 422 for a text that cannot be kept.
pub async fn insert(app: &App, archive_id: ArchiveId, new: Vec<NewPassage>) -> Answer<Vec<Passage>> {
    let new = new.into_iter().map(NewPassage::checked).collect::<Result<Vec<_>, _>>()?;
    let written = app
        .store()
        .try_write(move |tx| {
            let archive = require_archive(tx, &archive_id)?;
            new.into_iter().map(|new| put(tx, &archive, new.passage())).collect::<Answer<Vec<_>>>()
        })
        .await?;
    embedding::catch_up(app);
    Ok(written)
}

fn put(conn: &Connection, archive: &Archive, passage: Passage) -> Answer<Passage> {
    passage::insert(conn, &passage, &archive.id)?;
    archive::touch(conn, &archive.id, Timestamp::now())?;
    Ok(passage::get(conn, &passage.id)?
        .ok_or_else(|| anyhow::anyhow!("a passage was gone as soon as it was written"))?)
}

/// Finds passages: by words, and by vectors of every embedder the archives in question have, as far as it answers
/// in time. Why one did not is noted for the person.
///
/// # Errors
/// If the database cannot be read.
pub async fn search(app: &App, mut search: Search) -> Answer<Vec<Hit>> {
    if !search.query.trim().is_empty() {
        let scope = (search.agent_id.clone(), search.archive_id.clone());
        let handles =
            app.store().read(move |conn| embedders(conn, scope.0.as_ref(), scope.1.as_ref())).await?;
        for handle in handles {
            if let Some(vector) = embedding::of_query(app, &handle, &search.query, QUERY_PATIENCE).await {
                search.vectors.push((handle, vector));
            }
        }
    }
    Ok(app.store().read(move |conn| passage_search::search(conn, &search)).await?)
}

/// The embedders of the archives in question, each once.
fn embedders(
    conn: &Connection,
    agent_id: Option<&AgentId>,
    archive_id: Option<&ArchiveId>,
) -> Result<Vec<String>, StoreError> {
    let archives = match (archive_id, agent_id) {
        (Some(id), _) => archive::get(conn, id)?.into_iter().collect(),
        (None, Some(id)) => archive::list_for_agent(conn, id)?,
        (None, None) => archive::list_embedded(conn)?,
    };
    let mut handles: Vec<String> = Vec::new();
    for archive in archives {
        if let Some(handle) = embedding::handle_of(&archive)
            && !handles.contains(&handle)
        {
            handles.push(handle);
        }
    }
    Ok(handles)
}
