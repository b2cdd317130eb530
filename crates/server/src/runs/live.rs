//! One run while it is going on: what it has said so far, who may watch it, and how it is told to stop.
//!
//! A watcher reads the log at its own pace. Nobody watching, everybody gone, a slow reader: nothing of it holds
//! the run up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use loci_api::{
    error::ApiError,
    ids::RunId,
    message::{Message, Role},
    resource::{StopReason, UsageStatistics},
};
use loci_engine::ports::{TurnError, TurnEvent};
use loci_store::Thread;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::stream::{Frame, KEEP_ALIVE, Mode, Renderer, ping};

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Ending {
    pub stop_reason: StopReason,
    pub usage: UsageStatistics,
    pub error: Option<TurnError>,
}

/// A run of this process that has not ended, or ended a moment ago.
#[derive(Debug)]
pub struct LiveRun {
    pub id: RunId,
    pub thread: Thread,
    pub background: bool,
    /// Recognises the same request sent again.
    pub token: Option<String>,
    /// Told to stop by [`LiveRun::cancel`].
    pub cancelled: CancellationToken,
    pub started: Instant,
    state: Mutex<State>,
    progress: watch::Sender<Progress>,
    unsaved: Notify,
}

#[derive(Debug)]
struct State {
    renderer: Renderer,
    /// What watchers may see.
    log: Vec<Frame>,
    /// Of a background run: made, but not yet written down.
    unsaved: Vec<Frame>,
    /// Every message the run has produced.
    messages: Vec<Message>,
    usage: UsageStatistics,
    first_event: Option<Duration>,
    ending: Option<Ending>,
    refusal: Option<ApiError>,
}

/// Tells watchers that there is more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Progress {
    frames: usize,
    /// Its row exists, or it never will.
    settled: bool,
    /// Its last frames are made.
    closed: bool,
    ended: bool,
}

impl LiveRun {
    /// A run that is about to begin; its stream is opened at once.
    #[must_use]
    pub fn new(id: RunId, thread: Thread, background: bool, token: Option<String>, mode: Mode) -> Arc<Self> {
        let mut usage = UsageStatistics::none();
        usage.run_ids = Some(vec![id.clone()]);
        let run = Self {
            state: Mutex::new(State {
                renderer: Renderer::new(id.clone(), mode),
                log: Vec::new(),
                unsaved: Vec::new(),
                messages: Vec::new(),
                usage,
                first_event: None,
                ending: None,
                refusal: None,
            }),
            id,
            thread,
            background,
            token,
            cancelled: CancellationToken::new(),
            started: Instant::now(),
            progress: watch::Sender::new(Progress::default()),
            unsaved: Notify::new(),
        };
        run.with(|state| {
            let frames = state.renderer.open();
            run.offer(state, frames);
        });
        Arc::new(run)
    }

    /// Nothing that holds the lock can panic half-way, so a poisoned one is still consistent.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds frames where they belong: to the log, or to what must be written down first.
    fn offer(&self, state: &mut State, frames: Vec<Frame>) {
        if frames.is_empty() {
            return;
        }
        if self.background {
            state.unsaved.extend(frames);
            self.unsaved.notify_one();
        } else {
            state.log.extend(frames);
            self.tell(state, false);
        }
    }

    fn tell(&self, state: &State, ended: bool) {
        self.progress.send_modify(|progress| {
            progress.frames = state.log.len();
            progress.settled |= ended;
            progress.ended |= ended;
        });
    }

    /// What the turn tells. Messages in it are committed already.
    pub fn tell_event(&self, event: TurnEvent) {
        self.with(|state| {
            if state.first_event.is_none()
                && !matches!(event, TurnEvent::StepUsage(_) | TurnEvent::Compacting { .. })
            {
                state.first_event = Some(self.started.elapsed());
            }
            if let TurnEvent::StepUsage(usage) = &event {
                state.usage.add(usage);
            }
            let frames = state.renderer.event(&event);
            self.offer(state, frames);
            if let TurnEvent::Message { message, .. } = event {
                state.messages.push(message);
            }
        });
    }

    /// Adds the last frames. Watchers get them once [`LiveRun::end`] is called, or when they are written down.
    pub fn close(&self, stop_reason: StopReason, error: Option<TurnError>) {
        self.with(|state| {
            let usage = state.usage.clone();
            let frames = state.renderer.close(stop_reason, &usage, error.as_ref());
            state.ending = Some(Ending { stop_reason, usage, error });
            self.offer(state, frames);
            // Wakes the scribe even where there is nothing to write.
            self.unsaved.notify_one();
        });
        self.progress.send_modify(|progress| progress.closed = true);
    }

    /// Says that nothing follows.
    pub fn end(&self) {
        self.with(|state| self.tell(state, true));
    }

    /// Says that the request is durable.
    pub fn settle(&self) {
        self.progress.send_modify(|progress| progress.settled = true);
    }

    /// Resolves when the request is durable, or was refused.
    pub async fn settled(&self) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`.
        let _told = progress.wait_for(|progress| progress.settled).await;
    }

    /// Resolves when its last frames are made.
    pub async fn closed(&self) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`.
        let _told = progress.wait_for(|progress| progress.closed).await;
    }

    /// Resolves when its row exists, or never will.
    pub async fn settled_or_closed(&self) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`.
        let _told = progress.wait_for(|progress| progress.settled || progress.closed).await;
    }

    /// Notes that the request was not accepted; `close` and `end` follow.
    pub fn refuse(&self, error: ApiError) {
        self.with(|state| state.refusal = Some(error));
    }

    /// Why the request was not accepted, if it was not.
    #[must_use]
    pub fn refusal(&self) -> Option<ApiError> {
        self.with(|state| state.refusal.clone())
    }

    /// Waits for frames to write down and takes them; empty once the run has ended and all is taken.
    pub async fn take_unsaved(&self) -> Vec<Frame> {
        loop {
            let (frames, over) =
                self.with(|state| (std::mem::take(&mut state.unsaved), state.ending.is_some()));
            if !frames.is_empty() || over {
                return frames;
            }
            self.unsaved.notified().await;
        }
    }

    /// Shows frames that were written down.
    pub fn publish(&self, frames: Vec<Frame>) {
        self.with(|state| {
            state.log.extend(frames);
            self.tell(state, false);
        });
    }

    /// Tells it to stop at the next opportunity.
    pub fn cancel(&self) {
        self.cancelled.cancel();
    }

    /// Resolves when it has ended.
    pub async fn ended(&self) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`.
        let _told = progress.wait_for(|progress| progress.ended).await;
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn ending(&self) -> Option<Ending> {
        self.with(|state| state.ending.clone())
    }

    /// The messages it has produced so far.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.with(|state| {
            state.messages.iter().filter(|message| message.role != Role::User).cloned().collect()
        })
    }

    /// What it has cost so far.
    #[must_use]
    pub fn usage(&self) -> UsageStatistics {
        self.with(|state| state.usage.clone())
    }

    /// From its start to the first thing the model said.
    #[must_use]
    pub fn first_event(&self) -> Option<Duration> {
        self.with(|state| state.first_event)
    }

    /// Its frames with a number above `after`, then what comes, to the end. `pings` keeps the connection alive.
    pub fn watch(self: &Arc<Self>, after: i64, pings: bool) -> impl Stream<Item = Bytes> + Send + use<> {
        let watcher =
            Watcher { run: self.clone(), progress: self.progress.subscribe(), seen: 0, after, pings };
        futures::stream::unfold(watcher, |mut watcher| async move {
            watcher.next().await.map(|bytes| (bytes, watcher))
        })
    }
}

/// One reader of the log.
struct Watcher {
    run: Arc<LiveRun>,
    progress: watch::Receiver<Progress>,
    /// Frames of the log that were looked at.
    seen: usize,
    after: i64,
    pings: bool,
}

impl Watcher {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let now = *self.progress.borrow_and_update();
            let bytes = self.unseen();
            if !bytes.is_empty() {
                return Some(bytes);
            }
            if now.ended {
                return None;
            }
            if !self.pings {
                self.progress.changed().await.ok()?;
                continue;
            }
            match tokio::time::timeout(KEEP_ALIVE, self.progress.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(ping(Some(&self.run.id), None)),
            }
        }
    }

    /// Everything new as one piece, so that a burst costs one write.
    fn unseen(&mut self) -> Bytes {
        let (seen, after, pings) = (self.seen, self.after, self.pings);
        let (frames, seen) =
            self.run.with(|state| (state.log.get(seen..).unwrap_or_default().to_vec(), state.log.len()));
        self.seen = seen;
        let mut wanted =
            frames.iter().filter(|frame| frame.seq > after && (pings || !Frame::is_ping(&frame.text)));
        let Some(first) = wanted.next() else { return Bytes::new() };
        let mut all: Option<BytesMut> = None;
        for frame in wanted {
            all.get_or_insert_with(|| BytesMut::from(first.text.as_ref())).extend_from_slice(&frame.text);
        }
        all.map_or_else(|| first.text.clone(), BytesMut::freeze)
    }
}
