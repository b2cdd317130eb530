//! `POST /workbench/tools/schema`: what the model would be told of a source, for tools that no server keeps.

use axum::Json as Answer;
use loci_server::{confined, error::Failure};
use serde::Deserialize;
use serde_json::Value;

use crate::extract::Json;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    source_code: String,
    source_type: String,
}

pub(super) async fn derive(Json(source): Json<Source>) -> Result<Answer<Value>, Failure> {
    // Reading a source takes time that grows with it.
    let derived =
        tokio::task::spawn_blocking(move || confined::derive(&source.source_type, &source.source_code, None));
    let derived = derived.await.map_err(anyhow::Error::from)??;
    Ok(Answer(Value::Object(derived.json_schema)))
}
