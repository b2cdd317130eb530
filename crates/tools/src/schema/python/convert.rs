//! From an annotation to JSON Schema.

use serde_json::{Map, Value, json};

use super::{
    classes::{Class, Field, Kind, Scope},
    hint::{self, Hint},
};
use crate::schema::MAX_DEPTH;

type Schema = Map<String, Value>;

/// An annotation as a parameter or a field has it.
#[derive(Debug)]
pub(super) struct Converted {
    pub schema: Schema,
    /// None is among its values.
    pub nullable: bool,
    /// From `Annotated[…]`.
    pub description: Option<String>,
    /// `Required[…]` or `NotRequired[…]`.
    pub required: Option<bool>,
}

/// Converts the text of an annotation.
pub(super) fn convert(scope: &Scope, annotation: &str) -> Result<Converted, String> {
    Converter { scope, open: Vec::new(), budget: 2_000 }.top(&hint::parse(annotation)?, 0)
}

struct Converter<'s> {
    scope: &'s Scope,
    /// The classes being converted, against endless recursion.
    open: Vec<String>,
    /// How many more schemas may be made: types that use each other multiply.
    budget: usize,
}

fn object(value: Value) -> Schema {
    match value {
        Value::Object(map) => map,
        _ => Schema::new(),
    }
}

impl Converter<'_> {
    /// Takes apart what stands around a type.
    fn top(&mut self, hint: &Hint, depth: usize) -> Result<Converted, String> {
        match hint {
            Hint::Generic(name, inner) if depth <= MAX_DEPTH => match (name.as_str(), inner.as_slice()) {
                ("Annotated", [first, notes @ ..]) => {
                    let mut converted = self.top(first, depth + 1)?;
                    for note in notes {
                        annotate(&mut converted, note);
                    }
                    return Ok(converted);
                }
                ("Required" | "NotRequired", [first]) => {
                    let converted = self.top(first, depth + 1)?;
                    return Ok(Converted { required: Some(name == "Required"), ..converted });
                }
                ("Final" | "ReadOnly", [first]) => return self.top(first, depth + 1),
                ("Optional", [first]) => {
                    let converted = self.top(first, depth + 1)?;
                    return Ok(Converted { nullable: true, ..converted });
                }
                ("Union", arms) => return self.union(arms, depth),
                _ => {}
            },
            Hint::Union(arms) => return self.union(arms, depth),
            Hint::Name(name) => {
                if let Some(alias) = self.alias(name) {
                    let alias = hint::parse(alias)?;
                    self.open.push(name.clone());
                    let converted = self.top(&alias, depth + 1);
                    self.open.pop();
                    return converted;
                }
            }
            _ => {}
        }
        Ok(Converted { schema: self.plain(hint, depth)?, nullable: false, description: None, required: None })
    }

    fn alias(&self, name: &str) -> Option<&str> {
        let known = self.scope.class(name).is_none() && !self.open.iter().any(|open| open == name);
        self.scope.alias(name).filter(|_| known)
    }

    fn union(&mut self, arms: &[Hint], depth: usize) -> Result<Converted, String> {
        let mut nullable = false;
        let mut schemas: Vec<Schema> = Vec::new();
        for arm in arms {
            if *arm == Hint::None {
                nullable = true;
                continue;
            }
            let inner = self.top(arm, depth + 1)?;
            nullable |= inner.nullable;
            if !schemas.contains(&inner.schema) {
                schemas.push(inner.schema);
            }
        }
        let schema = match schemas.len() {
            0 => object(json!({"type": "null"})),
            1 => schemas.remove(0),
            _ => object(json!({"anyOf": schemas})),
        };
        Ok(Converted { schema, nullable, description: None, required: None })
    }

    /// A type inside another: None is one of its values, not its absence.
    fn nested(&mut self, hint: &Hint, depth: usize) -> Result<Schema, String> {
        let converted = self.top(hint, depth + 1)?;
        let mut schema = converted.schema;
        if converted.nullable {
            schema = match schema.get_mut("anyOf").and_then(Value::as_array_mut) {
                Some(arms) => {
                    arms.push(json!({"type": "null"}));
                    schema
                }
                None => object(json!({"anyOf": [schema, {"type": "null"}]})),
            };
        }
        if let Some(description) = converted.description {
            schema.insert("description".to_owned(), json!(description));
        }
        Ok(schema)
    }

    fn plain(&mut self, hint: &Hint, depth: usize) -> Result<Schema, String> {
        if depth > MAX_DEPTH {
            return Err("the type is nested too deeply".to_owned());
        }
        self.budget = self.budget.checked_sub(1).ok_or("the types of the source use each other too often")?;
        match hint {
            Hint::None => Ok(object(json!({"type": "null"}))),
            Hint::Name(name) => self.named(name, depth),
            Hint::Generic(name, inner) => self.generic(name, inner, depth),
            Hint::Union(_) => self.nested(hint, depth),
            Hint::Ellipsis | Hint::Constant(_) | Hint::Call(..) | Hint::List => {
                Err("no JSON schema type corresponds to the annotation".to_owned())
            }
        }
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<Schema, String> {
        if let Some(class) = self.scope.class(name) {
            return self.class(name, class, depth);
        }
        if self.alias(name).is_some() {
            return self.nested(&Hint::Name(name.to_owned()), depth);
        }
        Ok(object(match name {
            "str" | "AnyStr" | "LiteralString" | "bytes" => json!({"type": "string"}),
            "int" => json!({"type": "integer"}),
            "float" | "complex" | "Decimal" | "Number" => json!({"type": "number"}),
            "bool" => json!({"type": "boolean"}),
            "list" | "List" | "Sequence" | "MutableSequence" | "Iterable" | "Collection" | "tuple"
            | "Tuple" => {
                json!({"type": "array", "items": {"type": "string"}})
            }
            "set" | "Set" | "frozenset" | "FrozenSet" | "AbstractSet" => {
                json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true})
            }
            "dict" | "Dict" | "Mapping" | "MutableMapping" | "OrderedDict" | "DefaultDict"
            | "defaultdict" => {
                json!({"type": "object"})
            }
            "Any" | "object" => json!({}),
            "datetime" => json!({"type": "string", "format": "date-time"}),
            "date" => json!({"type": "string", "format": "date"}),
            "time" => json!({"type": "string", "format": "time"}),
            "UUID" => json!({"type": "string", "format": "uuid"}),
            "Path" | "PurePath" | "PosixPath" => json!({"type": "string"}),
            "EmailStr" => json!({"type": "string", "format": "email"}),
            "HttpUrl" | "AnyUrl" | "AnyHttpUrl" => json!({"type": "string", "format": "uri"}),
            "PositiveInt" => json!({"type": "integer", "exclusiveMinimum": 0}),
            "NonNegativeInt" => json!({"type": "integer", "minimum": 0}),
            "PositiveFloat" => json!({"type": "number", "exclusiveMinimum": 0}),
            "NonNegativeFloat" => json!({"type": "number", "minimum": 0}),
            _ => {
                return Err(format!(
                    "no JSON schema type corresponds to '{name}'; use a built-in type, or a pydantic model, dataclass, \
                     TypedDict or Enum defined in the same source"
                ));
            }
        }))
    }

    fn generic(&mut self, name: &str, inner: &[Hint], depth: usize) -> Result<Schema, String> {
        let item = |this: &mut Self| match inner {
            [item] => this.nested(item, depth),
            _ => Err(format!("'{name}' takes one type in its brackets")),
        };
        match name {
            "list" | "List" | "Sequence" | "MutableSequence" | "Iterable" | "Collection" | "Iterator" => {
                Ok(object(json!({"type": "array", "items": item(self)?})))
            }
            "set" | "Set" | "frozenset" | "FrozenSet" | "AbstractSet" => {
                Ok(object(json!({"type": "array", "items": item(self)?, "uniqueItems": true})))
            }
            "tuple" | "Tuple" => self.tuple(inner, depth),
            "dict" | "Dict" | "Mapping" | "MutableMapping" | "OrderedDict" | "DefaultDict"
            | "defaultdict" => match inner {
                [_, value] => {
                    let value = self.nested(value, depth)?;
                    let mut schema = object(json!({"type": "object"}));
                    if !value.is_empty() {
                        schema.insert("additionalProperties".to_owned(), Value::Object(value));
                    }
                    Ok(schema)
                }
                _ => Err(format!("'{name}' takes a type for keys and one for values in its brackets")),
            },
            "Literal" => literal(inner),
            "type" | "Type" => Ok(object(json!({"type": "string"}))),
            "Optional" | "Union" | "Annotated" | "Required" | "NotRequired" | "Final" | "ReadOnly" => {
                if inner.is_empty() {
                    return Err(format!("'{name}' takes a type in its brackets"));
                }
                self.nested(&Hint::Generic(name.to_owned(), inner.to_vec()), depth)
            }
            // A generic model: its parameters stand for anything.
            _ => self.named(name, depth),
        }
    }

    fn tuple(&mut self, inner: &[Hint], depth: usize) -> Result<Schema, String> {
        if let [item, Hint::Ellipsis] = inner {
            let item = self.nested(item, depth)?;
            return Ok(object(json!({"type": "array", "items": item})));
        }
        let items: Vec<Schema> =
            inner.iter().map(|item| self.nested(item, depth)).collect::<Result<_, _>>()?;
        let count = items.len();
        Ok(object(json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})))
    }

    fn class(&mut self, name: &str, class: &Class, depth: usize) -> Result<Schema, String> {
        if class.kind == Kind::Enum {
            return enumeration(name, class);
        }
        if class.kind == Kind::Other {
            return Err(format!(
                "the class '{name}' has no JSON form; make it a pydantic model, a dataclass or a TypedDict"
            ));
        }
        if self.open.iter().any(|open| open == name) {
            return Ok(object(
                json!({"type": "object", "description": format!("Again of the form {name}.")}),
            ));
        }
        self.open.push(name.to_owned());
        let schema = self.fields(class, depth);
        self.open.pop();
        schema.map_err(|reason| format!("in '{name}': {reason}"))
    }

    fn fields(&mut self, class: &Class, depth: usize) -> Result<Schema, String> {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in &class.fields {
            let hint = hint::parse(&field.annotation)
                .map_err(|reason| format!("field '{}': {reason}", field.name))?;
            let converted =
                self.top(&hint, depth + 1).map_err(|reason| format!("field '{}': {reason}", field.name))?;
            let needed = converted.required.unwrap_or(match class.kind {
                Kind::TypedDict { total } => total,
                Kind::Model | Kind::Dataclass | Kind::NamedTuple | Kind::Enum | Kind::Other => {
                    !field.has_default
                }
            });
            if needed {
                required.push(field.name.clone());
            }
            properties.insert(field.name.clone(), Value::Object(property(field, converted, needed)));
        }
        let mut schema = object(json!({"type": "object"}));
        if let Some(description) = &class.description {
            schema.insert("description".to_owned(), json!(description));
        }
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), json!(required));
        Ok(schema)
    }
}

fn property(field: &Field, converted: Converted, needed: bool) -> Schema {
    let mut schema = converted.schema;
    let mut constraints = object(json!({}));
    constrain(&mut constraints, &schema, &field.constraints);
    if needed && converted.nullable {
        schema = object(json!({"anyOf": [schema, {"type": "null"}]}));
    }
    let mut property = Map::new();
    if let Some(kind) = schema.shift_remove("type") {
        property.insert("type".to_owned(), kind);
    }
    let own = schema.shift_remove("description");
    let description = field.description.clone().or(converted.description).map(Value::String).or(own);
    if let Some(text) = description {
        property.insert("description".to_owned(), text);
    }
    property.extend(schema);
    property.extend(constraints);
    if let Some(default) = field.default.clone().filter(|value| !value.is_null()) {
        property.insert("default".to_owned(), default);
    }
    property
}

/// Writes what `Field(ge=0, …)` demands.
fn constrain(into: &mut Schema, schema: &Schema, constraints: &[(String, Value)]) {
    let array = schema.get("type").and_then(Value::as_str) == Some("array");
    for (name, value) in constraints {
        let keyword = match (name.as_str(), array) {
            ("ge", _) => "minimum",
            ("gt", _) => "exclusiveMinimum",
            ("le", _) => "maximum",
            ("lt", _) => "exclusiveMaximum",
            ("multiple_of", _) => "multipleOf",
            ("min_length" | "min_items", true) => "minItems",
            ("max_length" | "max_items", true) => "maxItems",
            ("min_length", false) => "minLength",
            ("max_length", false) => "maxLength",
            ("pattern" | "regex", false) => "pattern",
            ("title", _) => "title",
            ("examples", _) => "examples",
            _ => continue,
        };
        let fits = match keyword {
            "pattern" | "title" => value.is_string(),
            "examples" => value.is_array(),
            "minItems" | "maxItems" | "minLength" | "maxLength" => value.is_u64(),
            "multipleOf" => value.as_f64().is_some_and(|number| number > 0.0),
            _ => value.is_number(),
        };
        if fits {
            into.insert(keyword.to_owned(), value.clone());
        }
    }
}

/// What stands beside the type in `Annotated[…]`: a text, or a call such as `Field(description=…)`.
fn annotate(converted: &mut Converted, note: &Hint) {
    match note {
        Hint::Constant(Value::String(text)) => converted.description = Some(text.clone()),
        Hint::Call(_, arguments) => {
            let positional = arguments.positional.iter().flatten().find_map(Value::as_str);
            let text =
                arguments.text("description").or_else(|| arguments.text("documentation")).or(positional);
            if let Some(text) = text {
                converted.description = Some(text.to_owned());
            }
            let named: Vec<(String, Value)> = arguments
                .named
                .iter()
                .filter_map(|(name, value)| value.clone().map(|value| (name.clone(), value)))
                .collect();
            let schema = converted.schema.clone();
            constrain(&mut converted.schema, &schema, &named);
        }
        Hint::Name(_)
        | Hint::Generic(..)
        | Hint::Union(_)
        | Hint::None
        | Hint::Ellipsis
        | Hint::Constant(_)
        | Hint::List => {}
    }
}

fn literal(inner: &[Hint]) -> Result<Schema, String> {
    let mut values = Vec::new();
    for value in inner {
        match value {
            Hint::Constant(value) => values.push(value.clone()),
            Hint::None => values.push(Value::Null),
            Hint::Generic(name, more) if name == "Literal" => {
                let more = literal(more)?;
                values.extend(more.get("enum").and_then(Value::as_array).cloned().unwrap_or_default());
            }
            Hint::Name(_)
            | Hint::Generic(..)
            | Hint::Union(_)
            | Hint::Ellipsis
            | Hint::Call(..)
            | Hint::List => {
                return Err("Literal takes constants in its brackets".to_owned());
            }
        }
    }
    if values.is_empty() {
        return Err("Literal takes constants in its brackets".to_owned());
    }
    Ok(one_of(values))
}

/// An enum of these values, with their type if they share one.
fn one_of(mut values: Vec<Value>) -> Schema {
    let mut distinct = Vec::new();
    values.retain(|value| {
        let new = !distinct.contains(value);
        distinct.push(value.clone());
        new
    });
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::Null => "null",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let first = values.first().map(kind);
    let mut schema = Schema::new();
    if let Some(kind) = first.filter(|first| values.iter().all(|value| kind(value) == *first)) {
        schema.insert("type".to_owned(), json!(kind));
    }
    schema.insert("enum".to_owned(), Value::Array(values));
    schema
}

fn enumeration(name: &str, class: &Class) -> Result<Schema, String> {
    if class.members.is_empty() {
        return Err(format!("the enum '{name}' has no members"));
    }
    let mut schema = one_of(class.members.iter().map(|(_, value)| value.clone()).collect());
    if let Some(description) = &class.description {
        schema.insert("description".to_owned(), json!(description));
    }
    Ok(schema)
}
