//! A tool's variables as a person sets them: plain ones are kept with the tool, values of secrets go to the place for
//! secrets and never come back.

use std::collections::BTreeMap;

use loci_api::error::ApiError;
use loci_server::error::Failure;
use secrecy::SecretString;

use crate::Desk;

/// What secrets are to be: by name the new value, or null to keep the one there is. One left out is deleted.
pub(crate) type WantedSecrets = BTreeMap<String, Option<String>>;

/// Refuses names no process can have, and a name that is both a secret and none.
pub(crate) fn check(env: &BTreeMap<String, String>, secrets: &WantedSecrets) -> Result<(), ApiError> {
    loci_api::agent::check_secrets(env)?;
    for name in secrets.keys() {
        if env.contains_key(name) {
            return Err(ApiError::validation(format!(
                "body.secrets.{name}: the name is used by a variable that is no secret"
            )));
        }
    }
    let values =
        secrets.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())).collect();
    loci_api::agent::check_secrets(&values)
}

/// Brings the place for secrets to what is wanted, where the tool had those of `before` until now; `kept_as` is the
/// name a variable's value is kept under. The names to keep with the tool.
///
/// # Errors
/// 422 for a value to keep where there is none, 503 if the place for secrets cannot be used.
pub(crate) async fn keep(
    desk: &Desk,
    wanted: WantedSecrets,
    before: &[String],
    kept_as: impl Fn(&str) -> String,
) -> Result<Vec<String>, Failure> {
    if let Some((name, _)) = wanted.iter().find(|(name, value)| value.is_none() && !before.contains(name)) {
        return Err(ApiError::validation(format!("body.secrets.{name}: there is no value to keep")).into());
    }
    let failed = |error: crate::secrets::SecretError| Failure(ApiError::unavailable(error.to_string()));
    for (name, value) in &wanted {
        if let Some(value) = value {
            desk.secrets().set(&kept_as(name), SecretString::from(value.clone())).await.map_err(failed)?;
        }
    }
    for name in before.iter().filter(|name| !wanted.contains_key(*name)) {
        desk.secrets().delete(&kept_as(name)).await.map_err(failed)?;
    }
    Ok(wanted.into_keys().collect())
}
