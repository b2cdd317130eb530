//! `POST /workbench/approvals/{message_id}/answer`: a person's decisions about every call of one request. Allowed
//! calls of this desk's tools run here; then one complete answer goes out through the ordinary route, and its
//! stream comes back.

use std::{collections::HashSet, time::Duration};

use axum::{
    body::Body,
    extract::{Path, State},
    http::{Request as HttpRequest, header},
    response::Response,
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId},
    message::ToolCall,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::table::approval_audit::{self, AuditEntry, AuditEvent, AuditOutcome, CallKind};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::inbox::{Request, Runner};
use crate::{
    Desk,
    client_tools::{self, ClientTool},
    desk::LOCAL,
    events::Event,
    extract::Json,
    router,
};

/// How long a client tool may take.
const TOOL_TIME: Duration = Duration::from_secs(60);
/// Characters of a reason; it goes to the model.
const LONGEST_REASON: usize = 10_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    agent_id: AgentId,
    #[serde(default)]
    conversation_id: Option<ConversationId>,
    decisions: Vec<Decision>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    tool_call_id: String,
    decision: Choice,
    /// Why not; the model reads it.
    #[serde(default)]
    reason: Option<String>,
    /// What is to run instead of what the model asked for: an object, or its JSON text.
    #[serde(default)]
    arguments: Option<Value>,
    /// The `hash` of the call as it was shown.
    #[serde(default)]
    hash: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Choice {
    Allow,
    Deny,
}

/// One call with what happens to it.
#[derive(Debug)]
struct Planned {
    call: ToolCall,
    /// Of what the person was shown.
    hash: String,
    act: Act,
}

enum Act {
    Deny {
        kind: CallKind,
        reason: Option<String>,
    },
    /// The agent's server runs it.
    Approve,
    Run {
        tool: &'static ClientTool,
        arguments: Map<String, Value>,
        edited: bool,
    },
}

impl std::fmt::Debug for Act {
    fn fmt(&self, output: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        output.write_str(match self {
            Self::Deny { .. } => "Deny",
            Self::Approve => "Approve",
            Self::Run { edited: false, .. } => "Run",
            Self::Run { edited: true, .. } => "RunEdited",
        })
    }
}

pub(super) async fn answer(
    State(desk): State<Desk>,
    Path(message_id): Path<String>,
    Json(answer): Json<Answer>,
) -> Result<Response, Failure> {
    let id: MessageId = message_id.parse()?;
    // On a task of its own: a window that closes in between must not leave a tool run without its answer.
    let task = tokio::spawn(async move {
        let Some(_claim) = desk.approvals().claim(&id) else {
            return Err(ApiError::conflict("This request is being answered already.").into());
        };
        give(&desk, &id, answer).await
    });
    task.await.map_err(anyhow::Error::from)?
}

async fn find(desk: &Desk, id: &MessageId) -> Result<Request, Failure> {
    let wanted = id.clone();
    let found = desk.app().store().read(move |conn| Request::find(conn, &wanted)).await?;
    Ok(found.ok_or_else(|| {
        ApiError::conflict("This request waits no longer: it was answered or cancelled elsewhere.")
    })?)
}

async fn give(desk: &Desk, id: &MessageId, answer: Answer) -> Result<Response, Failure> {
    let request = find(desk, id).await?;
    if answer.agent_id != request.agent_id || answer.conversation_id != request.conversation_id {
        return Err(ApiError::bad_request("This request belongs to another agent or conversation.").into());
    }
    let shown = desk.approvals().state().shown.get(id).cloned();
    let hash_shown = |call: &str| shown.as_ref().map(|calls| calls.get(call).cloned().unwrap_or_default());
    let plan = check(&request, answer.decisions, hash_shown)?;
    record(desk, plan.iter().map(|planned| decided(&request, planned)).collect()).await?;

    let mut approvals = Vec::with_capacity(plan.len());
    for planned in plan {
        approvals.push(match planned.act {
            Act::Deny { reason, .. } => approval(&planned.call.id, false, reason),
            Act::Approve => approval(&planned.call.id, true, None),
            Act::Run { .. } => run(desk, id, planned).await?,
        });
    }
    let response = router::send(desk, LOCAL, outgoing(&request, &approvals)).await?;
    if response.status().is_success() {
        desk.approvals().state().waiting.remove(id);
        desk.events().tell(Event::ApprovalResolved {
            agent_id: request.agent_id.to_string(),
            conversation_id: request.conversation_id.as_ref().map(ToString::to_string),
            message_id: id.to_string(),
        });
    }
    Ok(response)
}

fn approval(tool_call_id: &str, approve: bool, reason: Option<String>) -> Value {
    json!({"type": "approval", "tool_call_id": tool_call_id, "approve": approve, "reason": reason})
}

/// Turns decisions into a plan, in the order of the calls, or says what is wrong with them. `shown` is the hash of
/// a call when it was last shown here, if its request was.
fn check(
    request: &Request,
    decisions: Vec<Decision>,
    shown: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Planned>, ApiError> {
    let asked: HashSet<&str> = request.calls.iter().map(|call| call.id.as_str()).collect();
    let given: HashSet<&str> = decisions.iter().map(|decision| decision.tool_call_id.as_str()).collect();
    if decisions.len() != given.len() {
        return Err(ApiError::bad_request("A call is decided about twice."));
    }
    if asked != given {
        let list = |mut ids: Vec<&str>| {
            ids.sort_unstable();
            ids.join(", ")
        };
        return Err(ApiError::bad_request(format!(
            "Decide about every call of the request at once. It waits for: {}. Decided about: {}.",
            list(asked.into_iter().collect()),
            list(given.into_iter().map(|id| id.get(..100).unwrap_or(id)).collect()),
        )));
    }
    let mut changed = Vec::new();
    let mut plan = Vec::with_capacity(request.calls.len());
    for call in &request.calls {
        let Some(decision) = decisions.iter().find(|decision| decision.tool_call_id == call.id) else {
            return Err(ApiError::internal());
        };
        let hash = request.hash(call);
        let seen = decision.hash.clone().or_else(|| shown(&call.id));
        // Denying is right whatever it has become.
        if decision.decision == Choice::Allow && seen.is_some_and(|seen| seen != hash) {
            changed.push(call.name.clone());
        }
        plan.push(Planned { act: act(request, call, decision)?, call: call.clone(), hash });
    }
    if !changed.is_empty() {
        let mut error = ApiError::conflict(format!(
            "The tool {} is not what it was when you were asked. Look at the call again and decide anew.",
            changed.join(", ")
        ));
        error.body = json!({"detail": {"code": "CALL_CHANGED", "message": error.message, "tools": changed}});
        return Err(error);
    }
    Ok(plan)
}

fn act(request: &Request, call: &ToolCall, decision: &Decision) -> Result<Act, ApiError> {
    let runner = request.runner(call);
    if decision.decision == Choice::Deny {
        if decision.arguments.is_some() {
            return Err(ApiError::bad_request("A denied call takes no arguments."));
        }
        let reason = decision.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        if reason.is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Err(ApiError::bad_request(format!(
                "The reason is longer than {LONGEST_REASON} characters."
            )));
        }
        let kind = match runner {
            Runner::Client(_) | Runner::Elsewhere => CallKind::Client,
            Runner::Server => CallKind::Server,
        };
        return Ok(Act::Deny { kind, reason: reason.map(str::to_owned) });
    }
    match runner {
        Runner::Server if decision.arguments.is_some() => Err(ApiError::bad_request(
            "The arguments of a call that runs on the agent's server cannot be changed. Deny it and say what you want instead.",
        )),
        Runner::Server => Ok(Act::Approve),
        Runner::Elsewhere => Err(ApiError::bad_request(format!(
            "{} was offered by another program, and only that one can run it. Answer there, or deny the call.",
            call.name
        ))),
        Runner::Client(_) if request.folder.is_none() => Err(ApiError::bad_request(format!(
            "No folder is opened to this agent, so {} cannot run. Choose a folder, or deny the call.",
            call.name
        ))),
        Runner::Client(tool) => {
            let edited = decision.arguments.is_some();
            let arguments = match &decision.arguments {
                Some(Value::Object(arguments)) => arguments.clone(),
                Some(Value::String(text)) => object(text)?,
                Some(_) => return Err(ApiError::bad_request("Changed arguments must be a JSON object.")),
                // What the model got wrong is told to it by the tool.
                None => serde_json::from_str(&call.arguments).unwrap_or_default(),
            };
            Ok(Act::Run { tool, arguments, edited })
        }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_str(text).map_err(|error| {
        ApiError::bad_request(format!("The changed arguments are not a JSON object: {error}."))
    })
}

/// Runs one allowed call here. Whatever happens is an answer to the model; only a lost database is an error.
async fn run(desk: &Desk, id: &MessageId, planned: Planned) -> Result<Value, Failure> {
    let Planned { call, hash, act } = planned;
    let Act::Run { tool, arguments, edited } = act else { return Err(ApiError::internal().into()) };
    // The last look before anything happens: the request still waits, and it is still the same call.
    let request = find(desk, id).await?;
    let result = match &request.folder {
        Some(folder) if request.hash(&call) == hash => {
            let (folder, given) = (folder.clone(), arguments.clone());
            let running = tokio::task::spawn_blocking(move || (tool.run)(&folder, &given));
            match tokio::time::timeout(TOOL_TIME, running).await {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(format!("{} failed inside Loci.", tool.name)),
                Err(_) => Err(format!("{} took longer than {} seconds.", tool.name, TOOL_TIME.as_secs())),
            }
        }
        Some(_) | None => {
            Err("The call was not run: the tool or its folder was changed after the person allowed it."
                .to_owned())
        }
    };
    let outcome = if result.is_ok() { AuditOutcome::Success } else { AuditOutcome::Error };
    let problem = result.as_ref().err().cloned();
    let entry = AuditEntry {
        event: AuditEvent::Finished,
        outcome,
        reason: problem,
        confinement: request.folder.as_ref().map(|folder| format!("reads only below {}", folder.text())),
        ..entry(&request, &call, CallKind::Client, &hash, edited.then_some(&arguments))
    };
    record(desk, vec![entry]).await?;
    let status = if result.is_ok() { "success" } else { "error" };
    let mut text = result.unwrap_or_else(|problem| problem);
    if edited {
        text = format!(
            "[The person changed the arguments before allowing the call. It ran with: {}]\n{text}",
            Value::Object(arguments)
        );
    }
    Ok(json!({"type": "tool", "tool_call_id": call.id, "tool_return": text, "status": status}))
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
    if request.folder.is_some() {
        body["client_tools"] = json!(client_tools::specs());
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

async fn record(desk: &Desk, entries: Vec<AuditEntry>) -> Result<(), Failure> {
    desk.app()
        .store()
        .write(move |tx| entries.iter().try_for_each(|entry| approval_audit::append(tx, entry).map(drop)))
        .await?;
    Ok(())
}

fn decided(request: &Request, planned: &Planned) -> AuditEntry {
    let (kind, outcome, reason, edited) = match &planned.act {
        Act::Deny { kind, reason } => (*kind, AuditOutcome::Deny, reason.clone(), None),
        Act::Approve => (CallKind::Server, AuditOutcome::Allow, None, None),
        Act::Run { arguments, edited, .. } => {
            (CallKind::Client, AuditOutcome::Allow, None, edited.then_some(arguments))
        }
    };
    AuditEntry { outcome, reason, ..entry(request, &planned.call, kind, &planned.hash, edited) }
}

/// An entry about a call; `edited` is what stands in place of the model's arguments.
fn entry(
    request: &Request,
    call: &ToolCall,
    kind: CallKind,
    hash: &str,
    edited: Option<&Map<String, Value>>,
) -> AuditEntry {
    let original = masked_text(&call.arguments);
    let (arguments, original_arguments) = match edited {
        Some(edited) => (masked(Value::Object(edited.clone())).to_string(), Some(original)),
        None => (original, None),
    };
    AuditEntry {
        sequence: 0,
        at: Timestamp::now(),
        event: AuditEvent::Decided,
        connection: LOCAL.to_owned(),
        agent_id: Some(request.agent_id.clone()),
        conversation_id: request.conversation_id.clone(),
        message_id: Some(request.id.clone()),
        tool_call_id: Some(call.id.clone()),
        tool: call.name.clone(),
        kind,
        outcome: AuditOutcome::Allow,
        decided_by: "person".to_owned(),
        rule_id: None,
        reason: None,
        hash: hash.to_owned(),
        arguments,
        original_arguments,
        confinement: None,
        facts: None,
    }
}

fn masked_text(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => masked(value).to_string(),
        Err(_) => arguments.to_owned(),
    }
}

/// Values whose names say that they are secrets do not get into the log.
fn masked(value: Value) -> Value {
    const SECRET: [&str; 8] =
        ["password", "passwd", "secret", "api_key", "apikey", "access_token", "authorization", "private_key"];
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let plain = key.to_ascii_lowercase().replace('-', "_");
                    let hidden = plain == "token" || SECRET.iter().any(|word| plain.contains(word));
                    let value =
                        if hidden && !value.is_null() { Value::from("[masked]") } else { masked(value) };
                    (key, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_get_into_the_log() {
        let text = r#"{"path":"a","headers":[{"Authorization":"Bearer x"}],"api-key":"k","token":1,"tokens":5,"password":null}"#;
        assert_eq!(
            masked_text(text),
            r#"{"path":"a","headers":[{"Authorization":"[masked]"}],"api-key":"[masked]","token":"[masked]","tokens":5,"password":null}"#
        );
        assert_eq!(masked_text("{not json"), "{not json");
    }
}
