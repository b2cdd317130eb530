//! Archives and their passages on the wire.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    agent::EmbeddingConfig,
    ids::{ArchiveId, PassageId},
    time::Timestamp,
};

/// A collection of passages.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Archive {
    pub id: ArchiveId,
    pub name: String,
    pub description: Option<String>,
    /// Always `native`.
    pub vector_db_provider: String,
    /// What vectors are made with; null: full text only.
    pub embedding_config: Option<EmbeddingConfig>,
    pub metadata: Option<Map<String, Value>>,
    pub organization_id: String,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
}

/// One note.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Passage {
    pub id: PassageId,
    pub text: String,
    pub archive_id: Option<ArchiveId>,
    pub tags: Option<Vec<String>>,
    pub metadata: Option<Map<String, Value>>,
    /// Vectors stay in the database: always null.
    #[schema(value_type = Option<Vec<f32>>)]
    pub embedding: (),
    pub embedding_config: Option<EmbeddingConfig>,
    pub source_id: Option<String>,
    pub file_id: Option<String>,
    pub file_name: Option<String>,
    pub is_deleted: bool,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// Creates an archive. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct ArchiveCreateRequest {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// A handle, `provider/model`.
    #[serde(default)]
    pub embedding: Option<String>,
    #[serde(default)]
    pub embedding_config: Option<EmbeddingConfig>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
}

/// Changes an archive. Absent and null fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(default)]
pub struct ArchiveUpdateRequest {
    pub name: Option<String>,
    pub description: Option<String>,
}

/// Creates a passage in an archive.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct PassageCreateRequest {
    pub text: String,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// Creates many passages in an archive, all or none.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct PassageBatchCreateRequest {
    pub passages: Vec<PassageCreateRequest>,
}

/// Creates a passage in an agent's archive.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct CreateArchivalMemory {
    pub text: String,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub created_at: Option<Timestamp>,
}

/// What an agent's archives say about something.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ArchivalMemorySearchResponse {
    pub results: Vec<ArchivalMemorySearchResult>,
    pub count: usize,
}

/// One hit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ArchivalMemorySearchResult {
    pub id: PassageId,
    /// In the agent's own time zone.
    pub timestamp: String,
    pub content: String,
    pub tags: Vec<String>,
}

/// Whether a passage needs one of the tags or all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TagMatchMode {
    #[default]
    Any,
    All,
}

/// Searches passages of an agent, of an archive, or of all.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
pub struct PassageSearchRequest {
    #[serde(default)]
    pub query: Option<String>,
    #[serde(default)]
    pub agent_id: Option<String>,
    #[serde(default)]
    pub archive_id: Option<String>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub tag_match_mode: TagMatchMode,
    /// From 1 to 100.
    #[serde(default)]
    pub limit: Option<i64>,
    #[serde(default)]
    pub start_date: Option<Timestamp>,
    #[serde(default)]
    pub end_date: Option<Timestamp>,
}

/// One hit with what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PassageSearchResult {
    pub passage: Passage,
    /// Higher is better; only comparable within one answer.
    pub score: f64,
    pub metadata: Map<String, Value>,
}
