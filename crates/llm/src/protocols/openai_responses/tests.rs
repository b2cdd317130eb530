#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::chat::ChatOptions;

use super::*;
use crate::protocols::tests::{model, request, spec, text};

fn reasoning(summary: &str, id: &str, calls: usize, parts: &[usize]) -> ContentPart {
    let sealed =
        Sealed { id: id.to_owned(), encrypted_content: format!("sealed {id}"), calls, parts: parts.to_vec() };
    ContentPart::Reasoning {
        reasoning: summary.to_owned(),
        signature: Some(Origin::OpenAiResponses.seal(&sealed)),
    }
}

fn call(id: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: String::new() }
}

#[test]
fn nothing_is_kept_at_the_provider_and_reasoning_stands_before_what_followed_from_it() {
    let picture = ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
    };
    let request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        ChatMessage::User { content: vec![text("look"), picture.clone()] },
        ChatMessage::Assistant {
            content: vec![
                reasoning("one\n\ntwo", "rs_1", 0, &[3, 3]),
                text("calling"),
                reasoning("more", "rs_2", 1, &[]),
                ContentPart::Reasoning {
                    reasoning: "foreign".to_owned(),
                    signature: Some("Eq==".to_owned()),
                },
            ],
            tool_calls: vec![call("a"), call("b")],
        },
        ChatMessage::Tool {
            returns: vec![
                ChatToolReturn { tool_call_id: "a".to_owned(), content: vec![text("r")], is_error: true },
                ChatToolReturn {
                    tool_call_id: "b".to_owned(),
                    content: vec![text("r"), picture],
                    is_error: false,
                },
            ],
        },
        ChatMessage::System { text: "later".to_owned() },
    ]);
    let body = body(&request, &model("openai", "gpt-5"));
    assert_eq!((&body["store"], &body["instructions"]), (&json!(false), &json!("S")));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"});
    let part = |text: &str| json!({"type": "input_text", "text": text});
    let called = |id: &str| json!({"type": "function_call", "call_id": id, "name": "f", "arguments": "{}"});
    let thought = |id: &str, texts: &[&str]| {
        let summary: Vec<_> =
            texts.iter().map(|text| json!({"type": "summary_text", "text": text})).collect();
        json!({"type": "reasoning", "id": id, "summary": summary, "encrypted_content": format!("sealed {id}")})
    };
    assert_eq!(
        body["input"],
        json!([
            {"role": "user", "content": [part("look"), image]},
            thought("rs_1", &["one", "two"]),
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "calling"}]},
            called("a"),
            thought("rs_2", &["more"]),
            called("b"),
            {"type": "function_call_output", "call_id": "a", "output": "r"},
            {"type": "function_call_output", "call_id": "b", "output": [part("r"), image]},
            {"role": "developer", "content": [part("later")]},
        ])
    );
}

#[test]
fn reasoning_without_what_followed_it_is_left_out() {
    let request = request(vec![
        ChatMessage::User { content: vec![text("x")] },
        ChatMessage::Assistant { content: vec![text("y"), reasoning("", "rs", 1, &[])], tool_calls: vec![] },
        ChatMessage::Assistant { content: vec![reasoning("", "rs", 0, &[])], tool_calls: vec![] },
    ]);
    let sent = body(&request, &model("openai", "gpt-5"))["input"].to_string();
    assert!(!sent.contains("reasoning"), "{sent}");
    // A model that does not reason takes none.
    let thoughtful = self::request_with_call();
    assert!(body(&thoughtful, &model("openai", "gpt-5"))["input"].to_string().contains("rs_1"));
    assert!(!body(&thoughtful, &model("openai", "gpt-4.1"))["input"].to_string().contains("rs_1"));
}

fn request_with_call() -> ChatRequest {
    request(vec![
        ChatMessage::User { content: vec![text("x")] },
        ChatMessage::Assistant { content: vec![reasoning("t", "rs_1", 0, &[])], tool_calls: vec![call("a")] },
    ])
}

#[test]
fn the_tool_choice_and_options_are_said_in_the_protocols_words() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    request.tools = vec![spec("f")];
    for (choice, expected) in [
        (ToolChoice::Auto, json!("auto")),
        (ToolChoice::None, json!("none")),
        (ToolChoice::Required, json!("required")),
        (ToolChoice::Named("f".to_owned()), json!({"type": "function", "name": "f"})),
    ] {
        request.tool_choice = choice;
        assert_eq!(body(&request, &model("openai", "gpt-5"))["tool_choice"], expected);
    }
    request.options = ChatOptions {
        temperature: Some(0.2),
        max_output_tokens: Some(5),
        reasoning_effort: Some("high".to_owned()),
        verbosity: Some("low".to_owned()),
        response_format: Some(
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}}),
        ),
        strict: true,
        cache: Some(CacheLife::OneHour),
        cache_key: Some("conversation-1".to_owned()),
        ..ChatOptions::default()
    };
    let body_of = |name: &str| body(&request, &model("openai", name));
    let sent = body_of("gpt-5");
    assert_eq!(sent["reasoning"], json!({"effort": "high", "summary": "auto"}));
    assert_eq!(sent["text"]["verbosity"], "low");
    assert_eq!(
        sent["text"]["format"],
        json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true})
    );
    assert_eq!((&sent["tools"][0]["strict"], &sent["max_output_tokens"]), (&json!(true), &json!(16)));
    assert_eq!(
        (&sent["prompt_cache_key"], &sent["prompt_cache_retention"]),
        (&json!("conversation-1"), &json!("24h"))
    );
    assert!(sent.get("temperature").is_none());
    let plain = body_of("gpt-4.1");
    assert_eq!(plain["temperature"], 0.2);
    assert!(plain.get("reasoning").is_none() && plain.get("include").is_none());
    assert!(body_of("o3").get("parallel_tool_calls").is_none());
}
