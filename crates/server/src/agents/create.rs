//! Creating an agent: everything is looked up first, then the agent, its blocks, links and first system message
//! are written in one transaction.

use loci_api::{
    agent::{AgentState, CreateAgent, SUBAGENT_TAG},
    error::ApiError,
    ids::{AgentId, BlockId, DEFAULT_USER_ID, IdentityId, MessageId},
    message::{ContentPart, Message, Role},
    resource::{Block, Tool},
    time::Timestamp,
};
use loci_store::{
    Connection, Thread,
    table::{
        agent::{self, AgentRow},
        agent_secret, block, context, message, tool,
    },
};
use serde_json::Value;

use super::{
    settings::{
        DEFAULT_CONTEXT_WINDOW, add_approval_rules, compaction, distinct, embedding as embedding_of,
        resolve_model,
    },
    state::{Include, state},
    variables,
};
use crate::{
    App, changes,
    error::{Answer, Failure},
    model::{self, Loose},
    names, prompt,
};

/// Creates an agent and returns it with everything attached.
///
/// # Errors
/// 422 for what is malformed, 400 for tools or blocks that cannot be attached, 404 for an unknown model or block.
pub async fn create(app: &App, request: CreateAgent) -> Answer<AgentState> {
    request.check()?;
    let opening = opening_messages(request.initial_message_sequence.as_deref())?;
    let Some(handle) =
        request.model.clone().or_else(|| request.llm_config.as_ref().map(|config| config.to_handle()))
    else {
        return Err(ApiError::bad_request(
            "INVALID_ARGUMENT: An agent needs a model: give `model` as provider/model-name, for example openai/gpt-4.1",
        )
        .into());
    };
    let resolved = resolve_model(app, &handle).await?;
    let settings = model::settings(&resolved, request.model_settings.as_ref(), &loose(&request))?;
    let context_window = request
        .context_window_limit
        .or_else(|| {
            request.llm_config.as_ref().map(|config| config.context_window).filter(|tokens| *tokens > 0)
        })
        .unwrap_or_else(|| i64::from(resolved.context_window).min(DEFAULT_CONTEXT_WINDOW));
    let embedding = match (&request.embedding, &request.embedding_config) {
        (Some(handle), _) => Some(embedding_of(app, handle, request.embedding_chunk_size)?),
        (None, Some(config)) => Some(config.clone()),
        (None, None) => None,
    };
    let embedding_handle = embedding.as_ref().map(|config| config.to_handle());
    let tags = distinct(request.tags.clone().unwrap_or_default());
    let agent_type = request.agent_type.unwrap_or_default();
    let now = Timestamp::now();
    let row = AgentRow {
        id: AgentId::new(),
        name: request.name.clone().unwrap_or_else(names::made_up),
        agent_type: agent_type.as_str().to_owned(),
        description: request.description.clone(),
        system: request
            .system
            .clone()
            .unwrap_or_else(|| loci_engine::context::base::prompt(agent_type.as_str())),
        model: Some(handle),
        embedding: embedding_handle,
        llm_config: Some(serde_json::json!(model::llm_config(&resolved, &settings, context_window))),
        model_settings: Some(Value::Object(settings)),
        embedding_config: embedding.map(|config| serde_json::json!(config)),
        compaction_settings: Some(Value::Object(compaction(
            &resolved,
            None,
            request.compaction_settings.as_ref(),
        ))),
        response_format: request.response_format.clone(),
        metadata: request.metadata.clone(),
        tool_rules: request.tool_rules.clone().unwrap_or_default(),
        context_window_limit: Some(context_window),
        timezone: request.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        message_buffer_autoclear: request.message_buffer_autoclear.unwrap_or(false),
        enable_sleeptime: request.enable_sleeptime,
        max_files_open: Some(request.max_files_open.unwrap_or_else(|| files_open(context_window))),
        per_file_view_window_char_limit: Some(
            request.per_file_view_window_char_limit.unwrap_or_else(|| file_window(context_window)),
        ),
        hidden: if tags.iter().any(|tag| tag == SUBAGENT_TAG) { Some(true) } else { request.hidden },
        tags,
        project_id: request.project_id.clone(),
        template_id: request.template_id.clone(),
        base_template_id: request.base_template_id.clone(),
        deployment_id: None,
        entity_id: None,
        created_by_id: Some(DEFAULT_USER_ID.to_owned()),
        last_updated_by_id: Some(DEFAULT_USER_ID.to_owned()),
        created_at: now,
        updated_at: now,
        last_run_completion: None,
        last_run_duration_ms: None,
        last_stop_reason: None,
    };
    let mut variables = request.tool_exec_environment_variables.clone().unwrap_or_default();
    variables.extend(request.secrets.clone().unwrap_or_default());
    let kept = variables::keep(app, &row.id, &variables, &[]).await?;
    let (id, names) = (row.id.clone(), variables.into_keys().collect::<Vec<_>>());
    let created = app.store().try_write(move |tx| write(tx, row, request, &names, opening, now)).await;
    if created.is_err() {
        kept.undo(app, &id).await;
    }
    created
}

fn write(
    conn: &Connection,
    mut row: AgentRow,
    request: CreateAgent,
    variables: &[String],
    opening: Vec<(Role, Vec<ContentPart>)>,
    now: Timestamp,
) -> Answer<AgentState> {
    let tools = chosen_tools(conn, &request)?;
    add_approval_rules(&mut row.tool_rules, &tools);
    agent::insert(conn, &row)?;
    for tool in &tools {
        tool::attach(conn, &row.id, &tool.id)?;
    }
    for block in chosen_blocks(conn, &request, now)? {
        changes::attach_block(conn, &row.id, &block)?;
    }
    agent_secret::replace(conn, &row.id, variables, &[], now)?;
    let identities = identity_ids(request.identity_ids.as_deref())?;
    if !identities.is_empty() {
        agent::set_identities(conn, &row.id, &identities)?;
    }
    let thread = Thread::new(row.id.clone(), None);
    prompt::begin_thread(conn, &thread, now)?;
    for (role, content) in opening {
        append(conn, &thread, plain_message(&thread, role, content, now))?;
    }
    Ok(state(conn, row, Include::attached())?)
}

/// Settings given outside `model_settings`; the top-level fields win over those of `llm_config`.
fn loose(request: &CreateAgent) -> Loose {
    let base = request.llm_config.as_ref().map(Loose::of).unwrap_or_default();
    Loose {
        max_tokens: request.max_tokens.or(base.max_tokens),
        max_reasoning_tokens: request
            .max_reasoning_tokens
            .filter(|tokens| *tokens > 0)
            .or(base.max_reasoning_tokens),
        // `enable_reasoner` is true unless said otherwise and so says nothing; `reasoning` is a decision.
        reasoning: request.reasoning.or_else(|| request.enable_reasoner.filter(|on| !on)).or(base.reasoning),
        response_format: request.response_format.clone().or(base.response_format),
        parallel_tool_calls: request.parallel_tool_calls.or(base.parallel_tool_calls),
        ..base
    }
}

/// Files an agent may hold open, by what its window can carry.
fn files_open(context_window: i64) -> i64 {
    match context_window {
        ..=8_000 => 3,
        8_001..=32_000 => 5,
        32_001..=128_000 => 10,
        128_001.. => 15,
    }
}

/// Characters shown of one open file.
fn file_window(context_window: i64) -> i64 {
    match context_window {
        ..=8_000 => 5_000,
        8_001..=32_000 => 15_000,
        32_001..=128_000 => 25_000,
        128_001.. => 40_000,
    }
}

/// Defaults, then multi-agent tools, then those by name, then those by id; each once.
fn chosen_tools(conn: &Connection, request: &CreateAgent) -> Answer<Vec<Tool>> {
    let mut names: Vec<String> = Vec::new();
    if request.include_base_tools.unwrap_or(true) {
        let kind = request.agent_type.unwrap_or_default();
        let defaults =
            loci_tools::builtin::default_tools(kind.as_str(), request.enable_sleeptime.unwrap_or(false));
        names.extend(defaults.iter().map(|name| (*name).to_owned()));
    }
    if request.include_multi_agent_tools.unwrap_or(false) {
        names.extend(loci_tools::builtin::multi_agent().iter().map(|name| (*name).to_owned()));
    }
    names.extend(request.tools.clone().unwrap_or_default());
    let mut tools: Vec<Tool> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    for name in names {
        match tool::get_by_name(conn, &name)? {
            Some(found) if tools.iter().any(|tool| tool.id == found.id) => {}
            Some(found) => tools.push(found),
            None if missing.contains(&name) => {}
            None => missing.push(name),
        }
    }
    if !missing.is_empty() {
        return Err(
            ApiError::bad_request(format!("Tools not found by name: {}", python_set(&missing))).into()
        );
    }
    for id in request.tool_ids.iter().flatten() {
        let found = tool::get(conn, id)?
            .ok_or_else(|| ApiError::not_found(format!("Tool not found with id='{id}'")))?;
        if !tools.iter().any(|tool| tool.id == found.id) {
            tools.push(found);
        }
    }
    Ok(tools)
}

/// `{'a', 'b'}`, the form clients look for.
fn python_set(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().map(|name| format!("'{}'", name.chars().take(200).collect::<String>())).collect();
    format!("{{{}}}", shown.join(", "))
}

/// New blocks, then existing ones. Of new ones with the same label the last stays.
fn chosen_blocks(conn: &Connection, request: &CreateAgent, now: Timestamp) -> Answer<Vec<Block>> {
    let mut blocks: Vec<Block> = Vec::new();
    for new in request.memory_blocks.iter().flatten() {
        let made = new.clone().into_block(BlockId::new());
        match blocks.iter_mut().find(|block| block.label == made.label) {
            Some(earlier) => *earlier = made,
            None => blocks.push(made),
        }
    }
    for block in &blocks {
        block::insert(conn, block, &changes::by_api(now))?;
    }
    for id in request.block_ids.iter().flatten() {
        let found = changes::require_block(conn, id)?;
        if !blocks.iter().any(|block| block.id == found.id) {
            blocks.push(found);
        }
    }
    Ok(blocks)
}

pub(super) fn identity_ids(ids: Option<&[String]>) -> Answer<Vec<IdentityId>> {
    ids.unwrap_or_default().iter().map(|id| id.parse::<IdentityId>().map_err(Failure::from)).collect()
}

/// What the conversation begins with after the system message: text by a user, system or assistant.
fn opening_messages(given: Option<&[Value]>) -> Answer<Vec<(Role, Vec<ContentPart>)>> {
    given
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let invalid = |field: &str, what: &str| {
                Failure(ApiError::validation(format!("body.initial_message_sequence[{at}].{field}: {what}")))
            };
            let role = match item.get("role").and_then(Value::as_str) {
                Some("user") => Role::User,
                Some("system") => Role::System,
                Some("assistant") => Role::Assistant,
                _ => return Err(invalid("role", "must be user, system or assistant")),
            };
            let content = match item.get("content") {
                Some(Value::String(text)) if !text.is_empty() => vec![ContentPart::text(text)],
                Some(parts @ Value::Array(items)) if !items.is_empty() => {
                    serde_json::from_value(parts.clone())
                        .map_err(|error| invalid("content", &error.to_string()))?
                }
                _ => {
                    return Err(invalid("content", "must be text or a list of content parts, and not empty"));
                }
            };
            Ok((role, content))
        })
        .collect()
}

/// A message that belongs to no run.
pub(crate) fn plain_message(
    thread: &Thread,
    role: Role,
    content: Vec<ContentPart>,
    now: Timestamp,
) -> Message {
    Message {
        conversation_id: thread.conversation_id.clone(),
        content,
        ..Message::new(MessageId::new(), thread.agent_id.clone(), role, now)
    }
}

/// Adds a message to the history and the context.
pub(crate) fn append(conn: &Connection, thread: &Thread, message: Message) -> Answer<()> {
    message::insert(conn, &message)?;
    context::append(conn, thread, &[message.id])?;
    Ok(())
}
