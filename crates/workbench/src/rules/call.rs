//! What a rule can know of a call.

use loci_api::said::Said;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call as rules see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub facts: Facts,
    /// None: what the model wrote is not a JSON object.
    pub arguments: Option<Map<String, Value>>,
}

/// Everything about a call besides its arguments. It is kept with the log, so that new rules can be tried on old
/// calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The connection the agent runs on.
    pub connection: String,
    pub agent_id: String,
    /// None: the agent's own thread.
    pub conversation_id: Option<String>,
    /// The person's message that the turn answers, where it is known.
    pub turn: Option<String>,
    pub tool: String,
    /// Who runs it: `this machine`, the connection, or the tool server behind the connection.
    pub server: String,
    /// Whether it changes nothing, as far as is known.
    pub read_only: bool,
    /// Changes when the tool becomes another one: its source, its schema.
    pub identity: String,
    /// The same for the same call of the same tool: SHA-256 of tool and arguments.
    pub fingerprint: String,
    /// What a pattern without a name is about.
    pub subject: Option<Subject>,
    /// Why no rule may allow it: a person has to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Said>,
}

/// The argument that says what a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub argument: String,
    pub kind: SubjectKind,
    /// In the form patterns are compared with: a path relative to the work folder, a command as it stands.
    pub text: String,
}

/// How a subject is compared with patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// `*` stays within one folder, `**` does not.
    Path,
    /// For a shell: a wildcard never allows what would start a second command.
    Command,
    /// An address or anything else.
    Text,
}
