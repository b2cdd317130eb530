//! Memory blocks as they stand in the system prompt. Clients and tests parse this layout; keep every byte.

use std::fmt::Write as _;

use loci_api::resource::Block;

use super::section::capped;

const INTRODUCTION: &str = "The blocks below are your core memory. They are always in view, and what they say is \
what you currently know:";

/// Stands in every block whose lines are numbered; memory tools refuse text that contains it.
pub const LINE_NUMBER_WARNING: &str = "# NOTE: The numbers before the arrows only show where a line is. They are \
not part of the value; leave them out when you edit.";

/// Characters one field of a block may take in the prompt. Far above any block's own limit; it only stops a
/// value that came in past all limits from displacing the conversation.
const FIELD_CAP: usize = 1_000_000;

/// Whether an agent of this type on a model of this provider type sees line numbers.
#[must_use]
pub fn numbers_lines(provider_type: &str, agent_type: &str) -> bool {
    provider_type == "anthropic"
        && matches!(agent_type, "sleeptime_agent" | "memgpt_v2_agent" | "letta_v1_agent")
}

/// The `<memory_blocks>` section. Without blocks the plain form is empty, the numbered one is an empty frame.
#[must_use]
pub fn render_blocks(blocks: &[Block], line_numbers: bool) -> String {
    if blocks.is_empty() && !line_numbers {
        return String::new();
    }
    let mut out = format!("<memory_blocks>\n{INTRODUCTION}\n\n");
    for (position, block) in blocks.iter().enumerate() {
        if position > 0 {
            out.push('\n');
        }
        render_block(&mut out, block, line_numbers);
    }
    out.push_str("</memory_blocks>");
    out
}

fn render_block(out: &mut String, block: &Block, line_numbers: bool) {
    let label = block.label.as_deref().unwrap_or("block");
    let description = capped(block.description.clone().unwrap_or_default(), FIELD_CAP);
    let _ = write!(out, "<{label}>\n<description>\n{description}\n</description>\n<metadata>\n");
    if block.read_only {
        out.push_str("- read_only=true\n");
    }
    let _ = write!(
        out,
        "- chars_current={}\n- chars_limit={}\n</metadata>\n",
        block.value.chars().count(),
        block.limit
    );
    if line_numbers {
        let _ = write!(out, "<warning>\n{LINE_NUMBER_WARNING}\n</warning>\n");
    }
    out.push_str("<value>\n");
    let value = capped(block.value.clone(), FIELD_CAP);
    if !line_numbers {
        out.push_str(&value);
        out.push('\n');
    } else if !value.is_empty() {
        for (number, line) in value.split('\n').enumerate() {
            let _ = writeln!(out, "{}→ {line}", number + 1);
        }
    }
    let _ = write!(out, "</value>\n</{label}>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::block;

    #[test]
    fn the_plain_form_is_exact() {
        let mut human = block("human", "Name: Zoë\nLikes tea");
        human.description = Some("The person.".into());
        human.limit = 20_000;
        let mut persona = block("persona", "");
        persona.read_only = true;
        let expected = format!(
            "<memory_blocks>\n{INTRODUCTION}\n\n\
             <human>\n<description>\nThe person.\n</description>\n<metadata>\n- chars_current=19\n\
             - chars_limit=20000\n</metadata>\n<value>\nName: Zoë\nLikes tea\n</value>\n</human>\n\
             \n\
             <persona>\n<description>\n\n</description>\n<metadata>\n- read_only=true\n- chars_current=0\n\
             - chars_limit=100000\n</metadata>\n<value>\n\n</value>\n</persona>\n\
             </memory_blocks>"
        );
        assert_eq!(render_blocks(&[human, persona], false), expected);
        assert_eq!(render_blocks(&[], false), "");
    }

    #[test]
    fn the_numbered_form_is_exact() {
        let expected = format!(
            "<memory_blocks>\n{INTRODUCTION}\n\n\
             <human>\n<description>\n\n</description>\n<metadata>\n- chars_current=3\n- chars_limit=100000\n\
             </metadata>\n<warning>\n{LINE_NUMBER_WARNING}\n</warning>\n<value>\n1→ a\n2→ b\n</value>\n</human>\n\
             \n\
             <notes>\n<description>\n\n</description>\n<metadata>\n- chars_current=0\n- chars_limit=100000\n\
             </metadata>\n<warning>\n{LINE_NUMBER_WARNING}\n</warning>\n<value>\n</value>\n</notes>\n\
             </memory_blocks>"
        );
        assert_eq!(render_blocks(&[block("human", "a\nb"), block("notes", "")], true), expected);
        assert_eq!(render_blocks(&[], true), format!("<memory_blocks>\n{INTRODUCTION}\n\n</memory_blocks>"));
    }

    #[test]
    fn numbers_are_for_one_provider_and_three_kinds_of_agent() {
        assert!(numbers_lines("anthropic", "letta_v1_agent"));
        assert!(!numbers_lines("openai", "letta_v1_agent"));
        assert!(!numbers_lines("anthropic", "memgpt_agent"));
    }
}
