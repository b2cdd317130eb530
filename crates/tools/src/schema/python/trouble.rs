//! What is wrong with a source that does not parse, for the mistakes people make most: brackets and strings left
//! open, a missing colon, a missing body. The grammar says only where it gave up, which is often elsewhere.

/// Statements that end in a colon and have a body.
const WITH_BODY: &[&str] =
    &["def", "class", "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "async"];

/// The byte of the mistake and a sentence; None if it is none of these.
pub(super) fn find(source: &str) -> Option<(usize, String)> {
    let mut scan = Scan::new(source);
    let mut header: Option<Line> = None;
    while let Some(line) = scan.logical_line() {
        let line = match line {
            Ok(line) => line,
            Err(trouble) => return Some(trouble),
        };
        if let Some(header) = &header
            && line.indent <= header.indent
        {
            return Some((line.start, format!("expected an indented body after '{}'", header.word)));
        }
        header = None;
        if WITH_BODY.contains(&line.word) {
            if !line.colon {
                return Some((line.end, format!("expected ':' at the end of '{}'", line.word)));
            }
            header = line.ends_in_colon.then_some(line);
        }
    }
    header.map(|header| (header.end, format!("expected an indented body after '{}'", header.word)))
}

/// One statement, however many lines it takes.
struct Line<'s> {
    start: usize,
    end: usize,
    indent: usize,
    word: &'s str,
    /// A colon stands in it outside all brackets.
    colon: bool,
    ends_in_colon: bool,
}

struct Scan<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Scan<'s> {
    fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn logical_line(&mut self) -> Option<Result<Line<'s>, (usize, String)>> {
        // Empty lines and comments are no statements.
        loop {
            let line = self.rest().split('\n').next().unwrap_or("");
            let content = line.trim();
            if !content.is_empty() && !content.starts_with('#') {
                break;
            }
            self.at += line.len() + 1;
            if self.at >= self.source.len() {
                return None;
            }
        }
        let indent = self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
        let start = self.at + indent;
        self.at = start;
        let word_end = self
            .rest()
            .find(|char: char| !char.is_alphanumeric() && char != '_')
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..word_end];
        Some(self.pass_statement().map(|(end, colon, ends_in_colon)| Line {
            start,
            end,
            indent,
            word,
            colon,
            ends_in_colon,
        }))
    }

    /// Goes to the next line that is not inside brackets; gives the end of the code, whether a colon stands in it
    /// and whether it ends in one.
    fn pass_statement(&mut self) -> Result<(usize, bool, bool), (usize, String)> {
        let mut open: Vec<(usize, char)> = Vec::new();
        let (mut end, mut colon, mut last) = (self.at, false, ' ');
        while let Some(char) = self.rest().chars().next() {
            let here = self.at;
            match char {
                '#' => {
                    self.at += self.rest().find('\n').unwrap_or(self.rest().len());
                    continue;
                }
                '\n' if open.is_empty() => {
                    self.at += 1;
                    return Ok((end, colon, last == ':'));
                }
                '\\' => {
                    self.at += 1 + self.rest()[1..].chars().next().map_or(0, char::len_utf8);
                    continue;
                }
                '"' | '\'' => self.string()?,
                '(' | '[' | '{' => open.push((here, char)),
                ')' | ']' | '}' => match open.pop() {
                    Some((_, opened)) if closes(opened, char) => {}
                    Some((_, opened)) => {
                        return Err((here, format!("'{char}' closes a '{opened}'")));
                    }
                    None => return Err((here, format!("'{char}' closes nothing"))),
                },
                ':' if open.is_empty() => colon = true,
                _ => {}
            }
            if self.at == here {
                self.at += char.len_utf8();
            }
            if !char.is_whitespace() {
                last = char;
                end = self.at;
            }
        }
        match open.pop() {
            Some((byte, bracket)) => Err((byte, format!("'{bracket}' is never closed"))),
            None => Ok((end, colon, last == ':')),
        }
    }

    fn string(&mut self) -> Result<(), (usize, String)> {
        let start = self.at;
        let quotes = ["\"\"\"", "'''", "\"", "'"];
        let quote = quotes.into_iter().find(|quote| self.rest().starts_with(quote)).unwrap_or("'");
        self.at += quote.len();
        while let Some(char) = self.rest().chars().next() {
            if self.rest().starts_with(quote) {
                self.at += quote.len();
                return Ok(());
            }
            if char == '\n' && quote.len() == 1 {
                break;
            }
            self.at += char.len_utf8();
            if char == '\\' {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            }
        }
        Err((start, format!("the string that begins with {quote} is never closed")))
    }
}

fn closes(open: char, close: char) -> bool {
    matches!((open, close), ('(', ')') | ('[', ']') | ('{', '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_common_mistakes_are_named_where_they_are() {
        for (source, expected) in [
            ("def f()\n    pass\n", Some((7, "expected ':' at the end of 'def'"))),
            ("x = (1,\n  2\ny = 3\n", Some((4, "'(' is never closed"))),
            ("x = [1)\n", Some((6, "')' closes a '['"))),
            ("x = 1]\n", Some((5, "']' closes nothing"))),
            ("x = 'a\ny = 'b'\n", Some((4, "the string that begins with ' is never closed"))),
            ("x = \"\"\"a\n", Some((4, "the string that begins with \"\"\" is never closed"))),
            ("def f():\nreturn 1\n", Some((9, "expected an indented body after 'def'"))),
            ("def f():\n", Some((8, "expected an indented body after 'def'"))),
            ("def f(): return 1\nif x: y\n", None),
            (
                "def f(a: int,\n      b: dict = {1: 2}):  # note: (\n\n    # (\n    return '(' + \"\\\"\" \\\n + 'é'\n",
                None,
            ),
            ("x = {'a': lambda: 1}\n", None),
            ("iffy = 1\n", None),
            ("", None),
        ] {
            let found = find(source);
            assert_eq!(found.as_ref().map(|(at, text)| (*at, text.as_str())), expected, "{source}");
        }
    }
}
