//! Typed access to the keys of a JSON object; errors name the place.

use serde_json::{Map, Value};

use crate::{error::ApiError, ids::InvalidId};

/// 422 with the place first.
pub fn invalid(place: &str, what: &str) -> ApiError {
    ApiError::validation(format!("{place}: {what}"))
}

/// The object, or 422.
pub fn object<'a>(value: &'a Value, place: &str) -> Result<&'a Map<String, Value>, ApiError> {
    value.as_object().ok_or_else(|| invalid(place, "Input should be an object"))
}

/// The keys of one object of a request.
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    pub fn new(object: &'a Map<String, Value>, place: &'a str) -> Self {
        Self { object, place }
    }

    fn refuse(&self, key: &str, what: &str) -> ApiError {
        invalid(&format!("{}.{key}", self.place), what)
    }

    pub fn contains(&self, key: &str) -> bool {
        self.object.contains_key(key)
    }

    /// The value; null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub fn required(&self, key: &str) -> Result<&'a Value, ApiError> {
        self.object.get(key).ok_or_else(|| self.refuse(key, "Field required"))
    }

    pub fn text(&self, key: &str) -> Result<Option<String>, ApiError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.refuse(key, "Input should be a string")),
        }
    }

    pub fn required_text(&self, key: &str) -> Result<String, ApiError> {
        match self.required(key)? {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.refuse(key, "Input should be a string")),
        }
    }

    pub fn list(&self, key: &str) -> Result<Option<&'a [Value]>, ApiError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.refuse(key, "Input should be a list")),
        }
    }

    /// Strings of a list; absent is empty.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, ApiError> {
        self.list(key)?
            .into_iter()
            .flatten()
            .enumerate()
            .map(|(at, item)| match item {
                Value::String(text) => Ok(text.clone()),
                _ => Err(self.refuse(&format!("{key}[{at}]"), "Input should be a string")),
            })
            .collect()
    }

    /// A boolean with a default; the spellings of booleans clients are known to send are understood. Null is
    /// not one of them.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ApiError> {
        self.object.get(key).map_or(Ok(default), |value| {
            read_flag(value).ok_or_else(|| self.refuse(key, "Input should be a valid boolean"))
        })
    }

    /// A boolean that must be there.
    pub fn required_flag(&self, key: &str) -> Result<bool, ApiError> {
        read_flag(self.required(key)?).ok_or_else(|| self.refuse(key, "Input should be a valid boolean"))
    }

    /// A whole number, also written as `5.0` or `"5"`.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, ApiError> {
        self.get(key)
            .map(|value| {
                read_integer(value).ok_or_else(|| self.refuse(key, "Input should be a valid integer"))
            })
            .transpose()
    }

    /// A whole number that is not negative, with a default; null is refused.
    pub fn count(&self, key: &str, default: u32) -> Result<u32, ApiError> {
        let Some(value) = self.object.get(key) else { return Ok(default) };
        let number =
            read_integer(value).ok_or_else(|| self.refuse(key, "Input should be a valid integer"))?;
        if number < 0 {
            return Err(self.refuse(key, "Input should be greater than or equal to 0"));
        }
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    pub fn id<T: std::str::FromStr<Err = InvalidId>>(&self, key: &str) -> Result<Option<T>, ApiError> {
        self.text(key)?
            .map(|text| text.parse().map_err(|error: InvalidId| self.refuse(key, &error.to_string())))
            .transpose()
    }
}

fn read_flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(0) => Some(false),
            Some(1) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Some(true),
            "false" | "0" | "no" | "off" | "f" | "n" => Some(false),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| {
            number.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15).map(|float| {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                let whole = float as i64;
                whole
            })
        }),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
