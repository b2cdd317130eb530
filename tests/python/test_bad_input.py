"""Bad input of every kind: a 4xx in the right shape, in bounded time, and the server goes on."""

import json
import time

import httpx
import pytest

from support.programs import TOKEN, FakeModel, Server

GOOD = "123e4567-e89b-42d3-8456-426614174000"
BIG = "x" * (10 * 1024 * 1024)


def nested(depth):
    return '{"input":' + "[" * depth + "]" * depth + "}"


# Bodies that no endpoint can take, whatever it expects. (name, raw bytes)
BODIES = [
    ("empty", b""),
    ("not json", b"hello"),
    ("cut json", b'{"name": "x"'),
    ("trailing text", b'{"name": "x"} x'),
    ("array", b"[]"),
    ("string", b'"text"'),
    ("number", b"17"),
    ("null", b"null"),
    ("true", b"true"),
    ("invalid utf-8", b'{"name": "\xff\xfe"}'),
    ("raw nul", b'{"name": "a\x00b"}'),
    ("utf-16", '{"name": "x"}'.encode("utf-16")),
    ("lone surrogate", b'{"name": "\\ud800"}'),
    ("deep", nested(100_000).encode()),
    ("nan", b'{"input": NaN}'),
    ("bad number", b'{"input": 1e999999}'),
    ("single quotes", b"{'input': 'x'}"),
]

# Endpoints that need a body. AGENT, BLOCK, TOOL and CONV stand for ones that exist.
POSTS = [
    ("POST", "/v1/agents/"),
    ("POST", "/v1/agents/AGENT/messages"),
    ("POST", "/v1/blocks/"),
    ("POST", "/v1/tools/"),
    ("PUT", "/v1/tools/"),
    ("POST", "/v1/tools/run"),
    ("POST", "/v1/conversations/CONV/messages"),
]

# Single fields of a wrong kind. (method, path, body)
FIELDS = [
    *[("POST", "/v1/agents/", {"model": "openai/gpt-4.1"} | wrong) for wrong in (
        {"name": 7}, {"name": "a/b"}, {"name": ["x"]}, {"name": ""}, {"model": 7}, {"model": "gpt"}, {"model": "nobody/x"},
        {"tools": "web_search"}, {"tools": [7]}, {"tools": ["no_such_tool"]}, {"tool_ids": ["tool-1"]},
        {"tool_ids": [f"tool-{GOOD}"]}, {"block_ids": ["x"]}, {"block_ids": [f"block-{GOOD}"]},
        {"memory_blocks": {}}, {"memory_blocks": ["x"]}, {"memory_blocks": [{}]}, {"memory_blocks": [{"label": 1, "value": "x"}]},
        {"memory_blocks": [{"label": "has space", "value": "x"}]}, {"memory_blocks": [{"label": "", "value": "x"}]},
        {"memory_blocks": [{"label": "a", "value": 5}]}, {"memory_blocks": [{"label": "a", "value": "x", "limit": "many"}]},
        {"memory_blocks": [{"label": "a", "value": "x", "limit": -1}]},
        {"tool_rules": [{}]}, {"tool_rules": [{"tool_name": "x", "type": "nonsense"}]}, {"tool_rules": "x"},
        {"tool_rules": [{"tool_name": "x", "type": "max_count_per_step"}]},
        {"tool_rules": [{"tool_name": "x", "type": "conditional", "child_output_mapping": {}}]},
        {"agent_type": "butler"}, {"tags": "x"}, {"tags": [1]}, {"timezone": "Mars/Olympus"}, {"metadata": []},
        {"context_window_limit": "big"}, {"context_window_limit": -5}, {"include_base_tools": "maybe"},
        {"secrets": []}, {"secrets": {"A": 1}}, {"model_settings": "hot"}, {"embedding": 3},
        {"initial_message_sequence": [{"role": "tool", "content": "x"}]},
    )],
    *[("POST", "/v1/agents/AGENT/messages", wrong) for wrong in (
        {}, {"input": "x", "messages": []}, {"messages": []}, {"input": ""}, {"input": []}, {"input": 7}, {"input": {"a": 1}},
        {"messages": "x"}, {"messages": [7]}, {"messages": [{}]}, {"messages": [{"role": "user"}]},
        {"messages": [{"role": "robot", "content": "x"}]}, {"messages": [{"role": "user", "content": 7}]},
        {"messages": [{"role": "user", "content": ""}]}, {"messages": [{"role": "user", "content": [{"type": "nope"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "file:///etc/passwd"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://127.0.0.1:1/x.png"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "%%%"}}]}]},
        {"messages": [{"tool_returns": []}]}, {"messages": [{"type": "nonsense", "content": "x"}]},
        {"messages": [{"type": "approval"}]}, {"messages": [{"type": "approval", "approvals": []}]},
        {"messages": [{"type": "approval", "approvals": "x"}]},
        {"messages": [{"type": "approval", "approvals": [{"type": "approval", "tool_call_id": "x", "approve": True}]}]},
        {"messages": [{"type": "tool_return", "tool_returns": [{"tool_call_id": "x", "tool_return": "y", "status": "fine"}]}]},
        {"input": "x", "max_steps": "many"}, {"input": "x", "max_steps": -1}, {"input": "x", "max_steps": 1.5},
        {"input": "x", "stream_tokens": True}, {"input": "x", "background": True}, {"input": "x", "include_pings": False},
        {"input": "x", "streaming": "perhaps"}, {"input": "x", "client_tools": "x"}, {"input": "x", "client_tools": [{}]},
        {"input": "x", "client_tools": [{"name": 5}]}, {"input": "x", "include_return_message_types": ["nonsense"]},
        {"input": "x", "override_model": "nobody/x"}, {"input": "x", "client_skills": [{}]},
    )],
    *[("POST", "/v1/blocks/", wrong) for wrong in (
        {}, {"label": "a"}, {"value": "x"}, {"label": 5, "value": "x"}, {"label": "a b", "value": "x"},
        {"label": "a", "value": "x", "limit": "y"}, {"label": "a", "value": "x", "read_only": "maybe"},
        {"label": "a", "value": "x", "metadata": "y"}, {"label": "a", "value": "x", "tags": 5},
    )],
    *[("PATCH", "/v1/blocks/BLOCK", wrong) for wrong in ({"value": 5}, {"limit": "x"}, {"limit": -1}, {"label": "a b"}, {"tags": "x"})],
    *[(method, "/v1/tools/", wrong) for method in ("POST", "PUT") for wrong in (
        {}, {"source_code": 5}, {"source_code": ""}, {"source_code": "x = 1"}, {"source_code": "def f(:\n  pass"},
        {"source_code": "def f(a):\n    return a"}, {"source_code": 'def f():\n    """Does."""\n', "name": "f"},
        {"source_code": 'def f():\n    """Does."""\n', "return_char_limit": 0},
        {"source_code": 'def f():\n    """Does."""\n', "return_char_limit": 1_000_001},
        {"source_code": 'def f():\n    """Does."""\n', "source_type": "cobol"},
        {"source_code": 'def f():\n    """Does."""\n', "pip_requirements": [{"name": ""}]},
        {"source_code": "export function f() {}", "source_type": "typescript", "json_schema": "x"},
    )],
    ("POST", "/v1/tools/run", {"source_code": "x"}),
    ("POST", "/v1/tools/run", {"source_code": 5, "args": {}}),
    ("POST", "/v1/tools/run", {"source_code": "x", "args": []}),
    ("POST", "/v1/tools/run", {"source_code": "x", "args": {}, "surprise": 1}),
    ("PATCH", "/v1/agents/AGENT", {"name": 7}),
    ("PATCH", "/v1/agents/AGENT", {"model": "nobody/x"}),
    ("PATCH", "/v1/agents/AGENT", {"tool_ids": ["x"]}),
    ("PATCH", "/v1/agents/AGENT", {"tool_rules": [{"type": "x"}]}),
    ("PATCH", "/v1/agents/AGENT/tools/approval/memory_insert", {"requires_approval": "perhaps"}),
    ("PATCH", "/v1/agents/AGENT/tools/approval/memory_insert", {"requires_approval": True, "x": 1}),
    ("PATCH", "/v1/conversations/CONV", {"summary": 5}),
    ("POST", "/v1/runs/RUN/stream", {"starting_after": "x"}),
]

# Paths and queries that cannot be right.
PATHS = [
    *[("GET", f"/v1/agents/{bad}") for bad in (
        "x", "agent-1", f"block-{GOOD}", f"agent-{GOOD.upper()}", f"agent-{GOOD}0", "agent-%00", "%ff%fe", f"agent-{GOOD}%20",
        "..%2f..%2fetc%2fpasswd", f"agent-{GOOD}",
    )],
    *[("GET", f"/v1/{kind}/x") for kind in ("blocks", "tools", "conversations", "runs", "messages")],
    *[("GET", f"/v1/{kind}/{prefix}-{GOOD}") for kind, prefix in (
        ("blocks", "block"), ("tools", "tool"), ("conversations", "conv"), ("runs", "run"), ("messages", "message"),
    )],
    *[("DELETE", f"/v1/{kind}/{prefix}-{GOOD}") for kind, prefix in (
        ("agents", "agent"), ("blocks", "block"), ("tools", "tool"), ("conversations", "conv"),
    )],
    ("GET", "/v1/agents/?limit=-1"), ("GET", "/v1/agents/?limit=x"), ("GET", "/v1/agents/?order=sideways"),
    ("GET", "/v1/runs/?limit=0"), ("GET", "/v1/runs/?limit=5000"), ("GET", "/v1/runs/?statuses=sleeping"),
    ("GET", "/v1/tools/?tool_types=nonsense"), ("GET", "/v1/agents/AGENT/messages?limit=-5"),
    ("GET", f"/v1/agents/AGENT/messages?before=message-{GOOD}"), ("GET", "/v1/nothing/here"), ("GET", "/v1"),
    ("PUT", "/v1/agents/AGENT"), ("DELETE", "/v1/models/"), ("POST", "/v1/health/"), ("PATCH", "/v1/tools/"),
    ("GET", "/v1/agents/AGENT/core-memory/blocks/nothing"), ("GET", "/v1/agents/AGENT/core-memory/blocks/%00"),
    ("PATCH", f"/v1/agents/AGENT/tools/attach/tool-{GOOD}"), ("PATCH", "/v1/agents/AGENT/tools/attach/x"),
    ("PATCH", f"/v1/agents/AGENT/core-memory/blocks/attach/block-{GOOD}"),
    ("POST", "/v1/conversations/"), ("POST", f"/v1/conversations/?agent_id=agent-{GOOD}"), ("POST", "/v1/conversations/?agent_id=x"),
    ("PATCH", "/v1/agents/AGENT/reset-messages"),
]

BIG_BODIES = [
    ("POST", "/v1/agents/", {"name": BIG, "model": "openai/gpt-4.1"}),
    ("POST", "/v1/tools/", {"source_code": BIG}),
    ("POST", "/v1/blocks/", {"label": BIG, "value": "x"}),
    ("POST", "/v1/agents/AGENT/messages", {"messages": [{"role": BIG, "content": "x"}]}),
]

CASES = (
    [(f"{m} {p} {n}", m, p, body) for m, p in POSTS for n, body in BODIES]
    + [(f"{m} {p} {json.dumps(b)}", m, p, json.dumps(b).encode()) for m, p, b in FIELDS]
    + [(f"{m} {p}", m, p, None) for m, p in PATHS]
    + [(f"{m} {p} 10 MB", m, p, json.dumps(b).encode()) for m, p, b in BIG_BODIES]
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    model = FakeModel()
    model.default({"text": "ok"})
    server = Server(tmp_path_factory.mktemp("bad") / "data", model)
    http = httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {TOKEN}"}, timeout=20)
    agent = http.post("/v1/agents/", json={"model": "openai/gpt-4.1", "memory_blocks": [{"label": "human", "value": "x"}]}).json()
    block = http.get(f"/v1/agents/{agent['id']}/core-memory/blocks").json()[0]
    conversation = http.post(f"/v1/conversations/?agent_id={agent['id']}", json={}).json()
    http.post(f"/v1/agents/{agent['id']}/messages", json={"input": "hi"}).raise_for_status()
    run = http.get("/v1/runs/").json()[0]
    names = {"AGENT": agent["id"], "BLOCK": block["id"], "CONV": conversation["id"], "RUN": run["id"]}
    yield http, names, server
    http.close()
    server.close()
    model.close()


def test_the_table_is_large_enough():
    assert len(CASES) >= 150
    assert len({case[1:] for case in CASES}) == len(CASES)


@pytest.mark.parametrize(("method", "path", "body"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_is_refused(world, method, path, body):
    http, names, server = world
    for name, value in names.items():
        path = path.replace(name, value)
    start = time.monotonic()
    # An SDK header, so that the strict rules of SDK clients hold.
    answer = http.request(
        method, path, content=body, headers={"content-type": "application/json", "x-stainless-package-version": "1.12.1"}
    )
    assert time.monotonic() - start < 10
    assert 400 <= answer.status_code < 500, answer.text[:500]
    assert answer.headers["content-type"].startswith("application/json")
    parsed = answer.json()
    assert isinstance(parsed, dict)
    detail = parsed.get("detail", parsed.get("error"))
    assert isinstance(detail, (str, dict)) and detail, parsed
    if answer.status_code == 422:
        assert "trace_id" in parsed or parsed["detail"] == "Messages must not be empty" or isinstance(parsed["detail"], str)
    text = answer.text.lower()
    for leak in ("sqlite", "panicked", "/work/", "src/", ".rs:", "select ", "constraint failed"):
        assert leak not in text, parsed
    assert len(answer.text) < 20_000, "an error repeats nothing huge"
    assert server.process.child.poll() is None


def test_nothing_panicked_and_it_still_works(world):
    http, names, server = world
    assert http.get("/v1/health/").json()["status"] == "ok"
    assert http.post(f"/v1/agents/{names['AGENT']}/messages", json={"input": "still fine?"}).status_code == 200
    assert not any("panicked" in line for line in server.process.stderr)


@pytest.mark.parametrize("headers", [
    {}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer"}, {"authorization": TOKEN}, {"authorization": "Basic eA=="},
], ids=["none", "wrong", "empty", "bare", "basic"])
def test_without_the_token_nothing_is_told(world, headers):
    _, _, server = world
    answer = httpx.get(server.url + "/v1/agents/", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"detail": "Unauthorized"}
    assert httpx.get(server.url + "/v1/health", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [
    {"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"},
], ids=["host", "host prefix", "origin", "null origin"])
def test_other_hosts_and_origins_are_refused(world, headers):
    _, _, server = world
    answer = httpx.get(server.url + "/v1/agents/", headers={"authorization": f"Bearer {TOKEN}"} | headers)
    assert answer.status_code == 403, answer.text
