//! Edits of one value: replace, replace all, insert lines. Tabs stay as they are; only the search treats a tab
//! and the spaces it is shown as alike.

use loci_api::resource::Block;

use super::{MemoryError, guard::label};

/// Replaces every occurrence; an empty `new` deletes.
pub(super) fn replace_all(block: &Block, old: &str, new: &str) -> Result<String, MemoryError> {
    if old.is_empty() {
        return Err(MemoryError::new("The text to replace is empty."));
    }
    if !block.value.contains(old) {
        return Err(not_found(block, old));
    }
    Ok(block.value.replace(old, new))
}

/// Replaces the only occurrence.
pub(super) fn replace_once(block: &Block, old: &str, new: &str) -> Result<String, MemoryError> {
    if old.is_empty() {
        return Err(MemoryError::new("The text to replace is empty."));
    }
    let mut found: Vec<(usize, usize)> =
        overlapping(&block.value, old).into_iter().map(|at| (at, at + old.len())).collect();
    if found.is_empty() {
        found = find_expanded(&block.value, old);
    }
    match found.as_slice() {
        [] => Err(not_found(block, old)),
        [(start, end)] => {
            let mut value = block.value.clone();
            value.replace_range(start..end, new);
            Ok(value)
        }
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|(start, _)| (block.value[..*start].matches('\n').count() + 1).to_string())
                .collect();
            Err(MemoryError::new(format!(
                "The text occurs {} times in the memory block '{}', in lines {}. Give more of its surroundings so \
                 that it occurs once. Nothing was changed.",
                several.len(),
                label(block),
                lines.join(", ")
            )))
        }
    }
}

/// Puts `new` before line `line` (0 is the start); -1 is the end.
pub(super) fn insert(block: &Block, new: &str, line: i64) -> Result<String, MemoryError> {
    if block.value.is_empty() && (-1..=1).contains(&line) {
        return Ok(new.to_owned());
    }
    let mut lines: Vec<&str> = block.value.split('\n').collect();
    let at = match line {
        -1 => Some(lines.len()),
        line => usize::try_from(line).ok().filter(|at| *at <= lines.len()),
    };
    let Some(at) = at else {
        return Err(MemoryError::new(format!(
            "insert_line {line} is outside the memory block '{}': use 0 to {}, or -1 for the end.",
            label(block),
            lines.len()
        )));
    };
    lines.splice(at..at, new.split('\n'));
    Ok(lines.join("\n"))
}

fn not_found(block: &Block, old: &str) -> MemoryError {
    let shown: String = old.chars().take(200).collect();
    MemoryError::new(format!(
        "The text '{shown}' does not occur in the memory block '{}'. It must match exactly, line breaks and spaces \
         included. Nothing was changed.",
        label(block)
    ))
}

/// Where `needle` begins, overlapping places included: replacing one of two overlapping ones would be a guess.
fn overlapping(text: &str, needle: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find(needle)) {
        found.push(from + at);
        from += at + text[from + at..].chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// Byte ranges of `text` that look like `needle` once tabs are spread to columns of eight. Matches that begin or
/// end inside a tab do not count.
fn find_expanded(text: &str, needle: &str) -> Vec<(usize, usize)> {
    if !text.contains('\t') && !needle.contains('\t') {
        return Vec::new();
    }
    let (wide, origin) = expand(text);
    let (needle, _) = expand(needle);
    let source = |at: usize| origin.get(at).copied().flatten();
    overlapping(&wide, &needle)
        .into_iter()
        .filter_map(|at| Some((source(at)?, source(at + needle.len())?)))
        .collect()
}

/// `text` with tabs spread, and for each of its bytes (and its end) the byte of `text` that begins there, if any.
fn expand(text: &str) -> (String, Vec<Option<usize>>) {
    let mut wide = String::with_capacity(text.len());
    let mut origin = Vec::with_capacity(text.len() + 1);
    let mut column = 0;
    for (at, c) in text.char_indices() {
        match c {
            '\t' => {
                let width = 8 - column % 8;
                wide.extend(std::iter::repeat_n(' ', width));
                origin.push(Some(at));
                origin.extend(std::iter::repeat_n(None, width - 1));
                column += width;
            }
            c => {
                wide.push(c);
                origin.push(Some(at));
                origin.extend(std::iter::repeat_n(None, c.len_utf8() - 1));
                column = if c == '\n' { 0 } else { column + 1 };
            }
        }
    }
    origin.push(Some(text.len()));
    (wide, origin)
}
