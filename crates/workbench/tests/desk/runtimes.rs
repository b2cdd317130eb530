//! Runtimes of this machine: found where they listen, and the `llama-server` that is run from here.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use http::Method;
use loci_testkit::model::FakeModel;
use loci_workbench::Places;
use serde_json::{Value, json};

use crate::fixture::Fixture;

const LLAMA: &str = "/workbench/runtimes/llama-server";

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/support/fake_llama_server.py")
        .canonicalize()
        .unwrap()
}

fn model(folder: &Path, behaviour: &Value) -> PathBuf {
    let path = folder.join("tiny.gguf");
    std::fs::write(&path, format!("GGUF\n{behaviour}\n")).unwrap();
    path
}

/// Waits until the server is in one of these phases.
async fn until(desk: &Fixture, phases: &[&str]) -> Value {
    for _ in 0..1_000 {
        let shown = desk.get(LLAMA).await.ok();
        if phases.contains(&shown["phase"].as_str().unwrap()) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("never {phases:?}: {}", desk.get(LLAMA).await.text);
}

async fn handles(desk: &Fixture) -> Vec<String> {
    desk.desk.app().models().list().await.into_iter().map(|model| model.handle).collect()
}

fn is_alive(pid: &str) -> bool {
    // A process that ended but was not waited for counts as gone.
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or_default().trim_start().starts_with('Z'))
}

#[tokio::test]
async fn a_running_runtime_is_found_and_its_models_appear() {
    let ollama = FakeModel::start().await.unwrap();
    let port = ollama.url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
    // The fake answers OpenAI's list, which is what LM Studio is asked for.
    let places = Places::from_env(&|_| Some(format!("lmstudio={port},ollama=9"))).unwrap();
    let desk = Fixture::looking_at(places).await;
    let seen = desk.post("/workbench/runtimes/refresh", json!(null)).await.ok();
    let of = |kind: &str| {
        seen["runtimes"].as_array().unwrap().iter().find(|found| found["kind"] == kind).unwrap().clone()
    };
    assert_eq!((&of("lmstudio")["state"], &of("ollama")["state"]), (&json!("running"), &json!("absent")));
    assert!(
        handles(&desk).await.iter().any(|handle| handle.starts_with("lmstudio/")),
        "{:?}",
        handles(&desk).await
    );
    let provider = &desk.get("/workbench/providers").await.ok()[0];
    assert_eq!((&provider["id"], &provider["source"]), (&json!("found-lmstudio"), &json!("found")));
    desk.call(Method::DELETE, "/workbench/providers/found-lmstudio", json!(null)).await.refusal(409);
    assert_eq!(desk.get("/workbench/runtimes").await.ok()["runtimes"], seen["runtimes"]);
}

#[tokio::test]
async fn a_managed_server_runs_says_its_context_and_ends_with_everything_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let child = folder.path().join("child.pid");
    let file = model(folder.path(), &json!({"context": 2048, "child": child}));
    let desk = Fixture::new().await;
    desk.post(&format!("{LLAMA}/start"), json!(null)).await.refusal(409);
    let launch = json!({"program": program(), "model": file, "context_length": 8192});
    desk.call(Method::PUT, LLAMA, launch).await.ok();
    desk.post(&format!("{LLAMA}/start"), json!(null)).await.ok();
    let shown = until(&desk, &["running", "failed"]).await;
    assert_eq!(shown["phase"], "running", "{shown}");
    assert_eq!(shown["context_in_force"], 2048);
    assert!(shown["context_note"].as_str().unwrap().contains("8192 tokens"), "{shown}");
    assert_eq!(shown["tokens_per_second"], 42.5);
    #[cfg(target_os = "linux")]
    assert!(shown["memory_bytes"].as_u64().unwrap() > 1_000_000, "{shown}");
    assert_eq!(handles(&desk).await[0], "llama-server/tiny");
    let log = desk.get(&format!("{LLAMA}/log?lines=50")).await.ok().to_string();
    assert!(log.contains("listening on") && log.contains("keys of others: []"), "{log}");
    let key = std::fs::read_to_string(format!("/proc/{}/cmdline", shown["pid"])).unwrap_or_default();
    assert!(!key.contains("api-key"), "{key}");

    let started = std::fs::read_to_string(&child).unwrap();
    assert!(is_alive(&started));
    let stopped = desk.post(&format!("{LLAMA}/stop"), json!(null)).await.ok();
    assert_eq!((&stopped["phase"], &stopped["pid"]), (&json!("stopped"), &Value::Null));
    for _ in 0..200 {
        if !is_alive(&started) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!is_alive(&started), "what it had started ended too");
    assert!(!handles(&desk).await.iter().any(|handle| handle.starts_with("llama-server/")));
}

#[tokio::test]
async fn one_that_ends_by_itself_is_started_again_and_one_that_cannot_start_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Fixture::new().await;
    let start = async |behaviour: Value| {
        let file = model(folder.path(), &behaviour);
        desk.call(Method::PUT, LLAMA, json!({"program": program(), "model": file})).await.ok();
        desk.post(&format!("{LLAMA}/start"), json!(null)).await.ok();
    };
    start(json!({"fail": "error: unknown model architecture"})).await;
    let shown = until(&desk, &["failed"]).await;
    assert!(shown["problem"]["message"].as_str().unwrap().contains("before it was ready"), "{shown}");
    let log = desk.get(&format!("{LLAMA}/log")).await.ok().to_string();
    assert!(log.contains("unknown model architecture"), "{log}");

    start(json!({"die_after": 0.2})).await;
    until(&desk, &["waiting"]).await;
    for _ in 0..500 {
        if desk.get(LLAMA).await.ok()["restarts"].as_u64().unwrap() >= 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(desk.get(LLAMA).await.ok()["restarts"].as_u64().unwrap() >= 1);
    desk.post(&format!("{LLAMA}/stop"), json!(null)).await.ok();
    assert_eq!(desk.get(LLAMA).await.ok()["phase"], "stopped");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_that_outlived_loci_is_ended_at_the_next_start_and_a_stranger_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let file = model(folder.path(), &json!({}));
    let desk = Fixture::new().await;
    let start = |port: &str| {
        use std::os::unix::process::CommandExt as _;
        std::process::Command::new(program())
            .args(["--model", file.to_str().unwrap(), "--port", port])
            .stdout(std::process::Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap()
    };
    let (mut left, mut stranger) = (start("0"), start("0"));
    let noted = desk.desk.app().options().data_dir.join("llama-server.json");
    for (child, port) in [(&stranger, 1), (&left, 0)] {
        // Until it runs, its command line is the test's own.
        while !std::fs::read_to_string(format!("/proc/{}/cmdline", child.id())).unwrap().contains("--port") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::fs::write(&noted, json!({"pid": child.id(), "port": port, "model": file}).to_string()).unwrap();
        desk.desk.load_providers().await.unwrap();
        while noted.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert!(left.wait().unwrap().code().is_none(), "ended by a signal");
    assert!(stranger.try_wait().unwrap().is_none(), "another program with that number goes on");
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.gguf");
    std::fs::write(&text, "hello").unwrap();
    let desk = Fixture::new().await;
    for (body, part) in [
        (json!({"model": text}), "not a GGUF"),
        (json!({"model": "tiny.gguf"}), "whole path"),
        (json!({"program": "/nowhere/llama-server"}), "not a program"),
        (json!({"program": "llama-server"}), "whole path"),
        (json!({"context_length": 1}), "context_length"),
        (json!({"colour": "red"}), "colour"),
    ] {
        let problem = desk.call(Method::PUT, LLAMA, body.clone()).await.refusal(422);
        assert!(problem.contains(part), "{body}: {problem}");
    }
}
