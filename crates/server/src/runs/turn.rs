//! What a turn is made of: the agent, its model and tools, as they are when the run begins.

use std::collections::HashMap;
use std::sync::Arc;

use loci_api::{
    agent::check_compaction,
    chat::{ChatOptions, ToolSpec},
    error::ApiError,
    ids::AgentId,
    parse::SendRequest,
    request::ClientTool,
    resource::Tool,
    rules::ToolRuleKind,
};
use loci_engine::{
    compaction,
    ports::{Turn, TurnTool},
};
use loci_llm::ResolvedModel;
use loci_store::{
    Connection, Thread,
    table::{
        agent::{self, AgentRow},
        conversation, tool,
    },
};
use serde_json::{Map, Value};

use super::{accept::Start, live::LiveRun};
use crate::{
    App,
    agents::{
        settings::{self, resolve_model},
        state::not_found,
        variables::Variables,
    },
    error::Answer,
    model::{self, Loose},
};

/// What is known of an agent for one run.
#[derive(Debug)]
pub struct Facts {
    pub agent: AgentRow,
    pub model: ResolvedModel,
    pub options: ChatOptions,
    pub parallel_tool_calls: bool,
    /// Tokens.
    pub context_window: u32,
    /// Attached tools by name.
    pub tools: HashMap<String, Arc<Tool>>,
    /// Their names in the order the model sees them.
    pub order: Vec<String>,
    /// Of the agent's tools.
    pub variables: Variables,
    /// Names of the tools the client carries out itself.
    pub client_tools: Vec<String>,
    /// The agents whose messages led here, the first first.
    pub called_by: Vec<AgentId>,
}

impl Facts {
    /// With what only the request says.
    #[must_use]
    pub fn of_request(self, request: &SendRequest) -> Self {
        Self {
            client_tools: request.client_tools.iter().map(|tool| tool.to_spec().name).collect(),
            called_by: request.called_by.clone(),
            ..self
        }
    }

    /// The agent's tools as the model sees them.
    #[must_use]
    pub fn specs(&self) -> Vec<ToolSpec> {
        self.order.iter().filter_map(|name| self.tools.get(name)).map(|tool| turn_tool(tool).spec).collect()
    }

    /// How its contexts are made shorter; `given` over the agent's own settings.
    ///
    /// # Errors
    /// 422 for what cannot be meant.
    pub fn compaction(&self, given: Option<&Map<String, Value>>) -> Answer<compaction::Settings> {
        check_compaction(given)?;
        let own = self.agent.compaction_settings.as_ref().and_then(Value::as_object);
        let all = settings::compaction(&self.model, own, given);
        compaction::Settings::read(&all).map_err(|(field, why)| {
            ApiError::validation(format!("body.compaction_settings.{field}: {why}")).into()
        })
    }
}

struct Rows {
    agent: AgentRow,
    own_model: Option<String>,
    own_settings: Option<Value>,
    tools: Vec<Tool>,
    variables: Variables,
}

/// Reads them and finds the model: the request's, else the conversation's, else the agent's.
///
/// # Errors
/// 404 if the agent or the model is gone.
pub async fn facts(app: &App, thread: &Thread, override_model: Option<&str>) -> Answer<Facts> {
    let of = thread.clone();
    let rows = app.store().read(move |conn| read(conn, &of)).await?;
    let Some(Rows { agent, own_model, own_settings, tools, variables }) = rows else {
        return Err(not_found(&thread.agent_id).into());
    };
    let of_agent = agent.model.clone().unwrap_or_default();
    let handle = override_model.map(str::to_owned).or(own_model).unwrap_or_else(|| of_agent.clone());
    let resolved = resolve_model(app, &handle).await?;
    let given = own_settings.as_ref().and_then(Value::as_object).filter(|_| override_model.is_none());
    let chosen: Map<String, Value> = match (given, &agent.model_settings) {
        (Some(given), _) => model::settings(&resolved, Some(given), &Loose::default())?,
        (None, Some(Value::Object(settings))) if handle == of_agent => settings.clone(),
        (None, _) => model::settings(&resolved, None, &Loose::default())?,
    };
    let limit = agent.context_window_limit.and_then(|tokens| u32::try_from(tokens).ok());
    let context_window = if handle == of_agent {
        limit.unwrap_or(resolved.context_window)
    } else {
        limit.unwrap_or(u32::MAX).min(resolved.context_window)
    };
    // Rules about order and number hold only if calls come one at a time.
    let orderly = agent.tool_rules.iter().any(|rule| !matches!(rule.kind, ToolRuleKind::RequiresApproval));
    let order: Vec<String> = tools.iter().filter_map(|tool| tool.name.clone()).collect();
    Ok(Facts {
        options: ChatOptions {
            context_window: Some(context_window),
            cache_key: Some(match &thread.conversation_id {
                Some(conversation) => conversation.to_string(),
                None => thread.agent_id.to_string(),
            }),
            ..model::chat_options(&chosen, agent.response_format.as_ref())
        },
        parallel_tool_calls: model::parallel_tool_calls(&chosen) && !orderly,
        context_window,
        tools: tools
            .into_iter()
            .filter_map(|tool| tool.name.clone().map(|name| (name, Arc::new(tool))))
            .collect(),
        order,
        variables,
        client_tools: Vec::new(),
        called_by: Vec::new(),
        agent,
        model: resolved,
    })
}

fn read(conn: &Connection, thread: &Thread) -> Result<Option<Rows>, loci_store::StoreError> {
    let Some(agent) = agent::get(conn, &thread.agent_id)? else { return Ok(None) };
    let (own_model, own_settings) = match &thread.conversation_id {
        Some(id) => match conversation::model_of(conn, id)? {
            Some(own) => own,
            None => return Ok(None),
        },
        None => (None, None),
    };
    Ok(Some(Rows {
        tools: tool::list_for_agent(conn, &thread.agent_id)?,
        variables: Variables::read(conn, &thread.agent_id)?,
        agent,
        own_model,
        own_settings,
    }))
}

/// The turn of an accepted request.
#[must_use]
pub fn turn(live: &LiveRun, request: &SendRequest, facts: &Facts, start: Start) -> Turn {
    Turn {
        agent_id: live.thread.agent_id.clone(),
        conversation_id: live.thread.conversation_id.clone(),
        run_id: live.id.clone(),
        model: facts.model.handle.clone(),
        options: facts.options.clone(),
        parallel_tool_calls: facts.parallel_tool_calls,
        context_window: facts.context_window,
        timezone: facts.agent.timezone.clone(),
        tools: facts
            .order
            .iter()
            .filter_map(|name| facts.tools.get(name))
            .map(|tool| turn_tool(tool))
            .collect(),
        client_tools: request.client_tools.iter().map(ClientTool::to_spec).collect(),
        client_skills: request.client_skills.clone(),
        rules: facts.agent.tool_rules.clone(),
        context: start.context,
        context_tokens: start.context_tokens,
        follow_ups: start.follow_ups,
        max_steps: request.max_steps,
        override_system: request.override_system.clone(),
        stream: request.stream_tokens,
    }
}

fn turn_tool(tool: &Tool) -> TurnTool {
    let schema = tool.json_schema.as_ref();
    let text = |key: &str| schema.and_then(|schema| schema.get(key)).and_then(Value::as_str);
    TurnTool {
        spec: ToolSpec {
            name: tool.name.clone().unwrap_or_default(),
            description: text("description").or(tool.description.as_deref()).unwrap_or_default().to_owned(),
            parameters: schema
                .and_then(|schema| schema.get("parameters"))
                .filter(|parameters| parameters.is_object())
                .cloned()
                .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}, "required": []})),
        },
        return_char_limit: usize::try_from(tool.return_char_limit).unwrap_or(0),
        parallel: tool.enable_parallel_execution.unwrap_or(false),
    }
}
