//! Places in the window, and how others lead there: `loci://` links, the tray, the menu, notifications.

use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, State, Url};
use tauri_plugin_deep_link::DeepLinkExt;

use crate::window;

/// The event by which the page hears where to go.
const GO: &str = "go";

/// Where the window can be. The page decides what it looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    Agent { agent_id: String, conversation_id: Option<String> },
    NewAgent,
    Approvals,
    Models,
    Settings,
}

/// A place that was asked for before the page could hear of it.
#[derive(Default)]
pub struct Waiting(Mutex<Option<Place>>);

/// `loci://agent/<id>[/<conversation>]`, `loci://approvals`, `loci://models`, `loci://settings`. A link only leads
/// somewhere; it never does anything there.
fn parse(link: &str) -> Option<Place> {
    let url = Url::parse(link).ok().filter(|url| url.scheme() == "loci")?;
    let mut parts = url.host_str().into_iter().chain(url.path().split('/')).filter(|part| !part.is_empty());
    let id = |kind: &str, part: &str| {
        let rest = part.strip_prefix(kind)?;
        let plain = rest.len() <= 64 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        plain.then(|| part.to_owned())
    };
    let place = match parts.next()? {
        "agent" => {
            let agent_id = id("agent-", parts.next()?)?;
            let conversation_id = match parts.next() {
                Some(part) => Some(id("conv-", part)?),
                None => None,
            };
            Place::Agent { agent_id, conversation_id }
        }
        "approvals" => Place::Approvals,
        "models" => Place::Models,
        "settings" => Place::Settings,
        _ => return None,
    };
    parts.next().is_none().then_some(place)
}

/// Goes there: the window comes up, and the page is told.
pub fn go(app: &AppHandle, place: Place) {
    window::show(app);
    if let Err(error) = app.emit_to(window::WINDOW, GO, &place) {
        tracing::warn!(%error, "the page was not told where to go");
    }
}

fn follow(app: &AppHandle, link: &str) {
    match parse(link) {
        Some(place) => go(app, place),
        None => {
            tracing::warn!("a loci:// link leads to no place that is known");
            window::show(app);
        }
    }
}

/// Follows links from now on; `first` is one the program was started with.
pub fn listen(app: &AppHandle, first: Option<&str>) {
    app.manage(Waiting(Mutex::new(first.and_then(parse))));
    let following = app.clone();
    app.deep_link().on_open_url(move |event| {
        if let Some(url) = event.urls().first() {
            follow(&following, url.as_str());
        }
    });
}

/// Where the page should begin, once: the link the program was started with.
#[tauri::command]
pub fn first_place(waiting: State<'_, Waiting>) -> Option<Place> {
    waiting.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_places_that_are_known() {
        let agent = |id: &str, conversation: Option<&str>| Place::Agent {
            agent_id: id.to_owned(),
            conversation_id: conversation.map(str::to_owned),
        };
        for (link, wanted) in [
            ("loci://agent/agent-1a2b", Some(agent("agent-1a2b", None))),
            ("loci://agent/agent-1/conv-2/", Some(agent("agent-1", Some("conv-2")))),
            ("loci://approvals", Some(Place::Approvals)),
            ("loci:settings", Some(Place::Settings)),
            ("loci://models/", Some(Place::Models)),
            ("loci://agent", None),
            ("loci://agent/../../x", None),
            ("loci://agent/agent-1/run/this", None),
            ("loci://agent/agent-%3Cscript%3E", None),
            ("loci://approvals/allow/all", None),
            ("https://approvals", None),
            ("loci://", None),
        ] {
            assert_eq!(parse(link), wanted, "{link}");
        }
        let json = serde_json::to_string(&agent("agent-1", None)).expect("JSON");
        assert_eq!(json, r#"{"place":"agent","agent_id":"agent-1","conversation_id":null}"#);
    }
}
