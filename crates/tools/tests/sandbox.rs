//! Running source in the confined process: what it can do, what it returns, and what it cannot reach.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use loci_api::resource::Requirement;
use loci_tools::{
    builtin,
    sandbox::{Limits, RunMode, RunRequest, RunResult, RunStatus, Sandbox, SandboxOptions},
    source::SourceType,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A sandbox of its own, gone with the test.
struct Bench {
    folder: TempDir,
    sandbox: Sandbox,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SandboxOptions)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut options = SandboxOptions {
            data_dir: folder.path().to_owned(),
            helper: PathBuf::from(env!("CARGO_BIN_EXE_loci-confine-test")),
            // The bench is not about the walls being there; each escape test asks for its own.
            allow_unconfined: true,
            ..SandboxOptions::default()
        };
        change(&mut options);
        Self { folder, sandbox: Sandbox::new(options) }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn python(&self, source: &str, arguments: Value) -> RunResult {
        self.sandbox.run(python(source, arguments)).await
    }
}

fn arguments(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn python(source: &str, given: Value) -> RunRequest {
    RunRequest::new(SourceType::Python, source, arguments(given))
}

fn typescript(source: &str, given: Value) -> RunRequest {
    RunRequest::new(SourceType::Typescript, source, arguments(given))
}

fn error_text(result: &RunResult) -> &str {
    assert_eq!(result.status, RunStatus::Error, "{result:?}");
    result.value.as_str().expect("an error is a sentence")
}

fn value(result: RunResult) -> Value {
    assert_eq!(result.status, RunStatus::Success, "{result:?}");
    result.value
}

#[tokio::test]
async fn a_function_gets_its_arguments_and_its_result_comes_back() {
    let bench = Bench::new();
    let source = r#"
import sys

def add(a: int, b: int = 2) -> int:
    """Adds."""
    print("adding", a)
    print("quietly", file=sys.stderr)
    return a + b
"#;
    let result = bench.python(source, json!({"a": 40})).await;
    assert_eq!(result.stdout, ["adding 40\n"]);
    assert_eq!(result.stderr, ["quietly\n"]);
    assert!(result.duration > Duration::ZERO);
    assert_eq!(value(result), json!(42));
}

#[tokio::test]
async fn results_become_json() {
    let bench = Bench::new();
    for (expression, expected) in [
        ("None", json!(null)),
        ("'ü'", json!("ü")),
        ("1.5", json!(1.5)),
        ("float('nan')", json!("nan")),
        ("(1, 'a')", json!([1, "a"])),
        ("{1: {2}}", json!({"1": [2]})),
        ("{'b', 'a'}", json!(["a", "b"])),
        ("b'abc'", json!("abc")),
        ("b'\\xff\\xfe'", json!("//4=")),
        ("datetime.datetime(2025, 1, 2, 3, 4)", json!("2025-01-02T03:04:00")),
        ("datetime.timedelta(minutes=1)", json!(60.0)),
        ("Colour.RED", json!("red")),
        ("Point(1, [Point(2, None)])", json!({"x": 1, "y": [{"x": 2, "y": null}]})),
        ("decimal.Decimal('1.10')", json!("1.10")),
        ("pathlib.PurePosixPath('/a')", json!("/a")),
        ("2 ** 80", json!("1208925819614629174706176")),
        ("'\\ud800'", json!("\u{fffd}")),
        ("loop", json!(["[[...]]"])),
    ] {
        let source = format!(
            "import datetime, dataclasses, decimal, enum, pathlib\n\
             class Colour(enum.Enum):\n    RED = 'red'\n\
             @dataclasses.dataclass\nclass Point:\n    x: int\n    y: object\n\
             loop = []\nloop.append(loop)\n\
             def give():\n    return {expression}\n"
        );
        assert_eq!(value(bench.python(&source, json!({})).await), expected, "{expression}");
    }
}

#[tokio::test]
async fn pydantic_models_go_in_and_out() {
    let bench = Bench::new();
    let source = r#"
try:
    from pydantic import BaseModel
except ImportError:
    class BaseModel:
        def __init__(self, **values):
            self.__dict__.update(values)
        @classmethod
        def model_validate(cls, value):
            return cls(**value)
        def model_dump(self):
            return dict(self.__dict__)

class Item(BaseModel):
    name: str
    count: int = 1

def double(item: Item, more: list[Item]) -> Item:
    assert all(isinstance(one, Item) for one in more)
    item.count = item.count * 2 + len(more)
    return item
"#;
    let given = json!({"item": {"name": "a", "count": 3}, "more": [{"name": "b", "count": 1}]});
    assert_eq!(value(bench.python(source, given).await), json!({"name": "a", "count": 7}));
}

#[tokio::test]
async fn arguments_become_what_the_annotations_say() {
    let bench = Bench::new();
    for (parameters, given, expected) in [
        ("x: int", json!({"x": "4"}), "4"),
        ("x: int", json!({"x": 4.0}), "4"),
        ("x: float", json!({"x": 4}), "4.0"),
        ("x: bool", json!({"x": "true"}), "True"),
        ("x: str", json!({"x": "4"}), "'4'"),
        ("x: int | None", json!({"x": null}), "None"),
        ("x: Optional[float]", json!({"x": 1}), "1.0"),
        ("x: Union[int, str]", json!({"x": "4"}), "'4'"),
        ("x: tuple[int, str]", json!({"x": ["1", "a"]}), "(1, 'a')"),
        ("x: set[int]", json!({"x": [1, 1]}), "{1}"),
        ("x: dict[str, int]", json!({"x": {"a": "1"}}), "{'a': 1}"),
        ("x: Colour", json!({"x": "red"}), "<Colour.RED: 'red'>"),
        ("x: Colour", json!({"x": "RED"}), "<Colour.RED: 'red'>"),
        ("x: Literal['a', 'b']", json!({"x": "b"}), "'b'"),
        ("x: datetime.date", json!({"x": "2025-01-02"}), "datetime.date(2025, 1, 2)"),
        ("x: Point", json!({"x": {"a": "1"}}), "Point(a=1)"),
        ("x: list[Point]", json!({"x": [{"a": 1}]}), "[Point(a=1)]"),
        ("x: 'int'", json!({"x": "4"}), "4"),
        ("x: int", json!({"x": "four"}), "'four'"),
        ("x: Missing", json!({"x": 1}), "1"),
        ("x", json!({"x": {"any": 1}}), "{'any': 1}"),
        ("x: int = 7", json!({}), "7"),
        ("x: int = 7", json!({"request_heartbeat": true}), "7"),
        ("**x", json!({"a": 1}), "{'a': 1}"),
    ] {
        let source = format!(
            "from __future__ import annotations\nimport datetime, enum, dataclasses\n\
             from typing import Literal, Optional, Union\n\
             class Colour(enum.Enum):\n    RED = 'red'\n\
             @dataclasses.dataclass\nclass Point:\n    a: int\n\
             def show({parameters}):\n    return repr(x)\n"
        );
        assert_eq!(value(bench.python(&source, given).await), json!(expected), "{parameters}");
    }
}

#[tokio::test]
async fn errors_name_the_function_and_the_exception_and_show_only_the_tools_own_lines() {
    let bench = Bench::new();
    let source = "def inner():\n    raise ValueError('bad')\n\ndef outer():\n    inner()\n";
    let result = bench.python(source, json!({})).await;
    assert_eq!(error_text(&result), "Error executing function outer: ValueError: bad");
    let trace = result.stderr.concat();
    assert!(trace.contains("line 2, in inner") && trace.contains("raise ValueError('bad')"), "{trace}");
    assert!(!trace.contains("<string>") && !trace.contains("runner"), "{trace}");

    for (source, given, expected) in [
        (
            "def f(a):\n    return a\n",
            json!({"b": 1}),
            "TypeError: f() got an unexpected keyword argument 'b'",
        ),
        (
            "def f(a):\n    return a\n",
            json!({}),
            "TypeError: f() missing 1 required positional argument: 'a'",
        ),
        ("def f():\n    raise SystemExit(3)\n", json!({}), "SystemExit: 3"),
        (
            "import nonesuch\ndef f():\n    pass\n",
            json!({}),
            "ModuleNotFoundError: No module named 'nonesuch'",
        ),
        (
            "def f():\n    import os\n    os._exit(5)\n",
            json!({}),
            "RuntimeError: the process ended with code 5 and without a result",
        ),
        ("def f(:\n    pass\n", json!({}), "SyntaxError: syntax error in line 1"),
        ("x = 1\n", json!({}), "NameError: the source defines no function"),
        ("def f():\n    raise ValueError('x' * 5000)\n", json!({}), "ValueError: xxxx"),
        ("def f():\n    def g(): g()\n    g()\n", json!({}), "RecursionError"),
    ] {
        let result = bench.python(source, given).await;
        let text = error_text(&result);
        assert!(text.contains(expected), "{text}");
        assert!(text.chars().count() <= 1000);
    }
}

#[tokio::test]
async fn arguments_are_data_and_never_source() {
    let bench = Bench::new();
    let source = "def f(**given):\n    return given\n";
    let given = json!({"x=__import__('os').system('id')#": 1, "a": "'''\"\"\"\\\n\u{0}{}"});
    assert_eq!(value(bench.python(source, given.clone()).await), given);
}

#[tokio::test]
async fn async_functions_are_awaited() {
    let bench = Bench::new();
    let source = "import asyncio\nasync def f(n: int):\n    await asyncio.sleep(0)\n    return n + 1\n";
    assert_eq!(value(bench.python(source, json!({"n": 1})).await), json!(2));
}

#[tokio::test]
async fn a_named_function_is_called_and_a_wrong_name_is_said() {
    let bench = Bench::new();
    let source = "def one():\n    return 1\n\ndef two():\n    return 2\n";
    let mut request = python(source, json!({}));
    request.function = Some("one".to_owned());
    assert_eq!(value(bench.sandbox.run(request).await), json!(1));
    let mut request = python(source, json!({}));
    request.function = Some("three".to_owned());
    let result = bench.sandbox.run(request).await;
    assert!(error_text(&result).contains("it defines: one, two"), "{result:?}");
}

#[tokio::test]
async fn the_agents_state_is_given_and_changed_blocks_come_back() {
    let bench = Bench::new();
    let source = r#"
def learn(agent_state, fact: str) -> str:
    before = agent_state.memory.get_block("human").value
    agent_state.memory.update_block_value(label="human", value=before + fact)
    assert agent_state["name"] == agent_state.name == "A"
    return before
"#;
    let mut request = python(source, json!({"fact": "!"}));
    request.agent_state = Some(json!({
        "name": "A",
        "blocks": [{"label": "human", "value": "Ann"}, {"label": "persona", "value": "P"}],
    }));
    let result = bench.sandbox.run(request).await;
    assert_eq!(result.changed_blocks, [("human".to_owned(), "Ann!".to_owned())].into());
    assert_eq!(value(result), json!("Ann"));
}

#[tokio::test]
async fn scripts_show_what_they_print_and_their_last_value() {
    let bench = Bench::new();
    let given = arguments(json!({"code": "x = [1, 2]\nprint('hi')\nsum(x)", "language": "python"}));
    let result = builtin::run("run_code", &given, &[].into(), &bench.sandbox).await.expect("a built-in");
    assert_eq!(value(result), json!({"results": ["3"], "logs": {"stdout": ["hi\n"], "stderr": []}}));

    let given = arguments(json!({"code": "1/0", "language": "python"}));
    let result = builtin::run("run_code", &given, &[].into(), &bench.sandbox).await.expect("a built-in");
    assert_eq!(result.status, RunStatus::Error);
    assert!(
        result.value["error"].as_str().is_some_and(|text| text.contains("ZeroDivisionError")),
        "{result:?}"
    );

    let given = arguments(json!({"code": "select 1", "language": "sql"}));
    let result = builtin::run("run_code", &given, &[].into(), &bench.sandbox).await.expect("a built-in");
    assert_eq!(result.status, RunStatus::Error);
    assert!(builtin::run("send_message", &Map::new(), &[].into(), &bench.sandbox).await.is_none());
}

#[tokio::test]
async fn typescript_runs_with_its_types_taken_away() {
    if which::which("node").is_err() {
        eprintln!("skipped: there is no Node on this machine");
        return;
    }
    let bench = Bench::new();
    let source = r#"
import { join } from "node:path";
import type { Stats } from "node:fs";
enum Level { Low = 1, High }
interface Order { item: string; count?: number }
type Named<T> = { name: T };
function helper<T>(x: T): T { return x as T; }
/** Orders. */
export async function order(order: Order, level: Level = Level.High, note?: string): Promise<Named<string>> {
  const count = order.count!;
  console.log(join("a", "b"));
  return { name: `${helper<string>(order.item)} x${count} ${level} ${note ?? "-"}` } satisfies Named<string>;
}
"#;
    let given = json!({"note": "n", "order": {"item": "tea", "count": 2}});
    let result = bench.sandbox.run(typescript(source, given)).await;
    assert_eq!(result.stdout, ["a/b\n"]);
    assert_eq!(value(result), json!({"name": "tea x2 2 n"}));

    let source = "export function f(): number {\n  throw new RangeError('far')\n}\n";
    let result = bench.sandbox.run(typescript(source, json!({}))).await;
    assert_eq!(error_text(&result), "Error executing function f: RangeError: far");
    assert!(result.stderr.concat().contains("tool.ts:2"), "{result:?}");

    let result = bench.sandbox.run(typescript("export const f = (a: number) => a", json!({"b": 1}))).await;
    assert!(error_text(&result).contains("no parameter named 'b'"), "{result:?}");

    let mut script = typescript("const a: number[] = [1, 2]\nconsole.log('x')\na.map(n => n * 2)", json!({}));
    script.mode = RunMode::Script;
    assert_eq!(value(bench.sandbox.run(script).await), json!(["[ 2, 4 ]"]));
}

#[tokio::test]
async fn only_the_variables_given_are_seen() {
    let bench = Bench::new();
    let source = "import os\ndef f():\n    return dict(os.environ)\n";
    let mut request = python(source, json!({}));
    request.env = [("MY_KEY".to_owned(), "v=1\nü".to_owned())].into();
    request.agent_id = "agent-1".to_owned();
    request.tool_id = "tool-1".to_owned();
    let seen = value(bench.sandbox.run(request).await);
    let mut names: Vec<&str> = seen.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "LETTA_AGENT_ID", "LETTA_TOOL_ID", "MY_KEY", "PATH", "TMPDIR"]);
    assert_eq!(seen["MY_KEY"], "v=1\nü");
    assert_eq!(seen["LETTA_AGENT_ID"], "agent-1");

    let mut request = python(source, json!({}));
    request.env = [("A=B".to_owned(), String::new())].into();
    assert!(error_text(&bench.sandbox.run(request).await).contains("A=B"));
}

#[tokio::test]
async fn files_stay_in_the_agents_folder_and_the_home_goes() {
    let bench = Bench::new();
    let source = "import os, tempfile\ndef f(read: bool):\n    if read:\n        return open('note').read()\n    \
                  open('note', 'w').write('kept')\n    open(os.path.expanduser('~/gone'), 'w').write('x')\n    \
                  tempfile.mkstemp()\n";
    for (agent, read) in [("agent-1", false), ("agent-1", true)] {
        let mut request = python(source, json!({"read": read}));
        request.agent_id = agent.to_owned();
        let result = bench.sandbox.run(request).await;
        assert_eq!(value(result), if read { json!("kept") } else { json!(null) });
    }
    let mut other = python(source, json!({"read": true}));
    other.agent_id = "../agent-1/../x".to_owned();
    assert!(error_text(&bench.sandbox.run(other).await).contains("FileNotFoundError"));
    let runs: Vec<_> = fs::read_dir(bench.path().join("sandbox/runs")).expect("a folder").collect();
    assert!(runs.is_empty(), "{runs:?}");
}

#[tokio::test]
async fn much_output_is_cut_and_endless_output_is_stopped() {
    let bench = Bench::with(|options| options.limits.output_bytes = 1000);
    let result = bench.python("def f():\n    print('x' * 100_000)\n    return 1\n", json!({})).await;
    assert!(result.stdout[0].ends_with("[output cut: 1000 of 100001 bytes kept]"), "{}", result.stdout[0]);
    assert_eq!(value(result), json!(1));

    let mut request = python("def f():\n    while True:\n        print('x' * 1000)\n", json!({}));
    request.timeout = Some(Duration::from_secs(1));
    let started = Instant::now();
    let result = bench.sandbox.run(request).await;
    assert!(error_text(&result).contains("TimeoutError: it ran longer than 1 s"), "{result:?}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_result_too_large_is_said() {
    let bench = Bench::with(|options| options.limits.result_bytes = 1000);
    let result = bench.python("def f():\n    return 'x' * 5000\n", json!({})).await;
    assert!(error_text(&result).contains("the result is too large"), "{result:?}");
}

#[tokio::test]
async fn packages_are_installed_once_and_a_failure_names_them() {
    // A package of our own in a folder takes the place of the index.
    let index = tempfile::tempdir().expect("a folder");
    let make = "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n    \
                z.writestr('locithing/__init__.py', 'VALUE = 7\\n')\n    \
                z.writestr('locithing-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: locithing\\nVersion: 1.0\\n')\n    \
                z.writestr('locithing-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    \
                z.writestr('locithing-1.0.dist-info/RECORD', '')\n";
    let wheel = index.path().join("locithing-1.0-py3-none-any.whl");
    let made = Command::new("python3").args(["-c", make]).arg(&wheel).status().expect("Python");
    assert!(made.success());
    let bench = Bench::with(|options| {
        options.allow_unconfined = !cfg!(target_os = "linux");
        let index = index.path().display().to_string();
        for (name, value) in [
            ("PIP_NO_INDEX", "1"),
            ("PIP_FIND_LINKS", &index),
            ("UV_NO_INDEX", "1"),
            ("UV_FIND_LINKS", &index),
        ] {
            options.installer_env.insert(name.to_owned(), value.to_owned());
        }
    });
    let request = |name: &str| {
        let mut request =
            python("import locithing, sys\ndef f():\n    return [locithing.VALUE, sys.prefix]\n", json!({}));
        request.pip_requirements =
            vec![Requirement { name: name.to_owned(), version: Some("1.0".to_owned()) }];
        request
    };
    // At once and again: one installation.
    let (one, two) =
        tokio::join!(bench.sandbox.run(request("locithing")), bench.sandbox.run(request("locithing")));
    let (one, two) = (value(one), value(two));
    assert_eq!(one[0], 7);
    assert_eq!(one, two);
    fs::remove_file(&wheel).expect("the wheel");
    assert_eq!(value(bench.sandbox.run(request("locithing")).await), one);

    let result = bench.sandbox.run(request("loci-nonesuch")).await;
    let text = error_text(&result);
    assert!(text.contains("EnvironmentError: installing loci-nonesuch==1.0 failed: "), "{text}");
    let result = bench.sandbox.run(request("--index-url")).await;
    assert!(error_text(&result).contains("is not a package name"), "{result:?}");
}

#[tokio::test]
async fn without_python_it_says_what_to_install() {
    let bench = Bench::with(|options| options.python = Some("/nowhere/python3".into()));
    let result = bench.python("def f():\n    return 1\n", json!({})).await;
    assert!(error_text(&result).contains("/nowhere/python3"), "{result:?}");
}

#[tokio::test]
#[ignore = "measures; run by hand"]
async fn how_long_a_warm_call_takes() {
    let bench = Bench::new();
    let source = "def f():\n    return 1\n";
    let _warm = bench.python(source, json!({})).await;
    let mut calls: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        calls.push(bench.python(source, json!({})).await.duration);
    }
    calls.sort_unstable();
    let mut bare: Vec<Duration> = Vec::new();
    for _ in 0..20 {
        let real = "import sys; print(sys.executable)";
        let python = Command::new("python3").args(["-c", real]).output().expect("Python");
        let python = String::from_utf8(python.stdout).expect("a path");
        let between = Instant::now();
        Command::new(python.trim()).args(["-I", "-B", "-X", "utf8", "-c", "1"]).output().expect("Python");
        bare.push(between.elapsed());
    }
    bare.sort_unstable();
    eprintln!("a call {:?}, bare Python {:?}", calls[10], bare[10]);
}

#[tokio::test]
async fn dropping_the_call_ends_the_process() {
    let bench = Bench::new();
    let source =
        "import os, time\ndef f():\n    open('pid', 'w').write(str(os.getpid()))\n    time.sleep(100)\n";
    let pid_file = bench.sandbox.work_dir("").join("pid");
    let run = bench.sandbox.run(python(source, json!({})));
    let pid = tokio::select! {
        result = run => panic!("it should go on: {result:?}"),
        pid = written(&pid_file) => pid,
    };
    gone(&pid).await;
}

/// What a file says once it says something.
async fn written(path: &Path) -> String {
    loop {
        match fs::read_to_string(path) {
            Ok(text) if !text.is_empty() => return text,
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

/// Waits until no process of that id is alive.
async fn gone(pid: &str) {
    for _ in 0..1000 {
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let alive = !state.is_empty() && !state.contains(") Z ");
        if !alive {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("process {pid} is still alive");
}

/// The walls. They are proved where they exist; elsewhere these tests would prove nothing.
#[cfg(target_os = "linux")]
mod escapes {
    use super::*;

    fn strict() -> Bench {
        Bench::with(|options| options.allow_unconfined = false)
    }

    /// What an attempt ended with; the code runs `attempt` and reports the exception.
    async fn attempt(bench: &Bench, code: &str) -> String {
        let body: String = code.lines().map(|line| format!("        {line}\n")).collect();
        let source = format!(
            "import ctypes, os, pathlib, signal, socket, subprocess, sys\ndef f():\n    try:\n{body}        return 'done'\n    \
             except BaseException as error:\n        return type(error).__name__ + ': ' + str(error)\n"
        );
        value(bench.python(&source, json!({})).await).as_str().expect("a text").to_owned()
    }

    #[tokio::test]
    async fn everything_that_should_be_in_force_is_reported() {
        let bench = strict();
        let result = bench.python("def f():\n    return 1\n", json!({})).await;
        let confinement = result.confinement.clone();
        assert_eq!(value(result), json!(1));
        assert!(confinement.landlock.is_some_and(|abi| abi >= 1), "{confinement:?}");
        assert!(confinement.seccomp && confinement.network_blocked, "{confinement:?}");
        assert!(!confinement.root && !confinement.network_granted, "{confinement:?}");
        assert_eq!(confinement.processes, Some(Limits::default().processes), "{confinement:?}");
        assert_eq!(confinement.memory_bytes, Some(Limits::default().memory_bytes));
    }

    #[tokio::test]
    async fn files_elsewhere_cannot_be_read_or_written() {
        let bench = strict();
        let secret = tempfile::tempdir().expect("a folder");
        let file = secret.path().join("id_ed25519");
        fs::write(&file, "secret").expect("a file");
        let file = file.display();
        let data = bench.path().display();
        for code in [
            format!("open('{file}').read()"),
            format!("open('{file}', 'w')"),
            format!("os.listdir('{}')", secret.path().display()),
            format!("os.remove('{file}')"),
            format!("os.rename('{file}', 'mine')"),
            format!("os.link('{file}', 'mine')"),
            format!("os.symlink('{file}', 'link')\nopen('link').read()"),
            format!("os.truncate('{file}', 0)"),
            format!("os.mkdir('{}/new')", secret.path().display()),
            format!("open('{data}/loci.db', 'w')"),
            format!("os.listdir('{data}')"),
            "os.listdir('/root')".to_owned(),
            "open('/etc/shadow').read()".to_owned(),
            "open('/tmp/loci-escape', 'w')".to_owned(),
            "open('/dev/shm/loci-escape', 'w')".to_owned(),
            "open('/proc/1/environ').read()".to_owned(),
            "open(f'/proc/{os.getppid()}/environ').read()".to_owned(),
            "os.listdir('/proc')".to_owned(),
            "os.chroot('.')".to_owned(),
            "subprocess.run(['cat', '/etc/shadow'], check=True)".to_owned(),
            "os.mknod('disk', 0o60600, os.makedev(8, 0))".to_owned(),
        ] {
            let outcome = attempt(&bench, &code).await;
            // Linking across the wall looks to the kernel like linking to another disk.
            let refused = ["PermissionError", "CalledProcessError", "OSError: [Errno 18]"];
            assert!(refused.iter().any(|name| outcome.starts_with(name)), "{code}: {outcome}");
        }
        assert_eq!(fs::read_to_string(secret.path().join("id_ed25519")).expect("still there"), "secret");
    }

    #[tokio::test]
    async fn modes_and_owners_of_other_files_stay_as_they_are() {
        use std::os::unix::fs::PermissionsExt;
        let bench = strict();
        let other = tempfile::NamedTempFile::new().expect("a file");
        let mode = || fs::metadata(other.path()).expect("a file").permissions().mode();
        let before = mode();
        let path = other.path().display().to_string();
        attempt(&bench, &format!("os.chmod('{path}', 0o777)")).await;
        attempt(&bench, &format!("os.chown('{path}', 12345, 12345)")).await;
        attempt(&bench, &format!("os.setxattr('{path}', 'user.x', b'1')")).await;
        assert_eq!(mode(), before);
    }

    #[tokio::test]
    async fn the_network_is_out_of_reach_unless_granted() {
        let bench = strict();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let connect = format!("socket.create_connection(('127.0.0.1', {port}), 5).close()");
        for code in [
            connect.as_str(),
            "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
            "socket.socket(socket.AF_UNIX)",
            "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
            "socket.getaddrinfo('example.com', 80)",
        ] {
            let outcome = attempt(&bench, code).await;
            assert!(
                outcome.starts_with("PermissionError") || outcome.starts_with("gaierror"),
                "{code}: {outcome}"
            );
        }

        let source = format!("import socket\ndef f():\n    {connect}\n    socket.socket(socket.AF_UNIX)\n");
        let mut request = python(&source, json!({}));
        request.network = true;
        let result = bench.sandbox.run(request).await;
        assert!(result.confinement.network_granted && !result.confinement.network_blocked);
        // It connected, and was stopped at the Unix socket.
        assert!(error_text(&result).contains("PermissionError"), "{result:?}");
        assert!(result.stderr.concat().contains("AF_UNIX"), "{result:?}");
        listener.set_nonblocking(true).expect("a listener");
        assert!(listener.accept().is_ok());
    }

    #[tokio::test]
    async fn other_processes_cannot_be_touched() {
        let bench = strict();
        let mut bystander = Command::new("sleep").arg("60").spawn().expect("a process");
        let pid = bystander.id();
        let us = std::process::id();
        for code in [
            format!("os.kill({pid}, signal.SIGKILL)"),
            format!("os.kill({us}, signal.SIGKILL)"),
            "os.kill(os.getppid(), signal.SIGKILL)".to_owned(),
            format!("os.pidfd_open({pid})\nsignal.pidfd_send_signal(os.pidfd_open({pid}), signal.SIGKILL)"),
            "libc = ctypes.CDLL(None, use_errno=True)\nif libc.ptrace(16, os.getppid(), 0, 0) < 0: raise OSError(ctypes.get_errno(), 'ptrace')"
                .to_owned(),
            "os.setsid()".to_owned(),
            "os.setpgid(0, 0)".to_owned(),
            "libc = ctypes.CDLL(None, use_errno=True)\nif libc.unshare(0x10000000) < 0: raise OSError(ctypes.get_errno(), 'unshare')"
                .to_owned(),
            "import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))".to_owned(),
        ] {
            let outcome = attempt(&bench, &code).await;
            assert!(outcome.starts_with("PermissionError"), "{code}: {outcome}");
        }
        // To all at once the kernel says yes, and means those within the walls.
        attempt(&bench, "os.kill(-1, signal.SIGKILL)").await;
        assert!(bystander.try_wait().expect("its state").is_none());
        bystander.kill().expect("it is ours");
        bystander.wait().expect("its end");
    }

    #[tokio::test]
    async fn a_fork_bomb_is_contained_and_gone_at_the_end() {
        let bench = Bench::with(|options| options.limits.processes = 40);
        let source = r#"
import os, time
def f():
    made = 0
    for _ in range(500):
        try:
            pid = os.fork()
        except OSError as error:
            return {"made": made, "error": error.errno}
        if pid == 0:
            open("pids", "a").write(f"{os.getpid()}\n")
            time.sleep(100)
            os._exit(0)
        made += 1
    return {"made": made}
"#;
        let result = value(bench.python(source, json!({})).await);
        assert_eq!(result["error"], json!(11), "{result}");
        assert!(result["made"].as_i64().is_some_and(|made| made < 40), "{result}");
        let pids = fs::read_to_string(bench.sandbox.work_dir("").join("pids")).unwrap_or_default();
        for pid in pids.lines() {
            gone(pid).await;
        }
    }

    #[tokio::test]
    async fn the_time_limit_ends_grandchildren_too() {
        let bench = strict();
        let source = "import subprocess, time\ndef f():\n    child = subprocess.Popen(['sleep', '100'])\n    \
                      open('pid', 'w').write(str(child.pid))\n    time.sleep(100)\n";
        let mut request = python(source, json!({}));
        request.timeout = Some(Duration::from_millis(1500));
        let result = bench.sandbox.run(request).await;
        assert!(error_text(&result).contains("TimeoutError"), "{result:?}");
        let pid = fs::read_to_string(bench.sandbox.work_dir("").join("pid")).expect("it started a child");
        gone(&pid).await;
    }

    #[tokio::test]
    async fn what_is_left_in_the_background_ends_with_the_call() {
        let bench = strict();
        let source = "import subprocess\ndef f():\n    return subprocess.Popen(['sleep', '100']).pid\n";
        let started = Instant::now();
        let pid = value(bench.python(source, json!({})).await);
        assert!(started.elapsed() < Duration::from_secs(30));
        gone(&pid.to_string()).await;
    }

    #[tokio::test]
    async fn memory_files_and_the_disk_have_limits() {
        let bench = Bench::with(|options| {
            options.limits.memory_bytes = 512 << 20;
            options.limits.file_bytes = 1 << 20;
            options.limits.disk_bytes = 8 << 20;
        });
        assert!(attempt(&bench, "bytearray(1 << 30)").await.starts_with("MemoryError"));
        let outcome = attempt(&bench, "open('big', 'wb').write(b'x' * (2 << 20))").await;
        assert!(outcome.starts_with("OSError: [Errno 27]"), "{outcome}");
        let source = "import time\ndef f():\n    for n in range(100):\n        open(f'{n}', 'wb').write(b'x' * (1 << 19))\n        \
                      time.sleep(0.05)\n";
        let result = bench.python(source, json!({})).await;
        assert!(error_text(&result).contains("wrote more to the disk"), "{result:?}");
    }

    #[tokio::test]
    async fn variables_that_steer_the_loader_act_only_inside() {
        let bench = strict();
        let mut request = python("def f():\n    return 1\n", json!({}));
        request.env = [
            ("LD_PRELOAD".to_owned(), "/nonexistent.so".to_owned()),
            ("PYTHONHOME".to_owned(), "/x".to_owned()),
        ]
        .into();
        let result = bench.sandbox.run(request).await;
        // The loader complained in the confined process, after the walls stood.
        assert!(result.confinement.seccomp, "{result:?}");
        assert_eq!(value(result), json!(1));
    }

    #[tokio::test]
    async fn ordinary_work_goes_on_inside() {
        let bench = strict();
        for code in [
            "import tempfile, shutil\nd = tempfile.mkdtemp()\nopen(d + '/a', 'w').write('x')\nshutil.copytree(d, 'copy', dirs_exist_ok=True)\nshutil.rmtree(d)",
            "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table if not exists t (a)')\nc.commit()",
            "import threading\nt = threading.Thread(target=lambda: None)\nt.start()\nt.join()",
            "import concurrent.futures\nconcurrent.futures.ThreadPoolExecutor(4).submit(int).result()",
            "assert subprocess.run(['sh', '-c', 'echo hi | cat'], capture_output=True).stdout == b'hi\\n'",
            "import asyncio\nasyncio.run(asyncio.sleep(0))",
            "child = subprocess.Popen(['sleep', '9'])\nchild.kill()\nassert child.wait() == -9",
            "import zoneinfo, ssl, random\nssl.create_default_context()\nrandom.SystemRandom().random()",
            "os.replace(pathlib.Path('m').write_text('x') and 'm', 'n')",
            "open('/dev/null', 'w').write('x')",
            "import multiprocessing as m\np = m.get_context('fork').Process(target=int)\np.start()\np.join()\nassert p.exitcode == 0",
        ] {
            assert_eq!(attempt(&bench, code).await, "done", "{code}");
        }
    }
}
