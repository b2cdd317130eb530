//! Keeps the exact bodies of model calls, at the cost of what is new in each: a thread's requests are written as a
//! chain of frames, see [`loci_store::frames`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use loci_api::{
    chat::ChatTrace,
    ids::{StepId, TraceId},
    time::Timestamp,
};
use loci_store::{
    Thread,
    frames::{Known, encode},
    table::step_trace::{self, FramedTrace},
};
use serde_json::{Value, json};

use crate::App;

/// Frames of one chain; reading a request reads all before it.
const LONGEST: u32 = 500;
/// Threads whose chain can go on.
const KEPT: usize = 64;

/// The chains that can go on, by thread.
#[derive(Debug, Default)]
pub struct Chains(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    chains: HashMap<String, Chain>,
    clock: u64,
}

#[derive(Debug)]
struct Chain {
    id: String,
    /// Of the next frame.
    position: u32,
    known: Known,
    used: u64,
}

impl Chain {
    fn new() -> Self {
        Self { id: uuid::Uuid::new_v4().to_string(), position: 0, known: Known::default(), used: 0 }
    }
}

impl Chains {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the thread's chain, so that digests are made without the lock. Should two steps of a thread be
    /// written at once, the second begins another chain.
    fn take(&self, thread: &Thread) -> Chain {
        self.with(|state| state.chains.remove(thread.id()))
            .filter(|chain| chain.position < LONGEST)
            .unwrap_or_else(Chain::new)
    }

    fn put(&self, thread: &Thread, mut chain: Chain) {
        self.with(|state| {
            state.clock += 1;
            chain.used = state.clock;
            state.chains.insert(thread.id().to_owned(), chain);
            while state.chains.len() > KEPT {
                let oldest = state.chains.iter().min_by_key(|(_, chain)| chain.used);
                let Some(thread) = oldest.map(|(thread, _)| thread.clone()) else { break };
                state.chains.remove(&thread);
            }
        });
    }

    fn forget(&self, thread: &Thread) {
        self.with(|state| state.chains.remove(thread.id()));
    }
}

/// Traces are published as objects.
fn as_object(body: Value) -> Value {
    match body {
        Value::Object(_) => body,
        Value::Null => json!({}),
        other => json!({"body": other}),
    }
}

/// Keeps the bodies of a step's model call. They may be megabytes, so nobody waits for it.
pub async fn keep(app: App, thread: Thread, step_id: StepId, trace: ChatTrace, now: Timestamp) {
    let (request, response) = (Arc::new(as_object(trace.request)), as_object(trace.response));
    for _ in 0..2 {
        let (app, on) = (app.clone(), thread.clone());
        let request = Arc::clone(&request);
        let framed = tokio::task::spawn_blocking(move || {
            let chains = &app.runs().0.chains;
            let mut chain = chains.take(&on);
            let frame = encode(&mut chain.known, &request);
            let place = (chain.id.clone(), chain.position);
            chain.position += 1;
            chains.put(&on, chain);
            (frame, place, app)
        });
        let Ok((Some(frame), (chain, position), app)) = framed.await else {
            tracing::error!(step = %step_id, "a trace could not be framed");
            return;
        };
        let row = FramedTrace {
            id: TraceId::new(),
            step_id: step_id.clone(),
            agent_id: thread.agent_id.clone(),
            chain,
            position,
            frame,
            response_json: response.clone(),
            created_at: now,
        };
        match app.store().write(move |tx| step_trace::append(tx, &row)).await {
            Ok(true) => return,
            // The frames before it are gone: once more, as the first of a new chain.
            Ok(false) => app.runs().0.chains.forget(&thread),
            Err(error) => {
                app.runs().0.chains.forget(&thread);
                tracing::warn!(%error, "the trace of a step was not kept");
                return;
            }
        }
    }
}
