//! Models over real HTTP, against the fake model: every protocol, failures, lists, embeddings.
#![allow(clippy::unwrap_used, reason = "tests")]

mod embeddings;
mod exchange;
mod failures;
mod lists;
mod support;
