//! Entries of the log about calls.

use loci_api::{message::ToolCall, time::Timestamp};
use loci_store::table::{
    approval_audit::{AuditEntry, AuditEvent, AuditOutcome, CallKind},
    approved_tool::ApprovedTool,
};
use serde_json::{Map, Value};

use super::{
    decision::{self, Act, By, Planned},
    masked::{masked, masked_text},
    request::Request,
};

/// What was decided about a call.
pub(super) fn decided(request: &Request, planned: &Planned) -> AuditEntry {
    let reason = match &planned.act {
        Act::Deny { reason } => reason.clone(),
        Act::Approve | Act::RunThere { .. } | Act::Run { .. } | Act::Deliver { .. } | Act::Report => None,
    };
    let kind = decision::kind(&planned.act, request, &planned.call);
    let (decided_by, rule_id) = who(&planned.by);
    AuditEntry {
        outcome: planned.act.outcome(),
        decided_by: decided_by.to_owned(),
        rule_id,
        reason,
        facts: serde_json::to_value(request.facts(&planned.call, &planned.call.arguments).facts).ok(),
        ..entry(request, &planned.call, kind, &planned.hash, planned.act.edited())
    }
}

fn who(by: &By) -> (&'static str, Option<String>) {
    match by {
        By::Person => ("person", None),
        By::Rule(id) => ("rule", id.clone()),
        By::Expiry => ("expiry", None),
        By::Loci => ("loci", None),
    }
}

/// What the tool of an allowed call is, to show the difference once it is another one.
pub(super) fn allowed(request: &Request, planned: &Planned) -> Option<ApprovedTool> {
    let runs = match &planned.act {
        Act::Approve | Act::RunThere { .. } | Act::Run { .. } => true,
        Act::Deny { .. } | Act::Deliver { .. } | Act::Report => false,
    };
    let (decided_by, rule_id) = who(&planned.by);
    runs.then(|| ApprovedTool {
        connection: request.connection.clone(),
        agent_id: request.agent_id.clone(),
        tool: planned.call.name.clone(),
        content: request.content(&planned.call),
        decided_by: decided_by.to_owned(),
        rule_id,
        at: Timestamp::now(),
    })
}

/// An entry about a call; `edited` is what stands in place of the model's arguments.
pub(super) fn entry(
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
        connection: request.connection.clone(),
        agent_id: Some(request.agent_id.clone()),
        conversation_id: request.conversation_id.clone(),
        message_id: Some(request.id.clone()),
        tool_call_id: Some(call.id.clone()),
        tool: call.name.clone(),
        kind,
        outcome: AuditOutcome::Allow,
        decided_by: "loci".to_owned(),
        rule_id: None,
        reason: None,
        hash: hash.to_owned(),
        arguments,
        original_arguments,
        confinement: None,
        facts: None,
    }
}
