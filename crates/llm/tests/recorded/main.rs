//! Answers written down after the providers' public documentation, and the oddities of servers that follow them,
//! one file each in `tests/<protocol>/`: replayed over HTTP, split, paced, cut and damaged. What an answer means is in
//! the file beside it; `UPDATE_RECORDED=1` writes those anew, to be read before they are committed.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

use futures::{StreamExt, future::join_all, stream::BoxStream};
use loci_api::{
    chat::{ChatError, ChatErrorKind, ChatEvent, ChatMessage, ChatOptions, ChatRequest, ToolChoice},
    message::ContentPart,
};
use loci_llm::{ChatModel, Models, Options, Protocol, ProviderConfig, RetryPolicy};
use loci_testkit::{model::FakeModel, reply::Reply};
use serde_json::json;

const PROTOCOLS: [(Protocol, &str); 5] = [
    (Protocol::OpenAiChat, "openai_chat"),
    (Protocol::OpenAiResponses, "openai_responses"),
    (Protocol::Anthropic, "anthropic"),
    (Protocol::Google, "google"),
    (Protocol::Ollama, "ollama"),
];

struct Recorded {
    protocol: Protocol,
    path: PathBuf,
    body: String,
}

fn recorded() -> Vec<Recorded> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = Vec::new();
    for (protocol, folder) in PROTOCOLS {
        let mut paths: Vec<_> =
            fs::read_dir(tests.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let bodies = paths.into_iter().filter(|path| path.extension().is_some_and(|end| end != "events"));
        all.extend(bodies.map(|path| Recorded { protocol, body: fs::read_to_string(&path).unwrap(), path }));
    }
    assert!(all.len() > 40);
    all
}

impl Recorded {
    fn reply(&self) -> Reply {
        let kind =
            if self.protocol == Protocol::Ollama { "application/x-ndjson" } else { "text/event-stream" };
        Reply {
            raw: Some(self.body.clone()),
            headers: json!({"content-type": kind}).as_object().unwrap().clone(),
            ..Reply::default()
        }
    }

    fn name(&self) -> String {
        self.path.file_stem().unwrap().to_string_lossy().into_owned()
    }
}

/// One fake and one client for each protocol: making them costs more than a replay.
struct Players {
    all: Vec<(Protocol, FakeModel, Models)>,
    played: AtomicUsize,
}

impl Players {
    async fn start() -> Self {
        let mut all = Vec::new();
        for (protocol, _) in PROTOCOLS {
            let fake = FakeModel::start().await.unwrap();
            let base_url = match protocol {
                Protocol::OpenAiChat | Protocol::OpenAiResponses => fake.base_url_openai(),
                Protocol::Anthropic => fake.base_url_anthropic(),
                Protocol::Google => fake.base_url_google(),
                Protocol::Ollama => fake.base_url_ollama(),
            };
            let config = ProviderConfig {
                name: "p".to_owned(),
                provider_type: "openai".to_owned(),
                base_url,
                api_key: None,
                headers: Vec::new(),
                category: "base".to_owned(),
                protocol: Some(protocol),
            };
            let options = Options { retry: RetryPolicy::never(), ..Options::default() };
            all.push((protocol, fake, Models::with_options(vec![config], options).unwrap()));
        }
        Self { all, played: AtomicUsize::new(0) }
    }

    /// A line for each event; the last is `error …` if it failed.
    async fn replay(&self, protocol: Protocol, reply: Reply) -> Vec<String> {
        let (_, fake, models) = self.all.iter().find(|(own, ..)| *own == protocol).unwrap();
        // Many play at once; each finds its own answer by what it says.
        let word = format!("number {};", self.played.fetch_add(1, Ordering::Relaxed));
        fake.script([Reply { when: Some(word.clone()), ..reply }]);
        let events = models.chat(ChatRequest {
            handle: "p/m".to_owned(),
            messages: vec![ChatMessage::User { content: vec![ContentPart::text(word)] }],
            tools: Vec::new(),
            tool_choice: ToolChoice::Auto,
            parallel_tool_calls: true,
            options: ChatOptions::default(),
            stream: true,
        });
        read(events).await
    }
}

async fn read(mut events: BoxStream<'static, Result<ChatEvent, ChatError>>) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Ok(ChatEvent::Trace(_)) => {}
            Ok(event) => lines.push(line(&event)),
            Err(error) => {
                let wait = error.retry_after_ms.map(|wait| format!(" after {wait} ms")).unwrap_or_default();
                lines.push(format!("error {:?}{wait}: {}", error.kind, error.message));
            }
        }
    }
    lines
}

fn line(event: &ChatEvent) -> String {
    match event {
        ChatEvent::ToolCallStarted { index, id, name } => format!("call {index} {name} {}", plain(id)),
        ChatEvent::ToolCallArguments { index, delta } => format!("arguments {index} {delta}"),
        ChatEvent::Text(text) => format!("text {text:?}"),
        ChatEvent::Reasoning(text) => format!("reasoning {text:?}"),
        ChatEvent::ReasoningSignature(proof) => format!("proof {proof}"),
        ChatEvent::TextSignature(proof) => format!("proof of the text {proof}"),
        ChatEvent::RedactedReasoning(data) => format!("redacted {data}"),
        ChatEvent::Usage(usage) => format!("usage {}", serde_json::to_string(usage).unwrap()),
        ChatEvent::Finish(reason) => format!("finish {reason:?}"),
        ChatEvent::Retrying(_) | ChatEvent::Trace(_) => panic!("{event:?}"),
    }
}

/// Ids that are made up differ from time to time.
fn plain(id: &str) -> String {
    let is_hex = |text: &str| text.len() >= 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    id.split('_').map(|part| if is_hex(part) { "…" } else { part }).collect::<Vec<_>>().join("_")
}

#[tokio::test]
async fn every_recorded_answer_means_what_is_written_beside_it() {
    let players = Players::start().await;
    let all = recorded();
    let read = join_all(all.iter().map(|one| players.replay(one.protocol, one.reply()))).await;
    for (one, lines) in all.iter().zip(read) {
        let beside = one.path.with_extension("events");
        let text = lines.join("\n") + "\n";
        if std::env::var_os("UPDATE_RECORDED").is_some() {
            fs::write(&beside, &text).unwrap();
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        assert_eq!(text, expected, "{}", one.path.display());
    }
}

#[tokio::test]
async fn how_the_bytes_arrive_changes_nothing() {
    let players = Players::start().await;
    let all = recorded();
    for pieces in [1, 3, 11] {
        let read = all
            .iter()
            .map(|one| players.replay(one.protocol, Reply { piece_bytes: Some(pieces), ..one.reply() }));
        for (one, lines) in all.iter().zip(join_all(read).await) {
            let expected = fs::read_to_string(one.path.with_extension("events")).unwrap();
            assert_eq!(lines.join("\n") + "\n", expected, "{} in pieces of {pieces}", one.name());
        }
    }
}

#[tokio::test]
async fn a_cut_answer_is_a_beginning_and_an_error() {
    let players = Players::start().await;
    for one in recorded() {
        let expected = fs::read_to_string(one.path.with_extension("events")).unwrap();
        let whole: Vec<String> = expected.lines().map(str::to_owned).collect();
        if whole.last().is_some_and(|line| line.starts_with("error ")) {
            continue;
        }
        let step = one.body.len() / 12 + 1;
        let cuts: Vec<usize> = (1..one.body.len()).step_by(step).collect();
        let read = cuts
            .iter()
            .map(|cut| players.replay(one.protocol, Reply { cut_after_bytes: Some(*cut), ..one.reply() }));
        for (cut, lines) in cuts.iter().zip(join_all(read).await) {
            let (last, before) = lines.split_last().unwrap();
            if last.starts_with("error ") {
                assert!(last.contains("StreamIncomplete"), "{} at {cut}: {last}", one.name());
                assert_eq!(before, &whole[..before.len()], "{} at {cut}", one.name());
            } else {
                // The model had said why it stopped; only what follows it may be missing.
                assert!(last.starts_with("finish "), "{} at {cut}: {last}", one.name());
                assert_eq!(Some(last), whole.last(), "{} at {cut}", one.name());
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_answer_is_an_error_or_means_the_same() {
    let players = Players::start().await;
    for one in recorded() {
        let expected = fs::read_to_string(one.path.with_extension("events")).unwrap();
        let whole: Vec<String> = expected.lines().map(str::to_owned).collect();
        let step = one.body.len() / 10 + 1;
        // Inside the JSON: a damaged word before it makes the line one that says nothing.
        let is_inside = |at: &usize| {
            let line =
                one.body.as_bytes()[..*at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            let open = if one.protocol == Protocol::Ollama { "{" } else { "data: {" };
            one.body[line..].starts_with(open) && *at > line + open.len() && one.body.as_bytes()[*at] > b'\r'
        };
        let places: Vec<usize> = (3..one.body.len()).step_by(step).filter(is_inside).collect();
        let read = places
            .iter()
            .map(|at| players.replay(one.protocol, Reply { corrupt_at: Some(*at), ..one.reply() }));
        for (at, lines) in places.iter().zip(join_all(read).await) {
            let last = lines.last().unwrap();
            // Numbers that come after the model's last word may be lost with it.
            let said = |lines: &[String]| -> Vec<String> {
                lines.iter().filter(|line| !line.starts_with("usage ")).cloned().collect()
            };
            assert!(
                last.starts_with("error ") || said(&lines) == said(&whole),
                "{} at {at}: {lines:?}",
                one.name()
            );
        }
    }
}

#[tokio::test]
async fn slow_answers_are_waited_for() {
    let players = Players::start().await;
    let all = recorded();
    let read = all.iter().map(|one| {
        let mut reply = one.reply();
        reply.latency_ms = 30;
        reply.chunk_delay_ms = 5;
        players.replay(one.protocol, reply)
    });
    for (one, lines) in all.iter().zip(join_all(read).await) {
        let expected = fs::read_to_string(one.path.with_extension("events")).unwrap();
        assert_eq!(lines.join("\n") + "\n", expected, "{}", one.name());
    }
    assert!(
        !ChatErrorKind::StreamIncomplete.is_transient(),
        "what was cut after words is not asked for twice"
    );
}
