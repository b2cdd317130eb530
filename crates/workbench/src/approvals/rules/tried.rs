//! Rules on trial: what one would have matched of the calls in the log, and what all say of a call nobody made.

use axum::{Json as Answer, extract::State};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId},
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::table::{
    approval_audit::{self, AuditEntry, AuditEvent, AuditFilter, AuditOutcome},
    approval_rule::{self, RuleEffect},
    tool,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    super::{
        binding::{Identity, fingerprint},
        request::THIS_MACHINE,
    },
    given::Body,
    shown::{Shown, Uses, names, shown},
};
use crate::{
    Desk,
    client_tools::Kit,
    desk::LOCAL,
    extract::Json,
    rules::{Call, Facts, StoredRule, Verdict, decide},
    sentences::Approval,
};

const MOST_REHEARSED: u32 = 1_000;

#[derive(Serialize)]
pub(super) struct Rehearsal {
    effect: RuleEffect,
    scope: Value,
    matches: Value,
    text: String,
    sentence: String,
    agent_name: Option<String>,
    /// Calls looked at: the newest that were decided about.
    of: usize,
    matched: usize,
    /// Those the rule matches, newest first.
    calls: Vec<Rehearsed>,
}

#[derive(Serialize)]
struct Rehearsed {
    sequence: i64,
    at: Timestamp,
    agent_id: Option<AgentId>,
    tool: String,
    arguments: String,
    /// What was decided then, and by whom.
    outcome: AuditOutcome,
    decided_by: String,
    /// What all rules in force and this one would decide now.
    now: Verdict,
}

/// What a rule would have matched of the calls in the log. Secrets are masked there, so a rule about a secret
/// matches none.
pub(super) async fn rehearse(
    State(desk): State<Desk>,
    Json(body): Json<Body>,
) -> Result<Answer<Rehearsal>, Failure> {
    let last = body.last.unwrap_or(200);
    if !(1..=MOST_REHEARSED).contains(&last) {
        return Err(ApiError::validation(format!("last is 1 to {MOST_REHEARSED}.")).into());
    }
    let row = body.rule(&desk).await?;
    let rehearsal = desk
        .app()
        .store()
        .read(move |conn| {
            let filter = AuditFilter { event: Some(AuditEvent::Decided), ..AuditFilter::default() };
            let entries = approval_audit::list(conn, &filter, true, last)?;
            let mut rules: Vec<_> = approval_rule::list(conn, false)?.iter().map(StoredRule::read).collect();
            let alone = StoredRule::read(&row);
            rules.push(alone.clone());
            let mut calls = Vec::new();
            let of = entries.len();
            for entry in entries {
                let Some(call) = past(&entry) else { continue };
                if decide(std::slice::from_ref(&alone), &call).rule_id.is_some() {
                    calls.push(Rehearsed {
                        now: decide(&rules, &call),
                        sequence: entry.sequence,
                        at: entry.at,
                        agent_id: entry.agent_id,
                        tool: entry.tool,
                        arguments: entry.original_arguments.unwrap_or(entry.arguments),
                        outcome: entry.outcome,
                        decided_by: entry.decided_by,
                    });
                }
            }
            let Shown { effect, scope, matches, text, sentence, agent_name, .. } =
                shown(row, &names(conn)?, &Uses::new());
            let matched = calls.len();
            Ok(Rehearsal { effect, scope, matches, text, sentence, agent_name, of, matched, calls })
        })
        .await?;
    Ok(Answer(rehearsal))
}

/// A call of the log as rules see it. What held it back then does not matter to a rule.
fn past(entry: &AuditEntry) -> Option<Call> {
    let mut facts: Facts = serde_json::from_value(entry.facts.clone()?).ok()?;
    facts.hold = None;
    let arguments = entry.original_arguments.as_ref().unwrap_or(&entry.arguments);
    Some(Call { facts, arguments: serde_json::from_str(arguments).ok() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Imagined {
    tool: String,
    /// An object, or its JSON text.
    arguments: Value,
    /// Left out: an agent no rule is about.
    #[serde(default)]
    agent_id: Option<AgentId>,
    #[serde(default)]
    conversation_id: Option<ConversationId>,
}

/// What the rules would decide about a call nobody made.
pub(super) async fn test(
    State(desk): State<Desk>,
    Json(imagined): Json<Imagined>,
) -> Result<Answer<Verdict>, Failure> {
    let Imagined { tool: name, arguments, agent_id, conversation_id } = imagined;
    let agent_id = agent_id.unwrap_or_else(AgentId::new);
    let parsed = match arguments {
        Value::String(text) => serde_json::from_str(&text).ok(),
        Value::Object(arguments) => Some(arguments),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    };
    let arguments: Map<String, Value> =
        parsed.ok_or_else(|| ApiError::validation(Approval::ArgumentsNeeded))?;
    let verdict = desk
        .app()
        .store()
        .read(move |conn| {
            let kit = Kit::load(conn, LOCAL, &agent_id, conversation_id.as_ref())?;
            let server = tool::list_for_agent(conn, &agent_id)?
                .into_iter()
                .find(|tool| tool.name.as_deref() == Some(name.as_str()));
            let client = kit.find(&name).filter(|tool| server.is_none() || kit.offers(tool));
            let spec = client.as_ref().map(crate::client_tools::Tool::spec);
            let identity = match (&client, &spec, &server) {
                (Some(tool), Some(spec), _) => Identity::Client { tool, spec, place: &kit.place },
                (_, _, Some(tool)) => Identity::Server(tool),
                (_, _, None) => Identity::Unknown,
            };
            let written = Value::Object(arguments.clone()).to_string();
            let call = Call {
                facts: Facts {
                    connection: LOCAL.to_owned(),
                    agent_id: agent_id.to_string(),
                    conversation_id: conversation_id.map(|id| id.to_string()),
                    turn: None,
                    server: if client.is_some() { THIS_MACHINE.to_owned() } else { LOCAL.to_owned() },
                    read_only: client.as_ref().is_some_and(crate::client_tools::Tool::read_only),
                    identity: identity.lasting(),
                    fingerprint: fingerprint(&name, &identity, &written),
                    subject: client.as_ref().and_then(|tool| tool.subject(&kit.place, &arguments)),
                    hold: None,
                    tool: name,
                },
                arguments: Some(arguments),
            };
            let rules: Vec<_> = approval_rule::list(conn, false)?.iter().map(StoredRule::read).collect();
            Ok(decide(&rules, &call))
        })
        .await?;
    Ok(Answer(verdict))
}
