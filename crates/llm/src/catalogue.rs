//! What is known without asking anybody: kinds of providers, and models with their windows, limits, abilities and
//! prices.

mod models;
mod providers;

use loci_api::chat::Usage;
use serde::Serialize;

use self::models::MODELS;
pub use self::providers::{KeyNeed, ProviderKind, provider_kind, provider_kinds};

/// What is known of a chat model. Tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub name: &'static str,
    pub display_name: &'static str,
    pub context_window: u32,
    pub max_output_tokens: u32,
    /// What may be set about its reasoning.
    pub thinks: Thinks,
    /// Whether it reasons, settable or not.
    pub reasons: bool,
    pub tools: bool,
    pub images: bool,
    pub price: Option<Price>,
}

/// What tokens cost: millionths of a US dollar per million tokens, at the provider that makes the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Price {
    /// Tokens read.
    pub input: u64,
    /// Tokens written, reasoning included.
    pub output: u64,
    /// Tokens read from the provider's cache; as [`Price::input`] where that has no price of its own.
    pub cached_input: Option<u64>,
    /// Tokens written to the cache.
    pub cache_write: Option<u64>,
    /// Since when this is known: `YYYY-MM`, or `listed` if the provider's own list says it.
    pub known: &'static str,
    /// The page that says it; `None` where the provider's own list does.
    pub page: Option<&'static str>,
}

/// [`Price::known`] of a price that the provider itself lists.
pub const PRICE_LISTED: &str = "listed";

impl Price {
    /// What a call cost, in billionths of a US dollar.
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> u64 {
        let cached = usage.cached_input_tokens.unwrap_or(0);
        let all_written = usage.cache_write_tokens.unwrap_or(0);
        let for_an_hour = usage.hour_cache_write_tokens.unwrap_or(0).min(all_written);
        let written = all_written - for_an_hour;
        let fresh = usage.prompt_tokens.saturating_sub(cached).saturating_sub(all_written);
        let parts = [
            (fresh, self.input),
            (cached, self.cached_input.unwrap_or(self.input)),
            (written, self.cache_write.unwrap_or(self.input)),
            // Whoever sells an hour takes twice the price of reading for it.
            (for_an_hour, self.input.saturating_mul(2)),
            (usage.completion_tokens, self.output),
        ];
        let sum: u128 = parts.iter().map(|(tokens, price)| u128::from(*tokens) * u128::from(*price)).sum();
        u64::try_from(sum / 1000).unwrap_or(u64::MAX)
    }
}

/// How a model's reasoning can be set, which decides what may be sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinks {
    /// Not at all.
    No,
    /// Always, by effort: no temperature, `max_completion_tokens`, `reasoning_effort`.
    Effort,
    /// As [`Thinks::Effort`], but the model refuses `parallel_tool_calls`.
    EffortSingleCalls,
    /// When given a budget of tokens.
    Budget,
    /// As much as it finds right, steered by effort; it takes no budget and no temperature.
    Adaptive,
}

/// Used where nothing better is known.
pub(crate) const DEFAULT_CONTEXT_WINDOW: u32 = 128_000;
/// Anthropic's protocol wants a number; this is the careful one for a model nobody knows.
pub(crate) const DEFAULT_MAX_OUTPUT: u32 = 4096;

use Thinks::{Adaptive, Budget, Effort, EffortSingleCalls, No};

/// Name and dimensions.
const EMBEDDINGS: &[(&str, u32)] = &[
    ("text-embedding-3-small", 1536),
    ("text-embedding-3-large", 3072),
    ("text-embedding-ada-002", 1536),
    ("gemini-embedding-001", 3072),
    ("gemini-embedding-2", 3072),
    ("text-embedding-004", 768),
    ("codestral-embed", 1536),
    ("mistral-embed", 1024),
    ("nomic-embed-text", 768),
    ("nomic-embed-text-v1.5", 768),
    ("mxbai-embed-large", 1024),
    ("all-minilm", 384),
    ("all-minilm-l6-v2", 384),
    ("bge-m3", 1024),
    ("bge-small-en-v1.5", 384),
    ("bge-base-en-v1.5", 768),
    ("bge-large-en-v1.5", 1024),
    ("snowflake-arctic-embed-l-v2.0", 1024),
    ("embeddinggemma", 768),
    ("qwen3-embedding-0.6b", 1024),
    ("qwen3-embedding-4b", 2560),
    ("qwen3-embedding-8b", 4096),
];

/// A chat model by name; date suffixes, `-latest`, a vendor's prefix (`openai/gpt-5`) and dots for dashes are seen
/// through.
pub(crate) fn known(name: &str) -> Option<&'static Known> {
    let wanted = plain(name);
    MODELS.iter().find(|known| known.name == wanted).or_else(|| {
        let wanted = without_date(&wanted).replace('.', "-");
        MODELS.iter().find(|known| without_date(known.name).replace('.', "-") == wanted)
    })
}

/// How a model reasons. Models nobody knows are taken by the family their name begins with.
pub(crate) fn thinks(name: &str) -> Thinks {
    if let Some(known) = known(name) {
        return known.thinks;
    }
    let name = plain(name);
    let family = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.', ':']))
    };
    if name.contains("chat") {
        No
    } else if ["o1", "o3", "o4"].into_iter().any(family) {
        EffortSingleCalls
    } else if ["gpt-5", "gpt-6", "gpt-oss", "grok-3-mini"].into_iter().any(family) {
        Effort
    } else if let Some(rest) = name.strip_prefix("claude-") {
        if claude_version(rest) >= (4, 7) { Adaptive } else { Budget }
    } else {
        No
    }
}

/// Whether a Claude model is of this version or a later one.
pub(crate) fn is_claude_since(name: &str, version: (u32, u32)) -> bool {
    plain(name).strip_prefix("claude-").is_some_and(|rest| claude_version(rest) >= version)
}

/// The version in a Claude model's name, family before or after it: `opus-4-7`, `3-5-haiku`. A name without numbers
/// is a newer one.
fn claude_version(name: &str) -> (u32, u32) {
    let mut numbers =
        name.split(['-', '.']).filter(|part| part.len() <= 2).filter_map(|part| part.parse::<u32>().ok());
    match numbers.next() {
        Some(major) => (major, numbers.next().unwrap_or(0)),
        None => (u32::MAX, 0),
    }
}

/// The effort a reasoning model is asked for: the one wanted, or the nearest above it that the model takes, or its
/// greatest. `None` if it takes none at all or the wanted one is no effort.
pub(crate) fn effort(name: &str, wanted: &str) -> Option<&'static str> {
    const ORDER: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
    let rank = |effort: &str| ORDER.iter().position(|known| *known == effort);
    let wanted = rank(wanted)?;
    let taken = efforts(&plain(name));
    taken.iter().copied().find(|effort| rank(effort) >= Some(wanted)).or_else(|| taken.last().copied())
}

/// What a model takes, rising.
fn efforts(name: &str) -> &'static [&'static str] {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if begins(&["o1-mini", "o1-preview"]) {
        &[]
    } else if begins(&["grok-3-mini"]) {
        &["low", "high"]
    } else if begins(&["gpt-5-pro"]) {
        &["high"]
    } else if begins(&["gpt-5-codex", "gpt-5.1-codex", "gpt-oss", "o1", "o3", "o4"]) {
        &["low", "medium", "high"]
    } else if begins(&["gpt-5.1"]) {
        &["none", "low", "medium", "high"]
    } else if begins(&["gpt-5."]) {
        &["none", "low", "medium", "high", "xhigh"]
    } else if begins(&["gpt-5"]) {
        &["minimal", "low", "medium", "high"]
    } else {
        &["low", "medium", "high"]
    }
}

/// Dimensions of an embedding model, where known.
pub(crate) fn embedding_dimensions(name: &str) -> Option<u32> {
    let wanted = plain(name);
    let wanted = wanted.split(':').next().unwrap_or(&wanted);
    EMBEDDINGS.iter().find(|(name, _)| *name == wanted).map(|(_, dimensions)| *dimensions)
}

/// Whether a listed model makes vectors rather than text.
pub(crate) fn is_embedding(name: &str) -> bool {
    let name = plain(name);
    embedding_dimensions(&name).is_some() || name.contains("embed") || name.starts_with("bge-")
}

/// Whether a listed model holds no conversations: speech, images, moderation, completions of old.
pub(crate) fn is_not_for_chat(name: &str) -> bool {
    const PARTS: [&str; 14] = [
        "whisper",
        "tts",
        "dall-e",
        "moderation",
        "realtime",
        "transcribe",
        "gpt-image",
        "chatgpt-image",
        "sora",
        "babbage",
        "davinci",
        "-instruct-0914",
        "gpt-audio",
        "-audio-preview",
    ];
    let name = plain(name);
    name == "gpt-3.5-turbo-instruct" || PARTS.iter().any(|part| name.contains(part))
}

/// Lower case, after the last `/`.
fn plain(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_lowercase()
}

/// `gpt-4o-2024-08-06`, `claude-sonnet-4-20250514`, `claude-3-7-sonnet-latest` without the suffix.
fn without_date(name: &str) -> &str {
    let name = name.strip_suffix("-latest").unwrap_or(name);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((rest, date)) = name.rsplit_once('-')
        && date.len() == 8
        && digits(date)
    {
        return rest;
    }
    if name.len() > 11 && name.is_char_boundary(name.len() - 11) {
        let (rest, date) = name.split_at(name.len() - 11);
        let mut parts = date.split('-');
        let shape = [0, 4, 2, 2].map(|len| parts.next().is_some_and(|part| part.len() == len));
        if shape == [true; 4] && date.split('-').skip(1).all(digits) {
            return rest;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_under_the_names_it_goes_by() {
        for (name, expected) in [
            ("gpt-4.1", Some("gpt-4.1")),
            ("gpt-4.1-2025-04-14", Some("gpt-4.1")),
            ("gpt-4o-mini-2024-07-18", Some("gpt-4o-mini")),
            ("gpt-5-chat-latest", Some("gpt-5-chat-latest")),
            ("openai/gpt-5", Some("gpt-5")),
            ("claude-sonnet-4-20250514", Some("claude-sonnet-4")),
            ("claude-sonnet-4-5-20250929", Some("claude-sonnet-4-5")),
            ("anthropic/claude-sonnet-4.5", Some("claude-sonnet-4-5")),
            ("claude-3-7-sonnet-latest", Some("claude-3-7-sonnet")),
            ("llama-3.3-70b", None),
            ("ü-2024-08-06", None),
            ("", None),
        ] {
            assert_eq!(known(name).map(|known| known.name), expected, "{name}");
        }
    }

    #[test]
    fn families_reason_alike() {
        assert_eq!(thinks("o3-2025-04-16"), Thinks::EffortSingleCalls);
        assert_eq!(thinks("gpt-5.9-turbo"), Thinks::Effort);
        assert_eq!(thinks("gpt-5-chat"), Thinks::No);
        assert_eq!(thinks("gpt-4.1"), Thinks::No);
        assert_eq!(thinks("olmo-2"), Thinks::No);
        assert_eq!(thinks("claude-opus-9"), Thinks::Adaptive);
        assert_eq!(thinks("claude-sonnet-4-6-20260101"), Thinks::Budget);
        assert_eq!(thinks("claude-opus-4-8"), Thinks::Adaptive);
        assert_eq!(thinks("anthropic/claude-opus-4.7"), Thinks::Adaptive);
    }

    #[test]
    fn an_effort_is_one_the_model_takes() {
        for (name, wanted, expected) in [
            ("o3", "minimal", Some("low")),
            ("o3", "xhigh", Some("high")),
            ("gpt-5", "minimal", Some("minimal")),
            ("gpt-5-mini", "none", Some("minimal")),
            ("gpt-5.1", "minimal", Some("low")),
            ("gpt-5.2", "xhigh", Some("xhigh")),
            ("gpt-5-pro", "low", Some("high")),
            ("openai/gpt-oss-20b", "none", Some("low")),
            ("o1-mini", "low", None),
            ("gpt-5", "max", None),
        ] {
            assert_eq!(effort(name, wanted), expected, "{name} {wanted}");
        }
    }

    #[test]
    fn a_call_costs_what_its_parts_cost() {
        let price = Price {
            input: 3_000_000,
            output: 15_000_000,
            cached_input: Some(300_000),
            cache_write: Some(3_750_000),
            known: "2026-03",
            page: None,
        };
        let usage = Usage {
            prompt_tokens: 1_000_000,
            completion_tokens: 1000,
            cached_input_tokens: Some(800_000),
            cache_write_tokens: Some(100_000),
            ..Usage::default()
        };
        // 0.1 M × $3 + 0.8 M × $0.30 + 0.1 M × $3.75 + 0.001 M × $15.
        assert_eq!(price.cost(&usage), 930_000_000);
        // An hour costs twice the input's price: 0.1 M × $6 in the place of 0.1 M × $3.75.
        let hour = Usage { hour_cache_write_tokens: Some(100_000), ..usage };
        assert_eq!(price.cost(&hour), 1_155_000_000);
        assert_eq!(price.cost(&Usage::default()), 0);
        assert!(MODELS.iter().all(|model| model.price.is_none_or(|price| price.output >= price.input)));
    }

    #[test]
    fn embeddings_are_told_from_chat_models() {
        assert_eq!(embedding_dimensions("text-embedding-3-small"), Some(1536));
        assert_eq!(embedding_dimensions("nomic-embed-text:latest"), Some(768));
        assert!(is_embedding("BAAI/bge-m3") && is_embedding("some-embedder") && !is_embedding("gpt-4.1"));
        assert!(is_not_for_chat("whisper-1") && !is_not_for_chat("gpt-4o"));
    }
}
