//! Links that lead out of the window: opened in the browser, after the person saw where they lead.

use tauri::{AppHandle, Manager, Url};
use tauri_plugin_dialog::{DialogExt, MessageDialogButtons};
use tauri_plugin_opener::OpenerExt;

use crate::{backend::Backend, window, words::words};

/// Addresses of the window's own pages.
pub fn is_ours(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        ("about", _) => url.path() == "blank" || url.path() == "srcdoc",
        // The development server.
        ("http", Some("localhost")) => cfg!(dev) && url.port() == Some(1420),
        _ => false,
    }
}

/// What of a link a person should see: the host, or the address of a mail.
fn shown(url: &Url) -> Option<String> {
    match url.scheme() {
        "http" | "https" => {
            let host = url.host_str().filter(|host| !host.is_empty())?;
            // A name before the host is there to be taken for it.
            if !url.username().is_empty() || url.password().is_some() {
                return None;
            }
            Some(match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            })
        }
        "mailto" => Some(url.path().to_owned()).filter(|to| !to.is_empty()),
        _ => None,
    }
}

/// Asks whether to open it, and does. Links that are neither web nor mail lead nowhere.
pub fn ask(app: &AppHandle, url: Url) {
    let Some(host) = shown(&url) else {
        tracing::warn!(scheme = url.scheme(), "a link of this kind is not opened");
        return;
    };
    let words = words(app);
    let opening = app.clone();
    let mut question = app
        .dialog()
        .message(words.open_link.replace("{host}", &host))
        .title(words.open_title)
        .buttons(MessageDialogButtons::OkCancelCustom(words.open.to_owned(), words.cancel.to_owned()));
    if let Some(window) = app.get_webview_window(window::WINDOW) {
        question = question.parent(&window);
    }
    question.show(move |yes| {
        if yes && let Err(error) = opening.opener().open_url(url.as_str(), None::<&str>) {
            tracing::warn!(%error, "the browser did not open");
        }
    });
}

/// A link the page wants opened. The person is asked first.
///
/// # Errors
/// If it is not a link that is opened.
#[tauri::command]
pub fn open_link(app: AppHandle, url: &str) -> Result<(), String> {
    let url = Url::parse(url).map_err(|_| "That is not a link.".to_owned())?;
    if shown(&url).is_none() {
        return Err("Only links to web pages and mail addresses are opened.".to_owned());
    }
    ask(&app, url);
    Ok(())
}

/// Shows the data folder in the system's file manager.
///
/// # Errors
/// If there is none, or no program that shows it.
#[tauri::command]
pub async fn open_data_folder(app: AppHandle) -> Result<(), String> {
    let folder = app.state::<Backend>().data_dir().await?;
    app.opener()
        .open_path(folder.to_string_lossy(), None::<&str>)
        .map_err(|error| format!("The folder cannot be shown: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_link_leads_is_shown_and_odd_ones_lead_nowhere() {
        for (link, wanted) in [
            ("https://example.org/a?b#c", Some("example.org")),
            ("http://127.0.0.1:8283/x", Some("127.0.0.1:8283")),
            ("https://xn--pple-43d.com/", Some("xn--pple-43d.com")),
            ("https://bank.example@evil.example/", None),
            ("mailto:a@example.org", Some("a@example.org")),
            ("file:///etc/passwd", None),
            ("javascript:alert(1)", None),
            ("loci://approvals", None),
        ] {
            let url = Url::parse(link).expect("a URL");
            assert_eq!(shown(&url).as_deref(), wanted, "{link}");
        }
    }

    #[test]
    fn only_the_programs_own_pages_open_in_the_window() {
        for (link, ours) in [
            ("tauri://localhost/index.html", true),
            ("http://tauri.localhost/", true),
            ("about:blank", true),
            ("https://localhost/", false),
            ("http://localhost:8283/", false),
            ("tauri://evil/", false),
            ("https://example.org/", false),
            ("data:text/html,x", false),
        ] {
            assert_eq!(is_ours(&Url::parse(link).expect("a URL")), ours, "{link}");
        }
    }
}
