//! One writer per thread: who has it, who waits for it, and what its context window held last.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use loci_api::{
    ids::{MessageId, RunId},
    message::Message,
};
use loci_store::Thread;
use tokio::sync::OwnedMutexGuard;

/// Requests that may wait for one thread; more are refused.
pub const MAX_WAITING: usize = 100;
/// Contexts kept in memory.
const KEPT_CONTEXTS: usize = 64;
/// Bytes of text, roughly, that kept contexts may have together.
const KEPT_BYTES: usize = 128 << 20;

/// The threads that are in use.
#[derive(Debug, Default)]
pub struct Threads {
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    contexts: Mutex<Contexts>,
}

#[derive(Debug, Default)]
struct Slot {
    turn: Arc<tokio::sync::Mutex<()>>,
    waiting: AtomicUsize,
    /// The run that has the thread.
    run: Mutex<Option<RunId>>,
}

/// The right to write to a thread; given back when dropped.
#[derive(Debug)]
pub struct Hold {
    slot: Arc<Slot>,
    _turn: OwnedMutexGuard<()>,
}

impl Hold {
    /// Says which run has the thread.
    pub fn by(&self, run: &RunId) {
        *self.slot.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        *self.slot.run.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Why a thread was not got at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    /// The run that has it; `None` for the moment between two.
    pub run: Option<RunId>,
}

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} requests are waiting for this agent already; try again when some of them are done")]
pub struct TooManyWaiting;

impl Threads {
    fn slot(&self, thread: &Thread) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() > 1_000 {
            slots.retain(|_, slot| Arc::strong_count(slot) > 1);
        }
        slots.entry(thread.id().to_owned()).or_default().clone()
    }

    /// The thread, if nobody has it.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn try_hold(&self, thread: &Thread) -> Result<Hold, Busy> {
        let slot = self.slot(thread);
        match slot.turn.clone().try_lock_owned() {
            Ok(turn) => Ok(Hold { slot, _turn: turn }),
            Err(_) => Err(Busy { run: slot.run.lock().unwrap_or_else(PoisonError::into_inner).clone() }),
        }
    }

    /// The thread, as soon as those who asked before are done with it.
    ///
    /// # Errors
    /// [`TooManyWaiting`].
    pub async fn hold(&self, thread: &Thread) -> Result<Hold, TooManyWaiting> {
        let slot = self.slot(thread);
        let place = Place::take(&slot)?;
        let turn = slot.turn.clone().lock_owned().await;
        drop(place);
        Ok(Hold { slot, _turn: turn })
    }

    /// Takes what is known of a thread's context, if it still is what the database says: `len` messages, the last
    /// being `last`.
    #[must_use]
    pub fn take_context(
        &self,
        thread: &Thread,
        len: usize,
        last: Option<&MessageId>,
    ) -> Option<Vec<Message>> {
        let known = self.contexts.lock().unwrap_or_else(PoisonError::into_inner).remove(thread.id())?;
        (known.len() == len && known.last().map(|message| &message.id) == last).then_some(known)
    }

    /// Remembers a thread's context for its next run.
    pub fn keep_context(&self, thread: &Thread, context: Vec<Message>) {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner).insert(thread.id(), context);
    }

    /// Forgets it, because somebody else wrote to the thread.
    pub fn forget_context(&self, thread: &Thread) {
        self.contexts.lock().unwrap_or_else(PoisonError::into_inner).remove(thread.id());
    }
}

/// One place among those who wait; given back when dropped, also when the wait is given up.
struct Place(Arc<Slot>);

impl Place {
    fn take(slot: &Arc<Slot>) -> Result<Self, TooManyWaiting> {
        let before = slot.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(slot.clone());
        if before >= MAX_WAITING { Err(TooManyWaiting) } else { Ok(place) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Contexts by thread, the least recently used dropped first.
#[derive(Debug, Default)]
struct Contexts {
    kept: HashMap<String, Kept>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug)]
struct Kept {
    context: Vec<Message>,
    bytes: usize,
    used: u64,
}

impl Contexts {
    fn remove(&mut self, thread: &str) -> Option<Vec<Message>> {
        let kept = self.kept.remove(thread)?;
        self.bytes -= kept.bytes;
        Some(kept.context)
    }

    fn insert(&mut self, thread: &str, context: Vec<Message>) {
        self.remove(thread);
        let bytes = context.iter().map(weight).sum();
        if bytes > KEPT_BYTES {
            return;
        }
        self.clock += 1;
        self.bytes += bytes;
        self.kept.insert(thread.to_owned(), Kept { context, bytes, used: self.clock });
        while self.kept.len() > KEPT_CONTEXTS || self.bytes > KEPT_BYTES {
            let Some(oldest) =
                self.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(thread, _)| thread.clone())
            else {
                break;
            };
            self.remove(&oldest);
        }
    }
}

/// Roughly the bytes a message takes.
fn weight(message: &Message) -> usize {
    use loci_api::message::{ContentPart, ImageSource, ReturnContent};
    let parts = |parts: &[ContentPart]| -> usize {
        parts
            .iter()
            .map(|part| match part {
                ContentPart::Text { text, .. } => text.len(),
                ContentPart::Reasoning { reasoning, .. } => reasoning.len(),
                ContentPart::RedactedReasoning { data }
                | ContentPart::Image { source: ImageSource::Base64 { data, .. } } => data.len(),
                ContentPart::Image { source: ImageSource::Url { url } } => url.len(),
            })
            .sum()
    };
    let returns: usize = message
        .tool_returns
        .iter()
        .map(|result| match &result.content {
            ReturnContent::Value(serde_json::Value::String(text)) => text.len(),
            ReturnContent::Value(_) => 1_000,
            ReturnContent::Parts(list) => parts(list),
        })
        .sum();
    let calls: usize = message.tool_calls.iter().map(|call| call.arguments.len() + 100).sum();
    500 + parts(&message.content) + returns + calls
}

#[cfg(test)]
mod tests {
    use loci_api::ids::AgentId;

    use super::*;

    #[tokio::test]
    async fn a_thread_goes_to_one_at_a_time_in_the_order_of_asking() {
        let threads = Arc::new(Threads::default());
        let thread = Thread::new(AgentId::new(), None);
        let first = threads.hold(&thread).await.expect("free");
        let run = RunId::new();
        first.by(&run);
        assert_eq!(threads.try_hold(&thread).map(drop), Err(Busy { run: Some(run) }));
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for number in 0..3 {
            let (threads, thread, order) = (threads.clone(), thread.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let _hold = threads.hold(&thread).await.expect("few wait");
                order.lock().expect("not poisoned").push(number);
            }));
            tokio::task::yield_now().await;
        }
        drop(first);
        for task in waiting {
            task.await.expect("no panic");
        }
        assert_eq!(*order.lock().expect("not poisoned"), [0, 1, 2]);
        assert!(threads.try_hold(&thread).is_ok());
    }

    #[tokio::test]
    async fn a_crowd_is_refused() {
        let threads = Arc::new(Threads::default());
        let thread = Thread::new(AgentId::new(), None);
        let _hold = threads.hold(&thread).await.expect("free");
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(threads.hold(&thread))).collect();
        for wait in &mut waiting {
            assert!(futures::poll!(wait).is_pending());
        }
        assert!(threads.hold(&thread).await.is_err());
        waiting.pop();
        assert!(futures::poll!(Box::pin(threads.hold(&thread))).is_pending());
    }
}
