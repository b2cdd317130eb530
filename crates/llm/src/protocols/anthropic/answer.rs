//! Anthropic's Messages: the answer.

use loci_api::chat::{ChatEvent, FinishReason, Usage};
use serde_json::{Map, Value, json};

use crate::protocols::{Decoder, Fault, start, take};

/// An answer as it comes in.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answer {
    /// The message object without content; usage is kept up to date in it.
    message: Map<String, Value>,
    blocks: Vec<Block>,
    calls: usize,
    began: bool,
    stop: Option<String>,
    closed: bool,
}

#[derive(Debug)]
struct Block {
    /// As the provider counts it.
    index: u64,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Text(String),
    Thinking {
        text: String,
        signature: String,
    },
    Redacted(String),
    Call {
        position: usize,
        id: String,
        name: String,
        input: String,
        whole: Option<Value>,
    },
    /// Something of a kind that is not known here; kept for the trace.
    Other(Value),
}

impl Decoder for Answer {
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if data.trim().is_empty() {
            return Ok(());
        }
        let mut frame: Value = serde_json::from_str(data)
            .map_err(|error| Fault::Corrupt(format!("{error} in: {}", start(data))))?;
        if !frame.is_object() {
            return Err(Fault::Corrupt(format!("an event that is no object: {}", start(data))));
        }
        let kind = frame["type"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "message_start" => {
                if let Value::Object(mut message) = take(&mut frame, "message") {
                    message.remove("content");
                    self.message = message;
                    self.began = true;
                }
            }
            "content_block_start" if !self.began => {
                return Err(Fault::Corrupt("content before the message began".to_owned()));
            }
            "content_block_start" => {
                let index = index(&frame)?;
                self.begin(index, take(&mut frame, "content_block"), events)?;
            }
            "content_block_delta" => self.delta(index(&frame)?, take(&mut frame, "delta"), events)?,
            "content_block_stop" => self.close_block(index(&frame)?, events),
            "message_delta" => {
                if let Some(reason) = frame["delta"]["stop_reason"].as_str() {
                    self.stop = Some(reason.to_owned());
                }
                if let Value::Object(usage) = take(&mut frame, "usage") {
                    self.merge_usage(usage);
                }
            }
            "message_stop" => self.closed = true,
            "error" => return Err(Fault::Said(frame)),
            // Pings, and events of a later version, which the provider asks to ignore. Servers that only follow the
            // protocol send errors without a type.
            _ if frame.get("error").is_some_and(|error| !error.is_null()) => return Err(Fault::Said(frame)),
            _ => {}
        }
        Ok(())
    }

    /// Every event of this protocol has data; one that has lost it would leave a hole.
    fn bare(&mut self, name: &str) -> Result<(), Fault> {
        if name == "ping" {
            Ok(())
        } else {
            Err(Fault::Corrupt(format!("an event without data: {}", start(name))))
        }
    }

    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let Value::Object(mut message) = body else {
            return Err(Fault::Corrupt("the answer is not a JSON object".to_owned()));
        };
        if message.get("type").is_some_and(|kind| kind == "error")
            || message.get("error").is_some_and(|error| !error.is_null())
        {
            return Err(Fault::Said(Value::Object(message)));
        }
        let Some(Value::Array(blocks)) = message.remove("content") else {
            let body = Value::Object(message).to_string();
            return Err(Fault::Corrupt(format!("no `content` in the answer: {}", start(&body))));
        };
        self.stop = message.get("stop_reason").and_then(Value::as_str).map(str::to_owned);
        self.message = message;
        for (index, block) in (0..).zip(blocks) {
            self.begin(index, block, events)?;
            self.close_block(index, events);
        }
        self.closed = true;
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.closed
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn end(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if !self.closed {
            return Err(Fault::Incomplete);
        }
        if self.stop.is_none() && self.blocks.is_empty() {
            return Err(Fault::Empty);
        }
        if let Some(usage) = self.message.get("usage").and_then(usage) {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Finish(self.finish_reason()));
        Ok(())
    }

    fn answer(&self) -> Value {
        let mut message = self.message.clone();
        message.insert("content".to_owned(), self.blocks.iter().map(|block| block.form.whole()).collect());
        message.insert("stop_reason".to_owned(), json!(self.stop));
        Value::Object(message)
    }
}

impl Answer {
    fn begin(&mut self, index: u64, mut block: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let kind = block["type"].as_str().unwrap_or_default().to_owned();
        let form = match kind.as_str() {
            "text" => {
                let text = take_text(&mut block, "text");
                if !text.is_empty() {
                    events.push(ChatEvent::Text(text.clone()));
                }
                Form::Text(text)
            }
            "thinking" => {
                let thought = take_text(&mut block, "thinking");
                if !thought.is_empty() {
                    events.push(ChatEvent::Reasoning(thought.clone()));
                }
                Form::Thinking { text: thought, signature: take_text(&mut block, "signature") }
            }
            "redacted_thinking" => {
                let data = take_text(&mut block, "data");
                events.push(ChatEvent::RedactedReasoning(data.clone()));
                Form::Redacted(data)
            }
            "tool_use" => {
                let id = match take_text(&mut block, "id") {
                    id if id.is_empty() => format!("toolu_{}", uuid::Uuid::new_v4().simple()),
                    id => id,
                };
                let name = take_text(&mut block, "name");
                if name.is_empty() {
                    return Err(Fault::Corrupt("a tool call without a name".to_owned()));
                }
                let position = self.calls;
                self.calls += 1;
                events.push(ChatEvent::ToolCallStarted {
                    index: position,
                    id: id.clone(),
                    name: name.clone(),
                });
                // A stream begins with an empty object and sends the pieces after it.
                let whole = Some(take(&mut block, "input")).filter(|input| match input {
                    Value::Object(map) => !map.is_empty(),
                    Value::Null => false,
                    _ => true,
                });
                Form::Call { position, id, name, input: String::new(), whole }
            }
            _ => Form::Other(block),
        };
        self.blocks.push(Block { index, form });
        Ok(())
    }

    fn delta(&mut self, index: u64, mut delta: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let Some(block) = self.blocks.iter_mut().rev().find(|block| block.index == index) else {
            return Err(Fault::Corrupt(format!("a piece of block {index}, which never began")));
        };
        let kind = delta["type"].as_str().unwrap_or_default().to_owned();
        let mut text = |key: &str| take_text(&mut delta, key);
        match (kind.as_str(), &mut block.form) {
            ("text_delta", Form::Text(whole)) => {
                let text = text("text");
                whole.push_str(&text);
                if !text.is_empty() {
                    events.push(ChatEvent::Text(text));
                }
            }
            ("thinking_delta", Form::Thinking { text: whole, .. }) => {
                let text = text("thinking");
                whole.push_str(&text);
                if !text.is_empty() {
                    events.push(ChatEvent::Reasoning(text));
                }
            }
            ("signature_delta", Form::Thinking { signature, .. }) => signature.push_str(&text("signature")),
            ("input_json_delta", Form::Call { position, input, .. }) => {
                let piece = text("partial_json");
                input.push_str(&piece);
                if !piece.is_empty() {
                    events.push(ChatEvent::ToolCallArguments { index: *position, delta: piece });
                }
            }
            // Citations, and what later versions add.
            _ => {}
        }
        Ok(())
    }

    fn close_block(&mut self, index: u64, events: &mut Vec<ChatEvent>) {
        let Some(block) = self.blocks.iter_mut().rev().find(|block| block.index == index) else { return };
        match &mut block.form {
            Form::Thinking { text, signature } if !signature.is_empty() => {
                if text.is_empty() {
                    // The proof of a thought that is not shown still has to have a thought to belong to.
                    events.push(ChatEvent::Reasoning(String::new()));
                }
                events.push(ChatEvent::ReasoningSignature(signature.clone()));
            }
            Form::Call { position, input, whole, .. } if input.is_empty() => {
                *input = whole.take().map_or_else(|| "{}".to_owned(), |whole| whole.to_string());
                events.push(ChatEvent::ToolCallArguments { index: *position, delta: input.clone() });
            }
            Form::Text(_)
            | Form::Thinking { .. }
            | Form::Redacted(_)
            | Form::Call { .. }
            | Form::Other(_) => {}
        }
    }

    /// Later numbers replace earlier ones; those that are missing stay.
    fn merge_usage(&mut self, new: Map<String, Value>) {
        let old = self.message.entry("usage").or_insert_with(|| json!({}));
        if !old.is_object() {
            *old = json!({});
        }
        if let Value::Object(old) = old {
            old.extend(new.into_iter().filter(|(_, value)| !value.is_null()));
        }
    }

    fn finish_reason(&self) -> FinishReason {
        let reason = match self.stop.as_deref() {
            Some("max_tokens" | "model_context_window_exceeded") => FinishReason::Length,
            Some("refusal") => FinishReason::ContentFilter,
            Some("tool_use") => FinishReason::ToolCalls,
            None | Some("end_turn" | "stop_sequence") => FinishReason::Stop,
            Some(other) => FinishReason::Other(other.to_owned()),
        };
        match reason {
            FinishReason::Stop if self.calls > 0 => FinishReason::ToolCalls,
            FinishReason::ToolCalls if self.calls == 0 => FinishReason::Stop,
            reason => reason,
        }
    }
}

impl Form {
    fn whole(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Thinking { text, signature } => {
                json!({"type": "thinking", "thinking": text, "signature": signature})
            }
            Self::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
            Self::Call { id, name, input, whole, .. } => {
                let input = match whole {
                    Some(whole) => whole.clone(),
                    None => serde_json::from_str(input).unwrap_or_else(|_| json!(input)),
                };
                json!({"type": "tool_use", "id": id, "name": name, "input": input})
            }
            Self::Other(block) => block.clone(),
        }
    }
}

fn take_text(value: &mut Value, key: &str) -> String {
    match take(value, key) {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn index(frame: &Value) -> Result<u64, Fault> {
    frame["index"].as_u64().ok_or_else(|| Fault::Corrupt("a block without an index".to_owned()))
}

/// The provider counts cached tokens beside the others; here they are part of the prompt.
fn usage(usage: &Value) -> Option<Usage> {
    let number = |key: &str| usage.get(key).and_then(Value::as_u64);
    let (input, output) = (number("input_tokens"), number("output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (read, written) = (number("cache_read_input_tokens"), number("cache_creation_input_tokens"));
    let prompt_tokens = [input, read, written].into_iter().flatten().fold(0, u64::saturating_add);
    let completion_tokens = output.unwrap_or(0);
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: prompt_tokens.saturating_add(completion_tokens),
        cached_input_tokens: read,
        cache_write_tokens: written,
        hour_cache_write_tokens: usage
            .pointer("/cache_creation/ephemeral_1h_input_tokens")
            .and_then(Value::as_u64)
            .filter(|tokens| *tokens > 0),
        reasoning_tokens: None,
    })
}

#[cfg(test)]
mod tests;
