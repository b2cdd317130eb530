//! Each memory tool by tables: what it returns, what it changes, how it refuses.
#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::resource::Block;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::testing::block;

fn args(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn blocks() -> Vec<Block> {
    let mut locked = block("locked", "do not touch");
    locked.read_only = true;
    let mut small = block("small", "12345678");
    small.limit = 10;
    vec![
        block("human", "Name: Ada\nLikes tea\nLikes cats"),
        block("empty", ""),
        block("tabs", "a\tb\nc"),
        block("notes/deep", "one"),
        block("flat_name", "two"),
        locked,
        small,
    ]
}

/// Runs one tool and gives its result, or its error as `Err`.
fn result(tool: &str, value: Value) -> Result<Value, String> {
    let edit = edit(tool, &args(value), &blocks()).map_err(|error| error.0)?;
    for change in &edit.changes {
        if let BlockChange::Update { new_value, .. } = change {
            assert_eq!(edit.result, json!(new_value), "{tool} returns the whole new value");
        }
    }
    Ok(edit.result)
}

#[test]
fn edits_return_the_whole_new_value() {
    for (tool, given, expected) in [
        ("core_memory_append", json!({"label": "empty", "content": "x"}), "\nx"),
        (
            "core_memory_append",
            json!({"label": "human", "content": "y"}),
            "Name: Ada\nLikes tea\nLikes cats\ny",
        ),
        (
            "core_memory_replace",
            json!({"label": "human", "old_content": "Likes", "new_content": "Loves"}),
            "Name: Ada\nLoves tea\nLoves cats",
        ),
        (
            "core_memory_replace",
            json!({"label": "human", "old_content": "\nLikes tea", "new_content": ""}),
            "Name: Ada\nLikes cats",
        ),
        (
            "memory_replace",
            json!({"label": "human", "old_string": "Ada", "new_string": "Grace"}),
            "Name: Grace\nLikes tea\nLikes cats",
        ),
        ("memory_replace", json!({"label": "tabs", "old_string": "a\tb", "new_string": "ok"}), "ok\nc"),
        ("memory_replace", json!({"label": "tabs", "old_string": "a       b", "new_string": "ok"}), "ok\nc"),
        ("memory_replace", json!({"label": "tabs", "old_string": "c", "new_string": "d"}), "a\tb\nd"),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x"}),
            "Name: Ada\nLikes tea\nLikes cats\nx",
        ),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x", "insert_line": 0}),
            "x\nName: Ada\nLikes tea\nLikes cats",
        ),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x\ny", "insert_line": "1"}),
            "Name: Ada\nx\ny\nLikes tea\nLikes cats",
        ),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x", "insert_line": 3}),
            "Name: Ada\nLikes tea\nLikes cats\nx",
        ),
        ("memory_insert", json!({"label": "empty", "new_string": "x", "insert_line": null}), "x"),
        ("memory_rethink", json!({"label": "human", "new_memory": "new"}), "new"),
        ("memory_rethink", json!({"label": "brand_new", "new_memory": "new"}), "new"),
        (
            "memory_apply_patch",
            json!({"label": "human", "patch": "--- a\n+++ b\n@@\n Name: Ada\n-Likes tea\n+Likes coffee"}),
            "Name: Ada\nLikes coffee\nLikes cats",
        ),
        (
            "memory_apply_patch",
            json!({"label": "human", "patch": "+last"}),
            "Name: Ada\nLikes tea\nLikes cats\nlast",
        ),
        (
            "memory",
            json!({"command": "str_replace", "path": "/memories/notes/deep", "old_string": "one", "new_string": "1"}),
            "1",
        ),
        (
            "memory",
            json!({"command": "insert", "path": "/memories/flat/name", "insert_text": "three"}),
            "two\nthree",
        ),
    ] {
        assert_eq!(result(tool, given.clone()), Ok(json!(expected)), "{tool} {given}");
    }
    assert_eq!(result("memory_finish_edits", json!({})), Ok(Value::Null));
}

#[test]
fn refusals_say_what_to_do_and_change_nothing() {
    let numbered = "1→ Name";
    for (tool, given, said) in [
        (
            "core_memory_append",
            json!({"label": "nope", "content": "x"}),
            "no memory block 'nope'. Existing blocks: human",
        ),
        ("core_memory_append", json!({"label": "human"}), "needs the argument 'content'"),
        (
            "core_memory_append",
            json!({"label": 3, "content": "x"}),
            "'label' of core_memory_append must be a string",
        ),
        ("core_memory_append", json!({"label": "locked", "content": "x"}), "read-only"),
        (
            "core_memory_append",
            json!({"label": "small", "content": "ab"}),
            "11 characters, 1 over its limit of 10 (it holds 8 now)",
        ),
        (
            "core_memory_replace",
            json!({"label": "human", "old_content": "zzz", "new_content": "x"}),
            "does not occur",
        ),
        ("core_memory_replace", json!({"label": "human", "old_content": "", "new_content": "x"}), "empty"),
        (
            "memory_replace",
            json!({"label": "human", "old_string": "Likes", "new_string": "x"}),
            "occurs 2 times in the memory block 'human', in lines 2, 3",
        ),
        (
            "memory_replace",
            json!({"label": "human", "old_string": numbered, "new_string": "x"}),
            "line number",
        ),
        (
            "memory_replace",
            json!({"label": "human", "old_string": "Ada", "new_string": numbered}),
            "line number",
        ),
        (
            "memory_replace",
            json!({"label": "human", "old_string": crate::context::LINE_NUMBER_WARNING, "new_string": "x"}),
            "note about line numbers",
        ),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x", "insert_line": 4}),
            "use 0 to 3, or -1",
        ),
        (
            "memory_insert",
            json!({"label": "human", "new_string": "x", "insert_line": -2}),
            "use 0 to 3, or -1",
        ),
        ("memory_insert", json!({"label": "human", "new_string": "x", "insert_line": "two"}), "whole number"),
        ("memory_rethink", json!({"label": "locked", "new_memory": "x"}), "read-only"),
        ("memory_rethink", json!({"label": "no spaces", "new_memory": "x"}), "cannot be a block's label"),
        ("memory_apply_patch", json!({"label": "human", "patch": "just words"}), "no change"),
        ("memory_apply_patch", json!({"label": "human", "patch": "-absent\n+x"}), "does not occur"),
        ("memory_apply_patch", json!({"label": "locked", "patch": "+x"}), "read-only"),
        ("memory", json!({"command": "create", "path": "/memories/new"}), "needs a description"),
        (
            "memory",
            json!({"command": "create", "path": "/memories/human", "description": "d"}),
            "exists already",
        ),
        ("memory", json!({"command": "delete", "path": "/memories/locked"}), "read-only"),
        (
            "memory",
            json!({"command": "rename", "old_path": "/memories/locked", "new_path": "/memories/open"}),
            "read-only",
        ),
        ("memory", json!({"command": "rename", "path": "/memories/locked", "description": "d"}), "read-only"),
        (
            "memory",
            json!({"command": "rename", "old_path": "/memories/human", "new_path": "/memories/empty"}),
            "exists already",
        ),
        ("memory", json!({"command": "rename"}), "needs old_path and new_path"),
        ("memory", json!({"command": "fly"}), "not a command"),
        ("memory", json!({}), "needs the argument 'command'"),
        ("send_message", json!({}), "not a memory tool"),
    ] {
        let error = result(tool, given.clone()).unwrap_err();
        assert!(error.contains(said), "{tool} {given}: {error}");
    }
}

#[test]
fn the_memory_tool_creates_deletes_renames_and_describes() {
    let id = |label: &str| block(label, "").id;
    for (given, expected) in [
        (
            json!({"command": "create", "path": "/memories/new", "description": "d", "file_text": "v"}),
            BlockChange::Create { label: "new".into(), description: Some("d".into()), value: "v".into() },
        ),
        (
            json!({"command": "delete", "path": "/memories/flat/name"}),
            BlockChange::Detach { id: id("flat_name"), label: "flat_name".into() },
        ),
        (
            json!({"command": "rename", "old_path": "/human", "new_path": "/memories/person"}),
            BlockChange::Rename { id: id("human"), from: "human".into(), to: "person".into() },
        ),
        (
            json!({"command": "rename", "path": "human", "description": "The person"}),
            BlockChange::Describe {
                id: id("human"),
                label: "human".into(),
                description: "The person".into(),
            },
        ),
    ] {
        assert_eq!(edit("memory", &args(given), &blocks()).unwrap().changes, [expected]);
    }
    let seen = result("memory", json!({"command": "view", "path": "/memories/human"})).unwrap();
    assert_eq!(seen, json!("Name: Ada\nLikes tea\nLikes cats"));
}

#[test]
fn a_patch_of_several_blocks_is_all_or_nothing() {
    let patch = "*** Begin Patch\n*** Add Block: plans\nDescription: What comes\n+first\n\
                 *** Update Block: plans\n-first\n+second\n*** Move to: todo\n\
                 *** Update Block: human\n Name: Ada\n-Likes tea\n*** Delete Block: empty\n*** End Patch";
    let done =
        edit("memory_apply_patch", &args(json!({"label": "human", "patch": patch})), &blocks()).unwrap();
    assert_eq!(
        done.changes,
        [
            BlockChange::Create {
                label: "todo".into(),
                description: Some("What comes".into()),
                value: "second".into()
            },
            BlockChange::Update {
                id: block("human", "").id,
                label: "human".into(),
                new_value: "Name: Ada\nLikes cats".into()
            },
            BlockChange::Detach { id: block("empty", "").id, label: "empty".into() },
        ]
    );
    assert_eq!(done.result.as_array().unwrap().len(), 5);
    let bad = format!("{patch}\n*** Update Block: locked\n+x");
    let error =
        edit("memory_apply_patch", &args(json!({"label": "human", "patch": bad})), &blocks()).unwrap_err();
    assert!(error.0.contains("read-only"), "{error}");
}

#[test]
fn a_block_over_its_limit_may_still_shrink() {
    let mut long = block("long", "0123456789");
    long.limit = 5;
    let shrink = args(json!({"label": "long", "old_string": "9", "new_string": ""}));
    assert!(edit("memory_replace", &shrink, std::slice::from_ref(&long)).is_ok());
    let grow = args(json!({"label": "long", "content": "x"}));
    assert!(edit("core_memory_append", &grow, &[long]).is_err());
}

fn any_args() -> impl Strategy<Value = Map<String, Value>> {
    let keys = [
        "label",
        "content",
        "old_content",
        "new_content",
        "old_string",
        "new_string",
        "insert_line",
        "new_memory",
        "patch",
        "command",
        "path",
        "file_text",
        "description",
        "insert_text",
        "old_path",
        "new_path",
    ];
    let text = prop_oneof![
        "[ab\\t\\n→1 +@-]{0,12}",
        Just("notes".to_owned()),
        Just("a".to_owned()),
        Just("insert".to_owned()),
        Just("str_replace".to_owned()),
        Just("create".to_owned()),
    ];
    let value = prop_oneof![
        6 => text.prop_map(Value::String),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    proptest::collection::vec(value, keys.len())
        .prop_map(move |values| keys.iter().map(|key| (*key).to_owned()).zip(values).collect())
}

proptest! {
    #[test]
    fn no_edit_passes_the_limit_or_touches_a_read_only_block(
        tool in 0..TOOLS.len(),
        mut given in any_args(),
        value in "[ab\\t\\n]{0,20}",
        limit in 0..20_i64,
        read_only: bool,
    ) {
        given.insert("label".into(), json!("notes"));
        given.insert("path".into(), json!("/memories/notes"));
        let mut notes = block("notes", &value);
        notes.limit = limit;
        notes.read_only = read_only;
        let before = value.chars().count();
        let Ok(done) = edit(TOOLS[tool], &given, &[notes]) else { return Ok(()) };
        for change in done.changes {
            match change {
                BlockChange::Update { new_value, .. } => {
                    let after = new_value.chars().count();
                    prop_assert!(!read_only);
                    prop_assert!(after <= usize::try_from(limit).unwrap() || after < before);
                }
                BlockChange::Create { value, .. } => prop_assert!(value.chars().count() <= 100_000),
                BlockChange::Detach { .. } | BlockChange::Rename { .. } | BlockChange::Describe { .. } => {
                    prop_assert!(!read_only);
                }
            }
        }
    }
}
