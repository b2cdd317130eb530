//! Where a provider is reached: the address given, else the known one of its type.

use loci_api::error::ApiError;

/// The base URL of a provider: the one given, else the one its type is known by.
///
/// # Errors
/// 422 if the type has no address of its own.
pub fn address(provider_type: &str, base_url: Option<&str>) -> Result<String, ApiError> {
    let given = base_url.map(str::trim).filter(|url| !url.is_empty());
    match (given, provider_type) {
        (Some(url), _) => Ok(url.to_owned()),
        (None, "openai") => Ok("https://api.openai.com/v1".to_owned()),
        (None, "anthropic") => Ok("https://api.anthropic.com".to_owned()),
        (None, _) => {
            Err(ApiError::validation(format!("A provider of type {provider_type} needs a base URL.")))
        }
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
