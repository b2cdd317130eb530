//! A provider's proofs (signatures, sealed reasoning) inside the one text a reasoning part has for them: marked with
//! the protocol they came by, so that no other protocol sends them back.

use serde::{Serialize, de::DeserializeOwned};

/// The protocols whose proofs need more than a bare text. Anthropic's signatures stand as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    OpenAiChat,
    OpenAiResponses,
    Google,
}

const ORIGINS: [Origin; 3] = [Origin::OpenAiChat, Origin::OpenAiResponses, Origin::Google];

impl Origin {
    /// No signature of Anthropic's begins so: they are base64, which has no colon.
    fn mark(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai-chat:",
            Self::OpenAiResponses => "openai-responses:",
            Self::Google => "google:",
        }
    }

    /// The text to keep.
    pub(super) fn seal(self, proof: &impl Serialize) -> String {
        let json = serde_json::to_string(proof).unwrap_or_default();
        format!("{}{json}", self.mark())
    }

    /// What was sealed, if it was sealed by this protocol.
    pub(super) fn open<T: DeserializeOwned>(self, signature: &str) -> Option<T> {
        serde_json::from_str(signature.strip_prefix(self.mark())?).ok()
    }
}

/// Whether a signature is one that stands as it is.
pub(super) fn is_bare(signature: &str) -> bool {
    !ORIGINS.iter().any(|origin| signature.starts_with(origin.mark()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_opened_only_by_its_own_protocol() {
        let sealed = Origin::Google.seal(&("a", 1));
        assert_eq!(Origin::Google.open::<(String, u8)>(&sealed), Some(("a".to_owned(), 1)));
        assert_eq!(Origin::OpenAiResponses.open::<(String, u8)>(&sealed), None);
        assert_eq!(Origin::Google.open::<(String, u8)>("google:nonsense"), None);
        assert!(!is_bare(&sealed) && is_bare("EqQBCkYIChgC+/==") && is_bare(""));
    }
}
