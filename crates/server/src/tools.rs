//! Tools as rows: made from source, and changed.

mod builtins;

use loci_api::{
    error::ApiError,
    ids::{DEFAULT_USER_ID, ToolId},
    resource::{DEFAULT_RETURN_CHAR_LIMIT, Tool, ToolType},
    rules::{ToolRule, ToolRuleKind},
    time::Timestamp,
    tool::{ToolCreate, ToolUpdate},
};
use loci_store::{
    Connection,
    table::{agent, tool, tool_version::ToolContent},
};
use loci_tools::{
    builtin,
    schema::{self, DerivedSchema, SchemaError},
    source::{SourceType, check_requirements},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

pub use self::builtins::upsert_builtins;
use crate::{agents::settings::requires_approval, error::Answer};

/// Characters of the longest name models accept.
const MAX_NAME_CHARS: usize = 64;

/// The language of a source.
///
/// # Errors
/// 400.
pub fn source_type(text: Option<&str>) -> Result<SourceType, ApiError> {
    SourceType::parse(text).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// The schema of a source, derived without running it. `parameters` stands in for those of the source.
///
/// # Errors
/// 400 with the place in the source and what is missing.
pub fn derive(
    source: &str,
    kind: SourceType,
    parameters: Option<&Map<String, Value>>,
) -> Result<DerivedSchema, ApiError> {
    derive_of(source, kind, None, parameters).map_err(|error| not_derived(&error))
}

/// The same of the function of that name, if one is given.
pub fn derive_of(
    source: &str,
    kind: SourceType,
    name: Option<&str>,
    parameters: Option<&Map<String, Value>>,
) -> Result<DerivedSchema, SchemaError> {
    match parameters {
        Some(parameters) => schema::derive_with_parameters(source, kind, name, parameters),
        None => schema::derive(source, kind, name),
    }
}

/// Clients look for the two halves of the sentence.
fn not_derived(error: &SchemaError) -> ApiError {
    ApiError::bad_request(format!("Failed to derive json schema: Schema generation failed: {error}"))
}

/// A name models accept and no built-in has.
fn check_tool_name(name: &str) -> Result<(), ApiError> {
    let fits = !name.is_empty()
        && name.chars().count() <= MAX_NAME_CHARS
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    if !fits {
        let shown: String = name.chars().take(80).collect();
        return Err(ApiError::bad_request(format!(
            "INVALID_ARGUMENT: Tool name '{shown}' must have 1 to {MAX_NAME_CHARS} letters (a-z, A-Z), digits, '_' or '-'"
        )));
    }
    if builtin::find(name).is_some() {
        return Err(ApiError::bad_request(format!(
            "INVALID_ARGUMENT: '{name}' is the name of a built-in tool; give this one another name"
        )));
    }
    Ok(())
}

/// The name in a `{name, description, parameters}` object.
fn schema_name(json_schema: &Map<String, Value>) -> Result<&str, ApiError> {
    json_schema
        .get("name")
        .and_then(Value::as_str)
        .ok_or_else(|| ApiError::validation("body.json_schema.name: text is required"))
}

/// `parameters` as a model can be given them: an object schema.
fn check_parameters(json_schema: &Map<String, Value>) -> Result<(), ApiError> {
    match json_schema.get("parameters") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(parameters)) => match parameters.get("type") {
            None => Ok(()),
            Some(Value::String(kind)) if kind == "object" => Ok(()),
            Some(_) => Err(ApiError::validation("body.json_schema.parameters.type: must be \"object\"")),
        },
        Some(_) => Err(ApiError::validation("body.json_schema.parameters: must be an object")),
    }
}

/// Fills in what a model must be given and was left out.
fn complete_schema(mut json_schema: Map<String, Value>) -> Map<String, Value> {
    json_schema.entry("description").or_insert_with(|| json!(""));
    let parameters = json_schema.entry("parameters").or_insert(Value::Null);
    if parameters.is_null() {
        *parameters = json!({});
    }
    if let Value::Object(parameters) = parameters {
        parameters.entry("type").or_insert_with(|| json!("object"));
        parameters.entry("properties").or_insert_with(|| json!({}));
        parameters.entry("required").or_insert_with(|| json!([]));
    }
    json_schema
}

/// So that a client can see whether two tools are the same.
fn tool_hash(source: &str, json_schema: &Map<String, Value>) -> String {
    let mut hash = Sha256::new();
    hash.update(source.as_bytes());
    hash.update([0]);
    hash.update(json!(json_schema).to_string().as_bytes());
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tool a creation asks for, with an id of its own; nothing is stored.
///
/// # Errors
/// 422 for what is malformed, 400 for source no schema can be derived from or a name that cannot be used.
pub fn from_source(create: ToolCreate) -> Result<Tool, ApiError> {
    create.check()?;
    let kind = source_type(create.source_type.as_deref())?;
    check_packages(kind, &create)?;
    let json_schema = match create.json_schema {
        Some(given) => {
            check_parameters(&given)?;
            let name = schema_name(&given)?.to_owned();
            require_function(&create.source_code, kind, &name)?;
            complete_schema(given)
        }
        None => {
            let mut json_schema =
                derive(&create.source_code, kind, create.args_json_schema.as_ref())?.json_schema;
            check_parameters(&json_schema)?;
            if let Some(description) = &create.description {
                json_schema.insert("description".to_owned(), json!(description));
            }
            complete_schema(json_schema)
        }
    };
    let name = schema_name(&json_schema)?.to_owned();
    check_tool_name(&name)?;
    let description = create
        .description
        .or_else(|| json_schema.get("description").and_then(Value::as_str).map(str::to_owned));
    Ok(Tool {
        id: ToolId::new(),
        tool_type: ToolType::Custom,
        description,
        source_type: Some(kind.as_str().to_owned()),
        name: Some(name),
        tags: create.tags.unwrap_or_default(),
        metadata_: Some(Map::from_iter([(
            "tool_hash".to_owned(),
            json!(tool_hash(&create.source_code, &json_schema)),
        )])),
        source_code: Some(create.source_code),
        json_schema: Some(json_schema),
        args_json_schema: create.args_json_schema,
        return_char_limit: create.return_char_limit.unwrap_or(DEFAULT_RETURN_CHAR_LIMIT),
        pip_requirements: create.pip_requirements,
        npm_requirements: create.npm_requirements,
        default_requires_approval: create.default_requires_approval,
        enable_parallel_execution: Some(create.enable_parallel_execution.unwrap_or(false)),
        created_by_id: Some(DEFAULT_USER_ID.to_owned()),
        last_updated_by_id: Some(DEFAULT_USER_ID.to_owned()),
        project_id: None,
    })
}

fn check_packages(kind: SourceType, create: &ToolCreate) -> Result<(), ApiError> {
    let (field, packages) = match kind {
        SourceType::Python => ("pip_requirements", create.pip_requirements.as_deref()),
        SourceType::Typescript => ("npm_requirements", create.npm_requirements.as_deref()),
    };
    check_requirements(kind, packages.unwrap_or_default())
        .map_err(|error| ApiError::validation(format!("body.{field}: {error}")))
}

/// The function that is to be run must stand at the top level of the source.
fn require_function(source: &str, kind: SourceType, name: &str) -> Result<(), ApiError> {
    schema::find_function(source, kind, Some(name)).map(drop).map_err(|error| {
        ApiError::bad_request(format!("INVALID_ARGUMENT: The tool '{name}' cannot be run: {error}"))
    })
}

/// Stores a created tool, over the one of the same name if there is one. Tags that are not given stay.
pub fn upsert(conn: &Connection, mut tool: Tool, now: Timestamp) -> Answer<Tool> {
    let known = match &tool.name {
        Some(name) => tool::get_by_name(conn, name)?,
        None => None,
    };
    if let Some(known) = known
        && tool.tags.is_empty()
    {
        tool.tags = known.tags;
    }
    Ok(tool::upsert_by_name(conn, &tool, now)?)
}

/// The schema of new source, unless one comes with it or was written by hand: then that one stays.
fn rederived(tool: &Tool, update: &ToolUpdate) -> Result<Option<Map<String, Value>>, ApiError> {
    let parameters = update.args_json_schema.as_ref().or(tool.args_json_schema.as_ref());
    let source = match (&update.source_code, &update.json_schema) {
        (Some(source), None) => source,
        // Other parameters for the same source.
        (None, None) if update.args_json_schema.is_some() => match &tool.source_code {
            Some(source) => source,
            None => return Ok(None),
        },
        (_, Some(_)) | (None, None) => return Ok(None),
    };
    let kind = source_type(update.source_type.as_deref().or(tool.source_type.as_deref()))?;
    let name = tool.name.as_deref();
    if by_hand(tool) && schema::find_function(source, kind, name).is_ok() {
        return Ok(None);
    }
    // Of several functions it is still the tool's own; without that one the source's, which renames the tool.
    let of = name.filter(|name| schema::find_function(source, kind, Some(name)).is_ok());
    let derived = derive_of(source, kind, of, parameters);
    derived.map(|derived| Some(derived.json_schema)).map_err(|error| not_derived(&error))
}

/// Whether the tool's schema is another one than its source gives.
fn by_hand(tool: &Tool) -> bool {
    let (Some(source), Some(known)) = (&tool.source_code, &tool.json_schema) else { return false };
    let Ok(kind) = SourceType::parse(tool.source_type.as_deref()) else { return true };
    let derived = match &tool.args_json_schema {
        Some(parameters) => schema::derive_with_parameters(source, kind, tool.name.as_deref(), parameters),
        None => schema::derive(source, kind, tool.name.as_deref()),
    };
    let parameters = |schema: &Map<String, Value>| schema.get("parameters").cloned();
    !derived.is_ok_and(|derived| {
        parameters(&complete_schema(derived.json_schema)) == parameters(&complete_schema(known.clone()))
    })
}

/// Writes a change over a tool. New source brings its own schema, and its function's name is the tool's; a schema of
/// another name renames the tool.
pub fn change(conn: &Connection, mut tool: Tool, mut update: ToolUpdate, now: Timestamp) -> Answer<Tool> {
    update.check()?;
    fn set_some<T>(field: &mut Option<T>, given: Option<T>) {
        if given.is_some() {
            *field = given;
        }
    }
    let before = tool.name.clone();
    let custom = builtin::find(tool.name.as_deref().unwrap_or_default()).is_none();
    if !custom
        && (update.source_code.is_some() || update.json_schema.is_some() || update.source_type.is_some())
    {
        return Err(ApiError::bad_request(
            "INVALID_ARGUMENT: The source and schema of a built-in tool cannot be changed; its limits, tags and approval can",
        )
        .into());
    }
    if custom && let Some(derived) = rederived(&tool, &update)? {
        let told = |schema: &Map<String, Value>| {
            schema.get("description").and_then(Value::as_str).map(str::to_owned)
        };
        // A description that was the schema's goes with it; one of its own stays.
        if update.description.is_none() && tool.description == tool.json_schema.as_ref().and_then(told) {
            update.description = told(&derived);
        }
        update.json_schema = Some(derived);
    }
    if let Some(text) = &update.source_type {
        tool.source_type = Some(source_type(Some(text))?.as_str().to_owned());
    }
    let rewritten = update.source_code.is_some() || update.json_schema.is_some();
    if let Some(json_schema) = update.json_schema {
        check_parameters(&json_schema)?;
        let name = schema_name(&json_schema)?.to_owned();
        if tool.name.as_deref() != Some(name.as_str()) {
            check_tool_name(&name)?;
            if tool::get_by_name(conn, &name)?.is_some() {
                return Err(ApiError::bad_request(format!(
                    "INVALID_ARGUMENT: Tool with name '{name}' already exists in your organization"
                ))
                .into());
            }
            tool.name = Some(name);
        }
        tool.json_schema = Some(complete_schema(json_schema));
    }
    set_some(&mut tool.source_code, update.source_code);
    if rewritten && let (Some(source), Some(name)) = (&tool.source_code, &tool.name) {
        require_function(source, source_type(tool.source_type.as_deref())?, name)?;
        let hash = tool_hash(source, tool.json_schema.as_ref().unwrap_or(&Map::new()));
        tool.metadata_.get_or_insert_default().insert("tool_hash".to_owned(), json!(hash));
    }
    set_some(&mut tool.description, update.description);
    if let Some(tags) = update.tags {
        tool.tags = tags;
    }
    set_some(&mut tool.args_json_schema, update.args_json_schema);
    if let Some(limit) = update.return_char_limit {
        tool.return_char_limit = limit;
    }
    for (kind, field, packages) in [
        (SourceType::Python, "pip_requirements", &update.pip_requirements),
        (SourceType::Typescript, "npm_requirements", &update.npm_requirements),
    ] {
        check_requirements(kind, packages.as_deref().unwrap_or_default())
            .map_err(|error| ApiError::validation(format!("body.{field}: {error}")))?;
    }
    set_some(&mut tool.pip_requirements, update.pip_requirements);
    set_some(&mut tool.npm_requirements, update.npm_requirements);
    if let Some(metadata) = update.metadata_ {
        tool.metadata_.get_or_insert_default().extend(metadata);
    }
    set_some(&mut tool.default_requires_approval, update.default_requires_approval);
    set_some(&mut tool.enable_parallel_execution, update.enable_parallel_execution);
    tool.last_updated_by_id = Some(DEFAULT_USER_ID.to_owned());
    tool::update(conn, &tool, now)?;
    rename_in_rules(conn, &tool.id, before.as_deref(), tool.name.as_deref())?;
    Ok(tool)
}

/// Rules speak of tools by name. Where an agent has this tool, they go on speaking of it: without that, a renamed
/// tool would no longer wait for the person who decides on it.
fn rename_in_rules(conn: &Connection, id: &ToolId, from: Option<&str>, to: Option<&str>) -> Answer<()> {
    let (Some(from), Some(to)) = (from, to) else { return Ok(()) };
    if from == to {
        return Ok(());
    }
    for agent_id in tool::agent_ids(conn, id)? {
        let Some(mut row) = agent::get(conn, &agent_id)? else { continue };
        let before = row.tool_rules.clone();
        row.tool_rules.iter_mut().for_each(|rule| rename_in_rule(rule, from, to));
        if row.tool_rules != before {
            agent::update(conn, &row)?;
        }
    }
    Ok(())
}

fn rename_in_rule(rule: &mut ToolRule, from: &str, to: &str) {
    let rename = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    rename(&mut rule.tool_name);
    match &mut rule.kind {
        ToolRuleKind::ConstrainChildTools { children, child_arg_nodes } => {
            children.iter_mut().for_each(rename);
            child_arg_nodes.iter_mut().flatten().for_each(|node| rename(&mut node.name));
        }
        ToolRuleKind::ParentLastTool { children } => children.iter_mut().for_each(rename),
        ToolRuleKind::Conditional { default_child, child_output_mapping, .. } => {
            default_child.iter_mut().for_each(rename);
            for child in child_output_mapping.values_mut() {
                if child.as_str() == Some(from) {
                    *child = json!(to);
                }
            }
        }
        ToolRuleKind::RunFirst { .. }
        | ToolRuleKind::ExitLoop
        | ToolRuleKind::ContinueLoop
        | ToolRuleKind::MaxCountPerStep { .. }
        | ToolRuleKind::RequiredBeforeExit
        | ToolRuleKind::RequiresApproval => {}
    }
}

/// Brings an earlier state of a tool back, over what it is now.
///
/// # Errors
/// 409 if another tool has its name of then.
pub fn restore(conn: &Connection, mut tool: Tool, content: ToolContent, now: Timestamp) -> Answer<Tool> {
    if let Some(name) = &content.name
        && tool::get_by_name(conn, name)?.is_some_and(|other| other.id != tool.id)
    {
        return Err(ApiError::conflict(format!(
            "Another tool is named '{name}' now; rename that one first, or this one stays as it is"
        ))
        .into());
    }
    let before = tool.name.clone();
    content.put_into(&mut tool);
    if let Some(source) = &tool.source_code {
        let hash = tool_hash(source, tool.json_schema.as_ref().unwrap_or(&Map::new()));
        tool.metadata_.get_or_insert_default().insert("tool_hash".to_owned(), json!(hash));
    }
    tool.last_updated_by_id = Some(DEFAULT_USER_ID.to_owned());
    tool::update(conn, &tool, now)?;
    rename_in_rules(conn, &tool.id, before.as_deref(), tool.name.as_deref())?;
    Ok(tool)
}

/// Whether a person decides on every call of this tool.
#[must_use]
pub fn asks_first(rules: &[ToolRule], name: &str) -> bool {
    requires_approval(rules, name)
}

/// The tool, or 404.
pub fn require(conn: &Connection, id: &ToolId) -> Answer<Tool> {
    tool::get(conn, id)?.ok_or_else(|| not_found(id).into())
}

/// 404 for a tool that is not there.
#[must_use]
pub fn not_found(id: &ToolId) -> ApiError {
    ApiError::not_found(format!("Tool not found with id='{id}'"))
}

#[cfg(test)]
pub mod testing {
    use super::*;

    /// A tool with nothing but a name.
    pub fn tool(name: &str) -> Tool {
        Tool {
            id: ToolId::new(),
            tool_type: ToolType::Custom,
            description: None,
            source_type: None,
            name: Some(name.to_owned()),
            tags: Vec::new(),
            source_code: None,
            json_schema: None,
            args_json_schema: None,
            return_char_limit: DEFAULT_RETURN_CHAR_LIMIT,
            pip_requirements: None,
            npm_requirements: None,
            default_requires_approval: None,
            enable_parallel_execution: None,
            created_by_id: None,
            last_updated_by_id: None,
            metadata_: None,
            project_id: None,
        }
    }
}
