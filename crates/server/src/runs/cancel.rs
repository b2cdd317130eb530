//! Stopping runs on request, and denying what a thread waits for.

use std::time::Duration;

use loci_api::{
    error::ApiError,
    ids::{AgentId, MessageId, RunId},
    resource::StopReason,
    time::Timestamp,
};
use loci_engine::{input::InputScope, pending};
use loci_store::{
    Thread,
    table::{agent, context, conversation, run},
};
use serde_json::{Map, Value, json};

use crate::{App, agents::state::not_found, error::Answer};

/// How long a cancelled run may take to say so before the client is answered anyway.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of cancelling, by run: `cancelled` or `failed`.
pub type Cancelled = Map<String, Value>;

fn note(outcome: &mut Cancelled, run: &RunId, done: bool) {
    outcome.insert(run.to_string(), json!(if done { "cancelled" } else { "failed" }));
}

/// Cancels these runs of an agent. One that waits for approval counts: its calls are denied. What is unknown,
/// another agent's, or over is `failed`.
pub async fn cancel_runs(app: &App, agent_id: &AgentId, ids: Vec<RunId>) -> Answer<Cancelled> {
    let mut outcome = Cancelled::new();
    for id in ids {
        if stop(app, Some(agent_id), &id).await {
            note(&mut outcome, &id, true);
            continue;
        }
        let wanted = id.clone();
        let known = app.store().read(move |conn| run::get(conn, &wanted)).await?;
        let denied = match known {
            Some(run)
                if run.agent_id == *agent_id && run.stop_reason == Some(StopReason::RequiresApproval) =>
            {
                let thread = Thread::new(run.agent_id, run.conversation_id);
                deny_pending(app, &thread, Some(&id)).await?.is_some()
            }
            Some(_) | None => false,
        };
        note(&mut outcome, &id, denied);
    }
    Ok(outcome)
}

/// Cancels whatever goes on in these threads: all threads of an agent, or one.
///
/// # Errors
/// 409 if nothing does.
pub async fn cancel_thread(app: &App, thread: &Thread, whole_agent: bool) -> Answer<Cancelled> {
    let mut outcome = Cancelled::new();
    let live = app
        .runs()
        .find(|run| run.thread == *thread || (whole_agent && run.thread.agent_id == thread.agent_id));
    for run in live {
        let done = stop(app, None, &run.id).await;
        note(&mut outcome, &run.id, done);
    }
    if outcome.is_empty()
        && let Some(run) = deny_pending(app, thread, None).await?
    {
        note(&mut outcome, &run, true);
    }
    if !outcome.is_empty() {
        return Ok(outcome);
    }
    let what = match &thread.conversation_id {
        Some(id) => format!("conversation {id}"),
        None if whole_agent => format!("agent {}", thread.agent_id),
        None => format!("conversation default of agent {}", thread.agent_id),
    };
    Err(ApiError::conflict(format!("CONFLICT: No active runs to cancel for {what}")).into())
}

/// Tells a live run to stop and waits until it has. Whether there was one.
async fn stop(app: &App, of: Option<&AgentId>, id: &RunId) -> bool {
    let Some(live) = app.runs().live(id) else { return false };
    if of.is_some_and(|agent| *agent != live.thread.agent_id) || live.ending().is_some() {
        return false;
    }
    live.cancel();
    if tokio::time::timeout(PATIENCE, live.ended()).await.is_err() {
        tracing::warn!(run = %id, "a cancelled run takes long to stop");
        return true;
    }
    live.ending().is_some_and(|ending| ending.stop_reason == StopReason::Cancelled)
}

/// Denies the calls a thread waits for, so that the agent is usable again. The run that had asked, if there was
/// one (with `only`, if it was that one).
async fn deny_pending(app: &App, thread: &Thread, only: Option<&RunId>) -> Answer<Option<RunId>> {
    let Ok(_hold) = app.runs().0.threads.try_hold(thread) else { return Ok(None) };
    app.runs().forget_context(thread);
    let (thread, only) = (thread.clone(), only.cloned());
    let denied = app
        .store()
        .try_write(move |tx| -> Answer<Option<RunId>> {
            let Some(agent) = agent::get(tx, &thread.agent_id)? else {
                return Err(not_found(&thread.agent_id).into());
            };
            let Some(asked) = context::last(tx, &thread)?.filter(|message| message.is_approval_request())
            else {
                return Ok(None);
            };
            let Some(run_id) = asked.run_id.clone() else { return Ok(None) };
            if only.is_some_and(|only| only != run_id) {
                return Ok(None);
            }
            let scope = InputScope {
                agent_id: thread.agent_id.clone(),
                conversation_id: thread.conversation_id.clone(),
                run_id: run_id.clone(),
                now: Timestamp::now(),
                timezone: agent.timezone,
                context_window: 0,
            };
            let known = context::load(tx, &thread)?;
            let rows = pending::cancel(&known, &scope, MessageId::new);
            context::push(tx, &thread, &rows)?;
            run::withdraw(tx, &run_id)?;
            if let Some(id) = &thread.conversation_id {
                conversation::record_message(tx, id, scope.now)?;
            }
            Ok(Some(run_id))
        })
        .await?;
    Ok(denied)
}
