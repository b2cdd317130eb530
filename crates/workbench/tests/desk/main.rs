//! The desk as a window meets it: requests to its router over a real database, no network.
#![allow(clippy::unwrap_used, reason = "tests")]

mod approvals;
mod blocks;
mod changed;
mod client_tools;
mod connections;
mod deleted_agents;
mod elsewhere;
mod embedding;
mod events;
mod fixture;
mod forwarding;
mod local_server;
mod preflight;
mod providers;
mod rules;
#[cfg(unix)]
mod runtimes;
mod scene;
mod settings;
mod usage;
