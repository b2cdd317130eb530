//! Decisions as they come in, and what they make of a request: a plan for every call, or what is wrong with them.

use std::collections::{HashMap, HashSet};

use loci_api::{
    error::ApiError,
    ids::{AgentId, ConversationId},
    message::{ToolCall, ToolStatus},
};
use loci_store::table::{
    approval_audit::{AuditOutcome, CallKind},
    approval_rule::RuleEffect,
    client_call::CallState,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    remember::Remember,
    request::{Request, Runner},
};
use crate::{client_tools::Tool as ClientTool, rules::Verdict, sentences::Approval};

/// Characters of a reason; it goes to the model.
const LONGEST_REASON: usize = 10_000;

/// The body of an answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub agent_id: AgentId,
    #[serde(default)]
    pub conversation_id: Option<ConversationId>,
    pub decisions: Vec<Decision>,
}

/// A person's decision about one call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decision {
    pub tool_call_id: String,
    pub decision: Choice,
    /// Why not; the model reads it.
    #[serde(default)]
    pub reason: Option<String>,
    /// What is to run instead of what the model asked for: an object, or its JSON text.
    #[serde(default)]
    pub arguments: Option<Value>,
    /// The `hash` of the call as it was shown.
    #[serde(default)]
    pub hash: Option<String>,
    /// To a question of the agent.
    #[serde(default)]
    pub answer: Option<String>,
    /// Whether a call that may have run already is to run again.
    #[serde(default)]
    pub run_again: bool,
    /// A rule to make in the same moment.
    #[serde(default)]
    pub remember: Option<Remember>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Choice {
    Allow,
    Deny,
    /// The model is told that nobody knows how far the call came.
    Report,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    Person,
    Rule(Option<String>),
    /// Nobody did, for too long.
    Expiry,
    /// It ran already.
    Loci,
}

/// One call with what happens to it.
#[derive(Debug)]
pub(super) struct Planned {
    pub call: ToolCall,
    /// Of what was decided about.
    pub hash: String,
    pub by: By,
    pub act: Act,
    pub remember: Option<Remember>,
}

pub(super) enum Act {
    Deny {
        reason: Option<String>,
    },
    /// The agent's server runs it.
    Approve,
    /// The agent's server has the tool, and runs it here and now with other arguments.
    RunThere {
        arguments: Map<String, Value>,
    },
    /// This desk runs it.
    Run {
        tool: ClientTool,
        arguments: Map<String, Value>,
        edited: bool,
        answer: Option<String>,
    },
    /// It ran before a crash; its result was kept.
    Deliver {
        result: String,
        status: ToolStatus,
    },
    Report,
}

impl std::fmt::Debug for Act {
    fn fmt(&self, output: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        output.write_str(match self {
            Self::Deny { .. } => "Deny",
            Self::Approve => "Approve",
            Self::RunThere { .. } => "RunThere",
            Self::Run { edited: false, .. } => "Run",
            Self::Run { edited: true, .. } => "RunEdited",
            Self::Deliver { .. } => "Deliver",
            Self::Report => "Report",
        })
    }
}

impl Act {
    pub(super) fn outcome(&self) -> AuditOutcome {
        match self {
            Self::Deny { .. } => AuditOutcome::Deny,
            Self::Report => AuditOutcome::Report,
            Self::Approve | Self::RunThere { .. } | Self::Run { .. } | Self::Deliver { .. } => {
                AuditOutcome::Allow
            }
        }
    }

    /// What takes the place of the model's arguments.
    pub(super) fn edited(&self) -> Option<&Map<String, Value>> {
        match self {
            Self::RunThere { arguments } | Self::Run { arguments, edited: true, .. } => Some(arguments),
            Self::Run { edited: false, .. }
            | Self::Deny { .. }
            | Self::Approve
            | Self::Deliver { .. }
            | Self::Report => None,
        }
    }
}

/// An error with a code a program can act on.
pub(super) fn coded(code: &str, said: Approval, tools: &[String]) -> ApiError {
    let mut error = ApiError::conflict(said);
    error.body["detail"] = json!({"code": code, "message": error.message, "tools": tools});
    error
}

/// Turns a person's decisions into a plan, in the order of the calls, or says what is wrong with them. Calls the
/// rules decide about may be left out. `shown` is the hash of a call when it was last shown here.
pub(super) fn plan(
    request: &Request,
    decisions: Vec<Decision>,
    shown: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Planned>, ApiError> {
    let asked: HashSet<&str> = request.calls.iter().map(|call| call.id.as_str()).collect();
    let count = decisions.len();
    let mut given: HashMap<String, Decision> =
        decisions.into_iter().map(|decision| (decision.tool_call_id.clone(), decision)).collect();
    if given.len() != count {
        return Err(ApiError::bad_request("A call is decided about twice."));
    }
    let by_rules = |call: &ToolCall| match request.verdict(call, &call.arguments) {
        verdict if verdict.effect == RuleEffect::Ask => None,
        verdict => Some(verdict),
    };
    let incomplete = given.keys().any(|id| !asked.contains(id.as_str()))
        || request.calls.iter().any(|call| !given.contains_key(&call.id) && by_rules(call).is_none());
    if incomplete {
        let list = |mut ids: Vec<&str>| {
            ids.sort_unstable();
            ids.join(", ")
        };
        return Err(ApiError::bad_request(format!(
            "Decide about every call of the request at once. It waits for: {}. Decided about: {}.",
            list(asked.into_iter().collect()),
            list(given.keys().map(|id| id.get(..100).unwrap_or(id)).collect()),
        )));
    }
    let mut changed = Vec::new();
    let mut plan = Vec::with_capacity(request.calls.len());
    for call in &request.calls {
        let hash = request.hash(call);
        let Some(mut decision) = given.remove(&call.id) else {
            let verdict = by_rules(call).ok_or_else(ApiError::internal)?;
            plan.push(by_verdict(request, call, verdict));
            continue;
        };
        let seen = decision.hash.take().or_else(|| shown(&call.id));
        // Denying is right whatever it has become.
        if decision.decision == Choice::Allow && seen.is_some_and(|seen| seen != hash) {
            changed.push(call.name.clone());
        }
        let remember = decision.remember.take();
        if remember.is_some() && decision.decision == Choice::Report {
            return Err(ApiError::bad_request("Only an allowed or denied call can be remembered."));
        }
        let act = act(request, call, decision)?;
        plan.push(Planned { act, by: By::Person, call: call.clone(), hash, remember });
    }
    if !changed.is_empty() {
        let said = Approval::AnswerChanged { tools: changed.join(", ") };
        return Err(coded("CALL_CHANGED", said, &changed));
    }
    Ok(plan)
}

/// What a rule makes of a call. Only for [`RuleEffect::Allow`] and [`RuleEffect::Deny`].
pub(super) fn by_verdict(request: &Request, call: &ToolCall, verdict: Verdict) -> Planned {
    let Verdict { effect, rule_id, because } = verdict;
    let deny = |reason: String| Act::Deny { reason: Some(reason) };
    let mut by = By::Rule(rule_id);
    let act = match (effect, request.runner(call)) {
        (RuleEffect::Allow, _) if let Some(kept) = kept(request, call) => {
            by = By::Loci;
            kept
        }
        (RuleEffect::Allow, Runner::Server) => Act::Approve,
        (RuleEffect::Allow, Runner::Client(tool)) => Act::Run {
            tool,
            arguments: serde_json::from_str(&call.arguments).unwrap_or_default(),
            edited: false,
            answer: None,
        },
        (RuleEffect::Allow, Runner::Elsewhere) => deny("Nobody here can run this tool.".to_owned()),
        (RuleEffect::Deny | RuleEffect::Ask, _) => deny(because.message),
    };
    Planned { call: call.clone(), hash: request.hash(call), by, act, remember: None }
}

/// What is left of a call that ran before a crash.
fn kept(request: &Request, call: &ToolCall) -> Option<Act> {
    let begun = request.begun(call).filter(|begun| begun.state == CallState::Finished)?;
    Some(Act::Deliver {
        result: begun.result.clone().unwrap_or_default(),
        status: begun.status.unwrap_or(ToolStatus::Error),
    })
}

/// A plan for a request that all agree about without a person: what ran already, and what rules decide. `None` if
/// anything is left to ask, or the request began without this desk.
pub(super) fn without_a_person(request: &Request) -> Option<Vec<Planned>> {
    if request.found {
        return None;
    }
    let each = request.calls.iter().map(|call| {
        if let Some(act) = kept(request, call) {
            let hash = request.hash(call);
            return Some(Planned { call: call.clone(), hash, by: By::Loci, act, remember: None });
        }
        let verdict = request.verdict(call, &call.arguments);
        (verdict.effect != RuleEffect::Ask).then(|| by_verdict(request, call, verdict))
    });
    each.collect()
}

/// A plan that denies all that has not run, because nobody answered.
pub(super) fn expired(request: &Request, reason: &str) -> Vec<Planned> {
    let each = request.calls.iter().map(|call| {
        let unknown = request.begun(call).is_some_and(|begun| begun.state == CallState::Unknown);
        let act = match kept(request, call) {
            Some(kept) => kept,
            None if unknown => Act::Report,
            None => Act::Deny { reason: Some(reason.to_owned()) },
        };
        Planned { call: call.clone(), hash: request.hash(call), by: By::Expiry, act, remember: None }
    });
    each.collect()
}

fn act(request: &Request, call: &ToolCall, decision: Decision) -> Result<Act, ApiError> {
    let Decision { decision: choice, reason, arguments, answer, run_again, .. } = decision;
    if answer.is_some() && choice != Choice::Allow {
        return Err(ApiError::bad_request("Only an allowed call takes an answer."));
    }
    let tools = [call.name.clone()];
    let begun = request.begun(call).map(|begun| begun.state);
    match (choice, begun) {
        (Choice::Allow, Some(CallState::Finished)) => {
            return kept(request, call).ok_or_else(ApiError::internal);
        }
        (Choice::Deny | Choice::Report, Some(CallState::Finished)) => {
            return Err(coded("CALL_ALREADY_RAN", Approval::AnswerAlreadyRan, &tools));
        }
        (Choice::Allow, Some(CallState::Unknown)) if !run_again => {
            return Err(coded("CALL_OUTCOME_UNKNOWN", Approval::AnswerUnknown, &tools));
        }
        (Choice::Report, Some(CallState::Unknown)) => return Ok(Act::Report),
        (Choice::Report, _) => {
            return Err(ApiError::bad_request(
                "Only a call whose outcome is unknown can be reported as such.",
            ));
        }
        (Choice::Deny, _) => return denial(reason, arguments.is_some()),
        (Choice::Allow, _) => {}
    }
    let edited = arguments.map(object).transpose()?;
    let runs = edited.as_ref().map(|edited| Value::Object(edited.clone()).to_string());
    let verdict = request.verdict(call, runs.as_deref().unwrap_or(&call.arguments));
    if verdict.effect == RuleEffect::Deny {
        return Err(coded("RULE_DENIES", Approval::AnswerRuleDenies { because: verdict.because }, &tools));
    }
    match (request.runner(call), edited) {
        (Runner::Server, None) => Ok(Act::Approve),
        (Runner::Server, Some(arguments)) => Ok(Act::RunThere { arguments }),
        (Runner::Elsewhere, _) => {
            Err(ApiError::bad_request(Approval::AnswerElsewhere { tool: call.name.clone() }))
        }
        (Runner::Client(tool), _) if tool.needs_folder() && request.kit.place.is_empty() => {
            Err(ApiError::bad_request(Approval::AnswerNoFolder { tool: call.name.clone() }))
        }
        (Runner::Client(tool), edited) => {
            let (edited, arguments) = match edited {
                Some(arguments) => (true, arguments),
                // What the model got wrong is told to it by the tool.
                None => (false, serde_json::from_str(&call.arguments).unwrap_or_default()),
            };
            if tool.asks_person() {
                tool.check_answer(&arguments, answer.as_deref().unwrap_or_default())
                    .map_err(ApiError::bad_request)?;
            } else if answer.is_some() {
                return Err(ApiError::bad_request(format!("{} asks no question.", call.name)));
            }
            Ok(Act::Run { tool, arguments, edited, answer })
        }
    }
}

fn denial(reason: Option<String>, edited: bool) -> Result<Act, ApiError> {
    if edited {
        return Err(ApiError::bad_request("A denied call takes no arguments."));
    }
    let reason = reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
        return Err(ApiError::bad_request(Approval::AnswerLongReason { most: LONGEST_REASON }));
    }
    Ok(Act::Deny { reason })
}

fn object(arguments: Value) -> Result<Map<String, Value>, ApiError> {
    match arguments {
        Value::Object(arguments) => Ok(arguments),
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| ApiError::bad_request(Approval::AnswerNotJson { said: error.to_string() })),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            Err(ApiError::bad_request(Approval::AnswerNotObject))
        }
    }
}

/// Of the log.
pub(super) fn kind(act: &Act, request: &Request, call: &ToolCall) -> CallKind {
    match act {
        Act::Approve | Act::RunThere { .. } => CallKind::Server,
        Act::Run { .. } | Act::Deliver { .. } | Act::Report => CallKind::Client,
        Act::Deny { .. } => request.kind(call),
    }
}
