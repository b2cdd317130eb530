//! The plain instructions rehearsal understands: "call TOOL with {…}" and "remember that …".

use loci_api::chat::ToolSpec;
use serde_json::{Value, json};

use super::PlannedCall;

/// Characters of something that is repeated back.
const SHOWN: usize = 600;

/// The calls a text asks for: `call NAME with {…}`, several joined by `and call`. Without arguments a call counts
/// only if there is such a tool, since "call me Ada" asks for none.
pub(super) fn calls(text: &str, tools: &[ToolSpec]) -> Vec<PlannedCall> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = find_word(rest, "call ") {
        rest = rest[at..].trim_start();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        if name.is_empty() {
            continue;
        }
        match arguments(after) {
            Some((arguments, used)) => {
                found.push(PlannedCall { name: name.to_owned(), arguments });
                rest = &after[used..];
            }
            None if tools.iter().any(|tool| tool.name == name) => {
                found.push(PlannedCall { name: name.to_owned(), arguments: json!({}) });
            }
            None => {}
        }
    }
    found
}

/// ` with {…}` at the beginning of a text, and how many bytes it takes.
fn arguments(text: &str) -> Option<(Value, usize)> {
    let open = text.find('{')?;
    let between = text[..open].trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | ':'));
    if !between.eq_ignore_ascii_case("with") {
        return None;
    }
    let mut values = serde_json::Deserializer::from_str(&text[open..]).into_iter::<Value>();
    match values.next()? {
        Ok(value @ Value::Object(_)) => Some((value, open + values.byte_offset())),
        Ok(_) | Err(_) => None,
    }
}

/// What is to be remembered: the words after "remember that", or after a leading "remember".
pub(super) fn fact(text: &str) -> Option<&str> {
    let at = find_word(text, "remember that ").or_else(|| {
        let trimmed = text.trim_start();
        let begins = ["remember: ", "remember ", "please remember: ", "please remember "]
            .into_iter()
            .find(|begin| trimmed.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin)))?;
        Some(text.len() - trimmed.len() + begins.len())
    })?;
    let fact = text[at..].trim();
    let is_question = fact.ends_with('?');
    (!fact.is_empty() && !is_question).then_some(fact)
}

/// Where the text after `words` begins, if they stand in it as words of their own. ASCII case does not matter.
fn find_word(text: &str, words: &str) -> Option<usize> {
    text.char_indices().map(|(at, _)| at).find_map(|at| {
        let is_begin = text[..at].chars().next_back().is_none_or(|before| !before.is_alphanumeric());
        let head = text.get(at..at + words.len())?;
        (is_begin && head.eq_ignore_ascii_case(words)).then_some(at + words.len())
    })
}

/// Cut to what a person reads.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
