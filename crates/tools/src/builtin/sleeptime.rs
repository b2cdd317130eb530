//! Careful edits of memory, made for an agent that reorganises what it knows.

use loci_api::resource::ToolType;
use serde_json::json;

use super::Spec;

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: "memory_replace",
            tool_type: ToolType::LettaSleeptimeCore,
            parallel: false,
            description: "Exchange one passage of a memory block. The old passage must occur exactly once, so take \
                          in enough around it to make it unique. Leave out line numbers and display notes: they are \
                          not part of the block. An empty new text deletes the passage.",
            required: &["label", "old_string", "new_string"],
            properties: json!({
                "label": {"type": "string", "description": "Which block, by its label."},
                "old_string": {
                    "type": "string",
                    "description": "The passage as it stands now, with its exact white space and line breaks.",
                },
                "new_string": {"type": "string", "description": "What takes its place; empty deletes the passage."},
            }),
        },
        Spec {
            name: "memory_insert",
            tool_type: ToolType::LettaSleeptimeCore,
            parallel: false,
            description: "Add text to a memory block at a given line, leaving the rest as it is.",
            required: &["label", "new_string"],
            properties: json!({
                "label": {"type": "string", "description": "Which block, by its label."},
                "new_string": {"type": "string", "description": "The text to add, without line numbers."},
                "insert_line": {
                    "type": "integer",
                    "default": -1,
                    "description": "The line after which the text goes: 0 for the top, -1 for the end.",
                },
            }),
        },
        Spec {
            name: "memory_rethink",
            tool_type: ToolType::LettaSleeptimeCore,
            parallel: false,
            description: "Write a memory block anew from beginning to end, to reorder, merge or condense what it \
                          holds. For a small change take memory_replace or memory_insert. Whatever you leave out is \
                          gone from the block.",
            required: &["label", "new_memory"],
            properties: json!({
                "label": {"type": "string", "description": "Which block, by its label."},
                "new_memory": {
                    "type": "string",
                    "description": "The whole new content: everything still true from before, plus what is new.",
                },
            }),
        },
        Spec {
            name: "memory_finish_edits",
            tool_type: ToolType::LettaSleeptimeCore,
            parallel: false,
            description: "Declare that you are done editing memory for now. Call it once nothing is left to change.",
            required: &[],
            properties: json!({}),
        },
    ]
}
