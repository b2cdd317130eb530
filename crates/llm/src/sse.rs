//! From a response's bytes to server-sent events, with bounds on size and silence.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use sse_stream::{Error as ParseError, Sse, SseByteStream};

/// What one answer may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Bytes of one event.
    pub frame: usize,
    /// Bytes of the whole answer.
    pub answer: usize,
    /// Silence after which the provider counts as gone.
    pub stall: Duration,
}

/// Why no further event can be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the connection broke: {0}")]
    Transport(String),
    #[error("nothing came for {} seconds", .0.as_secs())]
    Stalled(Duration),
    #[error("the answer is larger than {0} MB")]
    TooLarge(usize),
    #[error("the stream cannot be read: {0}")]
    Unreadable(String),
}

/// The events of a byte stream. A last event without its closing blank line is still given out: whether the answer
/// is whole is for the protocol to say.
pub(crate) fn frames<S, E>(bytes: S, limits: Limits) -> impl Stream<Item = Result<Sse, Broken>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: std::error::Error + Send,
{
    let since_event = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&since_event);
    async_stream::stream! {
        let mut events = std::pin::pin!(SseByteStream::new(bounded(bytes, limits, counter)));
        while let Some(event) = events.next().await {
            since_event.store(0, Ordering::Relaxed);
            yield match event {
                Ok(event) => Ok(event),
                Err(ParseError::Body(cause)) => Err(match cause.downcast::<Broken>() {
                    Ok(broken) => *broken,
                    Err(other) => Broken::Transport(other.to_string()),
                }),
                Err(other) => Err(Broken::Unreadable(other.to_string())),
            };
        }
    }
}

/// The lines of a byte stream, for protocols that send one JSON value in each. Empty ones are left out; a last line
/// without its end is still given out, as in [`frames`].
pub(crate) fn lines<S, E>(bytes: S, limits: Limits) -> impl Stream<Item = Result<Sse, Broken>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: std::error::Error + Send,
{
    let since_line = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&since_line);
    async_stream::stream! {
        let mut chunks = std::pin::pin!(bounded(bytes, limits, counter));
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(broken) => {
                    yield Err(broken);
                    return;
                }
            };
            let mut pieces = chunk.split(|byte| *byte == b'\n').peekable();
            while let Some(piece) = pieces.next() {
                rest.extend_from_slice(piece);
                // The last piece goes on in the next chunk.
                if pieces.peek().is_none() {
                    break;
                }
                since_line.store(0, Ordering::Relaxed);
                let line = std::mem::take(&mut rest);
                let line = match String::from_utf8(line) {
                    Ok(line) => line,
                    Err(error) => {
                        yield Err(Broken::Unreadable(error.to_string()));
                        return;
                    }
                };
                let line = line.trim().trim_start_matches('\u{feff}');
                if !line.is_empty() {
                    yield Ok(Sse { data: Some(line.to_owned()), ..Sse::default() });
                }
            }
        }
    }
}

fn bounded<S, E>(
    bytes: S,
    limits: Limits,
    since_event: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, Broken>> + Send
where
    S: Stream<Item = Result<Bytes, E>> + Send,
    E: std::error::Error + Send,
{
    const MB: usize = 1 << 20;
    async_stream::stream! {
        let mut bytes = std::pin::pin!(bytes);
        let mut total = 0_usize;
        loop {
            let next = match tokio::time::timeout(limits.stall, bytes.next()).await {
                Ok(Some(Ok(chunk))) => chunk,
                Ok(Some(Err(error))) => {
                    yield Err(Broken::Transport(chain(&error)));
                    return;
                }
                Ok(None) => break,
                Err(_) => {
                    yield Err(Broken::Stalled(limits.stall));
                    return;
                }
            };
            total = total.saturating_add(next.len());
            let frame = since_event.fetch_add(next.len(), Ordering::Relaxed).saturating_add(next.len());
            if total > limits.answer {
                yield Err(Broken::TooLarge(limits.answer / MB));
                return;
            }
            if frame > limits.frame {
                yield Err(Broken::TooLarge(limits.frame / MB));
                return;
            }
            yield Ok(next);
        }
        yield Ok(Bytes::from_static(b"\n\n"));
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;

    use super::*;

    const LIMITS: Limits = Limits { frame: 1000, answer: 5000, stall: Duration::from_secs(120) };

    async fn read(chunks: Vec<Bytes>) -> Vec<Result<String, String>> {
        frames(stream::iter(chunks.into_iter().map(Ok::<_, Infallible>)), LIMITS)
            .map(|event| event.map(|event| event.data.unwrap_or_default()).map_err(|error| error.to_string()))
            .collect()
            .await
    }

    #[tokio::test]
    async fn every_split_reads_the_same() {
        let text = "\u{feff}: hello\r\nevent: a\r\ndata: é🙂\r\n\r\ndata:x\ndata: y\n\n\ndata: last";
        let expected: Vec<_> = ["é🙂", "x\ny", "last"].into_iter().map(|text| Ok(text.to_owned())).collect();
        for split in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(split);
            let chunks = vec![Bytes::copy_from_slice(head), Bytes::copy_from_slice(tail)];
            assert_eq!(read(chunks).await, expected, "split at {split}");
        }
        let single = text.bytes().map(|byte| Bytes::copy_from_slice(&[byte])).collect();
        assert_eq!(read(single).await, expected);
    }

    #[tokio::test]
    async fn every_split_of_lines_reads_the_same() {
        let text = "\u{feff}{\"a\":\"é🙂\"}\r\n\n{\"b\":1}\n{\"c\":2}";
        let expected = ["{\"a\":\"é🙂\"}", "{\"b\":1}", "{\"c\":2}"];
        for split in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(split);
            let chunks = [head, tail].map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk)));
            let read: Vec<_> = lines(stream::iter(chunks), LIMITS)
                .map(|line| line.map(|line| line.data.unwrap_or_default()).map_err(|error| error.to_string()))
                .collect()
                .await;
            assert_eq!(read, expected.map(|line| Ok(line.to_owned())), "split at {split}");
        }
        let bad = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"{\xff}\n{}\n"))]);
        let read: Vec<_> = lines(bad, LIMITS).collect().await;
        assert!(matches!(read.as_slice(), [Err(Broken::Unreadable(_))]));
    }

    #[tokio::test]
    async fn sizes_and_bytes_that_are_no_text_end_the_stream() {
        let frame = read(vec![Bytes::from(vec![b'x'; 1001])]).await;
        assert!(frame[0].as_ref().is_err_and(|error| error.contains("larger")));
        let event = Bytes::from(format!("data: {}\n\n", "x".repeat(900)));
        let answer = read(vec![event; 10]).await;
        assert_eq!(answer.iter().filter(|event| event.is_ok()).count(), 5);
        assert!(answer.last().is_some_and(Result::is_err));
        let bytes = read(vec![Bytes::from_static(b"data: \xff\n\n")]).await;
        assert!(bytes[0].is_err() && bytes.len() == 1);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_noticed() {
        let silent =
            stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"data: a\n\n"))]).chain(stream::pending());
        let events: Vec<_> = frames(silent, LIMITS).collect().await;
        assert!(events[0].is_ok());
        assert!(matches!(events[1], Err(Broken::Stalled(_))));
        assert_eq!(events.len(), 2);
    }
}
