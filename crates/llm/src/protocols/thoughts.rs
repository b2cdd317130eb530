//! Local models write their thoughts into the text, between `<think>` and `</think>`, where the runtime does not take
//! them out. They are taken out here, as they stream: only at the very beginning of an answer.

use loci_api::chat::ChatEvent;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// A stretch of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stretch {
    Thought(String),
    Text(String),
}

impl Stretch {
    fn event(self) -> ChatEvent {
        match self {
            Self::Thought(text) => ChatEvent::Reasoning(text),
            Self::Text(text) => ChatEvent::Text(text),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Thoughts {
    state: State,
    /// What may yet turn out to be part of a mark.
    held: String,
    /// Whether any of a thought went out; the line break after the mark is none.
    has_thought: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but blanks, or the beginning of the mark.
    #[default]
    Beginning,
    Inside,
    /// Blanks between the thoughts and the text are part of neither.
    Between,
    Text,
}

impl Thoughts {
    /// The next piece of the text, as events.
    pub(super) fn tell(&mut self, piece: &str, events: &mut Vec<ChatEvent>) {
        let mut out = Vec::new();
        self.take(piece, &mut out);
        events.extend(out.into_iter().map(Stretch::event));
    }

    /// What was held back, at the end of the answer, as events.
    pub(super) fn tell_rest(&mut self, events: &mut Vec<ChatEvent>) {
        let mut out = Vec::new();
        self.rest(&mut out);
        events.extend(out.into_iter().map(Stretch::event));
    }

    fn take(&mut self, piece: &str, out: &mut Vec<Stretch>) {
        if self.state == State::Text {
            push(out, Stretch::Text(piece.to_owned()));
            return;
        }
        self.held.push_str(piece);
        if self.state == State::Beginning {
            let begun = self.held.trim_start();
            if let Some(rest) = begun.strip_prefix(OPEN) {
                self.held = rest.to_owned();
                self.state = State::Inside;
            } else if OPEN.starts_with(begun) {
                return;
            } else {
                self.state = State::Text;
                push(out, Stretch::Text(std::mem::take(&mut self.held)));
                return;
            }
        }
        if self.state == State::Inside {
            if !self.has_thought {
                self.held = self.held.trim_start_matches('\n').to_owned();
            }
            let Some((thought, rest)) = self.held.split_once(CLOSE) else {
                let sure = self.held.len() - open_end(&self.held);
                let later = self.held.split_off(sure);
                self.has_thought |= sure > 0;
                push(out, Stretch::Thought(std::mem::replace(&mut self.held, later)));
                return;
            };
            push(out, Stretch::Thought(thought.to_owned()));
            self.held = rest.to_owned();
            self.state = State::Between;
        }
        let text = self.held.trim_start();
        if !text.is_empty() {
            push(out, Stretch::Text(text.to_owned()));
            self.held.clear();
            self.state = State::Text;
        }
    }

    fn rest(&mut self, out: &mut Vec<Stretch>) {
        let held = std::mem::take(&mut self.held);
        match self.state {
            State::Inside => push(out, Stretch::Thought(held)),
            State::Beginning | State::Text => push(out, Stretch::Text(held)),
            State::Between => {}
        }
    }
}

fn push(out: &mut Vec<Stretch>, stretch: Stretch) {
    let is_empty = match &stretch {
        Stretch::Thought(text) | Stretch::Text(text) => text.is_empty(),
    };
    if !is_empty {
        out.push(stretch);
    }
}

/// How many bytes at the end may be the beginning of the closing mark.
fn open_end(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|length| text.ends_with(&CLOSE[..*length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thought and text put together, whatever the pieces.
    fn read(pieces: &[&str]) -> (String, String) {
        let mut thoughts = Thoughts::default();
        let mut out = Vec::new();
        pieces.iter().for_each(|piece| thoughts.take(piece, &mut out));
        thoughts.rest(&mut out);
        let (mut thought, mut text) = (String::new(), String::new());
        for stretch in out {
            match stretch {
                Stretch::Thought(piece) => {
                    assert!(text.is_empty(), "thoughts come first");
                    thought.push_str(&piece);
                }
                Stretch::Text(piece) => text.push_str(&piece),
            }
        }
        (thought, text)
    }

    #[test]
    fn thoughts_are_told_from_text_wherever_the_pieces_end() {
        for (whole, thought, text) in [
            ("<think>\nhm < 3 é</think>\n\nHi <think> there", "hm < 3 é", "Hi <think> there"),
            ("  \n<think></think>Hi", "", "Hi"),
            ("Hi </think>", "", "Hi </think>"),
            ("<thin air", "", "<thin air"),
            ("<think>never closed </thi", "never closed </thi", ""),
            ("<", "", "<"),
            ("", "", ""),
        ] {
            let expected = (thought.to_owned(), text.to_owned());
            assert_eq!(read(&[whole]), expected, "{whole}");
            for split in (0..=whole.len()).filter(|at| whole.is_char_boundary(*at)) {
                let (head, tail) = whole.split_at(split);
                assert_eq!(read(&[head, tail]), expected, "{whole} at {split}");
            }
            let chars: Vec<String> = whole.chars().map(String::from).collect();
            let chars: Vec<&str> = chars.iter().map(String::as_str).collect();
            assert_eq!(read(&chars), expected, "{whole} by characters");
        }
    }

    #[test]
    fn text_is_not_held_back() {
        let mut out = Vec::new();
        let mut thoughts = Thoughts::default();
        thoughts.take("H", &mut out);
        assert_eq!(out, [Stretch::Text("H".to_owned())]);
    }
}
