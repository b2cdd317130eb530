//! The system's own dialogs.

use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt, FilePath};
use tokio::sync::oneshot;

/// Lets the person pick a folder; `None` if they did not. The path as the system writes it.
///
/// # Errors
/// If the picked place has no path on this machine.
#[tauri::command]
pub async fn pick_folder(app: AppHandle) -> Result<Option<String>, String> {
    let (answer, picked) = oneshot::channel();
    app.dialog().file().pick_folder(move |folder| {
        let _page_is_gone = answer.send(folder);
    });
    path_of(picked.await.ok().flatten())
}

/// Lets the person pick a file to read, for example a certificate; `None` if they did not.
///
/// # Errors
/// If the picked place has no path on this machine.
#[tauri::command]
pub async fn pick_file(app: AppHandle) -> Result<Option<String>, String> {
    let (answer, picked) = oneshot::channel();
    app.dialog().file().pick_file(move |file| {
        let _page_is_gone = answer.send(file);
    });
    path_of(picked.await.ok().flatten())
}

/// Lets the person name a file to write, for example a backup; `None` if they did not.
///
/// # Errors
/// If the picked place has no path on this machine.
#[tauri::command]
pub async fn save_file(app: AppHandle, name: String) -> Result<Option<String>, String> {
    let (answer, picked) = oneshot::channel();
    app.dialog().file().set_file_name(name).save_file(move |file| {
        let _page_is_gone = answer.send(file);
    });
    path_of(picked.await.ok().flatten())
}

/// As the system writes it.
fn path_of(picked: Option<FilePath>) -> Result<Option<String>, String> {
    let path = picked.map(FilePath::into_path).transpose();
    let path = path.map_err(|error| format!("This place cannot be used: {error}."))?;
    Ok(path.map(|path| path.to_string_lossy().into_owned()))
}
