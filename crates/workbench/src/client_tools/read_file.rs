//! `read_file`: an agent reads a text file in the folder the person chose for it, and nowhere else.

use std::{
    fmt::Write as _,
    io::{self, BufRead, BufReader, Read},
    path::{Component, Path, PathBuf},
};

use cap_std::{ambient_authority, fs::Dir};
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Folder;

pub const NAME: &str = "read_file";

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

pub fn spec() -> ToolSpec {
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
pub fn preview(folder: &Folder, arguments: &Map<String, Value>) -> String {
    let arguments = match Arguments::parse(arguments) {
        Ok(arguments) => arguments,
        Err(problem) => return problem,
    };
    match locate(folder, &arguments.path).and_then(|inside| {
        let (dir, shown) = (open_folder(folder)?, folder.path().join(&inside));
        let about = dir.metadata(as_named(&inside)).map_err(|error| refusal(&error, &arguments.path))?;
        Ok(match about.is_dir() {
            true => format!("{} (a folder: its file names)", shown.display()),
            false => format!("{} ({} bytes)", shown.display(), about.len()),
        })
    }) {
        Ok(shown) => shown,
        Err(problem) => problem,
    }
}

/// Reads. `Err` is what the model is told. Blocking.
pub fn run(folder: &Folder, arguments: &Map<String, Value>) -> Result<String, String> {
    let arguments = Arguments::parse(arguments)?;
    let inside = locate(folder, &arguments.path)?;
    // Names are resolved below this handle, so no `..` and no symbolic link leads out, not even one that is
    // swapped in between a check and the opening.
    let dir = open_folder(folder)?;
    let shown = &arguments.path;
    let about = dir.metadata(as_named(&inside)).map_err(|error| refusal(&error, shown))?;
    if about.is_dir() {
        return Err(listing(&dir, &inside, shown));
    }
    // Opening a pipe or a device could wait for ever.
    if !about.is_file() {
        return Err(format!("{shown} is not an ordinary file."));
    }
    if about.len() > LARGEST_FILE {
        return Err(format!("{shown} is too large: {} bytes, {LARGEST_FILE} at most.", about.len()));
    }
    let file = dir.open(&inside).map_err(|error| refusal(&error, shown))?;
    read_lines(file, shown, arguments.offset.unwrap_or(1), arguments.limit.unwrap_or(DEFAULT_LINES))
}

fn open_folder(folder: &Folder) -> Result<Dir, String> {
    Dir::open_ambient_dir(folder.path(), ambient_authority()).map_err(|error| {
        format!(
            "The opened folder {} cannot be read any more: {error}. Ask the person to choose it again.",
            folder.path().display()
        )
    })
}

/// The opened folder itself has an empty relative path, which systems do not take.
fn as_named(inside: &Path) -> &Path {
    if inside.as_os_str().is_empty() { Path::new(".") } else { inside }
}

/// The path below the folder, without touching the disk.
fn locate(folder: &Folder, path: &str) -> Result<PathBuf, String> {
    if path.trim().is_empty() {
        return Err("path is empty. Name a file in the opened folder.".to_owned());
    }
    if path.contains('\0') {
        return Err("path holds a NUL character.".to_owned());
    }
    let outside = || {
        format!(
            "{path} is outside the opened folder {}. Only files in it can be read.",
            folder.path().display()
        )
    };
    let given = Path::new(path);
    let below =
        if given.is_absolute() { given.strip_prefix(folder.path()).map_err(|_| outside())? } else { given };
    let mut inside = PathBuf::new();
    for component in below.components() {
        match component {
            Component::Normal(name) => inside.push(name),
            Component::CurDir => {}
            // `a/../b` is refused as well: with links it need not mean `b`.
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    Ok(inside)
}

fn refusal(error: &io::Error, path: &str) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("There is no {path} in the opened folder."),
        // Also how a link that leads out of the folder is refused.
        io::ErrorKind::PermissionDenied => {
            format!(
                "{path} may not be read: it leads outside the opened folder, or its permissions forbid it."
            )
        }
        io::ErrorKind::NotADirectory => format!("A part of {path} is a file, not a folder."),
        _ => format!("{path} cannot be read: {error}."),
    }
}

fn listing(dir: &Dir, inside: &Path, shown: &str) -> String {
    let entries = match dir.read_dir(as_named(inside)) {
        Ok(entries) => entries,
        Err(error) => return refusal(&error, shown),
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

    struct Place {
        _outer: tempfile::TempDir,
        folder: Folder,
    }

    fn place() -> Place {
        let outer = tempfile::tempdir().expect("a folder");
        let inner = outer.path().join("opened");
        fs::create_dir_all(inner.join("deep/er")).expect("folders");
        fs::write(outer.path().join("secret.txt"), "outside").expect("write");
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
            use std::os::unix::fs::symlink;
            symlink("../secret.txt", inner.join("link-out")).expect("link");
            symlink("..", inner.join("folder-out")).expect("link");
            symlink("plan.md", inner.join("link-in")).expect("link");
            symlink("/etc", inner.join("etc")).expect("link");
        }
        let folder = Folder::choose(&inner.to_string_lossy()).expect("a folder");
        Place { _outer: outer, folder }
    }

    fn read(place: &Place, arguments: Value) -> Result<String, String> {
        run(&place.folder, arguments.as_object().expect("an object"))
    }

    #[test]
    fn reads_what_is_in_the_folder() {
        let place = place();
        let whole = place.folder.path().join("plan.md").to_string_lossy().into_owned();
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
        let pipe = place.folder.path().join("pipe");
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
        let show = |path: &str| preview(&place.folder, json!({"path": path}).as_object().expect("an object"));
        assert!(show("plan.md").ends_with("opened/plan.md (14 bytes)"), "{}", show("plan.md"));
        assert!(show("deep").contains("a folder"));
        assert!(show("../secret.txt").contains("outside"));
    }
}
