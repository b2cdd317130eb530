"""Measures the optimised server from outside: `cargo xtask bench [start] [step] [token] [stream] [parse] [history]
[throughput] [tools] [rules]`.

The model's own time is left out. For steps it is the server's record of how long each model call took; for the first
token it is the same held answer read from the model directly, in the same run. Medians over many rounds; wall times
on a shared machine drift, so compare figures of one run only.
"""

import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests"))

from line import HEADERS, Line  # noqa: E402
from support.programs import FakeModel, Server  # noqa: E402

BUDGETS = {"step": "2 ms", "token": "1 ms", "start": "150 ms", "memory": "40 MB"}


def show(name, values, unit="ms", scale=1e3, budget=""):
    values = sorted(value * scale for value in values)
    low, middle, high = values[0], statistics.median(values), values[min(len(values) - 1, int(len(values) * 0.95))]
    print(f"{name:<46} {low:>10.2f} {middle:>10.2f} {high:>10.2f}  {unit:<6} {budget}")
    return middle


def new_agent(line, **more):
    return line("POST", "/v1/agents/", {
        "model": "openai/gpt-4.1", "memory_blocks": [{"label": "human", "value": "Timber"}, {"label": "persona", "value": "calm"}],
    } | more)["id"]


def memory_mb(pid):
    fields = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024


def bench_start(model):
    cold, warm, idle = [], [], []
    for _ in range(10):
        with tempfile.TemporaryDirectory() as folder:
            data = pathlib.Path(folder) / "data"
            for times in (cold, warm):
                begin = time.perf_counter()
                server = Server(data, model)
                times.append(time.perf_counter() - begin)
                Line(server.url)("GET", "/v1/health/")
                idle.append(memory_mb(server.process.child.pid))
                server.close()
    show("start, new data folder", cold, budget=BUDGETS["start"])
    show("start, existing data folder", warm, budget=BUDGETS["start"])
    show("memory, idle (resident)", idle, "MB", 1, BUDGETS["memory"])


def overhead(line, agent, body, steps):
    """Seconds of one message beside the model's own, by step."""
    begin = time.perf_counter()
    line("POST", f"/v1/agents/{agent}/messages", body)
    total = time.perf_counter() - begin
    run = line("GET", f"/v1/runs/?agent_id={agent}&limit=1")[0]["id"]
    done = line("GET", f"/v1/runs/{run}/steps")
    model_time = sum(line("GET", f"/v1/steps/{step['id']}/metrics")["llm_request_ns"] for step in done) / 1e9
    assert len(done) == steps, (len(done), steps)
    return (total - model_time) / steps


def bench_step(model, server):
    line = Line(server.url)
    agent = new_agent(line)
    model.default({"text": "Fine."})
    insert = {"name": "memory_replace", "arguments": {"label": "human", "old_string": "Timber", "new_string": "Timber"}}
    search = {"name": "conversation_search", "arguments": {"query": "fine"}}
    plain = [overhead(line, agent, {"input": "How are you?"}, 1) for _ in range(120)]
    show("message with one step, each step", plain[20:], budget=BUDGETS["step"])
    tools = []
    for _ in range(40):
        model.script({"tool_calls": [insert]}, {"tool_calls": [search]}, {"tool_calls": [insert]}, {"text": "Done."})
        tools.append(overhead(line, agent, {"input": "Work."}, 4))
    show("message with three tool calls, each step", tools[5:], budget=BUDGETS["step"])
    print(f"{'memory after that (resident)':<46} {'':>10} {memory_mb(server.process.child.pid):>10.2f} {'':>10}  MB")


def first_delta(url, path, body, model):
    """Seconds from letting a held answer go to its first piece of text."""
    at = urllib.parse.urlparse(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=60)
    model.script({"text": "One two three four.", "hold": True})
    connection.request("POST", path, json.dumps(body), HEADERS)
    answer = connection.getresponse()
    waiting = len(model.requests())
    while waiting == 0:
        waiting = len(model.requests())
    begin = time.perf_counter()
    releaser = threading.Thread(target=model.release)
    releaser.start()
    while True:
        piece = answer.readline()
        if b"One" in piece:
            break
    took = time.perf_counter() - begin
    answer.read()
    releaser.join()
    connection.close()
    return took


def bench_token(model, server):
    line = Line(server.url)
    agent = new_agent(line)
    body = {"input": "Count.", "streaming": True, "stream_tokens": True}
    direct_body = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Count."}]}
    direct, through = [], []
    for _ in range(40):
        model.reset()
        direct.append(first_delta(model.url, "/v1/chat/completions", direct_body, model))
        model.reset()
        through.append(first_delta(server.url, f"/v1/agents/{agent}/messages", body, model))
    one = show("first token, from the model itself", direct[5:])
    two = show("first token, through Loci", through[5:])
    print(f"{'first token, added by Loci':<46} {'':>10} {(two - one):>10.2f} {'':>10}  ms     {BUDGETS['token']}")


def whole_stream(url, path, body):
    """Seconds a streamed answer takes to its end."""
    at = urllib.parse.urlparse(url)
    connection = http.client.HTTPConnection(at.hostname, at.port, timeout=120)
    begin = time.perf_counter()
    connection.request("POST", path, json.dumps(body), HEADERS)
    answer = connection.getresponse()
    while answer.read(1 << 16):
        pass
    connection.close()
    return time.perf_counter() - begin


def bench_stream(model, server):
    """What Loci adds to each token of a long answer: parsed, kept, numbered and sent on."""
    pieces = 4_000
    frame = {"choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}]}
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    raw = f"data: {json.dumps(frame)}\n\n" * pieces + f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n"
    model.default({"raw": raw, "headers": {"content-type": "text/event-stream"}})
    line = Line(server.url)
    body = {"input": "Write.", "streaming": True, "stream_tokens": True}
    direct_body = {"model": "gpt-4.1", "stream": True, "messages": [{"role": "user", "content": "Write."}]}
    direct, through = [], []
    for _ in range(12):
        direct.append(whole_stream(model.url, "/v1/chat/completions", direct_body))
        # An agent of its own each time: what was said before would be sent along.
        through.append(whole_stream(server.url, f"/v1/agents/{new_agent(line)}/messages", body))
    one = show(f"answer of {pieces} tokens, from the model itself", direct[2:])
    two = show(f"answer of {pieces} tokens, through Loci", through[2:])
    print(f"{'each token, added by Loci':<46} {'':>10} {(two - one) / pieces * 1e3:>10.2f} {'':>10}  µs")


def example(name):
    """The lines of a program that measures by itself."""
    program = pathlib.Path(os.environ.get("LOCI_PROGRAMS", "target/debug")) / "examples" / name
    return subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def bench_tools():
    """What a tool call takes beside the interpreter's own start; a call with a process ready should add under 60 ms."""
    print("\n".join(example("tool-latency")))


def bench_rules():
    """How long deciding about calls takes with as many rules as anybody has."""
    print("\n".join(example("rules_bench")))


def bench_parse():
    """How fast each protocol's answers are read, by a program that does nothing else."""
    for text in example("parse"):
        one = json.loads(text)
        print(
            f"{'reading ' + one['protocol']:<46} {'':>10} {one['events_per_second']:>10,.0f} {'':>10}  ev/s   "
            f"{one['allocations_per_event']} allocations each"
        )


def bench_history(model, server):
    line = Line(server.url)
    model.default({"text": "Fine."})
    for length in (0, 100, 1_000, 10_000):
        # A thread that forgets its context keeps every row, so only the length of the history differs.
        agent = new_agent(line, message_buffer_autoclear=True)
        for _ in range(length // 2):
            line("POST", f"/v1/agents/{agent}/messages", {"input": "More."})
        values = [overhead(line, agent, {"input": "Now."}, 1) for _ in range(60)]
        show(f"message at a history of {length}", values[10:])


def bench_throughput(model, server):
    model.default({"text": "Fine."})
    for agents in (1, 8, 32):
        ready = [(Line(server.url), new_agent(Line(server.url))) for _ in range(agents)]
        each = max(10, 320 // agents)

        def work(line, agent, each=each):
            for _ in range(each):
                line("POST", f"/v1/agents/{agent}/messages", {"input": "Go."})

        threads = [threading.Thread(target=work, args=pair) for pair in ready]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begin
        print(f"{f'throughput with {agents} agents at once':<46} {'':>10} {agents * each / took:>10.0f} {'':>10}  msg/s")
    print(f"{'memory under that load (resident)':<46} {'':>10} {memory_mb(server.process.child.pid):>10.2f} {'':>10}  MB")


def main():
    wanted = sys.argv[1:] or [
        "start", "step", "token", "stream", "parse", "history", "throughput", "tools", "rules",
    ]
    print(f"programs: {os.environ.get('LOCI_PROGRAMS', 'target/debug')}; cores: {os.cpu_count()}")
    print(f"{'':<46} {'min':>10} {'median':>10} {'95 %':>10}  {'unit':<6} budget")
    model = FakeModel()
    for name in wanted:
        if name == "start":
            bench_start(model)
            continue
        if name in ("parse", "tools", "rules"):
            globals()[f"bench_{name}"]()
            continue
        model.reset()
        with tempfile.TemporaryDirectory() as folder:
            server = Server(pathlib.Path(folder) / "data", model)
            globals()[f"bench_{name}"](model, server)
            server.close()
    model.close()


main()
