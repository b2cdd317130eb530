//! Collects a model's stream into an answer and tells, piece by piece, what a watcher may be shown already.
//!
//! Pieces go out under the ids and positions under which they will be stored. Gated calls are the difficulty: an
//! answer of gated calls alone is stored as one approval request under the answer's id, but beside other calls
//! the gated ones are a row of their own under the preceding id, and a gated call that cannot be read or may not be
//! made is an ordinary one that failed. So gated calls are held back until the answer is complete; the turn, which
//! judges them, tells of them then.

use std::collections::BTreeSet;

use loci_api::{
    chat::{Attempt, ChatError, ChatErrorKind, ChatEvent, ChatTrace, FinishReason, Usage},
    ids::MessageId,
    message::{ContentPart, ToolCall},
};

use serde_json::{Map, Value};

use crate::{
    arguments::{self, BadArguments},
    ports::Delta,
};

/// What a model said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Reasoning and text in the order in which they came.
    pub content: Vec<ContentPart>,
    pub calls: Vec<ToolCall>,
    /// The position of the calls among the API messages, fixed by the first call.
    pub call_index: Option<u8>,
    /// `None` if the stream ended before the model did.
    pub finish: Option<FinishReason>,
    pub usage: Usage,
    pub trace: Option<ChatTrace>,
    /// Nanoseconds from the request to the first event, and to the end.
    pub ttft_ns: Option<i64>,
    pub took_ns: i64,
}

impl Answer {
    /// The arguments of one of its calls. A call the output limit cut off before its arguments began is not a call
    /// without arguments.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn arguments(&self, call: &ToolCall) -> Result<Map<String, Value>, BadArguments> {
        let is_last = self.calls.last().is_some_and(|last| last.id == call.id);
        if self.finish == Some(FinishReason::Length) && is_last && call.arguments.trim().is_empty() {
            return Err(BadArguments::missing());
        }
        arguments::parse(&call.arguments)
    }
}

/// One piece for watchers.
#[derive(Debug, Clone)]
pub struct Piece {
    pub message_id: MessageId,
    pub index: u8,
    pub delta: Delta,
}

/// Takes a stream in.
#[derive(Debug, Clone)]
pub struct Collector {
    /// The id the answer will be stored under.
    message_id: MessageId,
    parallel: bool,
    gated: BTreeSet<String>,
    answer: Answer,
    /// For each of the provider's call positions, ours; `None` for a call that is left out.
    positions: Vec<(usize, Option<usize>)>,
    /// Attempts that failed, for the case that no trace comes to tell of them.
    attempts: Vec<Attempt>,
}

impl Collector {
    /// `gated` are the tools whose calls wait for someone. Without `parallel` only the first call counts.
    #[must_use]
    pub fn new(message_id: MessageId, parallel: bool, gated: BTreeSet<String>) -> Self {
        Self {
            message_id,
            parallel,
            gated,
            answer: Answer::default(),
            positions: Vec::new(),
            attempts: Vec::new(),
        }
    }

    /// Takes one event; gives what watchers may see of it.
    pub fn push(&mut self, event: ChatEvent) -> Option<Piece> {
        match event {
            ChatEvent::Retrying(attempt) => {
                self.attempts.push(attempt);
                None
            }
            ChatEvent::Reasoning(text) => {
                let index = match self.answer.content.last_mut() {
                    Some(ContentPart::Reasoning { reasoning, signature: None }) => {
                        reasoning.push_str(&text);
                        self.last_index()
                    }
                    _ if text.is_empty() => return None,
                    _ => self.add(ContentPart::Reasoning { reasoning: text.clone(), signature: None }),
                };
                Some(self.piece(index, Delta::Reasoning { text, signature: None }))
            }
            ChatEvent::ReasoningSignature(proof) => {
                let index = match self.answer.content.last_mut() {
                    Some(ContentPart::Reasoning { signature: signature @ None, .. }) => {
                        *signature = Some(proof.clone());
                        self.last_index()
                    }
                    // The proof of a thought that is not shown; two such do not become one.
                    _ => self.add(ContentPart::Reasoning {
                        reasoning: String::new(),
                        signature: Some(proof.clone()),
                    }),
                };
                Some(self.piece(index, Delta::Reasoning { text: String::new(), signature: Some(proof) }))
            }
            ChatEvent::RedactedReasoning(data) => {
                let index = self.add(ContentPart::RedactedReasoning { data: data.clone() });
                Some(self.piece(index, Delta::RedactedReasoning { data }))
            }
            ChatEvent::Text(text) if text.is_empty() => None,
            ChatEvent::Text(text) => {
                let index = self.add_text(&text);
                Some(self.piece(index, Delta::Text(text)))
            }
            ChatEvent::TextSignature(proof) => {
                let parts = self.answer.content.iter_mut().rev();
                let text = parts.filter_map(|part| match part {
                    ContentPart::Text { signature, .. } => Some(signature),
                    ContentPart::Image { .. }
                    | ContentPart::Reasoning { .. }
                    | ContentPart::RedactedReasoning { .. } => None,
                });
                // Nothing to show, and without a text nothing to prove.
                if let Some(signature) = text.into_iter().next() {
                    *signature = Some(proof);
                }
                None
            }
            ChatEvent::ToolCallStarted { index, id, name } => self.start_call(index, id, name),
            ChatEvent::ToolCallArguments { index, delta } => self.extend_call(index, delta),
            ChatEvent::Usage(usage) => {
                self.answer.usage = usage;
                None
            }
            ChatEvent::Finish(reason) => {
                self.answer.finish = Some(reason);
                None
            }
            ChatEvent::Trace(trace) => {
                self.answer.trace = Some(trace);
                None
            }
        }
    }

    /// What has come in until now.
    #[must_use]
    pub fn answer(mut self) -> Answer {
        if self.answer.trace.is_none() && !self.attempts.is_empty() {
            self.answer.trace = Some(ChatTrace { attempts: self.attempts, ..ChatTrace::default() });
        }
        self.answer
    }

    fn start_call(&mut self, at: usize, id: String, name: String) -> Option<Piece> {
        if !self.parallel && !self.answer.calls.is_empty() {
            self.positions.push((at, None));
            return None;
        }
        let id = self.unused(id);
        self.positions.push((at, Some(self.answer.calls.len())));
        let first = position(self.answer.content.len());
        let index = *self.answer.call_index.get_or_insert(first);
        self.answer.calls.push(ToolCall { id: id.clone(), name: name.clone(), arguments: String::new() });
        if self.gated.contains(&name) {
            return None;
        }
        let delta = Delta::ToolCall { tool_call_id: id, name: Some(name), arguments: None, gated: false };
        Some(self.piece(index, delta))
    }

    fn extend_call(&mut self, at: usize, more: String) -> Option<Piece> {
        let ours = self.positions.iter().rev().find(|(theirs, _)| *theirs == at)?.1?;
        let call = self.answer.calls.get_mut(ours)?;
        call.arguments.push_str(&more);
        if self.gated.contains(&call.name) {
            return None;
        }
        let tool_call_id = call.id.clone();
        let delta = Delta::ToolCall { tool_call_id, name: None, arguments: Some(more), gated: false };
        Some(self.piece(self.answer.call_index.unwrap_or(0), delta))
    }

    /// Some servers give every call the same id, or none.
    fn unused(&self, id: String) -> String {
        let taken = |id: &str| id.is_empty() || self.answer.calls.iter().any(|call| call.id == id);
        if !taken(&id) {
            return id;
        }
        let base = if id.is_empty() { "call" } else { id.as_str() };
        let mut number = self.answer.calls.len() + 1;
        while taken(&format!("{base}-{number}")) {
            number += 1;
        }
        format!("{base}-{number}")
    }

    /// Text after the calls began joins the text before them: the calls' position is already given away.
    fn add_text(&mut self, text: &str) -> u8 {
        let late = self.answer.call_index.is_some();
        let last = self.answer.content.len().saturating_sub(1);
        let mut parts = self.answer.content.iter_mut().enumerate().rev();
        let found =
            parts.find(|(at, part)| (late || *at == last) && matches!(part, ContentPart::Text { .. }));
        match found {
            Some((at, ContentPart::Text { text: known, signature: None })) => {
                known.push_str(text);
                position(at)
            }
            _ => self.add(ContentPart::text(text)),
        }
    }

    fn add(&mut self, part: ContentPart) -> u8 {
        self.answer.content.push(part);
        self.last_index()
    }

    fn last_index(&self) -> u8 {
        position(self.answer.content.len().saturating_sub(1))
    }

    fn piece(&self, index: u8, delta: Delta) -> Piece {
        Piece { message_id: self.message_id.clone(), index, delta }
    }
}

/// Positions past the seven bits an otid has for them share the last one.
fn position(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(0x7f).min(0x7f)
}

/// The error of a stream that ended without saying so.
#[must_use]
pub fn incomplete() -> ChatError {
    ChatError {
        kind: ChatErrorKind::StreamIncomplete,
        message: "The model's answer broke off before it was complete. What had arrived is kept but not used; send \
                  the message again."
            .to_owned(),
        detail: None,
        status: None,
        retry_after_ms: None,
        trace: None,
    }
}
