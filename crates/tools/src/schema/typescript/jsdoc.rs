//! JSDoc comments: the text, and what `@param` says about each parameter.

use tree_sitter::Node;

use crate::schema::syntax::text;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct JsDoc {
    pub description: String,
    parameters: Vec<(String, String)>,
}

impl JsDoc {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, text)| text.as_str()).filter(|text| !text.is_empty())
    }
}

/// The JSDoc comment right before a node.
pub(super) fn before(source: &str, node: Node<'_>) -> Option<JsDoc> {
    let comment = node.prev_sibling().filter(|previous| previous.kind() == "comment")?;
    parse(text(source, comment))
}

fn parse(comment: &str) -> Option<JsDoc> {
    let inner = comment.strip_prefix("/**")?.strip_suffix("*/")?;
    let mut doc = JsDoc::default();
    let mut description: Vec<&str> = Vec::new();
    // None: before any tag. Some(None): in a tag of no use here.
    let mut open: Option<Option<usize>> = None;
    for line in inner.lines() {
        let line = line.trim().trim_start_matches('*').trim();
        if let Some(tag) = line.strip_prefix('@') {
            let (kind, rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            open = Some(matches!(kind, "param" | "arg" | "argument").then(|| {
                doc.parameters.push(parameter(rest.trim()));
                doc.parameters.len() - 1
            }));
            if matches!(kind, "description" | "desc" | "summary") {
                description.push(rest.trim());
                open = None;
            }
            continue;
        }
        match open {
            None => description.push(line),
            Some(Some(at)) if !line.is_empty() => {
                let text = &mut doc.parameters[at].1;
                text.push_str(if text.is_empty() { "" } else { "\n" });
                text.push_str(line);
            }
            Some(_) => {}
        }
    }
    doc.description = description.join("\n").trim().to_owned();
    Some(doc)
}

/// `{type} [name=default] - text`.
fn parameter(rest: &str) -> (String, String) {
    let rest = match rest.strip_prefix('{') {
        Some(typed) => {
            let mut depth = 1;
            let end = typed.find(|char| {
                depth += i32::from(char == '{') - i32::from(char == '}');
                depth == 0
            });
            end.map_or("", |end| typed[end + 1..].trim_start())
        }
        None => rest,
    };
    let (name, text) = match rest.strip_prefix('[') {
        Some(optional) => optional.split_once(']').unwrap_or((optional, "")),
        None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
    };
    let name = name.split('=').next().unwrap_or(name).trim();
    let text = text.trim();
    let text = text.strip_prefix(['-', '–', ':']).unwrap_or(text);
    (name.to_owned(), text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_and_the_parameters_are_told_apart() {
        let doc = parse(
            "/**\n * Adds.\n *\n * Twice.\n * @param {number} a - the first\n *   number\n * @param b the second\n * @param {{x: number}} [c=1] third\n * @returns {number} sum\n */",
        )
        .expect("a comment");
        assert_eq!(doc.description, "Adds.\n\nTwice.");
        assert_eq!(doc.parameter("a"), Some("the first\nnumber"));
        assert_eq!(doc.parameter("b"), Some("the second"));
        assert_eq!(doc.parameter("c"), Some("third"));
        assert_eq!(parse("// no"), None);
        assert_eq!(parse("/** One. */").expect("a comment").description, "One.");
    }
}
