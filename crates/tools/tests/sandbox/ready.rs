//! Processes started ahead: used once, confined alike, gone when they no longer fit; and many calls at one time.

use super::*;

/// Runs until a call finds a process waiting, which takes as long as one takes to start.
async fn quick(bench: &Bench, request: impl Fn() -> RunRequest) -> RunResult {
    let mut last = bench.sandbox.run(request()).await;
    for _ in 0..200 {
        if bench.sandbox.waiting() > 0 {
            return bench.sandbox.run(request()).await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        if bench.sandbox.waiting() == 0 {
            last = bench.sandbox.run(request()).await;
        }
    }
    panic!("no process was ever ready; the last call: {last:?}")
}

#[tokio::test]
async fn a_waiting_process_serves_one_call_and_is_confined_like_any() {
    let bench = Bench::with(|options| options.allow_unconfined = !cfg!(target_os = "linux"));
    let source = "import os, builtins\ndef f(n: int):\n    seen = getattr(builtins, 'left_behind', None)\n    \
                  builtins.left_behind = n\n    return [os.getpid(), seen, os.environ.get('KEY'), n]\n";
    let request = |n: i64| {
        let mut request = python(source, json!({"n": n}));
        request.env = [("KEY".to_owned(), format!("secret-{n}"))].into();
        request
    };
    let first = bench.sandbox.run(request(1)).await;
    let confinement = first.confinement.clone();
    let first = value(first);
    let second = quick(&bench, || request(2)).await;
    assert_eq!(second.confinement, confinement);
    let second = value(second);
    assert_ne!(first[0], second[0], "another process");
    assert_eq!(first[1], second[1], "nothing is left behind");
    assert_eq!((&second[2], &second[3]), (&json!("secret-2"), &json!(2)));
}

#[tokio::test]
async fn a_process_waits_only_for_calls_it_fits() {
    let bench = Bench::new();
    let source = "import os\ndef f():\n    open('mark', 'a').write('x')\n    return os.getcwd()\n";
    let request = |agent: &str| {
        let mut request = python(source, json!({}));
        request.agent_id = agent.to_owned();
        request
    };
    let one = value(quick(&bench, || request("agent-1")).await);
    let other = value(bench.sandbox.run(request("agent-2")).await);
    assert_ne!(one, other);
    // The folder was taken away: the process that waits knows only the old one.
    let folder = bench.sandbox.work_dir("agent-1");
    while bench.sandbox.waiting() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    fs::remove_dir_all(&folder).expect("the folder");
    assert_eq!(value(bench.sandbox.run(request("agent-1")).await), one);
    assert_eq!(fs::read_to_string(folder.join("mark")).expect("written anew"), "x");
}

#[tokio::test]
async fn no_more_processes_wait_than_allowed() {
    let bench = Bench::with(|options| options.spares = 2);
    let source = "def f():\n    return 1\n";
    for agent in ["a", "b", "c", "d"] {
        let mut request = python(source, json!({}));
        request.agent_id = agent.to_owned();
        value(bench.sandbox.run(request).await);
        assert!(bench.sandbox.waiting() <= 2);
    }
}

#[tokio::test]
async fn forty_calls_at_once_all_come_back() {
    let bench = Bench::with(|options| options.allow_unconfined = !cfg!(target_os = "linux"));
    let source = "import os\ndef f(n: int):\n    print('call', n)\n    return n * n\n";
    let calls = (0..40).map(|n| {
        let mut request = python(source, json!({"n": n}));
        request.agent_id = format!("agent-{}", n % 3);
        bench.sandbox.run(request)
    });
    for (n, result) in futures::future::join_all(calls).await.into_iter().enumerate() {
        assert_eq!(result.stdout, [format!("call {n}\n")]);
        assert_eq!(value(result), json!(n * n));
    }
}

#[tokio::test]
async fn output_is_seen_while_it_comes() {
    let bench = Bench::new();
    let (watcher, mut events) = tokio::sync::mpsc::channel(16);
    let source = "import os, time\ndef f():\n    print('one')\n    while not os.path.exists('go'):\n        time.sleep(0.005)\n    print('two')\n";
    let mut request = python(source, json!({}));
    request.watcher = Some(watcher);
    let folder = bench.sandbox.work_dir("");
    let watching = async {
        let first = events.recv().await;
        fs::write(folder.join("go"), "").expect("a file");
        let mut rest = String::new();
        while let Some(loci_tools::sandbox::RunEvent::Stdout(text)) = events.recv().await {
            rest.push_str(&text);
        }
        (first, rest)
    };
    let (result, (first, rest)) = tokio::join!(bench.sandbox.run(request), watching);
    assert_eq!(first, Some(loci_tools::sandbox::RunEvent::Stdout("one\n".to_owned())));
    assert_eq!(rest, "two\n");
    assert_eq!(result.stdout, ["one\ntwo\n"]);
}
