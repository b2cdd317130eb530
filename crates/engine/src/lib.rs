//! What an agent does: the turn machine and its driver, what the model is shown, edits of memory, tool rules.
//!
//! It must not know how anything is stored, which provider answers, or how tools run: all of that comes in
//! through [`ports`]. Begin with [`turn`] (the machine, no I/O) and [`driver`] (which runs its effects).

pub mod arguments;
pub mod compaction;
pub mod context;
pub mod driver;
pub mod input;
pub mod memory;
pub mod pending;
pub mod ports;
pub mod returns;
pub mod rules;
pub mod search;
#[cfg(test)]
mod testing;
pub mod turn;
