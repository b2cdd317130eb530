//! `ask_user`: an agent asks the person something; what they answer is the result.

use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Detail, Nature, Place, Preview, Work};
use crate::sentences::Approval;

const NAME: &str = "ask_user";
const MOST_CHOICES: usize = 20;
/// Characters of a question, a choice, and an answer.
const LONGEST: usize = 10_000;

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: None,
    nature: Nature { read_only: true, dangerous: false, needs_folder: false, by_itself: false },
    preview,
    work: Work::Person(check),
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description:
            "Ask the person a question and wait for the answer. Use it when you cannot go on without \
            knowing, not for small talk."
                .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "question": {"type": "string", "description": "The question, complete in itself."},
                "choices": {
                    "type": "array",
                    "items": {"type": "string"},
                    "maxItems": MOST_CHOICES,
                    "description": "Answers to choose from; the person may still answer otherwise.",
                },
            },
            "required": ["question"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    question: String,
    #[serde(default)]
    choices: Vec<String>,
}

fn parse(arguments: &Map<String, Value>) -> Result<Arguments, String> {
    let parsed: Arguments = super::parse(NAME, arguments)?;
    if parsed.question.trim().is_empty() {
        return Err("question is empty.".to_owned());
    }
    if parsed.choices.len() > MOST_CHOICES {
        return Err(format!("There are more than {MOST_CHOICES} choices."));
    }
    let texts = parsed.choices.iter().chain([&parsed.question]);
    if texts.map(|text| text.chars().count()).any(|length| length > LONGEST) {
        return Err(format!("A text is longer than {LONGEST} characters."));
    }
    Ok(parsed)
}

fn preview(_place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let Arguments { question, choices } = parse(arguments)?;
    let line = question.lines().next().unwrap_or_default().chars().take(200).collect();
    let line = Approval::ReachQuestion { question: line }.into();
    Ok(Preview { line, detail: Some(Detail::Question { question, choices }) })
}

/// What the model is told of the person's answer; Err says what is wrong with the answer.
fn check(arguments: &Map<String, Value>, answer: &str) -> Result<String, String> {
    parse(arguments)?;
    match answer.trim() {
        "" => Err("Write an answer, or deny the call.".to_owned()),
        text if text.chars().count() > LONGEST => {
            Err(format!("The answer is longer than {LONGEST} characters."))
        }
        text => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_shown_and_an_answer_taken() {
        let object = |value: Value| value.as_object().cloned().expect("an object");
        let asked = object(json!({"question": "Red or blue?\nSay.", "choices": ["red", "blue"]}));
        let shown = preview(&Place::default(), &asked).expect("shown");
        assert_eq!(shown.line.message, "Red or blue?");
        let detail = serde_json::to_value(shown.detail).expect("JSON");
        assert_eq!(
            detail,
            json!({"type": "question", "question": "Red or blue?\nSay.", "choices": ["red", "blue"]})
        );
        assert_eq!(check(&asked, " green ").as_deref(), Ok("green"));
        assert!(check(&asked, "  ").is_err());
        assert!(check(&asked, &"x".repeat(LONGEST + 1)).is_err());
        for odd in [json!({}), json!({"question": " "}), json!({"question": "?", "choices": vec!["x"; 21]})] {
            assert!(preview(&Place::default(), &object(odd.clone())).is_err(), "{odd}");
        }
    }
}
