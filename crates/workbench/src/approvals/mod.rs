//! Calls that wait for a person: the inbox across all agents, the answer, the rules that answer by themselves, and
//! the log of decisions.

mod answer;
mod audit;
mod automatic;
mod binding;
mod change;
mod decision;
mod discover;
mod elsewhere;
mod inbox;
mod log;
mod masked;
mod remember;
mod request;
mod rules;
mod run;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    routing::{get, post},
};
use loci_api::ids::{AgentId, ConversationId, MessageId};

use self::change::Snapshot;
use crate::{
    Desk,
    client_tools::{RunningCalls, System},
};

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/approvals", get(inbox::list))
        .route("/approvals/{message_id}/answer", post(answer::answer))
        .route("/audit", get(audit::list))
        .merge(rules::routes())
}

/// What the desk remembers of pending requests while it runs; the requests themselves are rows.
#[derive(Default)]
pub(crate) struct Approvals {
    state: Mutex<State>,
    running: RunningCalls,
    system: System,
}

#[derive(Default)]
struct State {
    /// Requests that are being answered now.
    answering: HashSet<MessageId>,
    /// What each call was when it was shown.
    shown: Shown,
    /// Requests that were waiting at the last look, for events and expiry.
    waiting: HashMap<MessageId, Thread>,
    /// Requests that Loci tried to answer by itself and could not: a person answers them.
    refused: HashSet<MessageId>,
    /// Requests that wait on other servers, as far as they are known.
    elsewhere: HashMap<MessageId, elsewhere::Known>,
    /// Servers that are looked at now for what waits there.
    looking: HashSet<String>,
    /// Runs on other servers that stopped for a request which waits no longer.
    settled: HashSet<String>,
}

/// By request and call.
type Shown = HashMap<MessageId, HashMap<String, ShownCall>>;

/// A call as it was shown.
#[derive(Clone)]
struct ShownCall {
    /// What it was bound to the last time.
    hash: String,
    /// What it was the first time.
    first: Snapshot,
}

/// One line of conversation, for events.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thread {
    agent_id: AgentId,
    conversation_id: Option<ConversationId>,
}

impl Approvals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to answer a request; `None` if an answer is under way.
    fn claim<'a>(&'a self, id: &'a MessageId) -> Option<Claim<'a>> {
        self.state().answering.insert(id.clone()).then(|| Claim { approvals: self, id })
    }

    /// A request's calls as they were shown here.
    fn shown(&self, id: &MessageId) -> Option<HashMap<String, ShownCall>> {
        self.state().shown.get(id).cloned()
    }

    /// Notes what is shown now; of what was shown before, it keeps how it was the first time.
    fn now_shown(&self, mut shown: Shown) {
        let mut state = self.state();
        for (id, calls) in &mut shown {
            let Some(before) = state.shown.get(id) else { continue };
            for (call, shown) in calls {
                if let Some(before) = before.get(call) {
                    shown.first = before.first.clone();
                }
            }
        }
        state.shown = shown;
    }

    /// Notes what waits now, and with it those of the last look of which nothing is known now; what waited at the last
    /// look.
    fn now_waiting(
        &self,
        now: &mut HashMap<MessageId, Thread>,
        unknown: &HashSet<MessageId>,
    ) -> HashMap<MessageId, Thread> {
        let mut state = self.state();
        let still = state.waiting.iter().filter(|(id, _)| unknown.contains(*id));
        now.extend(still.map(|(id, thread)| (id.clone(), thread.clone())));
        std::mem::replace(&mut state.waiting, now.clone())
    }

    /// Whether Loci may try to answer this request by itself.
    fn may_answer(&self, id: &MessageId) -> bool {
        !self.state().refused.contains(id)
    }

    fn was_refused(&self, id: &MessageId) {
        self.state().refused.insert(id.clone());
    }

    /// Something changed that may make an answer possible.
    fn try_again(&self) {
        self.state().refused.clear();
    }

    fn waiting_ids(&self) -> Vec<MessageId> {
        self.state().waiting.keys().cloned().collect()
    }

    fn answered(&self, id: &MessageId) {
        self.state().waiting.remove(id);
    }
}

impl Desk {
    pub(crate) fn running_calls(&self) -> &RunningCalls {
        &self.approvals().running
    }

    pub(crate) fn system(&self) -> &System {
        &self.approvals().system
    }
}

/// Given back when dropped.
struct Claim<'a> {
    approvals: &'a Approvals,
    id: &'a MessageId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.approvals.state().answering.remove(self.id);
    }
}
