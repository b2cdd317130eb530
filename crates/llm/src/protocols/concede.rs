//! Servers differ in what they refuse. A request that is refused for a setting it can do without is tried once more
//! without it, rather than failing for good.

use loci_api::chat::{ChatError, ChatErrorKind};
use serde_json::{Value, json};

use super::Protocol;

/// What can be left out: where it stands in the body, and words of a refusal that mean it.
struct Optional {
    protocol: Protocol,
    pointer: &'static str,
    words: &'static [&'static str],
}

const fn optional(protocol: Protocol, pointer: &'static str, words: &'static [&'static str]) -> Optional {
    Optional { protocol, pointer, words }
}

use Protocol::{Anthropic, Google, Ollama, OpenAiChat, OpenAiResponses};

/// Never tools, messages or a required form: without them the answer would be another one.
const OPTIONAL: &[Optional] = &[
    // Organisations that have not been verified get no summaries.
    optional(OpenAiResponses, "/reasoning/summary", &["reasoning.summary", "reasoning summar"]),
    optional(OpenAiResponses, "/reasoning/effort", &["reasoning.effort", "reasoning effort"]),
    optional(OpenAiResponses, "/include", &["encrypted content", "encrypted_content", "'include'"]),
    optional(OpenAiResponses, "/prompt_cache_retention", &["prompt_cache_retention"]),
    optional(OpenAiResponses, "/prompt_cache_key", &["prompt_cache_key"]),
    optional(OpenAiResponses, "/text/verbosity", &["verbosity"]),
    optional(OpenAiResponses, "/temperature", &["temperature"]),
    optional(OpenAiResponses, "/parallel_tool_calls", &["parallel_tool_calls"]),
    optional(OpenAiChat, "/stream_options", &["stream_options"]),
    optional(OpenAiChat, "/parallel_tool_calls", &["parallel_tool_calls", "parallel tool calls"]),
    optional(OpenAiChat, "/prompt_cache_retention", &["prompt_cache_retention"]),
    optional(OpenAiChat, "/prompt_cache_key", &["prompt_cache_key"]),
    optional(OpenAiChat, "/frequency_penalty", &["frequency_penalty", "frequencypenalty"]),
    optional(OpenAiChat, "/reasoning_effort", &["reasoning_effort", "reasoning effort"]),
    optional(OpenAiChat, "/reasoning", &["reasoning"]),
    optional(OpenAiChat, "/verbosity", &["verbosity"]),
    optional(OpenAiChat, "/temperature", &["temperature"]),
    optional(OpenAiChat, "/usage", &["'usage'", "`usage`", "\"usage\""]),
    optional(Anthropic, "/temperature", &["temperature"]),
    optional(Anthropic, "/output_config/effort", &["effort"]),
    optional(Anthropic, "/thinking/display", &["thinking.display", "display"]),
    optional(Google, "/generationConfig/thinkingConfig/thinkingLevel", &["thinking level", "thinking_level"]),
    optional(
        Google,
        "/generationConfig/thinkingConfig/thinkingBudget",
        &["thinking budget", "thinking_budget"],
    ),
    optional(Google, "/generationConfig/thinkingConfig", &["thinking"]),
    optional(Google, "/generationConfig/frequencyPenalty", &["penalty"]),
    optional(Ollama, "/think", &["does not support thinking", "think value"]),
];

/// See [`Protocol::concede`].
pub(super) fn concede(protocol: Protocol, body: &mut Value, refusal: &ChatError) -> Option<&'static str> {
    let is_refusal =
        matches!(refusal.kind, ChatErrorKind::LlmBadRequest | ChatErrorKind::LlmUnprocessableEntity);
    if !is_refusal {
        return None;
    }
    let said = refusal.detail.as_deref().unwrap_or_default().to_lowercase();
    if protocol == OpenAiChat
        && let Some(renamed) = rename_limit(body, &said)
    {
        return Some(renamed);
    }
    let found = OPTIONAL.iter().find(|optional| {
        optional.protocol == protocol
            && body.pointer(optional.pointer).is_some()
            && optional.words.iter().any(|words| said.contains(words))
    })?;
    let (parent, key) = found.pointer.rsplit_once('/')?;
    body.pointer_mut(parent)?.as_object_mut()?.shift_remove(key)?;
    Some(key)
}

/// Each of the two names of the limit is refused by somebody, who then says the other.
fn rename_limit(body: &mut Value, said: &str) -> Option<&'static str> {
    let (old, new) = if said.contains("max_completion_tokens") && body.get("max_tokens").is_some() {
        ("max_tokens", "max_completion_tokens")
    } else if said.contains("max_completion_tokens") && body.get("max_completion_tokens").is_some() {
        ("max_completion_tokens", "max_tokens")
    } else {
        return None;
    };
    let map = body.as_object_mut()?;
    let limit = map.shift_remove(old)?;
    map.insert(new.to_owned(), json!(limit));
    Some(old)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: ChatErrorKind, detail: &str) -> ChatError {
        ChatError {
            kind,
            message: String::new(),
            detail: Some(detail.to_owned()),
            status: Some(400),
            retry_after_ms: None,
            trace: None,
        }
    }

    #[test]
    fn only_what_the_refusal_names_is_left_out_and_only_once() {
        let bad = |detail: &str| refusal(ChatErrorKind::LlmBadRequest, detail);
        let full = json!({"model": "m", "tools": [], "max_tokens": 5, "temperature": 1, "stream_options": {}, "reasoning": {"summary": "auto", "effort": "low"}});
        for (protocol, said, left_out, gone) in [
            (OpenAiChat, "Unknown parameter: 'stream_options'.", Some("stream_options"), "/stream_options"),
            (
                OpenAiChat,
                "temperature does not support 0.2 with this model",
                Some("temperature"),
                "/temperature",
            ),
            (
                OpenAiChat,
                "Use 'max_completion_tokens' instead of 'max_tokens'",
                Some("max_tokens"),
                "/max_tokens",
            ),
            (OpenAiChat, "tools are not supported", None, "/none"),
            (
                OpenAiResponses,
                "Your organization must be verified to generate reasoning summaries.",
                Some("summary"),
                "/reasoning/summary",
            ),
            (Ollama, "\"llama3\" does not support thinking", None, "/think"),
        ] {
            let mut body = full.clone();
            assert_eq!(concede(protocol, &mut body, &bad(said)), left_out, "{said}");
            assert!(body.pointer(gone).is_none());
            if left_out.is_some() {
                assert_eq!(concede(protocol, &mut body, &bad(&said.replace("max_completion", "x"))), None);
            }
        }
        let mut body = full.clone();
        let busy = refusal(ChatErrorKind::LlmServerError, "temperature");
        assert_eq!(concede(OpenAiChat, &mut body, &busy), None);
        assert_eq!(body, full);
    }
}
