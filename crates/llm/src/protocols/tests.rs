//! What the protocols' tests share, and what holds for all of them.

use loci_api::{
    chat::{ChatMessage, ChatOptions, ToolChoice, ToolSpec},
    message::ContentPart,
};
use serde_json::json;

use super::*;

pub(super) fn text(text: &str) -> ContentPart {
    ContentPart::text(text)
}

pub(super) fn spec(name: &str) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: "does it".to_owned(),
        parameters: json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}),
    }
}

pub(super) fn model(provider_type: &str, name: &str) -> ResolvedModel {
    let config = ProviderConfig {
        name: provider_type.to_owned(),
        provider_type: provider_type.to_owned(),
        base_url: "http://127.0.0.1:9".to_owned(),
        api_key: None,
        headers: Vec::new(),
        category: "base".to_owned(),
        protocol: None,
    };
    let models = crate::Models::new(vec![config]).expect("a usable provider");
    models.resolve(&format!("{provider_type}/{name}")).expect("a known provider")
}

pub(super) fn request(messages: Vec<ChatMessage>) -> ChatRequest {
    ChatRequest {
        handle: "openai/gpt-4.1".to_owned(),
        messages,
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: false,
        options: ChatOptions::default(),
        stream: true,
    }
}

/// Every place inside a value, as JSON pointers.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), out));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, item)| places(item, &format!("{at}/{key}"), out));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whole answers of each protocol, frame by frame.
fn answers() -> Vec<(Protocol, Vec<Value>)> {
    let openai = json!({"id": "c", "choices": [{"index": 0, "finish_reason": "stop", "delta": {
        "content": [{"type": "thinking", "thinking": [{"text": "t"}]}, {"type": "text", "text": "a"}],
        "reasoning": "r", "refusal": "n",
        "tool_calls": [{"index": 0, "id": "i", "function": {"name": "f", "arguments": "{}"}}],
    }}], "usage": {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 1}}, "error": null});
    let anthropic = [
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 1}, "content": []}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": "", "signature": "s"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "t"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "i", "name": "f", "input": {"x": 1}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ];
    let responses = [
        json!({"type": "response.created", "response": {"id": "r", "output": []}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": []}}),
        json!({"type": "response.reasoning_summary_part.added", "output_index": 0, "summary_index": 1}),
        json!({"type": "response.reasoning_summary_text.delta", "output_index": 0, "item_id": "rs", "delta": "t"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": {"type": "reasoning", "id": "rs", "summary": [{"text": "t"}], "encrypted_content": "e"}}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": {"type": "function_call", "id": "fc", "call_id": "c", "name": "f"}}),
        json!({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": "{"}),
        json!({"type": "response.output_text.delta", "output_index": 2, "item_id": "m", "delta": "a"}),
        json!({"type": "response.completed", "response": {"status": "completed", "usage": {"input_tokens": 1}, "output": [{"type": "message", "content": [{"text": "a"}]}]}}),
    ];
    let failed = json!({"type": "response.failed", "response": {"error": {"code": "c", "message": "m"}}});
    let at_once = json!({"status": "completed", "error": null, "output": [
        {"type": "reasoning", "summary": [{"text": "t"}], "encrypted_content": "e"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    ]});
    let google = json!({"candidates": [{"index": 0, "finishReason": "STOP", "content": {"parts": [
        {"text": "t", "thought": true}, {"text": "a", "thoughtSignature": "s"},
        {"functionCall": {"id": "i", "name": "f", "args": {"x": 1}}, "thoughtSignature": "s"},
    ]}}], "usageMetadata": {"promptTokenCount": 1}, "promptFeedback": {"blockReason": null}});
    let ollama = json!({"model": "m", "message": {"content": "a", "thinking": "t", "tool_calls": [
        {"id": "i", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
    ]}, "done": true, "done_reason": "stop", "prompt_eval_count": 1});
    vec![
        (Protocol::OpenAiChat, vec![openai]),
        (Protocol::OpenAiResponses, responses.to_vec()),
        (Protocol::OpenAiResponses, vec![failed]),
        (Protocol::OpenAiResponses, vec![at_once]),
        (Protocol::Anthropic, anthropic.to_vec()),
        (Protocol::Google, vec![google]),
        (Protocol::Ollama, vec![ollama]),
    ]
}

/// Read as a stream, and each frame as a whole answer.
fn read(wire: Protocol, frames: &[Value]) {
    let texts: Vec<_> = frames.iter().map(Value::to_string).collect();
    let texts: Vec<_> = texts.iter().map(String::as_str).collect();
    let _either = decode(wire, &texts);
    for frame in frames {
        let mut decoder = wire.decoder(false);
        let _either = decoder.whole(frame.clone(), &mut Vec::new());
        decoder.answer();
    }
}

#[test]
fn no_misshapen_frame_makes_a_decoder_panic() {
    let odd = [
        json!(null),
        json!(7),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!("x"),
        json!("\u{0}\u{202e}é"),
        json!([]),
        json!({}),
        json!([{"a": [1]}]),
    ];
    for (wire, frames) in answers() {
        for at in 0..frames.len() {
            let mut pointers = Vec::new();
            places(&frames[at], "", &mut pointers);
            for pointer in &pointers {
                for odd in &odd {
                    let mut frames = frames.clone();
                    *frames[at].pointer_mut(pointer).expect("it was found there") = odd.clone();
                    read(wire, &frames);
                }
            }
        }
    }
}

#[test]
fn no_order_of_frames_makes_a_decoder_panic() {
    for (wire, frames) in answers() {
        let count = frames.len();
        let backwards: Vec<_> = frames.iter().rev().cloned().collect();
        read(wire, &backwards);
        for at in 0..count {
            let mut without = frames.clone();
            without.remove(at);
            read(wire, &without);
            read(wire, &frames[..at]);
            for other in 0..count {
                let mut swapped = frames.clone();
                swapped.swap(at, other);
                read(wire, &swapped);
                // The same once more, as after a fault on the way: an index begins twice, or goes on after its end.
                let mut again = frames.clone();
                again.insert(other, frames[at].clone());
                read(wire, &again);
            }
        }
    }
}

#[test]
fn who_is_asked_decides_how() {
    for (kind, base, model, expected) in [
        ("openai", "https://api.openai.com/v1", "gpt-5", Protocol::OpenAiResponses),
        ("openai", "http://127.0.0.1:1/v1", "gpt-5", Protocol::OpenAiChat),
        ("azure", "https://x.openai.azure.com/openai/v1", "gpt-5", Protocol::OpenAiResponses),
        ("azure", "https://x.openai.azure.com/openai/v1", "DeepSeek-V3", Protocol::OpenAiChat),
        ("anthropic", "https://api.anthropic.com", "claude-opus-5-5", Protocol::Anthropic),
        ("google_ai", "https://g/v1beta", "gemini-2.5-pro", Protocol::Google),
        ("ollama", "http://127.0.0.1:11434", "gpt-oss:20b", Protocol::Ollama),
        ("llamacpp", "http://127.0.0.1:8080/v1", "x", Protocol::OpenAiChat),
        ("custom", "http://127.0.0.1:8080/v1", "o3", Protocol::OpenAiChat),
    ] {
        let mut config = ProviderConfig {
            name: kind.to_owned(),
            provider_type: kind.to_owned(),
            base_url: base.to_owned(),
            api_key: None,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: None,
        };
        assert_eq!(Protocol::for_model(&config, model), expected, "{kind} {base} {model}");
        config.protocol = Some(Protocol::OpenAiChat);
        assert_eq!(Protocol::for_model(&config, model), Protocol::OpenAiChat);
    }
}
