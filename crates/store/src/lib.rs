//! SQLite: the only place that knows SQL. It keeps agents, blocks with every version, messages, what is in each
//! context window, runs, steps and settings in one file, and must not know HTTP, models or what an agent does.
//!
//! Begin with [`Store`] (the asynchronous door: one writer, a few readers), then [`table`]: one module per table,
//! plain synchronous functions over a connection, so that several of them make one transaction inside
//! [`Store::write`].

mod error;
pub mod frames;
pub mod maintain;
mod migrate;
mod open;
mod page;
mod row;
pub mod table;
mod thread;

pub use error::StoreError;
pub use open::{Claim, Store, claim};
pub use page::Page;
pub use rusqlite::{Connection, Transaction};
pub use thread::Thread;
