//! Accepting a request: checked against the thread, persisted with its run, in one transaction.

use loci_api::{
    error::ApiError,
    message::{Message, Role},
    parse::SendRequest,
    request::InputMessage,
    resource::{Run, RunStatus},
    time::Timestamp,
};
use loci_engine::{
    compaction,
    input::{self, Accepted, AcceptedKind, InputScope, Refusal},
};
use loci_store::{
    Page, StoreError, Thread, Transaction,
    table::{context, conversation, message, message::MessageFilter, run, step},
};
use serde_json::{Value, json};

use super::{live::LiveRun, send::Origin, threads::Threads, turn::Facts};
use crate::{App, error::Failure, prompt};

/// Why a request was not accepted.
#[derive(Debug)]
pub enum Refused {
    /// By the state of the thread.
    Thread(Refusal),
    /// By anything else.
    Other(Failure),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

/// What a turn starts from.
#[derive(Debug)]
pub struct Start {
    /// What is in the context window now, the accepted input last.
    pub context: Vec<Message>,
    /// Tokens the last model call on it took, the input not counted; 0 if that is not known.
    pub context_tokens: u64,
    pub follow_ups: Vec<Message>,
    pub kind: AcceptedKind,
}

/// What the transaction needs to know of the request.
pub struct Order<'a> {
    pub app: &'a App,
    pub live: &'a LiveRun,
    pub request: &'a SendRequest,
    pub facts: &'a Facts,
    /// The run's row exists already, because it had to wait.
    pub queued: bool,
    /// The same request failed before: what it stored is not stored again.
    pub retry: bool,
}

/// Checks and persists. The caller holds the thread.
pub async fn accept(order: Order<'_>) -> Result<Start, Refused> {
    let scope = InputScope {
        agent_id: order.live.thread.agent_id.clone(),
        conversation_id: order.live.thread.conversation_id.clone(),
        run_id: order.live.id.clone(),
        now: Timestamp::now(),
        timezone: order.facts.agent.timezone.clone(),
        context_window: order.facts.context_window,
    };
    let thread = order.live.thread.clone();
    let items = order.request.input.clone();
    let row = run_row(order.live, order.request, RunStatus::Running, scope.now);
    let token = order.request.token.clone();
    let (queued, retry) = (order.queued, order.retry);
    let autoclear = order.facts.agent.message_buffer_autoclear;
    // With no step to take an answer could not be carried out; it is checked and left for later.
    let idle = order.request.max_steps == 0;
    let runs = order.app.runs().clone();
    order
        .app
        .store()
        .try_write(move |tx| {
            let mut known = load(tx, &runs.0.threads, &thread)?;
            let answers = matches!(items.first(), Some(InputMessage::Approval { .. }));
            let newest = if answers { newest_tool_message(tx, &thread, &known)? } else { None };
            let items = if retry { not_stored(items, &known) } else { items };
            let mut accepted = if items.is_empty() {
                Accepted { messages: Vec::new(), follow_ups: Vec::new(), kind: AcceptedKind::Messages }
            } else {
                input::accept(&items, &known, newest.as_ref(), &scope, loci_api::ids::MessageId::new)
                    .map_err(Refused::Thread)?
            };
            if idle && accepted.kind != AcceptedKind::Messages {
                accepted.messages.clear();
                accepted.follow_ups.clear();
            }
            if queued {
                run::start(tx, &row.id)?;
            } else {
                run::insert(tx, &row, token.as_deref())?;
            }
            if autoclear && accepted.kind == AcceptedKind::Messages && known.len() > 1 {
                known.truncate(1);
                let first: Vec<_> = known.iter().map(|message| message.id.clone()).collect();
                context::replace(tx, &thread, &first)?;
            }
            let context_tokens = tokens(tx, &known)?;
            context::push(tx, &thread, &accepted.messages)?;
            if let Some(id) = &thread.conversation_id {
                conversation::record_message(tx, id, scope.now)?;
            }
            known.append(&mut accepted.messages);
            Ok(Start { context: known, context_tokens, follow_ups: accepted.follow_ups, kind: accepted.kind })
        })
        .await
}

/// The thread's context with an up-to-date message 0.
fn load(tx: &Transaction<'_>, threads: &Threads, thread: &Thread) -> Result<Vec<Message>, StoreError> {
    let tail = context::tail(tx, thread)?;
    let first = match prompt::refresh_thread(tx, thread)? {
        Some(first) => Some(first),
        None => context::first(tx, thread)?,
    };
    let Some(first) = first else {
        return Ok(vec![prompt::begin_thread(tx, thread, Timestamp::now())?]);
    };
    let known = tail.and_then(|(len, last)| threads.take_context(thread, len, Some(&last)));
    let mut messages = match known {
        Some(messages) => messages,
        None => context::load(tx, thread)?,
    };
    match messages.first_mut() {
        Some(zero) if zero.id == first.id => *zero = first,
        // Impossible while the database is consistent; the database is right.
        _ => messages = context::load(tx, thread)?,
    }
    Ok(messages)
}

/// What the provider counted for the last call on this context.
fn tokens(tx: &Transaction<'_>, context: &[Message]) -> Result<u64, StoreError> {
    let Some(step_id) = compaction::last_answer(context).and_then(|answer| answer.step_id.as_ref()) else {
        return Ok(0);
    };
    Ok(step::total_tokens(tx, step_id)?.unwrap_or(0))
}

/// Only a context that was just compacted needs it.
fn newest_tool_message(
    tx: &Transaction<'_>,
    thread: &Thread,
    context: &[Message],
) -> Result<Option<Message>, StoreError> {
    if !context.iter().all(|message| matches!(message.role, Role::System | Role::Summary)) {
        return Ok(None);
    }
    let filter = MessageFilter {
        agent_id: Some(thread.agent_id.clone()),
        roles: vec![Role::Tool],
        ..MessageFilter::default()
    };
    Ok(message::list(tx, &filter, &Page::newest(1))?.pop())
}

/// The items whose messages are not in the context yet.
fn not_stored(items: Vec<InputMessage>, context: &[Message]) -> Vec<InputMessage> {
    items
        .into_iter()
        .filter(|item| match item {
            InputMessage::Message { otid, .. } => {
                !context.iter().rev().any(|message| message.otid.as_deref() == Some(otid))
            }
            // Recognised by the calls it answers.
            InputMessage::Approval { .. } => true,
        })
        .collect()
}

/// The row of a run.
#[must_use]
pub fn run_row(live: &LiveRun, request: &SendRequest, status: RunStatus, now: Timestamp) -> Run {
    Run {
        id: live.id.clone(),
        status,
        created_at: now,
        completed_at: None,
        agent_id: live.thread.agent_id.clone(),
        conversation_id: live.thread.conversation_id.clone(),
        base_template_id: None,
        background: Some(live.background),
        metadata: None,
        request_config: Some(request_config(request)),
        stop_reason: None,
        callback_url: request.callback_url.clone(),
        callback_sent_at: None,
        callback_status_code: None,
        callback_error: None,
        ttft_ns: None,
        total_duration_ns: None,
    }
}

fn request_config(request: &SendRequest) -> Value {
    let types =
        request.view.types.as_ref().map(|types| types.iter().map(|kind| kind.as_str()).collect::<Vec<_>>());
    json!({
        "use_assistant_message": true,
        "assistant_message_tool_name": "send_message",
        "assistant_message_tool_kwarg": "message",
        "include_return_message_types": types,
    })
}

/// The HTTP form of a refusal.
///
/// On the agents route a pending approval is an object with a code; everywhere else a sentence.
#[must_use]
pub fn refusal(refusal: &Refusal, origin: Origin) -> ApiError {
    let text = refusal.to_string();
    match refusal {
        Refusal::PendingApproval { request_id } => {
            let mut error = ApiError::conflict(text);
            if origin == Origin::Agents {
                error.body = json!({"detail": {
                    "code": "PENDING_APPROVAL",
                    "message": error.message,
                    "pending_request_id": request_id,
                }});
            }
            error
        }
        Refusal::InvalidToolCallIds { .. } | Refusal::NoApprovals | Refusal::NothingPending => {
            ApiError::bad_request(text)
        }
    }
}
