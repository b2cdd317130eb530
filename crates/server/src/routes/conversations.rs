//! Conversations: list, create, show, change, delete. Their messages are in `conversation_messages`.

use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use loci_api::{
    conversation::{CreateConversation, UpdateConversation},
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId},
    resource::Conversation,
    time::Timestamp,
};
use loci_store::{
    Connection, Thread,
    table::conversation::{self, ConversationFilter, ConversationOrder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    App, agents, conversations,
    error::{Answer, Failure},
    extract::{JsonBody, MaybeBody, Params, Segments},
    fork,
    page::{Defaults, page},
    prompt,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/conversations", get(list).post(create))
        .route("/conversations/{conversation_id}", get(retrieve).patch(modify).delete(delete))
        .route("/conversations/{conversation_id}/recompile", post(recompile))
        .route("/conversations/{conversation_id}/fork", post(fork))
}

/// As the contract has it; `description`, which only some clients know, is shown when there is one.
fn shown(conversation: &Conversation) -> Value {
    let mut value = json!(conversation);
    if let Value::Object(fields) = &mut value
        && fields.get("description") == Some(&Value::Null)
    {
        fields.remove("description");
    }
    value
}

/// Lists conversations, of one agent or all, newest first unless said otherwise.
#[utoipa::path(get, path = "/v1/conversations/", operation_id = "list_conversations", tag = "conversations",
    params(
        ("agent_id" = Option<String>, Query), ("limit" = Option<i64>, Query), ("after" = Option<String>, Query),
        ("summary_search" = Option<String>, Query), ("order" = Option<String>, Query),
        ("order_by" = Option<String>, Query),
    ),
    responses((status = 200, body = Vec<Conversation>)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Answer<Json<Vec<Value>>> {
    let filter = ConversationFilter {
        agent_id: params.id::<AgentId>("agent_id")?,
        summary_search: params.text("summary_search").map(str::to_owned),
    };
    let order = params
        .choice(
            "order_by",
            &[
                ("created_at", ConversationOrder::CreatedAt),
                ("last_run_completion", ConversationOrder::LastRunCompletion),
                ("last_message_at", ConversationOrder::LastMessageAt),
            ],
        )?
        .unwrap_or_default();
    let page = page(&params, Defaults { limit: 50, ascending: false })?;
    let found = app.store().read(move |conn| conversation::list(conn, &filter, order, &page)).await?;
    Ok(Json(found.iter().map(shown).collect()))
}

/// Creates a conversation with an agent.
#[utoipa::path(post, path = "/v1/conversations/", operation_id = "create_conversation", tag = "conversations",
    params(("agent_id" = String, Query)), request_body = Option<CreateConversation>,
    responses((status = 200, body = Conversation)))]
pub(crate) async fn create(
    State(app): State<App>,
    params: Params,
    MaybeBody(body): MaybeBody<CreateConversation>,
) -> Answer<Json<Value>> {
    params.required("agent_id")?;
    let agent_id: AgentId =
        params.id("agent_id")?.ok_or_else(|| ApiError::validation("query.agent_id: Field required"))?;
    let made = conversations::create(&app, agent_id, body.unwrap_or_default()).await?;
    Ok(Json(shown(&made)))
}

/// Shows a conversation.
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}", operation_id = "retrieve_conversation",
    tag = "conversations", params(("conversation_id" = String, Path)), responses((status = 200, body = Conversation)))]
pub(crate) async fn retrieve(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let id: ConversationId = id.parse()?;
    let found = app.store().try_read(move |conn| conversations::require(conn, &id)).await?;
    Ok(Json(shown(&found)))
}

/// Changes a conversation.
#[utoipa::path(patch, path = "/v1/conversations/{conversation_id}", operation_id = "update_conversation",
    tag = "conversations", params(("conversation_id" = String, Path)), request_body = UpdateConversation,
    responses((status = 200, body = Conversation)))]
pub(crate) async fn modify(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(request): JsonBody<UpdateConversation>,
) -> Answer<Json<Value>> {
    Ok(Json(shown(&conversations::update(&app, id.parse()?, request).await?)))
}

/// Deletes a conversation; its messages stay searchable.
#[utoipa::path(delete, path = "/v1/conversations/{conversation_id}", operation_id = "delete_conversation",
    tag = "conversations", params(("conversation_id" = String, Path)),
    responses((status = 200, body = Option<Object>)))]
pub(crate) async fn delete(State(app): State<App>, Segments(id): Segments<String>) -> Answer<Json<Value>> {
    let id: ConversationId = id.parse()?;
    let thread = app
        .store()
        .try_write(move |tx| {
            let found = conversations::require(tx, &id)?;
            let thread = Thread::new(found.agent_id, Some(id.clone()));
            prompt::require_idle(tx, &thread)?;
            conversation::delete(tx, &id, Timestamp::now())?;
            Ok::<_, Failure>(thread)
        })
        .await?;
    app.runs().forget_context(&thread);
    Ok(Json(Value::Null))
}

/// Whose default thread is meant, where the path says `default`.
#[derive(Deserialize, Serialize, ToSchema, Default)]
#[serde(default)]
pub(crate) struct RecompileRequest {
    agent_id: Option<String>,
}

/// A conversation by its id, an agent's default thread by `default` and `agent_id`, or by the agent's id.
fn thread(conn: &Connection, id: &str, agent_id: Option<&str>) -> Answer<Thread> {
    let of_agent = match agent_id {
        _ if id.starts_with("agent-") => Some(id),
        Some(agent_id) if id == "default" => Some(agent_id),
        None if id == "default" => {
            return Err(
                ApiError::validation("agent_id: Field required where the conversation is `default`").into()
            );
        }
        _ => None,
    };
    match of_agent {
        Some(agent_id) => {
            let agent_id: AgentId = agent_id.parse()?;
            agents::state::require(conn, &agent_id)?;
            Ok(Thread::new(agent_id, None))
        }
        None => {
            let id: ConversationId = id.parse()?;
            Ok(Thread::new(conversations::require(conn, &id)?.agent_id, Some(id)))
        }
    }
}

/// Begins a conversation with everything another one holds, up to and with `message_id` if it is given.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/fork", operation_id = "fork_conversation",
    tag = "conversations",
    params(
        ("conversation_id" = String, Path), ("agent_id" = Option<String>, Query),
        ("message_id" = Option<String>, Query),
    ),
    responses((status = 200, body = Conversation)))]
pub(crate) async fn fork(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Value>> {
    let agent_id = params.text("agent_id").map(str::to_owned);
    let until: Option<MessageId> = params.id("message_id")?;
    let source = app.store().try_read(move |conn| thread(conn, &id, agent_id.as_deref())).await?;
    Ok(Json(shown(&fork::fork(&app, source, until).await?)))
}

/// Compiles the conversation's system prompt anew and returns it. `dry_run` changes nothing.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/recompile", operation_id = "recompile_conversation",
    tag = "conversations", params(("conversation_id" = String, Path), ("dry_run" = Option<bool>, Query)),
    request_body = Option<RecompileRequest>, responses((status = 200, body = String)))]
pub(crate) async fn recompile(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
    MaybeBody(body): MaybeBody<RecompileRequest>,
) -> Answer<Json<String>> {
    let dry_run = params.flag("dry_run")?.unwrap_or(false);
    let agent_id = body.unwrap_or_default().agent_id.or(params.text("agent_id").map(str::to_owned));
    let (text, thread) = app
        .store()
        .try_write(move |tx| {
            let thread = thread(tx, &id, agent_id.as_deref())?;
            Ok::<_, Failure>((prompt::recompile(tx, &thread, dry_run)?, thread))
        })
        .await?;
    app.runs().forget_context(&thread);
    Ok(Json(text))
}
