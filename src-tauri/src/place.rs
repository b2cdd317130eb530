//! Places in the window, and how others lead there: `loci://` links, the tray, the menu, notifications.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tauri::{AppHandle, Emitter, Manager, Url};
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

/// Whether the page hears where to go, and a place that was asked for before it could.
#[derive(Default)]
pub struct Destination(Mutex<State>);

#[derive(Default)]
struct State {
    heard: bool,
    waiting: Option<Place>,
}

impl Destination {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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

/// Goes there: the window comes up, and the page is told, as soon as it listens.
pub fn go(app: &AppHandle, place: Place) {
    window::show(app);
    let destination = app.state::<Destination>();
    let mut state = destination.state();
    if !state.heard {
        state.waiting = Some(place);
        return;
    }
    drop(state);
    if let Err(error) = app.emit_to(window::WINDOW, GO, &place) {
        tracing::warn!(%error, "the page was not told where to go");
    }
}

/// Goes where a link leads; to the window, if that is nowhere.
pub fn follow(app: &AppHandle, link: &str) {
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
    app.manage(Destination(Mutex::new(State { heard: false, waiting: first.and_then(parse) })));
    let following = app.clone();
    app.deep_link().on_open_url(move |event| {
        if let Some(url) = event.urls().first() {
            follow(&following, url.as_str());
        }
    });
}

/// A page begins anew; until it asks where to go it would not hear.
pub fn page_begins(app: &AppHandle) {
    app.state::<Destination>().state().heard = false;
}

/// Where the page should begin, once: the link the program was started with, or where it was sent since. It listens
/// for places before it asks.
#[tauri::command]
pub fn first_place(destination: tauri::State<'_, Destination>) -> Option<Place> {
    let mut state = destination.state();
    state.heard = true;
    state.waiting.take()
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
