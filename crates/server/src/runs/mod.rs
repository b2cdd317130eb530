//! Runs: the execution of requests. A stream is a view of a run.

use loci_api::ids::AgentId;
use loci_store::Thread;

use crate::App;

/// The runs of this process.
#[derive(Default)]
pub struct Runs {}

impl Runs {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels or marks every run; returns when none is left.
    pub async fn shutdown(&self) {}

    /// Drops what is kept in memory of a thread's context: its rows were changed outside a run.
    pub fn forget_context(&self, _thread: &Thread) {}

    /// Cancels the agent's runs and waits for their end; the agent is about to be deleted.
    pub async fn cancel_agent(&self, _agent_id: &AgentId) {}
}

/// Brings agents whose run was cut off by the end of the process back into a usable state.
pub async fn recover(_app: &App) -> anyhow::Result<()> {
    Ok(())
}
