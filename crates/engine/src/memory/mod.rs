//! The tools with which an agent edits its own blocks, as pure functions: blocks and arguments in, changes out.
//!
//! The caller reads the blocks, calls [`edit`] and writes the changes inside one transaction; then no edit can
//! undo another's. Begin with [`edit`].

mod command;
mod guard;
mod patch;
mod text;

use loci_api::{ids::BlockId, resource::Block};
use serde_json::{Map, Value};

/// The names [`edit`] answers to.
pub const TOOLS: [&str; 8] = [
    "core_memory_append",
    "core_memory_replace",
    "memory",
    "memory_replace",
    "memory_insert",
    "memory_rethink",
    "memory_finish_edits",
    "memory_apply_patch",
];

/// One thing to write. Blocks are named by id where they exist already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockChange {
    Update {
        id: BlockId,
        label: String,
        new_value: String,
    },
    /// A new block, attached to the agent.
    Create {
        label: String,
        description: Option<String>,
        value: String,
    },
    /// The block leaves the agent; its row stays.
    Detach {
        id: BlockId,
        label: String,
    },
    Rename {
        id: BlockId,
        from: String,
        to: String,
    },
    Describe {
        id: BlockId,
        label: String,
        description: String,
    },
}

/// What a memory tool did.
#[derive(Debug, Clone, PartialEq)]
pub struct MemoryEdit {
    /// To be written in this order, all or none.
    pub changes: Vec<BlockChange>,
    /// The tool's return for the model.
    pub result: Value,
}

/// Why a memory tool did nothing; the sentence is the tool's error return.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MemoryError(pub String);

impl MemoryError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Carries out one memory tool on the agent's blocks, as they are now.
///
/// # Errors
/// A sentence for the model: a block that is missing, read-only or would grow past its limit, text that does not
/// occur or occurs more than once, arguments that are missing or of the wrong type. Nothing is changed then.
pub fn edit(tool_name: &str, args: &Map<String, Value>, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    let args = guard::Args::new(tool_name, args);
    match tool_name {
        "core_memory_append" => {
            let content = args.text("content")?;
            guard::plain("content", content)?;
            let block = guard::writable(blocks, args.text("label")?)?;
            update(block, format!("{}\n{content}", block.value))
        }
        "core_memory_replace" => {
            let (old, new) = (args.text("old_content")?, args.text("new_content")?);
            guard::plain("old_content", old)?;
            guard::plain("new_content", new)?;
            let block = guard::writable(blocks, args.text("label")?)?;
            update(block, text::replace_all(block, old, new)?)
        }
        "memory_replace" => {
            let block = guard::writable(blocks, args.text("label")?)?;
            replace_once(block, args.text("old_string")?, args.text("new_string")?)
        }
        "memory_insert" => {
            let block = guard::writable(blocks, args.text("label")?)?;
            insert(block, args.text("new_string")?, args.integer("insert_line")?)
        }
        "memory_rethink" => {
            let (label, value) = (args.text("label")?, args.text("new_memory")?);
            guard::plain("new_memory", value)?;
            match guard::find(blocks, label) {
                Some(_) => update(guard::writable(blocks, label)?, value.to_owned()),
                None => create(blocks, label, None, value).map(|change| MemoryEdit {
                    result: Value::String(value.to_owned()),
                    changes: vec![change],
                }),
            }
        }
        "memory_finish_edits" => Ok(MemoryEdit { changes: Vec::new(), result: Value::Null }),
        "memory_apply_patch" => patch::apply(args.text("label")?, args.text("patch")?, blocks),
        "memory" => command::run(&args, blocks),
        other => Err(MemoryError::new(format!("{other} is not a memory tool."))),
    }
}

fn update(block: &Block, new_value: String) -> Result<MemoryEdit, MemoryError> {
    guard::fits(block, &new_value)?;
    Ok(MemoryEdit {
        result: Value::String(new_value.clone()),
        changes: vec![BlockChange::Update { id: block.id.clone(), label: guard::label(block), new_value }],
    })
}

fn replace_once(block: &Block, old: &str, new: &str) -> Result<MemoryEdit, MemoryError> {
    guard::plain("old_string", old)?;
    guard::plain("new_string", new)?;
    update(block, text::replace_once(block, old, new)?)
}

fn insert(block: &Block, new: &str, line: Option<i64>) -> Result<MemoryEdit, MemoryError> {
    guard::plain("new_string", new)?;
    update(block, text::insert(block, new, line.unwrap_or(-1))?)
}

fn create(
    blocks: &[Block],
    label: &str,
    description: Option<&str>,
    value: &str,
) -> Result<BlockChange, MemoryError> {
    guard::new_label(blocks, label)?;
    guard::fits_new(label, value)?;
    Ok(BlockChange::Create {
        label: label.to_owned(),
        description: description.map(str::to_owned),
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests;
