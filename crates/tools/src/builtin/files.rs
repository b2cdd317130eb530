//! Reading the files of attached folders.

use loci_api::resource::ToolType;
use serde_json::json;

use super::Spec;

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: "open_files",
            tool_type: ToolType::LettaFilesCore,
            parallel: false,
            description: "Bring files, or parts of them, into view. What is open stays visible until it is closed or \
                          makes room for others, so open only what you need.",
            required: &["file_requests"],
            properties: json!({
                "file_requests": {
                    "type": "array",
                    "description": "The files to open, each whole or from a line on.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "file_name": {"type": "string", "description": "Folder and file, such as manuals/engine.md."},
                            "offset": {"type": "integer", "description": "Line to begin with, counted from 0."},
                            "length": {"type": "integer", "description": "How many lines to show from there."},
                        },
                        "required": ["file_name"],
                    },
                },
                "close_all_others": {
                    "type": "boolean",
                    "default": false,
                    "description": "Whether to close every other open file first.",
                },
            }),
        },
        Spec {
            name: "grep_files",
            tool_type: ToolType::LettaFilesCore,
            parallel: true,
            description: "Find lines in your files that match a regular expression; case does not matter. Twenty \
                          hits come at a time, and the result says which offset shows the next ones.",
            required: &["pattern"],
            properties: json!({
                "pattern": {"type": "string", "description": "The regular expression, at most 1000 characters."},
                "include": {
                    "type": "string",
                    "description": "Look only in files whose name fits this pattern, for example *.md.",
                },
                "context_lines": {
                    "type": "integer",
                    "default": 1,
                    "description": "Lines to show before and after each hit.",
                },
                "offset": {"type": "integer", "description": "How many hits to skip, for later pages."},
            }),
        },
        Spec {
            name: "semantic_search_files",
            tool_type: ToolType::LettaFilesCore,
            parallel: true,
            description: "Find passages in your files by meaning rather than by exact words, closest first.",
            required: &["query"],
            properties: json!({
                "query": {"type": "string", "description": "What you are looking for, in plain language."},
                "limit": {"type": "integer", "default": 5, "description": "The most passages to return, up to 50."},
            }),
        },
    ]
}
