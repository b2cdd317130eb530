//! The door: transactions, several readers, panics, killed processes, claims.

use std::{fs, path::Path};

use loci_api::message::Role;
use loci_store::{
    Store, StoreError, Thread, claim, maintain,
    table::{agent, context, message, setting},
};
use serde_json::json;

use crate::fixture::{self, NOW};

async fn fresh() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("deep/er/loci.db")).await.unwrap();
    (folder, store)
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_is_the_owners_and_an_existing_one_stays_as_it_is() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, store) = fresh().await;
    assert_eq!(mode(store.path().parent().unwrap()), 0o700);
    let shared = folder.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    Store::open(shared.join("loci.db")).await.unwrap();
    assert_eq!(mode(&shared), 0o755);
    assert_eq!(mode(&shared.join("loci.db")), 0o600);
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_behind() {
    let (_folder, store) = fresh().await;
    let failed = store
        .write(|tx| {
            setting::set(tx, "k", &json!(1), NOW)?;
            Err::<(), _>(StoreError::Busy)
        })
        .await;
    assert!(matches!(failed, Err(StoreError::Busy)));
    assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), None);
}

#[derive(Debug, PartialEq)]
enum Refused {
    Policy,
    Store(String),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error.to_string())
    }
}

#[tokio::test]
async fn a_caller_may_refuse_in_its_own_words() {
    let (_folder, store) = fresh().await;
    let refused: Result<(), _> = store
        .try_write(|tx| {
            setting::set(tx, "k", &json!(1), NOW)?;
            Err(Refused::Policy)
        })
        .await;
    assert_eq!(refused, Err(Refused::Policy));
    let refused: Result<(), Refused> =
        store.try_read(|conn| Ok(setting::set(conn, "k", &json!(1), NOW)?)).await;
    assert!(matches!(refused, Err(Refused::Store(_))), "readers cannot write: {refused:?}");
    assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), None);
}

#[tokio::test]
async fn a_panic_is_the_callers_and_the_door_stays_open() {
    let (_folder, store) = fresh().await;
    for _ in 0..5 {
        let (reading, writing) = (store.clone(), store.clone());
        let read =
            tokio::spawn(async move { reading.read(|_| -> Result<(), StoreError> { panic!("mine") }).await });
        assert!(read.await.unwrap_err().is_panic());
        let write = tokio::spawn(async move {
            writing
                .write(|tx| -> Result<(), StoreError> {
                    setting::set(tx, "k", &json!(1), NOW)?;
                    panic!("mine")
                })
                .await
        });
        assert!(write.await.unwrap_err().is_panic());
    }
    assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), None);
    store.write(|tx| setting::set(tx, "k", &json!(2), NOW)).await.unwrap();
    assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), Some(json!(2)));
}

#[tokio::test]
async fn what_was_written_is_read_at_once_and_after_reopening() {
    let (_folder, store) = fresh().await;
    for value in 0..20 {
        store.write(move |tx| setting::set(tx, "k", &json!(value), NOW)).await.unwrap();
        assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), Some(json!(value)));
    }
    let path = store.path().to_owned();
    drop(store);
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.read(|conn| setting::get(conn, "k")).await.unwrap(), Some(json!(19)));
}

#[tokio::test]
async fn dropping_a_write_does_not_stop_it() {
    let (_folder, store) = fresh().await;
    {
        let mut write = Box::pin(store.write(|tx| setting::set(tx, "k", &json!(1), NOW)));
        let _ = futures_poll_once(write.as_mut()).await;
    }
    // The writer is one queue: this comes after it.
    let seen = store.write(|tx| setting::get(tx, "k")).await.unwrap();
    assert_eq!(seen, Some(json!(1)));
}

/// Polls a future once.
async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> bool {
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(std::pin::Pin::new(&mut future).poll(context).is_ready())
    })
    .await
}

#[tokio::test]
async fn a_copy_taken_as_a_kill_leaves_it_has_every_committed_message() {
    let (folder, store) = fresh().await;
    let thread = store.write(|tx| Ok(Thread::new(fixture::stored_agent(tx, "a"), None))).await.unwrap();
    let mut acknowledged = Vec::new();
    for at in 0..50 {
        let row = fixture::message(&thread, Role::User, &at.to_string());
        acknowledged.push(row.id.clone());
        let thread = thread.clone();
        store.write(move |tx| context::push(tx, &thread, &[row])).await.unwrap();
    }
    // No checkpoint, no goodbye: the file and its WAL as they are.
    let killed = folder.path().join("killed");
    fs::create_dir(&killed).unwrap();
    for name in ["loci.db", "loci.db-wal"] {
        fs::copy(store.path().with_file_name(name), killed.join(name)).unwrap();
    }
    let reopened = Store::open(killed.join("loci.db")).await.unwrap();
    let ids = reopened.read(move |conn| context::ids(conn, &thread)).await.unwrap();
    assert_eq!(ids, acknowledged);
    drop(reopened);
    assert_eq!(maintain::doctor(&killed.join("loci.db")).unwrap().problems, []);
}

#[tokio::test]
async fn only_one_server_has_the_claim() {
    let (_folder, store) = fresh().await;
    let first = claim(store.path()).unwrap();
    let refused = claim(store.path()).unwrap_err();
    assert!(matches!(refused, StoreError::InUse { .. }), "{refused}");
    drop(first);
    claim(store.path()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_do_not_wait_for_each_other_or_for_the_writer() {
    let (_folder, store) = fresh().await;
    store.write(|tx| agent::insert(tx, &fixture::agent("a"))).await.unwrap();
    let (started, wait) = std::sync::mpsc::channel::<()>();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let slow = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write(move |tx| {
                    agent::insert(tx, &fixture::agent("b"))?;
                    started.send(()).unwrap();
                    held.recv().unwrap();
                    Ok(())
                })
                .await
        }
    });
    tokio::task::spawn_blocking(move || wait.recv().unwrap()).await.unwrap();
    let count = |store: Store| async move {
        store.read(|conn| agent::count(conn, &agent::AgentFilter::default())).await.unwrap()
    };
    assert_eq!(count(store.clone()).await, 1, "what is not committed is not seen");
    release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    assert_eq!(count(store.clone()).await, 2);
    let filter = message::MessageFilter::default();
    assert_eq!(store.read(move |conn| message::count(conn, &filter)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_full_disk_and_one_that_may_only_be_read_are_told_apart_and_lose_nothing() {
    let (_folder, store) = fresh().await;
    store.write(|tx| setting::set(tx, "before", &json!("kept"), NOW)).await.unwrap();
    let limited = |pragma: &'static str| {
        store.write(move |tx| {
            tx.execute_batch(pragma)?;
            setting::set(tx, "large", &json!("x".repeat(4 << 20)), NOW)
        })
    };
    let refused = limited("PRAGMA max_page_count = 200").await.unwrap_err();
    assert!(matches!(refused, StoreError::Full), "{refused:?}");
    // Room was made.
    store
        .write(|tx| {
            tx.execute_batch("PRAGMA max_page_count = 1000000")?;
            setting::set(tx, "after", &json!("kept"), NOW)
        })
        .await
        .unwrap();
    let refused = limited("PRAGMA query_only = ON").await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly), "{refused:?}");
    for (key, wanted) in [("before", Some(json!("kept"))), ("large", None), ("after", Some(json!("kept")))] {
        assert_eq!(store.read(move |conn| setting::get(conn, key)).await.unwrap(), wanted, "{key}");
    }
}
