//! How requests are read: bodies, path ids, query parameters, and who is asking. Whatever does not fit answers
//! 422 in the API's shape, never a framework's own words.

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_LENGTH, request::Parts},
};
use loci_api::error::ApiError;
use serde::de::DeserializeOwned;

use crate::error::{Answer, Failure};

/// Bytes of the largest body that is read.
pub const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// A JSON body that must be there. The content type is not looked at: clients without one are served too.
pub struct JsonBody<T>(pub T);

/// A JSON body that may be absent: nothing, white space or `null` is `None`.
pub struct MaybeBody<T>(pub Option<T>);

async fn read(request: Request<Body>) -> Answer<Bytes> {
    let too_large = || {
        Failure(ApiError::too_large(format!(
            "The request body is larger than {} MB, the most this server reads.",
            MAX_BODY_BYTES / 1024 / 1024
        )))
    };
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.and_then(|text| text.parse::<u64>().ok()).is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64)
    {
        return Err(too_large());
    }
    to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|error| {
        let limit = std::error::Error::source(&error)
            .is_some_and(|source| source.downcast_ref::<http_body_util::LengthLimitError>().is_some());
        if limit {
            too_large()
        } else {
            Failure(ApiError::bad_request("The request body could not be read to its end."))
        }
    })
}

/// Reads JSON into `T`; the sentence names the place: `body.memory_blocks[0].value: invalid type …`.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let invalid = |message: String| Failure(ApiError::validation(message));
    // Checked first because serde_json reports bad UTF-8 only where a string is read.
    let text = std::str::from_utf8(bytes)
        .map_err(|error| invalid(format!("body: not valid UTF-8 after byte {}", error.valid_up_to())))?;
    if text.trim().is_empty() {
        return Err(invalid(
            "body: Field required; the request body is empty, a JSON object was expected".to_owned(),
        ));
    }
    // Every body here is an object; serde would also read a struct's fields from a list, one by one.
    if text.trim_start().starts_with('[') {
        return Err(invalid("body: Input should be an object, not a list".to_owned()));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "body".to_owned() } else { format!("body.{path}") };
        invalid(format!("{place}: {}", error.into_inner()))
    })?;
    deserializer.end().map_err(|error| invalid(format!("body: {error}")))?;
    Ok(value)
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        Ok(Self(parse_json(&read(request).await?)?))
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for MaybeBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, _: &S) -> Answer<Self> {
        let bytes = read(request).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Self(None));
        }
        Ok(Self(parse_json(&bytes)?))
    }
}

/// The variable parts of a path, percent-decoded: `Segments<String>` or `Segments<(String, String)>`. Ids are
/// parsed by the handler: `segments.parse::<AgentId>()?`.
pub struct Segments<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Segments<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Answer<Self> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                Err(anyhow::anyhow!("a route and its handler disagree about the path: {rejection}").into())
            }
            Err(rejection) => Err(ApiError::validation(format!("path: {}", rejection.body_text())).into()),
        }
    }
}

/// Query parameters: repeated keys are lists, unknown keys are ignored, an empty value counts as absent.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

impl Params {
    /// Reads `a=1&b=2&b=3`.
    #[must_use]
    pub fn read(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .filter(|(_, value)| !value.is_empty())
                .collect(),
        )
    }

    /// The last value given for `key`.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The value, or 422.
    pub fn required(&self, key: &str) -> Answer<&str> {
        self.text(key).ok_or_else(|| ApiError::validation(format!("query.{key}: Field required")).into())
    }

    /// All values of `key`, also written `key[]`.
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<&str> {
        self.0
            .iter()
            .filter(|(name, _)| name == key || name.strip_suffix("[]") == Some(key))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// All values of `key`, each split at commas as well.
    #[must_use]
    pub fn words(&self, key: &str) -> Vec<&str> {
        self.texts(key)
            .into_iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .collect()
    }

    /// `true`/`false`, also `1`/`0`, `yes`/`no`, `on`/`off`; anything else is 422.
    pub fn flag(&self, key: &str) -> Answer<Option<bool>> {
        self.text(key)
            .map(|value| match value.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" | "t" | "y" => Ok(true),
                "false" | "0" | "no" | "off" | "f" | "n" => Ok(false),
                _ => Err(refuse(key, value, "expected true or false")),
            })
            .transpose()
    }

    /// A whole number within bounds, both included; anything else is 422.
    pub fn integer(&self, key: &str, low: i64, high: i64) -> Answer<Option<i64>> {
        self.text(key)
            .map(|value| match value.parse::<i64>() {
                Ok(number) if (low..=high).contains(&number) => Ok(number),
                _ => Err(refuse(key, value, &format!("expected a whole number from {low} to {high}"))),
            })
            .transpose()
    }

    /// An id in its published shape, else 422.
    pub fn id<T>(&self, key: &str) -> Answer<Option<T>>
    where
        T: std::str::FromStr<Err = loci_api::ids::InvalidId>,
    {
        self.text(key)
            .map(|value| {
                value.parse().map_err(|error| ApiError::validation(format!("query.{key}: {error}")).into())
            })
            .transpose()
    }

    /// One of a closed set, else 422.
    pub fn choice<T: Copy>(&self, key: &str, choices: &[(&str, T)]) -> Answer<Option<T>> {
        self.text(key)
            .map(|value| {
                choices.iter().find(|(name, _)| *name == value).map(|(_, choice)| *choice).ok_or_else(|| {
                    let names = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                    refuse(key, value, &format!("expected one of {names}"))
                })
            })
            .transpose()
    }
}

fn refuse(key: &str, value: &str, expected: &str) -> Failure {
    let given: String = value.chars().take(80).collect();
    ApiError::validation(format!("query.{key}: {expected}, got '{given}'")).into()
}

/// Who is asking. The official SDKs get relationships only on `include=`, and `null` from attach and detach;
/// everyone else gets the whole agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    pub sdk: bool,
}

impl Client {
    /// By the headers the SDKs send; a request without a user agent counts as one of theirs.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key("x-stainless-package-version") {
            return Self { sdk: true };
        }
        let sdk = match headers.get(http::header::USER_AGENT).map(|value| value.to_str().unwrap_or("?")) {
            None => true,
            Some(agent) => {
                agent.starts_with("@letta-ai/letta-client/1.") || agent.starts_with("letta-client/1.")
            }
        };
        Self { sdk }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Answer<Self> {
        Ok(Self::of(&parts.headers))
    }
}
