//! Patterns: `*` is any text, `?` one character, a backslash takes the meaning away. In paths `*` stays within one
//! folder and `**` does not.

use loci_api::said::Said;

use crate::sentences::Approval;

/// Characters of a pattern.
const LONGEST_PATTERN: usize = 1_000;
/// Characters of a text that is still compared.
const LONGEST_TEXT: usize = 20_000;

/// A pattern, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    /// `*`
    Star,
    /// `**`
    Stars,
}

/// A pattern, or a text, that cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said())]
pub enum PatternError {
    Empty,
    PatternTooLong,
    LooseBackslash,
    /// The text is too long to be compared.
    TextTooLong,
}

impl PatternError {
    /// The sentence with its parts.
    #[must_use]
    pub fn said(&self) -> Said {
        match self {
            Self::Empty => Approval::PatternEmpty,
            Self::PatternTooLong => Approval::PatternLong { most: LONGEST_PATTERN },
            Self::LooseBackslash => Approval::PatternBackslash,
            Self::TextTooLong => Approval::PatternLongValue { most: LONGEST_TEXT },
        }
        .into()
    }
}

impl Pattern {
    /// # Errors
    /// If it is empty, too long, or ends in a lone backslash.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() {
            return Err(PatternError::Empty);
        }
        if text.chars().count() > LONGEST_PATTERN {
            return Err(PatternError::PatternTooLong);
        }
        let mut tokens: Vec<Token> = Vec::new();
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            match char {
                '\\' => tokens.push(Token::Char(chars.next().ok_or(PatternError::LooseBackslash)?)),
                '?' => tokens.push(Token::One),
                '*' => match tokens.last() {
                    Some(Token::Star) => {
                        tokens.pop();
                        tokens.push(Token::Stars);
                    }
                    Some(Token::Stars) => {}
                    Some(Token::Char(_) | Token::One) | None => tokens.push(Token::Star),
                },
                other => tokens.push(Token::Char(other)),
            }
        }
        Ok(Self { text: text.to_owned(), tokens })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for exactly one text.
    #[must_use]
    pub fn is_literal(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Char(_)))
    }

    /// Whether the whole text is described. `path`: `*` and `?` do not match `/`.
    ///
    /// # Errors
    /// If the text is too long.
    pub fn matches(&self, text: &str, path: bool) -> Result<bool, PatternError> {
        let lead = self.tokens.iter().map_while(|token| match token {
            Token::Char(char) => Some(*char),
            Token::One | Token::Star | Token::Stars => None,
        });
        let mut start = text.chars();
        // Most texts differ at once.
        if !lead.clone().all(|char| start.next() == Some(char)) {
            return Ok(false);
        }
        let rest: Vec<char> = start.take(LONGEST_TEXT + 1).collect();
        if rest.len() > LONGEST_TEXT {
            return Err(PatternError::TextTooLong);
        }
        Ok(simulate(&self.tokens[lead.count()..], &rest, path))
    }
}

/// All places of the pattern that the text so far can have led to, one character after another: time is bounded
/// by the product of both lengths, whatever they hold.
fn simulate(tokens: &[Token], text: &[char], path: bool) -> bool {
    let mut at = vec![false; tokens.len() + 1];
    let mut next = at.clone();
    at[0] = true;
    skip_stars(tokens, &mut at);
    for &char in text {
        next.fill(false);
        let mut alive = false;
        for (place, token) in tokens.iter().enumerate() {
            if !at[place] {
                continue;
            }
            let (stay, go) = match token {
                Token::Char(wanted) => (false, *wanted == char),
                Token::One => (false, !path || char != '/'),
                Token::Star => (!path || char != '/', false),
                Token::Stars => (true, false),
            };
            next[place] |= stay;
            next[place + 1] |= go;
            alive |= stay || go;
        }
        if !alive {
            return false;
        }
        skip_stars(tokens, &mut next);
        std::mem::swap(&mut at, &mut next);
    }
    at[tokens.len()]
}

/// A star may stand for nothing.
fn skip_stars(tokens: &[Token], at: &mut [bool]) {
    for (place, token) in tokens.iter().enumerate() {
        if at[place] && matches!(token, Token::Star | Token::Stars) {
            at[place + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pattern_describes_a_whole_text() {
        for (pattern, text, plain, path) in [
            ("git status*", "git status", true, true),
            ("git status*", "git status --short", true, true),
            ("git status*", "sudo git status", false, false),
            ("*", "", true, true),
            ("*", "a/b", true, false),
            ("**", "a/b", true, true),
            ("notes/*.md", "notes/plan.md", true, true),
            ("notes/*.md", "notes/deep/plan.md", true, false),
            ("notes/**", "notes/deep/plan.md", true, true),
            ("notes/**/x", "notes/a/b/x", true, true),
            ("?at", "cat", true, true),
            ("a?b", "a/b", true, false),
            ("a\\*b", "a*b", true, true),
            ("a\\*b", "axb", false, false),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false, false),
            ("grüße*", "grüße dich", true, true),
            ("abc", "ab", false, false),
            ("abc", "abcd", false, false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(text, false), Ok(plain), "{pattern} {text}");
            assert_eq!(parsed.matches(text, true), Ok(path), "{pattern} {text} as a path");
        }
    }

    #[test]
    fn what_cannot_be_compared_says_so() {
        assert_eq!(Pattern::parse(""), Err(PatternError::Empty));
        assert_eq!(Pattern::parse("a\\"), Err(PatternError::LooseBackslash));
        assert_eq!(Pattern::parse(&"a".repeat(1_001)), Err(PatternError::PatternTooLong));
        let long = "a".repeat(LONGEST_TEXT + 1);
        assert_eq!(Pattern::parse("*b").unwrap().matches(&long, false), Err(PatternError::TextTooLong));
    }

    proptest! {
        #[test]
        fn an_escaped_text_matches_itself_alone(text in "[ -~]{1,40}", other in "[ -~]{1,40}") {
            let escaped: String = text.chars().flat_map(|char| ['\\', char]).collect();
            let pattern = Pattern::parse(&escaped).unwrap();
            prop_assert!(pattern.is_literal());
            prop_assert_eq!(pattern.matches(&text, false), Ok(true));
            prop_assert_eq!(pattern.matches(&other, false), Ok(other == text));
        }

        #[test]
        fn what_matches_as_a_path_matches_as_text(pattern in "[a/*?]{1,8}", text in "[a/]{0,8}") {
            let pattern = Pattern::parse(&pattern).unwrap();
            if pattern.matches(&text, true).unwrap() {
                prop_assert!(pattern.matches(&text, false).unwrap());
            }
        }
    }
}
