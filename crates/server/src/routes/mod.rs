//! One file per resource; each offers `routes()` with paths below `/v1`, without trailing slash.

use axum::Router;

use crate::App;

pub(crate) mod agent_tools;
pub(crate) mod agents;
pub(crate) mod archives;
pub(crate) mod blocks;
pub(crate) mod compaction;
pub(crate) mod completions;
pub(crate) mod context;
pub(crate) mod conversation_messages;
pub(crate) mod conversations;
pub(crate) mod core_memory;
pub(crate) mod health;
pub(crate) mod message_search;
pub(crate) mod messages;
pub(crate) mod models;
pub(crate) mod passages;
pub(crate) mod providers;
pub(crate) mod runs;
pub(crate) mod steps;
pub(crate) mod tags;
pub(crate) mod tools;

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .merge(agent_tools::routes())
        .merge(agents::routes())
        .merge(archives::routes())
        .merge(blocks::routes())
        .merge(compaction::routes())
        .merge(completions::routes())
        .merge(context::routes())
        .merge(conversation_messages::routes())
        .merge(conversations::routes())
        .merge(core_memory::routes())
        .merge(health::routes())
        .merge(message_search::routes())
        .merge(messages::routes())
        .merge(models::routes())
        .merge(passages::routes())
        .merge(providers::routes())
        .merge(runs::routes())
        .merge(steps::routes())
        .merge(tags::routes())
        .merge(tools::routes())
}
