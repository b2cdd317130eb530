//! Tools and to which agents they are attached.

use loci_api::{
    ids::{AgentId, ToolId},
    resource::{Tool, ToolType},
    time::Timestamp,
};
use rusqlite::{Connection, Row, named_params, params};

use super::tool_version;
use crate::{
    Page, StoreError,
    page::{Select, any_of, containing},
    row::{RowExt, json, opt_json},
};

/// Which tools a list holds.
#[derive(Debug, Clone, Default)]
pub struct ToolFilter {
    /// The exact name.
    pub name: Option<String>,
    /// One of these names, ids, types; empty lists do not narrow.
    pub names: Vec<String>,
    pub ids: Vec<ToolId>,
    pub tool_types: Vec<ToolType>,
    pub exclude_tool_types: Vec<ToolType>,
    /// Part of the name, case ignored.
    pub search: Option<String>,
    pub agent_id: Option<AgentId>,
}

fn read(row: &Row<'_>) -> rusqlite::Result<Tool> {
    Ok(Tool {
        id: row.id("id")?,
        tool_type: row.word("tool_type")?,
        description: row.get("description")?,
        source_type: row.get("source_type")?,
        name: row.get("name")?,
        tags: row.json("tags")?,
        source_code: row.get("source_code")?,
        json_schema: row.opt_json("json_schema")?,
        args_json_schema: row.opt_json("args_json_schema")?,
        return_char_limit: row.get("return_char_limit")?,
        pip_requirements: row.opt_json("pip_requirements")?,
        npm_requirements: row.opt_json("npm_requirements")?,
        default_requires_approval: row.get("default_requires_approval")?,
        enable_parallel_execution: row.get("enable_parallel_execution")?,
        created_by_id: row.get("created_by_id")?,
        last_updated_by_id: row.get("last_updated_by_id")?,
        metadata_: row.opt_json("metadata")?,
        project_id: row.get("project_id")?,
    })
}

/// The tool with this id.
pub fn get(conn: &Connection, id: &ToolId) -> Result<Option<Tool>, StoreError> {
    let mut select = Select::new("*", "tools", "sequence");
    select.and("id = ?", id.to_string());
    Ok(select.all(conn, read)?.pop())
}

/// The tool with this name.
pub fn get_by_name(conn: &Connection, name: &str) -> Result<Option<Tool>, StoreError> {
    let mut select = Select::new("*", "tools", "sequence");
    select.and("name = ?", name.to_owned());
    Ok(select.all(conn, read)?.pop())
}

/// A page of tools by creation time.
pub fn list(conn: &Connection, filter: &ToolFilter, page: &Page) -> Result<Vec<Tool>, StoreError> {
    select(filter).page(conn, page, read)
}

/// How many tools the filter finds.
pub fn count(conn: &Connection, filter: &ToolFilter) -> Result<i64, StoreError> {
    select(filter).count(conn)
}

fn select(filter: &ToolFilter) -> Select {
    let words = |types: &[ToolType]| any_of(&types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    let mut select = Select::new("*", "tools", "created_at");
    select
        .and_some("name = ?", filter.name.clone())
        .and_some("name IN (SELECT value FROM json_each(?))", any_of(&filter.names))
        .and_some("id IN (SELECT value FROM json_each(?))", any_of(&filter.ids))
        .and_some("tool_type IN (SELECT value FROM json_each(?))", words(&filter.tool_types))
        .and_some("tool_type NOT IN (SELECT value FROM json_each(?))", words(&filter.exclude_tool_types))
        .and_some("instr(lower(name), ?) > 0", filter.search.as_deref().map(containing))
        .and_some(
            "id IN (SELECT tool_id FROM agents_tools WHERE agent_id = ?)",
            filter.agent_id.as_ref().map(ToString::to_string),
        );
    select
}

/// Adds a tool.
///
/// # Errors
/// [`StoreError::Duplicate`] if its name is taken.
pub fn insert(conn: &Connection, tool: &Tool, now: Timestamp) -> Result<(), StoreError> {
    write(
        conn,
        "INSERT INTO tools (id, name, tool_type, description, source_type, source_code, json_schema,
           args_json_schema, tags, return_char_limit, pip_requirements, npm_requirements, default_requires_approval,
           enable_parallel_execution, metadata, project_id, created_by_id, last_updated_by_id, created_at, updated_at)
         VALUES (:id, :name, :tool_type, :description, :source_type, :source_code, :json_schema, :args_json_schema,
           :tags, :return_char_limit, :pip_requirements, :npm_requirements, :default_requires_approval,
           :enable_parallel_execution, :metadata, :project_id, :created_by_id, :last_updated_by_id, :now, :now)",
        tool,
        now,
    )
}

/// Writes every column but the times of creation.
///
/// # Errors
/// [`StoreError::Duplicate`] if its new name is taken, [`StoreError::NotFound`] without such a tool.
pub fn update(conn: &Connection, tool: &Tool, now: Timestamp) -> Result<(), StoreError> {
    write(
        conn,
        "UPDATE tools SET name = :name, tool_type = :tool_type, description = :description,
           source_type = :source_type, source_code = :source_code, json_schema = :json_schema,
           args_json_schema = :args_json_schema, tags = :tags, return_char_limit = :return_char_limit,
           pip_requirements = :pip_requirements, npm_requirements = :npm_requirements,
           default_requires_approval = :default_requires_approval,
           enable_parallel_execution = :enable_parallel_execution, metadata = :metadata, project_id = :project_id,
           created_by_id = coalesce(created_by_id, :created_by_id), last_updated_by_id = :last_updated_by_id,
           updated_at = :now
         WHERE id = :id",
        tool,
        now,
    )
}

/// Adds the tool, or writes it over the one of the same name, which keeps its id. The tool as it is now.
pub fn upsert_by_name(conn: &Connection, tool: &Tool, now: Timestamp) -> Result<Tool, StoreError> {
    let known = match &tool.name {
        Some(name) => get_by_name(conn, name)?,
        None => None,
    };
    match known {
        None => {
            insert(conn, tool, now)?;
            Ok(tool.clone())
        }
        Some(known) => {
            let tool = Tool {
                id: known.id,
                created_by_id: known.created_by_id.or(tool.created_by_id.clone()),
                ..tool.clone()
            };
            update(conn, &tool, now)?;
            Ok(tool)
        }
    }
}

fn write(conn: &Connection, sql: &'static str, tool: &Tool, now: Timestamp) -> Result<(), StoreError> {
    let written = conn
        .prepare_cached(sql)?
        .execute(named_params! {
            ":id": tool.id.as_str(),
            ":name": tool.name,
            ":tool_type": tool.tool_type.as_str(),
            ":description": tool.description,
            ":source_type": tool.source_type,
            ":source_code": tool.source_code,
            ":json_schema": opt_json(tool.json_schema.as_ref())?,
            ":args_json_schema": opt_json(tool.args_json_schema.as_ref())?,
            ":tags": json(&tool.tags)?,
            ":return_char_limit": tool.return_char_limit,
            ":pip_requirements": opt_json(tool.pip_requirements.as_ref())?,
            ":npm_requirements": opt_json(tool.npm_requirements.as_ref())?,
            ":default_requires_approval": tool.default_requires_approval,
            ":enable_parallel_execution": tool.enable_parallel_execution,
            ":metadata": opt_json(tool.metadata_.as_ref())?,
            ":project_id": tool.project_id,
            ":created_by_id": tool.created_by_id,
            ":last_updated_by_id": tool.last_updated_by_id,
            ":now": now.0,
        })
        .map_err(|error| StoreError::from(error).naming(tool.name.as_deref()))?;
    if written == 0 {
        Err(StoreError::not_found("tool", &tool.id))
    } else {
        tool_version::note(conn, tool, now)
    }
}

/// Deletes a tool and detaches it everywhere. Whether there was one.
pub fn delete(conn: &Connection, id: &ToolId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM tools WHERE id = ?", [id.as_str()])? > 0)
}

/// An agent's tools in the order they were attached: the order the model sees.
pub fn list_for_agent(conn: &Connection, agent_id: &AgentId) -> Result<Vec<Tool>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT tools.* FROM agents_tools link JOIN tools ON tools.id = link.tool_id
         WHERE link.agent_id = ? ORDER BY link.position, tools.sequence",
    )?;
    let tools = statement.query_map([agent_id.as_str()], read)?;
    Ok(tools.collect::<rusqlite::Result<_>>()?)
}

/// A page of an agent's tools by creation time.
pub fn page_for_agent(conn: &Connection, agent_id: &AgentId, page: &Page) -> Result<Vec<Tool>, StoreError> {
    list(conn, &ToolFilter { agent_id: Some(agent_id.clone()), ..ToolFilter::default() }, page)
}

/// The agents a tool is attached to.
pub fn agent_ids(conn: &Connection, id: &ToolId) -> Result<Vec<AgentId>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT agent_id FROM agents_tools WHERE tool_id = ? ORDER BY agent_id")?;
    let ids = statement.query_map([id.as_str()], |row| row.id(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Attaches a tool behind the agent's others; nothing happens if it is attached already.
///
/// # Errors
/// [`StoreError::MissingReference`] without such an agent or tool.
pub fn attach(conn: &Connection, agent_id: &AgentId, id: &ToolId) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO agents_tools (agent_id, tool_id, position)
         SELECT ?1, ?2, coalesce(max(position) + 1, 0) FROM agents_tools WHERE agent_id = ?1
         ON CONFLICT DO NOTHING",
    )?
    .execute(params![agent_id.as_str(), id.as_str()])?;
    Ok(())
}

/// Detaches a tool. Whether it was attached.
pub fn detach(conn: &Connection, agent_id: &AgentId, id: &ToolId) -> Result<bool, StoreError> {
    let mut statement = conn.prepare_cached("DELETE FROM agents_tools WHERE agent_id = ? AND tool_id = ?")?;
    Ok(statement.execute([agent_id.as_str(), id.as_str()])? > 0)
}

/// Makes these the agent's tools, in this order. Errors as [`attach`].
pub fn set_for_agent(conn: &Connection, agent_id: &AgentId, ids: &[ToolId]) -> Result<(), StoreError> {
    conn.execute("DELETE FROM agents_tools WHERE agent_id = ?", [agent_id.as_str()])?;
    ids.iter().try_for_each(|id| attach(conn, agent_id, id))
}
