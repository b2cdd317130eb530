//! Finding messages by what they say: full text, with a plain substring where words do not help.

use loci_api::{
    ids::AgentId,
    message::{Message, Role},
    time::Timestamp,
};
use rusqlite::{Connection, named_params};

use super::message::{COLUMNS, ThreadFilter, read};
use crate::{
    StoreError,
    page::{any_of, containing},
};

/// What to look for. Messages of failed steps are never found.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// `None` looks in every agent's messages.
    pub agent_id: Option<AgentId>,
    pub thread: ThreadFilter,
    /// Any text. Without a word in it, it is looked for as it stands; empty text finds the newest messages.
    pub query: String,
    /// One of these; an empty list does not narrow.
    pub roles: Vec<Role>,
    /// Both ends included.
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub limit: u32,
}

/// Messages that match, best first: those with all words, then those with some, or else those that contain the
/// text letter by letter, newest first.
pub fn search(conn: &Connection, search: &Search) -> Result<Vec<Message>, StoreError> {
    let words = words(&search.query);
    let mut found = Vec::new();
    if !words.is_empty() {
        found = by_words(conn, search, &words.join(" "))?;
        if words.len() > 1 && found.len() < limit(search) {
            for message in by_words(conn, search, &words.join(" OR "))? {
                if !found.iter().any(|known: &Message| known.id == message.id) {
                    found.push(message);
                }
            }
            found.truncate(limit(search));
        }
    }
    if found.is_empty() { by_substring(conn, search) } else { Ok(found) }
}

fn limit(search: &Search) -> usize {
    usize::try_from(search.limit).unwrap_or(usize::MAX)
}

/// More words than this say nothing more, but would cost a look-up each.
const MAX_WORDS: usize = 64;

/// The first words of any text, each once, as FTS5 strings: nothing in it can be taken for query syntax.
pub(super) fn words(query: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in query.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = format!("\"{word}\"");
        if !words.contains(&word) {
            words.push(word);
        }
        if words.len() == MAX_WORDS {
            break;
        }
    }
    words
}

macro_rules! narrowed {
    ($from:literal, $order:literal) => {
        concat!(
            "FROM ",
            $from,
            " AND is_err = 0
               AND (:agent IS NULL OR agent_id = :agent)
               AND (:any_thread OR conversation_id IS :conversation)
               AND (:roles IS NULL OR role IN (SELECT value FROM json_each(:roles)))
               AND (:start IS NULL OR created_at >= :start)
               AND (:end IS NULL OR created_at <= :end)
             ORDER BY ",
            $order,
            " LIMIT :limit"
        )
    };
}

fn by_words(conn: &Connection, search: &Search, query: &str) -> Result<Vec<Message>, StoreError> {
    let rest = narrowed!(
        "messages_fts JOIN messages ON sequence = messages_fts.rowid WHERE messages_fts MATCH :query",
        "messages_fts.rank, sequence DESC"
    );
    select(conn, &format!("SELECT {COLUMNS} {rest}"), search, query)
}

fn by_substring(conn: &Connection, search: &Search) -> Result<Vec<Message>, StoreError> {
    let rest = narrowed!("messages WHERE instr(lower(search_text), :query) > 0", "sequence DESC");
    select(conn, &format!("SELECT {COLUMNS} {rest}"), search, &containing(&search.query))
}

fn select(conn: &Connection, sql: &str, search: &Search, query: &str) -> Result<Vec<Message>, StoreError> {
    let roles: Vec<&str> = search.roles.iter().map(|role| role.as_str()).collect();
    let conversation = match &search.thread {
        ThreadFilter::Any | ThreadFilter::Default => None,
        ThreadFilter::Conversation(id) => Some(id.as_str()),
    };
    let mut statement = conn.prepare_cached(sql)?;
    let messages = statement.query_map(
        named_params! {
            ":query": query,
            ":agent": search.agent_id.as_ref().map(AgentId::as_str),
            ":any_thread": search.thread == ThreadFilter::Any,
            ":conversation": conversation,
            ":roles": any_of(&roles),
            ":start": search.start.map(|at| at.0),
            ":end": search.end.map(|at| at.0),
            ":limit": search.limit,
        },
        read,
    )?;
    Ok(messages.collect::<rusqlite::Result<_>>()?)
}
