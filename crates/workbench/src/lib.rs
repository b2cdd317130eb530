//! The desk: what belongs to this person at this machine and does not depend on where agents run. Secrets and
//! model providers, the approval inbox with its decisions and log, client tools, settings, an event stream.
//!
//! It speaks HTTP only (`/workbench/*`, beside `/v1/*` which it passes to the connection in use) and must not know
//! Tauri or how an agent works. Begin with [`Desk`] and [`router()`]; `approvals/answer.rs` is the longest way
//! through it.

mod approvals;
mod backup;
mod blocks;
mod client_tools;
mod connections;
mod deleted_agents;
mod desk;
mod embedding;
mod events;
mod extract;
mod forward;
pub mod listen;
mod local_server;
mod preflight;
mod providers;
mod router;
pub mod rules;
mod runtimes;
pub mod secrets;
pub mod sentences;
mod settings;
mod setup;
mod status;
mod tools;
mod usage;

pub use desk::{Connection, Desk, DeskOptions};
pub use events::Event;
pub use forward::{BrokenOff, Limits};
pub use local_server::Serving;
pub use router::{programs, router, served};
pub use runtimes::Places;
pub use setup::{DATABASE, Setup, default_data_dir, secrets_file};
