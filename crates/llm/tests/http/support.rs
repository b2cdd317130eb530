//! What the tests share: a fake model with a provider pointed at it, and answers gathered up.

use futures::StreamExt;
use loci_api::{
    chat::{
        ChatError, ChatEvent, ChatMessage, ChatOptions, ChatRequest, ChatTrace, FinishReason, ToolChoice,
        ToolSpec, Usage,
    },
    message::{ContentPart, ToolCall},
};
use loci_llm::{ChatModel, Models, Options, Protocol, ProviderConfig, RetryPolicy};
use loci_testkit::model::FakeModel;
use serde_json::json;

pub const KEY: &str = "sk-test-key-1234567890";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    OpenAi,
    Responses,
    Anthropic,
    Google,
    Ollama,
}

pub const KINDS: [Kind; 5] = [Kind::OpenAi, Kind::Responses, Kind::Anthropic, Kind::Google, Kind::Ollama];

impl Kind {
    pub fn config(self, fake: &FakeModel) -> ProviderConfig {
        let (name, base_url) = match self {
            Self::OpenAi | Self::Responses => ("openai", fake.base_url_openai()),
            Self::Anthropic => ("anthropic", fake.base_url_anthropic()),
            Self::Google => ("google_ai", fake.base_url_google()),
            Self::Ollama => ("ollama", fake.base_url_ollama()),
        };
        ProviderConfig {
            name: name.to_owned(),
            provider_type: name.to_owned(),
            base_url,
            api_key: Some(KEY.to_owned().into()),
            headers: vec![("x-extra".to_owned(), "hidden-extra".to_owned())],
            category: "base".to_owned(),
            protocol: (self == Self::Responses).then_some(Protocol::OpenAiResponses),
        }
    }

    pub fn handle(self) -> &'static str {
        match self {
            Self::OpenAi => "openai/gpt-4.1",
            Self::Responses => "openai/gpt-5",
            Self::Anthropic => "anthropic/claude-sonnet-4-5",
            Self::Google => "google_ai/gemini-3-pro-preview",
            Self::Ollama => "ollama/qwen3:8b",
        }
    }

    /// The beginning of a streamed answer in this protocol: the text `half`, and no end.
    pub fn half(self) -> &'static str {
        match self {
            Self::OpenAi => "data: {\"choices\":[{\"delta\":{\"content\":\"half\"}}]}\n\n",
            Self::Responses => {
                "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"item_id\":\"m\",\"delta\":\"half\"}\n\n"
            }
            Self::Anthropic => {
                "data: {\"type\":\"message_start\",\"message\":{}}\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"half\"}}\n\n"
            }
            Self::Google => {
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"half\"}]}}]}\r\n\r\n"
            }
            Self::Ollama => "{\"message\":{\"role\":\"assistant\",\"content\":\"half\"},\"done\":false}\n",
        }
    }
}

pub fn impatient() -> Options {
    Options { retry: RetryPolicy::immediate(), ..Options::default() }
}

pub async fn start(kind: Kind) -> (FakeModel, Models) {
    start_with(kind, impatient()).await
}

pub async fn start_with(kind: Kind, options: Options) -> (FakeModel, Models) {
    let fake = FakeModel::start().await.unwrap();
    let models = Models::with_options(vec![kind.config(&fake)], options).unwrap();
    (fake, models)
}

pub fn request(kind: Kind, stream: bool) -> ChatRequest {
    ChatRequest {
        handle: kind.handle().to_owned(),
        messages: vec![
            ChatMessage::System { text: "S".to_owned() },
            ChatMessage::User { content: vec![ContentPart::text("hello")] },
        ],
        tools: vec![ToolSpec {
            name: "f".to_owned(),
            description: String::new(),
            parameters: json!({"type": "object", "properties": {}}),
        }],
        tool_choice: ToolChoice::Auto,
        parallel_tool_calls: true,
        options: ChatOptions::default(),
        stream,
    }
}

/// An answer put together from its events.
#[derive(Debug, Default)]
pub struct Gathered {
    pub content: Vec<ContentPart>,
    pub calls: Vec<ToolCall>,
    pub usage: Option<Usage>,
    pub finish: Option<FinishReason>,
    pub trace: Option<ChatTrace>,
    pub retries: usize,
    pub text_events: usize,
}

impl Gathered {
    pub fn text(&self) -> String {
        self.content
            .iter()
            .filter_map(
                |part| if let ContentPart::Text { text, .. } = part { Some(text.as_str()) } else { None },
            )
            .collect()
    }
}

/// Reads to the end; what came before an error is given with it.
pub async fn gather(models: &Models, request: ChatRequest) -> (Gathered, Option<ChatError>) {
    let mut out = Gathered::default();
    let mut events = models.chat(request);
    while let Some(event) = events.next().await {
        assert!(out.trace.is_none(), "nothing follows the trace");
        match event {
            Ok(event) => out.take(event),
            Err(error) => {
                assert!(events.next().await.is_none(), "nothing follows an error");
                return (out, Some(error));
            }
        }
    }
    (out, None)
}

impl Gathered {
    fn take(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::Retrying(_) => self.retries += 1,
            ChatEvent::Reasoning(piece) => match self.content.last_mut() {
                Some(ContentPart::Reasoning { reasoning, signature: None }) => reasoning.push_str(&piece),
                _ => self.content.push(ContentPart::Reasoning { reasoning: piece, signature: None }),
            },
            ChatEvent::ReasoningSignature(proof) => match self.content.last_mut() {
                Some(ContentPart::Reasoning { signature, .. }) => *signature = Some(proof),
                other => panic!("a proof of {other:?}"),
            },
            ChatEvent::TextSignature(proof) => match self.content.last_mut() {
                Some(ContentPart::Text { signature, .. }) => *signature = Some(proof),
                other => panic!("a proof of {other:?}"),
            },
            ChatEvent::RedactedReasoning(data) => self.content.push(ContentPart::RedactedReasoning { data }),
            ChatEvent::Text(piece) => {
                self.text_events += 1;
                match self.content.last_mut() {
                    Some(ContentPart::Text { text, .. }) => text.push_str(&piece),
                    _ => self.content.push(ContentPart::text(piece)),
                }
            }
            ChatEvent::ToolCallStarted { index, id, name } => {
                assert_eq!(index, self.calls.len());
                self.calls.push(ToolCall { id, name, arguments: String::new() });
            }
            ChatEvent::ToolCallArguments { index, delta } => self.calls[index].arguments.push_str(&delta),
            ChatEvent::Usage(usage) => {
                assert!(self.usage.is_none() && self.finish.is_none());
                self.usage = Some(usage);
            }
            ChatEvent::Finish(reason) => {
                assert!(self.finish.is_none());
                self.finish = Some(reason);
            }
            ChatEvent::Trace(trace) => {
                assert!(self.finish.is_some());
                self.trace = Some(trace);
            }
        }
    }
}
