//! Memory tools of the voice agents.

use loci_api::resource::ToolType;
use serde_json::json;

use super::Spec;

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: "search_memory",
            tool_type: ToolType::LettaVoiceSleeptimeCore,
            parallel: false,
            description: "Recall earlier parts of the conversation and filed notes. Give words that were spoken, a \
                          span of time counted back from now, or both.",
            required: &[],
            properties: json!({
                "convo_keyword_queries": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Words or phrases; each is looked for by itself.",
                },
                "start_minutes_ago": {
                    "type": "integer",
                    "description": "The far end of the span, in minutes before now.",
                },
                "end_minutes_ago": {
                    "type": "integer",
                    "description": "The near end of the span, in minutes before now.",
                },
            }),
        },
        Spec {
            name: "store_memories",
            tool_type: ToolType::LettaVoiceSleeptimeCore,
            parallel: false,
            description: "File stretches of the conversation for later. Each stretch should be about one thing and \
                          comes with a note that says why it matters.",
            required: &["chunks"],
            properties: json!({
                "chunks": {
                    "type": "array",
                    "description": "The stretches to keep, in the order in which they were spoken.",
                    "items": {
                        "type": "object",
                        "properties": {
                            "start_index": {"type": "integer", "description": "Number of the first line, counted from 0."},
                            "end_index": {"type": "integer", "description": "Number of the last line, which is included."},
                            "context": {"type": "string", "description": "What this stretch is about and why to keep it."},
                        },
                        "required": ["start_index", "end_index", "context"],
                    },
                },
            }),
        },
        Spec {
            name: "rethink_user_memory",
            tool_type: ToolType::LettaVoiceSleeptimeCore,
            parallel: false,
            description: "Write anew what is remembered about the person: everything that still holds, with what the \
                          conversation added or corrected.",
            required: &["new_memory"],
            properties: json!({
                "new_memory": {"type": "string", "description": "The whole new text of the block about the person."},
            }),
        },
        Spec {
            name: "finish_rethinking_memory",
            tool_type: ToolType::LettaVoiceSleeptimeCore,
            parallel: false,
            description: "Declare that rethinking the memory is finished for this round.",
            required: &[],
            properties: json!({}),
        },
    ]
}
