//! The machine-readable description of every route, at `/openapi.json`.

use axum::{Json, Router, routing::get};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::routes::{
    agent_tools, agents, archives, blocks, compaction, completions, context, conversation_messages,
    conversations, core_memory, health, message_search, messages, models, passages, providers, runs, steps,
    tags, tools,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Loci", description = "Agents that remember, on this machine. Speaks the public Letta V1 API."),
    security(("bearerAuth" = [])),
    modifiers(&BearerToken),
    paths(
        agent_tools::approval, agent_tools::attach, agent_tools::detach, agent_tools::list, agent_tools::run,
        agents::count, agents::create, agents::delete, agents::list, agents::modify, agents::recompile,
        agents::reset_messages, agents::retrieve,
        archives::agents, archives::attach, archives::create, archives::create_passage, archives::create_passages,
        archives::delete, archives::delete_passage, archives::detach, archives::list, archives::modify,
        archives::retrieve,
        blocks::agents, blocks::count, blocks::create, blocks::delete, blocks::list, blocks::modify, blocks::retrieve,
        compaction::compact, compaction::summarize,
        completions::generate,
        context::overview,
        conversation_messages::cancel, conversation_messages::create, conversation_messages::list,
        conversation_messages::preview, conversation_messages::resume,
        conversations::create, conversations::delete, conversations::fork, conversations::list, conversations::modify,
        conversations::recompile, conversations::retrieve,
        core_memory::attach, core_memory::detach, core_memory::list, core_memory::memory, core_memory::modify,
        core_memory::retrieve,
        health::check, health::ready,
        message_search::list, message_search::search, message_search::search_rows,
        messages::cancel, messages::create, messages::create_async, messages::create_stream, messages::list,
        messages::preview, messages::retrieve,
        models::embeddings, models::list,
        passages::create, passages::delete, passages::list, passages::search, passages::search_of_agent,
        providers::check, providers::check_existing, providers::create, providers::delete, providers::list,
        providers::modify, providers::refresh, providers::retrieve,
        runs::delete, runs::list, runs::messages, runs::metrics, runs::resume, runs::retrieve, runs::steps, runs::trace, runs::usage,
        steps::feedback, steps::list, steps::messages, steps::metrics, steps::retrieve, steps::trace,
        tags::list,
        tools::add_base_tools, tools::count, tools::create, tools::delete, tools::generate_schema, tools::list,
        tools::modify, tools::retrieve, tools::run, tools::search, tools::upsert,
    )
)]
struct Document;

struct BearerToken;

impl Modify for BearerToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        document.components.get_or_insert_default().add_security_scheme("bearerAuth", scheme);
    }
}

/// The document itself, also for generating types from it.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

pub(crate) fn routes() -> Router {
    Router::new().route("/openapi.json", get(async || Json(document())))
}
