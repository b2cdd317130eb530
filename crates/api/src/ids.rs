//! Ids as the API writes them: `<prefix>-<lowercase uuid4>`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize};

/// An id from outside that does not have the shape its resource asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{given}' is not a valid {prefix} id: expected {prefix}-<uuid4>, for example {prefix}-123e4567-e89b-42d3-8456-426614174000"
)]
pub struct InvalidId {
    /// The prefix the resource uses, without the dash.
    pub prefix: &'static str,
    /// What came in, cut to 80 characters.
    pub given: String,
}

/// Whether `text` is a hyphenated uuid in lower case: 8-4-4-4-12 hex digits.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The prefix of this kind of id, without the dash.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh random id.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a random default would hide where ids come from")]
            pub fn new() -> Self {
                Self(format!(concat!($prefix, "-{}"), uuid::Uuid::new_v4()))
            }

            /// The id as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Takes an id this program wrote before, for example from its own database, without checking it.
            #[must_use]
            pub fn from_trusted(text: String) -> Self {
                Self(text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                match text.strip_prefix(concat!($prefix, "-")) {
                    Some(rest) if is_uuid(rest) => Ok(Self(text.to_owned())),
                    _ => Err(InvalidId { prefix: $prefix, given: text.chars().take(80).collect() }),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

ids! {
    /// A stateful agent.
    AgentId = "agent";
    /// A memory block.
    BlockId = "block";
    /// A tool.
    ToolId = "tool";
    /// One stored message; several API messages may share it.
    MessageId = "message";
    /// A conversation other than an agent's default one.
    ConversationId = "conv";
    /// The execution of one request.
    RunId = "run";
    /// One model call and the tools it asked for.
    StepId = "step";
    /// A model provider.
    ProviderId = "provider";
    /// What was sent to and received from a provider in one step.
    TraceId = "provider_trace";
    /// One environment variable of an agent.
    SecretId = "agent-env";
    /// Somebody or something an agent serves, as the client names it.
    IdentityId = "identity";
    /// A person.
    UserId = "user";
    /// A collection of passages, which agents share or have to themselves.
    ArchiveId = "archive";
    /// One note in an archive.
    PassageId = "passage";
    /// How much may be spent in a span of time.
    BudgetId = "budget";
    /// What a model was found able to do when it was tried.
    ScoreCardId = "preflight";
}

impl MessageId {
    fn uuid(&self) -> uuid::Uuid {
        self.0.strip_prefix("message-").and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    /// The otid of the `index`-th API message this stored message expands to: the message's uuid with its
    /// low 7 bits replaced by the index.
    #[must_use]
    pub fn otid(&self, index: u8) -> String {
        let bits = self.uuid().as_u128();
        uuid::Uuid::from_u128((bits & !0x7f) | u128::from(index & 0x7f)).to_string()
    }

    /// The id whose uuid is one less: an approval request that follows an assistant message of the same step.
    #[must_use]
    pub fn predecessor(&self) -> Self {
        let bits = self.uuid().as_u128();
        Self(format!("message-{}", uuid::Uuid::from_u128(bits.wrapping_sub(1))))
    }
}

/// The single person of this machine, as the API names them.
pub const DEFAULT_USER_ID: &str = "user-00000000-0000-4000-8000-000000000000";
/// The one organization of this installation.
pub const DEFAULT_ORGANIZATION_ID: &str = "org-00000000-0000-4000-8000-000000000000";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_published_shape_is_an_id() {
        let good = AgentId::new();
        assert_eq!(good.as_str().parse::<AgentId>().as_ref(), Ok(&good));
        for bad in [
            "",
            "agent-",
            "agent",
            "agent-1",
            "block-123e4567-e89b-42d3-8456-426614174000",
            "agent-123E4567-e89b-42d3-8456-426614174000",
            "agent-123e4567-e89b-42d3-8456-42661417400",
            "agent-123e4567-e89b-42d3-8456-4266141740000",
            "agent-123e4567\u{0}e89b-42d3-8456-426614174000",
        ] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn otids_share_all_but_the_low_seven_bits() {
        let id: MessageId = "message-123e4567-e89b-42d3-8456-4266141740ff".parse().expect("valid");
        assert_eq!(id.otid(0), "123e4567-e89b-42d3-8456-426614174080");
        assert_eq!(id.otid(3), "123e4567-e89b-42d3-8456-426614174083");
        assert_eq!(id.predecessor().as_str(), "message-123e4567-e89b-42d3-8456-4266141740fe");
    }
}
