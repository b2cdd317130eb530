//! Sentences for people that a window can say in its own language: a code, the values in it, and the English sentence.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A sentence for people with its parts. The sentence is for programs without words of their own, and what a window
/// falls back to; a value may be another `Said`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Read")]
pub struct Said {
    /// Which sentence it is; empty for words from elsewhere, which nobody can translate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What stands in it, by name.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// In English, with the values.
    pub message: String,
}

/// Sentences kept before they had parts were plain texts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Read {
    Text(String),
    Parts {
        #[serde(default)]
        code: String,
        #[serde(default)]
        values: Map<String, Value>,
        message: String,
    },
}

impl From<Read> for Said {
    fn from(read: Read) -> Self {
        match read {
            Read::Text(message) => Self::from(message),
            Read::Parts { code, values, message } => Self { code, values, message },
        }
    }
}

impl From<String> for Said {
    fn from(message: String) -> Self {
        Self { message, ..Self::default() }
    }
}

impl From<&str> for Said {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

/// A sentence as it is listed for those who translate it: its code, and its English with names in braces.
pub type Template = (String, &'static str);

/// `KeyRefused` → `key_refused`.
#[must_use]
pub fn code(variant: &str) -> String {
    let mut code = String::with_capacity(variant.len() + 4);
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !code.is_empty() {
            code.push('_');
        }
        code.push(letter.to_ascii_lowercase());
    }
    code
}

/// Finds again which of these sentences a text is. Those with one name, at their end, are found by their beginning;
/// others with names are not.
#[must_use]
pub fn recognised(text: &str, templates: &[Template]) -> Said {
    let found = templates.iter().find_map(|(code, words)| {
        let (start, name) = match words.split_once('{') {
            None => return (*words == text).then(|| (code, Map::new())),
            Some(("", _)) => return None,
            Some((start, rest)) => (start, rest.strip_suffix('}').filter(|name| !name.contains('{'))?),
        };
        let value = text.strip_prefix(start)?;
        Some((code, Map::from_iter([(name.to_owned(), Value::from(value))])))
    });
    let (code, values) = found.map(|(code, values)| (code.clone(), values)).unwrap_or_default();
    Said { code, values, message: text.to_owned() }
}

/// Sentences as an enum: a variant for each, its fields the values, by their names in the English text. The code is
/// the variant's name in snake case. `templates()` lists them, and each becomes a [`Said`].
#[macro_export]
macro_rules! sentences {
    ($(#[$about:meta])* $vis:vis enum $name:ident {
        $($variant:ident $({ $($field:ident: $kind:ty),+ $(,)? })? => $words:literal,)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        $vis enum $name {
            $($variant $({ $($field: $kind),+ })?,)+
        }

        impl $name {
            /// Every sentence for those who translate it.
            #[must_use]
            $vis fn templates() -> Vec<$crate::said::Template> {
                vec![$(($crate::said::code(stringify!($variant)), $words)),+]
            }
        }

        impl From<$name> for $crate::said::Said {
            fn from(sentence: $name) -> Self {
                match sentence {
                    $($name::$variant $({ $($field),+ })? => Self {
                        code: $crate::said::code(stringify!($variant)),
                        message: format!($words),
                        values: [$($((stringify!($field).to_owned(), $crate::said::value(&$field))),+)?]
                            .into_iter()
                            .collect(),
                    },)+
                }
            }
        }
    };
}

/// A value of a sentence as JSON.
#[must_use]
pub fn value(value: &impl Serialize) -> Value {
    // Only values that JSON has are ever put into sentences.
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    sentences! {
        enum Words {
            AllIsWell => "All is well.",
            PortTaken { port: String, why: Said } => "Port {port} is taken: {why}",
            ReadsBelow { folders: String } => "reads only below {folders}",
        }
    }

    #[test]
    fn a_sentence_has_its_code_its_values_and_its_english() {
        let said = Said::from(Words::PortTaken { port: "80".to_owned(), why: Words::AllIsWell.into() });
        assert_eq!(
            json!(said),
            json!({
                "code": "port_taken",
                "values": {"port": "80", "why": {"code": "all_is_well", "message": "All is well."}},
                "message": "Port 80 is taken: All is well.",
            })
        );
        assert_eq!(serde_json::from_value::<Said>(json!(said)).ok(), Some(said));
        let codes: Vec<_> = Words::templates().into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, ["all_is_well", "port_taken", "reads_below"]);
    }

    #[test]
    fn a_text_kept_before_is_read_as_words_from_elsewhere() {
        let said: Option<Said> = serde_json::from_value(json!("It answers.")).ok();
        assert_eq!(said, Some(Said::from("It answers.")));
        assert_eq!(json!(Said::from("x")), json!({"message": "x"}));
    }

    #[test]
    fn a_text_is_found_again_among_the_sentences() {
        let templates = Words::templates();
        let read = Words::ReadsBelow { folders: "/a, /b".to_owned() };
        for said in [Said::from(read), Said::from(Words::AllIsWell), Said::from("Something else.")] {
            assert_eq!(recognised(&said.message, &templates), said);
        }
    }
}
