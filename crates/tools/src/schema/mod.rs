//! The JSON schema of a tool, read from its source without running it.

pub mod python;
pub mod typescript;

mod syntax;

use serde_json::{Map, Value, json};

use crate::source::SourceType;

/// The longest source that is read, bytes.
pub const MAX_SOURCE_BYTES: usize = 1 << 20;
/// How deep types may be nested.
const MAX_DEPTH: usize = 24;
/// How many problems are told at once.
const MAX_PROBLEMS: usize = 20;
/// The longest name a model's provider takes, characters.
const MAX_NAME: usize = 64;

/// What a model is told about a function, and how it is called.
#[derive(Debug, Clone, PartialEq)]
pub struct DerivedSchema {
    pub name: String,
    pub description: String,
    /// A JSON Schema of type `object`.
    pub parameters: Value,
    /// `{name, description, parameters}`.
    pub json_schema: Map<String, Value>,
    pub is_async: bool,
    /// The names of the parameters a model fills in, in the order of the source.
    pub parameter_order: Vec<String>,
}

/// The function that is the tool, without a look at its documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callable {
    pub name: String,
    pub is_async: bool,
    /// All its parameters, also those a model does not see.
    pub parameters: Vec<String>,
}

/// One thing to mend in the source. Line and column count from 1, the column in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub line: usize,
    pub column: usize,
    pub message: String,
}

/// Why there is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// Line and column count from 1, the column in characters.
    #[error("syntax error in line {line}, column {column}: {message}")]
    Syntax { line: usize, column: usize, message: String },
    #[error("the source is larger than {} KB", MAX_SOURCE_BYTES / 1024)]
    TooLarge,
    #[error("the source takes too long to read; is it the code of a tool?")]
    TooIntricate,
    #[error("the source defines no function at its top level, so there is nothing to call")]
    NoFunction,
    #[error("the source defines no function named '{name}' at its top level; it defines: {available}")]
    NotFound { name: String, available: String },
    #[error("function '{function}': {}", list(problems))]
    Invalid { function: String, problems: Vec<Problem> },
}

fn list(problems: &[Problem]) -> String {
    let texts: Vec<String> =
        problems.iter().map(|problem| format!("{} (line {})", problem.message, problem.line)).collect();
    texts.join("; ")
}

/// Derives the schema of the function named `name`; without a name, of the one that is the tool: the last at the
/// top level of the source whose name does not begin with an underscore (for TypeScript: the first exported).
pub fn derive(
    source: &str,
    source_type: SourceType,
    name: Option<&str>,
) -> Result<DerivedSchema, SchemaError> {
    check_size(source)?;
    match source_type {
        SourceType::Python => python::derive(source, name, None),
        SourceType::Typescript => typescript::derive(source, name, None),
    }
}

/// Like [`derive`], with the parameters given: their documentation and types in the source are not asked for.
pub fn derive_with_parameters(
    source: &str,
    source_type: SourceType,
    name: Option<&str>,
    parameters: &Map<String, Value>,
) -> Result<DerivedSchema, SchemaError> {
    check_size(source)?;
    match source_type {
        SourceType::Python => python::derive(source, name, Some(parameters)),
        SourceType::Typescript => typescript::derive(source, name, Some(parameters)),
    }
}

/// Which function a call would reach, by the same rule as [`derive`].
pub fn find_function(
    source: &str,
    source_type: SourceType,
    name: Option<&str>,
) -> Result<Callable, SchemaError> {
    check_size(source)?;
    match source_type {
        SourceType::Python => python::find_function(source, name),
        SourceType::Typescript => typescript::find_function(source, name),
    }
}

fn check_size(source: &str) -> Result<(), SchemaError> {
    if source.len() > MAX_SOURCE_BYTES { Err(SchemaError::TooLarge) } else { Ok(()) }
}

/// One parameter as a language's reader found it.
struct Parameter {
    name: String,
    /// The type, without description or default.
    schema: Map<String, Value>,
    description: Option<String>,
    default: Option<Value>,
    required: bool,
}

/// Why a function cannot be offered to a model under its name.
fn name_trouble(name: &str) -> Option<String> {
    let plain = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if name.chars().count() > MAX_NAME {
        Some(format!("its name is longer than {MAX_NAME} characters"))
    } else if !name.chars().all(plain) {
        Some("its name may have only the letters a to z, digits and underscores".to_owned())
    } else {
        None
    }
}

/// Puts a schema together in the API's shape.
fn assemble(name: String, description: String, is_async: bool, parameters: Vec<Parameter>) -> DerivedSchema {
    let parameter_order = parameters.iter().map(|parameter| parameter.name.clone()).collect();
    let required: Vec<&str> = parameters
        .iter()
        .filter(|parameter| parameter.required)
        .map(|parameter| parameter.name.as_str())
        .collect();
    let required = json!(required);
    let mut properties = Map::new();
    for parameter in parameters {
        properties.insert(parameter.name.clone(), Value::Object(property(parameter)));
    }
    let parameters = json!({"type": "object", "properties": properties, "required": required});
    finish(name, description, is_async, parameters, parameter_order)
}

fn finish(
    name: String,
    description: String,
    is_async: bool,
    parameters: Value,
    parameter_order: Vec<String>,
) -> DerivedSchema {
    let mut json_schema = Map::new();
    json_schema.insert("name".to_owned(), json!(name));
    json_schema.insert("description".to_owned(), json!(description));
    json_schema.insert("parameters".to_owned(), parameters.clone());
    DerivedSchema { name, description, parameters, json_schema, is_async, parameter_order }
}

/// A schema whose parameters someone else wrote.
fn with_given(
    name: String,
    description: String,
    is_async: bool,
    given: &Map<String, Value>,
) -> DerivedSchema {
    let mut parameters = given.clone();
    parameters.entry("type").or_insert_with(|| json!("object"));
    parameters.entry("properties").or_insert_with(|| json!({}));
    let order = parameters["properties"].as_object().map(|all| all.keys().cloned().collect());
    finish(name, description, is_async, Value::Object(parameters), order.unwrap_or_default())
}

/// Type first, then its meaning, then the rest.
fn property(parameter: Parameter) -> Map<String, Value> {
    let Parameter { schema, description, default, .. } = parameter;
    let mut property = Map::new();
    let mut rest = schema;
    if let Some(kind) = rest.shift_remove("type") {
        property.insert("type".to_owned(), kind);
    }
    let own = rest.shift_remove("description");
    if let Some(text) = description.map(Value::String).or(own) {
        property.insert("description".to_owned(), text);
    }
    property.extend(rest);
    if let Some(default) = default.filter(|value| !value.is_null()) {
        property.insert("default".to_owned(), default);
    }
    property
}

/// Chooses the function by name or by the rule of the language, which gives the place of the tool.
fn choose<T>(
    mut functions: Vec<T>,
    name: Option<&str>,
    name_of: impl Fn(&T) -> &str,
    tool: impl Fn(&[T]) -> Option<usize>,
) -> Result<T, SchemaError> {
    let place = match name {
        None => tool(&functions).ok_or(SchemaError::NoFunction)?,
        Some(name) => functions.iter().rposition(|function| name_of(function) == name).ok_or_else(|| {
            let names: Vec<&str> = functions.iter().map(&name_of).collect();
            let available = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            SchemaError::NotFound {
                name: name.chars().take(80).collect(),
                available: available.chars().take(400).collect(),
            }
        })?,
    };
    Ok(functions.swap_remove(place))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Whether a value is a JSON Schema as far as the keywords written here go.
    pub(super) fn is_valid(schema: &Value) -> bool {
        const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
        let Some(schema) = schema.as_object() else { return false };
        schema.iter().all(|(keyword, value)| match keyword.as_str() {
            "type" => value.as_str().is_some_and(|kind| TYPES.contains(&kind)),
            "properties" => value.as_object().is_some_and(|all| all.values().all(is_valid)),
            "items" | "additionalProperties" => is_valid(value),
            "prefixItems" | "anyOf" => value
                .as_array()
                .is_some_and(|all| !(all.is_empty() && keyword == "anyOf") && all.iter().all(is_valid)),
            "required" => value.as_array().is_some_and(|all| {
                all.iter().all(Value::is_string)
                    && all.iter().enumerate().all(|(at, one)| !all[..at].contains(one))
            }),
            "enum" => value.as_array().is_some_and(|all| !all.is_empty()),
            "description" | "format" | "pattern" | "title" => value.is_string(),
            "minItems" | "maxItems" | "minLength" | "maxLength" => value.is_u64(),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
                value.is_number()
            }
            "uniqueItems" => value.is_boolean(),
            "examples" => value.is_array(),
            "default" => true,
            _ => false,
        })
    }
}
