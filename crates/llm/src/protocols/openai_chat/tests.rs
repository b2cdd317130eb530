#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::chat::ChatOptions;

use super::*;
use crate::protocols::tests::{model, request, spec, text};

fn body_of(request: &ChatRequest) -> Value {
    body(request, &model("openai", "gpt-4.1"))
}

#[test]
fn a_conversation_is_written_as_the_protocol_wants_it() {
    let call = |id: &str, arguments: &str| ToolCall {
        id: id.to_owned(),
        name: "f".to_owned(),
        arguments: arguments.to_owned(),
    };
    let returned =
        |id: &str, content| ChatToolReturn { tool_call_id: id.to_owned(), content, is_error: false };
    let picture = || ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
    };
    let request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        ChatMessage::User { content: vec![text("one")] },
        ChatMessage::User { content: vec![text("two")] },
        ChatMessage::Assistant {
            content: vec![
                ContentPart::Reasoning { reasoning: "hm".to_owned(), signature: Some("s".to_owned()) },
                text("calling"),
            ],
            tool_calls: vec![call("a", "{\"x\":1}"), call("b", "")],
        },
        ChatMessage::Tool {
            returns: vec![returned("a", vec![text("r1"), picture()]), returned("b", vec![text("r2")])],
        },
        ChatMessage::User {
            content: vec![
                text("look"),
                ContentPart::Image { source: ImageSource::Url { url: "https://x/y.png".to_owned() } },
            ],
        },
        ChatMessage::Assistant {
            content: vec![ContentPart::Reasoning { reasoning: "only".to_owned(), signature: None }],
            tool_calls: vec![],
        },
        ChatMessage::Assistant { content: vec![text("x")], tool_calls: vec![] },
        ChatMessage::Assistant { content: vec![text("y")], tool_calls: vec![] },
    ]);
    let data = "data:image/png;base64,AAAA";
    assert_eq!(
        body_of(&request)["messages"],
        json!([
            {"role": "system", "content": "S"},
            {"role": "user", "content": "one\n\ntwo"},
            {"role": "assistant", "content": "calling", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "r1"},
            {"role": "tool", "tool_call_id": "b", "content": "r2"},
            {"role": "user", "content": [
                {"type": "text", "text": "Images returned by tool call a:"},
                {"type": "image_url", "image_url": {"url": data}},
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ]},
            {"role": "assistant", "content": "x\n\ny"},
        ])
    );
}

#[test]
fn the_tool_choice_and_options_are_said_in_the_provider_words() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    assert!(body_of(&request).get("tools").is_none() && body_of(&request).get("tool_choice").is_none());
    request.tools = vec![spec("f")];
    for (choice, expected) in [
        (ToolChoice::Auto, json!("auto")),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("f".to_owned()), json!({"type": "function", "function": {"name": "f"}})),
    ] {
        request.tool_choice = choice;
        assert_eq!(body_of(&request)["tool_choice"], expected);
    }
    request.options = ChatOptions {
        temperature: Some(0.2),
        max_output_tokens: Some(50),
        reasoning_effort: Some("high".to_owned()),
        frequency_penalty: Some(0.5),
        response_format: Some(json!({"type": "json_object"})),
        strict: true,
        ..ChatOptions::default()
    };
    let plain = body_of(&request);
    assert_eq!((&plain["temperature"], &plain["max_tokens"]), (&json!(0.2), &json!(50)));
    assert_eq!(plain["response_format"], json!({"type": "json_object"}));
    assert!(plain.get("reasoning_effort").is_none());
    assert_eq!(plain["tools"][0]["function"]["strict"], true);
    assert_eq!(plain["stream_options"], json!({"include_usage": true}));
    assert_eq!(plain["parallel_tool_calls"], false);

    let reasoning = body(&request, &model("openai", "o3"));
    assert_eq!(
        (&reasoning["reasoning_effort"], &reasoning["max_completion_tokens"]),
        (&json!("high"), &json!(50))
    );
    for absent in ["temperature", "max_tokens", "frequency_penalty", "parallel_tool_calls"] {
        assert!(reasoning.get(absent).is_none(), "{absent}");
    }
    request.options.max_output_tokens = Some(1_000_000);
    assert_eq!(body(&request, &model("openai", "gpt-4"))["max_tokens"], 4096);
    let mistral = body(&request, &model("mistral", "mistral-large"));
    assert!(mistral.get("stream_options").is_none());
}

#[test]
fn long_ids_are_cut_alike_in_call_and_return() {
    let id = "x".repeat(100) + "!";
    let body = body_of(&request(vec![
        ChatMessage::Assistant {
            content: vec![],
            tool_calls: vec![ToolCall { id: id.clone(), name: "f".to_owned(), arguments: "{}".to_owned() }],
        },
        ChatMessage::Tool {
            returns: vec![ChatToolReturn { tool_call_id: id, content: vec![text("r")], is_error: true }],
        },
    ]));
    let sent = body["messages"][0]["tool_calls"][0]["id"].as_str().unwrap();
    assert_eq!(sent.len(), 40);
    assert_eq!(body["messages"][1]["tool_call_id"], sent);
}

#[test]
fn a_router_is_told_of_reasoning_and_the_cache_in_its_own_words() {
    let details = json!([{"type": "reasoning.text", "text": "t", "signature": "s"}]);
    let sealed = Origin::OpenAiChat.seal(&details);
    let mut request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        ChatMessage::User { content: vec![text("x")] },
        ChatMessage::Assistant {
            content: vec![ContentPart::Reasoning { reasoning: "t".to_owned(), signature: Some(sealed) }],
            tool_calls: vec![ToolCall {
                id: "a".to_owned(),
                name: "f".to_owned(),
                arguments: "{}".to_owned(),
            }],
        },
        ChatMessage::Tool {
            returns: vec![ChatToolReturn {
                tool_call_id: "a".to_owned(),
                content: vec![text("r")],
                is_error: false,
            }],
        },
    ]);
    request.options.thinking_budget = Some(100);
    request.options.cache_key = Some("conversation-1".to_owned());
    let sent = body(&request, &model("openrouter", "anthropic/claude-sonnet-4.5"));
    assert_eq!(sent["reasoning"], json!({"max_tokens": 1024}));
    assert_eq!(sent["usage"], json!({"include": true}));
    let mark = json!({"type": "ephemeral"});
    assert_eq!(sent["messages"][0]["content"][0]["cache_control"], mark);
    assert_eq!(sent["messages"][3]["content"][0]["cache_control"], mark);
    assert_eq!(sent["messages"][2]["reasoning_details"], details);
    assert!(sent.get("prompt_cache_key").is_none(), "only OpenAI itself knows it");
    request.options.thinking_budget = None;
    request.options.reasoning_effort = Some("high".to_owned());
    let other = body(&request, &model("openrouter", "openai/gpt-5"));
    assert_eq!(other["reasoning"], json!({"effort": "high"}));
    assert!(other.get("reasoning_effort").is_none());
    assert_eq!(other["messages"][0]["content"], "S");

    assert_eq!(body(&request, &model("azure", "gpt-4.1"))["prompt_cache_key"], "conversation-1");
    // The tests' OpenAI is not at OpenAI's address.
    assert!(body(&request, &model("openai", "gpt-4.1")).get("prompt_cache_key").is_none());
}
