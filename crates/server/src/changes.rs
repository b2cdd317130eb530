//! Changes of blocks that several routes make: who made them, and what follows for the agents that use them.

use loci_api::{
    block::BlockUpdate,
    error::ApiError,
    ids::{AgentId, BlockId, DEFAULT_USER_ID},
    resource::Block,
    time::Timestamp,
};
use loci_store::{
    Connection, StoreError, Thread,
    table::block::{self, Actor, Change},
};

use crate::{
    App,
    error::{Answer, Failure},
    prompt,
};

/// A change that came in over the API.
#[must_use]
pub fn by_api(at: Timestamp) -> Change {
    Change { actor_id: Some(DEFAULT_USER_ID.to_owned()), ..Change::by(Actor::Api, at) }
}

/// The block, or 404 with the text clients look for.
pub fn require_block(conn: &Connection, id: &BlockId) -> Answer<Block> {
    block::get(conn, id)?.ok_or_else(|| block_not_found(id).into())
}

/// 404 for a block that is not there.
#[must_use]
pub fn block_not_found(id: &BlockId) -> ApiError {
    ApiError::not_found(format!("Block with id '{id}' not found"))
}

/// Attaches a block; a second one of the same label is 409.
pub fn attach_block(conn: &Connection, agent_id: &AgentId, block: &Block) -> Answer<()> {
    block::attach(conn, agent_id, &block.id).map_err(|error| match error {
        StoreError::Duplicate { .. } => Failure(ApiError::conflict(format!(
            "CONFLICT: The agent has another block labelled '{}'. Detach that one first, or give this one another label.",
            block.label.as_deref().unwrap_or_default()
        ))),
        other => other.into(),
    })
}

/// Writes the change over the block and brings the prompts of its agents up to date. The block as it is now, and
/// the threads whose message 0 changed.
pub fn update_block(
    conn: &Connection,
    block: Block,
    change: BlockUpdate,
    at: Timestamp,
) -> Answer<(Block, Vec<Thread>)> {
    update_block_over(conn, block, None, change, &by_api(at))
}

/// The same for anybody, refused as 409 unless the block still has the version the change was made from.
pub fn update_block_over(
    conn: &Connection,
    mut block: Block,
    expected_version: Option<i64>,
    change: BlockUpdate,
    by: &Change,
) -> Answer<(Block, Vec<Thread>)> {
    change.apply(&mut block);
    block.last_updated_by_id = Some(DEFAULT_USER_ID.to_owned());
    block::update(conn, &block, expected_version, by).map_err(|error| match error {
        StoreError::Duplicate { .. } => Failure(ApiError::conflict(format!(
            "CONFLICT: An agent this block is attached to has another block labelled '{}'.",
            block.label.as_deref().unwrap_or_default()
        ))),
        other => other.into(),
    })?;
    let mut threads = Vec::new();
    for agent_id in block::agent_ids(conn, &block.id)? {
        threads.extend(prompt::refresh_agent(conn, &agent_id)?);
    }
    let block = require_block(conn, &block.id)?;
    Ok((block, threads))
}

impl App {
    /// A change the person makes in the window, over the version it was made from. The block and its version.
    ///
    /// # Errors
    /// 404 without such a block, 409 if it moved on or the label is taken, 422 for values that do not fit.
    pub async fn edit_block(
        &self,
        id: BlockId,
        expected_version: Option<i64>,
        change: BlockUpdate,
    ) -> Answer<(Block, i64)> {
        change.check()?;
        let (block, version, threads) = self
            .store()
            .try_write(move |tx| {
                let by = Change {
                    actor_id: Some(DEFAULT_USER_ID.to_owned()),
                    ..Change::by(Actor::Person, Timestamp::now())
                };
                let known = require_block(tx, &id)?;
                let (block, threads) = update_block_over(tx, known, expected_version, change, &by)?;
                let version = block::get_versioned(tx, &id)?.ok_or_else(|| block_not_found(&id))?.1;
                Ok::<_, Failure>((block, version, threads))
            })
            .await?;
        threads.iter().for_each(|thread| self.runs().forget_context(thread));
        Ok((block, version))
    }
}
