//! What the page has asked for and not heard to its end: so that it can be dropped, one or all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::task::AbortHandle;

/// The requests under way.
#[derive(Clone, Default)]
pub struct Requests(Arc<Mutex<List>>);

#[derive(Default)]
struct List {
    /// How many have begun.
    begun: u64,
    /// By the page's id, with which one it was: an id may be used again.
    under_way: HashMap<String, (u64, AbortHandle)>,
}

impl Requests {
    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops every answer under way. Runs go on: a stream is a view of one.
    pub fn cancel_all(&self) {
        for (_, (_, request)) in self.list().under_way.drain() {
            request.abort();
        }
    }

    /// Lets the work of a request begin; it ends with the request.
    ///
    /// # Errors
    /// If one with this id is under way.
    pub fn begin(&self, id: String, work: impl Future<Output = ()> + Send + 'static) -> Result<(), String> {
        let mut list = self.list();
        if list.under_way.contains_key(&id) {
            return Err(format!("A request with the id {id} is under way already."));
        }
        list.begun += 1;
        let number = list.begun;
        let guard = UnderWay { requests: self.clone(), id: id.clone(), number };
        // It cannot take itself off the list before it is on it: the list is held.
        let task = tokio::spawn(async move {
            let _guard = guard;
            work.await;
        });
        list.under_way.insert(id, (number, task.abort_handle()));
        Ok(())
    }

    /// Drops one answer under way, if it is.
    pub fn cancel(&self, id: &str) {
        if let Some((_, request)) = self.list().under_way.remove(id) {
            request.abort();
        }
    }
}

/// Takes a request off the list when its task ends, however it ends.
struct UnderWay {
    requests: Requests,
    id: String,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut list = self.requests.list();
        if list.under_way.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            list.under_way.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    /// Says when it is dropped.
    struct Dropped(Option<oneshot::Sender<()>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            let _nobody_waits = self.0.take().map(|tell| tell.send(()));
        }
    }

    #[tokio::test]
    async fn a_request_ends_when_the_page_drops_it_and_its_id_is_free_again() {
        let requests = Requests::default();
        let endless = || {
            let (tell, dropped) = oneshot::channel();
            let held = Dropped(Some(tell));
            (
                async move {
                    let _held = held;
                    std::future::pending::<()>().await;
                },
                dropped,
            )
        };
        let (work, dropped) = endless();
        requests.begin("1".to_owned(), work).expect("begun");
        requests.begin("1".to_owned(), std::future::ready(())).expect_err("the id is in use");
        requests.cancel("1");
        dropped.await.expect("the answer under way was dropped");
        requests.cancel("1");

        let (work, dropped) = endless();
        requests.begin("1".to_owned(), work).expect("the id is free");
        requests.begin("2".to_owned(), std::future::ready(())).expect("begun");
        // The page is gone.
        requests.cancel_all();
        dropped.await.expect("dropped as well");
        assert!(requests.list().under_way.is_empty());

        let (tell, done) = oneshot::channel();
        requests.begin("3".to_owned(), async move { tell.send(()).expect("awaited") }).expect("begun");
        done.await.expect("done");
        while !requests.list().under_way.is_empty() {
            tokio::task::yield_now().await;
        }
    }
}
