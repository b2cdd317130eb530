//! OpenAI's chat completions: the answer, with the liberties other servers take.

use loci_api::chat::{ChatEvent, FinishReason, Usage};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::protocols::{Decoder, Fault, proof::Origin, start, thoughts::Thoughts};

/// An answer as it comes in.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answer {
    id: Value,
    model: Value,
    created: Value,
    /// As it came, thoughts between marks included.
    text: String,
    thoughts: Thoughts,
    reasoning: String,
    /// Reasoning with its proofs, as OpenRouter sends it.
    details: Vec<Value>,
    /// Their last form that went out as a proof.
    proved: String,
    calls: Vec<Call>,
    finish: Option<String>,
    usage: Option<Value>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Call {
    /// As the provider counts it, if it does.
    index: Option<u64>,
    /// Empty until it is known or made up.
    id: String,
    name: String,
    arguments: String,
    /// Whether [`ChatEvent::ToolCallStarted`] went out; arguments wait for it.
    started: bool,
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    model: Value,
    #[serde(default)]
    created: Value,
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    object: Value,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: Value,
    delta: Option<Delta>,
    message: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    #[serde(default)]
    content: Value,
    #[serde(default)]
    reasoning_content: Value,
    #[serde(default)]
    reasoning: Value,
    #[serde(default)]
    reasoning_details: Value,
    #[serde(default)]
    refusal: Value,
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<u64>,
    #[serde(default)]
    id: Value,
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    #[serde(default)]
    arguments: Value,
}

impl Decoder for Answer {
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let data = data.trim();
        if data == "[DONE]" {
            self.closed = true;
            return Ok(());
        }
        if data.is_empty() {
            return Ok(());
        }
        let chunk = serde_json::from_str(data).map_err(|error| corrupt(&error, data))?;
        self.take(chunk, events, || serde_json::from_str(data).unwrap_or(Value::Null))
    }

    /// Events have no names in this protocol; some servers send some to keep the connection open.
    fn bare(&mut self, _name: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let chunk = Chunk::deserialize(&body).map_err(|error| corrupt(&error, &body.to_string()))?;
        if chunk.choices.as_ref().is_none_or(Vec::is_empty)
            && chunk.error.is_null()
            && chunk.object != "error"
        {
            return Err(Fault::Corrupt(format!("no `choices` in the answer: {}", start(&body.to_string()))));
        }
        self.take(chunk, events, || body.clone())?;
        self.closed = true;
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    fn end(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if self.finish.is_none() {
            if !self.closed {
                return Err(Fault::Incomplete);
            }
            if self.text.is_empty() && self.reasoning.is_empty() && self.calls.is_empty() {
                return Err(Fault::Empty);
            }
        }
        self.thoughts.tell_rest(events);
        for (index, call) in self.calls.iter_mut().enumerate() {
            call.start(index, events);
        }
        self.prove(events);
        if let Some(usage) = self.usage.as_ref().and_then(usage) {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Finish(self.finish_reason()));
        Ok(())
    }

    fn answer(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": null});
        if !self.text.is_empty() {
            message["content"] = json!(self.text);
        }
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = json!(self.reasoning);
        }
        if !self.details.is_empty() {
            message["reasoning_details"] = json!(self.details);
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = self
                .calls
                .iter()
                .map(|call| {
                    let function = json!({"name": call.name, "arguments": call.arguments});
                    json!({"id": call.id, "type": "function", "function": function})
                })
                .collect();
        }
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": self.finish}],
            "usage": self.usage,
        })
    }
}

impl Answer {
    fn take(
        &mut self,
        chunk: Chunk,
        events: &mut Vec<ChatEvent>,
        body: impl Fn() -> Value,
    ) -> Result<(), Fault> {
        if !chunk.error.is_null() || chunk.object == "error" {
            return Err(Fault::Said(body()));
        }
        for (kept, new) in
            [(&mut self.id, chunk.id), (&mut self.model, chunk.model), (&mut self.created, chunk.created)]
        {
            if kept.is_null() {
                *kept = new;
            }
        }
        if chunk.usage.is_object() {
            self.usage = Some(chunk.usage);
        }
        // Only one choice is ever asked for.
        for choice in chunk.choices.unwrap_or_default() {
            if choice.index.as_u64().unwrap_or(0) != 0 {
                continue;
            }
            for delta in [choice.delta, choice.message].into_iter().flatten() {
                self.delta(delta, events);
            }
            match choice.finish_reason {
                Some(reason) if reason == "error" => {
                    return Err(Fault::Said(json!({"error": {
                        "message": "the model stopped with an error",
                        "type": "server_error",
                    }})));
                }
                Some(reason) if !reason.is_empty() => self.finish = Some(reason),
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn delta(&mut self, delta: Delta, events: &mut Vec<ChatEvent>) {
        // Some servers send the same thought under both names.
        let reasoning = match text_of(delta.reasoning_content) {
            text if text.is_empty() => text_of(delta.reasoning),
            text => text,
        };
        if let Value::Array(details) = delta.reasoning_details {
            details.into_iter().for_each(|detail| self.detail(detail));
        }
        self.reason(reasoning, events);
        match delta.content {
            Value::Array(parts) => {
                for mut part in parts {
                    if part["type"] == "thinking" {
                        self.reason(
                            text_of(part.get_mut("thinking").map(Value::take).unwrap_or_default()),
                            events,
                        );
                    } else {
                        self.say(text_of(part), events);
                    }
                }
            }
            content => self.say(text_of(content), events),
        }
        self.say(text_of(delta.refusal), events);
        for call in delta.tool_calls.unwrap_or_default() {
            if self.calls.is_empty() {
                self.prove(events);
            }
            self.call(call, events);
        }
    }

    /// Reasoning that carries a proof has to go back as it came. It goes out before the first call, where reasoning
    /// belongs, and once more at the end if there was more of it.
    fn prove(&mut self, events: &mut Vec<ChatEvent>) {
        let carries = |detail: &Value| detail["signature"].is_string() || detail["data"].is_string();
        if !self.details.iter().any(carries) {
            return;
        }
        let sealed = Origin::OpenAiChat.seal(&self.details);
        if sealed != self.proved {
            events.push(ChatEvent::Reasoning(String::new()));
            events.push(ChatEvent::ReasoningSignature(sealed.clone()));
            self.proved = sealed;
        }
    }

    /// Pieces of one thought, by their index and kind, become one.
    fn detail(&mut self, new: Value) {
        let same = |old: &&mut Value| old["type"] == new["type"] && old["index"] == new["index"];
        match self.details.last_mut().filter(same) {
            Some(old) => {
                let Value::Object(new) = new else { return };
                for (key, value) in new {
                    match (&mut old[&key], value) {
                        (Value::String(whole), Value::String(piece))
                            if ["text", "summary", "data", "signature"].contains(&key.as_str()) =>
                        {
                            whole.push_str(&piece);
                        }
                        (_, Value::Null) => {}
                        (old, value) => *old = value,
                    }
                }
            }
            None if new.is_object() => self.details.push(new),
            None => {}
        }
    }

    fn reason(&mut self, text: String, events: &mut Vec<ChatEvent>) {
        if !text.is_empty() {
            self.reasoning.push_str(&text);
            events.push(ChatEvent::Reasoning(text));
        }
    }

    fn say(&mut self, text: String, events: &mut Vec<ChatEvent>) {
        if !text.is_empty() {
            self.text.push_str(&text);
            self.thoughts.tell(&text, events);
        }
    }

    fn call(&mut self, delta: CallDelta, events: &mut Vec<ChatEvent>) {
        let id = match delta.id {
            Value::String(id) => id,
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        let (name, arguments) = match delta.function {
            Some(function) => (function.name.unwrap_or_default(), function.arguments),
            None => (String::new(), Value::Null),
        };
        let at = self.position(delta.index, &id, &name);
        let call = &mut self.calls[at];
        if call.id.is_empty() {
            call.id = id;
        }
        if call.name.is_empty() {
            call.name = name;
        }
        let piece = match arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            whole => whole.to_string(),
        };
        call.arguments.push_str(&piece);
        if call.started {
            if !piece.is_empty() {
                events.push(ChatEvent::ToolCallArguments { index: at, delta: piece });
            }
        } else if !call.name.is_empty() {
            call.start(at, events);
        }
    }

    /// Which call a piece belongs to. Well-behaved servers count; others repeat index 0 with a new id, or send
    /// whole calls without counting.
    fn position(&mut self, index: Option<u64>, id: &str, name: &str) -> usize {
        let found = match index {
            Some(_) => self.calls.iter().rposition(|call| call.index == index),
            None if !id.is_empty() => self.calls.iter().rposition(|call| call.id == id),
            None => self.calls.len().checked_sub(1),
        };
        let belongs = |call: &Call| {
            let other_id = !id.is_empty() && !call.id.is_empty() && call.id != id;
            let whole_call_again =
                index.is_none() && id.is_empty() && !name.is_empty() && !call.name.is_empty();
            !((other_id && !name.is_empty()) || whole_call_again)
        };
        match found.filter(|at| belongs(&self.calls[*at])) {
            Some(at) => at,
            None if index.is_none() && name.is_empty() && !self.calls.is_empty() => self.calls.len() - 1,
            None => {
                self.calls.push(Call { index, ..Call::default() });
                self.calls.len() - 1
            }
        }
    }

    fn finish_reason(&self) -> FinishReason {
        let reason = match self.finish.as_deref() {
            Some("length" | "max_tokens" | "model_length") => FinishReason::Length,
            Some("content_filter") => FinishReason::ContentFilter,
            Some("tool_calls" | "function_call" | "tool_use") => FinishReason::ToolCalls,
            None | Some("stop" | "eos" | "eos_token" | "end_turn" | "stop_sequence") => FinishReason::Stop,
            Some(other) => FinishReason::Other(other.to_owned()),
        };
        match reason {
            FinishReason::Stop | FinishReason::Other(_) if !self.calls.is_empty() => FinishReason::ToolCalls,
            FinishReason::ToolCalls if self.calls.is_empty() => FinishReason::Stop,
            reason => reason,
        }
    }
}

impl Call {
    /// Announces the call, once, with the arguments that came before its name.
    fn start(&mut self, index: usize, events: &mut Vec<ChatEvent>) {
        if self.started {
            return;
        }
        self.started = true;
        if self.id.is_empty() {
            self.id = format!("call_{}", uuid::Uuid::new_v4().simple());
        }
        events.push(ChatEvent::ToolCallStarted { index, id: self.id.clone(), name: self.name.clone() });
        if !self.arguments.is_empty() {
            events.push(ChatEvent::ToolCallArguments { index, delta: self.arguments.clone() });
        }
    }
}

/// Text given as a string, a part, or a list of parts.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Array(parts) => parts.into_iter().map(text_of).collect(),
        Value::Object(mut part) => match part.remove("text") {
            Some(Value::String(text)) => text,
            _ => String::new(),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn usage(usage: &Value) -> Option<Usage> {
    let number = |path: &str| usage.pointer(path).and_then(Value::as_u64);
    let prompt = number("/prompt_tokens");
    let completion = number("/completion_tokens");
    if prompt.is_none() && completion.is_none() {
        return None;
    }
    let (prompt_tokens, completion_tokens) = (prompt.unwrap_or(0), completion.unwrap_or(0));
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: number("/total_tokens")
            .unwrap_or_else(|| prompt_tokens.saturating_add(completion_tokens)),
        cached_input_tokens: number("/prompt_tokens_details/cached_tokens")
            .or_else(|| number("/prompt_cache_hit_tokens")),
        cache_write_tokens: number("/prompt_tokens_details/cache_write_tokens"),
        hour_cache_write_tokens: None,
        reasoning_tokens: number("/completion_tokens_details/reasoning_tokens"),
    })
}

fn corrupt(error: &serde_json::Error, data: &str) -> Fault {
    Fault::Corrupt(format!("{error} in: {}", start(data)))
}

#[cfg(test)]
mod tests;
