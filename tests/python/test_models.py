"""Providers, models, what they cost, trying one out, and a runtime of this machine: as programs and the page see them."""

import time

import pytest

from support.programs import ROOT, Server

KEY = "sk-of-a-person-0123456789"


def until(read, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = read()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_the_first_model_is_one_that_can_be_reached(client, agent, model):
    models = client.models.list()
    assert models[0].handle.startswith("openai/")
    first = models[0].to_dict()
    assert first["max_context_window"] >= first["context_window"] > 0
    assert set(first["capabilities"]) == {"tools", "images", "reasoning"}
    known = next(one for one in models if one.handle == "openai/gpt-4.1").to_dict()
    assert known["price"] is None, "list prices hold only at the maker's own address"
    assert any("embedding" in one.handle for one in client.models.embeddings.list())


def test_a_provider_is_added_checked_and_removed_and_its_key_stays_in(http, client, model, server):
    wrong = {"name": "mine", "provider_type": "openai", "api_key": KEY, "base_url": "http://127.0.0.1:9/v1"}
    refused = http.post("/v1/providers/check", json=wrong)
    assert refused.status_code == 502 and refused.json()["error"]["type"] == "llm_error"
    right = wrong | {"base_url": f"{model.url}/v1"}
    assert http.post("/v1/providers/check", json=right).status_code == 200
    added = http.post("/v1/providers/", json=right).json()
    assert added["provider_category"] == "byok" and added["api_key"] is None and added["api_key_enc"] is None
    assert KEY not in http.get("/v1/providers/").text
    handles = until(lambda: [one.handle for one in client.models.list() if one.handle.startswith("mine/")])
    model.script({"text": "From the new one."})
    agent = client.agents.create(model=next(handle for handle in handles if "gpt" in handle))
    answer = client.agents.messages.create(agent.id, input="hi")
    assert answer.messages[-1].content == "From the new one."
    assert model.requests()[-1] and http.patch(f"/v1/providers/{added['id']}/refresh").json()["last_synced"]

    http.patch(f"/v1/providers/{added['id']}", json={"api_key": KEY, "base_url": "http://127.0.0.1:9/v1"})
    client.models.list()
    shown = next(one for one in http.get("/workbench/providers").json() if one["name"] == "mine")
    assert shown["reachable"] is False and shown["problem"]
    assert all(not one.handle.startswith("mine/") for one in client.models.list())
    assert http.delete(f"/v1/providers/{added['id']}").status_code == 200
    assert http.get(f"/v1/providers/{added['id']}").status_code == 404
    for path in server.data.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path


def test_what_was_spent_is_counted_and_a_budget_stops_and_lets_go_on(client, http, model, agent):
    from letta_client import APIStatusError

    model.default({"text": "Yes.", "usage": {"prompt_tokens": 700, "completion_tokens": 50}})
    budget = http.post("/workbench/budgets", json={"period": "day", "limit_tokens": 1000}).json()
    for _ in range(2):
        client.agents.messages.create(agent.id, input="hello")
    with pytest.raises(APIStatusError) as stopped:
        client.agents.messages.create(agent.id, input="hello")
    assert stopped.value.status_code == 402 and "Raise the budget" in str(stopped.value)
    run = client.runs.list(agent_id=agent.id, limit=1).items[0]
    assert run.stop_reason == "insufficient_credits"
    http.patch(f"/workbench/budgets/{budget['id']}", json={"limit_tokens": 1_000_000}).raise_for_status()
    assert client.agents.messages.create(agent.id, input="hello").messages[-1].content == "Yes."
    spent = http.get("/workbench/usage", params={"group_by": "agent"}).json()
    assert spent["groups"][0]["key"] == agent.id and spent["groups"][0]["calls"] == 3
    assert spent["total"]["cost_usd"] is None and spent["total"]["cost_is_partial"], "no price is made up"


def test_a_model_is_tried_only_when_asked(http, model):
    model.default({"text": "heron"})
    before = len(model.requests())
    assert http.get("/workbench/preflight").json() == []
    card = http.post(
        "/workbench/preflight", json={"model": "openai/gpt-4.1", "checks": ["plain_reply", "tool_call"]}
    ).json()
    done = until(lambda: (c := http.get(f"/workbench/preflight/{card['id']}").json())["status"] != "running" and c)
    verdicts = {check["name"]: check["verdict"] for check in done["checks"]}
    assert verdicts == {"plain_reply": "pass", "tool_call": "fail"} and done["fits_agents"] is False
    assert done["checks"][1]["remedy"] and len(model.requests()) == before + 2


def test_archival_memory_by_the_sdk(client, model, agent):
    client.agents.passages.create(agent.id, text="The code is HERON-42", tags=["code"])
    client.agents.passages.create(agent.id, text="Mira prefers green tea")
    found = client.agents.passages.search(agent.id, query="which code?", tags=["code"])
    assert found.count == 1 and found.results[0].content == "The code is HERON-42"
    listed = client.agents.passages.list(agent.id)
    assert [one.text for one in listed] == ["The code is HERON-42", "Mira prefers green tea"]
    client.agents.passages.delete(listed[0].id, agent_id=agent.id)
    assert len(client.agents.passages.list(agent.id)) == 1

    archive = client.archives.create(name="Shared", description="for all")
    client.archives.passages.create_many(archive.id, passages=[{"text": "Soup wants an hour"}])
    client.agents.archives.attach(archive.id, agent_id=agent.id)
    assert client.agents.passages.search(agent.id, query="soup").count == 1
    hits = client.passages.search(archive_id=archive.id, query="soup")
    assert hits[0].passage.text == "Soup wants an hour"
    client.agents.archives.detach(archive.id, agent_id=agent.id)
    assert [one.name for one in client.archives.list(name="Shared")] == ["Shared"]
    client.archives.delete(archive.id)
    assert client.archives.list(name="Shared").items == []


def test_a_managed_llama_server_runs_ends_and_its_model_speaks(http, client, tmp_path):
    file = tmp_path / "tiny.gguf"
    file.write_text('GGUF\n{"context": 2048}\n')
    launch = {"program": str(ROOT / "tests/support/fake_llama_server.py"), "model": str(file), "context_length": 4096}
    path = "/workbench/runtimes/llama-server"
    http.put(path, json=launch).raise_for_status()
    http.post(f"{path}/start").raise_for_status()
    running = until(lambda: (s := http.get(path).json())["phase"] in ("running", "failed") and s)
    assert running["phase"] == "running" and running["context_in_force"] == 2048 and running["context_note"]
    until(lambda: any(one.handle == "llama-server/tiny" for one in client.models.list()))
    agent = client.agents.create(model="llama-server/tiny")
    answer = client.agents.messages.create(agent.id, input="hi")
    assert answer.messages[-1].content == "Hello from the fake llama."
    assert http.get("/workbench/usage").json()["total"]["cost_usd"] == 0
    assert http.post(f"{path}/stop").json()["phase"] == "stopped"


def test_a_running_llama_server_is_found_without_setup(tmp_path, model):
    import os
    import subprocess
    import sys

    file = tmp_path / "mine.gguf"
    file.write_text("GGUF\n{}\n")
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [sys.executable, str(ROOT / "tests/support/fake_llama_server.py"), "--model", str(file), "--alias", "mine"]
    runtime = subprocess.Popen([*program, "--port", str(port)], env={"PATH": os.environ["PATH"]})
    try:
        import urllib.request

        def is_up():
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).status == 200
            except OSError:
                return False

        until(is_up)
        server = Server(tmp_path / "data", model, env={"LOCI_RUNTIMES": f"llama-server={port}"})
        try:
            from letta_client import Letta
            from support.programs import TOKEN

            client = Letta(base_url=server.url, api_key=TOKEN, max_retries=0, timeout=30)
            until(lambda: any(one.handle == "llama-server/mine" for one in client.models.list()))
        finally:
            server.close()
    finally:
        runtime.kill()
        runtime.wait()


def test_every_attempt_of_a_call_is_shown_in_its_steps_trace(client, http, model, agent):
    model.script(
        {"status": 503, "error": {"message": "the first door is shut", "type": "server_error"}},
        {"status": 429, "error": {"message": "the second says slowly", "type": "rate_limit"}, "headers": {"retry-after": "0"}},
        {"text": "Third time lucky."},
    )
    answer = client.agents.messages.create(agent.id, input="hello")
    assert answer.messages[-1].content == "Third time lucky."
    assert len(model.requests()) == 3 and model.requests()[0] == model.requests()[2], "the same bytes each time"
    step = http.get(f"/v1/steps/{answer.messages[-1].step_id}").json()
    trace = http.get(f"/v1/steps/{step['id']}/trace").json()
    assert trace["request_json"] == model.requests()[2]
    assert "Third time lucky." in str(trace["response_json"])
    attempts = trace["response_json"]["loci_attempts"]
    assert [one["number"] for one in attempts] == [1, 2]
    assert "the first door is shut" in attempts[0]["error"] and "the second says slowly" in attempts[1]["error"]
    assert all(one["waited_ms"] >= 0 for one in attempts)
    assert "sk-fake" not in str(trace)
    assert step["request_id"] == "req-3", "the provider's own id of the request that counted"


def test_a_call_that_never_got_through_shows_its_attempts_too(client, http, model, agent):
    from letta_client import APIStatusError

    model.default({"status": 503, "error": {"message": "nobody home"}, "headers": {"retry-after": "0"}})
    with pytest.raises(APIStatusError) as refused:
        client.agents.messages.create(agent.id, input="hello")
    assert "nobody home" in str(refused.value)
    run = client.runs.list(agent_id=agent.id, limit=1).items[0]
    step = http.get(f"/v1/runs/{run.id}/steps").json()[0]
    trace = http.get(f"/v1/steps/{step['id']}/trace").json()
    assert len(trace["response_json"]["loci_attempts"]) == len(model.requests()) - 1 == 3
    assert trace["request_json"] == model.requests()[-1], "the exact request is there although nothing came of it"


def test_how_long_a_prompt_stays_cached_is_a_setting_and_goes_out(client, http, model):
    agent = client.agents.create(model="anthropic/claude-sonnet-4-5")
    path = f"/v1/agents/{agent.id}"

    def marks():
        client.agents.messages.create(agent.id, input="hello")
        body = model.requests()[-1]
        return [body["system"][-1]["cache_control"], body["messages"][-1]["content"][-1]["cache_control"]]

    model.default({"text": "Yes."})
    assert marks() == [{"type": "ephemeral"}] * 2
    settings = http.get(path).json()["model_settings"]
    assert "cache_ttl" not in settings, "shown only where somebody set it"
    set_to = http.patch(path, json={"model_settings": settings | {"cache_ttl": "1h"}}).json()
    assert set_to["model_settings"]["cache_ttl"] == "1h"
    assert marks() == [{"type": "ephemeral", "ttl": "1h"}] * 2
    assert http.patch(path, json={"model_settings": settings | {"cache_ttl": "1d"}}).status_code == 422
    http.patch(path, json={"model_settings": settings | {"cache_ttl": None}}).raise_for_status()
    assert marks() == [{"type": "ephemeral"}] * 2


def test_what_a_message_cost_is_known_with_every_call_it_led_to(client, http, model, agent):
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    search = {"name": "conversation_search", "arguments": {"query": "herons"}}
    model.script({"tool_calls": [search], "usage": usage}, {"text": "None.", "usage": usage}, {"text": "Hi.", "usage": usage})
    client.agents.messages.create(agent.id, input="Have we talked about herons?")
    client.agents.messages.create(agent.id, input="hello")
    shown = http.get("/workbench/usage", params={"group_by": "message"}).json()
    said = {one["name"]: one for one in shown["groups"]}
    assert (said["Have we talked about herons?"]["calls"], said["hello"]["calls"]) == (2, 1)
    assert said["Have we talked about herons?"]["total_tokens"] == 220
    assert said["hello"]["agent_name"] == agent.name
    ids = {message.id for message in client.agents.messages.list(agent.id)}
    assert {one["key"] for one in shown["groups"]} <= ids, "the key is the message's id"
