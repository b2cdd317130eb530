//! How long deciding takes: 1,000 rules × 10,000 calls. `cargo run --release -p loci-workbench --example rules_bench`
#![allow(clippy::print_stdout, reason = "its purpose")]

use std::{hint::black_box, time::Instant};

use loci_store::table::approval_rule::RuleEffect;
use loci_workbench::rules::{
    Call, Condition, Facts, Matches, Rule, Scope, StoredRule, Subject, SubjectKind, decide,
};
use serde_json::json;

const RULES: usize = 1_000;
const CALLS: usize = 10_000;

fn main() {
    let rules: Vec<StoredRule> = (0..RULES).map(rule).collect();
    let calls: Vec<Call> = (0..CALLS).map(call).collect();
    let begun = Instant::now();
    let mut counts = [0_usize; 3];
    for call in &calls {
        match black_box(decide(black_box(&rules), call)).effect {
            RuleEffect::Allow => counts[0] += 1,
            RuleEffect::Ask => counts[1] += 1,
            RuleEffect::Deny => counts[2] += 1,
        }
    }
    let took = begun.elapsed();
    let [allow, ask, deny] = counts;
    println!("{RULES} rules x {CALLS} calls: {took:.2?}, {:.2?} each", took / 10_000);
    println!("allow {allow}, ask {ask}, deny {deny}");
}

/// Rules of every kind; most are about other tools, as they are in life.
fn rule(number: usize) -> StoredRule {
    let effect = match number % 10 {
        0 => RuleEffect::Deny,
        1 | 2 => RuleEffect::Ask,
        _ => RuleEffect::Allow,
    };
    let tool = ["read_file", "write_file", "run_command", "open_url"][number % 4].to_owned();
    let matches = match number % 3 {
        0 => Matches::Tool { tool: format!("{tool}_{number}"), identity: None },
        1 => {
            let pattern = format!("project-{number}/**/*.md");
            let condition = Condition { name: None, matches: Some(pattern), equals: None };
            Matches::Pattern { tool, identity: None, arguments: vec![condition] }
        }
        _ => {
            let pattern = format!("*{number}*");
            let condition = Condition { name: Some("path".to_owned()), matches: Some(pattern), equals: None };
            Matches::Pattern { tool, identity: None, arguments: vec![condition] }
        }
    };
    let scope = match number % 2 {
        0 => Scope::Everywhere,
        _ => Scope::Agent { connection: "local".to_owned(), agent_id: format!("agent-{}", number % 20) },
    };
    let rule = Rule::new(format!("rule-{number:04}"), effect, scope, matches).expect("a valid rule");
    StoredRule::Rule(rule)
}

fn call(number: usize) -> Call {
    let tool = ["read_file", "write_file", "run_command", "open_url"][number % 4];
    let path = format!("project-{}/deep/er/{number}.md", number % 1_000);
    Call {
        facts: Facts {
            connection: "local".to_owned(),
            agent_id: format!("agent-{}", number % 20),
            conversation_id: None,
            turn: None,
            tool: tool.to_owned(),
            server: "this machine".to_owned(),
            read_only: tool == "read_file",
            identity: format!("client:{tool}"),
            fingerprint: String::new(),
            subject: Some(Subject {
                argument: "path".to_owned(),
                kind: SubjectKind::Path,
                text: path.clone(),
            }),
            hold: None,
        },
        arguments: json!({"path": path}).as_object().cloned(),
    }
}
