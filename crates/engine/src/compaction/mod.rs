//! Compaction, the pure part: when it is due, how it is set, and in which order it is tried.
//!
//! Begin with [`is_due`] and [`attempts`]; [`plan`] says which messages go, [`ask`] what the summariser is asked.

pub mod ask;
pub mod plan;

use loci_api::{
    chat::ToolSpec,
    message::{ContentPart, Message, ReturnContent, Role, ToolReturn},
    summary,
};
use serde_json::{Map, Value};

pub use ask::{Own, own_request, summary_request, transcript};
pub use plan::{Cut, Plan, plan};

/// Characters of a summary unless the settings say otherwise.
pub const DEFAULT_CLIP: usize = 50_000;
/// The least share of the messages a sliding window takes away unless the settings say otherwise.
pub const DEFAULT_PERCENTAGE: f64 = 0.3;

/// How an agent's context is made shorter; the names are the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The oldest share goes, summarised by the summariser model; the newest messages stay.
    SlidingWindow,
    /// Everything goes, summarised by the summariser model.
    All,
    /// As [`Mode::SlidingWindow`], but the agent's own model is asked, on top of the request it knows.
    SelfCompactSlidingWindow,
    /// As [`Mode::All`], but the agent's own model is asked.
    SelfCompactAll,
}

impl Mode {
    /// As the API writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SlidingWindow => "sliding_window",
            Self::All => "all",
            Self::SelfCompactSlidingWindow => "self_compact_sliding_window",
            Self::SelfCompactAll => "self_compact_all",
        }
    }

    /// Reads the API's word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::SlidingWindow, Self::All, Self::SelfCompactSlidingWindow, Self::SelfCompactAll]
            .into_iter()
            .find(|mode| mode.as_str() == word)
    }
}

/// Who writes a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The summariser model, reading a transcript.
    Summariser,
    /// The agent's own model, asked behind its own messages, so that a provider's prompt cache holds.
    Agent,
}

/// What is tried, in order, until a summary is there.
#[must_use]
pub fn attempts(mode: Mode) -> &'static [(Cut, Writer)] {
    match mode {
        Mode::SlidingWindow => &[(Cut::Sliding, Writer::Summariser), (Cut::All, Writer::Summariser)],
        Mode::All => &[(Cut::All, Writer::Summariser)],
        Mode::SelfCompactSlidingWindow => &[(Cut::Sliding, Writer::Agent), (Cut::All, Writer::Summariser)],
        Mode::SelfCompactAll => {
            &[(Cut::All, Writer::Agent), (Cut::Sliding, Writer::Agent), (Cut::All, Writer::Summariser)]
        }
    }
}

/// An agent's compaction settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub mode: Mode,
    /// `provider/model` of the summariser; `None` is the agent's own.
    pub model: Option<String>,
    /// The least share of the messages a sliding window takes away, 0 to 1.
    pub percentage: f64,
    /// Characters of the summary; `None` does not bound it.
    pub clip_chars: Option<usize>,
    /// The task, instead of ours.
    pub prompt: Option<String>,
    /// Whether the task ends by asking once more for nothing but the summary.
    pub prompt_acknowledgement: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::SlidingWindow,
            model: None,
            percentage: DEFAULT_PERCENTAGE,
            clip_chars: Some(DEFAULT_CLIP),
            prompt: None,
            prompt_acknowledgement: false,
        }
    }
}

impl Settings {
    /// Reads the API's `compaction_settings`; what is not there has its default.
    ///
    /// # Errors
    /// The field that cannot be read, and why.
    pub fn read(settings: &Map<String, Value>) -> Result<Self, (&'static str, String)> {
        let mut out = Self::default();
        let given = |key: &str| settings.get(key).filter(|value| !value.is_null());
        if let Some(value) = given("mode") {
            out.mode = value.as_str().and_then(Mode::parse).ok_or_else(|| {
                (
                    "mode",
                    "must be one of all, sliding_window, self_compact_all, self_compact_sliding_window"
                        .to_owned(),
                )
            })?;
        }
        let text = |key: &'static str| match given(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
            Some(Value::String(_)) => Ok(None),
            Some(_) => Err((key, "must be a string".to_owned())),
        };
        out.model = text("model")?;
        out.prompt = text("prompt")?;
        if let Some(value) = given("sliding_window_percentage") {
            out.percentage = value
                .as_f64()
                .filter(|share| (0.0..=1.0).contains(share))
                .ok_or_else(|| ("sliding_window_percentage", "must be a number from 0 to 1".to_owned()))?;
        }
        if let Some(value) = settings.get("clip_chars") {
            out.clip_chars =
                match value {
                    Value::Null => None,
                    value => Some(value.as_u64().and_then(|count| usize::try_from(count).ok()).ok_or_else(
                        || ("clip_chars", "must be a number of characters, or null".to_owned()),
                    )?),
                };
        }
        if let Some(value) = given("prompt_acknowledgement") {
            out.prompt_acknowledgement = value
                .as_bool()
                .ok_or_else(|| ("prompt_acknowledgement", "must be true or false".to_owned()))?;
        }
        Ok(out)
    }
}

/// Tokens from which on a context is too full.
#[must_use]
pub fn threshold(context_window: u32) -> u64 {
    u64::from(context_window) * 9 / 10
}

/// Whether a context of so many tokens is to be made shorter. One that could not be brought below the threshold
/// last time is left alone until it has grown by a tenth: trying the same again would cost and change nothing.
#[must_use]
pub fn is_due(tokens: u64, context: &[Message], context_window: u32) -> bool {
    let after_last = newest_summary(context)
        .and_then(|summary| summary::unpack(&summary.text()).stats)
        .and_then(|stats| stats.context_tokens_after)
        .unwrap_or(0);
    tokens > threshold(context_window).max(after_last.saturating_add(after_last / 10))
}

fn newest_summary(context: &[Message]) -> Option<&Message> {
    // It stands right behind the system prompt; anywhere else it is somebody's import.
    context.iter().take(3).find(|message| message.role == Role::Summary)
}

/// The last answer of the model in this context that was asked with all of it: none that is older than the
/// summary in front. What its call took is what the context takes, up to it.
#[must_use]
pub fn last_answer(context: &[Message]) -> Option<&Message> {
    let answer = context.iter().rev().find(|message| {
        message.step_id.is_some() && (message.role == Role::Assistant || message.is_approval_request())
    })?;
    newest_summary(context).is_none_or(|summary| summary.created_at < answer.created_at).then_some(answer)
}

/// Tokens of these messages, estimated at four bytes each.
#[must_use]
pub fn estimate(messages: &[Message]) -> u64 {
    messages.iter().map(|message| bytes(message) as u64).sum::<u64>().div_ceil(4)
}

/// Tokens of these tools, estimated in the same way.
#[must_use]
pub fn estimate_tools(tools: &[ToolSpec]) -> u64 {
    let bytes =
        |spec: &ToolSpec| spec.name.len() + spec.description.len() + spec.parameters.to_string().len();
    tools.iter().map(|spec| bytes(spec) as u64).sum::<u64>().div_ceil(4)
}

fn bytes(message: &Message) -> usize {
    // Roles, ids and brackets are a few tokens for each message.
    const FRAME: usize = 24;
    let content: usize = message
        .content
        .iter()
        .map(|part| match part {
            ContentPart::Text { text, .. } => text.len(),
            ContentPart::Reasoning { reasoning, .. } => reasoning.len(),
            ContentPart::RedactedReasoning { data } => data.len(),
            // Providers count an image as about a thousand tokens, whatever its size.
            ContentPart::Image { .. } => 4_000,
        })
        .sum();
    let calls: usize = message.tool_calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
    let returns: usize = message.tool_returns.iter().map(returned_bytes).sum();
    FRAME + content + calls + returns
}

/// This is asked before every step, so texts are measured where they stand.
fn returned_bytes(result: &ToolReturn) -> usize {
    match &result.content {
        ReturnContent::Value(Value::String(text)) => text.len(),
        ReturnContent::Value(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
        )
        | ReturnContent::Parts(_) => result.text().len(),
    }
}

/// A summary as it is kept: trimmed, and cut to what the settings allow and to a quarter of the window, so that
/// room is made in any case.
#[must_use]
pub fn clipped(summary: &str, settings: &Settings, context_window: u32) -> String {
    let summary = summary.trim();
    // Four characters to a token.
    let quarter = usize::try_from(context_window).unwrap_or(usize::MAX).max(200);
    let cap = settings.clip_chars.unwrap_or(usize::MAX).min(quarter);
    if summary.len() <= cap || summary.chars().count() <= cap {
        return summary.to_owned();
    }
    let kept: String = summary.chars().take(cap).collect();
    format!("{kept}... [summary truncated to fit]")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use loci_api::{summary::Stats, time::Timestamp};
    use serde_json::json;

    use super::*;
    use crate::testing::{assistant, message, user};

    fn summary(tokens_after: u64) -> Message {
        let stats = Stats {
            trigger: "t".to_owned(),
            context_tokens_before: None,
            context_tokens_after: Some(tokens_after),
            context_window: 1_000,
            messages_count_before: 5,
            messages_count_after: 2,
        };
        let text = summary::pack("so far", 3, Some(&stats), "now");
        Message { content: vec![ContentPart::text(text)], ..message(Role::Summary) }
    }

    #[test]
    fn room_is_due_above_nine_tenths_and_not_again_where_it_did_not_help() {
        let plain = [message(Role::System), user("hi")];
        assert!(!is_due(900, &plain, 1_000));
        assert!(is_due(901, &plain, 1_000));
        let helped = [message(Role::System), summary(300), user("hi")];
        assert!(is_due(901, &helped, 1_000));
        let stuck = [message(Role::System), summary(950), user("hi")];
        assert!(!is_due(1_045, &stuck, 1_000));
        assert!(is_due(1_046, &stuck, 1_000));
    }

    #[test]
    fn an_answer_older_than_the_summary_says_nothing_of_the_size() {
        let mut said = assistant("hello", &[]);
        let context = |said: &Message| vec![message(Role::System), summary(1), said.clone(), user("and?")];
        assert_eq!(last_answer(&context(&said)), None);
        said.created_at = Timestamp(1);
        assert_eq!(last_answer(&context(&said)), Some(&said));
        assert_eq!(last_answer(&[message(Role::System), user("hi")]), None);
    }

    #[test]
    fn settings_are_read_and_what_makes_no_sense_is_named() {
        let read = |value: Value| Settings::read(value.as_object().unwrap());
        assert_eq!(read(json!({})).unwrap(), Settings::default());
        let given = json!({"model": "p/m", "mode": "self_compact_all", "sliding_window_percentage": 0.5,
            "clip_chars": null, "prompt": "Sum up.", "prompt_acknowledgement": true, "other": 1});
        assert_eq!(
            read(given).unwrap(),
            Settings {
                mode: Mode::SelfCompactAll,
                model: Some("p/m".to_owned()),
                percentage: 0.5,
                clip_chars: None,
                prompt: Some("Sum up.".to_owned()),
                prompt_acknowledgement: true,
            }
        );
        for (field, value) in [
            ("mode", json!("half")),
            ("mode", json!(1)),
            ("model", json!(1)),
            ("sliding_window_percentage", json!(30)),
            ("clip_chars", json!(-1)),
            ("prompt_acknowledgement", json!("no")),
        ] {
            assert_eq!(read(json!({field: value})).unwrap_err().0, field, "{value}");
        }
    }

    #[test]
    fn a_summary_is_cut_by_characters_and_says_so() {
        let settings = |clip| Settings { clip_chars: clip, ..Settings::default() };
        assert_eq!(clipped(" äöüß ", &settings(Some(4)), 8_000), "äöüß");
        assert_eq!(clipped("äöüß", &settings(Some(3)), 8_000), "äöü... [summary truncated to fit]");
        assert!(clipped(&"x".repeat(9_000), &settings(None), 8_000).len() < 8_100);
    }
}
