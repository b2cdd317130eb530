//! The program as the system sees it: ending its whole group, and the memory it uses.

/// Asks the process and everything it started to end.
pub(super) fn ask_to_end(pid: u32) {
    signal(pid, Signal::Ask);
}

/// Ends the process and everything it started.
pub(super) fn end_now(pid: u32) {
    signal(pid, Signal::Kill);
}

enum Signal {
    Ask,
    Kill,
}

#[cfg(unix)]
fn signal(pid: u32, signal: Signal) {
    use rustix::process::{Pid, Signal as System, kill_process_group};
    let Some(group) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let which = match signal {
        Signal::Ask => System::TERM,
        Signal::Kill => System::KILL,
    };
    // Gone already is what is wanted.
    let _gone = kill_process_group(group, which);
}

#[cfg(windows)]
fn signal(pid: u32, signal: Signal) {
    let mut command = std::process::Command::new("taskkill");
    command.args(["/T", "/PID", &pid.to_string()]);
    if matches!(signal, Signal::Kill) {
        command.arg("/F");
    }
    // Gone already is what is wanted.
    let _gone = command.output();
}

/// Bytes of memory the process uses, where the system tells.
pub(super) async fn memory(pid: u32) -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let status = tokio::fs::read_to_string(format!("/proc/{pid}/status")).await.ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    }
    #[cfg(target_os = "macos")]
    {
        let output = tokio::process::Command::new("ps")
            .args(["-o", "rss=", "-p", &pid.to_string()])
            .output()
            .await
            .ok()?;
        let kilobytes: u64 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
        Some(kilobytes * 1024)
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _unknown = pid;
        None
    }
}
