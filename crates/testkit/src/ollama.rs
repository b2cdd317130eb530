//! Ollama's native chat as a server writes it: lines of JSON.

use serde_json::{Value, json};

use crate::reply::{Reply, pieces};

fn done(reply: &Reply, chunk: &mut Value) {
    let usage = reply.usage.unwrap_or_default();
    chunk["done"] = json!(true);
    chunk["done_reason"] = match reply.finish_reason.as_deref() {
        None | Some("stop" | "tool_calls") => json!("stop"),
        Some(other) => json!(other),
    };
    chunk["total_duration"] = json!(1_000_000_000_u64);
    chunk["prompt_eval_count"] = json!(usage.prompt_tokens);
    chunk["eval_count"] = json!(usage.completion_tokens);
    chunk["eval_duration"] = json!(500_000_000_u64);
}

fn calls(reply: &Reply) -> Value {
    let calls = reply.tool_calls.iter().enumerate().map(|(index, call)| {
        let arguments: Value = serde_json::from_str(&call.arguments_text()).unwrap_or_else(|_| json!({}));
        json!({"function": {"index": index, "name": call.name, "arguments": arguments}})
    });
    calls.collect()
}

fn chunk(model: &Value, message: Value) -> Value {
    json!({"model": model, "created_at": "2025-11-20T10:00:00Z", "message": message, "done": false})
}

/// A whole answer.
pub fn response(reply: &Reply, model: &Value) -> String {
    let mut message = json!({"role": "assistant", "content": reply.text.as_deref().unwrap_or_default()});
    if let Some(reasoning) = &reply.reasoning {
        message["thinking"] = json!(reasoning);
    }
    if !reply.tool_calls.is_empty() {
        message["tool_calls"] = calls(reply);
    }
    let mut whole = chunk(model, message);
    done(reply, &mut whole);
    whole.to_string()
}

/// The lines of a streamed answer.
pub fn frames(reply: &Reply, model: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for piece in pieces(reply.reasoning.as_deref().unwrap_or_default()) {
        lines.push(chunk(model, json!({"role": "assistant", "content": "", "thinking": piece})));
    }
    for piece in pieces(reply.text.as_deref().unwrap_or_default()) {
        lines.push(chunk(model, json!({"role": "assistant", "content": piece})));
    }
    if !reply.tool_calls.is_empty() {
        lines.push(chunk(model, json!({"role": "assistant", "content": "", "tool_calls": calls(reply)})));
    }
    let mut last = chunk(model, json!({"role": "assistant", "content": ""}));
    done(reply, &mut last);
    lines.push(last);
    lines.iter().map(|line| format!("{line}\n")).collect()
}
