//! Opening an address in the person's browser.

use std::{
    io::{self, Write},
    process::Stdio,
};

use tokio::process::Command;

/// Opens the browser at `link`, and prints the link in case it does not.
///
/// # Errors
/// If nothing can be printed.
pub fn show_in_browser(link: &str) -> io::Result<()> {
    if let Err(error) = open_in_browser(link) {
        eprintln!(
            "No browser was opened ({error}). Open the link by hand; it works once, within ten minutes."
        );
    }
    let mut out = io::stdout().lock();
    writeln!(out, "Open the workbench: {link}")?;
    out.flush()
}

/// Starts the browser and does not wait for it.
///
/// # Errors
/// If there is no screen to open it on, or no program that opens addresses.
pub fn open_in_browser(link: &str) -> io::Result<()> {
    let mut command = opener(link)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    tokio::spawn(async move {
        match child.wait().await {
            Ok(status) if status.success() => {}
            Ok(status) => tracing::warn!(%status, "the browser did not open"),
            Err(error) => tracing::warn!(%error, "the browser did not open"),
        }
    });
    Ok(())
}

#[cfg(target_os = "macos")]
fn opener(link: &str) -> io::Result<Command> {
    let mut command = Command::new("open");
    command.arg(link);
    Ok(command)
}

#[cfg(windows)]
fn opener(link: &str) -> io::Result<Command> {
    let mut command = Command::new("rundll32");
    command.args(["url.dll,FileProtocolHandler", link]);
    Ok(command)
}

#[cfg(not(any(target_os = "macos", windows)))]
fn opener(link: &str) -> io::Result<Command> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"].into_iter().any(set) {
        return Err(io::Error::new(io::ErrorKind::NotFound, "there is no display"));
    }
    let mut command = Command::new("xdg-open");
    command.arg(link);
    Ok(command)
}
