//! The name of one line of conversation with an agent.

use loci_api::ids::{AgentId, ConversationId};

/// An agent's default thread, or one of its conversations.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Thread {
    pub agent_id: AgentId,
    /// `None` is the agent's default thread.
    pub conversation_id: Option<ConversationId>,
}

impl Thread {
    /// A thread of this agent.
    #[must_use]
    pub fn new(agent_id: AgentId, conversation_id: Option<ConversationId>) -> Self {
        Self { agent_id, conversation_id }
    }

    /// Under which its context is kept: the conversation's id, or the agent's for the default thread.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.conversation_id {
            Some(conversation) => conversation.as_str(),
            None => self.agent_id.as_str(),
        }
    }
}
