//! The walls, each tried from inside. They are proved where they exist; elsewhere these tests would prove nothing.
use super::*;

fn strict() -> Bench {
    Bench::with(|options| options.allow_unconfined = false)
}

/// What an attempt ended with; the code runs `attempt` and reports the exception.
async fn attempt(bench: &Bench, code: &str) -> String {
    let body: String = code.lines().map(|line| format!("        {line}\n")).collect();
    let source = format!(
        "import ctypes, os, pathlib, signal, socket, subprocess, sys\ndef f():\n    try:\n{body}        return 'done'\n    \
         except BaseException as error:\n        return type(error).__name__ + ': ' + str(error)\n"
    );
    value(bench.python(&source, json!({})).await).as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn everything_that_should_be_in_force_is_reported() {
    let bench = strict();
    let result = bench.python("def f():\n    return 1\n", json!({})).await;
    let confinement = result.confinement.clone();
    assert_eq!(value(result), json!(1));
    assert!(confinement.landlock.is_some_and(|abi| abi >= 1), "{confinement:?}");
    assert!(confinement.seccomp && confinement.network_blocked, "{confinement:?}");
    assert!(!confinement.root && !confinement.network_granted, "{confinement:?}");
    assert_eq!(confinement.processes, Some(Limits::default().processes), "{confinement:?}");
    assert_eq!(confinement.memory_bytes, Some(Limits::default().memory_bytes));
}

#[tokio::test]
async fn files_elsewhere_cannot_be_read_or_written() {
    let bench = strict();
    let secret = tempfile::tempdir().expect("a folder");
    let file = secret.path().join("id_ed25519");
    fs::write(&file, "secret").expect("a file");
    let file = file.display();
    let data = bench.path().display();
    for code in [
        format!("open('{file}').read()"),
        format!("open('{file}', 'w')"),
        format!("os.listdir('{}')", secret.path().display()),
        format!("os.remove('{file}')"),
        format!("os.rename('{file}', 'mine')"),
        format!("os.link('{file}', 'mine')"),
        format!("os.symlink('{file}', 'link')\nopen('link').read()"),
        format!("os.truncate('{file}', 0)"),
        format!("os.mkdir('{}/new')", secret.path().display()),
        format!("open('{data}/loci.db', 'w')"),
        format!("os.listdir('{data}')"),
        "os.listdir('/root')".to_owned(),
        "open('/etc/shadow').read()".to_owned(),
        "open('/tmp/loci-escape', 'w')".to_owned(),
        "open('/dev/shm/loci-escape', 'w')".to_owned(),
        "open('/proc/1/environ').read()".to_owned(),
        "open(f'/proc/{os.getppid()}/environ').read()".to_owned(),
        "os.listdir('/proc')".to_owned(),
        "os.chroot('.')".to_owned(),
        "subprocess.run(['cat', '/etc/shadow'], check=True)".to_owned(),
        "os.mknod('disk', 0o60600, os.makedev(8, 0))".to_owned(),
    ] {
        let outcome = attempt(&bench, &code).await;
        // Linking across the wall looks to the kernel like linking to another disk.
        let refused = ["PermissionError", "CalledProcessError", "OSError: [Errno 18]"];
        assert!(refused.iter().any(|name| outcome.starts_with(name)), "{code}: {outcome}");
    }
    assert_eq!(fs::read_to_string(secret.path().join("id_ed25519")).expect("still there"), "secret");
}

#[tokio::test]
async fn modes_and_owners_of_other_files_stay_as_they_are() {
    use std::os::unix::fs::PermissionsExt;
    let bench = strict();
    let other = tempfile::NamedTempFile::new().expect("a file");
    let mode = || fs::metadata(other.path()).expect("a file").permissions().mode();
    let before = mode();
    let path = other.path().display().to_string();
    attempt(&bench, &format!("os.chmod('{path}', 0o777)")).await;
    attempt(&bench, &format!("os.chown('{path}', 12345, 12345)")).await;
    attempt(&bench, &format!("os.setxattr('{path}', 'user.x', b'1')")).await;
    assert_eq!(mode(), before);
}

#[tokio::test]
async fn the_network_is_out_of_reach_unless_granted() {
    let bench = strict();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let connect = format!("socket.create_connection(('127.0.0.1', {port}), 5).close()");
    for code in [
        connect.as_str(),
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)",
        "socket.socket(socket.AF_UNIX)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "socket.getaddrinfo('example.com', 80)",
    ] {
        let outcome = attempt(&bench, code).await;
        assert!(
            outcome.starts_with("PermissionError") || outcome.starts_with("gaierror"),
            "{code}: {outcome}"
        );
    }

    let source = format!("import socket\ndef f():\n    {connect}\n    socket.socket(socket.AF_UNIX)\n");
    let mut request = python(&source, json!({}));
    request.network = true;
    let result = bench.sandbox.run(request).await;
    assert!(result.confinement.network_granted && !result.confinement.network_blocked);
    // It connected, and was stopped at the Unix socket.
    assert!(error_text(&result).contains("PermissionError"), "{result:?}");
    assert!(result.stderr.concat().contains("AF_UNIX"), "{result:?}");
    listener.set_nonblocking(true).expect("a listener");
    assert!(listener.accept().is_ok());
}

#[tokio::test]
async fn other_processes_cannot_be_touched() {
    let bench = strict();
    let mut bystander = Command::new("sleep").arg("60").spawn().expect("a process");
    let pid = bystander.id();
    let us = std::process::id();
    for code in [
        format!("os.kill({pid}, signal.SIGKILL)"),
        format!("os.kill({us}, signal.SIGKILL)"),
        "os.kill(os.getppid(), signal.SIGKILL)".to_owned(),
        format!("os.pidfd_open({pid})\nsignal.pidfd_send_signal(os.pidfd_open({pid}), signal.SIGKILL)"),
        "libc = ctypes.CDLL(None, use_errno=True)\nif libc.ptrace(16, os.getppid(), 0, 0) < 0: raise OSError(ctypes.get_errno(), 'ptrace')"
            .to_owned(),
        "os.setsid()".to_owned(),
        "os.setpgid(0, 0)".to_owned(),
        "libc = ctypes.CDLL(None, use_errno=True)\nif libc.unshare(0x10000000) < 0: raise OSError(ctypes.get_errno(), 'unshare')"
            .to_owned(),
        "import resource\nresource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (1, 1))".to_owned(),
    ] {
        let outcome = attempt(&bench, &code).await;
        assert!(outcome.starts_with("PermissionError"), "{code}: {outcome}");
    }
    // To all at once the kernel says yes, and means those within the walls.
    attempt(&bench, "os.kill(-1, signal.SIGKILL)").await;
    assert!(bystander.try_wait().expect("its state").is_none());
    bystander.kill().expect("it is ours");
    bystander.wait().expect("its end");
}

#[tokio::test]
async fn a_fork_bomb_is_contained_and_gone_at_the_end() {
    let bench = Bench::with(|options| options.limits.processes = 40);
    let source = r#"
import os, time
def f():
    made = 0
    for _ in range(500):
        try:
            pid = os.fork()
        except OSError as error:
            return {"made": made, "error": error.errno}
        if pid == 0:
            open("pids", "a").write(f"{os.getpid()}\n")
            time.sleep(100)
            os._exit(0)
        made += 1
    return {"made": made}
"#;
    let result = value(bench.python(source, json!({})).await);
    assert_eq!(result["error"], json!(11), "{result}");
    assert!(result["made"].as_i64().is_some_and(|made| made < 40), "{result}");
    let pids = fs::read_to_string(bench.sandbox.work_dir("").join("pids")).unwrap_or_default();
    for pid in pids.lines() {
        gone(pid).await;
    }
}

#[tokio::test]
async fn the_time_limit_ends_grandchildren_too() {
    let bench = strict();
    let source = "import subprocess, time\ndef f():\n    child = subprocess.Popen(['sleep', '100'])\n    \
                  open('pid', 'w').write(str(child.pid))\n    time.sleep(100)\n";
    let mut request = python(source, json!({}));
    request.timeout = Some(Duration::from_millis(1500));
    let result = bench.sandbox.run(request).await;
    assert!(error_text(&result).contains("TimeoutError"), "{result:?}");
    let pid = fs::read_to_string(bench.sandbox.work_dir("").join("pid")).expect("it started a child");
    gone(&pid).await;
}

#[tokio::test]
async fn what_is_left_in_the_background_ends_with_the_call() {
    let bench = strict();
    let source = "import subprocess\ndef f():\n    return subprocess.Popen(['sleep', '100']).pid\n";
    let started = Instant::now();
    let pid = value(bench.python(source, json!({})).await);
    assert!(started.elapsed() < Duration::from_secs(30));
    gone(&pid.to_string()).await;
}

#[tokio::test]
async fn memory_files_and_the_disk_have_limits() {
    let bench = Bench::with(|options| {
        options.limits.memory_bytes = 512 << 20;
        options.limits.file_bytes = 1 << 20;
        options.limits.disk_bytes = 8 << 20;
    });
    assert!(attempt(&bench, "bytearray(1 << 30)").await.starts_with("MemoryError"));
    let bomb = bench.python(
        "def f():\n    all = []\n    while True:\n        all.append(list(range(100000)))\n",
        json!({}),
    );
    let bomb = bomb.await;
    assert!(error_text(&bomb).contains("MemoryError: it used more memory than it may"), "{bomb:?}");
    let outcome = attempt(&bench, "open('big', 'wb').write(b'x' * (2 << 20))").await;
    assert!(outcome.starts_with("OSError: [Errno 27]"), "{outcome}");
    let source = "import time\ndef f():\n    for n in range(100):\n        open(f'{n}', 'wb').write(b'x' * (1 << 19))\n        \
                  time.sleep(0.05)\n";
    let result = bench.python(source, json!({})).await;
    assert!(error_text(&result).contains("wrote more to the disk"), "{result:?}");
}

#[tokio::test]
async fn variables_that_steer_the_loader_act_only_inside() {
    let bench = strict();
    let mut request = python("def f():\n    return 1\n", json!({}));
    request.env =
        [("LD_PRELOAD".to_owned(), "/nonexistent.so".to_owned()), ("PYTHONHOME".to_owned(), "/x".to_owned())]
            .into();
    let result = bench.sandbox.run(request).await;
    // The loader complained in the confined process, after the walls stood.
    assert!(result.confinement.seccomp, "{result:?}");
    assert_eq!(value(result), json!(1));
}

#[tokio::test]
async fn ordinary_work_goes_on_inside() {
    let bench = strict();
    for code in [
        "import tempfile, shutil\nd = tempfile.mkdtemp()\nopen(d + '/a', 'w').write('x')\nshutil.copytree(d, 'copy', dirs_exist_ok=True)\nshutil.rmtree(d)",
        "import sqlite3\nc = sqlite3.connect('x.db')\nc.execute('create table if not exists t (a)')\nc.commit()",
        "import threading\nt = threading.Thread(target=lambda: None)\nt.start()\nt.join()",
        "import concurrent.futures\nconcurrent.futures.ThreadPoolExecutor(4).submit(int).result()",
        "assert subprocess.run(['sh', '-c', 'echo hi | cat'], capture_output=True).stdout == b'hi\\n'",
        "import asyncio\nasyncio.run(asyncio.sleep(0))",
        "child = subprocess.Popen(['sleep', '9'])\nchild.kill()\nassert child.wait() == -9",
        "import zoneinfo, ssl, random\nssl.create_default_context()\nrandom.SystemRandom().random()",
        "os.replace(pathlib.Path('m').write_text('x') and 'm', 'n')",
        "open('/dev/null', 'w').write('x')",
        "import multiprocessing as m\np = m.get_context('fork').Process(target=int)\np.start()\np.join()\nassert p.exitcode == 0",
    ] {
        assert_eq!(attempt(&bench, code).await, "done", "{code}");
    }
}

#[tokio::test]
async fn links_lead_nowhere_new() {
    let bench = strict();
    let outside = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("key"), "secret").expect("a file");
    let there = outside.path().display();
    for code in [
        format!("os.symlink('{there}', 'out')\nopen('out/key').read()"),
        "open('out/new', 'w')".to_owned(),
        format!(
            "os.symlink('{there}/key', os.environ['TMPDIR'] + '/k')\nopen(os.environ['TMPDIR'] + '/k', 'a')"
        ),
        "os.rename('.', '../elsewhere')".to_owned(),
        "os.rmdir(os.getcwd())".to_owned(),
        format!("os.symlink(os.getcwd(), '{there}/in')"),
        "os.listdir('..')".to_owned(),
        "open('/proc/self/root/etc/shadow')".to_owned(),
        "os.listdir(f'/proc/{os.getppid()}/root/')".to_owned(),
        "open('/proc/self/cwd/../../runs/x', 'w')".to_owned(),
    ] {
        let outcome = attempt(&bench, &code).await;
        assert!(outcome.contains("Error"), "{code}: {outcome}");
    }
    let left: Vec<_> = fs::read_dir(outside.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(fs::read_to_string(outside.path().join("key")).expect("still there"), "secret");
}

#[tokio::test]
async fn a_persons_home_and_the_programs_variables_stay_unseen() {
    let bench = strict();
    let home = std::env::var("HOME").expect("a home");
    for code in [
        format!("os.listdir('{home}')"),
        format!("open('{home}/.ssh/id_ed25519', 'w')"),
        "open(f'/proc/{os.getppid()}/environ', 'rb').read()".to_owned(),
        "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)".to_owned(),
        "open(f'/proc/{os.getppid()}/cmdline', 'rb').read()".to_owned(),
        "os.listdir(f'/proc/{os.getppid()}/fd')".to_owned(),
        "open('/run/user/0/bus').read()".to_owned(),
    ] {
        let outcome = attempt(&bench, &code).await;
        let closed = ["PermissionError", "FileNotFoundError"];
        assert!(closed.iter().any(|name| outcome.starts_with(name)), "{code}: {outcome}");
    }
    let source = "import os\ndef f():\n    return sorted(os.environ), sorted(os.listdir('/proc/self/fd'))\n";
    let seen = value(bench.python(source, json!({})).await);
    assert_eq!(seen[0], json!(["HOME", "LANG", "PATH", "TMPDIR"]));
    // Input, output, error, the result, and the listing itself: nothing of this program's own.
    assert!(seen[1].as_array().is_some_and(|fds| fds.len() <= 5), "{seen}");
}

/// The same attempts, with nothing in their way: what refuses them above is the walls, not the attempt.
#[test]
fn without_the_walls_the_attempts_succeed() {
    let outside = tempfile::tempdir().expect("a folder");
    let work = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("key"), "secret").expect("a file");
    let there = outside.path().display();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut bystander = Command::new("sleep").arg("60").spawn().expect("a process");
    let attempts = [
        format!("assert open('{there}/key').read() == 'secret'"),
        format!("os.symlink('{there}', 'out'); assert open('out/key').read() == 'secret'"),
        format!("open('{there}/new', 'w').write('x')"),
        format!("os.listdir('{there}')"),
        "os.listdir('/proc')".to_owned(),
        "open(f'/proc/{os.getpid()}/environ', 'rb').read()".to_owned(),
        format!("socket.create_connection(('127.0.0.1', {port}), 5).close()"),
        "socket.socket(socket.AF_UNIX).close()".to_owned(),
        "assert 'LOCI_CANARY' in os.environ".to_owned(),
        "assert ctypes.CDLL(None).ptrace(0, 0, 0, 0) == 0".to_owned(),
        "os.setpgid(0, 0)".to_owned(),
        "bytearray(1 << 30)".to_owned(),
        format!("os.kill({}, signal.SIGKILL)", bystander.id()),
    ];
    for code in attempts {
        let source = format!("import ctypes, os, signal, socket\n{code}\n");
        let mut python = Command::new("python3");
        let ended = python.args(["-c", &source]).current_dir(work.path()).env("LOCI_CANARY", "1").status();
        assert!(ended.expect("Python").success(), "{code}");
    }
    bystander.wait().expect("its end");
}
