//! How fast answers are read, and with how many allocations: `cargo xtask bench parse`, or
//! `cargo run --release -p loci-llm --example parse [events]`. For each protocol a streamed answer of so many pieces is
//! served from memory over loopback HTTP by another thread and read to its end, three times; one JSON line each for the
//! fastest: `{"protocol", "events", "bytes", "seconds", "events_per_second", "allocations_per_event"}`. Reading means all
//! of it: HTTP, framing, JSON and events.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    io::Write,
    sync::mpsc,
};

use futures::StreamExt;
use loci_api::{
    chat::{ChatEvent, ChatMessage, ChatOptions, ChatRequest, ToolChoice},
    message::ContentPart,
};
use loci_llm::{ChatModel, Models, Protocol, ProviderConfig};
use loci_testkit::{model::FakeModel, reply::Reply};
use serde_json::json;
use tokio::time::Instant;

thread_local! {
    /// Allocations made by this thread so far; the fake model's own are another thread's.
    static MADE: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counting.
struct Counting;

#[expect(unsafe_code, reason = "an allocator can be wrapped in no other way; it only counts and passes on")]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MADE.with(|made| made.set(made.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        MADE.with(|made| made.set(made.get() + 1));
        // SAFETY: as the caller promised.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 3;

const PROTOCOLS: [Protocol; 5] = [
    Protocol::OpenAiChat,
    Protocol::OpenAiResponses,
    Protocol::Anthropic,
    Protocol::Google,
    Protocol::Ollama,
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).map_or(Ok(20_000), |text| text.parse::<usize>())?;
    let fake = elsewhere()?;
    for protocol in PROTOCOLS {
        let body = answer(protocol, wanted);
        fake.default_reply(Reply { raw: Some(body.clone()), ..Reply::default() });
        let base_url = match protocol {
            Protocol::OpenAiChat | Protocol::OpenAiResponses => fake.base_url_openai(),
            Protocol::Anthropic => fake.base_url_anthropic(),
            Protocol::Google => fake.base_url_google(),
            Protocol::Ollama => fake.base_url_ollama(),
        };
        let models = Models::new(vec![ProviderConfig {
            name: "p".to_owned(),
            provider_type: "openai".to_owned(),
            base_url,
            api_key: None,
            headers: Vec::new(),
            category: "base".to_owned(),
            protocol: Some(protocol),
        }])?;
        // The first call also makes the client and the connection.
        read(&models).await?;
        let (mut events, mut seconds, mut allocations) = (0, f64::MAX, u64::MAX);
        for _ in 0..ROUNDS {
            let before = MADE.with(Cell::get);
            let began = Instant::now();
            events = read(&models).await?;
            seconds = seconds.min(began.elapsed().as_secs_f64());
            allocations = allocations.min(MADE.with(Cell::get) - before);
        }
        #[expect(clippy::cast_precision_loss, reason = "rates for people")]
        let (rate, each) =
            ((events as f64 / seconds).round(), (allocations as f64 / events as f64 * 100.0).round() / 100.0);
        let line = json!({
            "protocol": protocol, "events": events, "bytes": body.len(), "seconds": seconds,
            "events_per_second": rate, "allocations_per_event": each,
        });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}

/// A fake model on a thread of its own, so that neither its time nor its allocations are counted.
fn elsewhere() -> Result<FakeModel, Box<dyn std::error::Error>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let _nobody_waits = tell.send(FakeModel::start().await);
            std::future::pending::<std::io::Result<()>>().await
        })
    });
    Ok(told.recv()??)
}

/// Reads one answer; how many events it had.
async fn read(models: &Models) -> Result<usize, Box<dyn std::error::Error>> {
    let mut events = models.chat(ChatRequest {
        handle: "p/m".to_owned(),
        messages: vec![ChatMessage::User { content: vec![ContentPart::text("x")] }],
        tools: Vec::new(),
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: false,
        options: ChatOptions::default(),
        stream: true,
    });
    let mut count = 0;
    while let Some(event) = events.next().await {
        match event? {
            ChatEvent::Trace(_) => {}
            _ => count += 1,
        }
    }
    Ok(count)
}

/// A streamed answer of so many small pieces of text.
fn answer(protocol: Protocol, pieces: usize) -> String {
    let (head, piece, tail) = match protocol {
        Protocol::OpenAiChat => (
            String::new(),
            sse(
                &json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": null}]}),
            ),
            sse(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
                + "data: [DONE]\n\n",
        ),
        Protocol::OpenAiResponses => (
            String::new(),
            sse(
                &json!({"type": "response.output_text.delta", "sequence_number": 7, "item_id": "msg_1", "output_index": 0, "content_index": 0, "delta": " word"}),
            ),
            sse(&json!({"type": "response.completed", "response": {"status": "completed", "output": []}})),
        ),
        Protocol::Anthropic => (
            sse(&json!({"type": "message_start", "message": {"id": "m", "content": []}}))
                + &sse(
                    &json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
                ),
            sse(
                &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " word"}}),
            ),
            sse(
                &json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}),
            ) + &sse(&json!({"type": "message_stop"})),
        ),
        Protocol::Google => (
            String::new(),
            sse(
                &json!({"candidates": [{"content": {"parts": [{"text": " word"}], "role": "model"}, "index": 0}], "usageMetadata": {"promptTokenCount": 1}, "modelVersion": "m"}),
            ),
            sse(&json!({"candidates": [{"finishReason": "STOP", "index": 0}]})),
        ),
        Protocol::Ollama => (
            String::new(),
            format!(
                "{}\n",
                json!({"model": "m", "created_at": "2025-11-20T10:00:00Z", "message": {"role": "assistant", "content": " word"}, "done": false})
            ),
            format!(
                "{}\n",
                json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"})
            ),
        ),
    };
    head + &piece.repeat(pieces) + &tail
}

fn sse(event: &serde_json::Value) -> String {
    format!("data: {event}\n\n")
}
