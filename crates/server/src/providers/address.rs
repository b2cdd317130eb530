//! Where a provider is reached: the address given, else the known one of its type.

use loci_api::error::ApiError;
use loci_llm::provider_kind;

/// The base URL of a provider: the one given, else the one its type is known by, for Amazon Bedrock the region's.
///
/// # Errors
/// 422 if the type has no address of its own, or the region is none.
pub fn address(
    provider_type: &str,
    base_url: Option<&str>,
    region: Option<&str>,
) -> Result<String, ApiError> {
    if let Some(url) = base_url.map(str::trim).filter(|url| !url.is_empty()) {
        return Ok(url.to_owned());
    }
    if provider_type == "bedrock"
        && let Some(region) = region.map(str::trim).filter(|region| !region.is_empty())
    {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        return if region.len() <= 40 && region.chars().all(plain) {
            Ok(format!("https://bedrock-runtime.{region}.amazonaws.com/openai/v1"))
        } else {
            Err(ApiError::validation("region: write it as AWS does, for example eu-central-1."))
        };
    }
    match provider_kind(provider_type) {
        // What is wrong with the type is said where the rest is checked.
        None => Ok("http://localhost".to_owned()),
        Some(kind) => kind.base_url.map(str::to_owned).ok_or_else(|| {
            let example = kind.base_url_example.map(|url| format!(", such as {url}")).unwrap_or_default();
            ApiError::validation(format!("A provider of type {provider_type} needs a base URL{example}."))
        }),
    }
}

/// An address in one form, to see whether two are the same server: this machine has several names.
pub(super) fn canonical(base_url: &str) -> String {
    let url = base_url.trim().trim_end_matches('/').to_lowercase();
    let url = url.strip_suffix("/v1").unwrap_or(&url);
    url.replacen("://localhost", "://127.0.0.1", 1).replacen("://[::1]", "://127.0.0.1", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_brings_its_address() {
        for (kind, url, region, wanted) in [
            ("openai", None, None, Ok("https://api.openai.com/v1")),
            ("openai", Some(" http://mine/v1 "), None, Ok("http://mine/v1")),
            ("ollama", Some(""), None, Ok("http://127.0.0.1:11434")),
            (
                "bedrock",
                None,
                Some("eu-central-1"),
                Ok("https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1"),
            ),
            ("bedrock", None, Some("evil.example/"), Err("region")),
            ("bedrock", None, None, Err("needs a base URL, such as https://bedrock-runtime")),
            ("custom", None, None, Err("needs a base URL")),
        ] {
            match (address(kind, url, region), wanted) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, wanted),
                (Err(error), Err(part)) => assert!(error.message.contains(part), "{error}"),
                (other, _) => panic!("{kind} {url:?} {region:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn one_server_has_one_form() {
        for (one, other) in [
            ("http://localhost:11434", "http://127.0.0.1:11434/v1/"),
            ("http://[::1]:8080/v1", "HTTP://localhost:8080"),
        ] {
            assert_eq!(canonical(one), canonical(other), "{one}");
        }
        assert_ne!(canonical("http://localhost:1"), canonical("http://localhost:2"));
    }
}
