//! Signatures and docstrings, case by case.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    schema::{DerivedSchema, SchemaError, derive, derive_with_parameters, find_function},
    source::SourceType,
};

const PRELUDE: &str = r#"
from __future__ import annotations
import datetime, enum, typing as t
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum, auto
from typing import *
from pydantic import BaseModel, Field

class Colour(Enum):
    """A colour."""
    RED = "red"
    BLUE = "blue"

class Level(IntEnum):
    LOW = 1
    HIGH = auto()

class Kind(StrEnum):
    FIRST = auto()

class Mixed(Enum):
    A = 1
    B = "b"

class Address(BaseModel):
    """Where someone lives."""
    street: str = Field(..., description="Street and number")
    zip: Optional[str] = Field(None, description="Postal code", min_length=5, pattern=r"^\d+$")

class Person(BaseModel):
    """Someone.

    Attributes:
        name: What they are called
        address: Where they live
    """
    model_config = {}
    kind: ClassVar[str] = "p"
    name: str
    address: Address
    age: int = Field(default=3, ge=0, lt=150)
    tags: list[str] = Field(default_factory=list)
    """Words that describe them"""
    nick: str | None

class Employee(Person):
    salary: float

class Node(BaseModel):
    value: int
    next: Optional["Node"] = None

class Movie(TypedDict, total=False):
    title: Required[str]
    year: int

class Book(TypedDict):
    title: str
    year: NotRequired[int]

@dataclass
class Point:
    x: float
    y: float = 0.0
    z: list[int] = field(default_factory=list)

class Pair(NamedTuple):
    a: int
    b: str = "x"

class Plain:
    pass

Names = list[str]
UserId = NewType("UserId", int)
type Matrix = list[list[float]]
Loop = "Loop"
"#;

/// The schema of one parameter `x` with this annotation, without its description.
fn annotated(annotation: &str) -> Result<(Value, bool), SchemaError> {
    let source = format!(
        "{PRELUDE}\ndef f(x: {annotation}):\n    \"\"\"Does it.\n\n    Args:\n        x: it\n    \"\"\"\n"
    );
    let derived = derive(&source, SourceType::Python, None)?;
    let mut property = derived.parameters["properties"]["x"].clone();
    assert_eq!(
        property.as_object_mut().unwrap().shift_remove("description"),
        Some(json!("it")),
        "{annotation}"
    );
    Ok((property, derived.parameters["required"] == json!(["x"])))
}

fn check(annotation: &str, expected: Value) {
    assert_eq!(annotated(annotation).unwrap(), (expected, true), "{annotation}");
}

#[test]
fn built_in_types() {
    for (annotation, expected) in [
        ("int", json!({"type": "integer"})),
        ("float", json!({"type": "number"})),
        ("str", json!({"type": "string"})),
        ("bool", json!({"type": "boolean"})),
        ("bytes", json!({"type": "string"})),
        ("dict", json!({"type": "object"})),
        ("Dict", json!({"type": "object"})),
        ("list", json!({"type": "array", "items": {"type": "string"}})),
        ("List", json!({"type": "array", "items": {"type": "string"}})),
        ("tuple", json!({"type": "array", "items": {"type": "string"}})),
        ("set", json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true})),
        ("Any", json!({})),
        ("'int'", json!({"type": "integer"})),
        ("datetime.datetime", json!({"type": "string", "format": "date-time"})),
        ("datetime.date", json!({"type": "string", "format": "date"})),
        ("uuid.UUID", json!({"type": "string", "format": "uuid"})),
        ("pathlib.Path", json!({"type": "string"})),
    ] {
        check(annotation, expected);
    }
}

#[test]
fn containers() {
    for (annotation, expected) in [
        ("List[int]", json!({"type": "array", "items": {"type": "integer"}})),
        ("list[str]", json!({"type": "array", "items": {"type": "string"}})),
        (
            "t.List[t.List[int]]",
            json!({"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
        ),
        ("list['int']", json!({"type": "array", "items": {"type": "integer"}})),
        ("Sequence[bool]", json!({"type": "array", "items": {"type": "boolean"}})),
        ("collections.abc.Iterable[float]", json!({"type": "array", "items": {"type": "number"}})),
        ("set[int]", json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true})),
        ("frozenset[str]", json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true})),
        ("dict[str, int]", json!({"type": "object", "additionalProperties": {"type": "integer"}})),
        ("Dict[str, Any]", json!({"type": "object"})),
        (
            "Mapping[str, list[int]]",
            json!({"type": "object", "additionalProperties": {"type": "array", "items": {"type": "integer"}}}),
        ),
        (
            "Tuple[int, str]",
            json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
        ),
        ("tuple[int, ...]", json!({"type": "array", "items": {"type": "integer"}})),
        (
            "list[int | None]",
            json!({"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}),
        ),
        ("list[Any]", json!({"type": "array", "items": {}})),
        ("Names", json!({"type": "array", "items": {"type": "string"}})),
        ("UserId", json!({"type": "integer"})),
        ("Matrix", json!({"type": "array", "items": {"type": "array", "items": {"type": "number"}}})),
        ("Annotated[int, 'ignored']", json!({"type": "integer"})),
        ("Annotated[int, Field(ge=1, le=5)]", json!({"type": "integer", "minimum": 1, "maximum": 5})),
        ("Final[int]", json!({"type": "integer"})),
    ] {
        check(annotation, expected);
    }
}

#[test]
fn choices() {
    for (annotation, expected) in [
        ("Literal['a', 'b']", json!({"type": "string", "enum": ["a", "b"]})),
        ("t.Literal[1, 2]", json!({"type": "integer", "enum": [1, 2]})),
        ("Literal['a', 1]", json!({"enum": ["a", 1]})),
        ("Literal[True]", json!({"type": "boolean", "enum": [true]})),
        ("Literal[Literal['a'], 'b', 'a']", json!({"type": "string", "enum": ["a", "b"]})),
        ("Literal['a|b', \"c]d\"]", json!({"type": "string", "enum": ["a|b", "c]d"]})),
        ("Union[int, str]", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        ("int | str", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        ("int | 'str'", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        ("Union[int, int]", json!({"type": "integer"})),
        ("(int | str)", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        ("Level", json!({"type": "integer", "enum": [1, 2]})),
        ("Kind", json!({"type": "string", "enum": ["first"]})),
        ("Mixed", json!({"enum": [1, "b"]})),
    ] {
        check(annotation, expected);
    }
}

#[test]
fn none_makes_a_parameter_optional() {
    for (annotation, expected) in [
        ("Optional[int]", json!({"type": "integer"})),
        ("int | None", json!({"type": "integer"})),
        ("None | int", json!({"type": "integer"})),
        ("Union[int, None]", json!({"type": "integer"})),
        ("Union[int, str, None]", json!({"anyOf": [{"type": "integer"}, {"type": "string"}]})),
        ("Optional[list[str]]", json!({"type": "array", "items": {"type": "string"}})),
        ("Optional[Literal['a']]", json!({"type": "string", "enum": ["a"]})),
        ("'Optional[int]'", json!({"type": "integer"})),
        ("int = 5", json!({"type": "integer", "default": 5})),
        ("str = 'a b'", json!({"type": "string", "default": "a b"})),
        ("list[int] = [1]", json!({"type": "array", "items": {"type": "integer"}, "default": [1]})),
        ("int = None", json!({"type": "integer"})),
        ("float = -1.5", json!({"type": "number", "default": -1.5})),
        ("int = compute()", json!({"type": "integer"})),
        ("Level = Level.HIGH", json!({"type": "integer", "enum": [1, 2], "default": 2})),
    ] {
        assert_eq!(annotated(annotation).unwrap(), (expected, false), "{annotation}");
    }
}

#[test]
fn classes_of_the_same_source() {
    let address = json!({
        "type": "object",
        "properties": {
            "street": {"type": "string", "description": "Street and number"},
            "zip": {"type": "string", "description": "Postal code", "minLength": 5, "pattern": "^\\d+$"},
        },
        "required": ["street"],
    });
    check("Address", address.clone());
    let mut nested = address;
    nested["description"] = json!("Where they live");
    let mut person = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "What they are called"},
            "address": nested,
            "age": {"type": "integer", "minimum": 0, "exclusiveMaximum": 150, "default": 3},
            "tags": {"type": "array", "description": "Words that describe them", "items": {"type": "string"}},
            "nick": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name", "address", "nick"],
    });
    check("Person", person.clone());
    person["properties"]["salary"] = json!({"type": "number"});
    person["required"] = json!(["name", "address", "nick", "salary"]);
    check("Employee", person);
    for (annotation, expected) in [
        (
            "Node",
            json!({
                "type": "object",
                "properties": {
                    "value": {"type": "integer"},
                    "next": {"type": "object", "description": "Again of the form Node."},
                },
                "required": ["value"],
            }),
        ),
        (
            "Movie",
            json!({
                "type": "object",
                "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
                "required": ["title"],
            }),
        ),
        (
            "Book",
            json!({
                "type": "object",
                "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
                "required": ["title"],
            }),
        ),
        (
            "Point",
            json!({
                "type": "object",
                "properties": {
                    "x": {"type": "number"},
                    "y": {"type": "number", "default": 0.0},
                    "z": {"type": "array", "items": {"type": "integer"}},
                },
                "required": ["x"],
            }),
        ),
        (
            "Pair",
            json!({
                "type": "object",
                "properties": {"a": {"type": "integer"}, "b": {"type": "string", "default": "x"}},
                "required": ["a"],
            }),
        ),
        ("Colour", json!({"type": "string", "enum": ["red", "blue"]})),
    ] {
        check(annotation, expected);
    }
    let (schema, _) = annotated("list[Colour]").unwrap();
    assert_eq!(
        schema,
        json!({"type": "array", "items": {"type": "string", "enum": ["red", "blue"], "description": "A colour."}})
    );
}

#[test]
fn what_has_no_schema_is_said_by_name() {
    for (annotation, expected) in [
        ("Plain", "the class 'Plain' has no JSON form"),
        ("Missing", "no JSON schema type corresponds to 'Missing'"),
        ("Callable[[int], str]", "no JSON schema type corresponds to 'Callable'"),
        ("list[Missing]", "'Missing'"),
        ("dict[int]", "a type for keys and one for values"),
        ("list[int, str]", "takes one type"),
        ("Literal[x]", "Literal takes constants"),
        ("5", "no JSON schema type corresponds"),
        ("Optional[()]", "not a type that can be read"),
        ("lambda: 1", "not a type that can be read"),
        ("Loop", "no JSON schema type corresponds to 'Loop'"),
    ] {
        let error = annotated(annotation).expect_err(annotation).to_string();
        assert!(error.contains(expected), "{annotation}: {error}");
        assert!(error.starts_with("function 'f': parameter 'x'"), "{error}");
    }
    let deep = format!("{}int{}", "List[".repeat(60), "]".repeat(60));
    assert!(annotated(&deep).expect_err("too deep").to_string().contains("nested too deeply"));
}

#[test]
fn types_that_multiply_are_given_up() {
    use std::fmt::Write;
    let mut source = String::from("from pydantic import BaseModel\n");
    for level in 0..16 {
        writeln!(source, "class C{level}(BaseModel):").unwrap();
        for field in 0..4 {
            let kind = if level == 0 { "int".to_owned() } else { format!("C{}", level - 1) };
            writeln!(source, "    f{field}: {kind}").unwrap();
        }
    }
    source.push_str("def f(x: C15):\n    \"\"\"Does it.\n\n    Args:\n        x: it\n    \"\"\"\n");
    let error = derive(&source, SourceType::Python, None).expect_err("too many").to_string();
    assert!(error.contains("use each other too often"), "{error}");
}

fn ok(source: &str) -> DerivedSchema {
    derive(source, SourceType::Python, None).unwrap_or_else(|error| panic!("{error}\n{source}"))
}

#[test]
fn a_whole_function_becomes_a_whole_schema() {
    let derived = ok(
        "async def roll_dice(self, sides: int, agent_state, *, times: int = 1, request_heartbeat: bool = False) -> str:\n    \
         \"\"\"Rolls dice.\n\n    Fairly.\n\n    Args:\n        sides (int): How many sides.\n        times: How often.\n\n    \
         Returns:\n        str: What was rolled.\n    \"\"\"\n    return ''\n",
    );
    assert!(derived.is_async);
    assert_eq!(derived.parameter_order, ["sides", "times"]);
    assert_eq!(
        Value::Object(derived.json_schema),
        json!({
            "name": "roll_dice",
            "description": "Rolls dice.\n\nFairly.",
            "parameters": {
                "type": "object",
                "properties": {
                    "sides": {"type": "integer", "description": "How many sides."},
                    "times": {"type": "integer", "description": "How often.", "default": 1},
                },
                "required": ["sides"],
            },
        })
    );
}

#[test]
fn the_tool_is_the_last_public_function_or_the_one_named() {
    let source = "def one():\n    '''One.'''\n\nclass C:\n    def method(self):\n        '''No.'''\n\n@decorated(1)\ndef two():\n    \
                  '''Two.'''\n    def inner():\n        '''Inner.'''\n\ndef _helper():\n    pass\n";
    assert_eq!(ok(source).name, "two");
    assert_eq!(derive(source, SourceType::Python, Some("one")).unwrap().description, "One.");
    assert_eq!(
        derive(source, SourceType::Python, Some("inner")),
        Err(SchemaError::NotFound { name: "inner".into(), available: "one, two, _helper".into() })
    );
    assert_eq!(ok("def _only():\n    '''Private.'''\n").name, "_only");
    assert_eq!(derive("x = 1", SourceType::Python, None), Err(SchemaError::NoFunction));
    assert_eq!(derive("", SourceType::Python, None), Err(SchemaError::NoFunction));
    let found = find_function(source, SourceType::Python, Some("_helper")).unwrap();
    assert_eq!((found.name.as_str(), found.is_async), ("_helper", false));
}

#[test]
fn docstrings_of_every_style_describe_parameters() {
    for doc in [
        "Adds.\n\n    Args:\n        a: first\n        b: second",
        "Adds.\n\n    Parameters\n    ----------\n    a : int\n        first\n    b : int, optional\n        second",
        "Adds.\n\n    :param a: first\n    :param int b: second\n    :return: sum",
        "\n    Adds.\n\n    Arguments:\n        a (int): first\n        b (int, optional): second\n\n    Returns:\n        x",
    ] {
        let derived = ok(&format!("def f(a: int, b: int = 1):\n    \"\"\"{doc}\n    \"\"\"\n    return a\n"));
        assert_eq!(derived.description, "Adds.");
        assert_eq!(derived.parameters["properties"]["a"]["description"], "first");
        assert_eq!(derived.parameters["properties"]["b"]["description"], "second");
    }
    let derived = ok(
        "def f(a: Annotated[int, 'first'], b: Annotated[str, Field(description='second')]):\n    'Adds.'\n",
    );
    assert_eq!(derived.parameters["properties"]["a"], json!({"type": "integer", "description": "first"}));
    assert_eq!(derived.parameters["properties"]["b"], json!({"type": "string", "description": "second"}));
}

#[test]
fn every_missing_thing_is_said_at_once_with_its_line() {
    let source =
        "def f(a, b: int, *args, c: int, **kwargs):\n    '''Does it.\n\n    Args:\n        b: it\n    '''\n";
    let Err(SchemaError::Invalid { function, problems }) = derive(source, SourceType::Python, None) else {
        panic!("it should be refused");
    };
    assert_eq!(function, "f");
    let mut messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    messages.sort_unstable();
    assert_eq!(
        messages,
        [
            "'**kwargs' takes any number of arguments, which a model cannot see; name each parameter",
            "'*args' takes any number of arguments, which a model cannot see; name each parameter",
            "parameter 'a' has no type annotation; write for example 'a: str'",
            "parameter 'c' is not described in the docstring; add 'c: …' under 'Args:'",
        ]
    );
    assert!(problems.iter().all(|problem| problem.line == 1));
    for (source, expected) in [
        ("def f():\n    pass\n", "it has no docstring"),
        ("def f():\n    f'''Not {1}.'''\n", "it has no docstring"),
        ("def f():\n    '''   '''\n", "it has no docstring"),
        ("def f(a: int, /):\n    '''A.\n\n    Args:\n        a: it\n    '''\n", "before '/'"),
        ("def f(*a: int):\n    '''A.'''\n", "'*a' takes any number"),
    ] {
        let error = derive(source, SourceType::Python, None).expect_err(source).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn syntax_errors_say_where_and_what() {
    for (source, line, column, expected) in [
        ("def f(:\n    pass\n", 1, 6, "'(' is never closed"),
        ("def f()\n    pass\n", 1, 8, "expected ':' at the end of 'def'"),
        ("x = 1\ndef f(a, b:\n    return (1\n", 3, 12, "'(' is never closed"),
        ("def f():\n    return {'a': 1\n", 2, 12, "'{' is never closed"),
        ("def f():\n    x = = 1\n", 2, 9, "'='"),
        ("class:\n    pass\n", 1, 0, ""),
        ("ünï = 'a\n", 1, 7, "never closed"),
        ("def f(x y):\n    pass\n", 1, 0, ""),
        ("def f():\n    return 1 +\n", 2, 0, ""),
    ] {
        let Err(SchemaError::Syntax { line: at, column: by, message }) =
            derive(source, SourceType::Python, None)
        else {
            panic!("it should be refused: {source}");
        };
        assert!(line == 0 || at == line, "{source}: line {at}, {message}");
        assert!(column == 0 || by == column, "{source}: column {by}, {message}");
        assert!(message.contains(expected), "{source}: {message}");
    }
}

#[test]
fn given_parameters_replace_those_of_the_source() {
    let given = json!({"properties": {"q": {"type": "string"}}, "required": ["q"]});
    let derived = derive_with_parameters(
        "def f(q, **more):\n    '''Searches.\n\n    Args:\n        x: y\n    '''\n",
        SourceType::Python,
        None,
        given.as_object().unwrap(),
    )
    .unwrap();
    assert_eq!(derived.parameters["type"], "object");
    assert_eq!(derived.parameter_order, ["q"]);
    assert_eq!(derived.description, "Searches.");
}

#[test]
fn a_source_too_large_is_refused() {
    let source = "#".repeat(crate::schema::MAX_SOURCE_BYTES + 1);
    assert_eq!(derive(&source, SourceType::Python, None), Err(SchemaError::TooLarge));
}

#[test]
fn deep_nesting_does_no_harm() {
    for source in [
        format!("def f(x: int = {}):\n    '''A.'''\n", "[".repeat(20_000)),
        format!(
            "def f(x: int = {}{}):\n    '''A.\n\n    Args:\n        x: y\n    '''\n",
            "[".repeat(5_000),
            "]".repeat(5_000)
        ),
        format!("x = {}1{}\ndef f():\n    '''A.'''\n", "(".repeat(5_000), ")".repeat(5_000)),
        format!("def f(x: {}):\n    '''A.'''\n", "'".repeat(2_001)),
        format!("x = {}\ndef f():\n    '''A.'''\n", vec!["1"; 20_000].join("+")),
    ] {
        let _any = derive(&source, SourceType::Python, None);
    }
}

proptest! {
    #[test]
    fn nothing_panics(source in ".{0,200}") {
        for name in [None, Some("f")] {
            let _any = derive(&source, SourceType::Python, name);
            let _any = find_function(&source, SourceType::Python, name);
        }
    }

    #[test]
    fn pieces_of_python_in_any_order_do_not_panic(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "def f(", "x", ": ", "int", "List[", "]", "Optional[", "|", "None", "'", "\"\"\"", "=", "5", ")", ":\n    ",
                "\"\"\"Doc.\n\n    Args:\n        x: it\n    \"\"\"", "\n", "class A(BaseModel):\n    ", "A", "Field(", "...",
                ",", "Literal[", "'a'", "*", "**", "/", "async ", "@d\n", "é", "\\", "#", "{", "}", "lambda", "Annotated[",
            ]),
            0..40,
        )
    ) {
        let source = pieces.concat();
        if let Ok(derived) = derive(&source, SourceType::Python, None) {
            prop_assert!(crate::schema::tests::is_valid(&derived.parameters), "{:?}", derived.parameters);
        }
    }

    #[test]
    fn any_annotation_has_a_valid_schema_or_a_reason(annotation in "[A-Za-z\\[\\]|, '.0-9()]{0,40}") {
        if let Ok((schema, _)) = annotated(&annotation) {
            prop_assert!(crate::schema::tests::is_valid(&schema), "{schema}");
        }
    }
}

#[test]
fn a_name_no_model_takes_is_said() {
    for (source, expected) in [
        ("def größe():\n    '''A.'''\n".to_owned(), "only the letters a to z"),
        (format!("def {}():\n    '''A.'''\n", "a".repeat(65)), "longer than 64"),
    ] {
        let error = derive(&source, SourceType::Python, None).expect_err("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn hostile_sources_are_answered_in_bounded_time() {
    let long = |piece: &str| piece.repeat((64 << 10) / piece.len());
    for source in [
        long("("),
        long("[1,"),
        format!("def f(x: int = [{}]):\n    '''A.\n\n    Args:\n        x: y\n    '''\n", long("1,")),
        format!("def f({}):\n    '''A.'''\n", long("a,")),
        format!("def f():\n    '''{}'''\n", long("Args:\n a: b\n")),
        long("def f():\n '''A'''\n"),
        long("f'{"),
        long("lambda:"),
        long("x if "),
        long("'''"),
        long("\\\n"),
    ] {
        for source_type in [SourceType::Python, SourceType::Typescript] {
            let _any = derive(&source, source_type, None);
            let _any = crate::schema::typescript::to_javascript(&source, false);
        }
    }
}
