//! Running one allowed call of a client tool: noted before it begins, looked at once more, noted when it ended.

use std::time::Duration;

use loci_api::{
    ids::MessageId,
    message::{ToolCall, ToolStatus},
    said::Said,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::table::{
    approval_audit::{AuditEntry, AuditEvent, AuditOutcome, CallKind, append},
    approval_rule::RuleEffect,
    client_call::{self, CallState, ClientCall},
};
use serde_json::{Map, Value};

use super::{log, request::Request};
use crate::{
    Desk,
    client_tools::{Done, Task, Tool as ClientTool, running::About},
    events::Event,
    sentences::Bounds,
    settings,
};

/// How long a tool that only touches files may take.
const TOOL_TIME: Duration = Duration::from_secs(60);

/// A call to run.
pub(super) struct Job {
    pub call: ToolCall,
    /// What was decided about.
    pub hash: String,
    pub tool: ClientTool,
    pub arguments: Map<String, Value>,
    pub edited: bool,
    /// The person's, to a question.
    pub answer: Option<String>,
}

/// What the model is told.
pub(super) struct Told {
    pub text: String,
    pub status: ToolStatus,
}

/// Runs it. Whatever happens is an answer to the model; only a lost database is an error.
pub(super) async fn run(desk: &Desk, id: &MessageId, job: Job) -> Result<Told, Failure> {
    let Job { call, hash, tool, arguments, edited, answer } = job;
    let given = if edited { Given::Edited(&arguments) } else { Given::AsAsked(&arguments) };
    let (request, note) = match begin(desk, id, &call, &hash, given, CallKind::Client).await? {
        Ok(begun) => begun,
        Err(problem) => return Ok(Told { text: problem, status: ToolStatus::Error }),
    };
    let changed =
        || Event::ClientCallChanged { agent_id: request.agent_id.to_string(), tool_call_id: call.id.clone() };
    desk.events().tell(changed());
    let done = carry_out(desk, &request, &call, &tool, &arguments, answer.as_deref()).await?;
    let Done { result, confinement } = done;
    let confinement = confinement.or_else(|| folders(&request, &tool));
    let (status, outcome) = match &result {
        Ok(_) => (ToolStatus::Success, AuditOutcome::Success),
        Err(_) => (ToolStatus::Error, AuditOutcome::Error),
    };
    let entry = AuditEntry {
        event: AuditEvent::Finished,
        outcome,
        reason: result.as_ref().err().map(|problem| problem.chars().take(2_000).collect()),
        confinement: confinement.clone(),
        ..log::entry(&request, &call, CallKind::Client, &hash, edited.then_some(&arguments))
    };
    let mut text = result.unwrap_or_else(|problem| problem);
    if edited {
        text = told_edited(arguments, &text);
    }
    let kept = text.clone();
    desk.app()
        .store()
        .write(move |tx| {
            client_call::finish(tx, &note, status, &kept, confinement.as_deref(), Timestamp::now())?;
            append(tx, &entry).map(drop)
        })
        .await?;
    desk.events().tell(changed());
    Ok(Told { text, status })
}

/// What a call runs with.
#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    /// What the model asked for.
    AsAsked(&'a Map<String, Value>),
    /// What a person made of it.
    Edited(&'a Map<String, Value>),
}

/// The last look before anything happens, in the transaction that notes its beginning: the request still waits, it is
/// still the same call, no rule denies it by now, and nobody ran it before. The inner `Err` is what the model is told
/// if one of these is not so.
pub(super) async fn begin(
    desk: &Desk,
    id: &MessageId,
    call: &ToolCall,
    hash: &str,
    given: Given<'_>,
    kind: CallKind,
) -> Result<Result<(Request, ClientCall), String>, Failure> {
    let elsewhere = desk.pending_elsewhere(id).await?;
    let (arguments, edited) = match given {
        Given::AsAsked(arguments) => (arguments.clone(), None),
        Given::Edited(arguments) => (arguments.clone(), Some(arguments.clone())),
    };
    let (wanted, call, hash) = (id.clone(), call.clone(), hash.to_owned());
    let begun = desk.app().store().write(move |tx| {
        let request = match elsewhere {
            None => Request::find(tx, &wanted)?,
            Some(pending) => pending.map(|pending| Request::new(tx, pending)).transpose()?,
        };
        let Some(request) = request else { return Ok(Err(GONE.to_owned())) };
        if request.hash(&call) != hash {
            return Ok(Err(CHANGED.to_owned()));
        }
        let runs = edited.as_ref().map(|edited| Value::Object(edited.clone()).to_string());
        let verdict = request.verdict(&call, runs.as_deref().unwrap_or(&call.arguments));
        if verdict.effect == RuleEffect::Deny {
            return Ok(Err(format!("The call was not run. {}", verdict.because)));
        }
        let note = note(&request, &call, &hash, &arguments);
        if !client_call::start(tx, &note)? {
            return Ok(Err(BEGUN.to_owned()));
        }
        let started = AuditEntry {
            event: AuditEvent::Started,
            outcome: AuditOutcome::Started,
            ..log::entry(&request, &call, kind, &hash, edited.as_ref())
        };
        append(tx, &started)?;
        Ok(Ok((request, note)))
    });
    Ok(begun.await?)
}

const GONE: &str = "The call was not run: the request was answered or cancelled meanwhile.";
const CHANGED: &str = "The call was not run: the tool or its folder was changed after the person allowed it.";
const BEGUN: &str = "The call was not run again: it was begun before.";

/// What the model is told of a call whose arguments a person changed.
pub(super) fn told_edited(arguments: Map<String, Value>, text: &str) -> String {
    format!(
        "[The person changed the arguments before allowing the call. It ran with: {}]\n{text}",
        Value::Object(arguments)
    )
}

/// A call that is about to begin.
fn note(request: &Request, call: &ToolCall, hash: &str, arguments: &Map<String, Value>) -> ClientCall {
    ClientCall {
        connection: request.connection.clone(),
        message_id: request.id.clone(),
        tool_call_id: call.id.clone(),
        agent_id: request.agent_id.clone(),
        conversation_id: request.conversation_id.clone(),
        tool: call.name.clone(),
        hash: hash.to_owned(),
        arguments: Some(Value::Object(arguments.clone()).to_string()),
        state: CallState::Started,
        status: None,
        result: None,
        confinement: None,
        started_at: Timestamp::now(),
        finished_at: None,
    }
}

async fn carry_out(
    desk: &Desk,
    request: &Request,
    call: &ToolCall,
    tool: &ClientTool,
    arguments: &Map<String, Value>,
    answer: Option<&str>,
) -> Result<Done, Failure> {
    let running = desk.running_calls().begin(About {
        message_id: request.id.clone(),
        tool_call_id: call.id.clone(),
        agent_id: request.agent_id.clone(),
        conversation_id: request.conversation_id.clone(),
        tool: call.name.clone(),
        started_at: Timestamp::now(),
    });
    let task = Task {
        desk: desk.clone(),
        place: request.kit.place.clone(),
        arguments: arguments.clone(),
        agent_id: request.agent_id.to_string(),
        confine_commands: settings::read_settings(desk).await?.confine_commands,
        call: running.call().clone(),
    };
    Ok(tool.carry_out(task, answer, TOOL_TIME).await)
}

/// What keeps a tool of files within bounds.
fn folders(request: &Request, tool: &ClientTool) -> Option<String> {
    if !tool.needs_folder() {
        return None;
    }
    let folders = request.kit.place.text().join(", ");
    let kept =
        if tool.read_only() { Bounds::ReadsBelow { folders } } else { Bounds::WritesBelow { folders } };
    Some(Said::from(kept).message)
}
