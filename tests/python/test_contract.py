"""Our API document and our answers, held against the published contract (tests/contract/published.json)."""

import json
import pathlib
import re

import jsonschema
import pytest

CONTRACT = pathlib.Path(__file__).parents[1] / "contract"
PUBLISHED = json.loads((CONTRACT / "published.json").read_text())
OPERATIONS = [
    tuple(line.split()) for line in (CONTRACT / "operations.txt").read_text().splitlines() if line and line[0] != "#"
]


def plain(path):
    """A path whose parameters have no names, without a trailing slash."""
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    import httpx

    from support.programs import Server

    server = Server(tmp_path_factory.mktemp("contract") / "data", None)
    document = httpx.get(server.url + "/openapi.json").json()
    server.close()
    return {plain(path): methods for path, methods in document["paths"].items()}


@pytest.mark.parametrize(("method", "path"), OPERATIONS, ids=[" ".join(one) for one in OPERATIONS])
def test_each_operation_is_described_with_its_parameters(ours, method, path):
    assert plain(path) in ours, "missing path"
    assert method.lower() in ours[plain(path)], "missing method"
    published, own = PUBLISHED["paths"][path][method.lower()], ours[plain(path)][method.lower()]
    required = lambda op, places: {  # noqa: E731
        p["name"] for p in op.get("parameters", []) if p.get("required") and p["in"] in places
    }
    assert required(published, ("query",)) <= {p["name"] for p in own.get("parameters", [])}
    assert required(own, ("query", "header", "cookie")) <= required(published, ("query", "header", "cookie")), "we ask for more"
    assert len(required(own, ("path",))) == len(required(published, ("path",)))
    if (published.get("requestBody") or {}).get("required"):
        assert "requestBody" in own
    if "requestBody" not in published:
        assert not (own.get("requestBody") or {}).get("required")


class Recorder:
    """Calls an operation and validates the answer against the published response schema."""

    def __init__(self, http):
        self.http = http
        self.seen = set()

    def __call__(self, method, path, *, status=200, json=None, params=None, **ids):
        url = path
        for name, value in ids.items():
            url = url.replace("{" + name + "}", value)
        answer = self.http.request(method, url, json=json, params=params)
        assert answer.status_code == status, (method, url, answer.text)
        self.seen.add((method, path))
        responses = PUBLISHED["paths"][path][method.lower()]["responses"]
        content = responses.get(str(status), responses.get("200", {})).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        body = answer.json()
        if schema:
            jsonschema.Draft202012Validator(schema | {"components": PUBLISHED["components"]}).validate(body)
        return body


def test_every_answer_has_the_published_shape(http, model):
    call = Recorder(http)
    model.default({"text": "Hello.", "reasoning": "A greeting."})
    call("GET", "/v1/health/")
    call("GET", "/v1/models/")
    call("GET", "/v1/models/embedding")

    # tools
    source = 'def roll(sides: int) -> str:\n    """Rolls a die.\n\n    Args:\n        sides: How many sides.\n    """\n    return f"rolled {sides}"\n'
    tool = call("POST", "/v1/tools/", json={"source_code": source})
    assert call("PUT", "/v1/tools/", json={"source_code": source})["id"] == tool["id"]
    call("GET", "/v1/tools/{tool_id}", tool_id=tool["id"])
    call("PATCH", "/v1/tools/{tool_id}", tool_id=tool["id"], json={"description": "Rolls."})
    call("GET", "/v1/tools/", params={"limit": 100})
    assert len(call("POST", "/v1/tools/add-base-tools")) == 26
    ran = call("POST", "/v1/tools/run", json={"source_code": source, "args": {"sides": 6}})
    assert (ran["status"], ran["tool_return"]) == ("success", "rolled 6")

    # blocks and agents
    block = call("POST", "/v1/blocks/", json={"label": "project", "value": "Loci"})
    call("GET", "/v1/blocks/{block_id}", block_id=block["id"])
    call("PATCH", "/v1/blocks/{block_id}", block_id=block["id"], json={"value": "Loci, a workbench"})
    call("GET", "/v1/blocks/")
    agent = call("POST", "/v1/agents/", json={
        "model": "openai/gpt-4.1", "embedding": "openai/text-embedding-3-small", "tools": ["web_search"],
        "memory_blocks": [{"label": "human", "value": "Timber"}], "tags": ["a"], "secrets": {"K": "v"},
        "tool_rules": [{"type": "max_count_per_step", "tool_name": "web_search", "max_count_limit": 3}],
    })
    aid = {"agent_id": agent["id"]}
    call("GET", "/v1/agents/")
    call("GET", "/v1/agents/{agent_id}", **aid)
    call("PATCH", "/v1/agents/{agent_id}", json={"description": "tested"}, **aid)
    call("PATCH", "/v1/agents/{agent_id}/tools/attach/{tool_id}", tool_id=tool["id"], **aid)
    call("GET", "/v1/agents/{agent_id}/tools", **aid)
    call("PATCH", "/v1/agents/{agent_id}/tools/approval/{tool_name}", tool_name="web_search",
         json={"requires_approval": True}, **aid)
    ran = call("POST", "/v1/agents/{agent_id}/tools/{tool_name}/run", tool_name="roll", json={"args": {"sides": 4}}, **aid)
    assert (ran["status"], ran["func_return"]) == ("success", "rolled 4")
    call("PATCH", "/v1/agents/{agent_id}/core-memory/blocks/attach/{block_id}", block_id=block["id"], **aid)
    call("GET", "/v1/blocks/{block_id}/agents", block_id=block["id"])
    call("GET", "/v1/agents/{agent_id}/core-memory/blocks", **aid)
    call("GET", "/v1/agents/{agent_id}/core-memory/blocks/{block_label}", block_label="project", **aid)
    call("PATCH", "/v1/agents/{agent_id}/core-memory/blocks/{block_label}", block_label="project", json={"value": "L"}, **aid)
    call("PATCH", "/v1/agents/{agent_id}/core-memory/blocks/detach/{block_id}", block_id=block["id"], **aid)

    # messages and runs
    model.script({"text": "Rolling.", "reasoning": "A die.", "tool_calls": [{"name": "roll", "arguments": {"sides": 6}}]})
    sent = call("POST", "/v1/agents/{agent_id}/messages", json={"input": "Roll."}, **aid)
    assert [m["message_type"] for m in sent["messages"]][-1] == "assistant_message"
    listed = call("GET", "/v1/agents/{agent_id}/messages", **aid)
    call("GET", "/v1/messages/{message_id}", message_id=listed[-1]["id"])
    [run] = call("GET", "/v1/runs/", params={"agent_id": agent["id"]})
    call("GET", "/v1/runs/{run_id}", run_id=run["id"])
    cancelled = http.post(f"/v1/agents/{agent['id']}/messages/cancel", json={"run_ids": [run["id"]]})
    assert cancelled.status_code in (200, 409)

    # conversations
    conversation = call("POST", "/v1/conversations/", params=aid, json={"summary": "A talk"})
    cid = {"conversation_id": conversation["id"]}
    call("GET", "/v1/conversations/", params=aid)
    call("GET", "/v1/conversations/{conversation_id}", **cid)
    call("PATCH", "/v1/conversations/{conversation_id}", json={"summary": "Renamed"}, **cid)
    call("POST", "/v1/conversations/{conversation_id}/messages", json={"input": "Hi", "streaming": False}, **cid)
    call("GET", "/v1/conversations/{conversation_id}/messages", **cid)

    # endings
    call("PATCH", "/v1/agents/{agent_id}/reset-messages", json={"add_default_initial_messages": False}, **aid)
    call("PATCH", "/v1/agents/{agent_id}/tools/detach/{tool_id}", tool_id=tool["id"], **aid)
    call("DELETE", "/v1/conversations/{conversation_id}", **cid)
    call("DELETE", "/v1/tools/{tool_id}", tool_id=tool["id"])
    call("DELETE", "/v1/blocks/{block_id}", block_id=block["id"])
    call("DELETE", "/v1/agents/{agent_id}", **aid)

    elsewhere = {
        ("POST", "/v1/agents/{agent_id}/messages/stream"), ("POST", "/v1/agents/{agent_id}/messages/cancel"),
        ("POST", "/v1/conversations/{conversation_id}/stream"), ("POST", "/v1/conversations/{conversation_id}/cancel"),
        ("POST", "/v1/runs/{run_id}/stream"),
    }
    assert set(OPERATIONS) - call.seen == elsewhere, "streams and cancels are tested in test_streaming.py"


def test_each_stream_event_has_the_published_shape(http, model, agent):
    union = PUBLISHED["components"]["schemas"]
    model.script(
        {"text": "Noting.", "reasoning": "Hm.", "tool_calls": [{"name": "memory_insert", "arguments": {"label": "human", "new_string": "x"}}]},
        {"text": "Done."},
    )
    names = {
        "ping": "LettaPing", "reasoning_message": "ReasoningMessage", "assistant_message": "AssistantMessage",
        "tool_call_message": "ToolCallMessage", "tool_return_message": "ToolReturnMessage", "stop_reason": "LettaStopReason",
        "usage_statistics": "LettaUsageStatistics",
    }
    seen = set()
    with http.stream("POST", f"/v1/agents/{agent.id}/messages/stream", json={"input": "x", "stream_tokens": True}) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: {"):
                event = json.loads(line[6:])
                kind = event["message_type"]
                seen.add(kind)
                if names[kind] in union:
                    schema = {"$ref": f"#/components/schemas/{names[kind]}", "components": PUBLISHED["components"]}
                    jsonschema.Draft202012Validator(schema).validate(event)
    assert seen == set(names)
