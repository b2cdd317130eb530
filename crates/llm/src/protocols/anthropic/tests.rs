#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::protocols::tests::{model, request, spec, text};

fn body_of(request: &ChatRequest) -> Value {
    outgoing(request, &model("anthropic", "claude-sonnet-4-5")).body
}

fn user(said: &str) -> ChatMessage {
    ChatMessage::User { content: vec![text(said)] }
}

fn call(id: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: arguments.to_owned() }
}

fn returned(id: &str, content: Vec<ContentPart>, is_error: bool) -> ChatToolReturn {
    ChatToolReturn { tool_call_id: id.to_owned(), content, is_error }
}

fn thought(signature: Option<&str>) -> ContentPart {
    ContentPart::Reasoning { reasoning: " hm\n".to_owned(), signature: signature.map(str::to_owned) }
}

#[test]
fn a_conversation_is_written_as_the_protocol_wants_it() {
    let picture = ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
    };
    let mut request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        user("one"),
        user("two"),
        ChatMessage::Assistant {
            content: vec![text("calling"), text(" ")],
            tool_calls: vec![call("a", "{\"x\":1}"), call("b!", "no json")],
        },
        ChatMessage::Tool {
            returns: vec![
                returned("a", vec![text("r1"), picture], false),
                returned("b!", vec![text("r2")], true),
            ],
        },
        user("three"),
        ChatMessage::System { text: "note".to_owned() },
    ]);
    request.tools = vec![spec("f"), spec("g")];
    let body = body_of(&request);
    let mark = json!({"type": "ephemeral"});
    let fitted = IDS.fit("b!");
    assert_eq!(body["system"], json!([{"type": "text", "text": "S", "cache_control": mark}]));
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
            {"role": "assistant", "content": [
                {"type": "text", "text": "calling"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": fitted, "name": "f", "input": {"invalid_arguments": "no json"}},
            ]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": [
                    {"type": "text", "text": "r1"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                ]},
                {"type": "tool_result", "tool_use_id": fitted, "content": [{"type": "text", "text": "r2"}], "is_error": true},
                {"type": "text", "text": "three"},
                {"type": "text", "text": "<system_message>\nnote\n</system_message>", "cache_control": mark},
            ]},
        ])
    );
    assert_eq!(body["tools"][1]["cache_control"], mark);
    assert!(body["tools"][0].get("cache_control").is_none());
    assert_eq!(body["tool_choice"], json!({"type": "auto", "disable_parallel_tool_use": true}));
    assert_eq!(body["max_tokens"], 32_000);
}

#[test]
fn the_turns_begin_and_end_with_the_user() {
    let body = body_of(&request(vec![ChatMessage::Assistant {
        content: vec![text("hello \n")],
        tool_calls: vec![],
    }]));
    assert_eq!(body["messages"][0]["role"], "user");
    assert_eq!(body["messages"][1]["content"][0]["text"], "hello \n");
    assert_eq!(body["messages"][2]["role"], "user");
    let empty = body_of(&request(vec![user("  ")]));
    assert_eq!(empty["messages"].as_array().unwrap().len(), 1);
}

#[test]
fn thinking_goes_back_unchanged_and_only_where_it_may() {
    let assistant = |content| ChatMessage::Assistant { content, tool_calls: vec![call("a", "{}")] };
    let sealed = ContentPart::RedactedReasoning { data: "x==".to_owned() };
    let back = || ChatMessage::Tool { returns: vec![returned("a", vec![text("r")], false)] };
    let mut loops =
        request(vec![user("q"), assistant(vec![thought(Some("S+/=")), sealed, text("t")]), back()]);
    loops.tools = vec![spec("f")];
    loops.options.thinking_budget = Some(2000);
    loops.options.temperature = Some(0.3);
    let body = body_of(&loops);
    assert_eq!(body["thinking"], json!({"type": "enabled", "budget_tokens": 2000}));
    assert!(body.get("temperature").is_none());
    assert_eq!(
        body["messages"][1]["content"][0],
        json!({"type": "thinking", "thinking": " hm\n", "signature": "S+/="})
    );
    assert_eq!(body["messages"][1]["content"][1], json!({"type": "redacted_thinking", "data": "x=="}));

    // A forced call, a loop that began without a proof, and a model that cannot: no thinking, and none sent back.
    let mut forced = loops.clone();
    forced.tool_choice = ToolChoice::Required;
    let mut unproven = loops.clone();
    unproven.messages[1] = assistant(vec![thought(None), text("t")]);
    let old = outgoing(&loops, &model("anthropic", "claude-3-haiku")).body;
    for (name, body) in [("forced", body_of(&forced)), ("unproven", body_of(&unproven)), ("old", old)] {
        assert!(body.get("thinking").is_none(), "{name}");
        assert_eq!(body["temperature"], 0.3, "{name}");
        assert!(!body["messages"].to_string().contains("\"thinking\""), "{name}");
    }
}

#[test]
fn budget_and_limit_go_together() {
    for (budget, limit, expected) in [
        (Some(0), None, None),
        (Some(10), None, Some((1024, 32_000))),
        (Some(5000), Some(1000), Some((5000, 6000))),
        (Some(500_000), Some(1000), Some((63_999, 64_000))),
    ] {
        let mut request = request(vec![user("q")]);
        request.options.thinking_budget = budget;
        request.options.max_output_tokens = limit;
        let body = body_of(&request);
        let found = body.get("thinking").map(|thinking| {
            (thinking["budget_tokens"].as_u64().unwrap(), body["max_tokens"].as_u64().unwrap())
        });
        assert_eq!(found, expected, "{budget:?} {limit:?}");
    }
}

#[test]
fn choice_strictness_and_form_are_said() {
    let mut request = request(vec![ChatMessage::System { text: "S".to_owned() }, user("q")]);
    request.tools = vec![spec("f")];
    request.parallel_tool_calls = true;
    request.options.strict = true;
    request.options.response_format =
        Some(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}));
    for (choice, expected) in [
        (ToolChoice::None, json!({"type": "none"})),
        (ToolChoice::Required, json!({"type": "any", "disable_parallel_tool_use": false})),
        (
            ToolChoice::Named("f".to_owned()),
            json!({"type": "tool", "name": "f", "disable_parallel_tool_use": false}),
        ),
    ] {
        request.tool_choice = choice;
        assert_eq!(body_of(&request)["tool_choice"], expected);
    }
    let sent = outgoing(&request, &model("anthropic", "claude-sonnet-4-5"));
    assert_eq!(sent.headers, [("anthropic-beta", STRICT_BETA.to_owned())]);
    assert_eq!(sent.body["tools"][0]["strict"], true);
    assert!(sent.body["system"][1]["text"].as_str().unwrap().ends_with("{\"type\":\"object\"}"));
    assert!(sent.body["system"][1].get("cache_control").is_none());
}

#[test]
fn effort_is_said_to_models_that_can_be_told() {
    let mut request = request(vec![user("q")]);
    for (name, wanted, expected) in [
        ("claude-opus-4-5", "high", Some("high")),
        ("claude-opus-4-5", "max", Some("high")),
        ("claude-opus-4-6", "max", Some("max")),
        ("claude-sonnet-4-6", "minimal", Some("low")),
        ("claude-sonnet-4-5", "high", None),
        ("claude-opus-4-5", "odd", None),
    ] {
        request.options.reasoning_effort = Some(wanted.to_owned());
        let sent = outgoing(&request, &model("anthropic", name));
        assert_eq!(sent.body["output_config"]["effort"].as_str(), expected, "{name} {wanted}");
        // Only the first that could be told wants to be asked for it.
        assert_eq!(sent.headers.is_empty(), expected.is_none() || !name.contains("4-5"));
    }
}

#[test]
fn later_models_think_as_they_find_right_and_take_no_temperature() {
    let mut request = request(vec![user("q")]);
    request.options.thinking_budget = Some(2048);
    request.options.temperature = Some(0.3);
    let sent = |request: &ChatRequest, name: &str| outgoing(request, &model("anthropic", name)).body;
    let late = sent(&request, "claude-opus-5-5");
    assert_eq!(late["thinking"], json!({"type": "adaptive", "display": "summarized"}));
    assert!(late.get("temperature").is_none());
    assert_eq!(sent(&request, "claude-opus-4-6")["thinking"]["type"], "enabled");
    request.options.thinking_budget = None;
    let late = sent(&request, "claude-opus-5-5");
    assert!(late.get("thinking").is_none() && late.get("temperature").is_none());
    assert_eq!(sent(&request, "claude-haiku-4-5")["temperature"], 0.3);
    request.options.reasoning_effort = Some("xhigh".to_owned());
    assert_eq!(sent(&request, "claude-opus-5-5")["output_config"]["effort"], "xhigh");
    assert_eq!(sent(&request, "claude-opus-4-6")["output_config"]["effort"], "max");
}

#[test]
fn the_cache_is_told_how_long_and_the_form_is_held_to_where_it_can_be() {
    let mut request = request(vec![ChatMessage::System { text: "S".to_owned() }, user("q")]);
    let sent = |request: &ChatRequest, name: &str| outgoing(request, &model("anthropic", name)).body;
    let marks = |body: &Value| {
        [
            body["system"][0]["cache_control"].clone(),
            body["messages"][0]["content"][0]["cache_control"].clone(),
        ]
    };
    assert_eq!(
        marks(&sent(&request, "claude-haiku-4-5")),
        [json!({"type": "ephemeral"}), json!({"type": "ephemeral"})]
    );
    request.options.cache = Some(CacheLife::OneHour);
    let hour = json!({"type": "ephemeral", "ttl": "1h"});
    assert_eq!(marks(&sent(&request, "claude-haiku-4-5")), [hour.clone(), hour]);

    let schema = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}});
    request.options.response_format =
        Some(json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}));
    let held = sent(&request, "claude-sonnet-4-5");
    assert_eq!(held["output_config"]["format"]["schema"]["additionalProperties"], false);
    assert_eq!(held["system"].as_array().unwrap().len(), 1);
    // Older models are told in words.
    let told = sent(&request, "claude-3-5-haiku");
    assert!(told.get("output_config").is_none() && told["system"].as_array().unwrap().len() == 2);
    // So is a schema that could not be held to without changing it.
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    request.options.response_format = Some(json!({"type": "json_schema", "json_schema": {"schema": loose}}));
    assert!(sent(&request, "claude-sonnet-4-5").get("output_config").is_none());
}
