"""The quickstart of the public API, its text unchanged; only the environment names our server."""

import pathlib
import subprocess
import sys

from support.programs import TOKEN, clean_env

HELLO = pathlib.Path(__file__).with_name("hello_world.py")


def run_hello(url: str, token: str = TOKEN) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, str(HELLO)],
        env=clean_env(LETTA_BASE_URL=url, LETTA_API_KEY=token),
        capture_output=True, text=True, timeout=60, check=False,
    )


def test_the_quickstart_runs_unchanged(server, model, client):
    model.script({"text": "You are Timber, a dog with ambitious work."})
    done = run_hello(server.url)
    assert done.returncode == 0, done.stderr
    assert "Agent created with ID: agent-" in done.stdout
    assert "You are Timber, a dog with ambitious work." in done.stdout
    assert "assistant_message" in done.stdout

    request = model.requests()[-1]
    assert request["model"] == "gpt-4.1"
    system = request["messages"][0]
    assert system["role"] in ("system", "developer")
    assert "Name: Timber. Status: dog." in system["content"]
    assert "Timber is my best friend and collaborator." in system["content"]
    assert request["messages"][-1]["content"] == "What do you know about me?"
    names = {tool["function"]["name"] for tool in request["tools"]}
    assert names == {"conversation_search", "memory_insert", "memory_replace", "web_search", "run_code"}

    [agent] = list(client.agents.list(include=["agent.tools", "agent.blocks"]))
    assert agent.embedding == "openai/text-embedding-3-small"
    assert {tool.name for tool in agent.tools} == names
    assert {block.label for block in agent.blocks} == {"human", "persona"}


def test_without_a_model_key_the_answer_says_what_to_do(tmp_path):
    from support.programs import Server

    server = Server(tmp_path / "data", None)
    try:
        done = run_hello(server.url)
        assert done.returncode != 0
        assert "OPENAI_API_KEY" in done.stderr
        assert "Error code: 404" in done.stderr or "Error code: 400" in done.stderr
    finally:
        server.close()


def test_a_wrong_token_is_refused(server):
    done = run_hello(server.url, token="wrong")
    assert done.returncode != 0
    assert "Error code: 401" in done.stderr
