//! What one agent has on this machine: its folders, the tools that exist, and which of them it is offered.

use std::{collections::HashMap, sync::Arc, time::Duration};

use loci_api::{
    chat::ToolSpec,
    ids::{AgentId, ConversationId},
    resource::Requirement,
};
use loci_store::{
    Connection, StoreError,
    table::{
        client_tool::{self, OwnTool},
        client_tool_choice, work_folder,
    },
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ClientTool, Done, Place, Preview, TOOLS, Task, Work};
use crate::rules::{Subject, SubjectKind};

/// Folders and tools of one agent.
#[derive(Clone)]
pub(crate) struct Kit {
    pub place: Place,
    own: Vec<Arc<OwnTool>>,
    choices: HashMap<String, bool>,
}

/// A client tool, built in or a person's own.
#[derive(Clone)]
pub(crate) enum Tool {
    BuiltIn(&'static ClientTool),
    Own(Arc<OwnTool>),
}

/// Packages as people write them.
pub(crate) fn written<'a>(packages: impl Iterator<Item = &'a Requirement>) -> Vec<String> {
    let package = |one: &Requirement| match &one.version {
        Some(version) => format!("{} {version}", one.name),
        None => one.name.clone(),
    };
    packages.map(package).collect()
}

impl Kit {
    /// As it is now.
    pub(crate) fn load(
        conn: &Connection,
        connection: &str,
        agent_id: &AgentId,
        conversation_id: Option<&ConversationId>,
    ) -> Result<Self, StoreError> {
        let mut folders = match conversation_id {
            Some(id) => work_folder::list(conn, connection, agent_id, Some(id))?,
            None => Vec::new(),
        };
        if folders.is_empty() {
            folders = work_folder::list(conn, connection, agent_id, None)?;
        }
        Ok(Self {
            place: Place::new(folders),
            own: client_tool::list(conn)?.into_iter().map(Arc::new).collect(),
            choices: client_tool_choice::list(conn, connection, agent_id)?,
        })
    }

    /// Every tool there is, offered or not.
    pub(crate) fn tools(&self) -> impl Iterator<Item = Tool> {
        TOOLS.into_iter().map(Tool::BuiltIn).chain(self.own.iter().cloned().map(Tool::Own))
    }

    pub(crate) fn find(&self, name: &str) -> Option<Tool> {
        self.tools().find(|tool| tool.name() == name)
    }

    /// Whether the agent is offered it with its next message.
    pub(crate) fn offers(&self, tool: &Tool) -> bool {
        self.chosen(tool) && !(tool.needs_folder() && self.place.is_empty())
    }

    /// Whether the person wants the agent to have it.
    pub(crate) fn chosen(&self, tool: &Tool) -> bool {
        self.choices.get(tool.name()).copied().unwrap_or_else(|| tool.by_itself())
    }

    /// What goes out with a message.
    pub(crate) fn specs(&self) -> Vec<ToolSpec> {
        self.tools().filter(|tool| self.offers(tool)).map(|tool| tool.spec()).collect()
    }
}

impl Tool {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BuiltIn(tool) => tool.name,
            Self::Own(tool) => &tool.name,
        }
    }

    pub(crate) fn spec(&self) -> ToolSpec {
        match self {
            Self::BuiltIn(tool) => (tool.spec)(),
            Self::Own(tool) => ToolSpec {
                name: tool.name.clone(),
                description: tool.json_schema["description"].as_str().unwrap_or_default().to_owned(),
                parameters: tool.json_schema["parameters"].clone(),
            },
        }
    }

    pub(crate) fn read_only(&self) -> bool {
        match self {
            Self::BuiltIn(tool) => tool.nature.read_only,
            Self::Own(tool) => tool.read_only,
        }
    }

    pub(crate) fn dangerous(&self) -> bool {
        match self {
            Self::BuiltIn(tool) => tool.nature.dangerous,
            Self::Own(tool) => tool.network,
        }
    }

    pub(crate) fn needs_folder(&self) -> bool {
        match self {
            Self::BuiltIn(tool) => tool.nature.needs_folder,
            Self::Own(_) => false,
        }
    }

    pub(crate) fn by_itself(&self) -> bool {
        match self {
            Self::BuiltIn(tool) => tool.nature.by_itself,
            Self::Own(_) => false,
        }
    }

    /// What a tool is beyond its name: for people's own, everything that decides what it does.
    pub(crate) fn identity(&self) -> String {
        match self {
            // A newer Loci describes its tools in other words; they remain what they are.
            Self::BuiltIn(tool) => format!("client:{}", tool.name),
            Self::Own(tool) => {
                let whole = json!([
                    tool.source_type,
                    tool.source_code,
                    tool.json_schema,
                    tool.pip_requirements,
                    tool.npm_requirements,
                    tool.network,
                ]);
                let hash = Sha256::digest(whole.to_string());
                let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("own:{hex}")
            }
        }
    }

    /// What people wrote of it, as an object; what comes with Loci has nothing of that.
    pub(crate) fn content(&self) -> Value {
        match self {
            Self::BuiltIn(_) => json!({}),
            Self::Own(tool) => {
                json!({
                    "language": tool.source_type,
                    "source": tool.source_code,
                    "packages": written(tool.pip_requirements.iter().chain(&tool.npm_requirements)),
                    "network": tool.network,
                })
            }
        }
    }

    /// What a call is about, in the form rules compare.
    pub(crate) fn subject(&self, place: &Place, arguments: &Map<String, Value>) -> Option<Subject> {
        let Self::BuiltIn(ClientTool { subject: Some((argument, kind)), .. }) = self else { return None };
        let given = arguments.get(*argument).and_then(Value::as_str);
        let text = match (kind, given) {
            (SubjectKind::Path, path) => place.normal(path.unwrap_or(".")),
            (SubjectKind::Command | SubjectKind::Text, Some(text)) => text.to_owned(),
            (SubjectKind::Command | SubjectKind::Text, None) => return None,
        };
        Some(Subject { argument: (*argument).to_owned(), kind: *kind, text })
    }

    /// Whether the person's answer is the result.
    pub(crate) fn asks_person(&self) -> bool {
        matches!(self, Self::BuiltIn(ClientTool { work: Work::Person(_), .. }))
    }

    /// Whether an answer will do, for a tool that asks.
    pub(crate) fn check_answer(&self, arguments: &Map<String, Value>, answer: &str) -> Result<(), String> {
        match self {
            Self::BuiltIn(ClientTool { work: Work::Person(check), .. }) => check(arguments, answer).map(drop),
            Self::BuiltIn(_) | Self::Own(_) => Ok(()),
        }
    }

    /// Runs a call that was allowed. `time` bounds tools that cannot bound themselves.
    pub(crate) async fn carry_out(&self, task: Task, answer: Option<&str>, time: Duration) -> Done {
        let tool = match self {
            Self::Own(tool) => return super::own::run(tool, &task).await,
            Self::BuiltIn(tool) => *tool,
        };
        match tool.work {
            Work::Running(run) => run(task).await,
            Work::Person(check) => Done::from(check(&task.arguments, answer.unwrap_or_default())),
            Work::Blocking(run) => {
                let Task { place, arguments, call, .. } = task;
                let running = tokio::task::spawn_blocking(move || run(&place, &arguments));
                tokio::select! {
                    ended = tokio::time::timeout(time, running) => Done::from(match ended {
                        Ok(Ok(result)) => result,
                        Ok(Err(_)) => Err(format!("{} failed inside Loci.", tool.name)),
                        Err(_) => Err(format!("{} took longer than {} seconds.", tool.name, time.as_secs())),
                    }),
                    () = call.stopped() => Done::from(Err("The person stopped the call.".to_owned())),
                }
            }
        }
    }

    /// What the person is shown. Blocking.
    pub(crate) fn preview(&self, place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
        match self {
            Self::BuiltIn(tool) => (tool.preview)(place, arguments),
            Self::Own(tool) => Ok(Preview::line(super::own::preview(tool))),
        }
    }
}
