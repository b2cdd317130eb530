//! The ways a turn ends without having done its work, and what is kept then.

use loci_api::{
    chat::{ChatError, ChatErrorKind, Usage},
    message::Message,
    resource::{StepStatus, StopReason},
};

use super::{
    Effect, Input, Stamp, State,
    answer::Answer,
    compacting::{Compacting, Next},
    core::Core,
    sampling::Sampling,
};
use crate::ports::{Commit, PortError, TurnError, TurnEvent, TurnOutcome};

/// What clients show for errors nobody foresaw.
/// The type of an error that ends with the data: a full disk, one that may only be read.
pub const STORAGE: &str = "storage_error";
const UNKNOWN: &str = "An unknown error occurred with the LLM streaming request.";

const SYSTEM_PROMPT_OVERFLOW: &str = "context_window_overflow_in_system_prompt";
const SYSTEM_PROMPT_TOO_LONG: &str = "The system prompt alone is longer than the model's context window. Shorten the \
agent's memory blocks or its system prompt, or use a model with a larger window.";

fn failed(stop_reason: StopReason, error: TurnError) -> State {
    State::Done(TurnOutcome { stop_reason, error: Some(error) })
}

fn internal(message: &str, detail: Option<&str>) -> TurnError {
    TurnError {
        error_type: "internal_error".to_owned(),
        message: message.to_owned(),
        detail: detail.map(str::to_owned),
        chat: None,
    }
}

/// The model's call failed; the step is marked so and what had come in is kept beside the conversation.
pub(super) fn model_failed(
    sampling: Sampling,
    partial: Answer,
    error: ChatError,
    stamp: Stamp,
) -> (State, Vec<Effect>) {
    let (stop, error) = judged(&sampling.core, error);
    end(sampling, partial, StepStatus::Failed, stop, Some(error), &stamp)
}

/// The run was cancelled while the model spoke.
pub(super) fn cancelled_while_sampling(
    sampling: Sampling,
    partial: Answer,
    stamp: Stamp,
) -> (State, Vec<Effect>) {
    end(sampling, partial, StepStatus::Cancelled, StopReason::Cancelled, None, &stamp)
}

/// The provider's filter let nothing through.
pub(super) fn withheld(sampling: Sampling, answer: Answer, stamp: &Stamp) -> (State, Vec<Effect>) {
    let error = TurnError {
        error_type: ChatErrorKind::LlmEmptyResponse.error_type().to_owned(),
        message:
            "The provider's content filter withheld the model's answer. Rephrase the message or use another \
                  model."
                .to_owned(),
        detail: None,
        chat: None,
    };
    end(sampling, answer, StepStatus::Failed, StopReason::InvalidLlmResponse, Some(error), stamp)
}

fn end(
    sampling: Sampling,
    mut partial: Answer,
    status: StepStatus,
    stop: StopReason,
    error: Option<TurnError>,
    stamp: &Stamp,
) -> (State, Vec<Effect>) {
    let mut effects = Vec::new();
    let mut step = sampling.open_step(&mut partial);
    // The error's own trace is the fuller one.
    let chat = error.as_ref().and_then(|error| error.chat.as_ref());
    if let Some(trace) = chat.and_then(|chat| chat.trace.as_deref()) {
        step.trace = Some(trace.clone());
    }
    let mut failed_messages = Vec::new();
    if !partial.content.is_empty() || !partial.calls.is_empty() {
        let row = sampling.assistant(&partial, stamp);
        failed_messages.push(Message { tool_calls: partial.calls.clone(), is_err: true, ..row });
    }
    // Tokens of a failed step were spent too.
    if partial.usage != Usage::default() {
        effects.push(Effect::Emit(Box::new(TurnEvent::StepUsage(partial.usage))));
    }
    let step = Some(step.end(status, Some(stop), error.clone(), stamp.monotonic_ns));
    effects.push(Effect::Commit(Box::new(Commit { failed_messages, step, ..Commit::default() })));
    (State::Done(TurnOutcome { stop_reason: stop, error }), effects)
}

/// The stop reason and the words for a model's error.
fn judged(core: &Core, error: ChatError) -> (StopReason, TurnError) {
    let mut error_type = error.kind.error_type();
    let mut message = error.message.clone();
    let stop = match error.kind {
        ChatErrorKind::LlmEmptyResponse => StopReason::InvalidLlmResponse,
        ChatErrorKind::LlmInsufficientCredits | ChatErrorKind::BudgetExceeded => {
            StopReason::InsufficientCredits
        }
        ChatErrorKind::ContextWindowExceeded if system_prompt_alone_is_too_long(core) => {
            error_type = SYSTEM_PROMPT_OVERFLOW;
            message = SYSTEM_PROMPT_TOO_LONG.to_owned();
            StopReason::ContextWindowOverflowInSystemPrompt
        }
        ChatErrorKind::LlmTimeout
        | ChatErrorKind::LlmRateLimit
        | ChatErrorKind::LlmAuthentication
        | ChatErrorKind::LlmPermissionDenied
        | ChatErrorKind::LlmNotFound
        | ChatErrorKind::LlmBadRequest
        | ChatErrorKind::LlmUnprocessableEntity
        | ChatErrorKind::LlmOverloaded
        | ChatErrorKind::LlmServerError
        | ChatErrorKind::LlmConnection
        | ChatErrorKind::ContextWindowExceeded
        | ChatErrorKind::StreamIncomplete
        | ChatErrorKind::UnknownModel
        | ChatErrorKind::LlmError => StopReason::LlmApiError,
    };
    let detail = error.detail.clone();
    (stop, TurnError { error_type: error_type.to_owned(), message, detail, chat: Some(error) })
}

/// Estimated at four characters to a token.
pub(super) fn system_prompt_alone_is_too_long(core: &Core) -> bool {
    let system = core.turn.override_system.clone().or_else(|| core.turn.context.first().map(Message::text));
    let tokens = system.map_or(0, |text| text.chars().count() / 4);
    tokens >= usize::try_from(core.turn.context_window).unwrap_or(usize::MAX)
}

/// No compaction helps against a system prompt that fills the window by itself.
pub(super) fn system_prompt_too_long() -> State {
    let error = TurnError {
        error_type: SYSTEM_PROMPT_OVERFLOW.to_owned(),
        message: SYSTEM_PROMPT_TOO_LONG.to_owned(),
        detail: None,
        chat: None,
    };
    failed(StopReason::ContextWindowOverflowInSystemPrompt, error)
}

/// Writing failed: the turn stops and nothing is pretended.
pub(super) fn write_failed(state: State, error: &PortError) -> State {
    tracing::error!(%error, at = name(&state), "the turn could not be written");
    if let State::Compacting(Compacting { next: Next::End(outcome) }) = state {
        // The turn itself is over and written.
        return State::Done(outcome);
    }
    let told = match &error.remedy {
        Some(sentence) => {
            TurnError { error_type: STORAGE.to_owned(), message: sentence.clone(), detail: None, chat: None }
        }
        None => internal(UNKNOWN, Some("The turn could not be written to the database.")),
    };
    failed(StopReason::Error, told)
}

/// The rules ask for a first tool the agent does not have.
pub(super) fn no_tool_to_begin_with(core: &Core) -> State {
    let wanted: Vec<&str> = core
        .turn
        .rules
        .iter()
        .filter(|rule| matches!(rule.kind, loci_api::rules::ToolRuleKind::RunFirst { .. }))
        .map(|rule| rule.tool_name.as_str())
        .collect();
    let message = format!(
        "The tool rules ask to call {} first, but no such tool may be called. Attach it or remove the rule.",
        wanted.join(" or ")
    );
    failed(StopReason::Error, internal(&message, None))
}

pub(super) fn invalid_tool_call(message: String) -> TurnError {
    internal(&message, None)
}

/// The driver gave an input the state does not wait for; a fault of this program.
pub(super) fn out_of_order(state: &State, input: &Input) -> State {
    tracing::error!(at = name(state), ?input, "input out of order");
    failed(StopReason::Error, internal(UNKNOWN, Some("The turn got into a state it cannot be in.")))
}

fn name(state: &State) -> &'static str {
    match state {
        State::Sampling(_) => "sampling",
        State::RunningTools(_) => "running_tools",
        State::Compacting(_) => "compacting",
        State::Done(_) => "done",
    }
}
