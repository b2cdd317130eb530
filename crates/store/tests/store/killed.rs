//! A process that is really killed, at whatever it was doing.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use loci_api::{ids::MessageId, message::Role};
use loci_store::{
    Store, Thread, claim, maintain,
    table::{agent, context, message, run},
};

use crate::fixture::{self, NOW};

const FOLDER: &str = "LOCI_STORE_KILLED_TEST";

#[tokio::test]
#[ignore = "the other half of the test below, which runs it in a process of its own"]
async fn writes_until_it_is_killed() {
    let Ok(folder) = env::var(FOLDER) else { return };
    let path = Path::new(&folder).join("loci.db");
    let _claim = claim(&path).unwrap();
    let store = Store::open(&path).await.unwrap();
    let known = store.read(|conn| {
        agent::list(conn, &Default::default(), Default::default(), &loci_store::Page::newest(1))
    });
    let agent = match known.await.unwrap().pop() {
        Some(row) => row.id,
        None => store.write(|tx| Ok(fixture::stored_agent(tx, "a"))).await.unwrap(),
    };
    let thread = Thread::new(agent, None);
    loop {
        let thread = thread.clone();
        let ids = store
            .write(move |tx| {
                let active = fixture::run(&thread);
                run::insert(tx, &active, None)?;
                let pair = [Role::User, Role::Assistant]
                    .map(|role| fixture::message(&thread, role, &"said something. ".repeat(40)));
                context::push(tx, &thread, &pair)?;
                Ok(pair.map(|message| message.id))
            })
            .await
            .unwrap();
        println!("\nacknowledged {} {}", ids[0], ids[1]);
    }
}

#[test]
fn what_was_acknowledged_survives_sigkill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("loci.db");
    let mut acknowledged: Vec<MessageId> = Vec::new();
    for writes in [1, 40, 7, 150, 23] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "killed::writes_until_it_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut read = Vec::new();
        for line in lines {
            if let Some(ids) = line.strip_prefix("acknowledged ") {
                read.extend(ids.split(' ').map(|id| id.parse::<MessageId>().unwrap()));
            }
            if read.len() >= 2 * writes {
                // SIGKILL; what it still prints until then was acknowledged too, but nobody heard.
                child.kill().unwrap();
                break;
            }
        }
        child.wait().unwrap();
        assert!(read.len() >= 2 * writes, "the writer must get that far");
        acknowledged.extend(read);

        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let claim = claim(&path).unwrap();
        let expected = acknowledged.clone();
        runtime.block_on(async {
            let store = Store::open(&path).await.unwrap();
            let swept = store.write(|tx| maintain::sweep(tx, NOW)).await.unwrap();
            assert!(swept.runs.len() >= writes && swept.threads.len() == 1);
            let thread = swept.threads[0].clone();
            let agent = thread.agent_id.clone();
            let stored = store.read(move |conn| context::ids(conn, &thread)).await.unwrap();
            let mut rest = stored.iter();
            assert!(
                expected.iter().all(|id| rest.any(|stored| stored == id)),
                "all are there, once, in order"
            );
            assert_eq!(stored.len() % 2, 0, "a write is there as a whole or not at all");
            let filter = message::MessageFilter { agent_id: Some(agent), ..Default::default() };
            let count = store.read(move |conn| message::count(conn, &filter)).await.unwrap();
            assert_eq!(usize::try_from(count).unwrap(), stored.len());
            acknowledged = stored;
        });
        drop(claim);
        assert_eq!(maintain::doctor(&path).unwrap().problems, []);
    }
}
