//! The built-in tools as rows: there, as this version has them, and with what a person set on them.

use loci_api::{
    ids::{DEFAULT_USER_ID, ToolId},
    resource::{DEFAULT_RETURN_CHAR_LIMIT, Tool},
    time::Timestamp,
};
use loci_store::{Connection, StoreError, table::tool};
use loci_tools::builtin::{self, Builtin};

use crate::App;

/// Brings the built-in tools up to date: missing ones come back, changed ones get the schema of this version.
/// Limits and approval a person set on one stay.
///
/// # Errors
/// Only the store's.
pub async fn upsert_builtins(app: &App) -> Result<(), StoreError> {
    let current = app.store().read(|conn| Ok(stale_builtins(conn)?.is_empty())).await?;
    if current {
        return Ok(());
    }
    app.store().write(|tx| write_builtins(tx, Timestamp::now())).await
}

/// What each built-in that is missing or differs should be.
fn stale_builtins(conn: &Connection) -> Result<Vec<Tool>, StoreError> {
    let mut stale = Vec::new();
    for builtin in builtin::builtins() {
        let known = tool::get_by_name(conn, builtin.name)?;
        let wanted = from_builtin(builtin, known.as_ref());
        if known.as_ref() != Some(&wanted) {
            stale.push(wanted);
        }
    }
    Ok(stale)
}

/// Writes every built-in that is missing or differs.
fn write_builtins(conn: &Connection, now: Timestamp) -> Result<(), StoreError> {
    for wanted in stale_builtins(conn)? {
        tool::upsert_by_name(conn, &wanted, now)?;
    }
    Ok(())
}

fn from_builtin(builtin: &Builtin, known: Option<&Tool>) -> Tool {
    Tool {
        id: known.map_or_else(ToolId::new, |tool| tool.id.clone()),
        tool_type: builtin.tool_type,
        description: Some(builtin.description.to_owned()),
        source_type: Some("python".to_owned()),
        name: Some(builtin.name.to_owned()),
        tags: known.map_or_else(|| builtin.tags.clone(), |tool| tool.tags.clone()),
        source_code: None,
        json_schema: Some(builtin.json_schema.clone()),
        args_json_schema: None,
        return_char_limit: known.map_or(DEFAULT_RETURN_CHAR_LIMIT, |tool| tool.return_char_limit),
        pip_requirements: None,
        npm_requirements: None,
        default_requires_approval: known.and_then(|tool| tool.default_requires_approval),
        enable_parallel_execution: Some(builtin.parallel),
        created_by_id: Some(DEFAULT_USER_ID.to_owned()),
        last_updated_by_id: Some(DEFAULT_USER_ID.to_owned()),
        metadata_: known.and_then(|tool| tool.metadata_.clone()),
        project_id: None,
    }
}
