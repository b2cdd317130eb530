//! Gemini's generateContent as a server writes it.

use serde_json::{Value, json};

use crate::reply::{Reply, pieces};

fn finish_reason(reply: &Reply) -> String {
    match reply.finish_reason.as_deref() {
        None | Some("stop" | "tool_calls") => "STOP".to_owned(),
        Some("length") => "MAX_TOKENS".to_owned(),
        Some("content_filter") => "SAFETY".to_owned(),
        Some(other) => other.to_owned(),
    }
}

fn usage(reply: &Reply) -> Value {
    let usage = reply.usage.unwrap_or_default();
    json!({
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens.saturating_sub(usage.reasoning_tokens),
        "thoughtsTokenCount": usage.reasoning_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "totalTokenCount": usage.prompt_tokens + usage.completion_tokens,
    })
}

/// Calls come whole; only the first of an answer carries the proof, and their ids are no good.
fn calls(reply: &Reply) -> Vec<Value> {
    let parts = reply.tool_calls.iter().enumerate().map(|(index, call)| {
        let args: Value = serde_json::from_str(&call.arguments_text()).unwrap_or_else(|_| json!({}));
        let mut part = json!({"functionCall": {"name": call.name, "args": args}});
        if let Some(id) = &call.id {
            part["functionCall"]["id"] = json!(id);
        }
        if index == 0
            && let Some(signature) = &reply.signature
        {
            part["thoughtSignature"] = json!(signature);
        }
        part
    });
    parts.collect()
}

fn chunk(reply: &Reply, model: &Value, number: usize, parts: &[Value], is_last: bool) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    let mut used = json!({"promptTokenCount": usage(reply)["promptTokenCount"]});
    if is_last {
        candidate["finishReason"] = json!(finish_reason(reply));
        used = usage(reply);
    }
    json!({
        "candidates": [candidate], "usageMetadata": used, "modelVersion": model,
        "responseId": format!("resp-{number}"),
    })
}

/// A whole answer. `number` counts the requests, so that ids differ.
pub fn response(reply: &Reply, model: &Value, number: usize) -> String {
    let mut parts = Vec::new();
    parts.extend(reply.reasoning.iter().map(|text| json!({"text": text, "thought": true})));
    let mut text: Vec<_> = reply.text.iter().map(|text| json!({"text": text})).collect();
    // Without a call the proof stands at the last part.
    if reply.tool_calls.is_empty()
        && let (Some(last), Some(signature)) = (text.last_mut(), &reply.signature)
    {
        last["thoughtSignature"] = json!(signature);
    }
    parts.extend(text);
    parts.extend(calls(reply));
    chunk(reply, model, number, &parts, true).to_string()
}

/// The frames of a streamed answer.
pub fn frames(reply: &Reply, model: &Value, number: usize) -> Vec<String> {
    let mut all: Vec<Vec<Value>> = Vec::new();
    for piece in pieces(reply.reasoning.as_deref().unwrap_or_default()) {
        all.push(vec![json!({"text": piece, "thought": true})]);
    }
    for piece in pieces(reply.text.as_deref().unwrap_or_default()) {
        all.push(vec![json!({"text": piece})]);
    }
    if !reply.tool_calls.is_empty() {
        all.push(calls(reply));
    } else if let Some(signature) = &reply.signature {
        all.push(vec![json!({"text": "", "thoughtSignature": signature})]);
    }
    if all.is_empty() {
        all.push(vec![json!({"text": ""})]);
    }
    let last = all.len() - 1;
    let chunks = all.iter().enumerate().map(|(at, parts)| {
        let chunk = chunk(reply, model, number, parts, at == last);
        // This provider ends its lines the other way.
        format!("data: {chunk}\r\n\r\n")
    });
    chunks.collect()
}
