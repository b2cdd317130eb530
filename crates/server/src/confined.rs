//! Running a person's source confined, for the client tools of the desk: the tools crate, as far as others need it.

use loci_api::error::ApiError;
use serde_json::{Map, Value};

pub use loci_tools::{
    process_group::ProcessGroup,
    sandbox::{Confinement, ConfinementPart, Limits, RunEvent, RunMode, RunRequest, RunResult, RunStatus},
    schema::DerivedSchema,
    source::SourceType,
};

/// The longest a tool of the server may be let run, seconds.
const LONGEST: u32 = 3_600;
/// Megabytes a tool may be given, from and to.
const MEMORY: std::ops::RangeInclusive<u32> = 64..=65_536;

/// Whether a tool can be let run for so long.
///
/// # Errors
/// 422 with what it may be.
pub fn check_timeout(seconds: Option<u32>) -> Result<(), ApiError> {
    match seconds {
        Some(seconds) if !(1..=LONGEST).contains(&seconds) => {
            Err(ApiError::validation(format!("body.timeout_seconds: must be from 1 to {LONGEST}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a tool can be given so much memory.
///
/// # Errors
/// 422 with what it may be.
pub fn check_memory(megabytes: Option<u32>) -> Result<(), ApiError> {
    let (least, most) = (MEMORY.start(), MEMORY.end());
    match megabytes {
        Some(megabytes) if !MEMORY.contains(&megabytes) => {
            Err(ApiError::validation(format!("body.memory_mb: must be from {least} to {most}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Megabytes as [`RunRequest::memory_bytes`].
#[must_use]
pub fn bytes(megabytes: u32) -> u64 {
    u64::from(megabytes) << 20
}

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
