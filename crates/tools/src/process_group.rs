//! A program with all it started, ended as one.

/// The processes of one group; dropping it kills them.
#[derive(Debug)]
pub struct ProcessGroup(Option<u32>);

impl ProcessGroup {
    /// The group this process leads; it was started with `process_group(0)`. `None` if it has ended already.
    #[must_use]
    pub fn led_by(id: Option<u32>) -> Self {
        Self(id)
    }
}

impl Drop for ProcessGroup {
    #[cfg(unix)]
    fn drop(&mut self) {
        use rustix::process::{Pid, Signal, kill_process_group};
        let id = self.0.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            // Err: all of them have ended already.
            let _gone = kill_process_group(id, Signal::KILL);
        }
    }

    #[cfg(not(unix))]
    fn drop(&mut self) {
        let _only_the_child_is_killed = self.0;
    }
}
