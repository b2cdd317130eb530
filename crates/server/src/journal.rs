//! Calls of server tools that run a person's code or reach outside: noted before they begin, and with their end and
//! what kept them within bounds when they ended. After a crash it is known which may have taken effect.

use loci_api::{message::ToolStatus, time::Timestamp};
use loci_engine::ports::{ToolInvocation, ToolOutcome};
use loci_store::table::tool_journal::{self, JournalEnd, JournalState};
use loci_tools::sandbox::{RunResult, RunStatus};
use serde_json::Value;

use crate::App;

/// Characters of a reason that are kept.
const LONGEST_REASON: usize = 2_000;

/// What came of a call, with what kept it within bounds.
#[derive(Debug)]
pub struct Ran {
    pub outcome: ToolOutcome,
    /// For people; None: no process was started for it.
    pub confinement: Option<String>,
}

impl From<ToolOutcome> for Ran {
    fn from(outcome: ToolOutcome) -> Self {
        Self { outcome, confinement: None }
    }
}

impl From<RunResult> for Ran {
    fn from(result: RunResult) -> Self {
        let confinement = result.confined();
        let status = match result.status {
            RunStatus::Success => ToolStatus::Success,
            RunStatus::Error => ToolStatus::Error,
        };
        let RunResult { value, stdout, stderr, .. } = result;
        Self { outcome: ToolOutcome { status, value, stdout, stderr }, confinement }
    }
}

/// Carries a call out between its two notes. What cannot be noted is not run. One that is dropped on the way, because
/// its run was stopped, is noted as cut off.
pub async fn noted(app: &App, call: &ToolInvocation, work: impl Future<Output = Ran>) -> Ran {
    let (step, id, name) = (call.step_id.clone(), call.tool_call_id.clone(), call.name.clone());
    let begun =
        app.store().write(move |tx| tool_journal::start(tx, &step, &id, &name, Timestamp::now())).await;
    match begun {
        // By hand: there is no step it belongs to.
        Ok(false) => return work.await,
        Ok(true) => {}
        Err(error) => {
            tracing::error!(%error, "a tool call could not be noted");
            return ToolOutcome::error(format!("Error: {} was not run: noting it failed.", call.name)).into();
        }
    }
    let mut note = Note { app: app.clone(), end: Some(cut_off(call)) };
    let ran = work.await;
    if let Some(mut end) = note.end.take() {
        end.confinement.clone_from(&ran.confinement);
        end.at = Timestamp::now();
        (end.state, end.reason) = match ran.outcome.status {
            ToolStatus::Success => (JournalState::Success, None),
            ToolStatus::Error => (JournalState::Error, reason(&ran.outcome.value)),
        };
        finish(app, end).await;
    }
    ran
}

fn cut_off(call: &ToolInvocation) -> JournalEnd {
    JournalEnd {
        step_id: call.step_id.clone(),
        tool_call_id: call.tool_call_id.clone(),
        state: JournalState::Unknown,
        confinement: None,
        reason: Some("The run was stopped while the call ran.".to_owned()),
        at: Timestamp::now(),
    }
}

fn reason(value: &Value) -> Option<String> {
    value.as_str().map(|text| text.chars().take(LONGEST_REASON).collect())
}

async fn finish(app: &App, end: JournalEnd) {
    if let Err(error) = app.store().write(move |tx| tool_journal::finish(tx, &end)).await {
        tracing::error!(%error, "the end of a tool call could not be noted");
    }
}

/// The second note, still to be written.
struct Note {
    app: App,
    end: Option<JournalEnd>,
}

impl Drop for Note {
    fn drop(&mut self) {
        let (Some(mut end), Ok(runtime)) = (self.end.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        end.at = Timestamp::now();
        let app = self.app.clone();
        runtime.spawn(async move { finish(&app, end).await });
    }
}
