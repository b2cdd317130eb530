//! `search_files`: an agent searches the text of the files in a folder, with ripgrep's own crates.

use std::{fmt::Write as _, path::Path};

use grep_regex::RegexMatcherBuilder;
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkContext, SinkMatch};
use ignore::{WalkBuilder, overrides::OverrideBuilder};
use loci_api::chat::ToolSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{ClientTool, Nature, Place, Preview, SubjectKind, Work, place::Located};
use crate::sentences::Approval;

const NAME: &str = "search_files";
const DEFAULT_RESULTS: usize = 100;
const MOST_RESULTS: usize = 1_000;
const MOST_CONTEXT: usize = 10;
/// Bytes of a file that is searched.
const LARGEST_FILE: u64 = 32 << 20;
/// Files looked at.
const MOST_FILES: usize = 200_000;
/// Characters of one line of the answer, and of all of it.
const LONGEST_LINE: usize = 400;
const MOST_CHARACTERS: usize = 100_000;

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
        description: "Search the text files of a folder on the person's computer for a regular expression, line by \
            line. Only folders the person opened to you are searched; hidden files and what .gitignore leaves out \
            are skipped. The answer has one line per match: file:line:text."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "A regular expression, or plain text with literal."},
                "path": {
                    "type": "string",
                    "description": "The folder or file to search, relative to the opened folder. Left out: all of it.",
                },
                "files": {"type": "string", "description": "Only files whose names match, for example *.md."},
                "literal": {"type": "boolean", "description": "Whether query is plain text."},
                "ignore_case": {"type": "boolean", "description": "Whether case makes no difference."},
                "context": {
                    "type": "integer", "minimum": 0, "maximum": MOST_CONTEXT,
                    "description": "Lines shown around each match. Left out: 0.",
                },
                "limit": {
                    "type": "integer", "minimum": 1, "maximum": MOST_RESULTS,
                    "description": "How many matches are wanted at most. Left out: 100.",
                },
            },
            "required": ["query"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    #[serde(default = "here")]
    path: String,
    #[serde(default)]
    files: Option<String>,
    #[serde(default)]
    literal: Option<bool>,
    #[serde(default)]
    ignore_case: Option<bool>,
    #[serde(default)]
    context: Option<usize>,
    #[serde(default)]
    limit: Option<usize>,
}

fn here() -> String {
    ".".to_owned()
}

fn parse(arguments: &Map<String, Value>) -> Result<Arguments, String> {
    let parsed: Arguments = super::parse(NAME, arguments)?;
    if parsed.query.is_empty() {
        return Err("query is empty.".to_owned());
    }
    if parsed.context.is_some_and(|lines| lines > MOST_CONTEXT) {
        return Err(format!("context is 0 to {MOST_CONTEXT}."));
    }
    if parsed.limit.is_some_and(|limit| !(1..=MOST_RESULTS).contains(&limit)) {
        return Err(format!("limit is 1 to {MOST_RESULTS}."));
    }
    Ok(parsed)
}

fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let arguments = parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    let path = located.whole().display().to_string();
    Ok(Preview::line(Approval::ReachSearch { path, query: arguments.query }))
}

fn run(place: &Place, arguments: &Map<String, Value>) -> Result<String, String> {
    let arguments = parse(arguments)?;
    let located = place.locate(&arguments.path)?;
    // Refuses what leads out before anything is walked, and says so as the other tools do.
    let about = located.dir.metadata(located.named()).map_err(|error| located.refusal(&error))?;
    let matcher = RegexMatcherBuilder::new()
        .case_insensitive(arguments.ignore_case.unwrap_or(false))
        .fixed_strings(arguments.literal.unwrap_or(false))
        .size_limit(10 << 20)
        .line_terminator(Some(b'\n'))
        .build(&arguments.query)
        .map_err(|error| {
            format!("query is not a regular expression: {error}. Set literal for plain text.")
        })?;
    let context = arguments.context.unwrap_or(0);
    let mut searcher = SearcherBuilder::new()
        .line_number(true)
        .before_context(context)
        .after_context(context)
        .binary_detection(BinaryDetection::quit(0))
        .build();
    let mut found = Found {
        text: String::new(),
        characters: 0,
        matches: 0,
        limit: arguments.limit.unwrap_or(DEFAULT_RESULTS),
        full: false,
        file: String::new(),
    };
    let mut searched = 0;
    if about.is_file() {
        search_one(&mut searcher, &matcher, &located, &located.inside, &mut found);
        searched = 1;
    } else {
        // The folder's real path: what the walk finds is opened again below the handle, so a link swapped in
        // meanwhile yields nothing.
        let inside = located.dir.canonicalize(located.named()).map_err(|error| located.refusal(&error))?;
        let root = located.opened.folder.path().join(&inside);
        for entry in walk(&root, arguments.files.as_deref())? {
            let Ok(entry) = entry else { continue };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let Ok(below) = entry.path().strip_prefix(located.opened.folder.path()) else { continue };
            searched += 1;
            search_one(&mut searcher, &matcher, &located, below, &mut found);
            if found.full || searched >= MOST_FILES {
                break;
            }
        }
    }
    let mut text = found.text;
    if found.matches == 0 {
        return Ok(format!("No match in {searched} files."));
    }
    if found.full || searched >= MOST_FILES {
        let _infallible =
            write!(text, "[stopped after {} matches; narrow the search to see others]", found.matches);
    }
    Ok(text)
}

fn walk(root: &Path, files: Option<&str>) -> Result<ignore::Walk, String> {
    let mut walk = WalkBuilder::new(root);
    walk.follow_links(false).require_git(false).parents(false).sort_by_file_name(std::cmp::Ord::cmp);
    if let Some(files) = files {
        let mut only = OverrideBuilder::new(root);
        let wrong = |error: ignore::Error| format!("files is not a pattern of names: {error}.");
        only.add(files).map_err(wrong)?;
        walk.overrides(only.build().map_err(wrong)?);
    }
    Ok(walk.build())
}

fn search_one(
    searcher: &mut Searcher,
    matcher: &grep_regex::RegexMatcher,
    located: &Located<'_>,
    below: &Path,
    found: &mut Found,
) {
    let Ok(file) = located.dir.open(below) else { return };
    if !file.metadata().is_ok_and(|about| about.is_file() && about.len() <= LARGEST_FILE) {
        return;
    }
    found.file = below.to_string_lossy().into_owned();
    // A file that cannot be read has no matches.
    let _unreadable = searcher.search_reader(matcher, file, found);
}

/// Collects matches until there are enough.
struct Found {
    text: String,
    characters: usize,
    matches: usize,
    limit: usize,
    full: bool,
    file: String,
}

impl Found {
    fn line(&mut self, number: Option<u64>, sign: char, bytes: &[u8]) {
        let line = String::from_utf8_lossy(bytes);
        let line = line.trim_end_matches(['\n', '\r']);
        let cut: String = line.chars().take(LONGEST_LINE).collect();
        let more = if cut.len() < line.len() { " [cut]" } else { "" };
        let whole = format!("{}{sign}{}{sign}{cut}{more}\n", self.file, number.unwrap_or(0));
        self.characters += whole.chars().count();
        self.text.push_str(&whole);
        self.full |= self.characters >= MOST_CHARACTERS;
    }
}

impl Sink for Found {
    type Error = std::io::Error;

    fn matched(&mut self, _searcher: &Searcher, found: &SinkMatch<'_>) -> Result<bool, Self::Error> {
        if self.matches == self.limit {
            self.full = true;
            return Ok(false);
        }
        self.matches += 1;
        self.line(found.line_number(), ':', found.bytes());
        Ok(!self.full)
    }

    fn context(&mut self, _searcher: &Searcher, context: &SinkContext<'_>) -> Result<bool, Self::Error> {
        self.line(context.line_number(), '-', context.bytes());
        Ok(!self.full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_tools::place::tests::Scene;

    fn scene() -> Scene {
        let scene = Scene::new();
        scene.write("a.md", "one heron\ntwo\nHeron three\n");
        scene.write("deep/b.txt", "a heron (x)\n");
        scene.write("deep/.hidden", "heron\n");
        scene.write("left-out/c.txt", "heron\n");
        scene.write(".gitignore", "left-out/\n");
        scene.write("picture", b"heron\0heron");
        scene
    }

    fn search(scene: &Scene, arguments: Value) -> Result<String, String> {
        run(&scene.place, arguments.as_object().expect("an object"))
    }

    #[test]
    fn matching_lines_are_found() {
        let scene = scene();
        for (arguments, wanted) in [
            (json!({"query": "heron"}), "a.md:1:one heron\ndeep/b.txt:1:a heron (x)\n"),
            (json!({"query": "HERON three", "ignore_case": true}), "a.md:3:Heron three\n"),
            (json!({"query": "heron", "files": "*.md"}), "a.md:1:one heron\n"),
            (json!({"query": "heron", "path": "deep"}), "deep/b.txt:1:a heron (x)\n"),
            (json!({"query": "heron", "path": "deep/b.txt"}), "deep/b.txt:1:a heron (x)\n"),
            (json!({"query": "(x)", "literal": true}), "deep/b.txt:1:a heron (x)\n"),
            (json!({"query": "^two$", "context": 1}), "a.md-1-one heron\na.md:2:two\na.md-3-Heron three\n"),
            (
                json!({"query": "heron", "limit": 1}),
                "a.md:1:one heron\n[stopped after 1 matches; narrow the search to see others]",
            ),
            (json!({"query": "stork"}), "No match in 3 files."),
        ] {
            assert_eq!(search(&scene, arguments.clone()).as_deref(), Ok(wanted), "{arguments}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let scene = scene();
        for (arguments, wanted) in [
            (json!({}), "missing field `query`"),
            (json!({"query": ""}), "empty"),
            (json!({"query": "("}), "not a regular expression"),
            (json!({"query": "a", "path": ".."}), "outside the opened folder"),
            (json!({"query": "a", "path": "none"}), "There is no none"),
            (json!({"query": "a", "files": "{"}), "pattern of names"),
            (json!({"query": "a", "limit": 0}), "1 to 1000"),
            (json!({"query": "a", "context": 11}), "0 to 10"),
        ] {
            let problem = search(&scene, arguments.clone()).expect_err("refused");
            assert!(problem.contains(wanted), "{arguments}: {problem}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_nowhere_outside() {
        let scene = scene();
        scene.link_out();
        assert_eq!(search(&scene, json!({"query": "outside"})).as_deref(), Ok("No match in 3 files."));
        for path in ["link-out", "folder-out", "etc"] {
            let problem = search(&scene, json!({"query": "outside|root", "path": path})).expect_err(path);
            assert!(problem.contains("outside"), "{path}: {problem}");
        }
    }
}
