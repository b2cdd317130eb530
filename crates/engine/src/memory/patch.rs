//! `memory_apply_patch`: a plain patch of one block, or several operations on blocks; all of it or nothing.

use loci_api::resource::Block;
use serde_json::Value;

use super::{BlockChange, MemoryEdit, MemoryError, create, guard};

pub(super) fn apply(label: &str, patch: &str, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    if patch.lines().any(|line| operation(line).is_some()) {
        return apply_operations(patch, blocks);
    }
    let block = guard::writable(blocks, label)?;
    let new_value = patched(label, &block.value, patch.lines())?;
    super::update(block, new_value)
}

/// The head line of an operation on a whole block.
enum Head<'a> {
    Add(&'a str),
    Delete(&'a str),
    Update(&'a str),
}

fn operation(line: &str) -> Option<Head<'_>> {
    let rest = line.strip_prefix("*** ")?;
    let label = |prefix: &str| rest.strip_prefix(prefix).map(str::trim);
    label("Add Block:")
        .map(Head::Add)
        .or_else(|| label("Delete Block:").map(Head::Delete))
        .or_else(|| label("Update Block:").map(Head::Update))
}

/// Runs the operations one after the other on a copy of the blocks, so that a later one sees the earlier ones,
/// and hands out all changes or the first error.
fn apply_operations(patch: &str, blocks: &[Block]) -> Result<MemoryEdit, MemoryError> {
    let lines: Vec<&str> = patch.lines().collect();
    let starts: Vec<usize> = (0..lines.len()).filter(|at| operation(lines[*at]).is_some()).collect();
    let mut now = blocks.to_vec();
    let mut changes = Vec::new();
    let mut report = Vec::new();
    for (position, start) in starts.iter().enumerate() {
        let end = starts.get(position + 1).copied().unwrap_or(lines.len());
        let Some(head) = operation(lines[*start]) else { continue };
        let body = &lines[start + 1..end];
        let move_to = body.iter().find_map(|line| line.strip_prefix("*** Move to:")).map(str::trim);
        let label = match head {
            Head::Add(label) => {
                let (change, value) = added(&now, label, body)?;
                now.push(stand_in(label, value));
                changes.push(change);
                report.push(format!("Created the memory block '{label}'."));
                label
            }
            Head::Delete(label) => {
                let block = guard::writable(&now, label)?;
                changes.push(BlockChange::Detach { id: block.id.clone(), label: label.to_owned() });
                now.retain(|block| block.label.as_deref() != Some(label));
                report.push(format!("The memory block '{label}' no longer belongs to you."));
                if move_to.is_some() {
                    return Err(MemoryError::new("A block cannot be deleted and moved at once."));
                }
                continue;
            }
            Head::Update(label) => {
                let block = guard::writable(&now, label)?;
                let hunks = body.iter().copied().filter(|line| !line.starts_with("*** "));
                // Renaming alone is an update without hunks.
                let has_hunk = hunks.clone().any(|line| line.starts_with(['+', '-', ' ']));
                if has_hunk || move_to.is_none() {
                    let new_value = patched(label, &block.value, hunks)?;
                    guard::fits(block, &new_value)?;
                    write_value(&mut changes, block, label, &new_value);
                    if let Some(block) = now.iter_mut().find(|block| block.label.as_deref() == Some(label)) {
                        block.value = new_value;
                    }
                    report.push(format!("Updated the memory block '{label}'."));
                }
                label
            }
        };
        if let Some(to) = move_to {
            guard::new_label(&now, to)?;
            rename(&mut changes, &now, label, to);
            if let Some(block) = now.iter_mut().find(|block| block.label.as_deref() == Some(label)) {
                block.label = Some(to.to_owned());
            }
            report.push(format!("Renamed the memory block '{label}' to '{to}'."));
        }
    }
    let result = Value::Array(report.into_iter().map(Value::String).collect());
    Ok(MemoryEdit { changes, result })
}

/// A block that this very patch makes has no id yet; its creation is changed instead of being followed.
fn stand_in(label: &str, value: String) -> Block {
    Block::new(loci_api::ids::BlockId::from_trusted(String::new()), label, value)
}

fn pending_creation<'a>(
    changes: &'a mut [BlockChange],
    wanted: &str,
) -> Option<(&'a mut String, &'a mut String)> {
    changes.iter_mut().rev().find_map(|change| match change {
        BlockChange::Create { label, value, .. } if label == wanted => Some((label, value)),
        BlockChange::Create { .. }
        | BlockChange::Update { .. }
        | BlockChange::Detach { .. }
        | BlockChange::Rename { .. }
        | BlockChange::Describe { .. } => None,
    })
}

fn write_value(changes: &mut Vec<BlockChange>, block: &Block, label: &str, new_value: &str) {
    if block.id.as_str().is_empty() {
        if let Some((_, value)) = pending_creation(changes, label) {
            *value = new_value.to_owned();
        }
    } else {
        let (id, label, new_value) = (block.id.clone(), label.to_owned(), new_value.to_owned());
        changes.push(BlockChange::Update { id, label, new_value });
    }
}

fn rename(changes: &mut Vec<BlockChange>, now: &[Block], from: &str, to: &str) {
    match guard::find(now, from) {
        Some(block) if !block.id.as_str().is_empty() => {
            changes.push(BlockChange::Rename {
                id: block.id.clone(),
                from: from.to_owned(),
                to: to.to_owned(),
            });
        }
        _ => {
            if let Some((label, _)) = pending_creation(changes, from) {
                to.clone_into(label);
            }
        }
    }
}

fn added(now: &[Block], label: &str, body: &[&str]) -> Result<(BlockChange, String), MemoryError> {
    let description = body.iter().find_map(|line| line.strip_prefix("Description:")).map(str::trim);
    let value: Vec<&str> = body.iter().filter_map(|line| line.strip_prefix('+')).collect();
    let value = value.join("\n");
    guard::plain("patch", &value)?;
    Ok((create(now, label, description, &value)?, value))
}

/// One hunk: what must be there, and what comes in its place.
#[derive(Default)]
struct Hunk<'a> {
    before: Vec<&'a str>,
    after: Vec<&'a str>,
    changes: bool,
}

/// `value` with the hunks in `lines` applied, each where its context occurs exactly once.
fn patched<'a>(
    label: &str,
    value: &str,
    lines: impl Iterator<Item = &'a str>,
) -> Result<String, MemoryError> {
    let mut current: Vec<String> =
        if value.is_empty() { Vec::new() } else { value.split('\n').map(str::to_owned).collect() };
    let hunks = hunks(lines);
    if hunks.is_empty() {
        return Err(MemoryError::new(
            "The patch contains no change: mark lines with '+', '-' or a leading space.",
        ));
    }
    for (number, hunk) in hunks.iter().enumerate() {
        guard::plain("patch", &hunk.after.join("\n"))?;
        let new = hunk.after.iter().map(|line| (*line).to_owned());
        if hunk.before.is_empty() {
            current.extend(new);
            continue;
        }
        let width = hunk.before.len();
        let found: Vec<usize> = current
            .windows(width)
            .enumerate()
            .filter(|(_, window)| window.iter().zip(&hunk.before).all(|(have, want)| have == want))
            .map(|(at, _)| at)
            .collect();
        let [at] = found.as_slice() else {
            let times = match found.len() {
                0 => "does not occur".to_owned(),
                several => format!("occurs {several} times"),
            };
            return Err(MemoryError::new(format!(
                "Hunk {} of the patch: its context {times} in the memory block '{label}'; it must occur exactly once. \
                 Nothing was changed.",
                number + 1
            )));
        };
        current.splice(*at..at + width, new);
    }
    Ok(current.join("\n"))
}

fn hunks<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Hunk<'a>> {
    let mut all = vec![Hunk::default()];
    for line in lines {
        if line.starts_with("---") || line.starts_with("+++") || line.starts_with("*** ") {
            continue;
        }
        if line.starts_with("@@") {
            all.push(Hunk::default());
            continue;
        }
        let Some(hunk) = all.last_mut() else { continue };
        if line.is_empty() {
            hunk.before.push("");
            hunk.after.push("");
        } else if let Some(kept) = line.strip_prefix(' ') {
            hunk.before.push(kept);
            hunk.after.push(kept);
        } else if let Some(gone) = line.strip_prefix('-') {
            hunk.before.push(gone);
            hunk.changes = true;
        } else if let Some(new) = line.strip_prefix('+') {
            hunk.after.push(new);
            hunk.changes = true;
        }
    }
    all.retain(|hunk| hunk.changes);
    all
}
