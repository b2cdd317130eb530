//! What the system tells the person while they look elsewhere: a call that waits, a run that failed or is done. And
//! the mark on the tray icon, which says the same without a sound.
//!
//! A notification names the agent and the tool and nothing of what was said: it may be shown over a locked screen.

use std::collections::HashSet;

use axum::body::{Body, to_bytes};
use http::Request;
use loci_api::time::Timestamp;
use loci_workbench::Event;
use serde_json::Value;
use tauri::{AppHandle, Manager};
use tauri_plugin_notification::NotificationExt;
use tokio::sync::broadcast::error::RecvError;
use tower::ServiceExt;

use crate::{
    backend::Backend,
    tray, window,
    words::{self, Words},
};

/// Answers are read whole; none that is asked for here is larger.
const LARGEST: usize = 16 << 20;
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
        let mut watcher =
            Watcher { app, told: HashSet::new(), approvals: true, finished: true, words: words::words() };
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
    words: &'static Words,
}

impl Watcher {
    async fn hear(&mut self, event: Event) {
        match event {
            Event::ApprovalWaiting { message_id, .. } => {
                let waiting = self.count_waiting().await;
                if self.approvals && !window::is_looked_at(&self.app) && self.told.insert(message_id.clone())
                {
                    self.tell_waiting(&waiting, &message_id);
                }
            }
            Event::ApprovalResolved { .. } | Event::ConnectionChanged => {
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
        let Some(settings) = self.get("/workbench/settings").await else { return };
        let is = |name: &str, otherwise: bool| settings[name].as_bool().unwrap_or(otherwise);
        tray::set_stay(&self.app, is("close_to_tray", false));
        self.approvals = is("notify_approvals", true);
        self.finished = is("notify_finished", true);
        self.words = match settings["language"].as_str() {
            None | Some("system") => words::words(),
            Some(language) => words::of(language),
        };
    }

    async fn count_waiting(&self) -> Vec<Value> {
        let Some(Value::Array(waiting)) = self.get("/workbench/approvals").await else { return Vec::new() };
        tray::set_waiting(&self.app, waiting.len());
        waiting
    }

    fn tell_waiting(&self, waiting: &[Value], message_id: &str) {
        let Some(request) = waiting.iter().find(|request| request["id"] == message_id) else { return };
        if let Some(text) = waiting_text(request, self.words) {
            self.show(&text, self.words.open_to_decide);
        }
    }

    /// Of this machine's own agents only: asking another server is the person's to do.
    async fn look_at_run(&mut self, agent_id: Option<String>, conversation_id: Option<String>) {
        let query = match (conversation_id, agent_id) {
            (Some(id), _) => format!("conversation_id={id}"),
            (None, Some(id)) => format!("agent_id={id}"),
            (None, None) => return,
        };
        let Some(runs) = self.get(&format!("/v1/runs/?{query}&limit=1&order=desc")).await else { return };
        let run = &runs[0];
        let now = Timestamp(Timestamp::now().0 - NEWS);
        let Some(ended) = Ended::of(run, &serde_json::json!(now)) else { return };
        if !self.told.insert(ended.id.clone()) {
            return;
        }
        let Some(agent) = self.get(&format!("/v1/agents/{}", ended.agent_id)).await else { return };
        let name = agent["name"].as_str().unwrap_or("Loci");
        let title = if ended.failed { self.words.failed } else { self.words.finished };
        self.show(&title.replace("{agent}", name), &ended.problem);
    }

    fn show(&self, title: &str, text: &str) {
        let notification = self.app.notification().builder().title(title).body(text);
        if let Err(error) = notification.show() {
            tracing::debug!(%error, "no notification was shown");
        }
    }

    /// The answer of this machine's own routes, if all went well.
    async fn get(&self, path: &str) -> Option<Value> {
        let router = self.app.state::<Backend>().router().await.ok()?;
        let request = Request::get(path).header("x-loci-connection", "local").body(Body::empty()).ok()?;
        let response = match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if !response.status().is_success() {
            return None;
        }
        serde_json::from_slice(&to_bytes(response.into_body(), LARGEST).await.ok()?).ok()
    }
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
        let problem = run["metadata"]["error"]["message"].as_str().unwrap_or_default();
        Some(Self {
            id: text("id")?.to_owned(),
            agent_id: text("agent_id")?.to_owned(),
            failed,
            problem: problem.chars().take(LONGEST).collect(),
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
    fn a_waiting_call_is_named_and_its_arguments_are_not() {
        let request = json!({"agent_name": "Mercury", "calls": [{"name": "read_file", "arguments": "{\"path\":\"diary\"}"}]});
        assert_eq!(
            waiting_text(&request, words::of("en")).as_deref(),
            Some("Mercury wants to use read_file")
        );
        let two = json!({"agent_name": "Mercury", "calls": [{"name": "a"}, {"name": "b"}]});
        assert_eq!(waiting_text(&two, words::of("en")).as_deref(), Some("Mercury wants to use a and more"));
        assert_eq!(waiting_text(&json!({}), words::of("en")), None);
    }
}
