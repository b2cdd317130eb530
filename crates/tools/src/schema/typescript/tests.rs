//! Types and comments, case by case, and the same source as JavaScript.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::to_javascript;
use crate::{
    schema::{SchemaError, derive, derive_with_parameters, find_function},
    source::SourceType,
};

const PRELUDE: &str = r#"
/** A place. */
interface Place { street: string; /** Postal code */ zip?: string; }
export interface Home extends Place { rooms: number }
type Size = "s" | "m";
type Pair = [number, string];
type Both = { a: string } & { b?: number };
enum Level { Low = 1, High }
enum Word { A = "a", B = "b" }
interface Tree { value: number; children: Tree[]; parent: Tree | null }
interface Bag { [key: string]: number }
"#;

fn typed(annotation: &str) -> Result<(Value, bool), SchemaError> {
    let source =
        format!("{PRELUDE}\n/** Does it.\n * @param x - it */\nexport function f(x{annotation}) {{}}\n");
    let derived = derive(&source, SourceType::Typescript, None)?;
    let mut property = derived.parameters["properties"]["x"].clone();
    assert_eq!(
        property.as_object_mut().unwrap().shift_remove("description"),
        Some(json!("it")),
        "{annotation}"
    );
    Ok((property, derived.parameters["required"] == json!(["x"])))
}

#[test]
fn types_become_schemas() {
    let place = json!({
        "type": "object",
        "properties": {"street": {"type": "string"}, "zip": {"type": "string", "description": "Postal code"}},
        "required": ["street"],
    });
    for (annotation, expected) in [
        (": string", json!({"type": "string"})),
        (": number", json!({"type": "number"})),
        (": boolean", json!({"type": "boolean"})),
        (": any", json!({"type": "string"})),
        (": unknown", json!({"type": "object"})),
        (": object", json!({"type": "object"})),
        ("", json!({"type": "string"})),
        (": string[]", json!({"type": "array", "items": {"type": "string"}})),
        (": readonly number[]", json!({"type": "array", "items": {"type": "number"}})),
        (
            ": Array<number[]>",
            json!({"type": "array", "items": {"type": "array", "items": {"type": "number"}}}),
        ),
        (": Set<string>", json!({"type": "array", "items": {"type": "string"}, "uniqueItems": true})),
        (": Record<string, number>", json!({"type": "object", "additionalProperties": {"type": "number"}})),
        (": Map<string, boolean>", json!({"type": "object", "additionalProperties": {"type": "boolean"}})),
        (": 'a' | 'b'", json!({"type": "string", "enum": ["a", "b"]})),
        (": 1 | 2 | 3", json!({"type": "number", "enum": [1, 2, 3]})),
        (": 'a' | 1", json!({"enum": ["a", 1]})),
        (": 'one'", json!({"type": "string", "enum": ["one"]})),
        (": string | number", json!({"anyOf": [{"type": "string"}, {"type": "number"}]})),
        (
            ": (string | null)[]",
            json!({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}),
        ),
        (
            ": [number, string]",
            json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
        ),
        (
            ": Pair",
            json!({"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "minItems": 2, "maxItems": 2}),
        ),
        (": Date", json!({"type": "string", "format": "date-time"})),
        (": Promise<string>", json!({"type": "string"})),
        (": Size", json!({"type": "string", "enum": ["s", "m"]})),
        (": Level", json!({"type": "number", "enum": [1, 2]})),
        (": Word", json!({"type": "string", "enum": ["a", "b"]})),
        (": Place", place.clone()),
        (": Partial<Place>", json!({"type": "object", "properties": place["properties"], "required": []})),
        (": Bag", json!({"type": "object", "additionalProperties": {"type": "number"}})),
        (
            ": { a: string; 'b-c'?: number }",
            json!({
                "type": "object", "properties": {"a": {"type": "string"}, "b-c": {"type": "number"}}, "required": ["a"],
            }),
        ),
        (
            ": Both",
            json!({
                "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}, "required": ["a"],
            }),
        ),
        (
            ": Home",
            json!({
                "type": "object",
                "properties": {
                    "street": {"type": "string"}, "zip": {"type": "string", "description": "Postal code"},
                    "rooms": {"type": "number"},
                },
                "required": ["street", "rooms"],
            }),
        ),
        (
            ": Tree",
            json!({
                "type": "object",
                "properties": {
                    "value": {"type": "number"},
                    "children": {"type": "array", "items": {"type": "object", "description": "Again of the form Tree."}},
                    "parent": {"anyOf": [{"type": "object", "description": "Again of the form Tree."}, {"type": "null"}]},
                },
                "required": ["value", "children", "parent"],
            }),
        ),
        (": Foreign.Thing", json!({"type": "object"})),
        (": `a${string}`", json!({"type": "string"})),
    ] {
        assert_eq!(typed(annotation).unwrap(), (expected, true), "{annotation}");
    }
}

#[test]
fn optional_parameters() {
    for (annotation, expected) in [
        ("?: string", json!({"type": "string"})),
        (": string | undefined", json!({"type": "string"})),
        (": string | null", json!({"type": "string"})),
        (": number = 5", json!({"type": "number", "default": 5})),
        (" = 'a'", json!({"type": "string", "default": "a"})),
        (" = true", json!({"type": "boolean", "default": true})),
        (" = compute()", json!({"type": "string"})),
        (": string[] = []", json!({"type": "array", "items": {"type": "string"}, "default": []})),
    ] {
        assert_eq!(typed(annotation).unwrap(), (expected, false), "{annotation}");
    }
}

#[test]
fn the_tool_is_the_first_exported_function_or_the_one_named() {
    for (source, name, is_async) in [
        (
            "/** A. */ function a() {}\n/** B. */ export async function b() {}\n/** C. */ export function c() {}",
            "b",
            true,
        ),
        ("/** A. */\nexport const a = async (x: string) => x", "a", true),
        ("/** A. */\nconst a = (x: string) => x\nexport { a }", "a", false),
        ("/** A. */\nfunction a() {}\nexport default a", "a", false),
        ("/** A. */\nexport default function a() {}", "a", false),
        ("/** A. */\nfunction a() {}\n/** B. */\nfunction b() {}", "b", false),
        ("/** A. */\nexport const a = function () {}", "a", false),
        ("/** A. */\nexport const a = x => x", "a", false),
    ] {
        let derived = derive(source, SourceType::Typescript, None).unwrap();
        assert_eq!((derived.name.as_str(), derived.is_async), (name, is_async), "{source}");
    }
    let source = "/** A. */ function a() {}\n/** B. */ export function b(x: string, y?: number) {}";
    assert_eq!(derive(source, SourceType::Typescript, Some("a")).unwrap().description, "A.");
    assert_eq!(find_function(source, SourceType::Typescript, None).unwrap().parameters, ["x", "y"]);
    assert!(matches!(derive(source, SourceType::Typescript, Some("z")), Err(SchemaError::NotFound { .. })));
    assert_eq!(derive("const a = 1", SourceType::Typescript, None), Err(SchemaError::NoFunction));
}

#[test]
fn what_cannot_be_called_by_name_is_said() {
    for (source, expected) in [
        ("export function f(x: string) {}", "it is not described"),
        ("/** A. */ export function f(...x: string[]) {}", "takes any number of arguments"),
        ("/** A. */ export function f({ a }: { a: string }) {}", "plain name"),
        ("/** A. */ export function f(x: (a: string) => void) {}", "a function cannot be written as JSON"),
        ("export function f(x: string {}", "syntax error in line 1"),
        ("export function f(x string) {}", "syntax error in line 1"),
    ] {
        let error = derive(source, SourceType::Typescript, None).expect_err(source).to_string();
        assert!(error.contains(expected), "{error}");
    }
    let given = json!({"properties": {}});
    let derived = derive_with_parameters(
        "export function f(x) {}",
        SourceType::Typescript,
        None,
        given.as_object().unwrap(),
    );
    assert_eq!(derived.unwrap().parameters, json!({"properties": {}, "type": "object"}));
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn types_are_blanked_out_and_lines_stay() {
    for (source, expected) in [
        ("const a: number = 1 as number;", "const a = 1 ; ;"),
        (
            "function f<T>(x?: T, y: string = 'a'): x is T { return x! }",
            "function f (x , y = 'a') { return x } ;exports.f = f;",
        ),
        ("interface A { b: string }\ntype B = A;", "; ; ;"),
        ("import type { A } from 'a';", "; ;"),
        ("import { type A, b, c as d } from 'a';", "const {b, c: d} = await __import('a'); ;"),
        (
            "import a, * as b from 'a';",
            "const {default: a} = await __import('a'); const b = await __import('a'); ;",
        ),
        ("import 'a';", "await __import('a'); ;"),
        ("const x = await import('a');", "const x = await __import('a'); ;"),
        ("export const a = 1, b = 2;", "const a = 1, b = 2; ;exports.a = a;exports.b = b;"),
        ("const a = 1; export { a as b };", "const a = 1; ; ;exports.b = a;"),
        ("export default (x: number) => x;", "exports.default = (x ) => x; ;"),
        ("declare const X: string;", "; ;"),
        (
            "enum A { B, C = 5, D }",
            "var A = Object.freeze({[\"B\"]: 0, [0]: \"B\", [\"C\"]: 5, [5]: \"C\", [\"D\"]: 6, [6]: \"D\"}); ;",
        ),
        (
            "class A<T> extends B<T> implements C { private readonly x?: T; static y!: number; constructor(z: T) { super(z) } }",
            "class A extends B { x ; static y ; constructor(z ) { super(z) } } ;",
        ),
        ("const f = <T,>(x: T): T => x;", "const f = (x ) => x; ;exports.f = f;"),
        ("a satisfies B;", "a ; ;"),
        ("const o = { a: 1, b: c ? d : e };", "const o = { a: 1, b: c ? d : e }; ;"),
    ] {
        assert_eq!(squeezed(&to_javascript(source, false).unwrap()), expected, "{source}");
    }
    let source = "interface A {\n  b: string\n}\nimport {\n  x\n} from 'y';\nconst z = 1;\n";
    let javascript = to_javascript(source, false).unwrap();
    assert_eq!(javascript.lines().nth(6), Some("const z = 1;"));
}

#[test]
fn scripts_give_their_last_expression() {
    for (source, expected) in [
        ("const a = 1; a + 1", "const a = 1; return (a + 1);"),
        ("a;", "return (a);"),
        ("if (a) b();", "if (a) b();"),
        ("this is not javascript", "this is not javascript"),
    ] {
        assert_eq!(to_javascript(source, true).unwrap(), expected);
    }
    assert!(to_javascript("namespace A { export const b = 1 }", false).is_err());
    assert!(to_javascript("export * from 'a'", false).is_err());
    assert!(to_javascript("class A { constructor(private x: number) {} }", false).is_err());
}

proptest! {
    #[test]
    fn nothing_panics(source in ".{0,200}") {
        let _any = derive(&source, SourceType::Typescript, None);
        let _any = find_function(&source, SourceType::Typescript, None);
        let _any = to_javascript(&source, false);
        let _any = to_javascript(&source, true);
    }

    #[test]
    fn pieces_of_typescript_in_any_order_do_not_panic(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "/** Doc. */", "export ", "default ", "function f", "(", "x", "?", ": ", "string", "number", "[]", "|", "null",
                ")", "{", "}", "interface A ", "type A = ", "A", "enum A ", "<", ">", "T", "=>", "=", "5", "'a'", ";", "\n",
                "import ", "from ", "as ", "!", "class ", "async ", "...", ",", "é", "`", "Record<", "Array<",
            ]),
            0..40,
        )
    ) {
        let source = pieces.concat();
        let _any = to_javascript(&source, false);
        let _any = to_javascript(&source, true);
        if let Ok(derived) = derive(&source, SourceType::Typescript, None) {
            prop_assert!(crate::schema::tests::is_valid(&derived.parameters), "{:?}", derived.parameters);
        }
    }
}
