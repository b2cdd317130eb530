//! Everything that goes wrong, and what is tried again.

use std::time::{Duration, Instant};

use futures::StreamExt;
use loci_api::{
    chat::{ChatError, ChatErrorKind as K, ChatMessage},
    message::ContentPart,
};
use loci_llm::{ChatModel, Models, Options, ProviderConfig, RetryPolicy, Timeouts};
use loci_testkit::reply::Reply;
use serde_json::json;

use crate::support::{KEY, KINDS, Kind, gather, impatient, request, start, start_with};

async fn failing(kind: Kind, stream: bool, reply: Reply) -> (crate::support::Gathered, ChatError) {
    let options = Options { retry: RetryPolicy::never(), ..impatient() };
    let (fake, models) = start_with(kind, options).await;
    fake.script([reply]);
    let (answer, error) = gather(&models, request(kind, stream)).await;
    let error = error.unwrap_or_else(|| panic!("no error, but {answer:?}"));
    (answer, error)
}

/// A body that is complete: how long it is, to cut it everywhere.
async fn body_length(kind: Kind, stream: bool, reply: &Reply) -> usize {
    let (fake, _models) = start(kind).await;
    fake.script([reply.clone()]);
    let (path, body) = match kind {
        Kind::OpenAi => (
            "v1/chat/completions",
            json!({"stream": stream, "model": "gpt-4.1", "stream_options": {"include_usage": true}}),
        ),
        Kind::Responses => ("v1/responses", json!({"stream": stream, "model": "gpt-5"})),
        Kind::Anthropic => ("v1/messages", json!({"stream": stream, "model": "claude-sonnet-4-5"})),
        Kind::Google if stream => ("v1beta/models/gemini-3-pro-preview:streamGenerateContent", json!({})),
        Kind::Google => ("v1beta/models/gemini-3-pro-preview:generateContent", json!({})),
        Kind::Ollama => ("api/chat", json!({"stream": stream, "model": "qwen3:8b"})),
    };
    let url = format!("{}/{path}", fake.url());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client
        .post(url)
        .body(body.to_string())
        .header("content-type", "application/json")
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_cut_answer_is_an_error_wherever_it_is_cut() {
    let reply = Reply { text: Some("one two".to_owned()), ..Reply::call("f", json!({"x": 1})) };
    for kind in KINDS {
        for stream in [true, false] {
            let length = body_length(kind, stream, &reply).await;
            assert!(length > 200);
            let cuts: Vec<_> = (1..length).step_by(97).collect();
            let options = Options { retry: RetryPolicy::never(), ..impatient() };
            let (fake, models) = start_with(kind, options).await;
            let runs = cuts.into_iter().map(|cut| {
                // Many ask at once; each finds its own answer by what it says.
                let word = format!("cut at {cut};");
                fake.script([Reply {
                    when: Some(word.clone()),
                    cut_after_bytes: Some(cut),
                    ..reply.clone()
                }]);
                let mut request = request(kind, stream);
                request.messages.push(ChatMessage::User { content: vec![ContentPart::text(word)] });
                let models = &models;
                async move { (cut, gather(models, request).await) }
            });
            for (cut, (answer, error)) in futures::future::join_all(runs).await {
                match error {
                    Some(error) => {
                        assert_eq!(error.kind, K::StreamIncomplete, "{kind:?} {stream} {cut}: {error}");
                        assert!(error.trace.is_some_and(|trace| trace.request.is_object()));
                    }
                    // Only where the model had said that it was done, which OpenAI's format does before its end, and
                    // where just the end of the last line is missing.
                    None => {
                        let is_done = kind == Kind::OpenAi && stream && cut > length / 2;
                        assert!(is_done || cut + 40 > length, "{kind:?} {stream} {cut}");
                        assert_eq!(answer.calls[0].arguments, "{\"x\":1}", "{cut}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_clean_end_without_the_protocols_end_is_an_error_too() {
    let halves = KINDS.map(|kind| (kind, kind.half()));
    let empty = KINDS.map(|kind| (kind, ""));
    let others = [
        (Kind::OpenAi, ": only a comment\n\n"),
        (Kind::Anthropic, "event: ping\n\n"),
        (Kind::Responses, "event: keepalive\ndata: {\"type\":\"keepalive\"}\n\n"),
        (Kind::Google, "data: {\"usageMetadata\":{\"promptTokenCount\":1}}\n\n"),
        (Kind::Ollama, "\n\n"),
    ];
    for (kind, raw) in halves.into_iter().chain(empty).chain(others) {
        let (_, error) = failing(kind, true, Reply { raw: Some(raw.to_owned()), ..Reply::default() }).await;
        assert_eq!(error.kind, K::StreamIncomplete, "{raw}");
    }
}

#[tokio::test]
async fn damage_is_an_error_with_what_could_not_be_read() {
    for kind in KINDS {
        for stream in [true, false] {
            // Where the name of an event comes first, damage there would do no harm.
            let at = if kind == Kind::Responses && stream { 60 } else { 20 };
            let reply = Reply { corrupt_at: Some(at), ..Reply::text("one two three") };
            let (_, error) = failing(kind, stream, reply).await;
            let expected = if stream { K::StreamIncomplete } else { K::LlmError };
            assert_eq!(error.kind, expected, "{kind:?} {stream}");
            assert!(error.detail.is_some());
        }
    }
    let page = Reply {
        raw: Some("<html>Welcome</html>".to_owned()),
        headers: json!({"content-type": "text/html"}).as_object().unwrap().clone(),
        ..Reply::default()
    };
    let (_, error) = failing(Kind::OpenAi, true, page).await;
    assert!(error.kind == K::LlmError && error.message.contains("base URL"), "{error}");
}

#[tokio::test]
async fn an_error_inside_a_stream_is_that_error_and_keeps_what_came_before() {
    for (kind, said, expected) in [
        (Kind::OpenAi, "data: {\"error\":{\"message\":\"busy\",\"code\":429}}\n\n", K::LlmRateLimit),
        (
            Kind::Responses,
            "event: error\ndata: {\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"busy\"}\n\n",
            K::LlmRateLimit,
        ),
        (
            Kind::Responses,
            "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"busy\"}}}\n\n",
            K::LlmServerError,
        ),
        (
            Kind::Anthropic,
            "data: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n",
            K::LlmOverloaded,
        ),
        (
            Kind::Google,
            "data: {\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}\n\n",
            K::LlmOverloaded,
        ),
        (
            Kind::Google,
            "data: {\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n",
            K::LlmServerError,
        ),
        (Kind::Ollama, "{\"error\":\"the runner died\"}\n", K::LlmError),
    ] {
        let raw = format!("{}{said}", kind.half());
        let (answer, error) = failing(kind, true, Reply { raw: Some(raw), ..Reply::default() }).await;
        assert_eq!((answer.text().as_str(), error.kind), ("half", expected), "{kind:?} {said}");
        assert!(error.trace.unwrap().response.to_string().contains("half"), "{kind:?}");
    }
}

#[tokio::test]
async fn refusals_have_their_kinds_and_hold_no_secret() {
    for kind in KINDS {
        for (status, expected) in [
            (400, K::LlmBadRequest),
            (401, K::LlmAuthentication),
            (402, K::LlmInsufficientCredits),
            (403, K::LlmPermissionDenied),
            (404, K::LlmNotFound),
            (422, K::LlmUnprocessableEntity),
            (429, K::LlmRateLimit),
            (500, K::LlmServerError),
            (529, K::LlmOverloaded),
            (307, K::LlmError),
        ] {
            let message = format!("no: {KEY} hidden-extra {}", "x".repeat(4000));
            let (_, error) = failing(kind, true, Reply::failure(status, message)).await;
            assert_eq!((error.kind, error.status), (expected, Some(status)));
            let trace = error.trace.clone().unwrap();
            let shown = format!("{error} {error:?} {}", serde_json::to_string(&trace).unwrap());
            assert!(!shown.contains(KEY) && !shown.contains("hidden-extra"), "{shown}");
            assert!(error.detail.unwrap().chars().count() <= 2001);
        }
        let long = Reply::failure(400, "This model's maximum context length is 10 tokens");
        assert_eq!(failing(kind, false, long).await.1.kind, K::ContextWindowExceeded);
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_every_attempt_is_told() {
    for kind in KINDS {
        let (fake, models) = start(kind).await;
        fake.script([Reply::failure(429, "slow"), Reply::failure(503, "busy"), Reply::text("at last")]);
        let (answer, error) = gather(&models, request(kind, true)).await;
        assert_eq!((answer.text().as_str(), error, answer.retries), ("at last", None, 2));
        let attempts = answer.trace.unwrap().attempts;
        assert_eq!(attempts.iter().map(|attempt| attempt.number).collect::<Vec<_>>(), [1, 2]);
        assert!(attempts[0].error.contains("slow") && attempts[1].error.contains("busy"));
        let seen = fake.requests();
        assert_eq!(seen[0].body, seen[2].body);
    }
}

#[tokio::test]
async fn there_is_an_end_to_trying() {
    let (fake, models) = start(Kind::OpenAi).await;
    fake.default_reply(Reply::failure(500, "broken"));
    let (answer, error) = gather(&models, request(Kind::OpenAi, true)).await;
    assert_eq!((fake.requests().len(), answer.retries), (4, 3));
    assert_eq!(error.unwrap().trace.unwrap().attempts.len(), 3);
}

#[tokio::test]
async fn what_cannot_pass_is_not_tried_again() {
    for reply in [
        Reply::failure(401, "key"),
        Reply::failure(400, "bad"),
        Reply {
            error: Some(json!({"code": "insufficient_quota", "message": "pay"})),
            ..Reply::failure(429, "")
        },
        Reply {
            headers: json!({"x-should-retry": "false"}).as_object().unwrap().clone(),
            ..Reply::failure(500, "no")
        },
        Reply {
            headers: json!({"retry-after": "3600"}).as_object().unwrap().clone(),
            ..Reply::failure(429, "later")
        },
        // Something was heard already.
        Reply { cut_after_bytes: Some(600), ..Reply::text("one two three four five six seven") },
    ] {
        let (fake, models) = start(Kind::OpenAi).await;
        fake.script([reply.clone(), Reply::text("never")]);
        let (_, error) = gather(&models, request(Kind::OpenAi, true)).await;
        let error = error.unwrap();
        assert_eq!(fake.requests().len(), 1, "{reply:?}");
        if error.kind == K::LlmRateLimit {
            assert_eq!(error.retry_after_ms, Some(3_600_000));
        }
    }
}

#[tokio::test]
async fn the_providers_wait_is_kept() {
    let (fake, models) = start(Kind::OpenAi).await;
    let headers = json!({"retry-after-ms": "80"}).as_object().unwrap().clone();
    fake.script([Reply { headers, ..Reply::failure(429, "slow") }, Reply::text("x")]);
    let began = Instant::now();
    let (answer, _) = gather(&models, request(Kind::OpenAi, true)).await;
    assert!(began.elapsed() >= Duration::from_millis(80));
    assert_eq!(answer.trace.unwrap().attempts[0].waited_ms, 80);
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let short = Timeouts {
        stall: Duration::from_millis(400),
        whole: Duration::from_millis(400),
        ..Timeouts::default()
    };
    let options = Options { timeouts: short, retry: RetryPolicy::never(), ..impatient() };
    let replies = [
        (true, Reply { hold: true, ..Reply::text("x") }),
        (true, Reply { latency_ms: 5000, ..Reply::text("x") }),
        (false, Reply { latency_ms: 5000, ..Reply::text("x") }),
        (false, Reply { hold: true, ..Reply::text("x") }),
    ];
    let silences = KINDS.into_iter().flat_map(|kind| replies.iter().map(move |reply| (kind, reply)));
    let silences = silences.map(|(kind, (stream, reply))| async move {
        let (fake, models) = start_with(kind, options).await;
        fake.script([reply.clone()]);
        let (_, error) = gather(&models, request(kind, *stream)).await;
        assert_eq!(error.unwrap().kind, K::LlmTimeout, "{kind:?} {stream} {reply:?}");
    });
    futures::future::join_all(silences).await;
    // A stream that is slow but alive is waited for.
    let (fake, models) = start_with(Kind::OpenAi, options).await;
    fake.script([Reply { chunk_delay_ms: 70, ..Reply::text("a b c d e f g h") }]);
    let (answer, error) = gather(&models, request(Kind::OpenAi, true)).await;
    assert_eq!((answer.text().as_str(), error), ("a b c d e f g h", None));
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_said_to_be_unreachable() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = ProviderConfig {
        name: "openai".to_owned(),
        provider_type: "openai".to_owned(),
        base_url: format!("http://127.0.0.1:{port}/v1"),
        api_key: None,
        headers: Vec::new(),
        category: "base".to_owned(),
        protocol: None,
    };
    let models = Models::with_options(vec![config], impatient()).unwrap();
    let (answer, error) = gather(&models, request(Kind::OpenAi, true)).await;
    let error = error.unwrap();
    assert_eq!((error.kind, answer.retries), (K::LlmConnection, 3));
    assert!(error.message.contains("base URL"), "{error}");
}

#[tokio::test]
async fn an_unknown_provider_is_an_error_of_the_stream() {
    let models = Models::new(Vec::new()).unwrap();
    let (_, error) = gather(&models, request(Kind::OpenAi, true)).await;
    assert_eq!(error.unwrap().kind, K::UnknownModel);
}

#[tokio::test]
async fn dropping_the_stream_ends_the_connection() {
    let (fake, models) = start(Kind::OpenAi).await;
    fake.script([Reply { hold: true, ..Reply::text("x") }, Reply::text("y")]);
    let mut events = models.chat(request(Kind::OpenAi, true));
    let waiting = tokio::time::timeout(Duration::from_millis(50), events.next()).await;
    assert!(waiting.is_err(), "held");
    drop(events);
    let (answer, _) = gather(&models, request(Kind::OpenAi, true)).await;
    assert_eq!(answer.text(), "y");
}

#[tokio::test]
async fn a_setting_that_is_refused_is_left_out_and_that_is_told() {
    let (fake, models) = start(Kind::Responses).await;
    let unverified = "Your organization must be verified to generate reasoning summaries.";
    fake.script([Reply::failure(400, unverified), Reply::failure(503, "busy"), Reply::text("at last")]);
    let (answer, error) = gather(&models, request(Kind::Responses, true)).await;
    assert_eq!((answer.text().as_str(), error, answer.retries), ("at last", None, 2));
    let seen = fake.requests();
    assert_eq!(seen[0].body["reasoning"], json!({"summary": "auto"}));
    assert_eq!((&seen[1].body["reasoning"], &seen[2].body["reasoning"]), (&json!({}), &json!({})));
    let trace = answer.trace.unwrap();
    assert_eq!(trace.request, seen[2].body, "the trace is what went out last");
    assert!(trace.attempts[0].error.contains("without `summary`"), "{:?}", trace.attempts);

    // What an agent cannot do without is not left out, and the reason says what to do.
    let (fake, models) = start(Kind::Ollama).await;
    fake.script([Reply::failure(400, "registry.ollama.ai/library/gemma:2b does not support tools")]);
    let (_, error) = gather(&models, request(Kind::Ollama, true)).await;
    let error = error.unwrap();
    assert_eq!((error.kind, fake.requests().len()), (K::LlmBadRequest, 1));
    assert!(error.message.contains("choose one that can"), "{error}");
}

#[tokio::test]
async fn google_says_a_bad_key_and_a_wait_in_the_body() {
    let (fake, models) = start(Kind::Google).await;
    let error = json!({"message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT",
        "details": [{"reason": "API_KEY_INVALID"}]});
    fake.script([Reply { status: Some(400), error: Some(error), ..Reply::default() }]);
    let (_, error) = gather(&models, request(Kind::Google, true)).await;
    assert_eq!(error.unwrap().kind, K::LlmAuthentication);
    let wait = json!({"message": "quota", "details": [{"retryDelay": "0.08s"}]});
    fake.script([Reply { status: Some(429), error: Some(wait), ..Reply::default() }, Reply::text("x")]);
    let (answer, _) = gather(&models, request(Kind::Google, true)).await;
    assert_eq!(answer.trace.unwrap().attempts[0].waited_ms, 80);
}
