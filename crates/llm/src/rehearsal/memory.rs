//! What rehearsal reads from and writes to the memory blocks, as they stand in the system prompt.

use loci_api::chat::{ChatMessage, ToolSpec};
use serde_json::json;

use super::{PlannedCall, script::shortened};

/// A memory block as the prompt shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block<'a> {
    pub label: &'a str,
    pub value: String,
    pub is_read_only: bool,
}

/// The blocks of the last `<memory_blocks>` section of the system prompt.
pub(super) fn blocks(messages: &[ChatMessage]) -> Vec<Block<'_>> {
    let prompt = messages.iter().find_map(|message| match message {
        ChatMessage::System { text } => Some(text.as_str()),
        ChatMessage::User { .. } | ChatMessage::Assistant { .. } | ChatMessage::Tool { .. } => None,
    });
    let section = prompt
        .and_then(|prompt| prompt.split_once("<memory_blocks>"))
        .map_or("", |(_, rest)| rest.split_once("</memory_blocks>").map_or(rest, |(section, _)| section));
    let mut found = Vec::new();
    let mut rest = section;
    while let Some((label, after)) = next_tag(rest) {
        let close = format!("</{label}>");
        let Some(end) = after.find(&close) else {
            rest = after;
            continue;
        };
        let body = &after[..end];
        rest = &after[end + close.len()..];
        let Some(value) = body.find("<value>").map(|at| &body[at + "<value>".len()..]) else { continue };
        let value = value.rfind("</value>").map_or(value, |end| &value[..end]);
        let head = &body[..body.find("<value>").unwrap_or(0)];
        found.push(Block {
            label,
            value: without_numbers(value.trim_matches('\n')),
            is_read_only: head.contains("read_only=true"),
        });
    }
    found
}

/// The next line that is nothing but an opening tag, and what follows it.
fn next_tag(text: &str) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        let tag = line.trim().strip_prefix('<').and_then(|tag| tag.strip_suffix('>'));
        if let Some(label) = tag
            && !label.is_empty()
            && !label.starts_with('/')
            && !label.contains(['<', '>'])
        {
            return Some((label, &text[at..]));
        }
    }
    None
}

/// Lines may be shown with numbers (`12→ text`), which are not part of the value.
fn without_numbers(value: &str) -> String {
    let plain = |line: &str| {
        line.split_once('→').and_then(|(number, rest)| {
            let number = number.trim();
            let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| rest.strip_prefix(' ').unwrap_or(rest).to_owned())
        })
    };
    let lines: Vec<_> = value.lines().map(|line| plain(line).unwrap_or_else(|| line.to_owned())).collect();
    lines.join("\n")
}

/// The call that writes a fact down, with the block it goes to; or why it cannot be written.
pub(super) fn remember<'a>(
    fact: &str,
    blocks: &'a [Block<'a>],
    tools: &[ToolSpec],
) -> Result<(&'a str, PlannedCall), String> {
    let writable = || blocks.iter().filter(|block| !block.is_read_only);
    let Some(block) = writable().find(|block| block.label == "human").or_else(|| writable().next()) else {
        return Err("I cannot remember anything: this agent has no memory block I may write to.".to_owned());
    };
    let label = block.label;
    let path = format!("/memories/{label}");
    let ways = [
        ("memory_insert", json!({"label": label, "new_string": fact, "insert_line": -1})),
        ("core_memory_append", json!({"label": label, "content": fact})),
        ("memory", json!({"command": "insert", "path": path, "insert_line": -1, "insert_text": fact})),
    ];
    for (name, arguments) in ways {
        if tools.iter().any(|tool| tool.name == name) {
            return Ok((label, PlannedCall { name: name.to_owned(), arguments }));
        }
    }
    Err("I cannot remember anything: this agent has none of the tools `memory_insert`, `core_memory_append` and \
         `memory`."
        .to_owned())
}

/// The lines of memory that share the most words with a question.
pub(super) fn recall(question: &str, blocks: &[Block<'_>]) -> String {
    let wanted = keywords(question);
    let mut scored: Vec<(usize, String)> = Vec::new();
    for block in blocks {
        for line in block.value.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words = keywords(line);
            let score = wanted.iter().filter(|word| words.iter().any(|other| akin(word, other))).count();
            if score > 0 {
                scored.push((score, format!("- {} (block `{}`)", shortened(line), block.label)));
            }
        }
    }
    // Stable: equally good lines stay in the order of the prompt.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    if scored.is_empty() {
        return "My memory blocks say nothing about that. I only follow plain instructions: \"remember that …\", or \
                \"call TOOL with {…}\" (several joined by \"and call\"). To talk with an AI, choose a real model."
            .to_owned();
    }
    let lines: Vec<_> = scored.into_iter().take(3).map(|(_, line)| line).collect();
    format!("My memory says:\n{}", lines.join("\n"))
}

/// Lower-case words that carry meaning.
fn keywords(text: &str) -> Vec<String> {
    const COMMON: [&str; 40] = [
        "the", "and", "for", "are", "was", "were", "what", "which", "who", "whom", "how", "does", "did",
        "you", "your", "that", "this", "with", "about", "from", "have", "has", "had", "can", "could", "will",
        "would", "tell", "know", "please", "when", "where", "why", "not", "but", "any", "remember", "his",
        "her", "its",
    ];
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .filter(|word| !COMMON.contains(&word.as_str()))
        .collect()
}

/// The same word, or one that continues the other (`colour`, `colours`).
fn akin(one: &str, other: &str) -> bool {
    one == other || (one.len() > 3 && other.len() > 3 && (one.starts_with(other) || other.starts_with(one)))
}
