//! Parsing with a grammar, and saying where and why it failed.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use super::SchemaError;

/// Source made by a person is parsed in milliseconds; mending nonsense can take the grammar minutes.
const PARSE_LIMIT: Duration = Duration::from_secs(2);

/// Parses the source; a source with errors is refused with the first of them.
pub(super) fn parse(source: &str, language: &Language) -> Result<Tree, SchemaError> {
    let mut parser = Parser::new();
    parser.set_language(language).expect("the grammar crates are built for this version of tree-sitter");
    let started = Instant::now();
    let mut in_time = |_: &_| {
        if started.elapsed() < PARSE_LIMIT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let tree = parser
        .parse_with_options(
            &mut |byte, _| source.as_bytes().get(byte..).unwrap_or_default(),
            None,
            Some(ParseOptions::new().progress_callback(&mut in_time)),
        )
        .ok_or(SchemaError::TooIntricate)?;
    match first_error(tree.root_node()) {
        None => Ok(()),
        Some(node) => Err(describe(source, language, node)),
    }?;
    Ok(tree)
}

/// The first node in the source that is an error or was made up to mend one.
fn first_error(root: Node<'_>) -> Option<Node<'_>> {
    if !root.has_error() {
        return None;
    }
    let mut node = root;
    while !node.is_error() && !node.is_missing() {
        let mut cursor = node.walk();
        let inner = node.children(&mut cursor).find(|child| child.has_error() || child.is_missing());
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    Some(node)
}

fn describe(source: &str, language: &Language, node: Node<'_>) -> SchemaError {
    let (line, column) = place(source, node.start_byte());
    let message = if node.is_missing() {
        format!("expected {}", name_of(language, node.kind()))
    } else {
        let text: String = source
            .get(node.start_byte()..node.end_byte())
            .unwrap_or("")
            .chars()
            .take_while(|char| *char != '\n')
            .take(40)
            .collect();
        let found = if text.trim().is_empty() {
            "the end of a line".to_owned()
        } else {
            format!("'{}'", text.trim())
        };
        match expected(language, node) {
            Some(expected) => format!("did not expect {found}; expected {expected}"),
            None => format!("cannot make sense of {found}"),
        }
    };
    SchemaError::Syntax { line, column, message }
}

/// What the grammar could have gone on with, if that is a short list.
fn expected(language: &Language, node: Node<'_>) -> Option<String> {
    let mut leaf = node;
    while let Some(child) = leaf.child(0) {
        leaf = child;
    }
    let state = leaf.parse_state();
    let mut names: Vec<String> = language
        .lookahead_iterator(state)?
        .iter_names()
        .filter(|name| {
            !name.starts_with('_') && !matches!(*name, "comment" | "ERROR" | "end" | "line_continuation")
        })
        .map(|name| name_of(language, name))
        .collect();
    names.sort();
    names.dedup();
    (1..=6).contains(&names.len()).then(|| names.join(" or "))
}

fn name_of(language: &Language, kind: &str) -> String {
    let named = language.id_for_node_kind(kind, true) != 0;
    if named || kind.starts_with('_') {
        let words = kind.trim_start_matches('_').replace('_', " ");
        let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {words}")
    } else {
        format!("'{kind}'")
    }
}

/// Line and column of a byte, both from 1, the column in characters.
pub(super) fn place(source: &str, byte: usize) -> (usize, usize) {
    let mut byte = byte.min(source.len());
    while !source.is_char_boundary(byte) {
        byte -= 1;
    }
    let before = &source[..byte];
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// The text of a node.
pub(super) fn text<'s>(source: &'s str, node: Node<'_>) -> &'s str {
    source.get(node.byte_range()).unwrap_or("")
}

/// The children that stand for something, without comments.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}
