//! Tables and properties of the decision.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;

use super::{Matches, Rule, RuleEffect, Scope, StoredRule, Subject, SubjectKind, Value, decide, place};
use crate::rules::{Call, Facts, Names, parse};

fn call(tool: &str, arguments: Value) -> Call {
    let subject = |argument: &str, kind| {
        arguments.get(argument).and_then(Value::as_str).map(|text| Subject {
            argument: argument.to_owned(),
            kind,
            text: text.to_owned(),
        })
    };
    let subject = match tool {
        "run_command" => subject("command", SubjectKind::Command),
        "read_file" | "write_file" => subject("path", SubjectKind::Path),
        _ => None,
    };
    Call {
        facts: Facts {
            connection: "local".to_owned(),
            agent_id: "agent-1".to_owned(),
            conversation_id: None,
            turn: Some("message-1".to_owned()),
            tool: tool.to_owned(),
            server: "this machine".to_owned(),
            read_only: tool.starts_with("read"),
            identity: "v1".to_owned(),
            fingerprint: format!("{tool}{arguments}"),
            subject,
            hold: None,
        },
        arguments: arguments.as_object().cloned(),
    }
}

/// A rule from its text; `id` is its place in the list.
fn rule(id: usize, text: &str) -> StoredRule {
    let draft = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let scope = draft.scope.resolve(&Names::default()).unwrap();
    StoredRule::Rule(Rule::new(format!("rule-{id}"), draft.effect, scope, draft.matches).unwrap())
}

#[track_caller]
fn check(rules: &[&str], call: &Call, wanted: RuleEffect) {
    let rules: Vec<_> = rules.iter().enumerate().map(|(id, text)| rule(id, text)).collect();
    let verdict = decide(&rules, call);
    assert_eq!(verdict.effect, wanted, "{}", verdict.because);
}

#[test]
fn deny_comes_before_ask_and_ask_before_allow() {
    use RuleEffect::{Allow, Ask, Deny};
    let read = call("read_file", json!({"path": "notes/plan.md"}));
    check(&[], &read, Ask);
    check(&["allow read_file everywhere"], &read, Allow);
    check(&["allow write_file everywhere"], &read, Ask);
    check(&["allow read_file everywhere", "ask read_file(notes/*) everywhere"], &read, Ask);
    check(&["allow read_file everywhere", "ask read_file everywhere", "deny * everywhere"], &read, Deny);
    check(&["allow read_file everywhere", "deny read_file(**/*.key) everywhere"], &read, Allow);
    check(&["allow read-only tools of this machine everywhere"], &read, Allow);
    check(
        &["allow read-only tools of this machine everywhere"],
        &call("write_file", json!({"path": "x"})),
        Ask,
    );
    check(&["allow read-only tools of elsewhere everywhere"], &read, Ask);
}

#[test]
fn a_scope_is_kept_to() {
    use RuleEffect::{Allow, Ask};
    let mut read = call("read_file", json!({"path": "a"}));
    check(&["allow read_file for agent agent-1"], &read, Allow);
    check(&["allow read_file for agent agent-2"], &read, Ask);
    check(&["allow read_file in conversation conv-1 of agent-1"], &read, Ask);
    read.facts.conversation_id = Some("conv-1".to_owned());
    check(&["allow read_file in conversation conv-1 of agent-1"], &read, Allow);
    check(&["allow read_file in conversation conv-1 of agent-2"], &read, Ask);
    let run = |turn: &str| {
        let scope = Scope::Run {
            connection: "local".to_owned(),
            agent_id: "agent-1".to_owned(),
            conversation_id: Some("conv-1".to_owned()),
            turn: turn.to_owned(),
        };
        let matches = Matches::Tool { tool: "read_file".to_owned(), identity: None };
        StoredRule::Rule(Rule::new("rule-1".to_owned(), Allow, scope, matches).unwrap())
    };
    assert_eq!(decide(&[run("message-1")], &read).effect, Allow);
    assert_eq!(decide(&[run("message-2")], &read).effect, Ask);
    read.facts.connection = "elsewhere".to_owned();
    assert_eq!(decide(&[run("message-1")], &read).effect, Ask);
}

#[test]
fn a_wildcard_allows_no_second_command_but_denies_one() {
    use RuleEffect::{Allow, Ask, Deny};
    let run = |command: &str| call("run_command", json!({"command": command}));
    let allow = ["allow run_command(git status*) everywhere"];
    check(&allow, &run("git status"), Allow);
    check(&allow, &run("git status --short"), Allow);
    for command in [
        "git status; rm -rf ~",
        "git status && curl x",
        "git status | sh",
        "git status > ~/.bashrc",
        "git status `id`",
        "git status $(id)",
        "git status $HOME",
        "git status\nrm x",
        "git status & rm x",
        "sudo git status",
        "GIT_DIR=x git status",
    ] {
        check(&allow, &run(command), Ask);
    }
    let exact = ["allow run_command(make && make install) everywhere"];
    check(&exact, &run("make && make install"), Allow);
    let deny = ["allow run_command(ls -la) everywhere", "deny run_command(rm *) everywhere"];
    for command in ["rm -rf x", "ls; rm -rf x", "ls && rm x", "echo $(rm x)", "ls | rm x"] {
        check(&deny, &run(command), Deny);
    }
    check(&deny, &run("ls -la"), Allow);
}

#[test]
fn paths_that_climb_are_never_allowed() {
    use RuleEffect::{Allow, Ask};
    let rules = ["allow write_file(notes/**) everywhere"];
    check(&rules, &call("write_file", json!({"path": "notes/deep/x.md"})), Allow);
    for path in ["notes/../secret", "notes/deep/../../x", "other/x", "notes", "/etc/notes/x"] {
        check(&rules, &call("write_file", json!({"path": path})), Ask);
    }
}

#[test]
fn conditions_name_arguments() {
    use RuleEffect::{Allow, Ask, Deny};
    let send = |to: Value, copies: Value| call("send", json!({"to": to, "copies": copies}));
    let rules = [r#"allow send(to: "*@example.org", copies = 1) everywhere"#];
    check(&rules, &send(json!("a@example.org"), json!(1)), Allow);
    check(&rules, &send(json!("a@example.com"), json!(1)), Ask);
    check(&rules, &send(json!("a@example.org"), json!(2)), Ask);
    check(&rules, &send(json!(["a@example.org"]), json!(1)), Ask);
    check(&rules, &call("send", json!({"copies": 1})), Ask);
    let rules = [r#"allow send everywhere"#, r#"deny send(to: "*@rival.org") everywhere"#];
    check(&rules, &send(json!(["a@b.org", {"x": "c@rival.org"}]), json!(1)), Deny);
    check(&rules, &send(json!(["a@b.org"]), json!(1)), Allow);
}

#[test]
fn errors_never_allow() {
    use RuleEffect::{Allow, Ask, Deny};
    let mut read = call("read_file", json!({"path": "a"}));
    let unreadable = |effect| StoredRule::Unreadable {
        id: "rule-0".to_owned(),
        effect,
        problem: crate::rules::RuleProblem::NoTool,
    };
    let allow = rule(1, "allow read_file everywhere");
    for (effect, wanted) in [(Allow, Ask), (Ask, Ask), (Deny, Deny)] {
        let verdict = decide(&[allow.clone(), unreadable(effect)], &read);
        assert_eq!(verdict.effect, wanted);
        assert!(verdict.because.message.contains("a rule names a tool"), "{}", verdict.because);
        assert_eq!(verdict.rule_id.as_deref(), Some("rule-0"));
    }
    // Arguments nobody can read meet no condition, and whoever would deny on one denies.
    read.arguments = None;
    read.facts.subject = None;
    check(&["allow read_file(a) everywhere"], &read, Ask);
    check(&["allow read_file everywhere", "deny read_file(b) everywhere"], &read, Deny);
    check(&["allow read_file everywhere"], &read, Allow);
}

#[test]
fn a_changed_tool_asks_again_and_a_hold_is_kept() {
    let mut read = call("read_file", json!({"path": "a"}));
    let made = |effect| {
        let matches = Matches::Tool { tool: "read_file".to_owned(), identity: Some("v1".to_owned()) };
        StoredRule::Rule(Rule::new("rule-1".to_owned(), effect, Scope::Everywhere, matches).unwrap())
    };
    assert_eq!(decide(&[made(RuleEffect::Allow)], &read).effect, RuleEffect::Allow);
    read.facts.hold = Some("Look.".into());
    assert_eq!(decide(&[made(RuleEffect::Allow)], &read).because, "Look.".into());
    read.facts.hold = None;
    read.facts.identity = "v2".to_owned();
    let verdict = decide(&[made(RuleEffect::Allow)], &read);
    assert_eq!(verdict.effect, RuleEffect::Ask);
    assert!(verdict.because.message.contains("changed"));
    assert_eq!(
        decide(&[made(RuleEffect::Deny)], &read).effect,
        RuleEffect::Deny,
        "a denial outlives the change"
    );
}

#[test]
fn allowing_names_one_tool() {
    let draft = parse("allow * everywhere").unwrap();
    let made = Rule::new("rule-1".to_owned(), draft.effect, Scope::Everywhere, draft.matches);
    assert_eq!(made, Err(crate::rules::RuleProblem::AllowsAnyTool));
}

fn some_rule() -> impl Strategy<Value = String> {
    let effect = prop_oneof![Just("allow"), Just("ask"), Just("deny")];
    let subject = prop_oneof![
        Just("run_command"),
        Just("run_command(git *)"),
        Just("run_command(*)"),
        Just("read_file"),
        Just("read_file(a/**)"),
        Just("read_file(path = 1)"),
        Just("read-only tools of this machine"),
    ];
    let scope = prop_oneof![Just("everywhere"), Just("for agent agent-1"), Just("for agent agent-2")];
    (effect, subject, scope).prop_map(|(effect, subject, scope)| format!("{effect} {subject} {scope}"))
}

fn some_call() -> impl Strategy<Value = Call> {
    let arguments = prop_oneof![
        "[a-z;&/. ]{0,12}".prop_map(|text| json!({"command": text, "path": text})),
        Just(json!({"command": 7})),
        Just(json!({})),
        Just(json!("not an object")),
    ];
    (prop_oneof![Just("run_command"), Just("read_file"), Just("other")], arguments)
        .prop_map(|(tool, arguments)| call(tool, arguments))
}

proptest! {
    #[test]
    fn adding_a_deny_or_an_ask_never_allows_more(
        rules in prop::collection::vec(some_rule(), 0..8), more in some_rule(), call in some_call(),
    ) {
        prop_assume!(!more.starts_with("allow"));
        let mut rules: Vec<_> = rules.iter().enumerate().map(|(id, text)| rule(id, text)).collect();
        let before = decide(&rules, &call);
        rules.push(rule(99, &more));
        let after = decide(&rules, &call);
        prop_assert!(place(after.effect) >= place(before.effect), "{before:?} {after:?}");
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in prop::collection::vec(some_rule(), 0..8).prop_shuffle(), call in some_call(), seed in 0..1_000_usize,
    ) {
        let mut rules: Vec<_> = rules.iter().enumerate().map(|(id, text)| rule(id, text)).collect();
        let before = decide(&rules, &call);
        let len = rules.len().max(1);
        rules.rotate_left(seed % len);
        rules.reverse();
        prop_assert_eq!(decide(&rules, &call), before);
    }

    #[test]
    fn allowing_needs_a_rule_that_matches(
        rules in prop::collection::vec(some_rule(), 0..8), call in some_call(),
    ) {
        let rules: Vec<_> = rules.iter().enumerate().map(|(id, text)| rule(id, text)).collect();
        let verdict = decide(&rules, &call);
        if verdict.effect == RuleEffect::Allow {
            let named = rules.iter().find(|rule| Some(rule.id()) == verdict.rule_id.as_deref()).unwrap();
            prop_assert_eq!(decide(std::slice::from_ref(named), &call).effect, RuleEffect::Allow);
            prop_assert_ne!(call.facts.tool.as_str(), "other");
        }
    }
}
