//! The system's own dialogs.

use tauri::AppHandle;
use tauri_plugin_dialog::DialogExt;
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
    match picked.await {
        Ok(Some(folder)) => {
            let path = folder
                .into_path()
                .map_err(|error| format!("This place cannot be used as a folder: {error}."))?;
            Ok(Some(path.to_string_lossy().into_owned()))
        }
        Ok(None) | Err(_) => Ok(None),
    }
}
