//! Doctor, backup, and the sweep after a killed server.

use std::fs;

use loci_api::{
    ids::ConversationId,
    message::Role,
    resource::{RunStatus, StepStatus, StopReason},
};
use loci_store::{
    Connection, Store, StoreError, Thread, claim,
    maintain::{self, Problem},
    table::{agent, context, run, run::RunEnd, setting, step},
};
use serde_json::json;

use crate::fixture::{self, NOW, later};

async fn fresh() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("loci.db")).await.unwrap();
    (folder, store)
}

#[tokio::test]
async fn a_healthy_database_has_no_problems() {
    let (_folder, store) = fresh().await;
    store
        .write(|tx| {
            let thread = Thread::new(fixture::stored_agent(tx, "a"), None);
            context::push(tx, &thread, &[fixture::message(&thread, Role::User, "hello")])
        })
        .await
        .unwrap();
    let report = maintain::doctor(store.path()).unwrap();
    assert_eq!((report.agents, report.messages), (1, 1));
    assert!(report.schema_version >= 1);
    assert_eq!(report.problems, []);
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong() {
    let (_folder, store) = fresh().await;
    let (active, pending) = store
        .write(|tx| {
            let thread = Thread::new(fixture::stored_agent(tx, "a"), None);
            let other = Thread::new(fixture::stored_agent(tx, "b"), None);
            let row = fixture::message(&thread, Role::User, "hello");
            context::push(tx, &thread, std::slice::from_ref(&row))?;
            context::append(tx, &other, std::slice::from_ref(&row.id))?;
            let nowhere = Thread::new(thread.agent_id.clone(), Some(ConversationId::new()));
            context::append(tx, &nowhere, std::slice::from_ref(&row.id))?;
            let run = fixture::run(&thread);
            run::insert(tx, &run, None)?;
            let step = fixture::step(&run);
            step::insert(tx, &step, NOW)?;
            Ok((run.id, step.id))
        })
        .await
        .unwrap();
    let raw = Connection::open(store.path()).unwrap();
    raw.pragma_update(None, "foreign_keys", false).unwrap();
    raw.execute_batch(
        "INSERT INTO context VALUES ('conv-x', 0, 'message-x');
         INSERT INTO agents_tools VALUES ('agent-x', 'tool-x', 0);
         UPDATE messages SET content = '[{' WHERE role = 'user';",
    )
    .unwrap();
    let kinds = |report: &maintain::Report| {
        let mut kinds: Vec<_> = report
            .problems
            .iter()
            .map(|problem| match problem {
                Problem::Integrity(text) => panic!("{text}"),
                Problem::ForeignKey { table, .. } => format!("foreign key in {table}"),
                Problem::DanglingContext { thread_id, .. } => format!("context of {}", &thread_id[..5]),
                Problem::OrphanedRun(id) => format!("run {}", *id == active),
                Problem::OrphanedStep(id) => format!("step {}", *id == pending),
                Problem::UnreadableMessage(_) => "message".to_owned(),
            })
            .collect();
        kinds.sort();
        kinds.join(", ")
    };
    let report = maintain::doctor(store.path()).unwrap();
    assert_eq!(
        kinds(&report),
        "context of agent, context of conv-, context of conv-, foreign key in agents_tools, foreign key in agents_tools, \
         foreign key in context, message, run true, step true"
    );
    for problem in &report.problems {
        assert!(!problem.to_string().contains("SELECT"), "{problem}");
    }
    // Another server's work is not an orphan.
    let _serving = claim(store.path()).unwrap();
    let report = maintain::doctor(store.path()).unwrap();
    assert_eq!(report.active_runs, 1);
    assert!(!kinds(&report).contains("run"), "{report:?}");
}

#[tokio::test]
async fn a_damaged_file_is_reported_not_repaired() {
    let (folder, store) = fresh().await;
    store
        .write(|tx| (0..200).try_for_each(|at| agent::insert(tx, &fixture::agent(&at.to_string()))))
        .await
        .unwrap();
    let path = store.path().to_owned();
    let broken = folder.path().join("broken.db");
    store.backup(&broken).await.unwrap();
    let mut bytes = fs::read(&broken).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&broken, &bytes).unwrap();
    match maintain::doctor(&broken) {
        Ok(report) => assert!(!report.problems.is_empty()),
        Err(error) => assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}"),
    }
    assert_eq!(bytes, fs::read(&broken).unwrap());
    for missing in [folder.path().join("nowhere.db"), folder.path().join("empty.db")] {
        if missing.ends_with("empty.db") {
            fs::write(&missing, b"").unwrap();
        }
        assert!(maintain::doctor(&missing).is_err());
    }
    assert!(!folder.path().join("nowhere.db").exists());
    assert_eq!(maintain::doctor(&path).unwrap().problems, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_complete_while_others_write() {
    let (folder, store) = fresh().await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move {
            for at in 0..200 {
                // Both or neither.
                store
                    .write(move |tx| {
                        setting::set(tx, "a", &json!(at), NOW)?;
                        setting::set(tx, "b", &json!(at), NOW)
                    })
                    .await
                    .unwrap();
            }
        }
    });
    for copy in 0..5 {
        let to = folder.path().join(format!("copy-{copy}.db"));
        store.backup(&to).await.unwrap();
        let copy = Connection::open(&to).unwrap();
        assert_eq!(setting::get(&copy, "a").unwrap(), setting::get(&copy, "b").unwrap());
        drop(copy);
        assert_eq!(maintain::doctor(&to).unwrap().problems, []);
    }
    writing.await.unwrap();
    let taken = folder.path().join("copy-0.db");
    let before = fs::read(&taken).unwrap();
    let refused = maintain::backup(store.path(), &taken).unwrap_err();
    assert!(matches!(refused, StoreError::Io { .. }), "{refused}");
    assert_eq!(before, fs::read(&taken).unwrap());
    assert!(store.backup(folder.path().join("no/such/folder.db")).await.is_err());
}

#[tokio::test]
async fn the_sweep_fails_what_was_cut_off_and_names_the_threads() {
    fixture::check(|conn| {
        let thread = Thread::new(fixture::stored_agent(conn, "a"), None);
        let other = Thread::new(fixture::stored_agent(conn, "b"), None);
        let mut created = fixture::run(&thread);
        created.status = RunStatus::Created;
        created.metadata = json!({"kept": 1}).as_object().cloned();
        let running = fixture::run(&thread);
        let done = fixture::run(&other);
        for run in [&created, &running, &done] {
            run::insert(conn, run, None).unwrap();
        }
        let end = RunEnd {
            stop_reason: StopReason::EndTurn,
            error: None,
            completed_at: NOW,
            ttft_ns: None,
            total_duration_ns: None,
        };
        run::finish(conn, &done.id, &end).unwrap();
        let step = fixture::step(&running);
        step::insert(conn, &step, NOW).unwrap();

        let swept = maintain::sweep(conn, later(9)).unwrap();
        assert_eq!(swept.runs, [created.id.clone(), running.id.clone()]);
        assert_eq!((swept.steps, &swept.threads), (1, &vec![thread]));
        let stored = run::get(conn, &created.id).unwrap().unwrap();
        assert_eq!((stored.status, stored.stop_reason), (RunStatus::Failed, Some(StopReason::Error)));
        assert_eq!(stored.completed_at, Some(later(9)));
        let metadata = stored.metadata.unwrap();
        assert_eq!(metadata["kept"], 1);
        assert_eq!(metadata["error"]["error_type"], "internal_error");
        assert_eq!(metadata["error"]["run_id"], created.id.as_str());
        let stored = step::get(conn, &step.id).unwrap().unwrap();
        assert_eq!(
            (stored.status, stored.error_type.as_deref()),
            (Some(StepStatus::Failed), Some("internal_error"))
        );
        assert_eq!(run::get(conn, &done.id).unwrap().unwrap().stop_reason, Some(StopReason::EndTurn));
        assert_eq!(maintain::sweep(conn, later(9)).unwrap(), maintain::Swept::default());
        assert_eq!(maintain::check(conn, false).unwrap().problems, []);
    })
    .await;
}
