//! An agent as the API shows it: its row, and the relationships that were asked for.

use loci_api::{
    agent::{AgentEnvironmentVariable, AgentState, AgentType, EmbeddingConfig, LlmConfig, MASK, Memory},
    error::ApiError,
    ids::AgentId,
    wire,
};
use loci_store::{
    Connection, StoreError, Thread,
    table::{
        agent::{self, AgentRow},
        agent_secret::{self, AgentSecret},
        block, context, tool,
    },
};
use serde_json::{Map, Value};

use crate::{
    error::Answer,
    extract::{Client, Params},
};

/// Which relationships are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Include {
    pub blocks: bool,
    pub tools: bool,
    pub tags: bool,
    pub secrets: bool,
    pub identities: bool,
    pub pending_approval: bool,
}

impl Include {
    /// Everything there is.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            blocks: true,
            tools: true,
            tags: true,
            secrets: true,
            identities: true,
            pending_approval: true,
        }
    }

    /// What the answer to a creation or change carries.
    #[must_use]
    pub fn attached() -> Self {
        Self { pending_approval: false, ..Self::everything() }
    }

    /// By `include=agent.tools&include=…`, or the older `include_relationships=tools`. Clients other than the
    /// SDKs never had to ask: they get everything.
    ///
    /// # Errors
    /// 422 for an unknown name in `include`.
    pub fn read(params: &Params, client: Client) -> Answer<Self> {
        let mut include = if client.sdk { Self::default() } else { Self::everything() };
        for name in params.words("include") {
            match name {
                "agent.blocks" => include.blocks = true,
                "agent.tools" => include.tools = true,
                "agent.tags" => include.tags = true,
                "agent.secrets" => include.secrets = true,
                "agent.identities" => include.identities = true,
                "agent.pending_approval" => include.pending_approval = true,
                // There are none of these here; asking is fine.
                "agent.managed_group" | "agent.sources" => {}
                other => {
                    let given: String = other.chars().take(80).collect();
                    return Err(ApiError::validation(format!(
                        "query.include: '{given}' is not one of agent.blocks, agent.identities, agent.managed_group, \
                         agent.pending_approval, agent.secrets, agent.sources, agent.tags, agent.tools"
                    ))
                    .into());
                }
            }
        }
        for name in params.words("include_relationships") {
            match name {
                "tools" => include.tools = true,
                "tags" => include.tags = true,
                "memory" | "core_memory" | "blocks" => include.blocks = true,
                "identity_ids" | "identities" => include.identities = true,
                "tool_exec_environment_variables" | "secrets" => include.secrets = true,
                _ => {}
            }
        }
        Ok(include)
    }
}

fn masked(secret: AgentSecret) -> AgentEnvironmentVariable {
    AgentEnvironmentVariable {
        id: secret.id,
        key: secret.key,
        value: MASK.to_owned(),
        description: secret.description,
        value_enc: None,
        agent_id: secret.agent_id,
        created_by_id: None,
        last_updated_by_id: None,
        created_at: Some(secret.created_at),
        updated_at: Some(secret.updated_at),
    }
}

/// The `llm_config` of an agent whose stored one cannot be read: at least its handle.
fn fallback_config(row: &AgentRow) -> LlmConfig {
    let handle = row.model.clone().unwrap_or_default();
    let (provider, model) = handle.split_once('/').unwrap_or(("", &handle));
    let config = serde_json::json!({
        "model": model,
        "model_endpoint_type": "openai",
        "provider_name": provider,
        "handle": handle,
        "context_window": row.context_window_limit.unwrap_or(128_000),
    });
    serde_json::from_value(config).expect("the object above has every required field")
}

fn object(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        Some(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// The API message the agent's default thread waits for an answer to.
fn pending_approval(conn: &Connection, id: &AgentId) -> Result<Option<Value>, StoreError> {
    let thread = Thread::new(id.clone(), None);
    let Some(last) = context::last(conn, &thread)? else { return Ok(None) };
    if !last.is_approval_request() {
        return Ok(None);
    }
    Ok(wire::expand(&last, &wire::View::default())
        .into_iter()
        .find(|message| message.kind() == wire::MessageType::ApprovalRequestMessage)
        .map(|message| serde_json::json!(message)))
}

/// Puts an agent's state together.
///
/// # Errors
/// Only the store's.
pub fn state(conn: &Connection, row: AgentRow, include: Include) -> Result<AgentState, StoreError> {
    let thread = Thread::new(row.id.clone(), None);
    let blocks = if include.blocks {
        block::list_for_agent(conn, &row.id)?.into_iter().map(|(block, _)| block).collect()
    } else {
        Vec::new()
    };
    let tools = if include.tools { tool::list_for_agent(conn, &row.id)? } else { Vec::new() };
    let secrets: Vec<AgentEnvironmentVariable> = if include.secrets {
        agent_secret::list(conn, &row.id)?.into_iter().map(masked).collect()
    } else {
        Vec::new()
    };
    let identity_ids = if include.identities { agent::identity_ids(conn, &row.id)? } else { Vec::new() };
    let pending_approval = if include.pending_approval { pending_approval(conn, &row.id)? } else { None };
    let agent_type = AgentType::parse(&row.agent_type).unwrap_or_default();
    let llm_config = row
        .llm_config
        .clone()
        .and_then(|config| serde_json::from_value(config).ok())
        .unwrap_or_else(|| fallback_config(&row));
    let embedding_config: Option<EmbeddingConfig> =
        row.embedding_config.and_then(|config| serde_json::from_value(config).ok());
    Ok(AgentState {
        message_ids: Some(context::ids(conn, &thread)?),
        id: row.id,
        name: row.name,
        agent_type,
        system: row.system,
        description: row.description,
        metadata: row.metadata,
        tool_rules: Some(row.tool_rules),
        llm_config,
        embedding_config,
        model: row.model,
        embedding: row.embedding,
        model_settings: object(row.model_settings),
        compaction_settings: object(row.compaction_settings),
        response_format: row.response_format,
        memory: Memory {
            agent_type: Some(agent_type),
            git_enabled: false,
            blocks: blocks.clone(),
            file_blocks: Vec::new(),
            prompt_template: String::new(),
        },
        blocks,
        tools,
        sources: Vec::new(),
        tags: if include.tags { row.tags } else { Vec::new() },
        tool_exec_environment_variables: secrets.clone(),
        secrets,
        identity_ids: identity_ids.iter().map(ToString::to_string).collect(),
        identities: Vec::new(),
        pending_approval,
        message_buffer_autoclear: row.message_buffer_autoclear,
        enable_sleeptime: row.enable_sleeptime,
        multi_agent_group: None,
        managed_group: None,
        last_run_completion: row.last_run_completion,
        last_run_duration_ms: row.last_run_duration_ms,
        last_stop_reason: row.last_stop_reason,
        timezone: Some(row.timezone),
        max_files_open: row.max_files_open,
        per_file_view_window_char_limit: row.per_file_view_window_char_limit,
        hidden: row.hidden,
        project_id: row.project_id,
        template_id: row.template_id,
        base_template_id: row.base_template_id,
        deployment_id: row.deployment_id,
        entity_id: row.entity_id,
        created_by_id: row.created_by_id,
        last_updated_by_id: row.last_updated_by_id,
        created_at: Some(row.created_at),
        updated_at: Some(row.updated_at),
    })
}

/// The agent, or 404 with the text clients look for.
pub fn require(conn: &Connection, id: &AgentId) -> Answer<AgentRow> {
    agent::get(conn, id)?.ok_or_else(|| not_found(id).into())
}

/// 404 for an agent that is not there.
#[must_use]
pub fn not_found(id: &AgentId) -> ApiError {
    ApiError::not_found(format!("Agent with ID {id} not found"))
}
