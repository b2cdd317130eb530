//! `read_file`: an agent reads a text file in the folder the person chose for it, and nowhere else.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read},
};

use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    ClientTool, Nature, Place, Preview, SubjectKind, Work,
    place::{Located, refusal},
};
use crate::sentences::Approval;

const NAME: &str = "read_file";

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: Some(("path", SubjectKind::Path)),
    nature: Nature { read_only: true, dangerous: false, needs_folder: true, by_itself: true },
    preview,
    work: Work::Blocking(run),
};

/// Lines returned when the call names no limit, and the most it may name.
const DEFAULT_LINES: usize = 2_000;
const MOST_LINES: usize = 10_000;
/// Characters returned by one call.
const MOST_CHARACTERS: usize = 100_000;
/// Bytes of a file that is still searched for the lines asked for.
const LARGEST_FILE: u64 = 256 << 20;
/// Bytes looked at to tell text from something else.
const SAMPLE: u64 = 8 << 10;
/// Names shown of a folder that was named instead of a file.
const MOST_ENTRIES: usize = 100;

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description: "Read a text file on the person's computer. Only files in the one folder the person opened to \
            you can be read, and the person decides on every call. Name a folder (\".\" is the opened one) to learn \
            which files it holds. Long files come in parts: the answer says which lines you got and where to go on."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {
                    "type": "string",
                    "description": "The file, relative to the opened folder, for example notes/plan.md.",
                },
                "offset": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "The first line wanted, counted from 1. Left out: the beginning.",
                },
                "limit": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST_LINES,
                    "description": "How many lines are wanted at most. Left out: 2000.",
                },
            },
            "required": ["path"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    #[serde(default)]
    offset: Option<usize>,
    #[serde(default)]
    limit: Option<usize>,
}

impl Arguments {
    fn parse(arguments: &Map<String, Value>) -> Result<Self, String> {
        let parsed: Self = serde_json::from_value(Value::Object(arguments.clone()))
            .map_err(|error| format!("The arguments of read_file are not right: {error}."))?;
        if parsed.offset == Some(0) {
            return Err("offset counts lines from 1.".to_owned());
        }
        match parsed.limit {
            Some(0) => Err("limit must be at least 1.".to_owned()),
            Some(limit) if limit > MOST_LINES => Err(format!("limit must be at most {MOST_LINES}.")),
            Some(_) | None => Ok(parsed),
        }
    }
}

/// What the person is shown before deciding: the whole path on disk and what is there. Reads no content.
fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let arguments = Arguments::parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    let about = located.dir.metadata(located.named()).map_err(|error| located.refusal(&error))?;
    let path = located.whole().display().to_string();
    Ok(Preview::line(match about.is_dir() {
        true => Approval::ReachFolder { path },
        false => Approval::ReachFile { path, bytes: about.len() },
    }))
}

/// Reads. `Err` is what the model is told. Blocking.
fn run(place: &Place, arguments: &Map<String, Value>) -> Result<String, String> {
    let arguments = Arguments::parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    let shown = &arguments.path;
    let about = located.dir.metadata(located.named()).map_err(|error| located.refusal(&error))?;
    if about.is_dir() {
        return Err(listing(&located));
    }
    // Opening a pipe or a device could wait for ever.
    if !about.is_file() {
        return Err(format!("{shown} is not an ordinary file."));
    }
    if about.len() > LARGEST_FILE {
        return Err(format!("{shown} is too large: {} bytes, {LARGEST_FILE} at most.", about.len()));
    }
    let file = located.dir.open(&located.inside).map_err(|error| located.refusal(&error))?;
    read_lines(file, shown, arguments.offset.unwrap_or(1), arguments.limit.unwrap_or(DEFAULT_LINES))
}

fn listing(located: &Located<'_>) -> String {
    let shown = &located.shown;
    let entries = match located.dir.read_dir(located.named()) {
        Ok(entries) => entries,
        Err(error) => return located.refusal(&error),
    };
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) { name + "/" } else { name }
        })
        .collect();
    names.sort_unstable();
    let more = names.len().saturating_sub(MOST_ENTRIES);
    names.truncate(MOST_ENTRIES);
    let mut text = format!("{shown} is a folder. It holds: {}", names.join(", "));
    if names.is_empty() {
        text = format!("{shown} is an empty folder");
    }
    if more > 0 {
        let _infallible = write!(text, " and {more} more");
    }
    text + "."
}

/// Lines `first..first + limit`, bounded by characters, and a note when there is more.
fn read_lines(file: impl Read, shown: &str, first: usize, limit: usize) -> Result<String, String> {
    let failed = |error: io::Error| refusal(&error, shown);
    let mut reader = BufReader::with_capacity(64 << 10, file.take(LARGEST_FILE));
    let mut sample = Vec::new();
    reader.by_ref().take(SAMPLE).read_to_end(&mut sample).map_err(failed)?;
    if sample.contains(&0) {
        return Err(format!("{shown} is not a text file."));
    }
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&sample);
    let mut lines = io::Cursor::new(sample).chain(reader);

    let mut line = Vec::new();
    let mut wanted = Vec::new();
    let (mut number, mut taken, mut characters) = (0, 0, 0);
    let mut cut_inside_line = false;
    let mut full = false;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            break;
        }
        number += 1;
        if number < first || full {
            continue;
        }
        let length = bytecount(&line);
        if taken == limit || (taken > 0 && characters + length > MOST_CHARACTERS) {
            full = true;
            continue;
        }
        taken += 1;
        if length > MOST_CHARACTERS {
            cut_inside_line = true;
            full = true;
        }
        characters += length;
        wanted.extend_from_slice(&line);
    }
    if number == 0 {
        return Ok(String::new());
    }
    if first > number {
        return Err(format!("{shown} has {number} lines; offset {first} is behind its end."));
    }
    let text = String::from_utf8_lossy(&wanted);
    let mut answer: String = text.chars().take(MOST_CHARACTERS).collect();
    let last = first + taken - 1;
    if first > 1 || last < number || cut_inside_line {
        if !answer.ends_with('\n') {
            answer.push('\n');
        }
        let _infallible = write!(answer, "[lines {first} to {last} of {number}");
        if cut_inside_line {
            let _infallible = write!(answer, "; line {last} was cut after {MOST_CHARACTERS} characters");
        }
        if last < number {
            let _infallible = write!(answer, "; go on with offset {}", last + 1);
        }
        answer.push(']');
    }
    if matches!(text, std::borrow::Cow::Owned(_)) {
        answer.push_str("\n[not UTF-8: bytes that could not be read are shown as \u{fffd}]");
    }
    Ok(answer)
}

/// Characters of UTF-8 text: every byte that does not continue one.
fn bytecount(line: &[u8]) -> usize {
    line.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    use crate::client_tools::place::tests::Scene;

    fn place() -> Scene {
        let scene = Scene::new();
        let inner = scene.path("");
        fs::create_dir_all(inner.join("deep/er")).expect("folders");
        fs::write(inner.join("plan.md"), "one\ntwo\nthree\n").expect("write");
        fs::write(inner.join("deep/er/x.txt"), "x").expect("write");
        fs::write(inner.join("empty"), "").expect("write");
        fs::write(inner.join("picture"), b"\x89PNG\x00\x01").expect("write");
        fs::write(inner.join("latin"), b"gr\xfc\xdfe\n").expect("write");
        fs::write(inner.join("bom"), b"\xef\xbb\xbfhello").expect("write");
        fs::write(inner.join("wide"), "\u{1f980}".repeat(MOST_CHARACTERS + 5)).expect("write");
        fs::write(inner.join("many"), (1..=3000).map(|n| format!("{n}\n")).collect::<String>())
            .expect("write");
        #[cfg(unix)]
        {
            scene.link_out();
            std::os::unix::fs::symlink("plan.md", inner.join("link-in")).expect("link");
        }
        scene
    }

    fn read(scene: &Scene, arguments: Value) -> Result<String, String> {
        run(&scene.place, arguments.as_object().expect("an object"))
    }

    #[test]
    fn reads_what_is_in_the_folder() {
        let place = place();
        let whole = place.path("plan.md").to_string_lossy().into_owned();
        for (arguments, wanted) in [
            (json!({"path": "plan.md"}), "one\ntwo\nthree\n"),
            (json!({"path": "./plan.md", "offset": null}), "one\ntwo\nthree\n"),
            (json!({"path": whole}), "one\ntwo\nthree\n"),
            (json!({"path": "deep/er/x.txt"}), "x"),
            (json!({"path": "empty"}), ""),
            (json!({"path": "bom"}), "hello"),
            (json!({"path": "plan.md", "offset": 2}), "two\nthree\n[lines 2 to 3 of 3]"),
            (json!({"path": "plan.md", "limit": 1}), "one\n[lines 1 to 1 of 3; go on with offset 2]"),
            (
                json!({"path": "plan.md", "offset": 2, "limit": 1}),
                "two\n[lines 2 to 2 of 3; go on with offset 3]",
            ),
            (
                json!({"path": "latin"}),
                "gr\u{fffd}\u{fffd}e\n\n[not UTF-8: bytes that could not be read are shown as \u{fffd}]",
            ),
        ] {
            assert_eq!(read(&place, arguments.clone()).as_deref(), Ok(wanted), "{arguments}");
        }
        #[cfg(unix)]
        assert_eq!(read(&place, json!({"path": "link-in"})).as_deref(), Ok("one\ntwo\nthree\n"));
    }

    #[test]
    fn nothing_outside_is_reachable() {
        let place = place();
        let mut paths =
            vec!["../secret.txt", "deep/../../secret.txt", "/etc/passwd", "deep/../plan.md", "~/x"];
        if cfg!(unix) {
            paths.extend(["link-out", "folder-out/secret.txt", "etc/passwd", "./link-out"]);
        }
        for path in paths {
            let problem = read(&place, json!({"path": path})).expect_err(path);
            assert!(
                problem.contains("outside the opened folder") || problem.contains("There is no"),
                "{path}: {problem}"
            );
            assert!(!problem.contains("root:"), "{path}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let place = place();
        for (arguments, wanted) in [
            (json!({}), "missing field `path`"),
            (json!({"path": 7}), "invalid type"),
            (json!({"path": " "}), "path is empty"),
            (json!({"path": "a\u{0}b"}), "NUL"),
            (json!({"path": "plan.md", "offset": 0}), "from 1"),
            (json!({"path": "plan.md", "offset": -1}), "not right"),
            (json!({"path": "plan.md", "limit": 0}), "at least 1"),
            (json!({"path": "plan.md", "limit": 1_000_000}), "at most 10000"),
            (json!({"path": "plan.md", "mode": "w"}), "unknown field `mode`"),
            (json!({"path": "plan.md", "offset": 9}), "has 3 lines"),
            (json!({"path": "none.md"}), "There is no none.md"),
            (json!({"path": "plan.md/x"}), "not a folder"),
            (json!({"path": "picture"}), "not a text file"),
            (json!({"path": "deep"}), "deep is a folder. It holds: er/."),
        ] {
            let problem = read(&place, arguments.clone()).expect_err("refused");
            assert!(problem.contains(wanted), "{arguments}: {problem}");
        }
        let problem = read(&place, json!({"path": "."})).expect_err("a folder");
        assert!(problem.contains("deep/") && problem.contains("plan.md"), "{problem}");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_refused_without_waiting() {
        let place = place();
        let pipe = place.path("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo");
        assert!(made.success());
        let problem = read(&place, json!({"path": "pipe"})).expect_err("a pipe");
        assert!(problem.contains("not an ordinary file"), "{problem}");
    }

    #[test]
    fn long_files_and_lines_are_bounded_and_say_so() {
        let place = place();
        let many = read(&place, json!({"path": "many"})).expect("read");
        assert!(many.ends_with("2000\n[lines 1 to 2000 of 3000; go on with offset 2001]"), "{many:.0}");
        let wide = read(&place, json!({"path": "wide"})).expect("read");
        assert!(wide.contains("line 1 was cut after 100000 characters"));
        assert_eq!(wide.chars().filter(|c| *c == '\u{1f980}').count(), MOST_CHARACTERS);
    }

    #[test]
    fn the_preview_names_the_file_but_does_not_read_it() {
        let place = place();
        let show = |path: &str| {
            let shown = preview(&place.place, json!({"path": path}).as_object().expect("an object"));
            shown.map_or_else(|problem| problem, |preview| preview.line.message)
        };
        assert!(show("plan.md").ends_with("opened/plan.md (14 bytes)"), "{}", show("plan.md"));
        assert!(show("deep").contains("a folder"));
        assert!(show("../secret.txt").contains("outside"));
    }
}
