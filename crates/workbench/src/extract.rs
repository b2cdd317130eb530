//! Request bodies of the desk's routes, with refusals in the API's shape.

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request},
};
use loci_api::error::ApiError;
use loci_server::error::Failure;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

/// No body of the desk is larger; the arguments of an edited call are the largest part of one.
const LARGEST_BODY: usize = 8 << 20;

/// A JSON body. Any content type will do: only this machine's own pages get here.
pub struct Json<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Failure;

    async fn from_request(request: Request<Body>, _state: &S) -> Result<Self, Failure> {
        let body = to_bytes(request.into_body(), LARGEST_BODY).await.map_err(|_| {
            ApiError::too_large(format!("The body is larger than {LARGEST_BODY} bytes or broke off."))
        })?;
        let value = serde_json::from_slice(&body).map_err(|error| {
            ApiError::validation(format!("The body does not have the shape asked for: {error}."))
        })?;
        Ok(Self(value))
    }
}

/// Tells what is null from what is left out, for `#[serde(default, deserialize_with = "given")]`.
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    value: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(value).map(Some)
}
