//! Talking to other agents.

use loci_api::resource::ToolType;
use serde_json::{Value, json};

use super::Spec;

pub(super) const NAMES: &[&str] = &[
    "send_message_to_agent_and_wait_for_reply",
    "send_message_to_agents_matching_tags",
    "send_message_to_agent_async",
];

fn message() -> Value {
    json!({"type": "string", "description": "What to tell the other side. Say what you need back, if anything."})
}

fn other_agent_id() -> Value {
    json!({"type": "string", "description": "The other agent's id, of the form agent-<uuid>."})
}

pub(super) fn specs() -> Vec<Spec> {
    vec![
        Spec {
            name: NAMES[0],
            tool_type: ToolType::LettaMultiAgentCore,
            parallel: false,
            description: "Write to one other agent and wait for its answer. It learns who is writing. The result is \
                          what it said in reply.",
            required: &["message", "other_agent_id"],
            properties: json!({"message": message(), "other_agent_id": other_agent_id()}),
        },
        Spec {
            name: NAMES[1],
            tool_type: ToolType::LettaMultiAgentCore,
            parallel: false,
            description: "Write to every other agent that carries certain tags and gather their answers. You are \
                          never among them yourself.",
            required: &["message", "match_all", "match_some"],
            properties: json!({
                "message": message(),
                "match_all": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Tags an agent must all carry; an empty list asks for none.",
                },
                "match_some": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Tags of which an agent must carry at least one; an empty list asks for none.",
                },
            }),
        },
        Spec {
            name: NAMES[2],
            tool_type: ToolType::LettaMultiAgentCore,
            parallel: false,
            description: "Write to one other agent without waiting. The result only confirms that the message was \
                          handed over; an answer, if any, reaches you later as a message.",
            required: &["message", "other_agent_id"],
            properties: json!({"message": message(), "other_agent_id": other_agent_id()}),
        },
    ]
}
