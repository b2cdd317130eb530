//! Running code a model wrote, confined like any tool, without the agent's secrets and without a network.

use std::{collections::BTreeMap, path::Path};

use loci_api::resource::ToolType;
use serde_json::{Map, Value, json};

use super::Spec;
use crate::{
    sandbox::{RunMode, RunRequest, RunResult, RunStatus, Sandbox},
    source::SourceType,
};

pub(super) fn spec() -> Spec {
    Spec {
        name: "run_code",
        tool_type: ToolType::LettaBuiltin,
        parallel: true,
        description: "Run a piece of code by itself and see what it prints and what its last expression gives. It \
                      has no network; files it leaves in its current folder are there again in the next run.",
        required: &["code", "language"],
        properties: json!({
            "code": {"type": "string", "description": "The whole program. Print what you want to see."},
            "language": {
                "type": "string",
                "enum": ["python", "js", "ts", "r", "java"],
                "description": "The language the code is written in.",
            },
        }),
    }
}

pub(super) fn with_tools_spec() -> Spec {
    Spec {
        name: "run_code_with_tools",
        tool_type: ToolType::LettaBuiltin,
        parallel: false,
        description: "Run Python code in which your other tools can be called as functions, each with its own \
                      arguments by name. Good for calling tools many times or working on their results.",
        required: &["code"],
        properties: json!({
            "code": {
                "type": "string",
                "description": "The Python program. Its last expression is the result.",
            },
        }),
    }
}

pub(super) async fn run(
    arguments: &Map<String, Value>,
    env: &BTreeMap<String, String>,
    sandbox: &Sandbox,
) -> RunResult {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str);
    let Some(code) = text("code") else {
        return RunResult::error(
            "Error executing function run_code: TypeError: 'code' must be given as a string",
        );
    };
    let source_type = match text("language").unwrap_or("python").trim().to_ascii_lowercase().as_str() {
        "python" | "py" | "python3" => SourceType::Python,
        "js" | "javascript" | "ts" | "typescript" => SourceType::Typescript,
        "r" => return other(&R, code, env, sandbox).await,
        "java" => return other(&JAVA, code, env, sandbox).await,
        unknown => {
            return RunResult::error(format!(
                "Error executing function run_code: ValueError: unknown language '{}'; use python, js, ts, r or java",
                unknown.chars().take(40).collect::<String>()
            ));
        }
    };
    let mut request = RunRequest::new(source_type, code, Map::new());
    request.mode = RunMode::Script;
    request.function = Some("run_code".to_owned());
    request.agent_id = env.get("LETTA_AGENT_ID").cloned().unwrap_or_default();
    shaped(sandbox.run(request).await)
}

/// A language whose program is run on a file, if it is there.
struct Other {
    name: &'static str,
    program: &'static str,
    /// The file the code is put into.
    file: &'static str,
    arguments: &'static [&'static str],
    /// How the names of its folders in `/etc` begin, where a system keeps its settings there.
    settings: &'static str,
}

const R: Other =
    Other { name: "R", program: "Rscript", file: "code.R", arguments: &["--vanilla"], settings: "R" };
/// One class in one file; a virtual machine wants its memory limited in its own way.
const JAVA: Other = Other {
    name: "Java",
    program: "java",
    file: "Main.java",
    arguments: &["-Xmx1g", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1"],
    settings: "java-",
};
/// Address space for programs that reserve far more than they use, bytes.
const ROOMY: u64 = 64 << 30;

/// Runs it within the same walls: Python there starts the program and waits for it.
async fn other(language: &Other, code: &str, env: &BTreeMap<String, String>, sandbox: &Sandbox) -> RunResult {
    let found = which::which(language.program).ok().and_then(|path| path.canonicalize().ok());
    let Some(program) = found else {
        return RunResult::error(format!(
            "Error executing function run_code: {} needs the program `{}`, which is not on this machine; use python, \
             js or ts, or install it",
            language.name, language.program
        ));
    };
    shaped(sandbox.run(on_file(language, &program, code, env)).await)
}

fn on_file(language: &Other, program: &Path, code: &str, env: &BTreeMap<String, String>) -> RunRequest {
    const START: &str = include_str!("run_file.py");
    let start = json!({
        "name": language.name,
        "program": program,
        "file": language.file,
        "arguments": language.arguments,
        "code": code,
    });
    // A JSON text within a JSON string is a Python literal that gives the text back.
    let source = format!("import json\nSTART = json.loads({})\n{START}", json!(start.to_string()));
    let mut request = RunRequest::new(SourceType::Python, source, Map::new());
    request.mode = RunMode::Script;
    request.function = Some("run_code".to_owned());
    request.agent_id = env.get("LETTA_AGENT_ID").cloned().unwrap_or_default();
    request.memory_bytes = Some(ROOMY);
    // `…/bin/java` keeps its libraries beside `bin`.
    request.read = program.parent().and_then(Path::parent).map(Path::to_owned).into_iter().collect();
    request.read.retain(|folder| folder.parent().is_some());
    let settings = std::fs::read_dir("/etc").into_iter().flatten().flatten().filter(|entry| {
        entry.file_name().to_str().is_some_and(|name| name.starts_with(language.settings))
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
    });
    request.read.extend(settings.map(|entry| entry.path()));
    request
}

/// The result in the shape of this tool: `{results, logs: {stdout, stderr}, error?}`.
fn shaped(result: RunResult) -> RunResult {
    let logs = json!({"stdout": result.stdout, "stderr": result.stderr});
    let value = match result.status {
        RunStatus::Success => json!({"results": result.value, "logs": logs}),
        RunStatus::Error => json!({"results": [], "logs": logs, "error": result.value}),
    };
    RunResult { value, ..result }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_languages_code_reaches_its_program_as_it_is() {
        let code = "say(\"\\n\u{e9}\u{1f600}'\")\n";
        let request = on_file(&R, Path::new("/opt/r/bin/Rscript"), code, &BTreeMap::new());
        assert_eq!(request.read[0], Path::new("/opt/r"));
        let line = request.source.lines().nth(1).expect("the second line");
        let literal = line.trim_start_matches("START = json.loads(").trim_end_matches(')');
        let inner: String = serde_json::from_str(literal).expect("a literal");
        let start: Value = serde_json::from_str(&inner).expect("what is started");
        assert_eq!(start["code"], code);
    }

    #[tokio::test]
    async fn a_language_that_is_not_there_is_said() {
        let nowhere =
            Other { name: "Nowhere", program: "loci-nowhere", file: "x", arguments: &[], settings: "-" };
        let sandbox = Sandbox::new(crate::sandbox::SandboxOptions::default());
        let result = other(&nowhere, "1", &BTreeMap::new(), &sandbox).await;
        assert_eq!(result.status, RunStatus::Error);
        assert!(result.value.as_str().is_some_and(|text| text.contains("`loci-nowhere`")), "{result:?}");
    }
}
