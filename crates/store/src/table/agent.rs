//! Agents and their tags: configuration, and when they last ran.

use loci_api::{
    ids::{AgentId, BlockId, IdentityId, ToolId},
    resource::StopReason,
    rules::ToolRule,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};
use serde_json::{Map, Value};

use crate::{
    Page, StoreError,
    page::{Select, any_of, containing},
    row::{RowExt, json, opt_json},
};

/// What is kept of an agent itself. Blocks, tools, messages and secrets are in their own tables.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    /// As the API writes it, for example `letta_v1_agent`.
    pub agent_type: String,
    pub description: Option<String>,
    /// The instructions, before memory is put in.
    pub system: String,
    /// `provider/model`.
    pub model: Option<String>,
    /// `provider/model` of the embedder.
    pub embedding: Option<String>,
    pub model_settings: Option<Value>,
    /// The deprecated form, only if it was given.
    pub llm_config: Option<Value>,
    pub embedding_config: Option<Value>,
    pub compaction_settings: Option<Value>,
    pub response_format: Option<Value>,
    pub metadata: Option<Map<String, Value>>,
    pub tool_rules: Vec<ToolRule>,
    /// Tokens.
    pub context_window_limit: Option<i64>,
    /// IANA name.
    pub timezone: String,
    pub message_buffer_autoclear: bool,
    pub enable_sleeptime: Option<bool>,
    pub max_files_open: Option<i64>,
    pub per_file_view_window_char_limit: Option<i64>,
    pub hidden: Option<bool>,
    pub tags: Vec<String>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub deployment_id: Option<String>,
    pub entity_id: Option<String>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub last_run_completion: Option<Timestamp>,
    pub last_run_duration_ms: Option<i64>,
    pub last_stop_reason: Option<StopReason>,
}

/// Which agents a list holds; the default is every one that is not hidden.
#[derive(Debug, Clone, Default)]
pub struct AgentFilter {
    /// The exact name.
    pub name: Option<String>,
    /// At least one of these, or all of them with `match_all_tags`.
    pub tags: Vec<String>,
    pub match_all_tags: bool,
    /// Part of the name or description, case ignored.
    pub query_text: Option<String>,
    pub project_id: Option<String>,
    pub template_id: Option<String>,
    pub base_template_id: Option<String>,
    pub identity_id: Option<String>,
    pub identifier_keys: Vec<String>,
    pub last_stop_reason: Option<String>,
    pub created_by_id: Option<String>,
    /// Those the block is attached to.
    pub block_id: Option<BlockId>,
    /// Those the tool is attached to.
    pub tool_id: Option<ToolId>,
    pub include_hidden: bool,
}

/// What agents are listed by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AgentOrder {
    #[default]
    CreatedAt,
    UpdatedAt,
    /// Agents that never ran count as the oldest.
    LastRunCompletion,
}

const COLUMNS: &str =
    "*, (SELECT json_group_array(tag ORDER BY position) FROM agent_tags WHERE agent_id = id) AS tags";

fn read(row: &Row<'_>) -> rusqlite::Result<AgentRow> {
    Ok(AgentRow {
        id: row.id("id")?,
        name: row.get("name")?,
        agent_type: row.get("agent_type")?,
        description: row.get("description")?,
        system: row.get("system")?,
        model: row.get("model")?,
        embedding: row.get("embedding")?,
        model_settings: row.opt_json("model_settings")?,
        llm_config: row.opt_json("llm_config")?,
        embedding_config: row.opt_json("embedding_config")?,
        compaction_settings: row.opt_json("compaction_settings")?,
        response_format: row.opt_json("response_format")?,
        metadata: row.opt_json("metadata")?,
        tool_rules: row.json("tool_rules")?,
        context_window_limit: row.get("context_window_limit")?,
        timezone: row.get("timezone")?,
        message_buffer_autoclear: row.get("message_buffer_autoclear")?,
        enable_sleeptime: row.get("enable_sleeptime")?,
        max_files_open: row.get("max_files_open")?,
        per_file_view_window_char_limit: row.get("per_file_view_window_char_limit")?,
        hidden: row.get("hidden")?,
        tags: row.json("tags")?,
        project_id: row.get("project_id")?,
        template_id: row.get("template_id")?,
        base_template_id: row.get("base_template_id")?,
        deployment_id: row.get("deployment_id")?,
        entity_id: row.get("entity_id")?,
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: row.get("last_updated_by_id")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
        last_run_completion: row.opt_time("last_run_completion")?,
        last_run_duration_ms: row.get("last_run_duration_ms")?,
        last_stop_reason: row.opt_word("last_stop_reason")?,
    })
}

/// The agent with this id, hidden or not.
pub fn get(conn: &Connection, id: &AgentId) -> Result<Option<AgentRow>, StoreError> {
    let mut select = Select::new(COLUMNS, "agents", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// Whether there is an agent with this id.
pub fn exists(conn: &Connection, id: &AgentId) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM agents WHERE id = ?")?.exists([id.as_str()])?)
}

/// A page of agents.
pub fn list(
    conn: &Connection,
    filter: &AgentFilter,
    order: AgentOrder,
    page: &Page,
) -> Result<Vec<AgentRow>, StoreError> {
    let key = match order {
        AgentOrder::CreatedAt => "created_at",
        AgentOrder::UpdatedAt => "updated_at",
        AgentOrder::LastRunCompletion => "coalesce(last_run_completion, 0)",
    };
    select(filter, key).page(conn, page, read)
}

/// How many agents the filter finds.
pub fn count(conn: &Connection, filter: &AgentFilter) -> Result<i64, StoreError> {
    select(filter, "created_at").count(conn)
}

fn select(filter: &AgentFilter, key: &'static str) -> Select {
    let mut select = Select::new(COLUMNS, "agents", key);
    if !filter.include_hidden {
        select.and_always("hidden IS NOT 1");
    }
    select
        .and_some("name = ?", filter.name.clone())
        .and_some("project_id = ?", filter.project_id.clone())
        .and_some("template_id = ?", filter.template_id.clone())
        .and_some("base_template_id = ?", filter.base_template_id.clone())
        .and_some("last_stop_reason = ?", filter.last_stop_reason.clone())
        .and_some("created_by_id = ?", filter.created_by_id.clone())
        .and_some(
            "id IN (SELECT agent_id FROM agents_identities WHERE identity_id = ?)",
            filter.identity_id.clone(),
        )
        .and_some(
            "id IN (SELECT agent_id FROM agents_identities WHERE identity_id IN
              (SELECT id FROM identities WHERE identifier_key IN (SELECT value FROM json_each(?))))",
            any_of(&filter.identifier_keys),
        )
        .and_some(
            "id IN (SELECT agent_id FROM agents_blocks WHERE block_id = ?)",
            filter.block_id.as_ref().map(ToString::to_string),
        )
        .and_some(
            "id IN (SELECT agent_id FROM agents_tools WHERE tool_id = ?)",
            filter.tool_id.as_ref().map(ToString::to_string),
        );
    if let Some(text) = &filter.query_text {
        select.and("instr(lower(name || char(10) || coalesce(description, '')), ?) > 0", containing(text));
    }
    if filter.match_all_tags {
        select.and_some(
            "NOT EXISTS (SELECT 1 FROM json_each(?) wanted
              WHERE wanted.value NOT IN (SELECT tag FROM agent_tags WHERE agent_id = agents.id))",
            any_of(&filter.tags),
        );
    } else {
        select.and_some(
            "id IN (SELECT agent_id FROM agent_tags WHERE tag IN (SELECT value FROM json_each(?)))",
            any_of(&filter.tags),
        );
    }
    select
}

/// Adds an agent with its tags.
pub fn insert(conn: &Connection, agent: &AgentRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO agents (id, name, agent_type, description, system, model, embedding, model_settings, llm_config,
           embedding_config, compaction_settings, response_format, metadata, tool_rules, context_window_limit,
           timezone, message_buffer_autoclear, enable_sleeptime, max_files_open, per_file_view_window_char_limit,
           hidden, project_id, template_id, base_template_id, deployment_id, entity_id, created_by_id,
           last_updated_by_id, created_at, updated_at, last_run_completion, last_run_duration_ms, last_stop_reason)
         VALUES (:id, :name, :agent_type, :description, :system, :model, :embedding, :model_settings, :llm_config,
           :embedding_config, :compaction_settings, :response_format, :metadata, :tool_rules, :context_window_limit,
           :timezone, :message_buffer_autoclear, :enable_sleeptime, :max_files_open, :per_file_view_window_char_limit,
           :hidden, :project_id, :template_id, :base_template_id, :deployment_id, :entity_id, :created_by_id,
           :last_updated_by_id, :created_at, :updated_at, :last_run_completion, :last_run_duration_ms,
           :last_stop_reason)",
    )?
    .execute(named_params! {
        ":id": agent.id.as_str(),
        ":name": agent.name,
        ":agent_type": agent.agent_type,
        ":description": agent.description,
        ":system": agent.system,
        ":model": agent.model,
        ":embedding": agent.embedding,
        ":model_settings": opt_json(agent.model_settings.as_ref())?,
        ":llm_config": opt_json(agent.llm_config.as_ref())?,
        ":embedding_config": opt_json(agent.embedding_config.as_ref())?,
        ":compaction_settings": opt_json(agent.compaction_settings.as_ref())?,
        ":response_format": opt_json(agent.response_format.as_ref())?,
        ":metadata": opt_json(agent.metadata.as_ref())?,
        ":tool_rules": json(&agent.tool_rules)?,
        ":context_window_limit": agent.context_window_limit,
        ":timezone": agent.timezone,
        ":message_buffer_autoclear": agent.message_buffer_autoclear,
        ":enable_sleeptime": agent.enable_sleeptime,
        ":max_files_open": agent.max_files_open,
        ":per_file_view_window_char_limit": agent.per_file_view_window_char_limit,
        ":hidden": agent.hidden,
        ":project_id": agent.project_id,
        ":template_id": agent.template_id,
        ":base_template_id": agent.base_template_id,
        ":deployment_id": agent.deployment_id,
        ":entity_id": agent.entity_id,
        ":created_by_id": agent.created_by_id,
        ":last_updated_by_id": agent.last_updated_by_id,
        ":created_at": agent.created_at.0,
        ":updated_at": agent.updated_at.0,
        ":last_run_completion": agent.last_run_completion.map(|at| at.0),
        ":last_run_duration_ms": agent.last_run_duration_ms,
        ":last_stop_reason": agent.last_stop_reason.map(StopReason::as_str),
    })
    .map_err(|error| StoreError::from(error).naming(Some(agent.id.as_str())))?;
    set_tags(conn, &agent.id, &agent.tags)
}

/// Writes every column and the tags, except when it was created and how it last ran ([`record_run`] does).
pub fn update(conn: &Connection, agent: &AgentRow) -> Result<(), StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE agents SET name = :name, agent_type = :agent_type, description = :description, system = :system,
               model = :model, embedding = :embedding, model_settings = :model_settings, llm_config = :llm_config,
               embedding_config = :embedding_config, compaction_settings = :compaction_settings,
               response_format = :response_format, metadata = :metadata, tool_rules = :tool_rules,
               context_window_limit = :context_window_limit, timezone = :timezone,
               message_buffer_autoclear = :message_buffer_autoclear, enable_sleeptime = :enable_sleeptime,
               max_files_open = :max_files_open, per_file_view_window_char_limit = :per_file_view_window_char_limit,
               hidden = :hidden, project_id = :project_id, template_id = :template_id,
               base_template_id = :base_template_id, deployment_id = :deployment_id, entity_id = :entity_id,
               last_updated_by_id = :last_updated_by_id, updated_at = :updated_at
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": agent.id.as_str(),
            ":name": agent.name,
            ":agent_type": agent.agent_type,
            ":description": agent.description,
            ":system": agent.system,
            ":model": agent.model,
            ":embedding": agent.embedding,
            ":model_settings": opt_json(agent.model_settings.as_ref())?,
            ":llm_config": opt_json(agent.llm_config.as_ref())?,
            ":embedding_config": opt_json(agent.embedding_config.as_ref())?,
            ":compaction_settings": opt_json(agent.compaction_settings.as_ref())?,
            ":response_format": opt_json(agent.response_format.as_ref())?,
            ":metadata": opt_json(agent.metadata.as_ref())?,
            ":tool_rules": json(&agent.tool_rules)?,
            ":context_window_limit": agent.context_window_limit,
            ":timezone": agent.timezone,
            ":message_buffer_autoclear": agent.message_buffer_autoclear,
            ":enable_sleeptime": agent.enable_sleeptime,
            ":max_files_open": agent.max_files_open,
            ":per_file_view_window_char_limit": agent.per_file_view_window_char_limit,
            ":hidden": agent.hidden,
            ":project_id": agent.project_id,
            ":template_id": agent.template_id,
            ":base_template_id": agent.base_template_id,
            ":deployment_id": agent.deployment_id,
            ":entity_id": agent.entity_id,
            ":last_updated_by_id": agent.last_updated_by_id,
            ":updated_at": agent.updated_at.0,
        })?;
    if changed == 0 {
        return Err(StoreError::not_found("agent", &agent.id));
    }
    set_tags(conn, &agent.id, &agent.tags)
}

/// Notes how the agent's latest run ended.
pub fn record_run(
    conn: &Connection,
    id: &AgentId,
    completed_at: Timestamp,
    duration_ms: i64,
    stop_reason: Option<StopReason>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE agents SET last_run_completion = ?2, last_run_duration_ms = ?3, last_stop_reason = ?4 WHERE id = ?1",
    )?
    .execute(params![id.as_str(), completed_at.0, duration_ms, stop_reason.map(StopReason::as_str)])?;
    Ok(())
}

/// Deletes an agent with its messages, conversations, runs and the blocks that only its conversations used.
/// Blocks and tools it was merely attached to stay. Whether there was one.
pub fn delete(conn: &Connection, id: &AgentId) -> Result<bool, StoreError> {
    conn.execute(
        "DELETE FROM blocks WHERE id IN (SELECT block_id FROM conversations_blocks JOIN conversations c
           ON c.id = conversation_id WHERE c.agent_id = ?1)
         AND id NOT IN (SELECT block_id FROM agents_blocks)",
        [id.as_str()],
    )?;
    Ok(conn.execute("DELETE FROM agents WHERE id = ?1", [id.as_str()])? > 0)
}

fn set_tags(conn: &Connection, id: &AgentId, tags: &[String]) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM agent_tags WHERE agent_id = ?")?.execute([id.as_str()])?;
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO agent_tags (agent_id, tag, position) VALUES (?, ?, ?)")?;
    for (position, tag) in (0_i64..).zip(tags) {
        insert.execute(params![id.as_str(), tag, position])?;
    }
    Ok(())
}

/// Every tag in use, once, in alphabetical order.
pub fn all_tags(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT DISTINCT tag FROM agent_tags ORDER BY tag")?;
    let tags = statement.query_map([], |row| row.get(0))?;
    Ok(tags.collect::<rusqlite::Result<_>>()?)
}

/// The identities the agent belongs to.
pub fn identity_ids(conn: &Connection, id: &AgentId) -> Result<Vec<IdentityId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT identity_id FROM agents_identities WHERE agent_id = ? ORDER BY identity_id",
    )?;
    let ids = statement.query_map([id.as_str()], |row| row.id(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Makes these the agent's identities.
pub fn set_identities(conn: &Connection, id: &AgentId, identities: &[IdentityId]) -> Result<(), StoreError> {
    conn.execute("DELETE FROM agents_identities WHERE agent_id = ?", [id.as_str()])?;
    for identity in identities {
        conn.execute(
            "INSERT OR IGNORE INTO agents_identities (agent_id, identity_id) VALUES (?, ?)",
            [id.as_str(), identity.as_str()],
        )?;
    }
    Ok(())
}

/// When the agent's row was created, if it exists: cheaper than [`get`].
pub fn created_at(conn: &Connection, id: &AgentId) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT created_at FROM agents WHERE id = ?")?;
    Ok(statement.query_row([id.as_str()], |row| row.time(0)).optional()?)
}
