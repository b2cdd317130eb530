//! Speaking, and searching what was said or filed away.

use loci_api::resource::ToolType;
use serde_json::json;

use super::Spec;

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: "send_message",
            tool_type: ToolType::LettaCore,
            parallel: false,
            description: "Say something to the person you are talking with. Only what is passed here reaches them.",
            required: &["message"],
            properties: json!({
                "message": {"type": "string", "description": "The words to send. Any Unicode text, emoji included."},
            }),
        },
        Spec {
            name: "conversation_search",
            tool_type: ToolType::LettaCore,
            parallel: true,
            description: "Look through everything that was said in earlier messages, also those no longer visible to \
                          you. Give words to look for, a span of time, or both; without words the newest messages of \
                          the span are returned. Each hit carries when it was said, by whom, and the text.",
            required: &[],
            properties: json!({
                "query": {
                    "type": "string",
                    "description": "Words or a phrase to look for. Leave it out to browse by date and role alone.",
                },
                "roles": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["assistant", "user", "tool"]},
                    "description": "Keep only messages of these roles. Leave it out for all of them.",
                },
                "limit": {
                    "type": "integer",
                    "description": "The most hits to return; 5 unless given.",
                },
                "start_date": {
                    "type": "string",
                    "description": "Earliest moment, ISO 8601: a day such as 2025-03-01 (from its beginning) or a \
                                    moment such as 2025-03-01T09:30. Without an offset your own time zone is meant.",
                },
                "end_date": {
                    "type": "string",
                    "description": "Latest moment, ISO 8601. A plain day counts up to its very end, so the same day \
                                    for both dates means that whole day.",
                },
            }),
        },
        Spec {
            name: "archival_memory_insert",
            tool_type: ToolType::LettaCore,
            parallel: false,
            description: "File a note in your long-term archive. It stays out of sight until a search brings it \
                          back, so write it to be understood on its own: who, what, when. Keep one topic per note.",
            required: &["content"],
            properties: json!({
                "content": {"type": "string", "description": "The note, complete enough to make sense years later."},
                "tags": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Short categories by which the note can be narrowed down later, for example \
                                    [\"project\", \"decision\"].",
                },
            }),
        },
        Spec {
            name: "archival_memory_search",
            tool_type: ToolType::LettaCore,
            parallel: true,
            description: "Find notes in your long-term archive by meaning, closest first. A question or a short \
                          description works better than single words. Tags and dates narrow the result.",
            required: &["query"],
            properties: json!({
                "query": {"type": "string", "description": "What you want to know, in plain language."},
                "tags": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Keep only notes filed under these tags.",
                },
                "tag_match_mode": {
                    "type": "string",
                    "enum": ["any", "all"],
                    "default": "any",
                    "description": "Whether a note needs one of the tags (any) or every one of them (all).",
                },
                "top_k": {"type": "integer", "description": "The most notes to return; 5 unless given."},
                "start_datetime": {
                    "type": "string",
                    "description": "Keep notes filed at or after this moment, ISO 8601 day or moment.",
                },
                "end_datetime": {
                    "type": "string",
                    "description": "Keep notes filed up to this moment, ISO 8601; a plain day counts to its end.",
                },
            }),
        },
    ]
}
