//! The program itself: what it prints, what it refuses, how it stops.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

fn loci(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loci"));
    command.args(args).env_clear().env("HOME", data).env("LOCI_DATA_DIR", data.join("data"));
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command
}

fn run(data: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = loci(data, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A running server; killed when dropped.
struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    address: String,
    /// Lines before the ready line.
    before: Vec<String>,
}

impl Server {
    fn start(data: &Path, args: &[&str]) -> Self {
        let mut child = loci(data, &[&["serve", "--port", "0"], args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut before = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(address) = line.strip_prefix("Loci is ready at http://") {
                return Self { child, address: address.to_owned(), before };
            }
            before.push(line);
        }
        panic!("not ready: {before:?}, {:?}", child.wait_with_output());
    }

    /// Status and body of one request on a connection of its own.
    fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut text = format!("GET {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            text += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{text}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// The exit code and standard error, once it has ended by itself.
    fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut text = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (code, text)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _already_ended = self.child.kill();
        let _already_waited = self.child.wait();
    }
}

#[test]
fn the_first_start_makes_a_token_and_later_ones_keep_it() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let path = data.path().join("data/token");
    let token = std::fs::read_to_string(&path).unwrap().trim().to_owned();
    let bearer = format!("Bearer {token}");
    assert_eq!(server.get("/v1/agents/", &[]).0, 401);
    assert_eq!(server.get("/workbench/status", &[]).0, 401);
    assert_eq!(server.get("/v1/health/", &[]).0, 200);
    assert_eq!(server.get("/v1/agents/", &[("Authorization", &bearer)]).0, 200);
    assert_eq!(server.get("/workbench/status", &[("Authorization", &bearer)]).0, 200);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&data.path().join("data")), 0o700);
        assert_eq!(mode(&data.path().join("data/loci.db")), 0o600);
    }
    server.signal("TERM");
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&token), "shown at the first start: {said}");

    let server = Server::start(data.path(), &["--ui"]);
    assert!(
        server.before.iter().any(|line| line.contains(&format!("/#token={token}"))),
        "{:?}",
        server.before
    );
    server.signal("INT");
    let (code, said) = server.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(&token), "not shown again: {said}");
}

#[test]
fn names_and_pages_of_strangers_are_refused() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--no-token", "--allow-host", "desk.lan"]);
    assert_eq!(server.get("/v1/agents/", &[]).0, 200);
    assert_eq!(server.get("/v1/agents/", &[("Host", "desk.lan:8283")]).0, 200);
    assert_eq!(server.get("/v1/agents/", &[("Host", "evil.example")]).0, 403);
    assert_eq!(server.get("/workbench/status", &[("Host", "evil.example")]).0, 403);
    assert_eq!(server.get("/v1/agents/", &[("Origin", "http://evil.example")]).0, 403);
}

#[test]
fn a_browser_gets_the_workbench_under_a_strict_policy() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let (status, page) = server.get("/", &[("Accept", "text/html")]);
    assert_eq!(status, 200);
    assert!(page.contains("script-src 'self'") && page.contains("frame-ancestors 'none'"), "{page}");
    assert!(page.contains("<title>"), "{page}");
    let (status, _) = server.get("/nothing", &[]);
    assert_eq!(status, 401, "a program is not given a page");
}

#[test]
fn what_would_be_unsafe_or_cannot_work_is_refused_in_a_sentence() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (args, wanted) in [
        (&["serve", "--no-token", "--host", "0.0.0.0", "--port", "0"][..], "a token is needed"),
        (&["serve", "--token", "short", "--port", "0"], "shorter than 8"),
        (&["serve", "--port", &port], "is in use by another program"),
        (&["serve", "--host", "example.org"], "invalid value"),
        (&["serve", "--no-token", "--token", "long-enough"], "cannot be used with"),
        (&["doctor"], "nothing has been served"),
        (&["backup", "/tmp/never-written"], "nothing has been served"),
        (&[], "Usage"),
    ] {
        let (code, _, said) = run(data.path(), args);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        assert!(said.contains(wanted), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
    let (code, _, said) = Command::new(env!("CARGO_BIN_EXE_loci"))
        .args(["serve", "--port", "0"])
        .env("LOCI_DATA_DIR", data.path().join("data"))
        .env("OPENAI_BASE_URL", "ftp://nowhere")
        .output()
        .map(|out| (out.status.code(), out.stdout, String::from_utf8(out.stderr).unwrap()))
        .unwrap();
    assert_eq!(code, Some(2));
    assert!(said.contains("base URL"), "{said}");
}

#[test]
fn one_server_at_a_time_but_doctor_and_backup_may_come_along() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let (code, _, said) = run(data.path(), &["serve", "--port", "0"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("in use by another running Loci"), "{said}");

    let (code, said, _) = run(data.path(), &["doctor"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no problems found"), "{said}");
    let copy = data.path().join("copy/loci.db");
    std::fs::create_dir(data.path().join("copy")).unwrap();
    let (code, _, said) = run(data.path(), &["backup", &copy.to_string_lossy()]);
    assert_eq!(code, Some(0), "{said}");
    let (code, _, said) = run(data.path(), &["backup", &copy.to_string_lossy()]);
    assert_eq!(code, Some(2), "a copy is not overwritten: {said}");
    drop(server);

    // Killed, not stopped: the lock is free again.
    let server = Server::start(data.path(), &[]);
    drop(server);
    let (code, said, _) =
        run(data.path(), &["doctor", "--data", &data.path().join("copy").to_string_lossy()]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn damage_is_found() {
    let data = tempfile::tempdir().unwrap();
    drop(Server::start(data.path(), &[]));
    let path = data.path().join("data/loci.db");
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO agents_tools (agent_id, tool_id, position) VALUES ('agent-x', 'tool-x', 0);",
    )
    .unwrap();
    drop(conn);
    let (code, said, _) = run(data.path(), &["doctor"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("problem: a row of agents_tools"), "{said}");

    std::fs::write(&path, "not a database, but long enough to look at".repeat(100)).unwrap();
    let (code, _, said) = run(data.path(), &["doctor"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not a SQLite database") || said.contains("damaged"), "{said}");
}

#[test]
fn an_open_event_stream_does_not_keep_a_stopping_server() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--no-token"]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!("GET /workbench/events HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let begun = Instant::now();
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[cfg(unix)]
#[test]
fn a_browser_is_let_in_once_and_talks_to_the_desk() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    // A browser that only writes down where it was sent.
    let (program, visited) = (data.path().join("browser"), data.path().join("visited"));
    std::fs::write(&program, format!("#!/bin/sh\necho \"$1\" > {}\n", visited.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut child = loci(data.path(), &["--browser", "--secrets", "memory"])
        .env("BROWSER", &program)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let link = loop {
        let line = lines.next().expect("a link before the end").unwrap();
        if let Some(link) = line.strip_prefix("Open the workbench: ") {
            break link.to_owned();
        }
    };
    let (address, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let server = Server { child, address: address.to_owned(), before: Vec::new() };
    assert!(address.starts_with("127.0.0.1:"), "{link}");
    let path = format!("/{path}");
    let whole = |path: &str| {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let text = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let first = whole(&path);
    assert!(first.starts_with("HTTP/1.1 303"), "{first}");
    let token = first.split("location: /#token=").nth(1).unwrap().lines().next().unwrap().trim();
    assert!(!link.contains(token), "the token itself is not in the link");
    assert!(whole(&path).starts_with("HTTP/1.1 410"), "it works once");
    let bearer = format!("Bearer {token}");
    assert_eq!(server.get("/workbench/status", &[("Authorization", &bearer)]).0, 200);
    assert_eq!(server.get("/workbench/status", &[]).0, 401);
    assert!(!data.path().join("data/token").exists(), "its token is for this session");

    let deadline = Instant::now() + Duration::from_secs(10);
    while !visited.exists() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    if Command::new("xdg-open").arg("--version").output().is_ok() {
        assert!(visited.exists(), "the browser was opened");
    }
    server.signal("TERM");
    assert_eq!(server.ended().0, Some(0));
}
