//! What waits already on the server in use, before this desk ran anything there: found by reading, a few requests at a
//! time, when the server is chosen, at the start, and now and then while somebody looks.

use std::{collections::HashSet, time::Duration};

use futures::{StreamExt, stream};
use serde_json::Value;

use super::elsewhere::{Known, Unasked};
use crate::{Desk, desk::LOCAL};

/// How often one looks again while a window or a program follows the events.
pub(super) const EVERY: Duration = Duration::from_secs(60);
/// Runs and agents of one look.
const MOST: usize = 50;
/// Threads looked at side by side.
const TOGETHER: usize = 2;

/// A look at one server; over when dropped.
struct Look<'a> {
    desk: &'a Desk,
    connection: &'a str,
}

impl<'a> Look<'a> {
    /// `None` if one is under way: whoever looks already sees the same.
    fn begin(desk: &'a Desk, connection: &'a str) -> Option<Self> {
        let begins = desk.approvals().state().looking.insert(connection.to_owned());
        begins.then_some(Self { desk, connection })
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.desk.approvals().state().looking.remove(self.connection);
    }
}

/// A thread that may wait, and the run that stopped there, where it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    known: Known,
    run: Option<String>,
}

impl Desk {
    /// Looks beside whatever happens now what waits on the server in use.
    pub(crate) fn discover_soon(&self) {
        let desk = self.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                match desk.selected().await {
                    Ok(connection) if connection != LOCAL => desk.discover(&connection).await,
                    Ok(_) => {}
                    Err(error) => tracing::warn!(error = ?error, "cannot tell which server is in use"),
                }
            });
        }
    }

    async fn discover(&self, connection: &str) {
        let Some(look) = Look::begin(self, connection) else { return };
        let candidates = self.candidates(connection).await;
        let found: Vec<_> = stream::iter(candidates.into_iter().map(async |candidate| {
            let pending = self.pending_at(&candidate.known).await;
            (pending.map(|pending| pending.map(|pending| pending.id)), candidate)
        }))
        .buffered(TOGETHER)
        .collect()
        .await;
        let any = {
            let mut state = self.approvals().state();
            let mut any = false;
            for (id, Candidate { known, run }) in found {
                match (id, run) {
                    (Ok(Some(id)), _) => {
                        any = true;
                        // One that began here is known better.
                        state.elsewhere.entry(id).or_insert(known);
                    }
                    // What that run waited for was answered; it need not be asked about again.
                    (Ok(None), Some(run)) => {
                        state.settled.insert(run);
                    }
                    (Ok(None), None) => {}
                    // Nothing is known: it is looked at again the next time.
                    (Err(Unasked), _) => {}
                }
            }
            any
        };
        drop(look);
        if any {
            self.watch_approvals().await;
        }
    }

    /// Threads that stopped for approval, each once: those of the newest runs, and those of agents.
    async fn candidates(&self, connection: &str) -> Vec<Candidate> {
        let runs = format!("/v1/runs/?stop_reason=requires_approval&limit={MOST}&order=desc");
        let agents = format!("/v1/agents/?last_stop_reason=requires_approval&limit={MOST}");
        let said = |answer: Result<Option<Value>, Unasked>| answer.ok().flatten();
        let runs = said(self.ask(connection, &runs).await);
        let agents = said(self.ask(connection, &agents).await).unwrap_or_default();
        let listed = runs.is_some();
        let runs = runs.unwrap_or_default();
        let mut candidates = of_runs(connection, &runs);
        {
            let mut state = self.approvals().state();
            // Only of runs that are still listed: so it does not grow.
            if listed {
                let runs: HashSet<&String> = candidates.iter().filter_map(|one| one.run.as_ref()).collect();
                state.settled.retain(|run| runs.contains(run));
            }
            candidates.retain(|one| one.run.as_ref().is_none_or(|run| !state.settled.contains(run)));
            candidates.extend(of_agents(connection, &agents));
            let known: Vec<&Known> = state.elsewhere.values().collect();
            candidates.retain(|one| !known.iter().any(|known| known.same_thread(&one.known)));
        }
        candidates
    }
}

/// The newest stopped run of each thread. A server that does not know the filter is filtered here.
fn of_runs(connection: &str, runs: &Value) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for run in runs.as_array().into_iter().flatten().take(MOST) {
        let stopped = run["stop_reason"] == "requires_approval";
        let agent_id = run["agent_id"].as_str().and_then(|id| id.parse().ok());
        let (true, Some(agent_id)) = (stopped, agent_id) else { continue };
        let conversation_id = match run["conversation_id"].as_str() {
            None | Some("default") => None,
            Some(id) => match id.parse() {
                Ok(id) => Some(id),
                Err(_) => continue,
            },
        };
        let known = Known { connection: connection.to_owned(), agent_id, conversation_id, found: true };
        if !found.iter().any(|one| one.known == known) {
            found.push(Candidate { known, run: run["id"].as_str().map(str::to_owned) });
        }
    }
    found
}

/// Agents whose last run stopped: on servers that keep no runs of before.
fn of_agents(connection: &str, agents: &Value) -> Vec<Candidate> {
    let agents = agents.as_array().into_iter().flatten().take(MOST);
    agents
        .filter(|agent| agent["last_stop_reason"] == "requires_approval")
        .filter_map(|agent| agent["id"].as_str()?.parse().ok())
        .map(|agent_id| Candidate {
            known: Known { connection: connection.to_owned(), agent_id, conversation_id: None, found: true },
            run: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const AGENT: &str = "agent-11111111-1111-4111-8111-111111111111";
    const CONVERSATION: &str = "conv-11111111-1111-4111-8111-111111111111";

    #[test]
    fn each_thread_is_looked_at_once_and_only_if_it_stopped() {
        let run = |id: &str, conversation: Value, stop: &str| json!({"id": id, "agent_id": AGENT, "conversation_id": conversation, "stop_reason": stop});
        let runs = json!([
            run("run-1", Value::Null, "requires_approval"),
            run("run-2", json!(CONVERSATION), "requires_approval"),
            run("run-3", json!(CONVERSATION), "requires_approval"),
            run("run-4", json!("odd"), "requires_approval"),
            run("run-5", Value::Null, "end_turn"),
            {"id": "run-6", "stop_reason": "requires_approval"},
        ]);
        let found: Vec<_> = of_runs("c", &runs).into_iter().filter_map(|one| one.run).collect();
        assert_eq!(found, ["run-1", "run-2"]);
        let agents = json!([
            {"id": AGENT, "last_stop_reason": "requires_approval"},
            {"id": AGENT, "last_stop_reason": "end_turn"},
            {"id": "odd", "last_stop_reason": "requires_approval"},
        ]);
        assert_eq!(of_agents("c", &agents).len(), 1);
        for odd in [json!(null), json!({}), json!({"detail": "no"})] {
            assert!(of_runs("c", &odd).is_empty() && of_agents("c", &odd).is_empty());
        }
    }
}
