//! Being reached over TCP: a listener that can be stopped, the workbench's pages beside the API, the token, and a
//! link that lets a browser in once. The headless program, the window's local server and the way out through a
//! browser are all made of these.

mod browser;
mod door;
mod pages;
mod token;

use std::{io, net::SocketAddr, time::Duration};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub use self::{
    browser::{open_in_browser, show_in_browser},
    door::Door,
    pages::{Assets, with_pages},
    token::{Token, check_token, new_token, rotate_token, token},
};

/// A server that answers until it is stopped. Dropping it cuts it off.
pub struct Listening {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
}

impl Listening {
    /// Answers from now on.
    ///
    /// # Errors
    /// If the listener does not know its own address.
    pub fn start(listener: TcpListener, router: Router) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, mut stopping) = watch::channel(false);
        let stopped = async move {
            // An error means that the other end is gone, and then it is time as well.
            let _gone = stopping.wait_for(|stop| *stop).await;
        };
        let server = axum::serve(listener.tap_io(quick), router).with_graceful_shutdown(stopped);
        Ok(Self { address, stop, server: tokio::spawn(server.into_future()) })
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resolves if it ends by itself, which it does only when something is wrong.
    pub async fn ended(&mut self) -> io::Result<()> {
        flat((&mut self.server).await)
    }

    /// Takes no connections from now on.
    pub fn begin_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops; answers under way may go on for `patience`, then they are cut off.
    pub async fn stop(mut self, patience: Duration) -> io::Result<()> {
        self.begin_to_stop();
        match tokio::time::timeout(patience, &mut self.server).await {
            Ok(ended) => flat(ended),
            Err(_) => {
                tracing::debug!("some answers were cut off");
                Ok(())
            }
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn flat(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Result<()> {
    ended.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Token by token, a stream is made of small writes that should not wait for each other.
fn quick(stream: &mut tokio::net::TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays slow");
    }
}
