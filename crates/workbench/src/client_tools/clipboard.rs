//! `read_clipboard` and `write_clipboard`: an agent sees or sets what the person would paste.

use futures::future::BoxFuture;
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Detail, Done, Nature, Place, Preview, SubjectKind, Task, Work};
use crate::sentences::Approval;

const READ: &str = "read_clipboard";
const WRITE: &str = "write_clipboard";
/// Characters read, and bytes written.
const MOST: usize = 100_000;

pub const READ_TOOL: ClientTool = ClientTool {
    name: READ,
    spec: read_spec,
    subject: None,
    // It changes nothing, but a password may be there: no rule for all that only reads should cover it.
    nature: Nature { read_only: false, dangerous: true, needs_folder: false, by_itself: false },
    preview: read_preview,
    work: Work::Running(read),
};

pub const WRITE_TOOL: ClientTool = ClientTool {
    name: WRITE,
    spec: write_spec,
    subject: Some(("text", SubjectKind::Text)),
    nature: Nature { read_only: false, dangerous: false, needs_folder: false, by_itself: false },
    preview: write_preview,
    work: Work::Running(write),
};

fn read_spec() -> ToolSpec {
    ToolSpec {
        name: READ.to_owned(),
        description: "Read the text in the person's clipboard. They are asked first.".to_owned(),
        parameters: json!({"type": "object", "properties": {}, "required": []}),
    }
}

fn write_spec() -> ToolSpec {
    ToolSpec {
        name: WRITE.to_owned(),
        description:
            "Put text into the person's clipboard, in the place of what is there. They are asked first."
                .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {"text": {"type": "string", "description": "What they can paste afterwards."}},
            "required": ["text"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    text: String,
}

fn parse_write(arguments: &Map<String, Value>) -> Result<String, String> {
    let Text { text } = super::parse(WRITE, arguments)?;
    if text.len() > MOST { Err(format!("text is larger than {MOST} bytes.")) } else { Ok(text) }
}

fn read_preview(_place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let Nothing {} = super::parse(READ, arguments)?;
    Ok(Preview::line(Approval::ReachClipboardRead))
}

fn write_preview(_place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let text = parse_write(arguments)?;
    let line = Approval::ReachClipboardWrite { characters: text.chars().count() }.into();
    Ok(Preview { line, detail: Some(Detail::Text { text }) })
}

fn read(task: Task) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        if let Err(problem) = super::parse::<Nothing>(READ, &task.arguments) {
            return Done::from(Err(problem));
        }
        Done::from(task.desk.system().read_clipboard().await.map(|text| {
            let cut: String = text.chars().take(MOST).collect();
            if cut.len() < text.len() { cut + "\n[the clipboard holds more]" } else { cut }
        }))
    })
}

fn write(task: Task) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let text = match parse_write(&task.arguments) {
            Ok(text) => text,
            Err(problem) => return Done::from(Err(problem)),
        };
        let characters = text.chars().count();
        let written = task.desk.system().write_clipboard(text).await;
        Done::from(written.map(|()| format!("{characters} characters are in the person's clipboard.")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_checked_and_shown() {
        let object = |value: Value| value.as_object().cloned().expect("an object");
        let shown = write_preview(&Place::default(), &object(json!({"text": "grüße"}))).expect("shown");
        assert_eq!(shown.line.message, "your clipboard (5 characters)");
        assert!(
            write_preview(&Place::default(), &object(json!({}))).expect_err("none").contains("missing field")
        );
        let long = object(json!({"text": "x".repeat(MOST + 1)}));
        assert!(write_preview(&Place::default(), &long).expect_err("long").contains("larger"));
        assert!(
            read_preview(&Place::default(), &object(json!({"x": 1}))).expect_err("odd").contains("unknown")
        );
    }
}
