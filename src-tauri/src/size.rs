//! The size of the window, as the toolkit takes it back at the next start.
//!
//! Where the program draws its own frame (Wayland), the toolkit tells a size with frame and shadow and takes one
//! without. What keeps the window's place writes down what it is told, so the window would grow with each start; the
//! file is corrected after it was written.

#[cfg(target_os = "linux")]
pub use linux::{Size, keep, note};

#[cfg(not(target_os = "linux"))]
#[derive(Default)]
pub struct Size;

/// The window has another size.
#[cfg(not(target_os = "linux"))]
pub fn note(_window: &tauri::Window) {}

/// The place of the window was written down.
#[cfg(not(target_os = "linux"))]
pub fn keep(_app: &tauri::AppHandle) {}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        fs,
        sync::{Mutex, PoisonError},
    };

    use gtk::prelude::{GtkWindowExt, WidgetExt};
    use serde_json::Value;
    use tauri::{AppHandle, Manager};

    use crate::window;

    /// Width and height in pixels of the screen, without a frame of our own; of when it last was neither the whole
    /// screen nor nothing of it.
    #[derive(Default)]
    pub struct Size(Mutex<Option<(i32, i32)>>);

    /// The window has another size.
    pub fn note(window: &tauri::Window) {
        let Ok(shown) = window.gtk_window() else { return };
        let whole = window.is_maximized().unwrap_or(false) || window.is_fullscreen().unwrap_or(false);
        if whole || window.is_minimized().unwrap_or(false) {
            return;
        }
        let ((width, height), scale) = (shown.size(), shown.scale_factor());
        let size = window.state::<Size>();
        *size.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((width * scale, height * scale));
    }

    /// The place of the window was written down.
    pub fn keep(app: &AppHandle) {
        let size = *app.state::<Size>().0.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(size), Some(file)) = (size, window::kept()) else { return };
        let done = fs::read(&file).and_then(|kept| fs::write(&file, corrected(&kept, size)?));
        if let Err(error) = done {
            tracing::debug!(%error, "the window's size is kept as it was told");
        }
    }

    fn corrected(kept: &[u8], (width, height): (i32, i32)) -> serde_json::Result<Vec<u8>> {
        let mut kept: Value = serde_json::from_slice(kept)?;
        if let Some(place) = kept.get_mut(window::WINDOW).and_then(Value::as_object_mut) {
            place.insert("width".to_owned(), width.into());
            place.insert("height".to_owned(), height.into());
        }
        serde_json::to_vec_pretty(&kept)
    }

    #[cfg(test)]
    mod tests {
        use serde_json::json;

        use super::*;

        #[test]
        fn only_the_size_is_corrected() {
            for (kept, wanted) in [
                (
                    json!({"main": {"width": 1332, "height": 909, "x": 7}, "other": {"width": 5}}),
                    json!({"main": {"width": 1280, "height": 820, "x": 7}, "other": {"width": 5}}),
                ),
                (json!({}), json!({})),
            ] {
                let corrected = corrected(kept.to_string().as_bytes(), (1280, 820)).expect("corrected");
                assert_eq!(serde_json::from_slice::<Value>(&corrected).expect("JSON"), wanted);
            }
            corrected(b"not JSON", (1280, 820)).expect_err("nothing to correct");
        }
    }
}
