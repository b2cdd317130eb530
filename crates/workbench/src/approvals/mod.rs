//! Calls that wait for a person: the inbox across all agents, the answer, and the log of decisions.

mod answer;
mod audit;
mod binding;
mod inbox;

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    routing::{get, post},
};
use loci_api::ids::MessageId;

use crate::Desk;

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/approvals", get(inbox::list))
        .route("/approvals/{message_id}/answer", post(answer::answer))
        .route("/audit", get(audit::list))
}

/// What the desk remembers of pending requests while it runs; the requests themselves are rows.
#[derive(Default)]
pub(crate) struct Approvals(Mutex<State>);

#[derive(Default)]
struct State {
    /// Requests that are being answered now.
    answering: HashSet<MessageId>,
    /// What each call was bound to when it was last shown: request, call, hash.
    shown: HashMap<MessageId, HashMap<String, String>>,
    /// Requests that were waiting at the last look, for events.
    waiting: HashMap<MessageId, inbox::Thread>,
}

impl Approvals {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to answer a request; `None` if an answer is under way.
    fn claim<'a>(&'a self, id: &'a MessageId) -> Option<Claim<'a>> {
        self.state().answering.insert(id.clone()).then(|| Claim { approvals: self, id })
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
