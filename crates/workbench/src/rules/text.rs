//! Rules as people read and write them: `allow run_command(git status*) for agent Mercury`.
//!
//! `EFFECT WHAT WHERE`. EFFECT is allow, ask or deny. WHAT is a tool, `tool(pattern)` about what the call is about,
//! `tool(name: "pattern", other = VALUE)` with the VALUE as JSON, or `read-only tools of SERVER`. WHERE is
//! `everywhere`, `for agent NAME`, or `in conversation ID of AGENT`.

use std::collections::HashMap;

use loci_api::said::Said;
use loci_store::table::approval_rule::RuleEffect;
use serde_json::Value;

use super::{Condition, Matches, Scope};
use crate::sentences::Approval;

/// A rule that was read, its agents still by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub effect: RuleEffect,
    pub matches: Matches,
    pub scope: DraftScope,
}

/// Where a rule is to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DraftScope {
    Everywhere,
    /// By name or id.
    Agent(String),
    /// The conversation's id, or `own` for the agent's own thread; the agent by name or id.
    Conversation(String, String),
}

impl ParseError {
    /// The sentence with its parts.
    #[must_use]
    pub fn said(&self) -> Said {
        Approval::RuleText { problem: (*self.message).clone(), at: self.at }.into()
    }
}

/// The names of agents, by id.
#[derive(Debug, Clone, Default)]
pub struct Names(pub HashMap<String, String>);

/// Where and why a text is not a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} (at character {at})")]
pub struct ParseError {
    /// Characters before the place, from 0.
    pub at: usize,
    pub message: Box<Said>,
}

impl Names {
    fn of<'a>(&'a self, id: &'a str) -> &'a str {
        self.0.get(id).map_or(id, String::as_str)
    }

    /// The id of the agent that has this id, or alone has this name.
    fn find(&self, text: &str) -> Result<String, Said> {
        if text.starts_with("agent-") && (self.0.is_empty() || self.0.contains_key(text)) {
            return Ok(text.to_owned());
        }
        let mut found = self.0.iter().filter(|(_, name)| *name == text).map(|(id, _)| id);
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id.clone()),
            (Some(_), Some(_)) => Err(Approval::RuleAgentSeveral { name: text.to_owned() }.into()),
            (None, _) => Err(Approval::RuleAgentUnknown { name: text.to_owned() }.into()),
        }
    }
}

impl DraftScope {
    /// # Errors
    /// If no agent, or more than one, has the name.
    pub fn resolve(&self, names: &Names) -> Result<Scope, Said> {
        let connection = crate::desk::LOCAL.to_owned();
        Ok(match self {
            Self::Everywhere => Scope::Everywhere,
            Self::Agent(agent) => Scope::Agent { connection, agent_id: names.find(agent)? },
            Self::Conversation(conversation, agent) => Scope::Conversation {
                connection,
                agent_id: names.find(agent)?,
                conversation_id: (conversation != "own").then(|| conversation.clone()),
            },
        })
    }
}

/// Reads a rule.
///
/// # Errors
/// What was expected, and where.
pub fn parse(text: &str) -> Result<Draft, ParseError> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    let effect = match reader.word() {
        "allow" => RuleEffect::Allow,
        "ask" => RuleEffect::Ask,
        "deny" => RuleEffect::Deny,
        _ => return Err(reader.error(Approval::RuleTextBegin)),
    };
    reader.space();
    let matches = reader.matches()?;
    reader.space();
    let scope = reader.scope()?;
    Ok(Draft { effect, matches, scope })
}

struct Reader<'a> {
    text: &'a str,
    /// Bytes.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn error(&self, message: impl Into<Said>) -> ParseError {
        ParseError { at: self.text[..self.at].chars().count(), message: Box::new(message.into()) }
    }

    /// What comes before the next space or bracket.
    fn word(&mut self) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|char: char| char.is_whitespace() || char == '(').unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn matches(&mut self) -> Result<Matches, ParseError> {
        if self.eat("read-only tools of ") {
            let rest = self.rest();
            let end = [" everywhere", " for agent ", " in conversation "]
                .iter()
                .filter_map(|end| rest.rfind(end))
                .min()
                .ok_or_else(|| self.error(Approval::RuleTextWhere))?;
            self.at += end;
            return Ok(Matches::ReadOnly { server: rest[..end].trim().to_owned() });
        }
        let start = self.at;
        let tool = self.word().to_owned();
        if tool.is_empty() {
            self.at = start;
            return Err(self.error(Approval::RuleTextTool));
        }
        if !self.eat("(") {
            return Ok(Matches::Tool { tool, identity: None });
        }
        let arguments = match self.quoted() {
            Some(pattern) => vec![Condition { name: None, matches: Some(pattern), equals: None }],
            None if self.is_named() => self.named()?,
            None => vec![self.pattern()?],
        };
        Ok(Matches::Pattern { tool, identity: None, arguments })
    }

    /// Whether what follows is `name: "` or `name =`.
    fn is_named(&self) -> bool {
        let rest = self.rest().trim_start();
        let name =
            rest.len() - rest.trim_start_matches(|char: char| char.is_alphanumeric() || char == '_').len();
        let rest = rest[name..].trim_start();
        name > 0
            && (rest.strip_prefix(':').is_some_and(|rest| rest.trim_start().starts_with('"'))
                || rest.starts_with("= "))
    }

    /// A whole pattern as a JSON string, which is how one is written that would be read as something else.
    fn quoted(&mut self) -> Option<String> {
        let rest = self.rest();
        let length = rest.starts_with('"').then(|| json_length(rest))?;
        let pattern: String = serde_json::from_str(&rest[..length]).ok()?;
        if pattern.is_empty() || !rest[length..].starts_with(')') {
            return None;
        }
        self.at += length + 1;
        Some(pattern)
    }

    /// A pattern up to the closing bracket; `\)` is a bracket of the pattern.
    fn pattern(&mut self) -> Result<Condition, ParseError> {
        let mut pattern = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                ')' => {
                    self.at += at + 1;
                    if pattern.is_empty() {
                        return Err(self.error(Approval::RuleTextPattern));
                    }
                    return Ok(Condition { name: None, matches: Some(pattern), equals: None });
                }
                '\\' => match chars.next() {
                    Some((_, ')')) => pattern.push(')'),
                    Some((_, other)) => pattern.extend(['\\', other]),
                    None => pattern.push('\\'),
                },
                other => pattern.push(other),
            }
        }
        Err(self.error(Approval::RuleTextOpen))
    }

    fn named(&mut self) -> Result<Vec<Condition>, ParseError> {
        let mut conditions = Vec::new();
        loop {
            self.space();
            let rest = self.rest();
            let length =
                rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(rest.len());
            let name = rest[..length].to_owned();
            if name.is_empty() {
                return Err(self.error(Approval::RuleTextArgument));
            }
            self.at += length;
            self.space();
            let pattern = self.eat(":");
            if !pattern && !self.eat("=") {
                return Err(self.error(Approval::RuleTextCondition));
            }
            self.space();
            let value = self.json()?;
            conditions.push(match (pattern, value) {
                (true, Value::String(text)) => {
                    Condition { name: Some(name), matches: Some(text), equals: None }
                }
                (true, _) => return Err(self.error(Approval::RuleTextQuotes)),
                (false, value) => Condition { name: Some(name), matches: None, equals: Some(value) },
            });
            self.space();
            if self.eat(")") {
                return Ok(conditions);
            }
            if !self.eat(",") {
                return Err(self.error(Approval::RuleTextComma));
            }
        }
    }

    fn json(&mut self) -> Result<Value, ParseError> {
        let rest = self.rest();
        let length = json_length(rest);
        match serde_json::from_str(&rest[..length]) {
            Ok(value) => {
                self.at += length;
                Ok(value)
            }
            Err(error) => Err(self.error(Approval::RuleTextJson { said: error.to_string() })),
        }
    }

    fn scope(&mut self) -> Result<DraftScope, ParseError> {
        let rest = self.rest().trim_end();
        if rest == "everywhere" {
            return Ok(DraftScope::Everywhere);
        }
        if let Some(name) = rest.strip_prefix("for agent ").map(str::trim).filter(|name| !name.is_empty()) {
            return Ok(DraftScope::Agent(name.to_owned()));
        }
        if let Some((conversation, agent)) =
            rest.strip_prefix("in conversation ").and_then(|rest| rest.split_once(" of "))
        {
            return Ok(DraftScope::Conversation(conversation.trim().to_owned(), agent.trim().to_owned()));
        }
        Err(self.error(Approval::RuleTextWhere))
    }
}

/// Bytes up to what ends a value in a list: a comma or closing bracket that is in no string and no inner list.
fn json_length(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            ',' | ')' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// A rule as its text. [`parse`] reads it back, save for exact calls and single runs, which only the dialog makes.
#[must_use]
pub fn text(effect: RuleEffect, matches: &Matches, scope: &Scope, names: &Names) -> String {
    let what = match matches {
        Matches::Call { tool, fingerprint, .. } => {
            format!("exactly {tool} #{}", fingerprint.get(..12).unwrap_or(fingerprint))
        }
        Matches::Tool { tool, .. } => tool.clone(),
        Matches::ReadOnly { server } => format!("read-only tools of {server}"),
        Matches::Pattern { tool, arguments, .. } => format!("{tool}({})", conditions(arguments)),
    };
    let wherever = match scope {
        Scope::Everywhere => "everywhere".to_owned(),
        Scope::Agent { agent_id, .. } => format!("for agent {}", names.of(agent_id)),
        Scope::Conversation { agent_id, conversation_id, .. } => format!(
            "in conversation {} of {}",
            conversation_id.as_deref().unwrap_or("own"),
            names.of(agent_id)
        ),
        Scope::Run { agent_id, .. } => format!("in this run of {}", names.of(agent_id)),
    };
    format!("{} {what} {wherever}", effect.as_str())
}

fn conditions(arguments: &[Condition]) -> String {
    if let [Condition { name: None, matches: Some(pattern), .. }] = arguments {
        let plain = pattern.replace(')', "\\)");
        let misread = pattern.starts_with('"')
            || pattern.contains("\\)")
            || pattern.ends_with('\\')
            || Reader { text: &plain, at: 0 }.is_named();
        return if misread { Value::from(pattern.as_str()).to_string() } else { plain };
    }
    let each = arguments.iter().map(|condition| {
        let name = condition.name.as_deref().unwrap_or("it");
        match (&condition.matches, &condition.equals) {
            (Some(pattern), _) => format!("{name}: {}", Value::from(pattern.as_str())),
            (None, value) => format!("{name} = {}", value.as_ref().unwrap_or(&Value::Null)),
        }
    });
    each.collect::<Vec<_>>().join(", ")
}

/// What will be remembered, in one plain sentence.
#[must_use]
pub fn sentence(effect: RuleEffect, matches: &Matches, scope: &Scope, names: &Names) -> String {
    let verb = match effect {
        RuleEffect::Allow => "run without asking",
        RuleEffect::Ask => "ask before it runs",
        RuleEffect::Deny => "refuse without asking",
    };
    let what = match matches {
        Matches::Call { tool, .. } => format!("{tool} with exactly these arguments"),
        Matches::Tool { tool, .. } => format!("{tool} with any arguments"),
        Matches::ReadOnly { server } => format!("every tool of {server} that only reads"),
        Matches::Pattern { tool, arguments, .. } => {
            let each = arguments.iter().map(|condition| {
                let name = condition.name.as_deref().unwrap_or("what it is about");
                match (&condition.matches, &condition.equals) {
                    (Some(pattern), _) => format!("{name} matches {pattern}"),
                    (None, value) => format!("{name} is {}", value.as_ref().unwrap_or(&Value::Null)),
                }
            });
            format!("{tool} when {}", each.collect::<Vec<_>>().join(" and "))
        }
    };
    let wherever = match scope {
        Scope::Everywhere => "for every agent".to_owned(),
        Scope::Agent { agent_id, .. } => format!("for {}", names.of(agent_id)),
        Scope::Conversation { agent_id, .. } => format!("for {} in this conversation", names.of(agent_id)),
        Scope::Run { agent_id, .. } => format!("for {} until it has answered", names.of(agent_id)),
    };
    let end = match scope {
        Scope::Run { .. } => "",
        Scope::Everywhere | Scope::Agent { .. } | Scope::Conversation { .. } => " until you revoke this",
    };
    format!("Loci will {verb}: {what}, {wherever}{end}.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn names() -> Names {
        Names(
            [("agent-1", "Mercury"), ("agent-2", "Twin"), ("agent-3", "Twin")]
                .map(|(id, name)| (id.to_owned(), name.to_owned()))
                .into(),
        )
    }

    #[test]
    fn a_rule_reads_back_as_it_was_written() {
        for written in [
            "allow run_command(git status*) for agent Mercury",
            "deny * everywhere",
            "ask mcp_*(**) everywhere",
            "allow read_file everywhere",
            r#"allow send(to: "*@example.org", copies = 1) everywhere"#,
            "allow read-only tools of this machine for agent Mercury",
            "allow run_command(echo \\)) everywhere",
            "allow run_command(a\\*b) everywhere",
            "deny run_command(FOO=x y) everywhere",
            r#"deny run_command("A: \"b\"") everywhere"#,
            r#"deny run_command("n = 1") everywhere"#,
            "allow read_file in conversation conv-1 of Mercury",
            "allow read_file in conversation own of Mercury",
        ] {
            let draft = parse(written).unwrap_or_else(|error| panic!("{written}: {error}"));
            let scope = draft.scope.resolve(&names()).unwrap();
            assert_eq!(text(draft.effect, &draft.matches, &scope, &names()), written);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (written, at, wanted) in [
            ("", 0, "begins with allow"),
            ("permit x everywhere", 6, "begins with allow"),
            ("allow", 5, "Name a tool"),
            ("allow x", 7, "where it holds"),
            ("allow x(a everywhere", 8, "not closed"),
            ("allow x() everywhere", 9, "hold a pattern"),
            ("allow x(a: \"b\" everywhere", 11, "JSON value"),
            ("allow x(a: \"b\", c: 1) everywhere", 20, "stands in quotes"),
            ("allow x(a: \"b\", ) everywhere", 16, "Name an argument"),
            ("allow x(a = b) everywhere", 12, "JSON value"),
            ("allow x for agent ", 8, "where it holds"),
            ("allow ü(*) sometimes", 11, "where it holds"),
        ] {
            let error = parse(written).unwrap_err();
            assert!(error.message.message.contains(wanted), "{written}: {error}");
            assert_eq!(error.at, at, "{written}: {error}");
        }
    }

    #[test]
    fn an_agent_s_name_must_be_one_agent_s() {
        let scope = |text: &str| parse(text).unwrap().scope.resolve(&names());
        assert!(scope("allow x for agent Twin").unwrap_err().message.contains("several"));
        assert!(scope("allow x for agent Nobody").unwrap_err().message.contains("no agent"));
        assert!(scope("allow x for agent agent-2").is_ok());
    }

    #[test]
    fn a_sentence_says_what_will_be_remembered() {
        let draft = parse("allow run_command(git status*) for agent Mercury").unwrap();
        let scope = draft.scope.resolve(&names()).unwrap();
        assert_eq!(
            sentence(draft.effect, &draft.matches, &scope, &names()),
            "Loci will run without asking: run_command when what it is about matches git status*, for Mercury until you revoke this."
        );
    }

    #[test]
    fn what_is_huge_or_deep_is_refused_in_time() {
        let deep = format!("allow t(a = {}) everywhere", "[".repeat(100_000));
        let long = format!("allow t({}) everywhere", "x".repeat(1_000_000));
        let many = format!("allow t({}) everywhere", vec!["a = 1"; 50_000].join(", "));
        let read = |text: &str| {
            let draft = parse(text).map_err(|error| error.to_string())?;
            let rule =
                super::super::Rule::new("rule-1".to_owned(), draft.effect, Scope::Everywhere, draft.matches);
            rule.map(drop).map_err(|problem| problem.to_string())
        };
        for (text, wanted) in [(&deep, "JSON"), (&long, "longer than"), (&many, "1 to 20 conditions")] {
            let problem = read(text).expect_err("not a rule");
            assert!(problem.contains(wanted), "{problem}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in ".{0,80}") {
            let _either = parse(&text);
        }

        /// Most of this is nearly a rule.
        #[test]
        fn reading_what_is_nearly_a_rule_never_panics(
            parts in proptest::collection::vec(
                prop::sample::select(vec![
                    "allow ", "deny ", "t", "(", ")", "\"", "\\", ": ", "= ", ",", "[", "{", "}", "null", "é", "\u{202e}",
                    " everywhere", " for agent ", " in conversation ", " of ", "read-only tools of ", "own", " ", "\0",
                ]),
                0..20,
            )
        ) {
            let text = parts.concat();
            if let Err(error) = parse(&text) {
                prop_assert!(error.at <= text.chars().count(), "{text:?} {error:?}");
            }
        }

        #[test]
        fn any_pattern_survives_its_text(pattern in "[ -~]{1,30}") {
            prop_assume!(super::super::Pattern::parse(&pattern).is_ok());
            let made = Matches::Pattern {
                tool: "t".to_owned(),
                identity: None,
                arguments: vec![Condition { name: None, matches: Some(pattern), equals: None }],
            };
            let written = text(RuleEffect::Deny, &made, &Scope::Everywhere, &Names::default());
            prop_assert_eq!(parse(&written).map(|draft| draft.matches), Ok(made), "{}", written);
        }
    }
}
