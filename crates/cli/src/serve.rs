//! `loci serve`: from the options to a listening server, and down again in order.

use std::{
    io::Write,
    net::{IpAddr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};
use axum::{Router, extract::Request, response::Response, serve::ListenerExt};
use loci_server::{Guard, guarded};
use loci_workbench::{Desk, Setup, secrets::SecretChoice, secrets_file};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tower::ServiceExt;

use crate::{
    arguments::{Secrets, Serve},
    interface,
    token::{self, Token, token},
};

/// Threads that answer; the database has its own.
const MOST_WORKERS: usize = 4;
/// How long a stopping server waits for its runs and answers.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn run(options: Serve) -> anyhow::Result<()> {
    if options.no_token && !options.host.is_loopback() {
        bail!(
            "{} can be reached from other machines, so a token is needed: leave out --no-token, or listen on 127.0.0.1",
            options.host
        );
    }
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, MOST_WORKERS);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("starting")?
        .block_on(serve(options))
}

async fn serve(options: Serve) -> anyhow::Result<()> {
    let data_dir = options.data.dir()?;
    let secrets = match options.secrets {
        Secrets::Environment => SecretChoice::Environment,
        Secrets::Keyring => SecretChoice::Keyring,
        Secrets::Memory => SecretChoice::Memory,
        Secrets::File => SecretChoice::File(secrets_file(&data_dir)),
    };
    let setup = Setup {
        data_dir: data_dir.clone(),
        secrets,
        transport: "http",
        allow_private_callbacks: options.allow_private_callbacks,
    };
    if let Some(given) = &options.token {
        token::check(given).context("the token given cannot be used")?;
    }
    // The address first: nothing is touched when it is taken.
    let address = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))?;
    let address = listener.local_addr().context("asking for the address")?;
    let desk = setup.open().await?;
    desk.load_providers().await.context("setting up the model providers")?;
    let token = if options.no_token { None } else { Some(token(options.token.clone(), &data_dir)?) };
    let guard = Guard {
        token: token.as_ref().map(|token| SecretString::from(token.text().to_owned())),
        hosts: hosts(options.host, options.hosts),
        origins: options.origins,
    };
    let router = whole(guarded(loci_workbench::router(desk.clone()), guard));

    let (stop, stopping) = watch::channel(false);
    let server = axum::serve(listener.tap_io(quick), router).with_graceful_shutdown(stopped(stopping));
    let mut server = tokio::spawn(server.into_future());
    announce(address, token.as_ref(), options.ui, &data_dir)?;

    tokio::select! {
        ended = &mut server => ended.context("the server ended")?.context("the server ended"),
        signal = asked_to_stop() => {
            signal?;
            let _nobody_left = stop.send(true);
            shut_down(&desk, server).await
        }
    }
}

/// Token by token, a stream is made of small writes that should not wait for each other.
fn quick(stream: &mut tokio::net::TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays slow");
    }
}

/// The names this server answers to besides the loopback ones.
fn hosts(bound: IpAddr, mut further: Vec<String>) -> Vec<String> {
    if !bound.is_unspecified() {
        further.push(bound.to_string());
    }
    further
}

/// The pages beside the API. They hold no data, so they need no token.
fn whole(api: Router) -> Router {
    Router::new().fallback(move |request: Request| {
        let api = api.clone();
        async move { either(api, request).await }
    })
}

async fn either(api: Router, request: Request) -> Response {
    let path = request.uri().path();
    let first = path.split('/').find(|part| !part.is_empty()).unwrap_or_default();
    if !matches!(first, "v1" | "latest" | "workbench" | "openapi.json")
        && let Some(page) = interface::page(request.method(), path, request.headers())
    {
        return page;
    }
    match api.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// One line on standard output that programs read; what is for people goes to standard error.
fn announce(address: SocketAddr, token: Option<&Token>, ui: bool, data_dir: &Path) -> anyhow::Result<()> {
    match token {
        None => {
            eprintln!("Warning: without a token every program and user of this machine can use these agents.")
        }
        Some(Token::Given(_)) => {}
        Some(Token::Made(text, path)) => {
            eprintln!("Token: {text}");
            eprintln!("It is shown only now and kept in {}.", path.display());
        }
        Some(Token::Kept(_, path)) => eprintln!("The token is in {}.", path.display()),
    }
    eprintln!("The data is in {}.", data_dir.display());
    let mut out = std::io::stdout().lock();
    if ui {
        // After the number sign it stays in the browser.
        let secret = token.map(|token| format!("#token={}", encoded(token.text()))).unwrap_or_default();
        writeln!(out, "Open the workbench: http://{address}/{secret}").context("printing")?;
    }
    writeln!(out, "Loci is ready at http://{address}").context("printing")?;
    out.flush().context("printing")
}

/// Percent-encoded where a link needs it.
fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes()
        .map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

async fn stopped(mut stopping: watch::Receiver<bool>) {
    // An error means that the other end is gone, and then it is time as well.
    let _gone = stopping.wait_for(|stop| *stop).await;
}

/// Resolves when a person or a service manager asks.
async fn asked_to_stop() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
}

/// No new connections any more; every run is finished or marked, then the answers under way go out. A second
/// signal ends it at once.
async fn shut_down(desk: &Desk, server: tokio::task::JoinHandle<std::io::Result<()>>) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    desk.close();
    let orderly = async {
        if tokio::time::timeout_at(deadline, desk.app().shutdown()).await.is_err() {
            tracing::warn!("some runs did not end in time; they are marked at the next start");
        }
        match tokio::time::timeout_at(deadline.max(Instant::now() + Duration::from_secs(1)), server).await {
            Ok(ended) => ended.context("the server ended")?.context("the server ended"),
            Err(_) => {
                tracing::warn!("some answers were cut off");
                Ok(())
            }
        }
    };
    tokio::select! {
        done = orderly => done,
        again = asked_to_stop() => again,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_a_link() {
        assert_eq!(encoded("abc-123_x.~"), "abc-123_x.~");
        assert_eq!(encoded("a+b/c=#%"), "a%2Bb%2Fc%3D%23%25");
    }
}
