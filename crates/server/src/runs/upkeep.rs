//! Deleting what is kept for a while only, beside the work: a little now and then, after a run.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use loci_api::time::Timestamp;
use loci_store::table::{deleted_agent, run_event, step_trace};

use super::STREAM_LIFE;
use crate::{App, agents::variables};

/// How long the bodies of model calls are kept.
const TRACE_LIFE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Between two rounds.
const PAUSE: Duration = Duration::from_secs(10 * 60);
/// Rows deleted in one transaction.
const BATCH: u32 = 500;

fn before(now: Timestamp, life: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(life.as_micros()).unwrap_or(i64::MAX)))
}

/// Begins a round in the background, unless there was one a moment ago. Shutting down waits for one batch at most.
pub fn begin(app: &App) {
    let is_due = {
        let mut last = app.runs().0.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| last.elapsed() >= PAUSE);
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    };
    if is_due {
        let app = app.clone();
        app.runs().clone().spawn(async move { round(&app, Timestamp::now()).await });
    }
}

/// Deletes what is too old at `now`.
pub(super) async fn round(app: &App, now: Timestamp) {
    // Before the rows that name them.
    if let Err(error) = variables::forget_overdue(app, now).await {
        tracing::warn!(%error, "values of deleted agents' variables were not forgotten");
        return;
    }
    loop {
        let trimmed = app
            .store()
            .write(move |tx| {
                let events = run_event::trim(tx, before(now, STREAM_LIFE), BATCH)?;
                let traces = step_trace::trim(tx, before(now, TRACE_LIFE), BATCH)?;
                let agents = deleted_agent::sweep(tx, now, BATCH)?;
                Ok(events.max(traces).max(agents))
            })
            .await;
        match trimmed {
            Ok(most) if most >= BATCH as usize && !app.runs().is_closing() => {}
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "what is kept for a while only was not deleted");
                return;
            }
        }
    }
}
