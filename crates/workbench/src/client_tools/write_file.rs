//! `write_file`: an agent writes a whole text file in a folder the person opened for writing.

use std::io::{self, Read, Write};

use cap_std::fs::{Dir, OpenOptions};
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Nature, Place, Preview, SubjectKind, Work, diff, place::Located};

const NAME: &str = "write_file";
/// Bytes of a file that can be written, or compared with what is to be written.
pub const LARGEST_FILE: u64 = 10 << 20;

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
        description: "Write a text file on the person's computer, in a folder the person opened to you. An existing \
            file is replaced as a whole: to change a part of one, use edit_file. Missing folders are made. The \
            person sees the change before it happens and may refuse it."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": "The file, relative to the opened folder."},
                "content": {"type": "string", "description": "The whole text of the file."},
            },
            "required": ["path", "content"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    path: String,
    content: String,
}

fn parse(arguments: &Map<String, Value>) -> Result<Arguments, String> {
    let parsed: Arguments = super::parse(NAME, arguments)?;
    if parsed.content.len() as u64 > LARGEST_FILE {
        return Err(format!("content is larger than {LARGEST_FILE} bytes."));
    }
    Ok(parsed)
}

fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let arguments = parse(arguments)?;
    let located = place.locate_to_write(&arguments.path)?;
    let old = current(&located)?;
    Ok(diff::preview(&located.whole().display().to_string(), old.as_deref(), &arguments.content))
}

fn run(place: &Place, arguments: &Map<String, Value>) -> Result<String, String> {
    let arguments = parse(arguments)?;
    let located = place.locate_to_write(&arguments.path)?;
    let existed = current(&located)?.is_some();
    put(&located, arguments.content.as_bytes()).map_err(|error| located.refusal(&error))?;
    let verb = if existed { "Replaced" } else { "Wrote" };
    let (lines, bytes) = (arguments.content.lines().count(), arguments.content.len());
    Ok(format!("{verb} {}: {lines} lines, {bytes} bytes.", arguments.path))
}

/// The text of the file as it is; None if there is none.
pub fn current(located: &Located<'_>) -> Result<Option<String>, String> {
    let about = match located.dir.metadata(located.named()) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(located.refusal(&error)),
    };
    let shown = &located.shown;
    if about.is_dir() {
        return Err(format!("{shown} is a folder."));
    }
    if !about.is_file() {
        return Err(format!("{shown} is not an ordinary file."));
    }
    if about.len() > LARGEST_FILE {
        return Err(format!("{shown} is too large: {} bytes, {LARGEST_FILE} at most.", about.len()));
    }
    let file = located.dir.open(&located.inside).map_err(|error| located.refusal(&error))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(|error| located.refusal(&error))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| format!("{shown} is not UTF-8 text, so it is not written over."))?;
    Ok(Some(text))
}

/// Writes beside the file and puts that in its place, so that nobody ever sees half a file. Everything happens
/// below handles: a link swapped in meanwhile is replaced, not followed.
pub fn put(located: &Located<'_>, bytes: &[u8]) -> io::Result<()> {
    // A link in the folder that leads to another file in it means that file.
    let target = match located.dir.canonicalize(&located.inside) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if located.dir.symlink_metadata(&located.inside).is_ok() {
                return Err(io::Error::other("it is a link that leads nowhere"));
            }
            located.inside.clone()
        }
        Err(error) => return Err(error),
    };
    let name = target.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let parent = match target.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => {
            located.dir.create_dir_all(parent)?;
            located.dir.open_dir(parent)?
        }
        None => located.dir.try_clone()?,
    };
    let temporary = format!(
        ".{}.{}.loci",
        name.to_string_lossy().chars().take(60).collect::<String>(),
        uuid::Uuid::new_v4()
    );
    let written = write_new(&parent, &temporary, name, bytes);
    if written.is_err() {
        // The file as it was is more important than what is left beside it.
        let _left = parent.remove_file(&temporary);
    }
    written
}

fn write_new(parent: &Dir, temporary: &str, name: &std::ffi::OsStr, bytes: &[u8]) -> io::Result<()> {
    let mut file = parent.open_with(temporary, OpenOptions::new().write(true).create_new(true))?;
    if let Ok(before) = parent.symlink_metadata(name)
        && before.is_file()
    {
        file.set_permissions(before.permissions())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    parent.rename(temporary, parent, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_tools::place::tests::Scene;

    fn write(place: &Place, path: &str, content: &str) -> Result<String, String> {
        run(place, json!({"path": path, "content": content}).as_object().expect("an object"))
    }

    #[test]
    fn a_file_is_written_or_replaced_whole() {
        let scene = Scene::new();
        let done = write(&scene.place, "new/deep/a.txt", "one\ntwo\n");
        assert_eq!(done.as_deref(), Ok("Wrote new/deep/a.txt: 2 lines, 8 bytes."));
        assert_eq!(scene.read("new/deep/a.txt"), "one\ntwo\n");
        let done = write(&scene.place, "new/deep/a.txt", "three");
        assert_eq!(done.as_deref(), Ok("Replaced new/deep/a.txt: 1 lines, 5 bytes."));
        assert_eq!(scene.read("new/deep/a.txt"), "three");
        let left = std::fs::read_dir(scene.path("new/deep")).expect("read").count();
        assert_eq!(left, 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_outside_is_written_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let scene = Scene::new();
        scene.link_out();
        for path in ["../x", "/tmp/x", "link-out", "folder-out/x", "etc/x", "folder-out/secret.txt"] {
            write(&scene.place, path, "no").expect_err(path);
        }
        let secret = scene.outer.path().join("secret.txt");
        assert_eq!(std::fs::read_to_string(secret).expect("read"), "outside");
        assert!(!scene.outer.path().join("x").exists());

        scene.write("script", "old");
        std::fs::set_permissions(scene.path("script"), std::fs::Permissions::from_mode(0o750)).expect("mode");
        symlink("script", scene.path("link-in")).expect("link");
        write(&scene.place, "link-in", "new").expect("written");
        assert_eq!(scene.read("script"), "new", "a link inside means the file");
        assert!(std::fs::symlink_metadata(scene.path("link-in")).expect("about").is_symlink());
        let mode = std::fs::metadata(scene.path("script")).expect("about").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let scene = Scene::new();
        scene.write("a/b", "");
        scene.write("picture", b"\x89PNG\xff");
        for (path, wanted) in [
            ("a", "is a folder"),
            (".", "Name a file"),
            ("a/b/c", "not a folder"),
            ("picture", "not UTF-8"),
            ("", "empty"),
        ] {
            let problem = write(&scene.place, path, "x").expect_err(path);
            assert!(problem.contains(wanted), "{path}: {problem}");
        }
        let problem = write(&scene.read_only(), "new", "x").expect_err("read-only");
        assert!(problem.contains("reading only"), "{problem}");
    }

    #[test]
    fn the_preview_is_the_difference() {
        let scene = Scene::new();
        scene.write("a.txt", "one\ntwo\nthree\n");
        let show = |path: &str, content: &str| {
            preview(&scene.place, json!({"path": path, "content": content}).as_object().expect("an object"))
        };
        let shown = show("a.txt", "one\n2\nthree\n").expect("shown");
        assert!(shown.line.message.ends_with("opened/a.txt (1 line added, 1 removed)"), "{}", shown.line);
        let detail = serde_json::to_value(shown.detail).expect("JSON");
        assert_eq!(detail["type"], "diff");
        assert!(detail["diff"].as_str().is_some_and(|diff| diff.contains("-two\n+2\n")), "{detail}");
        assert_eq!(detail["new_file"], false);
        assert!(show("b.txt", "x\n").expect("shown").line.message.contains("a new file"));
        assert!(show("../b", "x").expect_err("outside").contains("outside"));
        assert_eq!(scene.read("a.txt"), "one\ntwo\nthree\n", "looking changes nothing");
    }
}
