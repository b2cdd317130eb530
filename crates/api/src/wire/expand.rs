//! One stored message expanded into the API's messages.

use serde_json::Value;

use super::{
    ApprovalRequestMessage, ApprovalResponseMessage, ApprovalView, AssistantMessage, Decision, EventMessage,
    HiddenReasoningMessage, LettaMessage, MessageBase, ReasoningMessage, SummaryMessage, SystemMessage,
    TextOrParts, ToolCallMessage, ToolReturnMessage, ToolReturnView, UserMessage, View,
};
use crate::{
    ids::{MessageId, RunId, StepId},
    message::{Approval, ContentPart, Message, ReturnContent, Role, ToolReturn, ToolStatus},
    summary::{self, Summary},
    time::Timestamp,
};

/// What a client sees of `message`, in order. Positions count before filtering, so an otid never depends on
/// what was asked for.
#[must_use]
pub fn expand(message: &Message, view: &View) -> Vec<LettaMessage> {
    let mut all = match message.role {
        Role::System => {
            vec![LettaMessage::SystemMessage(SystemMessage {
                base: base(message, 0),
                content: message.text(),
            })]
        }
        Role::User => vec![user(message)],
        Role::Assistant => spoken(message),
        Role::Tool => vec![returns(message)],
        Role::Approval if message.is_approval_request() => spoken(message),
        Role::Approval => vec![response(message)],
        Role::Summary if view.names_summaries() => {
            let Summary { text, stats } = summary::unpack(&message.text());
            vec![LettaMessage::SummaryMessage(SummaryMessage {
                base: base(message, 0),
                summary: text,
                compaction_stats: stats,
            })]
        }
        Role::Summary => vec![user(message)],
    };
    all.retain(|message| view.shows(message.kind()));
    all
}

/// [`expand`] for a list, in the list's order.
#[must_use]
pub fn expand_all<'a>(messages: impl IntoIterator<Item = &'a Message>, view: &View) -> Vec<LettaMessage> {
    messages.into_iter().flat_map(|message| expand(message, view)).collect()
}

fn base(message: &Message, index: u8) -> MessageBase {
    let own = if index == 0 { message.otid.clone() } else { None };
    MessageBase {
        id: message.id.clone(),
        date: message.created_at.message_date(),
        name: message.name.clone(),
        otid: Some(own.unwrap_or_else(|| message.id.otid(index))),
        sender_id: message.sender_id.clone(),
        step_id: message.step_id.clone(),
        is_err: message.is_err.then_some(true),
        seq_id: None,
        run_id: message.run_id.clone(),
    }
}

/// The keys of a message that is still being streamed; equal to those it will be listed with, but for the
/// clock, which is that of the sending.
#[must_use]
pub fn live_base(id: &MessageId, index: u8, step_id: &StepId, run_id: &RunId, at: Timestamp) -> MessageBase {
    MessageBase {
        id: id.clone(),
        date: at.message_date(),
        name: None,
        otid: Some(id.otid(index)),
        sender_id: None,
        step_id: Some(step_id.clone()),
        is_err: None,
        seq_id: None,
        run_id: Some(run_id.clone()),
    }
}

/// A compaction that begins, as watchers who asked for it are told.
#[must_use]
pub fn compaction_event(id: &MessageId, run_id: &RunId, at: Timestamp, event_data: Value) -> LettaMessage {
    LettaMessage::EventMessage(EventMessage {
        base: MessageBase {
            id: id.clone(),
            date: at.message_date(),
            name: None,
            otid: Some(id.otid(0)),
            sender_id: None,
            step_id: None,
            is_err: None,
            seq_id: None,
            run_id: Some(run_id.clone()),
        },
        event_type: "compaction".to_owned(),
        event_data,
    })
}

fn shown_parts(parts: &[ContentPart]) -> Vec<ContentPart> {
    parts
        .iter()
        .filter(|part| matches!(part, ContentPart::Text { .. } | ContentPart::Image { .. }))
        .cloned()
        .collect()
}

fn user(message: &Message) -> LettaMessage {
    let content = match message.content.as_slice() {
        [ContentPart::Text { text, .. }] => TextOrParts::Text(text.clone()),
        [] => TextOrParts::Text(String::new()),
        parts => TextOrParts::Parts(shown_parts(parts)),
    };
    LettaMessage::UserMessage(UserMessage { base: base(message, 0), content })
}

/// What a model said: reasoning, text and calls become messages of their own. Texts that stand side by side
/// are one message; an empty text is none.
fn spoken(message: &Message) -> Vec<LettaMessage> {
    let mut out: Vec<LettaMessage> = Vec::new();
    for part in &message.content {
        let next = base(message, u8::try_from(out.len()).unwrap_or(0x7f));
        match part {
            ContentPart::Text { text, .. } if text.is_empty() => {}
            ContentPart::Text { text, .. } => match out.last_mut() {
                Some(LettaMessage::AssistantMessage(AssistantMessage {
                    content: TextOrParts::Text(before),
                    ..
                })) => before.push_str(text),
                _ => out.push(LettaMessage::AssistantMessage(AssistantMessage {
                    base: next,
                    content: TextOrParts::Text(text.clone()),
                })),
            },
            ContentPart::Image { .. } => out.push(LettaMessage::AssistantMessage(AssistantMessage {
                base: next,
                content: TextOrParts::Parts(vec![part.clone()]),
            })),
            ContentPart::Reasoning { reasoning, signature } => {
                out.push(LettaMessage::ReasoningMessage(ReasoningMessage {
                    base: next,
                    source: "reasoner_model".to_owned(),
                    reasoning: reasoning.clone(),
                    signature: signature.clone(),
                }));
            }
            ContentPart::RedactedReasoning { data } => {
                out.push(LettaMessage::HiddenReasoningMessage(HiddenReasoningMessage {
                    base: next,
                    state: "redacted".to_owned(),
                    hidden_reasoning: Some(data.clone()),
                }));
            }
        }
    }
    if let Some(first) = message.tool_calls.first().cloned() {
        let mut base = base(message, u8::try_from(out.len()).unwrap_or(0x7f));
        let tool_calls = message.tool_calls.clone();
        if message.role == Role::Approval {
            // Clients find the request by this otid; it is the message's own id.
            base.otid = Some(message.id.to_string());
            out.push(LettaMessage::ApprovalRequestMessage(ApprovalRequestMessage {
                base,
                tool_call: first,
                tool_calls,
            }));
        } else {
            out.push(LettaMessage::ToolCallMessage(ToolCallMessage { base, tool_call: first, tool_calls }));
        }
    }
    out
}

impl From<&ToolReturn> for ToolReturnView {
    fn from(result: &ToolReturn) -> Self {
        let pictures = match &result.content {
            ReturnContent::Value(_) => None,
            ReturnContent::Parts(parts) => {
                parts.iter().any(|part| matches!(part, ContentPart::Image { .. })).then(|| shown_parts(parts))
            }
        };
        Self {
            kind: "tool".to_owned(),
            tool_return: pictures.map_or_else(|| TextOrParts::Text(result.text()), TextOrParts::Parts),
            status: result.status,
            tool_call_id: result.tool_call_id.clone(),
            stdout: result.stdout.clone(),
            stderr: result.stderr.clone(),
        }
    }
}

fn returns(message: &Message) -> LettaMessage {
    let first = message.tool_returns.first();
    LettaMessage::ToolReturnMessage(ToolReturnMessage {
        base: base(message, 0),
        tool_return: first.map_or_else(|| message.text(), ToolReturn::text),
        status: first.map_or(ToolStatus::Success, |result| result.status),
        tool_call_id: first.map(|result| result.tool_call_id.clone()).unwrap_or_default(),
        stdout: first.map(|result| result.stdout.clone()).unwrap_or_default(),
        stderr: first.map(|result| result.stderr.clone()).unwrap_or_default(),
        tool_returns: message.tool_returns.iter().map(ToolReturnView::from).collect(),
    })
}

fn response(message: &Message) -> LettaMessage {
    let (approve, reason) = match message.approvals.first() {
        Some(Approval::Approval { approve, reason, .. }) => (Some(*approve), reason.clone()),
        Some(Approval::Tool(_)) | None => (None, None),
    };
    LettaMessage::ApprovalResponseMessage(ApprovalResponseMessage {
        base: base(message, 0),
        approvals: message
            .approvals
            .iter()
            .map(|answer| match answer {
                Approval::Approval { tool_call_id, approve, reason } => ApprovalView::Decision(Decision {
                    kind: "approval".to_owned(),
                    tool_call_id: tool_call_id.clone(),
                    approve: *approve,
                    reason: reason.clone(),
                }),
                Approval::Tool(result) => ApprovalView::Tool(result.into()),
            })
            .collect(),
        approve,
        approval_request_id: message.approvals.first().map(|answer| answer.tool_call_id().to_owned()),
        reason,
    })
}
