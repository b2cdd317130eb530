//! Running a person's source confined, for the client tools of the desk: the tools crate, as far as others need it.

use loci_api::error::ApiError;
use serde_json::{Map, Value};

pub use loci_tools::{
    sandbox::{Confinement, Limits, RunEvent, RunMode, RunRequest, RunResult, RunStatus},
    schema::DerivedSchema,
    source::SourceType,
};

/// The name, description and parameters of a source, derived without running it. `parameters` stands in for those
/// of the source.
///
/// # Errors
/// 400 with the place in the source and what is missing.
pub fn derive(
    source_type: &str,
    source: &str,
    parameters: Option<&Map<String, Value>>,
) -> Result<DerivedSchema, ApiError> {
    let kind = crate::tools::source_type(Some(source_type))?;
    crate::tools::derive_of(source, kind, None, parameters)
        .map_err(|error| ApiError::bad_request(error.to_string()))
}
