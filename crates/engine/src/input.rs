//! What a client may send now: ordinary messages, or the answers the conversation waits for.
//!
//! Pure: the context goes in, the rows to persist come out. Begin with [`accept`].

use std::collections::BTreeSet;

use loci_api::{
    ids::{AgentId, ConversationId, MessageId, RunId},
    message::{Approval, ContentPart, Message, ReturnContent, Role, ToolReturn},
    request::{InputMessage, SingleApproval},
    time::Timestamp,
};

use crate::{pending, returns};

/// Where the rows go, and what bounds them.
#[derive(Debug, Clone)]
pub struct InputScope {
    pub agent_id: AgentId,
    pub conversation_id: Option<ConversationId>,
    pub run_id: RunId,
    pub now: Timestamp,
    /// IANA name.
    pub timezone: String,
    /// Tokens; it bounds what a client may return.
    pub context_window: u32,
}

/// What to do with a request that was accepted.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// To be appended to the history and the context before anything else, in this order.
    pub messages: Vec<Message>,
    /// For [`crate::ports::Turn::follow_ups`]; not yet persisted. The turn persists them after the tools ran.
    pub follow_ups: Vec<Message>,
    pub kind: AcceptedKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptedKind {
    /// Ordinary messages.
    Messages,
    /// The answer to the pending request.
    Approval,
    /// The same answer as before: the turn just goes on.
    AlreadyAnswered,
}

/// Why a request is refused. `Display` is the API's text; clients match it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 409.
    #[error(
        "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. Please approve or \
         deny the pending request before continuing."
    )]
    PendingApproval { request_id: MessageId },
    /// 400, as the next two.
    #[error(
        "Invalid tool call IDs. Expected '{}', but received '{}'.",
        returns::list(expected.iter().map(String::as_str)),
        returns::list(received.iter().map(String::as_str))
    )]
    InvalidToolCallIds { expected: Vec<String>, received: Vec<String> },
    #[error("Invalid approval response. Approval response message does not contain any approvals.")]
    NoApprovals,
    #[error(
        "Cannot process approval response: No tool call is currently awaiting approval. Please send a regular \
         message to interact with the agent."
    )]
    NothingPending,
}

/// Stands in for a message when an answer is repeated that was already worked off.
const KEEP_ALIVE: &str = "<system-alert>Automated keep-alive ping. Ignore this message and continue from where you stopped.</system-alert>";

/// Begins messages of role user that Loci wrote.
pub(crate) const ALERT: &str = "<system-alert>";

/// How many messages back an answer that was already worked off is recognised.
const LOOK_BACK: usize = 10;

/// Checks a request against the context it is meant for and makes the rows to persist.
///
/// `context` is what is in the context window, message 0 being the system prompt. `newest_tool_message` is the
/// agent's newest tool message in the whole history; it is only looked at when the context was just compacted.
/// `new_id` makes message ids.
///
/// Calls a crash left without a return get one first, so that the history stays well-formed.
///
/// # Errors
/// [`Refusal`]; nothing is to be persisted then.
pub fn accept(
    items: &[InputMessage],
    context: &[Message],
    newest_tool_message: Option<&Message>,
    scope: &InputScope,
    mut new_id: impl FnMut() -> MessageId,
) -> Result<Accepted, Refusal> {
    let repair = pending::lost_returns(context, scope, &mut new_id);
    let mut rows = Rows { scope, new_id: &mut new_id };
    let request = context.last().filter(|message| message.is_approval_request());
    let mut messages: Vec<Message> = repair.into_iter().collect();

    let Some(InputMessage::Approval { approvals, single, group_id, otid }) = items.first() else {
        if let Some(request) = request {
            return Err(Refusal::PendingApproval { request_id: request.id.clone() });
        }
        if items.iter().any(|item| matches!(item, InputMessage::Approval { .. })) {
            return Err(Refusal::NothingPending);
        }
        messages.extend(items.iter().filter_map(|item| rows.ordinary(item)));
        return Ok(Accepted { messages, follow_ups: Vec::new(), kind: AcceptedKind::Messages });
    };

    let ordinary: Vec<Message> = items[1..].iter().filter_map(|item| rows.ordinary(item)).collect();
    if ordinary.len() + 1 < items.len() {
        tracing::warn!("further answers in one request are ignored; all belong into the first");
    }
    if let Some(request) = request {
        let answers = complete(request, approvals, single.as_ref())?;
        let answers = answers.into_iter().map(|answer| rows.bounded(answer)).collect();
        let mut row = rows.row(Role::Approval, otid, group_id.clone());
        row.approvals = answers;
        messages.push(row);
        return Ok(Accepted { messages, follow_ups: ordinary, kind: AcceptedKind::Approval });
    }
    let ids: BTreeSet<&str> = approvals.iter().map(Approval::tool_call_id).collect();
    if ids.is_empty() && single.is_none() {
        return Err(Refusal::NoApprovals);
    }
    let answered = match single {
        Some(single) if ids.is_empty() => was_answered_single(single, context, messages.first()),
        _ => was_answered(&ids, context, messages.first(), newest_tool_message),
    };
    if !answered {
        return Err(Refusal::NothingPending);
    }
    if ordinary.is_empty() {
        let mut row = rows.row(Role::User, otid, group_id.clone());
        row.content = vec![ContentPart::text(KEEP_ALIVE)];
        messages.push(row);
    } else {
        messages.extend(ordinary);
    }
    Ok(Accepted { messages, follow_ups: Vec::new(), kind: AcceptedKind::AlreadyAnswered })
}

/// The answers, one for each call of the request.
fn complete(
    request: &Message,
    approvals: &[Approval],
    single: Option<&SingleApproval>,
) -> Result<Vec<Approval>, Refusal> {
    let expected: Vec<String> = request.tool_calls.iter().map(|call| call.id.clone()).collect();
    if approvals.is_empty() {
        let Some(single) = single else { return Err(Refusal::NoApprovals) };
        return match (request.tool_calls.as_slice(), &single.approval_request_id) {
            ([call], given)
                if given.as_deref().is_none_or(|id| id == request.id.as_str() || id == call.id) =>
            {
                Ok(vec![Approval::Approval {
                    tool_call_id: call.id.clone(),
                    approve: single.approve,
                    reason: single.reason.clone(),
                }])
            }
            (_, given) => {
                Err(Refusal::InvalidToolCallIds { expected, received: given.iter().cloned().collect() })
            }
        };
    }
    let received: Vec<String> = approvals.iter().map(|answer| answer.tool_call_id().to_owned()).collect();
    let sorted = |ids: &[String]| {
        let mut ids = ids.to_vec();
        ids.sort();
        ids
    };
    // Sorted lists and not sets: two answers to one call are not a decision.
    if sorted(&expected) != sorted(&received) {
        return Err(Refusal::InvalidToolCallIds { expected, received });
    }
    Ok(approvals.to_vec())
}

fn return_ids(message: &Message) -> BTreeSet<&str> {
    message.tool_returns.iter().map(|result| result.tool_call_id.as_str()).collect()
}

/// Whether a tool message already carries returns for these gated calls. Returns of ungated calls that waited
/// with them may stand beside.
fn was_answered(
    ids: &BTreeSet<&str>,
    context: &[Message],
    repaired: Option<&Message>,
    newest_tool_message: Option<&Message>,
) -> bool {
    let gated = |message: &&Message| {
        let have = return_ids(message);
        !have.is_empty() && (have == *ids || (ids.is_subset(&have) && requested_with(context, message, ids)))
    };
    let recent = context.iter().rev().take(LOOK_BACK).chain(repaired);
    if recent.filter(|message| message.role == Role::Tool).any(|message| gated(&message)) {
        return true;
    }
    let compacted = context.iter().all(|message| matches!(message.role, Role::System | Role::Summary));
    compacted && newest_tool_message.is_some_and(|message| return_ids(message) == *ids)
}

/// Whether the step of this tool message had asked for approval of exactly these calls.
fn requested_with(context: &[Message], tool: &Message, ids: &BTreeSet<&str>) -> bool {
    context.iter().any(|message| {
        message.is_approval_request()
            && message.step_id == tool.step_id
            && message.tool_calls.iter().map(|call| call.id.as_str()).collect::<BTreeSet<_>>() == *ids
    })
}

fn was_answered_single(single: &SingleApproval, context: &[Message], repaired: Option<&Message>) -> bool {
    let Some(given) = single.approval_request_id.as_deref() else { return false };
    let recent = || context.iter().rev().take(LOOK_BACK);
    recent().any(|request| {
        let [call] = request.tool_calls.as_slice() else { return false };
        request.is_approval_request()
            && (request.id.as_str() == given || call.id == given)
            && recent()
                .chain(repaired)
                .any(|message| message.role == Role::Tool && return_ids(message).contains(call.id.as_str()))
    })
}

/// Makes rows of one request.
struct Rows<'a> {
    scope: &'a InputScope,
    new_id: &'a mut dyn FnMut() -> MessageId,
}

impl Rows<'_> {
    fn row(&mut self, role: Role, otid: &str, group_id: Option<String>) -> Message {
        let mut row = pending::row((self.new_id)(), role, self.scope);
        row.otid = Some(otid.to_owned());
        row.group_id = group_id;
        row
    }

    fn ordinary(&mut self, item: &InputMessage) -> Option<Message> {
        let InputMessage::Message { role, content, name, sender_id, group_id, otid } = item else {
            return None;
        };
        let mut row = self.row(*role, otid, group_id.clone());
        row.content.clone_from(content);
        row.name.clone_from(name);
        row.sender_id.clone_from(sender_id);
        Some(row)
    }

    /// A client's return, cut to what the model may be shown of one return and dated.
    fn bounded(&self, answer: Approval) -> Approval {
        match answer {
            Approval::Approval { .. } => answer,
            Approval::Tool(result) => {
                let time = self.scope.now.for_model(&self.scope.timezone);
                let result = ToolReturn { content: unwrapped(result.content), time, ..result };
                Approval::Tool(
                    returns::clipped(&result, returns::request_cap(self.scope.context_window)).into_owned(),
                )
            }
        }
    }
}

/// Clients may send a return that is empty; the model must still see that something came back.
fn unwrapped(content: ReturnContent) -> ReturnContent {
    match content {
        ReturnContent::Value(serde_json::Value::Null) => {
            ReturnContent::Value(serde_json::Value::String("None".into()))
        }
        other => other,
    }
}

#[cfg(test)]
mod tests;
