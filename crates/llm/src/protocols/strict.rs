//! Whether a tool's schema can be enforced by a provider without changing what the tool receives.

use serde_json::{Map, Value};

/// The schema in strict form: every object closed. `None` if that would change its meaning: optional or free-form
/// parts cannot be expressed, because a strict provider fills in everything.
pub(super) fn strict(schema: &Value) -> Option<Value> {
    let Value::Object(map) = schema else { return None };
    (map.get("type")?.as_str()? == "object").then_some(())?;
    closed(map).map(Value::Object)
}

fn closed(map: &Map<String, Value>) -> Option<Map<String, Value>> {
    const UNKNOWN: [&str; 7] =
        ["oneOf", "allOf", "not", "if", "patternProperties", "prefixItems", "dependentSchemas"];
    if UNKNOWN.iter().any(|key| map.contains_key(*key)) {
        return None;
    }
    let mut out = Map::new();
    for (key, value) in map {
        match key.as_str() {
            "default" | "$schema" | "title" => {}
            "properties" | "$defs" | "definitions" => {
                let members = value.as_object()?;
                let closed = members.iter().map(|(name, schema)| Some((name.clone(), part(schema)?)));
                out.insert(key.clone(), Value::Object(closed.collect::<Option<_>>()?));
            }
            "items" => {
                out.insert(key.clone(), part(value)?);
            }
            "anyOf" => {
                let variants = value.as_array()?.iter().map(part).collect::<Option<_>>()?;
                out.insert(key.clone(), Value::Array(variants));
            }
            _ => {
                out.insert(key.clone(), value.clone());
            }
        }
    }
    if is_type(map, "object") {
        if map.get("additionalProperties").is_some_and(|more| *more != Value::Bool(false)) {
            return None;
        }
        let names = map.get("properties").and_then(Value::as_object)?;
        let required = map.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        if !names.keys().all(|name| required.iter().any(|required| required.as_str() == Some(name))) {
            return None;
        }
        out.insert("required".to_owned(), Value::Array(required));
        out.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if is_type(map, "array") && !map.contains_key("items") {
        return None;
    }
    let says_something = ["type", "anyOf", "$ref", "enum", "const"].iter().any(|key| map.contains_key(*key));
    says_something.then_some(out)
}

fn part(schema: &Value) -> Option<Value> {
    closed(schema.as_object()?).map(Value::Object)
}

fn is_type(map: &Map<String, Value>, name: &str) -> bool {
    match map.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_schemas_that_keep_their_meaning_are_made_strict() {
        let tight = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "default": "x"}}});
        let expected = json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}},
            "additionalProperties": false});
        assert_eq!(strict(&tight), Some(expected));
        let none = json!({"type": "object", "properties": {}});
        assert_eq!(
            strict(&none),
            Some(json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false}))
        );
        for loose in [
            json!({"type": "object", "required": [], "properties": {"a": {"type": "string"}}}),
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "object"}}}),
            json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "array"}}}),
            json!({"type": "object", "required": ["a"], "properties": {"a": {}}}),
            json!({"type": "object", "additionalProperties": true, "properties": {}}),
            json!({"type": "object"}),
            json!({"type": "string"}),
            json!(null),
        ] {
            assert_eq!(strict(&loose), None, "{loose}");
        }
    }
}
