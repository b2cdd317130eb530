//! From a type to JSON Schema.

use std::{cell::RefCell, collections::HashMap};

use serde_json::{Map, Value, json};
use tree_sitter::Node;

use super::{jsdoc, literal};
use crate::schema::{
    MAX_DEPTH,
    syntax::{children, text},
};

type Schema = Map<String, Value>;

/// The interfaces, type aliases and enums of a source.
pub(super) struct Scope<'s, 't> {
    source: &'s str,
    named: HashMap<String, Node<'t>>,
    /// Against endless recursion, and against types that use each other too often.
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    open: Vec<String>,
    made: usize,
}

/// A type as a parameter or a property has it.
#[derive(Debug)]
pub(super) struct Converted {
    pub schema: Schema,
    /// `null` or `undefined` is among its values.
    pub nullable: bool,
}

impl Converted {
    /// What a default tells of a parameter without a type.
    pub(super) fn of_default(default: Option<&Value>) -> Self {
        let kind = match default {
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(_)) => "number",
            Some(Value::Object(_)) => "object",
            Some(Value::Array(_)) => {
                return Self::plain(object(json!({"type": "array", "items": {"type": "string"}})));
            }
            Some(Value::String(_) | Value::Null) | None => "string",
        };
        Self::plain(object(json!({"type": kind})))
    }

    fn plain(schema: Schema) -> Self {
        Self { schema, nullable: false }
    }
}

fn object(value: Value) -> Schema {
    match value {
        Value::Object(map) => map,
        _ => Schema::new(),
    }
}

impl<'s, 't> Scope<'s, 't> {
    pub(super) fn read(source: &'s str, root: Node<'t>) -> Self {
        let mut named = HashMap::new();
        for statement in children(root) {
            let declaration = match statement.kind() {
                "export_statement" => statement.child_by_field_name("declaration"),
                _ => Some(statement),
            };
            let Some(node) = declaration else { continue };
            if matches!(node.kind(), "interface_declaration" | "type_alias_declaration" | "enum_declaration")
                && let Some(name) = node.child_by_field_name("name")
            {
                named.insert(text(source, name).to_owned(), node);
            }
        }
        Self { source, named, state: RefCell::default() }
    }

    /// Converts the node of a type.
    pub(super) fn convert(&self, node: Node<'t>) -> Result<Converted, String> {
        self.convert_within(node, 0)
    }

    fn convert_within(&self, node: Node<'t>, depth: usize) -> Result<Converted, String> {
        if depth > MAX_DEPTH {
            return Err("the type is nested too deeply".to_owned());
        }
        let made = {
            let mut state = self.state.borrow_mut();
            state.made += 1;
            state.made
        };
        if made > 2_000 {
            return Err("the types of the source use each other too often".to_owned());
        }
        match node.kind() {
            "union_type" => self.union(node, depth),
            "literal_type" => Ok(self.literal_type(node)),
            "parenthesized_type" | "readonly_type" | "optional_type" => match children(node).first() {
                Some(inner) => self.convert_within(*inner, depth + 1),
                None => Ok(Converted::plain(object(json!({})))),
            },
            "type_identifier" | "generic_type" => self.named_type(node, depth),
            _ => self.plain(node, depth).map(Converted::plain),
        }
    }

    fn plain(&self, node: Node<'t>, depth: usize) -> Result<Schema, String> {
        Ok(object(match node.kind() {
            "predefined_type" => match text(self.source, node) {
                "number" => json!({"type": "number"}),
                "boolean" => json!({"type": "boolean"}),
                "unknown" | "object" => json!({"type": "object"}),
                // `any` is a string, as the API has it.
                _ => json!({"type": "string"}),
            },
            "array_type" => {
                let item = children(node).first().copied();
                let item = item.map(|item| self.nested(item, depth)).transpose()?.unwrap_or_default();
                json!({"type": "array", "items": item})
            }
            "tuple_type" => {
                let items: Vec<Schema> = children(node)
                    .into_iter()
                    .map(|item| self.nested(item, depth))
                    .collect::<Result<_, _>>()?;
                let count = items.len();
                json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count})
            }
            "object_type" | "interface_body" => return self.members(node, depth),
            "intersection_type" => return self.intersection(node, depth),
            "required_parameter" | "optional_parameter" => {
                let kind = node.child_by_field_name("type").and_then(|kind| children(kind).first().copied());
                return kind.map_or_else(|| Ok(Schema::new()), |kind| self.nested(kind, depth));
            }
            "template_literal_type" | "index_type_query" => json!({"type": "string"}),
            "function_type" | "constructor_type" => {
                return Err("a function cannot be written as JSON, so it cannot be a parameter".to_owned());
            }
            "mapped_type_clause" | "conditional_type" | "lookup_type" | "type_query" | "infer_type" => {
                json!({"type": "object"})
            }
            _ => json!({"type": "object"}),
        }))
    }

    /// A type inside another: null is one of its values, not its absence.
    fn nested(&self, node: Node<'t>, depth: usize) -> Result<Schema, String> {
        let converted = self.convert_within(node, depth + 1)?;
        Ok(if converted.nullable { or_null(converted.schema) } else { converted.schema })
    }

    fn union(&self, node: Node<'t>, depth: usize) -> Result<Converted, String> {
        let mut arms = Vec::new();
        self.flatten(node, &mut arms);
        let mut nullable = false;
        let mut constants = Vec::new();
        let mut schemas: Vec<Schema> = Vec::new();
        for arm in arms {
            let arm = self.convert_within(arm, depth + 1)?;
            nullable |= arm.nullable;
            match arm.schema.get("enum").and_then(Value::as_array) {
                Some(values) => constants.extend(values.iter().cloned()),
                None if arm.schema.is_empty() => {}
                None if schemas.contains(&arm.schema) => {}
                None => schemas.push(arm.schema),
            }
        }
        if !constants.is_empty() {
            schemas.push(one_of(constants));
        }
        let schema = match schemas.len() {
            0 => object(json!({"type": "null"})),
            1 => schemas.remove(0),
            _ => object(json!({"anyOf": schemas})),
        };
        Ok(Converted { schema, nullable })
    }

    /// `A | B | C` is a tree of pairs.
    fn flatten(&self, node: Node<'t>, arms: &mut Vec<Node<'t>>) {
        let mut waiting = vec![node];
        while let Some(node) = waiting.pop() {
            if node.kind() == "union_type" {
                waiting.extend(children(node).into_iter().rev());
            } else {
                arms.push(node);
            }
        }
    }

    fn literal_type(&self, node: Node<'t>) -> Converted {
        match literal(text(self.source, node)) {
            Some(Value::Null) => Converted { schema: Schema::new(), nullable: true },
            Some(value) => Converted::plain(one_of(vec![value])),
            None => Converted::plain(object(json!({"type": "string"}))),
        }
    }

    fn named_type(&self, node: Node<'t>, depth: usize) -> Result<Converted, String> {
        let name = node.child_by_field_name("name").unwrap_or(node);
        let name = text(self.source, name).rsplit('.').next().unwrap_or("").to_owned();
        let arguments: Vec<Node<'t>> =
            node.child_by_field_name("type_arguments").map(children).unwrap_or_default();
        let first = arguments.first().copied();
        let one = |wrap: fn(Schema) -> Value| match first {
            Some(item) => self.nested(item, depth).map(|item| Converted::plain(object(wrap(item)))),
            None => Ok(Converted::plain(object(wrap(object(json!({"type": "string"})))))),
        };
        if !self.named.contains_key(&name) {
            return match name.as_str() {
                "Array" | "ReadonlyArray" | "Iterable" => one(|item| json!({"type": "array", "items": item})),
                "Set" | "ReadonlySet" => {
                    one(|item| json!({"type": "array", "items": item, "uniqueItems": true}))
                }
                "Record" | "Map" | "ReadonlyMap" => match arguments.get(1) {
                    Some(value) => {
                        let value = self.nested(*value, depth)?;
                        Ok(Converted::plain(object(json!({"type": "object", "additionalProperties": value}))))
                    }
                    None => Ok(Converted::plain(object(json!({"type": "object"})))),
                },
                "Promise" | "Readonly" | "NonNullable" | "Awaited" => match first {
                    Some(inner) => self.convert_within(inner, depth + 1),
                    None => Ok(Converted::plain(object(json!({"type": "object"})))),
                },
                "Partial" => match first {
                    Some(inner) => {
                        let mut converted = self.convert_within(inner, depth + 1)?;
                        if converted.schema.contains_key("required") {
                            converted.schema.insert("required".to_owned(), json!([]));
                        }
                        Ok(converted)
                    }
                    None => Ok(Converted::plain(object(json!({"type": "object"})))),
                },
                "Date" => Ok(Converted::plain(object(json!({"type": "string", "format": "date-time"})))),
                "URL" => Ok(Converted::plain(object(json!({"type": "string", "format": "uri"})))),
                "String" | "Uint8Array" | "Buffer" => Ok(Converted::plain(object(json!({"type": "string"})))),
                "Number" => Ok(Converted::plain(object(json!({"type": "number"})))),
                "Boolean" => Ok(Converted::plain(object(json!({"type": "boolean"})))),
                "undefined" => Ok(Converted { schema: Schema::new(), nullable: true }),
                "Function" => {
                    Err("a function cannot be written as JSON, so it cannot be a parameter".to_owned())
                }
                // From a package, or a type parameter: nothing more is known.
                _ => Ok(Converted::plain(object(json!({"type": "object"})))),
            };
        }
        if self.state.borrow().open.contains(&name) {
            let again = json!({"type": "object", "description": format!("Again of the form {name}.")});
            return Ok(Converted::plain(object(again)));
        }
        self.state.borrow_mut().open.push(name.clone());
        let converted = self.named[&name].child_by_field_name("value").map_or_else(
            || self.declaration(self.named[&name], depth).map(Converted::plain),
            |value| self.convert_within(value, depth + 1),
        );
        self.state.borrow_mut().open.pop();
        converted.map_err(|reason| format!("in '{name}': {reason}"))
    }

    /// An interface or an enum.
    fn declaration(&self, node: Node<'t>, depth: usize) -> Result<Schema, String> {
        let Some(body) = node.child_by_field_name("body") else {
            return Ok(object(json!({"type": "object"})));
        };
        if node.kind() == "enum_declaration" {
            return Ok(one_of(enum_values(self.source, body).into_iter().map(|(_, value)| value).collect()));
        }
        let mut schema = self.members(body, depth)?;
        let bases = children(node).into_iter().filter(|child| child.kind() == "extends_type_clause");
        for base in bases.flat_map(children) {
            let base = self.convert_within(base, depth + 1)?.schema;
            schema = merge(base, schema);
        }
        if let Some(doc) = jsdoc::before(self.source, outermost(node)) {
            describe(&mut schema, &doc.description);
        }
        Ok(schema)
    }

    fn members(&self, body: Node<'t>, depth: usize) -> Result<Schema, String> {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        let mut others = None;
        for member in children(body) {
            let kind = member.child_by_field_name("type").and_then(|kind| children(kind).first().copied());
            match member.kind() {
                "property_signature" => {
                    let Some(name) = member.child_by_field_name("name") else { continue };
                    let name = text(self.source, name).trim_matches(['"', '\'']).to_owned();
                    let mut cursor = member.walk();
                    let optional = member.children(&mut cursor).any(|child| child.kind() == "?");
                    let converted = match kind {
                        Some(kind) => self
                            .convert_within(kind, depth + 1)
                            .map_err(|reason| format!("property '{name}': {reason}"))?,
                        None => Converted::of_default(None),
                    };
                    let needed = !optional;
                    let mut schema = if needed && converted.nullable {
                        or_null(converted.schema)
                    } else {
                        converted.schema
                    };
                    if let Some(doc) = jsdoc::before(self.source, member) {
                        describe(&mut schema, &doc.description);
                    }
                    if needed {
                        required.push(name.clone());
                    }
                    properties.insert(name, Value::Object(schema));
                }
                "index_signature" => {
                    others = kind.map(|kind| self.nested(kind, depth)).transpose()?;
                }
                _ => {}
            }
        }
        let mut schema = object(json!({"type": "object"}));
        if !properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(properties));
            schema.insert("required".to_owned(), json!(required));
        }
        if let Some(others) = others {
            schema.insert("additionalProperties".to_owned(), Value::Object(others));
        }
        Ok(schema)
    }

    fn intersection(&self, node: Node<'t>, depth: usize) -> Result<Schema, String> {
        let mut whole = object(json!({"type": "object"}));
        for arm in children(node) {
            whole = merge(whole, self.convert_within(arm, depth + 1)?.schema);
        }
        Ok(whole)
    }
}

/// The declaration with its `export`, before which its comment stands.
fn outermost(node: Node<'_>) -> Node<'_> {
    node.parent().filter(|parent| parent.kind() == "export_statement").unwrap_or(node)
}

fn describe(schema: &mut Schema, description: &str) {
    if !description.is_empty() {
        schema.insert("description".to_owned(), json!(description));
    }
}

fn or_null(schema: Schema) -> Schema {
    if schema.is_empty() {
        return object(json!({"type": "null"}));
    }
    object(json!({"anyOf": [schema, {"type": "null"}]}))
}

/// Two objects as one; the second wins.
fn merge(mut base: Schema, over: Schema) -> Schema {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(have)), Value::Object(more)) => have.extend(more),
            (Some(Value::Array(have)), Value::Array(more)) => {
                let new: Vec<Value> = more.into_iter().filter(|item| !have.contains(item)).collect();
                have.extend(new);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

fn one_of(values: Vec<Value>) -> Schema {
    let kind = |value: &Value| match value {
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Null => "null",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let mut schema = Schema::new();
    let first = distinct.first().map(kind);
    if let Some(first) = first.filter(|first| distinct.iter().all(|value| kind(value) == *first)) {
        schema.insert("type".to_owned(), json!(first));
    }
    schema.insert("enum".to_owned(), Value::Array(distinct));
    schema
}

/// The members of an enum with their values; those that are no constants have none of their own.
pub(super) fn enum_values(source: &str, body: Node<'_>) -> Vec<(String, Value)> {
    let mut next = 0_i64;
    let mut found = Vec::new();
    for member in children(body) {
        let (name, value) = match member.kind() {
            "enum_assignment" => (
                member.child_by_field_name("name"),
                member.child_by_field_name("value").and_then(|value| literal(text(source, value))),
            ),
            _ => (Some(member), None),
        };
        let Some(name) = name else { continue };
        let name = text(source, name).trim_matches(['"', '\'']).to_owned();
        let value = value.unwrap_or_else(|| json!(next));
        next = value.as_i64().map_or(next, |value| value.saturating_add(1));
        found.push((name, value));
    }
    found
}
