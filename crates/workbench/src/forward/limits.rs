//! How long a server elsewhere may take, and how much it may send.

use std::time::Duration;

use axum::http::Method;

/// The bounds of a forwarder. Tests make them short.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a connection to be made.
    pub connect: Duration,
    /// Until an answer to a reading request begins.
    pub read: Duration,
    /// Until an answer to a changing request begins.
    pub write: Duration,
    /// Until an answer begins that may wait for a model or a tool.
    pub run: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// Between two pieces of an event stream. Longer than models think; streams with pings never come near it.
    pub stream_idle: Duration,
    /// Bytes of a request.
    pub largest_request: usize,
    /// Bytes of an answer that is not an event stream.
    pub largest_answer: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            write: Duration::from_secs(60),
            run: Duration::from_secs(600),
            idle: Duration::from_secs(30),
            stream_idle: Duration::from_secs(300),
            largest_request: 64 << 20,
            largest_answer: 256 << 20,
        }
    }
}

impl Limits {
    /// How long to wait for the answer to begin.
    pub(super) fn head(&self, method: &Method, path: &str) -> Duration {
        if method.is_safe() {
            return self.read;
        }
        let waits = path.split('/').any(|part| {
            matches!(
                part,
                "messages" | "stream" | "run" | "compact" | "summarize" | "generate" | "import" | "upload"
            )
        });
        if waits { self.run } else { self.write }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_asks_a_model_may_take_long() {
        let limits = Limits::default();
        for (method, path, wanted) in [
            (Method::GET, "/v1/agents/a/messages", limits.read),
            (Method::POST, "/v1/agents/", limits.write),
            (Method::POST, "/v1/agents/a/messages", limits.run),
            (Method::POST, "/v1/conversations/c/messages/", limits.run),
            (Method::POST, "/v1/runs/r/stream", limits.run),
            (Method::PATCH, "/v1/blocks/b", limits.write),
        ] {
            assert_eq!(limits.head(&method, path), wanted, "{method} {path}");
        }
    }
}
