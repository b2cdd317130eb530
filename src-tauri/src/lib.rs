//! The desktop shell: the only Rust that knows Tauri. A window, the bridge from its pages to the routers, and what
//! the system offers besides: menu, tray, notifications, dialogs, links. It must not know agents; everything it
//! does goes through the same requests a browser makes. Begin with [`run`], then `bridge.rs`.

mod arguments;
mod ask;
mod backend;
mod bridge;
mod dialogs;
mod display;
mod links;
mod menu;
mod notice;
mod notify;
mod one;
mod pieces;
mod place;
mod requests;
mod size;
mod tray;
mod way_out;
mod window;
mod words;

use std::process::ExitCode;

use tauri::{Context, Manager, RunEvent, WindowEvent, webview::PageLoadEvent};
use tracing_subscriber::EnvFilter;

use crate::{
    arguments::Arguments, backend::Backend, notice::Notices, requests::Requests, size::Size, tray::Tray,
    words::Language,
};

/// Opens the window and returns when it was closed and every run is finished or marked.
#[must_use]
pub fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn")))
        .with_writer(std::io::stderr)
        .init();
    let arguments = match Arguments::parse(std::env::args_os().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("loci-desktop: {problem}");
            return ExitCode::from(2);
        }
    };
    if arguments.help {
        println!("{}", arguments::HELP);
        return ExitCode::SUCCESS;
    }
    let context: Context = tauri::generate_context!();
    if arguments.browser {
        return way_out::run(context);
    }
    if let Err(problem) = display::prepare(arguments.safe_display) {
        eprintln!("loci-desktop: {problem}");
        return ExitCode::from(2);
    }
    open_window(context, arguments)
}

fn open_window(context: Context, arguments: Arguments) -> ExitCode {
    let mut builder = tauri::Builder::default();
    // The first of the plugins, so that a second start ends before it does anything.
    if let Some(only) = one::only() {
        builder = builder.plugin(only);
    }
    let app = builder
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        // Its own handling of clicks on links would open them unasked, and swallows them where it may not.
        .plugin(tauri_plugin_opener::Builder::new().open_js_links_on_click(false).build())
        .plugin(window::remembered())
        // Before the window, beside which it opens the data.
        .manage(Backend::start())
        .manage(Language::default())
        .manage(Notices::default())
        .manage(Requests::default())
        .manage(Size::default())
        .manage(Tray::default())
        .invoke_handler(tauri::generate_handler![
            bridge::api_request,
            bridge::api_read,
            bridge::api_cancel,
            dialogs::pick_folder,
            dialogs::pick_file,
            dialogs::save_file,
            links::open_link,
            links::open_data_folder,
            place::first_place
        ])
        .on_page_load(|webview, load| {
            // What the page before had asked for has nobody to go to any more.
            if load.event() == PageLoadEvent::Started {
                webview.state::<Requests>().cancel_all();
                place::page_begins(webview.app_handle());
            }
        })
        .on_menu_event(|app, event| menu::chosen(app, event.id().as_ref()))
        .on_window_event(|window, event| match event {
            WindowEvent::CloseRequested { api, .. }
                if tray::keeps_running(window.app_handle()) && window.hide().is_ok() =>
            {
                api.prevent_close();
            }
            WindowEvent::Resized(_) => size::note(window),
            WindowEvent::Focused(true) => notice::withdraw_all(window.app_handle()),
            _ => {}
        })
        .setup(move |app| {
            let app = app.handle();
            place::listen(app, arguments.link.as_deref());
            window::create(app)?;
            tray::create(app);
            notice::listen(app);
            notify::watch(app.clone());
            end_when_told(app.clone());
            backend::report_failure(app.clone());
            Ok(())
        })
        .build(context);
    match app {
        Ok(app) => ExitCode::from(u8::try_from(app.run_return(on_event)).unwrap_or(1)),
        Err(error) => {
            eprintln!("loci-desktop: the window cannot be opened: {error}");
            eprintln!("`loci-desktop --browser` opens the workbench in a browser instead.");
            ExitCode::from(2)
        }
    }
}

/// A session that ends, or whoever started the program, asks by a signal: it is heard like closing the window.
fn end_when_told(app: tauri::AppHandle) {
    #[cfg(unix)]
    tauri::async_runtime::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let heard =
            |kind| signal(kind).map_err(|error| tracing::warn!(%error, "a request to end is not heard")).ok();
        // By a session's end, by Ctrl+C, by the end of the terminal it was started in.
        let (terminate, interrupt, hangup) =
            (heard(SignalKind::terminate()), heard(SignalKind::interrupt()), heard(SignalKind::hangup()));
        let (Some(mut terminate), Some(mut interrupt), Some(mut hangup)) = (terminate, interrupt, hangup)
        else {
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
        app.exit(0);
    });
    #[cfg(not(unix))]
    let _ = app;
}

fn on_event(app: &tauri::AppHandle, event: RunEvent) {
    match event {
        RunEvent::ExitRequested { api, code, .. } if app.state::<Backend>().begin_to_stop() => {
            api.prevent_exit();
            app.state::<Requests>().cancel_all();
            notice::withdraw_all(app);
            display::survived();
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                app.state::<Backend>().stop().await;
                app.exit(code.unwrap_or(0));
            });
        }
        // After the plugin that keeps the place, which hears this first.
        RunEvent::Exit => size::keep(app),
        #[cfg(target_os = "macos")]
        RunEvent::Reopen { .. } => window::show(app),
        _ => {}
    }
}
