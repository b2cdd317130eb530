//! Messages of an agent: send, stream, list, cancel; and one message by its id.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId, RunId},
    parse::{SendRequest, SendRoute, cancel_run_ids},
    resource::Run,
    wire::{self, LettaMessage, LettaResponse, MessageType, View},
};
use loci_store::{
    Page, Thread,
    table::{
        agent,
        message::{self, MessageFilter, ThreadFilter},
        run,
    },
};
use serde_json::{Map, Value};

use crate::{
    App,
    agents::state::not_found,
    error::{Answer, Failure},
    extract::{JsonBody, MaybeBody, Params, Segments},
    page::{Defaults, page},
    runs::{self, Answered, Cancelled, Origin, Resume},
    stream,
};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/agents/{agent_id}/messages", get(list).post(create))
        .route("/agents/{agent_id}/messages/stream", post(create_stream))
        .route("/agents/{agent_id}/messages/async", post(create_async))
        .route("/agents/{agent_id}/messages/cancel", post(cancel))
        .route("/agents/{agent_id}/messages/preview-raw-payload", post(preview))
        .route("/messages/{message_id}", get(retrieve))
}

/// The kinds of message a list was asked for.
pub(super) fn view(params: &Params) -> Answer<View> {
    let words = params.words("include_return_message_types");
    let types: Result<Vec<MessageType>, _> = words.iter().map(|word| word.parse()).collect();
    let types = types
        .map_err(|error| ApiError::validation(format!("query.include_return_message_types: {error}")))?;
    Ok(View { types: (!types.is_empty()).then_some(types), summaries: false })
}

/// The agent's default thread, or 404.
pub(super) async fn default_thread(app: &App, agent_id: AgentId) -> Answer<Thread> {
    let wanted = agent_id.clone();
    if app.store().read(move |conn| agent::exists(conn, &wanted)).await? {
        Ok(Thread::new(agent_id, None))
    } else {
        Err(not_found(&agent_id).into())
    }
}

/// Sends, and answers as was asked: in one piece, or with a stream of the run.
pub(super) async fn answer(
    app: &App,
    thread: Thread,
    request: SendRequest,
    origin: Origin,
) -> Answer<Response> {
    let (streaming, view, pings) = (request.streaming, request.view.clone(), request.include_pings);
    let answered = runs::send(app, thread, request, origin).await?;
    if !streaming {
        let done = answered.finished(app).await?;
        let response = LettaResponse::new(&done.messages, done.stop_reason, done.usage, &view);
        return Ok(Json(response).into_response());
    }
    match answered {
        Answered::Live(live) => Ok(stream::response(live.watch(0, pings))),
        Answered::Past(run) => {
            let from = Resume { starting_after: 0, include_pings: pings };
            Ok(stream::response(runs::replay(app, &run, from).await?))
        }
    }
}

/// Lists an agent's messages. The newest of the range unless `order=asc`, always oldest first; `before` and
/// `after` mean earlier and later in time.
#[utoipa::path(get, path = "/v1/agents/{agent_id}/messages", operation_id = "list_messages", tag = "agents",
    params(
        ("agent_id" = String, Path), ("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query), ("order" = Option<String>, Query), ("order_by" = Option<String>, Query),
        ("group_id" = Option<String>, Query), ("conversation_id" = Option<String>, Query),
        ("use_assistant_message" = Option<bool>, Query), ("assistant_message_tool_name" = Option<String>, Query),
        ("assistant_message_tool_kwarg" = Option<String>, Query), ("include_err" = Option<bool>, Query),
        ("include_return_message_types" = Option<Vec<MessageType>>, Query),
    ),
    responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn list(
    State(app): State<App>,
    Segments(id): Segments<String>,
    params: Params,
) -> Answer<Json<Vec<LettaMessage>>> {
    let id: AgentId = id.parse()?;
    let page = page(&params, Defaults { limit: 100, ascending: false })?;
    let view = view(&params)?;
    let filter = MessageFilter {
        thread: match params.text("conversation_id") {
            None => ThreadFilter::Any,
            Some("default") => ThreadFilter::Default,
            Some(id) => ThreadFilter::Conversation(id.parse::<ConversationId>()?),
        },
        group_id: params.text("group_id").map(str::to_owned),
        roles: wire::roles_of(view.types.as_deref()),
        include_err: params.flag("include_err")?.unwrap_or(false),
        ..MessageFilter::default()
    };
    let found = app
        .store()
        .try_read(move |conn| {
            if !agent::exists(conn, &id)? {
                return Err(Failure(ApiError::not_found("Agent not found")));
            }
            Ok(message::list_for_agent(conn, &id, &filter, &page)?)
        })
        .await?;
    Ok(Json(wire::expand_all(&found, &view)))
}

/// Sends messages to an agent and waits for what it does, or streams it with `streaming`.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/messages", operation_id = "send_message", tag = "agents",
    params(("agent_id" = String, Path)), request_body = Object,
    responses((status = 200, body = LettaResponse)))]
pub(crate) async fn create(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Response> {
    let id: AgentId = id.parse()?;
    let request = SendRequest::parse(&body, SendRoute::Agent)?;
    answer(&app, default_thread(&app, id).await?, request, Origin::Agents).await
}

/// Sends messages to an agent and streams what it does.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/messages/stream", operation_id = "create_agent_message_stream",
    tag = "agents", params(("agent_id" = String, Path)), request_body = Object,
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream")))]
pub(crate) async fn create_stream(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Response> {
    let id: AgentId = id.parse()?;
    let request = SendRequest::parse(&body, SendRoute::AgentStream)?;
    answer(&app, default_thread(&app, id).await?, request, Origin::Agents).await
}

/// Sends messages to an agent and answers with the run that works on them.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/messages/async", operation_id = "create_agent_message_async",
    tag = "agents", params(("agent_id" = String, Path)), request_body = Object,
    responses((status = 200, body = Run)))]
pub(crate) async fn create_async(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Json<Run>> {
    let id: AgentId = id.parse()?;
    let request = SendRequest::parse(&body, SendRoute::Async)?;
    runs::check_callback(&app, request.callback_url.as_deref()).await?;
    let thread = default_thread(&app, id).await?;
    let run_id = match runs::send(&app, thread, request, Origin::Agents).await? {
        Answered::Live(live) => match live.refusal() {
            Some(refusal) => return Err(refusal.into()),
            None => live.id.clone(),
        },
        Answered::Past(run) => run.id.clone(),
    };
    let wanted = run_id.clone();
    let found = app.store().read(move |conn| run::get(conn, &wanted)).await?;
    found.map(Json).ok_or_else(|| ApiError::not_found(format!("Run not found with id='{run_id}'")).into())
}

/// Shows what sending this would send to the model; nothing is sent and nothing stored.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/messages/preview-raw-payload",
    operation_id = "preview_model_request", tag = "agents", params(("agent_id" = String, Path)),
    request_body = Object, responses((status = 200, body = Object)))]
pub(crate) async fn preview(
    State(app): State<App>,
    Segments(id): Segments<String>,
    JsonBody(body): JsonBody<Value>,
) -> Answer<Json<Map<String, Value>>> {
    let id: AgentId = id.parse()?;
    let request = SendRequest::parse(&body, SendRoute::AgentStream)?;
    let thread = default_thread(&app, id).await?;
    Ok(Json(runs::preview(&app, thread, request, Origin::Agents).await?))
}

/// Cancels runs of an agent; without `run_ids`, all that go on and what waits for approval.
#[utoipa::path(post, path = "/v1/agents/{agent_id}/messages/cancel", operation_id = "cancel_message", tag = "agents",
    params(("agent_id" = String, Path)), request_body = Option<Object>,
    responses((status = 200, body = Object)))]
pub(crate) async fn cancel(
    State(app): State<App>,
    Segments(id): Segments<String>,
    MaybeBody(body): MaybeBody<Value>,
) -> Answer<Json<Cancelled>> {
    let id: AgentId = id.parse()?;
    let run_ids = cancel_run_ids(body.as_ref())?;
    let thread = default_thread(&app, id.clone()).await?;
    let outcome = match run_ids {
        Some(ids) if !ids.is_empty() => {
            let ids = ids.into_iter().map(RunId::from_trusted).collect();
            runs::cancel_runs(&app, &id, ids).await?
        }
        Some(_) | None => runs::cancel_thread(&app, &thread, true).await?,
    };
    Ok(Json(outcome))
}

/// Shows one stored message: all API messages it expands to.
#[utoipa::path(get, path = "/v1/messages/{message_id}", operation_id = "retrieve_message", tag = "messages",
    params(("message_id" = String, Path)), responses((status = 200, body = Vec<LettaMessage>)))]
pub(crate) async fn retrieve(
    State(app): State<App>,
    Segments(id): Segments<String>,
) -> Answer<Json<Vec<LettaMessage>>> {
    let id: MessageId = id.parse()?;
    let wanted = id.clone();
    let found = app.store().read(move |conn| message::get(conn, &wanted)).await?;
    match found {
        Some(message) => Ok(Json(wire::expand(&message, &View::default()))),
        None => Err(ApiError::not_found(format!("Message not found with id='{id}'")).into()),
    }
}

/// All messages a filter finds, a page of them, as a list shows them.
pub(super) async fn listed(
    app: &App,
    filter: MessageFilter,
    page: Page,
    view: &View,
) -> Answer<Vec<LettaMessage>> {
    let found = app.store().read(move |conn| message::list(conn, &filter, &page)).await?;
    Ok(wire::expand_all(&found, view))
}
