//! Memory blocks on the wire: what creates one and what changes one.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    error::ApiError,
    ids::BlockId,
    resource::{Block, DEFAULT_BLOCK_LIMIT},
};

/// Characters of the longest label.
pub const MAX_LABEL_CHARS: usize = 255;
/// What `persona` is for, when nobody says otherwise.
pub const PERSONA_DESCRIPTION: &str =
    "Who you are: your character, your manner of speaking, and what you have decided about yourself.";
/// What `human` is for, when nobody says otherwise.
pub const HUMAN_DESCRIPTION: &str = "What you know about the person you talk with: name, circumstances, preferences, and what matters to them.";

/// Required, but null counts as empty.
fn text_or_null<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(input)?.unwrap_or_default())
}

/// Creates a block. Unknown fields are ignored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreateBlock {
    #[serde(deserialize_with = "text_or_null")]
    pub value: String,
    /// Letters, digits, `_`, `-`, `/`.
    pub label: String,
    /// Characters the agent's tools may fill; the API itself may exceed it.
    #[serde(default)]
    #[schema(default = 100_000)]
    pub limit: Option<i64>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub read_only: Option<bool>,
    #[serde(default)]
    pub metadata: Option<Map<String, Value>>,
    #[serde(default)]
    pub hidden: Option<bool>,
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    pub template_name: Option<String>,
    #[serde(default)]
    pub is_template: Option<bool>,
    #[serde(default)]
    pub template_id: Option<String>,
    #[serde(default)]
    pub base_template_id: Option<String>,
    #[serde(default)]
    pub deployment_id: Option<String>,
    #[serde(default)]
    pub entity_id: Option<String>,
    #[serde(default)]
    pub preserve_on_migration: Option<bool>,
}

/// Changes a block. Absent and null fields stay as they are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct BlockUpdate {
    pub value: Option<String>,
    pub label: Option<String>,
    pub limit: Option<i64>,
    pub description: Option<String>,
    pub read_only: Option<bool>,
    pub metadata: Option<Map<String, Value>>,
    pub hidden: Option<bool>,
    pub tags: Option<Vec<String>>,
    pub project_id: Option<String>,
    pub template_name: Option<String>,
    pub is_template: Option<bool>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    pub preserve_on_migration: Option<bool>,
}

/// `at` is the place in the request: `body` or `body.memory_blocks[0]`.
fn check_label(at: &str, label: &str) -> Result<(), ApiError> {
    let fits = !label.is_empty()
        && label.len() <= MAX_LABEL_CHARS
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-/".contains(&byte));
    if fits {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "{at}.label: must have 1 to {MAX_LABEL_CHARS} of the letters a-z and A-Z, digits, '_', '-' and '/'"
    )))
}

fn check_limit(at: &str, limit: Option<i64>) -> Result<(), ApiError> {
    match limit {
        Some(limit) if !(0..=1_000_000_000).contains(&limit) => Err(ApiError::validation(format!(
            "{at}.limit: must be from 0 to 1000000000 characters, got {limit}"
        ))),
        _ => Ok(()),
    }
}

impl CreateBlock {
    /// Label and limit; `at` is the place in the request.
    pub fn check(&self, at: &str) -> Result<(), ApiError> {
        check_label(at, &self.label)?;
        check_limit(at, self.limit)?;
        self.tags.as_deref().map_or(Ok(()), crate::agent::check_tags)
    }

    /// The block it makes.
    #[must_use]
    pub fn into_block(self, id: BlockId) -> Block {
        let description = self.description.or_else(|| match self.label.as_str() {
            "persona" => Some(PERSONA_DESCRIPTION.to_owned()),
            "human" => Some(HUMAN_DESCRIPTION.to_owned()),
            _ => None,
        });
        Block {
            limit: self.limit.unwrap_or(DEFAULT_BLOCK_LIMIT),
            description,
            read_only: self.read_only.unwrap_or(false),
            metadata: Some(self.metadata.unwrap_or_default()),
            hidden: self.hidden,
            tags: Some(self.tags.unwrap_or_default()),
            project_id: self.project_id,
            template_name: self.template_name,
            is_template: self.is_template.unwrap_or(false),
            template_id: self.template_id,
            base_template_id: self.base_template_id,
            deployment_id: self.deployment_id,
            entity_id: self.entity_id,
            preserve_on_migration: Some(self.preserve_on_migration.unwrap_or(false)),
            ..Block::new(id, self.label, self.value)
        }
    }
}

impl BlockUpdate {
    /// Label and limit.
    pub fn check(&self) -> Result<(), ApiError> {
        self.label.as_deref().map_or(Ok(()), |label| check_label("body", label))?;
        check_limit("body", self.limit)?;
        self.tags.as_deref().map_or(Ok(()), crate::agent::check_tags)
    }

    /// Writes what is given over `block`.
    pub fn apply(self, block: &mut Block) {
        fn set<T>(field: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *field = given;
            }
        }
        fn set_some<T>(field: &mut Option<T>, given: Option<T>) {
            if given.is_some() {
                *field = given;
            }
        }
        set(&mut block.value, self.value);
        set_some(&mut block.label, self.label);
        set(&mut block.limit, self.limit);
        set_some(&mut block.description, self.description);
        set(&mut block.read_only, self.read_only);
        set_some(&mut block.metadata, self.metadata);
        set_some(&mut block.hidden, self.hidden);
        set_some(&mut block.tags, self.tags);
        set_some(&mut block.project_id, self.project_id);
        set_some(&mut block.template_name, self.template_name);
        set(&mut block.is_template, self.is_template);
        set_some(&mut block.template_id, self.template_id);
        set_some(&mut block.base_template_id, self.base_template_id);
        set_some(&mut block.deployment_id, self.deployment_id);
        set_some(&mut block.entity_id, self.entity_id);
        set_some(&mut block.preserve_on_migration, self.preserve_on_migration);
    }
}
