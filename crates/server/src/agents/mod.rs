//! Agents as a whole: what is shown of one, how one is created and changed. One transaction each.

pub mod create;
pub mod deleted;
pub mod settings;
pub mod state;
pub mod update;
pub mod variables;

pub use state::Include;
