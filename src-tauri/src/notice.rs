//! Notifications of the system: shown, taken back, and what a press on one does. A press opens the place that the
//! notification is about, or denies; it never allows anything, as one decides only about what one has seen whole.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI32, Ordering},
    },
};

use futures::StreamExt;
use serde_json::{Value, json};
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::{Action, ActionType, NotificationExt};

use crate::{
    ask,
    place::{self, Place},
    window,
    words::words,
};

/// The buttons of a request that waits.
const WAITING: &str = "waiting";
const OPEN: &str = "open";
const DENY: &str = "deny";

/// What a notification is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    pub title: String,
    pub text: String,
    /// Where a press leads; `None`: to the window as it is.
    pub place: Option<Place>,
    /// The request that can be denied from here.
    pub request: Option<Request>,
}

/// A request that waits, as far as denying it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    id: String,
    /// The body of the answer.
    denial: Value,
}

impl Request {
    /// One as `/workbench/approvals` tells of it.
    pub fn of(waiting: &Value) -> Option<Self> {
        let calls = waiting["calls"].as_array()?.iter();
        let decisions: Option<Vec<Value>> = calls
            .map(|call| Some(json!({"tool_call_id": call["tool_call_id"].as_str()?, "decision": "deny"})))
            .collect();
        let denial = json!({
            "agent_id": waiting["agent_id"].as_str()?,
            "conversation_id": waiting["conversation_id"],
            "decisions": decisions?,
        });
        Some(Self { id: waiting["id"].as_str()?.to_owned(), denial })
    }
}

/// Those that are shown, by the number they were shown under.
#[derive(Default)]
pub struct Notices {
    last: AtomicI32,
    shown: Mutex<HashMap<i32, Notice>>,
}

impl Notices {
    fn shown(&self) -> MutexGuard<'_, HashMap<i32, Notice>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The numbers of those that `which` holds for; they are forgotten.
    fn take(&self, which: impl Fn(&Notice) -> bool) -> Vec<i32> {
        self.shown().extract_if(|_, notice| which(notice)).map(|(number, _)| number).collect()
    }
}

/// Hears presses from now on.
pub fn listen(app: &AppHandle) {
    let pressed = app.clone();
    let heard = app.notification().on_action(move |press| {
        let Some(number) = press.notification().map(|notification| notification.id()) else { return };
        let Some(notice) = pressed.state::<Notices>().shown().remove(&number) else { return };
        match (press.action_id(), notice.request) {
            (DENY, Some(request)) => {
                tauri::async_runtime::spawn(deny(pressed.clone(), request, notice.place));
            }
            _ => lead(&pressed, notice.place),
        }
    });
    if let Err(error) = heard {
        tracing::warn!(%error, "presses on notifications are not heard");
    }
}

fn lead(app: &AppHandle, place: Option<Place>) {
    match place {
        Some(place) => place::go(app, place),
        None => window::show(app),
    }
}

/// Shows it.
pub fn show(app: &AppHandle, notice: Notice) {
    let words = words(app);
    let notices = app.state::<Notices>();
    let number = notices.last.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
    let mut builder = app.notification().builder().id(number).title(&notice.title).body(plain(&notice.text));
    if notice.request.is_some() {
        // The first is what some systems take a press on the notification itself for: the harmless one.
        let buttons =
            vec![Action::builder(OPEN, words.open_loci).build(), Action::builder(DENY, words.deny).build()];
        let kind = ActionType::builder(WAITING).actions(buttons).build();
        if let Err(error) = app.notification().register_action_types(vec![kind]) {
            tracing::debug!(%error, "the notification has no buttons");
        }
        builder = builder.action_type_id(WAITING);
    }
    notices.shown().insert(number, notice);
    if let Err(error) = builder.show() {
        notices.shown().remove(&number);
        tracing::debug!(%error, "no notification was shown");
    }
}

/// Takes back what is said of a request: it waits no longer.
pub fn withdraw(app: &AppHandle, request: &str) {
    remove(
        app,
        app.state::<Notices>().take(|notice| notice.request.as_ref().is_some_and(|one| one.id == request)),
    );
}

/// Takes back all: the person is here.
pub fn withdraw_all(app: &AppHandle) {
    remove(app, app.state::<Notices>().take(|_| true));
}

fn remove(app: &AppHandle, numbers: Vec<i32>) {
    if numbers.is_empty() {
        return;
    }
    let app = app.clone();
    // It asks the desktop and waits for the answer.
    tauri::async_runtime::spawn_blocking(move || {
        if let Err(error) = app.notification().remove_active(numbers) {
            tracing::debug!(%error, "a notification stays");
        }
    });
}

/// Denies all calls of a request. Where that cannot be done, the person is led to it.
async fn deny(app: AppHandle, request: Request, place: Option<Place>) {
    let path = format!("/workbench/approvals/{}/answer", request.id);
    let answer = ask::post(&app, &path, &request.denial).await;
    match answer {
        Some(answer) if answer.status().is_success() => {
            // Read to its end: then the run is over, and whoever looks at it is told.
            let mut rest = answer.into_body().into_data_stream();
            while let Some(Ok(_)) = rest.next().await {}
        }
        Some(answer) => {
            tracing::warn!(status = %answer.status(), "a request could not be denied from its notification");
            lead(&app, place);
        }
        None => lead(&app, place),
    }
}

/// Some desktops read the text as markup.
fn plain(text: &str) -> String {
    if cfg!(target_os = "linux") {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_is_for_every_call_and_nothing_else_can_be_sent() {
        let waiting = json!({"id": "message-1", "agent_id": "agent-1", "conversation_id": null, "calls": [
            {"tool_call_id": "a", "name": "run_command", "dangerous": true}, {"tool_call_id": "b", "name": "read_file"},
        ]});
        let request = Request::of(&waiting).expect("a request");
        assert_eq!(request.id, "message-1");
        assert_eq!(
            request.denial,
            json!({"agent_id": "agent-1", "conversation_id": null, "decisions": [
                {"tool_call_id": "a", "decision": "deny"}, {"tool_call_id": "b", "decision": "deny"},
            ]})
        );
        assert_eq!(Request::of(&json!({"id": "message-1"})), None);
    }

    #[test]
    fn what_waits_no_longer_is_taken_back() {
        let notices = Notices::default();
        let notice = |id: Option<&str>| Notice {
            title: String::new(),
            text: String::new(),
            place: None,
            request: id.map(|id| Request { id: id.to_owned(), denial: Value::Null }),
        };
        for (number, id) in [(1, Some("a")), (2, Some("b")), (3, None)] {
            notices.shown().insert(number, notice(id));
        }
        let about = |wanted: &'static str| {
            move |notice: &Notice| notice.request.as_ref().is_some_and(|request| request.id == wanted)
        };
        assert_eq!(notices.take(about("b")), [2]);
        assert_eq!(notices.take(about("b")), [] as [i32; 0]);
        let mut rest = notices.take(|_| true);
        rest.sort_unstable();
        assert_eq!(rest, [1, 3]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_text_is_no_markup() {
        assert_eq!(plain("<a href='x'>R&D</a>"), "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;");
    }
}
