//! Reads message content: a string, or a list of parts.

use serde_json::Value;

use super::fields::{Fields, invalid, object};
use crate::{
    error::ApiError,
    message::{ContentPart, ImageSource},
};

/// The parts of a message's content.
pub fn parts(value: &Value, place: &str) -> Result<Vec<ContentPart>, ApiError> {
    match value {
        Value::String(text) => Ok(vec![ContentPart::text(text.as_str())]),
        Value::Array(items) => {
            let mut all = Vec::with_capacity(items.len());
            for (at, item) in items.iter().enumerate() {
                all.extend(part(item, &format!("{place}[{at}]"))?);
            }
            Ok(all)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(invalid(place, "Input should be a string or a list of content parts"))
        }
    }
}

/// The parts of a tool's return: text and images only.
pub fn return_parts(items: &[Value], place: &str) -> Result<Vec<ContentPart>, ApiError> {
    let mut all = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let place = format!("{place}[{at}]");
        match part(item, &place)? {
            Some(part @ (ContentPart::Text { .. } | ContentPart::Image { .. })) => all.push(part),
            Some(ContentPart::Reasoning { .. } | ContentPart::RedactedReasoning { .. }) | None => {
                return Err(invalid(
                    &place,
                    "a tool's return may hold parts of type 'text' and 'image' only",
                ));
            }
        }
    }
    Ok(all)
}

/// `None` for a part that stands for something left out.
fn part(value: &Value, place: &str) -> Result<Option<ContentPart>, ApiError> {
    let fields = Fields::new(object(value, place)?, place);
    let part = match fields.required_text("type")?.as_str() {
        "text" => {
            ContentPart::Text { text: fields.required_text("text")?, signature: fields.text("signature")? }
        }
        "image" => {
            ContentPart::Image { source: image(fields.required("source")?, &format!("{place}.source"))? }
        }
        "reasoning" => ContentPart::Reasoning {
            reasoning: fields.required_text("reasoning")?,
            signature: fields.text("signature")?,
        },
        "redacted_reasoning" => ContentPart::RedactedReasoning { data: fields.required_text("data")? },
        "omitted_reasoning" => return Ok(None),
        "tool_call" | "tool_return" => {
            return Err(invalid(
                &format!("{place}.type"),
                "tool calls and returns cannot be sent as content; answer a call with an item of type 'approval' or \
                 'tool_return'",
            ));
        }
        other => {
            let other: String = other.chars().take(40).collect();
            return Err(invalid(
                &format!("{place}.type"),
                &format!("'{other}' is not a type of content; use 'text' or 'image'"),
            ));
        }
    };
    Ok(Some(part))
}

fn image(value: &Value, place: &str) -> Result<ImageSource, ApiError> {
    let fields = Fields::new(object(value, place)?, place);
    match fields.required_text("type")?.as_str() {
        "url" => Ok(ImageSource::Url { url: fields.required_text("url")? }),
        "base64" => Ok(ImageSource::Base64 {
            media_type: fields.required_text("media_type")?,
            data: base64(fields.required_text("data")?, place)?,
        }),
        // A file that upstream had stored; it can be used where its bytes were sent along.
        "letta" => match (fields.text("media_type")?, fields.text("data")?) {
            (Some(media_type), Some(data)) => {
                Ok(ImageSource::Base64 { media_type, data: base64(data, place)? })
            }
            _ => {
                Err(invalid(place, "this server stores no image files; send the image as 'base64' or 'url'"))
            }
        },
        other => {
            let other: String = other.chars().take(40).collect();
            Err(invalid(&format!("{place}.type"), &format!("'{other}' is not 'base64' or 'url'")))
        }
    }
}

/// The text if it can be base64: a model's server would refuse it later, and less clearly.
fn base64(data: String, place: &str) -> Result<String, ApiError> {
    let letters = data.trim_end_matches('=');
    let fits = !letters.is_empty()
        && data.len() - letters.len() <= 2
        && letters.len() % 4 != 1
        && letters.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    if fits {
        Ok(data)
    } else {
        Err(invalid(&format!("{place}.data"), "this is not base64 of an image's bytes"))
    }
}
