//! Compaction because somebody asked for it, outside any run.

use loci_api::{
    error::ApiError,
    message::{Message, Role},
    summary,
};
use loci_engine::{
    compaction::{self, Own, Settings},
    ports::CompactionTrigger,
};
use loci_store::{Thread, table::context};
use serde_json::{Map, Value};

use super::{threads::Busy, turn};
use crate::{
    App,
    compact::{Compaction, Job, NotCompacted, compact},
    error::Answer,
};

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compacted {
    /// The new summary, or the one there was if there was nothing to do.
    pub summary: String,
    pub num_messages_before: usize,
    pub num_messages_after: usize,
}

/// Summarises a thread's older messages now. `given` are settings for this time only, over the agent's own.
///
/// # Errors
/// 409 while a run is under way, 400 if the context would not become shorter, the model's error if nobody could
/// write a summary. The context is as before then.
pub async fn compact_thread(
    app: &App,
    thread: &Thread,
    given: Option<&Map<String, Value>>,
) -> Answer<Compacted> {
    let hold = app.runs().0.threads.try_hold(thread).map_err(|Busy { run }| {
        let run = run.map_or_else(String::new, |run| format!(" (run_id={run})"));
        ApiError::conflict(format!(
            "CONFLICT: A run{run} is under way here. Wait for it to complete, or cancel it."
        ))
    })?;
    let facts = turn::facts(app, thread, None).await?;
    let settings = facts.compaction(given)?;
    let of = thread.clone();
    let known = app.store().read(move |conn| context::load(conn, &of)).await?;
    let own = Own {
        model: facts.model.handle.clone(),
        options: facts.options.clone(),
        tools: facts.specs(),
        ..Own::default()
    };
    let job = Job {
        app,
        thread,
        settings: &settings,
        own: &own,
        context: &known,
        trigger: CompactionTrigger::Manual,
        tokens: compaction::estimate(&known) + compaction::estimate_tools(&own.tools),
        context_window: facts.context_window,
        timezone: &facts.agent.timezone,
        run_id: None,
    };
    let before = known.len();
    if is_futile(&known, &settings, facts.context_window) {
        return Err(ApiError::bad_request(format!(
            "Summarising would not make the context shorter: it holds {before} messages, and one of them is all \
             that a summary could replace."
        ))
        .into());
    }
    let done = tokio::select! {
        biased;
        () = app.runs().closing() => {
            return Err(ApiError::unavailable("The server is shutting down.").into());
        }
        done = compact(job) => done,
    };
    app.runs().forget_context(thread);
    drop(hold);
    match done {
        Ok(Compaction { text, context, .. }) => {
            Ok(Compacted { summary: text, num_messages_before: before, num_messages_after: context.len() })
        }
        Err(NotCompacted::Nothing) => Ok(Compacted {
            summary: newest_summary(&known),
            num_messages_before: before,
            num_messages_after: before,
        }),
        Err(NotCompacted::Model(error)) => {
            let mut refusal = ApiError::from(error.as_ref());
            refusal.message = NotCompacted::Model(error).to_string();
            refusal.body["error"]["message"] = Value::from(refusal.message.clone());
            Err(refusal.into())
        }
        Err(NotCompacted::Changed) => {
            Err(ApiError::conflict(format!("CONFLICT: {} Try again.", NotCompacted::Changed)).into())
        }
        Err(NotCompacted::Store(error)) => Err(error.into()),
    }
}

/// Whether all a summary could take the place of is a single message: then nothing becomes shorter.
fn is_futile(context: &[Message], settings: &Settings, context_window: u32) -> bool {
    let taken: Vec<usize> = compaction::attempts(settings.mode)
        .iter()
        .filter_map(|(cut, _)| compaction::plan(context, *cut, settings, context_window))
        .map(|plan| plan.kept_from - 1)
        .collect();
    !taken.is_empty() && taken.iter().all(|count| *count < 2)
}

fn newest_summary(context: &[Message]) -> String {
    context
        .iter()
        .find(|message| message.role == Role::Summary)
        .map(|message| summary::unpack(&message.text()).text)
        .unwrap_or_default()
}
