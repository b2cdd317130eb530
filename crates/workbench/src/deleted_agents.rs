//! `/workbench/deleted-agents`: agents of this machine that were deleted, the way back, and the end.

use axum::{
    Json as Answer, Router,
    extract::State,
    routing::{get, post},
};
use http::StatusCode;
use loci_api::{ids::AgentId, time::Timestamp};
use loci_server::{error::Failure, extract::Segments};
use loci_store::table::deleted_agent::{self, DeletedAgent};
use serde::Serialize;

use crate::{Desk, events::Event};

pub(crate) fn routes() -> Router<Desk> {
    Router::new()
        .route("/deleted-agents", get(list))
        .route("/deleted-agents/{id}", axum::routing::delete(remove))
        .route("/deleted-agents/{id}/restore", post(restore))
}

#[derive(Debug, Serialize)]
struct Kept {
    id: AgentId,
    name: String,
    deleted_at: Timestamp,
    /// From then on it is gone for good.
    kept_until: Timestamp,
}

impl From<DeletedAgent> for Kept {
    fn from(agent: DeletedAgent) -> Self {
        let kept_until = agent.kept_until();
        let DeletedAgent { id, name, deleted_at } = agent;
        Self { id, name, deleted_at, kept_until }
    }
}

/// The last deleted first.
async fn list(State(desk): State<Desk>) -> Result<Answer<Vec<Kept>>, Failure> {
    let kept = desk.app().store().read(|conn| deleted_agent::list(conn, Timestamp::now())).await?;
    Ok(Answer(kept.into_iter().map(Kept::from).collect()))
}

async fn restore(State(desk): State<Desk>, Segments(id): Segments<String>) -> Result<StatusCode, Failure> {
    let id: AgentId = id.parse()?;
    desk.app().restore_agent(id.clone()).await?;
    tell(&desk, &id);
    Ok(StatusCode::NO_CONTENT)
}

/// For good, at once.
async fn remove(State(desk): State<Desk>, Segments(id): Segments<String>) -> Result<StatusCode, Failure> {
    let id: AgentId = id.parse()?;
    desk.app().remove_deleted_agent(&id).await?;
    tell(&desk, &id);
    Ok(StatusCode::NO_CONTENT)
}

fn tell(desk: &Desk, id: &AgentId) {
    desk.events().tell(Event::AgentChanged { agent_id: Some(id.to_string()) });
}
