//! Ordinary exchanges: what goes out, what comes in, and going on with it.

use futures::StreamExt;
use loci_api::{
    chat::{ChatEvent, ChatMessage, ChatToolReturn, FinishReason},
    message::ContentPart,
};
use loci_llm::ChatModel;
use loci_testkit::reply::{Reply, ReplyUsage};
use serde_json::json;

use crate::support::{KEY, KINDS, Kind, gather, request, start};

fn full_reply() -> Reply {
    let mut reply = Reply::calls([("f", json!({"x": "é🙂"})), ("f", json!({}))]);
    reply.text = Some("Hello out there, é🙂 friend.".to_owned());
    reply.reasoning = Some("I think about it.".to_owned());
    reply.signature = Some("EqQB+/Ab==".to_owned());
    reply.redacted_reasoning = Some("sealed+/==".to_owned());
    reply.usage = Some(ReplyUsage {
        prompt_tokens: 120,
        completion_tokens: 30,
        cached_tokens: 100,
        cache_write_tokens: 10,
        reasoning_tokens: 7,
    });
    reply
}

#[tokio::test]
async fn an_answer_is_the_same_streamed_whole_and_in_single_bytes() {
    for kind in KINDS {
        for (stream, piece_bytes) in [(true, None), (true, Some(1)), (true, Some(7)), (false, None)] {
            let (fake, models) = start(kind).await;
            fake.script([Reply { piece_bytes, ..full_reply() }]);
            let (answer, error) = gather(&models, request(kind, stream)).await;
            assert_eq!(error, None);
            assert_eq!(answer.text(), "Hello out there, é🙂 friend.");
            assert_eq!(answer.finish, Some(FinishReason::ToolCalls));
            let arguments: Vec<_> = answer.calls.iter().map(|call| call.arguments.as_str()).collect();
            assert_eq!(arguments, [r#"{"x":"é🙂"}"#, "{}"], "{kind:?} {stream}");
            assert_ne!(answer.calls[0].id, answer.calls[1].id);
            let usage = answer.usage.unwrap();
            assert_eq!((usage.prompt_tokens, usage.completion_tokens), (120, 30), "{kind:?}");
            // This one says nothing of its cache.
            let cached = (kind != Kind::Ollama).then_some(100);
            assert_eq!(usage.cached_input_tokens, cached, "{kind:?}");
            let trace = answer.trace.unwrap();
            assert_eq!(trace.request, fake.requests()[0].body, "the trace is what went out");
            assert!(trace.response.to_string().contains("Hello out there, é🙂 friend."));
            assert_eq!(trace.request_id.as_deref(), Some("req-1"));
            let kept = serde_json::to_string(&trace).unwrap();
            assert!(!kept.contains(KEY) && !kept.contains("hidden-extra"), "no key in the trace");
            assert!(trace.endpoint.unwrap().starts_with("http://127.0.0.1:"));
            match kind {
                Kind::OpenAi | Kind::Responses | Kind::Google => {
                    assert_eq!(usage.reasoning_tokens, Some(7));
                }
                Kind::Anthropic => assert_eq!(usage.cache_write_tokens, Some(10)),
                Kind::Ollama => {}
            }
        }
    }
}

#[tokio::test]
async fn each_provider_is_told_who_asks() {
    for kind in KINDS {
        let (fake, models) = start(kind).await;
        fake.script([Reply::text("x")]);
        gather(&models, request(kind, true)).await;
        let seen = fake.requests().remove(0);
        let header = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("x-extra").as_deref(), Some("hidden-extra"));
        assert!(header("user-agent").unwrap().starts_with("loci/"));
        match kind {
            Kind::OpenAi => {
                assert_eq!(seen.path, "/v1/chat/completions");
                assert_eq!(header("authorization"), Some(format!("Bearer {KEY}")));
                assert_eq!(header("x-api-key"), None);
            }
            Kind::Anthropic => {
                assert_eq!(seen.path, "/v1/messages");
                assert_eq!(header("x-api-key").as_deref(), Some(KEY));
                assert_eq!(header("anthropic-version").as_deref(), Some("2023-06-01"));
                assert_eq!(header("authorization"), None);
            }
            Kind::Responses => {
                assert_eq!(seen.path, "/v1/responses");
                assert_eq!(header("authorization"), Some(format!("Bearer {KEY}")));
            }
            Kind::Google => {
                assert_eq!(seen.path, "/v1beta/models/gemini-3-pro-preview:streamGenerateContent");
                assert_eq!(header("x-goog-api-key").as_deref(), Some(KEY));
                assert_eq!(header("authorization"), None);
            }
            Kind::Ollama => {
                assert_eq!(seen.path, "/api/chat");
                assert_eq!(header("authorization"), Some(format!("Bearer {KEY}")));
            }
        }
    }
}

#[tokio::test]
async fn reasoning_and_its_proof_come_back_byte_by_byte() {
    let (fake, models) = start(Kind::Anthropic).await;
    fake.script([full_reply(), Reply::text("done")]);
    let mut first = request(Kind::Anthropic, true);
    first.options.thinking_budget = Some(2048);
    let (answer, error) = gather(&models, first.clone()).await;
    assert_eq!(error, None);

    let mut second = first;
    let returns = answer
        .calls
        .iter()
        .map(|call| ChatToolReturn {
            tool_call_id: call.id.clone(),
            content: vec![ContentPart::text("ok")],
            is_error: false,
        })
        .collect();
    second
        .messages
        .push(ChatMessage::Assistant { content: answer.content, tool_calls: answer.calls.clone() });
    second.messages.push(ChatMessage::Tool { returns });
    gather(&models, second).await;
    let sent = &fake.requests()[1].body["messages"][1]["content"];
    assert_eq!(
        sent[0],
        json!({"type": "thinking", "thinking": "I think about it.", "signature": "EqQB+/Ab=="})
    );
    assert_eq!(sent[1], json!({"type": "redacted_thinking", "data": "sealed+/=="}));
    assert_eq!(sent[3]["id"], answer.calls[0].id.as_str());
    assert_eq!(
        fake.requests()[1].body["messages"][2]["content"][1]["tool_use_id"],
        answer.calls[1].id.as_str()
    );
}

/// Each protocol's own reasoning comes back in its own place, and nobody else's does.
#[tokio::test]
async fn reasoning_goes_back_only_by_the_protocol_it_came_by() {
    for from in KINDS {
        for to in KINDS {
            let (fake, models) = start(from).await;
            fake.script([full_reply()]);
            let mut first = request(from, true);
            first.options.thinking_budget = Some(2048);
            let (answer, error) = gather(&models, first.clone()).await;
            assert_eq!(error, None);

            let (fake, models) = start(to).await;
            fake.script([Reply::text("done")]);
            let mut second = request(to, true);
            second.options.thinking_budget = Some(2048);
            let returns = answer.calls.iter().map(|call| ChatToolReturn {
                tool_call_id: call.id.clone(),
                content: vec![ContentPart::text("ok")],
                is_error: false,
            });
            let returns = returns.collect();
            second
                .messages
                .push(ChatMessage::Assistant { content: answer.content, tool_calls: answer.calls.clone() });
            second.messages.push(ChatMessage::Tool { returns });
            let (_, error) = gather(&models, second).await;
            assert_eq!(error, None, "{from:?} {to:?}");
            let body = &fake.requests()[0].body;
            let text = body.to_string();
            assert!(!text.contains("google:") && !text.contains("openai-"), "{from:?} {to:?}: {text}");
            let has_proof = text.contains("EqQB+/Ab==") || text.contains("sealed+/==");
            let keeps = from == to && matches!(from, Kind::Responses | Kind::Anthropic | Kind::Google);
            assert_eq!(has_proof, keeps, "{from:?} {to:?}: {text}");
            match to {
                Kind::Responses if keeps => {
                    let items = body["input"].as_array().unwrap();
                    let kinds: Vec<_> =
                        items.iter().map(|item| item["type"].as_str().unwrap_or("user")).collect();
                    assert_eq!(
                        kinds,
                        [
                            "user",
                            "reasoning",
                            "message",
                            "function_call",
                            "function_call",
                            "function_call_output",
                            "function_call_output"
                        ]
                    );
                    assert_eq!(items[1]["summary"][0]["text"], "I think about it.");
                    assert_eq!(items[1]["encrypted_content"], "sealed+/==");
                    assert_eq!(items[3]["call_id"], items[5]["call_id"]);
                }
                Kind::Google => {
                    let model = &body["contents"][1]["parts"];
                    let expected = if keeps { "EqQB+/Ab==" } else { "skip_thought_signature_validator" };
                    assert_eq!(model[1]["thoughtSignature"], expected, "{model}");
                    assert!(model[2].get("thoughtSignature").is_none());
                    assert_eq!(body["contents"][2]["parts"][1]["functionResponse"]["name"], "f");
                }
                Kind::OpenAi | Kind::Responses | Kind::Anthropic | Kind::Ollama => {}
            }
        }
    }
}

#[tokio::test]
async fn events_come_before_the_answer_is_complete() {
    for kind in KINDS {
        let (fake, models) = start(kind).await;
        // Everything but the end is sent, then nothing.
        let begin = kind.half().to_owned();
        fake.script([Reply { raw: Some(begin), stall: true, ..Reply::default() }]);
        let mut events = models.chat(request(kind, true));
        assert_eq!(events.next().await, Some(Ok(ChatEvent::Text("half".to_owned()))));
    }
}

#[tokio::test]
async fn an_answer_in_one_piece_to_a_request_for_a_stream_is_taken() {
    let (fake, models) = start(Kind::OpenAi).await;
    let whole = json!({"choices": [{"message": {"role": "assistant", "content": "all at once"}, "finish_reason": "stop"}]});
    let reply = |kind: &str| Reply {
        raw: Some(whole.to_string()),
        headers: json!({"content-type": kind}).as_object().unwrap().clone(),
        ..Reply::default()
    };
    fake.script([reply("application/json; charset=utf-8")]);
    let (answer, error) = gather(&models, request(Kind::OpenAi, true)).await;
    assert_eq!((answer.text().as_str(), error), ("all at once", None));
}

#[tokio::test]
async fn rehearsal_is_called_like_any_other_model() {
    let (_fake, models) = start(Kind::OpenAi).await;
    let mut request = request(Kind::OpenAi, true);
    request.handle = loci_llm::REHEARSAL_HANDLE.to_owned();
    request.messages.push(ChatMessage::User { content: vec![ContentPart::text("call f with {\"x\": 1}")] });
    let (answer, error) = gather(&models, request).await;
    assert_eq!(error, None);
    assert!(answer.text().contains("no AI"));
    assert_eq!(answer.calls[0].arguments, "{\"x\":1}");
    assert!(answer.usage.is_some() && answer.trace.is_some());
}
