//! Model providers on the wire. Keys only ever come in: no type that goes out can hold one, and none that comes in
//! can be printed.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ids::ProviderId, time::Timestamp};

/// A provider as it is configured. The secret fields are published, and always null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Provider {
    pub id: ProviderId,
    /// The part of its models' handles before the first `/`.
    pub name: String,
    pub provider_type: String,
    /// `base` (of this installation) or `byok` (added by a person).
    pub provider_category: String,
    #[schema(value_type = Option<String>)]
    pub api_key: (),
    pub base_url: Option<String>,
    #[schema(value_type = Option<String>)]
    pub access_key: (),
    pub region: Option<String>,
    pub api_version: Option<String>,
    pub updated_at: Option<Timestamp>,
    /// When its list of models was read last.
    pub last_synced: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    pub api_key_enc: (),
    #[schema(value_type = Option<String>)]
    pub access_key_enc: (),
}

/// Adds a provider. Unknown fields are refused.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderCreate {
    pub name: String,
    pub provider_type: String,
    /// Empty for a server that wants none.
    pub api_key: String,
    #[serde(default)]
    pub access_key: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub api_version: Option<String>,
}

/// Changes a provider. Absent and null fields but the key stay as they are; unknown ones are refused.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderUpdate {
    pub api_key: String,
    #[serde(default)]
    pub access_key: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub api_version: Option<String>,
}

/// An address and a key to try. Nothing of it is kept.
#[derive(Clone, Deserialize, ToSchema)]
pub struct ProviderCheck {
    pub provider_type: String,
    pub api_key: String,
    #[serde(default)]
    pub access_key: Option<String>,
    #[serde(default)]
    pub region: Option<String>,
    #[serde(default)]
    pub base_url: Option<String>,
    #[serde(default)]
    pub api_version: Option<String>,
}
