//! Packages a tool asks for: installed once, shared, told of, kept, and installed again without a network. Wheels and
//! tarballs are made here; the npm registry is a thread that serves one of them.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
};

use loci_tools::sandbox::RunEvent;

use super::*;

/// A folder with a wheel of a package that holds one number.
fn wheel(folder: &Path, name: &str, version: &str, value: u32) -> PathBuf {
    wheel_with(folder, name, version, &format!("VALUE = {value}\n"))
}

fn wheel_with(folder: &Path, name: &str, version: &str, content: &str) -> PathBuf {
    let make = format!(
        "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as z:\n    \
         z.writestr('{name}/__init__.py', sys.argv[2])\n    \
         z.writestr('{name}-{version}.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n')\n    \
         z.writestr('{name}-{version}.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n    \
         z.writestr('{name}-{version}.dist-info/RECORD', '')\n"
    );
    let wheel = folder.join(format!("{name}-{version}-py3-none-any.whl"));
    let made = Command::new("python3").args(["-c", &make]).arg(&wheel).arg(content).status().expect("Python");
    assert!(made.success());
    wheel
}

#[tokio::test]
async fn the_official_client_is_there_for_who_asks_for_it_and_has_a_key() {
    let index = tempfile::tempdir().expect("a folder");
    let client = "class Letta:\n    def __init__(self, api_key, base_url='usual'):\n        self.about = [api_key, base_url]\n";
    wheel_with(index.path(), "letta_client", "1.0", client);
    let bench = bench(index.path());
    let source = "def f():\n    return client.about if client is not None else 'none'\n";
    let run = async |key: bool, package: bool, base: Option<&str>| {
        let mut request = python(source, json!({}));
        if key {
            request.env.insert("LETTA_API_KEY".to_owned(), "k".to_owned());
        }
        if let Some(base) = base {
            request.env.insert("LETTA_BASE_URL".to_owned(), base.to_owned());
        }
        if package {
            request.pip_requirements = vec![self::package("letta-client", None)];
        }
        value(bench.sandbox.run(request).await)
    };
    assert_eq!(run(true, true, Some("http://x")).await, json!(["k", "http://x"]));
    assert_eq!(run(true, true, None).await, json!(["k", "usual"]));
    assert_eq!(run(false, true, None).await, json!("none"));
    assert_eq!(run(true, false, None).await, json!("none"));
}

/// A bench whose only index is this folder.
fn bench(index: &Path) -> Bench {
    Bench::with(|options| {
        options.allow_unconfined = !cfg!(target_os = "linux");
        options.uv = None;
        let index = index.display().to_string();
        for (name, value) in [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", &index)] {
            options.installer_env.insert(name.to_owned(), value.to_owned());
        }
    })
}

fn package(name: &str, version: Option<&str>) -> Requirement {
    Requirement { name: name.to_owned(), version: version.map(str::to_owned) }
}

fn using(packages: &[Requirement]) -> RunRequest {
    let mut request =
        python("import locithing, sys\ndef f():\n    return [locithing.VALUE, sys.prefix]\n", json!({}));
    request.pip_requirements = packages.to_vec();
    request
}

#[tokio::test]
async fn python_packages_are_installed_once_shared_and_installed_again_offline() {
    let index = tempfile::tempdir().expect("a folder");
    let thing = wheel(index.path(), "locithing", "1.0", 7);
    let bench = bench(index.path());
    let (watcher, mut events) = tokio::sync::mpsc::channel(256);
    let mut first = using(&[package("locithing", Some("1.0"))]);
    first.watcher = Some(watcher);
    // At once and again: one installation.
    let (one, two) = tokio::join!(
        bench.sandbox.run(first),
        bench.sandbox.run(using(&[package("locithing", Some("1.0"))]))
    );
    let (one, two) = (value(one), value(two));
    assert_eq!(one[0], 7);
    assert_eq!(one, two);
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        seen.push(event);
    }
    // Whichever of the two came first made the installation and told of it.
    if let Some(RunEvent::Installing { packages }) = seen.first() {
        assert_eq!(packages, "locithing==1.0");
        assert!(
            seen.iter()
                .any(|event| matches!(event, RunEvent::InstallLine(line) if line.contains("locithing")))
        );
        assert_eq!(seen.last(), Some(&RunEvent::Installed));
    }

    // Without the index the environment is there, and another one is made of what was downloaded.
    fs::remove_file(&thing).expect("the wheel");
    assert_eq!(value(bench.sandbox.run(using(&[package("locithing", Some("1.0"))])).await), one);
    let again = value(bench.sandbox.run(using(&[package("locithing", None)])).await);
    assert_eq!(again[0], 7);
    assert_ne!(again[1], one[1]);

    let result = bench
        .sandbox
        .run(using(&[package("locithing", Some("1.0")), package("loci-nonesuch", Some("1"))]))
        .await;
    let text = error_text(&result);
    assert!(text.contains("EnvironmentError: installing loci-nonesuch==1 failed: "), "{text}");
    let result = bench.sandbox.run(using(&[package("--index-url", None)])).await;
    assert!(error_text(&result).contains("is not a package name"), "{result:?}");
}

/// Serves one wheel as a Python index does while the answer is true, until the process ends.
#[cfg(unix)]
fn simple_index(wheel: Vec<u8>) -> (u16, std::sync::Arc<AtomicBool>) {
    const WHEEL: &str = "locithing-1.0-py3-none-any.whl";
    let open = std::sync::Arc::new(AtomicBool::new(true));
    let is_open = open.clone();
    let port = serve(move |line| {
        let found = |kind: &'static str, body: Vec<u8>| Some((kind, body));
        match is_open.load(Ordering::Relaxed) {
            true if line.contains(WHEEL) => found("application/octet-stream", wheel.clone()),
            true if line.contains(" /simple/locithing/") => found(
                "text/html",
                format!("<html><body><a href=\"/{WHEEL}\">{WHEEL}</a></body></html>").into(),
            ),
            _ => None,
        }
    });
    (port, open)
}

/// Answers requests by their first line with a media type and a body, or with 404, until the process ends.
fn serve(answers: impl Fn(&str) -> Option<(&'static str, Vec<u8>)> + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answer = move |mut stream: TcpStream| -> std::io::Result<()> {
        let mut line = String::new();
        let mut reader = BufReader::new(stream.try_clone()?);
        reader.read_line(&mut line)?;
        loop {
            let mut header = String::new();
            if reader.read_line(&mut header)? == 0 || header == "\r\n" {
                break;
            }
        }
        let (status, (kind, body)) = match answers(&line) {
            Some(found) => ("200 OK", found),
            None => ("404 Not Found", ("application/json", b"{}".to_vec())),
        };
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        )?;
        stream.write_all(if line.starts_with("HEAD") { &[] } else { &body })
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hung up is its own business.
            let _answered = answer(stream);
        }
    });
    port
}

/// The machine's uv; where there is none, a program that understands what uv is asked here and does it with pip.
/// Either way whatever it is asked is written down.
#[cfg(unix)]
fn uv(folder: &Path) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let asked = folder.join("asked").display().to_string();
    let cache = folder.join("cache").display().to_string();
    let work = match which::which("uv") {
        Ok(uv) => format!("exec '{}' --cache-dir '{cache}' \"$@\"\n", uv.display()),
        Err(_) => format!(
            r#"case "$1" in
venv) shift; [ "$1 $2" = "--quiet --python" ] || exit 9; exec "$3" -m venv --without-pip "$4" ;;
pip) shift 2; offline=; python=
  while [ "$1" != -- ]; do
    case "$1" in --offline) offline=1 ;; --python) shift; python=$1 ;; esac; shift
  done; shift
  mkdir -p '{cache}'
  if [ -z "$offline" ]; then
    python3 -m pip --python "$python" download -q --index-url "$UV_DEFAULT_INDEX" -d '{cache}' "$@" >&2 || exit 1
  fi
  exec python3 -m pip --python "$python" install -q --no-index --find-links '{cache}' "$@" >&2 ;;
esac
exit 9
"#
        ),
    };
    let program = folder.join("uv");
    fs::write(&program, format!("#!/bin/sh\necho \"$@\" >> '{asked}'\n{work}")).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
    program
}

#[cfg(unix)]
#[tokio::test]
async fn uv_installs_where_it_is_there_and_again_from_its_cache() {
    let (index, home) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let thing = wheel(index.path(), "locithing", "1.0", 7);
    let (port, open) = simple_index(fs::read(&thing).expect("the wheel"));
    let bench = Bench::with(|options| {
        options.allow_unconfined = !cfg!(target_os = "linux");
        options.uv = Some(uv(home.path()));
        let index = format!("http://127.0.0.1:{port}/simple/");
        for (name, value) in [("UV_DEFAULT_INDEX", index.as_str()), ("UV_HTTP_RETRIES", "0")] {
            options.installer_env.insert(name.to_owned(), value.to_owned());
        }
    });
    let asked = || fs::read_to_string(home.path().join("asked")).unwrap_or_default();
    assert_eq!(bench.sandbox.interpreters().await["installers"][0], "uv");
    let first = value(bench.sandbox.run(using(&[package("locithing", Some("1.0"))])).await);
    assert_eq!(first[0], 7);
    let lines = asked();
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("venv --quiet --python "), "{lines:?}");
    assert!(lines[1].starts_with("pip install --only-binary :all: --python "), "{lines:?}");
    assert!(lines[1].ends_with(" -- locithing==1.0"), "{lines:?}");
    assert_eq!(value(bench.sandbox.run(using(&[package("locithing", Some("1.0"))])).await), first);
    assert_eq!(asked().lines().count(), 2, "it is installed once");

    // The index is gone; the cache is not.
    open.store(false, Ordering::Relaxed);
    let root = bench.path().join("sandbox/environments");
    for entry in fs::read_dir(&root).expect("a folder").flatten() {
        fs::remove_dir_all(entry.path()).expect("an environment");
    }
    let again = value(bench.sandbox.run(using(&[package("locithing", Some("1.0"))])).await);
    assert_eq!(again[0], 7);
    assert!(asked().lines().any(|line| line.contains(" --offline ")), "{}", asked());

    open.store(true, Ordering::Relaxed);
    let missing = [package("locithing", Some("1.0")), package("loci-nonesuch", Some("1"))];
    let text = bench.sandbox.run(using(&missing)).await;
    let text = error_text(&text);
    assert!(text.contains("EnvironmentError: installing loci-nonesuch==1 failed: "), "{text}");
    assert!(!text.contains("the installer gave no reason"), "{text}");
}

#[tokio::test]
async fn packages_nobody_used_are_removed_and_come_back() {
    let index = tempfile::tempdir().expect("a folder");
    wheel(index.path(), "locithing", "1.0", 7);
    let bench = bench(index.path());
    let root = bench.path().join("sandbox/environments");
    let environments = || {
        let entries =
            fs::read_dir(&root).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        entries.filter(|name| name.to_string_lossy().starts_with("py-")).collect::<Vec<_>>()
    };
    let first = value(bench.sandbox.run(using(&[package("locithing", None)])).await);
    bench.sandbox.collect_packages().await;
    assert_eq!(environments().len(), 1, "it was just used");
    let ready = root.join(&environments()[0]).join(".ready");
    let long_ago = std::time::SystemTime::now() - Duration::from_secs(40 * 24 * 3600);
    let file = fs::File::options().append(true).open(&ready).expect("the mark");
    file.set_times(fs::FileTimes::new().set_modified(long_ago)).expect("a time");
    bench.sandbox.collect_packages().await;
    assert!(environments().is_empty());
    assert_eq!(value(bench.sandbox.run(using(&[package("locithing", None)])).await), first);
}

/// Serves one package as an npm registry does, until the process ends.
fn registry(tarball: Vec<u8>) -> u16 {
    // The address of the tarball is known only once the port is.
    let port = std::sync::Arc::new(std::sync::OnceLock::new());
    let known = port.clone();
    let found = serve(move |line| {
        if line.contains("/locithing.tgz") {
            return Some(("application/octet-stream", tarball.clone()));
        }
        let port: &u16 = known.get()?;
        line.contains("GET /locithing ").then(|| {
            let version = json!({
                "name": "locithing", "version": "1.2.0",
                "dist": {"tarball": format!("http://127.0.0.1:{port}/locithing.tgz")},
            });
            let about = json!({"name": "locithing", "dist-tags": {"latest": "1.2.0"}, "versions": {"1.2.0": version}});
            ("application/json", about.to_string().into_bytes())
        })
    });
    *port.get_or_init(|| found)
}

#[tokio::test]
async fn npm_packages_are_installed_and_a_missing_one_is_named() {
    if which::which("npm").is_err() {
        eprintln!("skipped: there is no npm on this machine");
        return;
    }
    let files = tempfile::tempdir().expect("a folder");
    let package_dir = files.path().join("package");
    fs::create_dir(&package_dir).expect("a folder");
    let about = json!({"name": "locithing", "version": "1.2.0", "main": "index.js"}).to_string();
    fs::write(package_dir.join("package.json"), about).expect("a file");
    fs::write(package_dir.join("index.js"), "exports.value = 8;").expect("a file");
    let mut tar = Command::new("tar");
    tar.arg("-cz").arg("-C").arg(files.path()).arg("package").stdout(Stdio::piped());
    let tarball = tar.output().expect("tar").stdout;
    let port = registry(tarball);
    let bench = Bench::with(|options| {
        options.allow_unconfined = !cfg!(target_os = "linux");
        let cache = files.path().join("cache").display().to_string();
        for (name, value) in [
            ("npm_config_registry", format!("http://127.0.0.1:{port}/")),
            ("npm_config_cache", cache),
            ("npm_config_fetch_retries", "0".to_owned()),
            ("npm_config_update_notifier", "false".to_owned()),
        ] {
            options.installer_env.insert(name.to_owned(), value);
        }
    });
    let request = |packages: &[Requirement]| {
        let source =
            "import thing from \"locithing\";\nexport function f(): number { return thing.value; }\n";
        let mut request = typescript(source, json!({}));
        request.npm_requirements = packages.to_vec();
        request
    };
    let wanted = [package("locithing", Some("^1.0.0"))];
    assert_eq!(value(bench.sandbox.run(request(&wanted)).await), json!(8));
    assert_eq!(value(bench.sandbox.run(request(&wanted)).await), json!(8));
    let result = bench.sandbox.run(request(&[wanted[0].clone(), package("loci-nonesuch", None)])).await;
    let text = error_text(&result);
    assert!(text.contains("EnvironmentError: installing loci-nonesuch failed: "), "{text}");
}
