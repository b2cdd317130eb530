//! `loci-desktop --browser`: the workbench without a window, for where the web view shows nothing. The same pages,
//! the same data, in the person's browser, for as long as the program runs.

use std::{net::Ipv4Addr, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use loci_server::{Guard, guarded};
use loci_workbench::{
    Serving,
    listen::{self, Assets, Door, Listening},
};
use secrecy::SecretString;
use tauri::{Context, utils::assets::AssetKey};
use tokio::net::TcpListener;

use crate::backend;

/// How long it waits for runs and answers when it is stopped.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits for what cannot be stopped.
const LAST_MOMENT: Duration = Duration::from_secs(1);

pub fn run(context: Context) -> ExitCode {
    let done = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting").and_then(
        |runtime| {
            let done = runtime.block_on(serve(context));
            // A call to a locked keyring waits for a person, who is not coming any more.
            runtime.shutdown_timeout(LAST_MOMENT);
            done
        },
    );
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("loci-desktop: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn serve(context: Context) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("listening on this machine")?;
    let address = listener.local_addr().context("asking for the address")?;
    let desk = backend::open("http").await?;
    let loading = desk.clone();
    // A locked keyring asks the person first; all else is there meanwhile.
    tokio::spawn(async move {
        if let Err(error) = loading.load_providers().await {
            tracing::error!(error = format!("{error:#}"), "the model providers cannot be set up");
        }
    });
    desk.is_served(Serving { address, token_file: None });
    let token = SecretString::from(listen::new_token());
    let door = Door::new(Some(token.clone()));
    let guard = Guard { token: Some(token), ..Guard::default() };
    let assets: Assets =
        Arc::new(move |name| context.assets().get(&AssetKey::from(name)).map(|file| file.into_owned()));
    let router = listen::with_pages(guarded(loci_workbench::served(desk.clone()), guard), assets);
    let server = Listening::start(listener, door.beside(router)).context("answering")?;
    listen::show_in_browser(&door.link(address)).context("printing")?;
    eprintln!("Loci runs until you stop it here with Ctrl+C.");
    asked_to_stop().await?;
    server.begin_to_stop();
    desk.close();
    if tokio::time::timeout(PATIENCE, desk.app().shutdown()).await.is_err() {
        tracing::warn!("some runs did not end in time; they are marked at the next start");
    }
    server.stop(Duration::from_secs(1)).await.context("the server ended")
}

async fn asked_to_stop() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => interrupted.context("listening for Ctrl-C"),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
}
