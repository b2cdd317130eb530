//! An agent that does what it is told, and a folder it may use.

use http::Method;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Got};

/// An agent and a folder it may read.
pub struct Scene {
    pub desk: Fixture,
    pub agent: String,
}

impl Scene {
    pub async fn new() -> Self {
        Self::on(Fixture::new().await).await
    }

    /// The same on the connection in use.
    pub async fn on(desk: Fixture) -> Self {
        let agent =
            desk.post("/v1/agents/", json!({"name": "Mercury", "model": "rehearsal/rehearsal"})).await.ok();
        let agent = agent["id"].as_str().unwrap().to_owned();
        let notes = desk.notes();
        let folder = json!({"agent_id": agent, "folder": notes});
        desk.call(Method::PUT, "/workbench/client-tools/folder", folder).await.ok();
        Self { desk, agent }
    }

    /// Says something that makes the agent call tools, which the window offers with it.
    pub async fn say(&self, text: &str) -> Got {
        let path = format!("/workbench/client-tools?agent_id={}", self.agent);
        let tools = self.desk.get(&path).await.ok()["tools"].clone();
        let message = json!({"messages": [{"role": "user", "content": text}], "client_tools": tools});
        self.desk.post(&format!("/v1/agents/{}/messages", self.agent), message).await
    }

    pub async fn waiting(&self) -> Value {
        self.desk.get("/workbench/approvals").await.ok()
    }

    /// The first request that waits.
    pub async fn request(&self) -> Value {
        self.waiting().await[0].clone()
    }

    pub async fn answer(&self, request: &Value, decisions: Value) -> Got {
        let path = format!("/workbench/approvals/{}/answer", request["id"].as_str().unwrap());
        let body = json!({
            "agent_id": request["agent_id"], "conversation_id": request["conversation_id"], "decisions": decisions,
        });
        self.desk.post(&path, body).await
    }

    pub async fn audit(&self) -> Vec<Value> {
        let log = self.desk.get("/workbench/audit?format=jsonl").await;
        log.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Text of the newest tool return.
    pub async fn returned(&self) -> Value {
        let path = format!("/v1/agents/{}/messages?limit=20", self.agent);
        let messages = self.desk.get(&path).await.ok();
        let returned =
            messages.as_array().unwrap().iter().rfind(|m| m["message_type"] == "tool_return_message");
        returned.unwrap_or_else(|| panic!("no return in {messages}")).clone()
    }

    /// Makes a rule.
    pub async fn rule(&self, text: &str) -> Value {
        self.desk.post("/workbench/rules", json!({"text": text})).await.ok()
    }

    /// Waits until nothing waits for an answer any more.
    pub async fn settled(&self) {
        let mut events = self.desk.desk.events().subscribe().unwrap();
        while self.waiting().await != json!([]) {
            let heard = tokio::time::timeout(std::time::Duration::from_secs(20), events.recv()).await;
            assert!(heard.is_ok(), "it still waits: {}", self.waiting().await);
        }
        // The turn that goes on may not have ended.
        let path = format!("/v1/runs/?active=true&agent_id={}", self.agent);
        while self.desk.get(&path).await.ok() != json!([]) {
            tokio::task::yield_now().await;
        }
    }
}
