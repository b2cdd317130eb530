"""Records what a server says to the window while runs go on, and what it has stored afterwards.

`LOCI_PROGRAMS=target/debug python ui/src/run/logs/record.py` writes the .jsonl files beside it: a line for each stream,
byte for byte as it came, then one with the thread's stored messages. The tests of ui/src/run read them.
"""

import json
import pathlib
import sys
import tempfile
import threading

import httpx

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[3] / "tests"))

from support.programs import TOKEN, FakeModel, Server  # noqa: E402

READ = {
    "name": "read_file",
    "description": "Reads a file.",
    "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]},
}
INSERT = {"name": "memory_insert", "arguments": {"label": "human", "new_string": "Likes herons.\nAnd “egrets”, \\ too."}}
FIND = {"name": "conversation_search", "arguments": {"query": "herons"}}
MARKDOWN = "# Herons\n\nThey *wait* — then strike.\n\n```python\nprint('kraak')  # ü 🐦\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
KINDS = [
    "user", "assistant", "reasoning", "hidden_reasoning", "tool_call", "tool_return", "approval_request",
    "approval_response", "summary", "event",
]


class Thread:
    """One agent's main conversation, used as the window uses it."""

    def __init__(self, http, model):
        self.http, self.model, self.lines = http, model, []
        self.id = http.post("/v1/agents/", json={
            "name": "Mercury", "model": "openai/gpt-4.1", "parallel_tool_calls": True,
            "memory_blocks": [{"label": "human", "value": "Name: Ada."}, {"label": "persona", "value": "Calm."}],
        }).json()["id"]

    def send(self, text=None, tokens=True, on_piece=None, **body):
        if text is not None:
            body["messages"] = [{"role": "user", "content": [{"type": "text", "text": text}], "otid": f"own-{len(self.lines)}"}]
        body |= {
            "streaming": True, "stream_tokens": tokens, "background": True, "include_pings": True,
            "include_compaction_messages": True,
        }
        heard = ""
        with self.http.stream("POST", f"/v1/agents/{self.id}/messages", json=body) as answer:
            for piece in answer.iter_text():
                heard += piece
                if on_piece:
                    on_piece(heard)
        self.lines.append({"stream": heard})
        return heard

    def save(self, name):
        query = [("limit", "100"), ("order", "desc"), ("include_err", "true"), ("conversation_id", "default")]
        query += [("include_return_message_types", f"{kind}_message") for kind in KINDS]
        stored = self.http.get(f"/v1/agents/{self.id}/messages", params=query).raise_for_status().json()
        lines = [json.dumps(line, ensure_ascii=False) for line in [*self.lines, {"stored": stored}]]
        (HERE / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{name}: {len(self.lines)} streams, {len(stored)} messages")


def with_tools(thread, tokens):
    thread.model.script(
        {"reasoning": "They like herons.", "text": "Let me note it.", "tool_calls": [INSERT, FIND]},
        {"reasoning": "Noted.", "text": MARKDOWN},
    )
    thread.send("I like herons", tokens)
    thread.model.script({"text": "You told me about herons."})
    thread.send("What do I like?", tokens)


def approved(thread):
    calls = [{"name": "read_file", "arguments": {"path": name}} for name in ("a.txt", "b.txt", "c.txt")]
    thread.model.script({"text": "Three files.", "tool_calls": calls})
    thread.send("Read my notes", client_tools=[READ])
    asked = thread.http.get(f"/v1/agents/{thread.id}", params={"include": "agent.pending_approval"}).json()["pending_approval"]
    ids = [call["tool_call_id"] for call in asked["tool_calls"]]
    thread.model.script({"text": "A says one; the others I may not see."})
    thread.send(messages=[{"type": "approval", "approval_request_id": asked["id"], "approvals": [
        {"type": "tool", "tool_call_id": ids[0], "tool_return": "one", "status": "success"},
        {"type": "tool", "tool_call_id": ids[1], "tool_return": "no such file", "status": "error"},
        {"type": "approval", "tool_call_id": ids[2], "approve": False, "reason": "Not that one."},
    ]}])


def cut(thread):
    thread.model.script({"text": "This sentence will never be " + "very " * 40 + "long.", "cut_after_bytes": 2500})
    thread.send("Speak")
    thread.model.script({"text": "Now I can."})
    thread.send("Again")


def cancelled(thread):
    thread.model.script({"text": "One two three four five six seven eight nine ten.", "chunk_delay_ms": 40})
    asked = threading.Event()

    def stop(heard):
        if "three" in heard and not asked.is_set():
            asked.set()
            threading.Thread(
                target=lambda: thread.http.post(f"/v1/agents/{thread.id}/messages/cancel", json={}).raise_for_status()
            ).start()

    thread.send("Count", on_piece=stop)


def main():
    model = FakeModel()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(pathlib.Path(folder) / "data", model)
        http = httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=60)
        records = {
            "tools-tokens": lambda thread: with_tools(thread, tokens=True),
            "tools-steps": lambda thread: with_tools(thread, tokens=False),
            "approved": approved,
            "cut": cut,
            "cancelled": cancelled,
        }
        for name, record in records.items():
            model.reset()
            thread = Thread(http, model)
            record(thread)
            thread.save(name)
        server.close()
    model.close()


main()
