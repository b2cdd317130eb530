//! The same source as JavaScript: types are blanked out in place, so that lines stay where they are; imports and
//! exports become plain statements of the body of a function with `exports` and `__import`.

use std::ops::Range;

use tree_sitter::Node;

use super::{functions, language, problem, types::enum_values};
use crate::schema::{
    SchemaError,
    syntax::{children, parse, text},
};

/// Turns TypeScript (or JavaScript) into the body of an async function `(exports, require, __import)`.
///
/// A tool's functions end up in `exports`. With `script`, the value of a last expression is returned instead, and
/// a source that the grammar does not know is left as it is for Node to judge.
pub fn to_javascript(source: &str, script: bool) -> Result<String, SchemaError> {
    let tree = match parse(source, &language()) {
        Ok(tree) => tree,
        Err(SchemaError::Syntax { .. }) if script => return Ok(source.to_owned()),
        Err(error) => return Err(error),
    };
    let root = tree.root_node();
    let mut eraser = Eraser { source, edits: Vec::new(), exports: Vec::new() };
    eraser.walk(root)?;
    if script {
        eraser.return_last(root);
    } else {
        for function in functions(source, root) {
            eraser.exports.push((function.name.clone(), function.name));
        }
    }
    Ok(eraser.finish(script))
}

struct Eraser<'s> {
    source: &'s str,
    edits: Vec<(Range<usize>, String)>,
    /// The name outside and the name inside.
    exports: Vec<(String, String)>,
}

impl<'s> Eraser<'s> {
    fn finish(mut self, script: bool) -> String {
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = String::with_capacity(self.source.len() + 256);
        let mut at = 0;
        for (range, text) in &self.edits {
            if range.start < at {
                continue;
            }
            out.push_str(&self.source[at..range.start]);
            out.push_str(text);
            at = range.end;
        }
        out.push_str(&self.source[at..]);
        if !script {
            out.push_str("\n;");
            for (outside, inside) in &self.exports {
                out.push_str(&format!("exports.{outside} = {inside};"));
            }
        }
        out
    }

    /// Replaces a node by spaces, its line breaks kept.
    fn blank(&mut self, range: Range<usize>) {
        let text =
            self.source[range.clone()].chars().map(|char| if char == '\n' { '\n' } else { ' ' }).collect();
        self.edits.push((range, text));
    }

    /// Replaces a node by other text, its line breaks kept.
    fn replace(&mut self, range: Range<usize>, mut text: String) {
        let lines = |text: &str| text.matches('\n').count();
        let missing = lines(&self.source[range.clone()]).saturating_sub(lines(&text));
        text.push_str(&"\n".repeat(missing));
        self.edits.push((range, text));
    }

    /// Blanks a whole statement, leaving a semicolon so that its neighbours stay apart.
    fn drop_statement(&mut self, node: Node<'_>) {
        self.replace(node.byte_range(), ";".to_owned());
    }

    fn unsupported(&self, node: Node<'_>, message: &str) -> SchemaError {
        let problem = problem(self.source, node.start_byte(), message);
        SchemaError::Syntax { line: problem.line, column: problem.column, message: problem.message }
    }

    fn walk(&mut self, root: Node<'_>) -> Result<(), SchemaError> {
        let mut waiting = vec![root];
        while let Some(node) = waiting.pop() {
            if self.visit(node)? {
                let mut cursor = node.walk();
                let inner: Vec<Node<'_>> = node.children(&mut cursor).collect();
                waiting.extend(inner.into_iter().rev());
            }
        }
        Ok(())
    }

    /// Handles one node; whether its children are to be looked at.
    fn visit(&mut self, node: Node<'_>) -> Result<bool, SchemaError> {
        match node.kind() {
            "type_annotation"
            | "asserts_annotation"
            | "type_predicate_annotation"
            | "type_parameters"
            | "type_arguments"
            | "implements_clause"
            | "accessibility_modifier"
            | "override_modifier" => {
                if node.kind() == "accessibility_modifier"
                    && node.parent().is_some_and(|parent| parent.kind().ends_with("_parameter"))
                {
                    return Err(self.unsupported(
                        node,
                        "a constructor's parameter cannot be a property here; assign it in the constructor",
                    ));
                }
                self.blank(node.byte_range());
                Ok(false)
            }
            "interface_declaration"
            | "type_alias_declaration"
            | "ambient_declaration"
            | "function_signature" => {
                self.drop_statement(node);
                Ok(false)
            }
            "abstract_method_signature" | "method_signature" | "index_signature" => {
                self.drop_statement(node);
                Ok(false)
            }
            "as_expression" | "satisfies_expression" => {
                if let Some(value) = node.child(0) {
                    self.blank(value.end_byte()..node.end_byte());
                }
                Ok(true)
            }
            "non_null_expression" => {
                self.blank(node.end_byte() - 1..node.end_byte());
                Ok(true)
            }
            "readonly" | "abstract" | "declare" | "?" | "!" => {
                self.modifier(node);
                Ok(false)
            }
            "enum_declaration" => {
                self.enumeration(node);
                Ok(false)
            }
            "import_statement" => self.import(node).map(|()| false),
            "export_statement" => self.export(node),
            "import" => {
                if node.parent().is_some_and(|parent| parent.kind() == "call_expression") {
                    self.edits.push((node.byte_range(), "__import".to_owned()));
                }
                Ok(false)
            }
            "internal_module" | "module" => {
                Err(self.unsupported(node, "namespaces are not supported; use plain functions and constants"))
            }
            "decorator" => Err(self.unsupported(node, "decorators are not supported")),
            _ => Ok(true),
        }
    }

    /// Marks of types: `x?: T`, `x!: T`, `readonly x`.
    fn modifier(&mut self, node: Node<'_>) {
        let parent = node.parent().map_or("", |parent| parent.kind());
        let of_a_type = matches!(
            parent,
            "optional_parameter"
                | "required_parameter"
                | "public_field_definition"
                | "variable_declarator"
                | "abstract_class_declaration"
                | "method_definition"
        );
        if of_a_type {
            self.blank(node.byte_range());
        }
    }

    fn enumeration(&mut self, node: Node<'_>) {
        let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body"))
        else {
            return;
        };
        let mut entries = Vec::new();
        for (member, value) in enum_values(self.source, body) {
            let member = serde_json::Value::String(member);
            entries.push(format!("[{member}]: {value}"));
            // Numbers lead back to their names.
            if value.is_number() {
                entries.push(format!("[{value}]: {member}"));
            }
        }
        let text = format!("var {} = Object.freeze({{{}}});", text(self.source, name), entries.join(", "));
        self.replace(node.byte_range(), text);
    }

    fn import(&mut self, node: Node<'_>) -> Result<(), SchemaError> {
        let mut cursor = node.walk();
        if node.children(&mut cursor).any(|child| child.kind() == "type") {
            self.drop_statement(node);
            return Ok(());
        }
        let Some(module) = node.child_by_field_name("source").map(|module| text(self.source, module)) else {
            return Err(self.unsupported(node, "import packages as: import { name } from \"package\""));
        };
        let mut statements = Vec::new();
        let clause = children(node).into_iter().find(|child| child.kind() == "import_clause");
        for part in clause.map(children).unwrap_or_default() {
            match part.kind() {
                "identifier" => statements.push(format!(
                    "const {{default: {}}} = await __import({module});",
                    text(self.source, part)
                )),
                "namespace_import" => {
                    if let Some(name) = children(part).first() {
                        statements
                            .push(format!("const {} = await __import({module});", text(self.source, *name)));
                    }
                }
                _ => {
                    let names: Vec<String> =
                        children(part).into_iter().filter_map(|one| self.specifier(one)).collect();
                    if !names.is_empty() {
                        statements
                            .push(format!("const {{{}}} = await __import({module});", names.join(", ")));
                    }
                }
            }
        }
        if clause.is_none() {
            statements.push(format!("await __import({module});"));
        }
        self.replace(node.byte_range(), statements.join(" "));
        Ok(())
    }

    /// `name as alias`, as a pattern; None for a type.
    fn specifier(&self, node: Node<'_>) -> Option<String> {
        let mut cursor = node.walk();
        if node.children(&mut cursor).any(|child| child.kind() == "type") {
            return None;
        }
        let name = text(self.source, node.child_by_field_name("name")?);
        Some(match node.child_by_field_name("alias") {
            Some(alias) => format!("{name}: {}", text(self.source, alias)),
            None => name.to_owned(),
        })
    }

    fn export(&mut self, node: Node<'_>) -> Result<bool, SchemaError> {
        let mut cursor = node.walk();
        let parts: Vec<Node<'_>> = node.children(&mut cursor).collect();
        if node.child_by_field_name("source").is_some() || parts.iter().any(|part| part.kind() == "=") {
            return Err(self.unsupported(node, "exporting from another module is not supported"));
        }
        if parts.iter().any(|part| part.kind() == "type") {
            self.drop_statement(node);
            return Ok(false);
        }
        let is_default = parts.iter().any(|part| part.kind() == "default");
        if let Some(declaration) = node.child_by_field_name("declaration") {
            self.blank(node.start_byte()..declaration.start_byte());
            for name in declared_names(self.source, declaration) {
                if is_default {
                    self.exports.push(("default".to_owned(), name.clone()));
                }
                self.exports.push((name.clone(), name));
            }
            return Ok(true);
        }
        if let Some(value) = node.child_by_field_name("value") {
            self.edits.push((node.start_byte()..value.start_byte(), "exports.default = ".to_owned()));
            return Ok(true);
        }
        for one in
            parts.iter().filter(|part| part.kind() == "export_clause").flat_map(|clause| children(*clause))
        {
            let inside = one.child_by_field_name("name").map(|name| text(self.source, name));
            let outside = one.child_by_field_name("alias").map(|name| text(self.source, name)).or(inside);
            if let (Some(outside), Some(inside)) = (outside, inside) {
                self.exports.push((outside.to_owned(), inside.to_owned()));
            }
        }
        self.drop_statement(node);
        Ok(false)
    }

    /// Makes the last statement, if it is an expression, the value of the script.
    fn return_last(&mut self, root: Node<'_>) {
        let Some(last) = children(root).last().copied().filter(|last| last.kind() == "expression_statement")
        else {
            return;
        };
        let Some(value) = children(last).first().copied() else { return };
        self.edits.push((last.start_byte()..last.start_byte(), "return (".to_owned()));
        self.edits.push((value.end_byte()..last.end_byte(), ");".to_owned()));
    }
}

/// The names a declaration with values brings.
fn declared_names(source: &str, declaration: Node<'_>) -> Vec<String> {
    match declaration.kind() {
        "interface_declaration" | "type_alias_declaration" | "ambient_declaration" | "function_signature" => {
            Vec::new()
        }
        "lexical_declaration" | "variable_declaration" => children(declaration)
            .into_iter()
            .filter_map(|one| one.child_by_field_name("name"))
            .filter(|name| name.kind() == "identifier")
            .map(|name| text(source, name).to_owned())
            .collect(),
        _ => declaration
            .child_by_field_name("name")
            .map(|name| text(source, name).to_owned())
            .into_iter()
            .collect(),
    }
}
