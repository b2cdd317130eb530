//! From the window's pages to the routers: `api_request`, `api_read` and `api_cancel`. The same requests go over TCP
//! from a browser; here they go to the router in process, and the page fetches the answer piece by piece. Why it is not
//! sent to the page over a channel: docs/decisions/0009-the-page-fetches-its-answers.md.

use axum::{Router, body::Body};
use http::{HeaderName, HeaderValue, Method, Request, Uri, response};
use loci_workbench::BrokenOff;
use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager, State, ipc};
use tower::ServiceExt;

use crate::{
    backend::Backend,
    display,
    pieces::Pieces,
    requests::{DROPPED, Requests},
};

/// A request as the page makes it.
#[derive(Debug, Deserialize)]
pub struct ApiRequest {
    /// The page's own id, for reading on and for cancelling.
    id: String,
    method: String,
    /// Path and query.
    path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

/// How an answer begins.
#[derive(Debug, Serialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    /// The bytes that come with this are all there are; nothing is to be read.
    end: bool,
}

/// Makes a request. The answer is one frame: the length of its head in four bytes, low ones first, the [`Head`] as
/// JSON, and what is there of the body already. Most answers are whole with that.
///
/// # Errors
/// If the request is not one (an odd method, path or header, or an id that is in use), if the data could not be opened,
/// or if the page dropped it meanwhile.
#[tauri::command]
pub async fn api_request(
    app: AppHandle,
    requests: State<'_, Requests>,
    request: ApiRequest,
) -> Result<ipc::Response, String> {
    // A page that asks is a page that came up.
    display::survived();
    let begun = requests.begin(&request.id)?;
    let outgoing = outgoing(request)?;
    let answer = begun.until_dropped(async {
        let router = app.state::<Backend>().router().await?;
        Ok::<_, String>(ask(router, outgoing).await)
    });
    let (head, mut pieces) = answer.await.ok_or(DROPPED)??;
    let bytes = pieces.ready();
    let frame = frame(&head, pieces.ended(), &bytes).map_err(|error| error.to_string())?;
    if !pieces.ended() {
        begun.keep(pieces).await;
    }
    Ok(ipc::Response::new(frame))
}

/// The next bytes of an answer, as they come; none at its end.
///
/// # Errors
/// If the answer broke off or is not under way.
#[tauri::command]
pub async fn api_read(requests: State<'_, Requests>, id: String) -> Result<ipc::Response, String> {
    match requests.read(&id).await {
        Ok(bytes) => Ok(ipc::Response::new(bytes)),
        Err(Some(error)) => Err(broken_off(error)),
        Err(None) => Err(DROPPED.to_owned()),
    }
}

/// Drops the answer of a request; one that has ended is no error.
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
    let mut outgoing = Request::new(request.body.map_or_else(Body::empty, Body::from));
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

async fn ask(router: Router, request: Request<Body>) -> (response::Parts, Pieces) {
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    (head, Pieces::of(body))
}

fn frame(head: &response::Parts, end: bool, bytes: &[u8]) -> serde_json::Result<Vec<u8>> {
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let head = serde_json::to_vec(&Head { status: head.status.as_u16(), headers, end })?;
    let length =
        u32::try_from(head.len()).map_err(|_| serde::ser::Error::custom("The headers are too long."))?;
    Ok([&length.to_le_bytes(), head.as_slice(), bytes].concat())
}

/// What broke an answer off: a server elsewhere says it in a sentence, all else is ours.
fn broken_off(error: axum::Error) -> String {
    tracing::warn!(%error, "an answer broke off");
    match error.into_inner().downcast::<BrokenOff>() {
        Ok(known) => known.0,
        Err(_) => "The answer broke off inside Loci.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

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
        let fine = outgoing(request("POST", "/v1/agents/?a=b%20c", &[("content-type", "x/y")], Some("{}")))
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
        ] {
            let problem = outgoing(bad).expect_err(wanted);
            assert!(problem.contains(wanted), "{problem}");
        }
    }

    #[tokio::test]
    async fn the_page_hears_what_it_was_promised() {
        let router = Router::new().fallback(|body: String| async move {
            (StatusCode::ACCEPTED, [("x-a", "b")], format!("heard {body}"))
        });
        let asked = outgoing(request("POST", "/", &[], Some("ü"))).expect("fine");
        let (head, mut pieces) = ask(router.with_state(()), asked).await;
        let bytes = pieces.ready();
        let frame = frame(&head, pieces.ended(), &bytes).expect("framed");
        let (length, rest) = frame.split_first_chunk::<4>().expect("a length");
        let (head, body) = rest.split_at(u32::from_le_bytes(*length) as usize);
        assert_eq!(body, "heard ü".as_bytes());
        let head: serde_json::Value = serde_json::from_slice(head).expect("JSON");
        assert_eq!((&head["status"], &head["end"]), (&202.into(), &true.into()));
        assert!(
            head["headers"].as_array().expect("pairs").contains(&serde_json::json!(["x-a", "b"])),
            "{head}"
        );
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
}
