//! What the operating system does for tools: opening an address, the clipboard.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::process::Command;

/// How long the program that opens an address may take to come back.
const PATIENCE: Duration = Duration::from_secs(15);

/// This machine. The clipboard is kept open: on some systems its content goes with whoever put it there.
#[derive(Default, Clone)]
pub(crate) struct System {
    clipboard: Arc<Mutex<Option<arboard::Clipboard>>>,
}

impl System {
    /// Opens a web address that was checked, in the program that is set for it.
    pub(crate) async fn open_url(&self, url: &str) -> Result<(), String> {
        let mut command = if cfg!(target_os = "macos") {
            Command::new("open")
        } else if cfg!(windows) {
            let mut command = Command::new("rundll32");
            command.arg("url.dll,FileProtocolHandler");
            command
        } else {
            Command::new("xdg-open")
        };
        command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| {
            format!("No browser can be opened here: {error}. The person can open the address by hand.")
        })?;
        match tokio::time::timeout(PATIENCE, child.wait()).await {
            Ok(Ok(status)) if !status.success() => {
                Err("The system could not open the address. The person can open it by hand.".to_owned())
            }
            Ok(Err(error)) => Err(format!("Whether the address was opened cannot be seen: {error}.")),
            // Some openers stay until the browser is closed.
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    pub(crate) async fn read_clipboard(&self) -> Result<String, String> {
        self.with_clipboard(|clipboard| match clipboard.get_text() {
            Ok(text) => Ok(text),
            Err(arboard::Error::ContentNotAvailable) => Err("The clipboard holds no text.".to_owned()),
            Err(error) => Err(format!("The clipboard cannot be read: {error}.")),
        })
        .await
    }

    pub(crate) async fn write_clipboard(&self, text: String) -> Result<(), String> {
        self.with_clipboard(move |clipboard| {
            clipboard.set_text(text).map_err(|error| format!("The clipboard cannot be written: {error}."))
        })
        .await
    }

    async fn with_clipboard<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut arboard::Clipboard) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let kept = Arc::clone(&self.clipboard);
        let acting = tokio::task::spawn_blocking(move || {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.is_none() {
                let opened = arboard::Clipboard::new();
                *kept =
                    Some(opened.map_err(|error| format!("There is no clipboard on this machine: {error}."))?);
            }
            match &mut *kept {
                Some(clipboard) => act(clipboard),
                None => Err("There is no clipboard on this machine.".to_owned()),
            }
        });
        acting.await.map_err(|_| "The clipboard failed inside Loci.".to_owned())?
    }
}
