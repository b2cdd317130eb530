#![allow(clippy::unwrap_used, reason = "tests")]

use loci_api::chat::ChatOptions;

use super::*;
use crate::protocols::tests::{model, request, spec, text};

const NEW: &str = "gemini-3-pro-preview";
const OLD: &str = "gemini-2.5-flash";

fn body_of(request: &ChatRequest, name: &str) -> Value {
    body(request, &model("google_ai", name))
}

fn call(id: &str) -> ToolCall {
    ToolCall { id: id.to_owned(), name: "f".to_owned(), arguments: "{\"x\":1}".to_owned() }
}

fn signed(call: usize, signature: &str) -> ContentPart {
    let signed = Signed { call, signature: signature.to_owned() };
    ContentPart::Reasoning { reasoning: "hm".to_owned(), signature: Some(Origin::Google.seal(&signed)) }
}

fn signed_text(text: &str, signature: &str) -> ContentPart {
    ContentPart::Text { text: text.to_owned(), signature: Some(signature.to_owned()) }
}

#[test]
fn turns_alternate_and_signatures_stand_where_they_came_with() {
    let picture = ContentPart::Image {
        source: ImageSource::Base64 { media_type: "image/png".to_owned(), data: "AAAA".to_owned() },
    };
    let own = own_id(Some("theirs"));
    let request = request(vec![
        ChatMessage::System { text: "S".to_owned() },
        ChatMessage::Assistant {
            content: vec![signed_text("hello", &Origin::Google.seal(&"st"))],
            tool_calls: vec![],
        },
        ChatMessage::User { content: vec![text("one")] },
        ChatMessage::User { content: vec![text("two"), picture.clone()] },
        ChatMessage::Assistant {
            content: vec![signed(0, "s0"), signed_text("said", "another's")],
            tool_calls: vec![call(&own), call("b")],
        },
        ChatMessage::Tool {
            returns: vec![
                ChatToolReturn {
                    tool_call_id: own.clone(),
                    content: vec![text("r"), picture],
                    is_error: false,
                },
                ChatToolReturn { tool_call_id: "b".to_owned(), content: vec![text("no")], is_error: true },
            ],
        },
        ChatMessage::System { text: "later".to_owned() },
    ]);
    let image = json!({"inlineData": {"mimeType": "image/png", "data": "AAAA"}});
    let sent = body_of(&request, NEW);
    assert_eq!(sent["systemInstruction"]["parts"][0]["text"], "S");
    assert_eq!(
        sent["contents"],
        json!([
            {"role": "user", "parts": [{"text": "(The conversation begins here.)"}]},
            {"role": "model", "parts": [{"text": "hello", "thoughtSignature": "st"}]},
            {"role": "user", "parts": [{"text": "one"}, {"text": "two"}, image]},
            {"role": "model", "parts": [
                {"text": "said"},
                {"functionCall": {"name": "f", "args": {"x": 1}, "id": "theirs"}, "thoughtSignature": "s0"},
                {"functionCall": {"name": "f", "args": {"x": 1}}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "r"}, "id": "theirs", "parts": [image]}},
                {"functionResponse": {"name": "f", "response": {"error": "no"}}},
                {"text": "<system_message>\nlater\n</system_message>"},
            ]},
        ])
    );
    // Before the third generation, images stand behind the responses.
    let old = &body_of(&request, OLD)["contents"][4]["parts"];
    assert!(old[0]["functionResponse"].get("parts").is_none());
    assert_eq!(old[2], image);
}

#[test]
fn calls_of_another_model_are_taken_without_a_signature() {
    let request = request(vec![
        ChatMessage::User { content: vec![text("x")] },
        ChatMessage::Assistant { content: vec![], tool_calls: vec![call("a"), call("b")] },
    ]);
    let parts = |name: &str| body_of(&request, name)["contents"][1]["parts"].clone();
    assert_eq!(parts(NEW)[0]["thoughtSignature"], NO_SIGNATURE);
    assert!(parts(NEW)[1].get("thoughtSignature").is_none());
    assert!(parts(OLD)[0].get("thoughtSignature").is_none());
}

#[test]
fn the_tool_choice_and_options_are_said_in_the_protocols_words() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    request.tools = vec![spec("f")];
    for (choice, expected) in [
        (ToolChoice::Auto, json!({"mode": "AUTO"})),
        (ToolChoice::None, json!({"mode": "NONE"})),
        (ToolChoice::Required, json!({"mode": "ANY"})),
        (ToolChoice::Named("f".to_owned()), json!({"mode": "ANY", "allowedFunctionNames": ["f"]})),
    ] {
        request.tool_choice = choice;
        assert_eq!(body_of(&request, NEW)["toolConfig"]["functionCallingConfig"], expected);
    }
    let declared = &body_of(&request, NEW)["tools"][0]["functionDeclarations"][0];
    assert_eq!(declared["parametersJsonSchema"]["required"], json!(["x"]));

    request.options = ChatOptions {
        max_output_tokens: Some(100),
        response_format: Some(json!({"type": "json_schema", "json_schema": {"schema": {"type": "object"}}})),
        ..ChatOptions::default()
    };
    let config = body_of(&request, NEW)["generationConfig"].clone();
    assert_eq!(
        (&config["maxOutputTokens"], &config["responseMimeType"]),
        (&json!(100), &json!("application/json"))
    );
    assert_eq!(config["responseJsonSchema"], json!({"type": "object"}));
    // This one takes no form beside tools.
    assert!(body_of(&request, OLD)["generationConfig"].get("responseMimeType").is_none());
    request.tools.clear();
    assert!(body_of(&request, OLD)["generationConfig"].get("responseMimeType").is_some());
}

#[test]
fn each_generation_is_told_how_to_think_in_its_own_way() {
    let mut request = request(vec![ChatMessage::User { content: vec![text("x")] }]);
    for (name, effort, budget, expected) in [
        (NEW, None, None, json!({"includeThoughts": true})),
        (NEW, Some("minimal"), None, json!({"includeThoughts": true, "thinkingLevel": "low"})),
        (NEW, Some("medium"), None, json!({"includeThoughts": true, "thinkingLevel": "high"})),
        (
            "gemini-3-flash-preview",
            Some("none"),
            None,
            json!({"includeThoughts": true, "thinkingLevel": "minimal"}),
        ),
        (OLD, None, None, json!({"includeThoughts": true})),
        (OLD, None, Some(0), json!({"includeThoughts": false, "thinkingBudget": 0})),
        (OLD, None, Some(100), json!({"includeThoughts": true, "thinkingBudget": 512})),
        (OLD, Some("low"), None, json!({"includeThoughts": true, "thinkingBudget": 1024})),
        ("gemini-2.5-pro", None, Some(0), json!({"includeThoughts": true, "thinkingBudget": 128})),
        ("gemini-2.5-pro", None, Some(99_999), json!({"includeThoughts": true, "thinkingBudget": 32_768})),
        ("gemini-2.0-flash", Some("high"), None, Value::Null),
    ] {
        request.options.reasoning_effort = effort.map(str::to_owned);
        request.options.thinking_budget = budget;
        let sent = body_of(&request, name)["generationConfig"]["thinkingConfig"].clone();
        assert_eq!(sent, expected, "{name} {effort:?} {budget:?}");
    }
}
