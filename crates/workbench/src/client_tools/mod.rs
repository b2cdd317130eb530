//! Tools that run on this person's machine, only after they allowed the call; where each agent may use them, and
//! which of them it is offered.
//!
//! One file per tool: what the model is told, what the person is shown, what happens. `kit.rs` puts together what
//! one agent has.

mod ask_user;
mod clipboard;
pub(crate) mod diff;
mod edit_file;
mod folder;
mod kit;
mod list_directory;
mod open_url;
mod own;
pub(crate) mod place;
mod read_file;
mod routes;
mod run_command;
pub(crate) mod running;
mod search_files;
mod system;
mod write_file;

use std::sync::Arc;

use futures::future::BoxFuture;
use loci_api::{chat::ToolSpec, said::Said};
use loci_server::confined::{RunEvent, RunRequest, RunResult};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

pub(crate) use self::{
    folder::Folder,
    kit::{Kit, Tool, written},
    place::Place,
    routes::routes,
    running::RunningCalls,
    system::System,
};
use crate::{Desk, rules::SubjectKind, sentences::Approval};

/// A tool that comes with Loci.
pub(crate) struct ClientTool {
    pub name: &'static str,
    pub spec: fn() -> ToolSpec,
    /// The argument that says what a call is about, for rules.
    pub subject: Option<(&'static str, SubjectKind)>,
    pub nature: Nature,
    /// Where a call would reach, without doing anything; `Err`: why it would fail. Blocking.
    pub preview: fn(&Place, &Map<String, Value>) -> Result<Preview, String>,
    pub work: Work,
}

/// What is true of every call of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nature {
    /// It changes nothing.
    pub read_only: bool,
    /// It runs programs, or reaches beyond the opened folder: the window asks in a way one cannot overlook.
    pub dangerous: bool,
    pub needs_folder: bool,
    /// Whether an agent is offered it unless the person chose otherwise.
    pub by_itself: bool,
}

/// How a call is carried out. `Err` of a result is a failed call, told to the model.
pub(crate) enum Work {
    /// Blocking.
    Blocking(fn(&Place, &Map<String, Value>) -> Result<String, String>),
    /// Ends early by being dropped.
    Running(fn(Task) -> BoxFuture<'static, Done>),
    /// The person's answer is the result; `Err` says what is wrong with the answer.
    Person(fn(&Map<String, Value>, &str) -> Result<String, String>),
}

/// One call to carry out.
#[derive(Clone)]
pub(crate) struct Task {
    pub desk: Desk,
    pub place: Place,
    pub arguments: Map<String, Value>,
    pub agent_id: String,
    pub confine_commands: bool,
    pub call: Arc<running::RunningCall>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Done {
    pub result: Result<String, String>,
    /// What kept it within bounds.
    pub confinement: Option<String>,
}

impl From<Result<String, String>> for Done {
    fn from(result: Result<String, String>) -> Self {
        Self { result, confinement: None }
    }
}

/// What the person is shown of a call.
#[derive(Debug)]
pub(crate) struct Preview {
    pub line: Said,
    pub detail: Option<Detail>,
}

impl Preview {
    fn line(line: Approval) -> Self {
        Self { line: line.into(), detail: None }
    }
}

/// The same for the dialog, complete.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Detail {
    /// A unified difference.
    Diff {
        path: String,
        diff: String,
        added: usize,
        removed: usize,
        new_file: bool,
    },
    Command {
        command: String,
        folder: String,
        confinement: Option<Said>,
    },
    Url {
        url: String,
        host: String,
    },
    Question {
        question: String,
        choices: Vec<String>,
    },
    Text {
        text: String,
    },
}

const TOOLS: [&ClientTool; 10] = [
    &list_directory::TOOL,
    &read_file::TOOL,
    &search_files::TOOL,
    &write_file::TOOL,
    &edit_file::TOOL,
    &run_command::TOOL,
    &open_url::TOOL,
    &clipboard::READ_TOOL,
    &clipboard::WRITE_TOOL,
    &ask_user::TOOL,
];

/// Takes a call's arguments apart.
fn parse<T: DeserializeOwned>(name: &str, arguments: &Map<String, Value>) -> Result<T, String> {
    // A model that leaves an argument out often says null.
    let given: Map<String, Value> =
        arguments.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
    serde_json::from_value(Value::Object(given))
        .map_err(|error| format!("The arguments of {name} are not right: {error}."))
}

/// Runs source confined, telling whoever looks what it says.
async fn run_watched(task: &Task, request: RunRequest) -> RunResult {
    let (sender, mut receiver) = mpsc::channel(64);
    let running = task.desk.app().sandbox().run(RunRequest { watcher: Some(sender), ..request });
    let telling = async {
        while let Some(event) = receiver.recv().await {
            match event {
                RunEvent::Stdout(text) | RunEvent::Stderr(text) => task.call.say(&text),
                RunEvent::Installing { packages } => task.call.say(&format!("[installing {packages}]\n")),
                RunEvent::InstallLine(line) => task.call.say(&format!("{}\n", line.trim_end())),
                RunEvent::Installed => task.call.say("[installed]\n"),
            }
        }
    };
    tokio::join!(running, telling).0
}

/// A built-in tool by name.
#[cfg(test)]
pub(crate) fn tool_for_tests(name: &str) -> Tool {
    let found = TOOLS.into_iter().find(|tool| tool.name == name);
    Tool::BuiltIn(found.unwrap_or_else(|| panic!("no tool {name}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn every_tool_is_well_described() {
        for tool in TOOLS {
            let spec = (tool.spec)();
            assert_eq!(spec.name, tool.name);
            assert!(spec.description.len() > 40, "{}", tool.name);
            assert_eq!(spec.parameters["type"], "object", "{}", tool.name);
            if let Some((argument, _)) = tool.subject {
                assert!(spec.parameters["properties"].get(argument).is_some(), "{}", tool.name);
            }
            // Every call may be refused, none may panic.
            for odd in [Map::new(), Map::from_iter([("x".to_owned(), Value::Null)])] {
                let _either = (tool.preview)(&Place::default(), &odd);
            }
        }
        let names: std::collections::HashSet<_> = TOOLS.iter().map(|tool| tool.name).collect();
        assert_eq!(names.len(), TOOLS.len());
    }
}
