//! What can be said of an agent's fields without looking anything up: 422 with the place and what is wrong.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{CreateAgent, UpdateAgent};
use crate::{error::ApiError, rules::ToolRule};

/// Characters of the longest agent name.
pub const MAX_NAME_CHARS: usize = 255;
/// Characters of the longest description, system prompt aside.
const MAX_DESCRIPTION_CHARS: usize = 100_000;
const COMPACTION_MODES: [&str; 4] =
    ["all", "sliding_window", "self_compact_all", "self_compact_sliding_window"];

/// A name people can read and file systems can carry.
pub fn check_name(name: &str) -> Result<(), ApiError> {
    if name.trim().is_empty() {
        return Err(ApiError::validation("body.name: must not be empty"));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(ApiError::validation(format!(
            "body.name: must have at most {MAX_NAME_CHARS} characters"
        )));
    }
    if let Some(bad) = name.chars().find(|char| !(char.is_alphanumeric() || " -_'".contains(*char))) {
        return Err(ApiError::validation(format!(
            "body.name: {bad:?} cannot stand in a name; letters, digits, spaces, '-', '_' and ''' can"
        )));
    }
    Ok(())
}

/// An IANA time zone this machine knows.
pub fn check_timezone(name: &str) -> Result<(), ApiError> {
    jiff::tz::TimeZone::get(name).map(drop).map_err(|_| {
        let shown: String = name.chars().take(80).collect();
        ApiError::validation(format!(
            "body.timezone: '{shown}' is not an IANA time zone, for example Europe/Berlin"
        ))
    })
}

/// Tags are words people and programs filter by.
pub fn check_tags(tags: &[String]) -> Result<(), ApiError> {
    if tags.len() > 1_000 {
        return Err(ApiError::validation("body.tags: at most 1000 tags"));
    }
    match tags.iter().position(|tag| tag.trim().is_empty() || tag.chars().count() > 500) {
        Some(at) => Err(ApiError::validation(format!("body.tags[{at}]: must have 1 to 500 characters"))),
        None => Ok(()),
    }
}

/// Names of environment variables a process can carry, and values without NUL.
pub fn check_secrets(secrets: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in secrets {
        if key.is_empty() || key.len() > 255 || key.contains(['=', '\0']) {
            return Err(ApiError::validation(
                "body.secrets: a name must have 1 to 255 bytes and contain neither '=' nor NUL",
            ));
        }
        if value.contains('\0') || value.len() > 128 * 1024 {
            return Err(ApiError::validation(format!(
                "body.secrets.{key}: a value must be shorter than 128 KB and contain no NUL"
            )));
        }
    }
    Ok(())
}

fn check_positive(field: &str, value: Option<i64>) -> Result<(), ApiError> {
    match value {
        Some(number) if number < 1 || number > i64::from(u32::MAX) => Err(ApiError::validation(format!(
            "body.{field}: must be between 1 and {}, got {number}",
            u32::MAX
        ))),
        _ => Ok(()),
    }
}

fn check_text(field: &str, value: Option<&str>) -> Result<(), ApiError> {
    match value {
        Some(text) if text.chars().count() > MAX_DESCRIPTION_CHARS => Err(ApiError::validation(format!(
            "body.{field}: must have at most {MAX_DESCRIPTION_CHARS} characters"
        ))),
        _ => Ok(()),
    }
}

/// `{"type": "text" | "json_object" | "json_schema", …}`.
fn check_response_format(format: Option<&Value>) -> Result<(), ApiError> {
    let Some(format) = format else { return Ok(()) };
    match format.get("type").and_then(Value::as_str) {
        Some("text" | "json_object") => Ok(()),
        Some("json_schema") if format.get("json_schema").is_some_and(Value::is_object) => Ok(()),
        Some("json_schema") => {
            Err(ApiError::validation("body.response_format.json_schema: an object is required"))
        }
        Some(_) | None => Err(ApiError::validation(
            "body.response_format.type: must be one of text, json_object, json_schema",
        )),
    }
}

/// Refuses compaction settings that cannot be meant. Unknown keys are ignored, as everywhere in agents; a model may
/// be any text, `letta/auto` included.
pub fn check_compaction(settings: Option<&Map<String, Value>>) -> Result<(), ApiError> {
    for (key, value) in settings.into_iter().flatten() {
        let (fits, wanted) = match key.as_str() {
            "mode" => (
                value.as_str().is_some_and(|mode| COMPACTION_MODES.contains(&mode)),
                "must be one of all, sliding_window, self_compact_all, self_compact_sliding_window",
            ),
            "sliding_window_percentage" => (
                value.as_f64().is_some_and(|share| (0.0..=1.0).contains(&share)),
                "must be a number from 0 to 1",
            ),
            "clip_chars" => {
                (value.as_i64().is_some_and(|chars| chars >= 0), "must be a whole number, 0 or more")
            }
            "prompt_acknowledgement" => (value.is_boolean(), "must be true or false"),
            "model_settings" => (value.is_object(), "must be an object"),
            "model" | "prompt" => (value.is_string(), "must be text"),
            _ => continue,
        };
        if !fits && !value.is_null() {
            return Err(ApiError::validation(format!("body.compaction_settings.{key}: {wanted}")));
        }
    }
    Ok(())
}

/// The checks creation and change share.
struct Common<'a> {
    name: Option<&'a str>,
    description: Option<&'a str>,
    tags: Option<&'a [String]>,
    timezone: Option<&'a str>,
    secrets: [Option<&'a BTreeMap<String, String>>; 2],
    response_format: Option<&'a Value>,
    compaction: Option<&'a Map<String, Value>>,
    tool_rules: Option<&'a [ToolRule]>,
    positive: [(&'static str, Option<i64>); 4],
}

impl Common<'_> {
    fn check(&self) -> Result<(), ApiError> {
        self.name.map_or(Ok(()), check_name)?;
        check_text("description", self.description)?;
        self.tags.map_or(Ok(()), check_tags)?;
        self.timezone.map_or(Ok(()), check_timezone)?;
        for secrets in self.secrets.into_iter().flatten() {
            check_secrets(secrets)?;
        }
        check_response_format(self.response_format)?;
        check_compaction(self.compaction)?;
        for (at, rule) in self.tool_rules.into_iter().flatten().enumerate() {
            rule.check(&format!("body.tool_rules[{at}]"))?;
        }
        for (field, value) in self.positive {
            check_positive(field, value)?;
        }
        Ok(())
    }
}

/// Those of either request: the fields are called the same in both.
macro_rules! common {
    ($given:expr) => {
        Common {
            name: $given.name.as_deref(),
            description: $given.description.as_deref(),
            tags: $given.tags.as_deref(),
            timezone: $given.timezone.as_deref(),
            secrets: [$given.secrets.as_ref(), $given.tool_exec_environment_variables.as_ref()],
            response_format: $given.response_format.as_ref(),
            compaction: $given.compaction_settings.as_ref(),
            tool_rules: $given.tool_rules.as_deref(),
            positive: [
                ("context_window_limit", $given.context_window_limit),
                ("max_tokens", $given.max_tokens),
                ("max_files_open", $given.max_files_open),
                ("per_file_view_window_char_limit", $given.per_file_view_window_char_limit),
            ],
        }
    };
}

impl CreateAgent {
    /// Everything that can be said without looking anything up: 422 with the place and what is wrong.
    pub fn check(&self) -> Result<(), ApiError> {
        common!(self).check()?;
        for (at, block) in self.memory_blocks.iter().flatten().enumerate() {
            block.check(&format!("body.memory_blocks[{at}]"))?;
        }
        Ok(())
    }
}

impl UpdateAgent {
    /// As [`CreateAgent::check`].
    pub fn check(&self) -> Result<(), ApiError> {
        common!(self).check()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_words_of_any_language() {
        for good in ["KindCompass", "Ada's agent-2_b", "ботаник", "学生 7", "É"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "  ", "a/b", "a\\b", "a\0b", "a\nb", "a.b", "🙂", &"x".repeat(256)] {
            assert_eq!(check_name(bad).map_err(|error| error.status), Err(422), "{bad:?}");
        }
    }

    #[test]
    fn creation_refuses_what_can_be_seen_to_be_wrong() {
        for (body, place) in [
            (json!({"timezone": "Mars/Base"}), "timezone"),
            (json!({"tags": [""]}), "tags[0]"),
            (json!({"secrets": {"A=B": "x"}}), "secrets"),
            (json!({"context_window_limit": 0}), "context_window_limit"),
            (json!({"max_tokens": -1}), "max_tokens"),
            (json!({"response_format": {"type": "yaml"}}), "response_format"),
            (json!({"response_format": {"type": "json_schema"}}), "response_format"),
            (json!({"compaction_settings": {"mode": "some"}}), "compaction_settings.mode"),
            (json!({"compaction_settings": {"sliding_window_percentage": 7}}), "sliding_window_percentage"),
            (json!({"memory_blocks": [{"label": "a b", "value": ""}]}), "memory_blocks[0].label"),
            (json!({"memory_blocks": [{"label": "a", "value": "", "limit": -1}]}), "memory_blocks[0].limit"),
        ] {
            let create: CreateAgent = serde_json::from_value(body.clone()).expect("the shape is right");
            let error = create.check().expect_err("it is wrong");
            assert_eq!(error.status, 422);
            assert!(error.message.contains(place), "{body}: {}", error.message);
        }
        let letta_code =
            json!({"compaction_settings": {"model": "letta/auto"}, "name": null, "unknown": {"x": 1}});
        let create: CreateAgent = serde_json::from_value(letta_code).expect("unknown keys are ignored");
        assert_eq!(create.check(), Ok(()));
    }
}
