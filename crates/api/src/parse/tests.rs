#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::message::{Approval, ReturnContent, Role, ToolStatus};

fn agent(body: Value) -> Result<SendRequest, ApiError> {
    SendRequest::parse(&body, SendRoute::Agent)
}

fn refused(body: Value) -> (u16, String) {
    let error = agent(body).unwrap_err();
    assert_eq!(error.body["detail"], error.message);
    (error.status, error.message)
}

#[test]
fn input_is_one_user_message() {
    let request = agent(json!({"input": "hi", "unknown": {"deep": [1]}})).unwrap();
    let [InputMessage::Message { role: Role::User, content, otid, .. }] = request.input.as_slice() else {
        panic!("{:?}", request.input)
    };
    assert_eq!(content, &[ContentPart::text("hi")]);
    assert_eq!(otid.len(), 36);
    assert_eq!(request.token, None);
    assert_eq!((request.max_steps, request.streaming, request.include_pings), (50, false, true));
}

#[test]
fn the_texts_of_the_contract() {
    let both = "Cannot specify both 'input' and 'messages'. Use one or the other.";
    let neither = "Must specify either 'input' or 'messages'.";
    assert_eq!(refused(json!({"input": "a", "messages": []})), (422, both.to_owned()));
    assert_eq!(refused(json!({})), (422, neither.to_owned()));
    assert_eq!(refused(json!({"input": null, "messages": null})), (422, neither.to_owned()));
    assert_eq!(refused(json!({"messages": []})), (422, "Messages must not be empty".to_owned()));
    assert_eq!(
        agent(json!({"messages": []})).unwrap_err().body,
        json!({"detail": "Messages must not be empty"})
    );
    for body in [
        json!({"input": ""}),
        json!({"input": []}),
        json!({"input": [{"type": "text", "text": ""}]}),
        json!({"messages": [{"role": "user", "content": ""}]}),
        json!({"messages": [{"role": "user", "content": []}]}),
    ] {
        assert_eq!(refused(body), (400, "Message content is empty or invalid".to_owned()));
    }
    for body in [
        json!({"input": "a", "stream_tokens": true}),
        json!({"input": "a", "background": true}),
        json!({"input": "a", "include_pings": false}),
    ] {
        let (status, text) = refused(body);
        assert_eq!(status, 422);
        assert!(text.starts_with("Streaming options set without streaming enabled."), "{text}");
    }
}

#[test]
fn types_are_inferred_as_published() {
    let kinds = |item: Value| agent(json!({"messages": [item]})).map(|request| request.input[0].clone());
    assert!(matches!(
        kinds(json!({"role": "user", "content": "a"})).unwrap(),
        InputMessage::Message { role: Role::User, .. }
    ));
    assert!(matches!(
        kinds(json!({"approve": true, "approval_request_id": "message-1"})).unwrap(),
        InputMessage::Approval { single: Some(_), .. }
    ));
    assert!(matches!(
        kinds(json!({"type": "approval"})).unwrap(),
        InputMessage::Approval { single: None, .. }
    ));
    let error = kinds(json!({"tool_returns": []})).unwrap_err();
    assert_eq!((error.status, error.message.as_str()), (422, "body.messages[0].role: Field required"));
}

#[test]
fn answers_to_gated_calls_are_read() {
    let request = agent(json!({"messages": [{"type": "approval", "otid": "o", "approvals": [
        {"type": "approval", "tool_call_id": "a", "approve": false, "reason": "no"},
        {"type": "tool", "tool_call_id": "b", "tool_return": "x", "status": "success"},
        {"type": "tool", "tool_call_id": "c", "status": "error", "stdout": ["l"], "stderr": null,
         "tool_return": [{"type": "text", "text": "t"}]},
    ]}]}))
    .unwrap();
    assert_eq!(request.token.as_deref(), Some(request_token(["o"]).as_str()));
    let [InputMessage::Approval { approvals, single: None, .. }] = request.input.as_slice() else {
        panic!("{:?}", request.input)
    };
    assert!(matches!(&approvals[0], Approval::Approval { approve: false, reason: Some(_), .. }));
    let Approval::Tool(text) = &approvals[1] else { panic!() };
    assert_eq!((&text.content, text.status), (&ReturnContent::Value(json!("x")), ToolStatus::Success));
    let Approval::Tool(parts) = &approvals[2] else { panic!() };
    assert_eq!(parts.content, ReturnContent::Parts(vec![ContentPart::text("t")]));
    assert_eq!((parts.stdout.len(), parts.stderr.len()), (1, 0));
}

#[test]
fn what_is_refused_names_its_place() {
    let cases = [
        (json!([]), "body: "),
        (json!({"messages": {}}), "body.messages: "),
        (json!({"messages": [1]}), "body.messages[0]: "),
        (json!({"messages": [{"type": "x"}]}), "body.messages[0].type: "),
        (json!({"messages": [{"role": "tool", "content": "a"}]}), "body.messages[0].role: "),
        (json!({"messages": [{"role": "user"}]}), "body.messages[0].content: "),
        (json!({"messages": [{"role": "user", "content": 5}]}), "body.messages[0].content: "),
        (
            json!({"messages": [{"role": "user", "content": [{"text": "a"}]}]}),
            "body.messages[0].content[0].type: ",
        ),
        (json!({"messages": [{"role": "user", "content": "a", "name": 1}]}), "body.messages[0].name: "),
        (json!({"messages": [{"role": "user", "content": "a", "otid": 1}]}), "body.messages[0].otid: "),
        (json!({"messages": [{"type": "tool_return"}]}), "body.messages[0].tool_returns: "),
        (
            json!({"messages": [{"type": "tool_return", "tool_returns": [{"tool_call_id": "a", "tool_return": "x", "status": "ok"}]}]}),
            "body.messages[0].tool_returns[0].status: ",
        ),
        (
            json!({"messages": [{"type": "approval", "approvals": [{"tool_call_id": "a"}]}]}),
            "body.messages[0].approvals[0].approve: ",
        ),
        (json!({"input": "a", "max_steps": -1}), "body.max_steps: "),
        (json!({"input": "a", "max_steps": null}), "body.max_steps: "),
        (json!({"input": "a", "max_steps": 1.5}), "body.max_steps: "),
        (json!({"input": "a", "streaming": "perhaps"}), "body.streaming: "),
        (json!({"input": "a", "client_tools": [{"name": ""}]}), "body.client_tools[0].name: "),
        (
            json!({"input": "a", "client_tools": [{"name": "t"}, {"name": "t"}]}),
            "body.client_tools[1].name: ",
        ),
        (
            json!({"input": "a", "client_tools": [{"name": "t", "parameters": []}]}),
            "body.client_tools[0].parameters: ",
        ),
        (json!({"input": "a", "client_skills": [{"name": "t"}]}), "body.client_skills[0].description: "),
        (json!({"input": "a", "override_model": 1}), "body.override_model: "),
        (
            json!({"input": "a", "include_return_message_types": ["x"]}),
            "body.include_return_message_types[0]: ",
        ),
        (json!({"input": "a", "enable_thinking": []}), "body.enable_thinking: "),
        (
            json!({"input": [{"type": "image", "source": {"type": "letta", "file_id": "f"}}]}),
            "body.input[0].source: ",
        ),
        (json!({"input": [{"type": "tool_call"}]}), "body.input[0].type: "),
    ];
    for (body, place) in cases {
        let (status, text) = refused(body.clone());
        assert_eq!(status, 422, "{body}");
        assert!(text.starts_with(place), "{body}: {text}");
    }
}

#[test]
fn each_route_has_its_defaults() {
    let body = json!({"input": "a", "agent_id": crate::ids::AgentId::new(), "callback_url": "http://x"});
    let parse = |route| SendRequest::parse(&body, route).unwrap();
    assert!(!parse(SendRoute::Agent).streaming && parse(SendRoute::Agent).agent_id.is_none());
    assert!(parse(SendRoute::AgentStream).streaming);
    assert!(parse(SendRoute::Conversation).streaming && parse(SendRoute::Conversation).agent_id.is_some());
    let run = parse(SendRoute::Async);
    assert!(!run.streaming && run.background && run.callback_url.is_some());
    let stream = SendRequest::parse(&json!({"input": "a", "streaming": false}), SendRoute::AgentStream);
    assert!(stream.unwrap().streaming);
}

#[test]
fn odd_but_seen_spellings_are_understood() {
    let request = agent(json!({
        "input": "a", "max_steps": "3", "streaming": "true", "stream_tokens": 1, "enable_thinking": "true",
        "include_return_message_types": ["assistant_message"], "system": "be brief",
    }))
    .unwrap();
    assert_eq!((request.max_steps, request.streaming, request.stream_tokens), (3, true, true));
    assert_eq!(request.override_system.as_deref(), Some("be brief"));
    assert_eq!(agent(json!({"input": "a", "max_steps": 0})).unwrap().max_steps, 0);
    assert_eq!(agent(json!({"input": "a", "max_steps": 9e14})).unwrap().max_steps, u32::MAX);
}

#[test]
fn a_token_is_made_only_of_the_clients_own_ids() {
    let send = |first: Value, second: Value| {
        agent(json!({"messages": [
            {"role": "user", "content": "a", "otid": first}, {"role": "user", "content": "b", "otid": second}]}))
        .unwrap()
        .token
    };
    assert_eq!(send(json!("x"), json!("y")), Some(request_token(["x", "y"])));
    assert_eq!(send(json!("x"), Value::Null), None);
    // sha256("x|y")
    assert_eq!(request_token(["x", "y"]).len(), 16);
}

#[test]
fn resuming_needs_no_body() {
    let default = ResumeRequest::parse(None).unwrap();
    assert_eq!((default.starting_after, default.include_pings), (0, true));
    let asked = json!({"starting_after": 7, "include_pings": null, "batch_size": 1000, "poll_interval": 0.1});
    assert_eq!(ResumeRequest::parse(Some(&asked)).unwrap().starting_after, 7);
    assert_eq!(ResumeRequest::parse(Some(&json!({"starting_after": "x"}))).unwrap_err().status, 422);
    assert_eq!(ResumeRequest::parse(Some(&json!([]))).unwrap_err().status, 422);
    assert_eq!(cancel_run_ids(Some(&json!({"run_ids": ["x"]}))).unwrap_err().status, 422);
    assert_eq!(cancel_run_ids(Some(&json!({}))), Ok(None));
}

/// JSON that looks like a request, with surprises at every place.
fn any_json() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "messages",
        "input",
        "type",
        "role",
        "content",
        "text",
        "source",
        "approvals",
        "approve",
        "tool_returns",
        "tool_return",
        "status",
        "tool_call_id",
        "otid",
        "max_steps",
        "client_tools",
        "name",
        "parameters",
        "streaming",
        "url",
        "data",
        "media_type",
        "include_return_message_types",
        "agent_id",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec![
            "message",
            "approval",
            "tool",
            "tool_return",
            "text",
            "image",
            "user",
            "url",
            "success"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((keys.clone(), inner), 0..8).prop_map(|pairs| Value::Object(
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_makes_the_parser_panic(body in any_json()) {
        for route in [SendRoute::Agent, SendRoute::AgentStream, SendRoute::Async, SendRoute::Conversation] {
            match SendRequest::parse(&body, route) {
                Ok(request) => prop_assert!(!request.input.is_empty()),
                Err(error) => {
                    prop_assert!(error.status == 422 || error.status == 400);
                    prop_assert!(error.message.chars().count() < 1000, "{}", error.message);
                }
            }
        }
        let _checked = ResumeRequest::parse(Some(&body));
        let _checked = cancel_run_ids(Some(&body));
    }
}
