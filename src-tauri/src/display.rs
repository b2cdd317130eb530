//! Whether there is a screen, how the web view draws on this one, and how much it lets lie before it tidies up.
//!
//! WebKitGTK hands pictures to the screen through DMABUF, which leaves a blank window with some drivers. Those that
//! are known for it get the older way from the start; a start after one whose page never came up gets it as well.

#[cfg(target_os = "linux")]
pub use linux::{forget_start, prepare, survived};

#[cfg(not(target_os = "linux"))]
pub fn prepare(_safe: bool) -> Result<(), String> {
    Ok(())
}

/// The page came up, or the person ended the program: nothing is wrong with the display.
#[cfg(not(target_os = "linux"))]
pub fn survived() {}

/// A start that is noted ended before it had a window, as it should.
#[cfg(not(target_os = "linux"))]
pub fn forget_start() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::{fs, path::PathBuf, sync::OnceLock};

    const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    const COMPOSITING: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";
    /// A driver's own remedy for a Wayland protocol error that ends the program.
    const EXPLICIT_SYNC: &str = "__NV_DISABLE_EXPLICIT_SYNC";
    const WAYS_OUT: &str = "Start it in a desktop session, or run `loci-desktop --browser` or `loci serve --ui` and \
        use a browser.";
    /// The memory JavaScript takes the machine to have, bytes. It tidies up by how much of that is in use: of all the
    /// memory of a large machine it lets hundreds of megabytes lie (measured: docs/performance.md).
    const MEMORY: (&str, &str) = ("JSC_forceRAMSize", "268435456");

    /// What matters of this machine.
    #[derive(Debug, Clone, Copy)]
    struct Machine {
        /// There is a device to draw with.
        graphics: bool,
        /// The vendor's own driver, not the free one.
        nvidia: bool,
        wayland: bool,
        /// The start before this one never showed its page, or the person asks for it.
        trouble: bool,
    }

    /// The variables with which the web view draws safely here, and stays small.
    fn variables(machine: Machine) -> Vec<(&'static str, &'static str)> {
        let mut variables = vec![MEMORY];
        if !machine.graphics || machine.nvidia || machine.trouble {
            variables.push((DMABUF, "1"));
        }
        if machine.nvidia && machine.wayland {
            variables.push((EXPLICIT_SYNC, "1"));
        }
        if machine.trouble {
            variables.push((COMPOSITING, "1"));
        }
        variables
    }

    fn set(name: &str) -> bool {
        std::env::var_os(name).is_some_and(|value| !value.is_empty())
    }

    /// Says in a sentence why no window can be opened; the toolkit would panic instead.
    pub fn prepare(safe: bool) -> Result<(), String> {
        let named: Vec<_> = ["WAYLAND_DISPLAY", "DISPLAY"].into_iter().filter(|name| set(name)).collect();
        if named.is_empty() {
            return Err(format!("there is no display to open a window on. {WAYS_OUT}"));
        }
        set_variables(safe);
        if gtk::init().is_err() {
            forget_start();
            let named = named.join(" or ");
            return Err(format!("the display that {named} names cannot be reached. {WAYS_OUT}"));
        }
        Ok(())
    }

    /// Sets what this machine's screen and the start before this one want of the web view.
    fn set_variables(safe: bool) {
        let before = mark();
        if before {
            eprintln!(
                "loci-desktop: the window did not come up the last time, so it is drawn without the graphics card now. \
                If it stays blank, run `loci-desktop --browser`."
            );
        }
        let machine = Machine {
            graphics: std::path::Path::new("/dev/dri").exists(),
            nvidia: std::path::Path::new("/proc/driver/nvidia/version").exists(),
            wayland: set("WAYLAND_DISPLAY") && std::env::var("GDK_BACKEND").as_deref() != Ok("x11"),
            trouble: safe || before,
        };
        // What the person has set stays as it is.
        for (name, value) in variables(machine) {
            if std::env::var_os(name).is_none() {
                #[expect(unsafe_code, reason = "the web view's processes take it from the environment")]
                // SAFETY: no thread of this program has begun. The one that the web view's library begins when it is
                // loaded, before `main`, tidies up memory and reads no variables.
                unsafe {
                    std::env::set_var(name, value);
                }
            }
        }
    }

    /// A file that is there from the start until the page asks for something.
    fn marker() -> Option<&'static PathBuf> {
        static MARKER: OnceLock<Option<PathBuf>> = OnceLock::new();
        MARKER
            .get_or_init(|| crate::backend::data_dir().map(|folder| folder.join("window-starting")))
            .as_ref()
    }

    /// Leaves the mark. Whether it was there already.
    fn mark() -> bool {
        let Some(marker) = marker() else { return false };
        let before = marker.exists();
        let left = marker.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(marker, ""));
        if let Err(error) = left {
            tracing::debug!(%error, "the start is not noted");
        }
        before
    }

    /// The page came up, or the person ended the program: nothing is wrong with the display.
    pub fn survived() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(forget_start);
    }

    /// A start that is noted ended before it had a window, as it should: another one had it.
    pub fn forget_start() {
        if let Some(marker) = marker()
            && let Err(error) = fs::remove_file(marker)
        {
            tracing::debug!(%error, "the start was not noted");
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn what_is_known_to_fail_is_avoided_and_nothing_else() {
            let good = Machine { graphics: true, nvidia: false, wayland: true, trouble: false };
            for (machine, wanted) in [
                (good, &[][..]),
                (Machine { wayland: false, ..good }, &[]),
                (Machine { graphics: false, ..good }, &[DMABUF]),
                (Machine { nvidia: true, wayland: false, ..good }, &[DMABUF]),
                (Machine { nvidia: true, ..good }, &[DMABUF, EXPLICIT_SYNC]),
                (Machine { trouble: true, ..good }, &[DMABUF, COMPOSITING]),
            ] {
                let wanted: Vec<_> =
                    std::iter::once(MEMORY).chain(wanted.iter().map(|name| (*name, "1"))).collect();
                assert_eq!(variables(machine), wanted, "{machine:?}");
            }
        }
    }
}
