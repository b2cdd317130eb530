//! Docstrings in the three common styles: Google, NumPy and Sphinx.

/// What a docstring says.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Docstring {
    /// Everything before the sections, followed by the examples.
    pub description: String,
    /// What it says about each parameter, in its order.
    parameters: Vec<(String, String)>,
}

impl Docstring {
    /// What is said about a parameter; None if nothing is.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known.trim_start_matches('*') == name)
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.is_empty())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Parameters,
    Examples,
    /// Known, but of no use to a model: returns, raises, notes.
    Other,
}

fn section(title: &str) -> Option<Section> {
    match title.to_ascii_lowercase().as_str() {
        "args" | "arguments" | "parameters" | "params" | "keyword args" | "keyword arguments"
        | "other parameters" | "attributes" | "fields" => Some(Section::Parameters),
        "example" | "examples" => Some(Section::Examples),
        "return" | "returns" | "yield" | "yields" | "raise" | "raises" | "note" | "notes" | "warning"
        | "warnings" | "todo" | "see also" | "references" => Some(Section::Other),
        _ => None,
    }
}

/// Reads the text of a docstring, its quotes and escapes already gone.
pub(super) fn parse(text: &str) -> Docstring {
    let lines = clean(text);
    if lines.iter().any(|line| field(line).is_some_and(|(kind, _)| is_parameter_field(kind))) {
        sphinx(&lines)
    } else if lines.windows(2).any(|pair| section(pair[0].trim()).is_some() && is_underline(&pair[1])) {
        sections(
            &lines,
            |at| {
                let title = section(lines.get(at)?.trim())?;
                lines.get(at + 1).is_some_and(|line| is_underline(line)).then_some((title, 2))
            },
            numpy_entry,
        )
    } else {
        sections(
            &lines,
            |at| {
                let line = lines.get(at)?;
                let title = line.strip_suffix(':').filter(|title| !title.starts_with(' '))?;
                Some((section(title)?, 1))
            },
            google_entry,
        )
    }
}

/// The lines without the indentation they share.
fn clean(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\t', "        ");
    let mut lines = text.lines();
    let first = lines.next().unwrap_or("").trim().to_owned();
    let rest: Vec<&str> = lines.collect();
    let shared =
        rest.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    std::iter::once(first)
        .chain(rest.iter().map(|line| line.get(shared..).unwrap_or("").trim_end().to_owned()))
        .collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_underline(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && (line.chars().all(|char| char == '-') || line.chars().all(|char| char == '='))
}

fn join(lines: &[String]) -> String {
    lines.join("\n").trim().to_owned()
}

/// Reads sections whose headers `header` recognises: given a line, the section and how many lines its title takes.
fn sections(
    lines: &[String],
    header: impl Fn(usize) -> Option<(Section, usize)>,
    entry: impl Fn(&str) -> Option<(Vec<String>, String)>,
) -> Docstring {
    let starts: Vec<(usize, Section, usize)> =
        (0..lines.len()).filter_map(|at| header(at).map(|(section, taken)| (at, section, taken))).collect();
    let first = starts.first().map_or(lines.len(), |(at, ..)| *at);
    let mut found = Docstring { description: join(&lines[..first]), parameters: Vec::new() };
    for (place, (at, kind, taken)) in starts.iter().enumerate() {
        let end = starts.get(place + 1).map_or(lines.len(), |(at, ..)| *at);
        let body = lines.get(at + taken..end).unwrap_or(&[]);
        match kind {
            Section::Parameters => found.parameters.extend(entries(body, &entry)),
            Section::Examples => {
                let examples = dedent(body);
                if !examples.is_empty() {
                    found.description =
                        format!("{}\n\nExamples:\n{examples}", found.description).trim().to_owned();
                }
            }
            Section::Other => {}
        }
    }
    found
}

fn dedent(lines: &[String]) -> String {
    let shared =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(shared..).unwrap_or("")).collect();
    lines.join("\n").trim_end().to_owned()
}

/// Entries begin at the smallest indentation; what is deeper goes on with the one before.
fn entries(
    lines: &[String],
    entry: &impl Fn(&str) -> Option<(Vec<String>, String)>,
) -> Vec<(String, String)> {
    let base =
        lines.iter().filter(|line| !line.trim().is_empty()).map(|line| indent(line)).min().unwrap_or(0);
    let mut found: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for line in lines {
        let starts = !line.trim().is_empty() && indent(line) == base;
        match (starts.then(|| entry(line.trim())).flatten(), found.last_mut()) {
            (Some((names, text)), _) => found.push((names, vec![text])),
            (None, Some((_, text))) => text.push(line.trim().to_owned()),
            (None, None) => {}
        }
    }
    found
        .into_iter()
        .flat_map(|(names, text)| {
            let text = join(&text);
            names.into_iter().map(move |name| (name, text.clone()))
        })
        .collect()
}

fn is_name(text: &str) -> bool {
    let text = text.trim_start_matches('*');
    !text.is_empty() && text.chars().all(|char| char.is_alphanumeric() || char == '_')
}

/// `name (type): text` or `name: text`.
fn google_entry(line: &str) -> Option<(Vec<String>, String)> {
    let mut depth = 0_i32;
    let colon = line.char_indices().find(|(_, char)| {
        match char {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        *char == ':' && depth == 0
    });
    let (before, after) = line.split_at(colon?.0);
    let name = before.split('(').next().unwrap_or("").trim().trim_matches('`');
    is_name(name).then(|| (vec![name.to_owned()], after[1..].trim().to_owned()))
}

/// `name : type` or `a, b : type`; the text follows in the lines below.
fn numpy_entry(line: &str) -> Option<(Vec<String>, String)> {
    let names: Vec<String> =
        line.split(':').next()?.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect();
    names.iter().all(|name| is_name(name)).then(|| (names, String::new()))
}

/// `:kind rest: text` at the beginning of a line, as its kind and the rest.
fn field(line: &str) -> Option<(&str, &str)> {
    let inner = line.trim_start().strip_prefix(':')?;
    let end = inner.find([' ', ':'])?;
    let (kind, rest) = inner.split_at(end);
    (!kind.is_empty() && kind.chars().all(|char| char.is_ascii_alphabetic())).then_some((kind, rest))
}

fn is_parameter_field(kind: &str) -> bool {
    matches!(kind, "param" | "parameter" | "arg" | "argument" | "key" | "keyword")
}

/// `:param name: text` or `:param type name: text`.
fn sphinx(lines: &[String]) -> Docstring {
    let first = lines.iter().position(|line| field(line).is_some()).unwrap_or(lines.len());
    let mut found = Docstring { description: join(&lines[..first]), parameters: Vec::new() };
    let mut open: Option<(String, Vec<String>)> = None;
    let mut close = |open: &mut Option<(String, Vec<String>)>| {
        if let Some((name, text)) = open.take() {
            found.parameters.push((name, join(&text)));
        }
    };
    for line in &lines[first..] {
        match field(line) {
            Some((kind, rest)) => {
                close(&mut open);
                if is_parameter_field(kind)
                    && let Some((names, text)) = rest.split_once(':')
                    && let Some(name) = names.split_whitespace().last()
                {
                    open = Some((name.to_owned(), vec![text.trim().to_owned()]));
                }
            }
            None => {
                if let Some((_, text)) = &mut open {
                    text.push(line.trim().to_owned());
                }
            }
        }
    }
    close(&mut open);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, description: &str, parameters: &[(&str, &str)]) {
        let found = parse(text);
        assert_eq!(found.description, description);
        let wanted: Vec<(String, String)> =
            parameters.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(found.parameters, wanted, "{text}");
    }

    #[test]
    fn google() {
        check(
            "Rolls dice.\n\n    With luck.\n\n    Args:\n        sides (int, optional): How many\n            sides it has.\n        \
             names (Dict[str, int]): By name: a number.\n\n    Returns:\n        int: a number\n\n    Examples:\n        roll(6)\n    ",
            "Rolls dice.\n\nWith luck.\n\nExamples:\nroll(6)",
            &[("sides", "How many\nsides it has."), ("names", "By name: a number.")],
        );
        check("One line only.", "One line only.", &[]);
        check("Sum.\n\nArgs:\n    a: first\n\n    b: second\n", "Sum.", &[("a", "first"), ("b", "second")]);
    }

    #[test]
    fn numpy() {
        check(
            "Add.\n\n    Parameters\n    ----------\n    a, b : int\n        The numbers.\n    c\n        Third.\n\n    Returns\n    -------\n    int\n",
            "Add.",
            &[("a", "The numbers."), ("b", "The numbers."), ("c", "Third.")],
        );
    }

    #[test]
    fn sphinx() {
        check(
            "Add.\n\n    More.\n\n    :param a: the first\n        number\n    :param int b: the second\n    :type a: int\n    :return: sum\n",
            "Add.\n\nMore.",
            &[("a", "the first\nnumber"), ("b", "the second")],
        );
    }

    #[test]
    fn a_text_about_code_is_not_a_section() {
        check("Uses this:\n\n    Always:\n        x: 1\n", "Uses this:\n\nAlways:\n    x: 1", &[]);
        check("Warning: dangerous.", "Warning: dangerous.", &[]);
    }
}
