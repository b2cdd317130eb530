//! Argument JSON as models write it: read with leniency where the meaning is plain, refused where it is not.

use serde_json::{Map, Value};

/// Arguments that are not a JSON object even with leniency; the sentence says what is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadArguments(String);

impl BadArguments {
    pub(crate) fn missing() -> Self {
        Self("they are missing".to_owned())
    }
}

/// Keys older prompts taught models to add; no tool has them.
const EXTRA: [&str; 1] = ["request_heartbeat"];

/// Reads argument text.
///
/// Nothing at all is no arguments. Two objects in a row count as the first; an object inside a JSON string is
/// taken out of it; trailing commas and a code fence are ignored.
///
/// # Errors
/// If what is left is not a JSON object.
pub fn parse(raw: &str) -> Result<Map<String, Value>, BadArguments> {
    let mut object = object(unfence(raw.trim()), 2)?;
    object.retain(|key, _| !EXTRA.contains(&key.as_str()));
    Ok(object)
}

/// The text in which arguments are kept once they were read.
#[must_use]
pub fn write(object: &Map<String, Value>) -> String {
    serde_json::to_string(object).unwrap_or_else(|_| "{}".to_owned())
}

/// Argument text a provider can take back in any case: what was read, or no arguments if it could not be.
#[must_use]
pub fn sendable(raw: &str) -> String {
    parse(raw).map_or_else(|_| "{}".to_owned(), |object| write(&object))
}

fn object(text: &str, depth: u8) -> Result<Map<String, Value>, BadArguments> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    match first_value(text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(Value::String(inner)) if depth > 0 => object(inner.trim(), depth - 1),
        Ok(other) => Err(BadArguments(format!("expected a JSON object, found {}", kind(&other)))),
        Err(error) => match first_value(&without_trailing_commas(text)) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) | Err(_) => Err(BadArguments(error.to_string())),
        },
    }
}

/// The first JSON value of `text`; what follows it is ignored only if it begins another object.
fn first_value(text: &str) -> Result<Value, serde_json::Error> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(first) = stream.next() else { return Ok(Value::Null) };
    let first = first?;
    let rest = text.get(stream.byte_offset()..).unwrap_or_default().trim_start();
    if rest.is_empty() || (first.is_object() && rest.starts_with('{')) {
        Ok(first)
    } else {
        serde_json::from_str(text)
    }
}

fn unfence(text: &str) -> &str {
    text.strip_prefix("```json")
        .or_else(|| text.strip_prefix("```"))
        .and_then(|rest| rest.strip_suffix("```"))
        .map_or(text, str::trim)
}

/// Drops commas before a closing bracket, outside strings.
fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in text.chars() {
        if in_string {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c == '"' {
            in_string = true;
        } else if matches!(c, '}' | ']') {
            let kept = out.trim_end();
            if let Some(before) = kept.strip_suffix(',') {
                out.truncate(before.len());
            }
        }
        out.push(c);
    }
    out
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn plain_meaning_is_read() {
        for (raw, expected) in [
            (r#"{"a": 1}"#, json!({"a": 1})),
            ("", json!({})),
            ("  ", json!({})),
            ("null", json!({})),
            (r#"{"a":1}{"a":2}"#, json!({"a": 1})),
            (r#"{"a":1} {"b":2}"#, json!({"a": 1})),
            (r#""{\"a\": 1}""#, json!({"a": 1})),
            (r#""\"{\\\"a\\\": 1}\"""#, json!({"a": 1})),
            (r#"{"a": [1, 2,], "b": ",}",}"#, json!({"a": [1, 2], "b": ",}"})),
            ("```json\n{\"a\": 1}\n```", json!({"a": 1})),
            (r#"{"a": 1, "request_heartbeat": true}"#, json!({"a": 1})),
            (r#"{"b": 1, "a": 2}"#, json!({"b": 1, "a": 2})),
        ] {
            assert_eq!(parse(raw).map(Value::Object), Ok(expected), "{raw}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for raw in ["{", r#"{"a": "#, "[1]", "3", "true", "words", r#"{"a":1} words"#, r#""words""#, "}{"] {
            assert!(parse(raw).is_err(), "{raw}");
            assert_eq!(sendable(raw), "{}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(raw in "[{}\\[\\]\",:\\\\a1 `]{0,24}") {
            if let Ok(object) = parse(&raw) {
                prop_assert_eq!(parse(&write(&object)), Ok(object));
            }
        }
    }
}
