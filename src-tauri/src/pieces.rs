//! The body of an answer, taken piece by piece as the page asks for it.

use axum::body::{Body, BodyDataStream};
use futures::{FutureExt, StreamExt, stream::Fuse};

/// Bytes of one piece from which on nothing is added to it.
const ENOUGH: usize = 64 << 10;

/// What is left of a body. Nothing is read ahead of the page, so a page that is slow slows the server.
pub struct Pieces {
    body: Fuse<BodyDataStream>,
    /// What broke it off, found while a piece was being gathered that goes first.
    broken: Option<axum::Error>,
    ended: bool,
}

impl Pieces {
    pub fn of(body: Body) -> Self {
        Self { body: body.into_data_stream().fuse(), broken: None, ended: false }
    }

    /// Whether everything was taken.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// What is there already, which may be nothing.
    pub fn ready(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.gather(&mut bytes);
        bytes
    }

    /// The next piece, with whatever is there by then; empty at the end, and only there.
    ///
    /// # Errors
    /// If the body broke off; what came before it was handed out.
    pub async fn next(&mut self) -> Result<Vec<u8>, axum::Error> {
        let mut bytes = Vec::new();
        while bytes.is_empty() && !self.ended {
            if let Some(error) = self.broken.take() {
                self.ended = true;
                return Err(error);
            }
            let next = self.body.next().await;
            self.add(&mut bytes, next);
        }
        self.gather(&mut bytes);
        Ok(bytes)
    }

    /// Adds what needs no waiting.
    fn gather(&mut self, bytes: &mut Vec<u8>) {
        while bytes.len() < ENOUGH
            && !self.ended
            && self.broken.is_none()
            && let Some(next) = self.body.next().now_or_never()
        {
            self.add(bytes, next);
        }
    }

    fn add(&mut self, bytes: &mut Vec<u8>, next: Option<Result<axum::body::Bytes, axum::Error>>) {
        match next {
            Some(Ok(more)) => bytes.extend_from_slice(&more),
            Some(Err(error)) => self.broken = Some(error),
            None => self.ended = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use futures::channel::mpsc;

    use super::*;

    type Said = Result<Vec<u8>, io::Error>;

    fn spoken() -> (mpsc::UnboundedSender<Said>, Pieces) {
        let (say, said) = mpsc::unbounded();
        (say, Pieces::of(Body::from_stream(said)))
    }

    fn say(to: &mpsc::UnboundedSender<Said>, what: &[u8]) {
        to.unbounded_send(Ok(what.to_vec())).expect("heard");
    }

    #[tokio::test]
    async fn what_is_there_goes_together_and_nothing_is_waited_for() {
        let (to, mut pieces) = spoken();
        assert_eq!(pieces.ready(), b"");
        say(&to, b"one ");
        say(&to, b"two ");
        assert_eq!(pieces.next().await.expect("whole"), b"one two ");
        // The first piece of a stream goes on although nothing follows it yet.
        say(&to, b"three");
        assert_eq!(pieces.next().await.expect("whole"), b"three");
        assert!(!pieces.ended());
        drop(to);
        assert_eq!(pieces.next().await.expect("the end"), b"");
        assert!(pieces.ended());
        assert_eq!(pieces.next().await.expect("still the end"), b"");
    }

    #[tokio::test]
    async fn a_body_that_is_there_is_known_to_be_whole() {
        for whole in [&b""[..], b"{}"] {
            let mut pieces = Pieces::of(Body::from(whole));
            assert_eq!(pieces.ready(), whole);
            assert!(pieces.ended());
        }
        // A piece without bytes is not the end.
        let (to, mut pieces) = spoken();
        say(&to, b"");
        say(&to, b"on");
        assert_eq!(pieces.next().await.expect("whole"), b"on");
    }

    #[tokio::test]
    async fn a_large_body_comes_as_the_page_takes_it() {
        let (to, mut pieces) = spoken();
        for _ in 0..3 {
            say(&to, &[7; ENOUGH]);
        }
        drop(to);
        for _ in 0..3 {
            assert_eq!(pieces.next().await.expect("whole").len(), ENOUGH);
        }
        assert_eq!(pieces.next().await.expect("the end"), b"");
    }

    #[tokio::test]
    async fn one_that_breaks_off_says_so_after_what_came() {
        let (to, mut pieces) = spoken();
        say(&to, b"half");
        to.unbounded_send(Err(io::ErrorKind::BrokenPipe.into())).expect("heard");
        assert_eq!(pieces.next().await.expect("what came"), b"half");
        pieces.next().await.expect_err("broken off");
        assert!(pieces.ended());
    }
}
