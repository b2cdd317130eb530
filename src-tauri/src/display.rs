//! Whether there is a screen, and how the web view draws on this one.

/// Says in a sentence why no window can be opened; the toolkit would panic instead.
#[cfg(target_os = "linux")]
pub fn prepare() -> Result<(), String> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !set("DISPLAY") && !set("WAYLAND_DISPLAY") {
        return Err("there is no display to open a window on. Start it in a desktop session, or use `loci serve --ui` \
            and a browser."
            .to_owned());
    }
    // Without a graphics device the web view would draw through a software copy of one: slower and larger.
    if !set(DMABUF) && !std::path::Path::new("/dev/dri").exists() {
        return start_again_without_dmabuf();
    }
    Ok(())
}

#[cfg(target_os = "linux")]
const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// The variable must be there before any thread starts, so the program begins anew with it, in the same process.
#[cfg(target_os = "linux")]
fn start_again_without_dmabuf() -> Result<(), String> {
    use std::os::unix::process::CommandExt;
    let Ok(program) = std::env::current_exe() else { return Ok(()) };
    let error = std::process::Command::new(program).args(std::env::args_os().skip(1)).env(DMABUF, "1").exec();
    tracing::debug!(%error, "going on with the usual renderer");
    Ok(())
}

#[cfg(not(target_os = "linux"))]
pub fn prepare() -> Result<(), String> {
    Ok(())
}
