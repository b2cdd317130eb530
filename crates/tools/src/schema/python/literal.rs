//! Reading small pieces of Python text: names, strings, numbers, brackets. Used for annotations and defaults.

use serde_json::{Map, Number, Value};

/// How deep brackets may be nested.
const MAX_DEPTH: usize = 40;

/// A place in a piece of Python text. All methods skip white space and comments first.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'s> {
    rest: &'s str,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(text: &'s str) -> Self {
        Self { rest: text }
    }

    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches(|char: char| char.is_whitespace() || char == '\\');
            match self.rest.strip_prefix('#') {
                Some(comment) => self.rest = comment.find('\n').map_or("", |at| &comment[at..]),
                None => return,
            }
        }
    }

    pub(super) fn at_end(&mut self) -> bool {
        self.skip();
        self.rest.is_empty()
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest.chars().next()
    }

    /// Takes `token` if it comes next.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        self.skip();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a name, if one comes next and it is not the prefix of a string.
    pub(super) fn name(&mut self) -> Option<&'s str> {
        self.skip();
        if self.string_start().is_some() {
            return None;
        }
        let starts = |char: char| char.is_alphabetic() || char == '_';
        if !self.rest.starts_with(starts) {
            return None;
        }
        let end =
            self.rest.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(name)
    }

    /// Takes a dotted name and gives its last part.
    pub(super) fn last_of_dotted_name(&mut self) -> Option<&'s str> {
        let mut name = self.name()?;
        while self.eat(".") {
            name = self.name()?;
        }
        Some(name)
    }

    /// The prefix and the quotes of a string that comes next.
    fn string_start(&self) -> Option<(&'s str, &'static str)> {
        let letters = self.rest.bytes().take(3).take_while(|byte| b"rRbBuUfF".contains(byte)).count();
        if letters > 2 {
            return None;
        }
        let (prefix, rest) = self.rest.split_at(letters);
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        quotes.into_iter().find(|quote| rest.starts_with(quote)).map(|quote| (prefix, quote))
    }

    /// Takes one or several adjacent strings. None if none comes next, one is not closed, or is an f-string.
    pub(super) fn string(&mut self) -> Option<String> {
        let mut whole = self.one_string()?;
        loop {
            self.skip();
            if self.string_start().is_none() {
                return Some(whole);
            }
            whole.push_str(&self.one_string()?);
        }
    }

    fn one_string(&mut self) -> Option<String> {
        self.skip();
        let (prefix, quote) = self.string_start()?;
        let body = &self.rest[prefix.len() + quote.len()..];
        let end = closing(body, quote)?;
        self.rest = &body[end + quote.len()..];
        let prefix = prefix.to_ascii_lowercase();
        if prefix.contains('f') {
            return None;
        }
        Some(if prefix.contains('r') { body[..end].to_owned() } else { unescape(&body[..end]) })
    }

    fn number(&mut self) -> Option<Value> {
        self.skip();
        let negative = self.eat("-");
        self.skip();
        if !self.rest.starts_with(|char: char| char.is_ascii_digit() || char == '.') {
            return None;
        }
        let mut end = 0;
        let mut before = ' ';
        for char in self.rest.chars() {
            let exponent_sign =
                matches!(char, '+' | '-') && matches!(before, 'e' | 'E') && !self.rest.starts_with("0x");
            if !(char.is_ascii_alphanumeric() || matches!(char, '.' | '_') || exponent_sign) {
                break;
            }
            end += char.len_utf8();
            before = char;
        }
        let (text, rest) = self.rest.split_at(end);
        let value = number(&text.replace('_', ""), negative)?;
        self.rest = rest;
        Some(value)
    }

    /// Takes a literal: a constant, or a list, tuple or dict of literals. None if it is anything else.
    pub(super) fn literal(&mut self) -> Option<Value> {
        self.literal_within(0)
    }

    fn literal_within(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.skip();
        if self.string_start().is_some() {
            return self.string().map(Value::String);
        }
        match self.peek()? {
            '[' => self.items("[", "]", depth),
            '(' => {
                let before = self.clone();
                if let Some(items) = self.items("(", ")", depth) {
                    // `(1)` is one; `(1,)` and `(1, 2)` are tuples.
                    let inside = &before.rest[1..before.rest.len() - self.rest.len() - 1];
                    let single = items
                        .as_array()
                        .filter(|items| items.len() == 1 && !inside.trim_end().ends_with(','));
                    return Some(single.map_or(items.clone(), |items| items[0].clone()));
                }
                None
            }
            '{' => self.dict(depth),
            '-' | '.' | '0'..='9' => self.number(),
            _ => match self.name()? {
                "True" => Some(Value::Bool(true)),
                "False" => Some(Value::Bool(false)),
                "None" => Some(Value::Null),
                _ => None,
            },
        }
    }

    fn items(&mut self, open: &str, close: &str, depth: usize) -> Option<Value> {
        if !self.eat(open) {
            return None;
        }
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.literal_within(depth + 1)?);
            if !self.eat(",") && self.peek() != close.chars().next() {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    fn dict(&mut self, depth: usize) -> Option<Value> {
        if !self.eat("{") {
            return None;
        }
        let mut entries = Map::new();
        while !self.eat("}") {
            let key = self.literal_within(depth + 1)?;
            if !self.eat(":") {
                return None;
            }
            let value = self.literal_within(depth + 1)?;
            let key = match key {
                Value::String(text) => text,
                other => other.to_string(),
            };
            entries.insert(key, value);
            if !self.eat(",") && self.peek() != Some('}') {
                return None;
            }
        }
        Some(Value::Object(entries))
    }

    /// Passes over an expression up to a comma or a closing bracket that belongs to what surrounds it.
    pub(super) fn skip_expression(&mut self) {
        let mut depth = 0_usize;
        while let Some(char) = self.peek() {
            if self.string_start().is_some() {
                let before = self.rest.len();
                let _text = self.one_string();
                if self.rest.len() == before {
                    self.rest = "";
                }
                continue;
            }
            match char {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return,
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => return,
                _ => {}
            }
            self.rest = &self.rest[char.len_utf8()..];
        }
    }

    /// The arguments of a call whose opening bracket comes next: positional ones and named ones, each as a
    /// literal if it is one.
    pub(super) fn call_arguments(&mut self) -> Option<CallArguments> {
        if !self.eat("(") {
            return None;
        }
        let mut arguments = CallArguments::default();
        while !self.eat(")") {
            if self.at_end() {
                return None;
            }
            let mut ahead = self.clone();
            let named = ahead.name().filter(|_| ahead.peek() == Some('=') && !ahead.rest.starts_with("=="));
            if named.is_some() {
                *self = ahead;
                self.eat("=");
            }
            let mut value_at = self.clone();
            let value = value_at.literal().filter(|_| matches!(value_at.peek(), Some(',' | ')')));
            self.skip_expression();
            match named {
                Some(name) => arguments.named.push((name.to_owned(), value)),
                None => arguments.positional.push(value),
            }
            if !self.eat(",") && self.peek() != Some(')') {
                return None;
            }
        }
        Some(arguments)
    }
}

/// What a call is given. A value is None if it is no literal.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct CallArguments {
    pub positional: Vec<Option<Value>>,
    pub named: Vec<(String, Option<Value>)>,
}

impl CallArguments {
    /// The named argument: None if it is not given, Some(None) if it is no literal.
    pub(super) fn get(&self, name: &str) -> Option<Option<&Value>> {
        self.named.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_ref())
    }

    /// The named argument if it is a string.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).flatten().and_then(Value::as_str)
    }
}

/// The literal that is the whole text.
pub(super) fn whole_literal(text: &str) -> Option<Value> {
    let mut cursor = Cursor::new(text);
    let value = cursor.literal()?;
    cursor.at_end().then_some(value)
}

/// The string that is the whole text, as a docstring is.
pub(super) fn whole_string(text: &str) -> Option<String> {
    let mut cursor = Cursor::new(text);
    let value = cursor.string()?;
    cursor.at_end().then_some(value)
}

fn closing(body: &str, quote: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(char) = body[at..].chars().next() {
        if body[at..].starts_with(quote) {
            return Some(at);
        }
        at += char.len_utf8();
        if char == '\\' {
            at += body[at..].chars().next()?.len_utf8();
        }
    }
    None
}

fn number(text: &str, negative: bool) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    let radix = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find(|(prefix, _)| lower.starts_with(prefix));
    if let Some((prefix, radix)) = radix {
        let value = i64::from_str_radix(lower.strip_prefix(prefix)?, radix).ok()?;
        return Some(Value::from(if negative { -value } else { value }));
    }
    if let Ok(value) = lower.parse::<i64>() {
        return Some(Value::from(if negative { -value } else { value }));
    }
    let value: f64 = lower.parse().ok().filter(|value: &f64| value.is_finite())?;
    Number::from_f64(if negative { -value } else { value }).map(Value::Number)
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        let Some(escape) = chars.next() else {
            out.push('\\');
            break;
        };
        let mut code = |digits: usize| {
            let hex: String = chars.clone().take(digits).take_while(char::is_ascii_hexdigit).collect();
            let found = (hex.len() == digits).then(|| u32::from_str_radix(&hex, 16).ok()).flatten();
            let found = found.and_then(char::from_u32);
            if found.is_some() {
                chars.by_ref().take(digits).for_each(drop);
            }
            found
        };
        match escape {
            '\n' => {}
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            '0' => out.push('\0'),
            '\\' | '\'' | '"' => out.push(escape),
            'x' | 'u' | 'U' => {
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                match code(digits) {
                    Some(char) => out.push(char),
                    None => out.extend(['\\', escape]),
                }
            }
            other => out.extend(['\\', other]),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literals_are_read_as_python_reads_them() {
        for (text, value) in [
            ("1", json!(1)),
            ("-2.5", json!(-2.5)),
            ("1_000", json!(1000)),
            ("0x1f", json!(31)),
            ("1e3", json!(1000.0)),
            ("'a' \"b\"", json!("ab")),
            (r"r'\d'", json!("\\d")),
            (r"'\x41\u00e9\n'", json!("Aé\n")),
            ("[1, 'a', None,]", json!([1, "a", null])),
            ("(1, 2)", json!([1, 2])),
            ("(1)", json!(1)),
            ("(1,)", json!([1])),
            ("{'a': True, 'b': []}", json!({"a": true, "b": []})),
            ("'''a\nb'''", json!("a\nb")),
            ("# note\n 3", json!(3)),
        ] {
            assert_eq!(whole_literal(text), Some(value), "{text}");
        }
        for text in ["x", "f'{x}'", "1 + 1", "[x]", "{1}", "'open", "datetime.now()", "", "{'a' 1}", "1..2"] {
            assert_eq!(whole_literal(text), None, "{text}");
        }
    }

    #[test]
    fn the_arguments_of_a_call_are_told_apart() {
        let arguments =
            Cursor::new("(..., description='what', ge=0, default_factory=list, x=[a, (b, c)], y='a,b')")
                .call_arguments();
        let arguments = arguments.expect("a call");
        assert_eq!(arguments.positional, vec![None]);
        assert_eq!(arguments.text("description"), Some("what"));
        assert_eq!(arguments.get("ge"), Some(Some(&json!(0))));
        assert_eq!(arguments.get("default_factory"), Some(None));
        assert_eq!(arguments.text("y"), Some("a,b"));
        assert_eq!(arguments.get("z"), None);
    }
}
