//! The desktop shell: the only Rust that knows Tauri. A window, the bridge from its pages to the routers, dialogs.
//! It must not know agents; everything the window does goes through the same requests a browser makes. Begin with
//! [`run`], then `bridge.rs`.

mod backend;
mod bridge;
mod dialogs;
mod display;

use std::process::ExitCode;

use tauri::{Manager, RunEvent, WebviewWindow, webview::PageLoadEvent};
use tracing_subscriber::EnvFilter;

use crate::{backend::Backend, bridge::Requests};

const WINDOW: &str = "main";

/// Opens the window and returns when it was closed and every run is finished or marked.
#[must_use]
pub fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    if let Err(problem) = display::prepare() {
        eprintln!("loci-desktop: {problem}");
        return ExitCode::from(2);
    }
    // Before the window, beside which it opens the data.
    let backend = Backend::start();
    let mut builder = tauri::Builder::default();
    // A test or a person with a data folder of their own wants a window of its own, too.
    if std::env::var_os(backend::DATA_DIR).is_none() {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _arguments, _folder| {
            if let Some(window) = app.get_webview_window(WINDOW) {
                show(&window);
            }
        }));
    }
    let app = builder
        .plugin(tauri_plugin_dialog::init())
        .manage(backend)
        .manage(Requests::default())
        .invoke_handler(tauri::generate_handler![
            bridge::api_request,
            bridge::api_cancel,
            dialogs::pick_folder
        ])
        .on_page_load(|webview, load| {
            // What the page before had asked for has nobody to go to any more.
            if load.event() == PageLoadEvent::Started {
                webview.state::<Requests>().cancel_all();
            }
        })
        .setup(|app| {
            backend::report_failure(app.handle().clone());
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(on_event)).unwrap_or(1)),
        Err(error) => {
            eprintln!("loci-desktop: the window cannot be opened: {error}");
            ExitCode::from(2)
        }
    }
}

fn on_event(app: &tauri::AppHandle, event: RunEvent) {
    if let RunEvent::ExitRequested { api, code, .. } = event
        && app.state::<Backend>().begin_to_stop()
    {
        api.prevent_exit();
        app.state::<Requests>().cancel_all();
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            app.state::<Backend>().stop().await;
            app.exit(code.unwrap_or(0));
        });
    }
}

/// Brings the window to where the person is.
fn show(window: &WebviewWindow) {
    for done in [window.show(), window.unminimize(), window.set_focus()] {
        if let Err(error) = done {
            tracing::debug!(%error, "the window stays where it is");
        }
    }
}
