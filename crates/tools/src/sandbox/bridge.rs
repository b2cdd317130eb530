//! The way into a running process: its request, and for code that may call tools also the way back.
//!
//! Such code writes one JSON line per call, `{"name", "arguments"}`, and reads one line of answer, `{"ok": value}` or
//! `{"error": sentence}`. The line is the process's own standard input, which is then a socket; no other way out of
//! the walls is opened for it.

use std::{io, process::Stdio};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin},
    sync::oneshot,
};

use super::{NestedCall, NestedTools, helper, process::give};

/// The longest line a call may be, bytes.
const LONGEST_CALL: u64 = 16 << 20;

/// This program's end.
#[derive(Debug)]
pub(super) enum Line {
    OneWay(ChildStdin),
    #[cfg(unix)]
    TwoWay(tokio::net::UnixStream),
}

/// This program's end before there is a process at the other.
pub(super) enum Ours {
    /// The child brings it.
    Pipe,
    #[cfg(unix)]
    Socket(tokio::net::UnixStream),
}

/// Both ends.
pub(super) fn pair(two_way: bool) -> io::Result<(Stdio, Ours)> {
    if !two_way {
        return Ok((Stdio::piped(), Ours::Pipe));
    }
    #[cfg(unix)]
    {
        let (theirs, ours) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        let ours = tokio::net::UnixStream::from_std(ours)?;
        Ok((Stdio::from(std::os::fd::OwnedFd::from(theirs)), Ours::Socket(ours)))
    }
    #[cfg(not(unix))]
    Err(io::Error::other("code that calls tools is not available on this system yet"))
}

impl Ours {
    pub(super) fn of(self, child: &mut Child) -> io::Result<Line> {
        match self {
            Self::Pipe => child
                .stdin
                .take()
                .map(Line::OneWay)
                .ok_or_else(|| io::Error::other("the process has no input")),
            #[cfg(unix)]
            Self::Socket(stream) => Ok(Line::TwoWay(stream)),
        }
    }
}

impl Line {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::OneWay(pipe) => pipe.write_all(bytes).await,
            #[cfg(unix)]
            Self::TwoWay(stream) => stream.write_all(bytes).await,
        }
    }

    /// Sends the request; then carries out what the code asks for, until it is done.
    pub(super) async fn converse(self, request: &[u8], tools: Option<&NestedTools>) {
        let request = helper::with_length(request);
        match self {
            Self::OneWay(pipe) => give(pipe, &request).await,
            #[cfg(unix)]
            Self::TwoWay(mut stream) => {
                let (read, mut write) = stream.split();
                give(&mut write, &request).await;
                let mut lines = BufReader::new(read);
                loop {
                    let mut line = Vec::new();
                    match (&mut lines).take(LONGEST_CALL).read_until(b'\n', &mut line).await {
                        Ok(count) if count > 0 && line.ends_with(b"\n") => {}
                        // The end, or a line that is longer than any call.
                        Ok(_) | Err(_) => return,
                    }
                    let answer = match carry_out(&line, tools).await {
                        Ok(value) => json!({"ok": value}),
                        Err(sentence) => json!({"error": sentence}),
                    };
                    give(&mut write, format!("{answer}\n").as_bytes()).await;
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    name: String,
    arguments: Map<String, Value>,
}

async fn carry_out(line: &[u8], tools: Option<&NestedTools>) -> Result<Value, String> {
    let gone = || "the program that runs the tools no longer answers".to_owned();
    let Asked { name, arguments } =
        serde_json::from_slice(line).map_err(|error| format!("the call cannot be read: {error}"))?;
    let tools = tools.filter(|tools| tools.functions.iter().any(|function| function.name == name));
    let tools = tools.ok_or_else(|| format!("there is no tool named '{name}'"))?;
    let (answer, answered) = oneshot::channel();
    tools.calls.send(NestedCall { name, arguments, answer }).await.map_err(|_| gone())?;
    answered.await.map_err(|_| gone())?
}
