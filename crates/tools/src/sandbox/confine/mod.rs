//! The walls, per operating system.

#[cfg(target_os = "linux")]
mod identity;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod syscalls;
#[cfg(target_os = "linux")]
pub(super) use linux::confine;

#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
pub(super) use other::confine;

use std::{fs::File, io};

use super::helper::Plan;

/// Standard input without a buffer in between.
#[cfg(unix)]
pub(super) fn unbuffered_stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// Standard input without a buffer in between.
#[cfg(windows)]
pub(super) fn unbuffered_stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(File::from(io::stdin().as_handle().try_clone_to_owned()?))
}

/// Becomes the plan's program; returns only if that fails.
#[cfg(unix)]
pub(super) fn exec(plan: &Plan, result: &File) -> io::Error {
    use std::os::{fd::AsRawFd, unix::process::CommandExt};
    let Some((program, arguments)) = plan.argv.split_first() else {
        return io::Error::other("the plan names no program");
    };
    std::process::Command::new(program)
        .args(arguments)
        .arg(result.as_raw_fd().to_string())
        .env_clear()
        .envs(&plan.env)
        .exec()
}

/// Windows has no way to become another program; tools need one of the other systems for now.
#[cfg(windows)]
pub(super) fn exec(_plan: &Plan, _result: &File) -> io::Error {
    io::Error::other("running tools is not available on Windows yet")
}
