//! The decision: rules and a call in, a verdict out.

use loci_api::said::Said;
use loci_store::table::approval_rule::RuleEffect;
use serde::Serialize;
use serde_json::Value;

use super::{Call, Condition, Matches, Pattern, Rule, Scope, StoredRule, Subject, SubjectKind};
use crate::sentences::Approval;

/// What happens to a call, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    pub effect: RuleEffect,
    /// The rule that decided; None without one.
    pub rule_id: Option<String>,
    /// For people; the sentence of a denial is told to the model too.
    pub because: Said,
}

impl Verdict {
    fn new(effect: RuleEffect, rule_id: Option<&str>, because: impl Into<Said>) -> Self {
        Self { effect, rule_id: rule_id.map(str::to_owned), because: because.into() }
    }
}

/// What one rule says about a call.
enum Says {
    Nothing,
    Matches,
    /// It would have allowed what the tool was.
    Outdated,
    Error(Said),
}

/// Decides. Deny comes before ask, ask before allow; without a rule one asks. The order of the rules does not
/// matter. An error in a denying rule denies, in any other it asks.
#[must_use]
pub fn decide(rules: &[StoredRule], call: &Call) -> Verdict {
    // Of several rules of the same kind the one with the smallest id is named.
    let mut best: [Option<&str>; 3] = [None; 3];
    let [mut deny_error, mut other_error]: [Option<(&str, Said)>; 2] = [None, None];
    let mut outdated: Option<&str> = None;
    for rule in rules {
        let (id, effect) = (rule.id(), rule.effect());
        let says = match rule {
            StoredRule::Rule(rule) => says(rule, call),
            StoredRule::Unreadable { problem, .. } => Says::Error(problem.said()),
        };
        match says {
            Says::Nothing => {}
            Says::Matches => smallest(&mut best[place(effect)], id),
            Says::Outdated => smallest(&mut outdated, id),
            Says::Error(problem) => {
                let kept = if effect == RuleEffect::Deny { &mut deny_error } else { &mut other_error };
                if kept.as_ref().is_none_or(|(kept, _)| id < *kept) {
                    *kept = Some((id, problem));
                }
            }
        }
    }
    let [allow, ask, deny] = best;
    if deny.is_some() {
        return Verdict::new(RuleEffect::Deny, deny, Approval::BecauseRuleDenies);
    }
    if let Some((id, problem)) = deny_error {
        let because = Approval::BecauseDenyUnchecked { problem };
        return Verdict::new(RuleEffect::Deny, Some(id), because);
    }
    if let Some(hold) = &call.facts.hold {
        return Verdict::new(RuleEffect::Ask, None, hold.clone());
    }
    if ask.is_some() {
        return Verdict::new(RuleEffect::Ask, ask, Approval::BecauseRuleAsks);
    }
    if let Some((id, problem)) = other_error {
        let because = Approval::BecauseUnchecked { problem };
        return Verdict::new(RuleEffect::Ask, Some(id), because);
    }
    if allow.is_some() {
        return Verdict::new(RuleEffect::Allow, allow, Approval::BecauseRuleAllows);
    }
    match outdated {
        Some(id) => Verdict::new(RuleEffect::Ask, Some(id), Approval::BecauseToolChanged),
        None => Verdict::new(RuleEffect::Ask, None, Approval::BecauseNoRule),
    }
}

fn place(effect: RuleEffect) -> usize {
    match effect {
        RuleEffect::Allow => 0,
        RuleEffect::Ask => 1,
        RuleEffect::Deny => 2,
    }
}

fn smallest<'a>(kept: &mut Option<&'a str>, id: &'a str) {
    if kept.is_none_or(|kept| id < kept) {
        *kept = Some(id);
    }
}

fn says(rule: &Rule, call: &Call) -> Says {
    if !holds(&rule.scope, call) {
        return Says::Nothing;
    }
    let (matched, identity) = match &rule.matches {
        Matches::Call { tool, fingerprint, .. } => {
            (Ok(*tool == call.facts.tool && *fingerprint == call.facts.fingerprint), None)
        }
        Matches::Tool { tool, identity } => (names(rule, tool, call), identity.as_ref()),
        Matches::ReadOnly { server } => (Ok(call.facts.read_only && *server == call.facts.server), None),
        Matches::Pattern { tool, identity, arguments } => {
            let matched =
                names(rule, tool, call).and_then(|named| Ok(named && meets(rule, arguments, call)?));
            (matched, identity.as_ref())
        }
    };
    match matched {
        Err(problem) => Says::Error(problem),
        Ok(false) => Says::Nothing,
        Ok(true) => match identity {
            Some(identity) if rule.effect == RuleEffect::Allow && *identity != call.facts.identity => {
                Says::Outdated
            }
            Some(_) | None => Says::Matches,
        },
    }
}

/// Whether a rule of this scope is about the call at all.
#[must_use]
pub fn holds(scope: &Scope, call: &Call) -> bool {
    let facts = &call.facts;
    match scope {
        Scope::Everywhere => true,
        Scope::Agent { connection, agent_id } => {
            *connection == facts.connection && *agent_id == facts.agent_id
        }
        Scope::Conversation { connection, agent_id, conversation_id } => {
            *connection == facts.connection
                && *agent_id == facts.agent_id
                && *conversation_id == facts.conversation_id
        }
        Scope::Run { connection, agent_id, conversation_id, turn } => {
            *connection == facts.connection
                && *agent_id == facts.agent_id
                && *conversation_id == facts.conversation_id
                && facts.turn.as_ref() == Some(turn)
        }
    }
}

fn names(rule: &Rule, tool: &str, call: &Call) -> Result<bool, Said> {
    match &rule.tool {
        None => Ok(tool == call.facts.tool),
        Some(pattern) => pattern.matches(&call.facts.tool, false).map_err(|error| error.said()),
    }
}

fn meets(rule: &Rule, conditions: &[Condition], call: &Call) -> Result<bool, Said> {
    let arguments = call.arguments.as_ref().ok_or(Approval::ArgumentsNotObject)?;
    for (condition, pattern) in conditions.iter().zip(&rule.patterns) {
        let met = match (&condition.name, pattern) {
            (Some(name), None) => condition.equals.as_ref() == arguments.get(name),
            (name, Some(pattern)) => match (&call.facts.subject, name) {
                (Some(subject), None) => subject_meets(pattern, subject, rule.effect)?,
                (Some(subject), Some(name)) if *name == subject.argument => {
                    subject_meets(pattern, subject, rule.effect)?
                }
                (_, Some(name)) => match arguments.get(name) {
                    Some(value) => value_meets(pattern, value, rule.effect)?,
                    None => false,
                },
                (None, None) => {
                    let whole = Value::Object(arguments.clone()).to_string();
                    pattern.matches(&whole, false).map_err(|error| error.said())?
                }
            },
            (None, None) => false,
        };
        if !met {
            return Ok(false);
        }
    }
    Ok(true)
}

fn subject_meets(pattern: &Pattern, subject: &Subject, effect: RuleEffect) -> Result<bool, Said> {
    let compare = |text: &str, path| pattern.matches(text, path).map_err(|error| error.said());
    match (subject.kind, effect) {
        (SubjectKind::Text, _) => compare(&subject.text, false),
        (SubjectKind::Path, RuleEffect::Allow) => Ok(!climbs(&subject.text) && compare(&subject.text, true)?),
        (SubjectKind::Path, RuleEffect::Ask | RuleEffect::Deny) => {
            if cfg!(any(windows, target_os = "macos")) {
                // There the same file answers to a name in any case.
                let folded =
                    Pattern::parse(&pattern.as_str().to_lowercase()).map_err(|error| error.said())?;
                let text = subject.text.to_lowercase();
                return folded.matches(&text, true).map_err(|error| error.said());
            }
            compare(&subject.text, true)
        }
        (SubjectKind::Command, RuleEffect::Allow) => {
            Ok((pattern.is_literal() || !subject.text.contains(CONTROL)) && compare(&subject.text, false)?)
        }
        (SubjectKind::Command, RuleEffect::Ask | RuleEffect::Deny) => {
            if compare(&subject.text, false)? {
                return Ok(true);
            }
            for part in subject.text.split(CONTROL) {
                if compare(part.trim(), false)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

/// Characters with which a shell's line becomes more than one plain command.
const CONTROL: [char; 12] = [';', '&', '|', '<', '>', '`', '$', '(', ')', '\n', '\r', '\0'];

/// Whether a path may lead elsewhere than it reads.
fn climbs(path: &str) -> bool {
    path.split(['/', '\\']).any(|part| part == "..") || path.contains('\0')
}

/// Allowing takes one plain value. Asking and denying look into lists and objects too.
fn value_meets(pattern: &Pattern, value: &Value, effect: RuleEffect) -> Result<bool, Said> {
    let compare = |text: &str| pattern.matches(text, false).map_err(|error| error.said());
    match value {
        Value::String(text) => compare(text),
        Value::Number(_) | Value::Bool(_) | Value::Null => compare(&value.to_string()),
        Value::Array(_) | Value::Object(_) if effect == RuleEffect::Allow => Ok(false),
        Value::Array(items) => any(items.iter(), pattern, effect),
        Value::Object(members) => any(members.values(), pattern, effect),
    }
}

fn any<'a>(
    mut values: impl Iterator<Item = &'a Value>,
    pattern: &Pattern,
    effect: RuleEffect,
) -> Result<bool, Said> {
    values.try_fold(false, |met, value| Ok(met || value_meets(pattern, value, effect)?))
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
