//! TypeScript: which function is the tool, what its parameters' types and its JSDoc say, and the same source as
//! JavaScript.

mod erase;
mod jsdoc;
mod types;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use tree_sitter::Node;

use super::{
    Callable, DerivedSchema, MAX_PROBLEMS, Parameter, Problem, SchemaError, assemble, choose, name_trouble,
    python,
    syntax::{children, parse, place, text},
    with_given,
};
use jsdoc::JsDoc;
use types::Scope;

pub use erase::to_javascript;

/// One function at the top level.
struct Function<'t> {
    name: String,
    /// Where its comment stands before.
    statement: Node<'t>,
    /// Has `parameters`.
    node: Node<'t>,
    exported: bool,
    is_async: bool,
}

/// A parameter as it is written.
struct Written<'t> {
    name: String,
    kind: Option<Node<'t>>,
    optional: bool,
    default: Option<Value>,
    byte: usize,
}

pub(super) fn find_function(source: &str, name: Option<&str>) -> Result<Callable, SchemaError> {
    let tree = parse(source, &language())?;
    let function = choose(functions(source, tree.root_node()), name, |one| &one.name, the_tool)?;
    let mut problems = Vec::new();
    let parameters: Vec<String> =
        read_parameters(source, function.node, &mut problems).into_iter().map(|one| one.name).collect();
    // Arguments go by place, so a parameter without a name would shift the others.
    if problems.is_empty() {
        Ok(Callable { name: function.name, is_async: function.is_async, parameters })
    } else {
        Err(SchemaError::Invalid { function: function.name, problems })
    }
}

pub(super) fn derive(
    source: &str,
    name: Option<&str>,
    given: Option<&Map<String, Value>>,
) -> Result<DerivedSchema, SchemaError> {
    let tree = parse(source, &language())?;
    let root = tree.root_node();
    let function = choose(functions(source, root), name, |one| &one.name, the_tool)?;
    let doc = jsdoc::before(source, function.statement);
    if let Some(given) = given {
        let description = doc.map(|doc| doc.description).unwrap_or_default();
        return Ok(with_given(function.name, description, function.is_async, given));
    }
    let mut problems = Vec::new();
    if let Some(message) = name_trouble(&function.name) {
        problems.push(problem(source, function.node.start_byte(), message));
    }
    let doc = doc.filter(|doc| !doc.description.is_empty()).unwrap_or_else(|| {
        let message = "it is not described; write above it a comment of the form /** What it does. */";
        problems.push(problem(source, function.node.start_byte(), message));
        JsDoc::default()
    });
    let scope = Scope::read(source, root);
    let mut parameters = Vec::new();
    for one in read_parameters(source, function.node, &mut problems) {
        match parameter(&scope, &doc, &one) {
            Ok(parameter) => parameters.push(parameter),
            Err(message) => problems.push(problem(source, one.byte, message)),
        }
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
    }
    if problems.is_empty() {
        Ok(assemble(function.name, doc.description, function.is_async, parameters))
    } else {
        Err(SchemaError::Invalid { function: function.name, problems })
    }
}

fn language() -> tree_sitter::Language {
    tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into()
}

fn problem(source: &str, byte: usize, message: impl Into<String>) -> Problem {
    let (line, column) = place(source, byte);
    Problem { line, column, message: message.into() }
}

fn functions<'t>(source: &str, root: Node<'t>) -> Vec<Function<'t>> {
    let exported_later = exported_names(source, root);
    let mut found = Vec::new();
    for statement in children(root) {
        let exported = statement.kind() == "export_statement";
        let declaration =
            if exported { statement.child_by_field_name("declaration") } else { Some(statement) };
        let Some(declaration) = declaration else { continue };
        let mut add = |name: Node<'_>, node: Node<'t>| {
            let name = text(source, name).to_owned();
            let exported = exported || exported_later.contains(&name);
            let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
            found.push(Function { name, statement, node, exported, is_async });
        };
        match declaration.kind() {
            "function_declaration" => {
                if let Some(name) = declaration.child_by_field_name("name") {
                    add(name, declaration);
                }
            }
            "lexical_declaration" | "variable_declaration" => {
                for one in children(declaration) {
                    let (name, value) = (one.child_by_field_name("name"), one.child_by_field_name("value"));
                    if let (Some(name), Some(value)) = (name, value)
                        && name.kind() == "identifier"
                        && matches!(value.kind(), "arrow_function" | "function_expression")
                    {
                        add(name, value);
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Names in `export { … }` and `export default name`.
fn exported_names(source: &str, root: Node<'_>) -> Vec<String> {
    let exports = children(root).into_iter().filter(|node| node.kind() == "export_statement");
    exports
        .flat_map(children)
        .flat_map(|child| match child.kind() {
            "export_clause" => {
                children(child).into_iter().filter_map(|one| one.child_by_field_name("name")).collect()
            }
            "identifier" => vec![child],
            _ => Vec::new(),
        })
        .map(|name| text(source, name).to_owned())
        .collect()
}

/// The first one that is exported; if none is, the last.
fn the_tool(functions: &[Function<'_>]) -> Option<usize> {
    functions.iter().position(|function| function.exported).or_else(|| functions.len().checked_sub(1))
}

fn read_parameters<'t>(source: &str, function: Node<'t>, problems: &mut Vec<Problem>) -> Vec<Written<'t>> {
    // `x => …` has one parameter without brackets.
    if let Some(single) = function.child_by_field_name("parameter") {
        let name = text(source, single).to_owned();
        return vec![Written { name, kind: None, optional: false, default: None, byte: single.start_byte() }];
    }
    let Some(list) = function.child_by_field_name("parameters") else { return Vec::new() };
    let mut found = Vec::new();
    for node in children(list) {
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        let byte = node.start_byte();
        let Some(pattern) = node.child_by_field_name("pattern") else { continue };
        match pattern.kind() {
            "identifier" => {
                let value = node.child_by_field_name("value");
                found.push(Written {
                    name: text(source, pattern).to_owned(),
                    kind: node.child_by_field_name("type").and_then(|kind| children(kind).first().copied()),
                    optional: node.kind() == "optional_parameter" || value.is_some(),
                    default: value.and_then(|value| literal(text(source, value))),
                    byte,
                });
            }
            "rest_pattern" => problems.push(problem(
                source,
                byte,
                format!("'{}' takes any number of arguments; name each parameter", text(source, pattern)),
            )),
            "this" => {}
            _ => problems.push(problem(source, byte, "a parameter must be a plain name, not a pattern")),
        }
    }
    found
}

/// A default that is a constant.
fn literal(text: &str) -> Option<Value> {
    match text.trim() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        "null" | "undefined" => Some(Value::Null),
        text => python::constant(text),
    }
}

fn parameter(scope: &Scope<'_, '_>, doc: &JsDoc, written: &Written<'_>) -> Result<Parameter, String> {
    let name = &written.name;
    let converted = match written.kind {
        Some(kind) => scope.convert(kind).map_err(|reason| format!("parameter '{name}': {reason}"))?,
        None => types::Converted::of_default(written.default.as_ref()),
    };
    Ok(Parameter {
        name: name.clone(),
        schema: converted.schema,
        description: doc.parameter(name).map(str::to_owned),
        default: written.default.clone(),
        required: !written.optional && !converted.nullable,
    })
}
