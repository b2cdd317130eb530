//! Ollama's own chat: the answer, a line of JSON at a time.

use loci_api::chat::{ChatEvent, FinishReason, Usage};
use serde_json::{Value, json};

use crate::protocols::{Decoder, Fault, start, take, thoughts::Thoughts};

/// An answer as it comes in.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answer {
    /// The text is to be a call, written as JSON.
    as_call: bool,
    /// As it came, thoughts between marks included.
    text: String,
    thoughts: Thoughts,
    thinking: String,
    calls: Vec<Value>,
    /// The last line: numbers and the reason of the end.
    last: Value,
    closed: bool,
}

impl Answer {
    pub(in crate::protocols) fn new(as_call: bool) -> Self {
        Self { as_call, ..Self::default() }
    }
}

impl Decoder for Answer {
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let data = data.trim();
        if data.is_empty() {
            return Ok(());
        }
        let line: Value = serde_json::from_str(data)
            .map_err(|error| Fault::Corrupt(format!("{error} in: {}", start(data))))?;
        self.take(line, events)
    }

    fn bare(&mut self, _name: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if body.get("message").is_none() && body.get("error").is_none() {
            return Err(Fault::Corrupt(format!("no `message` in the answer: {}", start(&body.to_string()))));
        }
        self.take(body, events)
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
        self.thoughts.tell_rest(events);
        if self.as_call && self.calls.is_empty() {
            self.read_call(events)?;
        }
        if self.text.is_empty() && self.thinking.is_empty() && self.calls.is_empty() {
            // `load` is what it says when it was asked nothing at all.
            return Err(Fault::Empty);
        }
        if let Some(usage) = self.usage() {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Finish(self.finish_reason()));
        Ok(())
    }

    fn answer(&self) -> Value {
        let mut answer = if self.last.is_object() { self.last.clone() } else { json!({"done": false}) };
        let mut message = json!({"role": "assistant", "content": self.text});
        if !self.thinking.is_empty() {
            message["thinking"] = json!(self.thinking);
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = json!(self.calls);
        }
        answer["message"] = message;
        answer
    }
}

impl Answer {
    fn take(&mut self, mut line: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if !line.is_object() {
            return Err(Fault::Corrupt(format!("a line that is no object: {}", start(&line.to_string()))));
        }
        if line.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Said(line));
        }
        let mut message = take(&mut line, "message");
        for (key, is_thought) in [("thinking", true), ("content", false)] {
            let Value::String(piece) = take(&mut message, key) else { continue };
            if piece.is_empty() {
                continue;
            }
            if is_thought {
                self.thinking.push_str(&piece);
                events.push(ChatEvent::Reasoning(piece));
            } else {
                self.text.push_str(&piece);
                // A call written as JSON is not for reading.
                if !self.as_call {
                    self.thoughts.tell(&piece, events);
                }
            }
        }
        if let Value::Array(calls) = take(&mut message, "tool_calls") {
            for call in calls {
                self.call(call, events)?;
            }
        }
        if line["done"] == true {
            self.closed = true;
            self.last = line;
        }
        Ok(())
    }

    /// Calls come whole. Their ids, where there are any, repeat between answers of some models.
    fn call(&mut self, call: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let name = call["function"]["name"].as_str().unwrap_or_default().to_owned();
        if name.is_empty() {
            return Err(Fault::Corrupt("a tool call without a name".to_owned()));
        }
        let arguments = match &call["function"]["arguments"] {
            Value::String(text) => text.clone(),
            Value::Null => "{}".to_owned(),
            other => other.to_string(),
        };
        let index = self.calls.len();
        self.calls.push(call);
        let id = format!("call_{}", uuid::Uuid::new_v4().simple());
        events.push(ChatEvent::ToolCallStarted { index, id, name });
        events.push(ChatEvent::ToolCallArguments { index, delta: arguments });
        Ok(())
    }

    /// The call that was asked for as JSON.
    fn read_call(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let text = self.text.trim();
        if text.is_empty() {
            return Ok(());
        }
        let unreadable = || {
            // The model stopped at its limit, or does not keep to the form: worth another attempt either way.
            let message = format!("the model had to call a tool and wrote something else: {}", start(text));
            Fault::Said(json!({"error": {"message": message, "type": "server_error"}}))
        };
        let call: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
        if !call["name"].is_string() {
            return Err(unreadable());
        }
        let call = json!({"function": {"name": call["name"], "arguments": call["arguments"]}});
        self.call(call, events)
    }

    fn usage(&self) -> Option<Usage> {
        let number = |key: &str| self.last[key].as_u64();
        let (prompt, completion) = (number("prompt_eval_count"), number("eval_count"));
        if prompt.is_none() && completion.is_none() {
            return None;
        }
        let (prompt_tokens, completion_tokens) = (prompt.unwrap_or(0), completion.unwrap_or(0));
        Some(Usage {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            ..Usage::default()
        })
    }

    fn finish_reason(&self) -> FinishReason {
        match self.last["done_reason"].as_str() {
            Some("length") => FinishReason::Length,
            _ if !self.calls.is_empty() => FinishReason::ToolCalls,
            None | Some("stop" | "") => FinishReason::Stop,
            Some(other) => FinishReason::Other(other.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
