//! What does not get into the log: values whose names say that they are secrets.

use serde_json::Value;

/// JSON text with its secrets masked; text that is not JSON as it stands.
pub(super) fn masked_text(arguments: &str) -> String {
    match serde_json::from_str::<Value>(arguments) {
        Ok(value) => masked(value).to_string(),
        Err(_) => arguments.to_owned(),
    }
}

/// Values whose names say that they are secrets do not get into the log.
pub(super) fn masked(value: Value) -> Value {
    const SECRET: [&str; 8] =
        ["password", "passwd", "secret", "api_key", "apikey", "access_token", "authorization", "private_key"];
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| {
                    let plain = key.to_ascii_lowercase().replace('-', "_");
                    let hidden = plain == "token" || SECRET.iter().any(|word| plain.contains(word));
                    let value =
                        if hidden && !value.is_null() { Value::from("[masked]") } else { masked(value) };
                    (key, value)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(masked).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_get_into_the_log() {
        let text = r#"{"path":"a","headers":[{"Authorization":"Bearer x"}],"api-key":"k","token":1,"tokens":5,"password":null}"#;
        assert_eq!(
            masked_text(text),
            r#"{"path":"a","headers":[{"Authorization":"[masked]"}],"api-key":"[masked]","token":"[masked]","tokens":5,"password":null}"#
        );
        assert_eq!(masked_text("{not json"), "{not json");
    }
}
