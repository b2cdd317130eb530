//! The contract: ids, moments, wire types of `/v1`, errors, and the vocabulary in which an agent talks to a
//! model. Plain data and pure functions; it must not know how anything is stored, sent or run.
//!
//! Begin with [`message`] (what is stored) and [`resource`] (what has an id).

pub mod agent;
pub mod archive;
pub mod block;
pub mod chat;
pub mod conversation;
pub mod error;
pub mod ids;
pub mod message;
pub mod parse;
pub mod provider;
pub mod request;
pub mod resource;
pub mod rules;
pub mod said;
pub mod summary;
pub mod time;
pub mod tool;
pub mod wire;
