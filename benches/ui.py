"""Measures the window from outside: `cargo xtask bench --ui [start] [typing] [scroll] [memory] [idle] [size]`.

Each figure says where it was taken: in the real webview (WebKitGTK on a display of its own, drawn in software), or in
headless Chromium over HTTP. Options: `--tokens N` to stream for `memory` (360000 are half an hour at 200 a second;
they are streamed faster than that), `--delay N` milliseconds between them, `--messages N` to scroll through,
`--rounds N` starts, `--in webview` or `--in Chromium` for one of them only, `--json FILE` to keep the figures. What
else the machine does counts too: its load stands beside each figure,
processor time beside each start, and `--nice -15` lets root measure ahead of everything else that runs.
"""

import argparse
import json
import mmap
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "desktop")]

from line import Line  # noqa: E402
from page import create_agent, say  # noqa: E402
from support.programs import TOKEN, FakeModel, Server, program  # noqa: E402
from support.window import Browser, Display, Window, surroundings  # noqa: E402

PARTS = ["start", "typing", "scroll", "memory", "idle", "size"]
WEBVIEW, CHROMIUM = "webview", "Chromium"
# What a model writes, with what is dear to draw: emphasis, code, lists, tables.
PROSE = (
    "The heron stands **still** for a long time and then strikes. It eats fish, frogs and *sometimes* voles, "
    "and in winter it waits at the edge of the ice. Nests are built in colonies, high up, of sticks.\n\n"
    "- grey heron, `Ardea cinerea`\n- purple heron, rarer\n- little egret, white\n\n"
    "```python\nfor bird in birds:\n    print(bird.name, bird.weight)\n```\n\n"
)


def words(count):
    """About so many tokens, as the fake model counts them: a word with the space before it."""
    text = ""
    while text.count(" ") < count:
        text += PROSE
    return text


class Figures:
    """What was measured, printed as it comes and kept for the file."""

    def __init__(self):
        self.rows = []
        print(f"{'':<62} {'median':>9} {'95 %':>9} {'worst':>9}  {'unit':<6} {'budget':<8} load")

    def add(self, where, name, values, unit, budget=None):
        values = sorted(values if isinstance(values, list) else [values])
        row = {
            "where": where, "name": name, "unit": unit, "n": len(values), "median": statistics.median(values),
            "p95": values[min(len(values) - 1, int(len(values) * 0.95))], "worst": values[-1], "budget": budget,
            "load": round(os.getloadavg()[0], 1),
        }
        self.rows.append(row)
        more = f"{row['p95']:>9.1f} {row['worst']:>9.1f}" if len(values) > 1 else f"{'':>9} {'':>9}"
        print(
            f"{where + ': ' + name:<62} {row['median']:>9.1f} {more}  {unit:<6} {budget or '':<8} {row['load']}",
            flush=True,
        )

    def start(self, name, starts, budget=None):
        self.add(WEBVIEW, f"{name} painted", [one[0] * 1e3 for one in starts], "ms", budget)
        self.add(WEBVIEW, f"{name}, processor time", [one[2] * 1e3 for one in starts], "ms")


class Bench:
    """Places, programs and data for one run."""

    def __init__(self, options, folder):
        self.options, self.folder, self.model = options, pathlib.Path(folder), FakeModel()
        self.display, self.figures, self.opened = Display(), Figures(), []
        self.homes = 0

    def env(self, home):
        return {
            "LOCI_DATA_DIR": str(home / "data"), "LOCI_SECRETS": "memory", "XDG_DATA_HOME": str(home / "share"),
            "XDG_CACHE_HOME": str(home / "cache"), "OPENAI_API_KEY": "sk-fake", "OPENAI_BASE_URL": self.model.url + "/v1",
        }

    def home(self, like=None):
        """A fresh place for data, or a copy of one."""
        self.homes += 1
        made = self.folder / f"home-{self.homes}"
        if like:
            shutil.copytree(like, made)
        else:
            made.mkdir()
        return made

    def open(self, where, home):
        """The page in the webview, or served and opened in Chromium; and the processes that draw and serve it."""
        if where == WEBVIEW:
            page = Window(self.display, self.env(home))
            self.opened.append(page)
            return page, lambda: family(page.pids()[0])
        server = Server(home / "data", self.model, "--ui", env={"LOCI_SECRETS": "memory"})
        page = Browser(f"{server.url}/#token={TOKEN}")
        self.opened += [page, server]
        return page, lambda: family(page.driver.pid)[1:]

    def shut(self):
        while self.opened:
            self.opened.pop().close()

    def close(self):
        self.shut()
        self.display.close()
        self.model.close()


def family(pid):
    """A process and everything it started."""
    pids, at = [pid], 0
    while at < len(pids):
        try:
            for task in pathlib.Path(f"/proc/{pids[at]}/task").iterdir():
                pids += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            pass
        at += 1
    return pids


def memory_mb(pids):
    """Proportional set size: what is shared counts once."""
    total = 0
    for pid in pids:
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


# Start: from the process to the pixels.


class Screen:
    """The rows of the display, compared with what the window shows in the end."""

    STEP = 6

    def __init__(self, display):
        path = pathlib.Path(display.memory.name) / "Xvfb_screen0"
        self.file = path.open("rb")
        self.map = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        # Some of the last 900 rows of 1280 pixels; of each the middle, where the conversation is. Beside it stand
        # times that pass.
        line = 1280 * 4
        first = len(self.map) - 900 * line
        self.places = [(first + row * line + 250 * 4, first + row * line + 900 * 4) for row in range(0, 900, self.STEP)]

    def rows(self):
        return [self.map[start:end] for start, end in self.places]

    def close(self):
        self.map.close()
        self.file.close()


def start_once(bench, home, final, first=None):
    """Seconds until 95 % of the rows are as in `final`; without it, until nothing changes any more. Then seconds until
    the `first` of them were, processor seconds, and the rows."""
    screen = Screen(bench.display)
    env = surroundings(bench.display, bench.env(home))
    begin = time.perf_counter()
    child = subprocess.Popen(
        [program("loci-desktop")], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    pause = threading.Event()
    try:
        last, since, blank, usable = screen.rows(), begin, True, None
        before = last
        while True:
            now = time.perf_counter()
            rows = screen.rows()
            if final is not None:
                # A caret blinks in the box one writes in.
                if usable is None and first and alike(rows[first], final[first]) >= 0.75:
                    usable = now - begin
                if alike(rows, final) >= 0.95:
                    return now - begin, usable, cpu_seconds(family(child.pid)), final
            elif rows != last:
                last, since, blank = rows, now, rows == before
            elif not blank and now - since > 2.5:
                return since - begin, None, 0.0, rows
            if now - begin > 60:
                raise RuntimeError("the window did not come up within a minute")
            pause.wait(0.004)
    finally:
        child.terminate()
        child.wait(timeout=30)
        screen.close()


def alike(rows, others):
    return sum(a == b for a, b in zip(rows, others, strict=True)) / len(rows)


def bench_start(bench):
    bench.shut()
    bare = bench.home()
    start_once(bench, bare, None)
    *_, empty = start_once(bench, bare, None)
    cold = [start_once(bench, bench.home(), empty) for _ in range(max(3, bench.options.rounds // 3))]
    bench.figures.start("cold start (new data, new profile), first page", cold)
    home = seeded(bench, 60)
    box = choose_agent(bench, home)
    *_, full = start_once(bench, home, None)
    warm = [start_once(bench, home, full, box) for _ in range(bench.options.rounds)]
    bench.figures.add(WEBVIEW, "warm start, one can write", [one[1] * 1e3 for one in warm if one[1]], "ms", "1000")
    bench.figures.start("warm start, whole conversation", warm, "1000")


def choose_agent(bench, home):
    """Opens the window once, so that it begins with the conversation from then on. The rows of the box one writes in."""
    page, _ = bench.open(WEBVIEW, home)
    page.click("nav button", "Mercury")
    page.wait("article")
    top, bottom = page.js("const r = document.querySelector('textarea').closest('form').getBoundingClientRect(); return [r.top, r.bottom]")
    page.js("return new Promise((done) => setTimeout(done, 1500))")
    bench.opened.remove(page)
    page.end()
    return slice(int(top) // Screen.STEP, int(bottom) // Screen.STEP)


def seeded(bench, messages):
    """A data folder with one agent and so many messages."""
    kept = bench.folder / f"seed-{messages}"
    if kept.exists():
        return bench.home(like=kept)
    kept.mkdir()
    server = Server(kept / "data", bench.model)
    line = Line(server.url)
    agent = line("POST", "/v1/agents/", {
        "name": "Mercury", "model": "openai/gpt-4.1", "message_buffer_autoclear": True,
        "memory_blocks": [{"label": "human", "value": "Ada"}, {"label": "persona", "value": "calm"}],
    })["id"]
    for number in range(messages // 2):
        bench.model.default({"text": f"Answer {number}. " + PROSE if number % 10 == 0 else f"Answer {number}: herons, **mostly**."})
        line("POST", f"/v1/agents/{agent}/messages", {"input": f"Question {number}: what is there to see?"})
    server.close()
    return bench.home(like=kept)


# In the page: frames, and how long a key takes to be painted.

FRAMES = """
    window.frames = []; window.longTasks = [];
    let before = performance.now();
    const tick = (now) => { window.frames.push(now - before); before = now; requestAnimationFrame(tick); };
    requestAnimationFrame(tick);
    try {
      new PerformanceObserver((list) => { for (const one of list.getEntries()) window.longTasks.push(one.duration); })
        .observe({ type: 'longtask' });
    } catch {}
"""
KEYS = """
    window.keys = [];
    addEventListener('keydown', (event) => {
      const begun = event.timeStamp;
      requestAnimationFrame(() => {
        // A task after the frame: the frame is painted by then.
        const after = new MessageChannel();
        after.port1.onmessage = () => window.keys.push(performance.now() - begun);
        after.port2.postMessage(null);
      });
    }, true);
"""


def frames(bench, where, what, page):
    taken = page.js("return [window.frames.splice(0), window.longTasks.splice(0)]")
    steady, long = taken[0][2:], taken[1]
    bench.figures.add(where, f"{what}: time of a frame", steady, "ms", "16.7")
    bench.figures.add(where, f"{what}: frames over 50 ms", 100 * sum(one > 50 for one in steady) / max(1, len(steady)), "%")
    if where == CHROMIUM:
        bench.figures.add(where, f"{what}: tasks over 50 ms", len(long), "count")


def open_conversation(bench, where, home):
    page, pids = bench.open(where, home)
    page.click("nav button", "Mercury")
    page.wait("article")
    return page, pids


def bench_typing(bench):
    home = seeded(bench, 1000)
    for where in bench.options.places:
        page, _ = open_conversation(bench, where, bench.home(like=home))
        bench.model.reset()
        # The sleep between pieces takes about a millisecond more than asked for.
        bench.model.script({"text": words(5000), "chunk_delay_ms": 4})
        say(page, "Tell me of herons")
        page.until(lambda: "heron stands" in last_reply(page), "the reply to begin")
        page.js("document.querySelector('textarea').focus()")
        page.js(KEYS)
        page.js(FRAMES)
        begin, had = time.perf_counter(), page.js(COUNT)
        while page.js("return window.keys.length") < bench.options.keys:
            page.key("h")
        took, have = time.perf_counter() - begin, page.js(COUNT)
        bench.figures.add(where, "streaming: tokens shown a second", (have - had) / took, "1/s", "200")
        bench.figures.add(where, "streaming: key to painted frame", page.js("return window.keys"), "ms", "50")
        frames(bench, where, "streaming", page)
        page.click("button", "Stop")
        bench.shut()


COUNT = "return [...document.querySelectorAll('article[data-role=agent]')].at(-1).innerText.split(/\\s+/).length"


def last_reply(page):
    return page.js("return [...document.querySelectorAll('article[data-role=agent]')].at(-1)?.innerText ?? ''")


SCROLL = """
    const [step, most] = arguments;
    const box = document.querySelector('section[tabindex="0"]');
    // As a hand would: a page that moves by itself is put back.
    box.dispatchEvent(new WheelEvent('wheel', { deltaY: step, bubbles: true }));
    window.nodes = 0;
    window.rows = 0;
    return new Promise((done) => {
      let still = 0;
      let last = -1;
      const begun = performance.now();
      const move = () => {
        box.scrollTop += step;
        window.nodes = Math.max(window.nodes, document.getElementsByTagName('*').length);
        window.rows = Math.max(window.rows, box.querySelectorAll('article').length);
        still = box.scrollTop === last ? still + 1 : 0;
        last = box.scrollTop;
        // Earlier messages may still be on their way.
        if (still > 90 || performance.now() - begun > most) done([performance.now() - begun, box.scrollHeight]);
        else requestAnimationFrame(move);
      };
      requestAnimationFrame(move);
    });
"""


def bench_scroll(bench):
    count = bench.options.messages
    home = seeded(bench, count)
    for where in bench.options.places:
        page, pids = open_conversation(bench, where, bench.home(like=home))
        # Scripts of the driver may take as long as the scroll.
        page.call("POST", "/timeouts", {"script": 600_000})
        page.js(FRAMES)
        # Up, reading earlier pages as one comes near them, until the first message.
        while not page.find("article", "Question 0:"):
            page.js(SCROLL, -1200, 20_000)
        frames(bench, where, f"scroll up {count} messages, reading them", page)
        height, took = 0, 0
        for step in (3000, -3000):
            page.js("window.frames.length = 0; window.longTasks.length = 0")
            while True:
                took, height = page.js(SCROLL, step, 20_000)
                if took < 20_000:
                    break
            frames(bench, where, f"scroll {'down' if step > 0 else 'up'} {count}, all in memory", page)
        bench.figures.add(where, "scroll: most elements in the page", page.js("return window.nodes"), "count")
        bench.figures.add(where, "scroll: most messages in the page", page.js("return window.rows"), "count")
        bench.figures.add(where, f"scroll: memory with {count} messages read", memory_mb(pids()), "MB")
        bench.shut()


def bench_memory(bench):
    """Streams message after message through the composer, as one long conversation, and weighs all processes."""
    each = 3000
    wanted = bench.options.tokens
    for where in bench.options.places:
        page, pids = bench.open(where, bench.home())
        create_agent(page)
        bench.model.reset()
        bench.model.default({"text": "They spoke of herons."})
        streamed, points = 0, []
        text = words(each)
        length = text.count(" ") + 1
        begin = time.perf_counter()
        marks = [wanted * part // 4 for part in range(5)]
        while True:
            if marks and streamed >= marks[0]:
                marks.pop(0)
                settle(page, where)
                points.append((streamed, memory_mb(pids())))
                bench.figures.add(where, f"memory: after {streamed:,} tokens", points[-1][1], "MB")
                if where == WEBVIEW:
                    bench.figures.add(where, "memory: of it the program itself", memory_mb(pids()[:1]), "MB")
            if streamed >= wanted:
                break
            done = f"End of {streamed}."
            said = f"More, from {streamed}"
            # Room may be made meanwhile: a summary is another call.
            bench.model.script({"when": said, "text": text + done, "chunk_delay_ms": bench.options.delay})
            say(page, said)
            answered(page, done)
            streamed += length
        took = time.perf_counter() - begin
        grown = (points[-1][1] - points[1][1]) / (points[-1][0] - points[1][0]) * 1e5
        bench.figures.add(where, "memory: growth by 100,000 tokens after the first quarter", grown, "MB", "flat")
        bench.figures.add(where, "memory: pace it was streamed at", wanted / took, "1/s")
        bench.shut()


def answered(page, done):
    """Waits for the end of a reply, asking seldom and for little: what the driver reads is the page's garbage too."""
    pause, deadline = threading.Event(), time.monotonic() + 300
    while not page.js("return document.querySelector('button[aria-label=Send]') !== null && document.body.textContent.includes(arguments[0])", done):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the reply that ends with {done!r} did not come")
        pause.wait(1)


def settle(page, where):
    """Lets garbage go: Chromium is asked to, WebKit does it by itself some seconds after the last work."""
    if where == CHROMIUM:
        page.call("POST", "/goog/cdp/execute", {"cmd": "HeapProfiler.collectGarbage", "params": {}})
    wait = 4_000 if where == CHROMIUM else 20_000
    page.call("POST", "/execute/async", {"script": "setTimeout(arguments[1], arguments[0])", "args": [wait]})


def bench_idle(bench):
    seconds = bench.options.idle
    home = seeded(bench, 60)
    for where in bench.options.places:
        page, pids = open_conversation(bench, where, bench.home(like=home))
        settle(page, where)
        at = pids()
        before = cpu_seconds(at)
        threading.Event().wait(seconds)
        used = cpu_seconds(at) - before
        bench.figures.add(where, f"idle: processor over {seconds} s, all processes", 100 * used / seconds, "%", "~0")
        bench.figures.add(where, "idle: memory, all processes", memory_mb(at), "MB")
        bench.shut()


def bench_size(bench):
    found = [path for path in bench.options.bundles.rglob("*") if path.suffix in (".deb", ".rpm")]
    for path in sorted(found):
        bench.figures.add("bundle", path.name, path.stat().st_size / 1e6, "MB")
    if not found:
        print(f"bundle: none under {bench.options.bundles}; `cargo xtask bundle` makes them")
    bench.figures.add("program", "loci-desktop", pathlib.Path(program("loci-desktop")).stat().st_size / 1e6, "MB")


def hurry(nice):
    """Ahead of, or behind, everything else; where the kernel weighs sessions against each other, this session too."""
    if nice == 0:
        return
    os.nice(nice)
    group = pathlib.Path("/proc/self/autogroup")
    if group.exists():
        if os.getpid() != os.getsid(0):
            os.setsid()
        group.write_text(str(nice))


def main():
    parser = argparse.ArgumentParser(prog="cargo xtask bench --ui", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--tokens", type=int, default=360_000)
    parser.add_argument("--delay", type=int, default=0)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--keys", type=int, default=120)
    parser.add_argument("--idle", type=int, default=20)
    parser.add_argument("--in", dest="places", action="append", choices=[WEBVIEW, CHROMIUM])
    parser.add_argument("--nice", type=int, default=0)
    parser.add_argument("--bundles", type=pathlib.Path, default=ROOT / "target" / "release" / "bundle")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.places = options.places or [WEBVIEW, CHROMIUM]
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    hurry(options.nice)
    print(f"programs: {pathlib.Path(program('loci')).parent}; cores: {os.cpu_count()}; load at the beginning: {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options, folder)
        try:
            for part in options.parts or PARTS:
                globals()[f"bench_{part}"](bench)
        finally:
            bench.close()
            if options.json:
                options.json.write_text(json.dumps({"cores": os.cpu_count(), "nice": options.nice, "figures": bench.figures.rows}, indent=1) + "\n")


main()
