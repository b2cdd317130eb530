//! What the page has asked for and not taken to its end: so that it can be read on, and dropped, one or all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::pieces::Pieces;

/// Said to whoever still waits for an answer that was dropped.
pub const DROPPED: &str = "This answer is no longer under way.";

/// The requests under way, by the page's ids.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<HashMap<String, Arc<UnderWay>>>>);

#[derive(Default)]
struct UnderWay {
    dropped: CancellationToken,
    /// Nothing until the answer has begun.
    pieces: tokio::sync::Mutex<Option<Pieces>>,
}

impl Requests {
    fn list(&self) -> MutexGuard<'_, HashMap<String, Arc<UnderWay>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request. It is under way until what this gives is dropped, or, if its answer is kept, taken.
    ///
    /// # Errors
    /// If one with this id is under way.
    pub fn begin(&self, id: &str) -> Result<Begun, String> {
        let mut list = self.list();
        if list.contains_key(id) {
            return Err(format!("A request with the id {id} is under way already."));
        }
        let under_way = Arc::<UnderWay>::default();
        list.insert(id.to_owned(), Arc::clone(&under_way));
        Ok(Begun { requests: self.clone(), id: id.to_owned(), under_way, kept: false })
    }

    /// The next piece of an answer, empty at its end, which also ends the request.
    ///
    /// # Errors
    /// What broke the answer off; nothing if it was dropped, or never begun.
    pub async fn read(&self, id: &str) -> Result<Vec<u8>, Option<axum::Error>> {
        let under_way = self.list().get(id).cloned().ok_or(None)?;
        let next = async {
            match under_way.pieces.lock().await.as_mut() {
                Some(pieces) => pieces.next().await.map_err(Some),
                None => Err(None),
            }
        };
        let next = under_way.dropped.run_until_cancelled(next).await.unwrap_or(Err(None));
        if next.as_ref().map_or(true, Vec::is_empty) {
            self.forget(id, &under_way);
        }
        next
    }

    /// Drops one answer, if it is under way. Runs go on: a stream is a view of one.
    pub fn cancel(&self, id: &str) {
        if let Some(under_way) = self.list().remove(id) {
            under_way.dropped.cancel();
        }
    }

    /// Drops every answer under way.
    pub fn cancel_all(&self) {
        for (_, under_way) in self.list().drain() {
            under_way.dropped.cancel();
        }
    }

    /// An id may be used again by the page; then it is another's.
    fn forget(&self, id: &str, under_way: &Arc<UnderWay>) {
        let mut list = self.list();
        if list.get(id).is_some_and(|listed| Arc::ptr_eq(listed, under_way)) {
            list.remove(id);
        }
    }
}

/// A request whose answer has not begun.
pub struct Begun {
    requests: Requests,
    id: String,
    under_way: Arc<UnderWay>,
    kept: bool,
}

impl Begun {
    /// What `work` gives; nothing if the page drops the request before.
    pub async fn until_dropped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.under_way.dropped.run_until_cancelled(work).await
    }

    /// Keeps the rest of the answer for the page to read.
    pub async fn keep(mut self, pieces: Pieces) {
        *self.under_way.pieces.lock().await = Some(pieces);
        self.kept = true;
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.kept {
            self.requests.forget(&self.id, &self.under_way);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::{StreamExt, stream};
    use tokio::sync::oneshot;

    use super::*;

    /// Says when it is dropped.
    struct Dropped(Option<oneshot::Sender<()>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _nobody_waits = self.0.take().map(|tell| tell.send(()));
        }
    }

    /// A stream that begins and goes on without an end, and when nobody holds it any more.
    fn endless() -> (Pieces, oneshot::Receiver<()>) {
        let (tell, dropped) = oneshot::channel();
        let held = Dropped(Some(tell));
        let body = stream::once(async { Ok::<_, std::io::Error>("begun") })
            .chain(stream::pending())
            .inspect(move |_| _ = &held);
        (Pieces::of(Body::from_stream(body)), dropped)
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_its_id_is_free_again() {
        let requests = Requests::default();
        let begun = requests.begin("1").expect("begun");
        requests.begin("1").err().expect("the id is in use");
        assert!(requests.read("1").await.is_err_and(|error| error.is_none()), "nothing to read yet");
        drop(begun);

        requests.begin("1").expect("the id is free").keep(Pieces::of(Body::from("all"))).await;
        assert_eq!(requests.read("1").await.expect("a piece"), b"all");
        assert_eq!(requests.read("1").await.expect("the end"), b"");
        assert!(requests.list().is_empty());
        assert!(requests.read("1").await.is_err_and(|error| error.is_none()));
    }

    #[tokio::test]
    async fn one_that_breaks_off_is_under_way_no_longer() {
        let requests = Requests::default();
        let body = stream::iter([Err::<&str, _>(std::io::Error::other("odd"))]);
        requests.begin("1").expect("begun").keep(Pieces::of(Body::from_stream(body))).await;
        assert!(requests.read("1").await.is_err_and(|error| error.is_some()));
        assert!(requests.list().is_empty());
    }

    #[tokio::test]
    async fn the_page_drops_an_answer_at_any_point() {
        let requests = Requests::default();
        let asking = requests.begin("1").expect("begun");
        requests.cancel("1");
        assert!(asking.until_dropped(std::future::pending::<()>()).await.is_none());
        drop(asking);

        for all in [false, true] {
            let (pieces, dropped) = endless();
            requests.begin("2").expect("begun").keep(pieces).await;
            assert_eq!(requests.read("2").await.expect("a piece"), b"begun");
            let drop_it = async {
                tokio::task::yield_now().await;
                if all { requests.cancel_all() } else { requests.cancel("2") }
            };
            let (read, ()) = tokio::join!(requests.read("2"), drop_it);
            assert!(read.is_err_and(|error| error.is_none()));
            dropped.await.expect("nobody holds the answer");
        }
        requests.cancel("2");
    }

    #[tokio::test]
    async fn what_ends_late_leaves_a_later_request_of_the_same_id_alone() {
        let requests = Requests::default();
        let first = requests.begin("1").expect("begun");
        requests.cancel("1");
        let _second = requests.begin("1").expect("the id is free");
        drop(first);
        assert!(requests.list().contains_key("1"));
    }
}
