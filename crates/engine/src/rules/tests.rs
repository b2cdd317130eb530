//! The rules by tables, and what must hold for any of them.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::testing::rule;

const TOOLS: [&str; 4] = ["a", "b", "c", "d"];

fn ran(name: &str, output: &str) -> Called {
    Called { name: name.into(), output: output.into(), ran: true }
}

fn check(rules: &[ToolRule], history: &[Called], names: &[&str], forced: bool) {
    let got = allowed(rules, &TOOLS, history);
    assert_eq!(
        (got.names.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), got.forced),
        (names, forced),
        "{rules:?} after {history:?}"
    );
}

#[test]
fn without_rules_everything_is_allowed() {
    check(&[], &[], &TOOLS, false);
    check(&[rule("a", json!({"type": "requires_approval"}))], &[ran("a", "")], &TOOLS, false);
}

#[test]
fn run_first_holds_until_the_first_call() {
    let rules =
        [rule("b", json!({"type": "run_first", "args": {"x": 1}})), rule("c", json!({"type": "run_first"}))];
    check(&rules, &[], &["b", "c"], true);
    check(&rules, &[ran("b", "")], &TOOLS, false);
    assert_eq!(allowed(&rules, &TOOLS, &[]).prefilled["b"], json!({"x": 1}));
    check(&[rule("gone", json!({"type": "run_first"}))], &[], &[], true);
}

#[test]
fn children_are_forced_right_after_their_tool() {
    let rules = [rule(
        "a",
        json!({"type": "constrain_child_tools", "children": ["b", "gone"], "child_arg_nodes": [{"name": "b", "args": {"k": "v"}}]}),
    )];
    check(&rules, &[], &TOOLS, false);
    check(&rules, &[ran("a", "")], &["b"], true);
    check(&rules, &[ran("a", ""), ran("b", "")], &TOOLS, false);
    assert_eq!(allowed(&rules, &TOOLS, &[ran("a", "")]).prefilled["b"], json!({"k": "v"}));
    let nowhere = [rule("a", json!({"type": "constrain_child_tools", "children": ["gone"]}))];
    check(&nowhere, &[ran("a", "")], &[], true);
}

#[test]
fn parents_admit_their_children_and_nothing_else() {
    let rules = [rule("a", json!({"type": "parent_last_tool", "children": ["b"]}))];
    check(&rules, &[], &["a", "c", "d"], false);
    check(&rules, &[ran("a", "")], &["b"], true);
    check(&rules, &[ran("a", ""), ran("b", "")], &["a", "c", "d"], false);
    let two = [rules[0].clone(), rule("c", json!({"type": "parent_last_tool", "children": ["b"]}))];
    check(&two, &[ran("c", "")], &["b"], true);
}

#[test]
fn conditions_read_the_tools_own_output() {
    let mapping = json!({"yes": "b", "true": "c", "3": "d"});
    let strict =
        json!({"type": "conditional", "child_output_mapping": mapping, "require_output_mapping": true});
    let loose = json!({"type": "conditional", "child_output_mapping": mapping});
    let fallback = json!({"type": "conditional", "child_output_mapping": mapping, "default_child": "a"});
    for (output, names) in [("yes", ["b"]), (" yes\n", ["b"]), ("True", ["c"]), ("3.0", ["d"]), ("3", ["d"])]
    {
        for kind in [&strict, &loose, &fallback] {
            check(&[rule("a", kind.clone())], &[ran("a", output)], &names, true);
        }
    }
    for output in ["no", "", "Yes", "4", "{\"a\": 1}"] {
        check(&[rule("a", strict.clone())], &[ran("a", output)], &[], true);
        check(&[rule("a", loose.clone())], &[ran("a", output)], &TOOLS, false);
        check(&[rule("a", fallback.clone())], &[ran("a", output)], &["a"], true);
    }
}

#[test]
fn the_count_is_exact_and_counts_only_what_ran() {
    let rules = [rule("a", json!({"type": "max_count_per_step", "max_count_limit": 2}))];
    check(&rules, &[ran("a", "")], &TOOLS, false);
    check(&rules, &[ran("a", ""), ran("b", ""), ran("a", "")], &["b", "c", "d"], false);
    let denied = Called { ran: false, ..ran("a", "") };
    check(&rules, &[ran("a", ""), denied], &TOOLS, false);
}

#[test]
fn required_tools_are_named_until_called() {
    let rules = [
        rule("a", json!({"type": "required_before_exit"})),
        rule("gone", json!({"type": "required_before_exit"})),
    ];
    assert_eq!(still_required(&rules, &TOOLS, &[]), ["a"]);
    assert!(still_required(&rules, &TOOLS, &[ran("a", "")]).is_empty());
}

#[test]
fn prefilled_arguments_win_if_the_tool_takes_them() {
    let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}});
    let mut args = json!({"n": 1}).as_object().unwrap().clone();
    assert_eq!(merge_prefilled(&mut args, &json!({"n": 2}), &schema), Ok(()));
    assert_eq!(args["n"], 2);
    assert!(merge_prefilled(&mut args, &json!({"n": "two"}), &schema).is_err());
    assert!(merge_prefilled(&mut args, &json!({"m": 2}), &schema).is_err());
}

fn any_rule() -> impl Strategy<Value = ToolRule> {
    let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("gone")];
    let kind = prop_oneof![
        Just(json!({"type": "run_first"})),
        Just(json!({"type": "exit_loop"})),
        Just(json!({"type": "continue_loop"})),
        Just(json!({"type": "required_before_exit"})),
        Just(json!({"type": "requires_approval"})),
        (0..3_u32).prop_map(|limit| json!({"type": "max_count_per_step", "max_count_limit": limit})),
        proptest::sample::subsequence(TOOLS.to_vec(), 0..3)
            .prop_map(|children| json!({"type": "constrain_child_tools", "children": children})),
        proptest::sample::subsequence(TOOLS.to_vec(), 0..3)
            .prop_map(|children| json!({"type": "parent_last_tool", "children": children})),
        any::<bool>().prop_map(|strict| json!({"type": "conditional", "child_output_mapping": {"x": "b"}, "require_output_mapping": strict})),
    ];
    (name, kind).prop_map(|(name, kind)| rule(name, kind))
}

fn any_history() -> impl Strategy<Value = Vec<Called>> {
    let call =
        (prop_oneof![Just("a"), Just("b"), Just("c")], prop_oneof![Just("x"), Just("y")], any::<bool>())
            .prop_map(|(name, output, ran)| Called { name: name.into(), output: output.into(), ran });
    proptest::collection::vec(call, 0..5)
}

proptest! {
    #[test]
    fn a_further_rule_never_allows_more_once_a_call_was_made(
        rules in proptest::collection::vec(any_rule(), 0..5),
        more in any_rule(),
        history in any_history().prop_filter("not the start", |history| !history.is_empty()),
    ) {
        // A further parent is the exception by design: a child may follow any of its parents.
        prop_assume!(!matches!(more.kind, ToolRuleKind::ParentLastTool { .. }));
        let before = allowed(&rules, &TOOLS, &history);
        let mut extended = rules;
        extended.push(more);
        let after = allowed(&extended, &TOOLS, &history);
        prop_assert!(after.names.iter().all(|name| before.contains(name)));
    }

    #[test]
    fn only_known_tools_within_their_count_are_allowed(
        rules in proptest::collection::vec(any_rule(), 0..6),
        history in any_history(),
    ) {
        let got = allowed(&rules, &TOOLS, &history);
        for name in &got.names {
            prop_assert!(TOOLS.contains(&name.as_str()));
            for rule in rules.iter().filter(|rule| &rule.tool_name == name) {
                if let ToolRuleKind::MaxCountPerStep { max_count_limit } = rule.kind {
                    let ran = history.iter().filter(|call| call.ran && &call.name == name).count();
                    prop_assert!(ran < max_count_limit as usize);
                }
            }
        }
    }

    #[test]
    fn the_order_of_rules_does_not_matter(
        rules in proptest::collection::vec(any_rule(), 0..5),
        history in any_history(),
    ) {
        let forwards = allowed(&rules, &TOOLS, &history);
        let backwards: Vec<ToolRule> = rules.into_iter().rev().collect();
        let backwards = allowed(&backwards, &TOOLS, &history);
        prop_assert_eq!(forwards.names, backwards.names);
        prop_assert_eq!(forwards.forced, backwards.forced);
    }
}
