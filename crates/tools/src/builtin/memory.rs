//! Editing the blocks that stand in the system prompt.

use loci_api::resource::ToolType;
use serde_json::json;

use super::Spec;

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: "core_memory_append",
            tool_type: ToolType::LettaMemoryCore,
            parallel: false,
            description: "Add a line at the end of one of your memory blocks. You see the block in every later turn.",
            required: &["label", "content"],
            properties: json!({
                "label": {"type": "string", "description": "Which block, by its label."},
                "content": {"type": "string", "description": "The text to add; it starts on a new line."},
            }),
        },
        Spec {
            name: "core_memory_replace",
            tool_type: ToolType::LettaMemoryCore,
            parallel: false,
            description: "Exchange text in one of your memory blocks wherever it stands. The old text has to match \
                          exactly. An empty new text deletes it.",
            required: &["label", "old_content", "new_content"],
            properties: json!({
                "label": {"type": "string", "description": "Which block, by its label."},
                "old_content": {"type": "string", "description": "The text that is there now, character by character."},
                "new_content": {"type": "string", "description": "What shall stand there instead; empty to delete."},
            }),
        },
        Spec {
            name: "memory",
            tool_type: ToolType::LettaMemoryCore,
            parallel: false,
            description: "Manage your memory blocks like files under /memories. Commands:\n\
                          create (path, description, file_text?) makes a new block;\n\
                          str_replace (path, old_string, new_string) exchanges a passage that occurs exactly once;\n\
                          insert (path, insert_text, insert_line?) adds lines at a place;\n\
                          delete (path) takes a block away from you;\n\
                          rename (old_path, new_path) gives a block another label, or (path, description) another \
                          description.",
            required: &["command"],
            properties: json!({
                "command": {
                    "type": "string",
                    "enum": ["create", "str_replace", "insert", "delete", "rename"],
                    "description": "What to do with the block.",
                },
                "path": {
                    "type": "string",
                    "description": "The block: /memories/ and its label, for example /memories/human.",
                },
                "file_text": {"type": "string", "description": "create: what the new block holds at first."},
                "description": {
                    "type": "string",
                    "description": "create and rename: what the block is for, so that you know later what belongs in it.",
                },
                "old_string": {
                    "type": "string",
                    "description": "str_replace: the passage as it stands, white space included, without line numbers.",
                },
                "new_string": {
                    "type": "string",
                    "description": "str_replace: what takes its place; empty deletes the passage.",
                },
                "insert_line": {
                    "type": "integer",
                    "description": "insert: the line after which to add. 0 is the top; left out or -1 is the end.",
                },
                "insert_text": {"type": "string", "description": "insert: the text to add."},
                "old_path": {"type": "string", "description": "rename: the block's present path."},
                "new_path": {"type": "string", "description": "rename: the block's future path."},
            }),
        },
        Spec {
            name: "memory_apply_patch",
            tool_type: ToolType::LettaMemoryCore,
            parallel: false,
            description: "Change memory by a patch, for several edits at once. In the simple form the patch is for \
                          the block `label`: lines beginning with a space are context, with - are removed, with + \
                          are added, and @@ separates places; the context and removed lines of each place must occur \
                          exactly once in the block. Without line numbers. In the wide form the patch names blocks \
                          itself, with headers *** Add Block: LABEL (then Description: … and + lines), *** Update \
                          Block: LABEL, *** Delete Block: LABEL, each optionally followed by *** Move to: NEW_LABEL.",
            required: &["label", "patch"],
            properties: json!({
                "label": {"type": "string", "description": "The block the patch is for; the wide form names its own."},
                "patch": {"type": "string", "description": "The patch text as described above."},
            }),
        },
    ]
}
