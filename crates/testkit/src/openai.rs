//! OpenAI chat completions as a server writes them.

use serde_json::{Value, json};

use crate::reply::{Reply, halves, pieces};

fn finish_reason(reply: &Reply) -> String {
    reply.finish_reason.clone().unwrap_or_else(|| {
        if reply.tool_calls.is_empty() { "stop".to_owned() } else { "tool_calls".to_owned() }
    })
}

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage.unwrap_or_default();
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    })
}

fn call_id(reply: &Reply, index: usize, number: usize) -> String {
    reply.tool_calls[index].id.clone().unwrap_or_else(|| format!("call_{number}_{index}"))
}

/// A whole answer. `number` counts the requests, so that ids differ.
pub fn response(reply: &Reply, model: &Value, number: usize) -> String {
    let mut message = json!({"role": "assistant", "content": reply.text});
    if let Some(reasoning) = &reply.reasoning {
        message["reasoning_content"] = json!(reasoning);
    }
    if !reply.tool_calls.is_empty() {
        let calls = reply.tool_calls.iter().enumerate().map(|(index, call)| {
            json!({
                "id": call_id(reply, index, number),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments_text()},
            })
        });
        message["tool_calls"] = calls.collect();
    }
    json!({
        "id": format!("chatcmpl-{number}"),
        "object": "chat.completion",
        "created": 1_763_665_442,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(reply), "logprobs": null}],
        "usage": usage(reply),
    })
    .to_string()
}

/// The frames of a streamed answer, `[DONE]` last.
pub fn frames(reply: &Reply, model: &Value, number: usize, with_usage: bool) -> Vec<String> {
    let chunk = |delta: Value, finish: Option<String>| {
        let chunk = json!({
            "id": format!("chatcmpl-{number}"),
            "object": "chat.completion.chunk",
            "created": 1_763_665_442,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        });
        format!("data: {chunk}\n\n")
    };
    let mut frames = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    for piece in pieces(reply.reasoning.as_deref().unwrap_or_default()) {
        frames.push(chunk(json!({"reasoning_content": piece}), None));
    }
    for piece in pieces(reply.text.as_deref().unwrap_or_default()) {
        frames.push(chunk(json!({"content": piece}), None));
    }
    for (index, call) in reply.tool_calls.iter().enumerate() {
        frames.push(chunk(
            json!({"tool_calls": [{
                "index": index, "id": call_id(reply, index, number), "type": "function",
                "function": {"name": call.name, "arguments": ""},
            }]}),
            None,
        ));
        let text = call.arguments_text();
        for piece in halves(&text) {
            frames.push(chunk(
                json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}),
                None,
            ));
        }
    }
    frames.push(chunk(json!({}), Some(finish_reason(reply))));
    if with_usage {
        let chunk = json!({
            "id": format!("chatcmpl-{number}"), "object": "chat.completion.chunk", "created": 1_763_665_442,
            "model": model, "choices": [], "usage": usage(reply),
        });
        frames.push(format!("data: {chunk}\n\n"));
    }
    frames.push("data: [DONE]\n\n".to_owned());
    frames
}
