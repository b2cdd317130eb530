//! Annotations: from text to a small tree.

use serde_json::Value;

use super::literal::{CallArguments, Cursor};
use crate::schema::MAX_DEPTH;

/// An annotation. Dotted names are known by their last part.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Hint {
    Name(String),
    /// `Name[…]`.
    Generic(String, Vec<Self>),
    /// `A | B`.
    Union(Vec<Self>),
    None,
    Ellipsis,
    /// A constant, as in `Literal[…]` and `Annotated[…]`.
    Constant(Value),
    /// `Name(…)`, as in `Annotated[…]`.
    Call(String, CallArguments),
    /// `[…]`, as in `Callable`.
    List,
}

/// Reads an annotation. The error says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Hint, String> {
    parse_within(text, 0)
}

fn parse_within(text: &str, depth: usize) -> Result<Hint, String> {
    let mut cursor = Cursor::new(text);
    let hint = union(&mut cursor, depth, false)?;
    if cursor.at_end() { Ok(hint) } else { Err(unreadable(text)) }
}

fn unreadable(text: &str) -> String {
    format!(
        "the annotation '{}' is not a type that can be read",
        text.trim().chars().take(60).collect::<String>()
    )
}

/// With `constants`, strings stand for themselves; else they are annotations in quotes.
fn union(cursor: &mut Cursor<'_>, depth: usize, constants: bool) -> Result<Hint, String> {
    if depth > MAX_DEPTH {
        return Err("the annotation is nested too deeply".to_owned());
    }
    let mut arms = vec![atom(cursor, depth, constants)?];
    while cursor.eat("|") {
        arms.push(atom(cursor, depth, constants)?);
    }
    Ok(if arms.len() > 1 { Hint::Union(arms) } else { arms.remove(0) })
}

fn atom(cursor: &mut Cursor<'_>, depth: usize, constants: bool) -> Result<Hint, String> {
    if cursor.eat("...") {
        return Ok(Hint::Ellipsis);
    }
    if cursor.peek() == Some('[') {
        cursor.eat("[");
        while !cursor.eat("]") {
            if cursor.at_end() {
                return Err("a bracket is not closed in the annotation".to_owned());
            }
            cursor.skip_expression();
            cursor.eat(",");
        }
        return Ok(Hint::List);
    }
    if cursor.eat("(") {
        let inner = union(cursor, depth + 1, constants)?;
        return if cursor.eat(")") {
            Ok(inner)
        } else {
            Err("a bracket is not closed in the annotation".to_owned())
        };
    }
    let mut ahead = cursor.clone();
    let Some(name) = ahead.last_of_dotted_name() else {
        return match cursor.literal() {
            Some(Value::String(text)) if !constants => parse_within(&text, depth + 1),
            Some(value) => Ok(Hint::Constant(value)),
            None => Err("the annotation is not a type that can be read".to_owned()),
        };
    };
    *cursor = ahead;
    match name {
        "None" | "NoneType" => return Ok(Hint::None),
        "True" => return Ok(Hint::Constant(Value::Bool(true))),
        "False" => return Ok(Hint::Constant(Value::Bool(false))),
        _ => {}
    }
    match cursor.peek() {
        Some('[') => {
            cursor.eat("[");
            let mut inner = Vec::new();
            while !cursor.eat("]") {
                // In `Annotated` only the first is a type; the rest may be any expression.
                let constants = name == "Literal" || (name == "Annotated" && !inner.is_empty());
                let arm = if constants {
                    annotation_or_other(cursor, depth + 1)
                } else {
                    union(cursor, depth + 1, false)?
                };
                inner.push(arm);
                if !cursor.eat(",") && cursor.peek() != Some(']') {
                    return Err("a bracket is not closed in the annotation".to_owned());
                }
            }
            Ok(Hint::Generic(name.to_owned(), inner))
        }
        Some('(') => {
            let arguments = cursor.call_arguments().ok_or("a bracket is not closed in the annotation")?;
            Ok(Hint::Call(name.to_owned(), arguments))
        }
        _ => Ok(Hint::Name(name.to_owned())),
    }
}

/// A constant or a type; anything else is passed over.
fn annotation_or_other(cursor: &mut Cursor<'_>, depth: usize) -> Hint {
    let mut ahead = cursor.clone();
    match union(&mut ahead, depth, true) {
        Ok(hint) if matches!(ahead.peek(), Some(',' | ']')) => {
            *cursor = ahead;
            hint
        }
        _ => {
            cursor.skip_expression();
            Hint::List
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> Hint {
        Hint::Name(text.to_owned())
    }

    #[test]
    fn annotations_become_trees() {
        for (text, hint) in [
            ("int", name("int")),
            ("typing.List[int]", Hint::Generic("List".into(), vec![name("int")])),
            ("'Node'", name("Node")),
            ("int | None", Hint::Union(vec![name("int"), Hint::None])),
            ("Tuple[int, ...]", Hint::Generic("Tuple".into(), vec![name("int"), Hint::Ellipsis])),
            (
                "Literal['a', 1, -2]",
                Hint::Generic(
                    "Literal".into(),
                    vec![Hint::Constant(json!("a")), Hint::Constant(json!(1)), Hint::Constant(json!(-2))],
                ),
            ),
            (
                "Annotated[int, 'how many']",
                Hint::Generic("Annotated".into(), vec![name("int"), Hint::Constant(json!("how many"))]),
            ),
            ("Callable[[int], str]", Hint::Generic("Callable".into(), vec![Hint::List, name("str")])),
        ] {
            assert_eq!(parse(text), Ok(hint), "{text}");
        }
        for text in ["", "int[", "int]", "a b", "1 +", "List[int", "(int"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"List[".repeat(10_000)).is_err());
    }
}
