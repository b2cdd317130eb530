//! Running code a model wrote, confined like any tool, without the agent's secrets and without a network.

use std::collections::BTreeMap;

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
        language @ ("r" | "java") => {
            return RunResult::error(format!(
                "Error executing function run_code: this server does not run {language} yet; use python, js or ts"
            ));
        }
        other => {
            return RunResult::error(format!(
                "Error executing function run_code: ValueError: unknown language '{}'; use python, js, ts, r or java",
                other.chars().take(40).collect::<String>()
            ));
        }
    };
    let mut request = RunRequest::new(source_type, code, Map::new());
    request.mode = RunMode::Script;
    request.function = Some("run_code".to_owned());
    request.agent_id = env.get("LETTA_AGENT_ID").cloned().unwrap_or_default();
    shaped(sandbox.run(request).await)
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
