//! The store at its seam: temp files, no mocks.
#![allow(clippy::unwrap_used, reason = "tests")]

mod agents;
mod archives;
mod blocks;
mod conversations;
mod deleted_agents;
mod fixture;
mod killed;
mod maintain;
mod messages;
mod open;
mod paging;
mod runs;
mod search;
mod small_tables;
mod tools;
mod usage;
