//! `edit_file`: an agent replaces an exact piece of a text file.

use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ClientTool, Nature, Place, Preview, SubjectKind, Work, diff,
    place::Located,
    write_file::{self, LARGEST_FILE},
};

const NAME: &str = "edit_file";

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: Some(("path", SubjectKind::Path)),
    nature: Nature { read_only: false, dangerous: false, needs_folder: true, by_itself: true },
    preview,
    work: Work::Blocking(run),
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description: "Replace a piece of a text file on the person's computer, in a folder the person opened to you. \
            The piece must stand in the file exactly as you write it, spaces and line ends included, and only once \
            unless you replace all. The person sees the change before it happens and may refuse it."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "The file, relative to the opened folder."},
                "old_text": {"type": "string", "description": "What stands there now, exactly."},
                "new_text": {"type": "string", "description": "What takes its place; empty removes it."},
                "replace_all": {
                    "type": "boolean",
                    "description": "Whether every place is changed. Left out: there must be only one.",
                },
            },
            "required": ["path", "old_text", "new_text"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    old_text: String,
    new_text: String,
    #[serde(default)]
    replace_all: Option<bool>,
}

/// An edit that can be made.
struct Edit<'a> {
    located: Located<'a>,
    before: String,
    after: String,
    places: usize,
}

fn prepare<'a>(place: &'a Place, arguments: &Map<String, Value>) -> Result<Edit<'a>, String> {
    let Arguments { path, old_text, new_text, replace_all } = super::parse(NAME, arguments)?;
    if old_text.is_empty() {
        return Err("old_text is empty. To write a new file, use write_file.".to_owned());
    }
    if old_text == new_text {
        return Err("old_text and new_text are the same.".to_owned());
    }
    let located = place.locate_to_write(&path)?;
    let Some(before) = write_file::current(&located)? else {
        return Err(format!("There is no {path} in the opened folder."));
    };
    let places = before.matches(&old_text).count();
    match (places, replace_all.unwrap_or(false)) {
        (0, _) => return Err(missing(&path, &before, &old_text)),
        (1, _) | (_, true) => {}
        (many, false) => {
            return Err(format!(
                "old_text stands {many} times in {path}. Take more of the lines around it, or set replace_all."
            ));
        }
    }
    let after = before.replace(&old_text, &new_text);
    if after.len() as u64 > LARGEST_FILE {
        return Err(format!("{path} would become larger than {LARGEST_FILE} bytes."));
    }
    Ok(Edit { located, before, after, places })
}

/// Why a piece is not there, with what is most often the reason.
fn missing(path: &str, text: &str, piece: &str) -> String {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let hint = if squeezed(text).contains(&squeezed(piece)) {
        " It stands there with other spaces or line ends: read the file and copy it exactly."
    } else {
        " Read the file to see what stands there."
    };
    format!("old_text does not stand in {path}.{hint}")
}

fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let edit = prepare(place, arguments)?;
    Ok(diff::preview(&edit.located.whole().display().to_string(), Some(&edit.before), &edit.after))
}

fn run(place: &Place, arguments: &Map<String, Value>) -> Result<String, String> {
    let edit = prepare(place, arguments)?;
    write_file::put(&edit.located, edit.after.as_bytes()).map_err(|error| edit.located.refusal(&error))?;
    let times = if edit.places == 1 { "one place".to_owned() } else { format!("{} places", edit.places) };
    Ok(format!("Changed {times} in {}.\n{}", edit.located.shown, diff::unified(&edit.before, &edit.after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_tools::place::tests::Scene;

    fn edit(scene: &Scene, arguments: Value) -> Result<String, String> {
        run(&scene.place, arguments.as_object().expect("an object"))
    }

    #[test]
    fn exactly_the_piece_is_replaced() {
        let scene = Scene::new();
        scene.write("a.txt", "one\r\ntwo\r\ntwo\r\n");
        let done = edit(&scene, json!({"path": "a.txt", "old_text": "one", "new_text": "1"})).expect("done");
        assert!(done.starts_with("Changed one place in a.txt."), "{done}");
        assert_eq!(scene.read("a.txt"), "1\r\ntwo\r\ntwo\r\n", "line ends stay");
        let all = json!({"path": "a.txt", "old_text": "two", "new_text": "", "replace_all": true});
        assert!(edit(&scene, all).expect("done").contains("2 places"));
        assert_eq!(scene.read("a.txt"), "1\r\n\r\n\r\n");
    }

    #[test]
    fn what_is_not_exact_changes_nothing() {
        let scene = Scene::new();
        scene.write("a.txt", "one  two\ntwo\n");
        for (old, new, wanted) in [
            ("two", "2", "stands 2 times"),
            ("one two", "x", "other spaces"),
            ("three", "x", "Read the file"),
            ("", "x", "use write_file"),
            ("two", "two", "the same"),
        ] {
            let problem =
                edit(&scene, json!({"path": "a.txt", "old_text": old, "new_text": new})).expect_err(old);
            assert!(problem.contains(wanted), "{old}: {problem}");
        }
        let missing = json!({"path": "b.txt", "old_text": "a", "new_text": "b"});
        assert!(edit(&scene, missing).expect_err("missing").contains("There is no b.txt"));
        let outside = json!({"path": "../secret.txt", "old_text": "outside", "new_text": "b"});
        assert!(edit(&scene, outside).expect_err("outside").contains("outside the opened folder"));
        assert_eq!(scene.read("a.txt"), "one  two\ntwo\n");
        let read_only = json!({"path": "a.txt", "old_text": "one", "new_text": "b"});
        run(&scene.read_only(), read_only.as_object().expect("an object")).expect_err("read-only");
    }

    #[test]
    fn the_preview_shows_the_change_and_makes_none() {
        let scene = Scene::new();
        scene.write("a.txt", "one\ntwo\n");
        let arguments = json!({"path": "a.txt", "old_text": "two", "new_text": "2"});
        let shown = preview(&scene.place, arguments.as_object().expect("an object")).expect("shown");
        assert!(shown.line.message.contains("1 line added, 1 removed"), "{}", shown.line);
        assert_eq!(scene.read("a.txt"), "one\ntwo\n");
    }
}
