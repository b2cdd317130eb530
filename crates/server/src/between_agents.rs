//! Agents that write to agents, in this process. Three limits keep it from going round for ever: an agent is not
//! waited for by one it waits for itself, a chain of messages has a greatest length, and waiting has an end.

use std::{sync::Arc, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream};
use loci_api::{
    ids::AgentId,
    message::{ContentPart, Message, Role, ToolStatus},
    parse::{DEFAULT_MAX_STEPS, SendRequest},
    request::InputMessage,
    resource::StopReason,
    wire::View,
};
use loci_engine::ports::{ToolInvocation, ToolOutcome};
use loci_store::{
    Page, Thread,
    table::agent::{self, AgentFilter, AgentOrder, AgentRow},
};
use serde_json::{Map, Value, json};

use crate::{
    App,
    error::Failure,
    runs::{self, Answered, Facts, Finished, Origin, live::LiveRun},
};

/// Agents one message may go through, the first sender included.
const LONGEST_CHAIN: usize = 5;
/// Agents that may be written to at once by their tags.
const MOST_RECIPIENTS: u32 = 50;
/// Of those, how many work at one time.
const AT_ONCE: usize = 4;

/// Carries out one of the three tools.
pub fn run<'a>(
    app: &'a App,
    live: &'a LiveRun,
    facts: &'a Facts,
    call: ToolInvocation,
) -> BoxFuture<'a, ToolOutcome> {
    // Boxed by type: a run carries out tools, and this tool begins a run.
    Box::pin(carry_out(app, live, facts, call))
}

async fn carry_out(app: &App, live: &LiveRun, facts: &Facts, call: ToolInvocation) -> ToolOutcome {
    let done = match call.name.as_str() {
        "send_message_to_agent_and_wait_for_reply" => ask_one(app, live, facts, &call.arguments).await,
        "send_message_to_agents_matching_tags" => ask_tagged(app, live, facts, &call.arguments).await,
        "send_message_to_agent_async" => tell_one(app, live, facts, &call.arguments).await,
        other => Err(format!("{other} is not known to this server")),
    };
    match done {
        Ok(value) => {
            ToolOutcome { status: ToolStatus::Success, value, stdout: Vec::new(), stderr: Vec::new() }
        }
        Err(sentence) => ToolOutcome::error(format!("Error executing function {}: {sentence}", call.name)),
    }
}

/// How long an answer is waited for.
fn patience(app: &App) -> Duration {
    app.options().tool_limits.timeout
}

fn text<'a>(arguments: &'a Map<String, Value>, name: &str) -> Result<&'a str, String> {
    match arguments.get(name).and_then(Value::as_str) {
        Some(text) if !text.trim().is_empty() => Ok(text),
        Some(_) | None => Err(format!("'{name}' must be given as text that is not empty")),
    }
}

async fn ask_one(
    app: &App,
    live: &LiveRun,
    facts: &Facts,
    arguments: &Map<String, Value>,
) -> Result<Value, String> {
    let message = text(arguments, "message")?;
    let other = recipient(app, live, text(arguments, "other_agent_id")?).await?;
    ask(app, live, facts, &other, message).await
}

async fn tell_one(
    app: &App,
    live: &LiveRun,
    facts: &Facts,
    arguments: &Map<String, Value>,
) -> Result<Value, String> {
    let message = text(arguments, "message")?;
    let other = recipient(app, live, text(arguments, "other_agent_id")?).await?;
    let chain = chain(live, facts);
    if chain.len() >= LONGEST_CHAIN {
        return Err(too_long());
    }
    let intro = format!(
        "[Message from agent {} ({}). It does not wait; to answer, write to it with your own tools.]",
        facts.agent.name, live.thread.agent_id
    );
    let answered = send(app, live, chain, &other, format!("{intro}\n\n{message}")).await?;
    if let Answered::Live(run) = &answered
        && let Some(refusal) = run.refusal()
    {
        return Err(refusal.message);
    }
    Ok(json!(format!("Delivered to {} ({}).", other.name, other.id)))
}

async fn ask_tagged(
    app: &App,
    live: &LiveRun,
    facts: &Facts,
    arguments: &Map<String, Value>,
) -> Result<Value, String> {
    let message = text(arguments, "message")?;
    let (all, some) = (tags(arguments, "match_all")?, tags(arguments, "match_some")?);
    if all.is_empty() && some.is_empty() {
        return Err("at least one tag must be given in 'match_all' or 'match_some'".to_owned());
    }
    let own = live.thread.agent_id.clone();
    let found = app
        .store()
        .read(move |conn| {
            let page = Page::oldest(1_000);
            let with = |tags: Vec<String>, match_all_tags| {
                let filter = AgentFilter { tags, match_all_tags, ..AgentFilter::default() };
                agent::list(conn, &filter, AgentOrder::default(), &page)
            };
            let mut found = with(all, true)?;
            if !some.is_empty() {
                let any: Vec<AgentId> = with(some, false)?.into_iter().map(|row| row.id).collect();
                found.retain(|row| any.contains(&row.id));
            }
            found.retain(|row| row.id != own);
            Ok(found)
        })
        .await
        .map_err(|error| format!("finding agents failed: {error}"))?;
    let most = MOST_RECIPIENTS as usize;
    if found.len() > most {
        return Err(format!("{} agents carry these tags; at most {most} can be asked at once", found.len()));
    }
    let answers = stream::iter(found)
        .map(|other| async move {
            match ask(app, live, facts, &other, message).await {
                Ok(answer) => answer,
                Err(sentence) => json!({"agent_id": other.id, "response": [format!("<error: {sentence}>")]}),
            }
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    Ok(Value::Array(answers))
}

fn tags(arguments: &Map<String, Value>, name: &str) -> Result<Vec<String>, String> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(tags)) => tags
            .iter()
            .map(|tag| {
                tag.as_str().map(str::to_owned).ok_or_else(|| format!("'{name}' must hold texts only"))
            })
            .collect(),
        Some(_) => Err(format!("'{name}' must be a list of tags")),
    }
}

/// The agent written to, unless it is the writer.
async fn recipient(app: &App, live: &LiveRun, id: &str) -> Result<AgentRow, String> {
    let shown: String = id.chars().take(80).collect();
    let id: AgentId = id.trim().parse().map_err(|_| format!("'{shown}' is not an agent's id"))?;
    if id == live.thread.agent_id {
        return Err("an agent cannot write to itself".to_owned());
    }
    let row = app.store().read(move |conn| agent::get(conn, &id)).await;
    row.map_err(|error| format!("finding the agent failed: {error}"))?
        .ok_or_else(|| format!("there is no agent {shown}"))
}

/// Whose messages led here, this agent last.
fn chain(live: &LiveRun, facts: &Facts) -> Vec<AgentId> {
    let mut chain = facts.called_by.clone();
    chain.push(live.thread.agent_id.clone());
    chain
}

fn too_long() -> String {
    format!("this message came through {LONGEST_CHAIN} agents already; answer it instead of passing it on")
}

/// Sends, waits, and gives what was said in reply.
async fn ask(
    app: &App,
    live: &LiveRun,
    facts: &Facts,
    other: &AgentRow,
    message: &str,
) -> Result<Value, String> {
    let chain = chain(live, facts);
    if chain.contains(&other.id) {
        return Err(format!("{} waits for this agent's answer itself, so it cannot give one", other.name));
    }
    if chain.len() >= LONGEST_CHAIN {
        return Err(too_long());
    }
    let intro = format!(
        "[Message from agent {} ({}). It waits: what you say in reply is given to it.]",
        facts.agent.name, live.thread.agent_id
    );
    let answered = send(app, live, chain, other, format!("{intro}\n\n{message}")).await?;
    // Whoever gives up waiting, by time or because the asking run ended, wants no more of it.
    let _unneeded = match &answered {
        Answered::Live(run) => Some(CancelOnDrop(run.clone())),
        Answered::Past(_) => None,
    };
    let patience = patience(app);
    let finished = tokio::time::timeout(patience, answered.finished(app)).await.map_err(|_| {
        format!("{} gave no answer within {} s and was stopped", other.name, patience.as_secs_f64())
    })?;
    let finished = finished.map_err(|Failure(error)| error.message)?;
    Ok(json!({"agent_id": other.id, "response": replies(&finished)}))
}

/// What was said, as texts; a note where there is nothing.
fn replies(finished: &Finished) -> Vec<String> {
    let mut said: Vec<String> = finished.messages.iter().flat_map(spoken).collect();
    if finished.stop_reason == StopReason::RequiresApproval {
        said.push("<it waits for a person to approve a tool call and will answer only then>".to_owned());
    } else if said.is_empty() {
        said.push("<no response>".to_owned());
    }
    said
}

fn spoken(message: &Message) -> Vec<String> {
    if message.role != Role::Assistant {
        return Vec::new();
    }
    let text = message.text();
    let by_tool = message.tool_calls.iter().filter(|call| call.name == "send_message").filter_map(|call| {
        let arguments: Value = serde_json::from_str(&call.arguments).ok()?;
        arguments.get("message").and_then(Value::as_str).map(str::to_owned)
    });
    std::iter::once(text).filter(|text| !text.trim().is_empty()).chain(by_tool).collect()
}

struct CancelOnDrop(Arc<LiveRun>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        // A run that has ended takes no notice.
        self.0.cancel();
    }
}

async fn send(
    app: &App,
    live: &LiveRun,
    called_by: Vec<AgentId>,
    other: &AgentRow,
    text: String,
) -> Result<Answered, String> {
    let message = InputMessage::Message {
        role: Role::User,
        content: vec![ContentPart::text(text)],
        name: None,
        sender_id: Some(live.thread.agent_id.to_string()),
        group_id: None,
        otid: uuid::Uuid::new_v4().to_string(),
    };
    let request = SendRequest {
        input: vec![message],
        token: None,
        max_steps: DEFAULT_MAX_STEPS,
        client_tools: Vec::new(),
        client_skills: Vec::new(),
        override_model: None,
        override_system: None,
        view: View::default(),
        streaming: false,
        stream_tokens: false,
        include_pings: false,
        background: false,
        agent_id: None,
        callback_url: None,
        called_by,
    };
    runs::send(app, Thread::new(other.id.clone(), None), request, Origin::Agents)
        .await
        .map_err(|Failure(error)| error.message)
}
