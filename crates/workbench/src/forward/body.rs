//! An answer on its way back: looked at as far as is needed to know that it is one, then passed on as it comes,
//! within bounds of time and size.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use http::{Response, header};

use super::{Limits, Problem, Remote, has_no_body, headers};
use crate::sentences::Connecting;

/// An answer that ended before its end, or went beyond what is passed on. A sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrokenOff(pub String);

/// What an answer says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    Other,
    /// A page for people: a proxy, a login, another program.
    Page,
}

fn kind(content_type: Option<&str>) -> Kind {
    let plain = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    match plain.to_ascii_lowercase().as_str() {
        "application/json" | "application/problem+json" => Kind::Json,
        "text/event-stream" => Kind::Events,
        "text/html" | "application/xhtml+xml" => Kind::Page,
        _ => Kind::Other,
    }
}

/// The answer for the person's request. `patience` bounds the wait for the first piece of one that is looked at.
pub(super) async fn relay(
    answer: reqwest::Response,
    remote: &Remote,
    limits: &Limits,
    patience: Duration,
) -> Result<Response<Body>, Problem> {
    let status = answer.status();
    if status.is_redirection() && status != http::StatusCode::NOT_MODIFIED {
        let place = answer.headers().get(header::LOCATION).and_then(|place| place.to_str().ok());
        let place = place.map_or_else(|| "nowhere".to_owned(), |place| place.chars().take(200).collect());
        return Err(Problem::Redirect(place));
    }
    let kind = kind(answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()));
    if kind == Kind::Page {
        return Err(Problem::Garbage(match status.is_success() {
            true => Connecting::GarbagePage.into(),
            false => Connecting::GarbagePageStatus { status: status.as_u16().to_string() }.into(),
        }));
    }
    let mut response = Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers::returning(answer.headers());
    let length = answer.content_length();
    if length.is_some_and(|length| kind != Kind::Events && length > limits.largest_answer) {
        let megabytes = limits.largest_answer >> 20;
        return Err(Problem::Garbage(Connecting::GarbageTooLarge { megabytes }.into()));
    }
    if has_no_body(status) {
        return Ok(response.map(|()| Body::empty()));
    }
    let encoded = answer.headers().contains_key(header::CONTENT_ENCODING);
    let mut pieces = answer.bytes_stream().boxed();
    let mut first = None;
    if kind == Kind::Json && !encoded {
        let piece = tokio::time::timeout(patience, pieces.next())
            .await
            .map_err(|_| Problem::Slow { waited: patience, write: false })?;
        match piece {
            Some(Ok(piece)) if !may_be_json(&piece) => {
                return Err(Problem::Garbage(Connecting::GarbageNotJson.into()));
            }
            Some(Err(error)) => {
                return Err(Problem::Broken { cause: super::chain(&error.without_url()), write: false });
            }
            Some(Ok(piece)) => first = Some(piece),
            None => {}
        }
    }
    let bounds = Bounds {
        name: remote.name.clone(),
        idle: if kind == Kind::Events { limits.stream_idle } else { limits.idle },
        left: if kind == Kind::Events { u64::MAX } else { limits.largest_answer },
    };
    let body = Body::from_stream(bounded(first, pieces, bounds));
    Ok(response.map(|()| body))
}

/// By its first character; the rest is the reader's to judge.
fn may_be_json(piece: &[u8]) -> bool {
    match piece.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(first) => b"{[\"-0123456789tfn".contains(first),
        None => true,
    }
}

struct Bounds {
    name: String,
    idle: Duration,
    left: u64,
}

fn bounded(
    first: Option<Bytes>,
    pieces: BoxStream<'static, reqwest::Result<Bytes>>,
    bounds: Bounds,
) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send + 'static {
    let first = futures::stream::iter(first.map(Ok));
    let state = Some((first.chain(pieces).boxed(), bounds));
    futures::stream::unfold(state, async |state| {
        let (mut pieces, mut bounds) = state?;
        let problem = match tokio::time::timeout(bounds.idle, pieces.next()).await {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) => match bounds.left.checked_sub(piece.len() as u64) {
                Some(left) => {
                    bounds.left = left;
                    return Some((Ok(piece), Some((pieces, bounds))));
                }
                None => "sent more than is passed on".to_owned(),
            },
            Ok(Some(Err(error))) => {
                tracing::debug!(error = super::chain(&error.without_url()), "an answer broke off");
                "broke off its answer".to_owned()
            }
            Err(_) => format!("sent nothing for {} seconds", bounds.idle.as_secs_f32().ceil()),
        };
        Some((Err(BrokenOff(format!("{} {problem}.", bounds.name))), None))
    })
}
