"""The interface driven over WebDriver: the desktop program in the real webview, or the served UI in Chromium."""

import base64
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib

from .programs import ROOT, TOKEN, clean_env, program
from .waiting import eventually

SHOTS = ROOT / "tests" / "output"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
# The driver's code of each key that writes nothing.
KEYS = {
    "Tab": "\ue004", "Enter": "\ue007", "Escape": "\ue00c", "Space": " ", "End": "\ue010",
    "Right": "\ue014", "Down": "\ue015", "Shift": "\ue008", "Control": "\ue009", "Alt": "\ue00a",
}


class Display:
    """A private X server; it picks a free number by itself and keeps its screen in a file."""

    def __init__(self, width=1280, height=900):
        self.memory = tempfile.TemporaryDirectory()
        with tempfile.TemporaryFile() as told:
            self.child = subprocess.Popen(
                [
                    "Xvfb", "-displayfd", str(told.fileno()), "-screen", "0", f"{width}x{height}x24",
                    "-nolisten", "tcp", "-fbdir", self.memory.name,
                ],
                pass_fds=[told.fileno()], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            number = ""
            deadline = time.monotonic() + 20
            while not number.endswith("\n") and time.monotonic() < deadline:
                number = os.pread(told.fileno(), 16, 0).decode()
        self.name = ":" + number.strip()
        self.env = {"DISPLAY": self.name, "GDK_BACKEND": "x11"}

    def png(self):
        """What is on the screen. The file is an X window dump: 25 big-endian words, colours, then the pixels."""
        dump = (pathlib.Path(self.memory.name) / "Xvfb_screen0").read_bytes()
        header = struct.unpack(">25I", dump[:100])
        width, height, line, colours = header[4], header[5], header[12], header[19]
        pixels = memoryview(dump)[header[0] + 12 * colours:]
        rows = bytearray()
        for y in range(height):
            row = pixels[y * line:y * line + 4 * width]
            rgb = bytearray(3 * width)
            rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
            rows += b"\0" + rgb
        chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
        )

    def close(self):
        self.child.terminate()
        self.child.wait(timeout=20)
        self.memory.cleanup()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def surroundings(display, env):
    """What the desktop program is started with on a display."""
    return clean_env(WEBKIT_DISABLE_DMABUF_RENDERER="1", LANG="en_US.UTF-8", **(display.env | env))


def is_running(pid):
    """Whether this process is there and is the app, not another one that got its id since."""
    try:
        return b"loci-desktop" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


class Session:
    """A WebDriver session: a driver process of our own and what it opened."""

    def __init__(self, driver: list, env: dict, capabilities: dict):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(
            [*driver, f"--port={port}"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.session = None
        try:
            self.until(lambda: self._port_answers(port), "the driver to listen")
            answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
            self.session = f"/session/{answer['sessionId']}"
        except Exception:
            self.close()
            raise

    @staticmethod
    def _port_answers(port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.loads(answer.read())["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.read().decode(errors='replace')[:800]}") from None

    def call(self, method, path, body=None):
        return self._call(method, self.session + path, body)

    def close(self):
        """Ends the session, which ends the app, then the driver."""
        if self.session:
            try:
                self.call("DELETE", "")
            except (RuntimeError, OSError):
                pass
        self.driver.terminate()
        try:
            self.driver.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait(timeout=20)

    def js(self, script, *args):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(args)})

    def until(self, check, what, seconds=30):
        """The first true answer of `check`; asks again and again, and says what it waited for."""
        deadline = time.monotonic() + seconds
        waiter = threading.Event()
        problem = None
        while time.monotonic() < deadline:
            try:
                found = check()
                if found:
                    return found
            except RuntimeError as error:
                problem = error
            waiter.wait(0.05)
        shown = ""
        if self.session:
            shown = "\nThe window shows:\n" + str(self.js("return document.body.innerText"))
            self.shot("failure")
        raise AssertionError(f"waited {seconds} s for {what}; last problem: {problem}{shown}")

    def find(self, css, text=None):
        """The visible element that matches, and contains the text."""
        return self.js(
            """
            const [css, text] = arguments;
            return [...document.querySelectorAll(css)].find((e) =>
              (e.offsetParent !== null || e.getClientRects().length > 0) &&
              (text === null || e.innerText.includes(text) || e.getAttribute('aria-label')?.includes(text))) ?? null;
            """,
            css, text,
        )

    def wait(self, css, text=None, seconds=30):
        return self.until(lambda: self.find(css, text), f"{css!r} with text {text!r}", seconds)

    def gone(self, css, text=None, seconds=30):
        return self.until(lambda: not self.find(css, text), f"{css!r} with text {text!r} to go away", seconds)

    def click(self, css, text=None):
        """Clicks what matches, once it stays where it is: a page that still arranges itself, a dialog that grows with
        what it shows, would be clicked beside what one means, or refuses the click."""
        seen = [None]

        def press():
            element = self.find(css, text)
            place = element and self.js(
                "const { x, y, width, height } = arguments[0].getBoundingClientRect(); return [x, y, width, height]", element,
            )
            before, seen[0] = seen[0], place
            if not place or place != before:
                return None
            self.call("POST", f"/element/{element[ELEMENT]}/click", {})
            return element

        self.until(press, f"{css!r} with text {text!r} to be clicked")

    def labelled(self, label):
        """The form control with this label; in a dialog, if one is open and has it, else on the page behind."""
        return self.until(lambda: self.js(
            """
            const label = arguments[0];
            const within = (root) => {
              const named = [...root.querySelectorAll('[aria-label]')].find((e) => e.getAttribute('aria-label') === label);
              if (named) return named;
              const tag = [...root.querySelectorAll('label')].find((e) => e.innerText.trim().startsWith(label));
              return tag ? (tag.control ?? document.getElementById(tag.htmlFor)) : null;
            };
            const dialog = [...document.querySelectorAll('[role=dialog]')].at(-1);
            return (dialog && within(dialog)) ?? within(document);
            """,
            label,
        ), f"a control labelled {label!r}")

    def fill(self, label, text):
        """Sets a control's text as typing would: React sees an input event."""
        element = self.labelled(label)
        self.js(
            """
            const [element, text] = arguments;
            element.focus();
            if (element.select) element.select(); else document.getSelection().selectAllChildren(element);
            document.execCommand('insertText', false, text);
            """,
            element, text,
        )

    def key(self, *names):
        """Keys held together, as in `key("Control", "l")`."""
        codes = [KEYS.get(name, name) for name in names]
        self._strike([("keyDown", code) for code in codes] + [("keyUp", code) for code in reversed(codes)])

    def type(self, text):
        self._strike([(kind, character) for character in text for kind in ("keyDown", "keyUp")])

    def _strike(self, moves):
        self.call("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": [{"type": kind, "value": value} for kind, value in moves]},
        ]})

    def text(self):
        return self.js("return document.body.innerText")

    def shot(self, name):
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = pathlib.Path(SHOTS / f"{name}.png")
        path.write_bytes(self.png())
        return path

    def png(self):
        return base64.b64decode(self.call("GET", "/screenshot"))


class Window(Session):
    """The desktop program in a display of its own."""

    def __init__(self, display: Display, env: dict, *args: str):
        self.display = display
        env = surroundings(display, env) | {"TAURI_WEBVIEW_AUTOMATION": "true"}
        super().__init__(["WebKitWebDriver", "--host=127.0.0.1"], env, {
            "browserName": "wry",
            "webkitgtk:browserOptions": {"binary": program("loci-desktop"), "args": list(args)},
        })

    def png(self):
        """The screen itself: the driver's own screenshot can wait for ever when nothing is being painted."""
        self.js("""
            const moving = document.getAnimations().filter((each) =>
              each.playState === 'running' && each.effect.getTiming().iterations !== Infinity);
            return Promise.allSettled(moving.map((each) => each.finished)).then(() =>
              new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(() => painted(true)))));
        """)
        return self.display.png()

    def pids(self):
        """The app's own processes."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.driver.pid), "-f", "loci-desktop"], capture_output=True, text=True, check=False
        ).stdout.split()
        return [int(pid) for pid in found]

    def close(self):
        """As every session; an app that outlives it, in the tray, would stand in the way of the tests after it."""
        pids = self.pids()
        super().close()
        for pid in pids:
            try:
                eventually(lambda pid=pid: not is_running(pid), "the app to end", seconds=5)
            except AssertionError:
                os.kill(pid, signal.SIGKILL)

    def kill(self):
        """Kills the app itself, as a crash would, then tidies up the driver."""
        for pid in self.pids():
            os.kill(pid, 9)
        self.session = None
        self.close()

    def end(self):
        """Asks the app to end, as a session that ends does, and tidies up the driver when it has."""
        for pid in self.pids():
            os.kill(pid, signal.SIGTERM)
        self.session = None
        self.until(lambda: not self.pids(), "the app to end")
        self.close()


class Browser(Session):
    """Headless Chromium with a profile of its own, at an address."""

    def __init__(self, address: str):
        self.profile = tempfile.TemporaryDirectory()
        flags = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1280,900",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={self.profile.name}",
        ]
        super().__init__(["chromedriver"], clean_env(), {
            "browserName": "chrome", "goog:chromeOptions": {"binary": "/usr/bin/chromium", "args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        })
        self.call("POST", "/url", {"url": address})

    def log(self):
        """What the page wrote to the console, refusals of its content policy included."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]

    def close(self):
        super().close()
        self.profile.cleanup()


def browse(server):
    """A browser on the pages a server serves, let in."""
    return Browser(f"{server.url}/#token={TOKEN}")
