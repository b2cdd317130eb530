//! `POST /workbench/approvals/{message_id}/answer`: a person's decisions about every call of one request. Allowed
//! calls of this desk's tools run here; then one complete answer goes out through the ordinary route, and its
//! stream comes back.

use axum::{
    body::{Body, to_bytes},
    extract::{Path, State},
    http::{Request as HttpRequest, StatusCode, header},
    response::Response,
};
use futures::{StreamExt, TryStreamExt, stream};
use loci_api::{
    error::ApiError,
    ids::MessageId,
    message::{ToolCall, ToolStatus},
    time::Timestamp,
};
use loci_server::{CONFINEMENT, error::Failure};
use loci_store::table::{
    approval_audit::{AuditEntry, AuditEvent, AuditOutcome, CallKind, append},
    approval_rule::RuleEffect,
    approved_tool, client_call,
};
use serde_json::{Map, Value, json};

use super::{
    decision::{Act, Answer, Planned, plan},
    log,
    request::Request,
    rules, run,
};
use crate::{Desk, events::Event, extract::Json, router, sentences::Approval};

/// Calls that only read run side by side, this many at once.
const TOGETHER: usize = 8;
/// Characters of what a server says of how it confined a tool.
const LONGEST_CONFINEMENT: usize = 1_000;
/// Bytes of what a server says of a tool it ran.
const LARGEST_RETURN: usize = 16 << 20;

pub(super) async fn answer(
    State(desk): State<Desk>,
    Path(message_id): Path<String>,
    Json(answer): Json<Answer>,
) -> Result<Response, Failure> {
    let id: MessageId = message_id.parse()?;
    // On a task of its own: a window that closes in between must not leave a tool run without its answer.
    let task = tokio::spawn(async move {
        let Some(_claim) = desk.approvals().claim(&id) else {
            return Err(ApiError::conflict(Approval::AnsweredTwice).into());
        };
        let request = find(&desk, &id).await?;
        if answer.agent_id != request.agent_id || answer.conversation_id != request.conversation_id {
            return Err(
                ApiError::bad_request("This request belongs to another agent or conversation.").into()
            );
        }
        let shown = desk.approvals().shown(&id);
        let hash_of = |call: &super::ShownCall| call.hash.clone();
        let hash_shown =
            |call: &str| shown.as_ref().map(|calls| calls.get(call).map(hash_of).unwrap_or_default());
        let plan = plan(&request, answer.decisions, hash_shown)?;
        let response = give(&desk, &request, plan).await?;
        if response.status().is_success() {
            desk.events().tell(resolved(&request, None));
        }
        Ok(response)
    });
    task.await.map_err(anyhow::Error::from)?
}

pub(super) async fn find(desk: &Desk, id: &MessageId) -> Result<Request, Failure> {
    let gone = || ApiError::conflict(Approval::AnsweredGone);
    let elsewhere = desk.pending_elsewhere(id).await?;
    let wanted = id.clone();
    let found = desk
        .app()
        .store()
        .read(move |conn| match elsewhere {
            None => Request::find(conn, &wanted),
            Some(pending) => pending.map(|pending| Request::new(conn, pending)).transpose(),
        })
        .await?;
    Ok(found.ok_or_else(gone)?)
}

pub(super) fn resolved(request: &Request, run_id: Option<String>) -> Event {
    Event::ApprovalResolved {
        agent_id: request.agent_id.to_string(),
        conversation_id: request.conversation_id.as_ref().map(ToString::to_string),
        message_id: request.id.to_string(),
        run_id,
    }
}

/// Carries a plan out: notes it, makes its rules, runs what runs here, and sends the answer. Only with the claim.
pub(super) async fn give(desk: &Desk, request: &Request, plan: Vec<Planned>) -> Result<Response, Failure> {
    note(desk, request, &plan).await?;
    let bound: Vec<(ToolCall, String)> = plan
        .iter()
        .filter(|planned| matches!(planned.act, Act::Approve))
        .map(|planned| (planned.call.clone(), planned.hash.clone()))
        .collect();
    let mut approvals = carry_out(desk, request, plan).await?;
    // What ran here may have taken minutes. What the server is told to run must still be what was allowed.
    let now = find(desk, &request.id).await?;
    for (call, hash) in bound {
        let verdict = now.verdict(&call, &call.arguments);
        let refusal = if now.hash(&call) != hash {
            Some("The tool was changed after the call was allowed, so it was not run.".to_owned())
        } else {
            (verdict.effect == RuleEffect::Deny).then_some(verdict.because.message)
        };
        if let Some(reason) = refusal {
            let denial = approval(&call.id, false, Some(reason));
            if let Some(given) = approvals.iter_mut().find(|given| given["tool_call_id"] == json!(call.id)) {
                *given = denial;
            }
        }
    }
    let response = router::send(desk, &request.connection, outgoing(request, &approvals)).await?;
    if response.status().is_success() {
        let (connection, id) = (request.connection.clone(), request.id.clone());
        desk.approvals().answered(&id);
        desk.app().store().write(move |tx| client_call::deliver(tx, &connection, &id)).await?;
    }
    Ok(response)
}

/// Decisions and the rules made with them, in one transaction.
async fn note(desk: &Desk, request: &Request, plan: &[Planned]) -> Result<(), Failure> {
    let entries: Vec<_> = plan.iter().map(|planned| log::decided(request, planned)).collect();
    let allowed: Vec<_> = plan.iter().filter_map(|planned| log::allowed(request, planned)).collect();
    let mut made = Vec::new();
    for planned in plan {
        if let Some(remember) = &planned.remember {
            let effect = match planned.act {
                Act::Deny { .. } => RuleEffect::Deny,
                Act::Approve | Act::RunThere { .. } | Act::Run { .. } | Act::Deliver { .. } | Act::Report => {
                    RuleEffect::Allow
                }
            };
            made.push(remember.rule(request, &planned.call, effect)?);
        }
    }
    let any = !made.is_empty();
    desk.app()
        .store()
        .try_write(move |tx| {
            made.iter().try_for_each(|row| rules::keep(tx, row))?;
            entries.iter().try_for_each(|entry| append(tx, entry).map(drop))?;
            allowed.iter().try_for_each(|tool| approved_tool::keep(tx, tool))?;
            Ok::<_, Failure>(())
        })
        .await?;
    if any {
        desk.events().tell(Event::RuleChanged);
        desk.look_soon();
    }
    Ok(())
}

/// Runs what runs here, in the order of the calls. Neighbours that only read run side by side.
async fn carry_out(desk: &Desk, request: &Request, plan: Vec<Planned>) -> Result<Vec<Value>, Failure> {
    let mut groups: Vec<Vec<Planned>> = Vec::new();
    for planned in plan {
        let reads = |planned: &Planned| match &planned.act {
            Act::Run { tool, .. } => tool.read_only(),
            Act::Deny { .. } | Act::Approve | Act::Deliver { .. } | Act::Report => true,
            Act::RunThere { .. } => false,
        };
        match groups.last_mut() {
            Some(group) if reads(&planned) && group.iter().all(reads) => group.push(planned),
            Some(_) | None => groups.push(vec![planned]),
        }
    }
    let mut approvals = Vec::new();
    for group in groups {
        let done: Vec<Value> = stream::iter(group.into_iter().map(|planned| one(desk, request, planned)))
            .buffered(TOGETHER)
            .try_collect()
            .await?;
        approvals.extend(done);
    }
    Ok(approvals)
}

async fn one(desk: &Desk, request: &Request, planned: Planned) -> Result<Value, Failure> {
    let Planned { call, hash, act, .. } = planned;
    Ok(match act {
        Act::Deny { reason } => approval(&call.id, false, reason),
        Act::Approve => approval(&call.id, true, None),
        Act::Deliver { result, status } => returned(&call.id, &result, status),
        Act::Report => returned(&call.id, UNKNOWN, ToolStatus::Error),
        Act::RunThere { arguments } => run_there(desk, request, &call, &hash, arguments).await?,
        Act::Run { tool, arguments, edited, answer } => {
            let job = run::Job { call: call.clone(), hash, tool, arguments, edited, answer };
            let told = run::run(desk, &request.id, job).await?;
            returned(&call.id, &told.text, told.status)
        }
    })
}

const UNKNOWN: &str = "The program on the person's machine ended while this call ran. Nobody knows whether it took \
    effect, in whole or in part. Look before you try again.";

fn approval(tool_call_id: &str, approve: bool, reason: Option<String>) -> Value {
    json!({"type": "approval", "tool_call_id": tool_call_id, "approve": approve, "reason": reason})
}

fn returned(tool_call_id: &str, text: &str, status: ToolStatus) -> Value {
    json!({"type": "tool", "tool_call_id": tool_call_id, "tool_return": text, "status": status})
}

/// A server's tool with arguments a person changed: the API has no way to approve other arguments than the model's,
/// so the tool is run by its own route and its result is given as the call's.
async fn run_there(
    desk: &Desk,
    request: &Request,
    call: &ToolCall,
    hash: &str,
    arguments: Map<String, Value>,
) -> Result<Value, Failure> {
    let given = run::Given::Edited(&arguments);
    let note = match run::begin(desk, &request.id, call, hash, given, CallKind::Server).await? {
        Ok((_, note)) => note,
        Err(problem) => return Ok(returned(&call.id, &problem, ToolStatus::Error)),
    };
    let path = format!("/v1/agents/{}/tools/{}/run", request.agent_id, segment(&call.name));
    let body = json!({"args": arguments}).to_string();
    let run = HttpRequest::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body))
        .map_err(anyhow::Error::from)?;
    let (status, confinement, said) = match asked_to_run(desk, &request.connection, run).await {
        Ok(answer) => answer,
        Err(failure) => {
            // It may run there all the same: the person is asked what to tell the agent.
            desk.app().store().write(move |tx| client_call::lose(tx, &note)).await?;
            return Err(failure);
        }
    };
    let text = match &said["func_return"] {
        Value::Null if !status.is_success() => format!("The server could not run it: {said}"),
        Value::Null => "None".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let well = status.is_success() && said["status"] == json!("success");
    let status = if well { ToolStatus::Success } else { ToolStatus::Error };
    let outcome = if well { AuditOutcome::Success } else { AuditOutcome::Error };
    let finished = AuditEntry {
        event: AuditEvent::Finished,
        outcome,
        reason: (!well).then(|| text.chars().take(2_000).collect()),
        confinement: confinement.clone(),
        ..log::entry(request, call, CallKind::Server, hash, Some(&arguments))
    };
    let text = run::told_edited(arguments, &text);
    let kept = text.clone();
    desk.app()
        .store()
        .write(move |tx| {
            client_call::finish(tx, &note, status, &kept, confinement.as_deref(), Timestamp::now())?;
            append(tx, &finished).map(drop)
        })
        .await?;
    Ok(returned(&call.id, &text, status))
}

/// The server's answer: its status, how it says it confined the tool, and what it says of the call.
///
/// # Errors
/// No whole answer came.
async fn asked_to_run(
    desk: &Desk,
    connection: &str,
    run: HttpRequest<Body>,
) -> Result<(StatusCode, Option<String>, Value), Failure> {
    let response = router::send(desk, connection, run).await?;
    let status = response.status();
    let confinement = response.headers().get(CONFINEMENT).and_then(|text| text.to_str().ok());
    let confinement = confinement.map(|text| text.chars().take(LONGEST_CONFINEMENT).collect());
    let bytes = to_bytes(response.into_body(), LARGEST_RETURN).await.map_err(|_| {
        ApiError::unavailable(
            "The server's answer about the tool it was to run broke off. Look at the call again.",
        )
    })?;
    let said: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    ) {
        // Something between here and the server says so; what became of the call is not in it.
        let detail = &said["detail"];
        let why = detail["message"].as_str().or(detail.as_str()).unwrap_or("The server gave no answer.");
        return Err(ApiError::unavailable(why.to_owned()).into());
    }
    Ok((status, confinement, said))
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// The ordinary request that carries the whole answer.
fn outgoing(request: &Request, approvals: &[Value]) -> HttpRequest<Body> {
    let mut body = json!({
        "messages": [{"type": "approval", "approvals": approvals, "otid": uuid::Uuid::new_v4()}],
        "streaming": true,
        "stream_tokens": true,
        "background": true,
    });
    // They are valid for one request only, so the agent is offered them again.
    let specs = request.kit.specs();
    if !specs.is_empty() {
        body["client_tools"] = json!(specs);
    }
    let path = match &request.conversation_id {
        Some(conversation) => format!("/v1/conversations/{conversation}/messages"),
        None => format!("/v1/agents/{}/messages", request.agent_id),
    };
    HttpRequest::post(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "text/event-stream")
        .body(Body::from(body.to_string()))
        .expect("ids hold nothing a path cannot")
}
