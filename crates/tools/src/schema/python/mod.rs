//! Python: which function is the tool, and what its signature and docstring say.

mod classes;
mod convert;
mod docstring;
mod hint;
mod literal;
mod trouble;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use tree_sitter::{Node, Tree};

use super::{
    Callable, DerivedSchema, MAX_PROBLEMS, Parameter, Problem, SchemaError, assemble, choose, name_trouble,
    syntax::{children, parse, place, text},
    with_given,
};
use classes::Scope;
use docstring::Docstring;

/// Parameters that are filled in here, not by the model.
const HIDDEN: &[&str] = &["self", "cls", "agent_state", "request_heartbeat"];

/// One function at the top level.
struct Function<'t> {
    name: String,
    node: Node<'t>,
    is_async: bool,
}

/// A parameter as it is written.
struct Written<'s> {
    name: &'s str,
    annotation: Option<&'s str>,
    default: Option<&'s str>,
    byte: usize,
}

pub(super) fn find_function(source: &str, name: Option<&str>) -> Result<Callable, SchemaError> {
    let tree = parsed(source)?;
    let function = choose(functions(source, tree.root_node()), name, |one| &one.name, the_tool)?;
    let parameters = read_parameters(source, function.node, &mut Vec::new());
    let parameters = parameters.iter().map(|parameter| parameter.name.to_owned()).collect();
    Ok(Callable { name: function.name, is_async: function.is_async, parameters })
}

pub(super) fn derive(
    source: &str,
    name: Option<&str>,
    given: Option<&Map<String, Value>>,
) -> Result<DerivedSchema, SchemaError> {
    let tree = parsed(source)?;
    let root = tree.root_node();
    let function = choose(functions(source, root), name, |one| &one.name, the_tool)?;
    let text_of_doc = function.node.child_by_field_name("body").and_then(|body| doc_text(source, body));
    if let Some(given) = given {
        let description = text_of_doc.map(|text| docstring::parse(&text).description).unwrap_or_default();
        return Ok(with_given(function.name, description, function.is_async, given));
    }

    let mut problems = Vec::new();
    if let Some(message) = name_trouble(&function.name) {
        problems.push(problem(source, function.node.start_byte(), message));
    }
    let doc = text_of_doc.map(|text| docstring::parse(&text));
    let doc = match doc.filter(|doc| !doc.description.is_empty()) {
        Some(doc) => doc,
        None => {
            let message = "it has no docstring; describe below its first line what it does, and its parameters under \
                           'Args:'";
            problems.push(problem(source, function.node.start_byte(), message));
            Docstring::default()
        }
    };
    let written = read_parameters(source, function.node, &mut problems);
    let scope = Scope::read(source, root);
    let mut parameters = Vec::new();
    for one in written.iter().filter(|one| !HIDDEN.contains(&one.name)) {
        match parameter(&scope, &doc, one) {
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

fn parsed(source: &str) -> Result<Tree, SchemaError> {
    parse(source, &language()).map_err(|error| match trouble::find(source) {
        Some((byte, message)) => {
            let (line, column) = place(source, byte);
            SchemaError::Syntax { line, column, message }
        }
        None => error,
    })
}

fn language() -> tree_sitter::Language {
    tree_sitter_python::LANGUAGE.into()
}

fn problem(source: &str, byte: usize, message: impl Into<String>) -> Problem {
    let (line, column) = place(source, byte);
    Problem { line, column, message: message.into() }
}

fn functions<'t>(source: &str, root: Node<'t>) -> Vec<Function<'t>> {
    children(root)
        .into_iter()
        .filter_map(|node| match node.kind() {
            "decorated_definition" => node.child_by_field_name("definition"),
            _ => Some(node),
        })
        .filter(|node| node.kind() == "function_definition")
        .filter_map(|node| {
            let name = text(source, node.child_by_field_name("name")?).to_owned();
            let is_async = node.child(0).is_some_and(|first| first.kind() == "async");
            Some(Function { name, node, is_async })
        })
        .collect()
}

/// The last one that is not marked as private; if all are, the last.
fn the_tool(functions: &[Function<'_>]) -> Option<usize> {
    functions
        .iter()
        .rposition(|function| !function.name.starts_with('_'))
        .or_else(|| functions.len().checked_sub(1))
}

fn doc_text(source: &str, body: Node<'_>) -> Option<String> {
    let first = *children(body).first()?;
    if first.kind() != "expression_statement" {
        return None;
    }
    let string = *children(first).first()?;
    matches!(string.kind(), "string" | "concatenated_string")
        .then(|| literal::whole_string(text(source, string)))?
}

/// All named parameters; what cannot be filled in by name is a problem.
fn read_parameters<'s>(source: &'s str, function: Node<'_>, problems: &mut Vec<Problem>) -> Vec<Written<'s>> {
    let Some(list) = function.child_by_field_name("parameters") else { return Vec::new() };
    let mut found: Vec<Written<'s>> = Vec::new();
    for node in children(list) {
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        let byte = node.start_byte();
        let name = node.child_by_field_name("name").or_else(|| children(node).first().copied());
        let annotation = node.child_by_field_name("type").map(|node| text(source, node));
        let default = node.child_by_field_name("value").map(|node| text(source, node));
        let whole = text(source, node);
        match node.kind() {
            "identifier" => found.push(Written { name: whole, annotation: None, default: None, byte }),
            "typed_parameter" if whole.starts_with('*') => problems.push(starred(source, byte, whole)),
            "typed_parameter" | "default_parameter" | "typed_default_parameter" => {
                if let Some(name) = name {
                    found.push(Written { name: text(source, name), annotation, default, byte });
                }
            }
            "list_splat_pattern" | "dictionary_splat_pattern" => problems.push(starred(source, byte, whole)),
            "positional_separator" => {
                let message = "parameters before '/' cannot be filled in by name; remove the '/'";
                problems.push(problem(source, byte, message));
            }
            // `*` alone: what follows is filled in by name, as everything is.
            "keyword_separator" => {}
            _ => {
                problems.push(problem(source, byte, format!("cannot make sense of the parameter '{whole}'")))
            }
        }
    }
    found
}

fn starred(source: &str, byte: usize, whole: &str) -> Problem {
    let name = whole.split(':').next().unwrap_or(whole).trim();
    problem(
        source,
        byte,
        format!("'{name}' takes any number of arguments, which a model cannot see; name each parameter"),
    )
}

fn parameter(scope: &Scope, doc: &Docstring, written: &Written<'_>) -> Result<Parameter, String> {
    let name = written.name;
    let Some(annotation) = written.annotation else {
        return Err(format!("parameter '{name}' has no type annotation; write for example '{name}: str'"));
    };
    let converted =
        convert::convert(scope, annotation).map_err(|reason| format!("parameter '{name}': {reason}"))?;
    let described = doc.parameter(name).map(str::to_owned).or(converted.description);
    let Some(description) = described else {
        return Err(format!(
            "parameter '{name}' is not described in the docstring; add '{name}: …' under 'Args:'"
        ));
    };
    let default =
        written.default.and_then(|text| literal::whole_literal(text).or_else(|| scope.member(text).cloned()));
    Ok(Parameter {
        name: name.to_owned(),
        schema: converted.schema,
        description: Some(description),
        default,
        required: written.default.is_none() && !converted.nullable,
    })
}

/// A constant written in Python's way, which for strings, numbers and lists is JavaScript's as well.
pub(super) fn constant(text: &str) -> Option<Value> {
    literal::whole_literal(text)
}
