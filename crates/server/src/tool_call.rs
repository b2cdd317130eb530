//! Carries out one server tool for an agent: its memory, its history, the built-ins, a person's own source.
//!
//! Whether the call may run was decided before; what goes wrong here is an answer to the model.

use std::collections::BTreeMap;

use loci_api::{
    ids::BlockId,
    message::ToolStatus,
    resource::{Block, Tool, ToolType},
    time::Timestamp,
};
use loci_engine::{
    memory::{self, BlockChange, MemoryError},
    ports::{ToolInvocation, ToolOutcome},
    search,
};
use loci_store::{
    StoreError, Transaction,
    table::{
        block::{self, Actor, Change},
        message_search::{self, Search},
    },
};
use loci_tools::builtin;
use serde_json::Value;

use crate::{
    App, archival, between_agents, code_with_tools,
    custom_tool::{self, Seen},
    journal::{Ran, noted},
    runs::{Facts, live::LiveRun},
};

/// Runs one call to its end. Those that run a person's code or reach outside are noted before they begin.
pub async fn run(app: &App, live: &LiveRun, facts: &Facts, call: ToolInvocation) -> Ran {
    let Some(tool) = facts.tools.get(&call.name) else {
        let sentence = format!("Error: Tool not found: {} is not attached to this agent.", call.name);
        return ToolOutcome::error(sentence).into();
    };
    let note = call.clone();
    let outcome = match tool.tool_type {
        ToolType::LettaMemoryCore | ToolType::LettaSleeptimeCore => edit_memory(app, live, call).await,
        ToolType::LettaCore => match call.name.as_str() {
            "conversation_search" => search_conversation(app, live, facts, call).await,
            // Kept for agents made for it: what it says is in the call itself.
            "send_message" => success(Value::Null),
            "archival_memory_insert" => archival::insert_tool(app, &live.thread.agent_id, &call).await,
            "archival_memory_search" => {
                archival::search_tool(app, &live.thread.agent_id, &facts.agent.timezone, &call).await
            }
            other => unavailable(other, "This tool"),
        },
        // It notes itself.
        ToolType::LettaBuiltin if call.name == code_with_tools::NAME => {
            return code_with_tools::run(app, live, facts, call, &[]).await;
        }
        ToolType::LettaBuiltin => return noted(app, &note, built_in(app, live, facts, call)).await,
        ToolType::Custom => return noted(app, &note, own_source(app, live, facts, tool, call)).await,
        ToolType::LettaMultiAgentCore => {
            let asking = async { between_agents::run(app, live, facts, call).await.into() };
            return noted(app, &note, asking).await;
        }
        ToolType::LettaVoiceSleeptimeCore => unavailable(&call.name, "Voice memory"),
        ToolType::LettaFilesCore => unavailable(&call.name, "Reading attached files"),
        ToolType::ExternalMcp | ToolType::ExternalLangchain | ToolType::ExternalComposio => {
            unavailable(&call.name, "Calling tools of other servers")
        }
    };
    outcome.into()
}

fn success(value: Value) -> ToolOutcome {
    ToolOutcome { status: ToolStatus::Success, value, stdout: Vec::new(), stderr: Vec::new() }
}

fn unavailable(name: &str, what: &str) -> ToolOutcome {
    ToolOutcome::error(format!("Error: {name} could not run: {what} is not available on this server yet."))
}

fn broken(what: &str, error: &StoreError) -> ToolOutcome {
    tracing::error!(%error, "{what} failed");
    ToolOutcome::error(format!("Error: {what} failed: {error}"))
}

/// A memory edit that did not happen.
enum NotEdited {
    ByTool(MemoryError),
    ByStore(StoreError),
}

impl From<StoreError> for NotEdited {
    fn from(error: StoreError) -> Self {
        Self::ByStore(error)
    }
}

/// Reads the blocks, edits and writes in one transaction, so that no edit can undo another's.
async fn edit_memory(app: &App, live: &LiveRun, call: ToolInvocation) -> ToolOutcome {
    let thread = live.thread.clone();
    let change = Change {
        actor: Actor::Tool,
        actor_id: Some(thread.agent_id.to_string()),
        tool_call_id: Some(call.tool_call_id.clone()),
        run_id: Some(live.id.clone()),
        at: Timestamp::now(),
    };
    let edited = app
        .store()
        .try_write(move |tx| {
            let versioned = block::list_for_thread(tx, &thread)?;
            let blocks: Vec<Block> = versioned.iter().map(|(block, _)| block.clone()).collect();
            let edit = memory::edit(&call.name, &call.arguments, &blocks).map_err(NotEdited::ByTool)?;
            let mut versions: BTreeMap<BlockId, i64> =
                versioned.into_iter().map(|(block, version)| (block.id, version)).collect();
            for step in &edit.changes {
                apply(tx, &thread.agent_id, step, &mut versions, &change)?;
            }
            Ok(edit.result)
        })
        .await;
    match edited {
        Ok(value) => success(value),
        Err(NotEdited::ByTool(error)) => ToolOutcome::error(error.to_string()),
        Err(NotEdited::ByStore(StoreError::Duplicate { value, .. })) => {
            ToolOutcome::error(format!("Error: there is another block with the label '{value}' already."))
        }
        Err(NotEdited::ByStore(error)) => broken("editing memory", &error),
    }
}

fn apply(
    tx: &Transaction<'_>,
    agent_id: &loci_api::ids::AgentId,
    step: &BlockChange,
    versions: &mut BTreeMap<BlockId, i64>,
    change: &Change,
) -> Result<(), StoreError> {
    let mut rewrite = |id: &BlockId, with: &dyn Fn(&mut Block)| {
        let mut block =
            block::get(tx, id)?.ok_or_else(|| StoreError::NotFound { what: "block", id: id.to_string() })?;
        with(&mut block);
        let version = block::update(tx, &block, versions.get(id).copied(), change)?;
        versions.insert(id.clone(), version);
        Ok::<(), StoreError>(())
    };
    match step {
        BlockChange::Update { id, new_value, .. } => rewrite(id, &|block| block.value.clone_from(new_value)),
        BlockChange::Rename { id, to, .. } => rewrite(id, &|block| block.label = Some(to.clone())),
        BlockChange::Describe { id, description, .. } => {
            rewrite(id, &|block| block.description = Some(description.clone()))
        }
        BlockChange::Create { label, description, value } => {
            let description = description.clone();
            let block = Block { description, ..Block::new(BlockId::new(), label, value) };
            block::insert(tx, &block, change)?;
            block::attach(tx, agent_id, &block.id)
        }
        BlockChange::Detach { id, .. } => block::detach(tx, agent_id, id).map(|_| ()),
    }
}

async fn search_conversation(app: &App, live: &LiveRun, facts: &Facts, call: ToolInvocation) -> ToolOutcome {
    let zone = &facts.agent.timezone;
    let args = match search::parse_search(&call.arguments, zone) {
        Ok(args) => args,
        Err(sentence) => return ToolOutcome::error(sentence),
    };
    let agent_id = live.thread.agent_id.clone();
    let limit = args.limit;
    let found = app
        .store()
        .read(move |conn| {
            message_search::search(
                conn,
                &Search {
                    agent_id: Some(agent_id),
                    query: args.query.unwrap_or_default(),
                    roles: args.roles,
                    start: args.start,
                    end: args.end,
                    // Some of what is found is left out again, such as the searches themselves.
                    limit: u32::try_from(limit.saturating_mul(4)).unwrap_or(u32::MAX),
                    ..Search::default()
                },
            )
        })
        .await;
    match found {
        Ok(found) => {
            let shown: Vec<_> = found
                .into_iter()
                .filter(|message| {
                    message.role != loci_api::message::Role::Tool
                        && !message.tool_calls.iter().any(|made| made.name == call.name)
                })
                .take(limit)
                .collect();
            success(search::search_result(&shown, Timestamp::now(), zone))
        }
        Err(error) => broken("searching the conversation", &error),
    }
}

async fn built_in(app: &App, live: &LiveRun, facts: &Facts, call: ToolInvocation) -> Ran {
    let mut env = facts.variables.values(app).await.env.clone();
    env.insert("LETTA_AGENT_ID".to_owned(), live.thread.agent_id.to_string());
    match builtin::run(&call.name, &call.arguments, &env, app.sandbox()).await {
        Some(result) => result.into(),
        None => unavailable(&call.name, "This built-in tool").into(),
    }
}

async fn own_source(app: &App, live: &LiveRun, facts: &Facts, tool: &Tool, call: ToolInvocation) -> Ran {
    let values = facts.variables.values(app).await;
    if let Some(why) = values.lacking(tool.source_code.as_deref().unwrap_or_default()) {
        return ToolOutcome::error(format!("Error: {} could not run: {why}.", call.name)).into();
    }
    let mut env = values.env.clone();
    env.insert("LETTA_PROJECT_ID".to_owned(), facts.agent.project_id.clone().unwrap_or_default());
    let mut request = match custom_tool::request(app, tool, call.arguments, env).await {
        Ok(request) => request,
        Err(why) => return ToolOutcome::error(format!("Error: {} could not run: {why}", call.name)).into(),
    };
    let seen = if Seen::wanted(&request.source) {
        let thread = live.thread.clone();
        match app.store().read(move |conn| Seen::read(conn, &thread)).await {
            Ok(seen) => seen,
            Err(error) => return broken("reading the agent's state", &error).into(),
        }
    } else {
        Seen::default()
    };
    request.agent_id = live.thread.agent_id.to_string();
    request.agent_state = seen.state;
    let mut result = app.sandbox().run(request).await;
    let changed = std::mem::take(&mut result.changed_blocks);
    let mut ran = Ran::from(result);
    if !changed.is_empty()
        && let Err(sentence) = save_changed(app, live, &call.tool_call_id, seen.versions, changed).await
    {
        ran.outcome.status = ToolStatus::Error;
        ran.outcome.stderr.push(sentence.clone());
        ran.outcome.value = Value::String(format!("Error: {} ran, but {sentence}", call.name));
    }
    ran
}

/// Writes what a function changed in its `agent_state`, over the versions it was shown; all or nothing.
async fn save_changed(
    app: &App,
    live: &LiveRun,
    tool_call_id: &str,
    versions: BTreeMap<BlockId, i64>,
    changed: BTreeMap<String, String>,
) -> Result<(), String> {
    let thread = live.thread.clone();
    let change = Change {
        actor: Actor::Tool,
        actor_id: Some(thread.agent_id.to_string()),
        tool_call_id: Some(tool_call_id.to_owned()),
        run_id: Some(live.id.clone()),
        at: Timestamp::now(),
    };
    let saved = app
        .store()
        .try_write(move |tx| {
            let blocks = block::list_for_thread(tx, &thread)?;
            for (label, value) in &changed {
                let refuse = |why: &str| {
                    NotEdited::ByTool(MemoryError(format!(
                        "the memory block '{label}' was not changed: {why}."
                    )))
                };
                let Some((block, _)) =
                    blocks.iter().find(|(block, _)| block.label.as_deref() == Some(label.as_str()))
                else {
                    return Err(refuse("there is no such block"));
                };
                if block.read_only {
                    return Err(refuse("it is read-only"));
                }
                let length = value.chars().count();
                if i64::try_from(length).unwrap_or(i64::MAX) > block.limit {
                    let limit = block.limit;
                    return Err(refuse(&format!("{length} characters are more than its limit of {limit}")));
                }
                let expected = versions.get(&block.id).copied().unwrap_or(0);
                match block::update_value(tx, &block.id, expected, value, &change) {
                    Err(StoreError::Conflict { .. }) => {
                        return Err(refuse("somebody else changed it meanwhile"));
                    }
                    other => other?,
                };
            }
            Ok(())
        })
        .await;
    match saved {
        Ok(()) => Ok(()),
        Err(NotEdited::ByTool(error)) => Err(error.0),
        Err(NotEdited::ByStore(error)) => {
            tracing::error!(%error, "writing changed blocks failed");
            Err(format!("its changes to memory were not saved: {error}."))
        }
    }
}
