//! `run_command`: an agent runs a command of the shell in a folder the person opened for writing.
//!
//! Confined, unless the person set otherwise: it may write below that folder only, reads no personal files, and
//! reaches no network.

use std::{path::Path, process::Stdio, time::Duration};

use futures::future::BoxFuture;
use loci_api::{chat::ToolSpec, said::Said};
use loci_server::confined::{ProcessGroup, RunMode, RunRequest, RunStatus, SourceType};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
    time::Instant,
};

use super::{
    ClientTool, Detail, Done, Nature, Place, Preview, SubjectKind, Task, Work, running::RunningCall,
};
use crate::sentences::{Approval, Bounds};

const NAME: &str = "run_command";
const DEFAULT_SECONDS: u64 = 60;
const MOST_SECONDS: u64 = 600;
/// Characters of a command.
const LONGEST: usize = 20_000;
/// Bytes kept of each end of standard output and of standard error.
const KEPT: usize = 16_000;

pub const TOOL: ClientTool = ClientTool {
    name: NAME,
    spec,
    subject: Some(("command", SubjectKind::Command)),
    nature: Nature { read_only: false, dangerous: true, needs_folder: true, by_itself: false },
    preview,
    work: Work::Running(run),
};

fn spec() -> ToolSpec {
    ToolSpec {
        name: NAME.to_owned(),
        description: "Run a command on the person's computer, in the shell, in a folder they opened to you. They see \
            the command before it runs and may change or refuse it. Nothing can be typed into it. The answer is its \
            exit code and what it wrote."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "command": {"type": "string", "description": "The command line."},
                "folder": {
                    "type": "string",
                    "description": "Where it runs, relative to the opened folder. Left out: in the opened folder.",
                },
                "seconds": {
                    "type": "integer", "minimum": 1, "maximum": MOST_SECONDS,
                    "description": "How long it may take. Left out: 60.",
                },
            },
            "required": ["command"],
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    command: String,
    #[serde(default = "here")]
    folder: String,
    #[serde(default)]
    seconds: Option<u64>,
}

fn here() -> String {
    ".".to_owned()
}

/// A command, where it runs, and for how long.
struct Prepared {
    command: String,
    /// The opened folder, outside which nothing is written.
    root: std::path::PathBuf,
    folder: std::path::PathBuf,
    time: Duration,
}

fn prepare(place: &Place, arguments: &Map<String, Value>) -> Result<Prepared, String> {
    let Arguments { command, folder, seconds } = super::parse(NAME, arguments)?;
    if command.trim().is_empty() {
        return Err("command is empty.".to_owned());
    }
    if command.contains('\0') {
        return Err("command holds a NUL character.".to_owned());
    }
    if command.chars().count() > LONGEST {
        return Err(format!("command is longer than {LONGEST} characters."));
    }
    let seconds = seconds.unwrap_or(DEFAULT_SECONDS);
    if !(1..=MOST_SECONDS).contains(&seconds) {
        return Err(format!("seconds is 1 to {MOST_SECONDS}."));
    }
    let located = place.locate(&folder)?;
    if located.opened.read_only {
        let root = located.opened.folder.path().display();
        return Err(format!("No command runs in {root}: the person opened it for reading only."));
    }
    let about = located.dir.metadata(located.named()).map_err(|error| located.refusal(&error))?;
    if !about.is_dir() {
        return Err(format!("{folder} is not a folder."));
    }
    let inside = located.dir.canonicalize(located.named()).map_err(|error| located.refusal(&error))?;
    let root = located.opened.folder.path().to_owned();
    // The opened folder itself is `.` in itself.
    let folder = root.join(inside).components().collect();
    Ok(Prepared { command, folder, root, time: Duration::from_secs(seconds) })
}

fn preview(place: &Place, arguments: &Map<String, Value>) -> Result<Preview, String> {
    let Prepared { command, folder, time, .. } = prepare(place, arguments)?;
    let folder = folder.display().to_string();
    Ok(Preview {
        line: Approval::ReachCommand { folder: folder.clone(), seconds: time.as_secs() }.into(),
        detail: Some(Detail::Command { command, folder, confinement: None }),
    })
}

fn run(task: Task) -> BoxFuture<'static, Done> {
    Box::pin(async move {
        let (place, arguments) = (task.place.clone(), task.arguments.clone());
        let prepared = tokio::task::spawn_blocking(move || prepare(&place, &arguments)).await;
        let prepared = match prepared {
            Ok(Ok(prepared)) => prepared,
            Ok(Err(problem)) => return Done::from(Err(problem)),
            Err(_) => return Done::from(Err(format!("{NAME} failed inside Loci."))),
        };
        let begun = Instant::now();
        let running = async {
            if task.confine_commands {
                confined(&task, &prepared).await
            } else {
                Done {
                    result: free(&prepared, &task.call).await,
                    confinement: Some(Said::from(Bounds::RanFree).message),
                }
            }
        };
        tokio::select! {
            done = running => done,
            () = task.call.stopped() => Done::from(Err(format!(
                "The person stopped the command after {:.1} seconds. What it had done by then stays done.",
                begun.elapsed().as_secs_f64(),
            ))),
        }
    })
}

/// Runs it by way of the sandbox, which confines an interpreter and everything that starts.
async fn confined(task: &Task, prepared: &Prepared) -> Done {
    // JSON's strings, as serde writes them, are Python's too.
    let (command, folder) = (json!(prepared.command), json!(prepared.folder));
    let source = format!(
        "import subprocess\nsubprocess.run(['/bin/sh', '-c', {command}], cwd={folder}, \
         stdin=subprocess.DEVNULL).returncode"
    );
    let request = RunRequest {
        mode: RunMode::Script,
        agent_id: task.agent_id.clone(),
        timeout: Some(prepared.time),
        work_dir: Some(prepared.root.clone()),
        ..RunRequest::new(SourceType::Python, source, Map::new())
    };
    let result = super::run_watched(task, request).await;
    let confinement = result.confined();
    let output = Output { stdout: result.stdout.concat(), stderr: result.stderr.concat() };
    // A script's value is a list of what Python would show of its last expression.
    let code = result.value.get(0).and_then(Value::as_str).and_then(|shown| shown.parse().ok());
    let result = match (result.status, code) {
        (RunStatus::Success, Some(code)) => output.told(Some(code), result.duration),
        (RunStatus::Success | RunStatus::Error, _) => {
            let problem = result.value.as_str().map_or_else(|| result.value.to_string(), str::to_owned);
            Err(format!("{problem}\n{}", output.shown()))
        }
    };
    Done { result, confinement }
}

/// Runs it with the person's rights, in a group of processes that ends as one.
async fn free(prepared: &Prepared, call: &RunningCall) -> Result<String, String> {
    let begun = Instant::now();
    let mut command = shell(&prepared.command, &prepared.folder);
    let mut child = command.spawn().map_err(|error| format!("The shell cannot be started: {error}."))?;
    let _group = ProcessGroup::led_by(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let all = async {
        let (stdout, stderr, status) =
            tokio::join!(collect(stdout, call), collect(stderr, call), child.wait());
        (Output { stdout, stderr }, status)
    };
    match tokio::time::timeout(prepared.time, all).await {
        Ok((output, Ok(status))) => output.told(status.code().map(i64::from), begun.elapsed()),
        Ok((_, Err(error))) => Err(format!("The command's end cannot be seen: {error}.")),
        Err(_) => Err(format!(
            "The command took longer than {} seconds and was stopped. What it had done by then stays done.",
            prepared.time.as_secs()
        )),
    }
}

fn shell(line: &str, folder: &Path) -> Command {
    let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("/bin/sh") };
    command.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(line).current_dir(folder);
    // Keys in Loci's own environment are not the command's business.
    command.env_clear();
    const KEPT_NAMES: [&str; 14] = [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "LC_ALL",
        "TZ",
        "TMPDIR",
        "SYSTEMROOT",
        "COMSPEC",
        "USERPROFILE",
        "APPDATA",
        "TEMP",
    ];
    for name in KEPT_NAMES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.env("TERM", "dumb").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[cfg(unix)]
    command.process_group(0);
    command
}

/// Reads to the end, telling whoever looks; keeps the beginning and the end.
async fn collect(pipe: Option<impl AsyncRead + Unpin>, call: &RunningCall) -> String {
    let Some(mut pipe) = pipe else { return String::new() };
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 8192]);
    let mut dropped = 0;
    // Err: the other end is gone, which is an end too.
    while let Ok(count @ 1..) = pipe.read(&mut buffer).await {
        call.say(&String::from_utf8_lossy(&buffer[..count]));
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.len() > 4 * KEPT {
            let surplus = bytes.len() - 2 * KEPT;
            bytes.drain(KEPT..KEPT + surplus);
            dropped += surplus;
        }
    }
    if dropped == 0 {
        return String::from_utf8_lossy(&bytes).into_owned();
    }
    let (first, last) = bytes.split_at(KEPT);
    format!(
        "{}\n[{dropped} bytes are left out here]\n{}",
        String::from_utf8_lossy(first),
        String::from_utf8_lossy(last)
    )
}

/// What a command wrote.
struct Output {
    stdout: String,
    stderr: String,
}

impl Output {
    /// A command that fails is a failed call.
    fn told(&self, code: Option<i64>, time: Duration) -> Result<String, String> {
        let seconds = time.as_secs_f64();
        let shown = self.shown();
        match code {
            Some(0) => Ok(format!("[exit code 0 after {seconds:.1} seconds]\n{shown}")),
            Some(code) => Err(format!("[exit code {code} after {seconds:.1} seconds]\n{shown}")),
            None => Err(format!("[ended by a signal after {seconds:.1} seconds]\n{shown}")),
        }
    }

    fn shown(&self) -> String {
        let (stdout, stderr) = (bounded(&self.stdout), bounded(&self.stderr));
        match (stdout.trim().is_empty(), stderr.trim().is_empty()) {
            (true, true) => "[it wrote nothing]".to_owned(),
            (false, true) => stdout,
            (true, false) => format!("[standard error]\n{stderr}"),
            (false, false) => format!("{}\n[standard error]\n{stderr}", stdout.trim_end()),
        }
    }
}

/// Both ends of a long text.
fn bounded(text: &str) -> String {
    let count = text.chars().count();
    if count <= 3 * KEPT {
        return text.to_owned();
    }
    let first: String = text.chars().take(KEPT).collect();
    let last: String = text.chars().skip(count - KEPT).collect();
    format!("{first}\n[{} characters are left out here]\n{last}", count - 2 * KEPT)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::client_tools::{place::tests::Scene, running::tests::running};

    async fn run_free(scene: &Scene, arguments: Value) -> Result<String, String> {
        let prepared = prepare(&scene.place, arguments.as_object().expect("an object"))?;
        free(&prepared, running("call-1").call()).await
    }

    #[tokio::test]
    async fn a_command_runs_in_its_folder_and_says_how_it_ended() {
        let scene = Scene::new();
        scene.write("deep/a.txt", "x");
        let done = run_free(&scene, json!({"command": "ls; pwd", "folder": "deep"})).await.expect("done");
        assert!(done.starts_with("[exit code 0 after "), "{done}");
        assert!(done.contains("a.txt\n") && done.trim_end().ends_with("opened/deep"), "{done}");
        let failed = run_free(&scene, json!({"command": "echo no >&2; exit 3"})).await.expect_err("failed");
        assert!(failed.contains("exit code 3") && failed.contains("[standard error]\nno"), "{failed}");
        let silent = run_free(&scene, json!({"command": "cat"})).await.expect("nothing to read");
        assert!(silent.contains("wrote nothing"), "{silent}");
    }

    #[tokio::test]
    async fn time_output_and_variables_are_bounded() {
        let scene = Scene::new();
        let late = run_free(&scene, json!({"command": "sleep 30 & sleep 30", "seconds": 1})).await;
        assert!(late.expect_err("late").contains("longer than 1 seconds"));
        let much = run_free(&scene, json!({"command": "yes | head -c 3000000"})).await.expect("done");
        assert!(much.len() < 4 * KEPT && much.contains("left out here"), "{}", much.len());
        let variables = run_free(&scene, json!({"command": "env"})).await.expect("done");
        assert!(!variables.contains("CARGO"), "{variables}");
    }

    #[test]
    fn what_cannot_run_is_said() {
        let scene = Scene::new();
        scene.write("file", "");
        scene.link_out();
        for (arguments, wanted) in [
            (json!({}), "missing field `command`"),
            (json!({"command": " "}), "empty"),
            (json!({"command": "a\u{0}b"}), "NUL"),
            (json!({"command": "ls", "folder": ".."}), "outside the opened folder"),
            (json!({"command": "ls", "folder": "folder-out"}), "outside the opened folder"),
            (json!({"command": "ls", "folder": "file"}), "not a folder"),
            (json!({"command": "ls", "folder": "none"}), "There is no none"),
            (json!({"command": "ls", "seconds": 0}), "1 to 600"),
            (json!({"command": "x".repeat(LONGEST + 1)}), "longer"),
        ] {
            let problem =
                prepare(&scene.place, arguments.as_object().expect("an object")).err().expect("refused");
            assert!(problem.contains(wanted), "{arguments}: {problem}");
        }
        let read_only = prepare(&scene.read_only(), json!({"command": "ls"}).as_object().expect("an object"));
        assert!(read_only.err().expect("refused").contains("reading only"));
    }
}
