//! `list_directory`: an agent sees which files a folder holds, by name, size and kind.

use std::fmt::Write as _;

use cap_std::fs::Dir;
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Nature, Place, Preview, SubjectKind, Work};
use crate::sentences::Approval;

const NAME: &str = "list_directory";
/// Entries of one answer.
const MOST_ENTRIES: usize = 1_000;
const MOST_DEPTH: u32 = 10;

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: Some(("path", SubjectKind::Path)),
    nature: Nature { read_only: true, dangerous: false, needs_folder: true, by_itself: true },
    preview,
    work: Work::Blocking(run),
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description:
            "List what a folder on the person's computer holds: names, sizes in bytes, and folders marked \
            with a slash. Only folders the person opened to you can be listed."
                .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "path": {
                    "type": "string",
                    "description": "The folder, relative to the opened one. Left out: the opened folder itself.",
                },
                "depth": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST_DEPTH,
                    "description": "How many levels of folders are listed. Left out: 1.",
                },
            },
            "required": [],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default = "here")]
    path: String,
    #[serde(default)]
    depth: Option<u32>,
}

fn here() -> String {
    ".".to_owned()
}

fn parse(arguments: &Map<String, Value>) -> Result<Arguments, String> {
    let parsed: Arguments = super::parse(NAME, arguments)?;
    match parsed.depth {
        Some(depth) if !(1..=MOST_DEPTH).contains(&depth) => Err(format!("depth is 1 to {MOST_DEPTH}.")),
        Some(_) | None => Ok(parsed),
    }
}

fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let arguments = parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    Ok(Preview::line(Approval::ReachNames { path: located.whole().display().to_string() }))
}

fn run(place: &Place, arguments: &Map<String, Value>) -> Result<String, String> {
    let arguments = parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    let dir = located.dir.open_dir(located.named()).map_err(|error| located.refusal(&error))?;
    let mut listing = Listing { lines: Vec::new(), more: 0 };
    listing.walk(&dir, "", arguments.depth.unwrap_or(1)).map_err(|error| located.refusal(&error))?;
    if listing.lines.is_empty() {
        return Ok(format!("{} is empty.", arguments.path));
    }
    let mut text = listing.lines.join("\n");
    if listing.more > 0 {
        let _infallible = write!(text, "\n[and {} more; list a deeper folder to see them]", listing.more);
    }
    Ok(text)
}

struct Listing {
    lines: Vec<String>,
    more: usize,
}

impl Listing {
    fn walk(&mut self, dir: &Dir, prefix: &str, depth: u32) -> std::io::Result<()> {
        let mut entries: Vec<_> = dir
            .entries()?
            .filter_map(Result::ok)
            .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry))
            .collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (name, entry) in entries {
            if self.lines.len() >= MOST_ENTRIES {
                self.more += 1;
                continue;
            }
            // Of a link itself, not of what it leads to.
            match entry.metadata() {
                Ok(about) if about.is_dir() => {
                    self.lines.push(format!("{prefix}{name}/"));
                    if depth > 1
                        && let Ok(inner) = entry.open_dir()
                    {
                        // A folder that cannot be read is listed without what it holds.
                        let _unreadable = self.walk(&inner, &format!("{prefix}{name}/"), depth - 1);
                    }
                }
                Ok(about) if about.is_symlink() => self.lines.push(format!("{prefix}{name} (a link)")),
                Ok(about) => self.lines.push(format!("{prefix}{name} ({})", about.len())),
                Err(_) => self.lines.push(format!("{prefix}{name} (unreadable)")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_tools::place::tests::Scene;

    fn list(scene: &Scene, arguments: Value) -> Result<String, String> {
        run(&scene.place, arguments.as_object().expect("an object"))
    }

    #[test]
    fn names_sizes_and_kinds_are_listed() {
        let scene = Scene::new();
        assert_eq!(list(&scene, json!({})).as_deref(), Ok(". is empty."));
        scene.write("b.txt", "12345");
        scene.write("a/deep/c.txt", "1");
        assert_eq!(list(&scene, json!({})).as_deref(), Ok("a/\nb.txt (5)"));
        assert_eq!(
            list(&scene, json!({"path": ".", "depth": 3})).as_deref(),
            Ok("a/\na/deep/\na/deep/c.txt (1)\nb.txt (5)")
        );
        assert_eq!(list(&scene, json!({"path": "a/deep"})).as_deref(), Ok("c.txt (1)"));
    }

    #[test]
    fn what_cannot_be_listed_is_said() {
        let scene = Scene::new();
        scene.write("b.txt", "12345");
        for (arguments, wanted) in [
            (json!({"path": "none"}), "There is no none"),
            (json!({"path": ".."}), "outside the opened folder"),
            (json!({"path": "b.txt"}), "a file, not a folder"),
            (json!({"depth": 0}), "1 to 10"),
            (json!({"deep": 1}), "unknown field"),
        ] {
            let problem = list(&scene, arguments.clone()).expect_err("refused");
            assert!(problem.contains(wanted), "{arguments}: {problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_named_but_not_followed_out() {
        let scene = Scene::new();
        scene.link_out();
        assert_eq!(
            list(&scene, json!({"depth": 5})).as_deref(),
            Ok("etc (a link)\nfolder-out (a link)\nlink-out (a link)")
        );
        for path in ["etc", "folder-out"] {
            assert!(list(&scene, json!({"path": path})).expect_err(path).contains("outside"), "{path}");
        }
    }

    #[test]
    fn very_many_entries_are_cut_and_say_so() {
        let scene = Scene::new();
        for number in 0..MOST_ENTRIES + 3 {
            scene.write(&format!("{number:04}"), "");
        }
        assert!(
            list(&scene, json!({}))
                .expect("listed")
                .ends_with("[and 3 more; list a deeper folder to see them]")
        );
    }
}
