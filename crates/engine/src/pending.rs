//! Calls that have no return: how they get one when a run is cancelled while it waits, or after a crash.

use loci_api::{
    ids::MessageId,
    message::{Approval, Message, Role, ToolCall, ToolReturn},
};

use crate::{input::InputScope, returns};

/// What a person's cancelling says about the calls that were waiting.
const CANCELLED_BY_USER: &str = "The user cancelled the request, so the tool call was denied.";

/// The rows that end a pending approval because its run was cancelled: a response that denies every gated call,
/// and one tool message with an error return for each waiting call, ungated ones included. Empty if nothing waits.
#[must_use]
pub fn cancel(
    context: &[Message],
    scope: &InputScope,
    mut new_id: impl FnMut() -> MessageId,
) -> Vec<Message> {
    let Some(request) = context.last().filter(|message| message.is_approval_request()) else {
        return Vec::new();
    };
    let mut response = row(new_id(), Role::Approval, scope);
    response.approvals = request
        .tool_calls
        .iter()
        .map(|call| Approval::Approval {
            tool_call_id: call.id.clone(),
            approve: false,
            reason: Some(CANCELLED_BY_USER.to_owned()),
        })
        .collect();
    let denial = returns::denial(Some(CANCELLED_BY_USER));
    let calls = request.tool_calls.iter().chain(paired_calls(context, context.len() - 1));
    let mut tool = row(new_id(), Role::Tool, scope);
    tool.step_id.clone_from(&request.step_id);
    tool.name = request.tool_calls.first().map(|call| call.name.clone());
    tool.tool_returns =
        calls.map(|call| returns::refusal(&call.id, denial.clone(), scope.now, &scope.timezone)).collect();
    vec![response, tool]
}

/// The tool message that is missing because the program ended while tools ran. Answers a client or person had
/// already given are kept; the other calls get an error return that says the outcome is not known.
#[must_use]
pub fn lost_returns(
    context: &[Message],
    scope: &InputScope,
    mut new_id: impl FnMut() -> MessageId,
) -> Option<Message> {
    let lost = |id: &str| returns::lost(id, scope.now, &scope.timezone);
    // Loci's own user messages may follow the calls; anything else ends the search.
    let last = context.iter().rposition(|message| message.role != Role::User)?;
    let (step_id, name, tool_returns): (_, _, Vec<ToolReturn>) = match &context[..=last] {
        [.., request, response]
            if request.is_approval_request()
                && response.role == Role::Approval
                && !response.is_approval_request() =>
        {
            let answered = response.approvals.iter().map(|answer| match answer {
                Approval::Tool(result) => result.clone(),
                Approval::Approval { tool_call_id, approve: false, reason } => {
                    let text = returns::denial(reason.as_deref());
                    returns::refusal(tool_call_id, text, scope.now, &scope.timezone)
                }
                Approval::Approval { tool_call_id, approve: true, .. } => lost(tool_call_id),
            });
            let waiting = paired_calls(context, last - 1).iter().map(|call| lost(&call.id));
            (request.step_id.clone(), request.tool_calls.first(), answered.chain(waiting).collect())
        }
        [.., assistant] if assistant.role == Role::Assistant && !assistant.tool_calls.is_empty() => {
            let calls = &assistant.tool_calls;
            (assistant.step_id.clone(), calls.first(), calls.iter().map(|call| lost(&call.id)).collect())
        }
        _ => return None,
    };
    if tool_returns.is_empty() {
        return None;
    }
    let name = name.map(|call| call.name.clone());
    let mut tool = row(new_id(), Role::Tool, scope);
    tool.step_id = step_id;
    tool.name = name;
    tool.tool_returns = tool_returns;
    Some(tool)
}

/// The calls that wait beside those of the approval request at `request_at`: they stand in the assistant message it
/// was split from.
pub(crate) fn paired_calls(context: &[Message], request_at: usize) -> &[ToolCall] {
    let Some(request) = context.get(request_at) else { return &[] };
    match request_at.checked_sub(1).and_then(|at| context.get(at)) {
        Some(before)
            if before.role == Role::Assistant
                && (before.id.predecessor() == request.id
                    || (before.step_id.is_some() && before.step_id == request.step_id)) =>
        {
            &before.tool_calls
        }
        _ => &[],
    }
}

/// An empty row of this request.
pub(crate) fn row(id: MessageId, role: Role, scope: &InputScope) -> Message {
    Message {
        conversation_id: scope.conversation_id.clone(),
        run_id: Some(scope.run_id.clone()),
        ..Message::new(id, scope.agent_id.clone(), role, scope.now)
    }
}
