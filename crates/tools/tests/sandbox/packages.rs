//! Packages a tool asks for: installed once, shared, told of, kept, and installed again without a network. Wheels and
//! tarballs are made here; the npm registry is a thread that serves one of them.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::Stdio,
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
        let index = index.display().to_string();
        for (name, value) in [
            ("PIP_NO_INDEX", "1"),
            ("PIP_FIND_LINKS", &index),
            ("UV_NO_INDEX", "1"),
            ("UV_FIND_LINKS", &index),
        ] {
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
        let (status, body) = if line.contains("/locithing.tgz") {
            ("200 OK", tarball.clone())
        } else if line.contains("GET /locithing ") {
            let version = json!({
                "name": "locithing", "version": "1.2.0",
                "dist": {"tarball": format!("http://127.0.0.1:{port}/locithing.tgz")},
            });
            let about = json!({"name": "locithing", "dist-tags": {"latest": "1.2.0"}, "versions": {"1.2.0": version}});
            ("200 OK", about.to_string().into_bytes())
        } else {
            ("404 Not Found", b"{}".to_vec())
        };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len())?;
        stream.write_all(&body)
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hung up is its own business.
            let _answered = answer(stream);
        }
    });
    port
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
