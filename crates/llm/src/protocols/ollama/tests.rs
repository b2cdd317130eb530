#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::{chat::ChatOptions, message::ToolCall};

use super::*;
use crate::{
    listing::Capabilities,
    protocols::tests::{model, request, spec, text},
};

fn local(window: u32, most: u32, reasons: bool) -> ResolvedModel {
    ResolvedModel {
        context_window: window,
        max_context_window: most,
        reasons,
        capabilities: Capabilities::default(),
        ..model("ollama", "qwen3:8b")
    }
}

fn body_of(request: &ChatRequest, model: &ResolvedModel) -> Value {
    outgoing(request, model).body
}

#[test]
fn the_window_is_always_asked_for_and_never_more_than_the_model_has() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    for (wanted, expected) in [(None, 32_768), (Some(8192), 8192), (Some(60_000), 40_960)] {
        request.options = ChatOptions {
            context_window: wanted,
            max_output_tokens: Some(1_000_000),
            ..ChatOptions::default()
        };
        let sent = body_of(&request, &local(32_768, 40_960, false));
        assert_eq!(sent["options"]["num_ctx"], expected, "{wanted:?}");
        assert_eq!(sent["options"]["num_predict"], expected / 2);
        assert_eq!((&sent["truncate"], &sent["shift"]), (&json!(false), &json!(false)));
    }
    // Nothing is known of it yet: what an ordinary machine can hold.
    assert_eq!(
        body_of(&crate::protocols::tests::request(vec![]), &model("ollama", "new"))["options"]["num_ctx"],
        32_768
    );
}

#[test]
fn how_long_it_stays_and_how_it_thinks_can_be_set() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    for (wanted, expected) in [(None, json!("30m")), (Some("-1"), json!(-1)), (Some("2h"), json!("2h"))] {
        request.options.keep_alive = wanted.map(str::to_owned);
        assert_eq!(body_of(&request, &local(8192, 8192, false))["keep_alive"], expected);
    }
    assert!(body_of(&request, &local(8192, 8192, false)).get("think").is_none());
    assert_eq!(body_of(&request, &local(8192, 8192, true))["think"], true);
    request.options.reasoning_effort = Some("none".to_owned());
    assert_eq!(body_of(&request, &local(8192, 8192, true))["think"], false);
    let mut oss = local(8192, 8192, true);
    oss.model = "gpt-oss:20b".to_owned();
    assert_eq!(body_of(&request, &oss)["think"], "low");
}

#[test]
fn a_call_that_has_to_be_made_is_held_to_its_schema() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    request.tools = vec![spec("f"), spec("g")];
    let model = local(8192, 8192, false);
    let free = outgoing(&request, &model);
    assert!(!free.as_call && free.body.get("format").is_none());
    assert_eq!(free.body["tools"].as_array().unwrap().len(), 2);

    request.tool_choice = ToolChoice::Named("g".to_owned());
    let named = outgoing(&request, &model);
    assert!(named.as_call && named.body.get("tools").is_none());
    assert_eq!(named.body["format"]["properties"]["name"]["enum"], json!(["g"]));
    assert_eq!(named.body["format"]["properties"]["arguments"], spec("g").parameters);

    request.tool_choice = ToolChoice::Required;
    let any = outgoing(&request, &model);
    assert_eq!(any.body["format"]["anyOf"].as_array().unwrap().len(), 2);
    assert!(any.body["messages"].to_string().contains("does it"));

    request.tool_choice = ToolChoice::None;
    assert!(outgoing(&request, &model).body.get("tools").is_none());
    request.options.response_format = Some(json!({"type": "json_object"}));
    assert_eq!(outgoing(&request, &model).body["format"], "json");
}

#[test]
fn a_conversation_is_written_as_the_runtime_wants_it() {
    let picture = |source| ContentPart::Image { source };
    let base64 = ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() };
    let request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        ChatMessage::User {
            content: vec![
                text("look"),
                picture(base64.clone()),
                picture(ImageSource::Url { url: "https://x/y.png".to_owned() }),
            ],
        },
        ChatMessage::Assistant {
            content: vec![
                ContentPart::Reasoning { reasoning: "hm".to_owned(), signature: None },
                text("calling"),
            ],
            tool_calls: vec![ToolCall {
                id: "a".to_owned(),
                name: "f".to_owned(),
                arguments: "{\"x\":1}".to_owned(),
            }],
        },
        ChatMessage::Tool {
            returns: vec![ChatToolReturn {
                tool_call_id: "a".to_owned(),
                content: vec![text("r"), picture(base64)],
                is_error: false,
            }],
        },
        ChatMessage::Assistant {
            content: vec![ContentPart::Reasoning { reasoning: "only".to_owned(), signature: None }],
            tool_calls: vec![],
        },
    ]);
    assert_eq!(
        body_of(&request, &local(8192, 8192, false))["messages"],
        json!([
            {"role": "system", "content": "S"},
            {"role": "user", "content": "look\n\n(An image at https://x/y.png)", "images": ["AAAA"]},
            {"role": "assistant", "content": "calling", "thinking": "hm", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
            ]},
            {"role": "tool", "content": "r", "tool_call_id": "a", "tool_name": "f"},
            {"role": "user", "content": "(Images returned by the tools.)", "images": ["AAAA"]},
        ])
    );
}
