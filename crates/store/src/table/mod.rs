//! One module per table: what its rows are, and every statement that reads or writes them.

pub mod agent;
pub mod agent_secret;
pub mod approval_audit;
pub mod block;
pub mod block_version;
pub mod context;
pub mod conversation;
pub mod identity;
pub mod message;
pub mod message_search;
pub mod pending_approval;
pub mod provider;
pub mod run;
pub mod run_event;
pub mod setting;
pub mod step;
pub mod step_trace;
pub mod tool;
pub mod tool_journal;
pub mod tool_settings;
pub mod tool_test_run;
pub mod tool_version;
pub mod user;
