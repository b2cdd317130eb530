//! The kinds of providers people have: how each is spoken to, where it is, which variables name it.

use crate::protocols::Protocol;

/// What a kind of provider is, before anybody has configured one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProviderKind {
    /// As rows and configurations carry it; also the usual name, the part of a handle before the first `/`.
    pub provider_type: &'static str,
    pub display_name: &'static str,
    pub protocol: Protocol,
    /// Where it is, if it has one address. A local runtime's is its usual port.
    pub base_url: Option<&'static str>,
    /// What an address looks like where everybody has their own.
    pub base_url_example: Option<&'static str>,
    pub key: KeyNeed,
    /// Variables that may hold the key; the first that is set counts.
    pub key_variables: &'static [&'static str],
    /// Variables that may hold the address.
    pub url_variables: &'static [&'static str],
    /// Where a person gets a key.
    pub keys_page: Option<&'static str>,
    /// Where it says what its models cost: the source of the prices known here.
    pub prices_page: Option<&'static str>,
    /// Runs on the person's own machine or network: what it reports counts more than what is known of a name.
    pub is_local: bool,
    /// As the API calls it, where it has no word for this kind.
    pub shown_as: Option<&'static str>,
}

/// Whether a provider wants a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNeed {
    Required,
    Optional,
}

const fn cloud(
    provider_type: &'static str,
    display_name: &'static str,
    base_url: &'static str,
    key_variables: &'static [&'static str],
    url_variables: &'static [&'static str],
    keys_page: &'static str,
) -> ProviderKind {
    ProviderKind {
        provider_type,
        display_name,
        protocol: Protocol::OpenAiChat,
        base_url: Some(base_url),
        base_url_example: None,
        key: KeyNeed::Required,
        key_variables,
        url_variables,
        keys_page: Some(keys_page),
        prices_page: None,
        is_local: false,
        shown_as: None,
    }
}

const fn local(
    provider_type: &'static str,
    display_name: &'static str,
    base_url: &'static str,
    key_variables: &'static [&'static str],
    url_variables: &'static [&'static str],
) -> ProviderKind {
    ProviderKind {
        provider_type,
        display_name,
        protocol: Protocol::OpenAiChat,
        base_url: Some(base_url),
        base_url_example: None,
        key: KeyNeed::Optional,
        key_variables,
        url_variables,
        keys_page: None,
        prices_page: None,
        is_local: true,
        shown_as: None,
    }
}

/// In the order they are offered.
const KINDS: &[ProviderKind] = &[
    ProviderKind {
        protocol: Protocol::OpenAiResponses,
        prices_page: Some("https://platform.openai.com/docs/pricing"),
        ..cloud(
            "openai",
            "OpenAI",
            "https://api.openai.com/v1",
            &["OPENAI_API_KEY"],
            &["OPENAI_BASE_URL"],
            "https://platform.openai.com/api-keys",
        )
    },
    ProviderKind {
        protocol: Protocol::Anthropic,
        prices_page: Some("https://docs.anthropic.com/en/docs/about-claude/pricing"),
        ..cloud(
            "anthropic",
            "Anthropic",
            "https://api.anthropic.com",
            &["ANTHROPIC_API_KEY"],
            &["ANTHROPIC_BASE_URL"],
            "https://console.anthropic.com/settings/keys",
        )
    },
    ProviderKind {
        protocol: Protocol::Google,
        prices_page: Some("https://ai.google.dev/gemini-api/docs/pricing"),
        ..cloud(
            "google_ai",
            "Google Gemini",
            "https://generativelanguage.googleapis.com/v1beta",
            &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
            &["GEMINI_BASE_URL"],
            "https://aistudio.google.com/apikey",
        )
    },
    cloud(
        "openrouter",
        "OpenRouter",
        "https://openrouter.ai/api/v1",
        &["OPENROUTER_API_KEY"],
        &["OPENROUTER_BASE_URL"],
        "https://openrouter.ai/settings/keys",
    ),
    cloud(
        "groq",
        "Groq",
        "https://api.groq.com/openai/v1",
        &["GROQ_API_KEY"],
        &["GROQ_BASE_URL"],
        "https://console.groq.com/keys",
    ),
    ProviderKind {
        prices_page: Some("https://api-docs.deepseek.com/quick_start/pricing"),
        ..cloud(
            "deepseek",
            "DeepSeek",
            "https://api.deepseek.com/v1",
            &["DEEPSEEK_API_KEY"],
            &["DEEPSEEK_BASE_URL"],
            "https://platform.deepseek.com/api_keys",
        )
    },
    ProviderKind {
        prices_page: Some("https://mistral.ai/pricing"),
        ..cloud(
            "mistral",
            "Mistral",
            "https://api.mistral.ai/v1",
            &["MISTRAL_API_KEY"],
            &["MISTRAL_BASE_URL"],
            "https://console.mistral.ai/api-keys",
        )
    },
    ProviderKind {
        prices_page: Some("https://docs.x.ai/docs/models"),
        ..cloud(
            "xai",
            "xAI",
            "https://api.x.ai/v1",
            &["XAI_API_KEY"],
            &["XAI_BASE_URL"],
            "https://console.x.ai",
        )
    },
    cloud(
        "together",
        "Together AI",
        "https://api.together.xyz/v1",
        &["TOGETHER_API_KEY"],
        &["TOGETHER_BASE_URL"],
        "https://api.together.ai/settings/api-keys",
    ),
    cloud(
        "fireworks",
        "Fireworks",
        "https://api.fireworks.ai/inference/v1",
        &["FIREWORKS_API_KEY"],
        &["FIREWORKS_BASE_URL"],
        "https://app.fireworks.ai/settings/users/api-keys",
    ),
    cloud(
        "cerebras",
        "Cerebras",
        "https://api.cerebras.ai/v1",
        &["CEREBRAS_API_KEY"],
        &["CEREBRAS_BASE_URL"],
        "https://cloud.cerebras.ai",
    ),
    ProviderKind {
        prices_page: Some("https://docs.z.ai/guides/overview/pricing"),
        ..cloud(
            "zai",
            "Z.ai",
            "https://api.z.ai/api/paas/v4",
            &["ZAI_API_KEY"],
            &["ZAI_BASE_URL"],
            "https://z.ai/manage-apikey/apikey-list",
        )
    },
    cloud(
        "zai_coding",
        "Z.ai Coding Plan",
        "https://api.z.ai/api/coding/paas/v4",
        &["ZAI_CODING_API_KEY"],
        &["ZAI_CODING_BASE_URL"],
        "https://z.ai/manage-apikey/apikey-list",
    ),
    cloud(
        "minimax",
        "MiniMax",
        "https://api.minimax.io/v1",
        &["MINIMAX_API_KEY"],
        &["MINIMAX_BASE_URL"],
        "https://platform.minimax.io/user-center/basic-information/interface-key",
    ),
    cloud(
        "hugging-face",
        "Hugging Face",
        "https://router.huggingface.co/v1",
        &["HUGGINGFACE_API_KEY"],
        &["HUGGINGFACE_BASE_URL"],
        "https://huggingface.co/settings/tokens",
    ),
    cloud(
        "baseten",
        "Baseten",
        "https://inference.baseten.co/v1",
        &["BASETEN_API_KEY"],
        &["BASETEN_BASE_URL"],
        "https://app.baseten.co/settings/api_keys",
    ),
    ProviderKind {
        base_url: None,
        base_url_example: Some("https://YOUR-RESOURCE.openai.azure.com/openai/v1"),
        prices_page: Some(
            "https://azure.microsoft.com/en-us/pricing/details/cognitive-services/openai-service/",
        ),
        ..cloud(
            "azure",
            "Azure OpenAI",
            "",
            &["AZURE_API_KEY", "AZURE_OPENAI_API_KEY"],
            &["AZURE_BASE_URL", "AZURE_OPENAI_ENDPOINT"],
            "https://ai.azure.com",
        )
    },
    ProviderKind {
        base_url: None,
        base_url_example: Some("https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1"),
        ..cloud(
            "bedrock",
            "Amazon Bedrock",
            "",
            &["AWS_BEARER_TOKEN_BEDROCK"],
            &["BEDROCK_BASE_URL"],
            "https://console.aws.amazon.com/bedrock/home#/api-keys",
        )
    },
    ProviderKind {
        protocol: Protocol::Ollama,
        ..local("ollama", "Ollama", "http://127.0.0.1:11434", &["OLLAMA_API_KEY"], &["OLLAMA_BASE_URL"])
    },
    local(
        "lmstudio_openai",
        "LM Studio",
        "http://127.0.0.1:1234/v1",
        &["LMSTUDIO_API_KEY"],
        &["LMSTUDIO_BASE_URL"],
    ),
    ProviderKind {
        shown_as: Some("openai"),
        ..local(
            "llamacpp",
            "llama.cpp server",
            "http://127.0.0.1:8080/v1",
            &["LLAMACPP_API_KEY"],
            &["LLAMACPP_BASE_URL"],
        )
    },
    local("vllm", "vLLM", "http://127.0.0.1:8000/v1", &["VLLM_API_KEY"], &["VLLM_BASE_URL"]),
    local("sglang", "SGLang", "http://127.0.0.1:30000/v1", &["SGLANG_API_KEY"], &["SGLANG_BASE_URL"]),
    ProviderKind {
        base_url: None,
        base_url_example: Some("https://models.example.com/v1"),
        shown_as: Some("openai"),
        ..local("custom", "OpenAI-compatible server", "", &[], &[])
    },
];

/// All kinds, in the order they are offered.
#[must_use]
pub fn provider_kinds() -> &'static [ProviderKind] {
    KINDS
}

/// The kind of this type.
#[must_use]
pub fn provider_kind(provider_type: &str) -> Option<&'static ProviderKind> {
    KINDS.iter().find(|kind| kind.provider_type == provider_type)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_kind_can_be_reached_or_says_what_an_address_looks_like() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(!KINDS[..at].iter().any(|other| other.provider_type == kind.provider_type), "{kind:?}");
            let address = kind.base_url.or(kind.base_url_example).unwrap();
            assert!(reqwest::Url::parse(address).unwrap().host().is_some(), "{kind:?}");
            assert!(!address.ends_with('/'), "{kind:?}");
            for page in [kind.keys_page, kind.prices_page].into_iter().flatten() {
                assert!(page.starts_with("https://"), "{kind:?}");
            }
        }
    }
}
