//! A rule: where it holds, what it matches, what it says.

use loci_api::said::Said;
use loci_store::table::approval_rule::{RuleEffect, RuleRow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Pattern, PatternError};
use crate::sentences::Approval;

/// Conditions of one rule.
const MOST_CONDITIONS: usize = 20;
/// Characters of a tool's or an argument's name.
const LONGEST_NAME: usize = 200;

/// A rule that can be decided with.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub id: String,
    pub effect: RuleEffect,
    pub scope: Scope,
    pub matches: Matches,
    /// Of [`Matches::Pattern`], in the same order; None for a condition that compares values.
    pub(super) patterns: Vec<Option<Pattern>>,
    /// Of the tool's name, where it is more than one name.
    pub(super) tool: Option<Pattern>,
}

/// Where a rule holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// For every agent of every connection.
    Everywhere,
    Agent {
        #[serde(default = "local")]
        connection: String,
        agent_id: String,
    },
    /// One conversation; null is the agent's own thread.
    Conversation {
        #[serde(default = "local")]
        connection: String,
        agent_id: String,
        conversation_id: Option<String>,
    },
    /// Until the agent has answered this message of the person.
    Run {
        #[serde(default = "local")]
        connection: String,
        agent_id: String,
        conversation_id: Option<String>,
        turn: String,
    },
}

fn local() -> String {
    crate::desk::LOCAL.to_owned()
}

/// What a rule matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Matches {
    /// Exactly one call: the same tool with the same arguments.
    Call {
        tool: String,
        fingerprint: String,
        /// The arguments as JSON text, secrets masked; for people.
        #[serde(default)]
        arguments: Option<String>,
    },
    /// Calls of a tool whose arguments meet every condition.
    Pattern {
        tool: String,
        /// What the tool was when the rule was made. An allowing rule does not hold for what it became.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
        arguments: Vec<Condition>,
    },
    /// Every call of a tool.
    Tool {
        tool: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        identity: Option<String>,
    },
    /// Every tool of one server that changes nothing.
    ReadOnly { server: String },
}

/// What one argument must be: one of `matches` and `equals`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The argument; left out, the one that says what the call is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A pattern its text matches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// The value it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said())]
pub enum RuleProblem {
    Scope(String),
    Matches(String),
    Pattern(#[from] PatternError),
    NoTool,
    LongName,
    AllowsAnyTool,
    Conditions,
    Condition,
}

impl RuleProblem {
    /// The sentence with its parts.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Scope(said) => Approval::RuleScope { said: said.clone() },
            Self::Matches(said) => Approval::RuleMatches { said: said.clone() },
            Self::Pattern(problem) => return problem.said(),
            Self::NoTool => Approval::RuleNoTool,
            Self::LongName => Approval::RuleLongName { most: LONGEST_NAME },
            Self::AllowsAnyTool => Approval::RuleAnyTool,
            Self::Conditions => Approval::RuleConditions { most: MOST_CONDITIONS },
            Self::Condition => Approval::RuleCondition,
        }
        .into()
    }
}

/// A rule as it came from the database: one that is not understood is still there.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all are rules, and they are read all the time")]
pub enum StoredRule {
    Rule(Rule),
    Unreadable { id: String, effect: RuleEffect, problem: RuleProblem },
}

impl StoredRule {
    #[must_use]
    pub fn read(row: &RuleRow) -> Self {
        let parsed = serde_json::from_value(row.scope.clone())
            .map_err(|error| RuleProblem::Scope(error.to_string()))
            .and_then(|scope| {
                let matches = serde_json::from_value(row.matches.clone())
                    .map_err(|error| RuleProblem::Matches(error.to_string()))?;
                Rule::new(row.id.clone(), row.effect, scope, matches)
            });
        match parsed {
            Ok(rule) => Self::Rule(rule),
            Err(problem) => Self::Unreadable { id: row.id.clone(), effect: row.effect, problem },
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Rule(Rule { id, .. }) | Self::Unreadable { id, .. } => id,
        }
    }

    #[must_use]
    pub fn effect(&self) -> RuleEffect {
        match self {
            Self::Rule(Rule { effect, .. }) | Self::Unreadable { effect, .. } => *effect,
        }
    }
}

impl Rule {
    /// # Errors
    /// If it could mean nothing, or more than a person could mean.
    pub fn new(id: String, effect: RuleEffect, scope: Scope, matches: Matches) -> Result<Self, RuleProblem> {
        let name = match &matches {
            Matches::Call { tool, .. } | Matches::Pattern { tool, .. } | Matches::Tool { tool, .. } => tool,
            Matches::ReadOnly { server } => server,
        };
        if name.trim().is_empty() {
            return Err(RuleProblem::NoTool);
        }
        if name.chars().count() > LONGEST_NAME {
            return Err(RuleProblem::LongName);
        }
        let wild = !matches!(matches, Matches::Call { .. } | Matches::ReadOnly { .. }) && name.contains('*');
        if wild && effect == RuleEffect::Allow {
            return Err(RuleProblem::AllowsAnyTool);
        }
        let tool = wild.then(|| Pattern::parse(name)).transpose()?;
        let patterns = match &matches {
            Matches::Pattern { arguments, .. } => {
                if !(1..=MOST_CONDITIONS).contains(&arguments.len()) {
                    return Err(RuleProblem::Conditions);
                }
                arguments.iter().map(Condition::pattern).collect::<Result<_, _>>()?
            }
            Matches::Call { .. } | Matches::Tool { .. } | Matches::ReadOnly { .. } => Vec::new(),
        };
        Ok(Self { id, effect, scope, matches, patterns, tool })
    }
}

impl Condition {
    fn pattern(&self) -> Result<Option<Pattern>, RuleProblem> {
        if self.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(RuleProblem::LongName);
        }
        match (&self.matches, &self.equals) {
            (Some(text), None) => Ok(Some(Pattern::parse(text)?)),
            (None, Some(_)) if self.name.is_some() => Ok(None),
            (Some(_) | None, _) => Err(RuleProblem::Condition),
        }
    }
}
