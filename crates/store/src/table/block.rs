//! Memory blocks and to which agents they are attached. Every write keeps a version (see `block_version`).

use loci_api::{
    ids::{AgentId, BlockId, ConversationId},
    resource::Block,
};
use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::block_version;
pub use super::block_version::{Actor, BlockVersion, Change};
use crate::{
    Page, StoreError, Thread,
    page::{Select, any_of, containing},
    row::{RowExt, opt_json},
};

/// Which blocks a list holds.
#[derive(Debug, Clone, Default)]
pub struct BlockFilter {
    pub label: Option<String>,
    pub templates_only: bool,
    /// The template's name.
    pub name: Option<String>,
    pub project_id: Option<String>,
    /// At least one of these, or all of them with `match_all_tags`.
    pub tags: Vec<String>,
    pub match_all_tags: bool,
    /// Parts of the label, description and value, case ignored.
    pub label_search: Option<String>,
    pub description_search: Option<String>,
    pub value_search: Option<String>,
    pub connected_to_agents_count_gt: Option<i64>,
    pub connected_to_agents_count_lt: Option<i64>,
    pub connected_to_agents_count_eq: Vec<i64>,
    pub include_hidden: bool,
}

const COLUMNS: &str = "*, (SELECT json_group_array(tag ORDER BY position) FROM block_tags
  WHERE block_id = blocks.id) AS tags";

fn read(row: &Row<'_>) -> rusqlite::Result<Block> {
    Ok(Block {
        id: row.id("id")?,
        value: row.get("value")?,
        limit: row.get("char_limit")?,
        label: row.get("label")?,
        description: row.get("description")?,
        read_only: row.get("read_only")?,
        metadata: row.opt_json("metadata")?,
        hidden: row.get("hidden")?,
        tags: Some(row.json("tags")?),
        project_id: row.get("project_id")?,
        template_name: row.get("template_name")?,
        is_template: row.get("is_template")?,
        template_id: row.get("template_id")?,
        base_template_id: row.get("base_template_id")?,
        deployment_id: row.get("deployment_id")?,
        entity_id: row.get("entity_id")?,
        preserve_on_migration: row.get("preserve_on_migration")?,
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: row.get("last_updated_by_id")?,
    })
}

fn read_versioned(row: &Row<'_>) -> rusqlite::Result<(Block, i64)> {
    Ok((read(row)?, row.get("version")?))
}

/// The block with this id.
pub fn get(conn: &Connection, id: &BlockId) -> Result<Option<Block>, StoreError> {
    Ok(get_versioned(conn, id)?.map(|(block, _)| block))
}

/// The block with this id and the version a write must expect.
pub fn get_versioned(conn: &Connection, id: &BlockId) -> Result<Option<(Block, i64)>, StoreError> {
    let mut select = Select::new(COLUMNS, "blocks", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read_versioned)?.pop())
}

/// A page of blocks by creation time.
pub fn list(conn: &Connection, filter: &BlockFilter, page: &Page) -> Result<Vec<Block>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many blocks the filter finds.
pub fn count(conn: &Connection, filter: &BlockFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

fn select(filter: &BlockFilter) -> Select {
    let mut select = Select::new(COLUMNS, "blocks", "created_at");
    if !filter.include_hidden {
        select.and_always("hidden IS NOT 1");
    }
    if filter.templates_only {
        select.and_always("is_template = 1");
    }
    select
        .and_some("label = ?", filter.label.clone())
        .and_some("template_name = ?", filter.name.clone())
        .and_some("project_id = ?", filter.project_id.clone())
        .and_some("instr(lower(label), ?) > 0", filter.label_search.as_deref().map(containing))
        .and_some("instr(lower(description), ?) > 0", filter.description_search.as_deref().map(containing))
        .and_some("instr(lower(value), ?) > 0", filter.value_search.as_deref().map(containing))
        .and_some(
            "(SELECT count(*) FROM agents_blocks WHERE block_id = blocks.id) > ?",
            filter.connected_to_agents_count_gt,
        )
        .and_some(
            "(SELECT count(*) FROM agents_blocks WHERE block_id = blocks.id) < ?",
            filter.connected_to_agents_count_lt,
        );
    if !filter.connected_to_agents_count_eq.is_empty() {
        let counts = serde_json::Value::from(filter.connected_to_agents_count_eq.clone()).to_string();
        select.and(
            "(SELECT count(*) FROM agents_blocks WHERE block_id = blocks.id) IN (SELECT value FROM json_each(?))",
            counts,
        );
    }
    if filter.match_all_tags {
        select.and_some(
            "NOT EXISTS (SELECT 1 FROM json_each(?) wanted
              WHERE wanted.value NOT IN (SELECT tag FROM block_tags WHERE block_id = blocks.id))",
            any_of(&filter.tags),
        );
    } else {
        select.and_some(
            "id IN (SELECT block_id FROM block_tags WHERE tag IN (SELECT value FROM json_each(?)))",
            any_of(&filter.tags),
        );
    }
    select
}

/// Adds a block as version 1.
pub fn insert(conn: &Connection, block: &Block, change: &Change) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO blocks (id, label, value, char_limit, description, read_only, metadata, hidden, project_id,
           template_name, is_template, template_id, base_template_id, deployment_id, entity_id,
           preserve_on_migration, created_by_id, last_updated_by_id, created_at, updated_at)
         VALUES (:id, :label, :value, :limit, :description, :read_only, :metadata, :hidden, :project_id,
           :template_name, :is_template, :template_id, :base_template_id, :deployment_id, :entity_id,
           :preserve_on_migration, :created_by_id, :last_updated_by_id, :at, :at)",
    )?
    .execute(named_params! {
        ":id": block.id.as_str(),
        ":label": block.label,
        ":value": block.value,
        ":limit": block.limit,
        ":description": block.description,
        ":read_only": block.read_only,
        ":metadata": opt_json(block.metadata.as_ref())?,
        ":hidden": block.hidden,
        ":project_id": block.project_id,
        ":template_name": block.template_name,
        ":is_template": block.is_template,
        ":template_id": block.template_id,
        ":base_template_id": block.base_template_id,
        ":deployment_id": block.deployment_id,
        ":entity_id": block.entity_id,
        ":preserve_on_migration": block.preserve_on_migration,
        ":created_by_id": block.created_by_id,
        ":last_updated_by_id": block.last_updated_by_id,
        ":at": change.at.0,
    })
    .map_err(|error| StoreError::from(error).naming(Some(block.id.as_str())))?;
    set_tags(conn, &block.id, block.tags.as_deref().unwrap_or_default())?;
    block_version::insert(conn, block, 1, change)
}

/// Writes a value over the version it was made from. The new version; the same one if nothing changes.
///
/// # Errors
/// [`StoreError::Conflict`] if the block moved on since `expected_version`.
pub fn update_value(
    conn: &Connection,
    id: &BlockId,
    expected_version: i64,
    value: &str,
    change: &Change,
) -> Result<i64, StoreError> {
    let (mut block, current) = get_versioned(conn, id)?.ok_or_else(|| StoreError::not_found("block", id))?;
    expect_version(id, Some(expected_version), current)?;
    if block.value == value {
        return Ok(current);
    }
    block.value = value.to_owned();
    conn.prepare_cached("UPDATE blocks SET value = ?2, version = ?3, updated_at = ?4 WHERE id = ?1")?
        .execute(params![id.as_str(), value, current + 1, change.at.0])?;
    block_version::insert(conn, &block, current + 1, change)?;
    Ok(current + 1)
}

/// Writes every column of a block over the version it was made from, or over whatever there is. A new label
/// holds wherever it is attached. The new version; the same one if nothing changes.
///
/// # Errors
/// [`StoreError::Conflict`] if the block moved on since `expected_version`; [`StoreError::Duplicate`] if an agent
/// it is attached to has another block of that label.
pub fn update(
    conn: &Connection,
    block: &Block,
    expected_version: Option<i64>,
    change: &Change,
) -> Result<i64, StoreError> {
    let (known, current) =
        get_versioned(conn, &block.id)?.ok_or_else(|| StoreError::not_found("block", &block.id))?;
    expect_version(&block.id, expected_version, current)?;
    if known == *block {
        return Ok(current);
    }
    conn.prepare_cached(
        "UPDATE blocks SET label = :label, value = :value, char_limit = :limit, description = :description,
           read_only = :read_only, metadata = :metadata, hidden = :hidden, project_id = :project_id,
           template_name = :template_name, is_template = :is_template, template_id = :template_id,
           base_template_id = :base_template_id, deployment_id = :deployment_id, entity_id = :entity_id,
           preserve_on_migration = :preserve_on_migration, last_updated_by_id = :last_updated_by_id,
           version = :version, updated_at = :at
         WHERE id = :id",
    )?
    .execute(named_params! {
        ":id": block.id.as_str(),
        ":label": block.label,
        ":value": block.value,
        ":limit": block.limit,
        ":description": block.description,
        ":read_only": block.read_only,
        ":metadata": opt_json(block.metadata.as_ref())?,
        ":hidden": block.hidden,
        ":project_id": block.project_id,
        ":template_name": block.template_name,
        ":is_template": block.is_template,
        ":template_id": block.template_id,
        ":base_template_id": block.base_template_id,
        ":deployment_id": block.deployment_id,
        ":entity_id": block.entity_id,
        ":preserve_on_migration": block.preserve_on_migration,
        ":last_updated_by_id": block.last_updated_by_id,
        ":version": current + 1,
        ":at": change.at.0,
    })?;
    if known.label != block.label {
        let label = block.label.as_deref();
        for sql in [
            "UPDATE agents_blocks SET label = ?2 WHERE block_id = ?1",
            "UPDATE conversations_blocks SET label = ?2 WHERE block_id = ?1",
        ] {
            conn.execute(sql, params![block.id.as_str(), label])
                .map_err(|error| StoreError::from(error).naming(label))?;
        }
    }
    set_tags(conn, &block.id, block.tags.as_deref().unwrap_or_default())?;
    block_version::insert(conn, block, current + 1, change)?;
    Ok(current + 1)
}

fn expect_version(id: &BlockId, expected: Option<i64>, current: i64) -> Result<(), StoreError> {
    match expected {
        Some(expected) if expected != current => {
            Err(StoreError::Conflict { what: "block", id: id.to_string(), current })
        }
        _ => Ok(()),
    }
}

/// Deletes a block, its history and its attachments. Whether there was one.
pub fn delete(conn: &Connection, id: &BlockId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM blocks WHERE id = ?", [id.as_str()])? > 0)
}

fn set_tags(conn: &Connection, id: &BlockId, tags: &[String]) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM block_tags WHERE block_id = ?")?.execute([id.as_str()])?;
    let mut insert =
        conn.prepare_cached("INSERT OR IGNORE INTO block_tags (block_id, tag, position) VALUES (?, ?, ?)")?;
    for (position, tag) in (0_i64..).zip(tags) {
        insert.execute(params![id.as_str(), tag, position])?;
    }
    Ok(())
}

const OF_AGENT: &str = "SELECT blocks.*, (SELECT json_group_array(tag ORDER BY position) FROM block_tags
    WHERE block_id = blocks.id) AS tags
  FROM agents_blocks link JOIN blocks ON blocks.id = link.block_id
  WHERE link.agent_id = ? ORDER BY link.position, blocks.sequence";

/// An agent's blocks in the order they stand in its prompt, each with its version.
pub fn list_for_agent(conn: &Connection, agent_id: &AgentId) -> Result<Vec<(Block, i64)>, StoreError> {
    let mut statement = conn.prepare_cached(OF_AGENT)?;
    let blocks = statement.query_map([agent_id.as_str()], read_versioned)?;
    Ok(blocks.collect::<rusqlite::Result<_>>()?)
}

/// A conversation's own copies, in order, each with its version.
pub fn list_isolated(conn: &Connection, id: &ConversationId) -> Result<Vec<(Block, i64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT blocks.*, (SELECT json_group_array(tag ORDER BY position) FROM block_tags
           WHERE block_id = blocks.id) AS tags
         FROM conversations_blocks link JOIN blocks ON blocks.id = link.block_id
         WHERE link.conversation_id = ? ORDER BY link.position, blocks.sequence",
    )?;
    let blocks = statement.query_map([id.as_str()], read_versioned)?;
    Ok(blocks.collect::<rusqlite::Result<_>>()?)
}

/// The blocks one thread sees: the agent's, each replaced by the conversation's own copy of that label.
pub fn list_for_thread(conn: &Connection, thread: &Thread) -> Result<Vec<(Block, i64)>, StoreError> {
    let mut blocks = list_for_agent(conn, &thread.agent_id)?;
    let Some(conversation) = &thread.conversation_id else { return Ok(blocks) };
    for own in list_isolated(conn, conversation)? {
        match blocks.iter_mut().find(|(block, _)| block.label == own.0.label) {
            Some(shared) => *shared = own,
            None => blocks.push(own),
        }
    }
    Ok(blocks)
}

/// A page of an agent's blocks, ordered by id.
pub fn page_for_agent(conn: &Connection, agent_id: &AgentId, page: &Page) -> Result<Vec<Block>, StoreError> {
    let mut select = Select::new(COLUMNS, "blocks", "id");
    select.and("id IN (SELECT block_id FROM agents_blocks WHERE agent_id = ?)", agent_id.to_string());
    select.page(conn, page, read)
}

/// The agent's block of this label, with its version.
pub fn get_by_label(
    conn: &Connection,
    agent_id: &AgentId,
    label: &str,
) -> Result<Option<(Block, i64)>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT block_id FROM agents_blocks WHERE agent_id = ? AND label = ?")?;
    let id = statement.query_row([agent_id.as_str(), label], |row| row.id(0)).optional()?;
    match id {
        Some(id) => get_versioned(conn, &id),
        None => Ok(None),
    }
}

/// The agents a block is attached to, those whose conversation has it as its own copy included.
pub fn agent_ids(conn: &Connection, id: &BlockId) -> Result<Vec<AgentId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT agent_id FROM agents_blocks WHERE block_id = ?1
         UNION
         SELECT c.agent_id FROM conversations_blocks b JOIN conversations c ON c.id = b.conversation_id
           WHERE b.block_id = ?1 AND c.deleted_at IS NULL",
    )?;
    let ids = statement.query_map([id.as_str()], |row| row.id(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Attaches a block behind the agent's others; nothing happens if it is attached already.
///
/// # Errors
/// [`StoreError::Duplicate`] if the agent has another block of that label; [`StoreError::NotFound`] without such a
/// block; [`StoreError::MissingReference`] without such an agent.
pub fn attach(conn: &Connection, agent_id: &AgentId, id: &BlockId) -> Result<(), StoreError> {
    let mut known = conn.prepare_cached("SELECT 1 FROM agents_blocks WHERE agent_id = ? AND block_id = ?")?;
    if known.exists([agent_id.as_str(), id.as_str()])? {
        return Ok(());
    }
    let label = label(conn, id)?;
    conn.prepare_cached(
        "INSERT INTO agents_blocks (agent_id, block_id, label, position)
         SELECT ?1, ?2, ?3, coalesce(max(position) + 1, 0) FROM agents_blocks WHERE agent_id = ?1",
    )?
    .execute(params![agent_id.as_str(), id.as_str(), label])
    .map_err(|error| StoreError::from(error).naming(label.as_deref()))?;
    Ok(())
}

/// Detaches a block; it stays. Whether it was attached.
pub fn detach(conn: &Connection, agent_id: &AgentId, id: &BlockId) -> Result<bool, StoreError> {
    let mut statement =
        conn.prepare_cached("DELETE FROM agents_blocks WHERE agent_id = ? AND block_id = ?")?;
    Ok(statement.execute([agent_id.as_str(), id.as_str()])? > 0)
}

/// Makes these the agent's blocks, in this order. Errors as [`attach`].
pub fn set_for_agent(conn: &Connection, agent_id: &AgentId, ids: &[BlockId]) -> Result<(), StoreError> {
    conn.execute("DELETE FROM agents_blocks WHERE agent_id = ?", [agent_id.as_str()])?;
    ids.iter().try_for_each(|id| attach(conn, agent_id, id))
}

/// Puts attached blocks into this order; those not named follow in the order they had.
pub fn reorder(conn: &Connection, agent_id: &AgentId, order: &[BlockId]) -> Result<(), StoreError> {
    let attached = list_for_agent(conn, agent_id)?;
    let named = order.iter().filter(|id| attached.iter().any(|(block, _)| block.id == **id));
    let rest = attached.iter().map(|(block, _)| &block.id).filter(|id| !order.contains(id));
    let mut move_to =
        conn.prepare_cached("UPDATE agents_blocks SET position = ?3 WHERE agent_id = ?1 AND block_id = ?2")?;
    for (position, id) in (0_i64..).zip(named.chain(rest)) {
        move_to.execute(params![agent_id.as_str(), id.as_str(), position])?;
    }
    Ok(())
}

/// Makes a block one of a conversation's own copies.
///
/// # Errors
/// [`StoreError::Duplicate`] if the conversation has a copy of that label.
pub fn isolate(conn: &Connection, conversation: &ConversationId, id: &BlockId) -> Result<(), StoreError> {
    let label = label(conn, id)?;
    conn.execute(
        "INSERT INTO conversations_blocks (conversation_id, block_id, label, position)
         SELECT ?1, ?2, ?3, coalesce(max(position) + 1, 0) FROM conversations_blocks WHERE conversation_id = ?1",
        params![conversation.as_str(), id.as_str(), label],
    )
    .map_err(|error| StoreError::from(error).naming(label.as_deref()))?;
    Ok(())
}

fn label(conn: &Connection, id: &BlockId) -> Result<Option<String>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT label FROM blocks WHERE id = ?")?;
    let label = statement.query_row([id.as_str()], |row| row.get(0)).optional()?;
    label.ok_or_else(|| StoreError::not_found("block", id))
}
