//! What is known of well-known models without asking anybody: windows, limits, reasoning, embedding sizes.

/// What is known of a chat model. Tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub name: &'static str,
    pub display_name: &'static str,
    pub context_window: u32,
    pub max_output_tokens: u32,
    pub thinks: Thinks,
}

/// How a model reasons, which decides what may be sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thinks {
    No,
    /// Always, by effort: no temperature, `max_completion_tokens`, `reasoning_effort`.
    Effort,
    /// As [`Thinks::Effort`], but the model refuses `parallel_tool_calls`.
    EffortSingleCalls,
    /// When given a budget of tokens.
    Budget,
}

const fn model(
    name: &'static str,
    display_name: &'static str,
    context_window: u32,
    max_output_tokens: u32,
    thinks: Thinks,
) -> Known {
    Known { name, display_name, context_window, max_output_tokens, thinks }
}

/// Used where nothing better is known.
pub(crate) const DEFAULT_CONTEXT_WINDOW: u32 = 128_000;
/// Anthropic's protocol wants a number; this is the careful one for a model nobody knows.
pub(crate) const DEFAULT_MAX_OUTPUT: u32 = 4096;

use Thinks::{Budget, Effort, EffortSingleCalls, No};

const MODELS: &[Known] = &[
    model("gpt-5.2", "GPT-5.2", 400_000, 128_000, Effort),
    model("gpt-5.1", "GPT-5.1", 400_000, 128_000, Effort),
    model("gpt-5.1-codex", "GPT-5.1 Codex", 400_000, 128_000, Effort),
    model("gpt-5", "GPT-5", 400_000, 128_000, Effort),
    model("gpt-5-mini", "GPT-5 mini", 400_000, 128_000, Effort),
    model("gpt-5-nano", "GPT-5 nano", 400_000, 128_000, Effort),
    model("gpt-5-codex", "GPT-5 Codex", 400_000, 128_000, Effort),
    model("gpt-5-pro", "GPT-5 pro", 400_000, 272_000, Effort),
    model("gpt-5-chat-latest", "GPT-5 Chat", 128_000, 16_384, No),
    model("gpt-4.1", "GPT-4.1", 1_047_576, 32_768, No),
    model("gpt-4.1-mini", "GPT-4.1 mini", 1_047_576, 32_768, No),
    model("gpt-4.1-nano", "GPT-4.1 nano", 1_047_576, 32_768, No),
    model("gpt-4o", "GPT-4o", 128_000, 16_384, No),
    model("gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, No),
    model("chatgpt-4o-latest", "ChatGPT-4o", 128_000, 16_384, No),
    model("gpt-4-turbo", "GPT-4 Turbo", 128_000, 4096, No),
    model("gpt-4", "GPT-4", 8192, 8192, No),
    model("gpt-3.5-turbo", "GPT-3.5 Turbo", 16_385, 4096, No),
    model("o4-mini", "o4-mini", 200_000, 100_000, EffortSingleCalls),
    model("o3", "o3", 200_000, 100_000, EffortSingleCalls),
    model("o3-pro", "o3-pro", 200_000, 100_000, EffortSingleCalls),
    model("o3-mini", "o3-mini", 200_000, 100_000, EffortSingleCalls),
    model("o1", "o1", 200_000, 100_000, EffortSingleCalls),
    model("o1-pro", "o1-pro", 200_000, 100_000, EffortSingleCalls),
    model("o1-mini", "o1-mini", 128_000, 65_536, EffortSingleCalls),
    model("gpt-oss-120b", "gpt-oss 120B", 131_072, 32_768, Effort),
    model("gpt-oss-20b", "gpt-oss 20B", 131_072, 32_768, Effort),
    model("claude-opus-4-6", "Claude Opus 4.6", 200_000, 128_000, Budget),
    model("claude-sonnet-4-6", "Claude Sonnet 4.6", 200_000, 64_000, Budget),
    model("claude-opus-4-5", "Claude Opus 4.5", 200_000, 64_000, Budget),
    model("claude-opus-4-1", "Claude Opus 4.1", 200_000, 32_000, Budget),
    model("claude-opus-4", "Claude Opus 4", 200_000, 32_000, Budget),
    model("claude-opus-4-0", "Claude Opus 4", 200_000, 32_000, Budget),
    model("claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000, Budget),
    model("claude-sonnet-4", "Claude Sonnet 4", 200_000, 64_000, Budget),
    model("claude-sonnet-4-0", "Claude Sonnet 4", 200_000, 64_000, Budget),
    model("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, Budget),
    model("claude-3-7-sonnet", "Claude Sonnet 3.7", 200_000, 64_000, Budget),
    model("claude-3-5-sonnet", "Claude Sonnet 3.5", 200_000, 8192, No),
    model("claude-3-5-haiku", "Claude Haiku 3.5", 200_000, 8192, No),
    model("claude-3-opus", "Claude Opus 3", 200_000, 4096, No),
    model("claude-3-sonnet", "Claude Sonnet 3", 200_000, 4096, No),
    model("claude-3-haiku", "Claude Haiku 3", 200_000, 4096, No),
];

/// Name and dimensions.
const EMBEDDINGS: &[(&str, u32)] = &[
    ("text-embedding-3-small", 1536),
    ("text-embedding-3-large", 3072),
    ("text-embedding-ada-002", 1536),
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
    } else if name.starts_with("claude-") {
        Budget
    } else {
        No
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
        assert_eq!(thinks("claude-opus-9"), Thinks::Budget);
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
    fn embeddings_are_told_from_chat_models() {
        assert_eq!(embedding_dimensions("text-embedding-3-small"), Some(1536));
        assert_eq!(embedding_dimensions("nomic-embed-text:latest"), Some(768));
        assert!(is_embedding("BAAI/bge-m3") && is_embedding("some-embedder") && !is_embedding("gpt-4.1"));
        assert!(is_not_for_chat("whisper-1") && !is_not_for_chat("gpt-4o"));
    }
}
