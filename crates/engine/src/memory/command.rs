//! The `memory` tool: blocks as files under `/memories/`, with one command per call.

use loci_api::resource::Block;
use serde_json::Value;

use super::{BlockChange, MemoryEdit, MemoryError, create, guard, insert, replace_once};

pub(super) fn run(args: &guard::Args<'_>, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    match args.text("command")? {
        "create" => {
            let label = path_label(args.text("path")?);
            let Some(description) = args.optional("description")?.filter(|text| !text.trim().is_empty())
            else {
                return Err(MemoryError::new(
                    "A new memory block needs a description of what belongs in it.",
                ));
            };
            let value = args.optional("file_text")?.unwrap_or_default();
            guard::plain("file_text", value)?;
            let change = create(blocks, label, Some(description), value)?;
            done(change, format!("Created the memory block '{label}'."))
        }
        "str_replace" => {
            let block = writable(blocks, args.text("path")?)?;
            replace_once(block, args.text("old_string")?, args.optional("new_string")?.unwrap_or_default())
        }
        "insert" => {
            let block = writable(blocks, args.text("path")?)?;
            insert(block, args.text("insert_text")?, args.integer("insert_line")?)
        }
        "delete" => {
            let block = writable(blocks, args.text("path")?)?;
            let label = guard::label(block);
            let text = format!("The memory block '{label}' no longer belongs to you.");
            done(BlockChange::Detach { id: block.id.clone(), label }, text)
        }
        "rename" => rename(args, blocks),
        "view" => view(args.optional("path")?, blocks),
        other => Err(MemoryError::new(format!(
            "'{other}' is not a command of memory: use create, str_replace, insert, delete, rename or view."
        ))),
    }
}

/// `rename` does two things: with two paths it moves a block, with a path and a description it describes one.
fn rename(args: &guard::Args<'_>, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    if let (Some(from), Some(to)) = (args.optional("old_path")?, args.optional("new_path")?) {
        let block = writable(blocks, from)?;
        let to = path_label(to);
        guard::new_label(blocks, to)?;
        let from = guard::label(block);
        let text = format!("Renamed the memory block '{from}' to '{to}'.");
        return done(BlockChange::Rename { id: block.id.clone(), from, to: to.to_owned() }, text);
    }
    match (args.optional("path")?, args.optional("description")?) {
        (Some(path), Some(description)) => {
            let block = writable(blocks, path)?;
            let label = guard::label(block);
            let text = format!("Changed the description of the memory block '{label}'.");
            let description = description.to_owned();
            done(BlockChange::Describe { id: block.id.clone(), label, description }, text)
        }
        _ => Err(MemoryError::new(
            "rename needs old_path and new_path, or path and description to change what a block is for.",
        )),
    }
}

fn view(path: Option<&str>, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    let path = path.unwrap_or_default();
    let result = match path.trim_end_matches('/') {
        "" | "/memories" => {
            let names: Vec<String> =
                blocks.iter().map(|block| format!("/memories/{}", guard::label(block))).collect();
            names.join("\n")
        }
        path => resolve(blocks, path)?.value.clone(),
    };
    Ok(MemoryEdit { changes: Vec::new(), result: Value::String(result) })
}

fn done(change: BlockChange, text: String) -> Result<MemoryEdit, MemoryError> {
    Ok(MemoryEdit { changes: vec![change], result: Value::String(text) })
}

fn path_label(path: &str) -> &str {
    path.strip_prefix("/memories/").unwrap_or_else(|| path.strip_prefix('/').unwrap_or(path))
}

/// The block at a path. Labels may hold slashes; where they do not, a slash stands for an underscore.
fn resolve<'a>(blocks: &'a [Block], path: &str) -> Result<&'a Block, MemoryError> {
    let label = path_label(path);
    match guard::find(blocks, &label.replace('/', "_")) {
        Some(block) if guard::find(blocks, label).is_none() => Ok(block),
        _ => guard::existing(blocks, label),
    }
}

fn writable<'a>(blocks: &'a [Block], path: &str) -> Result<&'a Block, MemoryError> {
    let label = guard::label(resolve(blocks, path)?);
    guard::writable(blocks, &label)
}
