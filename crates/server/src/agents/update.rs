//! Changing an agent: what is given replaces what there is, in one transaction.

use std::collections::BTreeMap;

use loci_api::{
    agent::{AgentState, MASK, SUBAGENT_TAG, UpdateAgent},
    error::ApiError,
    ids::{AgentId, DEFAULT_USER_ID, MessageId, ToolId},
    message::Role,
    time::Timestamp,
};
use loci_llm::ResolvedModel;
use loci_store::{
    Connection, Thread,
    table::{
        agent::{self, AgentRow},
        agent_secret, block, context, message, tool,
    },
};
use serde_json::{Map, Value, json};

use super::{
    create::identity_ids,
    settings::{
        DEFAULT_CONTEXT_WINDOW, add_approval_rules, compaction, distinct, embedding as embedding_of,
        resolve_model,
    },
    state::{Include, not_found, require, state},
    variables::{self, Kept},
};
use crate::{
    App, archival, changes, embedding,
    error::Answer,
    model::{self, Loose},
    prompt,
};

/// Changes an agent and returns it with everything attached.
///
/// # Errors
/// 404 for an unknown agent, model, tool or block; 422 for what is malformed; 409 for two blocks of one label.
pub async fn update(app: &App, id: AgentId, request: UpdateAgent) -> Answer<AgentState> {
    request.check()?;
    let known = id.clone();
    let current =
        app.store().read(move |conn| agent::get(conn, &known)).await?.ok_or_else(|| not_found(&id))?;
    let wanted =
        request.model.clone().or_else(|| request.llm_config.as_ref().map(|config| config.to_handle()));
    let resolved = match &wanted {
        Some(handle) => Some(resolve_model(app, handle).await?),
        None if request.model_settings.is_some() => {
            Some(resolve_model(app, current.model.as_deref().unwrap_or_default()).await?)
        }
        // Everything else can be changed although the model's provider is gone.
        None => current.model.as_deref().and_then(|handle| app.models().resolve(handle).ok()),
    };
    let embedder = match &request.embedding {
        Some(handle) => Some(embedding_of(app, handle, None)?),
        None => request.embedding_config.clone(),
    };
    let thread = Thread::new(id.clone(), None);
    let Changed { named, gone, kept } = keep_variables(app, &id, &request).await?;
    let written = app
        .store()
        .try_write(move |tx| {
            let now = Timestamp::now();
            let mut row = require(tx, &id)?;
            change_model(&mut row, &request, wanted, resolved.as_ref())?;
            change_fields(&mut row, &request);
            if let Some(config) = &embedder {
                row.embedding = Some(config.to_handle());
                row.embedding_config = Some(json!(config));
            }
            change_links(tx, &mut row, &request)?;
            row.updated_at = now;
            row.last_updated_by_id = Some(DEFAULT_USER_ID.to_owned());
            agent::update(tx, &row)?;
            if embedder.is_some() {
                archival::follow_agent(tx, &row)?;
            }
            if let Some(Named { all, untouched }) = &named {
                agent_secret::replace(tx, &id, all, untouched, now)?;
            }
            if request.last_run_completion.is_some()
                || request.last_run_duration_ms.is_some()
                || request.last_stop_reason.is_some()
            {
                let at = request.last_run_completion.or(row.last_run_completion).unwrap_or(now);
                let duration = request.last_run_duration_ms.or(row.last_run_duration_ms).unwrap_or(0);
                agent::record_run(tx, &id, at, duration, request.last_stop_reason.or(row.last_stop_reason))?;
            }
            if let Some(ids) = &request.message_ids {
                set_context(tx, &Thread::new(id.clone(), None), ids)?;
            }
            prompt::refresh_agent(tx, &id)?;
            let row = require(tx, &id)?;
            Ok::<_, crate::error::Failure>(state(tx, row, Include::attached())?)
        })
        .await;
    let state = match written {
        Ok(state) => state,
        Err(refused) => {
            kept.undo(app, &thread.agent_id).await;
            return Err(refused);
        }
    };
    variables::forget(app, &thread.agent_id, &gone).await;
    app.runs().forget_context(&thread);
    embedding::catch_up(app);
    Ok(state)
}

/// The variables an agent is to have.
struct Named {
    all: Vec<String>,
    /// Those whose values stay as they are.
    untouched: Vec<String>,
}

/// What a request does to an agent's variables.
#[derive(Default)]
struct Changed {
    /// None: it does not speak of them.
    named: Option<Named>,
    /// Those whose values go once the request is written.
    gone: Vec<String>,
    kept: Kept,
}

/// Keeps the values of a request's variables.
async fn keep_variables(app: &App, id: &AgentId, request: &UpdateAgent) -> Answer<Changed> {
    let given = [request.tool_exec_environment_variables.as_ref(), request.secrets.as_ref()];
    if given.iter().all(Option::is_none) {
        return Ok(Changed::default());
    }
    let values: BTreeMap<String, String> =
        given.into_iter().flatten().flatten().map(|(name, value)| (name.clone(), value.clone())).collect();
    let of = id.clone();
    let known = app.store().read(move |conn| agent_secret::list(conn, &of)).await?;
    let kept = variables::keep(app, id, &values, &known).await?;
    let gone = known.into_iter().map(|row| row.key).filter(|name| !values.contains_key(name)).collect();
    let untouched = values.iter().filter(|(_, value)| *value == MASK).map(|(name, _)| name.clone()).collect();
    Ok(Changed { named: Some(Named { all: values.into_keys().collect(), untouched }), gone, kept })
}

fn change_model(
    row: &mut AgentRow,
    request: &UpdateAgent,
    wanted: Option<String>,
    resolved: Option<&ResolvedModel>,
) -> Answer<()> {
    let base = request.llm_config.as_ref().map(Loose::of).unwrap_or_default();
    let loose = Loose {
        max_tokens: request.max_tokens.or(base.max_tokens),
        reasoning: request.reasoning.or(base.reasoning),
        response_format: request.response_format.clone().or(base.response_format.clone()),
        parallel_tool_calls: request.parallel_tool_calls.or(base.parallel_tool_calls),
        ..base
    };
    let switched = wanted.is_some();
    if let Some(handle) = wanted {
        row.model = Some(handle);
    }
    let asked = request.context_window_limit.or_else(|| {
        request.llm_config.as_ref().map(|config| config.context_window).filter(|tokens| *tokens > 0)
    });
    if let Some(tokens) = asked {
        row.context_window_limit = Some(tokens);
    } else if let (true, Some(model)) = (switched, resolved) {
        row.context_window_limit = Some(i64::from(model.context_window).min(DEFAULT_CONTEXT_WINDOW));
    }
    if let Some(model) = resolved {
        let existing = match &row.model_settings {
            Some(Value::Object(settings)) => Some(settings.clone()),
            _ => None,
        };
        // Settings survive unless the model changes or new ones are given.
        let given = request.model_settings.clone().or(if switched { None } else { existing });
        let settings = if request.model_settings.is_none() && !switched {
            overlay(model, given, &loose)?
        } else {
            model::settings(model, given.as_ref(), &loose)?
        };
        let window = row.context_window_limit.unwrap_or(DEFAULT_CONTEXT_WINDOW);
        row.llm_config = Some(json!(model::llm_config(model, &settings, window)));
        row.model_settings = Some(Value::Object(settings));
        if request.compaction_settings.is_some() || row.compaction_settings.is_none() {
            let existing = row.compaction_settings.as_ref().and_then(Value::as_object);
            row.compaction_settings =
                Some(Value::Object(compaction(model, existing, request.compaction_settings.as_ref())));
        }
    } else if let Some(given) = &request.compaction_settings {
        let mut all =
            row.compaction_settings.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        all.extend(
            given
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key.clone(), value.clone())),
        );
        row.compaction_settings = Some(Value::Object(all));
    }
    Ok(())
}

/// What is given loosely, over the settings an agent has.
fn overlay(
    model: &ResolvedModel,
    existing: Option<Map<String, Value>>,
    loose: &Loose,
) -> Answer<Map<String, Value>> {
    let Some(mut all) = existing else { return Ok(model::settings(model, None, loose)?) };
    let mut given = all.clone();
    for (field, said) in [
        ("max_output_tokens", loose.max_tokens.is_some()),
        ("parallel_tool_calls", loose.parallel_tool_calls.is_some()),
        ("response_format", loose.response_format.is_some()),
        ("response_schema", loose.response_format.is_some()),
        ("thinking", loose.reasoning.is_some() || loose.max_reasoning_tokens.is_some()),
        ("temperature", loose.temperature.is_some()),
        ("verbosity", loose.verbosity.is_some()),
        ("reasoning", loose.reasoning_effort.is_some()),
    ] {
        if said {
            given.remove(field);
        }
    }
    let filled = model::settings(model, Some(&given), loose)?;
    // Only what the settings had before may change: filling up is for creation.
    for (field, value) in &mut all {
        if let Some(new) = filled.get(field) {
            *value = new.clone();
        }
    }
    Ok(all)
}

fn change_fields(row: &mut AgentRow, request: &UpdateAgent) {
    fn set<T: Clone>(field: &mut T, given: Option<&T>) {
        if let Some(given) = given {
            *field = given.clone();
        }
    }
    fn set_some<T: Clone>(field: &mut Option<T>, given: Option<&T>) {
        if given.is_some() {
            *field = given.cloned();
        }
    }
    set(&mut row.name, request.name.as_ref());
    set(&mut row.system, request.system.as_ref());
    set(&mut row.timezone, request.timezone.as_ref());
    set(&mut row.tool_rules, request.tool_rules.as_ref());
    set(&mut row.message_buffer_autoclear, request.message_buffer_autoclear.as_ref());
    set_some(&mut row.description, request.description.as_ref());
    set_some(&mut row.metadata, request.metadata.as_ref());
    set_some(&mut row.response_format, request.response_format.as_ref());
    set_some(&mut row.enable_sleeptime, request.enable_sleeptime.as_ref());
    set_some(&mut row.max_files_open, request.max_files_open.as_ref());
    set_some(&mut row.per_file_view_window_char_limit, request.per_file_view_window_char_limit.as_ref());
    set_some(&mut row.hidden, request.hidden.as_ref());
    set_some(&mut row.project_id, request.project_id.as_ref());
    set_some(&mut row.template_id, request.template_id.as_ref());
    set_some(&mut row.base_template_id, request.base_template_id.as_ref());
    if let Some(tags) = &request.tags {
        row.tags = distinct(tags.clone());
        if row.tags.iter().any(|tag| tag == SUBAGENT_TAG) {
            row.hidden = Some(true);
        }
    }
}

fn change_links(conn: &Connection, row: &mut AgentRow, request: &UpdateAgent) -> Answer<()> {
    if let Some(ids) = &request.tool_ids {
        let before: Vec<ToolId> =
            tool::list_for_agent(conn, &row.id)?.into_iter().map(|tool| tool.id).collect();
        let mut added = Vec::new();
        for id in ids {
            let tool = tool::get(conn, id)?
                .ok_or_else(|| ApiError::not_found(format!("Tool not found with id='{id}'")))?;
            if !before.contains(id) {
                added.push(tool);
            }
        }
        tool::set_for_agent(conn, &row.id, ids)?;
        // A rule somebody took away from a tool that stays attached does not come back.
        add_approval_rules(&mut row.tool_rules, &added);
    }
    if let Some(ids) = &request.block_ids {
        for id in ids {
            changes::require_block(conn, id)?;
        }
        block::set_for_agent(conn, &row.id, ids)?;
    }
    if let Some(ids) = &request.identity_ids {
        agent::set_identities(conn, &row.id, &identity_ids(Some(ids))?)?;
    }
    Ok(())
}

/// Makes these the messages in the context window. They must be the agent's own, a system message first.
fn set_context(conn: &Connection, thread: &Thread, ids: &[MessageId]) -> Answer<()> {
    let mut seen = std::collections::BTreeSet::new();
    for (at, id) in ids.iter().enumerate() {
        let message = message::get(conn, id)?
            .filter(|message| message.agent_id == thread.agent_id)
            .ok_or_else(|| ApiError::not_found(format!("Message with id '{id}' not found")))?;
        if at == 0 && message.role != Role::System {
            return Err(ApiError::validation("body.message_ids[0]: must be a system message").into());
        }
        if !seen.insert(id) {
            return Err(ApiError::validation(format!("body.message_ids[{at}]: '{id}' is there twice")).into());
        }
    }
    if ids.is_empty() {
        return Err(ApiError::validation("body.message_ids: must not be empty").into());
    }
    prompt::require_idle(conn, thread)?;
    Ok(context::replace(conn, thread, ids)?)
}
