#!/usr/bin/env python3
"""A stand-in for llama.cpp's `llama-server`: the same options and answers, no model behind them.

FAKE_LLAMA, read from the model file's second line (`GGUF\\n{json}`), changes how it behaves:
  context    the context length in force, whatever was asked for
  fail       ends at once with this sentence
  die_after  ends by itself so many seconds after somebody read its properties, so after it was seen to be ready
  child      starts a process of its own, and writes its pid to this path
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

options = argparse.ArgumentParser()
options.add_argument("--model", required=True)
options.add_argument("--host", default="127.0.0.1")
options.add_argument("--port", type=int, default=8080)
options.add_argument("--alias")
options.add_argument("--ctx-size", type=int, default=4096)
options.add_argument("--n-gpu-layers", type=int)
options.add_argument("--parallel", type=int, default=1)
options.add_argument("--jinja", action="store_true")
options.add_argument("--metrics", action="store_true")
args = options.parse_args()

lines = pathlib.Path(args.model).read_text().splitlines()
behaviour = json.loads(lines[1]) if len(lines) > 1 else {}
KEY = os.environ.get("LLAMA_API_KEY")
NAME = args.alias or args.model
CONTEXT = behaviour.get("context", args.ctx_size)

print(f"fake llama-server: loading {args.model}", flush=True)
if "fail" in behaviour:
    print(behaviour["fail"], file=sys.stderr, flush=True)
    sys.exit(1)
leaked = sorted(name for name in os.environ if name.endswith("_API_KEY") and name != "LLAMA_API_KEY")
print(f"keys of others: {leaked}", flush=True)
if "child" in behaviour:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    pathlib.Path(behaviour["child"]).write_text(str(child.pid))


seen_ready = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, status=200, kind="application/json"):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refused(self):
        if KEY and self.headers.get("authorization") != f"Bearer {KEY}":
            self.answer({"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, 401)
            return True
        return False

    def do_GET(self):
        if self.path == "/health":
            return self.answer({"status": "ok"})
        if self.refused():
            return None
        if self.path == "/props":
            seen_ready.set()
            return self.answer({"default_generation_settings": {"n_ctx": CONTEXT}, "build_info": "fake-1", "total_slots": 1})
        if self.path == "/v1/models":
            return self.answer({"object": "list", "data": [{"id": NAME, "object": "model", "meta": {"n_ctx": CONTEXT}}]})
        if self.path == "/metrics":
            return self.answer("# TYPE x gauge\nllamacpp:predicted_tokens_seconds 42.5\n", kind="text/plain")
        return self.answer({"error": {"message": "not found"}}, 404)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or "{}")
        if self.refused():
            return None
        if self.path != "/v1/chat/completions":
            return self.answer({"error": {"message": "not found"}}, 404)
        text = "Hello from the fake llama."
        usage = {"prompt_tokens": 9, "completion_tokens": 6, "total_tokens": 15}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text}
            return self.answer({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})
        frames = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]}]
        frames.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        frames.append({"choices": [], "usage": usage})
        data = "".join(f"data: {json.dumps(frame)}\n\n" for frame in frames) + "data: [DONE]\n\n"
        return self.answer(data, kind="text/event-stream")


server = ThreadingHTTPServer((args.host, args.port), Handler)
print(f"fake llama-server: listening on {args.port}", flush=True)
if "die_after" in behaviour:

    def die():
        seen_ready.wait()
        time.sleep(behaviour["die_after"])
        print("fake llama-server: giving up", file=sys.stderr, flush=True)
        os._exit(3)

    threading.Thread(target=die, daemon=True).start()
server.serve_forever()
