//! What a write would change, as people read it.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::{Detail, Preview};
use crate::sentences::Approval;

/// Lines around a change.
const CONTEXT: usize = 3;
/// Bytes of a text that is compared line by line; a larger one is only counted.
const LARGEST: usize = 1 << 20;
/// Characters of a difference told to a model.
const MOST_CHARACTERS: usize = 4_000;

/// The unified difference, cut to what a model should read.
#[must_use]
pub fn unified(before: &str, after: &str) -> String {
    if before.len().max(after.len()) > LARGEST {
        return String::new();
    }
    let diff = TextDiff::from_lines(before, after).unified_diff().context_radius(CONTEXT).to_string();
    match diff.char_indices().nth(MOST_CHARACTERS) {
        Some((at, _)) => format!("{}\n[the difference goes on]", &diff[..at]),
        None => diff,
    }
}

/// A difference with its size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// Unified; a sentence in brackets where the texts are too large to be compared.
    pub diff: String,
    /// Lines.
    pub added: usize,
    /// Lines.
    pub removed: usize,
}

/// The whole difference of two texts.
#[must_use]
pub(crate) fn difference(before: &str, after: &str) -> Difference {
    if before.len().max(after.len()) > LARGEST {
        let diff = format!("[too large to compare: {} bytes before, {} now]", before.len(), after.len());
        return Difference { diff, added: after.lines().count(), removed: before.lines().count() };
    }
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    Difference {
        added: count(ChangeTag::Insert),
        removed: count(ChangeTag::Delete),
        diff: diff.unified_diff().context_radius(CONTEXT).to_string(),
    }
}

/// The whole difference for the dialog; `before` is None for a new file.
#[must_use]
pub fn preview(path: &str, before: Option<&str>, after: &str) -> Preview {
    let old = before.unwrap_or_default();
    if old.len().max(after.len()) > LARGEST {
        let (path, bytes, before) = (path.to_owned(), after.len(), old.len());
        let line = Approval::ReachWhole { path, bytes, before }.into();
        return Preview { detail: Some(Detail::Text { text: after.to_owned() }), line };
    }
    let Difference { diff, added, removed } = difference(old, after);
    let path = path.to_owned();
    let lines = if added == 1 { Approval::OneLine } else { Approval::SomeLines { number: added } }.into();
    let line = match before {
        None => Approval::ReachNewFile { path: path.clone(), lines },
        Some(_) => Approval::ReachChange { path: path.clone(), lines, removed },
    }
    .into();
    let detail = Detail::Diff { path, diff, added, removed, new_file: before.is_none() };
    Preview { line, detail: Some(detail) }
}
