//! The icon in the tray: a mark when something waits for the person, and the way back to a closed window.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tauri::{
    AppHandle, Manager,
    image::Image,
    tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent},
};

use crate::{backend, menu, window, words::words};

const ICON: &[u8] = include_bytes!("../../icons/32x32.png");
/// The mark on the icon: red, green, blue, opacity. The accent of the interface.
const MARK: [u8; 4] = [0xD9, 0x77, 0x06, 0xFF];

/// The icon, if this system shows one, and whether closing the window leaves Loci there.
#[derive(Default)]
pub struct Tray {
    icon: Mutex<Option<TrayIcon>>,
    stay: AtomicBool,
}

/// Whether a closed window is only hidden. Never without an icon: it could not be found again.
pub fn keeps_running(app: &AppHandle) -> bool {
    let tray = app.state::<Tray>();
    tray.stay.load(Ordering::Relaxed)
        && tray.icon.lock().unwrap_or_else(PoisonError::into_inner).is_some()
        && has_host()
}

/// Follows the person's setting.
pub fn set_stay(app: &AppHandle, stay: bool) {
    app.state::<Tray>().stay.store(stay, Ordering::Relaxed);
}

/// Shows the icon where the system can.
pub fn create(app: &AppHandle) {
    if !is_possible() {
        tracing::info!("no tray icon: libayatana-appindicator3 is not installed");
        return;
    }
    // The library is loaded by name at this moment, and a failure to load it is a panic.
    let made = catch_unwind(AssertUnwindSafe(|| build(app)));
    match made {
        Ok(Ok(icon)) => {
            *app.state::<Tray>().icon.lock().unwrap_or_else(PoisonError::into_inner) = Some(icon);
        }
        Ok(Err(error)) => tracing::warn!(%error, "no tray icon"),
        Err(_) => tracing::warn!("no tray icon: its library cannot be loaded"),
    }
}

fn build(app: &AppHandle) -> tauri::Result<TrayIcon> {
    let mut builder = TrayIconBuilder::with_id("loci");
    // The picture is handed over as a file: in a folder of this Loci, which nobody else writes to.
    if let Some(folder) = backend::data_dir() {
        builder = builder.temp_dir_path(folder.join("tray"));
    }
    builder
        .icon(Image::from_bytes(ICON)?)
        .tooltip("Loci")
        .menu(&menu::of_tray(app, 0)?)
        .show_menu_on_left_click(cfg!(target_os = "linux"))
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show(tray.app_handle());
            }
        })
        .build(app)
}

/// Marks the icon, and says how many wait.
pub fn set_waiting(app: &AppHandle, count: usize) {
    if let Some(window) = app.get_webview_window(window::WINDOW) {
        let badge = i64::try_from(count).ok().filter(|count| *count > 0);
        // Only some systems show numbers on windows.
        let _no_badges_here = window.set_badge_count(badge);
    }
    let app = app.clone();
    let marking = app.clone();
    let done = app.run_on_main_thread(move || {
        let tray = marking.state::<Tray>();
        let icon = tray.icon.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(icon) = &*icon else { return };
        let set = || -> tauri::Result<()> {
            icon.set_icon(Some(marked(count > 0)?))?;
            icon.set_menu(Some(menu::of_tray(&marking, count)?))?;
            icon.set_tooltip(Some(format!("Loci: {}", words(&marking).waiting(count))))?;
            icon.set_title((count > 0).then(|| count.to_string()))
        };
        if let Err(error) = set() {
            tracing::debug!(%error, "the tray icon stays as it is");
        }
    });
    if let Err(error) = done {
        tracing::debug!(%error, "the tray icon stays as it is");
    }
}

/// The icon, with a dot at its upper right if something waits.
fn marked(mark: bool) -> tauri::Result<Image<'static>> {
    let icon = Image::from_bytes(ICON)?;
    let (width, height) = (icon.width(), icon.height());
    let mut pixels = icon.rgba().to_vec();
    if mark {
        let radius = f64::from(width) * 0.22;
        let (x0, y0) = (f64::from(width) - radius - 1.0, radius + 1.0);
        for (at, pixel) in pixels.chunks_exact_mut(4).enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            let (x, y) = (f64::from(at % width) + 0.5, f64::from(at / width) + 0.5);
            if (x - x0).hypot(y - y0) <= radius {
                pixel.copy_from_slice(&MARK);
            }
        }
    }
    Ok(Image::new_owned(pixels, width, height))
}

/// On Linux the library for it is loaded when it is used, and may not be there.
#[cfg(target_os = "linux")]
fn is_possible() -> bool {
    const NAMES: [&[u8]; 2] = [b"libayatana-appindicator3.so.1", b"libappindicator3.so.1"];
    // The loader's own list of libraries: names as plain text between zeros.
    let known = std::fs::read("/etc/ld.so.cache").unwrap_or_default();
    let has_session = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
        || std::env::var_os("XDG_RUNTIME_DIR")
            .is_some_and(|folder| std::path::Path::new(&folder).join("bus").exists());
    has_session && NAMES.iter().any(|name| known.windows(name.len()).any(|part| part == *name))
}

#[cfg(not(target_os = "linux"))]
fn is_possible() -> bool {
    true
}

/// Whether the desktop shows icons in a tray: some do not, and their number changes while a session lasts.
#[cfg(target_os = "linux")]
fn has_host() -> bool {
    use gio::{BusType, Cancellable, DBusCallFlags, glib::ToVariant};
    /// Whoever shows the icons is known by this name.
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    const BUS: &str = "org.freedesktop.DBus";
    /// Milliseconds. The bus answers by itself, without asking any other program.
    const PATIENCE: i32 = 500;
    let asked = gio::bus_get_sync(BusType::Session, Cancellable::NONE).and_then(|bus| {
        let name = (WATCHER,).to_variant();
        let flags = DBusCallFlags::NONE;
        let path = "/org/freedesktop/DBus";
        bus.call_sync(
            Some(BUS),
            path,
            BUS,
            "NameHasOwner",
            Some(&name),
            None,
            flags,
            PATIENCE,
            Cancellable::NONE,
        )
    });
    match asked {
        Ok(answer) => answer.get::<(bool,)>().is_some_and(|(owned,)| owned),
        Err(error) => {
            tracing::debug!(%error, "nobody shows the tray icon");
            false
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn has_host() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_at_the_upper_right_and_nowhere_else() {
        let (plain, marked_one) = (marked(false).expect("an icon"), marked(true).expect("an icon"));
        let at = |image: &Image<'_>, x: u32, y: u32| {
            let start = ((y * image.width() + x) * 4) as usize;
            image.rgba()[start..start + 4].to_vec()
        };
        let width = plain.width();
        assert_eq!(at(&marked_one, width - 8, 8), MARK);
        assert_ne!(at(&plain, width - 8, 8), MARK);
        assert_eq!(at(&marked_one, 4, width - 4), at(&plain, 4, width - 4));
    }
}
