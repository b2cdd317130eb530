//! What the model is shown: the system prompt, section by section, and the request built from the history.
//!
//! Begin with [`compile`] (message 0) and [`request`] (everything else).

pub mod base;
mod blocks;
mod metadata;
pub mod request;
mod rules;
mod section;
mod skills;

use loci_api::{
    ids::{AgentId, ConversationId},
    resource::Block,
    rules::ToolRule,
    time::Timestamp,
};

pub use blocks::{LINE_NUMBER_WARNING, numbers_lines, render_blocks};
pub use metadata::Metadata;
pub use rules::render_rules;
pub use skills::render_skills;

/// Everything the system prompt is made of.
#[derive(Debug, Clone)]
pub struct SystemInput<'a> {
    /// As the API writes it, for example `letta_v1_agent`.
    pub agent_type: &'a str,
    /// The agent's `system`. A literal `{CORE_MEMORY}` in it says where the memory goes; without one it is
    /// appended.
    pub template: &'a str,
    /// In the order in which the agent holds them.
    pub blocks: &'a [Block],
    /// Whether values are shown with line numbers; [`numbers_lines`] knows.
    pub line_numbers: bool,
    pub rules: &'a [ToolRule],
    pub agent_id: &'a AgentId,
    /// `None` is the default conversation.
    pub conversation_id: Option<&'a ConversationId>,
    /// When this text is made.
    pub recompiled_at: Timestamp,
    /// IANA name.
    pub timezone: &'a str,
    /// Messages of the agent that are stored but not in the context window.
    pub recall_count: u64,
    /// Passages in archival memory.
    pub archival_count: u64,
    /// Tags used in the archive.
    pub archive_tags: &'a [String],
}

const PLACE: &str = "{CORE_MEMORY}";

/// The text of message 0: the agent's own text with blocks, tool rules and metadata in it.
///
/// Only the template's first `{CORE_MEMORY}` is a placeholder; the same characters inside a block stay text.
#[must_use]
pub fn compile(input: &SystemInput<'_>) -> String {
    let memory = compile_memory(input);
    match input.template.split_once(PLACE) {
        Some((before, after)) => format!("{before}{memory}{after}"),
        None => format!("{}\n\n{memory}", input.template),
    }
}

/// The part of the system prompt that Loci writes: blocks, tool rules, metadata. Compare it between two
/// compilations to see whether memory changed.
#[must_use]
pub fn compile_memory(input: &SystemInput<'_>) -> String {
    let mut sections = Vec::with_capacity(3);
    // Agents of these two kinds keep no blocks in their prompt.
    if !matches!(input.agent_type, "react_agent" | "workflow_agent") {
        sections.push(render_blocks(input.blocks, input.line_numbers));
    }
    sections.push(render_rules(input.rules));
    sections.push(
        Metadata {
            agent_id: input.agent_id,
            conversation_id: input.conversation_id,
            recompiled_at: input.recompiled_at,
            timezone: input.timezone,
            recall_count: input.recall_count,
            archival_count: input.archival_count,
            archive_tags: input.archive_tags,
        }
        .render(),
    );
    sections.retain(|section| !section.is_empty());
    sections.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block;

    fn compiled(template: &str, blocks: &[Block]) -> String {
        let agent_id = AgentId::from_trusted("agent-1".into());
        compile(&SystemInput {
            agent_type: "letta_v1_agent",
            template,
            blocks,
            line_numbers: false,
            rules: &[],
            agent_id: &agent_id,
            conversation_id: None,
            recompiled_at: Timestamp(1_763_665_442_761_437),
            timezone: "UTC",
            recall_count: 0,
            archival_count: 0,
            archive_tags: &[],
        })
    }

    #[test]
    fn memory_goes_where_the_template_says_and_nowhere_else() {
        let sneaky = block("human", "I am {CORE_MEMORY} myself");
        let text = compiled("Before {CORE_MEMORY} after {CORE_MEMORY}", &[sneaky]);
        assert!(text.starts_with("Before <memory_blocks>"), "{text}");
        assert!(text.ends_with("</memory_metadata> after {CORE_MEMORY}"), "{text}");
        assert!(text.contains("I am {CORE_MEMORY} myself"));
        assert_eq!(text.matches("<memory_blocks>").count(), 1);
    }

    #[test]
    fn without_a_place_memory_is_appended() {
        let text = compiled("Be kind.", &[]);
        assert!(text.starts_with("Be kind.\n\n<memory_metadata>\n"), "{text}");
    }
}
