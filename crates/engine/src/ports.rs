//! What the driver needs from outside. The server implements it with the store, the models and the tools.

use futures::stream::BoxStream;
use loci_api::{
    chat::{ChatError, ChatEvent, ChatOptions, ChatRequest, ChatTrace, ToolSpec, Usage},
    ids::{AgentId, ConversationId, MessageId, RunId, StepId},
    message::{Message, ToolReturn, ToolStatus},
    request::ClientSkill,
    resource::{StepStatus, StopReason},
    rules::ToolRule,
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::compaction::Own;

/// Everything one request's turn starts from. The input is already persisted.
#[derive(Debug, Clone)]
pub struct Turn {
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    pub run_id: RunId,
    /// `provider/model`.
    pub model: String,
    pub options: ChatOptions,
    pub parallel_tool_calls: bool,
    /// Tokens.
    pub context_window: u32,
    /// IANA name; times the model reads are in it.
    pub timezone: String,
    /// Attached server tools in a stable order.
    pub tools: Vec<TurnTool>,
    /// Offered by the client for this request; each hides a server tool of the same name and waits for the client.
    pub client_tools: Vec<ToolSpec>,
    pub client_skills: Vec<ClientSkill>,
    pub rules: Vec<ToolRule>,
    /// What is in the context window, message 0 being the system prompt, the accepted input last.
    pub context: Vec<Message>,
    /// Messages that were sent along with an approval; they join the context at the second step.
    pub follow_ups: Vec<Message>,
    /// Tokens the last model call on this context took, messages after it not counted; 0 if that is not known.
    pub context_tokens: u64,
    pub max_steps: u32,
    /// Replaces the system prompt for this request only.
    pub override_system: Option<String>,
    /// Whether the model is asked to stream.
    pub stream: bool,
}

/// A server tool as a turn needs it.
#[derive(Debug, Clone)]
pub struct TurnTool {
    pub spec: ToolSpec,
    /// Characters of its return that are kept.
    pub return_char_limit: usize,
    /// May run beside others.
    pub parallel: bool,
}

/// A step as it begins.
#[derive(Debug, Clone)]
pub struct StepStart {
    pub id: StepId,
    pub model: String,
    pub context_window: u32,
    pub started_at: Timestamp,
}

/// What is written in one transaction. Messages are appended to the history and to the context, in this order.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    pub messages: Vec<Message>,
    /// Written to the history only, marked `is_err`: what a failed or cancelled step had produced.
    pub failed_messages: Vec<Message>,
    pub step: Option<StepEnd>,
}

/// A step as it ends.
#[derive(Debug, Clone)]
pub struct StepEnd {
    pub id: StepId,
    pub status: StepStatus,
    pub stop_reason: Option<StopReason>,
    pub usage: Usage,
    /// `error_type`, message and detail of a failed step.
    pub error: Option<TurnError>,
    pub trace: Option<ChatTrace>,
    /// Nanoseconds from the request to the end of the model's answer.
    pub llm_request_ns: i64,
    /// Nanoseconds from the request to the model's first event.
    pub ttft_ns: Option<i64>,
    /// Nanoseconds of the longest tool call.
    pub tool_execution_ns: i64,
    /// Nanoseconds of the whole step.
    pub step_ns: i64,
}

/// One call that is to run now: rules and approval are settled.
#[derive(Debug, Clone)]
pub struct ToolInvocation {
    pub tool_call_id: String,
    pub name: String,
    pub arguments: Map<String, Value>,
    pub step_id: StepId,
}

/// What came of it, before cutting and packaging.
#[derive(Debug, Clone)]
pub struct ToolOutcome {
    pub status: ToolStatus,
    /// Null, a string, or an object.
    pub value: Value,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

impl ToolOutcome {
    /// A failure told to the model.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            status: ToolStatus::Error,
            value: Value::String(message.into()),
            stdout: Vec::new(),
            stderr: Vec::new(),
        }
    }
}

/// What a watcher of the run is told, in order. Whole messages are told after they were committed.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "few at a time; every watcher would unbox at once")]
pub enum TurnEvent {
    /// A message that was just committed. `streamed` says that its text and calls already went out as deltas.
    Message { message: Message, streamed: bool },
    /// A piece of the answer that will be stored under `message_id`. `index` is the position of the API message
    /// among those the stored one expands to, so id and otid are the final ones.
    Delta { message_id: MessageId, step_id: StepId, index: u8, delta: Delta },
    /// The step's usage, once known.
    StepUsage(Usage),
    /// The context is about to be made shorter; the summary follows as a message.
    Compacting {
        id: MessageId,
        at: Timestamp,
        trigger: CompactionTrigger,
        context_tokens: u64,
        context_window: u32,
    },
}

#[derive(Debug, Clone)]
pub enum Delta {
    Reasoning {
        text: String,
        signature: Option<String>,
    },
    RedactedReasoning {
        data: String,
    },
    Text(String),
    /// `name` only in the first piece of a call. `gated`: the call waits for approval or for the client, so it
    /// belongs to an approval request.
    ToolCall {
        tool_call_id: String,
        name: Option<String>,
        arguments: Option<String>,
        gated: bool,
    },
}

/// Why a turn failed, in the API's `error_type` vocabulary.
#[derive(Debug, Clone)]
pub struct TurnError {
    pub error_type: String,
    pub message: String,
    pub detail: Option<String>,
    /// The model's error, if it was one: it decides the HTTP status.
    pub chat: Option<ChatError>,
}

/// A context that must become shorter.
#[derive(Debug, Clone)]
pub struct CompactRequest {
    /// What is in the context window, message 0 being the system prompt. All of it is persisted.
    pub context: Vec<Message>,
    pub trigger: CompactionTrigger,
    /// Tokens.
    pub context_token_estimate: u64,
    /// Tokens.
    pub context_window: u32,
    /// How the agent asks its own model.
    pub own: Own,
}

/// What came of trying to make a context shorter.
#[derive(Debug, Clone)]
pub enum Compacted {
    /// The new context, written.
    Context(Vec<Message>),
    /// The old one stays; why, as a sentence for a person.
    Kept(String),
}

/// Why a context must become shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompactionTrigger {
    /// It came near the window.
    ContextCheck,
    /// The provider said that it is over it.
    ContextWindowExceeded,
    /// Somebody asked for it.
    Manual,
}

impl CompactionTrigger {
    /// As events and figures carry it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContextCheck => "context_check",
            Self::ContextWindowExceeded => "context_window_exceeded",
            Self::Manual => "manual",
        }
    }
}

/// How a turn ended.
#[derive(Debug, Clone)]
pub struct TurnOutcome {
    pub stop_reason: StopReason,
    pub error: Option<TurnError>,
}

/// Writing failed; the turn stops, nothing is pretended.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{cause}")]
pub struct PortError {
    /// For the log.
    pub cause: String,
    /// What a person can do about it, as a sentence, where that is known.
    pub remedy: Option<String>,
}

/// The world as the driver sees it.
pub trait Ports: Send + Sync {
    fn now(&self) -> Timestamp;
    fn new_message_id(&self) -> MessageId;
    fn new_step_id(&self) -> StepId;
    /// A monotonic clock, nanoseconds.
    fn monotonic_ns(&self) -> i64;

    /// Resolves when the run is to be cancelled; never otherwise.
    fn cancelled(&self) -> impl Future<Output = ()> + Send;

    /// Asks the model.
    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>>;

    /// Records that a step is under way.
    fn begin_step(&self, step: &StepStart) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Writes, all or nothing, before anything of it is told to a watcher.
    fn commit(&self, commit: Commit) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Runs one tool. A failing tool is an outcome, not an error.
    fn run_tool(&self, call: ToolInvocation) -> impl Future<Output = ToolOutcome> + Send;

    /// Makes the context shorter: summarises what [`crate::compaction::plan()`] takes away, writes the summary and
    /// the new context in one transaction, recompiles message 0, tells watchers.
    ///
    /// Dropping the future must leave the old context in place, or the new one whole.
    fn compact(&self, request: CompactRequest) -> impl Future<Output = Result<Compacted, PortError>> + Send;

    /// Tells watchers.
    fn emit(&self, event: TurnEvent);
}

/// A return as it is stored, from an outcome already cut.
#[must_use]
pub fn tool_return(call_id: &str, outcome: ToolOutcome, time: String) -> ToolReturn {
    ToolReturn {
        tool_call_id: call_id.to_owned(),
        status: outcome.status,
        content: loci_api::message::ReturnContent::Value(outcome.value),
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        time,
    }
}
