//! The text of a summary row: what compaction left of older messages, packed for the model and read again for
//! people.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Figures of one compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CompactionStats)]
pub struct Stats {
    pub trigger: String,
    /// Estimated, as the next one.
    pub context_tokens_before: Option<u64>,
    pub context_tokens_after: Option<u64>,
    /// Tokens.
    pub context_window: u32,
    pub messages_count_before: usize,
    pub messages_count_after: usize,
}

/// What a summary row says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Without the note in front of it.
    pub text: String,
    pub stats: Option<Stats>,
}

/// Between the note and the summary.
const GAP: &str = "\n\n";

/// The row's text: JSON with a note, the summary, and the figures where there are some. `time` is as the model
/// reads it.
#[must_use]
pub fn pack(summary: &str, hidden: usize, stats: Option<&Stats>, time: &str) -> String {
    let message = format!(
        "{hidden} earlier messages of this conversation are no longer in view; your search tools still find them. \
         In short:{GAP}{summary}"
    );
    let mut packed = json!({"type": "system_alert", "message": message, "time": time});
    if let Some(stats) = stats {
        packed["compaction_stats"] = json!(stats);
    }
    packed.to_string()
}

/// Reads a row's text. What was not packed by [`pack`], for example in an imported agent, is the summary as it
/// stands.
#[must_use]
pub fn unpack(text: &str) -> Summary {
    let Ok(Value::Object(packed)) = serde_json::from_str::<Value>(text) else {
        return Summary { text: text.to_owned(), stats: None };
    };
    let Some(message) = packed.get("message").and_then(Value::as_str) else {
        return Summary { text: text.to_owned(), stats: None };
    };
    let summary = message.split_once(GAP).map_or(message, |(_, summary)| summary);
    let stats = packed.get("compaction_stats").and_then(|stats| Stats::deserialize(stats).ok());
    Summary { text: summary.to_owned(), stats }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_is_read_again() {
        let stats = Stats {
            trigger: "context_check".to_owned(),
            context_tokens_before: Some(9),
            context_tokens_after: None,
            context_window: 10,
            messages_count_before: 5,
            messages_count_after: 2,
        };
        let text = pack("They like tea.\n\nAnd cats.", 4, Some(&stats), "now");
        assert_eq!(
            unpack(&text),
            Summary { text: "They like tea.\n\nAnd cats.".to_owned(), stats: Some(stats) }
        );
        assert_eq!(unpack(&pack("s", 1, None, "now")), Summary { text: "s".to_owned(), stats: None });
        for plain in ["just text", "[1]", r#"{"type": "system_alert"}"#] {
            assert_eq!(unpack(plain), Summary { text: plain.to_owned(), stats: None });
        }
        assert_eq!(unpack(r#"{"message": "foreign"}"#).text, "foreign");
    }
}
