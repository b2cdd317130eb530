//! Telling a client's own server that an async run is over.

use std::time::Duration;

use loci_api::{error::ApiError, ids::RunId, time::Timestamp};
use loci_store::table::run;
use serde_json::json;

use crate::{App, error::Answer, outbound};

/// Waits between attempts; one more attempt than there are waits.
const WAITS: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(5), Duration::from_secs(25), Duration::from_secs(120)];
const TIMEOUT: Duration = Duration::from_secs(10);

/// Refuses a callback address that could never be called, before anything is run for it.
///
/// # Errors
/// 400 with the reason.
pub async fn check_callback(app: &App, url: Option<&str>) -> Answer<()> {
    let Some(url) = url else { return Ok(()) };
    match outbound::check(url, app.options().allow_private_callbacks).await {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(ApiError::bad_request(format!("INVALID_ARGUMENT: callback_url cannot be used: {error}."))
                .into())
        }
    }
}

/// Posts how the run ended, again after a while if it was not taken, and notes on the run what came of it.
pub async fn report(app: App, id: RunId) {
    let wanted = id.clone();
    let found = app.store().read(move |conn| run::get(conn, &wanted)).await;
    let Ok(Some(run)) = found else {
        tracing::warn!(run = %id, "a run to report is not there");
        return;
    };
    let Some(url) = run.callback_url else { return };
    let body = json!({
        "run_id": run.id,
        "status": run.status,
        "completed_at": run.completed_at,
        "metadata": run.metadata,
    });
    let allow_private = app.options().allow_private_callbacks;
    for wait in WAITS.into_iter().map(Some).chain([None]) {
        let sent_at = Timestamp::now();
        let outcome = outbound::post_json(&url, allow_private, &body, TIMEOUT).await;
        let (status, error) = match &outcome {
            Ok(status) if (200..300).contains(status) => (Some(i64::from(*status)), None),
            Ok(status) => (Some(i64::from(*status)), Some(format!("the callback was answered {status}"))),
            Err(error) => (None, Some(format!("the callback could not be sent: {error}"))),
        };
        let done = error.is_none();
        let noted = id.clone();
        let written = app
            .store()
            .write(move |tx| run::record_callback(tx, &noted, sent_at, status, error.as_deref()))
            .await;
        if let Err(error) = written {
            tracing::warn!(run = %id, %error, "the outcome of a callback was not noted");
        }
        let Some(wait) = wait.filter(|_| !done) else { return };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            // Not worth keeping the program alive for.
            () = app.runs().closing() => return,
        }
    }
}
