//! The same attempts from TypeScript. Where there is no Node they are skipped, and say so.
use super::*;

fn node(change: impl FnOnce(&mut SandboxOptions)) -> Option<Bench> {
    if which::which("node").is_err() {
        eprintln!("skipped: there is no Node on this machine");
        return None;
    }
    Some(Bench::with(|options| {
        options.allow_unconfined = false;
        change(options);
    }))
}

/// What each attempt ended with: `done`, or the error.
async fn attempts(bench: &Bench, tries: &[String]) -> Vec<String> {
    let each: String = tries.iter().map(|code| format!("    async () => {{ {code}; }},\n")).collect();
    let source = format!(
        "import fs from \"node:fs\";\nimport os from \"node:os\";\nimport net from \"node:net\";\n\
         import dgram from \"node:dgram\";\nimport {{ execSync, spawnSync }} from \"node:child_process\";\n\
         const connects = (port: number) => new Promise<void>((yes, no) => net.connect(port, \"127.0.0.1\")\
         .on(\"connect\", () => yes()).on(\"error\", no));\n\
         export async function f(): Promise<string[]> {{\n  const out: string[] = [];\n  for (const one of [\n{each}  ]) {{\n    \
         try {{ await one(); out.push(\"done\"); }} catch (error) {{ out.push(String(error)); }}\n  }}\n  return out;\n}}\n"
    );
    let all = value(bench.sandbox.run(typescript(&source, json!({}))).await);
    all.as_array().expect("a list").iter().map(|one| one.as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn files_links_processes_and_the_network_are_out_of_reach() {
    let Some(bench) = node(|_| {}) else { return };
    let secret = tempfile::tempdir().expect("a folder");
    fs::write(secret.path().join("id_ed25519"), "secret").expect("a file");
    let (there, home) = (secret.path().display(), std::env::var("HOME").expect("a home"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut bystander = Command::new("sleep").arg("60").spawn().expect("a process");
    let pid = bystander.id();
    let tries = [
        format!("fs.readdirSync('{home}/.ssh')"),
        format!("fs.readFileSync('{there}/id_ed25519')"),
        format!("fs.writeFileSync('{there}/new', 'x')"),
        format!("fs.symlinkSync('{there}', 'out'); fs.readFileSync('out/id_ed25519')"),
        format!("fs.linkSync('{there}/id_ed25519', 'mine')"),
        format!("fs.renameSync('{there}/id_ed25519', 'mine')"),
        format!("fs.rmSync('{there}/id_ed25519')"),
        "fs.readFileSync('/etc/shadow')".to_owned(),
        "fs.writeFileSync('/tmp/loci-escape', 'x')".to_owned(),
        "fs.readFileSync('/proc/self/root/etc/shadow')".to_owned(),
        "fs.readFileSync(`/proc/${process.ppid}/environ`)".to_owned(),
        "fs.readFileSync(`/proc/${process.ppid}/mem`)".to_owned(),
        "execSync('cat /etc/shadow', { stdio: 'pipe' })".to_owned(),
        format!("execSync('ls {there}', {{ stdio: 'pipe' }})"),
        "process.kill(process.ppid, 'SIGKILL')".to_owned(),
        format!("process.kill({pid}, 'SIGKILL')"),
        format!("if (spawnSync('kill', ['-9', '{pid}']).status !== 0) throw new Error('EPERM')"),
        format!("await connects({port})"),
        "await new Promise((_, no) => dgram.createSocket('udp4').on('error', no).bind(0))".to_owned(),
        "await new Promise((_, no) => net.createServer().on('error', no).listen('socket'))".to_owned(),
        "os.setPriority(process.ppid, 19)".to_owned(),
    ];
    let outcomes = attempts(&bench, &tries).await;
    for (code, outcome) in tries.iter().zip(&outcomes) {
        let refused = ["EACCES", "EPERM", "EXDEV", "ENOENT", "Permission denied", "Command failed"];
        assert!(refused.iter().any(|word| outcome.contains(word)), "{code}: {outcome}");
    }
    assert_eq!(outcomes.len(), tries.len());
    assert!(bystander.try_wait().expect("its state").is_none());
    bystander.kill().expect("it is ours");
    bystander.wait().expect("its end");
    listener.set_nonblocking(true).expect("a listener");
    assert!(listener.accept().is_err(), "somebody connected");
    let left: Vec<_> = fs::read_dir(secret.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[tokio::test]
async fn only_the_variables_given_are_there() {
    let Some(bench) = node(|_| {}) else { return };
    let source = "export function f(): string[] { return Object.keys(process.env).sort(); }\n";
    let mut request = typescript(source, json!({}));
    request.env = [("MINE".to_owned(), "1".to_owned())].into();
    request.agent_id = "agent-x".to_owned();
    let seen = value(bench.sandbox.run(request).await);
    assert_eq!(seen, json!(["HOME", "LANG", "LETTA_AGENT_ID", "MINE", "PATH", "TMPDIR"]));
}

#[tokio::test]
async fn a_fork_bomb_ends_and_leaves_nothing() {
    let Some(bench) = node(|options| options.limits.processes = 60) else { return };
    let source = r#"
import { spawn } from "node:child_process";
import fs from "node:fs";
export async function f(): Promise<number> {
  for (let made = 0; made < 500; made++) {
    const pid = await new Promise<number>((yes) => {
      const child = spawn("sleep", ["100"], { stdio: "ignore" });
      child.on("error", () => yes(0));
      child.on("spawn", () => yes(child.pid ?? 0));
    });
    if (!pid) return made;
    fs.appendFileSync("pids", `${pid}\n`);
  }
  return 500;
}
"#;
    let made = value(bench.sandbox.run(typescript(source, json!({}))).await);
    assert!(made.as_i64().is_some_and(|made| made > 0 && made < 60), "{made}");
    let pids = fs::read_to_string(bench.sandbox.work_dir("").join("pids")).expect("some began");
    for pid in pids.lines() {
        gone(pid).await;
    }
}

#[tokio::test]
async fn the_disk_a_file_output_and_time_have_limits() {
    let Some(bench) = node(|options| {
        options.limits.file_bytes = 1 << 20;
        options.limits.disk_bytes = 8 << 20;
        options.limits.output_bytes = 1000;
    }) else {
        return;
    };
    let run = async |body: &str, seconds: u64| {
        let source = format!(
            "import fs from \"node:fs\";\nimport {{ execSync }} from \"node:child_process\";\n\
             export async function f(): Promise<number> {{ {body}; return 1; }}\n"
        );
        let mut request = typescript(&source, json!({}));
        request.timeout = Some(Duration::from_secs(seconds));
        bench.sandbox.run(request).await
    };
    let big = run("fs.writeFileSync('big', Buffer.alloc(2 << 20))", 60).await;
    assert_eq!(big.status, RunStatus::Error, "{big:?}");
    let fill = "for (let n = 0; n < 100; n++) { fs.writeFileSync(`${n}`, Buffer.alloc(1 << 19)); \
                await new Promise((go) => setTimeout(go, 50)); }";
    assert!(error_text(&run(fill, 60).await).contains("wrote more to the disk"));
    // The folder is full now. What does not fill it further goes on, and may tidy it up.
    let wait = "await new Promise((go) => setTimeout(go, 1200))";
    assert_eq!(value(run(wait, 60).await), json!(1));
    let more = run(&format!("fs.writeFileSync('more', Buffer.alloc(1 << 19)); {wait}"), 60).await;
    assert!(error_text(&more).contains("wrote more to the disk"), "{more:?}");
    let much = run("console.log('x'.repeat(100_000))", 60).await;
    assert!(much.stdout[0].contains("output cut: 1000 of 100001 bytes kept"), "{:?}", much.stdout);
    let endless = run("for (;;) fs.writeSync(1, 'x'.repeat(1000))", 1).await;
    assert!(error_text(&endless).contains("TimeoutError"), "{endless:?}");
    let child = run("execSync('sleep 100')", 1).await;
    assert!(error_text(&child).contains("TimeoutError"), "{child:?}");
}

#[tokio::test]
async fn neither_heap_nor_buffers_take_more_memory_than_was_given() {
    let Some(bench) = node(|options| options.limits.memory_bytes = 128 << 20) else { return };
    let run = async |body: &str| {
        let source = format!("export function f(): number {{ {body} }}\n");
        bench.sandbox.run(typescript(&source, json!({}))).await
    };
    let heap = run("const all: number[][] = []; for (;;) all.push(new Array(1_000_000).fill(1.5));").await;
    assert!(error_text(&heap).contains("used more memory than it may"), "{heap:?}");
    assert_eq!(heap.confinement.memory_bytes, Some(128 << 20));
    // Bytes that no heap counts.
    let bytes = run("const all: Buffer[] = []; for (;;) all.push(Buffer.alloc(1 << 26, 1));").await;
    assert!(error_text(&bytes).contains("allocation failed"), "{bytes:?}");
    assert_eq!(value(run("return Buffer.alloc(1 << 26, 1).length >> 20;").await), json!(64));
}
