//! Models over real HTTP, against the fake model: both protocols, failures, lists.
#![allow(clippy::unwrap_used, reason = "tests")]

mod exchange;
mod failures;
mod lists;
mod support;
