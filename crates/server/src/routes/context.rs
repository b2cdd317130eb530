//! What is in an agent's context window, part by part, and how much room each part takes.

use axum::{Json, Router, extract::State, routing::get};
use loci_api::{
    ids::{AgentId, ConversationId},
    message::{Approval, ContentPart, Message, ReturnContent, Role, ToolReturn},
    resource::Tool,
};
use loci_store::{
    Connection, Thread,
    table::{
        context,
        message::{self, MessageFilter},
        passage::{self, PassageFilter},
        tool,
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    App,
    agents::{settings::DEFAULT_CONTEXT_WINDOW, state::require},
    conversations,
    error::{Answer, Failure},
    extract::{Params, Segments},
};

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/agents/{agent_id}/context", get(overview))
}

/// Token counts are estimates, four characters to a token: no model is asked.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ContextWindowOverview {
    context_window_size_max: i64,
    context_window_size_current: usize,
    num_messages: usize,
    num_archival_memory: i64,
    num_recall_memory: i64,
    num_tokens_external_memory_summary: usize,
    external_memory_summary: String,
    num_tokens_system: usize,
    system_prompt: String,
    num_tokens_core_memory: usize,
    core_memory: String,
    num_tokens_memory_filesystem: usize,
    memory_filesystem: Option<String>,
    num_tokens_tool_usage_rules: usize,
    tool_usage_rules: Option<String>,
    num_tokens_directories: usize,
    directories: Option<String>,
    num_tokens_summary_memory: usize,
    summary_memory: Option<String>,
    num_tokens_functions_definitions: usize,
    #[schema(value_type = Vec<Object>)]
    functions_definitions: Vec<Value>,
    num_tokens_messages: usize,
    #[schema(value_type = Vec<Object>)]
    messages: Vec<Value>,
}

fn tokens(text: &str) -> usize {
    text.chars().count().div_ceil(4)
}

/// A section of the system prompt with its tags.
fn section<'a>(prompt: &'a str, name: &str) -> Option<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = prompt.find(&open)?;
    let end = prompt.rfind(&close)? + close.len();
    prompt.get(start..end)
}

/// Shows what is in the context window of an agent's default thread, or of one of its conversations.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/context", operation_id = "retrieve_agent_context_window",
    tag = "agents", params(("agent_id" = String, Path), ("conversation_id" = Option<String>, Query)),
    responses((status = 200, body = ContextWindowOverview)))]
pub(crate) async fn overview(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<ContextWindowOverview>> {
    let id: AgentId = id.parse()?;
    let conversation: Option<ConversationId> = match params.text("conversation_id") {
        None | Some("default") => None,
        Some(_) => params.id("conversation_id")?,
    };
    let overview = app.store().try_read(move |conn| read(conn, id, conversation)).await?;
    Ok(Json(overview))
}

fn read(
    conn: &Connection,
    id: AgentId,
    conversation: Option<ConversationId>,
) -> Answer<ContextWindowOverview> {
    let agent = require(conn, &id)?;
    if let Some(conversation) = &conversation
        && conversations::require(conn, conversation)?.agent_id != id
    {
        return Err(Failure(conversations::not_found(conversation)));
    }
    let thread = Thread::new(id.clone(), conversation);
    let recall =
        message::count(conn, &MessageFilter { agent_id: Some(id.clone()), ..MessageFilter::default() })?;
    let archived =
        passage::count(conn, &PassageFilter { agent_id: Some(id.clone()), ..PassageFilter::default() })?;
    let messages = context::load(conn, &thread)?;
    let prompt =
        messages.first().filter(|first| first.role == Role::System).map(Message::text).unwrap_or_default();
    let core = section(&prompt, "memory_blocks").unwrap_or_default().to_owned();
    let metadata = section(&prompt, "memory_metadata").unwrap_or_default().to_owned();
    let rules = section(&prompt, "tool_usage_rules").map(str::to_owned);
    let summary = messages.iter().find(|message| message.role == Role::Summary).map(Message::text);
    let functions: Vec<Value> = tool::list_for_agent(conn, &id)?.iter().map(definition).collect();
    let shown: Vec<Value> = messages.iter().map(row).collect();
    let spoken: usize = messages
        .iter()
        .filter(|message| !matches!(message.role, Role::System | Role::Summary))
        .map(weight)
        .sum();
    let num_tokens_functions_definitions =
        if functions.is_empty() { 0 } else { tokens(&json!(functions).to_string()) };
    let parts =
        [tokens(&prompt), summary.as_deref().map_or(0, tokens), num_tokens_functions_definitions, spoken];
    Ok(ContextWindowOverview {
        context_window_size_max: agent.context_window_limit.unwrap_or(DEFAULT_CONTEXT_WINDOW),
        context_window_size_current: parts.iter().sum(),
        num_messages: messages.len(),
        num_archival_memory: archived,
        num_recall_memory: recall,
        num_tokens_external_memory_summary: tokens(&metadata),
        external_memory_summary: metadata,
        num_tokens_system: tokens(&agent.system),
        system_prompt: agent.system,
        num_tokens_core_memory: tokens(&core),
        core_memory: core,
        num_tokens_memory_filesystem: 0,
        memory_filesystem: None,
        num_tokens_tool_usage_rules: rules.as_deref().map_or(0, tokens),
        tool_usage_rules: rules,
        num_tokens_directories: 0,
        directories: None,
        num_tokens_summary_memory: summary.as_deref().map_or(0, tokens),
        summary_memory: summary,
        num_tokens_functions_definitions,
        functions_definitions: functions,
        num_tokens_messages: spoken,
        messages: shown,
    })
}

fn definition(tool: &Tool) -> Value {
    let schema = tool.json_schema.clone().unwrap_or_default();
    json!({"type": "function", "function": {
        "name": tool.name,
        "description": schema.get("description"),
        "parameters": schema.get("parameters"),
    }})
}

/// Tokens of one message: its text, its calls, its returns.
fn weight(message: &Message) -> usize {
    let content: usize = message
        .content
        .iter()
        .map(|part| match part {
            ContentPart::Text { text, .. } => tokens(text),
            ContentPart::Reasoning { reasoning, .. } => tokens(reasoning),
            ContentPart::RedactedReasoning { data } => tokens(data),
            // Providers count pictures by their size in pixels; this is a usual one.
            ContentPart::Image { .. } => 1_000,
        })
        .sum();
    let calls: usize =
        message.tool_calls.iter().map(|call| tokens(&call.name) + tokens(&call.arguments)).sum();
    let returns: usize = message.tool_returns.iter().map(|result| tokens(&result.text())).sum();
    content + calls + returns
}

fn returned(result: &ToolReturn) -> Value {
    let response = match &result.content {
        ReturnContent::Parts(parts) => json!(parts),
        ReturnContent::Value(_) => json!(result.text()),
    };
    json!({
        "tool_call_id": result.tool_call_id,
        "status": result.status,
        "stdout": result.stdout,
        "stderr": result.stderr,
        "func_response": response,
    })
}

fn approval(approval: &Approval) -> Value {
    match approval {
        Approval::Approval { tool_call_id, approve, reason } => {
            json!({"type": "approval", "tool_call_id": tool_call_id, "approve": approve, "reason": reason})
        }
        Approval::Tool(result) => returned(result),
    }
}

/// A message in the form it is stored in.
pub(super) fn row(message: &Message) -> Value {
    let calls: Vec<Value> = message
        .tool_calls
        .iter()
        .map(|call| {
            json!({"id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": call.arguments}})
        })
        .collect();
    let none_if_empty =
        |values: Vec<Value>| if values.is_empty() { Value::Null } else { Value::Array(values) };
    json!({
        "id": message.id,
        "agent_id": message.agent_id,
        "role": message.role,
        "content": message.content,
        "name": message.name,
        "model": message.model,
        "tool_calls": none_if_empty(calls),
        "tool_call_id": message.tool_returns.first().map(|result| &result.tool_call_id),
        "tool_returns": none_if_empty(message.tool_returns.iter().map(returned).collect()),
        "approvals": none_if_empty(message.approvals.iter().map(approval).collect()),
        "step_id": message.step_id,
        "run_id": message.run_id,
        "conversation_id": message.conversation_id,
        "otid": message.otid,
        "group_id": message.group_id,
        "sender_id": message.sender_id,
        "is_err": if message.is_err { Value::Bool(true) } else { Value::Null },
        "created_at": message.created_at,
        "updated_at": message.created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::{section, tokens};

    #[test]
    fn sections_are_found_with_their_tags() {
        let prompt = "Hi\n<memory_blocks>\nx\n</memory_blocks>\n\n<memory_metadata>\ny</memory_metadata>";
        assert_eq!(section(prompt, "memory_blocks"), Some("<memory_blocks>\nx\n</memory_blocks>"));
        assert_eq!(section(prompt, "tool_usage_rules"), None);
        assert_eq!(section("</a> <a>", "a"), None);
        assert_eq!((tokens(""), tokens("abcd"), tokens("abcde")), (0, 1, 2));
    }
}
