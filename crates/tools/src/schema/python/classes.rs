//! The classes and type aliases a source defines, as far as an annotation can mean them.

use std::collections::HashMap;

use serde_json::{Value, json};
use tree_sitter::Node;

use super::{
    docstring,
    literal::{CallArguments, Cursor, whole_literal, whole_string},
};
use crate::schema::syntax::{children, text};

/// What the annotations of a source can refer to.
#[derive(Debug, Default)]
pub(super) struct Scope {
    classes: HashMap<String, Class>,
    /// `Name = annotation`.
    aliases: HashMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A pydantic model.
    Model,
    Dataclass,
    /// `total`: fields are required unless they say otherwise.
    TypedDict {
        total: bool,
    },
    NamedTuple,
    Enum,
    /// Any other class.
    Other,
}

#[derive(Debug, Clone)]
pub(super) struct Class {
    pub kind: Kind,
    pub description: Option<String>,
    /// In the order of the source, inherited ones first.
    pub fields: Vec<Field>,
    /// The values of an enum, by name.
    pub members: Vec<(String, Value)>,
    bases: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub name: String,
    pub annotation: String,
    pub description: Option<String>,
    pub has_default: bool,
    pub default: Option<Value>,
    /// What `Field(…)` says besides.
    pub constraints: Vec<(String, Value)>,
}

impl Scope {
    /// Collects what stands at the top level.
    pub(super) fn read(source: &str, root: Node<'_>) -> Self {
        let mut scope = Self::default();
        for node in children(root) {
            match node.kind() {
                "class_definition" => scope.add_class(source, node, &[]),
                "decorated_definition" => {
                    let decorators: Vec<String> = children(node)
                        .into_iter()
                        .filter(|child| child.kind() == "decorator")
                        .filter_map(|child| {
                            Cursor::new(text(source, child).trim_start_matches('@')).last_of_dotted_name()
                        })
                        .map(str::to_owned)
                        .collect();
                    if let Some(class) =
                        node.child_by_field_name("definition").filter(|it| it.kind() == "class_definition")
                    {
                        scope.add_class(source, class, &decorators);
                    }
                }
                "expression_statement" => scope.add_alias(source, node),
                "type_alias_statement" => {
                    if let (Some(left), Some(right)) =
                        (node.child_by_field_name("left"), node.child_by_field_name("right"))
                    {
                        scope.aliases.insert(text(source, left).to_owned(), text(source, right).to_owned());
                    }
                }
                _ => {}
            }
        }
        scope.inherit();
        scope
    }

    pub(super) fn class(&self, name: &str) -> Option<&Class> {
        self.classes.get(name)
    }

    pub(super) fn alias(&self, name: &str) -> Option<&str> {
        self.aliases.get(name).map(String::as_str)
    }

    /// The value of `Enum.MEMBER`.
    pub(super) fn member(&self, expression: &str) -> Option<&Value> {
        let (class, member) = expression.trim().trim_end_matches(".value").split_once('.')?;
        self.classes.get(class)?.members.iter().find(|(name, _)| name == member).map(|(_, value)| value)
    }

    fn add_alias(&mut self, source: &str, statement: Node<'_>) {
        let Some(assignment) = children(statement).into_iter().find(|child| child.kind() == "assignment")
        else {
            return;
        };
        let (Some(left), Some(right)) =
            (assignment.child_by_field_name("left"), assignment.child_by_field_name("right"))
        else {
            return;
        };
        if left.kind() == "identifier" {
            let right = text(source, right);
            // `Name = NewType("Name", int)` means its second argument.
            let mut cursor = Cursor::new(right);
            let target = match cursor.last_of_dotted_name() {
                Some("NewType") => {
                    right.split_once(',').map_or(right, |(_, rest)| rest.trim().trim_end_matches(')'))
                }
                _ => right,
            };
            self.aliases.insert(text(source, left).to_owned(), target.to_owned());
        }
    }

    fn add_class(&mut self, source: &str, node: Node<'_>, decorators: &[String]) {
        let (Some(name), Some(body)) = (node.child_by_field_name("name"), node.child_by_field_name("body"))
        else {
            return;
        };
        let mut bases = Vec::new();
        let mut total = true;
        for base in node.child_by_field_name("superclasses").map(children).unwrap_or_default() {
            if base.kind() == "keyword_argument" {
                total &= text(source, base).replace(' ', "") != "total=False";
            } else if let Some(name) = Cursor::new(text(source, base)).last_of_dotted_name() {
                bases.push(name.to_owned());
            }
        }
        let own = |base: &String| match base.as_str() {
            "BaseModel" => Some(Kind::Model),
            "TypedDict" => Some(Kind::TypedDict { total }),
            "NamedTuple" => Some(Kind::NamedTuple),
            "Enum" | "IntEnum" | "StrEnum" | "Flag" | "IntFlag" | "ReprEnum" => Some(Kind::Enum),
            _ => None,
        };
        let decorated = decorators.iter().any(|name| name == "dataclass").then_some(Kind::Dataclass);
        let kind = bases.iter().find_map(own).or(decorated).unwrap_or(Kind::Other);
        let doc = children(body)
            .first()
            .and_then(|first| docstring_of(source, *first))
            .map(|text| docstring::parse(&text));
        let mut class = Class {
            kind,
            description: doc.as_ref().map(|doc| doc.description.clone()).filter(|text| !text.is_empty()),
            fields: Vec::new(),
            members: Vec::new(),
            bases,
        };
        read_body(source, body, &mut class);
        if let Some(doc) = &doc {
            for field in &mut class.fields {
                if field.description.is_none() {
                    field.description = doc.parameter(&field.name).map(str::to_owned);
                }
            }
        }
        self.classes.insert(text(source, name).to_owned(), class);
    }

    /// Gives each class the kind, fields and members of those it is made from.
    fn inherit(&mut self) {
        let names: Vec<String> = self.classes.keys().cloned().collect();
        for name in names {
            let mut line = Vec::new();
            self.ancestors(&name, &mut line);
            let inherited: Vec<Class> =
                line.iter().filter_map(|base| self.classes.get(base)).cloned().collect();
            let Some(class) = self.classes.get_mut(&name) else { continue };
            for base in inherited {
                if class.kind == Kind::Other {
                    class.kind = base.kind;
                }
                let missing = |field: &Field| !class.fields.iter().any(|own| own.name == field.name);
                let mut fields: Vec<Field> =
                    base.fields.iter().filter(|field| missing(field)).cloned().collect();
                fields.append(&mut class.fields);
                class.fields = fields;
                if class.members.is_empty() {
                    class.members = base.members;
                }
            }
        }
    }

    fn ancestors(&self, name: &str, line: &mut Vec<String>) {
        for base in self.classes.get(name).map(|class| class.bases.as_slice()).unwrap_or_default() {
            if base != name && !line.contains(base) && line.len() < 50 && self.classes.contains_key(base) {
                line.push(base.clone());
                self.ancestors(base, line);
            }
        }
    }
}

fn docstring_of(source: &str, statement: Node<'_>) -> Option<String> {
    let inner = children(statement);
    let string = inner.first().filter(|_| statement.kind() == "expression_statement" && inner.len() == 1)?;
    matches!(string.kind(), "string" | "concatenated_string").then(|| whole_string(text(source, *string)))?
}

fn read_body(source: &str, body: Node<'_>, class: &mut Class) {
    let lower = class.bases.iter().any(|base| base == "StrEnum");
    for statement in children(body) {
        if let Some(doc) = docstring_of(source, statement) {
            // A string below a field describes it.
            if let Some(field) = class.fields.last_mut().filter(|field| field.description.is_none()) {
                field.description = Some(doc.trim().to_owned());
            }
            continue;
        }
        let inner = children(statement);
        let Some(assignment) = inner.first().filter(|child| child.kind() == "assignment") else { continue };
        let Some(left) = assignment.child_by_field_name("left").filter(|left| left.kind() == "identifier")
        else {
            continue;
        };
        let name = text(source, left).to_owned();
        let right = assignment.child_by_field_name("right").map(|right| text(source, right));
        match (class.kind, assignment.child_by_field_name("type"), right) {
            (Kind::Enum, None, Some(right)) if !name.starts_with('_') => {
                let value = member_value(right, &name, class.members.len(), lower);
                class.members.push((name, value));
            }
            (_, Some(annotation), right) if !name.starts_with('_') && name != "model_config" => {
                let annotation = text(source, annotation).to_owned();
                if Cursor::new(&annotation).last_of_dotted_name() != Some("ClassVar") {
                    class.fields.push(field(name, annotation, right));
                }
            }
            _ => {}
        }
    }
}

fn member_value(expression: &str, name: &str, place: usize, lower: bool) -> Value {
    let mut cursor = Cursor::new(expression);
    if cursor.last_of_dotted_name() == Some("auto") {
        return if lower { json!(name.to_lowercase()) } else { json!(place + 1) };
    }
    // An enum whose values are not constants is known by its names; calling accepts those as well.
    whole_literal(expression).unwrap_or_else(|| json!(name))
}

fn field(name: String, annotation: String, right: Option<&str>) -> Field {
    let mut field = Field {
        name,
        annotation,
        description: None,
        has_default: right.is_some(),
        default: right.and_then(whole_literal),
        constraints: Vec::new(),
    };
    let Some(right) = right else { return field };
    let mut cursor = Cursor::new(right);
    if !matches!(cursor.last_of_dotted_name(), Some("Field" | "field")) {
        return field;
    }
    if let Some(arguments) = cursor.call_arguments() {
        apply_call(&mut field, &arguments, right);
    }
    field
}

/// What `Field(…)` or `field(…)` says about a field.
fn apply_call(field: &mut Field, arguments: &CallArguments, call: &str) {
    let default = arguments.get("default").or_else(|| arguments.positional.first().map(Option::as_ref));
    // `Field(...)`: the dots stand for no default.
    let dots = call.split_once('(').is_some_and(|(_, inside)| inside.trim_start().starts_with("..."))
        || call.replace(' ', "").contains("default=...");
    field.has_default = (default.is_some() && !dots) || arguments.get("default_factory").is_some();
    field.default = default.flatten().cloned();
    field.description = arguments.text("description").map(str::to_owned);
    field.constraints = arguments
        .named
        .iter()
        .filter_map(|(name, value)| value.clone().map(|value| (name.clone(), value)))
        .collect();
}
