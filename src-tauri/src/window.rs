//! The one window: made, shown, and where it was the last time.

use std::path::PathBuf;

use tauri::{
    AppHandle, Manager, Wry,
    plugin::TauriPlugin,
    webview::{NewWindowResponse, WebviewWindowBuilder},
};
use tauri_plugin_window_state::StateFlags;

use crate::{backend, links, menu};

pub const WINDOW: &str = "main";

/// Keeps place and size. Not whether it is shown: a window hidden in the tray is there again at the next start.
pub fn remembered() -> TauriPlugin<Wry> {
    let flags = StateFlags::all() - StateFlags::VISIBLE - StateFlags::DECORATIONS;
    let mut builder = tauri_plugin_window_state::Builder::new().with_state_flags(flags);
    // Beside the data, so that a window with a data folder of its own has a place of its own.
    if let Some(file) = kept()
        && let Some(file) = file.to_str()
    {
        builder = builder.with_filename(file);
    }
    builder.build()
}

/// The file that says where the window was.
pub fn kept() -> Option<PathBuf> {
    backend::data_dir().map(|folder| folder.join("window.json"))
}

/// Makes the window as configured, with its menu. Pages of others never open in it.
pub fn create(app: &AppHandle) -> tauri::Result<()> {
    let config = app.config().app.windows.iter().find(|window| window.label == WINDOW).cloned();
    let config = config.ok_or(tauri::Error::WindowNotFound)?;
    let (asking, leaving) = (app.clone(), app.clone());
    WebviewWindowBuilder::from_config(app, &config)?
        .menu(menu::make(app)?)
        .on_navigation(move |url| {
            let ours = links::is_ours(url);
            if !ours {
                links::ask(&leaving, url.clone());
            }
            ours
        })
        .on_new_window(move |url, _features| {
            links::ask(&asking, url);
            NewWindowResponse::Deny
        })
        .build()?;
    Ok(())
}

/// Brings the window to where the person is.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(WINDOW) else { return };
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::debug!(%error, "the window stays where it is");
        }
    }
}

/// Does with the text that is selected, or being written, what the web view calls `command`.
#[cfg(target_os = "linux")]
pub fn edit(app: &AppHandle, command: &'static str) {
    use webkit2gtk::WebViewExt;
    let Some(window) = app.get_webview_window(WINDOW) else { return };
    if let Err(error) = window.with_webview(move |view| view.inner().execute_editing_command(command)) {
        tracing::debug!(%error, "the text stays as it is");
    }
}

/// Whether the person is looking at it.
pub fn is_looked_at(app: &AppHandle) -> bool {
    let Some(window) = app.get_webview_window(WINDOW) else { return false };
    window.is_visible().unwrap_or(false)
        && !window.is_minimized().unwrap_or(false)
        && window.is_focused().unwrap_or(false)
}
