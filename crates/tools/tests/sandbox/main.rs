//! Running source in the confined process: what it can do, what it returns, and what it cannot reach.

#[cfg(target_os = "linux")]
mod escapes;
#[cfg(target_os = "linux")]
mod escapes_node;
mod nested;
mod packages;
mod ready;

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
async fn other_languages_run_where_their_program_is() {
    let bench = Bench::with(|options| options.allow_unconfined = !cfg!(target_os = "linux"));
    for (language, program, code) in [
        (
            "java",
            "java",
            "public class Main { public static void main(String[] a) { System.out.println(6 * 7); } }",
        ),
        ("r", "Rscript", "cat(6 * 7, '\\n', sep = '')"),
    ] {
        let given = arguments(json!({"code": code, "language": language}));
        let result = builtin::run("run_code", &given, &[].into(), &bench.sandbox).await.expect("a built-in");
        if which::which(program).is_ok() {
            assert_eq!(result.stdout, ["42\n"], "{result:?}");
            assert_eq!(result.status, RunStatus::Success);
        } else {
            assert!(error_text(&result).contains(&format!("needs the program `{program}`")), "{result:?}");
        }
    }
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
    let bench = Bench::with(|options| options.spares = 0);
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
async fn without_python_it_says_what_to_install() {
    let bench = Bench::with(|options| options.python = Some("/nowhere/python3".into()));
    let result = bench.python("def f():\n    return 1\n", json!({})).await;
    assert!(error_text(&result).contains("/nowhere/python3"), "{result:?}");
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
