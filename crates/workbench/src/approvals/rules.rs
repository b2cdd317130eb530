//! `/workbench/rules`: every rule can be seen, tried on old calls, tested and revoked.

use std::collections::HashMap;

use axum::{
    Json as Answer, Router,
    extract::{Path, Query, State},
    routing::{delete, get, post},
};
use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId, MessageId},
    said::Said,
    time::Timestamp,
};
use loci_server::error::Failure;
use loci_store::{
    Connection, StoreError,
    table::{
        approval_audit::{self, AuditEntry, AuditEvent, AuditFilter, AuditOutcome, CallKind, append},
        approval_rule::{self, RuleEffect, RuleRow},
        pending_approval, tool,
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    answer,
    binding::{Identity, fingerprint},
    remember::{Remember, made},
    request::THIS_MACHINE,
};
use crate::{
    Desk,
    client_tools::Kit,
    desk::LOCAL,
    events::Event,
    extract::Json,
    rules::{Call, Facts, Matches, Names, Scope, StoredRule, Verdict, decide, parse, sentence, text},
    sentences::Approval,
};

/// Rules in force at one time.
const MOST_RULES: usize = 2_000;
const LONGEST_NOTE: usize = 2_000;
const MOST_REHEARSED: u32 = 1_000;

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route("/rules", get(list).post(create))
        .route("/rules/{id}", delete(revoke))
        .route("/rules/parse", post(read_text))
        .route("/rules/rehearse", post(rehearse))
        .route("/rules/test", post(test))
}

/// A rule as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    effect: RuleEffect,
    scope: Value,
    matches: Value,
    text: String,
    sentence: String,
    /// Of the agent its scope names, if this desk knows it: for a sentence in another language.
    agent_name: Option<String>,
    note: Option<String>,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
    /// How often it decided.
    uses: i64,
    last_used_at: Option<Timestamp>,
    /// Why it is not understood, if so.
    problem: Option<Said>,
}

type Uses = HashMap<String, (i64, Timestamp)>;

fn shown(row: RuleRow, names: &Names, uses: &Uses) -> Shown {
    let (written, said, problem) = match StoredRule::read(&row) {
        StoredRule::Rule(rule) => (
            text(rule.effect, &rule.matches, &rule.scope, names),
            sentence(rule.effect, &rule.matches, &rule.scope, names),
            None,
        ),
        StoredRule::Unreadable { effect, problem, .. } => {
            let said = Said::from(Approval::RuleNotUnderstood).message;
            (format!("{} ?", effect.as_str()), said, Some(problem.said()))
        }
    };
    let used = uses.get(&row.id);
    Shown {
        agent_name: row.scope["agent_id"].as_str().and_then(|id| names.0.get(id)).cloned(),
        text: written,
        sentence: said,
        problem,
        uses: used.map_or(0, |used| used.0),
        last_used_at: used.map(|used| used.1),
        id: row.id,
        effect: row.effect,
        scope: row.scope,
        matches: row.matches,
        note: row.note,
        created_at: row.created_at,
        revoked_at: row.revoked_at,
    }
}

fn names(conn: &Connection) -> Result<Names, StoreError> {
    Ok(Names(pending_approval::agent_names(conn)?))
}

fn uses(conn: &Connection) -> Result<Uses, StoreError> {
    Ok(approval_rule::uses(conn)?.into_iter().map(|(id, count, last)| (id, (count, last))).collect())
}

#[derive(Deserialize)]
struct Which {
    #[serde(default)]
    revoked: bool,
}

async fn list(State(desk): State<Desk>, Query(which): Query<Which>) -> Result<Answer<Vec<Shown>>, Failure> {
    let rules = desk
        .app()
        .store()
        .read(move |conn| {
            let (names, uses) = (names(conn)?, uses(conn)?);
            let rows = approval_rule::list(conn, which.revoked)?;
            Ok(rows.into_iter().map(|row| shown(row, &names, &uses)).collect())
        })
        .await?;
    Ok(Answer(rules))
}

/// A rule as it comes in: as text, as a form, or from a call that waits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    effect: Option<RuleEffect>,
    #[serde(default)]
    scope: Option<Scope>,
    #[serde(default)]
    matches: Option<Matches>,
    #[serde(default)]
    remember: Option<Remember>,
    #[serde(default)]
    message_id: Option<MessageId>,
    #[serde(default)]
    tool_call_id: Option<String>,
    #[serde(default)]
    note: Option<String>,
    /// Of a rehearsal: on how many calls.
    #[serde(default)]
    last: Option<u32>,
}

impl Body {
    async fn rule(self, desk: &Desk) -> Result<RuleRow, Failure> {
        if self.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
            return Err(ApiError::bad_request(Approval::RuleNoteLong).into());
        }
        let (effect, scope, matches) = match self {
            Self {
                text: Some(written), effect: None, scope: None, matches: None, remember: None, ..
            } => {
                let draft = parse(&written).map_err(|error| ApiError::bad_request(error.said()))?;
                let names = desk.app().store().read(names).await?;
                let scope = draft.scope.resolve(&names).map_err(ApiError::bad_request)?;
                (draft.effect, scope, draft.matches)
            }
            Self {
                remember: Some(remember),
                effect: Some(effect),
                message_id: Some(id),
                tool_call_id: Some(tool_call_id),
                text: None,
                scope: None,
                matches: None,
                note,
                ..
            } => {
                let request = answer::find(desk, &id).await?;
                let call = request.calls.iter().find(|call| call.id == tool_call_id);
                let call = call.ok_or_else(|| ApiError::not_found("The request has no such call."))?;
                return Ok(RuleRow { note, ..remember.rule(&request, call, effect)? });
            }
            Self {
                effect: Some(effect),
                scope: Some(scope),
                matches: Some(matches),
                text: None,
                remember: None,
                ..
            } => (effect, scope, matches),
            Self { .. } => {
                return Err(ApiError::validation(
                    "Give a rule's text; or effect, scope and matches; or remember, effect, message_id and \
                     tool_call_id.",
                )
                .into());
            }
        };
        let (scope, note) = (scope, self.note);
        let wanted = matches.clone();
        let matches = desk.app().store().read(move |conn| bound(conn, wanted)).await?;
        Ok(made(effect, scope, matches, note)?)
    }
}

/// Notes what the tool is now, as far as this desk knows it, so that a rule does not hold for what it becomes.
fn bound(conn: &Connection, mut matches: Matches) -> Result<Matches, StoreError> {
    if let Matches::Tool { tool: name, identity } | Matches::Pattern { tool: name, identity, .. } =
        &mut matches
    {
        let kit = Kit::load(conn, LOCAL, &AgentId::new(), None)?;
        *identity = match (kit.find(name), tool::get_by_name(conn, name)?) {
            // Both exist: which of them is meant depends on what the agent is offered.
            (Some(_), Some(_)) | (None, None) => None,
            (Some(found), None) => Some(found.identity()),
            (None, Some(found)) => Some(Identity::Server(&found).lasting()),
        };
    }
    Ok(matches)
}

/// What became of a rule.
#[derive(Clone, Copy)]
pub(super) enum Change {
    Created,
    Revoked,
}

/// An entry of the log about a rule.
pub(super) fn entry(row: &RuleRow, change: Change) -> AuditEntry {
    let text_of = |key: &str| row.scope[key].as_str().map(str::to_owned);
    AuditEntry {
        sequence: 0,
        at: Timestamp::now(),
        event: AuditEvent::Rule,
        connection: text_of("connection").unwrap_or_default(),
        agent_id: text_of("agent_id").and_then(|id| id.parse().ok()),
        conversation_id: text_of("conversation_id").and_then(|id| id.parse().ok()),
        message_id: None,
        tool_call_id: None,
        tool: row.matches["tool"].as_str().unwrap_or_default().to_owned(),
        kind: CallKind::Client,
        outcome: match change {
            Change::Created => AuditOutcome::Created,
            Change::Revoked => AuditOutcome::Revoked,
        },
        decided_by: "person".to_owned(),
        rule_id: Some(row.id.clone()),
        reason: row.note.clone(),
        hash: String::new(),
        arguments: row.matches.to_string(),
        original_arguments: None,
        confinement: None,
        facts: None,
    }
}

async fn create(State(desk): State<Desk>, Json(body): Json<Body>) -> Result<Answer<Shown>, Failure> {
    if body.last.is_some() {
        return Err(ApiError::validation("`last` belongs to a rehearsal.").into());
    }
    let row = body.rule(&desk).await?;
    let kept = row.clone();
    let room = desk
        .app()
        .store()
        .write(move |tx| {
            if approval_rule::list(tx, false)?.len() >= MOST_RULES {
                return Ok(None);
            }
            approval_rule::insert(tx, &kept)?;
            append(tx, &entry(&kept, Change::Created))?;
            names(tx).map(Some)
        })
        .await?;
    let names = room.ok_or_else(|| ApiError::conflict(Approval::RuleTooMany { most: MOST_RULES }))?;
    desk.events().tell(Event::RuleChanged);
    // What waits may be decided now.
    desk.look_soon();
    Ok(Answer(shown(row, &names, &Uses::new())))
}

async fn revoke(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Answer<Shown>, Failure> {
    let found = desk
        .app()
        .store()
        .write(move |tx| {
            if approval_rule::revoke(tx, &id, Timestamp::now())?
                && let Some(row) = approval_rule::get(tx, &id)?
            {
                append(tx, &entry(&row, Change::Revoked))?;
            }
            let found = approval_rule::get(tx, &id)?;
            let (names, uses) = (names(tx)?, uses(tx)?);
            Ok(found.map(|row| shown(row, &names, &uses)))
        })
        .await?;
    let found = found.ok_or_else(|| ApiError::not_found(Approval::RuleUnknown))?;
    desk.events().tell(Event::RuleChanged);
    Ok(Answer(found))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    text: String,
}

#[derive(Serialize)]
struct Read {
    effect: RuleEffect,
    scope: Scope,
    matches: Matches,
    text: String,
    sentence: String,
}

async fn read_text(State(desk): State<Desk>, Json(written): Json<Written>) -> Result<Answer<Read>, Failure> {
    let draft = parse(&written.text).map_err(|error| {
        let mut refusal = ApiError::bad_request(error.said());
        refusal.body["detail"] =
            serde_json::json!({"code": "RULE_TEXT", "message": error.message.message, "at": error.at});
        refusal
    })?;
    let names = desk.app().store().read(names).await?;
    let scope = draft.scope.resolve(&names).map_err(ApiError::bad_request)?;
    let (effect, matches) = (draft.effect, draft.matches);
    made(effect, scope.clone(), matches.clone(), None)?;
    Ok(Answer(Read {
        text: text(effect, &matches, &scope, &names),
        sentence: sentence(effect, &matches, &scope, &names),
        effect,
        scope,
        matches,
    }))
}

#[derive(Serialize)]
struct Rehearsal {
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
async fn rehearse(State(desk): State<Desk>, Json(body): Json<Body>) -> Result<Answer<Rehearsal>, Failure> {
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
struct Imagined {
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
async fn test(State(desk): State<Desk>, Json(imagined): Json<Imagined>) -> Result<Answer<Verdict>, Failure> {
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
