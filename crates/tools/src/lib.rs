//! What a tool is: the built-in ones, the JSON schema of one's own source, and running source in a confined
//! process.
//!
//! This crate knows nothing of agents' state, rules, approvals or storage: it is given source, arguments and
//! variables, and answers with a schema or a result. A failing tool is a result, not an error of ours.
//!
//! Begin with [`builtin`] for the tools that always exist, [`schema::derive`] for what a model is told about a
//! person's own tool, and [`sandbox::Sandbox::run`] for how it runs.

pub mod builtin;
pub mod egress;
pub mod process_group;
pub mod sandbox;
pub mod schema;
pub mod source;
