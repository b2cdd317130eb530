//! Chat models that are known without asking anybody: windows, limits, what they can do, what they cost.

use super::{
    Known, Price,
    Thinks::{self, Adaptive, Budget, Effort, EffortSingleCalls, No},
};

const fn model(
    name: &'static str,
    display_name: &'static str,
    context_window: u32,
    max_output_tokens: u32,
    thinks: Thinks,
) -> Known {
    Known {
        name,
        display_name,
        context_window,
        max_output_tokens,
        thinks,
        reasons: !matches!(thinks, No),
        tools: true,
        images: true,
        price: None,
    }
}

impl Known {
    const fn no_images(mut self) -> Self {
        self.images = false;
        self
    }

    const fn no_tools(mut self) -> Self {
        self.tools = false;
        self
    }

    /// Reasons by itself, without anything that could be set.
    const fn reasons(mut self) -> Self {
        self.reasons = true;
        self
    }

    /// When its price was known to be so.
    const fn as_of(mut self, known: &'static str) -> Self {
        if let Some(mut price) = self.price {
            price.known = known;
            self.price = Some(price);
        }
        self
    }

    /// Millionths of a dollar per million tokens: read, read from the cache, written.
    const fn costs(mut self, input: u64, cached_input: u64, output: u64) -> Self {
        self.price = Some(Price {
            input,
            output,
            cached_input: Some(cached_input),
            cache_write: None,
            known: KNOWN,
            page: None,
        });
        self
    }

    /// The same where the cache costs nothing less.
    const fn costs_plain(mut self, input: u64, output: u64) -> Self {
        self.price =
            Some(Price { input, output, cached_input: None, cache_write: None, known: KNOWN, page: None });
        self
    }

    /// Anthropic's prices follow from two: reading the cache costs a tenth, writing it a quarter more.
    const fn costs_anthropic(mut self, input: u64, output: u64) -> Self {
        self.price = Some(Price {
            input,
            output,
            cached_input: Some(input / 10),
            cache_write: Some(input + input / 4),
            known: KNOWN,
            page: None,
        });
        self
    }
}

/// When the prices below were known to be so, where nothing else is said: year and month. The pages that say them are
/// with the providers (`prices_page`).
const KNOWN: &str = "2026-03";

/// The first that fits a name counts.
pub(super) const MODELS: &[Known] = &[
    model("gpt-5.5", "GPT-5.5", 1_000_000, 128_000, Effort)
        .costs(5_000_000, 500_000, 30_000_000)
        .as_of("2026-06"),
    model("gpt-5.5-pro", "GPT-5.5 pro", 1_000_000, 128_000, Effort)
        .costs_plain(30_000_000, 180_000_000)
        .as_of("2026-06"),
    model("gpt-5.4", "GPT-5.4", 1_050_000, 128_000, Effort).costs(2_500_000, 250_000, 15_000_000),
    model("gpt-5.4-mini", "GPT-5.4 mini", 400_000, 128_000, Effort).costs(750_000, 75_000, 4_500_000),
    model("gpt-5.4-nano", "GPT-5.4 nano", 400_000, 128_000, Effort).costs(200_000, 20_000, 1_250_000),
    model("gpt-5.3-codex", "GPT-5.3 Codex", 400_000, 128_000, Effort).costs(1_750_000, 175_000, 14_000_000),
    model("gpt-5.2", "GPT-5.2", 400_000, 128_000, Effort).costs(1_750_000, 175_000, 14_000_000),
    model("gpt-5.1", "GPT-5.1", 400_000, 128_000, Effort).costs(1_250_000, 125_000, 10_000_000),
    model("gpt-5.1-codex", "GPT-5.1 Codex", 400_000, 128_000, Effort).costs(1_250_000, 125_000, 10_000_000),
    model("gpt-5", "GPT-5", 400_000, 128_000, Effort).costs(1_250_000, 125_000, 10_000_000),
    model("gpt-5-mini", "GPT-5 mini", 400_000, 128_000, Effort).costs(250_000, 25_000, 2_000_000),
    model("gpt-5-nano", "GPT-5 nano", 400_000, 128_000, Effort).costs(50_000, 5_000, 400_000),
    model("gpt-5-codex", "GPT-5 Codex", 400_000, 128_000, Effort).costs(1_250_000, 125_000, 10_000_000),
    model("gpt-5-pro", "GPT-5 pro", 400_000, 272_000, Effort).costs_plain(15_000_000, 120_000_000),
    model("gpt-5-chat-latest", "GPT-5 Chat", 128_000, 16_384, No).costs(1_250_000, 125_000, 10_000_000),
    model("gpt-4.1", "GPT-4.1", 1_047_576, 32_768, No).costs(2_000_000, 500_000, 8_000_000),
    model("gpt-4.1-mini", "GPT-4.1 mini", 1_047_576, 32_768, No).costs(400_000, 100_000, 1_600_000),
    model("gpt-4.1-nano", "GPT-4.1 nano", 1_047_576, 32_768, No).costs(100_000, 25_000, 400_000),
    model("gpt-4o", "GPT-4o", 128_000, 16_384, No).costs(2_500_000, 1_250_000, 10_000_000),
    model("gpt-4o-mini", "GPT-4o mini", 128_000, 16_384, No).costs(150_000, 75_000, 600_000),
    model("chatgpt-4o-latest", "ChatGPT-4o", 128_000, 16_384, No).costs_plain(5_000_000, 15_000_000),
    model("gpt-4-turbo", "GPT-4 Turbo", 128_000, 4096, No).costs_plain(10_000_000, 30_000_000),
    model("gpt-4", "GPT-4", 8192, 8192, No).no_images().costs_plain(30_000_000, 60_000_000),
    model("gpt-3.5-turbo", "GPT-3.5 Turbo", 16_385, 4096, No).no_images().costs_plain(500_000, 1_500_000),
    model("o4-mini", "o4-mini", 200_000, 100_000, EffortSingleCalls).costs(1_100_000, 275_000, 4_400_000),
    model("o3", "o3", 200_000, 100_000, EffortSingleCalls).costs(2_000_000, 500_000, 8_000_000),
    model("o3-pro", "o3-pro", 200_000, 100_000, EffortSingleCalls).costs_plain(20_000_000, 80_000_000),
    model("o3-mini", "o3-mini", 200_000, 100_000, EffortSingleCalls)
        .no_images()
        .costs(1_100_000, 550_000, 4_400_000),
    model("o1", "o1", 200_000, 100_000, EffortSingleCalls).costs(15_000_000, 7_500_000, 60_000_000),
    model("o1-pro", "o1-pro", 200_000, 100_000, EffortSingleCalls).costs_plain(150_000_000, 600_000_000),
    model("o1-mini", "o1-mini", 128_000, 65_536, EffortSingleCalls).no_images().no_tools(),
    model("gpt-oss-120b", "gpt-oss 120B", 131_072, 32_768, Effort).no_images(),
    model("gpt-oss-20b", "gpt-oss 20B", 131_072, 32_768, Effort).no_images(),
    model("claude-fable-5-1", "Claude Fable 5.1", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(10_000_000, 50_000_000)
        .as_of("2026-09"),
    model("claude-opus-5-5", "Claude Opus 5.5", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(4_000_000, 20_000_000)
        .as_of("2026-09"),
    model("claude-opus-5", "Claude Opus 5", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(5_000_000, 25_000_000)
        .as_of("2026-09"),
    model("claude-sonnet-5-5", "Claude Sonnet 5.5", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(2_000_000, 10_000_000)
        .as_of("2026-09"),
    model("claude-sonnet-5", "Claude Sonnet 5", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(2_000_000, 10_000_000)
        .as_of("2026-09"),
    // Its price depends on more than the tokens.
    model("claude-haiku-5-5", "Claude Haiku 5.5", 1_000_000, 128_000, Adaptive),
    model("claude-opus-4-7", "Claude Opus 4.7", 1_000_000, 128_000, Adaptive)
        .costs_anthropic(5_000_000, 25_000_000),
    model("claude-opus-4-6", "Claude Opus 4.6", 200_000, 128_000, Budget)
        .costs_anthropic(5_000_000, 25_000_000),
    model("claude-sonnet-4-6", "Claude Sonnet 4.6", 200_000, 64_000, Budget)
        .costs_anthropic(3_000_000, 15_000_000),
    model("claude-opus-4-5", "Claude Opus 4.5", 200_000, 64_000, Budget)
        .costs_anthropic(5_000_000, 25_000_000),
    model("claude-opus-4-1", "Claude Opus 4.1", 200_000, 32_000, Budget)
        .costs_anthropic(15_000_000, 75_000_000),
    model("claude-opus-4", "Claude Opus 4", 200_000, 32_000, Budget).costs_anthropic(15_000_000, 75_000_000),
    model("claude-opus-4-0", "Claude Opus 4", 200_000, 32_000, Budget)
        .costs_anthropic(15_000_000, 75_000_000),
    model("claude-sonnet-4-5", "Claude Sonnet 4.5", 200_000, 64_000, Budget)
        .costs_anthropic(3_000_000, 15_000_000),
    model("claude-sonnet-4", "Claude Sonnet 4", 200_000, 64_000, Budget)
        .costs_anthropic(3_000_000, 15_000_000),
    model("claude-sonnet-4-0", "Claude Sonnet 4", 200_000, 64_000, Budget)
        .costs_anthropic(3_000_000, 15_000_000),
    model("claude-haiku-4-5", "Claude Haiku 4.5", 200_000, 64_000, Budget)
        .costs_anthropic(1_000_000, 5_000_000),
    model("claude-3-7-sonnet", "Claude Sonnet 3.7", 200_000, 64_000, Budget)
        .costs_anthropic(3_000_000, 15_000_000),
    model("claude-3-5-sonnet", "Claude Sonnet 3.5", 200_000, 8192, No).costs_anthropic(3_000_000, 15_000_000),
    model("claude-3-5-haiku", "Claude Haiku 3.5", 200_000, 8192, No).costs_anthropic(800_000, 4_000_000),
    model("claude-3-opus", "Claude Opus 3", 200_000, 4096, No).costs_anthropic(15_000_000, 75_000_000),
    model("claude-3-sonnet", "Claude Sonnet 3", 200_000, 4096, No).costs_anthropic(3_000_000, 15_000_000),
    model("claude-3-haiku", "Claude Haiku 3", 200_000, 4096, No).costs_anthropic(250_000, 1_250_000),
    model("gemini-3.8-flash", "Gemini 3.8 Flash", 1_048_576, 65_536, No)
        .reasons()
        .costs_plain(750_000, 3_750_000)
        .as_of("2026-10"),
    model("gemini-3.5-flash", "Gemini 3.5 Flash", 1_048_576, 65_536, No)
        .reasons()
        .costs_plain(1_500_000, 9_000_000)
        .as_of("2026-10"),
    model("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", 1_048_576, 65_536, No)
        .reasons()
        .costs_plain(300_000, 2_500_000)
        .as_of("2026-10"),
    model("gemini-3.1-pro-preview", "Gemini 3.1 Pro", 1_048_576, 65_536, No)
        .reasons()
        .costs(2_000_000, 200_000, 12_000_000),
    model("gemini-3-pro-preview", "Gemini 3 Pro", 1_048_576, 65_536, No)
        .reasons()
        .costs(2_000_000, 200_000, 12_000_000),
    model("gemini-3-flash-preview", "Gemini 3 Flash", 1_048_576, 65_536, No)
        .reasons()
        .costs(500_000, 50_000, 3_000_000),
    model("gemini-2.5-pro", "Gemini 2.5 Pro", 1_048_576, 65_536, No)
        .reasons()
        .costs(1_250_000, 125_000, 10_000_000),
    model("gemini-2.5-flash", "Gemini 2.5 Flash", 1_048_576, 65_536, No)
        .reasons()
        .costs(300_000, 30_000, 2_500_000),
    model("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 1_048_576, 65_536, No)
        .reasons()
        .costs(100_000, 10_000, 400_000),
    model("gemini-2.0-flash", "Gemini 2.0 Flash", 1_048_576, 8192, No).costs(100_000, 25_000, 400_000),
    model("deepseek-chat", "DeepSeek Chat", 131_072, 8192, No).no_images().costs(280_000, 28_000, 420_000),
    model("deepseek-reasoner", "DeepSeek Reasoner", 131_072, 65_536, No)
        .no_images()
        .reasons()
        .costs(280_000, 28_000, 420_000),
    model("mistral-large-latest", "Mistral Large", 262_144, 16_384, No).costs_plain(500_000, 1_500_000),
    model("mistral-medium-latest", "Mistral Medium", 131_072, 16_384, No).costs_plain(400_000, 2_000_000),
    model("mistral-small-latest", "Mistral Small", 131_072, 16_384, No).costs_plain(100_000, 300_000),
    model("codestral-latest", "Codestral", 262_144, 16_384, No).no_images().costs_plain(300_000, 900_000),
    model("grok-4", "Grok 4", 262_144, 65_536, No).reasons().costs(3_000_000, 750_000, 15_000_000),
    model("grok-4-fast-reasoning", "Grok 4 Fast", 2_000_000, 65_536, No)
        .reasons()
        .costs(200_000, 50_000, 500_000),
    model("grok-4-fast-non-reasoning", "Grok 4 Fast (no reasoning)", 2_000_000, 65_536, No)
        .costs(200_000, 50_000, 500_000),
    model("grok-3", "Grok 3", 131_072, 32_768, No).no_images().costs(3_000_000, 750_000, 15_000_000),
    model("grok-3-mini", "Grok 3 mini", 131_072, 32_768, Effort).no_images().costs(300_000, 75_000, 500_000),
    model("glm-4.6", "GLM-4.6", 204_800, 131_072, No)
        .no_images()
        .reasons()
        .costs(600_000, 110_000, 2_200_000),
    model("glm-4.5", "GLM-4.5", 131_072, 98_304, No).no_images().reasons().costs(600_000, 110_000, 2_200_000),
    model("glm-4.5-air", "GLM-4.5 Air", 131_072, 98_304, No)
        .no_images()
        .reasons()
        .costs(200_000, 30_000, 1_100_000),
];
