//! What an agent is told about itself and about memory it cannot see.

use std::fmt::Write as _;

use loci_api::{
    ids::{AgentId, ConversationId},
    time::Timestamp,
};

/// Tags that are listed; more are only counted.
const TAGS_SHOWN: usize = 100;

/// The `<memory_metadata>` section.
#[derive(Debug, Clone)]
pub struct Metadata<'a> {
    pub agent_id: &'a AgentId,
    pub conversation_id: Option<&'a ConversationId>,
    pub recompiled_at: Timestamp,
    /// IANA name.
    pub timezone: &'a str,
    pub recall_count: u64,
    pub archival_count: u64,
    pub archive_tags: &'a [String],
}

impl Metadata<'_> {
    /// The section's text.
    #[must_use]
    pub fn render(&self) -> String {
        let conversation = self.conversation_id.map_or("default", ConversationId::as_str);
        let mut out = format!(
            "<memory_metadata>\n- AGENT_ID: {}\n- CONVERSATION_ID: {conversation}\n\
             - System prompt last recompiled: {}\n\
             - {} earlier messages are kept in recall memory; search them with your tools\n",
            self.agent_id,
            self.recompiled_at.for_model(self.timezone),
            self.recall_count,
        );
        if self.archival_count > 0 {
            let _ = writeln!(
                out,
                "- {} passages are kept in archival memory; search them with your tools",
                self.archival_count
            );
        }
        if !self.archive_tags.is_empty() {
            let shown: Vec<&str> = self.archive_tags.iter().take(TAGS_SHOWN).map(String::as_str).collect();
            let _ = write!(out, "- Archival memory tags: {}", shown.join(", "));
            match self.archive_tags.len().saturating_sub(TAGS_SHOWN) {
                0 => out.push('\n'),
                more => {
                    let _ = writeln!(out, " and {more} more");
                }
            }
        }
        out.push_str("</memory_metadata>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_appear_only_when_they_say_something() {
        let agent_id = AgentId::from_trusted("agent-1".into());
        let conversation = ConversationId::from_trusted("conv-2".into());
        let tags = ["tea".to_owned(), "cats".to_owned()];
        let mut metadata = Metadata {
            agent_id: &agent_id,
            conversation_id: None,
            recompiled_at: Timestamp(1_763_665_442_761_437),
            timezone: "Europe/Berlin",
            recall_count: 7,
            archival_count: 0,
            archive_tags: &[],
        };
        assert_eq!(
            metadata.render(),
            "<memory_metadata>\n- AGENT_ID: agent-1\n- CONVERSATION_ID: default\n\
             - System prompt last recompiled: 2025-11-20 08:04:02 PM CET+0100\n\
             - 7 earlier messages are kept in recall memory; search them with your tools\n</memory_metadata>"
        );
        metadata.conversation_id = Some(&conversation);
        metadata.archival_count = 3;
        metadata.archive_tags = &tags;
        let text = metadata.render();
        assert!(text.contains("- CONVERSATION_ID: conv-2\n"), "{text}");
        assert!(text.contains("- 3 passages are kept in archival memory"), "{text}");
        assert!(text.contains("- Archival memory tags: tea, cats\n"), "{text}");
    }
}
