//! Message 0 of a thread: compiled from the agent's text, blocks and tool rules, and kept up to date in place.
//!
//! It is frozen while a run of the thread is under way, so that a provider's prompt cache holds; only a compaction,
//! which makes a new prefix anyway, renews it. Whoever changes something it shows calls [`refresh_agent`]; a run
//! calls [`refresh_thread`] when it begins, which makes up for what was changed during the one before.

use loci_api::{
    error::ApiError,
    ids::AgentId,
    message::{ContentPart, Message, Role},
    time::Timestamp,
};
use loci_engine::context::{SystemInput, compile, numbers_lines};
use loci_store::{
    Connection, StoreError, Thread,
    table::{
        agent::{self, AgentRow},
        block, context, conversation,
        message::{self, MessageFilter},
        passage::{self, PassageFilter},
        run,
    },
};
use serde_json::Value;

use crate::{agents::create::plain_message, error::Answer};

const METADATA: [&str; 2] = ["<memory_metadata>\n", "</memory_metadata>"];

/// The text of message 0 as it would be now.
///
/// # Errors
/// [`StoreError::NotFound`] without such an agent.
pub fn compile_thread(conn: &Connection, thread: &Thread, at: Timestamp) -> Result<String, StoreError> {
    let of_agent = MessageFilter { agent_id: Some(thread.agent_id.clone()), ..MessageFilter::default() };
    let stored = message::count(conn, &of_agent)?;
    let in_context =
        context::tail(conn, thread)?.map_or(0, |(len, _)| i64::try_from(len).unwrap_or(i64::MAX));
    let filed = PassageFilter { agent_id: Some(thread.agent_id.clone()), ..PassageFilter::default() };
    let counts = Counts {
        recall: u64::try_from(stored.saturating_sub(in_context)).unwrap_or(0),
        archival: u64::try_from(passage::count(conn, &filed)?).unwrap_or(0),
        // The section shows fewer, and says how many there are beyond.
        tags: passage::tags_for_agent(conn, &thread.agent_id, 200)?,
    };
    compile_with(conn, thread, at, &counts)
}

/// What the metadata counts. Counting takes longer than all the rest of a prompt.
#[derive(Default)]
struct Counts {
    /// Messages outside the context window.
    recall: u64,
    /// Passages in archival memory.
    archival: u64,
    /// Their tags.
    tags: Vec<String>,
}

fn compile_with(
    conn: &Connection,
    thread: &Thread,
    at: Timestamp,
    counts: &Counts,
) -> Result<String, StoreError> {
    let agent = agent::get(conn, &thread.agent_id)?
        .ok_or_else(|| StoreError::NotFound { what: "agent", id: thread.agent_id.to_string() })?;
    let blocks: Vec<_> = block::list_for_thread(conn, thread)?.into_iter().map(|(block, _)| block).collect();
    Ok(compile(&SystemInput {
        agent_type: &agent.agent_type,
        template: &agent.system,
        blocks: &blocks,
        line_numbers: numbers_lines(&endpoint_type(conn, &agent, thread)?, &agent.agent_type),
        rules: &agent.tool_rules,
        agent_id: &agent.id,
        conversation_id: thread.conversation_id.as_ref(),
        recompiled_at: at,
        timezone: &agent.timezone,
        recall_count: counts.recall,
        archival_count: counts.archival,
        archive_tags: &counts.tags,
    }))
}

/// The protocol of the thread's model, which decides whether lines are numbered.
fn endpoint_type(conn: &Connection, agent: &AgentRow, thread: &Thread) -> Result<String, StoreError> {
    let own = match &thread.conversation_id {
        Some(id) => conversation::get(conn, id)?.and_then(|conversation| conversation.model),
        None => None,
    };
    let of_agent = agent
        .llm_config
        .as_ref()
        .and_then(|config| config.get("model_endpoint_type"))
        .and_then(Value::as_str);
    Ok(match own {
        Some(handle) => handle.split('/').next().unwrap_or_default().to_owned(),
        None => of_agent.unwrap_or_default().to_owned(),
    })
}

/// Writes message 0 of a new thread.
///
/// # Errors
/// As [`compile_thread`].
pub fn begin_thread(conn: &Connection, thread: &Thread, at: Timestamp) -> Result<Message, StoreError> {
    let text = compile_thread(conn, thread, at)?;
    let message = plain_message(thread, Role::System, vec![ContentPart::text(text)], at);
    message::insert(conn, &message)?;
    context::append(conn, thread, std::slice::from_ref(&message.id))?;
    Ok(message)
}

/// Everything but the metadata, whose clock and counts change by themselves.
fn essence(text: &str) -> (&str, &str) {
    let Some(start) = text.rfind(METADATA[0]) else { return (text, "") };
    let (before, rest) = text.split_at(start);
    (before, rest.split_once(METADATA[1]).map_or("", |(_, after)| after))
}

/// Brings message 0 up to date in place, keeping its id, if anything it shows has changed. The new message, or
/// `None` if it stays. A thread without a system message gets one.
///
/// # Errors
/// As [`compile_thread`].
pub fn refresh_thread(conn: &Connection, thread: &Thread) -> Result<Option<Message>, StoreError> {
    rewrite(conn, thread, false)
}

/// Compiles message 0 anew whether or not anything it shows has changed, for a context that just became shorter.
/// The new message, or `None` for a thread without one.
///
/// # Errors
/// As [`compile_thread`].
pub fn renew(conn: &Connection, thread: &Thread) -> Result<Option<Message>, StoreError> {
    rewrite(conn, thread, true)
}

fn rewrite(conn: &Connection, thread: &Thread, always: bool) -> Result<Option<Message>, StoreError> {
    let at = Timestamp::now();
    let Some(mut first) = context::first(conn, thread)?.filter(|first| first.role == Role::System) else {
        return Ok(None);
    };
    // Counting a long history takes longer than all the rest, and counts are not what is compared.
    if !always && essence(&first.text()) == essence(&compile_with(conn, thread, at, &Counts::default())?) {
        return Ok(None);
    }
    let text = compile_thread(conn, thread, at)?;
    first.content = vec![ContentPart::text(text)];
    message::update_content(conn, &first.id, &first.content)?;
    Ok(Some(first))
}

/// Message 0 as the next run would send it; nothing is written.
///
/// # Errors
/// As [`compile_thread`].
pub fn current(conn: &Connection, thread: &Thread) -> Result<Option<Message>, StoreError> {
    let Some(mut first) = context::first(conn, thread)?.filter(|first| first.role == Role::System) else {
        return Ok(None);
    };
    let at = Timestamp::now();
    if essence(&first.text()) != essence(&compile_with(conn, thread, at, &Counts::default())?) {
        first.content = vec![ContentPart::text(compile_thread(conn, thread, at)?)];
    }
    Ok(Some(first))
}

/// [`refresh_thread`] for an agent's default thread, unless a run of it is under way: then the next run does it, as
/// every run of a conversation does for its own. The threads whose message 0 changed.
///
/// # Errors
/// As [`compile_thread`].
pub fn refresh_agent(conn: &Connection, agent_id: &AgentId) -> Result<Vec<Thread>, StoreError> {
    let mut changed = Vec::new();
    // Conversations are refreshed when they are next used: there may be thousands.
    let thread = Thread::new(agent_id.clone(), None);
    if run::active_on(conn, &thread)?.is_none() && refresh_thread(conn, &thread)?.is_some() {
        changed.push(thread);
    }
    Ok(changed)
}

/// Compiles message 0 anew whether or not anything changed, and returns its text. `dry_run` writes nothing.
///
/// # Errors
/// 409 during a run, unless `dry_run`.
pub fn recompile(conn: &Connection, thread: &Thread, dry_run: bool) -> Answer<String> {
    if dry_run {
        return Ok(compile_thread(conn, thread, Timestamp::now())?);
    }
    require_idle(conn, thread)?;
    match rewrite(conn, thread, true)? {
        Some(message) => Ok(message.text()),
        None => Ok(begin_thread(conn, thread, Timestamp::now())?.text()),
    }
}

/// 409 while a run of this thread is under way.
pub fn require_idle(conn: &Connection, thread: &Thread) -> Answer<()> {
    match run::active_on(conn, thread)? {
        None => Ok(()),
        Some(run) => Err(ApiError::conflict(format!(
            "CONFLICT: A run (run_id={}) is under way here. Wait for it to complete, or cancel it.",
            run.id
        ))
        .into()),
    }
}

#[cfg(test)]
mod tests {
    use super::essence;

    #[test]
    fn only_the_metadata_may_differ() {
        let text = |value: &str, time: &str| {
            format!(
                "Be kind.\n\n<value>{value}</value>\n\n<memory_metadata>\n- {time}\n</memory_metadata>\nBye"
            )
        };
        assert_eq!(essence(&text("a", "now")), essence(&text("a", "later")));
        assert_ne!(essence(&text("a", "now")), essence(&text("b", "now")));
        assert_ne!(essence("Be kind."), essence("Be good."));
    }
}
