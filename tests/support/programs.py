"""The programs the black-box tests drive, each started by hand and ended by its process id."""

import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import threading
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("LOCI_PROGRAMS", ROOT / "target" / "debug"))
TOKEN = "token-for-tests-0123456789abcdef"


def program(name: str) -> str:
    path = PROGRAMS / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: run `cargo xtask test programs` first")
    return str(path)


def clean_env(**more: str) -> dict:
    """An environment in which nothing of this machine's own settings can leak into a test."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return keep | {"RUST_BACKTRACE": "1", "LOCI_RUNTIMES": "off"} | more


class Process:
    """A started program whose output is read all the time, so that it can never block on a full pipe."""

    def __init__(self, args: list, env: dict, ready: str, seconds: float = 60):
        self.child = subprocess.Popen(
            args, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.stdout: list = []
        self.stderr: list = []
        found: queue.Queue = queue.Queue()
        pattern = re.compile(ready)

        def read(stream, lines):
            for line in stream:
                lines.append(line.rstrip("\n"))
                match = pattern.search(line)
                if match:
                    found.put(match)
            found.put(None)

        for stream, lines in ((self.child.stdout, self.stdout), (self.child.stderr, self.stderr)):
            threading.Thread(target=read, args=(stream, lines), daemon=True).start()
        try:
            self.ready = found.get(timeout=seconds)
        except queue.Empty:
            self.ready = None
        if self.ready is None:
            self.kill()
            raise RuntimeError(f"{args} did not get ready:\n" + "\n".join(self.stdout + self.stderr))

    def kill(self):
        """SIGKILL: no chance to tidy up."""
        if self.child.poll() is None:
            self.child.kill()
        return self.child.wait(timeout=20)

    def stop(self):
        """SIGTERM, as a service manager would."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise


class FakeModel:
    """A scripted model server that speaks the providers' wire formats."""

    def __init__(self):
        self.process = Process([program("fake-model"), "--port", "0"], clean_env(), r"(http://127\.0\.0\.1:\d+)")
        self.url = self.process.ready.group(1)

    def _call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def script(self, *replies: dict):
        """Appends replies; each model call takes the next one."""
        self._call("POST", "/control/script", list(replies))

    def default(self, reply: dict):
        """The reply when the script is used up."""
        self._call("POST", "/control/default", reply)

    def requests(self) -> list:
        """The bodies of all model calls so far, oldest first."""
        seen = self._call("GET", "/control/requests")
        return [one.get("body", one) if isinstance(one, dict) else one for one in seen]

    def release(self):
        """Lets a held reply go on."""
        self._call("POST", "/control/release")

    def reset(self):
        self._call("POST", "/control/reset")

    def close(self):
        self.process.kill()


class Server:
    """`loci serve` on a random port and a data folder of its own."""

    def __init__(self, data: pathlib.Path, model: FakeModel | None, *args: str, env: dict | None = None):
        self.data = data
        self.args = list(args)
        self.env = clean_env(**(env or {}))
        if model is not None:
            self.env |= {
                "OPENAI_API_KEY": "sk-fake-openai-key",
                "OPENAI_BASE_URL": model.url + "/v1",
                "ANTHROPIC_API_KEY": "sk-fake-anthropic-key",
                "ANTHROPIC_BASE_URL": model.url,
            }
        self.process: Process | None = None
        self.start()

    def start(self):
        auth = [] if "--no-token" in self.args else ["--token", TOKEN]
        self.process = Process(
            [program("loci"), "serve", "--port", "0", "--data", str(self.data), *auth, *self.args],
            self.env,
            r"ready at (http://127\.0\.0\.1:\d+)",
        )
        self.url = self.process.ready.group(1)

    def kill(self):
        self.process.kill()

    def restart(self):
        """SIGKILL and start again on the same data."""
        self.kill()
        self.start()

    def close(self):
        if self.process.child.poll() is None:
            self.process.stop()

    def doctor(self) -> subprocess.CompletedProcess:
        return subprocess.run(
            [program("loci"), "doctor", "--data", str(self.data)],
            env=clean_env(), capture_output=True, text=True, timeout=120, check=False,
        )
