//! The world as a turn sees it: the store, the models and the tools behind [`Ports`].

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use futures::{StreamExt as _, stream, stream::BoxStream};
use loci_api::{
    chat::{ChatError, ChatEvent, ChatRequest, ChatTrace},
    ids::{MessageId, StepId},
    message::Message,
    resource::{Step, StepStatus, ToolType},
    time::Timestamp,
};
use loci_engine::ports::{
    Commit, CompactRequest, Compacted, PortError, Ports, StepEnd, StepStart, ToolInvocation, ToolOutcome,
    TurnError, TurnEvent,
};
use loci_llm::ChatModel as _;
use loci_store::{
    StoreError,
    table::{
        context, message,
        step::{self, StepTiming},
        usage::{self as usage_table, UsageEntry},
    },
};
use serde_json::{Map, Value, json};

use crate::{
    App, code_with_tools,
    compact::{Compaction, Job, NotCompacted, compact},
    error::remedy,
    runs::{Facts, keep_trace, live::LiveRun},
    tool_call,
    usage::{self, Spender, UsageKind},
};

/// One run's view of the world.
pub struct RunPorts {
    app: App,
    live: Arc<LiveRun>,
    facts: Arc<Facts>,
    /// What the thread's context window holds, kept for the next run.
    context: Mutex<Vec<Message>>,
    /// A new context may be written, but is not in `context` yet.
    unsettled: AtomicBool,
    /// When each step of the run began.
    steps: Mutex<HashMap<StepId, Timestamp>>,
    begun: Instant,
}

impl RunPorts {
    /// For a run that begins with this context.
    #[must_use]
    pub fn new(app: App, live: Arc<LiveRun>, facts: Arc<Facts>, context: Vec<Message>) -> Self {
        Self {
            app,
            live,
            facts,
            context: Mutex::new(context),
            unsettled: AtomicBool::new(false),
            steps: Mutex::default(),
            begun: Instant::now(),
        }
    }

    /// What the context window holds now, if that is known.
    #[must_use]
    pub fn into_context(self) -> Option<Vec<Message>> {
        let settled = !self.unsettled.into_inner();
        settled.then(|| self.context.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// What a step used of the model, if it asked it and was answered.
    fn spent(&self, step: &StepEnd, answer: &[Message]) -> Option<UsageEntry> {
        let known = step.usage.prompt_tokens > 0 || step.usage.completion_tokens > 0;
        let usage = match (known, step.status) {
            (true, _) => step.usage,
            (false, StepStatus::Success) => {
                usage::estimated(&self.context.lock().unwrap_or_else(PoisonError::into_inner), answer)
            }
            (false, StepStatus::Pending | StepStatus::Failed | StepStatus::Cancelled) => return None,
        };
        let thread = &self.live.thread;
        let spender = Spender {
            kind: UsageKind::Chat,
            step_id: Some(step.id.clone()),
            run_id: Some(self.live.id.clone()),
            agent_id: Some(thread.agent_id.clone()),
            conversation_id: thread.conversation_id.clone(),
        };
        Some(usage::entry(&self.app, &self.facts.model.handle, &usage, !known, spender))
    }
}

fn failed(what: &str, error: &StoreError) -> PortError {
    tracing::error!(error = %error, "{what} failed");
    PortError { cause: format!("{what} failed: {error}"), remedy: remedy(error).map(str::to_owned) }
}

impl Ports for RunPorts {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn new_message_id(&self) -> MessageId {
        MessageId::new()
    }

    fn new_step_id(&self) -> StepId {
        StepId::new()
    }

    fn monotonic_ns(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }

    fn cancelled(&self) -> impl Future<Output = ()> + Send {
        self.live.cancelled.cancelled()
    }

    fn chat(&self, request: ChatRequest) -> BoxStream<'static, Result<ChatEvent, ChatError>> {
        let (app, agent_id) = (self.app.clone(), self.live.thread.agent_id.clone());
        let events = async move {
            match usage::budget::check(&app, &agent_id).await {
                Ok(()) => app.models().chat(request),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(events).flatten().boxed()
    }

    async fn begin_step(&self, start: &StepStart) -> Result<(), PortError> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).insert(start.id.clone(), start.started_at);
        let row = step_row(start, &self.live, &self.facts);
        let at = start.started_at;
        self.app
            .store()
            .write(move |tx| step::insert(tx, &row, at))
            .await
            .map_err(|error| failed("recording a step", &error))
    }

    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        let now = Timestamp::now();
        let Commit { messages, failed_messages, step } = commit;
        let mut trace = None;
        let spent = step.as_ref().and_then(|step| self.spent(step, &messages));
        let end = step.map(|mut step| {
            let begun = self.steps.lock().unwrap_or_else(PoisonError::into_inner).remove(&step.id);
            let bodies = step.trace.take();
            let (id, end) = (step.id.clone(), step_end(step, bodies.as_ref(), begun, now));
            trace = bodies.map(|bodies| (id.clone(), bodies));
            (id, end)
        });
        let thread = self.live.thread.clone();
        let mut kept = messages.clone();
        self.app
            .store()
            .write(move |tx| {
                context::push(tx, &thread, &messages)?;
                for message in &failed_messages {
                    message::insert(tx, message)?;
                }
                if let Some((id, end)) = &end {
                    step::finish(tx, id, end)?;
                }
                if let Some(spent) = &spent {
                    usage_table::insert(tx, spent)?;
                }
                Ok(())
            })
            .await
            .map_err(|error| failed("writing a step", &error))?;
        kept.retain(|message| !message.is_err);
        self.context.lock().unwrap_or_else(PoisonError::into_inner).append(&mut kept);
        if let Some((step_id, trace)) = trace {
            let keep = keep_trace(self.app.clone(), self.live.thread.clone(), step_id, trace, now);
            self.app.runs().spawn(keep);
        }
        Ok(())
    }

    async fn run_tool(&self, call: ToolInvocation) -> ToolOutcome {
        let tool = self.facts.tools.get(&call.name);
        if call.name == code_with_tools::NAME
            && tool.is_some_and(|tool| tool.tool_type == ToolType::LettaBuiltin)
        {
            let context = self.context.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return code_with_tools::run(&self.app, &self.live, &self.facts, call, &context).await.outcome;
        }
        tool_call::run(&self.app, &self.live, &self.facts, call).await.outcome
    }

    async fn compact(&self, request: CompactRequest) -> Result<Compacted, PortError> {
        let settings = match self.facts.compaction(None) {
            Ok(settings) => settings,
            Err(failure) => return Ok(Compacted::Kept(failure.0.message)),
        };
        self.live.tell_event(TurnEvent::Compacting {
            id: MessageId::new(),
            at: Timestamp::now(),
            trigger: request.trigger,
            context_tokens: request.context_token_estimate,
            context_window: request.context_window,
        });
        // Cancelling drops this future, but not a write that is under way.
        self.unsettled.store(true, Ordering::SeqCst);
        let done = compact(Job {
            app: &self.app,
            thread: &self.live.thread,
            settings: &settings,
            own: &request.own,
            context: &request.context,
            trigger: request.trigger,
            tokens: request.context_token_estimate,
            context_window: request.context_window,
            timezone: &self.facts.agent.timezone,
            run_id: Some(&self.live.id),
        })
        .await;
        let outcome = match done {
            Ok(Compaction { row, context, .. }) => {
                *self.context.lock().unwrap_or_else(PoisonError::into_inner) = context.clone();
                self.live.tell_event(TurnEvent::Message { message: row, streamed: false });
                Ok(Compacted::Context(context))
            }
            Err(NotCompacted::Store(error)) => Err(failed("writing a summary", &error)),
            Err(why) => Ok(Compacted::Kept(why.to_string())),
        };
        self.unsettled.store(false, Ordering::SeqCst);
        outcome
    }

    fn emit(&self, event: TurnEvent) {
        self.live.tell_event(event);
    }
}

fn step_row(start: &StepStart, live: &LiveRun, facts: &Facts) -> Step {
    Step {
        id: start.id.clone(),
        origin: None,
        provider_id: None,
        run_id: Some(live.id.clone()),
        agent_id: Some(live.thread.agent_id.clone()),
        provider_name: Some(facts.model.provider_name.clone()),
        provider_category: Some(facts.model.category.to_string()),
        model: Some(facts.model.model.clone()),
        model_handle: Some(start.model.clone()),
        model_endpoint: facts.model.endpoint.clone(),
        context_window_limit: Some(i64::from(start.context_window)),
        completion_tokens: None,
        prompt_tokens: None,
        total_tokens: None,
        cached_input_tokens: None,
        cache_write_tokens: None,
        reasoning_tokens: None,
        completion_tokens_details: None,
        prompt_tokens_details: None,
        stop_reason: None,
        tags: Vec::new(),
        tid: None,
        trace_id: None,
        request_id: None,
        messages: Vec::new(),
        feedback: None,
        project_id: None,
        error_type: None,
        error_data: None,
        status: Some(StepStatus::Pending),
    }
}

fn step_end(
    end: StepEnd,
    bodies: Option<&ChatTrace>,
    begun: Option<Timestamp>,
    now: Timestamp,
) -> step::StepEnd {
    let start_ns = begun.map(|at| at.0.saturating_mul(1_000));
    let said_usage = end.usage.total_tokens > 0 || end.status == StepStatus::Success;
    step::StepEnd {
        status: end.status,
        stop_reason: end.stop_reason,
        usage: said_usage.then_some(end.usage),
        error_type: end.error.as_ref().map(|error| error.error_type.clone()),
        error_data: end.error.as_ref().map(error_data),
        request_id: bodies.and_then(|bodies| bodies.request_id.clone()),
        model_endpoint: bodies.and_then(|bodies| bodies.endpoint.clone()),
        attempts: bodies.map(|bodies| bodies.attempts.clone()).unwrap_or_default(),
        timing: StepTiming {
            step_start_ns: start_ns,
            llm_request_start_ns: start_ns,
            llm_request_ns: Some(end.llm_request_ns),
            ttft_ns: end.ttft_ns,
            tool_execution_ns: Some(end.tool_execution_ns),
            step_ns: Some(end.step_ns),
        },
        completed_at: now,
    }
}

fn error_data(error: &TurnError) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("message".to_owned(), json!(error.message));
    data.insert("details".to_owned(), json!(error.detail));
    data
}
