//! OpenAI Responses as a server writes them.

use serde_json::{Value, json};

use crate::reply::{Reply, halves, pieces};

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage.unwrap_or_default();
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

/// The answer's items, complete, in the order the provider gives them.
fn items(reply: &Reply, number: usize) -> Vec<Value> {
    let mut items = Vec::new();
    if reply.reasoning.is_some() || reply.redacted_reasoning.is_some() {
        let summary: Vec<_> =
            reply.reasoning.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        let sealed = reply.redacted_reasoning.as_deref().or(reply.signature.as_deref()).unwrap_or("sealed");
        items.push(json!({"type": "reasoning", "id": format!("rs_{number}"), "summary": summary, "encrypted_content": sealed}));
    }
    if let Some(text) = &reply.text {
        items.push(json!({
            "type": "message", "id": format!("msg_{number}"), "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }));
    }
    for (index, call) in reply.tool_calls.iter().enumerate() {
        items.push(json!({
            "type": "function_call", "id": format!("fc_{number}_{index}"), "status": "completed",
            "call_id": call.id.clone().unwrap_or_else(|| format!("call_{number}_{index}")),
            "name": call.name, "arguments": call.arguments_text(),
        }));
    }
    items
}

fn ending(reply: &Reply) -> (&'static str, Value) {
    match reply.finish_reason.as_deref() {
        Some("length") => ("incomplete", json!({"reason": "max_output_tokens"})),
        Some("content_filter") => ("incomplete", json!({"reason": "content_filter"})),
        _ => ("completed", Value::Null),
    }
}

fn whole(reply: &Reply, model: &Value, number: usize) -> Value {
    let (status, details) = ending(reply);
    json!({
        "id": format!("resp_{number}"), "object": "response", "created_at": 1_763_665_442, "model": model,
        "status": status, "error": null, "incomplete_details": details, "store": false,
        "output": items(reply, number), "usage": usage(reply),
    })
}

/// A whole answer. `number` counts the requests, so that ids differ.
pub fn response(reply: &Reply, model: &Value, number: usize) -> String {
    whole(reply, model, number).to_string()
}

/// The frames of a streamed answer, the closing event last.
pub fn frames(reply: &Reply, model: &Value, number: usize) -> Vec<String> {
    let mut sequence = 0;
    let mut frames = Vec::new();
    let mut send = |kind: &str, mut event: Value| {
        event["type"] = json!(kind);
        event["sequence_number"] = json!(sequence);
        sequence += 1;
        frames.push(format!("event: {kind}\ndata: {event}\n\n"));
    };
    let mut head = whole(reply, model, number);
    head["status"] = json!("in_progress");
    head["output"] = json!([]);
    head["usage"] = Value::Null;
    head["incomplete_details"] = Value::Null;
    send("response.created", json!({"response": head}));
    send("response.in_progress", json!({"response": head}));
    for (at, item) in items(reply, number).into_iter().enumerate() {
        let mut begun = item.clone();
        let id = item["id"].clone();
        match item["type"].as_str().unwrap_or_default() {
            "reasoning" => {
                begun["summary"] = json!([]);
                begun["encrypted_content"] = json!("");
                send("response.output_item.added", json!({"output_index": at, "item": begun}));
                for piece in pieces(reply.reasoning.as_deref().unwrap_or_default()) {
                    send(
                        "response.reasoning_summary_text.delta",
                        json!({"item_id": id, "output_index": at, "summary_index": 0, "delta": piece}),
                    );
                }
            }
            "message" => {
                begun["content"] = json!([]);
                begun["status"] = json!("in_progress");
                send("response.output_item.added", json!({"output_index": at, "item": begun}));
                for piece in pieces(reply.text.as_deref().unwrap_or_default()) {
                    send(
                        "response.output_text.delta",
                        json!({"item_id": id, "output_index": at, "content_index": 0, "delta": piece}),
                    );
                }
                send(
                    "response.output_text.done",
                    json!({"item_id": id, "output_index": at, "content_index": 0, "text": reply.text}),
                );
            }
            _ => {
                begun["arguments"] = json!("");
                begun["status"] = json!("in_progress");
                send("response.output_item.added", json!({"output_index": at, "item": begun}));
                let arguments = item["arguments"].as_str().unwrap_or_default();
                for piece in halves(arguments) {
                    send(
                        "response.function_call_arguments.delta",
                        json!({"item_id": id, "output_index": at, "delta": piece}),
                    );
                }
                send(
                    "response.function_call_arguments.done",
                    json!({"item_id": id, "output_index": at, "arguments": arguments}),
                );
            }
        }
        send("response.output_item.done", json!({"output_index": at, "item": item}));
    }
    let done = whole(reply, model, number);
    let kind = format!("response.{}", ending(reply).0);
    send(&kind, json!({"response": done}));
    frames
}
