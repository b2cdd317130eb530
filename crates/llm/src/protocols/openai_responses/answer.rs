//! OpenAI's Responses: the answer.

use loci_api::chat::{ChatEvent, FinishReason, Usage};
use serde_json::{Value, json};

use super::{PARAGRAPH, Sealed};
use crate::protocols::{Decoder, Fault, proof::Origin, start, take};

/// An answer as it comes in.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answer {
    /// The response object without its output, as last seen.
    response: Value,
    items: Vec<Item>,
    calls: usize,
    closed: bool,
}

#[derive(Debug)]
struct Item {
    /// As the provider counts it, if it does.
    index: Option<u64>,
    id: String,
    form: Form,
    /// The item as the provider closed it, for the trace.
    whole: Option<Value>,
}

#[derive(Debug)]
enum Form {
    Message { text: String },
    Reasoning { text: String, parts: u64, calls_before: usize },
    Call { position: usize, id: String, name: String, arguments: String },
    Other,
}

impl Decoder for Answer {
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let mut frame: Value = serde_json::from_str(data)
            .map_err(|error| Fault::Corrupt(format!("{error} in: {}", start(data))))?;
        if !frame.is_object() {
            return Err(Fault::Corrupt(format!("an event that is no object: {}", start(data))));
        }
        let kind = frame["type"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "response.created" | "response.in_progress" | "response.queued" => {
                self.response = take(&mut frame, "response");
            }
            "response.output_item.added" => {
                let item = take(&mut frame, "item");
                self.begin(frame["output_index"].as_u64(), &item, events)?;
            }
            "response.output_text.delta" | "response.refusal.delta" => {
                let piece = text(&frame["delta"]);
                let at = self.message(&frame);
                self.say(at, piece, events);
            }
            "response.reasoning_summary_part.added" => {
                if let Some(at) = self.find(&frame) {
                    self.next_thought(at, frame["summary_index"].as_u64().unwrap_or(0), events);
                }
            }
            "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" => {
                let piece = text(&frame["delta"]);
                if let Some(at) = self.find(&frame) {
                    self.think(at, piece, events);
                }
            }
            "response.function_call_arguments.delta" => {
                let piece = text(&frame["delta"]);
                let at = self
                    .find(&frame)
                    .ok_or_else(|| Fault::Corrupt("arguments of a call that never began".to_owned()))?;
                self.argue(at, piece, events);
            }
            "response.output_item.done" => {
                let item = take(&mut frame, "item");
                self.close(frame["output_index"].as_u64(), item, events)?;
            }
            "response.completed" | "response.incomplete" | "response.cancelled" => {
                self.response = take(&mut frame, "response");
                // Some servers tell of the items only here.
                if self.items.is_empty() {
                    self.take_output(events)?;
                }
                self.closed = true;
            }
            "response.failed" => {
                let error = take(&mut take(&mut frame, "response"), "error");
                return Err(Fault::Said(json!({"error": error_object(error)})));
            }
            "error" => {
                let error = if frame["error"].is_object() { take(&mut frame, "error") } else { frame };
                return Err(Fault::Said(json!({"error": error_object(error)})));
            }
            _ if frame.get("error").is_some_and(|error| !error.is_null()) => return Err(Fault::Said(frame)),
            // Closings of parts, annotations, built-in tools, and what later versions add.
            _ => {}
        }
        Ok(())
    }

    /// Some servers send names alone to keep the connection open.
    fn bare(&mut self, _name: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if !body.is_object() {
            return Err(Fault::Corrupt("the answer is not a JSON object".to_owned()));
        }
        if body.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Said(json!({"error": error_object(body["error"].clone())})));
        }
        if !body["output"].is_array() {
            return Err(Fault::Corrupt(format!("no `output` in the answer: {}", start(&body.to_string()))));
        }
        self.response = body;
        self.take_output(events)?;
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
        let reason = self.finish_reason();
        if self.items.is_empty() && reason == FinishReason::Stop {
            return Err(Fault::Empty);
        }
        if let Some(usage) = usage(&self.response["usage"]) {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Finish(reason));
        Ok(())
    }

    fn answer(&self) -> Value {
        let mut response = self.response.clone();
        if !response.is_object() {
            response = json!({"object": "response"});
        }
        if response["output"].as_array().is_none_or(Vec::is_empty) {
            response["output"] = self.items.iter().map(Item::assembled).collect();
        }
        response
    }
}

impl Answer {
    /// The items of a complete response.
    fn take_output(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let items = self.response["output"].as_array().cloned().unwrap_or_default();
        for (index, item) in (0..).zip(items) {
            self.close(Some(index), item, events)?;
        }
        Ok(())
    }

    fn find(&self, frame: &Value) -> Option<usize> {
        let index = frame["output_index"].as_u64();
        let id = frame["item_id"].as_str().unwrap_or_default();
        self.position(index, id)
    }

    fn position(&self, index: Option<u64>, id: &str) -> Option<usize> {
        let by_index =
            || index.and_then(|index| self.items.iter().rposition(|item| item.index == Some(index)));
        let by_id = || self.items.iter().rposition(|item| !id.is_empty() && item.id == id);
        by_index().or_else(by_id)
    }

    /// The message a piece of text belongs to; some servers never announce it.
    fn message(&mut self, frame: &Value) -> usize {
        self.find(frame).unwrap_or_else(|| {
            self.items.push(Item {
                index: frame["output_index"].as_u64(),
                id: text(&frame["item_id"]),
                form: Form::Message { text: String::new() },
                whole: None,
            });
            self.items.len() - 1
        })
    }

    fn begin(
        &mut self,
        index: Option<u64>,
        item: &Value,
        events: &mut Vec<ChatEvent>,
    ) -> Result<usize, Fault> {
        let form = match item["type"].as_str().unwrap_or_default() {
            "message" => Form::Message { text: String::new() },
            "reasoning" => Form::Reasoning { text: String::new(), parts: 0, calls_before: self.calls },
            "function_call" => {
                let name = text(&item["name"]);
                if name.is_empty() {
                    return Err(Fault::Corrupt("a tool call without a name".to_owned()));
                }
                let id = [&item["call_id"], &item["id"]].into_iter().map(text).find(|id| !id.is_empty());
                let id = id.unwrap_or_else(|| format!("call_{}", uuid::Uuid::new_v4().simple()));
                let position = self.calls;
                self.calls += 1;
                events.push(ChatEvent::ToolCallStarted {
                    index: position,
                    id: id.clone(),
                    name: name.clone(),
                });
                Form::Call { position, id, name, arguments: String::new() }
            }
            _ => Form::Other,
        };
        self.items.push(Item { index, id: text(&item["id"]), form, whole: None });
        Ok(self.items.len() - 1)
    }

    fn say(&mut self, at: usize, piece: String, events: &mut Vec<ChatEvent>) {
        if let Form::Message { text } = &mut self.items[at].form
            && !piece.is_empty()
        {
            text.push_str(&piece);
            events.push(ChatEvent::Text(piece));
        }
    }

    fn think(&mut self, at: usize, piece: String, events: &mut Vec<ChatEvent>) {
        if let Form::Reasoning { text, .. } = &mut self.items[at].form
            && !piece.is_empty()
        {
            text.push_str(&piece);
            events.push(ChatEvent::Reasoning(piece));
        }
    }

    /// A summary in several parts reads as paragraphs.
    fn next_thought(&mut self, at: usize, part: u64, events: &mut Vec<ChatEvent>) {
        if let Form::Reasoning { text, parts, .. } = &mut self.items[at].form
            && part > *parts
        {
            *parts = part;
            if !text.is_empty() {
                text.push_str(PARAGRAPH);
                events.push(ChatEvent::Reasoning(PARAGRAPH.to_owned()));
            }
        }
    }

    fn argue(&mut self, at: usize, piece: String, events: &mut Vec<ChatEvent>) {
        if let Form::Call { position, arguments, .. } = &mut self.items[at].form
            && !piece.is_empty()
        {
            arguments.push_str(&piece);
            events.push(ChatEvent::ToolCallArguments { index: *position, delta: piece });
        }
    }

    /// An item is complete: what of it was not streamed goes out now, and its proof.
    fn close(&mut self, index: Option<u64>, item: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let at = match self.position(index, item["id"].as_str().unwrap_or_default()) {
            Some(at) => at,
            None => self.begin(index, &item, events)?,
        };
        match &self.items[at].form {
            Form::Message { text } if text.is_empty() => {
                let whole = message_text(&item);
                self.say(at, whole, events);
            }
            Form::Reasoning { text: thought, calls_before, .. } => {
                let calls = *calls_before;
                let was_silent = thought.is_empty();
                if was_silent {
                    let whole = summary_text(&item);
                    self.think(at, whole, events);
                }
                if let Some(sealed) = item["encrypted_content"].as_str().filter(|sealed| !sealed.is_empty()) {
                    if was_silent
                        && !events.last().is_some_and(|last| matches!(last, ChatEvent::Reasoning(_)))
                    {
                        // The proof of a thought that is not shown still has to have a thought to belong to.
                        events.push(ChatEvent::Reasoning(String::new()));
                    }
                    let summary = texts(&item["summary"]);
                    let sealed = Sealed {
                        id: text(&item["id"]),
                        encrypted_content: sealed.to_owned(),
                        calls,
                        parts: if summary.len() > 1 {
                            summary.iter().map(String::len).collect()
                        } else {
                            Vec::new()
                        },
                    };
                    events.push(ChatEvent::ReasoningSignature(Origin::OpenAiResponses.seal(&sealed)));
                }
            }
            Form::Call { arguments, .. } if arguments.is_empty() => {
                let whole = match &item["arguments"] {
                    Value::String(text) if text.trim().is_empty() => "{}".to_owned(),
                    Value::String(text) => text.clone(),
                    Value::Null => "{}".to_owned(),
                    other => other.to_string(),
                };
                self.argue(at, whole, events);
            }
            Form::Message { .. } | Form::Call { .. } | Form::Other => {}
        }
        self.items[at].whole = Some(item);
        Ok(())
    }

    fn finish_reason(&self) -> FinishReason {
        let status = self.response["status"].as_str().unwrap_or("completed");
        match (status, self.response["incomplete_details"]["reason"].as_str()) {
            (_, Some("max_output_tokens")) => FinishReason::Length,
            (_, Some("content_filter")) => FinishReason::ContentFilter,
            ("completed", _) if self.calls > 0 => FinishReason::ToolCalls,
            ("completed", _) => FinishReason::Stop,
            (_, Some(other)) => FinishReason::Other(other.to_owned()),
            (other, None) => FinishReason::Other(other.to_owned()),
        }
    }
}

impl Item {
    /// The item as it was closed, or as far as it came.
    fn assembled(&self) -> Value {
        if let Some(whole) = &self.whole {
            return whole.clone();
        }
        match &self.form {
            Form::Message { text } => json!({
                "type": "message", "id": self.id, "role": "assistant", "status": "incomplete",
                "content": [{"type": "output_text", "text": text}],
            }),
            Form::Reasoning { text, .. } => {
                json!({"type": "reasoning", "id": self.id, "summary": [{"type": "summary_text", "text": text}]})
            }
            Form::Call { id, name, arguments, .. } => json!({
                "type": "function_call", "id": self.id, "call_id": id, "name": name, "arguments": arguments,
                "status": "incomplete",
            }),
            Form::Other => json!({"id": self.id}),
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

fn message_text(item: &Value) -> String {
    let parts = item["content"].as_array().map(Vec::as_slice).unwrap_or_default();
    parts
        .iter()
        .map(|part| text(part.get("text").or_else(|| part.get("refusal")).unwrap_or(&Value::Null)))
        .collect()
}

/// The summary, or the reasoning itself where a server gives it openly.
fn summary_text(item: &Value) -> String {
    match texts(&item["summary"]).join(PARAGRAPH) {
        summary if summary.is_empty() => texts(&item["content"]).join(PARAGRAPH),
        summary => summary,
    }
}

fn texts(parts: &Value) -> Vec<String> {
    let parts = parts.as_array().map(Vec::as_slice).unwrap_or_default();
    parts.iter().map(|part| text(&part["text"])).filter(|text| !text.is_empty()).collect()
}

/// Its `type` here is the event's, not the error's; a missing one is still an error.
fn error_object(mut error: Value) -> Value {
    if let Value::Object(map) = &mut error {
        if map.get("type").is_some_and(|kind| kind == "error") {
            map.remove("type");
        }
        map.remove("sequence_number");
        return error;
    }
    json!({"message": "the provider gave up on the answer without saying why", "type": "server_error"})
}

fn usage(usage: &Value) -> Option<Usage> {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let (input, output) = (number("/input_tokens"), number("/output_tokens"));
    if input.is_none() && output.is_none() {
        return None;
    }
    let (prompt_tokens, completion_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: number("/total_tokens")
            .unwrap_or_else(|| prompt_tokens.saturating_add(completion_tokens)),
        cached_input_tokens: number("/input_tokens_details/cached_tokens"),
        cache_write_tokens: number("/input_tokens_details/cache_write_tokens"),
        hour_cache_write_tokens: None,
        reasoning_tokens: number("/output_tokens_details/reasoning_tokens"),
    })
}

#[cfg(test)]
mod tests;
