//! Anthropic Messages as a server writes them.

use serde_json::{Value, json};

use crate::reply::{Reply, halves, pieces};

fn stop_reason(reply: &Reply) -> &str {
    match reply.finish_reason.as_deref() {
        Some("length") => "max_tokens",
        Some("stop") => "end_turn",
        Some("content_filter") => "refusal",
        Some("tool_calls") => "tool_use",
        Some(other) => other,
        None if reply.tool_calls.is_empty() => "end_turn",
        None => "tool_use",
    }
}

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage.unwrap_or_default();
    json!({
        "input_tokens": usage.prompt_tokens.saturating_sub(usage.cached_tokens + usage.cache_write_tokens),
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.completion_tokens,
    })
}

fn call_id(reply: &Reply, index: usize, number: usize) -> String {
    reply.tool_calls[index].id.clone().unwrap_or_else(|| format!("toolu_{number}_{index}"))
}

fn head(reply: &Reply, model: &Value, number: usize, content: Value, stop: Value) -> Value {
    json!({
        "id": format!("msg_{number}"), "type": "message", "role": "assistant", "model": model, "content": content,
        "stop_reason": stop, "stop_sequence": null, "usage": usage(reply),
    })
}

/// A whole answer. `number` counts the requests, so that ids differ.
pub fn response(reply: &Reply, model: &Value, number: usize) -> String {
    let mut content = Vec::new();
    if let Some(reasoning) = &reply.reasoning {
        let signature = reply.signature.as_deref().unwrap_or("sig");
        content.push(json!({"type": "thinking", "thinking": reasoning, "signature": signature}));
    }
    if let Some(data) = &reply.redacted_reasoning {
        content.push(json!({"type": "redacted_thinking", "data": data}));
    }
    if let Some(text) = &reply.text {
        content.push(json!({"type": "text", "text": text}));
    }
    for (index, call) in reply.tool_calls.iter().enumerate() {
        let input: Value = serde_json::from_str(&call.arguments_text()).unwrap_or_else(|_| json!({}));
        content.push(json!({"type": "tool_use", "id": call_id(reply, index, number), "name": call.name, "input": input}));
    }
    head(reply, model, number, json!(content), json!(stop_reason(reply))).to_string()
}

/// The frames of a streamed answer, `message_stop` last.
pub fn frames(reply: &Reply, model: &Value, number: usize) -> Vec<String> {
    let frame = |event: Value| {
        let name = event["type"].as_str().unwrap_or_default().to_owned();
        format!("event: {name}\ndata: {event}\n\n")
    };
    let mut frames = vec![
        frame(
            json!({"type": "message_start", "message": head(reply, model, number, json!([]), Value::Null)}),
        ),
        frame(json!({"type": "ping"})),
    ];
    let mut index = 0;
    let mut block = |start: Value, deltas: Vec<Value>| {
        frames.push(frame(json!({"type": "content_block_start", "index": index, "content_block": start})));
        for delta in deltas {
            frames.push(frame(json!({"type": "content_block_delta", "index": index, "delta": delta})));
        }
        frames.push(frame(json!({"type": "content_block_stop", "index": index})));
        index += 1;
    };
    if let Some(reasoning) = &reply.reasoning {
        let mut deltas: Vec<Value> = pieces(reasoning)
            .iter()
            .map(|piece| json!({"type": "thinking_delta", "thinking": piece}))
            .collect();
        let signature = reply.signature.as_deref().unwrap_or("sig");
        deltas.push(json!({"type": "signature_delta", "signature": signature}));
        block(json!({"type": "thinking", "thinking": "", "signature": ""}), deltas);
    }
    if let Some(data) = &reply.redacted_reasoning {
        block(json!({"type": "redacted_thinking", "data": data}), Vec::new());
    }
    if let Some(text) = &reply.text {
        let deltas = pieces(text).iter().map(|piece| json!({"type": "text_delta", "text": piece})).collect();
        block(json!({"type": "text", "text": ""}), deltas);
    }
    for (at, call) in reply.tool_calls.iter().enumerate() {
        let text = call.arguments_text();
        let deltas = halves(&text)
            .iter()
            .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}))
            .collect();
        block(
            json!({"type": "tool_use", "id": call_id(reply, at, number), "name": call.name, "input": {}}),
            deltas,
        );
    }
    let used = usage(reply);
    frames.push(frame(json!({
        "type": "message_delta",
        "delta": {"stop_reason": stop_reason(reply), "stop_sequence": null},
        "usage": {"output_tokens": used["output_tokens"]},
    })));
    frames.push(frame(json!({"type": "message_stop"})));
    frames
}
