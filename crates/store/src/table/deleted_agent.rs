//! Deleted agents, kept for a while with everything that went with them, so that they can come back.
//!
//! The rows are moved out of their tables: whatever reads those does not have to know of deleted agents. Which
//! tables belong to an agent is read from the schema's foreign keys, so a new table is kept without a word here.
//! A migration that renames a column of such a table must rename it in `deleted_rows` too.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use loci_api::{ids::AgentId, time::Timestamp};
use rusqlite::{
    Connection, OptionalExtension, Row, params, params_from_iter,
    types::{Value as Sql, ValueRef},
};
use serde_json::{Map, Value};

use super::agent;
use crate::{StoreError, row::RowExt};

/// How long a deleted agent can be brought back.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// An agent that can be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedAgent {
    pub id: AgentId,
    /// As it was.
    pub name: String,
    pub deleted_at: Timestamp,
}

impl DeletedAgent {
    /// From then on it is gone for good.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        Timestamp(self.deleted_at.0.saturating_add(kept()))
    }
}

/// [`KEPT`] in microseconds.
fn kept() -> i64 {
    i64::try_from(KEPT.as_micros()).expect("30 days fit")
}

fn read(row: &Row<'_>) -> rusqlite::Result<DeletedAgent> {
    Ok(DeletedAgent { id: row.id("id")?, name: row.get("name")?, deleted_at: row.time("deleted_at")? })
}

/// Those that can be brought back at `now`, the last deleted first.
pub fn list(conn: &Connection, now: Timestamp) -> Result<Vec<DeletedAgent>, StoreError> {
    let mut statement = conn
        .prepare_cached("SELECT * FROM deleted_agents WHERE deleted_at > ? ORDER BY deleted_at DESC, id")?;
    let found = statement.query_map([now.0.saturating_sub(kept())], read)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// One that can be brought back at `now`.
pub fn get(conn: &Connection, id: &AgentId, now: Timestamp) -> Result<Option<DeletedAgent>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT * FROM deleted_agents WHERE id = ? AND deleted_at > ?")?;
    Ok(statement.query_row(params![id.as_str(), now.0.saturating_sub(kept())], read).optional()?)
}

/// Deletes an agent as [`agent::delete`] does, and keeps what it takes away; also the blocks that only this agent
/// had, which stay but may be deleted meanwhile. Whether there was one.
pub fn put_away(conn: &Connection, id: &AgentId, now: Timestamp) -> Result<bool, StoreError> {
    let Some(agent) = agent::get(conn, id)? else { return Ok(false) };
    remove(conn, id)?;
    conn.execute(
        "INSERT INTO deleted_agents (id, name, deleted_at) VALUES (?, ?, ?)",
        params![id.as_str(), agent.name, now.0],
    )?;
    for table in family(conn)? {
        table.keep(conn, id)?;
    }
    agent::delete(conn, id)
}

/// Puts everything back in its place. A tool, shared block, archive or identity that was deleted meanwhile is no
/// longer attached; a block that is still there stays as it is now. Whether there was one to bring back.
///
/// # Errors
/// [`StoreError::Duplicate`] if there is an agent, or anything else of it, with the same id.
pub fn restore(conn: &Connection, id: &AgentId, now: Timestamp) -> Result<bool, StoreError> {
    if get(conn, id, now)?.is_none() {
        return Ok(false);
    }
    if agent::exists(conn, id)? {
        return Err(StoreError::Duplicate { what: "agent id", value: id.to_string() });
    }
    let family = family(conn)?;
    for table in &family {
        table.leave_blocks_that_stayed(conn, id)?;
    }
    for table in &family {
        table.put_back(conn, id)?;
    }
    // While it was not attached, nobody kept the copy of its label.
    conn.execute(
        "UPDATE OR IGNORE agents_blocks SET label = (SELECT label FROM blocks WHERE id = block_id) WHERE agent_id = ?",
        [id.as_str()],
    )?;
    // What was under way then is not any more.
    conn.execute(
        "UPDATE runs SET status = 'cancelled', stop_reason = 'cancelled', completed_at = ?2
         WHERE agent_id = ?1 AND status IN ('created', 'running')",
        params![id.as_str(), now.0],
    )?;
    conn.execute(
        "UPDATE steps SET status = 'cancelled', completed_at = ?2 WHERE agent_id = ?1 AND status = 'pending'",
        params![id.as_str(), now.0],
    )?;
    remove(conn, id)
}

/// The names of a deleted agent's variables: their values are kept elsewhere, and go with it.
pub fn variables(conn: &Connection, id: &AgentId) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT content ->> '$.key' FROM deleted_rows WHERE agent_id = ? AND table_name = 'agent_secrets'",
    )?;
    let names = statement.query_map([id.as_str()], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// As [`variables`], of every agent that is over its time at `now`.
pub fn overdue_variables(conn: &Connection, now: Timestamp) -> Result<Vec<(AgentId, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT a.id, r.content ->> '$.key' FROM deleted_agents a JOIN deleted_rows r ON r.agent_id = a.id
         WHERE a.deleted_at <= ? AND r.table_name = 'agent_secrets'",
    )?;
    let found = statement.query_map([now.0.saturating_sub(kept())], |row| Ok((row.id(0)?, row.get(1)?)))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// Lets a deleted agent go for good. Whether there was one.
pub fn remove(conn: &Connection, id: &AgentId) -> Result<bool, StoreError> {
    Ok(conn.execute("DELETE FROM deleted_agents WHERE id = ?", [id.as_str()])? > 0)
}

/// Lets go what is over its time at `now`, at most `limit` rows at once. How many rows went.
pub fn sweep(conn: &Connection, now: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let before = now.0.saturating_sub(kept());
    let gone = conn
        .prepare_cached(
            "DELETE FROM deleted_rows WHERE sequence IN (SELECT r.sequence FROM deleted_agents a
               JOIN deleted_rows r ON r.agent_id = a.id WHERE a.deleted_at <= ? LIMIT ?)",
        )?
        .execute(params![before, limit])?;
    if gone < limit as usize {
        conn.execute("DELETE FROM deleted_agents WHERE deleted_at <= ?", [before])?;
    }
    Ok(gone)
}

/// What belongs to an agent though no foreign key says so; all else hangs on these. `?1` is the agent.
const ROOTS: [(&str, &str); 3] = [
    ("agents", "id = ?1"),
    (
        "archives",
        "id IN (SELECT archive_id FROM agents_archives own WHERE agent_id = ?1 AND is_own AND NOT EXISTS
           (SELECT 1 FROM agents_archives other WHERE other.archive_id = own.archive_id AND other.agent_id <> ?1))",
    ),
    (
        "blocks",
        "id IN (SELECT block_id FROM agents_blocks WHERE agent_id = ?1 UNION SELECT block_id
           FROM conversations_blocks JOIN conversations c ON c.id = conversation_id WHERE c.agent_id = ?1)
         AND id NOT IN (SELECT block_id FROM agents_blocks WHERE agent_id <> ?1)
         AND id NOT IN (SELECT block_id FROM conversations_blocks JOIN conversations c ON c.id = conversation_id
           WHERE c.agent_id <> ?1)",
    ),
];

/// A table with rows that go with an agent.
struct Table {
    name: String,
    columns: Vec<Column>,
    links: Vec<Link>,
    /// Its `sequence` is never used twice, so rows get theirs back; elsewhere they get a new one.
    keeps_sequence: bool,
    /// Those of its links' parents that are of the family and take their rows with them.
    parents: BTreeSet<String>,
}

struct Column {
    name: String,
    /// Written in hexadecimal, JSON having no bytes.
    is_blob: bool,
}

/// A foreign key.
struct Link {
    column: String,
    parent: String,
    parent_column: String,
    /// What becomes of the row with its parent: it goes, or it stays without.
    cascades: bool,
    nulls: bool,
}

/// An identifier of the schema inside a statement.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The tables of an agent's rows, each after those it refers to.
fn family(conn: &Connection) -> Result<Vec<Table>, StoreError> {
    let mut others = conn
        .prepare(
            "SELECT name, sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        )?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<Vec<(String, bool)>>>()?
        .into_iter()
        .map(|(name, keeps_sequence)| Table::read(conn, name, keeps_sequence))
        .collect::<Result<Vec<_>, _>>()?;
    let mut names: BTreeSet<String> = ROOTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    loop {
        let before = names.len();
        for table in &others {
            if table.links.iter().any(|link| link.cascades && names.contains(&link.parent)) {
                names.insert(table.name.clone());
            }
        }
        if names.len() == before {
            break;
        }
    }
    others.retain(|table| names.contains(&table.name));
    let mut family: Vec<Table> = Vec::new();
    while !others.is_empty() {
        let next = others.iter().position(|table| {
            let waits = |link: &Link| {
                others.iter().any(|other| other.name == link.parent && other.name != table.name)
            };
            !table.links.iter().any(waits)
        });
        let Some(next) = next else {
            return Err(StoreError::Corrupt("tables refer to each other in a circle".to_owned()));
        };
        let mut table = others.remove(next);
        table.parents = table
            .links
            .iter()
            .filter(|link| link.cascades && names.contains(&link.parent))
            .map(|link| link.parent.clone())
            .collect();
        family.push(table);
    }
    Ok(family)
}

impl Table {
    fn read(conn: &Connection, name: String, keeps_sequence: bool) -> Result<Self, StoreError> {
        let columns = conn
            .prepare("SELECT name, type = 'BLOB' FROM pragma_table_info(?)")?
            .query_map([&name], |row| Ok(Column { name: row.get(0)?, is_blob: row.get(1)? }))?
            .collect::<rusqlite::Result<_>>()?;
        let links = conn
            .prepare(r#"SELECT "from", "table", "to", on_delete FROM pragma_foreign_key_list(?)"#)?
            .query_map([&name], |row| {
                let action: String = row.get(3)?;
                Ok(Link {
                    column: row.get(0)?,
                    parent: row.get(1)?,
                    parent_column: row.get(2)?,
                    cascades: action == "CASCADE",
                    nulls: action == "SET NULL",
                })
            })?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { name, columns, links, keeps_sequence, parents: BTreeSet::new() })
    }

    fn numbers_anew(&self, column: &Column) -> bool {
        column.name == "sequence" && !self.keeps_sequence
    }

    /// Copies the rows that go with the agent; those of its parents are copied already.
    fn keep(&self, conn: &Connection, id: &AgentId) -> Result<(), StoreError> {
        let condition = match ROOTS.iter().find(|(name, _)| *name == self.name) {
            Some((_, condition)) => (*condition).to_owned(),
            None => self
                .links
                .iter()
                .filter(|link| self.parents.contains(&link.parent) && link.cascades)
                .map(|link| {
                    format!(
                        "{} IN (SELECT content ->> '$.{}' FROM deleted_rows WHERE agent_id = ?1 AND table_name = '{}')",
                        quoted(&link.column),
                        link.parent_column,
                        link.parent
                    )
                })
                .collect::<Vec<_>>()
                .join(" OR "),
        };
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|column| match quoted(&column.name) {
                name if column.is_blob => format!("CASE WHEN {name} IS NOT NULL THEN hex({name}) END"),
                name => name,
            })
            .collect();
        let mut sql = format!("SELECT {} FROM {} WHERE {condition}", columns.join(", "), quoted(&self.name));
        if self.columns.iter().any(|column| column.name == "sequence") {
            sql.push_str(" ORDER BY sequence");
        }
        let mut select = conn.prepare(&sql)?;
        let mut insert =
            conn.prepare_cached("INSERT INTO deleted_rows (agent_id, table_name, content) VALUES (?, ?, ?)")?;
        let mut rows = select.query([id.as_str()])?;
        while let Some(row) = rows.next()? {
            let mut content = Map::new();
            for (number, column) in self.columns.iter().enumerate() {
                content.insert(column.name.clone(), to_json(row.get_ref(number)?)?);
            }
            insert.execute(params![id.as_str(), self.name, Value::Object(content).to_string()])?;
        }
        Ok(())
    }

    /// Forgets the copies of blocks that are still there, with their histories and tags: those went on.
    fn leave_blocks_that_stayed(&self, conn: &Connection, id: &AgentId) -> Result<(), StoreError> {
        let column = match self.name.as_str() {
            "blocks" => "id",
            _ if self.parents.iter().eq(["blocks"]) => "block_id",
            _ => return Ok(()),
        };
        conn.execute(
            "DELETE FROM deleted_rows WHERE agent_id = ?1 AND table_name = ?2
             AND content ->> ?3 IN (SELECT id FROM blocks)",
            params![id.as_str(), self.name, format!("$.{column}")],
        )?;
        Ok(())
    }

    /// Writes the kept rows into the table. One whose parent is gone is left out.
    fn put_back(&self, conn: &Connection, id: &AgentId) -> Result<(), StoreError> {
        let mut kept = conn.prepare_cached(
            "SELECT content FROM deleted_rows WHERE agent_id = ? AND table_name = ? ORDER BY sequence",
        )?;
        let mut rows = kept.query(params![id.as_str(), self.name])?;
        let mut insert: Option<(Vec<&Column>, rusqlite::Statement<'_>)> = None;
        while let Some(row) = rows.next()? {
            let content: Map<String, Value> = row.json(0)?;
            let (columns, insert) = match &mut insert {
                Some(ready) => ready,
                none => {
                    // All rows of one agent were kept at once: what the first has, all have. A column that came
                    // with a newer schema gets its default.
                    let columns: Vec<&Column> = self
                        .columns
                        .iter()
                        .filter(|column| content.contains_key(&column.name) && !self.numbers_anew(column))
                        .collect();
                    let statement = conn.prepare(&self.insertion(&columns))?;
                    none.insert((columns, statement))
                }
            };
            let values = columns
                .iter()
                .map(|column| to_sql(content.get(&column.name).unwrap_or(&Value::Null)))
                .collect::<Result<Vec<_>, _>>()?;
            insert.execute(params_from_iter(values)).map_err(|error| {
                let taken = content.get("id").and_then(Value::as_str);
                StoreError::from(error).naming(taken)
            })?;
        }
        Ok(())
    }

    fn insertion(&self, columns: &[&Column]) -> String {
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let mut values = Vec::with_capacity(columns.len());
        let mut condition = "1".to_owned();
        for (number, column) in (1..).zip(columns) {
            let mut value = if column.is_blob { format!("unhex(?{number})") } else { format!("?{number}") };
            for link in self.links.iter().filter(|link| link.column == column.name) {
                let parent = format!(
                    "FROM {} WHERE {} = ?{number}",
                    quoted(&link.parent),
                    quoted(&link.parent_column)
                );
                if link.nulls {
                    value = format!("(SELECT {} {parent})", quoted(&link.parent_column));
                } else {
                    write!(condition, " AND (?{number} IS NULL OR EXISTS (SELECT 1 {parent}))")
                        .expect("a string takes all");
                }
            }
            values.push(value);
        }
        format!(
            "INSERT INTO {} ({}) SELECT {} WHERE {condition}",
            quoted(&self.name),
            names.join(", "),
            values.join(", ")
        )
    }
}

fn to_json(value: ValueRef<'_>) -> Result<Value, StoreError> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .map_err(|_| StoreError::Corrupt("a text is not UTF-8".to_owned()))?
            .into(),
        ValueRef::Blob(_) => {
            return Err(StoreError::Corrupt("a row holds bytes where text should be".to_owned()));
        }
    })
}

fn to_sql(value: &Value) -> Result<Sql, StoreError> {
    let unreadable = || StoreError::Corrupt("a kept row cannot be read".to_owned());
    Ok(match value {
        Value::Null => Sql::Null,
        Value::Number(number) => match number.as_i64() {
            Some(number) => Sql::Integer(number),
            None => Sql::Real(number.as_f64().ok_or_else(unreadable)?),
        },
        Value::String(text) => Sql::Text(text.clone()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => return Err(unreadable()),
    })
}
