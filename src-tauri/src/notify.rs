//! What the system tells the person while they look elsewhere: a call that waits, a run that failed or is done. And
//! the mark on the tray icon, which says the same without a sound.
//!
//! A notification names the agent and the tool and nothing of what was said: it may be shown over a locked screen.

use std::collections::HashSet;

use loci_api::time::Timestamp;
use loci_workbench::Event;
use serde_json::Value;
use tauri::{AppHandle, Manager};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    ask,
    backend::Backend,
    menu,
    notice::{self, Notice, Request},
    place::Place,
    tray, window,
    words::{self, Words},
};

/// Microseconds after its end in which a run is news.
const NEWS: i64 = 15_000_000;
/// Characters of a problem in a notification.
const LONGEST: usize = 200;

/// Begins to watch; ends with the desk.
pub fn watch(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        let Ok(desk) = app.state::<Backend>().desk().await else { return };
        let Some(mut events) = desk.events().subscribe() else { return };
        drop(desk);
        let mut watcher = Watcher { app, told: HashSet::new(), approvals: true, finished: true };
        watcher.read_settings().await;
        watcher.count_waiting().await;
        loop {
            match events.recv().await {
                Ok(event) => watcher.hear(event).await,
                Err(RecvError::Lagged(_)) => watcher.hear(Event::AllChanged).await,
                Err(RecvError::Closed) => return,
            }
        }
    });
}

struct Watcher {
    app: AppHandle,
    /// Ids of requests and runs a notification was shown for.
    told: HashSet<String>,
    approvals: bool,
    finished: bool,
}

impl Watcher {
    async fn hear(&mut self, event: Event) {
        match event {
            Event::ApprovalWaiting { message_id, .. } => {
                let waiting = self.count_waiting().await;
                if self.approvals && !window::is_looked_at(&self.app) && self.told.insert(message_id.clone())
                {
                    self.tell_waiting(&waiting, &message_id).await;
                }
            }
            Event::ApprovalResolved { message_id, .. } => {
                notice::withdraw(&self.app, &message_id);
                self.count_waiting().await;
            }
            Event::ConnectionChanged => {
                self.count_waiting().await;
            }
            Event::SettingsChanged => self.read_settings().await,
            Event::AllChanged => {
                self.read_settings().await;
                self.count_waiting().await;
            }
            Event::RunChanged { agent_id, conversation_id }
                if self.finished && !window::is_looked_at(&self.app) =>
            {
                self.look_at_run(agent_id, conversation_id).await;
            }
            _ => {}
        }
    }

    async fn read_settings(&mut self) {
        let Some(settings) = ask::get(&self.app, "/workbench/settings").await else { return };
        let is = |name: &str, otherwise: bool| settings[name].as_bool().unwrap_or(otherwise);
        tray::set_stay(&self.app, is("close_to_tray", false));
        self.approvals = is("notify_approvals", true);
        self.finished = is("notify_finished", true);
        let language = settings["language"].as_str().filter(|language| *language != "system");
        if words::speak(&self.app, language) {
            menu::renew(&self.app);
            self.count_waiting().await;
        }
    }

    async fn count_waiting(&self) -> Vec<Value> {
        let Some(Value::Array(mut waiting)) = ask::get(&self.app, "/workbench/approvals").await else {
            return Vec::new();
        };
        waiting.retain(asks_somebody);
        tray::set_waiting(&self.app, waiting.len());
        waiting
    }

    async fn tell_waiting(&self, waiting: &[Value], message_id: &str) {
        let Some(request) = waiting.iter().find(|request| request["id"] == message_id) else { return };
        let Some(title) = waiting_text(request, words::words(&self.app)) else { return };
        let text = words::words(&self.app).open_to_decide.to_owned();
        let place = self.place(request).await.or(Some(Place::Approvals));
        notice::show(&self.app, Notice { title, text, place, request: Request::of(request) });
    }

    /// Of this machine's own agents only: asking another server is the person's to do.
    async fn look_at_run(&mut self, agent_id: Option<String>, conversation_id: Option<String>) {
        let query = match (conversation_id, agent_id) {
            (Some(id), _) => format!("conversation_id={id}"),
            (None, Some(id)) => format!("agent_id={id}"),
            (None, None) => return,
        };
        let path = format!("/v1/runs/?{query}&limit=1&order=desc");
        let Some(runs) = ask::get(&self.app, &path).await else { return };
        let run = &runs[0];
        let now = Timestamp(Timestamp::now().0 - NEWS);
        let Some(ended) = Ended::of(run, &serde_json::json!(now)) else { return };
        if !self.told.insert(ended.id.clone()) {
            return;
        }
        let Some(agent) = ask::get(&self.app, &format!("/v1/agents/{}", ended.agent_id)).await else {
            return;
        };
        let words = words::words(&self.app);
        let title = if ended.failed { words.failed } else { words.finished };
        let title = title.replace("{agent}", agent["name"].as_str().unwrap_or("Loci"));
        let place = self.place(run).await;
        let text = words.failure(&ended.kind, &ended.problem);
        notice::show(&self.app, Notice { title, text, place, request: None });
    }

    /// The conversation of a request or a run, if the window looks at the server it is on.
    async fn place(&self, about: &Value) -> Option<Place> {
        let connections = ask::get(&self.app, "/workbench/connections").await?;
        let selected = connections.as_array()?.iter().find(|one| one["selected"] == true)?["id"].as_str()?;
        // A run names none: it is this machine's.
        if selected != about["connection"].as_str().unwrap_or("local") {
            return None;
        }
        Some(Place::Agent {
            agent_id: about["agent_id"].as_str()?.to_owned(),
            conversation_id: about["conversation_id"].as_str().map(str::to_owned),
        })
    }
}

/// Whether a person is asked: neither do rules answer it, nor does any of it run already.
fn asks_somebody(request: &Value) -> bool {
    let started = |call: &Value| call["outcome"]["state"] == "started";
    request["answering"] != true
        && !request["calls"].as_array().is_some_and(|calls| calls.iter().any(started))
}

fn waiting_text(request: &Value, words: &Words) -> Option<String> {
    let calls = request["calls"].as_array()?;
    let pattern = if calls.len() > 1 { words.wants_more } else { words.wants };
    let tool = calls.first()?["name"].as_str()?;
    Some(pattern.replace("{agent}", request["agent_name"].as_str()?).replace("{tool}", tool))
}

/// A run that has just ended by itself.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    id: String,
    agent_id: String,
    failed: bool,
    /// The API's `error_type`.
    kind: String,
    problem: String,
}

impl Ended {
    /// `None` for a run that goes on, waits for the person, was stopped by them, or ended before `since`.
    fn of(run: &Value, since: &Value) -> Option<Self> {
        let text = |name: &str| run[name].as_str();
        // Written alike, moments sort like texts.
        if text("completed_at")? < since.as_str()? {
            return None;
        }
        let failed = match (text("status")?, text("stop_reason")) {
            ("failed" | "expired", _) => true,
            ("completed", Some("requires_approval")) => return None,
            ("completed", Some("error" | "llm_api_error" | "invalid_llm_response" | "max_steps")) => true,
            ("completed", _) => false,
            _ => return None,
        };
        let error = |name: &str| run["metadata"]["error"][name].as_str().unwrap_or_default();
        Some(Self {
            id: text("id")?.to_owned(),
            agent_id: text("agent_id")?.to_owned(),
            failed,
            kind: error("error_type").to_owned(),
            problem: error("message").chars().take(LONGEST).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_news_once_it_ended_by_itself() {
        let since = json!("2026-11-21T10:00:00.000000Z");
        let run = |status: &str, reason: Value, at: Value| {
            json!({"id": "run-1", "agent_id": "agent-1", "status": status, "stop_reason": reason,
                "completed_at": at, "metadata": {"error": {"message": "No key."}}})
        };
        let later = json!("2026-11-21T10:00:01.000000Z");
        for (run, wanted) in [
            (run("completed", json!("end_turn"), later.clone()), Some(false)),
            (run("failed", json!("llm_api_error"), later.clone()), Some(true)),
            (run("completed", json!("requires_approval"), later.clone()), None),
            (run("cancelled", json!("cancelled"), later.clone()), None),
            (run("running", json!(null), json!(null)), None),
            (run("completed", json!("end_turn"), json!("2026-11-21T09:59:59.000000Z")), None),
            (json!(null), None),
        ] {
            assert_eq!(Ended::of(&run, &since).map(|ended| ended.failed), wanted, "{run}");
        }
    }

    #[test]
    fn what_rules_answer_or_what_runs_already_asks_nobody() {
        for (request, asks) in [
            (json!({"calls": [{"name": "a"}]}), true),
            (json!({"answering": false, "calls": [{"name": "a", "outcome": {"state": "unknown"}}]}), true),
            (json!({"answering": true, "calls": [{"name": "a"}]}), false),
            (json!({"calls": [{"name": "a"}, {"name": "b", "outcome": {"state": "started"}}]}), false),
        ] {
            assert_eq!(asks_somebody(&request), asks, "{request}");
        }
    }

    #[test]
    fn a_waiting_call_is_named_and_its_arguments_are_not() {
        let request = json!({"agent_name": "Mercury", "calls": [{"name": "read_file", "arguments": "{\"path\":\"diary\"}"}]});
        assert_eq!(
            waiting_text(&request, &words::ENGLISH).as_deref(),
            Some("Mercury wants to use read_file")
        );
        let two = json!({"agent_name": "Mercury", "calls": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(waiting_text(&two, &words::ENGLISH).as_deref(), Some("Mercury wants to use a and more"));
        assert_eq!(waiting_text(&json!({}), &words::ENGLISH), None);
    }
}
