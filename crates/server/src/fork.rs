//! A conversation that goes on from another one, or from a point in it. Its messages are copies, so that each of the
//! two can be deleted; the agent's search keeps finding the originals.

use std::collections::BTreeSet;

use loci_api::{
    error::ApiError,
    ids::{BlockId, ConversationId, DEFAULT_USER_ID, MessageId},
    message::{Message, Role},
    resource::{Block, Conversation},
    time::Timestamp,
};
use loci_store::{
    Connection, Page, Thread,
    table::{
        block, context, conversation,
        message::{self, MessageFilter, ThreadFilter},
    },
};

use crate::{App, changes, conversations, error::Answer, prompt};

/// Makes a conversation that holds what `source` does, up to and with the message `until` if one is named. Calls that
/// wait for an answer stay with the source alone.
///
/// # Errors
/// 404 if there is no such message in the source.
pub async fn fork(app: &App, source: Thread, until: Option<MessageId>) -> Answer<Conversation> {
    app.store()
        .try_write(move |tx| {
            let now = Timestamp::now();
            let made = begin(tx, &source, now)?;
            let thread = Thread::new(source.agent_id.clone(), Some(made.id.clone()));
            prompt::begin_thread(tx, &thread, now)?;
            let (history, window) = chosen(tx, &source, until.as_ref())?;
            copy(tx, &thread, &history, &window)?;
            if let Some(last) = history.last() {
                conversation::record_message(tx, &made.id, last.created_at)?;
            }
            prompt::renew(tx, &thread)?;
            conversations::require(tx, &made.id)
        })
        .await
}

/// The conversation itself, with copies of the blocks the source does not share.
fn begin(conn: &Connection, source: &Thread, now: Timestamp) -> Answer<Conversation> {
    let of = match &source.conversation_id {
        Some(id) => Some(conversations::require(conn, id)?),
        None => None,
    };
    let made = Conversation {
        id: ConversationId::new(),
        agent_id: source.agent_id.clone(),
        summary: of.as_ref().and_then(|of| of.summary.clone()),
        description: of.as_ref().and_then(|of| of.description.clone()),
        in_context_message_ids: Vec::new(),
        isolated_block_ids: Vec::new(),
        model: of.as_ref().and_then(|of| of.model.clone()),
        model_settings: of.and_then(|of| of.model_settings),
        last_message_at: None,
        created_at: Some(now),
        updated_at: Some(now),
        created_by_id: Some(DEFAULT_USER_ID.to_owned()),
        last_updated_by_id: Some(DEFAULT_USER_ID.to_owned()),
    };
    conversation::insert(conn, &made, now)?;
    if let Some(id) = &source.conversation_id {
        for (own, _) in block::list_isolated(conn, id)? {
            let copy = Block { id: BlockId::new(), ..own };
            block::insert(conn, &copy, &changes::by_api(now))?;
            block::isolate(conn, &made.id, &copy.id)?;
        }
    }
    Ok(made)
}

/// The messages that go along, oldest first, and the ids of those that are in the window, in its order; both without
/// the system message.
fn chosen(
    conn: &Connection,
    source: &Thread,
    until: Option<&MessageId>,
) -> Answer<(Vec<Message>, Vec<MessageId>)> {
    let filter = MessageFilter {
        agent_id: Some(source.agent_id.clone()),
        thread: ThreadFilter::from(source),
        ..MessageFilter::default()
    };
    let mut history = message::list(conn, &filter, &Page::oldest(u32::MAX))?;
    let first = context::first(conn, source)?.map(|first| first.id);
    let mut window = context::ids(conn, source)?;
    window.retain(|id| Some(id) != first.as_ref());
    if let Some(until) = until {
        let Some(at) = history.iter().position(|message| message.id == *until) else {
            return Err(ApiError::not_found(format!("Message not found with id='{until}'")).into());
        };
        let taken: BTreeSet<MessageId> = history[..=at].iter().map(|message| message.id.clone()).collect();
        match window.iter().position(|id| id == until) {
            // A summary stands in front of messages that are older than itself.
            Some(end) => window.truncate(end + 1),
            // The message went out of view long ago, with all before it.
            None => {
                let plain = |message: &&Message| !matches!(message.role, Role::System | Role::Summary);
                window = history[..=at].iter().filter(plain).map(|message| message.id.clone()).collect();
            }
        }
        let seen: BTreeSet<&MessageId> = window.iter().collect();
        history.retain(|message| taken.contains(&message.id) || seen.contains(&message.id));
    }
    history.retain(|message| Some(&message.id) != first.as_ref());
    let waiting = unanswered(&history);
    history.truncate(history.len() - waiting);
    let left: BTreeSet<&MessageId> = history.iter().map(|message| &message.id).collect();
    window.retain(|id| left.contains(id));
    Ok((history, window))
}

/// How many messages at the end are calls without their returns, or answers to such.
fn unanswered(history: &[Message]) -> usize {
    let open = |message: &&Message| {
        message.role == Role::Approval || (message.role == Role::Assistant && !message.tool_calls.is_empty())
    };
    history.iter().rev().take_while(open).count()
}

fn copy(conn: &Connection, thread: &Thread, history: &[Message], window: &[MessageId]) -> Answer<()> {
    let mut copies = std::collections::HashMap::with_capacity(history.len());
    for original in history {
        // Runs and steps list what they made; the copies are not that.
        let copy = Message {
            id: MessageId::new(),
            conversation_id: thread.conversation_id.clone(),
            run_id: None,
            step_id: None,
            otid: None,
            ..original.clone()
        };
        message::insert_copy(conn, &copy)?;
        copies.insert(original.id.clone(), copy.id);
    }
    let ids: Vec<MessageId> = window.iter().filter_map(|id| copies.get(id).cloned()).collect();
    context::append(conn, thread, &ids)?;
    Ok(())
}
