//! After a start: what a stopped server left unfinished is marked, and every agent is usable again.

use anyhow::Context as _;
use loci_api::{
    ids::{MessageId, RunId},
    time::Timestamp,
};
use loci_engine::{input::InputScope, pending};
use loci_store::{
    Connection, StoreError, Thread, maintain,
    table::{agent, context, run, tool_journal},
};

use super::upkeep;
use crate::App;

/// Marks runs and steps that were under way as failed, gives calls whose tools never answered an error return,
/// and begins to delete what is too old to be kept.
///
/// # Errors
/// Only if the database cannot be written.
pub async fn recover(app: &App) -> anyhow::Result<()> {
    let now = Timestamp::now();
    let swept = app
        .store()
        .write(move |tx| {
            let swept = maintain::sweep(tx, now)?;
            tool_journal::mark_unknown(tx, now)?;
            for thread in &swept.threads {
                repair(tx, thread, now)?;
            }
            Ok(swept)
        })
        .await
        .context("sweeping runs")?;
    if !swept.runs.is_empty() {
        tracing::info!(
            runs = swept.runs.len(),
            steps = swept.steps,
            "runs cut off by the last stop were marked as failed"
        );
    }
    upkeep::begin(app);
    Ok(())
}

fn repair(conn: &Connection, thread: &Thread, now: Timestamp) -> Result<(), StoreError> {
    let Some(agent) = agent::get(conn, &thread.agent_id)? else { return Ok(()) };
    let known = context::load(conn, thread)?;
    let Some(run_id) = latest_run(conn, thread)? else { return Ok(()) };
    let scope = InputScope {
        agent_id: thread.agent_id.clone(),
        conversation_id: thread.conversation_id.clone(),
        run_id,
        now,
        timezone: agent.timezone,
        context_window: 0,
    };
    if let Some(row) = pending::lost_returns(&known, &scope, MessageId::new) {
        context::push(conn, thread, &[row])?;
    }
    Ok(())
}

fn latest_run(conn: &Connection, thread: &Thread) -> Result<Option<RunId>, StoreError> {
    Ok(run::latest_on(conn, thread)?.map(|run| run.id))
}
