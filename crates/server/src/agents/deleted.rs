//! Deleted agents: the way back, and the end.

use loci_api::{error::ApiError, ids::AgentId, time::Timestamp};
use loci_store::{StoreError, table::deleted_agent};

use crate::{
    App,
    agents::variables,
    error::{Answer, Failure},
    prompt,
};

/// 404 for an agent that was not deleted, or so long ago that it is gone.
fn not_kept(id: &AgentId) -> ApiError {
    ApiError::not_found(format!(
        "No deleted agent with id '{id}' is kept. Deleted agents can be brought back for 30 days."
    ))
}

impl App {
    /// Brings a deleted agent back with everything it had.
    ///
    /// # Errors
    /// 404 if it is not kept, 409 if something with one of its ids is there by now.
    pub async fn restore_agent(&self, id: AgentId) -> Answer<()> {
        let threads = self
            .store()
            .try_write(move |tx| {
                if !deleted_agent::restore(tx, &id, Timestamp::now()).map_err(in_the_way)? {
                    return Err(Failure(not_kept(&id)));
                }
                // Its blocks may have changed while it was away.
                Ok(prompt::refresh_agent(tx, &id)?)
            })
            .await?;
        threads.iter().for_each(|thread| self.runs().forget_context(thread));
        Ok(())
    }

    /// Lets a deleted agent go for good, the values of its variables with it.
    ///
    /// # Errors
    /// 404 if it is not kept.
    pub async fn remove_deleted_agent(&self, id: &AgentId) -> Answer<()> {
        let of = id.clone();
        let names = self
            .store()
            .try_write(move |tx| {
                let names = deleted_agent::variables(tx, &of)?;
                if deleted_agent::remove(tx, &of)? { Ok(names) } else { Err(Failure(not_kept(&of))) }
            })
            .await?;
        variables::forget(self, id, &names).await;
        Ok(())
    }
}

fn in_the_way(error: StoreError) -> Failure {
    match error {
        StoreError::Duplicate { what: "agent id", value } => Failure(ApiError::conflict(format!(
            "CONFLICT: There is an agent with the id '{value}' again. Delete that one first to bring this one back."
        ))),
        StoreError::Duplicate { what, value } => Failure(ApiError::conflict(format!(
            "CONFLICT: The agent cannot come back: its {what} '{value}' is taken by something made since."
        ))),
        other => other.into(),
    }
}
