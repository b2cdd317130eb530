//! Code that calls tools: every call leaves the process, and what comes back is a value or an exception.

use loci_tools::sandbox::{NestedCall, NestedFunction, NestedTools};
use tokio::sync::mpsc;

use super::*;

/// Runs a script whose tools are answered by `answer`; the calls it made.
async fn script(
    bench: &Bench,
    code: &str,
    answer: impl Fn(&str, &Map<String, Value>) -> Result<Value, String>,
) -> (RunResult, Vec<(String, Value)>) {
    let (calls, mut asked) = mpsc::channel(1);
    let mut request = python(code, json!({}));
    request.mode = RunMode::Script;
    let function = |name: &str, parameters: &[&str]| NestedFunction {
        name: name.to_owned(),
        parameters: parameters.iter().map(|&name| name.to_owned()).collect(),
    };
    request.tools =
        Some(NestedTools { functions: vec![function("add", &["a", "b"]), function("fail", &[])], calls });
    let mut made = Vec::new();
    let result = {
        let running = bench.sandbox.run(request);
        tokio::pin!(running);
        loop {
            tokio::select! {
                result = &mut running => break result,
                Some(NestedCall { name, arguments, answer: reply }) = asked.recv() => {
                    let said = answer(&name, &arguments);
                    made.push((name, Value::Object(arguments)));
                    reply.send(said).expect("the code waits");
                }
            }
        }
    };
    (result, made)
}

fn sum(name: &str, arguments: &Map<String, Value>) -> Result<Value, String> {
    match name {
        "add" => Ok(json!(arguments["a"].as_i64().unwrap_or(0) + arguments["b"].as_i64().unwrap_or(0))),
        _ => Err("it is broken".to_owned()),
    }
}

#[tokio::test]
async fn tools_are_functions_with_values_and_exceptions() {
    let bench = Bench::with(|options| options.allow_unconfined = !cfg!(target_os = "linux"));
    let code = "total = 0\nfor n in range(3):\n    total = add(total, b=n)\ntry:\n    fail()\nexcept ToolError as error:\n    \
                print('refused:', error)\ntry:\n    add(1, 2, 3)\nexcept TypeError as error:\n    print(error)\n\
                import concurrent.futures as c\nwith c.ThreadPoolExecutor(4) as p:\n    many = list(p.map(lambda n: add(n, n), range(8)))\n[total, many]";
    let (result, made) = script(&bench, code, sum).await;
    assert_eq!(result.stdout, ["refused: it is broken\nadd() takes 2 arguments but 3 were given\n"]);
    assert!(result.confinement.network_blocked || !cfg!(target_os = "linux"));
    assert_eq!(value(result), json!(["[3, [0, 2, 4, 6, 8, 10, 12, 14]]"]));
    assert_eq!(made.len(), 3 + 1 + 8);
    assert_eq!(made[1], ("add".to_owned(), json!({"a": 0, "b": 1})));
}

#[tokio::test]
async fn a_failure_of_a_tool_shows_the_codes_own_line_only() {
    let bench = Bench::new();
    let (result, _) = script(&bench, "x = 1\nfail()", sum).await;
    assert!(error_text(&result).contains("ToolError: it is broken"), "{result:?}");
    let trace = result.stderr.concat();
    assert!(trace.contains("line 2") && !trace.contains("<string>"), "{trace}");
}

#[tokio::test]
async fn only_what_was_offered_can_be_called() {
    let bench = Bench::new();
    let forged = "import os\nline = add.__closure__\nfd = [c.cell_contents for c in line if callable(c.cell_contents)][0]\n\
                  inner = {n: c.cell_contents for n, c in zip(fd.__code__.co_freevars, fd.__closure__)}\n\
                  os.write(inner['line'], b'{\"name\": \"other\", \"arguments\": {}}\\nnonsense\\n')\n\
                  [inner['answers'].readline(), inner['answers'].readline()]";
    let (result, made) = script(&bench, forged, sum).await;
    let text = value(result)[0].as_str().expect("a text").to_owned();
    assert!(
        text.contains("there is no tool named") && text.contains("other") && text.contains("cannot be read"),
        "{text}"
    );
    assert!(made.is_empty());
}
