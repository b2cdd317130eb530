//! Google's Gemini: the answer.

use loci_api::chat::{ChatEvent, FinishReason, Usage};
use serde_json::{Value, json};

use super::{Signed, own_id};
use crate::protocols::{Decoder, Fault, proof::Origin, start, take};

/// An answer as it comes in.
#[derive(Debug, Default)]
pub(in crate::protocols) struct Answer {
    model: Value,
    id: Value,
    usage: Value,
    /// The parts put together, for the trace.
    parts: Vec<Value>,
    has_text: bool,
    calls: usize,
    finish: Option<String>,
    /// Why the prompt was not answered at all.
    blocked: Option<String>,
    closed: bool,
}

impl Decoder for Answer {
    fn frame(&mut self, data: &str, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let data = data.trim();
        if data.is_empty() || data == "[DONE]" {
            return Ok(());
        }
        let chunk: Value = serde_json::from_str(data)
            .map_err(|error| Fault::Corrupt(format!("{error} in: {}", start(data))))?;
        self.take(chunk, events)
    }

    fn bare(&mut self, _name: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn whole(&mut self, body: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        // Asked for a stream without the right words, servers send a list of what the stream would have held.
        match body {
            Value::Array(chunks) => {
                for chunk in chunks {
                    self.take(chunk, events)?;
                }
            }
            one => {
                if one.get("candidates").is_none()
                    && one.get("promptFeedback").is_none()
                    && one.get("error").is_none()
                {
                    let body = one.to_string();
                    return Err(Fault::Corrupt(format!("no `candidates` in the answer: {}", start(&body))));
                }
                self.take(one, events)?;
            }
        }
        Ok(())
    }

    fn is_finished(&self) -> bool {
        self.finish.is_some() || self.blocked.is_some()
    }

    /// The protocol has no last word; the connection ends.
    fn is_closed(&self) -> bool {
        self.closed
    }

    fn end(&mut self, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        self.closed = true;
        if !self.is_finished() {
            return Err(Fault::Incomplete);
        }
        if let Some(usage) = usage(&self.usage) {
            events.push(ChatEvent::Usage(usage));
        }
        events.push(ChatEvent::Finish(self.finish_reason()));
        Ok(())
    }

    fn answer(&self) -> Value {
        let mut answer = json!({
            "candidates": [{
                "index": 0,
                "content": {"role": "model", "parts": self.parts},
                "finishReason": self.finish,
            }],
            "usageMetadata": self.usage,
            "modelVersion": self.model,
            "responseId": self.id,
        });
        if let Some(reason) = &self.blocked {
            answer["promptFeedback"] = json!({"blockReason": reason});
        }
        answer
    }
}

impl Answer {
    fn take(&mut self, mut chunk: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return Err(Fault::Said(chunk));
        }
        if !chunk.is_object() {
            return Err(Fault::Corrupt(format!("a piece that is no object: {}", start(&chunk.to_string()))));
        }
        for (kept, key) in [(&mut self.model, "modelVersion"), (&mut self.id, "responseId")] {
            if kept.is_null() {
                *kept = take(&mut chunk, key);
            }
        }
        if chunk["usageMetadata"].is_object() {
            self.usage = take(&mut chunk, "usageMetadata");
        }
        if let Some(reason) = chunk["promptFeedback"]["blockReason"].as_str() {
            self.blocked = Some(reason.to_owned());
        }
        let Value::Array(candidates) = take(&mut chunk, "candidates") else { return Ok(()) };
        // Only one is ever asked for.
        let Some(mut candidate) =
            candidates.into_iter().find(|candidate| candidate["index"].as_u64().unwrap_or(0) == 0)
        else {
            return Ok(());
        };
        if let Value::Array(parts) = take(&mut take(&mut candidate, "content"), "parts") {
            for part in parts {
                self.part(part, events)?;
            }
        }
        if let Some(reason) = candidate["finishReason"].as_str() {
            if is_mishap(reason) {
                let said = candidate["finishMessage"].as_str().unwrap_or_default();
                let message = format!("the model wrote a tool call that cannot be used ({reason}). {said}");
                return Err(Fault::Said(
                    json!({"error": {"message": message.trim(), "type": "server_error"}}),
                ));
            }
            self.finish = Some(reason.to_owned());
        }
        Ok(())
    }

    fn part(&mut self, mut part: Value, events: &mut Vec<ChatEvent>) -> Result<(), Fault> {
        let signature = part["thoughtSignature"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let is_thought = part["thought"] == true;
        if let Some(text) = part["text"].as_str() {
            let text = text.to_owned();
            self.keep(&text, is_thought, signature.as_deref());
            if !text.is_empty() {
                self.has_text |= !is_thought;
                events.push(if is_thought { ChatEvent::Reasoning(text) } else { ChatEvent::Text(text) });
            }
            if let Some(signature) = signature
                && !is_thought
                && self.has_text
            {
                events.push(ChatEvent::TextSignature(Origin::Google.seal(&signature)));
            }
            return Ok(());
        }
        if part["functionCall"].is_object() {
            self.parts.push(part.clone());
            let call = take(&mut part, "functionCall");
            let name = call["name"].as_str().unwrap_or_default().to_owned();
            if name.is_empty() {
                return Err(Fault::Corrupt("a tool call without a name".to_owned()));
            }
            let index = self.calls;
            self.calls += 1;
            if let Some(signature) = signature {
                // A proof has to have a thought to belong to.
                events.push(ChatEvent::Reasoning(String::new()));
                let signed = Signed { call: index, signature };
                events.push(ChatEvent::ReasoningSignature(Origin::Google.seal(&signed)));
            }
            let id = own_id(call["id"].as_str());
            let arguments = if call["args"].is_null() { "{}".to_owned() } else { call["args"].to_string() };
            events.push(ChatEvent::ToolCallStarted { index, id, name });
            events.push(ChatEvent::ToolCallArguments { index, delta: arguments });
            return Ok(());
        }
        // Code it ran itself, pictures, and what later versions add.
        self.parts.push(part);
        Ok(())
    }

    /// Pieces of one text are one part in the trace.
    fn keep(&mut self, text: &str, is_thought: bool, signature: Option<&str>) {
        let same = |last: &Value| {
            last["text"].is_string()
                && (last["thought"] == true) == is_thought
                && last.get("thoughtSignature").is_none()
        };
        let at = match self.parts.last() {
            Some(last) if same(last) => self.parts.len() - 1,
            _ => {
                self.parts.push(if is_thought {
                    json!({"text": "", "thought": true})
                } else {
                    json!({"text": ""})
                });
                self.parts.len() - 1
            }
        };
        if let Value::String(whole) = &mut self.parts[at]["text"] {
            whole.push_str(text);
        }
        if let Some(signature) = signature {
            self.parts[at]["thoughtSignature"] = json!(signature);
        }
    }

    fn finish_reason(&self) -> FinishReason {
        match (self.finish.as_deref(), &self.blocked) {
            (None, Some(_)) => FinishReason::ContentFilter,
            (Some("MAX_TOKENS"), _) => FinishReason::Length,
            (
                Some(
                    "SAFETY" | "RECITATION" | "LANGUAGE" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
                    | "IMAGE_SAFETY",
                ),
                _,
            ) => FinishReason::ContentFilter,
            (Some(_), _) if self.calls > 0 => FinishReason::ToolCalls,
            (None | Some("STOP" | "FINISH_REASON_UNSPECIFIED"), _) => FinishReason::Stop,
            (Some(other), _) => FinishReason::Other(other.to_lowercase()),
        }
    }
}

/// Ends that are mistakes of the model, which another attempt usually mends.
fn is_mishap(reason: &str) -> bool {
    matches!(reason, "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "MALFORMED_RESPONSE")
}

fn usage(usage: &Value) -> Option<Usage> {
    let number = |key: &str| usage[key].as_u64();
    let prompt = number("promptTokenCount");
    let (said, thought) = (number("candidatesTokenCount"), number("thoughtsTokenCount"));
    if prompt.is_none() && said.is_none() {
        return None;
    }
    let prompt_tokens = prompt.unwrap_or(0).saturating_add(number("toolUsePromptTokenCount").unwrap_or(0));
    let completion_tokens = said.unwrap_or(0).saturating_add(thought.unwrap_or(0));
    Some(Usage {
        prompt_tokens,
        completion_tokens,
        total_tokens: number("totalTokenCount")
            .unwrap_or_else(|| prompt_tokens.saturating_add(completion_tokens)),
        cached_input_tokens: number("cachedContentTokenCount"),
        cache_write_tokens: None,
        hour_cache_write_tokens: None,
        reasoning_tokens: thought,
    })
}

#[cfg(test)]
mod tests;
