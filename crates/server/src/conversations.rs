//! Conversations as resources: created with a system message of their own, changed, forgotten.

use loci_api::{
    conversation::{CreateConversation, UpdateConversation},
    error::ApiError,
    ids::{AgentId, BlockId, ConversationId, DEFAULT_USER_ID},
    resource::Conversation,
    time::Timestamp,
};
use loci_store::{
    Connection, Thread,
    table::{agent, block, conversation},
};
use serde_json::{Map, Value};

use crate::{
    App,
    agents::settings::resolve_model,
    changes,
    error::Answer,
    model::{self, Loose},
    prompt,
};

/// Characters of the longest title.
const MAX_SUMMARY_CHARS: usize = 10_000;

/// 404 for a conversation that is not there or was deleted.
#[must_use]
pub fn not_found(id: &ConversationId) -> ApiError {
    ApiError::not_found(format!("Conversation not found with id='{id}'"))
}

/// The conversation, or 404.
pub fn require(conn: &Connection, id: &ConversationId) -> Answer<Conversation> {
    conversation::get(conn, id)?.ok_or_else(|| not_found(id).into())
}

fn check_summary(summary: Option<&str>) -> Answer<()> {
    match summary {
        Some(text) if text.chars().count() > MAX_SUMMARY_CHARS => Err(ApiError::validation(format!(
            "body.summary: must have at most {MAX_SUMMARY_CHARS} characters"
        ))
        .into()),
        _ => Ok(()),
    }
}

/// The conversation's own settings: checked and filled up against its own model, or the agent's.
async fn settings(
    app: &App,
    agent_model: Option<&str>,
    own: Option<&str>,
    given: Option<&Map<String, Value>>,
) -> Answer<Option<Value>> {
    let Some(handle) = own.or(agent_model) else { return Ok(given.cloned().map(Value::Object)) };
    if own.is_none() && given.is_none() {
        return Ok(None);
    }
    let resolved = resolve_model(app, handle).await?;
    Ok(Some(Value::Object(model::settings(&resolved, given, &Loose::default())?)))
}

/// Creates a conversation with a system message of its own, and copies of the blocks it shall not share.
///
/// # Errors
/// 404 for an unknown agent or model, 400 for a label the agent has no block of.
pub async fn create(app: &App, agent_id: AgentId, request: CreateConversation) -> Answer<Conversation> {
    check_summary(request.summary.as_deref())?;
    let id = agent_id.clone();
    let row = app
        .store()
        .read(move |conn| agent::get(conn, &id))
        .await?
        .ok_or_else(|| ApiError::not_found("Agent not found"))?;
    let settings =
        settings(app, row.model.as_deref(), request.model.as_deref(), request.model_settings.as_ref())
            .await?;
    app.store()
        .try_write(move |tx| {
            let now = Timestamp::now();
            let made = Conversation {
                id: ConversationId::new(),
                agent_id: agent_id.clone(),
                summary: request.summary,
                description: request.description,
                in_context_message_ids: Vec::new(),
                isolated_block_ids: Vec::new(),
                model: request.model,
                model_settings: settings,
                last_message_at: None,
                created_at: Some(now),
                updated_at: Some(now),
                created_by_id: Some(DEFAULT_USER_ID.to_owned()),
                last_updated_by_id: Some(DEFAULT_USER_ID.to_owned()),
            };
            conversation::insert(tx, &made, now)?;
            for label in request.isolated_block_labels.unwrap_or_default() {
                isolate(tx, &made, &label, now)?;
            }
            prompt::begin_thread(tx, &Thread::new(agent_id, Some(made.id.clone())), now)?;
            require(tx, &made.id)
        })
        .await
}

/// Gives the conversation a copy of the agent's block of that label.
fn isolate(conn: &Connection, made: &Conversation, label: &str, now: Timestamp) -> Answer<()> {
    let Some((shared, _)) = block::get_by_label(conn, &made.agent_id, label)? else {
        let shown: String = label.chars().take(100).collect();
        return Err(ApiError::bad_request(format!(
            "INVALID_ARGUMENT: The agent has no block labelled '{shown}' that could be isolated"
        ))
        .into());
    };
    let copy = loci_api::resource::Block { id: BlockId::new(), ..shared };
    block::insert(conn, &copy, &changes::by_api(now))?;
    Ok(block::isolate(conn, &made.id, &copy.id)?)
}

/// Changes a conversation.
///
/// # Errors
/// 404 for an unknown conversation or model.
pub async fn update(app: &App, id: ConversationId, request: UpdateConversation) -> Answer<Conversation> {
    check_summary(request.summary.as_deref())?;
    let known = id.clone();
    let (current, agent_model) = app
        .store()
        .try_read(move |conn| {
            let current = require(conn, &known)?;
            let model = agent::get(conn, &current.agent_id)?.and_then(|agent| agent.model);
            Ok::<_, crate::error::Failure>((current, model))
        })
        .await?;
    let changes_model = request.model.is_some() || request.model_settings.is_some();
    let own = request.model.clone().or(current.model);
    let settings = if changes_model {
        settings(app, agent_model.as_deref(), own.as_deref(), request.model_settings.as_ref()).await?
    } else {
        None
    };
    app.store()
        .try_write(move |tx| {
            let now = Timestamp::now();
            let mut row = require(tx, &id)?;
            if request.summary.is_some() {
                row.summary = request.summary;
            }
            if request.description.is_some() {
                row.description = request.description;
            }
            if changes_model {
                row.model = own;
                row.model_settings = settings;
            }
            row.last_updated_by_id = Some(DEFAULT_USER_ID.to_owned());
            conversation::update(tx, &row, now)?;
            if let Some(at) = request.last_message_at {
                conversation::record_message(tx, &id, at)?;
            }
            require(tx, &id)
        })
        .await
}
