//! The window's menu.

use tauri::{
    AppHandle, Manager, Wry,
    menu::{Menu, MenuItem, PredefinedMenuItem, Submenu},
};

use crate::{
    links,
    place::{self, Place},
    window,
    words::words,
};

const NEW_AGENT: &str = "new-agent";
const SETTINGS: &str = "settings";
const APPROVALS: &str = "approvals";
const MODELS: &str = "models";
const DATA_FOLDER: &str = "data-folder";
const RELOAD: &str = "reload";
const SHOW: &str = "show";
const CLOSE: &str = "close";
const QUIT: &str = "quit";

/// What can be done with a text: the item's id, and what the web view calls it. Not undo: an editor in the page has
/// a history of its own, which the web view does not know.
#[cfg(target_os = "linux")]
const EDITS: [(&str, &str); 4] =
    [("cut", "Cut"), ("copy", "Copy"), ("paste", "Paste"), ("select-all", "SelectAll")];

pub fn make(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let words = words(app);
    let item = |id: &str, text: &str, key: Option<&str>| MenuItem::with_id(app, id, text, true, key);
    let line = || PredefinedMenuItem::separator(app);
    let loci = Submenu::with_items(
        app,
        "Loci",
        true,
        &[
            &item(NEW_AGENT, words.new_agent, None)?,
            &item(SETTINGS, words.settings, Some("CmdOrCtrl+,"))?,
            &item(DATA_FOLDER, words.data_folder, None)?,
            &line()?,
            &item(CLOSE, words.hide, Some("CmdOrCtrl+W"))?,
            &item(QUIT, words.quit, Some("CmdOrCtrl+Q"))?,
        ],
    )?;
    let edit = edit(app)?;
    let view = Submenu::with_items(
        app,
        words.view,
        true,
        &[
            &item(APPROVALS, words.approvals, None)?,
            &item(MODELS, words.models, None)?,
            &line()?,
            &item(RELOAD, words.reload, None)?,
        ],
    )?;
    Menu::with_items(app, &[&loci, &edit, &view])
}

/// The toolkit's own items for this do nothing here, and its keys are the page's.
#[cfg(target_os = "linux")]
fn edit(app: &AppHandle) -> tauri::Result<Submenu<Wry>> {
    let words = words(app);
    let menu = Submenu::new(app, words.edit, true)?;
    for ((id, _), text) in EDITS.iter().zip([words.cut, words.copy, words.paste, words.select_all]) {
        menu.append(&MenuItem::with_id(app, *id, text, true, None::<&str>)?)?;
    }
    Ok(menu)
}

#[cfg(not(target_os = "linux"))]
fn edit(app: &AppHandle) -> tauri::Result<Submenu<Wry>> {
    let words = words(app);
    Submenu::with_items(
        app,
        words.edit,
        true,
        &[
            &PredefinedMenuItem::undo(app, None)?,
            &PredefinedMenuItem::redo(app, None)?,
            &PredefinedMenuItem::separator(app)?,
            &PredefinedMenuItem::cut(app, Some(words.cut))?,
            &PredefinedMenuItem::copy(app, Some(words.copy))?,
            &PredefinedMenuItem::paste(app, Some(words.paste))?,
            &PredefinedMenuItem::select_all(app, Some(words.select_all))?,
        ],
    )
}

/// Makes it again, in the language that is spoken now.
pub fn renew(app: &AppHandle) {
    let renewing = app.clone();
    let renew = move || -> tauri::Result<()> {
        let menu = make(&renewing)?;
        if cfg!(target_os = "macos") {
            renewing.set_menu(menu)?;
        } else if let Some(window) = renewing.get_webview_window(window::WINDOW) {
            window.set_menu(menu)?;
        }
        Ok(())
    };
    let done = app.run_on_main_thread(move || {
        if let Err(error) = renew() {
            tracing::debug!(%error, "the menu stays as it is");
        }
    });
    if let Err(error) = done {
        tracing::debug!(%error, "the menu stays as it is");
    }
}

/// The tray's, with how many requests wait.
pub fn of_tray(app: &AppHandle, waiting: usize) -> tauri::Result<Menu<Wry>> {
    let words = words(app);
    Menu::with_items(
        app,
        &[
            &MenuItem::with_id(app, SHOW, words.show, true, None::<&str>)?,
            &MenuItem::with_id(app, APPROVALS, words.waiting(waiting), waiting > 0, None::<&str>)?,
            &PredefinedMenuItem::separator(app)?,
            &MenuItem::with_id(app, QUIT, words.quit, true, None::<&str>)?,
        ],
    )
}

/// Does what was chosen, in the window's menu or the tray's.
pub fn chosen(app: &AppHandle, id: &str) {
    #[cfg(target_os = "linux")]
    if let Some((_, command)) = EDITS.iter().find(|(edit, _)| *edit == id) {
        window::edit(app, command);
        return;
    }
    match id {
        NEW_AGENT => place::go(app, Place::NewAgent),
        SETTINGS => place::go(app, Place::Settings),
        APPROVALS => place::go(app, Place::Approvals),
        MODELS => place::go(app, Place::Models),
        SHOW => window::show(app),
        QUIT => app.exit(0),
        DATA_FOLDER => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                if let Err(problem) = links::open_data_folder(app).await {
                    tracing::warn!(problem, "the data folder is not shown");
                }
            });
        }
        CLOSE | RELOAD => {
            let Some(window) = app.get_webview_window(window::WINDOW) else { return };
            let done = if id == CLOSE { window.close() } else { window.reload() };
            if let Err(error) = done {
                tracing::warn!(%error, "the window did not do it");
            }
        }
        other => tracing::debug!(other, "nothing is behind this item"),
    }
}
