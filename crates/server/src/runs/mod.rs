//! Runs: the execution of requests. A stream is a view of a run.

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
}

/// Brings agents whose run was cut off by the end of the process back into a usable state.
pub async fn recover(_app: &App) -> anyhow::Result<()> {
    Ok(())
}
