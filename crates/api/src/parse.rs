//! Reads what a client sends to make an agent act. Written by hand over JSON values, because the contract's
//! rules (inferred types, one of two fields, exact texts) and the places named in its errors are part of it.

mod content;
mod fields;
mod items;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    error::ApiError,
    ids::AgentId,
    message::ContentPart,
    request::{ClientSkill, ClientTool, InputMessage},
    wire::{MessageType, View},
};
use fields::{Fields, invalid};

/// Steps of a request that does not say.
pub const DEFAULT_MAX_STEPS: u32 = 50;
/// Characters a client's own id of a message may have.
pub const MAX_OTID_CHARS: usize = 512;

/// A request to act, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct SendRequest {
    /// Not empty.
    pub input: Vec<InputMessage>,
    /// Made of the otids if the client gave every item one; equal tokens mean a repeated request.
    pub token: Option<String>,
    pub max_steps: u32,
    pub client_tools: Vec<ClientTool>,
    pub client_skills: Vec<ClientSkill>,
    /// `provider/model`, for this request only.
    pub override_model: Option<String>,
    /// Replaces the system prompt for this request only.
    pub override_system: Option<String>,
    pub view: View,
    pub streaming: bool,
    pub stream_tokens: bool,
    pub include_pings: bool,
    pub background: bool,
    /// Whose default conversation is meant where the path says `default`.
    pub agent_id: Option<AgentId>,
    /// Where to report the end of an async run.
    pub callback_url: Option<String>,
    /// The agents whose messages led to this request, the first first; no client can set it.
    pub called_by: Vec<AgentId>,
}

/// Which route reads the request; it decides defaults and which fields exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendRoute {
    /// `POST /v1/agents/{id}/messages`: JSON unless `streaming` is true.
    Agent,
    /// `POST /v1/agents/{id}/messages/stream`: always streams.
    AgentStream,
    /// `POST /v1/agents/{id}/messages/async`: answers with a run.
    Async,
    /// `POST /v1/conversations/{id}/messages`: streams unless `streaming` is false.
    Conversation,
}

impl SendRequest {
    /// Reads a request body. Unknown keys are ignored. Errors are 422 naming the place, or 400 where the
    /// contract says so.
    pub fn parse(body: &Value, route: SendRoute) -> Result<Self, ApiError> {
        let Value::Object(object) = body else {
            return Err(invalid("body", "Input should be an object"));
        };
        let fields = Fields::new(object, "body");
        let (messages, given) = input(&fields)?;
        let streams = match route {
            SendRoute::Agent | SendRoute::Async => false,
            SendRoute::AgentStream | SendRoute::Conversation => true,
        };
        let streaming = match route {
            SendRoute::Agent | SendRoute::Conversation => fields.flag("streaming", streams)?,
            SendRoute::AgentStream | SendRoute::Async => streams,
        };
        let request = Self {
            token: given.then(|| request_token(messages.iter().map(InputMessage::otid))),
            input: messages,
            max_steps: fields.count("max_steps", DEFAULT_MAX_STEPS)?,
            client_tools: client_tools(&fields)?,
            client_skills: client_skills(&fields)?,
            override_model: fields.text("override_model")?.filter(|handle| !handle.is_empty()),
            override_system: match fields.text("override_system")? {
                Some(text) => Some(text),
                None => fields.text("system")?,
            },
            view: View {
                types: message_types(&fields)?,
                summaries: fields.flag("include_compaction_messages", false)?,
            },
            streaming,
            stream_tokens: fields.flag("stream_tokens", false)?,
            include_pings: fields.flag("include_pings", true)?,
            background: route == SendRoute::Async || fields.flag("background", false)?,
            agent_id: match route {
                SendRoute::Conversation => fields.id("agent_id")?,
                SendRoute::Agent | SendRoute::AgentStream | SendRoute::Async => None,
            },
            callback_url: match route {
                SendRoute::Async => fields.text("callback_url")?.filter(|url| !url.is_empty()),
                SendRoute::Agent | SendRoute::AgentStream | SendRoute::Conversation => None,
            },
            called_by: Vec::new(),
        };
        check_ignored(&fields)?;
        if route == SendRoute::Agent
            && !request.streaming
            && (request.stream_tokens || request.background || !request.include_pings)
        {
            return Err(ApiError::validation(
                "Streaming options set without streaming enabled. Set streaming to true, or leave out \
                 stream_tokens, background and include_pings.",
            ));
        }
        Ok(request)
    }
}

/// The items and whether the client named every one of them itself.
fn input(fields: &Fields<'_>) -> Result<(Vec<InputMessage>, bool), ApiError> {
    let items = match fields.get("messages") {
        None => None,
        Some(Value::Array(items)) => Some(items.as_slice()),
        Some(_) => return Err(invalid("body.messages", "Input should be a list")),
    };
    match (fields.get("input"), items) {
        (Some(_), Some(_)) => {
            Err(ApiError::validation("Cannot specify both 'input' and 'messages'. Use one or the other."))
        }
        (None, None) => Err(ApiError::validation("Must specify either 'input' or 'messages'.")),
        (Some(value), None) => {
            let content = content::parts(value, "body.input")?;
            let message = InputMessage::Message {
                role: crate::message::Role::User,
                content: not_empty(content)?,
                name: None,
                sender_id: None,
                group_id: None,
                otid: fresh_otid(),
            };
            Ok((vec![message], false))
        }
        (None, Some([])) => {
            let text = "Messages must not be empty";
            let mut error = ApiError::validation(text);
            error.body = json!({"detail": text});
            Err(error)
        }
        (None, Some(items)) => {
            let mut all = Vec::with_capacity(items.len());
            let mut given = true;
            for (at, item) in items.iter().enumerate() {
                let (message, named) = items::item(item, &format!("body.messages[{at}]"))?;
                given &= named;
                all.push(message);
            }
            Ok((all, given))
        }
    }
}

/// Refuses content that holds nothing a model could read.
fn not_empty(content: Vec<ContentPart>) -> Result<Vec<ContentPart>, ApiError> {
    let says_something = content.iter().any(|part| match part {
        ContentPart::Text { text, .. } => !text.trim().is_empty(),
        ContentPart::Reasoning { reasoning, .. } => !reasoning.trim().is_empty(),
        ContentPart::Image { .. } | ContentPart::RedactedReasoning { .. } => true,
    });
    if says_something {
        Ok(content)
    } else {
        Err(ApiError::bad_request("Message content is empty or invalid"))
    }
}

fn fresh_otid() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// The first 16 hex digits of SHA-256 over the otids joined by `|`.
#[must_use]
pub fn request_token<'a>(otids: impl IntoIterator<Item = &'a str>) -> String {
    let joined = otids.into_iter().collect::<Vec<_>>().join("|");
    Sha256::digest(joined.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn message_types(fields: &Fields<'_>) -> Result<Option<Vec<MessageType>>, ApiError> {
    let key = "include_return_message_types";
    let Some(items) = fields.list(key)? else { return Ok(None) };
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let place = format!("body.{key}[{at}]");
            let text = item.as_str().ok_or_else(|| invalid(&place, "Input should be a string"))?;
            text.parse::<MessageType>().map_err(|error| invalid(&place, &error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Some)
}

fn client_tools(fields: &Fields<'_>) -> Result<Vec<ClientTool>, ApiError> {
    let mut tools: Vec<ClientTool> = Vec::new();
    for (at, item) in fields.list("client_tools")?.into_iter().flatten().enumerate() {
        let place = format!("body.client_tools[{at}]");
        let item = fields::object(item, &place)?;
        let fields = Fields::new(item, &place);
        let name = fields.required_text("name")?;
        if name.is_empty() {
            return Err(invalid(&format!("{place}.name"), "a tool needs a name"));
        }
        if tools.iter().any(|tool| tool.name == name) {
            return Err(invalid(&format!("{place}.name"), &format!("'{name}' is there twice")));
        }
        let parameters = match fields.get("parameters") {
            None => None,
            Some(Value::Object(parameters)) => Some(parameters.clone()),
            Some(_) => return Err(invalid(&format!("{place}.parameters"), "Input should be an object")),
        };
        tools.push(ClientTool { name, description: fields.text("description")?, parameters });
    }
    Ok(tools)
}

fn client_skills(fields: &Fields<'_>) -> Result<Vec<ClientSkill>, ApiError> {
    fields
        .list("client_skills")?
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(at, item)| {
            let place = format!("body.client_skills[{at}]");
            let fields = Fields::new(fields::object(item, &place)?, &place);
            Ok(ClientSkill {
                name: fields.required_text("name")?,
                description: Some(fields.required_text("description")?),
                location: Some(fields.required_text("location")?),
            })
        })
        .collect()
}

/// Fields that are accepted for older clients and change nothing must still have their types.
fn check_ignored(fields: &Fields<'_>) -> Result<(), ApiError> {
    fields.flag("use_assistant_message", true)?;
    fields.flag("return_logprobs", false)?;
    fields.flag("return_token_ids", false)?;
    for key in ["assistant_message_tool_name", "assistant_message_tool_kwarg"] {
        if fields.contains(key) {
            fields.required_text(key)?;
        }
    }
    fields.integer("top_logprobs")?;
    // Published as a string with a boolean default; both are seen.
    match fields.get("enable_thinking") {
        None | Some(Value::Bool(_) | Value::String(_)) => Ok(()),
        Some(_) => Err(invalid("body.enable_thinking", "Input should be a boolean or a string")),
    }
}

/// What `POST …/stream` of a run or a conversation asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumeRequest {
    pub agent_id: Option<AgentId>,
    pub run_id: Option<String>,
    pub otid: Option<String>,
    /// Events with a greater sequence number are sent.
    pub starting_after: i64,
    pub include_pings: bool,
}

impl ResumeRequest {
    /// Reads the body; without one everything has its default. `poll_interval` and `batch_size` are checked and
    /// need no obeying: nothing here polls.
    pub fn parse(body: Option<&Value>) -> Result<Self, ApiError> {
        let empty = Map::new();
        let object = match body {
            None | Some(Value::Null) => &empty,
            Some(value) => fields::object(value, "body")?,
        };
        let fields = Fields::new(object, "body");
        fields.integer("batch_size")?;
        match fields.get("poll_interval") {
            None | Some(Value::Number(_)) => {}
            Some(_) => return Err(invalid("body.poll_interval", "Input should be a number")),
        }
        Ok(Self {
            agent_id: fields.id("agent_id")?,
            run_id: fields.text("run_id")?,
            otid: fields.text("otid")?,
            starting_after: fields.integer("starting_after")?.unwrap_or(0),
            include_pings: match fields.get("include_pings") {
                None => true,
                Some(_) => fields.flag("include_pings", true)?,
            },
        })
    }
}

/// The run ids of a cancel request; `None` means whatever is active.
pub fn cancel_run_ids(body: Option<&Value>) -> Result<Option<Vec<String>>, ApiError> {
    let object = match body {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => fields::object(value, "body")?,
    };
    let Some(items) = Fields::new(object, "body").list("run_ids")? else { return Ok(None) };
    items
        .iter()
        .enumerate()
        .map(|(at, item)| {
            let place = format!("body.run_ids[{at}]");
            let text = item.as_str().ok_or_else(|| invalid(&place, "Input should be a string"))?;
            let id =
                text.parse::<crate::ids::RunId>().map_err(|error| invalid(&place, &error.to_string()))?;
            Ok(id.to_string())
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Some)
}

#[cfg(test)]
mod tests;
