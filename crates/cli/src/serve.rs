//! `loci serve` and `loci --browser`: from the options to a listening server, and down again in order.

use std::{
    io::Write,
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use loci_server::{Guard, guarded};
use loci_workbench::{
    Desk, Serving, Setup,
    listen::{self, Assets, Door, Listening, Token},
    secrets::SecretChoice,
    secrets_file,
};
use rust_embed::RustEmbed;
use secrecy::SecretString;
use tokio::{net::TcpListener, time::Instant};

use crate::arguments::{Secrets, Serve};

/// Threads that answer; the database has its own.
const MOST_WORKERS: usize = 4;
/// How long a stopping server waits for its runs and answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits for what cannot be stopped.
const LAST_MOMENT: Duration = Duration::from_secs(1);
/// How long a start waits for the keys of providers. From a keyring that is open they come at once.
const FOR_KEYS: Duration = Duration::from_secs(5);

/// The workbench's pages: the same build of `ui/` the window embeds.
#[derive(RustEmbed)]
#[folder = "../../ui/dist/"]
#[allow_missing = true]
struct Pages;

pub fn run(options: Serve) -> anyhow::Result<()> {
    if options.no_token && !options.host.is_loopback() {
        bail!(
            "{} can be reached from other machines, so a token is needed: leave out --no-token, or listen on 127.0.0.1",
            options.host
        );
    }
    let workers = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, MOST_WORKERS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("starting")?;
    let done = runtime.block_on(serve(options));
    // A call to a locked keyring waits for a person, who is not coming any more.
    runtime.shutdown_timeout(LAST_MOMENT);
    done
}

async fn serve(options: Serve) -> anyhow::Result<()> {
    let data_dir = options.data.dir()?;
    let secrets = match options.secrets {
        Secrets::Environment => SecretChoice::Environment(secrets_file(&data_dir)),
        Secrets::Automatic => SecretChoice::Automatic(secrets_file(&data_dir)),
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
        listen::check_token(given).context("the token given cannot be used")?;
    }
    // The address first: nothing is touched when it is taken.
    let address = SocketAddr::new(options.host, options.port);
    let listener = TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => anyhow!(
            "{address} is in use by another program, perhaps by another Loci. Stop that one, or choose another port \
             with --port"
        ),
        _ => anyhow::Error::new(error).context(format!("listening on {address}")),
    })?;
    let address = listener.local_addr().context("asking for the address")?;
    let desk = setup.open().await?;
    load_providers(&desk).await?;
    let token = if options.no_token { None } else { Some(listen::token(options.token.clone(), &data_dir)?) };
    desk.is_served(Serving { address, token_file: token.as_ref().and_then(|token| token.file().cloned()) });
    let secret = || token.as_ref().map(|token| SecretString::from(token.text().to_owned()));
    let guard =
        Guard { token: secret(), hosts: hosts(options.host, options.hosts), origins: options.origins };
    let assets: Assets = Arc::new(|name| Pages::get(name).map(|file| file.data.into_owned()));
    let router = listen::with_pages(guarded(loci_workbench::served(desk.clone()), guard), assets);
    let door = Door::new(secret());
    let router = if options.browser { door.beside(router) } else { router };
    let mut asked = Asked::listen()?;
    let mut server = Listening::start(listener, router).context("answering")?;
    announce(address, token.as_ref(), options.ui, &data_dir)?;
    if options.browser {
        // Not the address asked for: a browser cannot go to 0.0.0.0.
        let place = if address.ip().is_unspecified() {
            SocketAddr::new(IpAddr::from([127, 0, 0, 1]), address.port())
        } else {
            address
        };
        listen::show_in_browser(&door.link(place))?;
    }

    let ended = tokio::select! {
        ended = server.ended() => Some(ended),
        signal = asked.wait() => {
            signal?;
            None
        }
    };
    match ended {
        Some(ended) => ended.context("the server ended"),
        None => shut_down(&desk, server, asked).await,
    }
}

/// Tells the models of every provider. A locked keyring asks the person first; all else is served meanwhile.
async fn load_providers(desk: &Desk) -> anyhow::Result<()> {
    let loading = desk.clone();
    let mut loading = tokio::spawn(async move { loading.load_providers().await });
    match tokio::time::timeout(FOR_KEYS, &mut loading).await {
        Ok(loaded) => {
            loaded.context("setting up the model providers")?.context("setting up the model providers")
        }
        Err(_) => {
            eprintln!(
                "The keyring waits to be unlocked; until then providers whose keys are in it are missing."
            );
            tokio::spawn(async move {
                if let Ok(Err(error)) = loading.await {
                    tracing::error!(error = format!("{error:#}"), "the model providers cannot be set up");
                }
            });
            Ok(())
        }
    }
}

/// The names this server answers to besides the loopback ones.
fn hosts(bound: IpAddr, mut further: Vec<String>) -> Vec<String> {
    if !bound.is_unspecified() {
        further.push(bound.to_string());
    }
    further
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
        let secret = token.map(|token| format!("#token={}", token.encoded())).unwrap_or_default();
        writeln!(out, "Open the workbench: http://{address}/{secret}").context("printing")?;
    }
    writeln!(out, "Loci is ready at http://{address}").context("printing")?;
    out.flush().context("printing")
}

/// The wish of a person or a service manager that it end. Made before anybody is told that the server is ready, as
/// a signal before that would end the program as it is.
struct Asked {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Asked {
    #[cfg(unix)]
    fn listen() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listening for SIGINT")?,
        })
    }

    #[cfg(unix)]
    async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    #[cfg(not(unix))]
    async fn wait(&mut self) -> anyhow::Result<()> {
        tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
    }
}

/// No new connections any more; every run is finished or marked, then the answers under way go out. A second
/// signal ends it at once.
async fn shut_down(desk: &Desk, server: Listening, mut asked: Asked) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    server.begin_to_stop();
    desk.close();
    let orderly = async {
        if tokio::time::timeout_at(deadline, desk.app().shutdown()).await.is_err() {
            tracing::warn!("some runs did not end in time; they are marked at the next start");
        }
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        server.stop(left).await.context("the server ended")
    };
    tokio::select! {
        done = orderly => done,
        again = asked.wait() => again,
    }
}
