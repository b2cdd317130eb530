//! From the window's pages to the routers: `api_request` and `api_cancel`. The same requests go over TCP from a
//! browser; here they go to the router in process, and the answer comes back over a channel.

use axum::{Router, body::Body};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use futures::{FutureExt, StreamExt};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use loci_workbench::BrokenOff;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager, State, ipc::Channel};
use tokio::sync::oneshot;
use tower::ServiceExt;

use crate::{backend::Backend, display, requests::Requests};

/// Bytes of one message to the page; what arrives together goes together up to here.
const CHUNK: usize = 64 << 10;
/// Bytes sent before the window's own thread must have taken them.
const AHEAD: usize = 512 << 10;

/// A request as the page makes it.
#[derive(Debug, Deserialize)]
pub struct ApiRequest {
    /// The page's own id, for cancelling.
    id: String,
    method: String,
    /// Path and query.
    path: String,
    headers: Vec<(String, String)>,
    /// Base64.
    body: Option<String>,
}

/// What the page hears, in this order: one head, chunks, then an end; or an error at any point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Answer {
    Head {
        status: u16,
        headers: Vec<(String, String)>,
    },
    /// Base64.
    Chunk {
        data: String,
    },
    End,
    Error {
        message: String,
    },
}

/// Starts a request. Its answer comes over `channel`; the command itself returns at once.
///
/// # Errors
/// If the request is not one: an odd method, path, header or body, or an id that is in use.
#[tauri::command]
pub async fn api_request(
    app: AppHandle,
    requests: State<'_, Requests>,
    request: ApiRequest,
    channel: Channel<Answer>,
) -> Result<(), String> {
    // A page that asks is a page that came up.
    display::survived();
    let id = request.id.clone();
    let outgoing = outgoing(request)?;
    requests.begin(id, async move {
        if let Err(error) = pass(&app, outgoing, &channel).await {
            tracing::debug!(%error, "the page went away");
        }
    })
}

/// Stops the answer of a request; one that has ended is no error.
#[tauri::command]
pub fn api_cancel(requests: State<'_, Requests>, id: String) {
    requests.cancel(&id);
}

fn outgoing(request: ApiRequest) -> Result<Request<Body>, String> {
    let uri: Uri =
        request.path.parse().map_err(|error| format!("{:?} is not a path: {error}.", request.path))?;
    if uri.scheme().is_some() || uri.authority().is_some() || !request.path.starts_with('/') {
        return Err("A path begins with a slash and names no host.".to_owned());
    }
    let method =
        Method::from_bytes(request.method.as_bytes()).map_err(|_| "That is not a method.".to_owned())?;
    let body = match request.body {
        Some(text) => {
            Body::from(BASE64.decode(text).map_err(|error| format!("The body is not base64: {error}."))?)
        }
        None => Body::empty(),
    };
    let mut outgoing = Request::new(body);
    *outgoing.method_mut() = method;
    *outgoing.uri_mut() = uri;
    for (name, value) in request.headers {
        let named =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is not a header."))?;
        let value =
            HeaderValue::from_str(&value).map_err(|_| format!("The header {name} has an odd value."))?;
        outgoing.headers_mut().append(named, value);
    }
    Ok(outgoing)
}

/// An error means that the page does not listen any more.
async fn pass(app: &AppHandle, request: Request<Body>, channel: &Channel<Answer>) -> tauri::Result<()> {
    match app.state::<Backend>().router().await {
        Ok(router) => relay(router, request, |answer| channel.send(answer), || caught_up(app)).await,
        Err(message) => channel.send(Answer::Error { message }),
    }
}

/// Asks the router and sends what it answers, in pieces; `caught_up` is waited for whenever much was sent.
async fn relay<E, C>(
    router: Router,
    request: Request<Body>,
    send: impl Fn(Answer) -> Result<(), E>,
    caught_up: impl Fn() -> C,
) -> Result<(), E>
where
    C: Future<Output = Result<(), E>>,
{
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    send(Answer::Head { status: response.status().as_u16(), headers })?;
    let mut body = response.into_body().into_data_stream().fuse();
    let mut ahead = 0;
    let mut held = None;
    loop {
        let next = match held.take() {
            Some(next) => Some(next),
            None => body.next().await,
        };
        let mut bytes = match next {
            Some(Ok(bytes)) => bytes.to_vec(),
            Some(Err(error)) => {
                return send(Answer::Error { message: broken_off(error) });
            }
            None => return send(Answer::End),
        };
        // Whatever is there already goes with it; nothing is waited for.
        while bytes.len() < CHUNK && held.is_none() {
            match body.next().now_or_never() {
                Some(Some(Ok(more))) => bytes.extend_from_slice(&more),
                Some(Some(Err(error))) => held = Some(Err(error)),
                Some(None) | None => break,
            }
        }
        for piece in bytes.chunks(CHUNK) {
            send(Answer::Chunk { data: BASE64.encode(piece) })?;
            ahead += piece.len();
            if ahead >= AHEAD {
                caught_up().await?;
                ahead = 0;
            }
        }
    }
}

/// What broke an answer off: a server elsewhere says it in a sentence, all else is ours.
fn broken_off(error: axum::Error) -> String {
    tracing::warn!(%error, "an answer broke off");
    match error.into_inner().downcast::<BrokenOff>() {
        Ok(known) => known.0,
        Err(_) => "The answer broke off inside Loci.".to_owned(),
    }
}

/// Messages to the page wait in a queue of the window's thread that knows no bound; this waits until it is empty.
async fn caught_up(app: &AppHandle) -> tauri::Result<()> {
    let (tell, done) = oneshot::channel();
    app.run_on_main_thread(move || {
        let _nobody_waits = tell.send(());
    })?;
    let _window_is_gone = done.await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> ApiRequest {
        ApiRequest {
            id: "1".to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.map(str::to_owned),
        }
    }

    #[test]
    fn only_whole_requests_for_this_program_go_on() {
        let fine = outgoing(request("POST", "/v1/agents/?a=b%20c", &[("content-type", "x/y")], Some("e30=")))
            .expect("fine");
        assert_eq!(
            fine.uri().path_and_query().map(ToString::to_string).as_deref(),
            Some("/v1/agents/?a=b%20c")
        );
        assert_eq!(fine.headers()["content-type"], "x/y");
        for (bad, wanted) in [
            (request("GET", "http://elsewhere/v1", &[], None), "names no host"),
            (request("GET", "elsewhere", &[], None), "slash"),
            (request("GET", "/v1/a b", &[], None), "not a path"),
            (request("G T", "/v1", &[], None), "not a method"),
            (request("GET", "/v1", &[("a b", "c")], None), "not a header"),
            (request("GET", "/v1", &[("a", "b\nc")], None), "odd value"),
            (request("POST", "/v1", &[], Some("{}")), "not base64"),
        ] {
            let problem = outgoing(bad).expect_err(wanted);
            assert!(problem.contains(wanted), "{problem}");
        }
    }

    #[test]
    fn the_page_hears_what_it_was_promised() {
        for (answer, json) in [
            (
                Answer::Head { status: 200, headers: vec![("a".to_owned(), "b".to_owned())] },
                r#"{"type":"head","status":200,"headers":[["a","b"]]}"#,
            ),
            (Answer::Chunk { data: "aGk=".to_owned() }, r#"{"type":"chunk","data":"aGk="}"#),
            (Answer::End, r#"{"type":"end"}"#),
            (Answer::Error { message: "no".to_owned() }, r#"{"type":"error","message":"no"}"#),
        ] {
            assert_eq!(serde_json::to_string(&answer).expect("JSON"), json);
        }
    }

    /// What the page would hear of an answer with these pieces of body, and how often it was waited for.
    async fn relayed(pieces: Vec<Result<Vec<u8>, std::io::Error>>) -> (Vec<Answer>, usize) {
        let pieces = Arc::new(Mutex::new(Some(pieces)));
        let router = Router::new().fallback(move || {
            let pieces = pieces.lock().expect("alone").take().expect("asked once");
            async {
                (http::StatusCode::ACCEPTED, [("x-a", "b")], Body::from_stream(futures::stream::iter(pieces)))
            }
        });
        let (heard, waited) = (Mutex::new(Vec::new()), Mutex::new(0));
        let send = |answer| {
            heard.lock().expect("alone").push(answer);
            Ok::<_, std::convert::Infallible>(())
        };
        let wait = || {
            *waited.lock().expect("alone") += 1;
            std::future::ready(Ok(()))
        };
        let request = outgoing(request("GET", "/", &[], None)).expect("fine");
        let done = relay(router.with_state(()), request, send, wait).await;
        done.expect("infallible");
        (heard.into_inner().expect("alone"), waited.into_inner().expect("alone"))
    }

    fn bytes(answers: &[Answer]) -> Vec<u8> {
        let pieces = answers.iter().filter_map(|answer| match answer {
            Answer::Chunk { data } => Some(BASE64.decode(data).expect("base64")),
            Answer::Head { .. } | Answer::End | Answer::Error { .. } => None,
        });
        pieces.collect::<Vec<_>>().concat()
    }

    #[tokio::test]
    async fn what_is_there_goes_together_and_in_order() {
        let (answers, waited) =
            relayed(vec![Ok(b"one ".to_vec()), Ok(b"two ".to_vec()), Ok(b"three".to_vec())]).await;
        assert_eq!(
            answers[0],
            Answer::Head { status: 202, headers: vec![("x-a".to_owned(), "b".to_owned())] }
        );
        assert_eq!(answers.len(), 3, "{answers:?}");
        assert_eq!(bytes(&answers), b"one two three");
        assert_eq!(answers[2], Answer::End);
        assert_eq!(waited, 0);
    }

    #[tokio::test]
    async fn a_large_answer_waits_for_the_page() {
        let large: Vec<u8> = (0..5 * AHEAD).map(|at| (at % 251) as u8).collect();
        let (answers, waited) = relayed(vec![Ok(large.clone())]).await;
        assert_eq!(bytes(&answers), large);
        assert_eq!(waited, 5);
        let longest = answers.iter().map(|answer| match answer {
            Answer::Chunk { data } => data.len(),
            Answer::Head { .. } | Answer::End | Answer::Error { .. } => 0,
        });
        assert!(longest.max().expect("some") <= CHUNK.div_ceil(3) * 4);
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_says_so_after_what_came() {
        let (answers, _) =
            relayed(vec![Ok(b"half".to_vec()), Err(std::io::ErrorKind::BrokenPipe.into())]).await;
        assert_eq!(bytes(&answers), b"half");
        assert!(matches!(answers.last(), Some(Answer::Error { .. })), "{answers:?}");
    }

    #[test]
    fn a_server_elsewhere_says_why_it_broke_off() {
        let known = axum::Error::new(BrokenOff("Home broke off its answer.".to_owned()));
        assert_eq!(broken_off(known), "Home broke off its answer.");
        assert_eq!(
            broken_off(axum::Error::new(std::io::Error::other("odd"))),
            "The answer broke off inside Loci."
        );
    }

    /// The way from the router's first piece to the page's channel, without the page.
    #[tokio::test]
    async fn the_first_piece_of_a_stream_goes_on_at_once() {
        use std::time::Instant;
        let mut taken = Vec::new();
        for _ in 0..200 {
            let made = Arc::new(Mutex::new(None));
            let making = Arc::clone(&made);
            let router = Router::new().fallback(move || async move {
                let pieces = futures::stream::once(async move {
                    // As a model would: not there yet when the answer begins.
                    tokio::task::yield_now().await;
                    *making.lock().expect("alone") = Some(Instant::now());
                    Ok::<_, std::io::Error>(b"data: {}\n\n".to_vec())
                });
                Body::from_stream(pieces.chain(futures::stream::pending()))
            });
            let (tell, heard) = oneshot::channel();
            let tell = Mutex::new(Some(tell));
            let send = |answer: Answer| {
                if matches!(answer, Answer::Chunk { .. })
                    && let Some(tell) = tell.lock().expect("alone").take()
                {
                    let _nobody_waits = tell.send(Instant::now());
                }
                Ok::<_, std::convert::Infallible>(())
            };
            let request = outgoing(request("GET", "/", &[], None)).expect("fine");
            let relaying = relay(router, request, send, || std::future::ready(Ok(())));
            let arrived = tokio::select! {
                _ = relaying => panic!("the stream does not end"),
                at = heard => at.expect("told"),
            };
            let made = made.lock().expect("alone").expect("made before it arrived");
            taken.push(arrived - made);
        }
        taken.sort();
        eprintln!("first piece through the bridge: median {:?}, worst {:?}", taken[100], taken[199]);
        assert!(taken[100] < std::time::Duration::from_millis(1), "median {:?}", taken[100]);
    }
}
