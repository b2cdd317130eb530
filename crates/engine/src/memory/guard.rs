//! What every memory tool checks: arguments, labels, read-only marks, line numbers, the size limit.

use loci_api::resource::{Block, DEFAULT_BLOCK_LIMIT};
use serde_json::{Map, Value};

use super::MemoryError;
use crate::context::LINE_NUMBER_WARNING;

/// A call's arguments, read with errors that name the tool.
pub(super) struct Args<'a> {
    tool: &'a str,
    map: &'a Map<String, Value>,
}

impl<'a> Args<'a> {
    pub(super) fn new(tool: &'a str, map: &'a Map<String, Value>) -> Self {
        Self { tool, map }
    }

    /// A required text.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, MemoryError> {
        self.optional(key)?
            .ok_or_else(|| MemoryError::new(format!("{} needs the argument '{key}'.", self.tool)))
    }

    /// A text that may be absent or null.
    pub(super) fn optional(&self, key: &str) -> Result<Option<&'a str>, MemoryError> {
        match self.map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err(MemoryError::new(format!("The argument '{key}' of {} must be a string.", self.tool)))
            }
        }
    }

    /// A whole number that may be absent or null; some models write it as text.
    pub(super) fn integer(&self, key: &str) -> Result<Option<i64>, MemoryError> {
        let number = match self.map.get(key) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Number(number)) => number.as_i64().or_else(|| {
                // 3.0 is a whole number too; the bound keeps the cast exact.
                number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 1e15).map(|f| f as i64)
            }),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) => None,
        };
        number.map(Some).ok_or_else(|| {
            MemoryError::new(format!("The argument '{key}' of {} must be a whole number.", self.tool))
        })
    }
}

/// A block's label as text.
pub(super) fn label(block: &Block) -> String {
    block.label.clone().unwrap_or_default()
}

/// The block with this label.
pub(super) fn find<'a>(blocks: &'a [Block], label: &str) -> Option<&'a Block> {
    blocks.iter().find(|block| block.label.as_deref() == Some(label))
}

/// The block with this label, which must exist.
pub(super) fn existing<'a>(blocks: &'a [Block], label: &str) -> Result<&'a Block, MemoryError> {
    find(blocks, label).ok_or_else(|| {
        let known: Vec<&str> = blocks.iter().filter_map(|block| block.label.as_deref()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        MemoryError::new(format!("There is no memory block '{label}'. Existing blocks: {known}."))
    })
}

/// The block with this label, which must exist and may be written.
pub(super) fn writable<'a>(blocks: &'a [Block], label: &str) -> Result<&'a Block, MemoryError> {
    let block = existing(blocks, label)?;
    if block.read_only {
        return Err(MemoryError::new(format!(
            "The memory block '{label}' is read-only and was not changed."
        )));
    }
    Ok(block)
}

/// Refuses a label that is taken or that the API would refuse.
pub(super) fn new_label(blocks: &[Block], label: &str) -> Result<(), MemoryError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    if label.is_empty() || !label.chars().all(allowed) {
        return Err(MemoryError::new(format!(
            "'{label}' cannot be a block's label: use letters, digits, '_', '-' and '/'."
        )));
    }
    if find(blocks, label).is_some() {
        return Err(MemoryError::new(format!("A memory block '{label}' exists already; edit it instead.")));
    }
    Ok(())
}

/// Refuses text that was copied together with the line numbers of the prompt.
pub(super) fn plain(argument: &str, text: &str) -> Result<(), MemoryError> {
    if text.contains(LINE_NUMBER_WARNING) {
        return Err(MemoryError::new(format!(
            "'{argument}' contains the note about line numbers, which is not part of the block. Leave it out."
        )));
    }
    match text.split('\n').find(|line| is_numbered(line)) {
        None => Ok(()),
        Some(line) => Err(MemoryError::new(format!(
            "'{argument}' contains a line number ('{}'), which is only shown and not part of the block. Leave the \
             numbers and arrows out.",
            line.chars().take(40).collect::<String>()
        ))),
    }
}

fn is_numbered(line: &str) -> bool {
    let rest = line.trim_start_matches([' ', '\t']);
    let after = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    after.len() < rest.len() && after.starts_with('→')
}

/// Refuses a value past the block's limit. A block that is already too long may still be shortened.
pub(super) fn fits(block: &Block, new_value: &str) -> Result<(), MemoryError> {
    let new = new_value.chars().count();
    let limit = usize::try_from(block.limit).unwrap_or(0);
    let current = block.value.chars().count();
    if new <= limit || new < current {
        return Ok(());
    }
    Err(MemoryError::new(format!(
        "The memory block '{}' would hold {new} characters, {} over its limit of {limit} (it holds {current} now). \
         Nothing was changed. Shorten the text or remove something first.",
        label(block),
        new - limit
    )))
}

/// [`fits`] for a block that is about to be made.
pub(super) fn fits_new(label: &str, value: &str) -> Result<(), MemoryError> {
    let new = value.chars().count();
    let limit = usize::try_from(DEFAULT_BLOCK_LIMIT).unwrap_or(0);
    if new <= limit {
        return Ok(());
    }
    Err(MemoryError::new(format!(
        "The new memory block '{label}' would hold {new} characters, {} over the limit of {limit}. Nothing was made.",
        new - limit
    )))
}
