//! A rule made from a call that waits: `Allow …`, with where and what.

use loci_api::{error::ApiError, message::ToolCall, time::Timestamp};
use loci_store::table::approval_rule::{RuleEffect, RuleRow};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{masked::masked_text, request::Request};
use crate::{
    rules::{Condition, Facts, Matches, Rule, Scope, Subject, SubjectKind},
    sentences::Approval,
};

/// Characters of arguments that a rule about one call keeps for people; every look at what waits reads them. Without
/// them the rule holds all the same.
const LONGEST_ARGUMENTS: usize = 20_000;

/// What is to be remembered of a decision.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Remember {
    pub scope: ScopeWord,
    pub what: What,
    /// With `pattern`: about what the call is about.
    #[serde(default)]
    pub pattern: Option<String>,
    /// With `pattern`, instead: about its arguments by name.
    #[serde(default)]
    pub arguments: Option<Vec<Condition>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScopeWord {
    Run,
    Conversation,
    Agent,
    Everywhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    /// Exactly this call.
    Call,
    Pattern,
    /// Every call of the tool.
    Tool,
    /// Every tool of its server that only reads.
    ReadOnly,
}

impl Remember {
    /// The rule, checked.
    pub(super) fn rule(
        &self,
        request: &Request,
        call: &ToolCall,
        effect: RuleEffect,
    ) -> Result<RuleRow, ApiError> {
        let facts = request.facts(call, &call.arguments).facts;
        let scope = self.scope.of(&facts)?;
        let matches = self.matches(&facts, call)?;
        made(effect, scope, matches, None)
    }

    fn matches(&self, facts: &Facts, call: &ToolCall) -> Result<Matches, ApiError> {
        let odd = self.what != What::Pattern && (self.pattern.is_some() || self.arguments.is_some());
        if odd {
            return Err(ApiError::bad_request("Only `what: pattern` takes a pattern or arguments."));
        }
        let (tool, identity) = (facts.tool.clone(), Some(facts.identity.clone()));
        Ok(match self.what {
            What::Call => Matches::Call {
                tool,
                fingerprint: facts.fingerprint.clone(),
                arguments: Some(masked_text(&call.arguments))
                    .filter(|text| text.chars().count() <= LONGEST_ARGUMENTS),
            },
            What::Tool => Matches::Tool { tool, identity },
            What::ReadOnly if !facts.read_only => {
                return Err(ApiError::bad_request(format!("{tool} does not only read.")));
            }
            What::ReadOnly => Matches::ReadOnly { server: facts.server.clone() },
            What::Pattern => {
                let arguments = match (&self.pattern, &self.arguments) {
                    (Some(pattern), None) => {
                        vec![Condition { name: None, matches: Some(pattern.clone()), equals: None }]
                    }
                    (None, Some(arguments)) => arguments.clone(),
                    (Some(_), Some(_)) | (None, None) => {
                        return Err(ApiError::bad_request("Give a pattern, or conditions on arguments."));
                    }
                };
                Matches::Pattern { tool, identity, arguments }
            }
        })
    }
}

impl ScopeWord {
    fn of(self, facts: &Facts) -> Result<Scope, ApiError> {
        let (connection, agent_id) = (facts.connection.clone(), facts.agent_id.clone());
        let conversation_id = facts.conversation_id.clone();
        Ok(match self {
            Self::Everywhere => Scope::Everywhere,
            Self::Agent => Scope::Agent { connection, agent_id },
            Self::Conversation => Scope::Conversation { connection, agent_id, conversation_id },
            Self::Run => {
                let turn = facts.turn.clone().ok_or_else(|| ApiError::bad_request(Approval::RuleNoTurn))?;
                Scope::Run { connection, agent_id, conversation_id, turn }
            }
        })
    }
}

/// A new rule, if it can mean something.
pub(super) fn made(
    effect: RuleEffect,
    scope: Scope,
    matches: Matches,
    note: Option<String>,
) -> Result<RuleRow, ApiError> {
    let id = format!("rule-{}", uuid::Uuid::new_v4());
    let row = RuleRow {
        id: id.clone(),
        effect,
        scope: json!(scope),
        matches: json!(matches),
        note,
        created_at: Timestamp::now(),
        revoked_at: None,
    };
    Rule::new(id, effect, scope, matches)
        .map(|_| row)
        .map_err(|problem| ApiError::bad_request(Approval::RuleRefused { problem: problem.said() }))
}

/// A way to say "calls like this one".
#[derive(Debug, Serialize)]
pub(super) struct Suggestion {
    /// The pattern as it stands in a rule's brackets.
    pub text: String,
    /// In words.
    pub label: String,
}

/// Patterns that cover a call, the narrowest first.
pub(super) fn suggestions(subject: Option<&Subject>) -> Vec<Suggestion> {
    let Some(subject) = subject else { return Vec::new() };
    let suggest = |text: String, label: String| Suggestion { text, label };
    match subject.kind {
        SubjectKind::Path => {
            let path = &subject.text;
            let mut found = vec![suggest(escaped(path), format!("only {path}"))];
            if let Some((folder, name)) = path.rsplit_once('/') {
                if let Some((_, ending)) = name.rsplit_once('.') {
                    let (folder, ending) = (escaped(folder), escaped(ending));
                    found
                        .push(suggest(format!("{folder}/*.{ending}"), format!("{ending} files in {folder}")));
                }
                found.push(suggest(format!("{}/**", escaped(folder)), format!("everything below {folder}")));
            }
            found.push(suggest("**".to_owned(), "everything in the opened folder".to_owned()));
            found
        }
        SubjectKind::Command => {
            let line = subject.text.trim();
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut found = vec![suggest(escaped(line), "only this command".to_owned())];
            for count in [2, 1] {
                if words.len() > count {
                    let begin = words[..count].join(" ");
                    found.push(suggest(format!("{} *", escaped(&begin)), format!("{begin} with anything")));
                }
            }
            found
        }
        SubjectKind::Text => {
            let mut found = vec![suggest(escaped(&subject.text), format!("only {}", subject.text))];
            if let Ok(url) = reqwest::Url::parse(&subject.text)
                && let Some(host) = url.host_str()
            {
                let origin = format!("{}://{host}", url.scheme());
                found.push(suggest(format!("{}/*", escaped(&origin)), format!("anything of {host}")));
            }
            found.retain(|one| one.text.chars().count() <= 1_000);
            found
        }
    }
}

/// Text as a pattern for itself.
fn escaped(text: &str) -> String {
    text.chars()
        .flat_map(|char| matches!(char, '*' | '?' | '\\').then_some('\\').into_iter().chain([char]))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::rules::Pattern;

    #[test]
    fn suggestions_cover_the_call_they_come_from() {
        let patterns = |kind, text: &str| -> Vec<String> {
            let subject = Subject { argument: "x".to_owned(), kind, text: text.to_owned() };
            let found = suggestions(Some(&subject));
            for one in &found {
                let pattern = Pattern::parse(&one.text).unwrap();
                assert_eq!(pattern.matches(text, kind == SubjectKind::Path), Ok(true), "{one:?} {text}");
            }
            found.into_iter().map(|one| one.text).collect()
        };
        assert_eq!(
            patterns(SubjectKind::Path, "notes/a*/plan.md"),
            ["notes/a\\*/plan.md", "notes/a\\*/*.md", "notes/a\\*/**", "**"]
        );
        assert_eq!(patterns(SubjectKind::Path, "plan.md"), ["plan.md", "**"]);
        assert_eq!(
            patterns(SubjectKind::Command, "git status --short"),
            ["git status --short", "git status *", "git *"]
        );
        assert_eq!(
            patterns(SubjectKind::Text, "https://example.org/a?b"),
            ["https://example.org/a\\?b", "https://example.org/*"]
        );
        assert!(suggestions(None).is_empty());
    }
}
