//! The local backend: routes, runs, streaming; where engine, store, llm and tools meet.
//!
//! It is one `axum::Router` over one [`App`], called in process by the window and over TCP by everyone else. It
//! must not know Tauri, windows or approval rules. Begin with [`open`] and [`router`]; a resource's handlers are
//! in `routes/<resource>.rs`.

mod agents;
mod app;
pub mod archival;
mod between_agents;
mod changes;
mod code_with_tools;
mod compact;
mod complete;
pub mod confined;
mod conversations;
mod custom_tool;
pub mod embedding;
pub mod error;
pub mod extract;
mod fork;
mod guard;
mod journal;
pub mod model;
mod names;
mod openapi;
mod outbound;
mod page;
mod ports;
pub mod preflight;
pub mod prompt;
pub mod providers;
mod router;
mod routes;
mod run_tool;
pub mod runs;
pub mod secrets;
mod stream;
mod tool_call;
mod tool_search;
pub mod tools;
mod trial;
pub mod usage;

pub use app::{App, Options, open};
pub use guard::{Guard, guarded};
pub use loci_tools::sandbox::run_helper_if_asked;
pub use openapi::document as openapi_document;
pub use router::router;
pub use routes::agent_tools::CONFINEMENT;
pub use trial::{Trial, TrialEvent, TrialResult, interpreters, try_tool};

/// The server version whose API this one speaks, as `/v1/health` reports it. Clients refuse or warn below 0.16.6.
pub const COMPATIBLE_VERSION: &str = "0.16.8";
