//! Messages of one conversation: list, send, resume a stream, cancel. `default` with an agent's id, or the agent's
//! id alone, is the agent's default conversation.

use axum::{
    Json, Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, RunId},
    parse::{ResumeRequest, SendRequest, SendRoute, request_token},
    wire::{self, LettaMessage, LettaResponse, MessageType},
};
use loci_store::{
    Thread,
    table::{
        conversation,
        message::{self, MessageFilter, ThreadFilter},
        run,
    },
};
use serde_json::{Map, Value};

use super::messages::{answer, default_thread, listed, view};
use crate::{
    App, conversations,
    error::Answer,
    extract::{JsonBody, MaybeBody, Params, Segments},
    page::{Defaults, page},
    runs::{self, Cancelled, Origin, Resume},
    stream,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/conversations/{conversation_id}/messages", get(list).post(create))
        .route("/conversations/{conversation_id}/messages/preview-raw-payload", post(preview))
        .route("/conversations/{conversation_id}/stream", post(resume))
        .route("/conversations/{conversation_id}/cancel", post(cancel))
}

/// What the place of a conversation's id may hold.
enum Named {
    Conversation(ConversationId),
    DefaultOf(AgentId),
}

fn named(text: &str, agent_id: Option<AgentId>) -> Answer<Named> {
    if text == "default" {
        return match agent_id {
            Some(agent_id) => Ok(Named::DefaultOf(agent_id)),
            None => Err(ApiError::validation(
                "agent_id: Field required; the conversation 'default' is one of an agent, say of which",
            )
            .into()),
        };
    }
    if text.starts_with("agent-") {
        return Ok(Named::DefaultOf(text.parse()?));
    }
    Ok(Named::Conversation(text.parse()?))
}

/// The thread, or 404.
pub(super) async fn thread(app: &App, text: &str, agent_id: Option<AgentId>) -> Answer<Thread> {
    match named(text, agent_id)? {
        Named::DefaultOf(agent_id) => default_thread(app, agent_id).await,
        Named::Conversation(id) => {
            let wanted = id.clone();
            let owner = app.store().read(move |conn| conversation::agent_of(conn, &wanted)).await?;
            match owner {
                Some(agent_id) => Ok(Thread::new(agent_id, Some(id))),
                None => Err(conversations::not_found(&id).into()),
            }
        }
    }
}

/// Lists a conversation's messages, newest first unless `order=asc`; cursors follow the order. An unknown
/// conversation has none.
#[utoipa::path(get, path = "/v1/conversations/{conversation_id}/messages",
    operation_id = "list_conversation_messages", tag = "conversations",
    params(
        ("conversation_id" = String, Path), ("agent_id" = Option<String>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query), ("order" = Option<String>, Query),
        ("order_by" = Option<String>, Query), ("group_id" = Option<String>, Query),
        ("include_err" = Option<bool>, Query), ("include_return_message_types" = Option<Vec<MessageType>>, Query),
    ),
    responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn list(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<LettaMessage>>> {
    let view = view(&params)?;
    let (agent_id, thread) = match named(&id, params.id("agent_id")?)? {
        Named::Conversation(id) => (None, ThreadFilter::Conversation(id)),
        Named::DefaultOf(agent_id) => (Some(agent_id), ThreadFilter::Default),
    };
    let filter = MessageFilter {
        agent_id,
        thread,
        group_id: params.text("group_id").map(str::to_owned),
        roles: wire::roles_of(view.types.as_deref()),
        include_err: params.flag("include_err")?.unwrap_or(false),
        ..MessageFilter::default()
    };
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    Ok(Json(listed(&app, filter, page, &view).await?))
}

/// Sends messages in a conversation; streams what follows unless `streaming` is false.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/messages",
    operation_id = "send_conversation_message", tag = "conversations",
    params(("conversation_id" = String, Path)), request_body = Object,
    responses((status = 200, body = LettaResponse)))]
pub(crate) async fn create(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Response> {
    let request = SendRequest::parse(&body, SendRoute::Conversation)?;
    let thread = thread(&app, &id, request.agent_id.clone()).await?;
    answer(&app, thread, request, Origin::Conversations).await
}

/// Shows what sending this would send to the model; nothing is sent and nothing stored.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/messages/preview-raw-payload",
    operation_id = "preview_conversation_model_request", tag = "conversations",
    params(("conversation_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Object)))]
pub(crate) async fn preview(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Json<Map<String, Value>>> {
    let request = SendRequest::parse(&body, SendRoute::Conversation)?;
    let thread = thread(&app, &id, request.agent_id.clone()).await?;
    Ok(Json(runs::preview(&app, thread, request, Origin::Conversations).await?))
}

/// Goes on with the stream of a background run of this conversation: the one named by `run_id` or `otid`, else
/// the one under way.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/stream",
    operation_id = "retrieve_conversation_stream", tag = "conversations",
    params(("conversation_id" = String, Path)), request_body = Option<Object>,
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream")))]
pub(crate) async fn resume(
    State(app): State<App>,
    Segments(id): Segments<String>,
    MaybeBody(body): MaybeBody<Value>,
) -> Answer<Response> {
    let request = ResumeRequest::parse(body.as_ref())?;
    let thread = thread(&app, &id, request.agent_id.clone()).await?;
    let run_id = match (&request.run_id, request.otid) {
        (Some(run_id), _) => super::runs::run_id(run_id)?,
        (None, Some(otid)) => by_otid(&app, &thread, otid).await?,
        (None, None) => {
            let on = thread.clone();
            let active = app.store().read(move |conn| run::active_on(conn, &on)).await?;
            active
                .map(|run| run.id)
                .ok_or_else(|| ApiError::bad_request("No active runs found for this conversation."))?
        }
    };
    let from = Resume { starting_after: request.starting_after, include_pings: request.include_pings };
    Ok(stream::response(runs::resume(&app, &run_id, from).await?))
}

/// The run of the message a client gave this id. A request that still waits for its turn has stored no message,
/// but its run is known.
async fn by_otid(app: &App, thread: &Thread, otid: String) -> Answer<RunId> {
    let token = request_token([otid.as_str()]);
    if let Some(live) = app.runs().by_token(thread, &token) {
        return Ok(live.id.clone());
    }
    let (on, wanted) = (thread.clone(), otid.clone());
    let found = app.store().read(move |conn| message::find_by_otid(conn, &on, &[wanted])).await?;
    found
        .and_then(|message| message.run_id)
        .ok_or_else(|| ApiError::not_found(format!("No run found for otid={otid}")).into())
}

/// Cancels what goes on in a conversation, or denies what it waits for.
#[utoipa::path(post, path = "/v1/conversations/{conversation_id}/cancel", operation_id = "cancel_conversation",
    tag = "conversations", params(("conversation_id" = String, Path), ("agent_id" = Option<String>, Query)),
    responses((status = 200, body = Object)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Cancelled>> {
    let thread = thread(&app, &id, params.id("agent_id")?).await?;
    Ok(Json(runs::cancel_thread(&app, &thread, false).await?))
}
