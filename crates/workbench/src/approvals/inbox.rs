//! `GET /workbench/approvals`: everything that waits, with what one needs to decide.

use std::collections::HashMap;

use axum::{Json as Answer, extract::State};
use loci_api::{
    ids::{AgentId, ConversationId, MessageId},
    message::{ToolCall, ToolStatus},
    said::Said,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::table::{approval_audit::CallKind, client_call::CallState};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    ShownCall,
    change::{Changed, Snapshot, changed},
    decision::without_a_person,
    remember::{Suggestion, suggestions},
    request::{Request, Runner},
};
use crate::{
    Desk,
    client_tools::{Detail, Preview},
    rules::Verdict,
    sentences::Approval,
    settings::{self, Settings},
};

/// Requests shown at once; the longest waiting first.
pub(super) const MOST: u32 = 500;

/// A request as the window shows it.
#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    id: MessageId,
    connection: String,
    agent_id: AgentId,
    agent_name: String,
    conversation_id: Option<ConversationId>,
    created_at: Timestamp,
    /// When it would be denied if nobody came until then; None: never.
    expires_at: Option<Timestamp>,
    /// Rules decide about every call, and Loci answers by itself: a window need not ask.
    answering: bool,
    /// It began on another server without this desk: only a person answers it.
    found: bool,
    calls: Vec<WaitingCall>,
}

#[derive(Debug, Serialize)]
struct WaitingCall {
    tool_call_id: String,
    name: String,
    /// JSON text, exactly as the model wrote it.
    arguments: String,
    kind: CallKind,
    /// Whose tool it is.
    server: String,
    read_only: bool,
    dangerous: bool,
    /// What a decision is bound to; an answer may repeat it.
    hash: String,
    /// Where the call would reach, for one that runs here.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Said>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Detail>,
    /// Why it cannot be allowed here as things are.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Said>,
    /// What the rules say.
    verdict: Verdict,
    /// What of it is not what it was, when it is asked about again.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<Changed>,
    /// How far it came, if it was begun before.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<Outcome>,
    /// Patterns for a rule about calls like this one, the narrowest first.
    suggestions: Vec<Suggestion>,
}

#[derive(Debug, Serialize)]
struct Outcome {
    state: CallState,
    status: Option<ToolStatus>,
    started_at: Timestamp,
}

pub(super) async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Waiting>>, Failure> {
    let mut requests = desk.app().store().read(|conn| Request::list(conn, MOST)).await?;
    requests.extend(desk.requests_elsewhere().await?.requests);
    let settings = settings::read_settings(&desk).await?;
    let looking = desk.clone();
    // Previews look at the disk.
    let waiting: Vec<Waiting> = tokio::task::spawn_blocking(move || {
        let as_shown = |request: &Request| {
            let shown =
                |call: &ToolCall| ShownCall { hash: request.hash(call), first: Snapshot::of(request, call) };
            request.calls.iter().map(|call| (call.id.clone(), shown(call))).collect()
        };
        let now = requests.iter().map(|request| (request.id.clone(), as_shown(request))).collect();
        looking.approvals().now_shown(now);
        let shown = |request: Request| {
            let answering =
                looking.approvals().may_answer(&request.id) && without_a_person(&request).is_some();
            let before = looking.approvals().shown(&request.id).unwrap_or_default();
            shown(request, &settings, answering, &before)
        };
        requests.into_iter().map(shown).collect()
    })
    .await
    .map_err(anyhow::Error::from)?;
    Ok(Answer(waiting))
}

fn shown(
    request: Request,
    settings: &Settings,
    answering: bool,
    before: &HashMap<String, ShownCall>,
) -> Waiting {
    let call = |call| shown_call(&request, call, settings, before);
    let calls = request.calls.iter().map(call).collect();
    // Micros; hours are bounded when they are set.
    let expires = |hours: f64| Timestamp(request.created_at.0.saturating_add((hours * 3.6e9) as i64));
    Waiting {
        id: request.id,
        connection: request.connection,
        agent_id: request.agent_id,
        agent_name: request.agent_name,
        conversation_id: request.conversation_id,
        created_at: request.created_at,
        expires_at: settings.expire_unattended_hours.filter(|_| !request.found).map(expires),
        answering,
        found: request.found,
        calls,
    }
}

fn shown_call(
    request: &Request,
    call: &ToolCall,
    settings: &Settings,
    before: &HashMap<String, ShownCall>,
) -> WaitingCall {
    let (preview, detail, problem) = match request.runner(call) {
        Runner::Client(tool) if tool.needs_folder() && request.kit.place.is_empty() => {
            (None, None, Some(Approval::BecauseNoFolder.into()))
        }
        Runner::Client(tool) => {
            let shown = match serde_json::from_str::<Map<String, Value>>(&call.arguments) {
                Ok(arguments) => tool.preview(&request.kit.place, &arguments),
                Err(error) => Err(format!("The arguments are not a JSON object: {error}.")),
            };
            match shown {
                Ok(Preview { line, detail }) => (Some(line), detail.map(|one| confined(one, settings)), None),
                // The call would fail with this; it may still be allowed, and the model is told.
                Err(problem) => (Some(Approval::WouldFail { said: problem }.into()), None, None),
            }
        }
        Runner::Server => (None, None, None),
        Runner::Elsewhere => (None, None, Some(Approval::OnlyDenied.into())),
    };
    let facts = request.facts(call, &call.arguments).facts;
    WaitingCall {
        tool_call_id: call.id.clone(),
        name: call.name.clone(),
        arguments: call.arguments.clone(),
        kind: request.kind(call),
        hash: request.hash(call),
        dangerous: request.dangerous(call),
        verdict: request.verdict(call, &call.arguments),
        changed: changed(request, call, before.get(&call.id).map(|shown| &shown.first)),
        outcome: request.begun(call).map(|begun| Outcome {
            state: begun.state,
            status: begun.status,
            started_at: begun.started_at,
        }),
        suggestions: suggestions(facts.subject.as_ref()),
        server: facts.server,
        read_only: facts.read_only,
        preview,
        detail,
        problem,
    }
}

/// A command with what will keep it within bounds.
fn confined(detail: Detail, settings: &Settings) -> Detail {
    match detail {
        Detail::Command { command, folder, confinement: _ } => {
            let confinement =
                if settings.confine_commands { Approval::CommandConfined } else { Approval::CommandFree };
            Detail::Command { command, folder, confinement: Some(confinement.into()) }
        }
        Detail::Diff { .. } | Detail::Url { .. } | Detail::Question { .. } | Detail::Text { .. } => detail,
    }
}
